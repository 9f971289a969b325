//! `watch`: one process looks after the contracts of many directories, and does not end by itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bitcoin::OutPoint;
use clap::Args;
use serde_json::json;
use tapcourt_chain::{ChainError, ChainView, Node};
use tapcourt_party::{Desk, FINAL_BLOCKS, PartyError, Round, Unfunded};
use tapcourt_prover::{Phase, Store};
use tapcourt_verifier::Contract;

use crate::args::FeeArgs;
use crate::contract::Disputant;
use crate::count::count;
use crate::error::{CliError, CliResult, Verdict};
use crate::files;
use crate::output::{Output, comment, write_out};
use crate::play::home::{Home, Kept};
use crate::play::seat::{self, NodeArgs, complaint, waiting};
use crate::play::setup::checking;

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// A party's directory; may be given more than once.
    #[arg(
        long = "dir",
        value_name = "DIR",
        required_unless_present = "contracts"
    )]
    dirs: Vec<PathBuf>,
    /// A folder with parties' directories: those that have a contract are watched.
    #[arg(long, value_name = "FOLDER")]
    contracts: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    fees: FeeArgs,
    /// A coin that pays fees, as TXID:VOUT, of whichever party's key it is; may be given more than once.
    #[arg(long, value_name = "COIN")]
    fee_coin: Vec<OutPoint>,
    /// Seconds between two looks at the chain when no block arrives.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = count::<u64>("seconds", 1..=3_600))]
    every: u64,
    /// Seconds between two lines that say that all is well.
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = count::<u64>("seconds", 1..=604_800))]
    heartbeat: u64,
    /// Command for the shell, run when something fails: `TAPCOURT_DIR` says whose, `TAPCOURT_ALARM` what.
    #[arg(long, value_name = "COMMAND")]
    on_alarm: Option<String>,
    /// File for metrics in Prometheus' text format, written anew at each look.
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// End when every contract is over and 100 blocks deep.
    #[arg(long)]
    until_final: bool,
}

/// Longest time between two tries to reach a node.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// Watches until it is ended from outside.
pub(crate) fn run(args: &WatchArgs, output: &Output) -> CliResult<Verdict> {
    let mut bell = Bell {
        command: args.on_alarm.as_deref(),
        output,
    };
    let mut opened = Vec::new();
    for dir in directories(args)? {
        match Opened::open(&dir) {
            Ok(contract) => opened.push(contract),
            Err(error) => bell.alarm(&dir.display().to_string(), &error.to_string()),
        }
    }
    let progress = checking();
    let mut checked: Vec<(&Opened, Contract<'_>)> = Vec::new();
    for opened in &opened {
        let messages = opened.kept.messages();
        let verify = |messages| Ok(opened.kept.loaded.program.verify_setup(&messages)?);
        match messages.and_then(verify) {
            Ok(contract) => checked.push((opened, contract)),
            Err(error) => bell.alarm(&opened.name, &error.to_string()),
        }
    }
    drop(progress);
    if checked.is_empty() {
        return Err(CliError::new("there is no contract to watch"));
    }
    let disputants: Vec<Disputant<'_>> = checked
        .iter()
        .map(|(opened, _)| opened.kept.loaded.disputant())
        .collect();

    let mut node = reach(args, &mut bell);
    let mut start = u32::MAX;
    let mut desks = Vec::new();
    let mut interests = Vec::new();
    for ((opened, contract), disputant) in checked.iter().zip(&disputants) {
        let seated = seat::party(
            &opened.home,
            &opened.store,
            &opened.kept,
            contract,
            disputant,
        );
        let party = match seated {
            Ok(party) => party,
            Err(error) => {
                bell.alarm(&opened.name, &error.to_string());
                continue;
            }
        };
        start = start.min(first_block(args, &mut node, &mut bell, opened, contract));
        let coins = seat::coins(contract, &party, &args.fee_coin);
        interests.push(party.interest());
        desks.push(Watched {
            name: &opened.name,
            desk: Desk::new(party, args.fees.policy()),
            coins,
            coins_known: false,
            said: String::new(),
            alarmed: String::new(),
            is_final: false,
        });
    }
    let prepare = |node: Node| {
        let node = node.read_blocks_from(start);
        for interest in &interests {
            node.watch(interest.clone());
        }
        node
    };
    node = prepare(node);
    comment(format!(
        "watching {} contracts from height {start} on",
        desks.len()
    ));

    let mut heard = Instant::now();
    loop {
        let tip = node.tip();
        let mut metrics = Metrics::default();
        for watched in desks.iter_mut().filter(|watched| !watched.is_final) {
            watched.take(&mut node, &mut bell, &mut metrics);
        }
        metrics.watched = desks.iter().filter(|watched| !watched.is_final).count();
        if let Some(path) = &args.metrics
            && let Err(error) = files::write(path, metrics.text().as_bytes())
        {
            bell.alarm("", &error.to_string());
        }
        if metrics.watched == 0 && args.until_final {
            return Ok(Verdict::Accept);
        }
        if heard.elapsed() >= Duration::from_secs(args.heartbeat) {
            heard = Instant::now();
            comment(format!(
                "alive at height {}: {} contracts watched, {} in trouble",
                metrics.height, metrics.watched, metrics.troubled
            ));
            for watched in &mut desks {
                watched.alarmed.clear(); // what still fails is said again
            }
        }
        let pause = Duration::from_secs(args.every);
        match tip.and_then(|tip| node.wait_for_block(tip.hash, pause)) {
            Ok(()) => {}
            // The cookie is another one after a restart.
            Err(ChainError::NodeRefuses { .. }) => {
                node = prepare(reach(args, &mut bell));
            }
            Err(_) => std::thread::sleep(pause.min(LONGEST_BACKOFF)),
        }
    }
}

/// Finds the first block to read for a contract. A node that fails meanwhile is tried again: beginning later would hide what
/// has happened since.
fn first_block(
    args: &WatchArgs,
    node: &mut Node,
    bell: &mut Bell<'_>,
    opened: &Opened,
    contract: &Contract<'_>,
) -> u32 {
    loop {
        let error = match args.node.start(node, contract, &opened.store) {
            Ok(height) => return height,
            Err(error @ PartyError::UnknownContract { .. }) => match node.tip() {
                Ok(tip) => {
                    bell.alarm(&opened.name, &complaint(&error));
                    return tip.height;
                }
                Err(error) => error.into(),
            },
            Err(error) => error,
        };
        bell.alarm(&opened.name, &complaint(&error));
        std::thread::sleep(Duration::from_secs(1));
        *node = reach(args, bell);
    }
}

/// All directories that are asked for.
fn directories(args: &WatchArgs) -> CliResult<Vec<PathBuf>> {
    let mut found = args.dirs.clone();
    if let Some(folder) = &args.contracts {
        let entries = std::fs::read_dir(folder).map_err(|error| CliError::file(folder, error))?;
        let mut inside: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.join("store.redb").exists())
            .collect();
        inside.sort();
        found.extend(inside);
    }
    Ok(found)
}

/// Tries until a node answers that is up to date.
fn reach(args: &WatchArgs, bell: &mut Bell<'_>) -> Node {
    let mut pause = Duration::from_secs(1);
    let mut said = String::new();
    loop {
        let node = args.node.connect();
        let ready = node.and_then(|node| {
            node.check_synced()?;
            Ok(node)
        });
        match ready {
            Ok(node) => return node,
            Err(error) => {
                let error = error.to_string();
                if error != said {
                    bell.alarm("", &error);
                    said = error;
                }
            }
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_BACKOFF);
    }
}

/// A directory and what is in it.
struct Opened {
    name: String,
    home: Home,
    store: Store,
    kept: Kept,
}

impl Opened {
    fn open(dir: &Path) -> CliResult<Self> {
        let home = Home::open(dir)?;
        let store = home.store()?;
        let kept = Kept::read(&home, &store)?;
        Ok(Self {
            name: dir.display().to_string(),
            home,
            store,
            kept,
        })
    }
}

/// A desk, and what was said of it last.
struct Watched<'a> {
    name: &'a str,
    desk: Desk<'a>,
    coins: Vec<OutPoint>,
    coins_known: bool,
    said: String,
    alarmed: String,
    is_final: bool,
}

impl Watched<'_> {
    fn take(&mut self, node: &mut Node, bell: &mut Bell<'_>, metrics: &mut Metrics) {
        if !self.coins_known {
            let found = self.desk.party_mut().find_coins(&*node, &self.coins);
            self.coins_known = found.is_ok();
        }
        let round = self.desk.round(node);
        let errors: Vec<String> = round.errors().map(complaint).collect();
        metrics.add(&round, self.desk.party().outbox().spent().to_sat());
        if let Ok(outlook) = &round.outlook {
            let phase = match round.unfunded {
                Some(Unfunded::Unconfirmed) => "in the mempool, not confirmed".to_owned(),
                _ => outlook.phase.to_string(),
            };
            let sent: Vec<String> = seat::sent(&round.deeds)
                .map(|sent| {
                    let again = if sent.is_bump { " paid better" } else { "" };
                    format!("{} {}{again}", sent.kind, sent.transaction.compute_txid())
                })
                .collect();
            let waits: Vec<String> = round.deeds.iter().filter_map(waiting).collect();
            if phase != self.said || !sent.is_empty() {
                self.said.clone_from(&phase);
                bell.say(self.name, outlook.tip, &phase, &sent, &waits);
            }
            if round.is_final {
                self.is_final = true;
                let after = format!("{phase}, {FINAL_BLOCKS} blocks ago: no longer watched");
                bell.say(self.name, outlook.tip, &after, &[], &[]);
            }
        }
        let errors = errors.join("; ");
        if errors.is_empty() {
            self.alarmed.clear();
        } else if errors != self.alarmed {
            bell.alarm(self.name, &errors);
            self.alarmed = errors;
        }
    }
}

/// Where a watch says what happens. Whoever stops watching loses contracts, whether anybody reads along or not.
struct Bell<'a> {
    command: Option<&'a str>,
    output: &'a Output,
}

impl Bell<'_> {
    fn say(&self, name: &str, height: Option<u32>, phase: &str, sent: &[String], waits: &[String]) {
        let line = if self.output.is_json() {
            let facts = json!({
                "dir": name, "height": height, "phase": phase, "sent": sent, "unconfirmed": waits,
            });
            format!("{facts}\n")
        } else {
            let sent: String = sent.iter().map(|sent| format!("; sent {sent}")).collect();
            let height = height.map_or_else(String::new, |height| height.to_string());
            format!("{height} {name}: {phase}{sent}\n")
        };
        if let Err(error) = write_out(&line) {
            comment(format!("tapcourt: {error}: {line}"));
        }
    }

    fn alarm(&mut self, name: &str, what: &str) {
        let whose = if name.is_empty() {
            String::new()
        } else {
            format!("{name}: ")
        };
        comment(format!("alarm: {whose}{what}"));
        let Some(command) = self.command else {
            return;
        };
        let child = Command::new("sh")
            .args(["-c", command])
            .env("TAPCOURT_DIR", name)
            .env("TAPCOURT_ALARM", what)
            .spawn();
        match child {
            // Nobody waits for it: a command that hangs must not stop the watch.
            Ok(mut child) => drop(std::thread::spawn(move || child.wait())),
            Err(error) => comment(format!("tapcourt: the command for alarms: {error}")),
        }
    }
}

/// Figures about one look at the chain.
#[derive(Default)]
struct Metrics {
    watched: usize,
    troubled: usize,
    settled: usize,
    height: u32,
    fees_sat: u64,
    least_blocks_left: Option<u32>,
    budget_spent: usize,
}

impl Metrics {
    fn add(&mut self, round: &Round, fees_sat: u64) {
        self.troubled += usize::from(round.failures > 0);
        self.fees_sat = self.fees_sat.saturating_add(fees_sat);
        let spent = round
            .errors()
            .filter(|error| matches!(error, PartyError::Budget { .. }));
        self.budget_spent += spent.count();
        let Ok(outlook) = &round.outlook else {
            return;
        };
        let tip = outlook.tip.unwrap_or_default();
        self.height = self.height.max(tip);
        self.settled += usize::from(matches!(outlook.phase, Phase::Settled { .. }));
        let left = outlook
            .duties
            .iter()
            .filter_map(|duty| duty.blocks_left(tip));
        self.least_blocks_left = left.chain(self.least_blocks_left).min();
    }

    /// The text format of Prometheus, version 0.0.4.
    fn text(&self) -> String {
        let mut text = String::new();
        let mut gauge = |name: &str, help: &str, value: u64| {
            text += &format!("# HELP tapcourt_{name} {help}\n# TYPE tapcourt_{name} gauge\n");
            text += &format!("tapcourt_{name} {value}\n");
        };
        let many = |count: usize| count as u64; // cast ok, usize is at most 64 bits
        gauge(
            "contracts",
            "Contracts that are watched.",
            many(self.watched),
        );
        gauge(
            "contracts_failing",
            "Contracts of which something failed at the last look.",
            many(self.troubled),
        );
        gauge(
            "contracts_settled",
            "Contracts that are over, and not yet deep enough to be left.",
            many(self.settled),
        );
        gauge(
            "duties_over_budget",
            "Duties that should pay more than may be spent.",
            many(self.budget_spent),
        );
        gauge("height", "Height of the last block.", self.height.into());
        gauge(
            "fees_sat",
            "Fees paid or offered for all contracts that are watched, in satoshi.",
            self.fees_sat,
        );
        if let Some(left) = self.least_blocks_left {
            gauge(
                "blocks_left",
                "Blocks until the next deadline.",
                left.into(),
            );
        }
        text
    }
}
