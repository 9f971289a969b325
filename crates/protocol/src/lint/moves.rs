//! Lints on moves: each transaction publishes what the layout says, follows the move before it, and is not late for free.

use std::collections::BTreeMap;

use super::Finding;
use crate::graph::Graph;
use crate::moves::Move;
use crate::transactions::{OutputKind, OutputRef, Presigned, Stage, TransactionKind};

pub(super) fn check(graph: &Graph, findings: &mut Vec<Finding>) {
    let layout = &graph.terms().layout;
    check_publications(graph, findings);
    let claim = layout.claim.len();
    let mut before = TransactionKind::Contract;
    let kickoffs = (0..claim).map(TransactionKind::Kickoff);
    let stages = [Stage::Dispute, Stage::Opening].map(|stage| layout.kinds(stage));
    let stages = stages.into_iter().flatten().map(|(kind, _)| kind);
    for transaction in kickoffs.chain([TransactionKind::Challenge]).chain(stages) {
        if let Some(presigned) = graph.transaction(transaction) {
            check_order(graph, presigned, before, findings);
        }
        before = transaction;
    }
    for (transaction, step) in layout.all_kinds() {
        // Whoever never kicks off has not lied: the parties agree on what becomes of the pot.
        if transaction != TransactionKind::Kickoff(0) && !ends_if_late(graph, transaction, step) {
            findings.push(Finding::Late { transaction });
        }
    }
}

fn check_publications(graph: &Graph, findings: &mut Vec<Finding>) {
    let moves: BTreeMap<TransactionKind, &Move> = graph.terms().layout.all_kinds().collect();
    for presigned in graph.presigned() {
        let transaction = presigned.kind;
        let mut inputs = presigned.inputs.iter().map(|input| &input.publications);
        let is_same = match moves.get(&transaction) {
            Some(step) => inputs.eq(step.batches.iter().map(|batch| &batch.publications)),
            None => inputs.all(Vec::is_empty),
        };
        if !is_same {
            findings.push(Finding::OtherPublications { transaction });
        }
    }
    for transaction in moves.into_keys() {
        if graph.transaction(transaction).is_none() {
            findings.push(Finding::OtherPublications { transaction });
        }
    }
}

/// Checks that the inputs spend the move before, and the bond where the challenge puts it at stake.
fn check_order(
    graph: &Graph,
    presigned: &Presigned,
    before: TransactionKind,
    findings: &mut Vec<Finding>,
) {
    let transaction = presigned.kind;
    let bond = graph.output(TransactionKind::Contract, OutputKind::Bond);
    for (vin, input) in presigned.inputs.iter().enumerate() {
        let is_bond = Some(input.source) == bond;
        let follows = match transaction {
            TransactionKind::Challenge if is_bond => true,
            _ => input.source.transaction == before && !is_bond,
        };
        if !follows {
            findings.push(Finding::OutOfOrder { transaction, vin });
        }
    }
}

/// Whether the move's timeout spends all that the move spends, and pays it to the other party.
fn ends_if_late(graph: &Graph, transaction: TransactionKind, step: &Move) -> bool {
    let timeout = transaction
        .timeout()
        .and_then(|kind| graph.transaction(kind));
    let (Some(presigned), Some(timeout)) = (graph.transaction(transaction), timeout) else {
        return false;
    };
    let spent: Vec<OutputRef> = timeout.inputs.iter().map(|input| input.source).collect();
    let mut inputs = presigned.inputs.iter();
    let winner = step.mover.other();
    let script = &graph.terms().party(winner).payout_script;
    let mut outputs = timeout.transaction.output.iter().zip(&timeout.outputs);
    let is_paid = outputs.all(|(output, described)| match described.kind {
        OutputKind::Anchor => output.value == bitcoin::Amount::ZERO,
        OutputKind::Paid(_) => output.script_pubkey == *script,
        _ => false,
    });
    inputs.all(|input| spent.contains(&input.source))
        && is_paid
        && timeout.outputs.len() == timeout.transaction.output.len()
}
