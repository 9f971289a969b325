//! Parties against the mempool: what pays for their moves is replaced, removed and overtaken, fees jump, and the honest party
//! still confirms every move in time. Each attack is played on the embedded chain and on a node under default policy.

use bitcoin::secp256k1::SecretKey;
use bitcoin::{Amount, FeeRate, OutPoint, Transaction, Txid};
use tapcourt_chain::{Chain, Wallet};
use tapcourt_party::{FeePolicy, Sent};
use tapcourt_program::circuit::Circuit;
use tapcourt_protocol::{Role, Stage, TransactionKind as Kind};
use tapcourt_prover::Values;
use tapcourt_tests::chains::{embedded, node};
use tapcourt_tests::dispute::{Conduct, Meddler, Outcome, Parties, Table, circuit as circuit_of};
use tapcourt_tests::netlists::own;
use tapcourt_verifier::Program;

/// The transactions that a miner takes who wants a feerate: parents together with the child that pays for them.
fn market(chain: &dyn Chain, floor: FeeRate) -> Vec<Transaction> {
    let mempool = chain.mempool().expect("the chain answers");
    let transaction = |txid: Txid| {
        let transaction = chain.transaction(txid).expect("the chain answers");
        transaction.expect("it is in the mempool")
    };
    let entry = |txid: Txid| {
        let entry = chain.mempool_entry(txid).expect("the chain answers");
        entry.expect("it is in the mempool")
    };
    let mut block: Vec<Transaction> = Vec::new();
    for &txid in &mempool {
        let own = transaction(txid);
        if block.contains(&own) {
            continue;
        }
        let children = mempool.iter().map(|child| transaction(*child));
        let child = children
            .filter(|child| {
                child
                    .input
                    .iter()
                    .any(|input| input.previous_output.txid == txid)
            })
            .max_by_key(|child| entry(child.compute_txid()).fee);
        let parents_are_in = own.input.iter().all(|input| {
            let parent = input.previous_output.txid;
            !mempool.contains(&parent) || block.iter().any(|tx| tx.compute_txid() == parent)
        });
        let (mut fee, mut vsize_vb) = (entry(txid).fee, entry(txid).vsize_vb);
        if let Some(child) = &child {
            fee += entry(child.compute_txid()).fee;
            vsize_vb += entry(child.compute_txid()).vsize_vb;
        }
        if parents_are_in && fee >= floor.fee_vb(vsize_vb).expect("a small feerate") {
            block.push(own);
            block.extend(child);
        }
    }
    block
}

fn feerate(sat_per_vb: u32) -> FeeRate {
    FeeRate::from_sat_per_vb_u32(sat_per_vb)
}

/// Somebody with coins of their own.
fn attacker(chain: &mut dyn Chain) -> Wallet {
    let key = SecretKey::from_slice(&[0x66; 32]).expect("a small number is a secret key");
    let mut wallet = Wallet::new(&key);
    wallet.mine_coins(chain, 8).expect("a regtest mines");
    wallet
}

/// Finds the unconfirmed spender of an output.
fn spender(chain: &dyn Chain, outpoint: OutPoint) -> Option<Transaction> {
    let spend = chain.spender(outpoint).expect("the chain answers")?;
    spend.height.is_none().then_some(spend.transaction)
}

/// Takes the child of every move out of the mempool, in so many blocks: replaces it by a dearer one, and that by a payment to
/// itself. The move stays there and pays nothing.
struct Cycler {
    wallet: Wallet,
    floor: FeeRate,
    blocks: u32,
    cycles: usize,
    bumps: usize,
    /// The move that is attacked now, and for how long it has been.
    victim: Option<(Txid, u32)>,
}

impl Meddler for Cycler {
    fn before_block(&mut self, chain: &mut dyn Chain, sent: &[Sent]) -> Option<Vec<Transaction>> {
        for sent in sent {
            self.bumps += usize::from(sent.is_bump);
            let (parent, Some(child)) = (&sent.transaction, &sent.child) else {
                continue;
            };
            let txid = parent.compute_txid();
            let waited = match self.victim {
                Some((victim, waited)) if victim == txid => waited,
                _ => 0,
            };
            self.victim = Some((txid, waited + 1));
            if waited >= self.blocks {
                continue;
            }
            let entry = chain
                .mempool_entry(child.compute_txid())
                .expect("the chain answers");
            let entry = entry.expect("it was just sent");
            let dearer = self
                .wallet
                .pay_for_again(
                    &*chain,
                    parent,
                    Amount::ZERO,
                    FeeRate::ZERO,
                    Some((child, entry)),
                )
                .expect("there are coins");
            chain.submit(&dearer).expect("it outbids");
            let coin = dearer
                .input
                .last()
                .expect("it spends a coin")
                .previous_output;
            self.wallet.release(&dearer);
            let paid = chain
                .mempool_entry(dearer.compute_txid())
                .expect("the chain answers");
            let paid = paid.expect("it was just sent");
            let away = self.double_spend(chain, coin, paid.fee);
            chain.submit(&away).expect("it outbids, too");
            let anchor = dearer.input[0].previous_output;
            assert_eq!(anchor.txid, txid);
            assert!(
                spender(chain, anchor).is_none(),
                "nothing pays for the move"
            );
            assert!(
                chain
                    .transaction(txid)
                    .expect("the chain answers")
                    .is_some()
            );
            self.cycles += 1;
        }
        Some(market(chain, self.floor))
    }
}

impl Cycler {
    /// Pays a coin to its owner, for more than this fee.
    fn double_spend(&mut self, chain: &dyn Chain, coin: OutPoint, fee: Amount) -> Transaction {
        let parent = chain.transaction(coin.txid).expect("the chain answers");
        let parent = parent.expect("the coin exists");
        let prevout = parent.output[coin.vout as usize].clone();
        let mut transaction = Transaction {
            version: bitcoin::transaction::Version::TWO,
            lock_time: bitcoin::absolute::LockTime::ZERO,
            input: vec![bitcoin::TxIn {
                previous_output: coin,
                sequence: bitcoin::Sequence::ENABLE_RBF_NO_LOCKTIME,
                ..bitcoin::TxIn::default()
            }],
            output: vec![bitcoin::TxOut {
                value: prevout.value - fee - Amount::from_sat(1_000),
                script_pubkey: self.wallet.script_pubkey(),
            }],
        };
        self.wallet
            .sign(&mut transaction, &[prevout])
            .expect("the coin is known");
        self.wallet.receive(&transaction);
        transaction
    }
}

/// Miners who want more from a height on than the parties begin with.
struct Jump {
    floor: FeeRate,
    has_begun: bool,
    bumps: usize,
    policy: FeePolicy,
}

impl Meddler for Jump {
    fn before_block(&mut self, chain: &mut dyn Chain, sent: &[Sent]) -> Option<Vec<Transaction>> {
        self.bumps += sent.iter().filter(|sent| sent.is_bump).count();
        // The contract itself pays what was agreed on.
        let floor = match std::mem::replace(&mut self.has_begun, true) {
            true => self.floor,
            false => FeeRate::ZERO,
        };
        Some(market(chain, floor))
    }

    fn policy(&self) -> FeePolicy {
        self.policy
    }
}

struct Case {
    program: Program,
    claim: Values,
}

fn case() -> Case {
    let circuit: Circuit = own("adder64.txt").circuit;
    let compiled = tapcourt_compiler::circuit::Compiled::new(&circuit, &Default::default());
    let program = Program::circuit(compiled.expect("it compiles")).expect("it has a layout");
    let input = vec![true; circuit.input_bits()];
    let values = circuit_of(&program)
        .values(&input)
        .expect("every bit is given");
    Case {
        claim: values.into_iter().enumerate().collect(),
        program,
    }
}

/// A challenged claim, true or with a lie.
fn play(table: &mut Table, case: &Case, lies: bool, meddler: &mut dyn Meddler) -> Outcome {
    let mut claim = case.claim.clone();
    if lies {
        let last = claim.len() - 1;
        claim.get_mut(&last).expect("there are groups")[0] ^= true;
    }
    let conduct = Conduct {
        claim: Some(claim),
        challenge_anyway: true,
        ..Conduct::default()
    };
    let parties = Parties::honest(circuit_of(&case.program));
    let outcome = table.play_against(&case.program, parties, &conduct, meddler);
    let winner = if lies { Role::Challenger } else { Role::Prover };
    assert_eq!(outcome.report.winner, Some(winner), "{}", outcome.report);
    let expected = if lies {
        Kind::Disprove(Stage::Dispute)
    } else {
        Kind::PayoutDisputed(Stage::Dispute)
    };
    assert_eq!(outcome.report.settled_by, Some(expected));
    outcome
}

fn cycle(mut chain: Box<dyn Chain>) {
    let name = chain.name();
    let case = case();
    let mut meddler = Cycler {
        wallet: attacker(chain.as_mut()),
        floor: feerate(1),
        blocks: 3,
        cycles: 0,
        bumps: 0,
        victim: None,
    };
    let mut table = Table::new(chain);
    for lies in [false, true] {
        play(&mut table, &case, lies, &mut meddler);
    }
    assert!(meddler.cycles >= 12, "{} cycles", meddler.cycles);
    assert!(meddler.bumps >= meddler.cycles, "{} bumps", meddler.bumps);
    let place = if name == "bitcoind" { " on a node" } else { "" };
    println!("covered: {} children cycled out{place}", meddler.cycles);
}

#[test]
fn moves_whose_children_are_cycled_out_confirm() {
    cycle(embedded());
}

#[test]
fn moves_whose_children_are_cycled_out_confirm_on_a_node() {
    if let Some(chain) = node() {
        cycle(chain);
    }
}

fn jump(chain: Box<dyn Chain>) {
    let name = chain.name();
    let case = case();
    let mut table = Table::new(chain);
    let mut bumps = 0;
    for floor in [5, 40, 100] {
        for lies in [false, true] {
            let mut meddler = Jump {
                floor: feerate(floor),
                has_begun: false,
                bumps: 0,
                policy: FeePolicy {
                    start: feerate(1),
                    budget: Some(Amount::from_sat(10_000_000)),
                },
            };
            play(&mut table, &case, lies, &mut meddler);
            assert!(meddler.bumps > 0, "{floor} sat/vB without a bump");
            bumps += meddler.bumps;
        }
    }
    let place = if name == "bitcoind" { " on a node" } else { "" };
    println!("covered: {bumps} packages paid better{place}");
}

#[test]
fn moves_confirm_when_fees_jump() {
    jump(embedded());
}

#[test]
fn moves_confirm_when_fees_jump_on_a_node() {
    if let Some(chain) = node() {
        jump(chain);
    }
}
