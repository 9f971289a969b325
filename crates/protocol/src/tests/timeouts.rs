//! Moves and the transactions that end the contract when they are late.

use bitcoin::{Amount, ScriptBuf};

use super::toy::Toy;
use crate::transactions::{Presigned, TransactionKind as Kind};
use crate::{Graph, OutputKind, OutputRef, Role, Stage};

/// What a transaction pays to a script.
fn paid(presigned: &Presigned, script: &ScriptBuf) -> Amount {
    let outputs = presigned.transaction.output.iter();
    outputs
        .filter(|output| output.script_pubkey == *script)
        .map(|output| output.value)
        .sum()
}

/// The transactions that spend an output of this move's inputs after a timelock, whoever they are.
fn timelocked_rivals(graph: &Graph, step: &Presigned) -> Vec<Kind> {
    let sources: Vec<OutputRef> = step.inputs.iter().map(|input| input.source).collect();
    let rivals = graph.presigned().iter().filter(|rival| {
        let mut inputs = rival.inputs.iter();
        rival.kind != step.kind
            && inputs.any(|input| input.timelock.is_some() && sources.contains(&input.source))
    });
    rivals.map(|rival| rival.kind).collect()
}

#[test]
fn every_move_has_one_timelocked_rival_that_pays_the_other_party_everything() {
    let mut moves = 0;
    for toy in Toy::shapes() {
        let graph = toy.graph();
        let layout = &toy.terms.layout;
        for (kind, step) in layout.all_kinds() {
            let presigned = graph.transaction(kind).unwrap();
            let rivals = timelocked_rivals(&graph, presigned);
            assert_eq!(rivals, [kind.timeout().unwrap()], "{}: {kind}", toy.name);
            let rival = graph.transaction(rivals[0]).unwrap();
            let of = |transaction: &Presigned| -> Vec<OutputRef> {
                let inputs = transaction.inputs.iter();
                inputs.map(|input| input.source).collect()
            };
            assert!(of(rival).starts_with(&of(presigned)), "{kind}: all inputs");
            // The expiry is no punishment: see its own test.
            if kind != Kind::Kickoff(0) {
                let winner = &toy.terms.party(step.mover.other()).payout_script;
                let all = rival.inputs.iter().map(|input| input.prevout.value).sum();
                assert_eq!(paid(rival, winner), all, "{}: {}", toy.name, rival.kind);
                let parameters = &toy.terms.parameters;
                assert!(all >= parameters.stakes().unwrap() + parameters.bond);
            }
            moves += 1;
        }
        let challenge = graph.transaction(Kind::Challenge).unwrap();
        assert_eq!(timelocked_rivals(&graph, challenge), [Kind::Payout]);
    }
    println!("{moves} moves with their timeouts");
}

#[test]
fn kinds_say_what_the_graph_does() {
    for toy in Toy::shapes() {
        let graph = toy.graph();
        let late: Vec<Kind> = graph
            .presigned()
            .iter()
            .filter_map(|presigned| presigned.kind.timeout())
            .collect();
        for presigned in graph.presigned() {
            let kind = presigned.kind;
            let publishes = presigned
                .inputs
                .iter()
                .any(|input| !input.publications.is_empty());
            assert_eq!(kind.publishes(), publishes, "{kind}");
            assert_eq!(
                kind.mover().is_some(),
                presigned.timelock().is_none(),
                "{kind}"
            );
            assert_eq!(kind.mover().is_some(), kind.timeout().is_some(), "{kind}");
            assert_eq!(kind.is_final(), kind.mover().is_none(), "{kind}");
            assert!(
                kind.mover().is_some()
                    || late.contains(&kind)
                    || kind == Kind::PayoutDisputed(Stage::Opening)
                    || kind == Kind::PayoutDisputed(Stage::Dispute),
                "{kind} ends what is late"
            );
            let waiting = presigned.outputs.iter().enumerate().filter(|(_, output)| {
                !matches!(output.kind, OutputKind::Paid(_) | OutputKind::Anchor)
            });
            let waiting: Vec<u32> = waiting.map(|(vout, _)| vout as u32).collect();
            assert_eq!(kind.is_final(), waiting.is_empty(), "{kind}");
            for vout in waiting {
                let output = OutputRef {
                    transaction: kind,
                    vout,
                };
                let spenders: Vec<Kind> =
                    graph.spenders(output).map(|spender| spender.kind).collect();
                assert!(
                    spenders.iter().any(|spender| spender.is_final()),
                    "{output}"
                );
            }
        }
        for (kind, step) in toy.terms.layout.all_kinds() {
            assert_eq!(kind.mover(), Some(step.mover));
        }
    }
    for stage in [Stage::Dispute, Stage::Opening] {
        let disprove = Kind::Disprove(stage);
        assert!(disprove.is_final() && !disprove.publishes());
        assert_eq!(disprove.mover(), Some(Role::Challenger));
        assert_eq!(disprove.timeout(), Some(Kind::PayoutDisputed(stage)));
    }
    assert_eq!(
        Kind::OPEN.timeout(),
        Some(Kind::PayoutDisputed(Stage::Dispute))
    );
    assert!(!Kind::Contract.is_final() && Kind::Contract.mover().is_none());
}

#[test]
fn each_move_spends_all_that_the_move_before_it_made() {
    for toy in Toy::shapes() {
        let graph = toy.graph();
        let mut before = Kind::Contract;
        let stages = graph
            .stages()
            .flat_map(|stage| toy.terms.layout.kinds(stage));
        let kickoffs = (0..toy.terms.layout.claim.len()).map(Kind::Kickoff);
        let moves = kickoffs
            .chain([Kind::Challenge])
            .chain(stages.map(|(kind, _)| kind));
        for kind in moves {
            let step = graph.transaction(kind).unwrap();
            let (_, outputs) = graph.outputs(before).unwrap();
            let waiting = outputs.iter().enumerate().filter(|(_, output)| {
                matches!(
                    output.kind,
                    OutputKind::Pot | OutputKind::Connector(_) | OutputKind::Outcome
                )
            });
            let mut expected: Vec<OutputRef> = waiting
                .map(|(vout, _)| OutputRef {
                    transaction: before,
                    vout: vout as u32,
                })
                .collect();
            if kind == Kind::Challenge {
                expected.push(graph.output(Kind::Contract, OutputKind::Bond).unwrap());
            }
            let spent: Vec<OutputRef> = step.inputs.iter().map(|input| input.source).collect();
            assert_eq!(spent, expected, "{}: {kind}", toy.name);
            before = kind;
        }
    }
}
