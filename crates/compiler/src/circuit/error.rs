//! Why a program does not compile, or cannot be evaluated.

/// Why a program does not compile, or cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The accepted pattern has another length than the outputs.
    #[error("the accepted pattern has {given} bits, the program has {outputs} output wires")]
    AcceptLength {
        /// Bits of the pattern.
        given: usize,
        /// Output wires.
        outputs: usize,
    },
    /// The pattern asks for what the program can never give.
    #[error("output wire {wire} is always {}, which the accepted pattern excludes", u8::from(*always))]
    NeverAccepted {
        /// Output wire, counted from the first output.
        wire: usize,
        /// Its constant value.
        always: bool,
    },
    /// An input has the wrong length.
    #[error("the input has {given} bits, the program takes {inputs}")]
    InputLength {
        /// Bits given.
        given: usize,
        /// Input wires.
        inputs: usize,
    },
    /// No cut keeps the witness of every leaf within the limit of stack items.
    #[error(
        "too wide to cut: the narrowest cut found still has a leaf that opens {items} witness items, where {limit} fit, \
         for operation {operation} of {operations}"
    )]
    TooWide {
        /// Items that the widest leaf of the narrowest cut opens.
        items: usize,
        /// Operation that this leaf checks, counted along the line that was cut.
        operation: usize,
        /// Operations to cut.
        operations: usize,
        /// Most witness items a leaf may open.
        limit: usize,
    },
    /// A leaf needs too much stack.
    #[error("leaf {leaf} needs {items} stack items, the limit is {limit}")]
    Stack {
        /// Label of the group that the leaf checks.
        leaf: String,
        /// Items on both stacks at their highest.
        items: usize,
        /// The limit.
        limit: usize,
    },
    /// A leaf is too heavy to relay.
    #[error("leaf {leaf} weighs {weight_wu} WU with its witness, the limit is {limit_wu} WU")]
    Weight {
        /// Label of the group that the leaf checks.
        leaf: String,
        /// Its weight.
        weight_wu: usize,
        /// The limit.
        limit_wu: usize,
    },
}
