//! Bills of toy contracts: every way through them, and trees of placeholders.

use bitcoin::{FeeRate, ScriptBuf};
use tapcourt_script::taptree::LeafSource;

use super::toy::Toy;
use crate::size::PredictedWeight;
use crate::{
    Costs, DisproveLeaves, Ending, Graph, PlaceholderLeaves, Role, Stage, TransactionKind,
    Witnesses,
};

const NO_DISPROVE: PredictedWeight = PredictedWeight {
    max_wu: 400,
    mean_wu: 400.0,
};

fn toys() -> Vec<Toy> {
    [Toy::shapes(), Toy::searches()]
        .into_iter()
        .flatten()
        .collect()
}

/// Leaves of which some are likelier than others.
struct Weighted(Vec<ScriptBuf>);

impl LeafSource for Weighted {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn script(&self, index: usize) -> ScriptBuf {
        self.0[index].clone()
    }

    fn likelihood(&self, index: usize) -> u64 {
        1 << (3 * index % 20)
    }
}

#[test]
fn each_transaction_of_a_path_spends_the_one_before_it() {
    for toy in toys() {
        let graph = toy.graph();
        let layout = &graph.terms().layout;
        for ending in Ending::all(layout) {
            let path = ending.path(layout);
            for pair in path.windows(2) {
                match graph.transaction(pair[1]) {
                    Some(presigned) => {
                        let mut inputs = presigned.inputs.iter();
                        let spends = inputs.any(|input| input.source.transaction == pair[0]);
                        assert!(spends, "{}: {} after {}", toy.name, pair[1], pair[0]);
                    }
                    None => {
                        let TransactionKind::Disprove(stage) = pair[1] else {
                            panic!("{} is not presigned", pair[1]);
                        };
                        assert_eq!(graph.outcome_parent(stage).unwrap().kind, pair[0]);
                    }
                }
            }
            let last = path.last().unwrap();
            assert!(last.is_final(), "{last}");
        }
    }
}

#[test]
fn a_bill_is_split_between_the_parties() {
    let feerate = FeeRate::from_sat_per_vb(3).unwrap();
    for toy in toys() {
        let graph = toy.graph();
        let costs = Costs::new(&graph);
        for ending in Ending::all(&graph.terms().layout) {
            let bill = costs.bill(ending, Witnesses::Longest, NO_DISPROVE);
            let payers = [None, Some(Role::Prover), Some(Role::Challenger)];
            let total: u64 = payers.iter().map(|&payer| bill.vsize_of_vb(payer)).sum();
            assert_eq!(total, bill.vsize_vb());
            for payer in payers {
                let package_vb = bill.vsize_of_vb(payer) + bill.children_of_vb(payer);
                let fee = bill.fee_of(payer, feerate).unwrap();
                assert_eq!(fee.to_sat(), 3 * package_vb);
            }
            for line in &bill.lines {
                let wait = match line.kind {
                    TransactionKind::Contract => 0,
                    TransactionKind::Kickoff(0) => 1_008,
                    _ => 144,
                };
                assert_eq!(line.wait_blocks, wait, "{}", line.kind);
            }
            let mean = costs.bill(ending, Witnesses::Mean, NO_DISPROVE);
            assert!(mean.vsize_vb() <= bill.vsize_vb());
        }
    }
}

#[test]
fn a_tree_of_placeholders_has_the_shape_of_the_tree_of_leaves() {
    for toy in toys() {
        let weighted = |leaves: &Vec<ScriptBuf>| Weighted(leaves.clone());
        let dispute = weighted(&toy.leaves);
        let opening = toy.opening_leaves.as_ref().map(weighted);
        let placeholders = |leaves: &Weighted| {
            let likelihoods = (0..leaves.len()).map(|leaf| leaves.likelihood(leaf));
            PlaceholderLeaves::new(likelihoods.collect())
        };
        let placeholder_dispute = placeholders(&dispute);
        let placeholder_opening = opening.as_ref().map(placeholders);
        let graph = |dispute: &dyn LeafSource, opening: Option<&dyn LeafSource>| {
            Graph::new(toy.terms.clone(), &DisproveLeaves { dispute, opening }).unwrap()
        };
        let real = graph(
            &dispute,
            opening.as_ref().map(|leaves| leaves as &dyn LeafSource),
        );
        let placeholder = graph(
            &placeholder_dispute,
            placeholder_opening
                .as_ref()
                .map(|leaves| leaves as &dyn LeafSource),
        );
        for stage in real.stages() {
            let outcomes = [&real, &placeholder].map(|graph| graph.outcome(stage).unwrap());
            for leaf in 0..=outcomes[0].disprove_leaves() {
                let [own, other] = outcomes.map(|outcome| {
                    let bytes = outcome.disprove_control_block_bytes(leaf);
                    let block = outcome.disprove_control_block(leaf);
                    assert_eq!(block.map(|block| block.size()), bytes);
                    bytes
                });
                assert_eq!(own, other, "{}, {stage:?}, leaf {leaf}", toy.name);
            }
        }
        for presigned in real.presigned() {
            let kind = presigned.kind;
            assert_eq!(
                placeholder.predicted_weight(kind),
                real.predicted_weight(kind)
            );
        }
        let missing = TransactionKind::Assert(Stage::Opening, 99);
        assert!(real.weight_with(missing, &Default::default()).is_err());
    }
}
