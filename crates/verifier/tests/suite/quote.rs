//! Prices: placeholders weigh what real contracts weigh, and whole games weigh what was quoted.

use std::collections::BTreeMap;

use bitcoin::Transaction;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tapcourt_commitment::Opening;
use tapcourt_compiler::circuit::Options;
use tapcourt_protocol::cost::FEE_CHILD_VB;
use tapcourt_protocol::transactions::fee_child::{FeeChild, KEY_PATH_WITNESS_WU, WalletCoin};
use tapcourt_protocol::{Costs, Publication, Role, Stage, TransactionKind};
use tapcourt_verifier::{Program, Quote, Source};

use crate::circuits::netlist;
use crate::machine::{SUM, court, program};
use crate::parties::{Parties, Values, parameters};

/// Searches with arities that are and are not powers of two, and circuits with one assert and several.
fn contracts() -> Vec<(&'static str, Parties)> {
    let trace = |arities: &[u32], path: &[u32]| {
        let court = court(program(SUM), arities.to_vec(), path.to_vec());
        Parties::of(Program::trace(court).unwrap(), parameters())
    };
    let circuit = |name| Parties::of_circuit((netlist(name), Options::default()), parameters());
    vec![
        ("search 8,8 / 6,6", trace(&[8, 8], &[6, 6])),
        ("search 3,4,6 / 2,4,4", trace(&[3, 4, 6], &[2, 4, 4])),
        ("search 2,16,2 / 2,2,2,2,2", trace(&[2, 16, 2], &[2; 5])),
        ("adder64", circuit("adder64.txt")),
        ("sha256", circuit("sha256.txt")),
    ]
}

fn wu(transaction: &Transaction) -> u64 {
    transaction.weight().to_wu()
}

fn messages(openings: &BTreeMap<usize, Opening>) -> Values {
    let messages = openings.iter();
    messages
        .map(|(&group, opening)| (group, opening.message()))
        .collect()
}

/// Random messages, in which the prover repeats what the challenger has chosen.
fn random_values(parties: &Parties, rng: &mut impl Rng) -> Values {
    let groups = parties.program.groups().iter().enumerate();
    let mut values: Values = groups
        .map(|(group, info)| {
            let bits = 0..info.shape.message_bits();
            (group, bits.map(|_| rng.r#gen()).collect())
        })
        .collect();
    for (_, step) in parties.program.layout().all_kinds() {
        for publication in step.publications() {
            match *publication {
                Publication::Value(_) => {}
                Publication::Choice { group, options } => {
                    let option = rng.gen_range(0..options);
                    let bits = 0..values[&group].len();
                    values.insert(group, bits.map(|bit| option >> bit & 1 == 1).collect());
                }
                Publication::Agreement { theirs, own } => {
                    values.insert(own, values[&theirs].clone());
                }
            }
        }
    }
    values
}

#[test]
fn placeholders_weigh_what_the_contract_weighs() {
    for (name, parties) in contracts() {
        let graph = &parties.graph;
        let placeholder = parties.program.placeholder_graph(parameters()).unwrap();
        assert_eq!(placeholder.slots().len(), graph.slots().len());
        for presigned in graph.presigned() {
            let kind = presigned.kind;
            assert_eq!(
                placeholder.predicted_weight(kind),
                graph.predicted_weight(kind),
                "{name}: {kind}"
            );
        }
        let mut leaves = 0;
        for stage in graph.stages() {
            let sizes = parties.program.disprove_sizes(stage);
            assert_eq!(sizes.len(), parties.program.leaf_count(stage));
            for (leaf, size) in sizes.iter().enumerate() {
                let weight = graph.disprove_weight(stage, leaf, size);
                assert!(weight.is_some());
                assert_eq!(placeholder.disprove_weight(stage, leaf, size), weight);
                leaves += 1;
            }
            assert!(
                graph
                    .disprove_weight(stage, sizes.len(), &sizes[0])
                    .is_none()
            );
        }
        let (costs, real) = (Costs::new(&placeholder), Costs::new(graph));
        assert_eq!(
            costs.heaviest_openings(),
            real.heaviest_openings(),
            "{name}"
        );
        println!(
            "{name}: {} transactions, {leaves} leaves",
            graph.presigned().len()
        );
    }
}

#[test]
fn a_disprove_weighs_what_was_predicted_for_the_longest_witness() {
    for (name, parties) in contracts() {
        let values = messages(Costs::new(&parties.graph).heaviest_openings());
        for stage in parties.graph.stages() {
            let sizes = parties.program.disprove_sizes(stage);
            let (mut exact, mut hinted) = (0, 0);
            for (leaf, size) in sizes.iter().enumerate() {
                // Of the longest messages, some make no sense to a leaf that takes hints about them.
                let Some(transaction) = parties.disprove(stage, leaf, &values) else {
                    continue;
                };
                let predicted = parties.graph.disprove_weight(stage, leaf, size).unwrap();
                let weight = wu(&transaction);
                if weight == predicted.max_wu {
                    exact += 1;
                } else {
                    // A hint has one to five bytes, its length included.
                    assert!(weight < predicted.max_wu && predicted.max_wu < weight + 40);
                    hinted += 1;
                }
            }
            println!(
                "{name}, {stage:?}: {exact} of {} leaves exact, {hinted} with short hints",
                sizes.len()
            );
            assert!(exact > 0);
            let takes_no_hints =
                stage == Stage::Opening || matches!(parties.program.source(), Source::Circuit(_));
            assert_eq!(exact == sizes.len(), takes_no_hints, "{name}, {stage:?}");
        }
    }
}

/// The finished transactions of the worst case, in order, and their bill.
fn worst_game(parties: &Parties) -> (Quote, Vec<Transaction>) {
    let quote = parties.program.quote(parameters()).unwrap();
    let graph = &parties.graph;
    let values = messages(Costs::new(graph).heaviest_openings());
    let heaviest_leaf = |stage| {
        let sizes = parties.program.disprove_sizes(stage);
        let weight = |leaf: &usize| {
            graph
                .disprove_weight(stage, *leaf, &sizes[*leaf])
                .unwrap()
                .max_wu
        };
        (0..sizes.len()).max_by_key(weight).unwrap()
    };
    let finish = |kind| match kind {
        TransactionKind::Contract => parties.contract(),
        TransactionKind::Disprove(stage) => {
            let leaf = heaviest_leaf(stage);
            parties.disprove(stage, leaf, &values).unwrap()
        }
        kind => parties.finish(kind, &values),
    };
    let transactions = quote.worst.lines.iter().map(|line| finish(line.kind));
    let transactions = transactions.collect();
    (quote, transactions)
}

#[test]
fn the_worst_case_is_exact_to_the_byte() {
    for (name, parties) in contracts() {
        let (quote, transactions) = worst_game(&parties);
        for pair in transactions.windows(2) {
            let parent = pair[0].compute_txid();
            let mut inputs = pair[1].input.iter();
            assert!(inputs.any(|input| input.previous_output.txid == parent));
        }
        for (line, transaction) in quote.worst.lines.iter().zip(&transactions) {
            assert_eq!(line.weight_wu, wu(transaction), "{name}: {}", line.kind);
            assert_eq!(line.vsize_vb(), transaction.vsize() as u64);
        }
        let total: usize = transactions.iter().map(Transaction::vsize).sum();
        assert_eq!(quote.worst.vsize_vb(), total as u64, "{name}");
        assert_eq!(quote.worst.transactions(), transactions.len());
        assert_eq!(quote.worst_transactions, transactions.len());
        println!("{name}: {} transactions, {total} vB", transactions.len());
        let shared: u64 = [None, Some(Role::Prover), Some(Role::Challenger)]
            .map(|payer| quote.worst.vsize_of_vb(payer))
            .iter()
            .sum();
        assert_eq!(shared, quote.worst.vsize_vb());
    }
}

/// The search whose worst case ends after an opening, so that all moves of both stages are in it.
#[test]
fn the_worst_case_of_a_search_has_every_move() {
    let (_, parties) = contracts().swap_remove(0);
    let quote = parties.program.quote(parameters()).unwrap();
    let kinds: Vec<TransactionKind> = quote.worst.lines.iter().map(|line| line.kind).collect();
    let moves = parties.program.layout().all_kinds().map(|(kind, _)| kind);
    for kind in moves.chain([TransactionKind::Disprove(Stage::Opening)]) {
        assert!(kinds.contains(&kind), "{kind}");
    }
    assert_eq!(quote.rounds, 4);
    let delta = u32::from(parameters().delta.to_blocks());
    let expiry = u32::from(parameters().expiry.to_blocks());
    let after_kickoff = kinds.len() as u32 - 2;
    assert_eq!(quote.worst_blocks, expiry + delta * after_kickoff);
}

#[test]
fn no_messages_weigh_more_than_the_worst_and_given_ones_weigh_what_is_predicted() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    for (name, parties) in contracts() {
        let graph = &parties.graph;
        let quote = parties.program.quote(parameters()).unwrap();
        let mut heaviest = 0;
        for _ in 0..6 {
            let values = random_values(&parties, &mut rng);
            let openings = parties.openings(&values);
            let placeholders = openings.iter().map(|(&group, opening)| {
                (
                    group,
                    Opening::placeholder(opening.parameters(), &opening.message()),
                )
            });
            let placeholders: BTreeMap<usize, Opening> = placeholders.collect();
            let mut vsize = 0;
            for presigned in graph.presigned() {
                let kind = presigned.kind;
                let transaction = parties.finish(kind, &values);
                let weight = wu(&transaction);
                assert_eq!(
                    graph.weight_with(kind, &openings),
                    Ok(weight),
                    "{name}: {kind}"
                );
                assert_eq!(graph.weight_with(kind, &placeholders), Ok(weight));
                assert!(weight <= graph.predicted_weight(kind).unwrap().max_wu);
                if quote.worst.lines.iter().any(|line| line.kind == kind) {
                    vsize += weight.div_ceil(4);
                }
            }
            heaviest = heaviest.max(vsize);
        }
        let presigned = quote.worst.lines.iter().filter(|line| line.has_child);
        let worst: u64 = presigned.map(|line| line.vsize_vb()).sum();
        println!("{name}: at most {worst} vB presigned, {heaviest} of random messages");
        assert!(heaviest <= worst);
    }
}

#[test]
fn the_usual_case_lies_between_the_best_and_the_worst() {
    for (name, parties) in contracts() {
        let quote = parties.program.quote(parameters()).unwrap();
        let sizes = [&quote.best, &quote.usual, &quote.worst].map(|bill| bill.vsize_vb());
        assert!(sizes.is_sorted(), "{name}: {sizes:?}");
        assert_eq!(
            quote.best.transactions(),
            2 + parties.program.layout().claim.len()
        );
        assert!(quote.largest_presigned_wu <= 40_000);
        let key_bytes = parties.graph.terms().one_time_keys.iter();
        let key_bytes: usize = key_bytes.map(|key| 20 * key.ends().len()).sum();
        assert_eq!(quote.key_bytes, key_bytes);
        assert_eq!(quote.presigned, parties.presigned.signatures().len());
    }
}

#[test]
fn a_child_has_the_size_that_is_quoted() {
    let (_, parties) = contracts().swap_remove(3);
    let payout = parties.finish(TransactionKind::Payout, &Values::new());
    let wallet = &parties.graph.terms().prover;
    let coin = WalletCoin {
        coin: wallet.inputs[0].clone(),
        witness_wu: KEY_PATH_WITNESS_WU,
    };
    let feerate = bitcoin::FeeRate::from_sat_per_vb(1).unwrap();
    let child = FeeChild::new(&payout, &[coin], &wallet.payout_script, feerate).unwrap();
    let package_vb = child.fee.to_sat();
    assert_eq!(package_vb, payout.vsize() as u64 + FEE_CHILD_VB);
}
