use std::fmt::Debug;

use bitcoin::Witness;
use proptest::prelude::*;

use super::toy::Toy;
use crate::messages::{
    Acceptance, ChallengerPartials, FundingWitnesses, MAX_MESSAGE_BYTES, Message, MessageError,
    Offer, ProverPartials, Signatures,
};
use crate::{ChallengerSession, Graph, Role, SessionSecret, prover_sign};

struct All {
    offer: Offer,
    acceptance: Acceptance,
    prover: ProverPartials,
    challenger: ChallengerPartials,
    funding: FundingWitnesses,
    signatures: Signatures,
    graph: Graph,
    toy: Toy,
}

fn all() -> All {
    let toy = Toy::shapes().swap_remove(2);
    let graph = toy.graph();
    let terms = &toy.terms;
    let offer = Offer {
        parameters: terms.parameters.clone(),
        program_digest: terms.program_digest,
        instance: terms.instance,
        prover: terms.prover.clone(),
        one_time_keys: terms.one_time_keys.clone(),
    };
    let session =
        ChallengerSession::new(&graph, &toy.challenger, SessionSecret::from_bytes([4; 32]))
            .unwrap();
    let acceptance = session.acceptance();
    let prover = prover_sign(
        &graph,
        &toy.prover,
        &SessionSecret::from_bytes([5; 32]),
        &acceptance,
    )
    .unwrap();
    let (signed, challenger) = session.sign(&prover).unwrap();
    let funding = FundingWitnesses {
        role: Role::Prover,
        witnesses: vec![Witness::from_slice(&[vec![1; 64]])],
    };
    All {
        offer,
        acceptance,
        prover,
        challenger,
        funding,
        signatures: signed.to_message(),
        graph,
        toy,
    }
}

const ID: [u8; 32] = [0x77; 32];

fn check<M: Message + PartialEq + Debug>(message: &M) -> Vec<u8> {
    let bytes = message.to_bytes(&ID);
    assert_eq!(
        M::from_bytes(&bytes).unwrap(),
        (ID, M::from_bytes(&bytes).unwrap().1)
    );
    assert_eq!(&M::from_bytes(&bytes).unwrap().1, message);
    for length in 0..bytes.len() {
        assert!(
            M::from_bytes(&bytes[..length]).is_err(),
            "{} cut at {length}",
            M::NAME
        );
    }
    for position in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1 << (position % 8);
        assert!(
            M::from_bytes(&damaged).is_err(),
            "{} damaged at {position}",
            M::NAME
        );
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(M::from_bytes(&longer).is_err());
    println!("{}: {} bytes", M::NAME, bytes.len());
    bytes
}

#[test]
fn messages_round_trip_and_no_damage_goes_unseen() {
    let all = all();
    check(&all.offer);
    check(&all.acceptance);
    check(&all.prover);
    check(&all.challenger);
    check(&all.funding);
    check(&all.signatures);
}

#[test]
fn the_messages_are_enough_to_rebuild_the_graph() {
    let all = all();
    let (_, offer) =
        Offer::from_bytes(&all.offer.to_bytes(&all.offer.instance.to_bytes())).unwrap();
    let (_, acceptance) = Acceptance::from_bytes(&all.acceptance.to_bytes(&ID)).unwrap();
    let terms = offer.terms(acceptance.challenger.clone(), all.toy.terms.layout.clone());
    let graph = Graph::new(terms, &all.toy.leaves).unwrap();
    assert_eq!(graph.id(), all.graph.id());
    assert_eq!(
        crate::complete(&graph, &acceptance, &all.prover, &all.challenger)
            .unwrap()
            .to_message(),
        all.signatures
    );
}

/// Frames a body as a correct digest would have it.
fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"tapcourt\x01\x00".to_vec();
    bytes.push(kind);
    bytes.extend_from_slice(&ID);
    bytes.extend_from_slice(body);
    let digest = crate::hash::tagged_hash("tapcourt/message/1", &[&bytes]);
    bytes.extend_from_slice(&digest);
    bytes
}

#[test]
fn well_framed_bodies_that_are_wrong_are_refused() {
    let all = all();
    let body = postcard::to_stdvec(&all.challenger).unwrap();
    assert!(ChallengerPartials::from_bytes(&framed(4, &body)).is_ok());
    let name = ChallengerPartials::NAME;

    let mut longer = body.clone();
    longer.push(0);
    let error = ChallengerPartials::from_bytes(&framed(4, &longer)).unwrap_err();
    assert_eq!(error, MessageError::Trailing { name, bytes: 1 });

    // The list's length, as a varint with a superfluous byte.
    let mut padded = body.clone();
    let length = body.iter().position(|byte| byte & 0x80 == 0).unwrap();
    padded[length] |= 0x80;
    padded.insert(length + 1, 0);
    let error = ChallengerPartials::from_bytes(&framed(4, &padded)).unwrap_err();
    assert_eq!(error, MessageError::NotCanonical { name });

    let error = ChallengerPartials::from_bytes(&framed(4, &[31; 32])).unwrap_err();
    assert!(
        matches!(error, MessageError::Body { .. }),
        "31 bytes are no list of 32-byte entries: {error}"
    );

    let error = Acceptance::from_bytes(&framed(4, &body)).unwrap_err();
    assert_eq!(
        error,
        MessageError::Kind {
            name: Acceptance::NAME,
            got: 4,
            expected: 2
        }
    );

    let mut other_version = framed(4, &body);
    other_version[8] = 2;
    let error = ChallengerPartials::from_bytes(&other_version).unwrap_err();
    assert_eq!(
        error,
        MessageError::Version {
            name,
            got: 2,
            supported: 1
        }
    );

    let error = ChallengerPartials::from_bytes(&vec![0; MAX_MESSAGE_BYTES + 1]).unwrap_err();
    assert!(matches!(error, MessageError::TooLong { .. }));

    // A length of 2^60 does not allocate.
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert!(ChallengerPartials::from_bytes(&framed(4, &huge)).is_err());
    assert!(Offer::from_bytes(&framed(1, &huge)).is_err());
}

proptest! {
    #[test]
    fn random_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Offer::from_bytes(&body);
        let _ = Offer::from_bytes(&framed(1, &body));
        let _ = Acceptance::from_bytes(&framed(2, &body));
        let _ = ProverPartials::from_bytes(&framed(3, &body));
        let _ = ChallengerPartials::from_bytes(&framed(4, &body));
        let _ = FundingWitnesses::from_bytes(&framed(5, &body));
        let _ = Signatures::from_bytes(&framed(6, &body));
    }

    #[test]
    fn offers_with_one_changed_byte_never_panic(position in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let toy = &Toy::shapes()[1];
        let terms = &toy.terms;
        let offer = Offer {
            parameters: terms.parameters.clone(),
            program_digest: terms.program_digest,
            instance: terms.instance,
            prover: terms.prover.clone(),
            one_time_keys: terms.one_time_keys.clone(),
        };
        let mut body = postcard::to_stdvec(&offer).unwrap();
        let position = position.index(body.len());
        body[position] = byte;
        if let Ok((_, changed)) = Offer::from_bytes(&framed(1, &body)) {
            let terms = changed.terms(terms.challenger.clone(), terms.layout.clone());
            let id = terms.contract_id();
            prop_assert_eq!(id == toy.terms.contract_id(), changed == offer);
            let _ = Graph::new(terms, &toy.leaves);
        }
    }
}
