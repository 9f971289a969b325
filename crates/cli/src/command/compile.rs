//! `compile`: a program's leaves and their sizes.

use std::collections::BTreeMap;
use std::fmt;

use bitcoin::XOnlyPublicKey;
use clap::Args;
use serde::Serialize;
use tapcourt_commitment::{Parameters, PublicKey, Seed};
use tapcourt_compiler::circuit::Compiled;
use tapcourt_protocol::InstanceId;
use tapcourt_protocol::keys::NUMS_POINT;
use tapcourt_prover::{KeyContext, OneTimeKeys};
use tapcourt_script::limits::{MAX_STACK_SIZE, Profile};
use tapcourt_script::taptree::Taptree;
use tapcourt_verifier::{Program, Source};

use super::riscv;
use crate::args::{ProgramArgs, SearchArgs};
use crate::error::{CliError, CliResult, Verdict};
use crate::output::{Output, Table, thousands};
use crate::progress::Progress;

/// Arguments of `compile`.
#[derive(Debug, Args)]
pub(crate) struct CompileArgs {
    #[command(flatten)]
    program: ProgramArgs,
    #[command(flatten)]
    search: SearchArgs,
}

#[derive(Serialize)]
struct Summary {
    /// Disprove leaves.
    leaves: usize,
    /// Root of the tree of leaves, in hexadecimal, for the keys of [`example_keys`] and [`example_challenger`].
    taptree_root: String,
    /// All leaf scripts together.
    script_bytes_total: usize,
    /// Most WU of an input that spends a leaf: witness items, script and control block.
    largest_leaf_weight: usize,
    /// Items on main and altstack at their highest, in any leaf.
    max_stack: usize,
    /// Pieces into which the program was cut one after the other.
    chunks: usize,
    program_digest: String,
    gates: usize,
    normalised_gates: usize,
    /// Leaf scripts without openings, for each gate that a leaf computes; a gate in several leaves counts in each.
    script_bytes_per_gate: f64,
    groups: usize,
    claim_transactions: usize,
    assert_transactions: usize,
    leaf_sizes: Vec<LeafRow>,
}

#[derive(Serialize)]
struct LeafRow {
    leaf: usize,
    checks: String,
    script_bytes: usize,
    witness_bytes: usize,
    weight: usize,
    opcodes: usize,
    max_stack: usize,
    /// The smallest profile that holds a transaction with this leaf.
    profile: &'static str,
    /// The limit that is nearest, and how much of it is used, in per cent.
    binding_limit: String,
}

/// Rounds up what a disprove transaction weighs besides its input's witness: version, locktime, one input, one output, counts.
const TRANSACTION_WU: usize = 4 * (10 + 41 + 43) + 2;

impl LeafRow {
    fn new(compiled: &Compiled, leaf: usize) -> Self {
        let size = compiled.leaf_size(leaf);
        let transaction_wu = (size.weight_wu_max + TRANSACTION_WU) as u64; // cast ok, usize is at most 64 bits
        let profile = Profile::for_weight_wu(transaction_wu).unwrap_or(Profile::Consensus);
        let used = [
            ("weight", transaction_wu * 100 / profile.max_weight_wu()),
            ("stack", (size.max_stack * 100 / MAX_STACK_SIZE) as u64), // cast ok, as above
        ];
        let nearest = used
            .iter()
            .max_by_key(|(_, percent)| *percent)
            .map(|(limit, percent)| format!("{limit} {percent}%"));
        Self {
            leaf,
            checks: compiled.leaves()[leaf].name().to_owned(),
            script_bytes: size.script_bytes,
            witness_bytes: size.witness_bytes_max,
            weight: size.weight_wu_max,
            opcodes: size.opcodes,
            max_stack: size.max_stack,
            profile: profile.name(),
            binding_limit: nearest.unwrap_or_default(),
        }
    }
}

/// Public one-time keys from a seed and an instance that are all zeros: for sizes and digests that anybody can reproduce,
/// and for nothing else.
pub(crate) fn example_keys(compiled: &Compiled) -> CliResult<Vec<PublicKey>> {
    let groups = compiled.committed_groups().iter().enumerate();
    let shapes = groups
        .filter_map(|(number, group)| {
            Some((
                number,
                (group.label().to_owned(), group.parameters()?.clone()),
            ))
        })
        .collect();
    Ok(example_one_time_keys(shapes)?.public_keys())
}

/// One-time keys as of [`example_keys`], for groups by number, with label and shape.
pub(crate) fn example_one_time_keys(
    groups: BTreeMap<usize, (String, Parameters)>,
) -> CliResult<OneTimeKeys> {
    let context = KeyContext::prover(InstanceId::from_bytes([0; 32]));
    Ok(OneTimeKeys::new(Seed::new([0; 32]), context, groups)?)
}

/// BIP-0341's point `H` in the challenger's place: a key that nobody can sign for.
pub(crate) fn example_challenger() -> CliResult<XOnlyPublicKey> {
    Ok(XOnlyPublicKey::from_slice(&NUMS_POINT)?)
}

/// Compiles, and hashes every leaf.
pub(crate) fn run(args: &CompileArgs, output: &Output) -> CliResult<Verdict> {
    let file = args.program.read()?;
    if file.is_elf() {
        args.program.accept.refuse_for_elf()?;
        return riscv::compile::run(&file, &args.search, output);
    }
    let program = Program::circuit(file.compile_circuit(&args.program.accept)?)?;
    let Source::Circuit(compiled) = program.source() else {
        return Err(CliError::new("a netlist compiled to something else"));
    };
    let root = {
        let _progress = Progress::spinner("hashing the leaves");
        let keys = example_keys(compiled)?;
        Taptree::build(&compiled.leaf_source(&keys, example_challenger()?))?.root()
    };
    let leaf_sizes: Vec<LeafRow> = (0..compiled.leaves().len())
        .map(|leaf| LeafRow::new(compiled, leaf))
        .collect();
    let largest = |of: fn(&LeafRow) -> usize| leaf_sizes.iter().map(of).max().unwrap_or_default();
    let layout = program.layout();
    output.print(&Summary {
        leaves: leaf_sizes.len(),
        taptree_root: root.to_string(),
        script_bytes_total: leaf_sizes.iter().map(|row| row.script_bytes).sum(),
        largest_leaf_weight: largest(|row| row.weight),
        max_stack: largest(|row| row.max_stack),
        chunks: compiled.chunks(),
        program_digest: hex::encode(compiled.program_digest()),
        gates: compiled.source_gates(),
        normalised_gates: compiled.normalised_gates(),
        script_bytes_per_gate: compiled.bytes_per_gate(),
        groups: compiled.committed_groups().len(),
        claim_transactions: layout.claim.len(),
        assert_transactions: layout.dispute.len(),
        leaf_sizes,
    })?;
    Ok(Verdict::Accept)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            "leaf",
            "checks",
            "script B",
            "witness B",
            "WU",
            "opcodes",
            "max stack",
            "profile",
            "nearest limit",
        ]);
        for row in &self.leaf_sizes {
            let count = |number: usize| thousands(number as u64); // cast ok, usize is at most 64 bits
            table.row([
                row.leaf.to_string(),
                row.checks.clone(),
                count(row.script_bytes),
                count(row.witness_bytes),
                count(row.weight),
                count(row.opcodes),
                count(row.max_stack),
                row.profile.to_owned(),
                row.binding_limit.clone(),
            ]);
        }
        table.fmt(f)?;
        let count = |number: usize| thousands(number as u64); // cast ok, as above
        writeln!(f)?;
        writeln!(
            f,
            "{} gates, {} after normalising, {:.2} script bytes a gate without openings",
            count(self.gates),
            count(self.normalised_gates),
            self.script_bytes_per_gate
        )?;
        writeln!(
            f,
            "{} chunks, {} leaves of {} script bytes, largest leaf {} WU, stack of {} items at most",
            self.chunks,
            self.leaves,
            count(self.script_bytes_total),
            count(self.largest_leaf_weight),
            self.max_stack
        )?;
        writeln!(
            f,
            "{} value groups, published in {} claim and {} assert transactions",
            self.groups, self.claim_transactions, self.assert_transactions
        )?;
        writeln!(f, "program {}", self.program_digest)?;
        writeln!(f, "taptree root for the example keys {}", self.taptree_root)
    }
}
