//! Two watching processes and a node: nobody types anything after the claim, and the honest party is paid.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tapcourt_chain::{ChainView, Regtest};

use crate::support::circuit;
use crate::two_parties::{Bank, Party, set_up};

/// A watching process, ended when it is dropped.
struct Watch {
    child: Child,
}

impl Watch {
    fn start(bank: &Bank, party: &Party, fee_coin: &str, root: &Path) -> Self {
        let log = root.join(format!("{}.log", name_of(party)));
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tapcourt"))
            .args(["watch", "--json", "--until-final", "--every", "1"])
            .args(["--dir", party.dir.to_str().unwrap()])
            .args(["--node", &bank.daemon.rpc_url()])
            .args(["--cookie", bank.daemon.params.cookie_file.to_str().unwrap()])
            .args(["--fee-coin", fee_coin])
            .args(["--metrics", metrics_file(root, party).to_str().unwrap()])
            .args([
                "--on-alarm",
                &format!(
                    "echo \"$TAPCOURT_ALARM\" >>{}",
                    root.join("alarms").display()
                ),
            ])
            .stdin(Stdio::null())
            .stdout(log)
            .spawn()
            .unwrap();
        Self { child }
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it ends by itself.
    fn ends(mut self) -> Option<i32> {
        let begun = Instant::now();
        while self.is_running() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not end");
            sleep(Duration::from_millis(100));
        }
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn metrics_file(root: &Path, party: &Party) -> PathBuf {
    root.join(format!("{}.metrics", name_of(party)))
}

/// Waits until a watcher has looked at this block, however busy the computer is.
fn wait_for_look(root: &Path, party: &Party, height: u32) {
    let begun = Instant::now();
    let seen = || {
        let text = fs::read_to_string(metrics_file(root, party)).ok()?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("tapcourt_height "))?;
        line.parse().ok()
    };
    while seen().unwrap_or(0) < height {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "it does not look"
        );
        sleep(Duration::from_millis(50));
    }
}

fn name_of(party: &Party) -> &str {
    party.dir.file_name().unwrap().to_str().unwrap()
}

/// Mines until both have said how it ended, and returns how often a watcher was killed.
fn play(bank: &mut Bank, parties: [&Party; 2], fee_coins: [&str; 2], root: &Path) -> usize {
    let start =
        |bank: &Bank, place: usize| Watch::start(bank, parties[place], fee_coins[place], root);
    let mut watches = [start(bank, 0), start(bank, 1)];
    let mut kills = 0;
    let over = |party: &Party| {
        let log = fs::read_to_string(root.join(format!("{}.log", name_of(party))));
        log.unwrap_or_default().contains("settled by")
    };
    for block in 0..60 {
        for (place, watch) in watches.iter_mut().enumerate() {
            assert!(watch.is_running(), "{place} has ended");
        }
        let height = bank.node.tip().unwrap().height;
        for party in parties {
            wait_for_look(root, party, height);
        }
        if block % 3 == 1 {
            let place = block / 3 % 2;
            watches[place] = start(bank, place); // the one before is killed
            kills += 1;
        }
        // A block more than the parties may expect, and one right after another.
        bank.node.mine(if block % 5 == 4 { 2 } else { 1 }).unwrap();
        if parties.iter().all(|party| over(party)) {
            break;
        }
    }
    assert!(parties.iter().all(|party| over(party)), "not settled");
    assert!(
        watches.iter_mut().all(Watch::is_running),
        "it may be undone yet"
    );
    bank.node.mine(100).unwrap();
    for watch in watches {
        assert_eq!(watch.ends(), Some(0));
    }
    kills
}

fn log(root: &Path, party: &Party) -> String {
    fs::read_to_string(root.join(format!("{}.log", name_of(party)))).unwrap()
}

#[test]
fn watchers_settle_a_false_claim_and_a_true_one_on_a_node() {
    let Some(mut bank) = Bank::open() else { return };
    let mut kills = 0;
    for (input, winner) in [("0x5,0x4", "disprove"), ("0x4,0x5", "payout")] {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let netlist = circuit("compare64.txt");
        let [prover, challenger] = ["alice", "bob"].map(|name| Party::new(root, name));
        let coins = [&prover, &challenger].map(|party| bank.pay(party, 1_000_000));
        let fees = [&prover, &challenger].map(|party| bank.pay(party, 5_000_000));
        let fee_coins = fees.each_ref().map(|coin| coin.rsplit_once(':').unwrap().0);
        set_up(
            &prover,
            &challenger,
            &netlist,
            [&coins[0], &coins[1]],
            &["--accept", "1"],
        );
        // Far enough back that nobody finds the contract by reading a few blocks.
        bank.fund(&prover);
        bank.node.mine(12).unwrap();
        let prove = [
            "prove",
            "--input",
            input,
            "--anyway",
            "--fee-coin",
            fee_coins[0],
        ];
        // Whether `compare64` says less or greater, one of the two inputs is a true claim.
        let claimed = bank.act(&prover, &prove, 0);
        assert_eq!(claimed["sent"].as_array().unwrap().len(), 1, "{claimed}");
        // The watchers begin after the kickoff.
        kills += play(&mut bank, [&prover, &challenger], fee_coins, root);
        let logs = [log(root, &prover), log(root, &challenger)];
        println!("{}\n{}", logs[0], logs[1]);
        for log in &logs {
            assert!(log.contains(&format!("settled by {winner}")), "{log}");
        }
        for party in [&prover, &challenger] {
            let metrics = fs::read_to_string(metrics_file(root, party)).unwrap();
            assert!(metrics.contains("tapcourt_contracts 0"), "{metrics}");
        }
        println!(
            "alarms: {}",
            fs::read_to_string(root.join("alarms")).unwrap_or_default()
        );
        assert!(bank.node.mempool().unwrap().is_empty());
    }
    println!("covered: 2 disputes watched on a node, {kills} watchers killed on a node");
}
