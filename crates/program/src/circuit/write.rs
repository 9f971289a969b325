//! Writes netlists in Bristol Fashion.

use std::fmt;

use super::{Circuit, Gate, Op};

impl Circuit {
    /// Writes the circuit in Bristol Fashion, gate by gate in order; [`Circuit::parse`] reads back the same circuit.
    ///
    /// [`Op::Or`] is written as `OR`, which Bristol Fashion itself does not have but MOTION's netlists do.
    ///
    /// # Errors
    /// Only when `out` fails.
    pub fn write_bristol(&self, mut out: impl fmt::Write) -> fmt::Result {
        writeln!(out, "{} {}", self.gates.len(), self.wires)?;
        write_values(&mut out, &self.inputs)?;
        write_values(&mut out, &self.outputs)?;
        writeln!(out)?;
        self.gates
            .iter()
            .try_for_each(|gate| write_gate(&mut out, gate))
    }

    /// Returns the circuit in Bristol Fashion; see [`Circuit::write_bristol`].
    pub fn to_bristol(&self) -> String {
        let mut text = String::with_capacity(24 * self.gates.len());
        let written = self.write_bristol(&mut text);
        debug_assert!(written.is_ok(), "writing into a string does not fail");
        text
    }
}

fn write_values(out: &mut impl fmt::Write, values: &[u32]) -> fmt::Result {
    write!(out, "{}", values.len())?;
    values.iter().try_for_each(|bits| write!(out, " {bits}"))?;
    writeln!(out)
}

fn write_gate(out: &mut impl fmt::Write, gate: &Gate) -> fmt::Result {
    let Gate {
        op,
        a,
        b,
        out: driven,
    } = *gate;
    let name = op.bristol_name();
    match op {
        Op::Xor | Op::And | Op::Or => writeln!(out, "2 1 {a} {b} {driven} {name}"),
        Op::Inv | Op::Copy => writeln!(out, "1 1 {a} {driven} {name}"),
        Op::Zero => writeln!(out, "1 1 0 {driven} {name}"),
        Op::One => writeln!(out, "1 1 1 {driven} {name}"),
    }
}
