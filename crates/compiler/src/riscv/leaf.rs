//! One leaf without keys.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bitcoin::{Script, ScriptBuf};
use tapcourt_script::count_opcodes;
use tapcourt_script::gadgets::{HashError, HashGadget, blake3};

use super::opening::Openings;
use crate::LeafSize;
use crate::size::SIGNATURE_BYTES;

/// A hash that many leaves have in common, with what it takes long to find out about it.
#[derive(Clone, Debug)]
pub(crate) struct SharedHash {
    gadget: HashGadget,
    opcodes: usize,
}

impl SharedHash {
    /// The hash of a Merkle node's two children. Compiled once in a process.
    pub(crate) fn of_node() -> Result<&'static Self, HashError> {
        static KNOWN: OnceLock<Result<SharedHash, HashError>> = OnceLock::new();
        let known = KNOWN.get_or_init(|| Self::compile(40));
        known.as_ref().map_err(Clone::clone)
    }

    /// The hash that makes a digest of `pc` and root. Compiled once in a process.
    pub(crate) fn of_digest() -> Result<&'static Self, HashError> {
        static KNOWN: OnceLock<Result<SharedHash, HashError>> = OnceLock::new();
        let known = KNOWN.get_or_init(|| Self::compile(24));
        known.as_ref().map_err(Clone::clone)
    }

    fn compile(message_bytes: usize) -> Result<Self, HashError> {
        let gadget = blake3::hash(message_bytes, 20)?;
        Ok(Self {
            opcodes: count_opcodes(gadget.script()),
            gadget,
        })
    }

    /// The script.
    pub(crate) fn script(&self) -> &Script {
        self.gadget.script()
    }

    /// Most items on both stacks while it runs, its message included.
    pub(crate) fn max_stack(&self) -> usize {
        self.gadget.max_stack()
    }
}

/// The part of a body that is a [`SharedHash`].
#[derive(Clone, Debug)]
pub(crate) struct Hashed {
    bytes: Range<usize>,
    opcodes: usize,
}

impl Hashed {
    /// A hash whose script begins at this byte.
    pub(crate) fn at(start: usize, hash: &SharedHash) -> Self {
        Self {
            bytes: start..start + hash.script().len(),
            opcodes: hash.opcodes,
        }
    }
}

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
    /// The part of the body that is a hash, if there is one: most of it.
    pub(crate) hashed: Option<Hashed>,
}

impl Leaf {
    /// The script, after an opened beginning for some keys.
    pub(crate) fn script(&self, opened: &[u8]) -> ScriptBuf {
        ScriptBuf::from_bytes([opened, self.body.as_bytes()].concat())
    }

    /// Instructions of the body. Those of its hash are known.
    fn body_opcodes(&self) -> usize {
        let count = |bytes: &[u8]| count_opcodes(Script::from_bytes(bytes));
        let body = self.body.as_bytes();
        match &self.hashed {
            None => count(body),
            Some(Hashed { bytes, opcodes }) => {
                count(&body[..bytes.start]) + opcodes + count(&body[bytes.end..])
            }
        }
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
            opcodes: openings.opcodes() + self.body_opcodes(),
            max_stack: openings.max_stack(self.hints).max(self.body_max_stack),
            weight_wu_max: 0,
        }
        .weighed(leaves)
    }
}
