//! `plan`: what contracts about a program cost, before any is made.

mod candidates;
mod plot;
mod row;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bitcoin::{Amount, FeeRate};
use clap::Args;
use serde::Serialize;
use tapcourt_compiler::riscv::{Court, CourtOptions, Options, Search};
use tapcourt_program::riscv::AddressSpace;
use tapcourt_protocol::cost::FEE_CHILD_VB;
use tapcourt_protocol::{ExpiryPolicy, Parameters, RelativeBlocks};
use tapcourt_script::limits::Profile;
use tapcourt_verifier::Program;

use self::candidates::Candidates;
use self::row::{Row, mark_pareto};
use crate::args::{
    FeerateArgs, MAX_STEPS, ProgramArgs, SpaceArgs, parse_path_search, parse_search,
};
use crate::count::count;
use crate::error::{CliError, CliResult, Verdict};
use crate::input::Input;
use crate::output::{Output, Table, thousands};
use crate::program::ProgramFile;
use crate::progress::Progress;

/// What the list means.
const HELP: &str = "\
Sizes are exact, for parties with one P2TR coin and one P2TR change output each.

Pareto rows are marked (*): no other row has at most as much of each of these, and less of one: transactions, virtual bytes and blocks of \
the worst case, and virtual bytes of the happy path.

A RISC-V program is disputed by search, a netlist in one round: no program can be disputed in both ways.";

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    program: ProgramArgs,
    /// Of a RISC-V program: how many words of input the prover publishes, one at least.
    #[arg(long, value_name = "WORDS", default_value = "8", value_parser = count::<u32>("words", 1..=u32::MAX.into()))]
    inputs: u32,
    /// Of a RISC-V program: the first words of the input, which the contract fixes and nobody
    /// publishes: words separated by commas, or 'hex:' and bytes, or '@' and a file.
    #[arg(long, value_name = "VALUES", default_value = "")]
    fixed: String,
    /// Of a RISC-V program: how many steps a claim is about at least, such as 2^32.
    #[arg(long, value_name = "STEPS", default_value = "2^32", value_parser = count::<u64>("steps", 2..=MAX_STEPS))]
    max_steps: u64,
    /// Of a RISC-V program: price this search only: one number, or one for each round. May be given more than once. Without it, searches
    /// of one arity are priced, and for each number of transactions the mixed one with the fewest virtual bytes in the worst case.
    #[arg(long, value_name = "PARTS")]
    arity: Vec<String>,
    /// The search over the levels of a Merkle path that goes with it: one number for each round. May be given more than once.
    #[arg(long, value_name = "PARTS", requires = "arity")]
    path_arity: Vec<String>,
    #[command(flatten)]
    space: SpaceArgs,
    #[command(flatten)]
    feerate: FeerateArgs,
    /// Blocks that each party has for a move (Δ).
    #[arg(long, value_name = "BLOCKS", default_value = "144", value_parser = count::<u16>("blocks", 1..=u16::MAX.into()))]
    delta: u16,
    /// Blocks that the prover has for its claim.
    #[arg(long, value_name = "BLOCKS", default_value = "1008", value_parser = count::<u16>("blocks", 1..=u16::MAX.into()))]
    expiry: u16,
    /// Draw virtual bytes against transactions of the worst case, too.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Parameters of a contract that is only priced: sizes do not depend on amounts, unless these are too small for the connectors.
pub(crate) fn quoted_parameters(
    delta: u16,
    expiry: u16,
    disprove_feerate: FeeRate,
) -> CliResult<Parameters> {
    let amount = Amount::from_sat(10_000_000);
    Ok(Parameters {
        delta: RelativeBlocks::new(delta)?,
        expiry: RelativeBlocks::new(expiry)?,
        expiry_policy: ExpiryPolicy::Refund,
        prover_stake: amount,
        challenger_stake: amount,
        bond: amount,
        profile: Profile::Standard,
        disprove_feerate,
    })
}

impl PlanArgs {
    fn parameters(&self) -> CliResult<Parameters> {
        quoted_parameters(self.delta, self.expiry, self.feerate.feerate)
    }

    /// The searches asked for, or none.
    fn searches(&self, space: AddressSpace) -> CliResult<Vec<(Search, Search)>> {
        let traces = self.arity.iter();
        let traces = traces.map(|text| parse_search(text, self.max_steps));
        let traces: Vec<Search> = traces.collect::<CliResult<_>>()?;
        let paths = self.path_arity.iter().map(|text| parse_path_search(text));
        let mut paths: Vec<Search> = paths.collect::<CliResult<_>>()?;
        if paths.is_empty() {
            paths.push(CourtOptions::default_path(space));
        }
        let pairs = traces.iter().flat_map(|trace| {
            let paths = paths.iter();
            paths.map(|path| (trace.clone(), path.clone()))
        });
        Ok(pairs.collect())
    }

    /// Compiles a RISC-V program once, for any search.
    fn court(&self, file: &ProgramFile) -> CliResult<Court> {
        let path = &file.path;
        let program = file.riscv_in(self.space.address_space)?;
        let options = CourtOptions {
            steps: Options {
                fixed: Input::read("--fixed", &self.fixed)?.words()?,
                inputs: self.inputs,
                search: Search::at_least(self.max_steps, Search::MAX_ARITY)?,
            },
            path: None,
            space: self.space.address_space,
        };
        let _progress = Progress::spinner(format!("compiling {}", path.display()));
        Court::compile(Arc::new(program), options).map_err(|error| CliError::file(path, error))
    }
}

/// The price list.
struct Plan {
    rows: Vec<Row>,
    feerate: FeeRate,
    /// Why there is no other protocol in the list.
    why: &'static str,
}

/// Prices every candidate, and prints the list.
pub(crate) fn run(args: &PlanArgs, output: &Output) -> CliResult<Verdict> {
    let parameters = args.parameters()?;
    let feerate = args.feerate.feerate;
    let file = args.program.read()?;
    let (mut rows, why) = if file.is_elf() {
        args.program.accept.refuse_for_elf()?;
        let court = args.court(&file)?;
        let space = court.program().space();
        let asked = args.searches(space)?;
        let candidates = Candidates::new(court, parameters, args.max_steps);
        let _progress = Progress::spinner("pricing searches");
        let quotes = if asked.is_empty() {
            candidates.worth_having()?
        } else {
            candidates.these(&asked)?
        };
        let rows = quotes
            .iter()
            .map(|candidate| Row::search(candidate, space, args.max_steps, feerate));
        (
            rows.collect::<CliResult<Vec<Row>>>()?,
            "A RISC-V program is disputed by search: its trace is too long to be published in one round.",
        )
    } else {
        if !args.arity.is_empty() {
            return Err(CliError::new(
                "--arity is for RISC-V programs: a netlist is disputed in one round",
            ));
        }
        let program = Program::circuit(file.compile_circuit(&args.program.accept)?)?;
        let row = Row::one_shot(&program.quote(parameters)?, feerate)?;
        (
            vec![row],
            "A netlist is disputed in one round: it has no trace to search.",
        )
    };
    mark_pareto(&mut rows);
    rows.sort_by_key(|row| (row.worst_transactions, row.worst_vsize, row.arity.clone()));
    if let Some(path) = &args.svg {
        plot::write(path, &rows)?;
    }
    output.print(&Plan { rows, feerate, why })?;
    Ok(Verdict::Accept)
}

impl Serialize for Plan {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            "",
            "protocol",
            "arity",
            "rounds",
            "best tx",
            "usual tx",
            "worst tx",
            "happy vB",
            "prover usual vB",
            "prover worst vB",
            "challenger usual vB",
            "challenger worst vB",
            "worst vB",
            "happy sat",
            "usual sat",
            "worst sat",
            "worst blocks",
            "key B",
            "presigned",
        ]);
        for row in &self.rows {
            let mark = if row.pareto { "*" } else { "" };
            let words = [mark, row.protocol, &row.short_arity()].map(str::to_owned);
            let numbers = [
                row.rounds.into(),
                row.happy_transactions,
                row.usual_transactions,
                row.worst_transactions,
                row.happy_vsize,
                row.prover.usual_vsize,
                row.prover.worst_vsize,
                row.challenger.usual_vsize,
                row.challenger.worst_vsize,
                row.worst_vsize,
                row.happy_sat,
                row.usual_sat,
                row.worst_sat,
                row.worst_blocks.into(),
                row.key_bytes,
                row.presigned,
            ];
            table.row(words.into_iter().chain(numbers.map(thousands)));
        }
        table.fmt(f)?;
        let most = |of: fn(&Row) -> u64| {
            let rows = self.rows.iter();
            thousands(rows.map(of).max().unwrap_or_default())
        };
        writeln!(f)?;
        writeln!(
            f,
            "*: no other row has at most as much of each of worst tx, worst vB, happy vB and worst blocks, and less of one."
        )?;
        writeln!(
            f,
            "happy: kickoff and payout, nobody disputes. usual: a dispute that ends at a leaf which checks an instruction or a part, mean \
             witnesses. worst: all moves and the heaviest leaf, longest witnesses. tx and worst vB include the contract, of {} vB with one \
             P2TR coin and change of each party.",
            most(|row| row.contract_vsize)
        )?;
        writeln!(
            f,
            "Children that pay for presigned transactions, {FEE_CHILD_VB} vB each, are in no vB and no tx, but in the sats, at {} sat/vB.",
            self.feerate.to_sat_per_kwu() as f64 / 250.0 // cast ok: at most 2.5 million
        )?;
        writeln!(
            f,
            "Heaviest presigned transaction: {} vB; heaviest disprove: {} vB, in any row.",
            most(|row| row.largest_presigned_vsize),
            most(|row| row.largest_disprove_vsize)
        )?;
        let memory = self.rows.first().and_then(|row| {
            let space = row.address_space.as_ref()?;
            Some((space, row.most_memory_bytes?))
        });
        if let Some((space, most_bytes)) = memory {
            writeln!(
                f,
                "Memory: {space} addresses; a party needs less than {} MiB to run and hash the program, whatever the input is.",
                thousands(most_bytes.div_ceil(1 << 20))
            )?;
        }
        writeln!(f, "{}", self.why)
    }
}
