//! A regtest in this process, on Bitcoin Core's consensus code.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, Once, PoisonError};

use bitcoin::absolute::{Height, LockTime};
use bitcoin::block::{Header, Version as BlockVersion};
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::{
    Amount, Block, FeeRate, Network, OutPoint, Script, ScriptBuf, Sequence, Target, Transaction,
    TxIn, TxMerkleNode, TxOut, Txid, Weight, Witness, constants, transaction,
};
use bitcoinkernel::notifications::types::{BlockValidationResult, BlockValidationStateExt};
use bitcoinkernel::prelude::*;
use bitcoinkernel::{
    BlockValidationStateRef, ChainType, ChainstateManager, Context, ContextBuilder,
};

use crate::interface::nobody;
use crate::ledger::Ledger;
use crate::mempool::{Entrance, Mempool};
use crate::{Broadcast, ChainError, ChainView, MempoolEntry, Regtest, Spend, Tip, Utxo};

/// Seconds between two blocks. Fixed, so that the same calls make the same chain.
const BLOCK_INTERVAL_SECONDS: u32 = 600;

/// Blocks between two halvings of the subsidy.
// Bitcoin Core, src/kernel/chainparams.cpp: CRegTestParams, nSubsidyHalvingInterval
const HALVING_INTERVAL_BLOCKS: u32 = 150;

/// Weight that a block has for transactions: all but 8,000 weight units for its header and coinbase.
// Bitcoin Core, src/policy/policy.h: DEFAULT_BLOCK_RESERVED_WEIGHT
const BLOCK_SPACE: Weight = Weight::from_wu(4_000_000 - 8_000);

/// A regtest in this process.
///
/// Bitcoin Core's code connects every block, so consensus is Core's. The mempool is ours (see [`crate::policy`]). The
/// same calls give the same blocks: times advance by a fixed step, and nothing is random.
pub struct Embedded {
    // Before the context that it uses, and before the directory that it writes to: fields drop in this order.
    manager: ChainstateManager,
    _context: Context,
    _directory: tempfile::TempDir,
    /// Why Core refused the last block that it refused.
    verdict: Arc<Mutex<Option<BlockValidationResult>>>,
    ledger: Ledger,
    mempool: Mempool,
    /// Blocks made so far; makes the coinbases of competing blocks differ.
    blocks_made: u64,
    /// What [`ChainView::estimate_feerate`] says.
    estimate: Option<FeeRate>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded")
            .field("tip", &self.ledger.tip())
            .finish_non_exhaustive()
    }
}

impl Embedded {
    /// Starts a regtest that has only the genesis block. Its block files are in a temporary directory, its databases in
    /// memory; both go when it is dropped.
    ///
    /// # Errors
    /// [`ChainError::Embedded`] if the directory or Core's state cannot be made.
    pub fn new() -> Result<Self, ChainError> {
        // Core's library buffers its log until somebody takes it or says that nobody will.
        static SILENCE: Once = Once::new();
        SILENCE.call_once(bitcoinkernel::disable_logging);

        let failed = |reason: String| ChainError::Embedded { reason };
        let directory = tempfile::Builder::new()
            .prefix("tapcourt-")
            .tempdir()
            .map_err(|error| failed(error.to_string()))?;
        let data = directory.path().to_string_lossy().into_owned();
        let blocks = directory
            .path()
            .join("blocks")
            .to_string_lossy()
            .into_owned();

        let verdict = Arc::new(Mutex::new(None));
        let last_verdict = Arc::clone(&verdict);
        let context = ContextBuilder::new()
            .chain_type(ChainType::Regtest)
            .with_block_checked_validation(
                move |_: bitcoinkernel::Block, state: BlockValidationStateRef<'_>| {
                    let result = Some(state.result())
                        .filter(|&result| result != BlockValidationResult::Unset);
                    *last_verdict.lock().unwrap_or_else(PoisonError::into_inner) = result;
                },
            )
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let manager = ChainstateManager::builder(&context, &data, &blocks)
            .map_err(|error| failed(error.to_string()))?
            .worker_threads(0)
            .block_tree_db_in_memory(true)
            .chainstate_db_in_memory(true)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        manager
            .import_blocks()
            .map_err(|error| failed(error.to_string()))?;

        let mut ledger = Ledger::starting_at(0);
        ledger.connect(constants::genesis_block(Network::Regtest));
        let chain = Self {
            manager,
            _context: context,
            _directory: directory,
            verdict,
            ledger,
            mempool: Mempool::default(),
            blocks_made: 0,
            estimate: None,
        };
        match chain.core_tip() {
            hash if Some(hash) == chain.ledger.tip().map(|tip| tip.hash) => Ok(chain),
            hash => Err(failed(format!("unexpected genesis block {hash}"))),
        }
    }

    /// Sets the feerate below which the mempool takes nothing, neither single transactions nor packages as a whole: what
    /// a full mempool does by itself. Never less than what relays. What is in the mempool stays.
    pub fn set_min_feerate(&mut self, feerate: FeeRate) {
        self.mempool.set_min_feerate(feerate);
    }

    /// Sets what [`ChainView::estimate_feerate`] says, for any number of blocks. At first that is nothing.
    pub fn set_estimate(&mut self, feerate: Option<FeeRate>) {
        self.estimate = feerate;
    }

    /// Mines blocks as in a market where block space is dear: they have nothing below a feerate, neither alone nor with
    /// its unconfirmed ancestors nor as a parent together with its child, and not the transactions that are left out,
    /// nor what spends those. The coinbases nobody can spend.
    ///
    /// # Errors
    /// [`ChainError::BlockRefused`] if Core's code refuses a block.
    pub fn mine_market(
        &mut self,
        blocks: u32,
        floor: FeeRate,
        left_out: &HashSet<Txid>,
    ) -> Result<Tip, ChainError> {
        for _ in 0..blocks {
            let (transactions, fees) = self.mempool.market_template(BLOCK_SPACE, floor, left_out);
            self.extend(transactions, fees, &nobody())?;
        }
        Ok(self.known_tip())
    }

    /// Forgets all unconfirmed transactions, as a node does that was started anew without its `mempool.dat`.
    pub fn clear_mempool(&mut self) {
        self.mempool.clear();
    }

    /// The tip as Core sees it.
    fn core_tip(&self) -> bitcoin::BlockHash {
        let tip = self.manager.active_chain().tip();
        bitcoin::BlockHash::from_byte_array(tip.block_hash().to_bytes())
    }

    fn known_tip(&self) -> Tip {
        self.ledger
            .tip()
            .expect("the ledger has the genesis block, which is never disconnected")
    }

    /// Makes the block at `height` on top of `previous`, with a proof of work.
    fn make_block(
        &mut self,
        height: u32,
        previous: &Header,
        transactions: Vec<Transaction>,
        fees: Amount,
        script_pubkey: &Script,
    ) -> Block {
        self.blocks_made += 1;
        let mut txdata = vec![coinbase(height, self.blocks_made, fees, script_pubkey)];
        txdata.extend(transactions);
        let mut block = Block {
            header: Header {
                version: BlockVersion::from_consensus(0x2000_0000),
                prev_blockhash: previous.block_hash(),
                merkle_root: TxMerkleNode::all_zeros(),
                time: previous.time.saturating_add(BLOCK_INTERVAL_SECONDS),
                bits: Target::MAX_ATTAINABLE_REGTEST.to_compact_lossy(),
                nonce: 0,
            },
            txdata,
        };
        if let Some(root) = block.witness_root() {
            let commitment = Block::compute_witness_commitment(&root, &[0; 32]);
            // BIP-0141: OP_RETURN, a push of 36 bytes, the header aa21a9ed, the commitment.
            let script = [
                &[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..],
                commitment.as_byte_array(),
            ]
            .concat();
            block.txdata[0].output.push(TxOut {
                value: Amount::ZERO,
                script_pubkey: ScriptBuf::from_bytes(script),
            });
        }
        block.header.merkle_root = block.compute_merkle_root().expect("a block has a coinbase");
        // Every second hash meets the target.
        while block.header.validate_pow(block.header.target()).is_err() {
            block.header.nonce += 1;
        }
        block
    }

    /// Gives a block to Core's code. Says nothing of whether it became the tip.
    fn process(&mut self, block: &Block) -> Result<(), ChainError> {
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let block = bitcoinkernel::Block::new(&serialize(block)).map_err(|error| {
            ChainError::BlockRefused {
                reason: error.to_string(),
            }
        })?;
        let result = self.manager.process_block(&block);
        let verdict = *self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        match verdict {
            Some(verdict) => Err(ChainError::BlockRefused {
                reason: format!("{verdict:?}"),
            }),
            None if result.is_rejected() => Err(ChainError::BlockRefused {
                reason: format!("{result:?}"),
            }),
            None => Ok(()),
        }
    }

    /// Extends the chain by one block. Core can report a new block and still keep its tip, so the tip decides.
    fn extend(
        &mut self,
        transactions: Vec<Transaction>,
        fees: Amount,
        script: &Script,
    ) -> Result<(), ChainError> {
        let previous = *self
            .ledger
            .tip_header()
            .expect("the ledger has the genesis block");
        let block = self.make_block(
            self.ledger.next_height(),
            &previous,
            transactions,
            fees,
            script,
        );
        self.process(&block)?;
        if self.core_tip() != block.block_hash() {
            return Err(ChainError::BlockRefused {
                reason: "it did not become the tip".into(),
            });
        }
        self.mempool.block_connected(&block.txdata);
        let time = block.header.time;
        self.ledger.connect(block);
        self.mempool.expire(time);
        Ok(())
    }
}

/// A coinbase that claims the subsidy and the fees. `tag` makes it unique.
fn coinbase(height: u32, tag: u64, fees: Amount, script_pubkey: &Script) -> Transaction {
    let halvings = height / HALVING_INTERVAL_BLOCKS;
    let subsidy = Amount::from_int_btc(50)
        .to_sat()
        .checked_shr(halvings)
        .unwrap_or_default();
    let script_sig = Builder::new()
        .push_int(height.into())
        .push_slice(tag.to_le_bytes())
        .into_script();
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::from(Height::ZERO),
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig,
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[0; 32]]), // BIP-0141: the witness reserved value
        }],
        output: vec![TxOut {
            value: Amount::from_sat(subsidy) + fees,
            script_pubkey: script_pubkey.to_owned(),
        }],
    }
}

impl ChainView for Embedded {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn tip(&self) -> Result<Tip, ChainError> {
        Ok(self.known_tip())
    }

    fn confirmation_height(&self, txid: Txid) -> Result<Option<u32>, ChainError> {
        Ok(self.ledger.transaction(txid).map(|(_, height)| height))
    }

    fn coinbase(&self, height: u32) -> Result<Option<Transaction>, ChainError> {
        Ok(self.ledger.coinbase(height).cloned())
    }

    fn transaction(&self, txid: Txid) -> Result<Option<Transaction>, ChainError> {
        let confirmed = self
            .ledger
            .transaction(txid)
            .map(|(transaction, _)| transaction);
        Ok(confirmed
            .or_else(|| self.mempool.transaction(txid))
            .cloned())
    }

    fn spender(&self, outpoint: OutPoint) -> Result<Option<Spend>, ChainError> {
        Ok(self
            .ledger
            .spender(outpoint)
            .or_else(|| self.mempool.spender(outpoint)))
    }

    fn utxo(&self, outpoint: OutPoint) -> Result<Option<Utxo>, ChainError> {
        Ok(self.mempool.utxo(&self.ledger, outpoint))
    }

    fn mempool(&self) -> Result<Vec<Txid>, ChainError> {
        Ok(self.mempool.txids())
    }

    fn mempool_entry(&self, txid: Txid) -> Result<Option<MempoolEntry>, ChainError> {
        Ok(self.mempool.known(txid))
    }

    fn min_feerate(&self) -> Result<FeeRate, ChainError> {
        Ok(self.mempool.min_feerate())
    }

    fn estimate_feerate(&self, _blocks: u32) -> Result<Option<FeeRate>, ChainError> {
        Ok(self.estimate)
    }

    fn block(&self, height: u32) -> Result<Option<Block>, ChainError> {
        Ok(self.ledger.block(height))
    }

    fn check_synced(&self) -> Result<(), ChainError> {
        Ok(())
    }
}

impl Broadcast for Embedded {
    fn submit(&mut self, transaction: &Transaction) -> Result<Txid, ChainError> {
        self.mempool
            .accept(&self.ledger, transaction, Entrance::Alone)?;
        Ok(transaction.compute_txid())
    }

    fn test_accept(&self, transaction: &Transaction) -> Result<(), ChainError> {
        self.mempool
            .clone()
            .accept(&self.ledger, transaction, Entrance::Alone)
    }

    fn submit_package(
        &mut self,
        parent: &Transaction,
        child: &Transaction,
    ) -> Result<(), ChainError> {
        self.mempool.accept_package(&self.ledger, parent, child)
    }
}

impl Regtest for Embedded {
    fn mine_to(&mut self, blocks: u32, script_pubkey: &Script) -> Result<Tip, ChainError> {
        for _ in 0..blocks {
            let (transactions, fees) = self.mempool.block_template(BLOCK_SPACE);
            self.extend(transactions, fees, script_pubkey)?;
        }
        Ok(self.known_tip())
    }

    fn mine_block(&mut self, transactions: &[Transaction]) -> Result<Tip, ChainError> {
        // Core's code decides. When it refuses, our checks are asked for the reason, which Core does not pass on.
        let refusal = self.extend(transactions.to_vec(), Amount::ZERO, &nobody());
        if refusal.is_err() {
            let mut block = Mempool::default();
            for transaction in transactions {
                block.accept(&self.ledger, transaction, Entrance::Miner)?;
            }
        }
        refusal.map(|()| self.known_tip())
    }

    fn reorg(&mut self, depth: u32) -> Result<Tip, ChainError> {
        let height = self.known_tip().height;
        let Some(fork) = height.checked_sub(depth) else {
            return Err(ChainError::ReorgTooDeep { depth, height });
        };
        let mut previous = *self
            .ledger
            .header(fork)
            .expect("the fork is not above the tip");
        let mut replacements = Vec::new();
        for height in fork + 1..=height + 1 {
            let block = self.make_block(height, &previous, Vec::new(), Amount::ZERO, &nobody());
            self.process(&block)?;
            previous = block.header;
            replacements.push(block);
        }
        if self.core_tip() != previous.block_hash() {
            return Err(ChainError::BlockRefused {
                reason: "the longer chain did not become the best one".into(),
            });
        }
        let mut returning = Vec::new();
        for _ in 0..depth {
            let time = self.ledger.tip_header().map_or(0, |header| header.time);
            let block = self.ledger.disconnect().into_iter();
            returning.splice(0..0, block.map(|transaction| (transaction, time)));
        }
        for block in replacements {
            self.ledger.connect(block);
        }
        returning.extend(self.mempool.drain());
        for (transaction, time) in returning
            .iter()
            .filter(|(transaction, _)| !transaction.is_coinbase())
        {
            // What the new chain makes impossible is dropped, as in Core.
            let _ = self
                .mempool
                .accept(&self.ledger, transaction, Entrance::Reorg);
            self.mempool.set_time(transaction.compute_txid(), *time);
        }
        Ok(self.known_tip())
    }
}
