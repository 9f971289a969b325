use bitcoin::{Amount, Sequence};

use super::toy::Toy;
use crate::transactions::TransactionKind as Kind;
use crate::transactions::disprove::{Disprove, DisproveError};
use crate::{ExpiryPolicy, Graph, GraphError, OutputKind, Role};

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
        let (claims, asserts) = (toy.terms.layout.claim.len(), toy.terms.layout.asserts.len());
        assert_eq!(names.len(), 1 + claims + (claims - 1) + 2 + 2 * asserts + 1);
        assert_eq!(graph.outcome_parent().vout(OutputKind::Outcome), Some(0));
    }
    let shapes = Toy::shapes();
    assert!(shapes[0].terms.layout.asserts.is_empty());
    assert!(shapes[2].terms.layout.asserts.len() > 1);
    assert!(
        shapes[2]
            .terms
            .layout
            .asserts
            .iter()
            .any(|step| step.batches.len() > 1)
    );
    assert!(shapes[3].terms.layout.claim.len() > 1);
    assert!(
        shapes[3].terms.layout.claim[0].batches.len() > 1
            || shapes[3].terms.layout.claim[1].batches.len() > 1
    );
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
        assert_ne!(Graph::new(terms, &toy.leaves).unwrap().id(), one.id());
    };
    differs(&|terms| terms.program_digest[0] ^= 1);
    differs(&|terms| terms.instance = crate::InstanceId::from_bytes([0x12; 32]));
    differs(&|terms| terms.parameters.delta = crate::RelativeBlocks::new(145).unwrap());
    differs(&|terms| terms.parameters.expiry_policy = ExpiryPolicy::PotToChallenger);
    differs(&|terms| terms.parameters.bond += Amount::from_sat(1));
    differs(&|terms| terms.prover.inputs[0].outpoint.vout += 7);
    differs(&|terms| terms.challenger.change[0].value += Amount::from_sat(1));
    differs(&|terms| terms.layout.asserts[0].batches[0].groups.reverse());
    differs(&|terms| terms.layout.asserts[0].name.push('x'));
    println!("{changes} changes of the terms, each with another contract id");
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
        let total = graph.outcome_output().1.value;
        let stakes = toy.terms.parameters.stakes().unwrap() + toy.terms.parameters.bond;
        let further = 330 * (toy.terms.layout.claim[0].batches.len() as u64 - 1);
        assert_eq!(total, stakes + Amount::from_sat(further));
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
        (Kind::AssertTimeout(0), 0, 180_000 + further),
        (Kind::PayoutDisputed, 180_000 + further, 0),
    ];
    for (kind, prover, challenger) in cases {
        assert_eq!(paid(kind, Role::Prover), prover, "{kind}");
        assert_eq!(paid(kind, Role::Challenger), challenger, "{kind}");
    }

    let mut terms = toy.terms.clone();
    terms.parameters.expiry_policy = ExpiryPolicy::PotToChallenger;
    let graph = Graph::new(terms, &toy.leaves).unwrap();
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
                | Kind::AssertTimeout(_)
                | Kind::Payout
                | Kind::PayoutDisputed => Some(144),
                _ => None,
            };
            assert_eq!(
                presigned.timelock().map(crate::RelativeBlocks::to_blocks),
                expected,
                "{}",
                presigned.kind
            );
            let sequence = presigned.transaction.input[0].sequence;
            assert_eq!(
                expected.map_or(Sequence::ENABLE_RBF_NO_LOCKTIME, Sequence::from_height),
                sequence
            );
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
    let groups = terms.layout.claim[0].batches[0].groups.split_off(1);
    let step = &mut terms.layout.asserts[0];
    step.batches[0].groups.extend(groups);
    let all: Vec<usize> = step
        .batches
        .iter()
        .flat_map(|batch| batch.groups.clone())
        .collect();
    step.batches = all
        .into_iter()
        .map(|group| crate::Batch {
            groups: vec![group],
        })
        .collect();
    let connectors = step.batches.len();
    let error = Graph::new(terms, &toy.leaves).unwrap_err();
    println!("{error}");
    assert!(
        matches!(error, GraphError::PotTooSmall { connectors: count, .. } if count == connectors)
    );
}

#[test]
fn disprove_refuses_leaves_that_are_not_the_contracts() {
    let toy = &Toy::shapes()[1];
    let graph = toy.graph();
    let build = |leaves: &Vec<bitcoin::ScriptBuf>, leaf| {
        Disprove::new(&graph, leaves, leaf, Vec::new(), None)
    };
    assert_eq!(
        build(&toy.leaves, toy.leaves.len()).unwrap_err(),
        DisproveError::NoSuchLeaf {
            leaf: toy.leaves.len(),
            leaves: toy.leaves.len()
        }
    );
    let mut swapped = toy.leaves.clone();
    swapped.swap(0, 1);
    assert_eq!(
        build(&swapped, 0).unwrap_err(),
        DisproveError::ForeignLeaf { leaf: 0 }
    );
    let mut fewer = toy.leaves.clone();
    fewer.pop();
    assert_eq!(
        build(&fewer, 0).unwrap_err(),
        DisproveError::ForeignLeaf { leaf: 0 }
    );

    let open = vec![tapcourt_script::script! { OP_1 }; 2];
    let graph = Graph::new(toy.terms.clone(), &open).unwrap();
    let error = Disprove::new(&graph, &open, 0, Vec::new(), None).unwrap_err();
    assert_eq!(error, DisproveError::NotTheChallengers { leaf: 0 });
}
