//! `compile`: the leaves of a RISC-V program and their sizes.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tapcourt_commitment::PublicKey;
use tapcourt_compiler::riscv::{Court, End, PathAccess, StepLeaf};
use tapcourt_program::riscv::Program;
use tapcourt_script::taptree::Taptree;

use super::super::compile::{example_challenger, example_one_time_keys};
use crate::args::SearchArgs;
use crate::error::{CliError, CliResult, Verdict};
use crate::output::{Output, Table, thousands};
use crate::program::ProgramFile;
use crate::progress::Progress;
use crate::riscv::{initial_root, texts};

#[derive(Serialize)]
struct Summary {
    instructions: usize,
    /// Leaves that check a step.
    leaves: usize,
    /// Root of their tree, in hexadecimal, for keys from a seed that is all zeros.
    taptree_root: String,
    /// Leaves that check a level of a Merkle path.
    path_leaves: usize,
    path_taptree_root: String,
    /// Root of the first state's Merkle tree.
    initial_root: String,
    rounds: u32,
    /// Script bytes of the leaves of instructions, on average.
    semantics_bytes_mean: usize,
    kinds: Vec<Kind>,
    /// What the file is worth a warning for.
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Kind {
    checks: &'static str,
    leaves: usize,
    script_bytes_min: usize,
    script_bytes_max: usize,
    weight_max: usize,
    max_stack: usize,
}

/// Public one-time keys of both parties from a seed and an instance that are all zeros: for sizes and roots that anybody can reproduce, and
/// for nothing else.
pub(crate) fn example_keys(court: &Court) -> CliResult<Vec<PublicKey>> {
    let groups = court.entries().iter().enumerate();
    let shapes = groups.map(|(number, entry)| {
        let label = format!("{:?}/{}", entry.party, entry.label);
        (number, (label, entry.parameters.clone()))
    });
    Ok(example_one_time_keys(shapes.collect())?.public_keys())
}

/// Compiles a program's leaves.
pub(crate) fn court(program: Program, args: &SearchArgs, path: &Path) -> CliResult<Court> {
    let _progress = Progress::spinner(format!("compiling {}", path.display()));
    Court::compile(Arc::new(program), args.options(None)?)
        .map_err(|error| CliError::file(path, error))
}

/// Compiles, hashes every leaf, and measures them by kind.
pub(crate) fn run(file: &ProgramFile, args: &SearchArgs, output: &Output) -> CliResult<Verdict> {
    let report = file.report_in(args.space.address_space)?;
    let court = court(report.program, args, &file.path)?;
    let progress = Progress::spinner("hashing and measuring the leaves");
    let (steps, paths) = (court.steps(), court.paths());
    let keys = example_keys(&court)?;
    let challenger = example_challenger()?;
    let root_of = |end: End| -> CliResult<_> {
        Ok(Taptree::build(&*court.leaf_source(end, &keys, challenger))?.root())
    };
    let root = root_of(End::Step)?;
    let path_root = root_of(End::Path)?;

    let mut kinds: BTreeMap<u8, Kind> = BTreeMap::new();
    let mut semantics_bytes = 0;
    let mut count = |order: u8, checks, size: tapcourt_compiler::LeafSize| {
        let kind = kinds.entry(order).or_insert(Kind {
            checks,
            leaves: 0,
            script_bytes_min: usize::MAX,
            script_bytes_max: 0,
            weight_max: 0,
            max_stack: 0,
        });
        kind.leaves += 1;
        kind.script_bytes_min = kind.script_bytes_min.min(size.script_bytes);
        kind.script_bytes_max = kind.script_bytes_max.max(size.script_bytes);
        kind.weight_max = kind.weight_max.max(size.weight_wu_max);
        kind.max_stack = kind.max_stack.max(size.max_stack);
    };
    for index in 0..steps.len() {
        let size = steps.leaf_size(index);
        let (order, checks) = match steps.leaf(index) {
            StepLeaf::Semantics { .. } => {
                semantics_bytes += size.script_bytes;
                (0, "instruction")
            }
            StepLeaf::Stop { .. } => (1, "access that is not made"),
            StepLeaf::Input { .. } => (2, "input word"),
            StepLeaf::OutsideRom => (3, "outside the program"),
            StepLeaf::Start => (4, "start"),
            StepLeaf::Accept => (5, "accept"),
            StepLeaf::Digest { .. } => (6, "digest"),
        };
        count(order, checks, size);
    }
    for (index, leaf) in paths.leaves().enumerate() {
        let (order, checks) = match leaf.access {
            PathAccess::A | PathAccess::B => (7, "path of a register read"),
            PathAccess::Memory => (8, "path of a memory read"),
            PathAccess::Old | PathAccess::New => (9, "path of a write"),
        };
        count(order, checks, paths.leaf_size(index));
    }
    drop(progress);
    let program = court.program();
    let instructions = program.rom().len();
    output.print(&Summary {
        instructions,
        leaves: steps.len(),
        taptree_root: root.to_string(),
        path_leaves: paths.len(),
        path_taptree_root: path_root.to_string(),
        initial_root: hex::encode(initial_root(program)),
        rounds: steps.options().search.rounds(),
        semantics_bytes_mean: semantics_bytes / instructions.max(1),
        kinds: kinds.into_values().collect(),
        warnings: texts(&report.warnings),
    })?;
    Ok(Verdict::Accept)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: usize| thousands(number as u64); // cast ok, usize is at most 64 bits
        let mut table = Table::new(&[
            "checks",
            "leaves",
            "script B min",
            "script B max",
            "WU max",
            "max stack",
        ]);
        for kind in &self.kinds {
            table.row([
                kind.checks.to_owned(),
                count(kind.leaves),
                count(kind.script_bytes_min),
                count(kind.script_bytes_max),
                count(kind.weight_max),
                count(kind.max_stack),
            ]);
        }
        table.fmt(f)?;
        writeln!(f)?;
        writeln!(
            f,
            "{} instructions, {} script bytes a leaf on average; {} rounds of search",
            count(self.instructions),
            count(self.semantics_bytes_mean),
            self.rounds
        )?;
        writeln!(
            f,
            "{} leaves for a step, taptree root for the example keys {}",
            count(self.leaves),
            self.taptree_root
        )?;
        writeln!(
            f,
            "{} leaves for a path, taptree root for the example keys {}",
            count(self.path_leaves),
            self.path_taptree_root
        )?;
        writeln!(f, "root of the first state {}", self.initial_root)
    }
}
