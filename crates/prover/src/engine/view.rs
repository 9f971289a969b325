//! The contract as the chain shows it: where it is, and from which height on each transaction can confirm.

use std::fmt;

use serde::{Deserialize, Serialize};
use tapcourt_protocol::{Graph, Stage, TransactionKind};

use super::{Duty, FeeSource, Needs, Outlook, State};

/// Where a contract is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// The contract is not on the chain.
    Unfunded,
    /// The prover has yet to make a move of the claim.
    Claiming {
        /// Which move; 0 is the kickoff.
        next: usize,
    },
    /// The claim is complete; the challenger may object.
    Claimed,
    /// The claim is disputed; a party has yet to make a move.
    Disputed {
        /// Which.
        next: TransactionKind,
    },
    /// Everything of a stage is published; the challenger may disprove, or have something opened.
    Answered {
        /// The stage.
        stage: Stage,
    },
    /// It is over.
    Settled {
        /// The transaction that ended it.
        by: TransactionKind,
        /// The height of its block.
        height: u32,
    },
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfunded => f.write_str("not funded"),
            Self::Claiming { next } => write!(f, "waiting for {}", TransactionKind::Kickoff(*next)),
            Self::Claimed => f.write_str("claimed"),
            Self::Disputed { next } => write!(f, "disputed, waiting for {next}"),
            Self::Answered {
                stage: Stage::Dispute,
            } => f.write_str("everything is published"),
            Self::Answered {
                stage: Stage::Opening,
            } => f.write_str("everything is opened"),
            Self::Settled { by, height } => write!(f, "settled by {by} at height {height}"),
        }
    }
}

/// A state seen through its graph.
pub(super) struct View<'a> {
    graph: &'a Graph,
    state: &'a State,
}

impl<'a> View<'a> {
    pub(super) fn new(graph: &'a Graph, state: &'a State) -> Self {
        Self { graph, state }
    }

    fn height(&self, kind: TransactionKind) -> Option<u32> {
        self.state
            .confirmed()
            .iter()
            .find(|confirmed| confirmed.kind == kind)
            .map(|confirmed| confirmed.height)
    }

    /// Works out the phase from the transactions that are confirmed.
    pub(super) fn phase(&self) -> Phase {
        let over = self
            .state
            .confirmed()
            .iter()
            .find(|confirmed| confirmed.kind.is_final());
        if let Some(last) = over {
            return Phase::Settled {
                by: last.kind,
                height: last.height,
            };
        }
        if self.height(TransactionKind::Contract).is_none() {
            return Phase::Unfunded;
        }
        let layout = &self.graph.terms().layout;
        let is_missing = |kind: TransactionKind| self.height(kind).is_none();
        let mut claim = 0..layout.claim.len();
        if let Some(next) = claim.find(|&index| is_missing(TransactionKind::Kickoff(index))) {
            return Phase::Claiming { next };
        }
        if is_missing(TransactionKind::Challenge) {
            return Phase::Claimed;
        }
        let stage = if is_missing(TransactionKind::OPEN) {
            Stage::Dispute
        } else {
            Stage::Opening
        };
        let mut moves = layout.kinds(stage).map(|(kind, _)| kind);
        match moves.find(|&kind| is_missing(kind)) {
            Some(next) => Phase::Disputed { next },
            None => Phase::Answered { stage },
        }
    }

    /// Calculates the first height at which a presigned transaction can confirm: BIP-0068 counts each input's blocks from the
    /// block of the output that it spends. `None` while one of these is not confirmed.
    fn earliest(&self, kind: TransactionKind) -> Option<u32> {
        let presigned = self.graph.transaction(kind)?;
        presigned.inputs.iter().try_fold(0, |earliest, input| {
            let blocks = input
                .timelock
                .map_or(0, |timelock| u32::from(timelock.to_blocks()));
            self.height(input.source.transaction)
                .map(|height| earliest.max(height.saturating_add(blocks)))
        })
    }

    /// Makes a duty with its deadline.
    pub(super) fn duty(&self, kind: TransactionKind, needs: Needs) -> Duty {
        let rival = kind.timeout();
        let deadline = rival
            .and_then(|rival| self.earliest(rival))
            .map(|height| height.saturating_sub(1));
        let fee = match kind {
            TransactionKind::Disprove(_) | TransactionKind::Contract => FeeSource::Own,
            _ => FeeSource::Child,
        };
        Duty {
            kind,
            needs,
            deadline,
            rival,
            fee,
        }
    }

    /// Adds a timelocked duty if the next block can have it, otherwise says when to wake up.
    pub(super) fn when_due(&self, kind: TransactionKind, outlook: &mut Outlook) {
        let Some((earliest, tip)) = self.earliest(kind).zip(self.state.tip()) else {
            return;
        };
        if earliest <= tip.saturating_add(1) {
            outlook.duties.push(self.duty(kind, Needs::Nothing));
        } else {
            outlook.wake = Some(earliest - 1);
        }
    }

    /// The contract, if it was confirmed before and is no longer.
    pub(super) fn dropped_contract(&self) -> Option<Duty> {
        let contract = self.state.contract()?;
        Some(self.duty(
            TransactionKind::Contract,
            Needs::Rebroadcast(contract.clone()),
        ))
    }
}
