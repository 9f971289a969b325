//! `inspect`: what is in a file, a leaf or a transaction.

mod leaves;
mod program;

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use bitcoin::Transaction;
use bitcoin::consensus::encode::{deserialize, deserialize_hex, serialize_hex};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};
use tapcourt_program::circuit::{Circuit, Op};
use tapcourt_protocol::messages::{
    Acceptance, ChallengerPartials, FundingWitnesses, MAGIC, Message, Offer, ProverPartials,
    Signatures,
};
use tapcourt_protocol::{ContractId, InstanceId, Party};
use tapcourt_prover::{Artefact, Store};
use tapcourt_script::asm;
use tapcourt_script::taptree::LeafSource;

use super::compile::{example_challenger, example_keys};
use super::riscv;
use crate::args::{ProgramArgs, SearchArgs, parse_leaves};
use crate::error::{CliError, CliResult, Verdict};
use crate::files;
use crate::output::{Facts, Output, write_out};
use crate::play::home::Home;
use crate::riscv::MAGIC as ELF_MAGIC;

/// Arguments of `inspect`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct InspectArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// A message, a store, a netlist, a RISC-V program, or a transaction in hexadecimal.
    #[arg(required = true)]
    file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the scripts and sizes of some leaves, with the example keys of `compile`.
    Leaf(LeafArgs),
    /// Print all leaves with their scripts and hashes, with the example keys of `compile` or under
    /// a contract's own.
    Leaves(Box<leaves::LeavesArgs>),
    /// Print the contract's transactions that a party has seen confirmed, as `verify --transcript`
    /// reads them.
    Transcript {
        /// The party's directory.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
    /// Print the parts of a transaction, given in hexadecimal.
    Transaction {
        /// The transaction.
        hex: String,
    },
}

#[derive(Debug, Args)]
struct LeafArgs {
    #[command(flatten)]
    program: ProgramArgs,
    /// The leaf's number, or a range such as 12-15; of a RISC-V program, among the leaves that check
    /// a step. All that are given come out of one compilation, one after the other.
    #[arg(value_name = "LEAF", required_unless_present = "pc", value_parser = parse_leaves)]
    leaves: Vec<RangeInclusive<usize>>,
    /// Of a RISC-V program: the leaf that checks the instruction at this address. May be given more
    /// than once.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "leaves", value_parser = parse_address)]
    pc: Vec<u32>,
    #[command(flatten)]
    search: SearchArgs,
}

/// An address, in hexadecimal after `0x`, or decimal.
fn parse_address(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| format!("no address of 32 bits: {error}"))
}

/// Looks, and changes nothing.
pub(crate) fn run(args: &InspectArgs, output: &Output) -> CliResult<Verdict> {
    let facts = match (&args.what, &args.file) {
        (Some(What::Leaf(args)), _) => {
            leaf(args, output)?;
            return Ok(Verdict::Accept);
        }
        (Some(What::Leaves(args)), _) => return leaves::run(args, output),
        (Some(What::Transcript { dir }), _) => {
            output.print(&transcript(dir)?)?;
            return Ok(Verdict::Accept);
        }
        (Some(What::Transaction { hex }), _) => {
            let parsed = deserialize_hex::<Transaction>(hex.trim())
                .map_err(|error| CliError::new(format!("not a transaction: {error}")))?;
            transaction(&parsed)
        }
        (None, Some(file)) => inspect_file(file)?,
        (None, None) => return Err(CliError::new("nothing to inspect is given")),
    };
    output.print(&facts)?;
    Ok(Verdict::Accept)
}

/// What a party has seen of its contract.
#[derive(Serialize)]
struct Transcript(Vec<Seen>);

#[derive(Serialize)]
struct Seen {
    transaction: String,
    height: u32,
    hex: String,
}

/// One transaction in hexadecimal a line.
impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|seen| writeln!(f, "{}", seen.hex))
    }
}

/// Reads what the store has of the chain: what was there when the party last looked.
fn transcript(dir: &Path) -> CliResult<Transcript> {
    let state = Home::open(dir)?.store()?.state()?.unwrap_or_default();
    let seen = state.confirmed().iter().map(|confirmed| Seen {
        transaction: confirmed.kind.to_string(),
        height: confirmed.height,
        hex: serialize_hex(&confirmed.transaction),
    });
    Ok(Transcript(seen.collect()))
}

fn leaf(args: &LeafArgs, output: &Output) -> CliResult<()> {
    let path = &args.program.netlist;
    let file = args.program.read()?;
    if file.is_elf() {
        args.program.accept.refuse_for_elf()?;
        let court = riscv::compile::court(
            file.riscv_in(args.search.space.address_space)?,
            &args.search,
            path,
        )?;
        let numbers = if args.pc.is_empty() {
            numbers(&args.leaves, court.steps().len())?
        } else {
            riscv::leaf::checking(&court, &args.pc)?
        };
        return print_each(riscv::leaf::facts(&court, &numbers)?, output);
    }
    if !args.pc.is_empty() {
        return Err(CliError::file(
            path,
            "no RISC-V program, so its leaves have no --pc",
        ));
    }
    let compiled = &file.compile_circuit(&args.program.accept)?;
    let numbers = numbers(&args.leaves, compiled.leaves().len())?;
    let keys = example_keys(compiled)?;
    let source = compiled.leaf_source(&keys, example_challenger()?);
    let facts = numbers.into_iter().map(|number| {
        let leaf = &compiled.leaves()[number];
        let size = compiled.leaf_size(number);
        let labels = leaf
            .opened_groups()
            .map(|group| compiled.groups()[group].label());
        Facts::new()
            .with("leaf", number)
            .with("checks", leaf.name())
            .with("opens", labels.collect::<Vec<_>>())
            .with("script_bytes", size.script_bytes)
            .with("witness_bytes_max", size.witness_bytes_max)
            .with("weight", size.weight_wu_max)
            .with("opcodes", size.opcodes)
            .with("max_stack", size.max_stack)
            .with("script", asm::to_text(&source.script(number)))
    });
    print_each(facts, output)
}

/// The numbers of these leaves, in the order in which they were given, if the program has them all.
fn numbers(ranges: &[RangeInclusive<usize>], leaves: usize) -> CliResult<Vec<usize>> {
    if let Some(range) = ranges.iter().find(|range| *range.end() >= leaves) {
        return Err(CliError::new(format!(
            "there is no leaf {}, the program has {leaves}",
            range.end()
        )));
    }
    Ok(ranges.iter().cloned().flatten().collect())
}

/// Prints facts as each of them alone is printed, with an empty line between them as text.
fn print_each(facts: impl Iterator<Item = Facts>, output: &Output) -> CliResult<()> {
    for (place, facts) in facts.enumerate() {
        if place > 0 && !output.is_json() {
            write_out("\n")?;
        }
        output.print(&facts)?;
    }
    Ok(())
}

fn inspect_file(path: &Path) -> CliResult<Facts> {
    let contents = files::read(path, files::MAX_NETLIST_BYTES)?;
    let failed = |error: CliError| match error {
        CliError::Message(message) => CliError::file(path, message),
        other => other,
    };
    if contents.starts_with(&MAGIC) {
        return message(&contents).map_err(failed);
    }
    if contents.starts_with(ELF_MAGIC) {
        return program::inspect(path, &contents);
    }
    if contents.starts_with(b"redb") {
        drop(contents);
        return store(path);
    }
    let text = std::str::from_utf8(&contents).map(str::trim);
    if let Ok(text) = text
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        let parsed: Transaction = deserialize_hex(text)
            .map_err(|error| CliError::file(path, format!("not a transaction: {error}")))?;
        return Ok(transaction(&parsed));
    }
    if text.is_err() {
        let parsed: Transaction = deserialize(&contents).map_err(|_| {
            CliError::file(
                path,
                "no message, store, netlist or transaction of any known kind",
            )
        })?;
        return Ok(transaction(&parsed));
    }
    let circuit = Circuit::parse(&contents).map_err(|error| CliError::file(path, error))?;
    Ok(netlist(&circuit))
}

fn netlist(circuit: &Circuit) -> Facts {
    let ops = [
        Op::Xor,
        Op::And,
        Op::Or,
        Op::Inv,
        Op::Zero,
        Op::One,
        Op::Copy,
    ];
    let counts: Vec<String> = ops
        .into_iter()
        .map(|op| (op, circuit.count(op)))
        .filter(|(_, count)| *count > 0)
        .map(|(op, count)| format!("{count} {op:?}"))
        .collect();
    Facts::new()
        .with("kind", "netlist")
        .with("input_bits", circuit.inputs.clone())
        .with("output_bits", circuit.outputs.clone())
        .with("wires", circuit.wires)
        .with("gates", circuit.gates.len())
        .with("operations", counts)
}

/// Reads the frame's kind, then the message of that kind.
fn message(bytes: &[u8]) -> CliResult<Facts> {
    // The magic, the version of the format (2 bytes), the kind.
    match bytes.get(MAGIC.len() + 2) {
        Some(&Offer::KIND) => {
            let (_, offer) = Offer::from_bytes(bytes)?;
            Ok(self::offer(&offer))
        }
        Some(&Acceptance::KIND) => {
            let (id, acceptance) = Acceptance::from_bytes(bytes)?;
            let facts = named::<Acceptance>(id).with("nonces", acceptance.nonces.len());
            Ok(party(facts, &acceptance.challenger))
        }
        Some(&ProverPartials::KIND) => {
            let (id, answer) = ProverPartials::from_bytes(bytes)?;
            Ok(named::<ProverPartials>(id).with("partial_signatures", answer.partials.len()))
        }
        Some(&ChallengerPartials::KIND) => {
            let (id, answer) = ChallengerPartials::from_bytes(bytes)?;
            Ok(named::<ChallengerPartials>(id).with("partial_signatures", answer.partials.len()))
        }
        Some(&FundingWitnesses::KIND) => {
            let (id, funding) = FundingWitnesses::from_bytes(bytes)?;
            Ok(named::<FundingWitnesses>(id)
                .with_text("party", funding.role)
                .with("witnesses", funding.witnesses.len()))
        }
        Some(&Signatures::KIND) => {
            let (id, signatures) = Signatures::from_bytes(bytes)?;
            Ok(named::<Signatures>(id).with("signatures", signatures.signatures.len()))
        }
        Some(kind) => Err(CliError::new(format!("a message of unknown kind {kind}"))),
        None => Err(CliError::new("a message that is cut off")),
    }
}

fn named<M: Message>(id: [u8; 32]) -> Facts {
    Facts::new()
        .with("kind", M::NAME)
        .with_text("contract", ContractId::from_bytes(id))
}

fn offer(offer: &Offer) -> Facts {
    let parameters = &offer.parameters;
    let facts = Facts::new()
        .with("kind", Offer::NAME)
        .with_text("instance", offer.instance)
        .with("program_digest", hex::encode(offer.program_digest))
        .with("one_time_keys", offer.one_time_keys.len())
        .with("delta_blocks", parameters.delta.to_blocks())
        .with("expiry_blocks", parameters.expiry.to_blocks())
        .with("prover_stake_sat", parameters.prover_stake.to_sat())
        .with("challenger_stake_sat", parameters.challenger_stake.to_sat())
        .with("bond_sat", parameters.bond.to_sat())
        .with("profile", parameters.profile.name());
    party(facts, &offer.prover)
}

fn party(facts: Facts, party: &Party) -> Facts {
    let coins = party
        .inputs
        .iter()
        .map(|coin| format!("{} {} sat", coin.outpoint, coin.prevout.value.to_sat()));
    let change: u64 = party
        .change
        .iter()
        .map(|output| output.value.to_sat())
        .sum();
    facts
        .with_text("key", party.key)
        .with("payout_script", party.payout_script.to_hex_string())
        .with("coins", coins.collect::<Vec<_>>())
        .with("change_sat", change)
}

fn store(path: &Path) -> CliResult<Facts> {
    let store = Store::open(path)?;
    let artefacts = [
        Artefact::Program,
        Artefact::Offer,
        Artefact::Acceptance,
        Artefact::ProverPartials,
        Artefact::ChallengerPartials,
        Artefact::Signatures,
        Artefact::ProverFunding,
        Artefact::ChallengerFunding,
    ];
    let mut kept = Vec::new();
    for artefact in artefacts {
        if let Some(contents) = store.artefact(artefact)? {
            kept.push(format!("{artefact}, {} bytes", contents.len()));
        }
    }
    let state = store.state()?;
    let confirmed = state.iter().flat_map(|state| state.confirmed());
    let confirmed: Vec<String> = confirmed
        .map(|confirmed| format!("{} at height {}", confirmed.kind, confirmed.height))
        .collect();
    let claims = state.as_ref().is_some_and(|state| state.values().is_some());
    let instance: InstanceId = store.instance();
    Ok(Facts::new()
        .with("kind", "store")
        .with_text("instance", instance)
        .with("artefacts", kept)
        .with("decided_to_claim", claims)
        .with("confirmed", confirmed))
}

fn transaction(transaction: &Transaction) -> Facts {
    let inputs = transaction.input.iter().map(|input| {
        let witness: usize = input.witness.iter().map(<[u8]>::len).sum();
        Value::from(format!(
            "{} with {} witness items of {witness} bytes, sequence {:#x}",
            input.previous_output,
            input.witness.len(),
            input.sequence.0
        ))
    });
    let outputs = transaction.output.iter().map(|output| {
        Value::from(format!(
            "{} sat to {}",
            output.value.to_sat(),
            output.script_pubkey.to_hex_string()
        ))
    });
    Facts::new()
        .with("kind", "transaction")
        .with_text("txid", transaction.compute_txid())
        .with("version", transaction.version.0)
        .with("weight", transaction.weight().to_wu())
        .with("vsize", transaction.vsize())
        .with("lock_time", json!(transaction.lock_time.to_consensus_u32()))
        .with("inputs", inputs.collect::<Vec<_>>())
        .with("outputs", outputs.collect::<Vec<_>>())
}
