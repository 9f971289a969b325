//! Lints on scripts: `OP_SUCCESSx`, keys, whose signature a leaf needs, and that a one-time key is used once.

use std::collections::HashMap;

use bitcoin::opcodes::all::{OP_CHECKSIG, OP_CHECKSIGADD, OP_CHECKSIGVERIFY};
use bitcoin::opcodes::{Class, ClassifyContext};
use bitcoin::{Script, ScriptBuf};
use tapcourt_commitment::{Parameters as Shape, PublicKey as OneTimeKey};
use tapcourt_script::instructions;
use tapcourt_script::taptree::LeafSource;

use super::{Finding, LeafRef};
use crate::connectors::outcome::OutcomeConnector;
use crate::connectors::publish::publish_leaf;
use crate::connectors::{Connector, cosigned_leaf, signed_leaf};
use crate::graph::Graph;
use crate::moves::{Move, Publication};
use crate::role::Role;
use crate::transactions::disprove::begins_with_key;
use crate::transactions::{PresignedInput, Stage, TransactionKind};

pub(super) fn check_presigned(graph: &Graph, findings: &mut Vec<Finding>) {
    let aggregate = graph.aggregate_key().x_only();
    let suffix = signed_leaf(aggregate);
    for presigned in graph.presigned() {
        let transaction = presigned.kind;
        for (vin, input) in presigned.inputs.iter().enumerate() {
            let leaf = LeafRef::Presigned { transaction, vin };
            check_script(leaf, &input.script, findings);
            if !input.script.as_bytes().ends_with(suffix.as_bytes()) {
                findings.push(Finding::NotPresigned { leaf });
            }
            if !input.publications.is_empty() && !opens_its_groups(graph, input) {
                findings.push(Finding::PublishLeaf { transaction, vin });
            }
        }
    }
    let challenger = graph.terms().challenger.x_only_key();
    let challenge = graph.transaction(TransactionKind::Challenge);
    let cosigned = cosigned_leaf(aggregate, challenger);
    if !challenge.is_some_and(|challenge| {
        challenge
            .inputs
            .iter()
            .any(|input| input.script == cosigned)
    }) {
        findings.push(Finding::ChallengeWithoutChallenger);
    }
}

fn opens_its_groups(graph: &Graph, input: &PresignedInput) -> bool {
    let keys = &graph.terms().one_time_keys;
    let publications = &input.publications;
    publications.iter().all(|one| is_sound(keys, one))
        && publish_leaf(graph.aggregate_key().x_only(), keys, publications) == input.script
}

/// Whether a publication's groups exist and have its shape, so that there is a script and a size for it.
pub(super) fn is_sound(keys: &[OneTimeKey], publication: &Publication) -> bool {
    let shape = |group: usize| keys.get(group).map(OneTimeKey::parameters);
    match *publication {
        Publication::Value(group) => group < keys.len(),
        Publication::Choice { group, options } => {
            shape(group).is_some_and(|shape| shape.is_choice_of(options))
        }
        Publication::Agreement { theirs, own } => {
            shape(own).is_some_and(|own| own.is_choice() && shape(theirs) == Some(own))
        }
    }
}

/// Checks the leaves after a stage, which exist exactly if the graph has an outcome for it.
pub(super) fn check_disprove(
    graph: &Graph,
    stage: Stage,
    leaves: Option<&dyn LeafSource>,
    findings: &mut Vec<Finding>,
) {
    let (leaves, (_, output)) = match (leaves, graph.outcome_output(stage)) {
        (Some(leaves), Some(output)) => (leaves, output),
        (None, None) => return,
        _ => return findings.push(Finding::OutcomeTree { stage }),
    };
    let challenger = graph.terms().challenger.x_only_key();
    let limit_wu = graph.terms().parameters.profile.max_weight_wu();
    let closed = closed_ends(graph, stage);
    for index in 0..leaves.len() {
        let leaf = LeafRef::Disprove(stage, index);
        let script = leaves.script(index);
        check_script(leaf, &script, findings);
        if !begins_with_key(&script, challenger) {
            findings.push(Finding::NotTheChallengers { leaf });
        }
        if let Some(group) = opened_early(&script, &closed) {
            findings.push(Finding::NotOpen { leaf, group });
        }
        if script.len() as u64 > limit_wu {
            // cast ok, usize is at most 64 bits
            findings.push(Finding::LeafTooLarge {
                leaf,
                script_bytes: script.len(),
                limit_wu,
            });
        }
    }
    let terms = graph.terms();
    let opening = match stage {
        Stage::Dispute => terms.layout.opening.first(),
        Stage::Opening => None,
    };
    let open = opening.and_then(|open| open.batches.first());
    let one_time_keys = &terms.one_time_keys;
    let mut publications = open.iter().flat_map(|batch| &batch.publications);
    let is_same = publications.all(|one| is_sound(one_time_keys, one)) && {
        let delta = terms.parameters.delta;
        let keys = graph.connector_keys();
        let rebuilt = OutcomeConnector::new(keys, delta, leaves, one_time_keys, open);
        rebuilt.is_ok_and(|rebuilt| rebuilt.script_pubkey() == output.script_pubkey)
    };
    if !is_same {
        findings.push(Finding::OutcomeTree { stage });
    }
}

/// The ends of the keys that no leaf after this stage may open, with their groups: the challenger's, who could open another value, and
/// those that the prover publishes later.
fn closed_ends(graph: &Graph, stage: Stage) -> HashMap<[u8; 20], usize> {
    let terms = graph.terms();
    let keys = &terms.one_time_keys;
    let mut closed: Vec<usize> = terms
        .keys_of(Role::Challenger)
        .map(|(group, _)| group)
        .collect();
    if stage == Stage::Dispute {
        let later = terms.layout.opening.iter().flat_map(Move::publications);
        closed.extend(later.map(Publication::group));
    }
    let known = closed.into_iter().filter(|&group| group < keys.len());
    known
        .flat_map(|group| keys[group].ends().iter().map(move |end| (*end, group)))
        .collect()
}

/// The first group whose key a leaf asks for although it is closed.
fn opened_early(script: &Script, closed: &HashMap<[u8; 20], usize>) -> Option<usize> {
    if closed.is_empty() {
        return None;
    }
    let mut pushes = instructions(script).map_while(Result::ok);
    pushes.find_map(|push| {
        let end: &[u8; 20] = push.data.try_into().ok()?;
        closed.get(end).copied()
    })
}

pub(super) fn check_one_time_keys(graph: &Graph, findings: &mut Vec<Finding>) {
    let keys = &graph.terms().one_time_keys;
    let shapes: Vec<&Shape> = keys.iter().map(OneTimeKey::parameters).collect();
    if let Err(error) = graph.terms().layout.check(&shapes) {
        findings.push(Finding::Layout(error));
    }
    let mut owners: HashMap<[u8; 20], usize> = HashMap::new();
    for (group, key) in keys.iter().enumerate() {
        for end in key.ends() {
            if let Some(one) = owners.insert(*end, group) {
                findings.push(Finding::SharedChain { one, other: group });
            }
        }
    }
    for presigned in graph.presigned() {
        let mut published = presigned.inputs.iter().flat_map(PresignedInput::groups);
        if let Some(group) = published.find(|&group| group >= keys.len()) {
            findings.push(Finding::Layout(crate::moves::LayoutError::UnknownGroup {
                group,
                groups: keys.len(),
            }));
        }
    }
    check_published_once(graph, findings);
}

/// Counts where the transactions publish each group, whatever the layout says.
fn check_published_once(graph: &Graph, findings: &mut Vec<Finding>) {
    let mut seen = vec![0_usize; graph.terms().one_time_keys.len()];
    let inputs = graph
        .presigned()
        .iter()
        .flat_map(|presigned| &presigned.inputs);
    for group in inputs.flat_map(PresignedInput::groups) {
        if let Some(count) = seen.get_mut(group) {
            *count += 1;
        }
    }
    for (group, count) in seen.into_iter().enumerate() {
        match count {
            0 => findings.push(Finding::Layout(crate::moves::LayoutError::NeverPublished {
                group,
            })),
            1 => {}
            _ => findings.push(Finding::Layout(crate::moves::LayoutError::PublishedTwice {
                group,
            })),
        }
    }
}

/// Checks what holds for every leaf: it decodes, has no `OP_SUCCESSx`, and its keys have 32 bytes.
fn check_script(leaf: LeafRef, script: &ScriptBuf, findings: &mut Vec<Finding>) {
    let script: &Script = script;
    let mut pushed = None;
    for instruction in instructions(script) {
        let Ok(instruction) = instruction else {
            findings.push(Finding::Undecodable { leaf });
            return;
        };
        let position = instruction.position;
        if instruction.opcode.classify(ClassifyContext::TapScript) == Class::SuccessOp {
            findings.push(Finding::OpSuccess { leaf, position });
        }
        let checks = [OP_CHECKSIG, OP_CHECKSIGVERIFY, OP_CHECKSIGADD].contains(&instruction.opcode);
        if checks && pushed != Some(32) {
            findings.push(Finding::KeyLength { leaf, position });
        }
        pushed = Some(instruction.data.len());
    }
}
