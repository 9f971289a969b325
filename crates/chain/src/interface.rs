//! What the rest of the system asks of Bitcoin.

use bitcoin::{BlockHash, OutPoint, Script, ScriptBuf, Transaction, TxOut, Txid};

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

/// A view of Bitcoin that can also be moved forward.
///
/// Transactions enter a mempool under Core's default relay policy ([`Chain::submit`], [`Chain::submit_package`]) and are
/// confirmed by mining, which only a regtest can do. A refused transaction changes nothing.
pub trait Chain {
    /// Names the implementation, for tables and logs.
    fn name(&self) -> &'static str;

    /// Returns the last block of the best chain.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    fn tip(&self) -> Result<Tip, ChainError>;

    /// Submits a transaction to the mempool.
    ///
    /// Submitting one that the mempool already has is not an error.
    ///
    /// # Errors
    /// [`ChainError::Refused`] with the reason, if it breaks a consensus rule or the relay policy.
    fn submit(&mut self, transaction: &Transaction) -> Result<Txid, ChainError>;

    /// Says whether [`Chain::submit`] would take the transaction, and changes nothing.
    ///
    /// # Errors
    /// As [`Chain::submit`].
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
}

/// The script that blocks pay to when nobody is to have the coins: a bare `OP_RETURN`.
pub(crate) fn nobody() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![bitcoin::opcodes::all::OP_RETURN.to_u8()])
}
