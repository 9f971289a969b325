use std::time::Instant;

use super::toy::{Toy, signing_key};
use crate::messages::{ChallengerPartials, FixedList, Message, ProverPartials, Signatures};
use crate::{
    ChallengerSession, DisproveLeaves, Graph, PackLimits, PresignError, PresignedGraph, Role,
    SessionSecret, complete, prover_sign,
};

fn secret(byte: u8) -> SessionSecret {
    SessionSecret::from_bytes([byte; 32])
}

/// Replaces one entry of a list.
fn with<const N: usize>(
    list: &FixedList<N>,
    index: usize,
    change: impl Fn(&mut [u8; N]),
) -> FixedList<N> {
    let mut entries: Vec<[u8; N]> = list.iter().copied().collect();
    change(&mut entries[index]);
    entries.into_iter().collect()
}

#[test]
fn both_parties_end_with_the_same_verified_signatures() {
    let toy = Toy::new("large", &[256, 256], &[64; 100], PackLimits::default());
    let start = Instant::now();
    let graph = toy.graph();
    let built = start.elapsed();
    let session = ChallengerSession::new(&graph, &toy.challenger, secret(4)).unwrap();
    let acceptance = session.acceptance();
    let answer = prover_sign(&graph, &toy.prover, &secret(5), &acceptance).unwrap();
    let (challengers, partials) = session.sign(&answer).unwrap();
    let provers = complete(&graph, &acceptance, &answer, &partials).unwrap();
    assert_eq!(challengers, provers);
    assert_eq!(provers.signatures().len(), graph.slots().len());
    println!(
        "{} groups in {} asserts: {} signatures; graph {:?}, presigning by both sides {:?}",
        toy.secrets.len(),
        toy.terms.layout.dispute.len(),
        graph.slots().len(),
        built,
        start.elapsed() - built
    );
}

#[test]
fn the_signatures_survive_a_file_and_belong_to_one_contract() {
    let shapes = Toy::shapes();
    let graph = shapes[1].graph();
    let signed = shapes[1].presign(&graph);
    let bytes = signed.to_message().to_bytes(graph.id().as_bytes());
    let (id, message) = Signatures::from_bytes(&bytes).unwrap();
    assert_eq!(
        PresignedGraph::from_message(&graph, id, &message).unwrap(),
        signed
    );
    let other = shapes[2].graph();
    let error = PresignedGraph::from_message(&other, id, &message).unwrap_err();
    assert_eq!(
        error,
        PresignError::OtherContract {
            got: graph.id(),
            expected: other.id()
        }
    );
}

#[test]
fn a_wrong_nonce_or_partial_signature_is_named() {
    let toy = &Toy::shapes()[2];
    let graph = toy.graph();
    let acceptance = ChallengerSession::new(&graph, &toy.challenger, secret(4))
        .unwrap()
        .acceptance();
    let answer = prover_sign(&graph, &toy.prover, &secret(5), &acceptance).unwrap();
    let sign = |answer: &ProverPartials| {
        ChallengerSession::new(&graph, &toy.challenger, secret(4))
            .unwrap()
            .sign(answer)
            .map(|(_, partials)| partials)
    };
    let partials = sign(&answer).unwrap();
    for (index, slot) in graph.slots().iter().enumerate() {
        let invalid = PresignError::Invalid {
            transaction: slot.transaction,
            vin: slot.vin,
        };
        let other = (index + 1) % graph.slots().len();
        let swapped = *answer.nonces.get(other);
        let nonces = with(&answer.nonces, index, |nonce| *nonce = swapped.0);
        assert_eq!(
            sign(&ProverPartials {
                nonces,
                ..answer.clone()
            })
            .unwrap_err(),
            invalid
        );
        let changed = with(&answer.partials, index, |partial| partial[31] ^= 1);
        assert_eq!(
            sign(&ProverPartials {
                partials: changed,
                ..answer.clone()
            })
            .unwrap_err(),
            invalid
        );
        let changed = ChallengerPartials {
            partials: with(&partials.partials, index, |partial| partial[31] ^= 1),
        };
        assert_eq!(
            complete(&graph, &acceptance, &answer, &changed).unwrap_err(),
            invalid
        );
        let malformed = with(&answer.nonces, index, |nonce| nonce[0] = 9);
        assert_eq!(
            sign(&ProverPartials {
                nonces: malformed,
                ..answer.clone()
            })
            .unwrap_err(),
            PresignError::Malformed {
                role: Role::Prover,
                what: "nonce",
                transaction: slot.transaction,
                vin: slot.vin
            }
        );
        let malformed = with(&answer.partials, index, |partial| *partial = [0xff; 32]);
        assert!(matches!(
            sign(&ProverPartials {
                partials: malformed,
                ..answer.clone()
            }),
            Err(PresignError::Malformed {
                what: "partial signature",
                ..
            })
        ));
    }
    println!("{} slots, five faults each", graph.slots().len());
}

#[test]
fn lists_of_the_wrong_length_are_refused() {
    let toy = &Toy::shapes()[0];
    let graph = toy.graph();
    let acceptance = ChallengerSession::new(&graph, &toy.challenger, secret(4))
        .unwrap()
        .acceptance();
    let answer = prover_sign(&graph, &toy.prover, &secret(5), &acceptance).unwrap();
    let mut short = acceptance.clone();
    short.nonces = acceptance.nonces.iter().skip(1).copied().collect();
    let error = prover_sign(&graph, &toy.prover, &secret(5), &short).unwrap_err();
    let expected = graph.slots().len();
    assert_eq!(
        error,
        PresignError::Count {
            what: "nonces",
            got: expected - 1,
            expected
        }
    );
    let empty = ProverPartials {
        nonces: FixedList::default(),
        ..answer.clone()
    };
    let session = || ChallengerSession::new(&graph, &toy.challenger, secret(4)).unwrap();
    assert!(matches!(
        session().sign(&empty),
        Err(PresignError::Count { got: 0, .. })
    ));
    let empty = ProverPartials {
        partials: FixedList::default(),
        ..answer.clone()
    };
    assert!(matches!(
        session().sign(&empty),
        Err(PresignError::Count { got: 0, .. })
    ));
    let none = ChallengerPartials {
        partials: FixedList::default(),
    };
    assert!(matches!(
        complete(&graph, &acceptance, &answer, &none),
        Err(PresignError::Count { got: 0, .. })
    ));
    assert!(matches!(
        PresignedGraph::new(&graph, Vec::new()),
        Err(PresignError::Count { got: 0, .. })
    ));
}

#[test]
fn keys_and_parties_must_be_the_contracts() {
    let toy = &Toy::shapes()[0];
    let graph = toy.graph();
    let wrong = signing_key(9);
    let error = ChallengerSession::new(&graph, &wrong, secret(4)).err();
    assert_eq!(
        error,
        Some(PresignError::WrongKey {
            role: Role::Challenger
        })
    );
    let mut acceptance = ChallengerSession::new(&graph, &toy.challenger, secret(4))
        .unwrap()
        .acceptance();
    let error = prover_sign(&graph, &wrong, &secret(5), &acceptance).unwrap_err();
    assert_eq!(error, PresignError::WrongKey { role: Role::Prover });
    acceptance.challenger.change.clear();
    let error = prover_sign(&graph, &toy.prover, &secret(5), &acceptance).unwrap_err();
    assert_eq!(error, PresignError::OtherChallenger);
}

#[test]
fn a_prover_with_other_leaves_cannot_complete() {
    let toy = &Toy::shapes()[1];
    let honest = toy.graph();
    let mut leaves = toy.leaves.clone();
    leaves.pop();
    let cheating = Graph::new(toy.terms.clone(), &DisproveLeaves::of_dispute(&leaves)).unwrap();
    assert_eq!(honest.id(), cheating.id());
    let session = ChallengerSession::new(&honest, &toy.challenger, secret(4)).unwrap();
    let answer = prover_sign(&cheating, &toy.prover, &secret(5), &session.acceptance()).unwrap();
    let error = session.sign(&answer).unwrap_err();
    println!("{error}");
    assert!(matches!(error, PresignError::Invalid { .. }));
}

#[test]
fn the_provers_nonces_change_with_the_acceptance_and_never_otherwise() {
    let toy = &Toy::shapes()[1];
    let graph = toy.graph();
    let accept = |byte| {
        ChallengerSession::new(&graph, &toy.challenger, secret(byte))
            .unwrap()
            .acceptance()
    };
    let answer = |acceptance| prover_sign(&graph, &toy.prover, &secret(5), acceptance).unwrap();
    let (first, second) = (accept(4), accept(6));
    assert_eq!(
        answer(&first),
        answer(&first),
        "repeating the call repeats the answer"
    );
    let (one, two) = (answer(&first), answer(&second));
    for (a, b) in one.nonces.iter().zip(two.nonces.iter()) {
        assert_ne!(a, b);
    }
    // Even one changed nonce changes all of ours.
    let mut changed = first.clone();
    let replacement = *second.nonces.get(0);
    changed.nonces = with(&first.nonces, 0, |nonce| *nonce = replacement.0);
    for (a, b) in one.nonces.iter().zip(answer(&changed).nonces.iter()) {
        assert_ne!(a, b);
    }
}

#[test]
fn all_nonces_of_a_session_differ() {
    let toy = &Toy::shapes()[2];
    let graph = toy.graph();
    let acceptance = ChallengerSession::new(&graph, &toy.challenger, secret(4))
        .unwrap()
        .acceptance();
    let distinct: std::collections::BTreeSet<&[u8; 66]> = acceptance.nonces.iter().collect();
    assert_eq!(distinct.len(), graph.slots().len());
}
