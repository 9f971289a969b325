use bitcoin::{Amount, ScriptBuf, Sequence};

use super::toy::Toy;
use crate::transactions::TransactionKind as Kind;
use crate::transactions::disprove::{Disprove, DisproveError};
use crate::{
    Batch, DisproveLeaves, ExpiryPolicy, Graph, GraphError, Move, OutputKind, Role, Stage,
};

#[test]
fn the_graph_has_the_transactions_of_its_layout() {
    for toy in Toy::shapes() {
        let graph = toy.graph();
        let names: Vec<String> = graph
            .presigned()
            .iter()
            .map(|presigned| presigned.kind.to_string())
            .collect();
        println!(
            "{}: {}, {} signatures",
            toy.name,
            names.join(" "),
            graph.slots().len()
        );
        let layout = &toy.terms.layout;
        let (claims, moves) = (layout.claim.len(), layout.dispute.len());
        // The timeout of `open` is the payout of the dispute; the opening has a payout of its own.
        let opening = 2 * layout.opening.len();
        assert_eq!(
            names.len(),
            1 + claims + (claims - 1) + 2 + 2 * moves + 1 + opening
        );
        for stage in graph.stages() {
            let parent = graph.outcome_parent(stage).unwrap();
            assert_eq!(parent.vout(OutputKind::Outcome), Some(0));
            let (outpoint, _) = graph.outcome_output(stage).unwrap();
            assert_eq!(graph.stage_of_outcome(outpoint), Some(stage));
        }
        let has_opening = !layout.opening.is_empty();
        assert_eq!(graph.outcome_output(Stage::Opening).is_some(), has_opening);
        assert_eq!(graph.outcome(Stage::Opening).is_some(), has_opening);
        assert_eq!(graph.stages().count(), 1 + usize::from(has_opening));
    }
    let shapes = Toy::shapes();
    let has_wide = |moves: &[Move]| moves.iter().any(|step| step.batches.len() > 1);
    let claim = |toy: usize| shapes[toy].terms.layout.claim.as_slice();
    let dispute = |toy: usize| shapes[toy].terms.layout.dispute.as_slice();
    assert!(dispute(0).is_empty());
    assert!(dispute(2).len() > 1 && has_wide(dispute(2)));
    assert!(claim(3).len() > 1 && has_wide(&claim(3)[..2]));
    assert_eq!(dispute(4).len(), 5);
    assert_eq!(shapes[4].terms.layout.opening.len(), 4);
    assert_eq!(dispute(5).len(), 5);
    let wide = &shapes[6].terms.layout;
    for moves in [&wide.dispute, &wide.opening] {
        let of = |mover| moves.iter().filter(move |step| step.mover == mover);
        assert!(of(Role::Prover).count() > of(Role::Challenger).count() + 1);
        assert!(of(Role::Prover).any(|step| step.batches.len() > 1));
        assert!(of(Role::Challenger).any(|step| step.batches.len() > 1));
    }
    assert!(dispute(7).is_empty());
}

#[test]
fn construction_is_deterministic_and_depends_on_every_term() {
    let toy = &Toy::shapes()[1];
    let (one, two) = (toy.graph(), toy.graph());
    assert_eq!(one.id(), two.id());
    assert_eq!(one.presigned(), two.presigned());
    assert_eq!(one.slots(), two.slots());

    let mut changes = 0;
    let mut differs = |change: &dyn Fn(&mut crate::Terms)| {
        let mut terms = toy.terms.clone();
        change(&mut terms);
        changes += 1;
        assert_ne!(
            Graph::new(terms, &toy.disprove_leaves()).unwrap().id(),
            one.id()
        );
    };
    differs(&|terms| terms.program_digest[0] ^= 1);
    differs(&|terms| terms.instance = crate::InstanceId::from_bytes([0x12; 32]));
    differs(&|terms| terms.parameters.delta = crate::RelativeBlocks::new(145).unwrap());
    differs(&|terms| terms.parameters.expiry_policy = ExpiryPolicy::PotToChallenger);
    differs(&|terms| terms.parameters.bond += Amount::from_sat(1));
    differs(&|terms| terms.prover.inputs[0].outpoint.vout += 7);
    differs(&|terms| terms.challenger.change[0].value += Amount::from_sat(1));
    differs(&|terms| terms.layout.dispute[0].batches[0].publications.reverse());
    differs(&|terms| {
        let batches = &mut terms.layout.dispute[0].batches;
        let split = batches[0].publications.split_off(1);
        batches.push(Batch {
            publications: split,
        });
    });
    println!("covered: {changes} changed terms; each with another contract id");
}

#[test]
fn no_presigned_transaction_pays_a_fee_or_loses_value() {
    for toy in Toy::shapes() {
        let graph = toy.graph();
        for presigned in graph.presigned() {
            assert_eq!(presigned.fee(), Amount::ZERO, "{}", presigned.kind);
            assert_eq!(presigned.transaction.version.0, 3);
            assert_eq!(presigned.transaction.input.len(), presigned.inputs.len());
            assert_eq!(presigned.transaction.output.len(), presigned.outputs.len());
            let anchors = presigned
                .transaction
                .output
                .iter()
                .filter(|output| output.value == Amount::ZERO)
                .count();
            assert_eq!(anchors, 1, "{}", presigned.kind);
        }
        let stakes = toy.terms.parameters.stakes().unwrap() + toy.terms.parameters.bond;
        let further = 330 * (toy.terms.layout.claim[0].batches.len() as u64 - 1);
        for stage in graph.stages() {
            let total = graph.outcome_output(stage).unwrap().1.value;
            assert_eq!(total, stakes + Amount::from_sat(further));
        }
    }
}

#[test]
fn the_winner_of_each_end_is_paid() {
    let toy = &Toy::shapes()[3];
    let graph = toy.graph();
    let paid = |kind: Kind, role: Role| -> u64 {
        let presigned = graph.transaction(kind).unwrap();
        let vout = presigned.vout(OutputKind::Paid(role));
        vout.map_or(0, |vout| {
            presigned.transaction.output[vout as usize].value.to_sat()
        })
    };
    let further = 330 * (toy.terms.layout.claim[0].batches.len() as u64 - 1);
    let cases = [
        (Kind::Expire, 100_000 + further, 80_000),
        (Kind::KickoffTimeout(1), 0, 180_000 + further),
        (Kind::Payout, 150_000 + further, 30_000),
        (Kind::AssertTimeout(Stage::Dispute, 0), 0, 180_000 + further),
        (Kind::PayoutDisputed(Stage::Dispute), 180_000 + further, 0),
    ];
    for (kind, prover, challenger) in cases {
        assert_eq!(paid(kind, Role::Prover), prover, "{kind}");
        assert_eq!(paid(kind, Role::Challenger), challenger, "{kind}");
    }

    let mut terms = toy.terms.clone();
    terms.parameters.expiry_policy = ExpiryPolicy::PotToChallenger;
    let graph = Graph::new(terms, &toy.disprove_leaves()).unwrap();
    let expire = graph.transaction(Kind::Expire).unwrap();
    let vout = expire.vout(OutputKind::Paid(Role::Challenger)).unwrap();
    assert!(expire.transaction.output[vout as usize].value >= Amount::from_sat(180_000));
}

#[test]
fn timeouts_wait_and_moves_do_not() {
    for toy in Toy::shapes() {
        let graph = toy.graph();
        for presigned in graph.presigned() {
            let expected = match presigned.kind {
                Kind::Expire => Some(1_008),
                Kind::KickoffTimeout(_)
                | Kind::AssertTimeout(..)
                | Kind::SelectTimeout(..)
                | Kind::Payout
                | Kind::PayoutDisputed(_) => Some(144),
                _ => None,
            };
            assert_eq!(
                presigned.timelock().map(crate::RelativeBlocks::to_blocks),
                expected,
                "{}",
                presigned.kind
            );
            for (input, tx_input) in presigned.inputs.iter().zip(&presigned.transaction.input) {
                // The bond follows the pot without a timelock of its own.
                let bond = graph.output(Kind::Contract, OutputKind::Bond);
                let expected = expected.filter(|_| Some(input.source) != bond);
                assert_eq!(
                    expected.map_or(Sequence::ENABLE_RBF_NO_LOCKTIME, Sequence::from_height),
                    tx_input.sequence
                );
            }
        }
    }
}

#[test]
fn transactions_are_found_by_txid() {
    let graph = Toy::shapes()[2].graph();
    assert_eq!(graph.find(graph.contract().txid()), Some(Kind::Contract));
    for presigned in graph.presigned() {
        assert_eq!(graph.find(presigned.txid()), Some(presigned.kind));
    }
    assert_eq!(
        graph.find(bitcoin::hashes::Hash::from_byte_array([1; 32])),
        None
    );
}

#[test]
fn a_pot_that_cannot_pay_for_its_connectors_is_refused() {
    let toy = &Toy::shapes()[2];
    let mut terms = toy.terms.clone();
    terms.parameters.prover_stake = Amount::ZERO;
    terms.parameters.challenger_stake = Amount::from_sat(546);
    terms.parameters.bond = Amount::from_sat(546);
    terms.layout.claim.truncate(1);
    let publications = terms.layout.claim[0].batches[0].publications.split_off(1);
    let step = &mut terms.layout.dispute[0];
    step.batches[0].publications.extend(publications);
    let all: Vec<usize> = step.batches.iter().flat_map(Batch::groups).collect();
    step.batches = all
        .into_iter()
        .map(|group| Batch::of_values([group]))
        .collect();
    let connectors = step.batches.len();
    let error = Graph::new(terms, &toy.disprove_leaves()).unwrap_err();
    println!("{error}");
    assert!(
        matches!(error, GraphError::PotTooSmall { connectors: count, .. } if count == connectors)
    );
}

#[test]
fn disprove_refuses_leaves_that_are_not_the_contracts() {
    for toy in Toy::shapes() {
        let graph = toy.graph();
        for stage in graph.stages() {
            let leaves = match stage {
                Stage::Dispute => &toy.leaves,
                Stage::Opening => toy.opening_leaves.as_ref().unwrap(),
            };
            let build = |leaves: &Vec<ScriptBuf>, leaf| {
                Disprove::new(&graph, stage, leaves, leaf, Vec::new(), None)
            };
            assert_eq!(
                build(leaves, leaves.len()).unwrap_err(),
                DisproveError::NoSuchLeaf {
                    leaf: leaves.len(),
                    leaves: leaves.len()
                }
            );
            if leaves.len() > 1 {
                let mut swapped = leaves.clone();
                swapped.swap(0, 1);
                assert_eq!(
                    build(&swapped, 0).unwrap_err(),
                    DisproveError::ForeignLeaf { leaf: 0 }
                );
            }
            let mut fewer = leaves.clone();
            fewer.pop();
            assert_eq!(
                build(&fewer, 0).unwrap_err(),
                DisproveError::ForeignLeaf { leaf: 0 }
            );
        }
    }
}

#[test]
fn disprove_refuses_a_leaf_without_the_challengers_key_and_a_stage_that_is_not_there() {
    let toy = &Toy::shapes()[1];
    let open = vec![tapcourt_script::script! { OP_1 }; 2];
    let graph = Graph::new(toy.terms.clone(), &DisproveLeaves::of_dispute(&open)).unwrap();
    let error = Disprove::new(&graph, Stage::Dispute, &open, 0, Vec::new(), None).unwrap_err();
    assert_eq!(error, DisproveError::NotTheChallengers { leaf: 0 });
    let stage = Stage::Opening;
    let error = Disprove::new(&graph, stage, &open, 0, Vec::new(), None).unwrap_err();
    assert_eq!(error, DisproveError::NoSuchStage { stage });
}

#[test]
fn leaves_of_one_stage_do_not_disprove_after_the_other() {
    let toy = &Toy::searches()[0];
    let graph = toy.graph();
    let opening = toy.opening_leaves.as_ref().unwrap();
    let build = |stage, leaves| Disprove::new(&graph, stage, leaves, 0, Vec::new(), None);
    assert_eq!(
        build(Stage::Dispute, opening).unwrap_err(),
        DisproveError::ForeignLeaf { leaf: 0 }
    );
    assert_eq!(
        build(Stage::Opening, &toy.leaves).unwrap_err(),
        DisproveError::ForeignLeaf { leaf: 0 }
    );
    let spent = |stage| {
        let leaves = match stage {
            Stage::Dispute => &toy.leaves,
            Stage::Opening => opening,
        };
        let disprove = build(stage, leaves).unwrap().with_signature(&[0; 64]);
        disprove.input[0].previous_output
    };
    for stage in [Stage::Dispute, Stage::Opening] {
        assert_eq!(graph.outcome_output(stage).unwrap().0, spent(stage));
    }
}

#[test]
fn there_are_leaves_for_the_opening_exactly_if_there_is_one() {
    let searches = Toy::searches();
    let without = Graph::new(
        searches[0].terms.clone(),
        &DisproveLeaves::of_dispute(&searches[0].leaves),
    );
    let has_opening = true;
    assert_eq!(
        without.unwrap_err(),
        GraphError::OpeningLeaves { has_opening }
    );
    let leaves = DisproveLeaves {
        opening: Some(&searches[1].leaves),
        ..searches[1].disprove_leaves()
    };
    let has_opening = false;
    assert_eq!(
        Graph::new(searches[1].terms.clone(), &leaves).unwrap_err(),
        GraphError::OpeningLeaves { has_opening }
    );
}
