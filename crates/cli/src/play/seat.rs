//! A party's place at a contract, on a node: what `prove`, `challenge` and `respond` have in common.

use std::convert::Infallible;
use std::env::VarError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bitcoin::OutPoint;
use clap::Args;
use tapcourt_chain::{Credentials, Link, Node};
use tapcourt_party::{Deed, Driver, FeePolicy, PartyError, Sent, Step, Unfunded, find_start};
use tapcourt_protocol::{Role, TransactionKind};
use tapcourt_prover::{Outlook, Phase, Store};
use tapcourt_verifier::Contract;

use crate::args::FeeArgs;
use crate::contract::Disputant;
use crate::count::count;
use crate::error::{CliError, CliResult};
use crate::files;
use crate::output::Facts;
use crate::play::home::{Home, Kept};
use crate::play::player::take_seat;
use crate::play::setup::checking;

/// A Bitcoin Core node.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// Address of the node's RPC server, such as `http://127.0.0.1:8332`.
    #[arg(long, value_name = "URL")]
    pub(crate) node: String,
    /// The cookie file in the node's data directory.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "rpc_user",
        conflicts_with = "rpc_user"
    )]
    cookie: Option<PathBuf>,
    /// User of the RPC server, in place of a cookie. Its password is read from --rpc-password-file,
    /// or else from the environment variable `TAPCOURT_RPC_PASSWORD`.
    #[arg(long, value_name = "NAME")]
    rpc_user: Option<String>,
    /// File with the password of that user, in one line.
    #[arg(long, value_name = "FILE", requires = "rpc_user")]
    rpc_password_file: Option<PathBuf>,
    /// The password itself. Others on this computer can see it in the list of processes: better use
    /// one of the other ways.
    #[arg(
        long,
        value_name = "PASSWORD",
        requires = "rpc_user",
        conflicts_with = "rpc_password_file"
    )]
    rpc_password: Option<Password>,
    /// Height of a block before the contract's, from which on blocks are read. It is found without,
    /// as long as the contract or a coin for it is unspent, or its block not too far back.
    #[arg(long, value_name = "HEIGHT", value_parser = count::<u32>("blocks", 0..=u32::MAX.into()))]
    from_height: Option<u32>,
}

impl NodeArgs {
    /// Connects.
    pub(crate) fn connect(&self) -> CliResult<Node> {
        let credentials = match (&self.cookie, &self.rpc_user) {
            (Some(cookie), _) => Credentials::Cookie(cookie.clone()),
            (None, Some(user)) => Credentials::UserPassword {
                user: user.clone(),
                password: self.password()?,
            },
            (None, None) => return Err(CliError::new("give --cookie or --rpc-user")),
        };
        Ok(Node::connect(&self.node, &credentials)?)
    }

    /// Finds the height from which on a contract's transactions have to be looked for.
    pub(crate) fn start(
        &self,
        node: &Node,
        contract: &Contract<'_>,
        store: &Store,
    ) -> Result<u32, PartyError> {
        match self.from_height {
            Some(height) => Ok(height),
            None => find_start(node, contract, store),
        }
    }
}

impl NodeArgs {
    fn password(&self) -> CliResult<String> {
        if let Some(path) = &self.rpc_password_file {
            return read_password(path);
        }
        if let Some(Password(password)) = &self.rpc_password {
            return Ok(password.clone());
        }
        match std::env::var(PASSWORD_VARIABLE) {
            Ok(password) => Ok(password),
            Err(VarError::NotPresent) => Err(CliError::new(format!(
                "--rpc-user needs a password: in --rpc-password-file, or in the environment variable {PASSWORD_VARIABLE}"
            ))),
            Err(VarError::NotUnicode(_)) => {
                Err(CliError::new(format!("{PASSWORD_VARIABLE} is not UTF-8")))
            }
        }
    }
}

/// The environment variable with the password of `--rpc-user`.
const PASSWORD_VARIABLE: &str = "TAPCOURT_RPC_PASSWORD";

/// The longest file with a password that is read.
const MAX_PASSWORD_BYTES: u64 = 4096;

/// A password that nothing prints.
#[derive(Clone)]
struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl FromStr for Password {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

fn read_password(path: &Path) -> CliResult<String> {
    let text = files::read_text(path, MAX_PASSWORD_BYTES)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains(['\n', '\r']) {
        return Err(CliError::file(path, "not a password in one line"));
    }
    Ok(line.to_owned())
}

/// What it takes to act for a party.
#[derive(Debug, Args)]
pub(crate) struct SeatArgs {
    /// The party's directory.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    fees: FeeArgs,
    /// A coin of the party's key that pays fees, as TXID:VOUT, besides its change from the contract; may be given more than once.
    #[arg(long, value_name = "COIN")]
    fee_coin: Vec<OutPoint>,
}

impl SeatArgs {
    /// How the party pays.
    pub(crate) fn policy(&self) -> FeePolicy {
        self.fees.policy()
    }
}

/// Verifies the setup in the party's directory, and lets it act.
pub(crate) fn sit<T>(
    args: &SeatArgs,
    act: impl FnOnce(&mut Driver<'_>, &Kept, &Disputant<'_>, &mut dyn Link) -> CliResult<T>,
) -> CliResult<T> {
    let home = Home::open(&args.dir)?;
    let store = home.store()?;
    let kept = Kept::read(&home, &store)?;
    let contract = {
        let _progress = checking();
        kept.loaded.program.verify_setup(&kept.messages()?)?
    };
    let mut node = args.node.connect()?;
    let start = args.node.start(&node, &contract, &store)?;
    node = node.read_blocks_from(start);
    let disputant = kept.loaded.disputant();
    let mut party = party(&home, &store, &kept, &contract, &disputant)?;
    node.watch(party.interest());
    party.find_coins(&node, &coins(&contract, &party, &args.fee_coin))?;
    act(&mut party, &kept, &disputant, &mut node)
}

/// Gives a party of a directory its seat.
pub(crate) fn party<'a>(
    home: &Home,
    store: &'a Store,
    kept: &Kept,
    contract: &'a Contract<'a>,
    disputant: &'a Disputant<'a>,
) -> CliResult<Driver<'a>> {
    let wallet = home.secrets.wallet()?;
    let program = disputant.as_dyn();
    take_seat(kept.role, contract, program, &home.secrets, store, wallet)
}

/// The party's coins that are known: its change from the contract, and those that it names.
pub(crate) fn coins(
    contract: &Contract<'_>,
    party: &Driver<'_>,
    named: &[OutPoint],
) -> Vec<OutPoint> {
    let script = party.wallet().script_pubkey();
    let funding = &contract.graph().contract().transaction;
    let txid = funding.compute_txid();
    let change = (0..)
        .zip(&funding.output)
        .filter(|(_, output)| output.script_pubkey == script)
        .map(|(vout, _)| OutPoint { txid, vout });
    change.chain(named.iter().copied()).collect()
}

/// Refuses to act for the other party.
pub(crate) fn check_role(kept: &Kept, role: Role, verb: &str) -> CliResult<()> {
    if kept.role == role {
        Ok(())
    } else {
        Err(CliError::new(format!(
            "this is the {}'s directory, and it is the {role} who can {verb}",
            kept.role
        )))
    }
}

/// What a command has done.
pub(crate) struct Acts {
    pub(crate) deeds: Vec<Deed>,
    /// Why the contract is not on the chain, if it is not.
    pub(crate) unfunded: Option<Unfunded>,
}

impl Acts {
    /// Finds out why a contract is not on the chain, and keeps what was done.
    pub(crate) fn new(
        party: &Driver<'_>,
        chain: &dyn Link,
        outlook: &Outlook,
        deeds: Vec<Deed>,
    ) -> CliResult<Self> {
        let unfunded = match outlook.phase {
            Phase::Unfunded => Some(party.unfunded(chain)?),
            _ => None,
        };
        Ok(Self { deeds, unfunded })
    }

    /// Says where the contract is and what was done; fails with the first duty that could not be done, when all have been tried.
    pub(crate) fn facts(self, role: Role, outlook: &Outlook) -> CliResult<Facts> {
        let sent = sent(&self.deeds).map(|sent| {
            let txid = sent.transaction.compute_txid();
            let again = if sent.is_bump { ", paid better" } else { "" };
            format!("{} {txid}{again}", sent.kind)
        });
        let sent: Vec<String> = sent.collect();
        let waits: Vec<String> = self.deeds.iter().filter_map(waiting).collect();
        let phase = match self.unfunded {
            Some(Unfunded::Unconfirmed) => "in the mempool, not confirmed".to_owned(),
            Some(Unfunded::NotSent) | None => outlook.phase.to_string(),
        };
        let facts = Facts::new()
            .with_text("role", role)
            .with("phase", phase)
            .with("height", outlook.tip)
            .with("sent", sent)
            .with("unconfirmed", waits)
            .with("next_duty_after_height", outlook.wake);
        match self.deeds.into_iter().find_map(|deed| deed.result.err()) {
            Some(error) => Err(error.into()),
            None => Ok(facts),
        }
    }

    /// Whether something was sent that only a false claim calls for.
    pub(crate) fn is_fault(&self) -> bool {
        sent(&self.deeds).any(|sent| {
            matches!(
                sent.kind,
                TransactionKind::Challenge | TransactionKind::Disprove(_)
            )
        })
    }
}

/// What was broadcast.
pub(crate) fn sent(deeds: &[Deed]) -> impl Iterator<Item = &Sent> {
    deeds.iter().filter_map(|deed| match &deed.result {
        Ok(Step::Sent(sent)) => Some(&**sent),
        _ => None,
    })
}

/// Names what waits in the mempool, what it pays, and until when it has time.
pub(crate) fn waiting(deed: &Deed) -> Option<String> {
    let Ok(Step::Waits { feerate }) = &deed.result else {
        return None;
    };
    let sat_per_vb = feerate.to_sat_per_kwu() as f64 / 250.0; // cast ok: a feerate is far below 2^52
    Some(format!("{} at {sat_per_vb} sat/vB", deed.duty))
}

/// What is printed about a failure that does not end a watch.
pub(crate) fn complaint(error: &PartyError) -> String {
    CliError::new(error).to_string()
}
