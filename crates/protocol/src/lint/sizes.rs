//! Lints on what a node's policy and the script limits say: weight, version, fee and anchor, stack, witness items.

use bitcoin::Amount;
use tapcourt_script::limits::{
    MAX_STACK_SIZE, MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE, Profile, TRUC_VERSION,
};

use super::Finding;
use super::leaves::is_sound;
use crate::connectors::anchor::anchor_output;
use crate::graph::Graph;
use crate::moves::Publication;
use crate::transactions::Presigned;

/// The longest item of an opening or a signature: a 64-byte signature.
const LONGEST_ITEM_BYTES: usize = 64;
const _: () = assert!(LONGEST_ITEM_BYTES <= MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE);

pub(super) fn check(graph: &Graph, findings: &mut Vec<Finding>) {
    for presigned in graph.presigned() {
        let transaction = presigned.kind;
        if has_size(graph, presigned) {
            check_size(graph, presigned, findings);
        }
        let version = presigned.transaction.version.0;
        if version != TRUC_VERSION {
            findings.push(Finding::Version {
                transaction,
                got: version,
            });
        }
        if !pays_nothing(presigned) || anchors(presigned) != 1 {
            findings.push(Finding::FeeOrAnchor { transaction });
        }
    }
}

/// Whether there is a size for everything that it publishes; what there is none for is another lint's finding.
fn has_size(graph: &Graph, presigned: &Presigned) -> bool {
    let keys = &graph.terms().one_time_keys;
    let mut publications = presigned
        .inputs
        .iter()
        .flat_map(|input| &input.publications);
    publications.all(|publication| is_sound(keys, publication))
}

fn check_size(graph: &Graph, presigned: &Presigned, findings: &mut Vec<Finding>) {
    let transaction = presigned.kind;
    let (max_wu, limit_wu) = (
        presigned.predicted_weight(graph.sizes()).max_wu,
        Profile::Truc.max_weight_wu(),
    );
    if max_wu > limit_wu {
        findings.push(Finding::TooHeavy {
            transaction,
            max_wu,
            limit_wu,
        });
    }
    for (vin, input) in presigned.inputs.iter().enumerate() {
        let items = input.size(graph.sizes()).peak_stack;
        if items > MAX_STACK_SIZE {
            findings.push(Finding::Stack {
                transaction,
                vin,
                items,
                limit: MAX_STACK_SIZE,
            });
        }
        let bytes = longest_item(graph, &input.publications);
        let limit = MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE;
        if bytes > limit {
            findings.push(Finding::ItemTooLong {
                transaction,
                vin,
                bytes,
                limit,
            });
        }
    }
}

fn pays_nothing(presigned: &Presigned) -> bool {
    let paid = total(presigned.inputs.iter().map(|input| input.prevout.value));
    paid.is_some()
        && paid
            == total(
                presigned
                    .transaction
                    .output
                    .iter()
                    .map(|output| output.value),
            )
}

fn total(mut values: impl Iterator<Item = Amount>) -> Option<Amount> {
    values.try_fold(Amount::ZERO, Amount::checked_add)
}

fn anchors(presigned: &Presigned) -> usize {
    let anchor = anchor_output();
    presigned
        .transaction
        .output
        .iter()
        .filter(|output| **output == anchor)
        .count()
}

/// Returns the longest witness item that an input can be known to need: a signature, or the mean item of its longest opening.
fn longest_item(graph: &Graph, publications: &[Publication]) -> usize {
    let mean = |publication: &Publication| {
        let size = graph.sizes().publication(publication);
        size.witness_bytes_max.div_ceil(size.items.max(1))
    };
    publications
        .iter()
        .map(mean)
        .max()
        .unwrap_or(0)
        .max(LONGEST_ITEM_BYTES)
}
