//! The price of a contract about a program, before anybody has made a key for it.

use tapcourt_compiler::LeafSize;
use tapcourt_compiler::riscv::StepLeaf;
use tapcourt_protocol::cost::placeholder_terms;
use tapcourt_protocol::size::PredictedWeight;
use tapcourt_protocol::{
    Bill, Costs, DisproveLeaves, DisproveSize, Ending, Graph, Parameters, PlaceholderLeaves, Stage,
    Witnesses,
};

use crate::fault::{Part, SetupFault};
use crate::program::{Program, Source};

/// What a contract costs, exactly: see [`tapcourt_protocol::cost`].
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// Nobody disputes: with the longest witnesses.
    pub best: Bill,
    /// A dispute that ends, without an opening, at a leaf that checks what an instruction does, or what a part of a circuit does: with mean
    /// witnesses, and the mean of these leaves.
    pub usual: Bill,
    /// The ending that takes the most virtual bytes: with the longest witnesses and the heaviest leaf.
    pub worst: Bill,
    /// The most transactions that any ending takes, the contract included.
    pub worst_transactions: usize,
    /// The most blocks from the contract to any ending.
    pub worst_blocks: u32,
    /// The weight of the heaviest `disprove` after any stage, with the longest witness.
    pub largest_disprove_wu: u64,
    /// The weight of the heaviest presigned transaction, timeouts included, with the longest witness.
    pub largest_presigned_wu: u64,
    /// Rounds of assert and select, in both searches. None for a circuit.
    pub rounds: u32,
    /// Signatures to presign: one an input of every presigned transaction.
    pub presigned: usize,
    /// Bytes of all one-time public keys, both parties'.
    pub key_bytes: usize,
}

impl Program {
    /// Builds the graph that stands in for a contract's. It has the same sizes as one with real keys and leaves.
    ///
    /// # Errors
    ///
    /// [`Part::Graph`], if the parameters make none.
    pub fn placeholder_graph(&self, parameters: Parameters) -> Result<Graph, SetupFault> {
        let shapes: Vec<_> = self
            .groups()
            .iter()
            .map(|group| group.shape.clone())
            .collect();
        let terms = placeholder_terms(parameters, self.digest(), &shapes, self.layout().clone());
        let leaves = |stage| PlaceholderLeaves::alike(self.leaf_count(stage));
        let dispute = leaves(Stage::Dispute);
        let opening = leaves(Stage::Opening);
        let has_opening = !self.layout().opening.is_empty();
        let leaves = DisproveLeaves {
            dispute: &dispute,
            opening: has_opening.then_some(&opening),
        };
        Graph::new(terms, &leaves).map_err(SetupFault::of(Part::Graph))
    }

    /// Measures the disprove leaves of a stage.
    pub fn disprove_sizes(&self, stage: Stage) -> Vec<DisproveSize> {
        let of = |size: LeafSize| DisproveSize {
            script_bytes: size.script_bytes,
            items: size.items,
            witness_bytes_max: size.witness_bytes_max,
            witness_bytes_mean: size.witness_bytes_mean,
        };
        let count = 0..self.leaf_count(stage);
        match (self.source(), stage) {
            (Source::Circuit(compiled), _) => {
                count.map(|leaf| of(compiled.leaf_size(leaf))).collect()
            }
            (Source::Trace(court), Stage::Dispute) => {
                court.steps().leaf_sizes().into_iter().map(of).collect()
            }
            (Source::Trace(court), Stage::Opening) => {
                let sizes = court.paths().leaf_sizes().iter();
                sizes.copied().map(of).collect()
            }
        }
    }

    /// Whether a leaf of the dispute is of the kind that a dispute usually ends at.
    fn is_usual(&self, leaf: usize) -> bool {
        match self.source() {
            Source::Circuit(_) => true,
            Source::Trace(court) => {
                let leaf = court.steps().leaf(leaf);
                matches!(leaf, StepLeaf::Semantics { .. } | StepLeaf::Stop { .. })
            }
        }
    }

    /// Prices a contract.
    ///
    /// # Errors
    ///
    /// As [`Program::placeholder_graph`].
    #[expect(
        clippy::missing_panics_doc,
        reason = "cannot fail, as the message says"
    )]
    pub fn quote(&self, parameters: Parameters) -> Result<Quote, SetupFault> {
        let graph = self.placeholder_graph(parameters)?;
        let costs = Costs::new(&graph);
        let weights = |stage| -> Vec<PredictedWeight> {
            let sizes = self.disprove_sizes(stage);
            let sizes = sizes.iter().enumerate();
            sizes
                .filter_map(|(leaf, size)| graph.disprove_weight(stage, leaf, size))
                .collect()
        };
        let after_dispute = weights(Stage::Dispute);
        let usual = after_dispute.iter().enumerate();
        let usual: Vec<&PredictedWeight> = usual
            .filter(|(leaf, _)| self.is_usual(*leaf))
            .map(|(_, weight)| weight)
            .collect();
        let usual = PredictedWeight {
            max_wu: heaviest(usual.iter().copied()),
            mean_wu: usual.iter().map(|weight| weight.mean_wu).sum::<f64>()
                / usual.len().max(1) as f64, // cast ok: far below 2^52
        };
        let dispute_wu = heaviest(&after_dispute);
        let opening_wu = heaviest(&weights(Stage::Opening));
        let longest = |ending: Ending| {
            let max_wu = match ending {
                Ending::Disproved(Stage::Opening) => opening_wu,
                _ => dispute_wu,
            };
            let disprove = PredictedWeight {
                max_wu,
                mean_wu: max_wu as f64, // cast ok: far below 2^52
            };
            costs.bill(ending, Witnesses::Longest, disprove)
        };
        let endings: Vec<Bill> = Ending::all(self.layout()).map(longest).collect();
        let worst = endings.iter().max_by_key(|bill| bill.vsize_vb());
        let presigned = graph.presigned().iter();
        let presigned_wu = presigned.map(|presigned| presigned.predicted_weight(graph.sizes()));
        Ok(Quote {
            best: longest(Ending::Undisputed),
            usual: costs.bill(Ending::Disproved(Stage::Dispute), Witnesses::Mean, usual),
            worst: worst
                .expect("every layout has an ending without a dispute")
                .clone(),
            worst_transactions: endings.iter().map(Bill::transactions).max().unwrap_or(0),
            worst_blocks: endings.iter().map(Bill::blocks).max().unwrap_or(0),
            largest_disprove_wu: dispute_wu.max(opening_wu),
            largest_presigned_wu: presigned_wu.map(|weight| weight.max_wu).max().unwrap_or(0),
            rounds: match self.source() {
                Source::Circuit(_) => 0,
                Source::Trace(court) => court.search().rounds() + court.paths().search().rounds(),
            },
            presigned: graph.slots().len(),
            key_bytes: self
                .groups()
                .iter()
                .map(|group| group.shape.public_key_bytes())
                .sum(),
        })
    }
}

/// The most weight, or zero of nothing.
fn heaviest<'a>(weights: impl IntoIterator<Item = &'a PredictedWeight>) -> u64 {
    let weights = weights.into_iter().map(|weight| weight.max_wu);
    weights.max().unwrap_or(0)
}
