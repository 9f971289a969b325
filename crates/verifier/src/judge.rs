//! What published values come to when the program is executed again.

use std::collections::BTreeMap;

use tapcourt_compiler::circuit::{Compiled, Role as GroupRole};
use tapcourt_compiler::riscv::{Court, Group, Party, Published};
use tapcourt_program::riscv::Execution;
use tapcourt_protocol::Stage;

use crate::program::{Program, Source, end_of};
use crate::transcript::Claim;

/// Published values, by group number.
pub(crate) type Values<'a> = BTreeMap<usize, &'a Vec<bool>>;

/// What values come to.
pub(crate) struct Judgement {
    pub(crate) claim: Claim,
    /// The groups whose values are false. Of a trace: digests, and the parts of the step's record.
    pub(crate) false_groups: Vec<usize>,
    /// The leaves that the values make spendable, once all of a stage are there.
    pub(crate) spendable: Vec<(Stage, usize)>,
}

impl Program {
    pub(crate) fn judge(&self, published: &Values<'_>) -> Judgement {
        match self.source() {
            Source::Circuit(compiled) => judge_circuit(compiled, published),
            Source::Trace(court) => judge_trace(court, published),
        }
    }
}

fn judge_circuit(compiled: &Compiled, published: &Values<'_>) -> Judgement {
    let truth = true_values(compiled, published);
    let groups = compiled.committed_groups();
    let is_false = |group: usize| {
        let value = published.get(&group);
        truth
            .as_ref()
            .zip(value)
            .is_some_and(|(truth, value)| truth.get(group) != Some(*value))
    };
    let false_groups: Vec<usize> = (0..groups.len()).filter(|&group| is_false(group)).collect();
    let claim = match &truth {
        None => Claim::Incomplete,
        Some(truth) => {
            let refuted = false_groups
                .iter()
                .any(|&group| groups[group].role() != GroupRole::Intermediate)
                || compiled.find_fault(truth).is_some();
            if refuted { Claim::False } else { Claim::True }
        }
    };
    let all: Option<Vec<Vec<bool>>> = (0..groups.len())
        .map(|group| published.get(&group).map(|value| (*value).clone()))
        .collect();
    let spendable = all
        .map(|all| compiled.spendable_leaves(&all))
        .unwrap_or_default();
    Judgement {
        claim,
        false_groups,
        spendable: spendable
            .into_iter()
            .map(|leaf| (Stage::Dispute, leaf))
            .collect(),
    }
}

/// The true value of every group, if all of the claim is published.
fn true_values(compiled: &Compiled, published: &Values<'_>) -> Option<Vec<Vec<bool>>> {
    let groups = compiled.committed_groups().iter().enumerate();
    let values = groups.map(|(number, group)| match published.get(&number) {
        Some(value) => Some((*value).clone()),
        None => (group.role() == GroupRole::Intermediate).then(Vec::new),
    });
    let input = compiled.published_input(&values.collect::<Option<Vec<_>>>()?);
    compiled.values(&input).ok()
}

fn judge_trace(court: &Court, values: &Values<'_>) -> Judgement {
    let mut published = Published::new();
    for (number, entry) in court.entries().iter().enumerate() {
        if let Some(value) = values.get(&number)
            && entry.party == Party::Prover
        {
            published.set(entry.group, (*value).clone());
        }
    }
    let Ok(input) = court.steps().options().input(&published) else {
        return Judgement {
            claim: Claim::Incomplete,
            false_groups: Vec::new(),
            spendable: Vec::new(),
        };
    };
    let mut execution = Execution::new(court.program(), input);
    let truth = true_groups(court, &published, &mut execution);
    let false_groups = truth.groups().filter(|&group| {
        let said = published.bits(group);
        said.is_ok() && said != truth.bits(group)
    });
    let false_groups = false_groups
        .filter_map(|group| court.number(Party::Prover, group))
        .collect();
    let claim = if execution.accepts_within(court.steps_claimed()) {
        Claim::True
    } else {
        Claim::False
    };
    Judgement {
        claim,
        false_groups,
        spendable: spendable(court, &published),
    }
}

/// The true digests and the true record of the step that was selected, as far as the dispute has come.
fn true_groups(court: &Court, published: &Published, execution: &mut Execution<'_>) -> Published {
    let search = court.search();
    let mut truth = Published::new();
    let mut selections = Vec::new();
    for round in 0..search.rounds() {
        if published.bits(Group::Digest { round, index: 0 }).is_err() {
            return truth;
        }
        let Ok(borders) = search.borders(&selections) else {
            return truth;
        };
        let revealed = &borders[1..borders.len() - 1];
        for (index, digest) in (0..).zip(execution.digests(revealed)) {
            truth.set_node(Group::Digest { round, index }, &digest.to_bytes());
        }
        match published.word(Group::Selection(round)) {
            Ok(selection) => selections.push(selection),
            Err(_) => return truth,
        }
    }
    if let Ok((step, _)) = search.left_after(&selections)
        && published.bits(Group::Pc).is_ok()
    {
        let step = execution.step_at(step);
        let roots = (step.root.to_bytes(), step.next_root.to_bytes());
        truth.set_step(&step.record, &roots.0, &roots.1);
    }
    truth
}

/// The leaves that are spendable at each stage that the dispute has come to the end of.
fn spendable(court: &Court, published: &Published) -> Vec<(Stage, usize)> {
    let mut spendable = Vec::new();
    let ends = [
        (Stage::Dispute, Group::NextRoot),
        (Stage::Opening, Group::Sibling),
    ];
    for (stage, last) in ends {
        if published.bits(last).is_err() {
            continue;
        }
        let leaves = (0..court.leaf_count(end_of(stage))).filter(|&leaf| {
            // A digest that was not revealed on this way cannot be opened.
            match stage {
                Stage::Dispute => court.steps().is_spendable(leaf, published),
                Stage::Opening => court.paths().is_spendable(leaf, published),
            }
            .unwrap_or(false)
        });
        spendable.extend(leaves.map(|leaf| (stage, leaf)));
    }
    spendable
}
