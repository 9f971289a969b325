//! The rules of relay policy, as errors.

use bitcoin::{OutPoint, Txid};

/// A rule of relay policy that a transaction breaks, with the value and the limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// Core's `version`.
    #[error("version {version} is not 1, 2 or 3")]
    Version {
        /// The transaction's version.
        version: i32,
    },
    /// Core's `tx-size`.
    #[error("weight {weight_wu} WU exceeds {limit_wu} WU")]
    Weight {
        /// Weight of the transaction.
        weight_wu: u64,
        /// Most that relays.
        limit_wu: u64,
    },
    /// Core's `tx-size-small`.
    #[error("{bytes} bytes without the witness are fewer than {limit}")]
    TooSmall {
        /// Bytes without the witness.
        bytes: usize,
        /// Fewest that relay.
        limit: usize,
    },
    /// Core's `scriptsig-size`.
    #[error("scriptSig of input {input_index} has {bytes} bytes, more than {limit}")]
    ScriptSigSize {
        /// The input.
        input_index: usize,
        /// Bytes of its `scriptSig`.
        bytes: usize,
        /// Most that relay.
        limit: usize,
    },
    /// Core's `scriptsig-not-pushonly`.
    #[error("scriptSig of input {input_index} does more than push data")]
    ScriptSigNotPushOnly {
        /// The input.
        input_index: usize,
    },
    /// Core's `scriptpubkey`.
    #[error("output {output_index} has no standard script")]
    OutputScript {
        /// The output.
        output_index: usize,
    },
    /// Core's `datacarrier`.
    #[error("{bytes} bytes of data outputs exceed {limit}")]
    DataCarrier {
        /// Bytes of `OP_RETURN` scripts.
        bytes: usize,
        /// Most that relay.
        limit: usize,
    },
    /// Core's `dust`: too many dust outputs.
    #[error(
        "output {output_index} of {value_sat} sat is dust (below {threshold_sat} sat), and not the only one"
    )]
    Dust {
        /// The second dust output.
        output_index: usize,
        /// Its value.
        value_sat: u64,
        /// Least value that is not dust for its script.
        threshold_sat: u64,
    },
    /// Core's `dust`: a transaction with a dust output must leave nothing to miners, so that it is only mined with the
    /// child that spends the output.
    #[error(
        "output {output_index} is dust, and the transaction pays a fee of {fee_sat} sat instead of 0"
    )]
    DustWithFee {
        /// The dust output.
        output_index: usize,
        /// Fee of the transaction.
        fee_sat: u64,
    },
    /// Core's `bad-txns-nonstandard-inputs`.
    #[error("input {input_index} spends an output whose script is not standard")]
    InputScript {
        /// The input.
        input_index: usize,
    },
    /// Core's `bad-witness-nonstandard`: a witness item is too long.
    #[error(
        "item {item_index} of the witness of input {input_index} has {bytes} bytes, more than {limit}"
    )]
    WitnessItem {
        /// The input.
        input_index: usize,
        /// The item, bottom first.
        item_index: usize,
        /// Its bytes.
        bytes: usize,
        /// Most that relay.
        limit: usize,
    },
    /// Core's `bad-witness-nonstandard`: too many items for a P2WSH script.
    #[error("witness of input {input_index} has {items} items, more than {limit}")]
    WitnessItems {
        /// The input.
        input_index: usize,
        /// Its items without the script.
        items: usize,
        /// Most that relay.
        limit: usize,
    },
    /// Core's `bad-witness-nonstandard`: an annex, which has no meaning yet.
    #[error("witness of input {input_index} has an annex")]
    Annex {
        /// The input.
        input_index: usize,
    },
    /// Core's `bad-witness-nonstandard`: the spent output needs no witness, or this one cannot be right.
    #[error("witness of input {input_index} is not one that its output can need")]
    WitnessShape {
        /// The input.
        input_index: usize,
    },
    /// Core's `mempool-script-verify-flag-failed`: the input is valid, but does what is not minimal or is reserved for
    /// upgrades.
    #[error("input {input_index} is valid but does not relay: {reason}")]
    ScriptRules {
        /// The input.
        input_index: usize,
        /// What the interpreter found.
        reason: String,
    },
    /// Core's `min relay fee not met`.
    #[error("fee {fee_sat} sat is below {required_sat} sat")]
    Fee {
        /// Fee of the transaction or the package.
        fee_sat: u64,
        /// Least fee for its size.
        required_sat: u64,
    },
    /// Core's `mempool min fee not met`: the mempool is so full that it asks for more than what relays.
    #[error("fee {fee_sat} sat is below the mempool's {required_sat} sat")]
    MempoolFee {
        /// Fee of the transaction or the package.
        fee_sat: u64,
        /// Least fee for its size at the moment.
        required_sat: u64,
    },
    /// Core's `non-final`.
    #[error("lock time {lock_time} is not reached in the next block")]
    NotFinal {
        /// The transaction's `nLockTime`.
        lock_time: u32,
    },
    /// Core's `non-BIP68-final`: a relative lock in blocks.
    #[error(
        "input {input_index} is locked until height {height}, the next block has {next_height}"
    )]
    SequenceHeight {
        /// The input.
        input_index: usize,
        /// First height whose block can have the transaction.
        height: u32,
        /// Height of the next block.
        next_height: u32,
    },
    /// Core's `non-BIP68-final`: a relative lock in seconds.
    #[error(
        "input {input_index} is locked until median time {time}, that of the tip is {median_time_past}"
    )]
    SequenceTime {
        /// The input.
        input_index: usize,
        /// First median time past, in seconds, after which a block can have the transaction.
        time: u64,
        /// Median time past of the tip.
        median_time_past: u32,
    },
    /// Core's `TRUC-violation`: a version 3 transaction is too large.
    #[error("version 3 transaction of {vsize_vb} vB exceeds {limit_vb} vB")]
    TrucSize {
        /// Its virtual size.
        vsize_vb: u64,
        /// Most that relays.
        limit_vb: u64,
    },
    /// Core's `TRUC-violation`: a version 3 transaction with an unconfirmed parent is too large.
    #[error("version 3 child of {vsize_vb} vB exceeds {limit_vb} vB")]
    TrucChildSize {
        /// Its virtual size.
        vsize_vb: u64,
        /// Most that relays.
        limit_vb: u64,
    },
    /// Core's `TRUC-violation`: a version 3 transaction has more than one unconfirmed ancestor.
    #[error("version 3 transaction has {ancestors} unconfirmed ancestors, more than 1")]
    TrucAncestors {
        /// Unconfirmed ancestors.
        ancestors: usize,
    },
    /// Core's `TRUC-violation`: the unconfirmed version 3 parent has another child.
    #[error("unconfirmed version 3 transaction {parent} already has a child")]
    TrucDescendants {
        /// The parent.
        parent: Txid,
    },
    /// Core's `TRUC-violation`: version 3 and other versions spend each other unconfirmed.
    #[error(
        "version {version} transaction spends unconfirmed transaction {parent} of version {parent_version}"
    )]
    TrucInheritance {
        /// Version of the child.
        version: i32,
        /// The parent.
        parent: Txid,
        /// Version of the parent.
        parent_version: i32,
    },
    /// Core's `missing-ephemeral-spends`.
    #[error("dust output {outpoint} of an unconfirmed parent is not spent")]
    EphemeralDustUnspent {
        /// The dust output.
        outpoint: OutPoint,
    },
    /// Core's `package-not-child-with-parents`.
    #[error("the package's second transaction does not spend the first, {parent}")]
    PackageTopology {
        /// The first transaction.
        parent: Txid,
    },
    /// Core's `conflict-in-package`.
    #[error("both transactions of the package spend {outpoint}")]
    PackageConflict {
        /// The output.
        outpoint: OutPoint,
    },
    /// Core's `package-too-large`.
    #[error("the package's {weight_wu} WU exceed {limit_wu} WU")]
    PackageWeight {
        /// Weight of both transactions.
        weight_wu: u64,
        /// Most that relays.
        limit_wu: u64,
    },
    /// Core's `too-large-cluster`.
    #[error(
        "it connects {transactions} unconfirmed transactions of {vsize_vb} vB, more than {limit} or {limit_vb} vB"
    )]
    Cluster {
        /// Transactions that would be connected.
        transactions: usize,
        /// Most transactions.
        limit: usize,
        /// Their virtual sizes together.
        vsize_vb: u64,
        /// Most virtual bytes.
        limit_vb: u64,
    },
    /// Core's `insufficient fee`: an unconfirmed transaction spends the same output and the new one does not pay more.
    #[error(
        "{conflict} spends the same output, and {fee_sat} sat do not replace it ({required_sat} sat would)"
    )]
    Replacement {
        /// The transaction to be replaced.
        conflict: Txid,
        /// Fee of the new one.
        fee_sat: u64,
        /// Least fee that would do.
        required_sat: u64,
    },
    /// Core's `replacement-failed`: it pays more than what it would replace, but so little for each virtual byte that
    /// some blocks would be worth less.
    #[error("{conflict} spends the same output, and is worth more to some blocks")]
    Diagram {
        /// The transaction to be replaced.
        conflict: Txid,
    },
    /// Core's `package RBF failed`: the package does not pay more than what it would replace.
    #[error(
        "the package would replace {conflict} and more, and {fee_sat} sat do not ({required_sat} sat would)"
    )]
    PackageReplacement {
        /// A transaction to be replaced.
        conflict: Txid,
        /// Fee of the package.
        fee_sat: u64,
        /// Least fee that would do.
        required_sat: u64,
    },
    /// Core's `package RBF failed`: a package that replaces something spends what is unconfirmed.
    #[error("the package would replace something, but spends unconfirmed transaction {ancestor}")]
    PackageReplacementAncestor {
        /// The unconfirmed transaction.
        ancestor: Txid,
    },
    /// Core's `package RBF failed`: the child of a package that replaces something does not raise the feerate.
    #[error(
        "the package would replace something, but its {fee_sat} sat for {vsize_vb} vB are no higher feerate than the \
         parent's {parent_fee_sat} sat for {parent_vsize_vb} vB"
    )]
    PackageParentRate {
        /// Fee of the package.
        fee_sat: u64,
        /// Virtual size of the package.
        vsize_vb: u64,
        /// Fee of the parent.
        parent_fee_sat: u64,
        /// Virtual size of the parent.
        parent_vsize_vb: u64,
    },
    /// Core's `package RBF failed`: as [`Violation::Diagram`], for a package.
    #[error("the package would replace {conflict}, which is worth more to some blocks")]
    PackageDiagram {
        /// A transaction to be replaced.
        conflict: Txid,
    },
    /// Core's `bad-txns-spends-conflicting-tx`.
    #[error("it spends {conflict}, which it would also replace")]
    SpendsConflict {
        /// The transaction both spent and replaced.
        conflict: Txid,
    },
}

impl Violation {
    /// Whether a child may pay what is missing.
    // Bitcoin Core, src/consensus/validation.h: TX_RECONSIDERABLE
    pub(crate) fn is_of_fee(&self) -> bool {
        matches!(
            self,
            Self::Fee { .. }
                | Self::MempoolFee { .. }
                | Self::Replacement { .. }
                | Self::Diagram { .. }
        )
    }

    /// Returns Bitcoin Core's reject reason.
    // Bitcoin Core, src/policy/*.cpp and src/validation.cpp
    pub fn core_reason(&self) -> &'static str {
        match self {
            Self::Version { .. } => "version",
            Self::Weight { .. } => "tx-size",
            Self::TooSmall { .. } => "tx-size-small",
            Self::ScriptSigSize { .. } => "scriptsig-size",
            Self::ScriptSigNotPushOnly { .. } => "scriptsig-not-pushonly",
            Self::OutputScript { .. } => "scriptpubkey",
            Self::DataCarrier { .. } => "datacarrier",
            Self::Dust { .. } | Self::DustWithFee { .. } => "dust",
            Self::InputScript { .. } => "bad-txns-nonstandard-inputs",
            Self::WitnessItem { .. }
            | Self::WitnessItems { .. }
            | Self::Annex { .. }
            | Self::WitnessShape { .. } => "bad-witness-nonstandard",
            Self::ScriptRules { .. } => "mempool-script-verify-flag-failed",
            Self::MempoolFee { .. } => "mempool min fee not met",
            Self::Fee { .. } => "min relay fee not met",
            Self::NotFinal { .. } => "non-final",
            Self::SequenceHeight { .. } | Self::SequenceTime { .. } => "non-BIP68-final",
            Self::TrucSize { .. }
            | Self::TrucChildSize { .. }
            | Self::TrucAncestors { .. }
            | Self::TrucDescendants { .. }
            | Self::TrucInheritance { .. } => "TRUC-violation",
            Self::EphemeralDustUnspent { .. } => "missing-ephemeral-spends",
            Self::PackageTopology { .. } => "package-not-child-with-parents",
            Self::PackageConflict { .. } => "conflict-in-package",
            Self::PackageWeight { .. } => "package-too-large",
            Self::Cluster { .. } => "too-large-cluster",
            Self::Replacement { .. } => "insufficient fee",
            Self::Diagram { .. } => "replacement-failed",
            Self::PackageReplacement { .. } => "package RBF failed: insufficient anti-DoS fees",
            Self::PackageReplacementAncestor { .. } => {
                "package RBF failed: new transaction cannot have mempool ancestors"
            }
            Self::PackageParentRate { .. } => {
                "package RBF failed: package feerate is less than or equal to parent feerate"
            }
            Self::PackageDiagram { .. } => {
                "package RBF failed: insufficient feerate: does not improve feerate diagram"
            }
            Self::SpendsConflict { .. } => "bad-txns-spends-conflicting-tx",
        }
    }
}
