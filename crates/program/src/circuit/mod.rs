//! Boolean circuits: the netlist type, its two text formats, and its evaluation.
//!
//! A [`Circuit`] is a straight-line program over single-bit wires. [`Circuit::parse`] reads Bristol Fashion and the
//! older Bristol format, [`Circuit::evaluate`] and [`Circuit::evaluate64`] say what a circuit computes, and
//! [`parse_values`] and [`format_values`] turn text into wires and back. [`build`] makes circuits gate by gate, and
//! [`library`] holds the ones this project ships.

pub mod build;
pub mod library;

mod assignment;
mod evaluate;
mod parse;
mod write;

pub use assignment::{
    MAX_SHORT_BITS, ValueError, format_bits, format_hex, format_values, parse_bits, parse_value,
    parse_values,
};
pub use evaluate::EvaluateError;
pub use parse::{HeaderField, ParseError};

/// The largest number of wires of a circuit: wire numbers and their count are `u32`.
pub const MAX_WIRES: u32 = u32::MAX;

/// The largest number of input bits of a circuit, all values together.
///
/// Unlike a gate, an input costs a netlist file no bytes, so the length of a file does not bound it. Every input bit of
/// a contract is committed on chain for more than 20 WU, so a block holds fewer than this.
pub const MAX_INPUT_BITS: u32 = 1 << 20;

/// What a gate does with its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Op {
    /// `out = a ^ b`
    Xor,
    /// `out = a & b`
    And,
    /// `out = a | b`
    Or,
    /// `out = !a`
    Inv,
    /// `out = 0`: `EQ` with the operand 0
    Zero,
    /// `out = 1`: `EQ` with the operand 1
    One,
    /// `out = a`: `EQW`
    Copy,
}

impl Op {
    /// Returns how many wires the operation reads: 0, 1 or 2.
    pub const fn operands(self) -> usize {
        match self {
            Self::Xor | Self::And | Self::Or => 2,
            Self::Inv | Self::Copy => 1,
            Self::Zero | Self::One => 0,
        }
    }
}

/// One gate. Operands the operation does not read are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gate {
    /// The operation.
    pub op: Op,
    /// The first wire read.
    pub a: u32,
    /// The second wire read.
    pub b: u32,
    /// The wire driven.
    pub out: u32,
}

impl Gate {
    /// Returns the wires that the gate reads: none, one or two.
    pub fn operands(&self) -> impl Iterator<Item = u32> + use<> {
        [self.a, self.b].into_iter().take(self.op.operands())
    }
}

/// A boolean circuit.
///
/// [`Circuit::new`] and [`Circuit::parse`] are the only ways to make one, and both guarantee:
///
/// - the wires `0..input_bits` are the inputs, value after value, bit 0 of each first;
/// - every other wire below `wires` is driven by exactly one gate, and no wire at or above `wires` is named, so
///   `wires == input_bits + gates.len()`;
/// - gates are in topological order: each wire is driven before any gate reads it;
/// - operands that a gate's operation does not read are 0;
/// - the last `output_bits` wires are the outputs, value after value, bit 0 of each first (they may include inputs);
/// - each value has at least one bit, there is at least one output, and the inputs are at most [`MAX_INPUT_BITS`].
///
/// The fields are public to be read. Whoever changes one takes over these guarantees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Circuit {
    /// The number of bits of each input value.
    pub inputs: Vec<u32>,
    /// The number of bits of each output value.
    pub outputs: Vec<u32>,
    /// The number of wires, inputs included; at most [`MAX_WIRES`].
    pub wires: u32,
    /// The gates in topological order.
    pub gates: Vec<Gate>,
}

/// Why a list of gates is no [`Circuit`]. Gates are numbered from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CircuitError {
    /// An input or output value has no bits.
    #[error("an input or output value has 0 bits, and needs at least 1")]
    EmptyValue,
    /// There is no output value.
    #[error("the circuit has no output")]
    NoOutput,
    /// The inputs have too many bits.
    #[error("the inputs have {bits} bits, more than {MAX_INPUT_BITS}")]
    TooManyInputBits {
        /// Bits of all input values together.
        bits: u64,
    },
    /// The outputs have more bits than there are wires.
    #[error("the outputs have {bits} bits, but the circuit has only {wires} wires")]
    TooManyOutputBits {
        /// Bits of all output values together.
        bits: u64,
        /// The number of wires.
        wires: u32,
    },
    /// The number of wires is not the input bits plus the gates.
    #[error("the circuit has {wires} wires, but its inputs and gates drive {driven}")]
    WireCount {
        /// The number of wires stated.
        wires: u32,
        /// Input bits plus gates.
        driven: u64,
    },
    /// A gate names a wire that does not exist.
    #[error("gate {gate} names wire {wire}, but the circuit has only {wires} wires")]
    WireOutOfRange {
        /// The gate.
        gate: usize,
        /// The wire it names.
        wire: u32,
        /// The number of wires.
        wires: u32,
    },
    /// A gate reads a wire that nothing before it drives.
    #[error("gate {gate} reads wire {wire}, which no earlier gate drives")]
    NotDriven {
        /// The gate.
        gate: usize,
        /// The wire it reads.
        wire: u32,
    },
    /// A gate drives an input or a wire that an earlier gate drives.
    #[error("gate {gate} drives wire {wire}, which is already driven")]
    DrivenTwice {
        /// The gate.
        gate: usize,
        /// The wire it drives.
        wire: u32,
    },
    /// A gate has a non-zero operand that its operation does not read.
    #[error("gate {gate} has wire {wire} as an operand that its operation does not read")]
    UnusedOperand {
        /// The gate.
        gate: usize,
        /// The operand, which should be 0.
        wire: u32,
    },
}

impl Circuit {
    /// Makes a circuit of its parts and checks every guarantee of the type.
    ///
    /// # Errors
    /// Names the first guarantee that the parts break, with the gate and the wire.
    pub fn new(
        inputs: Vec<u32>,
        outputs: Vec<u32>,
        wires: u32,
        gates: Vec<Gate>,
    ) -> Result<Self, CircuitError> {
        let input_bits = check_values(&inputs, &outputs, wires)?;
        let driven = u64::from(input_bits) + gates.len() as u64;
        if driven != u64::from(wires) {
            return Err(CircuitError::WireCount { wires, driven });
        }
        let mut known = DrivenWires::new(input_bits, wires);
        for (gate, g) in gates.iter().enumerate() {
            for wire in g.operands() {
                known
                    .read(wire.into())
                    .map_err(|fault| fault.at_gate(gate, wire, wires))?;
            }
            let unused = [g.a, g.b]
                .into_iter()
                .skip(g.op.operands())
                .find(|&wire| wire != 0);
            if let Some(wire) = unused {
                return Err(CircuitError::UnusedOperand { gate, wire });
            }
            known
                .drive(g.out.into())
                .map_err(|fault| fault.at_gate(gate, g.out, wires))?;
        }
        Ok(Self {
            inputs,
            outputs,
            wires,
            gates,
        })
    }

    /// Returns the number of bits of all input values together.
    pub fn input_bits(&self) -> usize {
        self.inputs.iter().map(|&bits| bits as usize).sum()
    }

    /// Returns the number of bits of all output values together.
    pub fn output_bits(&self) -> usize {
        self.outputs.iter().map(|&bits| bits as usize).sum()
    }

    /// Returns the wire that carries output bit 0; the others follow it.
    pub fn first_output_wire(&self) -> u32 {
        self.wires - self.outputs.iter().sum::<u32>()
    }

    /// Returns how many gates have the operation `op`.
    pub fn count(&self, op: Op) -> usize {
        self.gates.iter().filter(|gate| gate.op == op).count()
    }
}

/// Checks the widths of the values and returns the input bits.
fn check_values(inputs: &[u32], outputs: &[u32], wires: u32) -> Result<u32, CircuitError> {
    let sum = |values: &[u32]| values.iter().map(|&bits| u64::from(bits)).sum::<u64>();
    if inputs.iter().chain(outputs).any(|&bits| bits == 0) {
        return Err(CircuitError::EmptyValue);
    }
    if outputs.is_empty() {
        return Err(CircuitError::NoOutput);
    }
    let bits = sum(inputs);
    if bits > u64::from(MAX_INPUT_BITS) {
        return Err(CircuitError::TooManyInputBits { bits });
    }
    if sum(outputs) > u64::from(wires) {
        return Err(CircuitError::TooManyOutputBits {
            bits: sum(outputs),
            wires,
        });
    }
    Ok(bits as u32) // cast ok, at most MAX_INPUT_BITS
}

/// Which wires are driven so far: all inputs, and what gates have driven.
struct DrivenWires {
    input_bits: u32,
    wires: u32,
    by_gate: Vec<bool>,
}

/// What is wrong with naming a wire.
#[derive(Clone, Copy, Debug)]
enum WireFault {
    OutOfRange,
    NotDriven,
    DrivenTwice,
}

impl WireFault {
    fn at_gate(self, gate: usize, wire: u32, wires: u32) -> CircuitError {
        match self {
            Self::OutOfRange => CircuitError::WireOutOfRange { gate, wire, wires },
            Self::NotDriven => CircuitError::NotDriven { gate, wire },
            Self::DrivenTwice => CircuitError::DrivenTwice { gate, wire },
        }
    }
}

impl DrivenWires {
    /// `wires` is at least `input_bits`; the caller has bounded the difference.
    fn new(input_bits: u32, wires: u32) -> Self {
        Self {
            input_bits,
            wires,
            by_gate: vec![false; (wires - input_bits) as usize],
        }
    }

    fn read(&self, wire: u64) -> Result<u32, WireFault> {
        let number = self.in_range(wire)?;
        match number.checked_sub(self.input_bits) {
            Some(index) if !self.by_gate[index as usize] => Err(WireFault::NotDriven),
            _ => Ok(number),
        }
    }

    fn drive(&mut self, wire: u64) -> Result<u32, WireFault> {
        let number = self.in_range(wire)?;
        let index = number
            .checked_sub(self.input_bits)
            .ok_or(WireFault::DrivenTwice)?;
        if std::mem::replace(&mut self.by_gate[index as usize], true) {
            return Err(WireFault::DrivenTwice);
        }
        Ok(number)
    }

    fn in_range(&self, wire: u64) -> Result<u32, WireFault> {
        match u32::try_from(wire) {
            Ok(number) if number < self.wires => Ok(number),
            _ => Err(WireFault::OutOfRange),
        }
    }

    /// Returns the first wire that nothing drives.
    fn first_undriven(&self) -> Option<u32> {
        let index = self.by_gate.iter().position(|&driven| !driven)?;
        Some(self.input_bits + index as u32) // cast ok, index < wires - input_bits
    }
}
