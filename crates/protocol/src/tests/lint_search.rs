//! The lints on searches, each on a graph that is broken on purpose.

use bitcoin::key::{Secp256k1, TapTweak};
use bitcoin::taproot::{LeafVersion, TapNodeHash};
use bitcoin::{Amount, ScriptBuf};
use tapcourt_commitment::{Parameters as Shape, PublicKey as OneTimeKey, SecretKey};
use tapcourt_script::script;
use tapcourt_script::taptree::LeafSource;

use super::toy::Toy;
use crate::connectors::publish::publish_leaf;
use crate::lint::{Finding, LeafRef, lint};
use crate::transactions::{OutputKind, OutputRef, Presigned, TransactionKind as Kind};
use crate::{Batch, DisproveLeaves, Graph, LayoutError, Publication, Role, Stage};

const SELECT: Kind = Kind::Select(Stage::Dispute, 0);
const REPEAT: Kind = Kind::Assert(Stage::Dispute, 1);

fn toy() -> Toy {
    Toy::searches().swap_remove(0)
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
    let presigned = &mut graph.presigned;
    presigned.iter_mut().find(|one| one.kind == kind).unwrap()
}

/// Replaces what an input publishes and its leaf, as if the output had been made for it.
fn publish_instead(graph: &mut Graph, kind: Kind, publications: Vec<Publication>) {
    let key = graph.aggregate_key().x_only();
    let leaf = publish_leaf(key, &graph.terms.one_time_keys, &publications);
    let input = &mut transaction(graph, kind).inputs[0];
    input.script = leaf;
    input.publications = publications;
}

fn publications(kind: Kind) -> Vec<Publication> {
    let graph = toy().graph();
    graph.transaction(kind).unwrap().inputs[0]
        .publications
        .clone()
}

/// The agreement among what an input publishes.
fn agreement(kind: Kind) -> (usize, usize) {
    let publications = publications(kind);
    let found = publications.iter().find_map(|one| match *one {
        Publication::Agreement { theirs, own } => Some((theirs, own)),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn sound_searches_have_no_findings() {
    for toy in Toy::searches() {
        assert_eq!(
            lint(&toy.graph(), &toy.disprove_leaves()),
            [],
            "{}",
            toy.name
        );
    }
}

#[test]
fn a_move_without_its_timeout_is_found() {
    let graph = toy().graph();
    let moves: Vec<Kind> = graph
        .terms()
        .layout
        .all_kinds()
        .map(|(kind, _)| kind)
        .collect();
    for kind in moves.into_iter().skip(1) {
        let output = graph.transaction(kind).unwrap().inputs[0].source;
        let found = findings(|graph| {
            let late = kind.timeout().unwrap();
            graph.presigned.retain(|presigned| presigned.kind != late);
        });
        assert!(
            found.iter().any(|finding| matches!(finding, Finding::NoTimeoutTwin { output: found, .. } if *found == output)),
            "{kind}"
        );
        assert!(
            found.contains(&Finding::Late { transaction: kind }),
            "{kind}"
        );
    }
}

#[test]
fn a_timeout_that_pays_who_is_late_is_found() {
    for kind in [
        SELECT,
        REPEAT,
        Kind::OPEN,
        Kind::Select(Stage::Opening, 1),
        Kind::Assert(Stage::Opening, 0),
    ] {
        let late = Finding::Late { transaction: kind };
        let timeout = kind.timeout().unwrap();
        let to_who_is_late = findings(|graph| {
            let script = graph
                .terms
                .party(kind.mover().unwrap())
                .payout_script
                .clone();
            transaction(graph, timeout).transaction.output[0].script_pubkey = script;
        });
        assert!(to_who_is_late.contains(&late), "{kind}");
        let shared = findings(|graph| {
            let script = graph
                .terms
                .party(kind.mover().unwrap())
                .payout_script
                .clone();
            let timeout = transaction(graph, timeout);
            let half = Amount::from_sat(1_000);
            timeout.transaction.output[0].value -= half;
            let mut output = timeout.transaction.output[0].clone();
            (output.value, output.script_pubkey) = (half, script);
            timeout.transaction.output.push(output);
            timeout.outputs.push(timeout.outputs[0].clone());
        });
        assert!(shared.contains(&late), "{kind}");
        let bribed_by_anchor = findings(|graph| {
            let timeout = transaction(graph, timeout);
            timeout.transaction.output.swap(0, 1);
        });
        assert!(bribed_by_anchor.contains(&late), "{kind}");
    }
    let other = findings(|graph| {
        let elsewhere = OutputRef {
            transaction: Kind::Challenge,
            vout: 0,
        };
        transaction(graph, Kind::SelectTimeout(Stage::Dispute, 0)).inputs[0].source = elsewhere;
    });
    assert!(other.contains(&Finding::Late {
        transaction: SELECT
    }));
}

#[test]
fn a_move_out_of_its_order_is_found() {
    let skipped = findings(|graph| {
        let before = graph.transaction(SELECT).unwrap().inputs[0].clone();
        let input = &mut transaction(graph, REPEAT).inputs[0];
        input.source = before.source;
        input.prevout = before.prevout;
    });
    assert!(skipped.contains(&Finding::OutOfOrder {
        transaction: REPEAT,
        vin: 0
    }));
    let opened = findings(|graph| {
        let source = graph.transaction(REPEAT).unwrap().inputs[0].source;
        transaction(graph, Kind::OPEN).inputs[0].source = source;
    });
    assert!(opened.contains(&Finding::OutOfOrder {
        transaction: Kind::OPEN,
        vin: 0
    }));
    let bond = findings(|graph| {
        let bond = graph.output(Kind::Contract, OutputKind::Bond).unwrap();
        transaction(graph, Kind::Kickoff(0)).inputs[0].source = bond;
    });
    assert!(bond.contains(&Finding::OutOfOrder {
        transaction: Kind::Kickoff(0),
        vin: 0
    }));
}

#[test]
fn an_agreement_with_what_was_not_chosen_before_is_found() {
    let (theirs, own) = agreement(REPEAT);
    let (later, _) = agreement(Kind::Assert(Stage::Dispute, 2));
    let with = |change: &dyn Fn(&mut Graph, Vec<Publication>)| {
        findings(|graph| {
            let mut publications = publications(REPEAT);
            let place = publications.iter().position(|one| one.group() == own);
            publications[place.unwrap()] = Publication::Agreement { theirs: later, own };
            graph.terms.one_time_keys[own] = graph.terms.one_time_keys[later].clone();
            change(graph, publications);
        })
    };
    // In the transaction alone, and in the layout as well.
    let alone = with(&|graph, publications| publish_instead(graph, REPEAT, publications));
    assert!(alone.contains(&Finding::OtherPublications {
        transaction: REPEAT
    }));
    let both = with(&|graph, publications| {
        graph.terms.layout.dispute[2].batches[0].publications = publications.clone();
        publish_instead(graph, REPEAT, publications);
    });
    assert!(!both.contains(&Finding::OtherPublications {
        transaction: REPEAT
    }));
    assert!(
        both.contains(&Finding::Layout(LayoutError::NothingToRepeat {
            theirs: later,
            own
        }))
    );
    assert_ne!(theirs, later);
}

#[test]
fn a_choice_that_no_agreement_repeats_is_found() {
    for kind in [REPEAT, Kind::Assert(Stage::Opening, 0)] {
        let (theirs, own) = agreement(kind);
        let plain = || -> Vec<Publication> {
            let publications = publications(kind).into_iter();
            let value = |one: Publication| match one {
                Publication::Agreement { own, .. } => Publication::Value(own),
                other => other,
            };
            publications.map(value).collect()
        };
        let alone = findings(|graph| publish_instead(graph, kind, plain()));
        assert!(alone.contains(&Finding::OtherPublications { transaction: kind }));
        let both = findings(|graph| {
            let layout = &mut graph.terms.layout;
            let moves = layout.dispute.iter_mut().chain(&mut layout.opening);
            for batch in moves.flat_map(|step| &mut step.batches) {
                if batch.groups().any(|group| group == own) {
                    batch.publications = plain();
                }
            }
            publish_instead(graph, kind, plain());
        });
        assert!(both.contains(&Finding::Layout(LayoutError::NeverRepeated {
            group: theirs
        })));
        // The leaf of an agreement replaced by one that only publishes.
        let leaf = findings(|graph| {
            let key = graph.aggregate_key().x_only();
            let leaf = publish_leaf(key, &graph.terms.one_time_keys, &plain());
            transaction(graph, kind).inputs[0].script = leaf;
        });
        for finding in [
            Finding::PublishLeaf {
                transaction: kind,
                vin: 0,
            },
            Finding::ForeignInput {
                transaction: kind,
                vin: 0,
            },
        ] {
            assert!(leaf.contains(&finding), "{finding}");
        }
    }
}

#[test]
fn replaced_leaves_of_selects_and_of_the_opening_are_found() {
    let key = toy().graph().aggregate_key().x_only();
    for kind in [SELECT, Kind::OPEN, Kind::Select(Stage::Opening, 1)] {
        let group = publications(kind)[0].group();
        let keys = &toy().terms.one_time_keys;
        let value = [Publication::Value(group)];
        let options = 1 << keys[group].parameters().message_bits();
        let any = [Publication::Choice { group, options }];
        let mut leaves = vec![
            script! { { key } OP_CHECKSIG },
            publish_leaf(key, keys, &value),
        ];
        // With six options of eight values, the range is a part of the script.
        let range = publish_leaf(key, keys, &any);
        let original = toy().graph().transaction(kind).unwrap().inputs[0]
            .script
            .clone();
        if range != original {
            leaves.push(range);
        }
        for leaf in leaves {
            let found = findings(|graph| transaction(graph, kind).inputs[0].script = leaf.clone());
            assert!(found.contains(&Finding::PublishLeaf {
                transaction: kind,
                vin: 0
            }));
            assert!(found.contains(&Finding::ForeignInput {
                transaction: kind,
                vin: 0
            }));
        }
        let unsigned = findings(|graph| {
            transaction(graph, kind).inputs[0].script = script! { OP_1 };
        });
        let leaf = LeafRef::Presigned {
            transaction: kind,
            vin: 0,
        };
        assert!(unsigned.contains(&Finding::NotPresigned { leaf }));
        let mut success = script! { OP_1 OP_DROP }.into_bytes();
        success.push(0x50);
        let success = findings(|graph| {
            transaction(graph, kind).inputs[0].script = ScriptBuf::from_bytes(success.clone());
        });
        assert!(success.contains(&Finding::OpSuccess { leaf, position: 2 }));
    }
}

#[test]
fn an_outcome_that_opens_something_else_is_found() {
    let found = findings(|graph| {
        let opening = &mut graph.terms.layout.opening[0].batches[0];
        opening.publications[0] = Publication::Choice {
            group: opening.publications[0].group(),
            options: 5,
        };
    });
    let stage = Stage::Dispute;
    assert!(found.contains(&Finding::OutcomeTree { stage }));
    assert!(found.contains(&Finding::OtherPublications {
        transaction: Kind::OPEN
    }));
}

#[test]
fn lints_do_not_rely_on_sound_publications() {
    let wrong = [
        Publication::Value(999),
        Publication::Choice {
            group: 0,
            options: 2,
        },
        Publication::Choice {
            group: 999,
            options: 2,
        },
        Publication::Agreement { theirs: 0, own: 1 },
        Publication::Agreement {
            theirs: 999,
            own: 999,
        },
    ];
    for publication in wrong {
        let found = findings(|graph| {
            transaction(graph, REPEAT).inputs[0].publications = vec![publication];
        });
        assert!(found.contains(&Finding::PublishLeaf {
            transaction: REPEAT,
            vin: 0
        }));
        assert!(found.contains(&Finding::OtherPublications {
            transaction: REPEAT
        }));
        let layout = findings(|graph| {
            graph.terms.layout.opening[0].batches = vec![Batch {
                publications: vec![publication],
            }];
        });
        let stage = Stage::Dispute;
        assert!(layout.contains(&Finding::OutcomeTree { stage }));
        assert!(
            layout
                .iter()
                .any(|finding| matches!(finding, Finding::Layout(_)))
        );
    }
    let empty = findings(|graph| graph.terms.layout.opening[0].batches.clear());
    assert!(empty.contains(&Finding::Layout(LayoutError::Empty {
        transaction: Kind::OPEN
    })));
    let keys = findings(|graph| graph.terms.one_time_keys.truncate(2));
    assert!(
        keys.iter()
            .any(|finding| matches!(finding, Finding::Layout(LayoutError::UnknownGroup { .. })))
    );
}

#[test]
fn missing_and_additional_transactions_are_found() {
    let missing = findings(|graph| graph.presigned.retain(|one| one.kind != SELECT));
    assert!(missing.contains(&Finding::OtherPublications {
        transaction: SELECT
    }));
    let kind = Kind::Select(Stage::Dispute, 7);
    let additional = findings(|graph| {
        let mut copy = graph.transaction(SELECT).unwrap().clone();
        copy.kind = kind;
        graph.presigned.push(copy);
    });
    assert!(additional.contains(&Finding::OtherPublications { transaction: kind }));
}

#[test]
fn a_chain_that_both_parties_have_is_found() {
    let toy = toy();
    for (theirs, own) in [
        agreement(REPEAT),
        agreement(Kind::Assert(Stage::Opening, 0)),
    ] {
        let whole = findings(|graph| {
            graph.terms.one_time_keys[own] = graph.terms.one_time_keys[theirs].clone();
        });
        let (one, other) = (theirs.min(own), theirs.max(own));
        assert!(whole.contains(&Finding::SharedChain { one, other }));
        // One chain is enough.
        let single = findings(|graph| {
            let keys = &mut graph.terms.one_time_keys;
            let mut ends = keys[own].ends().to_vec();
            ends[1] = keys[theirs].ends()[0];
            keys[own] = OneTimeKey::new(keys[own].parameters().clone(), ends).unwrap();
        });
        assert!(single.contains(&Finding::SharedChain { one, other }));
        assert_eq!(
            toy.terms.layout.owners(toy.secrets.len())[theirs],
            Role::Challenger
        );
    }
}

/// A leaf that opens a key after the challenger's signature.
fn opens(toy: &Toy, secret: &SecretKey) -> ScriptBuf {
    let challenger = toy.terms.challenger.x_only_key();
    let publish = secret.public_key().publish_script().into_script();
    script! { { challenger } OP_CHECKSIGVERIFY { publish } OP_1 }
}

#[test]
fn a_disprove_leaf_that_opens_a_key_not_published_by_the_prover_is_found() {
    let toy = toy();
    let owners = toy.terms.layout.owners(toy.secrets.len());
    let before = toy.leaf_groups(Stage::Dispute);
    for (group, secret) in toy.secrets.iter().enumerate() {
        for stage in [Stage::Dispute, Stage::Opening] {
            let mut dispute = toy.leaves.clone();
            let mut opening = toy.opening_leaves.clone().unwrap();
            let leaves = match stage {
                Stage::Dispute => &mut dispute,
                Stage::Opening => &mut opening,
            };
            leaves[0] = opens(&toy, secret);
            let leaves = DisproveLeaves {
                dispute: &dispute,
                opening: Some(&opening as &dyn LeafSource),
            };
            let graph = Graph::new(toy.terms.clone(), &leaves).unwrap();
            let is_open = owners[group] == Role::Prover
                && (stage == Stage::Opening || before.contains(&group));
            let leaf = LeafRef::Disprove(stage, 0);
            let expected = (!is_open).then_some(Finding::NotOpen { leaf, group });
            assert_eq!(
                lint(&graph, &leaves),
                Vec::from_iter(expected),
                "group {group}"
            );
        }
    }
}

#[test]
fn an_agreement_under_keys_of_two_shapes_is_found() {
    let (_, own) = agreement(Kind::Assert(Stage::Opening, 0));
    let found = findings(|graph| {
        let shape = Shape::lamport(1).unwrap();
        graph.terms.one_time_keys[own] = OneTimeKey::new(shape, vec![[1; 20], [2; 20]]).unwrap();
    });
    assert!(found.contains(&Finding::Layout(LayoutError::NotAChoice { group: own })));
    assert!(found.contains(&Finding::PublishLeaf {
        transaction: Kind::Assert(Stage::Opening, 0),
        vin: 0
    }));
}

/// An output of a move with a third leaf, and all that spends it adapted to the new tree.
#[test]
fn a_leaf_that_no_transaction_spends_is_found() {
    for (kind, output) in [
        (SELECT, OutputKind::Connector(0)),
        (Kind::Kickoff(0), OutputKind::Pot),
    ] {
        let found = findings(|graph| {
            let key = graph.terms.prover.x_only_key();
            let hidden =
                TapNodeHash::from_script(&script! { { key } OP_CHECKSIG }, LeafVersion::TapScript);
            let described = &mut transaction(graph, kind).outputs[0];
            let (internal, root) = described.taproot.unwrap();
            let root = TapNodeHash::from_node_hashes(root, hidden);
            described.taproot = Some((internal, root));
            let secp = Secp256k1::verification_only();
            let script = ScriptBuf::new_p2tr(&secp, internal, Some(root));
            transaction(graph, kind).transaction.output[0].script_pubkey = script.clone();
            let (_, parity) = internal.tap_tweak(&secp, Some(root));
            let txid = graph.transaction(kind).unwrap().txid();
            for spender in &mut graph.presigned {
                for (vin, input) in spender.inputs.iter_mut().enumerate() {
                    if input.source
                        == (OutputRef {
                            transaction: kind,
                            vout: 0,
                        })
                    {
                        input.prevout.script_pubkey = script.clone();
                        let branch = input.control_block.merkle_branch.iter().copied();
                        let longer = Vec::from_iter(branch.chain([hidden]));
                        input.control_block.merkle_branch = longer.try_into().unwrap();
                        input.control_block.output_key_parity = parity;
                        spender.transaction.input[vin].previous_output.txid = txid;
                    }
                }
            }
        });
        let place = OutputRef {
            transaction: kind,
            vout: 0,
        };
        // Everything else about it is sound: those that spend it prove their leaves.
        for spender in toy().graph().spenders(place) {
            let (transaction, sources) = (spender.kind, spender.inputs.iter());
            let vin = sources
                .map(|input| input.source)
                .position(|one| one == place);
            let vin = vin.unwrap();
            assert!(!found.contains(&Finding::ForeignInput { transaction, vin }));
        }
        assert!(!found.contains(&Finding::NotTaproot {
            output: place,
            kind: output
        }));
        assert!(found.contains(&Finding::HiddenLeaf {
            output: place,
            kind: output
        }));
    }
}
