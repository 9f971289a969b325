//! Mutated transcripts.

use std::collections::BTreeMap;

use bitcoin::{Amount, Transaction, Witness};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha20Rng;
use tapcourt_commitment::{KeyPath, Opening, SecretKey, Seed};
use tapcourt_compiler::riscv::PathAccess;
use tapcourt_program::riscv::Execution;
use tapcourt_protocol::{Stage, TransactionKind as Kind};
use tapcourt_verifier::{Contract, TransactionFault, TranscriptFault};

use super::Tally;
use super::transactions::{BODY, WITNESS};
use crate::circuits::list;
use crate::machine::{INPUT, SUM};
use crate::parties::{Parties, Values, flip};
use crate::said::{up_to_sibling, up_to_step_of, values};

/// How many mutations of each kind.
pub(super) struct Counts {
    /// Changed witnesses, by change.
    witness: usize,
    /// Other changes of a transaction, by change.
    body: usize,
    /// Openings under other keys.
    keys: usize,
    /// Disproves made wrongly, by way.
    disproves: usize,
    /// Lists of transactions, by change.
    lists: usize,
}

impl Counts {
    pub(super) const fn total(&self) -> usize {
        let changes = self.witness * WITNESS.len() + self.body * BODY.len();
        changes + self.keys + 3 * self.disproves + 5 * self.lists
    }
}

pub(super) const CIRCUIT: Counts = Counts {
    witness: 120,
    body: 100,
    keys: 60,
    disproves: 60,
    lists: 60,
};
pub(super) const TRACE: Counts = Counts {
    witness: 40,
    body: 60,
    keys: 40,
    disproves: 20,
    lists: 30,
};

/// A contract, and a dispute about it that ends with a disprove.
struct Scene<'a> {
    parties: &'a Parties,
    contract: Contract<'a>,
    values: Values,
    moves: Vec<Transaction>,
    /// The contract's other transactions, finished.
    others: Vec<Transaction>,
    /// A transcript of another contract.
    foreign: Vec<Transaction>,
    /// The leaf that disproves, and after which stage.
    leaf: (Stage, usize),
    /// All leaves that disprove.
    spendable: Vec<(Stage, usize)>,
}

impl<'a> Scene<'a> {
    fn new(
        parties: &'a Parties,
        values: Values,
        mut moves: Vec<Transaction>,
        leaf: (Stage, usize),
        foreign: Vec<Transaction>,
    ) -> Self {
        moves.push(parties.disprove(leaf.0, leaf.1, &values).unwrap());
        let contract = parties.program.verify_setup(&parties.messages()).unwrap();
        let others = contract.graph().presigned().iter();
        let others = others
            .map(|presigned| parties.finish(presigned.kind, &values))
            .filter(|other| !moves.contains(other))
            .collect();
        let report = contract.verify_transcript(&moves).unwrap();
        assert!(report.is_just() && report.winner.is_some());
        Self {
            parties,
            contract,
            values,
            moves,
            others,
            foreign,
            leaf,
            spendable: report.spendable,
        }
    }

    fn outcome(fault: &TranscriptFault) -> String {
        match fault {
            TranscriptFault::Transaction { fault, .. } => Self::rule(fault),
            TranscriptFault::Spends { .. } => "spends",
            TranscriptFault::Twice { .. } => "twice",
            _ => panic!("a rule that is not counted: {fault}"),
        }
        .to_owned()
    }

    fn rule(fault: &TransactionFault) -> &'static str {
        match fault {
            TransactionFault::Foreign { .. } => "foreign",
            TransactionFault::OtherInputs { .. } => "other inputs",
            TransactionFault::Outputs { .. } => "outputs",
            TransactionFault::Witness { .. } => "witness",
            TransactionFault::Openings(_) => "openings",
            TransactionFault::NoLeaf => "no leaf",
            _ => panic!("a rule that is not counted: {fault}"),
        }
    }

    /// Any transaction that the contract may see, and another version of it.
    fn changed(
        &self,
        rng: &mut ChaCha20Rng,
        change: super::transactions::Change,
    ) -> (Transaction, Transaction) {
        let all = [self.moves.clone(), self.others.clone()].concat();
        loop {
            let original = all.choose(rng).unwrap().clone();
            let mut changed = original.clone();
            change(rng, &mut changed, &all);
            if changed != original {
                return (original, changed);
            }
        }
    }

    /// Which rule refuses a transaction.
    fn refused(&self, transaction: &Transaction) -> String {
        let fault = self.contract.verify_transaction(transaction).unwrap_err();
        Self::rule(&fault).to_owned()
    }

    /// The openings of all values by keys from another seed.
    fn wrong_openings(&self, seed: u8) -> BTreeMap<usize, Opening> {
        let open = |(&number, value): (&usize, &Vec<bool>)| {
            let group = &self.parties.program.groups()[number];
            let path = KeyPath {
                contract: [seed; 32],
                role: "prover",
                label: &group.label,
            };
            let secret = SecretKey::derive(&Seed::new([seed; 32]), &path, &group.shape);
            (number, secret.sign(value))
        };
        self.values.iter().map(open).collect()
    }

    /// The disprove by a leaf, with the witness that the published values make for it, and what it spends.
    fn disprove(&self, leaf: usize) -> Option<(Transaction, Amount)> {
        let signed = self.parties.disprove(self.leaf.0, leaf, &self.values)?;
        let (_, output) = self.contract.graph().outcome_output(self.leaf.0)?;
        Some((signed, output.value))
    }

    fn mutate(&self, counts: &Counts, what: &str) {
        let mut tally = Tally::default();
        for (name, change) in WITNESS {
            tally.run(name, counts.witness, |rng| {
                self.refused(&self.changed(rng, change).1)
            });
        }
        for (name, change) in BODY {
            tally.run(name, counts.body, |rng| {
                let (original, changed) = self.changed(rng, change);
                let inputs = original.input.iter().chain(&changed.input);
                let mut spent = inputs.map(|input| input.previous_output);
                let graph = self.contract.graph();
                // What spends an outcome and is not presigned is taken for a disprove.
                let is_disprove = spent.any(|coin| graph.stage_of_outcome(coin).is_some());
                // With its input exchanged, a timeout is the timeout of another move.
                let is_another = graph.find(changed.compute_txid()).is_some();
                let rule = self.refused(&changed);
                assert!(is_disprove || is_another || rule == "foreign", "{rule}");
                rule
            });
        }
        self.open_otherwise(counts, &mut tally);
        self.disprove_otherwise(counts, &mut tally);
        self.list_otherwise(counts, &mut tally);
        tally.print(what);
    }

    fn open_otherwise(&self, counts: &Counts, tally: &mut Tally) {
        tally.run("openings under other keys", counts.keys, |rng| {
            let graph = self.contract.graph();
            let publishing = graph.presigned().iter().filter(|one| one.kind.publishes());
            let kinds: Vec<Kind> = publishing.map(|presigned| presigned.kind).collect();
            let kind = *kinds.choose(rng).unwrap();
            let wrong = self.wrong_openings(rng.r#gen());
            let challenger = Some(&self.parties.challenger);
            let presigned = self.contract.presigned();
            let transaction = presigned.finalise_with(graph, kind, &wrong, challenger);
            self.refused(&transaction.unwrap())
        });
    }

    /// Disproves that the challenger does sign, but should not.
    fn disprove_otherwise(&self, counts: &Counts, tally: &mut Tally) {
        let (stage, right) = self.leaf;
        let leaves = self.parties.program.leaf_count(stage);
        tally.run("disprove by another leaf", counts.disproves, |rng| {
            let (signed, _) = std::iter::repeat_with(|| rng.gen_range(0..leaves))
                .filter(|&leaf| !self.spendable.contains(&(stage, leaf)))
                .find_map(|leaf| self.disprove(leaf))
                .unwrap();
            self.refused(&signed)
        });
        tally.run("disprove with another signature", counts.disproves, |rng| {
            let (mut disprove, _) = self.disprove(right).unwrap();
            let mut items = disprove.input[0].witness.to_vec();
            let place = items.len() - 3;
            let (key, sighash) = match rng.gen_range(0..3) {
                0 => (&self.parties.prover, self.sighash(&disprove)),
                1 => (&self.parties.challenger, rng.r#gen()),
                _ => (&self.parties.prover, rng.r#gen()),
            };
            items[place] = key.sign(&sighash).to_vec();
            disprove.input[0].witness = Witness::from_slice(&items);
            self.refused(&disprove)
        });
        tally.run(
            "disprove that creates money, signed",
            counts.disproves,
            |rng| {
                let (mut disprove, available) = self.disprove(right).unwrap();
                match rng.gen_range(0..3) {
                    0 => {
                        disprove.output[0].value = available + Amount::from_sat(rng.gen_range(1..9))
                    }
                    1 => disprove.output[0].value = Amount::from_sat(u64::MAX),
                    _ => disprove.output.clear(),
                }
                let mut items = disprove.input[0].witness.to_vec();
                let place = items.len() - 3;
                items[place] = self
                    .parties
                    .challenger
                    .sign(&self.sighash(&disprove))
                    .to_vec();
                disprove.input[0].witness = Witness::from_slice(&items);
                let rule = self.refused(&disprove);
                assert_eq!(rule, "outputs");
                rule
            },
        );
    }

    /// What the challenger signs for a disprove by the right leaf.
    fn sighash(&self, transaction: &Transaction) -> [u8; 32] {
        use bitcoin::TapSighashType;
        use bitcoin::hashes::Hash;
        use bitcoin::sighash::{Prevouts, SighashCache};
        use tapcourt_script::taptree::leaf_hash;

        let (_, output) = self.contract.graph().outcome_output(self.leaf.0).unwrap();
        let witness = &transaction.input[0].witness;
        let script = witness.nth(witness.len() - 2).unwrap();
        let mut cache = SighashCache::new(transaction);
        let sighash = cache.taproot_script_spend_signature_hash(
            0,
            &Prevouts::All(&[output]),
            leaf_hash(bitcoin::Script::from_bytes(script)),
            TapSighashType::Default,
        );
        sighash.unwrap().to_byte_array()
    }

    /// Lists of transactions each of which is valid by itself.
    fn list_otherwise(&self, counts: &Counts, tally: &mut Tally) {
        type Change = fn(&Scene<'_>, &mut ChaCha20Rng, &mut Vec<Transaction>);
        let changes: [(&str, Change); 5] = [
            ("transaction dropped", |_, rng, moves| {
                drop(moves.remove(rng.gen_range(0..moves.len() - 1)));
            }),
            ("transaction repeated", |_, rng, moves| {
                let one = moves.choose(rng).unwrap().clone();
                moves.insert(rng.gen_range(0..=moves.len()), one);
            }),
            ("transactions reordered", |_, rng, moves| {
                if rng.r#gen() {
                    moves.shuffle(rng);
                } else {
                    let one = rng.gen_range(1..moves.len());
                    moves.swap(one - 1, one);
                }
            }),
            ("transaction of another contract", |scene, rng, moves| {
                let one = scene.foreign.choose(rng).unwrap().clone();
                match moves.choose_mut(rng) {
                    Some(place) if rng.r#gen() => *place = one,
                    _ => moves.insert(rng.gen_range(0..=moves.len()), one),
                }
            }),
            ("transaction added that is late", |scene, rng, moves| {
                let one = scene.others.choose(rng).unwrap().clone();
                moves.insert(rng.gen_range(0..=moves.len()), one);
            }),
        ];
        for (name, change) in changes {
            tally.run(name, counts.lists, |rng| {
                let mut moves = self.moves.clone();
                while moves == self.moves {
                    change(self, rng, &mut moves);
                }
                let fault = self.contract.verify_transcript(&moves).unwrap_err();
                Self::outcome(&fault)
            });
        }
    }
}

/// The input of two operands of 32 bits.
fn operands(a: u32, b: u32) -> Vec<bool> {
    let bits = |value: u32| (0..32).map(move |bit| value >> bit & 1 == 1);
    bits(a).chain(bits(b)).collect()
}

#[test]
fn mutated_transcripts_of_a_circuit_are_refused() {
    let parties = Parties::multiplier();
    let mut values = parties.values(&operands(6, 7));
    let last = values.len() - 1;
    flip(&mut values, last, 0);
    let leaf = parties.compiled().find_fault(&list(&values)).unwrap();
    let other = Parties::adder();
    let foreign = other.disputed(&other.values(&[true; 128]));
    let moves = parties.disputed(&values);
    let scene = Scene::new(&parties, values, moves, (Stage::Dispute, leaf), foreign);
    scene.mutate(&CIRCUIT, "transcripts of a circuit");
}

#[test]
fn mutated_transcripts_of_a_trace_are_refused() {
    let parties = Parties::trace(SUM + 1);
    let court = parties.court();
    let mut execution = Execution::new(court.program(), &INPUT[..]);
    let step = court.steps_claimed() - 1;
    let mut published = up_to_step_of(court, &INPUT, step, &mut execution);
    up_to_sibling(
        court,
        &mut published,
        step,
        &mut execution,
        PathAccess::A,
        0,
    );
    let values = values(court, &published);
    let moves = parties.disputed(&values);
    let contract = parties.program.verify_setup(&parties.messages()).unwrap();
    let report = contract.verify_transcript(&moves).unwrap();
    let foreign = Parties::trace(SUM);
    let foreign = foreign.disputed(&values);
    let scene = Scene::new(&parties, values, moves, report.spendable[0], foreign);
    scene.mutate(&TRACE, "transcripts of a trace");
}
