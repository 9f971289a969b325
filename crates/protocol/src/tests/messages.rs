use std::fmt::Debug;

use bitcoin::Witness;
use proptest::prelude::*;
use tapcourt_commitment::PublicKey as OneTimeKey;

use super::toy::Toy;
use crate::messages::{
    Acceptance, ChallengerPartials, FundingWitnesses, MAX_MESSAGE_BYTES, Message, MessageError,
    Offer, ProverPartials, Signatures,
};
use crate::{
    ChallengerSession, Graph, PresignError, Role, SessionSecret, Terms, TermsError, prover_sign,
};

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

/// The one-time keys of a party, by group number.
fn keys_of(terms: &Terms, role: Role) -> Vec<OneTimeKey> {
    terms.keys_of(role).map(|(_, key)| key.clone()).collect()
}

/// The messages of a contract without choices.
fn all() -> All {
    all_of(Toy::shapes().swap_remove(2))
}

fn all_of(toy: Toy) -> All {
    let graph = toy.graph();
    let terms = &toy.terms;
    let offer = Offer {
        parameters: terms.parameters.clone(),
        program_digest: terms.program_digest,
        instance: terms.instance,
        prover: terms.prover.clone(),
        one_time_keys: keys_of(terms, Role::Prover),
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
    for toy in [Toy::shapes().swap_remove(2), Toy::searches().swap_remove(1)] {
        let all = all_of(toy);
        check(&all.offer);
        check(&all.acceptance);
        check(&all.prover);
        check(&all.challenger);
        check(&all.funding);
        check(&all.signatures);
    }
}

#[test]
fn the_messages_are_enough_to_rebuild_the_graph() {
    for toy in Toy::shapes() {
        let all = all_of(toy);
        let (_, offer) =
            Offer::from_bytes(&all.offer.to_bytes(&all.offer.instance.to_bytes())).unwrap();
        let (_, acceptance) = Acceptance::from_bytes(&all.acceptance.to_bytes(&ID)).unwrap();
        let layout = all.toy.terms.layout.clone();
        let groups = all.toy.secrets.len();
        let terms = offer
            .terms(
                acceptance.challenger.clone(),
                &acceptance.one_time_keys,
                layout,
                groups,
            )
            .unwrap();
        assert_eq!(terms, all.toy.terms);
        let graph = Graph::new(terms, &all.toy.disprove_leaves()).unwrap();
        assert_eq!(graph.id(), all.graph.id());
        assert_eq!(
            crate::complete(&graph, &acceptance, &all.prover, &all.challenger)
                .unwrap()
                .to_message(),
            all.signatures
        );
    }
}

#[test]
fn each_party_has_one_key_for_each_of_its_groups() {
    for toy in Toy::shapes() {
        let all = all_of(toy);
        let terms = &all.toy.terms;
        let groups = all.toy.secrets.len();
        let join = |provers: &[OneTimeKey], challengers: &[OneTimeKey], groups| {
            let offer = Offer {
                one_time_keys: provers.to_vec(),
                ..all.offer.clone()
            };
            let challenger = terms.challenger.clone();
            offer.terms(challenger, challengers, terms.layout.clone(), groups)
        };
        let provers = keys_of(terms, Role::Prover);
        let challengers = keys_of(terms, Role::Challenger);
        let wrong = |role, got, expected| {
            Err(TermsError::KeyCount {
                role,
                got,
                expected,
            })
        };
        assert_eq!(join(&provers, &challengers, groups).as_ref(), Ok(terms));
        let count = provers.len();
        assert_eq!(
            join(&provers[1..], &challengers, groups),
            wrong(Role::Prover, count - 1, count)
        );
        let more = [&provers[..], &provers[..1]].concat();
        assert_eq!(
            join(&more, &challengers, groups),
            wrong(Role::Prover, count + 1, count)
        );
        let others = challengers.len();
        let more = [&challengers[..], &provers[..1]].concat();
        assert_eq!(
            join(&provers, &more, groups),
            wrong(Role::Challenger, others + 1, others)
        );
        if let Some((_, fewer)) = challengers.split_first() {
            assert_eq!(
                join(&provers, fewer, groups),
                wrong(Role::Challenger, others - 1, others)
            );
            // The right number in all, and the wrong numbers of each.
            let more = [&provers[..], &challengers[..1]].concat();
            assert_eq!(
                join(&more, fewer, groups),
                wrong(Role::Prover, count + 1, count)
            );
        }
        assert_eq!(
            join(&provers, &challengers, groups + 1),
            wrong(Role::Prover, count, count + 1)
        );
    }
}

#[test]
fn an_acceptance_is_of_the_challengers_keys_in_the_terms() {
    for toy in Toy::searches() {
        let all = all_of(toy);
        let sign = |acceptance: &Acceptance| {
            let secret = SessionSecret::from_bytes([5; 32]);
            prover_sign(&all.graph, &all.toy.prover, &secret, acceptance)
        };
        assert_eq!(sign(&all.acceptance).as_ref(), Ok(&all.prover));
        let keys = &all.acceptance.one_time_keys;
        let refused = |one_time_keys: Vec<OneTimeKey>| {
            let acceptance = Acceptance {
                one_time_keys,
                ..all.acceptance.clone()
            };
            let other = Some(PresignError::OtherChallenger);
            assert_eq!(sign(&acceptance).err(), other);
            let completed = crate::complete(&all.graph, &acceptance, &all.prover, &all.challenger);
            assert_eq!(completed.err(), other);
        };
        refused(Vec::new());
        refused(keys[1..].to_vec());
        refused([&keys[..], &keys[..1]].concat());
        if keys.len() > 1 {
            let mut swapped = keys.clone();
            swapped.swap(0, 1);
            refused(swapped);
        }
        for index in 0..keys.len() {
            let mut other = keys.clone();
            let mut ends = other[index].ends().to_vec();
            ends[1][19] ^= 1;
            other[index] = OneTimeKey::new(other[index].parameters().clone(), ends).unwrap();
            refused(other);
        }
    }
}

#[test]
fn an_offers_digest_covers_all_of_it() {
    let offer = all_of(Toy::searches().swap_remove(0)).offer;
    let mut digests = std::collections::BTreeSet::from([offer.digest()]);
    let mut differs = |change: &dyn Fn(&mut Offer)| {
        let mut other = offer.clone();
        change(&mut other);
        assert!(digests.insert(other.digest()));
    };
    differs(&|offer| offer.parameters.delta = crate::RelativeBlocks::new(7).unwrap());
    differs(&|offer| offer.program_digest[31] ^= 1);
    differs(&|offer| offer.instance = crate::InstanceId::from_bytes([0x12; 32]));
    differs(&|offer| offer.prover.change.clear());
    differs(&|offer| offer.one_time_keys.swap(0, 1));
    differs(&|offer| offer.one_time_keys.truncate(1));
    assert_eq!(offer.digest(), offer.clone().digest());
}

/// Frames a body as a correct digest would have it.
fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"tapcourt\x02\x00".to_vec();
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
    other_version[8] = 1;
    let error = ChallengerPartials::from_bytes(&other_version).unwrap_err();
    assert_eq!(
        error,
        MessageError::Version {
            name,
            got: 1,
            supported: 2
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
            one_time_keys: keys_of(terms, Role::Prover),
        };
        let mut body = postcard::to_stdvec(&offer).unwrap();
        let position = position.index(body.len());
        body[position] = byte;
        if let Ok((_, changed)) = Offer::from_bytes(&framed(1, &body)) {
            let groups = terms.one_time_keys.len();
            let joined = changed.terms(terms.challenger.clone(), &[], terms.layout.clone(), groups);
            if let Ok(terms) = joined {
                let id = terms.contract_id();
                prop_assert_eq!(id == toy.terms.contract_id(), changed == offer);
                let _ = Graph::new(terms, &toy.disprove_leaves());
            }
        }
    }

    #[test]
    fn acceptances_with_one_changed_byte_never_panic(position in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let all = all_of(Toy::searches().swap_remove(1));
        let terms = &all.toy.terms;
        let mut body = postcard::to_stdvec(&all.acceptance).unwrap();
        let position = position.index(body.len());
        body[position] = byte;
        if let Ok((_, changed)) = Acceptance::from_bytes(&framed(2, &body)) {
            let groups = terms.one_time_keys.len();
            let joined = all.offer.terms(
                changed.challenger.clone(),
                &changed.one_time_keys,
                terms.layout.clone(),
                groups,
            );
            if let Ok(joined) = joined {
                let is_same = changed.challenger == all.acceptance.challenger
                    && changed.one_time_keys == all.acceptance.one_time_keys;
                prop_assert_eq!(joined.contract_id() == terms.contract_id(), is_same);
                let _ = Graph::new(joined, &all.toy.disprove_leaves());
            }
            let secret = SessionSecret::from_bytes([5; 32]);
            let answer = prover_sign(&all.graph, &all.toy.prover, &secret, &changed);
            prop_assert!(changed == all.acceptance || answer != Ok(all.prover));
        }
    }
}
