//! Checks over a finished graph: each is a way in which such graphs have been broken.
//!
//! The lints do not trust how a graph was built. They look at transactions, scripts and control blocks, and recompute what
//! they can.

mod leaves;
mod moves;
mod outputs;
mod sizes;

use std::fmt;

use bitcoin::XOnlyPublicKey;

use crate::graph::{DisproveLeaves, Graph};
use crate::moves::LayoutError;
use crate::transactions::{OutputKind, OutputRef, Stage, TransactionKind};

/// Where a script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeafRef {
    /// The leaf that an input of a presigned transaction spends.
    Presigned {
        /// The transaction.
        transaction: TransactionKind,
        /// The input.
        vin: usize,
    },
    /// A disprove leaf after a stage.
    Disprove(Stage, usize),
}

impl fmt::Display for LeafRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Presigned { transaction, vin } => {
                write!(f, "the leaf of input {vin} of {transaction}")
            }
            Self::Disprove(stage, leaf) => {
                write!(f, "leaf {leaf} of {}", TransactionKind::Disprove(*stage))
            }
        }
    }
}

/// Something wrong with a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// An output waits for a move, and no timelocked transaction spends it if none comes.
    NoTimeoutTwin {
        /// The output.
        output: OutputRef,
        /// What it is for.
        kind: OutputKind,
    },
    /// An output of a kind that waits is not described as a taproot output, or its script is another.
    NotTaproot {
        /// The output.
        output: OutputRef,
        /// What it is for.
        kind: OutputKind,
    },
    /// An output's internal key is not the contract's, so somebody may know its secret.
    InternalKey {
        /// The output.
        output: OutputRef,
        /// The key it has.
        got: XOnlyPublicKey,
        /// The recomputed key.
        expected: XOnlyPublicKey,
    },
    /// An output's tree has leaves besides those by which presigned transactions spend it, or lacks one of these.
    HiddenLeaf {
        /// The output.
        output: OutputRef,
        /// What it is for.
        kind: OutputKind,
    },
    /// An input spends something other than the output it names, or its control block does not lead to it.
    ForeignInput {
        /// The transaction.
        transaction: TransactionKind,
        /// The input.
        vin: usize,
    },
    /// The leaf's timelock, the input's `nSequence` and the contract's delays disagree.
    Timelock {
        /// The transaction.
        transaction: TransactionKind,
        /// The input.
        vin: usize,
        /// The blocks that the leaf asks for, if it asks.
        leaf_blocks: Option<u16>,
        /// The blocks that the sequence grants, if it grants any.
        sequence_blocks: Option<u16>,
        /// The blocks that the contract says.
        agreed_blocks: Option<u16>,
    },
    /// A presigned transaction pays a fee, or has not exactly one anchor: it would not relay as ephemeral dust.
    FeeOrAnchor {
        /// The transaction.
        transaction: TransactionKind,
    },
    /// A presigned transaction is not of version 3.
    Version {
        /// The transaction.
        transaction: TransactionKind,
        /// Its version.
        got: i32,
    },
    /// A presigned transaction may exceed its profile.
    TooHeavy {
        /// The transaction.
        transaction: TransactionKind,
        /// Its greatest weight.
        max_wu: u64,
        /// The limit.
        limit_wu: u64,
    },
    /// A disprove leaf's script alone exceeds the profile.
    LeafTooLarge {
        /// The leaf.
        leaf: LeafRef,
        /// Its length.
        script_bytes: usize,
        /// The profile's weight.
        limit_wu: u64,
    },
    /// An input's stack may grow beyond the limit.
    Stack {
        /// The transaction.
        transaction: TransactionKind,
        /// The input.
        vin: usize,
        /// Items at the highest.
        items: usize,
        /// The limit.
        limit: usize,
    },
    /// A witness item may be longer than relays.
    ItemTooLong {
        /// The transaction.
        transaction: TransactionKind,
        /// The input.
        vin: usize,
        /// The longest item's bytes.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A leaf has an `OP_SUCCESSx`, so anyone can spend it.
    OpSuccess {
        /// The leaf.
        leaf: LeafRef,
        /// Where in the script.
        position: usize,
    },
    /// A leaf does not decode.
    Undecodable {
        /// The leaf.
        leaf: LeafRef,
    },
    /// A signature opcode whose key is not a push of 32 bytes just before it: other lengths verify anything (BIP-0342).
    KeyLength {
        /// The leaf.
        leaf: LeafRef,
        /// Where the signature opcode is.
        position: usize,
    },
    /// A presigned leaf does not end with the aggregate key and `OP_CHECKSIG`.
    NotPresigned {
        /// The leaf.
        leaf: LeafRef,
    },
    /// A disprove leaf does not begin with the challenger's key: anybody could take its witness.
    NotTheChallengers {
        /// The leaf.
        leaf: LeafRef,
    },
    /// The challenge can be made without the challenger.
    ChallengeWithoutChallenger,
    /// The layout is wrong, such as a one-time key published twice.
    Layout(LayoutError),
    /// Two one-time keys share the end of a chain: opening one opens part of the other.
    SharedChain {
        /// A group.
        one: usize,
        /// Another group, or the same.
        other: usize,
    },
    /// The leaf of a publishing input is not the one its groups ask for.
    PublishLeaf {
        /// The transaction.
        transaction: TransactionKind,
        /// The input.
        vin: usize,
    },
    /// A disprove leaf opens a key that is not the prover's to have published by then: the challenger's, who could open another
    /// value of it, or one that is published later.
    NotOpen {
        /// The leaf.
        leaf: LeafRef,
        /// Whose key it opens.
        group: usize,
    },
    /// A transaction publishes something else than its move in the layout, or there is none of the two.
    OtherPublications {
        /// The transaction.
        transaction: TransactionKind,
    },
    /// A move spends another transaction than the move before it.
    OutOfOrder {
        /// The transaction.
        transaction: TransactionKind,
        /// The input.
        vin: usize,
    },
    /// What ends the contract if a move is late is not there, leaves an output of the move's, or does not pay the other party everything.
    Late {
        /// The move.
        transaction: TransactionKind,
    },
    /// The number of disprove leaves after a stage, or their root, is not what its outcome commits to.
    OutcomeTree {
        /// The stage.
        stage: Stage,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTimeoutTwin { output, kind } => {
                write!(f, "{output} ({kind}) waits without a timeout twin")
            }
            Self::NotTaproot { output, kind } => write!(
                f,
                "{output} ({kind}) is not the taproot output it should be"
            ),
            Self::InternalKey {
                output,
                got,
                expected,
            } => {
                write!(
                    f,
                    "{output} has internal key {got}, nobody's key is {expected}"
                )
            }
            Self::HiddenLeaf { output, kind } => {
                write!(
                    f,
                    "{output} ({kind}) has other leaves than the transactions that spend it"
                )
            }
            Self::ForeignInput { transaction, vin } => {
                write!(
                    f,
                    "input {vin} of {transaction} does not spend the output it names"
                )
            }
            Self::Timelock {
                transaction,
                vin,
                leaf_blocks,
                sequence_blocks,
                agreed_blocks,
            } => write!(
                f,
                "input {vin} of {transaction}: timelock {leaf_blocks:?} in the leaf, {sequence_blocks:?} in the sequence, {agreed_blocks:?} agreed"
            ),
            Self::FeeOrAnchor { transaction } => {
                write!(f, "{transaction} does not pay zero with exactly one anchor")
            }
            Self::Version { transaction, got } => {
                write!(f, "{transaction} has version {got}, not 3")
            }
            Self::TooHeavy {
                transaction,
                max_wu,
                limit_wu,
            } => {
                write!(
                    f,
                    "{transaction} may weigh {max_wu} WU, the limit is {limit_wu}"
                )
            }
            Self::LeafTooLarge {
                leaf,
                script_bytes,
                limit_wu,
            } => {
                write!(
                    f,
                    "{leaf} has {script_bytes} bytes, the profile allows {limit_wu} WU"
                )
            }
            Self::Stack {
                transaction,
                vin,
                items,
                limit,
            } => {
                write!(
                    f,
                    "input {vin} of {transaction} may need {items} stack items, the limit is {limit}"
                )
            }
            Self::ItemTooLong {
                transaction,
                vin,
                bytes,
                limit,
            } => {
                write!(
                    f,
                    "input {vin} of {transaction} may need a witness item of {bytes} bytes, {limit} relay"
                )
            }
            Self::OpSuccess { leaf, position } => {
                write!(f, "{leaf} has an OP_SUCCESS at byte {position}")
            }
            Self::Undecodable { leaf } => write!(f, "{leaf} does not decode"),
            Self::KeyLength { leaf, position } => {
                write!(f, "{leaf} checks a key not of 32 bytes at byte {position}")
            }
            Self::NotPresigned { leaf } => write!(f, "{leaf} does not end with the aggregate key"),
            Self::NotTheChallengers { leaf } => {
                write!(f, "{leaf} does not begin with the challenger's key")
            }
            Self::ChallengeWithoutChallenger => {
                f.write_str("the challenge does not need the challenger's signature")
            }
            Self::Layout(error) => error.fmt(f),
            Self::SharedChain { one, other } => {
                write!(f, "groups {one} and {other} share a hash chain")
            }
            Self::PublishLeaf { transaction, vin } => {
                write!(
                    f,
                    "the leaf of input {vin} of {transaction} does not open its groups"
                )
            }
            Self::NotOpen { leaf, group } => {
                write!(
                    f,
                    "{leaf} opens group {group}, which the prover has not published by then"
                )
            }
            Self::OtherPublications { transaction } => {
                write!(f, "{transaction} does not publish what the layout says")
            }
            Self::OutOfOrder { transaction, vin } => {
                write!(
                    f,
                    "input {vin} of {transaction} does not spend the move before it"
                )
            }
            Self::Late { transaction } => {
                write!(
                    f,
                    "no transaction pays the other party everything if {transaction} is late"
                )
            }
            Self::OutcomeTree { stage } => {
                let kind = TransactionKind::Disprove(*stage);
                write!(f, "the outcome does not commit to the leaves of {kind}")
            }
        }
    }
}

/// Checks a graph against the disprove leaves it was built with. An empty list means that nothing was found.
pub fn lint(graph: &Graph, leaves: &DisproveLeaves<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    outputs::check(graph, &mut findings);
    sizes::check(graph, &mut findings);
    moves::check(graph, &mut findings);
    leaves::check_presigned(graph, &mut findings);
    for stage in [Stage::Dispute, Stage::Opening] {
        leaves::check_disprove(graph, stage, leaves.stage(stage), &mut findings);
    }
    leaves::check_one_time_keys(graph, &mut findings);
    findings
}
