//! What a leaf costs.

use tapcourt_script::limits::{compact_size_bytes, control_block_bytes};

/// A pushed x-only key and `OP_CHECKSIGVERIFY`: how every leaf begins.
pub(crate) const HEAD_BYTES: usize = 34;

/// A 64-byte signature and its length, as a witness item.
pub(crate) const SIGNATURE_BYTES: usize = 65;

/// Exact sizes of a leaf and its witness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeafSize {
    /// Bytes of the leaf script.
    pub script_bytes: usize,
    /// Mean bytes of the witness items with their length prefixes, the signature included; without script and control block.
    pub witness_bytes_mean: f64,
    /// Most bytes of the same.
    pub witness_bytes_max: usize,
    /// Items of the witness, without script and control block.
    pub items: usize,
    /// Opcodes of the script, pushes included.
    pub opcodes: usize,
    /// Items on main and altstack at their highest.
    pub max_stack: usize,
    /// Weight of the whole input's witness at most, script and control block included, in WU.
    pub weight_wu_max: usize,
}

impl LeafSize {
    /// The same with the weight of the whole witness, in a balanced tree of so many leaves.
    pub(crate) fn weighed(self, leaves: usize) -> Self {
        let depth = usize::BITS - leaves.leading_zeros() + 1;
        let control = control_block_bytes(depth as usize); // cast ok: at most 65
        Self {
            weight_wu_max: compact_size_bytes(self.items as u64 + 2) // cast ok: usize has at most 64 bits
                + self.witness_bytes_max
                + compact_size_bytes(self.script_bytes as u64) // cast ok: likewise
                + self.script_bytes
                + compact_size_bytes(control as u64) // cast ok: likewise
                + control,
            ..self
        }
    }
}
