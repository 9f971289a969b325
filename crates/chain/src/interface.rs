//! What the rest of the system asks of Bitcoin.

use bitcoin::{
    Amount, Block, BlockHash, FeeRate, OutPoint, Script, ScriptBuf, Transaction, TxOut, Txid,
};

use crate::ChainError;

/// Confirmations that a coinbase output needs before it can be spent.
// Bitcoin Core, src/consensus/consensus.h: COINBASE_MATURITY
pub const COINBASE_MATURITY_BLOCKS: u32 = 100;

/// The last block of the best chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Blocks since the genesis block, whose height is 0.
    pub height: u32,
    /// Hash of the block.
    pub hash: BlockHash,
}

/// An unspent output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utxo {
    /// The output itself.
    pub output: TxOut,
    /// Height of the block that has it; `None` while it is in the mempool.
    pub height: Option<u32>,
    /// Whether a coinbase transaction made it, so that it has to mature.
    pub coinbase: bool,
}

impl Utxo {
    /// Whether the output is confirmed and, if of a coinbase, mature, so that the block after `tip_height` can spend it.
    pub fn is_mature(&self, tip_height: u32) -> bool {
        match self.height {
            None => false,
            Some(height) => !self.coinbase || tip_height + 1 >= height + COINBASE_MATURITY_BLOCKS,
        }
    }
}

/// The transaction that spends an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// The spending transaction, with its witness.
    pub transaction: Transaction,
    /// Which of its inputs spends the output.
    pub input_index: usize,
    /// Height of the block that has it; `None` while it is in the mempool.
    pub height: Option<u32>,
}

/// What the mempool knows of an unconfirmed transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MempoolEntry {
    /// Virtual size by which its feerate is computed, in virtual bytes.
    // Bitcoin Core, src/policy/policy.cpp: GetVirtualTransactionSize
    pub vsize_vb: u64,
    /// What it pays itself.
    pub fee: Amount,
}

/// Reads Bitcoin: blocks, outputs, and the mempool.
pub trait ChainView {
    /// Names the implementation, for tables and logs.
    fn name(&self) -> &'static str;

    /// Returns the last block of the best chain.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    fn tip(&self) -> Result<Tip, ChainError>;

    /// Returns the height of the block that confirms a transaction, `None` if there is no such block.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    fn confirmation_height(&self, txid: Txid) -> Result<Option<u32>, ChainError>;

    /// Returns the coinbase transaction of a block, `None` if there is no block of that height.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    fn coinbase(&self, height: u32) -> Result<Option<Transaction>, ChainError>;

    /// Returns a transaction of the chain or the mempool.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    fn transaction(&self, txid: Txid) -> Result<Option<Transaction>, ChainError>;

    /// Returns the transaction of the chain or the mempool that spends an output.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    fn spender(&self, outpoint: OutPoint) -> Result<Option<Spend>, ChainError>;

    /// Returns an output that neither the chain nor the mempool spends.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    fn utxo(&self, outpoint: OutPoint) -> Result<Option<Utxo>, ChainError>;

    /// Lists the unconfirmed transactions.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    fn mempool(&self) -> Result<Vec<Txid>, ChainError>;

    /// Returns the size and the fee of one unconfirmed transaction, without those of its relatives; `None` if the mempool
    /// does not have it.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    fn mempool_entry(&self, txid: Txid) -> Result<Option<MempoolEntry>, ChainError>;

    /// Returns the feerate below which the mempool takes nothing at the moment: the least that relays, and more when the
    /// mempool is full.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    fn min_feerate(&self) -> Result<FeeRate, ChainError>;

    /// Returns the feerate that a transaction should pay to confirm within so many blocks, `None` without an estimate.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    fn estimate_feerate(&self, blocks: u32) -> Result<Option<FeeRate>, ChainError>;

    /// Returns the block at a height of the best chain, `None` if there is no such block.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer, or has deleted the block.
    fn block(&self, height: u32) -> Result<Option<Block>, ChainError>;

    /// Checks that what the chain shows is not known to be old.
    ///
    /// # Errors
    /// [`ChainError::Lagging`] if a node is still in its initial download (which means nothing on a regtest), or has
    /// fewer blocks than headers; [`ChainError`] when it does not answer.
    fn check_synced(&self) -> Result<(), ChainError>;
}

/// Brings transactions into the mempool, under Core's default relay policy. A refused transaction changes nothing.
pub trait Broadcast {
    /// Submits a transaction to the mempool.
    ///
    /// Submitting one that the mempool already has is not an error.
    ///
    /// # Errors
    /// [`ChainError::Refused`] with the reason, if it breaks a consensus rule or the relay policy.
    fn submit(&mut self, transaction: &Transaction) -> Result<Txid, ChainError>;

    /// Says whether [`Broadcast::submit`] would take the transaction, and changes nothing.
    ///
    /// # Errors
    /// As [`Broadcast::submit`].
    fn test_accept(&self, transaction: &Transaction) -> Result<(), ChainError>;

    /// Submits a transaction and the child that pays for it, as a 1-parent-1-child package.
    ///
    /// # Errors
    /// [`ChainError::Refused`] naming the parent or the child, if the package cannot enter as a whole. The parent can
    /// stay in the mempool if it is acceptable alone and only the child is refused.
    fn submit_package(
        &mut self,
        parent: &Transaction,
        child: &Transaction,
    ) -> Result<(), ChainError>;
}

/// Confirms transactions by mining, which only a regtest can do.
pub trait Regtest {
    /// Mines blocks that confirm what is in the mempool, with coinbases that pay to `script_pubkey`.
    ///
    /// # Errors
    /// [`ChainError::CannotMine`] if the chain is no regtest.
    fn mine_to(&mut self, blocks: u32, script_pubkey: &Script) -> Result<Tip, ChainError>;

    /// Mines blocks that confirm what is in the mempool, with coinbases that nobody can spend.
    ///
    /// # Errors
    /// [`ChainError::CannotMine`] if the chain is no regtest.
    fn mine(&mut self, blocks: u32) -> Result<Tip, ChainError> {
        self.mine_to(blocks, &nobody())
    }

    /// Mines one block with exactly these transactions, parents first, whatever the relay policy says of them: what a
    /// cooperating miner does.
    ///
    /// # Errors
    /// [`ChainError::Refused`] or [`ChainError::BlockRefused`] if a consensus rule forbids the block.
    fn mine_block(&mut self, transactions: &[Transaction]) -> Result<Tip, ChainError>;

    /// Replaces the last `depth` blocks by `depth + 1` empty ones. What they confirmed returns to the mempool, as far as
    /// it is still valid.
    ///
    /// # Errors
    /// [`ChainError::ReorgTooDeep`], and [`ChainError::CannotMine`] if the chain is no regtest.
    fn reorg(&mut self, depth: u32) -> Result<Tip, ChainError>;
}

/// What a party needs of Bitcoin: to see it, and to send something.
pub trait Link: ChainView + Broadcast {}

impl<T: ChainView + Broadcast + ?Sized> Link for T {}

/// A view of Bitcoin that can also be moved forward.
pub trait Chain: Link + Regtest {}

impl<T: Link + Regtest + ?Sized> Chain for T {}

/// The script that blocks pay to when nobody is to have the coins: a bare `OP_RETURN`.
pub(crate) fn nobody() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![bitcoin::opcodes::all::OP_RETURN.to_u8()])
}
