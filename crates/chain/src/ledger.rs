//! An index of the blocks of one chain: which transactions they have, and what spends what.

use std::collections::HashMap;

use bitcoin::block::Header;
use bitcoin::{Block, BlockHash, OutPoint, Transaction, Txid};

use crate::{Spend, Tip, Utxo};

/// Blocks whose times make the median time past.
// Bitcoin Core, src/chain.h: CBlockIndex::nMedianTimeSpan
const MEDIAN_TIME_SPAN: usize = 11;

/// The blocks from a height on, in order, with lookups.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    base_height: u32,
    blocks: Vec<Entry>,
    transactions: HashMap<Txid, Confirmed>,
    spenders: HashMap<OutPoint, (Txid, usize)>,
}

#[derive(Debug)]
struct Entry {
    header: Header,
    hash: BlockHash,
    txids: Vec<Txid>,
}

#[derive(Debug)]
struct Confirmed {
    height: u32,
    transaction: Transaction,
}

impl Ledger {
    /// Makes an empty index whose first block will have height `base_height`.
    pub(crate) fn starting_at(base_height: u32) -> Self {
        Self {
            base_height,
            ..Self::default()
        }
    }

    /// Returns the last block, `None` if there is none yet.
    pub(crate) fn tip(&self) -> Option<Tip> {
        let last = self.blocks.last()?;
        Some(Tip {
            height: self.next_height() - 1,
            hash: last.hash,
        })
    }

    /// Returns the height of the block that [`Ledger::connect`] expects.
    pub(crate) fn next_height(&self) -> u32 {
        // A chain of 2^32 blocks takes 80,000 years at ten minutes a block.
        self.base_height + u32::try_from(self.blocks.len()).expect("fewer than 2^32 blocks")
    }

    /// Returns the header of the last block.
    pub(crate) fn tip_header(&self) -> Option<&Header> {
        self.blocks.last().map(|entry| &entry.header)
    }

    /// Returns the header at a height.
    pub(crate) fn header(&self, height: u32) -> Option<&Header> {
        self.blocks
            .get(height.checked_sub(self.base_height)? as usize)
            .map(|entry| &entry.header)
    }

    /// Calculates the median time past of a block: the median of its time and those of the ten before it (BIP-0113).
    pub(crate) fn median_time_past(&self, height: u32) -> u32 {
        let end = (height.saturating_sub(self.base_height) as usize + 1).min(self.blocks.len());
        let mut times: Vec<u32> = self.blocks[end.saturating_sub(MEDIAN_TIME_SPAN)..end]
            .iter()
            .map(|entry| entry.header.time)
            .collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }

    /// Adds the next block. The caller has checked that it is valid and follows the tip.
    pub(crate) fn connect(&mut self, block: Block) {
        let height = self.next_height();
        let hash = block.block_hash();
        let mut txids = Vec::with_capacity(block.txdata.len());
        for transaction in block.txdata {
            let txid = transaction.compute_txid();
            for (input_index, input) in transaction.input.iter().enumerate() {
                self.spenders
                    .insert(input.previous_output, (txid, input_index));
            }
            self.transactions.insert(
                txid,
                Confirmed {
                    height,
                    transaction,
                },
            );
            txids.push(txid);
        }
        self.blocks.push(Entry {
            header: block.header,
            hash,
            txids,
        });
    }

    /// Removes the last block and returns its transactions in order, coinbase first.
    pub(crate) fn disconnect(&mut self) -> Vec<Transaction> {
        let Some(entry) = self.blocks.pop() else {
            return Vec::new();
        };
        let mut transactions = Vec::with_capacity(entry.txids.len());
        for txid in entry.txids {
            let Some(confirmed) = self.transactions.remove(&txid) else {
                continue;
            };
            for input in &confirmed.transaction.input {
                self.spenders.remove(&input.previous_output);
            }
            transactions.push(confirmed.transaction);
        }
        transactions
    }

    /// Returns a transaction and its height.
    pub(crate) fn transaction(&self, txid: Txid) -> Option<(&Transaction, u32)> {
        self.transactions
            .get(&txid)
            .map(|confirmed| (&confirmed.transaction, confirmed.height))
    }

    /// Returns the first transaction of a block.
    pub(crate) fn coinbase(&self, height: u32) -> Option<&Transaction> {
        let entry = self
            .blocks
            .get(height.checked_sub(self.base_height)? as usize)?;
        entry
            .txids
            .first()
            .and_then(|&txid| self.transaction(txid))
            .map(|(transaction, _)| transaction)
    }

    /// Puts a block together again.
    pub(crate) fn block(&self, height: u32) -> Option<Block> {
        let entry = self
            .blocks
            .get(height.checked_sub(self.base_height)? as usize)?;
        let txdata = entry.txids.iter().map(|&txid| {
            self.transaction(txid)
                .map(|(transaction, _)| transaction.clone())
        });
        Some(Block {
            header: entry.header,
            txdata: txdata.collect::<Option<_>>()?,
        })
    }

    /// Returns the transaction that spends an output.
    pub(crate) fn spender(&self, outpoint: OutPoint) -> Option<Spend> {
        let &(txid, input_index) = self.spenders.get(&outpoint)?;
        let (transaction, height) = self.transaction(txid)?;
        Some(Spend {
            transaction: transaction.clone(),
            input_index,
            height: Some(height),
        })
    }

    /// Returns an output of these blocks that none of them spends.
    pub(crate) fn utxo(&self, outpoint: OutPoint) -> Option<Utxo> {
        if self.spenders.contains_key(&outpoint) {
            return None;
        }
        let (transaction, height) = self.transaction(outpoint.txid)?;
        let output = transaction.output.get(outpoint.vout as usize)?.clone();
        Some(Utxo {
            output,
            height: Some(height),
            coinbase: transaction.is_coinbase(),
        })
    }
}
