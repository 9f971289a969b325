//! `inspect leaves`: all leaves of a program or of a contract, from one compilation, one after the
//! other.

use std::io::Write;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use bitcoin::{ScriptBuf, XOnlyPublicKey};
use clap::{Args, ValueEnum};
use serde::Serialize;
use tapcourt_commitment::PublicKey;
use tapcourt_compiler::circuit::Compiled;
use tapcourt_compiler::riscv::{Court, End};
use tapcourt_protocol::connectors::Connector;
use tapcourt_protocol::{Graph, Stage};
use tapcourt_script::asm;
use tapcourt_script::taptree::{LeafSource, Taptree, leaf_hash};
use tapcourt_verifier::Source;

use super::super::compile::{example_challenger, example_keys};
use super::super::riscv;
use crate::args::{PatternArgs, SearchArgs, parse_leaves};
use crate::error::{CliError, CliResult, Verdict};
use crate::output::{Output, stream};
use crate::play::home::{Home, Kept};
use crate::program::ProgramFile;
use crate::progress::Progress;

/// What the columns are.
const HELP: &str = "\
Prints tab-separated values under a head, or with --json one object a line: the stage after which a leaf can be spent, its number there, \
what it checks, its script's bytes, its leaf hash (BIP-0341), the root of its tree, and the script.

Without --dir the keys are the example keys of 'compile', and the roots are those that it prints. With --dir the keys are the \
contract's, and each tree ends with the leaves that are presigned: 'payout_disputed', and 'open' where there is one.";

/// Arguments of `inspect leaves`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct LeavesArgs {
    /// The program: a netlist or an ELF file.
    #[arg(value_name = "PROGRAM", required_unless_present = "dir")]
    program: Option<PathBuf>,
    #[command(flatten)]
    accept: PatternArgs,
    #[command(flatten)]
    search: SearchArgs,
    /// List the leaves of the contract in a party's directory, in place of a program's.
    #[arg(long, value_name = "DIR", conflicts_with = "program")]
    dir: Option<PathBuf>,
    /// List this leaf only, or those of a range such as 12-15; may be given more than once.
    #[arg(long, value_name = "NUMBER", value_parser = parse_leaves)]
    leaf: Vec<RangeInclusive<usize>>,
    /// List the leaves after this stage only.
    #[arg(long, value_enum)]
    stage: Option<StageName>,
    /// The form of the scripts.
    #[arg(long, value_enum, default_value = "hex")]
    script: ScriptForm,
}

/// After which part of a dispute a leaf can be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StageName {
    /// After the dispute.
    Dispute,
    /// After the opening of a Merkle path.
    Opening,
}

impl From<StageName> for Stage {
    fn from(name: StageName) -> Self {
        match name {
            StageName::Dispute => Self::Dispute,
            StageName::Opening => Self::Opening,
        }
    }
}

/// The form of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScriptForm {
    /// Hexadecimal.
    Hex,
    /// Opcodes and pushes as text.
    Asm,
    /// Not at all.
    None,
}

/// A line.
#[derive(Serialize)]
struct Row<'a> {
    stage: &'static str,
    leaf: usize,
    checks: &'a str,
    script_bytes: usize,
    leaf_hash: String,
    taptree_root: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
}

const HEAD: &str = "stage\tleaf\tchecks\tscript_bytes\tleaf_hash\ttaptree_root\tscript";

impl Row<'_> {
    fn write(&self, out: &mut dyn Write, json: bool) -> std::io::Result<()> {
        if json {
            serde_json::to_writer(&mut *out, self)?;
            return writeln!(out);
        }
        writeln!(
            out,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}",
            self.stage,
            self.leaf,
            self.checks,
            self.script_bytes,
            self.leaf_hash,
            self.taptree_root,
            self.script.as_deref().unwrap_or_default()
        )
    }
}

/// What was compiled.
enum Compilation<'a> {
    Circuit(&'a Compiled),
    Trace(&'a Court),
}

impl Compilation<'_> {
    fn stages(&self) -> &'static [Stage] {
        match self {
            Self::Circuit(_) => &[Stage::Dispute],
            Self::Trace(_) => &[Stage::Dispute, Stage::Opening],
        }
    }

    fn leaves<'a>(
        &'a self,
        stage: Stage,
        keys: &'a [PublicKey],
        challenger: XOnlyPublicKey,
    ) -> Box<dyn LeafSource + 'a> {
        match self {
            Self::Circuit(compiled) => Box::new(compiled.leaf_source(keys, challenger)),
            Self::Trace(court) => court.leaf_source(end_of(stage), keys, challenger),
        }
    }

    fn name(&self, stage: Stage, leaf: usize) -> String {
        match self {
            Self::Circuit(compiled) => {
                let leaf = compiled.leaves().get(leaf);
                leaf.map(|leaf| leaf.name().to_owned())
            }
            Self::Trace(court) => {
                let leaf = court.leaf(end_of(stage), leaf);
                leaf.map(|leaf| leaf.to_string())
            }
        }
        .unwrap_or_default()
    }
}

fn end_of(stage: Stage) -> End {
    match stage {
        Stage::Dispute => End::Step,
        Stage::Opening => End::Path,
    }
}

fn name_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Dispute => "dispute",
        Stage::Opening => "opening",
    }
}

/// Compiles once, and lists.
pub(super) fn run(args: &LeavesArgs, output: &Output) -> CliResult<Verdict> {
    let write = |listing: &Listing<'_>| -> CliResult<()> {
        listing.check(args)?;
        stream(|out| listing.write(args, output.is_json(), out))
    };
    match (&args.dir, &args.program) {
        (Some(dir), _) => {
            let home = Home::open(dir)?;
            let store = home.store()?;
            let kept = Kept::read(&home, &store)?;
            let acceptance = kept.acceptance.as_ref().ok_or_else(|| {
                CliError::file(
                    dir,
                    "nobody has accepted the contract yet, so its leaves have no challenger's key",
                )
            })?;
            let (graph, _) = kept.loaded.program.verify_graph(&kept.offer, acceptance)?;
            let compilation = match kept.loaded.program.source() {
                Source::Circuit(compiled) => Compilation::Circuit(compiled),
                Source::Trace(court) => Compilation::Trace(court),
            };
            let terms = graph.terms();
            write(&Listing {
                compilation,
                keys: &terms.one_time_keys,
                challenger: terms.challenger.x_only_key(),
                graph: Some(&graph),
            })?;
        }
        (None, Some(path)) => {
            let file = ProgramFile::read(path)?;
            if file.is_elf() {
                args.accept.refuse_for_elf()?;
                let program = file.riscv_in(args.search.space.address_space)?;
                let court = riscv::compile::court(program, &args.search, path)?;
                write(&Listing {
                    keys: &riscv::compile::example_keys(&court)?,
                    challenger: example_challenger()?,
                    compilation: Compilation::Trace(&court),
                    graph: None,
                })?;
                return Ok(Verdict::Accept);
            }
            let compiled = file.compile_circuit(&args.accept)?;
            write(&Listing {
                keys: &example_keys(&compiled)?,
                challenger: example_challenger()?,
                compilation: Compilation::Circuit(&compiled),
                graph: None,
            })?;
        }
        (None, None) => return Err(CliError::new("a program or --dir is needed")),
    }
    Ok(Verdict::Accept)
}

/// Leaves for given keys.
struct Listing<'a> {
    compilation: Compilation<'a>,
    keys: &'a [PublicKey],
    challenger: XOnlyPublicKey,
    /// Of a contract: its graph, which has the presigned leaves.
    graph: Option<&'a Graph>,
}

impl Listing<'_> {
    /// The stages that are listed.
    fn stages(&self, args: &LeavesArgs) -> Vec<Stage> {
        let stages = self.compilation.stages().iter().copied();
        stages
            .filter(|&stage| args.stage.is_none_or(|asked| Stage::from(asked) == stage))
            .collect()
    }

    /// Refuses to list what there is not.
    fn check(&self, args: &LeavesArgs) -> CliResult<()> {
        let stages = self.stages(args);
        if stages.is_empty() {
            return Err(CliError::new(
                "--stage: a dispute about a netlist has no opening",
            ));
        }
        let count = |stage: &Stage| {
            let leaves = self.compilation.leaves(*stage, self.keys, self.challenger);
            leaves.len() + self.presigned(*stage).len()
        };
        let most = stages.iter().map(count).max().unwrap_or_default();
        match args
            .leaf
            .iter()
            .map(RangeInclusive::end)
            .find(|&&leaf| leaf >= most)
        {
            Some(leaf) => Err(CliError::new(format!(
                "--leaf: there is no leaf {leaf}, there are {most}, numbered from 0"
            ))),
            None => Ok(()),
        }
    }

    fn write(&self, args: &LeavesArgs, json: bool, out: &mut dyn Write) -> std::io::Result<()> {
        if !json {
            writeln!(out, "{HEAD}")?;
        }
        for stage in self.stages(args) {
            let leaves = self.compilation.leaves(stage, self.keys, self.challenger);
            let root = self.root(stage, &*leaves)?;
            let mut write_row = |leaf: usize, checks: &str, script: &ScriptBuf| {
                let row = Row {
                    stage: name_of(stage),
                    leaf,
                    checks,
                    script_bytes: script.len(),
                    leaf_hash: leaf_hash(script).to_string(),
                    taptree_root: &root,
                    script: match args.script {
                        ScriptForm::Hex => Some(script.to_hex_string()),
                        ScriptForm::Asm => Some(asm::to_text(script)),
                        ScriptForm::None => None,
                    },
                };
                row.write(out, json)
            };
            let is_asked = |leaf: &usize| {
                args.leaf.is_empty() || args.leaf.iter().any(|range| range.contains(leaf))
            };
            for leaf in (0..leaves.len()).filter(is_asked) {
                let checks = self.compilation.name(stage, leaf);
                write_row(leaf, &checks, &leaves.script(leaf))?;
            }
            let presigned = (leaves.len()..).zip(self.presigned(stage));
            for (leaf, (name, script)) in presigned.filter(|(leaf, _)| is_asked(leaf)) {
                write_row(leaf, &name, script)?;
            }
        }
        Ok(())
    }

    /// The root of a stage's tree: of a contract, with the presigned leaves.
    fn root(&self, stage: Stage, leaves: &dyn LeafSource) -> std::io::Result<String> {
        let of_contract = self.graph.and_then(|graph| graph.outcome(stage));
        if let Some(outcome) = of_contract {
            return Ok(outcome.merkle_root().to_string());
        }
        let _progress = Progress::spinner("hashing the leaves");
        let tree = Taptree::build(leaves).map_err(std::io::Error::other)?;
        Ok(tree.root().to_string())
    }

    /// The leaves of a contract's tree after those that disprove, in their order, with the
    /// transactions that spend them.
    fn presigned(&self, stage: Stage) -> Vec<(String, &ScriptBuf)> {
        let Some(graph) = self.graph else {
            return Vec::new();
        };
        let Some((outcome, _)) = graph.outcome_output(stage) else {
            return Vec::new();
        };
        let spenders = graph.presigned().iter().flat_map(|presigned| {
            let spent = presigned.transaction.input.iter();
            let inputs = spent.zip(&presigned.inputs);
            let spending = inputs.filter(|(input, _)| input.previous_output == outcome);
            spending.map(|(_, input)| (presigned.kind, &input.script))
        });
        let mut spenders: Vec<_> = spenders.collect();
        // The payout's leaf comes first.
        spenders.sort_by_key(|(kind, _)| kind.publishes());
        let named = spenders.into_iter();
        named
            .map(|(kind, script)| (kind.to_string(), script))
            .collect()
    }
}
