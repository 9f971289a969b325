//! Two directories, messages in files, a node: contracts as they are really made.

use std::fs;
use std::path::{Path, PathBuf};

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use bitcoin::taproot::ControlBlock;
use bitcoin::{Amount, ScriptBuf, Transaction};
use bitcoind::BitcoinD;
use serde_json::Value;
use tapcourt_chain::{ChainView, Credentials, Node, Regtest, Wallet};

use crate::leaves::{check_tree, rows};
use crate::riscv::hunted;
use crate::support::{Ran, bitcoind, circuit, elf, tapcourt};

/// A party: its directory, and where its coins are to be sent.
pub(crate) struct Party {
    pub(crate) dir: PathBuf,
    script: ScriptBuf,
}

impl Party {
    pub(crate) fn new(root: &Path, name: &str) -> Self {
        let dir = root.join(name);
        let arguments = ["setup", "key", "--dir", dir.to_str().unwrap(), "--json"];
        let facts = tapcourt(arguments).exits(0).json();
        assert_eq!(
            tapcourt(arguments).exits(0).json(),
            facts,
            "one seed a directory"
        );
        let script = facts["script_pubkey"].as_str().unwrap();
        Self {
            script: ScriptBuf::from_hex(script).unwrap(),
            dir,
        }
    }

    fn file(&self, name: &str) -> String {
        self.dir.join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, command: &[&str], arguments: &[&str]) -> Ran {
        let dir = self.dir.to_str().unwrap();
        let all = [command, &["--dir", dir, "--json"], arguments].concat();
        tapcourt(all)
    }

    fn proceed(&self, messages: &[String]) -> Ran {
        let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        self.run(&["setup", "continue"], &messages)
    }
}

/// A coin that does not exist: enough for a setup that is never funded.
fn coin(byte: char) -> String {
    format!("{}:0:1000000", byte.to_string().repeat(64))
}

fn offer(prover: &Party, netlist: &str, coin: &str, more: &[&str]) -> Ran {
    let arguments = [&[netlist, "--coin", coin], more].concat();
    prover.run(&["setup", "offer"], &arguments)
}

fn accept(challenger: &Party, netlist: &str, offer: &str, coin: &str, more: &[&str]) -> Ran {
    let arguments = [&[netlist, "--offer", offer, "--coin", coin], more].concat();
    challenger.run(&["setup", "accept"], &arguments)
}

/// Sets a contract up to the point where both have the other's funding witnesses.
pub(crate) fn set_up(
    prover: &Party,
    challenger: &Party,
    netlist: &str,
    coins: [&str; 2],
    more: &[&str],
) {
    let terms = [more, &["--delta", "5", "--expiry", "40"]].concat();
    offer(prover, netlist, coins[0], &terms).exits(0);
    let offered = prover.file("offer.tapcourt");
    accept(challenger, netlist, &offered, coins[1], more).exits(0);
    prover
        .proceed(&[challenger.file("acceptance.tapcourt")])
        .exits(0);
    challenger
        .proceed(&[prover.file("prover-answer.tapcourt")])
        .exits(0);
    let theirs = ["challenger-answer.tapcourt", "challenger-funding.tapcourt"];
    let done = prover
        .proceed(&theirs.map(|name| challenger.file(name)))
        .exits(0);
    assert!(done.json()["waits_for"].is_null());
    let done = challenger
        .proceed(&[prover.file("prover-funding.tapcourt")])
        .exits(0);
    assert!(done.json()["waits_for"].is_null());
}

#[test]
fn a_contract_is_set_up_by_messages_and_verifies() {
    let root = tempfile::tempdir().unwrap();
    let netlist = circuit("adder64.txt");
    let [prover, challenger] = ["alice", "bob"].map(|name| Party::new(root.path(), name));
    set_up(
        &prover,
        &challenger,
        &netlist,
        [&coin('a'), &coin('b')],
        &[],
    );
    let reports = [&prover, &challenger].map(|party| party.run(&["verify"], &[]).exits(0).json());
    assert_eq!(reports[0], reports[1]);
    assert_eq!(reports[0]["verified_up_to"], "signatures");

    let files = [
        ("--offer", prover.file("offer.tapcourt")),
        ("--acceptance", challenger.file("acceptance.tapcourt")),
        ("--prover-answer", prover.file("prover-answer.tapcourt")),
        (
            "--challenger-answer",
            challenger.file("challenger-answer.tapcourt"),
        ),
    ];
    let mut arguments = vec!["verify", &netlist, "--json"];
    for (name, file) in &files {
        arguments.extend([*name, file]);
    }
    assert_eq!(tapcourt(&arguments).exits(0).json(), reports[0]);
    // The contract's own leaves, presigned ones included, make its trees.
    let example = tapcourt(["inspect", "leaves", &netlist, "--json"]).exits(0);
    let listed =
        [&prover, &challenger].map(|party| party.run(&["inspect", "leaves"], &[]).exits(0).stdout);
    assert_eq!(listed[0], listed[1]);
    let listed = rows(&prover.run(&["inspect", "leaves"], &[]));
    let leaves = check_tree(&listed, "dispute");
    let example = rows(&example);
    assert_eq!(leaves, example.len() + 1, "one is presigned");
    assert_eq!(listed[leaves - 1]["checks"], "payout_disputed");
    for (own, example) in listed.iter().zip(&example) {
        assert_eq!(own["script_bytes"], example["script_bytes"]);
        assert_ne!(own["leaf_hash"], example["leaf_hash"], "other keys");
    }

    let other = circuit("compare64.txt");
    let mut about_another = arguments.clone();
    about_another[1] = &other;
    let refused = tapcourt(&about_another).exits(1).json();
    assert_eq!(refused["part"], "program");

    // A byte anywhere in any message makes it wrong, and the part is named.
    let parts = [
        &["offer"][..],
        &["acceptance"],
        &["answers", "prover's answer"],
        &["answers", "challenger's answer"],
    ];
    let mut refusals = 0;
    for ((_, file), parts) in files.iter().zip(parts) {
        let contents = fs::read(file).unwrap();
        for place in [0, 10, 20, contents.len() / 2, contents.len() - 1] {
            let mut mutated = contents.clone();
            mutated[place] ^= 1;
            fs::write(file, &mutated).unwrap();
            let refused = tapcourt(&arguments).exits(1).json();
            assert_eq!(refused["valid"], false);
            let part = refused["part"].as_str().unwrap();
            assert!(parts.contains(&part), "byte {place} of {file}: {refused}");
            refusals += 1;
        }
        fs::write(file, &contents).unwrap();
    }
    tapcourt(&arguments).exits(0);
    println!("covered: {refusals} mutated messages refused");

    for name in [
        "offer.tapcourt",
        "prover-answer.tapcourt",
        "prover-funding.tapcourt",
        "store.redb",
    ] {
        let facts = tapcourt(["inspect", &prover.file(name), "--json"])
            .exits(0)
            .json();
        assert!(facts["kind"].is_string(), "{facts}");
    }
}

/// Both trees of a contract about a trace, under its own keys, as soon as it is accepted.
#[test]
fn leaves_of_a_contract_about_a_trace_are_listed() {
    let root = tempfile::tempdir().unwrap();
    let program = elf("fibonacci.elf");
    let [prover, challenger] = ["alice", "bob"].map(|name| Party::new(root.path(), name));
    let search = ["--inputs", "2", "--max-steps", "2^9", "--arity", "8"];
    offer(&prover, &program, &coin('a'), &search).exits(0);
    prover.run(&["inspect", "leaves"], &[]).fails_in_one_line();
    let offered = prover.file("offer.tapcourt");
    accept(&challenger, &program, &offered, &coin('b'), &search).exits(0);
    let listed = rows(&challenger.run(&["inspect", "leaves"], &[]).exits(0));
    let [steps, paths] = ["dispute", "opening"].map(|stage| check_tree(&listed, stage));
    assert_eq!(steps + paths, listed.len());
    assert_eq!(listed[steps - 2]["checks"], "payout_disputed");
    assert_eq!(listed[steps - 1]["checks"], "open");
    assert_eq!(listed[listed.len() - 1]["checks"], "open_payout_disputed");
    println!("{steps} leaves for a step, {paths} for a path");
}

/// A prover can choose an input by which the stack of this program overwrites the limit that it
/// checks. So neither party puts money under it unless it says that it wants to.
#[test]
fn a_program_that_its_stack_overwrites_gets_no_money_but_on_request() {
    let root = tempfile::tempdir().unwrap();
    let program = hunted("stack-overflow");
    let [prover, challenger] = ["alice", "bob"].map(|name| Party::new(root.path(), name));
    let search = ["--inputs", "2", "--max-steps", "2^9", "--arity", "8"];
    let anyway = [&search[..], &["--anyway"]].concat();
    let offered = prover.file("offer.tapcourt");
    let expected = format!(
        "{program}: the stack begins at 0x00022640 and grows towards the program's bytes from \
         0x00012240 to 0x00012640: one that needs more than 65536 bytes overwrites them without \
         notice. Put the stack below the program, where it ends in a stop at address 0, as \
         tapcourt.h and entry! do. With --anyway the contract is about this file nevertheless"
    );
    let refused = offer(&prover, &program, &coin('a'), &search);
    assert_eq!(refused.fails_in_one_line(), expected);
    assert!(!Path::new(&offered).exists() && !prover.dir.join("store.redb").exists());
    offer(&prover, &program, &coin('a'), &anyway).exits(0);

    let refused = accept(&challenger, &program, &offered, &coin('b'), &search);
    assert_eq!(refused.fails_in_one_line(), expected);
    assert!(!challenger.dir.join("store.redb").exists());
    accept(&challenger, &program, &offered, &coin('b'), &anyway).exits(0);
    // What was decided once is not asked for again.
    prover
        .proceed(&[challenger.file("acceptance.tapcourt")])
        .exits(0);
}

#[test]
fn steps_of_a_setup_can_be_repeated() {
    let root = tempfile::tempdir().unwrap();
    let netlist = circuit("adder64.txt");
    let [prover, challenger] = ["alice", "bob"].map(|name| Party::new(root.path(), name));
    let offered = |party: &Party| fs::read(party.file("offer.tapcourt")).unwrap();
    offer(&prover, &netlist, &coin('a'), &[]).exits(0);
    let first = offered(&prover);
    fs::remove_file(prover.file("offer.tapcourt")).unwrap();
    offer(&prover, &netlist, &coin('a'), &[]).exits(0);
    assert_eq!(offered(&prover), first, "the same offer again");
    offer(&prover, &netlist, &coin('c'), &[]).fails_in_one_line();
    assert_eq!(offered(&prover), first, "another offer changes nothing");

    accept(
        &challenger,
        &netlist,
        &prover.file("offer.tapcourt"),
        &coin('b'),
        &[],
    )
    .exits(0);
    let acceptance = challenger.file("acceptance.tapcourt");
    let accepted = fs::read(&acceptance).unwrap();
    accept(
        &challenger,
        &netlist,
        &prover.file("offer.tapcourt"),
        &coin('b'),
        &[],
    )
    .exits(0);
    assert_eq!(fs::read(&acceptance).unwrap(), accepted);

    let answer = prover.file("prover-answer.tapcourt");
    prover.proceed(std::slice::from_ref(&acceptance)).exits(0);
    let answered = fs::read(&answer).unwrap();
    prover.proceed(&[acceptance]).exits(0);
    prover.proceed(&[]).exits(0);
    assert_eq!(fs::read(&answer).unwrap(), answered);
}

#[test]
fn messages_that_do_not_belong_are_refused_and_nothing_is_lost() {
    let root = tempfile::tempdir().unwrap();
    let netlist = circuit("adder64.txt");
    let parties = ["alice", "bob", "carol", "dave"].map(|name| Party::new(root.path(), name));
    let [alice, bob, carol, dave] = &parties;
    offer(alice, &netlist, &coin('a'), &[]).exits(0);
    offer(carol, &netlist, &coin('c'), &[]).exits(0);
    accept(
        bob,
        &netlist,
        &alice.file("offer.tapcourt"),
        &coin('b'),
        &[],
    )
    .exits(0);
    accept(
        dave,
        &netlist,
        &carol.file("offer.tapcourt"),
        &coin('d'),
        &[],
    )
    .exits(0);
    let store = fs::read(alice.file("store.redb")).unwrap();
    let foreign = alice
        .proceed(&[dave.file("acceptance.tapcourt")])
        .fails_in_one_line();
    println!("{foreign}");
    let cut = root.path().join("cut");
    let acceptance = fs::read(bob.file("acceptance.tapcourt")).unwrap();
    for length in [0, 5, 10, 11, 43, 80, acceptance.len() - 1] {
        fs::write(&cut, &acceptance[..length]).unwrap();
        alice
            .proceed(&[cut.to_str().unwrap().to_owned()])
            .fails_in_one_line();
    }
    alice
        .proceed(std::slice::from_ref(&netlist))
        .fails_in_one_line();
    alice.proceed(&[bob.file("seed")]).fails_in_one_line();
    bob.proceed(&[carol.file("offer.tapcourt")])
        .fails_in_one_line();
    assert!(!Path::new(&alice.file("prover-answer.tapcourt")).exists());
    accept(
        bob,
        &netlist,
        &carol.file("offer.tapcourt"),
        &coin('b'),
        &[],
    )
    .fails_in_one_line();
    accept(
        bob,
        &circuit("compare64.txt"),
        &alice.file("offer.tapcourt"),
        &coin('b'),
        &[],
    )
    .fails_in_one_line();

    // An unfinished contract cannot be played, a poor party cannot make one.
    let node = ["--node", "http://127.0.0.1:1", "--cookie", "/none"];
    alice.run(&["respond"], &node).fails_in_one_line();
    let poor = Party::new(root.path(), "poor");
    offer(&poor, &netlist, &format!("{}:0:1000", "e".repeat(64)), &[]).fails_in_one_line();
    assert!(
        !Path::new(&poor.file("store.redb")).exists(),
        "nothing is written"
    );
    let nobody = Party {
        dir: root.path().join("nobody"),
        script: ScriptBuf::new(),
    };
    offer(&nobody, &netlist, &coin('f'), &[]).fails_in_one_line();
    assert!(!nobody.dir.exists(), "nothing is written");

    // The right message is still taken after all that.
    alice.proceed(&[bob.file("acceptance.tapcourt")]).exits(0);
    assert_ne!(fs::read(alice.file("store.redb")).unwrap(), store);

    // A corrupt store, or a lost seed, is refused as it is.
    let mut corrupt = fs::read(alice.file("store.redb")).unwrap();
    let middle = corrupt.len() / 2;
    corrupt.truncate(middle);
    fs::write(alice.file("store.redb"), &corrupt).unwrap();
    println!("{}", alice.proceed(&[]).fails_in_one_line());
    assert_eq!(fs::read(alice.file("store.redb")).unwrap(), corrupt);
    fs::remove_file(bob.file("seed")).unwrap();
    bob.proceed(&[]).fails_in_one_line();
    bob.run(&["setup", "key"], &[]).fails_in_one_line();
}

/// A daemon, and coins for both parties.
pub(crate) struct Bank {
    pub(crate) daemon: BitcoinD,
    pub(crate) node: Node,
    wallet: Wallet,
}

impl Bank {
    /// `None` without a daemon.
    pub(crate) fn open() -> Option<Self> {
        let Some(executable) = bitcoind() else {
            println!("skipped: there is no bitcoind; scripts/bitcoind builds one");
            return None;
        };
        let mut conf = bitcoind::Conf::default();
        conf.args = vec!["-regtest", "-acceptnonstdtxn=0"];
        conf.wallet = None;
        let daemon = BitcoinD::with_conf(executable, &conf).unwrap();
        let cookie = Credentials::Cookie(daemon.params.cookie_file.clone());
        let mut node = Node::connect(&daemon.rpc_url(), &cookie).unwrap();
        let mut wallet = Wallet::new(&SecretKey::from_slice(&[9; 32]).unwrap());
        wallet.mine_coins(&mut node, 1).unwrap();
        Some(Self {
            daemon,
            node,
            wallet,
        })
    }

    /// Gives a party a coin that is worth so much.
    pub(crate) fn pay(&mut self, party: &Party, sat: u64) -> String {
        let value = Amount::from_sat(sat);
        let (outpoint, _) = self
            .wallet
            .fund(&mut self.node, &party.script, value)
            .unwrap();
        format!("{outpoint}:{sat}")
    }

    /// Lets a party do something on the node, and mines a block.
    pub(crate) fn act(&mut self, party: &Party, command: &[&str], code: i32) -> Value {
        let url = self.daemon.rpc_url();
        let cookie = self.daemon.params.cookie_file.to_str().unwrap();
        let node = ["--node", &url, "--cookie", cookie];
        let arguments = [&node, &command[1..]].concat();
        let facts = party.run(&command[..1], &arguments).exits(code).json();
        println!("{command:?}: {facts}");
        self.node.mine(1).unwrap();
        facts
    }

    pub(crate) fn fund(&mut self, party: &Party) -> String {
        let url = self.daemon.rpc_url();
        let cookie = self.daemon.params.cookie_file.to_str().unwrap();
        let arguments = ["--node", &url, "--cookie", cookie];
        let facts = party.run(&["setup", "fund"], &arguments).exits(0).json();
        self.node.mine(1).unwrap();
        facts["hex"].as_str().unwrap().to_owned()
    }
}

/// The transactions that a command has sent, by name, and in hexadecimal.
fn sent(bank: &Bank, facts: &Value) -> (Vec<String>, Vec<String>) {
    let sent = facts["sent"].as_array().unwrap().iter();
    sent.map(|entry| {
        let (name, txid) = entry.as_str().unwrap().rsplit_once(' ').unwrap();
        let transaction = bank.node.transaction(txid.parse().unwrap()).unwrap();
        (name.to_owned(), serialize_hex(&transaction.unwrap()))
    })
    .unzip()
}

#[test]
fn two_parties_play_a_true_claim_on_a_node() {
    let Some(mut bank) = Bank::open() else { return };
    let root = tempfile::tempdir().unwrap();
    let netlist = circuit("adder64.txt");
    let [prover, challenger] = ["alice", "bob"].map(|name| Party::new(root.path(), name));
    let coins = [
        bank.pay(&prover, 1_000_000),
        bank.pay(&challenger, 1_000_000),
    ];
    set_up(&prover, &challenger, &netlist, [&coins[0], &coins[1]], &[]);
    let prove = ["prove", "--input", "0x5,0x7"];
    let url = bank.daemon.rpc_url();
    let cookie = bank.daemon.params.cookie_file.to_str().unwrap().to_owned();
    let early = [&["--node", &url, "--cookie", &cookie], &prove[1..]].concat();
    prover.run(&["prove"], &early).fails_in_one_line();
    bank.fund(&prover);
    bank.fund(&challenger); // again, by the other party: no harm

    let claimed = bank.act(&prover, &prove, 0);
    assert_eq!(sent(&bank, &claimed).0, ["kickoff"]);
    let other = [&["--node", &url, "--cookie", &cookie, "--input", "0x5,0x8"][..]].concat();
    prover.run(&["prove"], &other).exits(0); // too late to claim anything else: nothing is sent
    let judged = bank.act(&challenger, &["challenge"], 0);
    assert_eq!(judged["claim_is_true"], true);
    assert_eq!(judged["sent"], serde_json::json!([]));
    let waiting = bank.act(&prover, &["respond"], 0);
    assert_eq!(waiting["sent"], serde_json::json!([]));
    bank.node.mine(5).unwrap();
    let paid = bank.act(&prover, &["respond"], 0);
    assert_eq!(sent(&bank, &paid).0, ["payout"]);
    for party in [&prover, &challenger] {
        let over = bank.act(party, &["respond"], 0);
        assert!(
            over["phase"]
                .as_str()
                .unwrap()
                .starts_with("settled by payout")
        );
    }
    let role = [&["--node", &url, "--cookie", &cookie], &prove[1..]].concat();
    challenger.run(&["prove"], &role).fails_in_one_line();
}

/// A netlist without input wires: its claim publishes the output alone.
#[test]
fn two_parties_play_a_claim_without_input_on_a_node() {
    let Some(mut bank) = Bank::open() else { return };
    let root = tempfile::tempdir().unwrap();
    let netlist = root.path().join("no-inputs.txt");
    fs::write(&netlist, "1 1\n0\n1 1\n\n1 1 1 0 EQ\n").unwrap();
    let netlist = netlist.to_str().unwrap();
    let [prover, challenger] = ["alice", "bob"].map(|name| Party::new(root.path(), name));
    let coins = [
        bank.pay(&prover, 1_000_000),
        bank.pay(&challenger, 1_000_000),
    ];
    set_up(&prover, &challenger, netlist, [&coins[0], &coins[1]], &[]);
    bank.fund(&prover);
    let claimed = bank.act(&prover, &["prove", "--input", ""], 0);
    assert_eq!(sent(&bank, &claimed).0, ["kickoff"]);
    let judged = bank.act(&challenger, &["challenge"], 0);
    assert_eq!(judged["claim_is_true"], true);
    bank.node.mine(5).unwrap();
    let paid = bank.act(&prover, &["respond"], 0);
    assert_eq!(sent(&bank, &paid).0, ["payout"]);
}

#[test]
fn two_parties_play_a_false_claim_on_a_node() {
    let Some(mut bank) = Bank::open() else { return };
    let root = tempfile::tempdir().unwrap();
    let netlist = circuit("compare64.txt");
    let [prover, challenger] = ["alice", "bob"].map(|name| Party::new(root.path(), name));
    let coins = [
        bank.pay(&prover, 1_000_000),
        bank.pay(&challenger, 1_000_000),
    ];
    let accept = ["--accept", "0"];
    set_up(
        &prover,
        &challenger,
        &netlist,
        [&coins[0], &coins[1]],
        &accept,
    );
    let mut transcript = vec![bank.fund(&challenger)];
    let refused = bank.act(&prover, &["prove", "--input", "0x5,0x7"], 1);
    assert_eq!(refused["accepted"], false);
    let steps: [(&Party, &[&str], i32, &str); 4] = [
        (
            &prover,
            &["prove", "--input", "0x5,0x7", "--anyway"],
            0,
            "kickoff",
        ),
        (&challenger, &["challenge"], 1, "challenge"),
        (&prover, &["respond"], 0, "assert_1"),
        (&challenger, &["respond"], 1, "disprove"),
    ];
    for (party, command, code, name) in steps {
        let facts = bank.act(party, command, code);
        let (names, hexes) = sent(&bank, &facts);
        assert_eq!(names, [name]);
        transcript.extend(hexes);
    }
    let over = bank.act(&prover, &["respond"], 0);
    assert!(
        over["phase"]
            .as_str()
            .unwrap()
            .starts_with("settled by disprove")
    );

    // The tree of the listed leaves is that of the output which is spent.
    let transactions: Vec<Transaction> = transcript
        .iter()
        .map(|hex| deserialize_hex(hex).unwrap())
        .collect();
    let disprove = &transactions[4].input[0];
    let spent = disprove.previous_output;
    let parent = transactions
        .iter()
        .find(|one| one.compute_txid() == spent.txid);
    let output = &parent.unwrap().output[spent.vout as usize];
    let items = disprove.witness.to_vec();
    let control_block = ControlBlock::decode(&items[items.len() - 1]).unwrap();
    let listed = rows(&prover.run(&["inspect", "leaves"], &[]).exits(0));
    check_tree(&listed, "dispute");
    let merkle_root = listed[0]["taptree_root"].as_str().unwrap().parse().unwrap();
    let secp = Secp256k1::verification_only();
    let script = ScriptBuf::new_p2tr(&secp, control_block.internal_key, Some(merkle_root));
    assert_eq!(output.script_pubkey, script);
    let script = ScriptBuf::from_bytes(items[items.len() - 2].clone()).to_hex_string();
    assert!(listed.iter().any(|row| row["script"] == script));

    // What the party has seen is the same transcript.
    let seen = prover.dir.to_str().unwrap();
    let seen = tapcourt(["inspect", "transcript", "--dir", seen]).exits(0);
    let lines: Vec<&str> = seen.stdout.lines().collect();
    assert_eq!(lines, transcript);

    let file = root.path().join("transcript");
    fs::write(&file, &seen.stdout).unwrap();
    let judged = prover.run(&["verify"], &["--transcript", file.to_str().unwrap()]);
    let judged = judged.exits(0).json();
    assert_eq!(judged["winner"], "challenger");
    assert_eq!(judged["passed_over"], serde_json::json!([]));
    transcript.remove(1);
    fs::write(&file, transcript.join("\n")).unwrap();
    let cut = prover.run(&["verify"], &["--transcript", file.to_str().unwrap()]);
    assert_eq!(cut.exits(1).json()["part"], "transcript");
}

/// A dispute over a trace of 2^9 steps, each command in a process of its own, up to a leaf.
#[test]
fn two_parties_search_a_false_step_on_a_node() {
    let Some(mut bank) = Bank::open() else { return };
    let root = tempfile::tempdir().unwrap();
    let program = elf("fibonacci.elf");
    let [prover, challenger] = ["alice", "bob"].map(|name| Party::new(root.path(), name));
    let coins = [
        bank.pay(&prover, 2_000_000),
        bank.pay(&challenger, 2_000_000),
    ];
    let search = ["--inputs", "2", "--max-steps", "2^9", "--arity", "8,8,8"];
    set_up(
        &prover,
        &challenger,
        &program,
        [&coins[0], &coins[1]],
        &search,
    );
    // Whoever has another search in mind has another contract.
    let other = ["--inputs", "2", "--max-steps", "2^9", "--arity", "2"];
    let [carol] = ["carol"].map(|name| Party::new(root.path(), name));
    let offered = prover.file("offer.tapcourt");
    accept(&carol, &program, &offered, &coin('c'), &other).fails_in_one_line();

    let mut transcript = vec![bank.fund(&challenger)];
    let refused = bank.act(&prover, &["prove", "--input", "47,1"], 1);
    assert_eq!(refused["accepted"], false);
    let steps: [(&Party, &[&str], i32, &str); 10] = [
        (
            &prover,
            &["prove", "--input", "47,1", "--anyway"],
            0,
            "kickoff",
        ),
        (&challenger, &["challenge"], 1, "challenge"),
        (&prover, &["respond"], 0, "assert_1"),
        (&challenger, &["respond"], 0, "select_1"),
        (&prover, &["respond"], 0, "assert_2"),
        (&challenger, &["respond"], 0, "select_2"),
        (&prover, &["respond"], 0, "assert_3"),
        (&challenger, &["respond"], 0, "select_3"),
        (&prover, &["respond"], 0, "assert_4"),
        (&challenger, &["respond"], 1, "disprove"),
    ];
    for (party, command, code, name) in steps {
        let facts = bank.act(party, command, code);
        let (names, hexes) = sent(&bank, &facts);
        assert_eq!(names, [name]);
        transcript.extend(hexes);
    }
    let over = bank.act(&prover, &["respond"], 0);
    let phase = over["phase"].as_str().unwrap();
    assert!(phase.starts_with("settled by disprove"), "{phase}");

    let file = root.path().join("transcript");
    fs::write(&file, transcript.join("\n")).unwrap();
    // One move by itself.
    let last = transcript.last().unwrap();
    let checked = challenger.run(&["verify"], &["--transaction", last]);
    let checked = checked.exits(0).json();
    assert_eq!(checked["transaction"], "disprove");
    assert_eq!(checked["fired"], "accept");
    let mut changed = last.clone();
    changed.replace_range(100..102, "00");
    let refused = challenger.run(&["verify"], &["--transaction", &changed]);
    assert_eq!(refused.exits(1).json()["part"], "transaction");

    let judged = challenger.run(&["verify"], &["--transcript", file.to_str().unwrap()]);
    let judged = judged.exits(0).json();
    assert_eq!(judged["winner"], "challenger");
    println!("{judged}");
}
