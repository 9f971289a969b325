//! Arguments, as clap reads them.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use bitcoin::{Amount, FeeRate};
use clap::{Args, Parser, Subcommand, ValueEnum};
use tapcourt_compiler::riscv::{CourtOptions, Options, Search};
use tapcourt_party::FeePolicy;
use tapcourt_program::riscv::AddressSpace;

use crate::command;
use crate::contract::parse_arities;
use crate::count::{count, parse};
use crate::error::{CliError, CliResult};
use crate::input::Input;
use crate::program::ProgramFile;

/// Put funds under a program and settle any dispute about its execution on Bitcoin.
#[derive(Debug, Parser)]
#[command(name = "tapcourt", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The sub-commands: the flow first, then the looking.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compile a netlist, or a RISC-V program, into disprove leaves, and print their sizes.
    Compile(command::compile::CompileArgs),
    /// Evaluate a netlist and print its outputs, or run a RISC-V program and print how it ends.
    Run(command::run::RunArgs),
    /// Print what steps of a RISC-V program read and write.
    Trace(command::riscv::trace::TraceArgs),
    /// Print the digest of a RISC-V program's state at a step.
    Digest(command::riscv::digest::DigestArgs),
    /// Set a contract up with another party, by messages in files.
    Setup(command::setup::SetupArgs),
    /// Claim, as the prover of a contract.
    Prove(command::prove::ProveArgs),
    /// Execute the prover's claim again, and dispute it if it is false.
    Challenge(command::challenge::ChallengeArgs),
    /// Do whatever a contract asks of a party now.
    Respond(command::respond::RespondArgs),
    /// Watch contracts, and do at each block what they ask for.
    Watch(command::watch::WatchArgs),
    /// Recompute everything that a counterparty sent.
    Verify(command::verify::VerifyArgs),
    /// Print what contracts about a program cost, before any is made.
    Plan(command::plan::PlanArgs),
    /// Print what bit commitments and leaves cost.
    Size(command::size::SizeArgs),
    /// Play a whole contract with both parties, and print its transactions.
    Simulate(command::simulate::SimulateArgs),
    /// Look into a file, a leaf or a transaction.
    Inspect(command::inspect::InspectArgs),
}

/// A program: a netlist, and what a contract accepts of its outputs.
#[derive(Debug, Args)]
pub(crate) struct ProgramArgs {
    /// A netlist, in Bristol Fashion or the older Bristol format, or a RISC-V program: a static
    /// RV32IM ELF file. '-' is standard input.
    #[arg(value_name = "PROGRAM")]
    pub(crate) netlist: PathBuf,
    #[command(flatten)]
    pub(crate) accept: PatternArgs,
}

impl ProgramArgs {
    /// Reads the file, once.
    pub(crate) fn read(&self) -> CliResult<ProgramFile> {
        ProgramFile::read(&self.netlist)
    }
}

/// What a contract accepts.
#[derive(Debug, Clone, Args)]
pub(crate) struct PatternArgs {
    /// Outputs that the contract accepts: bits in wire order with '?' for a free one, or '0x…' or '?' for each value, separated
    /// by commas. Without it the claim says the output.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) accept: Option<String>,
}

impl PatternArgs {
    /// A RISC-V program accepts by itself.
    pub(crate) fn refuse_for_elf(&self) -> CliResult<()> {
        match self.accept {
            None => Ok(()),
            Some(_) => Err(CliError::new(
                "--accept is for netlists: a RISC-V program accepts by its exit code",
            )),
        }
    }
}

/// How a dispute over a program's trace is searched.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// Of a RISC-V program: how many words of input the prover publishes. Without it as many as the
    /// input has that a command is given, and else none.
    #[arg(long, value_name = "WORDS", value_parser = count::<u32>("words", 0..=u32::MAX.into()))]
    inputs: Option<u32>,
    /// Of a RISC-V program: the first words of the input, which the contract fixes and nobody
    /// publishes: words separated by commas, or 'hex:' and bytes, or '@' and a file.
    #[arg(long, value_name = "VALUES", default_value = "")]
    fixed: String,
    /// Of a RISC-V program: how many steps a claim is about at least, such as 2^32.
    #[arg(long, value_name = "STEPS", default_value = "2^32", value_parser = count::<u64>("steps", 2..=MAX_STEPS))]
    max_steps: u64,
    /// Of a RISC-V program: into how many parts a round of the search splits what is left, 2 to 16; one number, or one for each round.
    #[arg(long, value_name = "PARTS", default_value = "4")]
    arity: String,
    /// The same for the search over the levels of a Merkle path: one number for each round. Their
    /// product is at least the number of levels, which is 24 for the default address space. Without
    /// it, three rounds: 3,3,3 there.
    #[arg(long, value_name = "PARTS")]
    path_arity: Option<String>,
    #[command(flatten)]
    pub(crate) space: SpaceArgs,
}

/// How much memory a RISC-V program has.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct SpaceArgs {
    /// Of a RISC-V program: how many addresses there are, as a power of two from 2^13 to 2^32. A
    /// load or store beyond stops the machine, so nobody needs more memory than that. All that the
    /// file loads, `.bss` included, has to be inside. Without it 2^26 (64 MiB), or more if the file
    /// needs it.
    #[arg(long, value_name = "2^N", value_parser = parse_space)]
    pub(crate) address_space: Option<AddressSpace>,
}

/// Reads `--address-space`: `2^26` or `67108864`.
pub(crate) fn parse_space(text: &str) -> Result<AddressSpace, String> {
    let bytes = parse(text, "addresses")?;
    let space = bytes
        .is_power_of_two()
        .then(|| AddressSpace::new(bytes.ilog2()));
    space
        .flatten()
        .ok_or_else(|| format!("{bytes} addresses: a power of two from 2^13 to 2^32 is possible"))
}

impl SearchArgs {
    /// Works the searches out. `inputs` is how many words there are if the argument is not given.
    pub(crate) fn options(&self, inputs: Option<u32>) -> CliResult<CourtOptions> {
        let search = parse_search(&self.arity, self.max_steps)?;
        Ok(CourtOptions {
            steps: Options {
                fixed: Input::read("--fixed", &self.fixed)?.words()?,
                inputs: self.inputs.or(inputs).unwrap_or(0),
                search,
            },
            path: self
                .path_arity
                .as_deref()
                .map(parse_path_search)
                .transpose()?,
            space: self.space.address_space,
        })
    }
}

/// Leaves by their numbers: one, or a range such as `12-15` with both its ends.
pub(crate) fn parse_leaves(text: &str) -> Result<RangeInclusive<usize>, String> {
    let number = |digits: &str| {
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = digits.parse().ok().filter(|_| is_number);
        parsed.ok_or_else(|| {
            format!("'{digits}' is no leaf's number, such as 3, or 12-15 for several")
        })
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(format!("the range begins at {first}, after its end {last}"));
    }
    Ok(first..=last)
}

/// Reads `--arity`: of all rounds, or of each.
pub(crate) fn parse_search(text: &str, max_steps: u64) -> CliResult<Search> {
    let wrong = |error: String| CliError::new(format!("--arity: {error}"));
    let search = match text.trim().parse() {
        Ok(arity) => Search::at_least(max_steps, arity)
            .map_err(|error| CliError::new(format!("--arity and --max-steps: {error}")))?,
        Err(_) => parse_arities(text).map_err(wrong)?,
    };
    let count = search.count();
    if count < max_steps {
        return Err(wrong(format!(
            "the rounds make {count} steps, {max_steps} are asked for"
        )));
    }
    Ok(search)
}

/// Reads `--path-arity`.
pub(crate) fn parse_path_search(text: &str) -> CliResult<Search> {
    parse_arities(text).map_err(|error| CliError::new(format!("--path-arity: {error}")))
}

/// The most steps that a search is over.
pub(crate) const MAX_STEPS: u64 = 1 << 48;

/// The values that the program runs on.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// The input, as text: values between commas, blanks or line breaks; '#' begins a comment. Of a
    /// netlist: each value as bits in wire order ('0101…') or as '0x…' (all of its digits if it has
    /// more than 64 bits), or the bits of all values in one piece. Of a RISC-V program: words,
    /// decimal or '0x…', or 'hex:' and bytes. '@FILE' reads the text from a file, '-' being
    /// standard input; of a RISC-V program '@raw:FILE' takes a file's bytes as they are.
    #[arg(long, value_name = "VALUES", default_value = "")]
    pub(crate) input: String,
}

impl InputArgs {
    /// Reads the file, if one is named.
    pub(crate) fn read(&self) -> CliResult<Input> {
        Input::read("--input", &self.input)
    }
}

/// The feerate of broadcast transactions.
#[derive(Debug, Args)]
pub(crate) struct FeerateArgs {
    /// Feerate in sat/vB of what is broadcast, the children that pay for others included.
    #[arg(long, value_name = "SAT_PER_VB", default_value = "2", value_parser = parse_feerate)]
    pub(crate) feerate: FeeRate,
}

/// What a party pays.
#[derive(Debug, Args)]
pub(crate) struct FeeArgs {
    #[command(flatten)]
    feerate: FeerateArgs,
    /// Most in satoshi that the fees of all the party's transactions may come to: half of the pot if not given.
    #[arg(long, value_name = "SAT", value_parser = count::<u64>("satoshi", 0..=MAX_SAT))]
    max_fee: Option<u64>,
}

impl FeeArgs {
    /// How the party pays: at the feerate first, and more as a deadline comes nearer.
    pub(crate) fn policy(&self) -> FeePolicy {
        FeePolicy {
            start: self.feerate.feerate,
            budget: self.max_fee.map(Amount::from_sat),
        }
    }
}

/// All satoshi there are.
const MAX_SAT: u64 = 2_100_000_000_000_000;

/// Which chain to simulate on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChainName {
    /// A regtest in this process, on Bitcoin Core's consensus code.
    Embedded,
    /// A regtest on a Bitcoin Core daemon, which is started and ended.
    Bitcoind,
}

/// The highest feerate that is taken, in sat/vB: more is a typing error.
const MAX_FEERATE_SAT_PER_VB: f64 = 10_000.0;

fn parse_feerate(text: &str) -> Result<FeeRate, String> {
    let rate: f64 = text
        .parse()
        .map_err(|_| "not a number of sat/vB".to_owned())?;
    if !(0.1..=MAX_FEERATE_SAT_PER_VB).contains(&rate) {
        return Err(format!(
            "not between 0.1, which relays, and {MAX_FEERATE_SAT_PER_VB} sat/vB"
        ));
    }
    // cast ok: at most 2.5 million. A virtual byte is 4 weight units.
    Ok(FeeRate::from_sat_per_kwu((rate * 250.0).round() as u64))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    /// The long options that a text names, `--` and what follows.
    fn options_in(text: &str) -> impl Iterator<Item = &str> {
        let starts = text.match_indices("--").map(|(start, _)| start);
        let starts = starts
            .filter(|&start| !text[..start].ends_with(|c: char| c == '-' || c.is_alphanumeric()));
        starts.filter_map(|start| {
            let name = &text[start + 2..];
            let end =
                name.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
            let name = name[..end.unwrap_or(name.len())].trim_end_matches('-');
            (!name.is_empty()).then_some(name)
        })
    }

    /// Looks for options in every help text of a command and of those below it. Returns how many it
    /// found.
    fn check_named_options(command: &clap::Command, path: &str, all: &clap::Command) -> usize {
        let has = |command: &clap::Command, name: &str| {
            let mut arguments = command.get_arguments();
            ["help", "version", "json"].contains(&name)
                || arguments.any(|argument| argument.get_long() == Some(name))
        };
        let own = [
            command.get_about(),
            command.get_long_about(),
            command.get_before_help(),
            command.get_after_help(),
            command.get_after_long_help(),
        ];
        let arguments = command.get_arguments();
        let texts = arguments
            .flat_map(|argument| [argument.get_help(), argument.get_long_help()])
            .chain(own);
        let mut named = 0;
        for text in texts.flatten().map(ToString::to_string) {
            for option in options_in(&text) {
                // `verify --transcript` is about another command.
                let before = text
                    .split(&format!("--{option}"))
                    .next()
                    .unwrap_or_default();
                let word = before.trim_end().rsplit([' ', '`', '\'']).next();
                let other = word.and_then(|word| all.find_subcommand(word));
                let is_there = has(other.unwrap_or(command), option);
                assert!(
                    is_there,
                    "{path}: there is no --{option}, of which it says: {text}"
                );
                named += 1;
            }
        }
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            named += check_named_options(below, &path, all);
        }
        named
    }

    #[test]
    fn help_names_only_options_that_a_command_has() {
        let found: Vec<&str> = options_in("--one, `verify --two`; a--b --- '--three-4'").collect();
        assert_eq!(found, ["one", "two", "three-4"]);
        let command = Cli::command();
        let named = check_named_options(&command, "tapcourt", &command);
        println!("{named} options named in help texts");
        assert!(named >= 4, "{named}");
    }

    #[test]
    fn address_spaces_are_powers_of_two() {
        for (text, log2_bytes) in [("2^13", 13), ("8192", 13), ("2^26", 26), ("4^16", 32)] {
            assert_eq!(
                parse_space(text).map(AddressSpace::log2_bytes),
                Ok(log2_bytes),
                "{text}"
            );
        }
        for wrong in ["", "2^12", "2^33", "0", "3", "8191", "26", "-1", "2^99"] {
            assert!(parse_space(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn feerates_are_rounded_to_a_quarter_of_a_thousandth() {
        assert_eq!(parse_feerate("2"), Ok(FeeRate::from_sat_per_kwu(500)));
        assert_eq!(parse_feerate("0.1"), Ok(FeeRate::from_sat_per_kwu(25)));
        for wrong in ["", "-1", "0", "0.09", "1e9", "NaN", "inf", "two"] {
            assert!(parse_feerate(wrong).is_err(), "{wrong}");
        }
    }
}
