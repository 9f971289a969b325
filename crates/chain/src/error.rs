//! Why the chain said no.

use bitcoin::{OutPoint, Txid};

use crate::policy::Violation;

/// Why a [`Chain`](crate::Chain) did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A transaction breaks a consensus rule or the relay policy.
    #[error("transaction {txid} was refused: {reason}")]
    Refused {
        /// The transaction.
        txid: Txid,
        /// The rule.
        reason: Refusal,
    },
    /// A block as a whole breaks a consensus rule.
    #[error("the block was refused: {reason}")]
    BlockRefused {
        /// What Bitcoin Core's code said.
        reason: String,
    },
    /// A reorganisation was asked to go back further than the genesis block.
    #[error("cannot replace {depth} blocks of a chain of height {height}")]
    ReorgTooDeep {
        /// Blocks to replace.
        depth: u32,
        /// Height of the tip.
        height: u32,
    },
    /// The chain has real proof of work.
    #[error("cannot mine on network '{network}', only on regtest")]
    CannotMine {
        /// Core's name of the network.
        network: String,
    },
    /// A node could not be started.
    #[error("cannot start a node from '{executable}': {reason}")]
    NodeStart {
        /// Path of the executable.
        executable: String,
        /// What went wrong, in one line.
        reason: String,
    },
    /// No node answers.
    #[error("no node answers at {url}: {reason}")]
    NodeUnreachable {
        /// Address of the node's RPC server.
        url: String,
        /// What went wrong, in one line.
        reason: String,
    },
    /// What is given as a node's address cannot be one.
    #[error("'{url}' is not the address of a node: {reason}")]
    NodeAddress {
        /// The address, without what may be secret.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing to log in to a node with.
    #[error("cannot log in to a node: {reason}")]
    Login {
        /// What went wrong, in one line.
        reason: String,
    },
    /// A server answers, with an error of HTTP.
    #[error("{url} answers with HTTP status {status}: {reason}")]
    NodeRefuses {
        /// Address of the server.
        url: String,
        /// The status, such as `401 Unauthorized`.
        status: String,
        /// What that means, in one line.
        reason: String,
    },
    /// A server sends the caller elsewhere, where the password must not go.
    #[error("{url} answers with a redirect, which is not followed: give the node's own address")]
    NodeRedirects {
        /// Address of the server.
        url: String,
    },
    /// A node answers that it is not ready yet.
    #[error("the node at {url} is still starting, try again later: {reason}")]
    NodeStarting {
        /// Address of the node's RPC server.
        url: String,
        /// What it is doing.
        reason: String,
    },
    /// A node does not have all blocks yet, so that what it shows is old.
    #[error(
        "the node is not up to date, try again later: it has {blocks} blocks and knows of {headers}"
    )]
    Lagging {
        /// Height of the last block that the node has connected.
        blocks: u32,
        /// Height of the best header that it knows; equal to `blocks` if it is in its initial
        /// download and has found no peer that knows more.
        headers: u32,
    },
    /// A server answers, but not as a node does.
    #[error("what answers at {url} is not a Bitcoin Core node: {reason}")]
    NotANode {
        /// Address of the server.
        url: String,
        /// What it does, in one line.
        reason: String,
    },
    /// A node answered a call with an error, or with something else than expected.
    #[error("the node's answer to '{method}': {reason}")]
    Rpc {
        /// The RPC method.
        method: &'static str,
        /// What the node said, in one line.
        reason: String,
    },
    /// Bitcoin Core's code in this process could not be set up.
    #[error("cannot start the embedded chain: {reason}")]
    Embedded {
        /// What went wrong.
        reason: String,
    },
}

impl ChainError {
    /// Returns Bitcoin Core's reject reason if a transaction was refused, such as `bad-txns-inputs-missingorspent`.
    pub fn core_reason(&self) -> Option<&str> {
        match self {
            Self::Refused { reason, .. } => Some(reason.core_reason()),
            _ => None,
        }
    }
}

/// The rule that a refused transaction breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A rule of relay, not of consensus.
    #[error(transparent)]
    Policy(#[from] Violation),
    /// An input spends an output that does not exist or is spent by a confirmed transaction.
    #[error("output {outpoint} does not exist or is spent")]
    MissingInput {
        /// The output.
        outpoint: OutPoint,
    },
    /// The transaction is already in a block.
    #[error("it is already confirmed")]
    AlreadyConfirmed,
    /// An input spends the output of a young coinbase.
    #[error("coinbase output {outpoint} is spent after {confirmations} of 100 confirmations")]
    ImmatureCoinbase {
        /// The output.
        outpoint: OutPoint,
        /// Its confirmations in the next block.
        confirmations: u32,
    },
    /// Bitcoin Core's script verification refuses an input.
    #[error("script verification of input {input_index} failed")]
    Script {
        /// The input.
        input_index: usize,
    },
    /// The outputs are worth more than the inputs.
    #[error("the outputs are worth {outputs_sat} sat, the inputs {inputs_sat} sat")]
    Overspent {
        /// Value of the inputs.
        inputs_sat: u64,
        /// Value of the outputs.
        outputs_sat: u64,
    },
    /// The transaction breaks a rule that needs no context, named by Core's reject reason.
    #[error("{0}")]
    Malformed(&'static str),
    /// What a node said.
    #[error("{details}")]
    Node {
        /// Core's reject reason.
        reason: String,
        /// The reason with the node's details.
        details: String,
    },
}

impl Refusal {
    /// Returns Bitcoin Core's reject reason, such as `bad-txns-inputs-missingorspent`.
    // Bitcoin Core, src/validation.cpp and src/consensus/{tx_check,tx_verify}.cpp
    pub fn core_reason(&self) -> &str {
        match self {
            Self::Policy(violation) => violation.core_reason(),
            Self::MissingInput { .. } => "bad-txns-inputs-missingorspent",
            Self::AlreadyConfirmed => "txn-already-known",
            Self::ImmatureCoinbase { .. } => "bad-txns-premature-spend-of-coinbase",
            Self::Script { .. } => "mempool-script-verify-flag-failed",
            Self::Overspent { .. } => "bad-txns-in-belowout",
            Self::Malformed(reason) => reason,
            Self::Node { reason, .. } => reason,
        }
    }
}
