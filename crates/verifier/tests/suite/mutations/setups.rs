//! Mutated setups.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha20Rng;
use tapcourt_protocol::messages::{Acceptance, Message, Offer};
use tapcourt_verifier::{Messages, Part, SetupFault, verify_presigning};

use super::Tally;
use super::bytes::EDITS;
use super::structure::{Parsed, STRUCTURED};
use crate::machine::SUM;
use crate::parties::Parties;
use crate::setup::reframe;

/// How many mutations of each kind.
pub(super) struct Counts {
    /// Changed bytes whose digest is left wrong, by edit.
    damaged: usize,
    /// Changed bodies with a right digest, by edit.
    framed: usize,
    /// Changed bodies of offer and acceptance in a setup that is about the changed contract throughout, by edit.
    consistent: usize,
    /// Messages in the place of others, or under another id.
    exchanged: usize,
    /// Changed fields, by field; the setup is about the changed contract throughout.
    structured: usize,
}

impl Counts {
    pub(super) const fn total(&self) -> usize {
        let edits = (self.damaged + self.framed + self.consistent) * EDITS.len();
        edits + 3 * self.exchanged + self.structured * STRUCTURED.len()
    }
}

pub(super) const CIRCUIT: Counts = Counts {
    damaged: 350,
    framed: 350,
    consistent: 100,
    exchanged: 100,
    structured: 150,
};
pub(super) const TRACE: Counts = Counts {
    damaged: 200,
    framed: 60,
    consistent: 2,
    exchanged: 60,
    structured: 3,
};

/// The five messages of a setup.
pub(super) type Set = [Vec<u8>; 5];

pub(super) const PARTS: [Part; 5] = [
    Part::Offer,
    Part::Acceptance,
    Part::ProverPartials,
    Part::ChallengerPartials,
    Part::Signatures,
];
/// Where the body of a message starts, and how long the digest after it is.
const HEADER_BYTES: usize = 43;
const DIGEST_BYTES: usize = 32;

fn set_of(parties: &Parties) -> Set {
    parties.parts().map(|(_, bytes)| bytes.to_vec())
}

/// Why a setup is refused, which it is if it is not the original.
fn refusal(parties: &Parties, set: &Set) -> SetupFault {
    assert_ne!(*set, set_of(parties));
    let [offer, acceptance, prover, challenger, signatures] = set;
    let messages = Messages {
        offer,
        acceptance,
        partials: Some((prover, challenger)),
        signatures,
    };
    let original = set_of(parties);
    if set[0] == original[0] && is_same_acceptance(&set[1], &original[1]) {
        // The same graph follows, which need not be built again.
        return verify_presigning(&parties.graph, &messages).unwrap_err();
    }
    parties.program.verify_setup(&messages).unwrap_err()
}

/// Whether two acceptances differ in their nonces at most.
fn is_same_acceptance(one: &[u8], other: &[u8]) -> bool {
    let Ok((id, acceptance)) = Acceptance::from_bytes(one) else {
        return false;
    };
    let (original_id, original) = Acceptance::from_bytes(other).unwrap();
    let nonces = original.nonces;
    let acceptance = Acceptance {
        nonces: nonces.clone(),
        ..acceptance
    };
    id == original_id && acceptance == Acceptance { nonces, ..original }
}

/// Mutates one message until it is another.
fn changed(
    rng: &mut ChaCha20Rng,
    original: &Set,
    place: usize,
    mut mutate: impl FnMut(&mut ChaCha20Rng, &mut Vec<u8>),
) -> Set {
    let mut set = original.clone();
    while set[place] == original[place] {
        mutate(rng, &mut set[place]);
    }
    set
}

/// Changes the body of a message, and puts the right digest after it.
fn edit_body(message: &mut Vec<u8>, mut edit: impl FnMut(&mut Vec<u8>)) {
    let mut body = message[HEADER_BYTES..message.len() - DIGEST_BYTES].to_vec();
    edit(&mut body);
    message.truncate(HEADER_BYTES);
    message.extend(body);
    message.extend([0; DIGEST_BYTES]);
    reframe(message);
}

fn mutate_bytes(parties: &Parties, foreign: &Set, counts: &Counts, tally: &mut Tally) {
    let original = set_of(parties);
    for (name, edit) in EDITS {
        tally.run(&format!("{name}, digest wrong"), counts.damaged, |rng| {
            let place = rng.gen_range(0..5);
            let other = [&original, foreign][rng.gen_range(0..2)]
                .choose(rng)
                .unwrap();
            let set = changed(rng, &original, place, |rng, bytes| {
                edit(rng, bytes, other);
            });
            let fault = refusal(parties, &set);
            assert_eq!(fault.part, PARTS[place], "{fault}");
            fault.part.to_string()
        });
        tally.run(&format!("{name}, digest right"), counts.framed, |rng| {
            let place = rng.gen_range(0..5);
            let other = [&original, foreign][rng.gen_range(0..2)]
                .choose(rng)
                .unwrap();
            let body = &other[HEADER_BYTES..other.len() - DIGEST_BYTES];
            let set = changed(rng, &original, place, |rng, bytes| {
                edit_body(bytes, |bytes| edit(rng, bytes, body));
            });
            refusal(parties, &set).part.to_string()
        });
        let kind = format!("{name}, about the changed contract");
        tally.run(&kind, counts.consistent, |rng| {
            let place = rng.gen_range(0..2);
            let mut parsed = None;
            let mut set = original.clone();
            // Few edits leave something that parses.
            for _ in 0..20 {
                set = changed(rng, &original, place, |rng, bytes| {
                    edit_body(bytes, |bytes| edit(rng, bytes, &foreign[place]));
                });
                parsed = parse(&set);
                if parsed.is_some() {
                    break;
                }
            }
            if let Some((offer, acceptance)) = parsed {
                let mut all = Parsed::of(parties);
                (all.offer, all.acceptance) = (offer, acceptance);
                set = all.encode(&parties.program);
            }
            refusal(parties, &set).part.to_string()
        });
    }
}

/// Offer and acceptance, if both still parse.
fn parse(set: &Set) -> Option<(Offer, Acceptance)> {
    let (_, offer) = Offer::from_bytes(&set[0]).ok()?;
    let (_, acceptance) = Acceptance::from_bytes(&set[1]).ok()?;
    Some((offer, acceptance))
}

fn exchange(parties: &Parties, foreign: &Set, counts: &Counts, tally: &mut Tally) {
    let original = set_of(parties);
    tally.run("a message twice", counts.exchanged, |rng| {
        let (place, other) = (rng.gen_range(0..5), rng.gen_range(1..5));
        let mut set = original.clone();
        set[place] = original[(place + other) % 5].clone();
        let fault = refusal(parties, &set);
        assert_eq!(fault.part, PARTS[place], "{fault}");
        fault.part.to_string()
    });
    tally.run("messages of another contract", counts.exchanged, |rng| {
        // Some, not all: those would be the other contract's setup.
        let which = rng.gen_range(1..31);
        let mut set = original.clone();
        for place in 0..5 {
            if which >> place & 1 == 1 {
                set[place] = foreign[place].clone();
            }
        }
        refusal(parties, &set).part.to_string()
    });
    tally.run("another id", counts.exchanged, |rng| {
        let place = rng.gen_range(0..5);
        let set = changed(rng, &original, place, |rng, bytes| {
            match rng.gen_range(0..3) {
                0 => bytes[11..HEADER_BYTES].copy_from_slice(&foreign[place][11..HEADER_BYTES]),
                1 => bytes[rng.gen_range(11..HEADER_BYTES)] ^= 1 << rng.gen_range(0..8),
                _ => bytes[11..HEADER_BYTES].fill(rng.r#gen()),
            }
            reframe(bytes);
        });
        let fault = refusal(parties, &set);
        assert_eq!(fault.part, PARTS[place], "{fault}");
        fault.part.to_string()
    });
}

fn mutate_fields(parties: &Parties, counts: &Counts, tally: &mut Tally) {
    let original = set_of(parties);
    for (name, edit) in STRUCTURED {
        tally.run(name, counts.structured, |rng| {
            let mut parsed = Parsed::of(parties);
            let mut set = original.clone();
            while set == original {
                edit(rng, &mut parsed);
                set = parsed.encode(&parties.program);
            }
            refusal(parties, &set).part.to_string()
        });
    }
}

fn mutate(parties: &Parties, foreign: &Parties, counts: &Counts, what: &str) {
    let mut tally = Tally::default();
    let foreign = set_of(foreign);
    mutate_bytes(parties, &foreign, counts, &mut tally);
    exchange(parties, &foreign, counts, &mut tally);
    mutate_fields(parties, counts, &mut tally);
    tally.print(what);
}

#[test]
fn mutated_setups_of_a_circuit_are_refused() {
    let (parties, foreign) = (Parties::compare(), Parties::adder());
    mutate(&parties, &foreign, &CIRCUIT, "setups of a circuit");
}

#[test]
fn mutated_setups_of_a_trace_are_refused() {
    let (parties, foreign) = (Parties::trace(SUM), Parties::trace(SUM + 1));
    mutate(&parties, &foreign, &TRACE, "setups of a trace");
}

/// Nonces mean nothing once the signatures are there, so without the answers that they go with they are not checked.
#[test]
fn other_nonces_without_the_answers_make_no_difference() {
    let parties = Parties::compare();
    let mut parsed = Parsed::of(&parties);
    let mut nonces: Vec<[u8; 66]> = parsed.acceptance.nonces.iter().copied().collect();
    nonces.reverse();
    parsed.acceptance.nonces = nonces.into_iter().collect();
    let [offer, acceptance, _, _, signatures] = parsed.encode(&parties.program);
    let messages = Messages {
        offer: &offer,
        acceptance: &acceptance,
        partials: None,
        signatures: &signatures,
    };
    let contract = parties.program.verify_setup(&messages).unwrap();
    assert_eq!(contract.graph().id(), parties.graph.id());
    assert_eq!(contract.presigned(), &parties.presigned);
}
