//! A party's place at a contract, on a node: what `prove`, `challenge` and `respond` have in common.

use std::path::PathBuf;

use bitcoin::OutPoint;
use clap::Args;
use tapcourt_chain::{Chain, Credentials, Node};
use tapcourt_protocol::{Role, TransactionKind};
use tapcourt_prover::{Duty, Outlook};

use crate::args::FeerateArgs;
use crate::contract::Disputant;
use crate::count::count;
use crate::error::{CliError, CliResult};
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
    /// User of the RPC server, in place of a cookie.
    #[arg(long, value_name = "NAME", requires = "rpc_password")]
    rpc_user: Option<String>,
    /// Password of that user.
    #[arg(long, value_name = "PASSWORD", requires = "rpc_user")]
    rpc_password: Option<String>,
    /// Height of a block before the contract's, from which on blocks are read. Needed on all chains but a regtest.
    #[arg(long, value_name = "HEIGHT", value_parser = count::<u32>("blocks", 0..=u32::MAX.into()))]
    from_height: Option<u32>,
}

impl NodeArgs {
    /// Connects.
    pub(crate) fn connect(&self) -> CliResult<Node> {
        let credentials = match (&self.cookie, &self.rpc_user, &self.rpc_password) {
            (Some(cookie), _, _) => Credentials::Cookie(cookie.clone()),
            (None, Some(user), Some(password)) => Credentials::UserPassword {
                user: user.clone(),
                password: password.clone(),
            },
            _ => {
                return Err(CliError::new(
                    "give --cookie, or --rpc-user and --rpc-password",
                ));
            }
        };
        let node = Node::connect(&self.node, &credentials)?;
        Ok(match self.from_height {
            Some(height) => node.read_blocks_from(height),
            None => node,
        })
    }
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
