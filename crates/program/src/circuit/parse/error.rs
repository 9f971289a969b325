//! What is wrong with a netlist.

use crate::circuit::CircuitError;

/// A number in a netlist's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderField {
    /// The number of gates.
    Gates,
    /// The number of wires.
    Wires,
    /// The bits of all inputs.
    InputBits,
    /// The bits of all outputs.
    OutputBits,
}

impl std::fmt::Display for HeaderField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gates => "gates",
            Self::Wires => "wires",
            Self::InputBits => "input bits",
            Self::OutputBits => "output bits",
        })
    }
}

impl HeaderField {
    /// What sets the limit, to follow a number.
    fn limit_reason(self) -> &'static str {
        match self {
            Self::Gates | Self::Wires => "that a file of this length can hold",
            Self::InputBits => "that a circuit may have",
            Self::OutputBits => "wires there are",
        }
    }
}

/// Why bytes are no netlist. Lines are numbered from 1, gates and wires from 0; gates are counted as lines of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The file ends inside its header.
    #[error("line {line}: the file ends before its header does")]
    TruncatedHeader {
        /// The file's last line.
        line: usize,
    },
    /// A header line has the wrong number of fields.
    #[error("line {line}: the header line has {actual} fields, not {expected}")]
    HeaderFields {
        /// The line.
        line: usize,
        /// How many fields it should have.
        expected: u64,
        /// How many it has.
        actual: usize,
    },
    /// A header states more than this file or any circuit can hold.
    #[error("line {line}: {declared} {field} are more than the {limit} {}", field.limit_reason())]
    HeaderLimit {
        /// The line that states the number.
        line: usize,
        /// What is counted.
        field: HeaderField,
        /// The number stated.
        declared: u64,
        /// The most that is possible.
        limit: u64,
    },
    /// The header has fewer wires than input bits.
    #[error("line {line}: {wires} wires are fewer than the {input_bits} input bits")]
    FewerWiresThanInputs {
        /// The line that states the inputs.
        line: usize,
        /// The wires stated.
        wires: u64,
        /// The input bits stated.
        input_bits: u64,
    },
    /// An input or output value of 0 bits, or no output at all.
    #[error("line {line}: {source}")]
    Values {
        /// The line that states the values.
        line: usize,
        /// What is wrong with them.
        source: CircuitError,
    },
    /// A field is not a number.
    #[error("line {line}{}: expected a number, found {found:?}", comma_gate(*gate))]
    NotANumber {
        /// The line.
        line: usize,
        /// The gate, after the header.
        gate: Option<usize>,
        /// The field, shortened.
        found: String,
    },
    /// A number does not fit in 64 bits.
    #[error("line {line}{}: the number {found} does not fit in 64 bits", comma_gate(*gate))]
    NumberTooBig {
        /// The line.
        line: usize,
        /// The gate, after the header.
        gate: Option<usize>,
        /// The field, shortened.
        found: String,
    },
    /// A gate line ends without an operation.
    #[error("line {line}, gate {gate}: the line ends without an operation")]
    MissingOp {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
    },
    /// A gate has an operation that is not known.
    #[error("line {line}, gate {gate}: unknown operation {op:?}")]
    UnknownOp {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The operation, shortened.
        op: String,
    },
    /// A gate line goes on after its operation.
    #[error("line {line}, gate {gate}: {found:?} after the operation")]
    TrailingField {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The field after the operation, shortened.
        found: String,
    },
    /// A gate line names more or fewer wires than it says.
    #[error("line {line}, gate {gate}: {actual} wires are named, not {inputs} + {outputs}")]
    OperandCount {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The wires read that the line states.
        inputs: u64,
        /// The wires driven that the line states.
        outputs: u64,
        /// The wires that are named.
        actual: usize,
    },
    /// An operation with the wrong number of inputs or outputs.
    #[error("line {line}, gate {gate}: {op} cannot have {inputs} inputs and {outputs} outputs")]
    Arity {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The operation's name.
        op: &'static str,
        /// The inputs stated.
        inputs: u64,
        /// The outputs stated.
        outputs: u64,
    },
    /// The operand of an `EQ` is neither 0 nor 1.
    #[error("line {line}, gate {gate}: the constant of EQ is {value}, not 0 or 1")]
    Constant {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The operand.
        value: u64,
    },
    /// A gate names a wire that does not exist.
    #[error("line {line}, gate {gate}: wire {wire} is not among the {limit} wires")]
    WireOutOfRange {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The wire named.
        wire: u64,
        /// The number of wires.
        limit: u32,
    },
    /// A gate reads a wire that nothing before it drives.
    #[error("line {line}, gate {gate}: wire {wire} is read before it is driven")]
    NotDriven {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The wire.
        wire: u64,
    },
    /// A gate drives an input or a wire that is driven already.
    #[error("line {line}, gate {gate}: wire {wire} is already driven")]
    DrivenTwice {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The wire.
        wire: u64,
    },
    /// The file has fewer gates than its header says.
    #[error("line {line}: the file ends after {actual} of {declared} gates")]
    TooFewGates {
        /// The file's last line.
        line: usize,
        /// The gates stated.
        declared: u64,
        /// The gates found.
        actual: usize,
    },
    /// The file goes on after its last gate.
    #[error("line {line}: the file goes on after the last of {declared} gates")]
    TooManyGates {
        /// The line after the last gate.
        line: usize,
        /// The gates stated.
        declared: u64,
    },
    /// After the last gate, a wire is left that nothing drives.
    #[error("line {line}: the file ends, and nothing drives wire {wire}")]
    Undriven {
        /// The file's last line.
        line: usize,
        /// The first such wire.
        wire: u32,
    },
}

fn comma_gate(gate: Option<usize>) -> String {
    gate.map_or_else(String::new, |gate| format!(", gate {gate}"))
}
