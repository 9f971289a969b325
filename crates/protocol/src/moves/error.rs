//! Why a layout is refused.

use thiserror::Error;

use crate::role::Role;
use crate::transactions::TransactionKind;

/// Why a layout is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// No claim.
    #[error("there is no kickoff: the claim has no moves")]
    NoKickoff,
    /// A move or a batch without groups.
    #[error("{transaction} has an input that publishes nothing")]
    Empty {
        /// The move.
        transaction: TransactionKind,
    },
    /// A move by the wrong party: the claim and the last move of a stage are the prover's, an opening begins with the challenger.
    #[error("{transaction} is made by the wrong party")]
    Turn {
        /// The move.
        transaction: TransactionKind,
    },
    /// The move that opens spends one output, the outcome, so it has one input.
    #[error("{transaction} has {inputs} inputs, it can have one")]
    OpenInputs {
        /// The move.
        transaction: TransactionKind,
        /// Its inputs.
        inputs: usize,
    },
    /// A number beyond the list of one-time keys.
    #[error("group {group} does not exist: there are {groups}")]
    UnknownGroup {
        /// The group.
        group: usize,
        /// How many there are.
        groups: usize,
    },
    /// A one-time key used in two places could sign two values.
    #[error("group {group} is published twice")]
    PublishedTwice {
        /// The group.
        group: usize,
    },
    /// A key that is never used makes leaves that nobody can spend.
    #[error("group {group} is never published")]
    NeverPublished {
        /// The group.
        group: usize,
    },
    /// Values and agreements are the prover's to publish, choices the challenger's.
    #[error("{transaction} publishes group {group} in a way that is not the {mover}'s")]
    NotTheMovers {
        /// The move.
        transaction: TransactionKind,
        /// The group.
        group: usize,
        /// Who makes the move.
        mover: Role,
    },
    /// A choice is under a key of one digit that has its number of options.
    #[error("the key of group {group} is not of the shape of its choice")]
    NotAChoice {
        /// The group.
        group: usize,
    },
    /// An agreement with something that was not chosen before, or was repeated already.
    #[error("group {own} repeats group {theirs}, which is no open choice")]
    NothingToRepeat {
        /// The group that is repeated.
        theirs: usize,
        /// The group that repeats it.
        own: usize,
    },
    /// The challenger could later say that it chose something else.
    #[error("the choice of group {group} is not repeated by the prover before a leaf may disprove")]
    NeverRepeated {
        /// The challenger's group.
        group: usize,
    },
    /// A group that no transaction can hold.
    #[error("group {group} alone needs {needed} {unit}, the limit is {limit}")]
    GroupTooLarge {
        /// The group.
        group: usize,
        /// What it needs.
        needed: u64,
        /// What there is.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// What the challenger chooses in one turn does not fit one transaction.
    #[error("a turn of the challenger takes {moves} transactions, it can take one")]
    TurnTooLarge {
        /// How many it takes.
        moves: usize,
    },
}
