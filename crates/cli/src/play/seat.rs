//! A party's place at a contract, on a node: what `prove`, `challenge` and `respond` have in common.

use std::convert::Infallible;
use std::env::VarError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bitcoin::OutPoint;
use clap::Args;
use tapcourt_chain::{Chain, Credentials, Node};
use tapcourt_protocol::{Role, TransactionKind};
use tapcourt_prover::{Duty, Outlook};

use crate::args::FeerateArgs;
use crate::contract::Disputant;
use crate::count::count;
use crate::error::{CliError, CliResult};
use crate::files;
use crate::output::Facts;
use crate::play::home::{Home, Kept};
use crate::play::player::{Player, Sent};
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
    /// Height of a block before the contract's, from which on blocks are read. Needed on all chains but a regtest.
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
        let node = Node::connect(&self.node, &credentials)?;
        Ok(match self.from_height {
            Some(height) => node.read_blocks_from(height),
            None => node,
        })
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
    pub(crate) feerate: FeerateArgs,
    /// A coin of the party's key that pays fees, as TXID:VOUT, besides its change from the contract; may be given more than once.
    #[arg(long, value_name = "COIN")]
    fee_coin: Vec<OutPoint>,
}

/// Verifies the setup in the party's directory, and lets it act.
pub(crate) fn sit<T>(
    args: &SeatArgs,
    act: impl FnOnce(&mut Player<'_>, &Kept, &Disputant<'_>, &mut dyn Chain) -> CliResult<T>,
) -> CliResult<T> {
    let home = Home::open(&args.dir)?;
    let store = home.store()?;
    let kept = Kept::read(&home, &store)?;
    let contract = {
        let _progress = checking();
        kept.loaded.program.verify_setup(&kept.messages()?)?
    };
    let mut node = args.node.connect()?;
    let wallet = home.secrets.wallet()?;
    let script = wallet.script_pubkey();
    let funding = &contract.graph().contract().transaction;
    let txid = funding.compute_txid();
    let change = (0..)
        .zip(&funding.output)
        .filter(|(_, output)| output.script_pubkey == script)
        .map(|(vout, _)| OutPoint { txid, vout });
    let coins: Vec<OutPoint> = change.chain(args.fee_coin.iter().copied()).collect();
    let disputant = kept.loaded.disputant();
    let program = disputant.as_dyn();
    let mut player = Player::new(kept.role, &contract, program, &home.secrets, &store, wallet)?;
    player.find_coins(&node, &coins)?;
    act(&mut player, &kept, &disputant, &mut node)
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

/// Does duties, and says what was broadcast.
pub(crate) fn perform(
    player: &mut Player<'_>,
    chain: &mut dyn Chain,
    duties: &[Duty],
    args: &SeatArgs,
) -> CliResult<Vec<Sent>> {
    let mut sent = Vec::new();
    for duty in duties {
        sent.extend(player.perform(chain, duty, args.feerate.feerate)?);
    }
    Ok(sent)
}

/// Says where the contract is and what was done.
pub(crate) fn facts(role: Role, outlook: &Outlook, sent: &[Sent]) -> Facts {
    let names = sent
        .iter()
        .map(|sent| format!("{} {}", sent.kind, sent.transaction.compute_txid()));
    Facts::new()
        .with_text("role", role)
        .with_text("phase", outlook.phase)
        .with("height", outlook.tip)
        .with("sent", names.collect::<Vec<_>>())
        .with("next_duty_after_height", outlook.wake)
}

/// Whether something was sent that only a false claim calls for.
pub(crate) fn is_fault(sent: &[Sent]) -> bool {
    sent.iter().any(|sent| {
        matches!(
            sent.kind,
            TransactionKind::Challenge | TransactionKind::Disprove(_)
        )
    })
}
