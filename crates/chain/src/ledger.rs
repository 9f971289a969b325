//! An index of the blocks of one chain: which transactions they have, and what spends what. Of all
//! transactions, or of those of interest.

use std::collections::{HashMap, HashSet};

use bitcoin::block::Header;
use bitcoin::{Block, BlockHash, OutPoint, ScriptBuf, Transaction, Txid};

use crate::{Spend, Tip, Utxo};

/// Blocks whose times make the median time past.
// Bitcoin Core, src/chain.h: CBlockIndex::nMedianTimeSpan
const MEDIAN_TIME_SPAN: usize = 11;

/// What to know of a chain. Everything else about it is not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interest {
    /// Transactions to know when they are confirmed, and what spends their outputs.
    pub txids: HashSet<Txid>,
    /// Outputs of which to know what spends them, and what spends the outputs of that.
    pub outpoints: HashSet<OutPoint>,
    /// Scripts of which to know what pays to them, and what spends that.
    pub scripts: HashSet<ScriptBuf>,
}

impl Interest {
    /// Adds another one, and says whether that has anything that this one had not.
    pub(crate) fn extend(&mut self, other: Self) -> bool {
        let size = |interest: &Self| {
            interest.txids.len() + interest.outpoints.len() + interest.scripts.len()
        };
        let before = size(self);
        self.txids.extend(other.txids);
        self.outpoints.extend(other.outpoints);
        self.scripts.extend(other.scripts);
        size(self) > before
    }
}

/// The blocks from a height on, in order, with lookups.
///
/// Without an interest it has all transactions; with one, headers and the transactions that
/// [`Ledger::reason`] finds a reason for.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    base_height: u32,
    interest: Option<Interest>,
    blocks: Vec<Entry>,
    transactions: HashMap<Txid, Confirmed>,
    spenders: HashMap<OutPoint, (Txid, usize)>,
}

#[derive(Debug)]
struct Entry {
    header: Header,
    hash: BlockHash,
    /// Those that are kept, in order.
    txids: Box<[Txid]>,
}

#[derive(Debug)]
struct Confirmed {
    height: u32,
    transaction: Transaction,
    reason: Reason,
}

/// Why a transaction is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// It is of interest itself, and so is whatever spends an output of it.
    Itself,
    /// It spends what is of interest, or pays to a script of interest. Of what spends it only that is
    /// of interest which spends such a script: else all that descends from a payout would be kept.
    Neighbour,
}

impl Ledger {
    /// Makes an empty index whose first block will have height `base_height`.
    pub(crate) fn starting_at(base_height: u32) -> Self {
        Self {
            base_height,
            ..Self::default()
        }
    }

    /// Forgets all blocks and makes an index that starts at the same height and has more to know.
    /// Does nothing if all of that is known.
    pub(crate) fn watch(&mut self, more: Interest) {
        let first = self.interest.is_none();
        let mut interest = self.interest.take().unwrap_or_default();
        let grown = interest.extend(more);
        if first || grown {
            *self = Self::starting_at(self.base_height);
        }
        self.interest = Some(interest);
    }

    /// Forgets all blocks and makes an index of the same transactions that starts elsewhere.
    pub(crate) fn restart_at(&mut self, base_height: u32) {
        let interest = self.interest.take();
        *self = Self {
            interest,
            ..Self::starting_at(base_height)
        };
    }

    /// Counts the transactions in memory.
    pub(crate) fn kept(&self) -> usize {
        self.transactions.len()
    }

    /// Finds out whether a transaction is to be kept, when all blocks before it are connected.
    fn reason(&self, txid: Txid, transaction: &Transaction) -> Option<Reason> {
        let Some(interest) = &self.interest else {
            return Some(Reason::Itself);
        };
        let mut spent = transaction.input.iter().map(|input| input.previous_output);
        if interest.txids.contains(&txid) || spent.any(|spent| interest.outpoints.contains(&spent))
        {
            return Some(Reason::Itself);
        }
        let spends_kept = transaction.input.iter().any(|input| {
            let spent = input.previous_output;
            self.transactions.get(&spent.txid).is_some_and(|kept| {
                let output = kept.transaction.output.get(spent.vout as usize);
                kept.reason == Reason::Itself
                    || output.is_some_and(|output| interest.scripts.contains(&output.script_pubkey))
            })
        });
        let mut outputs = transaction.output.iter();
        let pays = outputs.any(|output| interest.scripts.contains(&output.script_pubkey));
        (spends_kept || pays).then_some(Reason::Neighbour)
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
        let mut txids = Vec::new();
        for transaction in block.txdata {
            let txid = transaction.compute_txid();
            let Some(reason) = self.reason(txid, &transaction) else {
                continue;
            };
            for (input_index, input) in transaction.input.iter().enumerate() {
                self.spenders
                    .insert(input.previous_output, (txid, input_index));
            }
            self.transactions.insert(
                txid,
                Confirmed {
                    height,
                    transaction,
                    reason,
                },
            );
            txids.push(txid);
        }
        self.blocks.push(Entry {
            header: block.header,
            hash,
            txids: txids.into(),
        });
    }

    /// Removes the last block and returns its transactions in order, coinbase first, as far as they
    /// are kept.
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

    /// Returns the first transaction of a block, if it is kept.
    pub(crate) fn coinbase(&self, height: u32) -> Option<&Transaction> {
        let entry = self
            .blocks
            .get(height.checked_sub(self.base_height)? as usize)?;
        entry
            .txids
            .first()
            .and_then(|&txid| self.transaction(txid))
            .map(|(transaction, _)| transaction)
            .filter(|transaction| transaction.is_coinbase())
    }

    /// Puts a block together again, if all of it is kept.
    pub(crate) fn block(&self, height: u32) -> Option<Block> {
        if self.interest.is_some() {
            return None;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;
    use bitcoin::{Amount, Network, TxIn, TxOut, absolute, constants, transaction};

    fn script(tag: u8) -> ScriptBuf {
        ScriptBuf::from_bytes(vec![0x51, 0x01, tag])
    }

    /// Spends these, and has two outputs with this tag.
    fn spend(spent: &[OutPoint], tag: u8) -> Transaction {
        let input = spent.iter().map(|&previous_output| TxIn {
            previous_output,
            ..TxIn::default()
        });
        let output = TxOut {
            value: Amount::ONE_SAT,
            script_pubkey: script(tag),
        };
        Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: input.collect(),
            output: vec![output; 2],
        }
    }

    fn first(transaction: &Transaction) -> OutPoint {
        OutPoint::new(transaction.compute_txid(), 0)
    }

    fn elsewhere(tag: u8) -> OutPoint {
        OutPoint::new(Txid::from_byte_array([tag; 32]), 0)
    }

    fn block(txdata: &[&Transaction]) -> Block {
        let mut block = constants::genesis_block(Network::Regtest);
        block.txdata.extend(txdata.iter().copied().cloned());
        block
    }

    #[test]
    fn what_is_of_interest_is_kept_and_nothing_else() {
        let by_outpoint = spend(&[elsewhere(1)], 10);
        let after_it = spend(&[first(&by_outpoint)], 11);
        let after_that = spend(&[first(&after_it)], 12);
        let by_txid = spend(&[elsewhere(2)], 20);
        let after_txid = spend(&[OutPoint::new(by_txid.compute_txid(), 1)], 21);
        let by_script = spend(&[elsewhere(3)], 30);
        let after_script = spend(&[first(&by_script)], 31);
        let after_both = spend(&[first(&after_script)], 32);
        let foreign = spend(&[elsewhere(4)], 40);
        let interest = Interest {
            txids: [by_txid.compute_txid()].into(),
            outpoints: [elsewhere(1)].into(),
            scripts: [script(30)].into(),
        };
        let mut ledger = Ledger::starting_at(7);
        ledger.watch(interest.clone());
        let kept = [
            &by_outpoint,
            &after_it,
            &by_txid,
            &after_txid,
            &by_script,
            &after_script,
        ];
        for _ in 0..2 {
            ledger.connect(block(&[&foreign, &by_outpoint, &after_it, &by_script]));
            ledger.connect(block(&[&after_that, &by_txid]));
            ledger.connect(block(&[&after_txid, &after_script, &after_both]));
            assert_eq!(ledger.kept(), kept.len());
            for transaction in kept {
                let spent = transaction.input[0].previous_output;
                assert!(ledger.transaction(transaction.compute_txid()).is_some());
                assert_eq!(&ledger.spender(spent).unwrap().transaction, transaction);
            }
            assert!(ledger.coinbase(7).is_none() && ledger.block(7).is_none());
            assert_eq!(ledger.next_height(), 10);

            let gone = ledger.disconnect();
            assert_eq!(gone, [after_txid.clone(), after_script.clone()]);
            assert!(ledger.spender(first(&by_script)).is_none());
            assert_eq!(ledger.disconnect(), std::slice::from_ref(&by_txid));
            assert_eq!(ledger.disconnect().len(), 3);
            assert!(ledger.spenders.is_empty() && ledger.kept() == 0);
        }
        ledger.connect(block(&[]));
        ledger.watch(interest.clone());
        assert_eq!(ledger.next_height(), 8, "nothing new to know");
        ledger.watch(Interest {
            txids: [foreign.compute_txid()].into(),
            ..Interest::default()
        });
        assert_eq!(ledger.next_height(), 7);
        assert_eq!(ledger.interest.as_ref().unwrap().txids.len(), 2);
        ledger.restart_at(3);
        assert_eq!(ledger.next_height(), 3);
        assert!(ledger.interest.is_some());
    }
}
