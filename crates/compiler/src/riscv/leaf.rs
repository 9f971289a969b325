//! One leaf without keys.

use std::sync::Arc;

use bitcoin::{Script, ScriptBuf};
use tapcourt_script::count_opcodes;

use super::opening::Openings;
use crate::LeafSize;
use crate::size::SIGNATURE_BYTES;

/// A leaf without keys: which groups it opens, and what comes after.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) openings: Arc<Openings>,
    /// The script after the openings.
    pub(crate) body: ScriptBuf,
    /// Hints that the body takes, which lie below everything else.
    pub(crate) hints: usize,
    /// Most items on both stacks while the body runs.
    pub(crate) body_max_stack: usize,
}

impl Leaf {
    /// The script, after an opened beginning for some keys.
    pub(crate) fn script(&self, opened: &[u8]) -> ScriptBuf {
        ScriptBuf::from_bytes([opened, self.body.as_bytes()].concat())
    }

    /// Exact sizes, in a balanced tree of so many leaves.
    pub(crate) fn size(&self, leaves: usize) -> LeafSize {
        // A hint is a number of at most four bytes, with its length.
        let hint_bytes = 5 * self.hints;
        let openings = &self.openings;
        LeafSize {
            script_bytes: openings.script_bytes() + self.body.len(),
            witness_bytes_mean: openings.witness_bytes_mean()
                + (SIGNATURE_BYTES + hint_bytes) as f64, // cast ok: small
            witness_bytes_max: openings.witness_bytes_max() + SIGNATURE_BYTES + hint_bytes,
            items: openings.items() + self.hints + 1,
            opcodes: openings.opcodes() + count_opcodes(Script::from_bytes(self.body.as_bytes())),
            max_stack: openings.max_stack(self.hints).max(self.body_max_stack),
            weight_wu_max: 0,
        }
        .weighed(leaves)
    }
}
