//! Each lint, on a graph that is broken on purpose.

use bitcoin::{Amount, ScriptBuf, Sequence};
use tapcourt_script::script;
use tapcourt_script::taptree::LeafSource;

use super::toy::Toy;
use crate::connectors::anchor::anchor_output;
use crate::lint::{Finding, LeafRef, lint};
use crate::size::GroupSize;
use crate::transactions::TransactionKind as Kind;
use crate::transactions::{OutputRef, Presigned};
use crate::{DisproveLeaves, Graph, LayoutError, OutputKind, Stage};

fn toy() -> Toy {
    Toy::shapes().swap_remove(2)
}

/// Breaks a graph and returns what is found.
fn findings(change: impl Fn(&mut Graph)) -> Vec<Finding> {
    let toy = toy();
    let mut graph = toy.graph();
    change(&mut graph);
    let findings = lint(&graph, &toy.disprove_leaves());
    for finding in &findings {
        println!("{finding}");
    }
    findings
}

fn transaction(graph: &mut Graph, kind: Kind) -> &mut Presigned {
    graph
        .presigned
        .iter_mut()
        .find(|presigned| presigned.kind == kind)
        .unwrap()
}

/// Replaces the leaf of an input, as if the output had been made for it.
fn with_leaf(kind: Kind, vin: usize, leaf: ScriptBuf) -> Vec<Finding> {
    findings(|graph| transaction(graph, kind).inputs[vin].script = leaf.clone())
}

#[test]
fn sound_graphs_have_no_findings() {
    for toy in Toy::shapes() {
        assert_eq!(
            lint(&toy.graph(), &toy.disprove_leaves()),
            [],
            "{}",
            toy.name
        );
    }
}

#[test]
fn an_output_without_a_timeout_twin_is_found() {
    for (removed, output) in [
        (
            Kind::AssertTimeout(Stage::Dispute, 1),
            OutputRef {
                transaction: Kind::Assert(Stage::Dispute, 0),
                vout: 0,
            },
        ),
        (
            Kind::AssertTimeout(Stage::Dispute, 0),
            OutputRef {
                transaction: Kind::Challenge,
                vout: 0,
            },
        ),
        (
            Kind::PayoutDisputed(Stage::Dispute),
            OutputRef {
                transaction: toy().graph().outcome_parent(Stage::Dispute).unwrap().kind,
                vout: 0,
            },
        ),
        (
            Kind::Expire,
            OutputRef {
                transaction: Kind::Contract,
                vout: 0,
            },
        ),
        (
            Kind::Payout,
            OutputRef {
                transaction: toy()
                    .graph()
                    .output(Kind::Kickoff(0), OutputKind::Pot)
                    .unwrap()
                    .transaction,
                vout: 0,
            },
        ),
    ] {
        let findings = findings(|graph| {
            graph
                .presigned
                .retain(|presigned| presigned.kind != removed)
        });
        let found = findings
            .iter()
            .any(|finding| matches!(finding, Finding::NoTimeoutTwin { output: found, .. } if *found == output));
        assert!(found, "without {removed}, {output} has no twin");
    }
}

#[test]
fn an_internal_key_that_somebody_knows_is_found() {
    let findings = findings(|graph| {
        let own = graph.terms.prover.x_only_key();
        transaction(graph, Kind::Challenge).outputs[0]
            .taproot
            .as_mut()
            .unwrap()
            .0 = own;
    });
    let output = OutputRef {
        transaction: Kind::Challenge,
        vout: 0,
    };
    assert!(findings.iter().any(
        |finding| matches!(finding, Finding::InternalKey { output: found, .. } if *found == output)
    ));
    assert!(findings.iter().any(
        |finding| matches!(finding, Finding::NotTaproot { output: found, .. } if *found == output)
    ));
}

#[test]
fn an_output_with_a_key_path_hidden_in_its_script_is_found() {
    let findings = findings(|graph| {
        let own = graph.terms.prover.payout_script.clone();
        transaction(graph, Kind::Assert(Stage::Dispute, 0))
            .transaction
            .output[0]
            .script_pubkey = own;
    });
    let output = OutputRef {
        transaction: Kind::Assert(Stage::Dispute, 0),
        vout: 0,
    };
    assert!(findings.contains(&Finding::NotTaproot {
        output,
        kind: OutputKind::Connector(0)
    }));
}

#[test]
fn an_input_that_spends_something_else_is_found() {
    let foreign = Finding::ForeignInput {
        transaction: Kind::Payout,
        vin: 1,
    };
    let vout = findings(|graph| {
        transaction(graph, Kind::Payout).transaction.input[1]
            .previous_output
            .vout += 1
    });
    assert!(vout.contains(&foreign));
    let value = findings(|graph| {
        transaction(graph, Kind::Payout).inputs[1].prevout.value += Amount::from_sat(1)
    });
    assert!(value.contains(&foreign));
    let source = findings(|graph| transaction(graph, Kind::Payout).inputs[1].source.vout = 99);
    assert!(source.contains(&foreign));
    let control = findings(|graph| {
        let other = graph.terms.prover.x_only_key();
        transaction(graph, Kind::Payout).inputs[1]
            .control_block
            .internal_key = other;
    });
    assert!(control.contains(&foreign));
}

#[test]
fn timelocks_that_disagree_are_found() {
    let is_timelock = |finding: &Finding| {
        matches!(
            finding,
            Finding::Timelock {
                transaction: Kind::AssertTimeout(Stage::Dispute, 0),
                vin: 0,
                ..
            }
        )
    };
    let short = findings(|graph| {
        transaction(graph, Kind::AssertTimeout(Stage::Dispute, 0))
            .transaction
            .input[0]
            .sequence = Sequence::from_height(1);
    });
    assert!(short.iter().any(is_timelock));
    let delta =
        findings(|graph| graph.terms.parameters.delta = crate::RelativeBlocks::new(9).unwrap());
    assert!(delta.iter().any(is_timelock));
    let key = toy().graph().aggregate_key().x_only();
    let none = with_leaf(
        Kind::AssertTimeout(Stage::Dispute, 0),
        0,
        script! { { key } OP_CHECKSIG },
    );
    assert!(none.iter().any(is_timelock));
    let late = with_leaf(
        Kind::Challenge,
        1,
        script! { { 5 } OP_CHECKSEQUENCEVERIFY OP_DROP { key } OP_CHECKSIG },
    );
    assert!(late.iter().any(|finding| matches!(
        finding,
        Finding::Timelock {
            transaction: Kind::Challenge,
            vin: 1,
            ..
        }
    )));
}

#[test]
fn transactions_that_would_not_relay_are_found() {
    let fee = Finding::FeeOrAnchor {
        transaction: Kind::Payout,
    };
    assert!(
        findings(
            |graph| transaction(graph, Kind::Payout).transaction.output[0].value -=
                Amount::from_sat(1)
        )
        .contains(&fee)
    );
    assert!(
        findings(|graph| transaction(graph, Kind::Payout)
            .transaction
            .output
            .push(anchor_output()))
        .contains(&fee)
    );
    let version = findings(|graph| transaction(graph, Kind::Payout).transaction.version.0 = 2);
    assert!(version.contains(&Finding::Version {
        transaction: Kind::Payout,
        got: 2
    }));
    let resized =
        |change: &dyn Fn(&mut GroupSize)| findings(|graph| change(graph.sizes.value_mut(0)));
    let heavy = resized(&|size| size.script_bytes = 50_000);
    assert!(heavy.iter().any(|finding| matches!(
        finding,
        Finding::TooHeavy {
            limit_wu: 40_000,
            ..
        }
    )));
    let deep = resized(&|size| size.max_stack = 1_000);
    assert!(
        deep.iter()
            .any(|finding| matches!(finding, Finding::Stack { limit: 1_000, .. }))
    );
    let long = resized(&|size| size.witness_bytes_max = 90 * size.items);
    assert!(
        long.iter()
            .any(|finding| matches!(finding, Finding::ItemTooLong { limit: 80, .. }))
    );
}

#[test]
fn leaves_that_anyone_can_spend_are_found() {
    let key = toy().graph().aggregate_key().x_only();
    let leaf = LeafRef::Presigned {
        transaction: Kind::Payout,
        vin: 1,
    };
    let mut success = script! { OP_1 OP_DROP }.into_bytes();
    success.extend([0x50]);
    success.extend(script! { { key } OP_CHECKSIG }.into_bytes());
    let found = with_leaf(Kind::Payout, 1, ScriptBuf::from_bytes(success));
    assert!(found.contains(&Finding::OpSuccess { leaf, position: 2 }));
    let short = with_leaf(
        Kind::Payout,
        1,
        script! { { vec![2_u8; 33] } OP_CHECKSIGVERIFY { key } OP_CHECKSIG },
    );
    assert!(short.contains(&Finding::KeyLength { leaf, position: 34 }));
    let truncated = with_leaf(Kind::Payout, 1, ScriptBuf::from_bytes(vec![0x20, 1, 2]));
    assert!(truncated.contains(&Finding::Undecodable { leaf }));
    assert!(truncated.contains(&Finding::NotPresigned { leaf }));
    let unsigned = with_leaf(Kind::Payout, 1, script! { OP_1 });
    assert!(unsigned.contains(&Finding::NotPresigned { leaf }));
}

#[test]
fn a_challenge_the_prover_could_make_is_found() {
    let key = toy().graph().aggregate_key().x_only();
    let found = with_leaf(Kind::Challenge, 0, script! { { key } OP_CHECKSIG });
    assert!(found.contains(&Finding::ChallengeWithoutChallenger));
}

#[test]
fn a_publishing_leaf_that_does_not_open_its_groups_is_found() {
    let key = toy().graph().aggregate_key().x_only();
    let found = with_leaf(
        Kind::Assert(Stage::Dispute, 0),
        0,
        script! { { key } OP_CHECKSIG },
    );
    assert!(found.contains(&Finding::PublishLeaf {
        transaction: Kind::Assert(Stage::Dispute, 0),
        vin: 0
    }));
    let moved = findings(|graph| {
        transaction(graph, Kind::Assert(Stage::Dispute, 0)).inputs[0]
            .publications
            .reverse()
    });
    let single = toy()
        .graph()
        .transaction(Kind::Assert(Stage::Dispute, 0))
        .unwrap()
        .inputs[0]
        .publications
        .len()
        == 1;
    assert!(
        single
            || moved.contains(&Finding::PublishLeaf {
                transaction: Kind::Assert(Stage::Dispute, 0),
                vin: 0
            })
    );
}

#[test]
fn a_one_time_key_used_twice_is_found() {
    let twice = findings(|graph| {
        let claimed = graph.terms.layout.claim[0].batches[0].publications[0];
        transaction(graph, Kind::Assert(Stage::Dispute, 0)).inputs[0]
            .publications
            .push(claimed);
    });
    let claimed = toy().terms.layout.claim[0].batches[0].publications[0];
    let group = claimed.group();
    assert!(twice.contains(&Finding::Layout(LayoutError::PublishedTwice { group })));
    let layout = findings(|graph| {
        graph.terms.layout.dispute[0].batches[0]
            .publications
            .push(claimed)
    });
    assert!(layout.contains(&Finding::Layout(LayoutError::PublishedTwice { group })));
    let never = findings(|graph| {
        transaction(graph, Kind::Kickoff(0)).inputs[0]
            .publications
            .clear()
    });
    assert!(never.contains(&Finding::Layout(LayoutError::NeverPublished { group })));
    let shared =
        findings(|graph| graph.terms.one_time_keys[1] = graph.terms.one_time_keys[0].clone());
    assert!(shared.contains(&Finding::SharedChain { one: 0, other: 1 }));
}

/// Replaces a disprove leaf of a sound graph.
fn with_disprove_leaf(toy: &Toy, stage: Stage, index: usize, leaf: ScriptBuf) -> Vec<Finding> {
    let (mut dispute, mut opening) = (toy.leaves.clone(), toy.opening_leaves.clone());
    match stage {
        Stage::Dispute => dispute[index] = leaf,
        Stage::Opening => opening.as_mut().unwrap()[index] = leaf,
    }
    lint(&toy.graph(), &disprove_leaves(&dispute, opening.as_ref()))
}

fn disprove_leaves<'a>(
    dispute: &'a Vec<ScriptBuf>,
    opening: Option<&'a Vec<ScriptBuf>>,
) -> DisproveLeaves<'a> {
    DisproveLeaves {
        dispute,
        opening: opening.map(|leaves| leaves as &dyn LeafSource),
    }
}

#[test]
fn disprove_leaves_that_are_wrong_are_found() {
    let search = Toy::searches().swap_remove(0);
    for (toy, stage) in [
        (&toy(), Stage::Dispute),
        (&search, Stage::Dispute),
        (&search, Stage::Opening),
    ] {
        let with = |leaf| with_disprove_leaf(toy, stage, 1, leaf);
        let leaf = LeafRef::Disprove(stage, 1);
        let found = with(script! { OP_1 });
        assert_eq!(
            found,
            [
                Finding::NotTheChallengers { leaf },
                Finding::OutcomeTree { stage }
            ]
        );
        let challenger = toy.terms.challenger.x_only_key();
        let mut success = script! { { challenger } OP_CHECKSIGVERIFY }.into_bytes();
        success.push(0xbb);
        assert_eq!(
            with(ScriptBuf::from_bytes(success)),
            [
                Finding::OpSuccess { leaf, position: 34 },
                Finding::OutcomeTree { stage }
            ]
        );
        let long = script! { { challenger } OP_CHECKSIGVERIFY { vec![script! { OP_1 OP_DROP }; 20_000] } OP_1 };
        let found = with(long);
        assert!(found.iter().any(|finding| matches!(
            finding,
            Finding::LeafTooLarge {
                leaf: LeafRef::Disprove(found, 1),
                limit_wu: 40_000,
                ..
            } if *found == stage
        )));
    }
}

#[test]
fn outcomes_that_do_not_commit_to_their_leaves_are_found() {
    let fewer = |leaves: &[ScriptBuf]| leaves[1..].to_vec();
    let (toy, search) = (toy(), Toy::searches().swap_remove(0));
    let (dispute, opening) = (&search.leaves, search.opening_leaves.as_ref().unwrap());
    let of = |stage| Finding::OutcomeTree { stage };
    let found = lint(
        &toy.graph(),
        &DisproveLeaves::of_dispute(&fewer(&toy.leaves)),
    );
    assert_eq!(found, [of(Stage::Dispute)]);
    let found = lint(
        &search.graph(),
        &disprove_leaves(&fewer(dispute), Some(opening)),
    );
    assert_eq!(found, [of(Stage::Dispute)]);
    let found = lint(
        &search.graph(),
        &disprove_leaves(dispute, Some(&fewer(opening))),
    );
    assert_eq!(found, [of(Stage::Opening)]);
    // Leaves of the opening after the dispute also open what is not published by then.
    let found = lint(&search.graph(), &disprove_leaves(opening, Some(dispute)));
    for stage in [Stage::Dispute, Stage::Opening] {
        assert!(found.contains(&of(stage)));
    }
    let found = lint(&search.graph(), &DisproveLeaves::of_dispute(dispute));
    assert_eq!(found, [of(Stage::Opening)]);
    let found = lint(&toy.graph(), &disprove_leaves(&toy.leaves, Some(opening)));
    assert_eq!(found, [of(Stage::Opening)]);
}
