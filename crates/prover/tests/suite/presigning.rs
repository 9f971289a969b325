use tapcourt_protocol::messages::{Acceptance, Message, ProverPartials};
use tapcourt_protocol::{PresignError, Role, complete};
use tapcourt_prover::presign::{PresigningError, accept, answer, countersign};
use tapcourt_prover::{Store, StoreError};
use tapcourt_verifier::Messages;

use crate::game::one_time_keys;
use crate::machine::SUM;
use crate::parties::Parties;
use crate::store::instance;

struct Stores {
    directory: tempfile::TempDir,
}

impl Stores {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["prover", "challenger"] {
            Store::create(&directory.path().join(name), instance()).unwrap();
        }
        Self { directory }
    }

    /// Every call opens the file anew: a restart between any two steps.
    fn open(&self, name: &str) -> Store {
        Store::open(&self.directory.path().join(name)).unwrap()
    }
}

#[test]
fn presigning_goes_on_after_restarts_between_all_steps() {
    let parties = Parties::compare();
    let (graph, stores) = (&parties.graph, Stores::new());
    let acceptance = accept(
        &stores.open("challenger"),
        graph,
        &parties.challenger,
        [1; 32],
    )
    .unwrap();
    let again = accept(
        &stores.open("challenger"),
        graph,
        &parties.challenger,
        [2; 32],
    )
    .unwrap();
    assert_eq!(acceptance, again, "a restart takes up the session");
    let ours = answer(
        &stores.open("prover"),
        graph,
        &parties.prover,
        [3; 32],
        &acceptance,
    )
    .unwrap();
    assert_eq!(
        ours,
        answer(
            &stores.open("prover"),
            graph,
            &parties.prover,
            [4; 32],
            &acceptance
        )
        .unwrap()
    );
    let (presigned, partials) = countersign(
        &stores.open("challenger"),
        graph,
        &parties.challenger,
        &ours,
    )
    .unwrap();
    let (same, again) = countersign(
        &stores.open("challenger"),
        graph,
        &parties.challenger,
        &ours,
    )
    .unwrap();
    assert_eq!((&presigned, &partials), (&same, &again));
    assert_eq!(
        complete(graph, &acceptance, &ours, &partials).unwrap(),
        presigned
    );
}

#[test]
fn a_session_never_answers_two_messages() {
    let parties = Parties::compare();
    let (graph, stores) = (&parties.graph, Stores::new());
    let acceptance = accept(
        &stores.open("challenger"),
        graph,
        &parties.challenger,
        [1; 32],
    )
    .unwrap();
    // The prover signs twice, with nonces of another session: each answer alone is right.
    let elsewhere = Stores::new();
    let first = answer(
        &stores.open("prover"),
        graph,
        &parties.prover,
        [3; 32],
        &acceptance,
    )
    .unwrap();
    let second = answer(
        &elsewhere.open("prover"),
        graph,
        &parties.prover,
        [4; 32],
        &acceptance,
    )
    .unwrap();
    assert_ne!(first, second);
    countersign(
        &stores.open("challenger"),
        graph,
        &parties.challenger,
        &first,
    )
    .unwrap();
    let error = countersign(
        &stores.open("challenger"),
        graph,
        &parties.challenger,
        &second,
    )
    .unwrap_err();
    assert!(
        matches!(
            error,
            PresigningError::Store(StoreError::SessionUsed { .. })
        ),
        "{error}"
    );
    // The prover's store signs for one acceptance only.
    let other = accept(
        &elsewhere.open("challenger"),
        graph,
        &parties.challenger,
        [9; 32],
    )
    .unwrap();
    let error = answer(
        &stores.open("prover"),
        graph,
        &parties.prover,
        [3; 32],
        &other,
    )
    .unwrap_err();
    assert!(
        matches!(
            error,
            PresigningError::Store(StoreError::SessionUsed { .. })
        ),
        "{error}"
    );
    println!("{error}");
}

#[test]
fn a_wrong_message_leaves_the_session_free_for_the_right_one() {
    let parties = Parties::compare();
    let (graph, stores) = (&parties.graph, Stores::new());
    let acceptance = accept(
        &stores.open("challenger"),
        graph,
        &parties.challenger,
        [1; 32],
    )
    .unwrap();
    let right = answer(
        &stores.open("prover"),
        graph,
        &parties.prover,
        [3; 32],
        &acceptance,
    )
    .unwrap();
    let mut wrong = right.clone();
    let mut partials: Vec<[u8; 32]> = wrong.partials.iter().copied().collect();
    partials.swap(0, 1);
    wrong.partials = partials.into_iter().collect();
    let error = countersign(
        &stores.open("challenger"),
        graph,
        &parties.challenger,
        &wrong,
    )
    .unwrap_err();
    assert!(
        matches!(
            error,
            PresigningError::Presign(PresignError::Invalid { .. })
        ),
        "{error}"
    );
    assert!(
        countersign(
            &stores.open("challenger"),
            graph,
            &parties.challenger,
            &right
        )
        .is_ok()
    );
}

#[test]
fn a_session_that_was_never_opened_signs_nothing() {
    let parties = Parties::compare();
    let (graph, stores) = (&parties.graph, Stores::new());
    let (_, acceptance) = Acceptance::from_bytes(&parties.acceptance).unwrap();
    let right = answer(
        &stores.open("prover"),
        graph,
        &parties.prover,
        [3; 32],
        &acceptance,
    )
    .unwrap();
    let error = countersign(
        &stores.open("challenger"),
        graph,
        &parties.challenger,
        &right,
    )
    .unwrap_err();
    assert!(
        matches!(error, PresigningError::Store(StoreError::NoSession { .. })),
        "{error}"
    );
}

/// Both parties know only the program, their own secrets and the messages, and start again before each of these.
#[test]
fn a_contract_about_a_trace_is_made_by_messages() {
    let parties = Parties::trace(SUM);
    let (program, stores) = (&parties.program, Stores::new());
    // The challenger takes the offer.
    let offer = program.verify_offer(&parties.offer).unwrap();
    let keys = one_time_keys(&parties, Role::Challenger).public_keys();
    let party = parties.graph.terms().challenger.clone();
    let theirs = program.graph(&offer, party, &keys, None).unwrap();
    let accepted = accept(
        &stores.open("challenger"),
        &theirs,
        &parties.challenger,
        [1; 32],
    );
    let acceptance = accepted.unwrap().to_bytes(theirs.id().as_bytes());
    // The prover comes to the same graph, and signs.
    let (ours, parsed) = program.verify_graph(&parties.offer, &acceptance).unwrap();
    assert_eq!(ours.id(), theirs.id());
    let signed = answer(
        &stores.open("prover"),
        &ours,
        &parties.prover,
        [3; 32],
        &parsed,
    );
    let prover_partials = signed.unwrap().to_bytes(ours.id().as_bytes());
    let (_, signed) = ProverPartials::from_bytes(&prover_partials).unwrap();
    let (presigned, partials) = countersign(
        &stores.open("challenger"),
        &theirs,
        &parties.challenger,
        &signed,
    )
    .unwrap();
    let completed = complete(&ours, &parsed, &signed, &partials).unwrap();
    assert_eq!(completed, presigned);
    // Anybody can check it.
    let id = *ours.id().as_bytes();
    let messages = Messages {
        offer: &parties.offer,
        acceptance: &acceptance,
        partials: Some((&prover_partials, &partials.to_bytes(&id))),
        signatures: &presigned.to_message().to_bytes(&id),
    };
    let contract = program.verify_setup(&messages).unwrap();
    assert_eq!(contract.presigned(), &presigned);
}
