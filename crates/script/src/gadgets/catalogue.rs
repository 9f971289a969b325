//! The list of gadgets with their exact sizes.

use super::{HashError, HashGadget, Packing, blake3, sha256, u32};
use crate::count_opcodes;
use crate::dataflow::Effort;

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
///
/// # Panics
/// Never: every gadget of the list exists, which a test shows.
pub fn catalogue() -> Vec<GadgetSize> {
    type Make = fn(Effort) -> Result<HashGadget, HashError>;
    let hashes: [(&str, Make); 14] = [
        ("blake3/24B", |effort| {
            blake3::hash_with(24, 20, Packing::Nibbles, effort)
        }),
        ("blake3/node", |effort| {
            blake3::hash_with(40, 20, Packing::Nibbles, effort)
        }),
        ("blake3/32B", |effort| {
            blake3::hash_with(32, 32, Packing::Nibbles, effort)
        }),
        ("blake3/64B", |effort| {
            blake3::hash_with(64, 32, Packing::Nibbles, effort)
        }),
        ("blake3/64B-to-20B", |effort| {
            blake3::hash_with(64, 20, Packing::Nibbles, effort)
        }),
        ("blake3/80B", |effort| {
            blake3::hash_with(80, 32, Packing::Nibbles, effort)
        }),
        ("blake3/1024B-packed", |effort| {
            blake3::hash_with(1024, 32, Packing::Limbs, effort)
        }),
        ("sha256/64B-block", sha256::compression_with),
        ("sha256/20B", |effort| {
            sha256::hash_with(20, Packing::Nibbles, effort)
        }),
        ("sha256/32B", |effort| {
            sha256::hash_with(32, Packing::Nibbles, effort)
        }),
        ("sha256/64B", |effort| {
            sha256::hash_with(64, Packing::Nibbles, effort)
        }),
        ("sha256/80B", |effort| {
            sha256::hash_with(80, Packing::Nibbles, effort)
        }),
        ("sha256/1024B-packed", |effort| {
            sha256::hash_with(1024, Packing::Limbs, effort)
        }),
        ("hash256/80B", |effort| sha256::hash256_with(80, effort)),
    ];
    let row = |(name, make): (&str, Make)| {
        let [gadget, as_written] = [Effort::Full, Effort::AsWritten]
            .map(|effort| make(effort).expect("the gadgets of the list exist"));
        GadgetSize {
            name: name.to_owned(),
            script_bytes: gadget.script().len(),
            table_bytes: None,
            witness_bytes_mean: 0.0,
            opcodes: count_opcodes(gadget.script()),
            max_stack: gadget.max_stack(),
            unoptimised_bytes: Some(as_written.script().len()),
        }
    };
    hashes.into_iter().map(row).chain(u32::rows()).collect()
}
