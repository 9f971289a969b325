//! `setup`: from nothing to a funded contract, by messages in files.
//!
//! | step | who | makes |
//! |---|---|---|
//! | `key` | both | a directory with the party's secrets, and the address for its coins |
//! | `offer` | prover | `offer.tapcourt` |
//! | `accept` | challenger | `acceptance.tapcourt` |
//! | `continue` | both, in turns | `prover-answer`, `challenger-answer`, `prover-funding`, `challenger-funding` |
//! | `fund` | either | the contract on the chain |
//!
//! Every step can be repeated: it goes on where it stopped, and never answers one message in two ways.

mod advance;
mod begin;

use std::path::PathBuf;
use std::str::FromStr;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Address, Amount, Network, OutPoint, TxOut};
use clap::{Args, Subcommand};
use tapcourt_chain::{Broadcast, ChainView, Wallet};
use tapcourt_protocol::FundingInput;

use crate::error::{CliError, CliResult, Verdict};
use crate::output::{Facts, Output};
use crate::play::home::{Home, Kept};
use crate::play::seat::NodeArgs;
use crate::play::setup::funding_transaction;

/// Arguments of `setup`.
#[derive(Debug, Args)]
pub(crate) struct SetupArgs {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Make a party's directory and its secrets, and print where its coins are to be sent.
    Key(KeyArgs),
    /// Offer a contract, as its prover.
    Offer(begin::OfferArgs),
    /// Accept an offer, as the challenger.
    Accept(begin::AcceptArgs),
    /// Take the other party's messages in, and answer them.
    Continue(advance::ContinueArgs),
    /// Broadcast the transaction that funds the contract.
    Fund(FundArgs),
}

#[derive(Debug, Args)]
struct KeyArgs {
    /// The party's directory.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The network whose form of address is printed.
    #[arg(long, default_value = "regtest")]
    network: Network,
}

#[derive(Debug, Args)]
struct FundArgs {
    /// The party's directory.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    node: NodeArgs,
}

/// Takes one step.
pub(crate) fn run(args: &SetupArgs, output: &Output) -> CliResult<Verdict> {
    let facts = match &args.step {
        Step::Key(args) => key(args)?,
        Step::Offer(args) => begin::offer(args)?,
        Step::Accept(args) => begin::accept(args)?,
        Step::Continue(args) => advance::run(args)?,
        Step::Fund(args) => fund(args)?,
    };
    output.print(&facts)?;
    Ok(Verdict::Accept)
}

fn key(args: &KeyArgs) -> CliResult<Facts> {
    let home = Home::open_or_create(&args.dir)?;
    let script = home.secrets.wallet()?.script_pubkey();
    let address = Address::from_script(&script, args.network)?;
    Ok(Facts::new()
        .with_text("key", home.secrets.signing_key()?.public_key())
        .with_text("address", address)
        .with("script_pubkey", script.to_hex_string()))
}

fn fund(args: &FundArgs) -> CliResult<Facts> {
    let home = Home::open(&args.dir)?;
    let store = home.store()?;
    let kept = Kept::read(&home, &store)?;
    let contract = kept.loaded.program.verify_setup(&kept.messages()?)?;
    let (Some(prover), Some(challenger)) = (&kept.prover_funding, &kept.challenger_funding) else {
        return Err(CliError::new(
            "the funding witnesses of both parties are needed: 'tapcourt setup continue' takes the other's in",
        ));
    };
    let transaction = funding_transaction(&contract, prover, challenger)?;
    let mut node = args.node.connect()?;
    let txid = transaction.compute_txid();
    if node.confirmation_height(txid)?.is_none() {
        node.submit(&transaction)?;
    }
    Ok(Facts::new()
        .with_text("contract", contract.graph().id())
        .with_text("txid", txid)
        .with("vsize", transaction.vsize())
        .with("hex", serialize_hex(&transaction)))
}

/// A coin of the party's own key, as `TXID:VOUT:SAT`.
#[derive(Debug, Clone, Copy)]
struct Coin {
    outpoint: OutPoint,
    value: Amount,
}

impl FromStr for Coin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected TXID:VOUT:SAT".to_owned();
        let (outpoint, value) = text.rsplit_once(':').ok_or_else(wrong)?;
        let value: u64 = value.parse().map_err(|_| wrong())?;
        if value > Amount::MAX_MONEY.to_sat() {
            return Err(format!("{value} sat are more than there are"));
        }
        Ok(Self {
            outpoint: outpoint.parse().map_err(|_| wrong())?,
            value: Amount::from_sat(value),
        })
    }
}

/// The coins as funding inputs: they pay to the wallet's script.
fn funding_inputs(coins: &[Coin], wallet: &Wallet) -> CliResult<Vec<FundingInput>> {
    let sum = coins
        .iter()
        .try_fold(Amount::ZERO, |sum, coin| sum.checked_add(coin.value))
        .filter(|sum| *sum <= Amount::MAX_MONEY);
    if sum.is_none() {
        return Err(CliError::new("the coins are worth more than there is"));
    }
    let inputs = coins.iter().map(|coin| FundingInput {
        outpoint: coin.outpoint,
        prevout: TxOut {
            value: coin.value,
            script_pubkey: wallet.script_pubkey(),
        },
    });
    Ok(inputs.collect())
}
