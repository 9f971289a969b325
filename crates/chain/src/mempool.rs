//! The embedded chain's mempool: unconfirmed transactions that passed Core's rules and the relay policy, parents first.

mod chunks;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bitcoin::{Amount, FeeRate, OutPoint, Transaction, TxOut, Txid, Weight};

use self::chunks::Member;
use crate::ledger::Ledger;
use crate::policy::{
    self, InputConfirmation, MAX_CLUSTER_TRANSACTIONS, MAX_CLUSTER_VB, Parent, TRUC_VERSION,
    Violation,
};
use crate::{
    COINBASE_MATURITY_BLOCKS, ChainError, CoreVerifier, MempoolEntry, Refusal, Spend, Utxo,
};

/// How much of the policy applies to a transaction on its way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// Submitted alone.
    Alone,
    /// Part of a package, whose fee is checked as a whole.
    Package,
    /// Returned from a disconnected block: the limits do not apply.
    Reorg,
    /// Chosen by a miner: consensus rules only.
    Miner,
}

/// Unconfirmed transactions in an order in which a block can have them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mempool {
    entries: Vec<Entry>,
    /// Positions in `entries`.
    index: HashMap<Txid, usize>,
    /// What the entries spend.
    spenders: HashMap<OutPoint, (Txid, usize)>,
    /// What a full mempool asks for, if that is more than what relays.
    min_feerate: Option<FeeRate>,
}

#[derive(Debug, Clone)]
struct Entry {
    txid: Txid,
    transaction: Arc<Transaction>,
    fee: Amount,
    /// Time of the last block when it came, in seconds.
    time: u32,
}

impl Entry {
    fn vsize_vb(&self) -> u64 {
        self.transaction.vsize() as u64 // cast ok, usize is at most 64 bits
    }

    fn member(&self) -> Member {
        let inputs = self.transaction.input.iter();
        Member {
            txid: self.txid,
            fee_sat: self.fee.to_sat(),
            vsize_vb: self.vsize_vb(),
            spends: inputs.map(|input| input.previous_output.txid).collect(),
        }
    }

    fn spends(&self, txid: Txid) -> bool {
        self.transaction
            .input
            .iter()
            .any(|input| input.previous_output.txid == txid)
    }
}

impl Mempool {
    /// Lists the transactions, parents first.
    pub(crate) fn txids(&self) -> Vec<Txid> {
        self.entries.iter().map(|entry| entry.txid).collect()
    }

    /// Returns a transaction.
    pub(crate) fn transaction(&self, txid: Txid) -> Option<&Transaction> {
        self.entry(txid).map(|entry| &*entry.transaction)
    }

    /// Returns a transaction's own size and fee.
    pub(crate) fn known(&self, txid: Txid) -> Option<MempoolEntry> {
        self.entry(txid).map(|entry| MempoolEntry {
            vsize_vb: entry.vsize_vb(),
            fee: entry.fee,
        })
    }

    /// Returns the transaction that spends an output.
    pub(crate) fn spender(&self, outpoint: OutPoint) -> Option<Spend> {
        let &(txid, input_index) = self.spenders.get(&outpoint)?;
        Some(Spend {
            transaction: self.transaction(txid)?.clone(),
            input_index,
            height: None,
        })
    }

    /// Returns an output of the chain or the mempool that neither spends.
    pub(crate) fn utxo(&self, ledger: &Ledger, outpoint: OutPoint) -> Option<Utxo> {
        if self.spenders.contains_key(&outpoint) {
            None
        } else {
            self.output(ledger, outpoint)
        }
    }

    /// Sets the feerate that the mempool asks for, where that is more than what relays.
    pub(crate) fn set_min_feerate(&mut self, feerate: FeeRate) {
        self.min_feerate = Some(feerate);
    }

    /// Returns the feerate below which nothing enters.
    pub(crate) fn min_feerate(&self) -> FeeRate {
        let relay = policy::min_relay_feerate();
        self.min_feerate.map_or(relay, |mempool| mempool.max(relay))
    }

    /// Chooses transactions for a block: all, or as many from the front as its weight allows. Returns their fees too.
    pub(crate) fn block_template(&self, limit: Weight) -> (Vec<Transaction>, Amount) {
        self.choose(self.entries.iter().map(|entry| vec![entry.txid]), limit)
    }

    /// Chooses transactions for a block as a miner does whose blocks are in demand: those that pay most for each virtual
    /// byte, with what they descend from or what pays for them, and nothing below a feerate. Returns their fees too.
    // Bitcoin Core, src/node/miner.cpp: addChunks
    pub(crate) fn market_template(
        &self,
        limit: Weight,
        floor: FeeRate,
        left_out: &HashSet<Txid>,
    ) -> (Vec<Transaction>, Amount) {
        let named: Vec<Txid> = left_out.iter().copied().collect();
        let left_out = self.with_descendants(&named);
        let members: Vec<Member> = self
            .entries
            .iter()
            .filter(|entry| !left_out.contains(&entry.txid))
            .map(Entry::member)
            .collect();
        let chunks = chunks::chunks(&members);
        let wanted = chunks.into_iter().filter(|chunk| chunk.pays(floor));
        self.choose(wanted.map(|chunk| chunk.txids), limit)
    }

    /// Takes of these groups, the first ones first, as many as the weight allows, and puts parents first.
    fn choose(
        &self,
        groups: impl Iterator<Item = Vec<Txid>>,
        limit: Weight,
    ) -> (Vec<Transaction>, Amount) {
        let (mut weight, mut fees) = (Weight::ZERO, Amount::ZERO);
        let mut chosen: Vec<&Entry> = Vec::new();
        let mut taken = HashSet::new();
        for group in groups {
            let entries: Vec<&Entry> = group.iter().filter_map(|&txid| self.entry(txid)).collect();
            let more: Weight = entries.iter().map(|entry| entry.transaction.weight()).sum();
            let mut inputs = entries.iter().flat_map(|entry| &entry.transaction.input);
            let orphaned = inputs.any(|input| {
                let parent = input.previous_output.txid;
                self.entry(parent).is_some() && !taken.contains(&parent) && !group.contains(&parent)
            });
            if orphaned || weight + more > limit {
                continue;
            }
            weight += more;
            fees += entries.iter().map(|entry| entry.fee).sum();
            taken.extend(group);
            chosen.extend(entries);
        }
        chosen.sort_by_key(|entry| self.index.get(&entry.txid));
        let transactions = chosen.iter().map(|entry| (*entry.transaction).clone());
        (transactions.collect(), fees)
    }

    /// Forgets what has been waiting for longer than a mempool keeps anything, with what spends it. `time` is that of
    /// the last block.
    // Bitcoin Core, src/txmempool.cpp: Expire
    pub(crate) fn expire(&mut self, time: u32) {
        let oldest = time.saturating_sub(policy::MEMPOOL_EXPIRY_SECONDS);
        let old = self.entries.iter().filter(|entry| entry.time < oldest);
        let old: Vec<Txid> = old.map(|entry| entry.txid).collect();
        if !old.is_empty() {
            self.remove(&self.with_descendants(&old));
        }
    }

    /// Forgets all transactions.
    pub(crate) fn clear(&mut self) {
        self.drain();
    }

    /// Removes what a new block confirms, and what it makes impossible.
    pub(crate) fn block_connected(&mut self, transactions: &[Transaction]) {
        let confirmed: HashSet<Txid> = transactions.iter().map(Transaction::compute_txid).collect();
        let conflicts: Vec<Txid> = transactions
            .iter()
            .flat_map(|transaction| &transaction.input)
            .filter_map(|input| self.spenders.get(&input.previous_output))
            .map(|&(txid, _)| txid)
            .filter(|txid| !confirmed.contains(txid))
            .collect();
        let mut gone = self.with_descendants(&conflicts);
        gone.extend(confirmed);
        self.remove(&gone);
    }

    /// Forgets all transactions and returns them, parents first, with the times when they came.
    pub(crate) fn drain(&mut self) -> Vec<(Transaction, u32)> {
        let entries = std::mem::take(&mut self.entries);
        self.index.clear();
        self.spenders.clear();
        entries
            .into_iter()
            .map(|entry| (Arc::unwrap_or_clone(entry.transaction), entry.time))
            .collect()
    }

    /// Says when a transaction came, if that was before it returned from a block.
    pub(crate) fn set_time(&mut self, txid: Txid, time: u32) {
        if let Some(&position) = self.index.get(&txid) {
            self.entries[position].time = time;
        }
    }

    /// Checks a transaction against the chain and the mempool and adds it. Changes nothing if it is refused.
    ///
    /// The order of the checks is that of Core's `MemPoolAccept`.
    pub(crate) fn accept(
        &mut self,
        ledger: &Ledger,
        transaction: &Transaction,
        entrance: Entrance,
    ) -> Result<(), ChainError> {
        let txid = transaction.compute_txid();
        if self.index.contains_key(&txid) {
            return Ok(());
        }
        let refused = |reason| ChainError::Refused { txid, reason };
        let admission = self
            .check(ledger, transaction, txid, entrance)
            .map_err(refused)?;
        let time = ledger.tip_header().map_or(0, |header| header.time);
        self.remove(&admission.replaced);
        for (input_index, input) in transaction.input.iter().enumerate() {
            self.spenders
                .insert(input.previous_output, (txid, input_index));
        }
        self.index.insert(txid, self.entries.len());
        self.entries.push(Entry {
            txid,
            transaction: Arc::new(transaction.clone()),
            fee: admission.fee,
            time,
        });
        Ok(())
    }

    /// Adds a parent and its child: the parent alone if it can pay for itself, else both if together they can.
    ///
    /// As in Core, a parent that enters alone stays even if the child is then refused.
    pub(crate) fn accept_package(
        &mut self,
        ledger: &Ledger,
        parent: &Transaction,
        child: &Transaction,
    ) -> Result<(), ChainError> {
        let child_refused = |violation| ChainError::Refused {
            txid: child.compute_txid(),
            reason: Refusal::Policy(violation),
        };
        policy::check_package(parent, child).map_err(child_refused)?;
        match self.accept(ledger, parent, Entrance::Alone) {
            Ok(()) => return self.accept(ledger, child, Entrance::Alone),
            Err(ChainError::Refused {
                reason: Refusal::Policy(violation),
                ..
            }) if violation.is_of_fee() => {}
            Err(other) => return Err(other),
        }
        let mut both = self.clone();
        both.accept(ledger, parent, Entrance::Package)?;
        both.accept(ledger, child, Entrance::Package)?;
        let new = [parent, child].map(Transaction::compute_txid);
        let new: Vec<Member> = new
            .iter()
            .filter_map(|&txid| both.entry(txid).map(Entry::member))
            .collect();
        let (fee_sat, vsize_vb) = new.iter().fold((0, 0), |(fee, vsize), member| {
            (fee + member.fee_sat, vsize + member.vsize_vb)
        });
        self.check_fee(Amount::from_sat(fee_sat), vsize_vb)
            .map_err(child_refused)?;
        let replaced: HashSet<Txid> = self
            .entries
            .iter()
            .map(|entry| entry.txid)
            .filter(|&txid| both.entry(txid).is_none())
            .collect();
        self.check_package_replacement(&new, &replaced)
            .map_err(child_refused)?;
        *self = both;
        Ok(())
    }

    /// Checks what a transaction or package pays.
    // Bitcoin Core, src/validation.cpp: CheckFeeRate
    fn check_fee(&self, fee: Amount, vsize_vb: u64) -> Result<(), Violation> {
        let required = self.min_feerate.and_then(|rate| rate.fee_vb(vsize_vb));
        if let Some(required) = required.filter(|&required| fee < required) {
            return Err(Violation::MempoolFee {
                fee_sat: fee.to_sat(),
                required_sat: required.to_sat(),
            });
        }
        policy::check_fee(fee, vsize_vb)
    }

    /// Checks that a package pays for what it replaces, if that is anything.
    // Bitcoin Core, src/validation.cpp: PackageRBFChecks
    fn check_package_replacement(
        &self,
        new: &[Member],
        replaced: &HashSet<Txid>,
    ) -> Result<(), Violation> {
        let ([parent, _], Some(&conflict)) = (new, replaced.iter().min()) else {
            return Ok(());
        };
        let mut spends = new.iter().flat_map(|member| &member.spends);
        if let Some(&ancestor) = spends.find(|&&txid| self.entry(txid).is_some()) {
            return Err(Violation::PackageReplacementAncestor { ancestor });
        }
        let fee_sat: u64 = new.iter().map(|member| member.fee_sat).sum();
        let vsize_vb: u64 = new.iter().map(|member| member.vsize_vb).sum();
        let for_relay = policy::incremental_relay_fee(vsize_vb).to_sat();
        let required_sat = self.fees_sat(replaced) + for_relay;
        if fee_sat < required_sat {
            return Err(Violation::PackageReplacement {
                conflict,
                fee_sat,
                required_sat,
            });
        }
        // Core compares feerates as fractions, without rounding.
        if u128::from(fee_sat) * u128::from(parent.vsize_vb)
            <= u128::from(parent.fee_sat) * u128::from(vsize_vb)
        {
            return Err(Violation::PackageParentRate {
                fee_sat,
                vsize_vb,
                parent_fee_sat: parent.fee_sat,
                parent_vsize_vb: parent.vsize_vb,
            });
        }
        if !self.improved_by(new, replaced) {
            return Err(Violation::PackageDiagram { conflict });
        }
        Ok(())
    }

    /// What these pay, in satoshi.
    fn fees_sat(&self, txids: &HashSet<Txid>) -> u64 {
        let entries = txids.iter().filter_map(|&txid| self.entry(txid));
        entries.map(|entry| entry.fee.to_sat()).sum()
    }

    /// Whether miners would earn more of whatever has to do with these transactions if the new ones took the place of
    /// the replaced ones.
    // Bitcoin Core, src/policy/rbf.cpp: ImprovesFeerateDiagram
    fn improved_by(&self, new: &[Member], replaced: &HashSet<Txid>) -> bool {
        let spends = new.iter().flat_map(|member| member.spends.iter().copied());
        let affected = self.connected(replaced.iter().copied().chain(spends).collect());
        let old: Vec<Member> = self
            .entries
            .iter()
            .filter(|entry| affected.contains(&entry.txid))
            .map(Entry::member)
            .collect();
        let mut then: Vec<Member> = old.clone();
        then.retain(|member| !replaced.contains(&member.txid));
        then.extend(new.iter().cloned());
        chunks::improves(&chunks::chunks(&old), &chunks::chunks(&then))
    }

    /// The given transactions, as far as they are unconfirmed, and all that are connected with them by spending each
    /// other's outputs.
    fn connected(&self, roots: HashSet<Txid>) -> HashSet<Txid> {
        let mut found = roots;
        loop {
            let before = found.len();
            for entry in &self.entries {
                let inputs = entry.transaction.input.iter();
                let mut spends = inputs.map(|input| input.previous_output.txid);
                if found.contains(&entry.txid) {
                    found.extend(spends.filter(|&txid| self.entry(txid).is_some()));
                } else if spends.any(|txid| found.contains(&txid) && self.entry(txid).is_some()) {
                    found.insert(entry.txid);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    fn entry(&self, txid: Txid) -> Option<&Entry> {
        self.index
            .get(&txid)
            .map(|&position| &self.entries[position])
    }

    fn output(&self, ledger: &Ledger, outpoint: OutPoint) -> Option<Utxo> {
        match self.entry(outpoint.txid) {
            Some(entry) => {
                let output = entry
                    .transaction
                    .output
                    .get(outpoint.vout as usize)?
                    .clone();
                Some(Utxo {
                    output,
                    height: None,
                    coinbase: false,
                })
            }
            None => ledger.utxo(outpoint),
        }
    }

    fn check(
        &self,
        ledger: &Ledger,
        transaction: &Transaction,
        txid: Txid,
        entrance: Entrance,
    ) -> Result<Admission, Refusal> {
        let next_height = ledger.next_height();
        let median_time_past = ledger.median_time_past(next_height.saturating_sub(1));
        check_form(transaction)?;
        if entrance != Entrance::Miner {
            policy::check_standard(transaction)?;
        }
        policy::check_final(transaction, next_height, median_time_past)?;
        if ledger.transaction(txid).is_some() {
            return Err(Refusal::AlreadyConfirmed);
        }

        let spent = self.spent_outputs(ledger, transaction)?;
        policy::check_sequence_locks(
            transaction,
            &confirmations(ledger, &spent, next_height),
            next_height,
            median_time_past,
        )?;
        let fee = check_amounts(transaction, &spent, next_height)?;
        let prevouts: Vec<TxOut> = spent.into_iter().map(|utxo| utxo.output).collect();

        let mut replaced = HashSet::new();
        if entrance != Entrance::Miner {
            policy::check_inputs(transaction, &prevouts)?;
            policy::ephemeral_dust(transaction, fee)?;
            if entrance == Entrance::Alone {
                self.check_fee(fee, transaction.vsize() as u64)?; // cast ok, usize is at most 64 bits
            }
            replaced = self.replacements(transaction, fee, entrance)?;
            if entrance != Entrance::Reorg {
                policy::check_truc(transaction, &self.parents(transaction, &replaced))?;
                self.check_cluster(transaction, &replaced)?;
                let parents = transaction
                    .input
                    .iter()
                    .filter_map(|input| self.transaction(input.previous_output.txid));
                policy::check_dust_spent(transaction, parents)?;
            }
        } else if let Some(input) = transaction
            .input
            .iter()
            .find(|input| self.spenders.contains_key(&input.previous_output))
        {
            return Err(Refusal::MissingInput {
                outpoint: input.previous_output,
            });
        }

        let verifier = CoreVerifier::new(transaction, &prevouts)
            .map_err(|_| Refusal::Malformed("bad-txns-vin-empty"))?;
        for input_index in 0..prevouts.len() {
            verifier
                .verify(input_index)
                .map_err(|_| Refusal::Script { input_index })?;
        }
        if entrance != Entrance::Miner {
            policy::check_script_rules(transaction, &prevouts)?;
        }
        Ok(Admission { fee, replaced })
    }

    fn spent_outputs(
        &self,
        ledger: &Ledger,
        transaction: &Transaction,
    ) -> Result<Vec<Utxo>, Refusal> {
        let outpoints = transaction.input.iter().map(|input| input.previous_output);
        outpoints
            .map(|outpoint| {
                self.output(ledger, outpoint)
                    .ok_or(Refusal::MissingInput { outpoint })
            })
            .collect()
    }

    /// Finds what the transaction would replace, and checks that it pays for that. Of a package, all of it together has
    /// to.
    // Bitcoin Core, src/validation.cpp: ReplacementChecks; src/policy/rbf.cpp: PaysForRBF, EntriesAndTxidsDisjoint
    fn replacements(
        &self,
        transaction: &Transaction,
        fee: Amount,
        entrance: Entrance,
    ) -> Result<HashSet<Txid>, Refusal> {
        let mut direct: Vec<Txid> = transaction
            .input
            .iter()
            .filter_map(|input| self.spenders.get(&input.previous_output))
            .map(|&(txid, _)| txid)
            .collect();
        if let Some(sibling) = self
            .sibling(transaction, entrance)
            .filter(|sibling| !direct.contains(sibling))
        {
            direct.push(sibling);
        }
        let Some(&conflict) = direct.first() else {
            return Ok(HashSet::new());
        };
        let replaced = self.with_descendants(&direct);
        if let Some(input) = transaction
            .input
            .iter()
            .find(|input| replaced.contains(&input.previous_output.txid))
        {
            let spent = input.previous_output.txid;
            return Err(match entrance {
                Entrance::Package => Violation::PackageReplacementAncestor { ancestor: spent },
                _ => Violation::SpendsConflict { conflict: spent },
            }
            .into());
        }
        if entrance == Entrance::Package {
            return Ok(replaced);
        }
        let vsize_vb = transaction.vsize() as u64; // cast ok, usize is at most 64 bits
        let required_sat =
            self.fees_sat(&replaced) + policy::incremental_relay_fee(vsize_vb).to_sat();
        // What returns from a block replaces nothing.
        if entrance != Entrance::Alone || fee.to_sat() < required_sat {
            return Err(Violation::Replacement {
                conflict,
                fee_sat: fee.to_sat(),
                required_sat,
            }
            .into());
        }
        let inputs = transaction.input.iter();
        let new = Member {
            txid: transaction.compute_txid(),
            fee_sat: fee.to_sat(),
            vsize_vb,
            spends: inputs.map(|input| input.previous_output.txid).collect(),
        };
        if !self.improved_by(&[new], &replaced) {
            return Err(Violation::Diagram { conflict }.into());
        }
        Ok(replaced)
    }

    /// The only other child of an unconfirmed version 3 parent, which a second child competes with as if both spent the
    /// same output.
    // Bitcoin Core, src/policy/truc_policy.cpp: SingleTRUCChecks (sibling eviction)
    fn sibling(&self, transaction: &Transaction, entrance: Entrance) -> Option<Txid> {
        let parents = self.parents(transaction, &HashSet::new());
        let [parent] = parents[..] else { return None };
        if entrance != Entrance::Alone
            || transaction.version.0 != TRUC_VERSION
            || parent.version != TRUC_VERSION
        {
            return None;
        }
        let mut children = self
            .entries
            .iter()
            .filter(|entry| entry.spends(parent.txid))
            .map(|entry| entry.txid);
        let first = children.next().filter(|_| parent.descendants == 1)?;
        children.next().is_none().then_some(first)
    }

    fn parents(&self, transaction: &Transaction, replaced: &HashSet<Txid>) -> Vec<Parent> {
        let txids: HashSet<Txid> = transaction
            .input
            .iter()
            .map(|input| input.previous_output.txid)
            .collect();
        self.entries
            .iter()
            .filter(|entry| txids.contains(&entry.txid))
            .map(|entry| Parent {
                txid: entry.txid,
                version: entry.transaction.version.0,
                ancestors: self.ancestors(entry),
                // The set has the parent itself.
                descendants: self
                    .with_descendants(&[entry.txid])
                    .difference(replaced)
                    .count()
                    .saturating_sub(1),
            })
            .collect()
    }

    fn ancestors(&self, entry: &Entry) -> usize {
        let mut wanted: HashSet<Txid> = entry
            .transaction
            .input
            .iter()
            .map(|input| input.previous_output.txid)
            .collect();
        let mut count = 0;
        for candidate in self
            .entries
            .iter()
            .rev()
            .filter(|candidate| candidate.txid != entry.txid)
        {
            if wanted.contains(&candidate.txid) {
                count += 1;
                wanted.extend(
                    candidate
                        .transaction
                        .input
                        .iter()
                        .map(|input| input.previous_output.txid),
                );
            }
        }
        count
    }

    /// The given transactions, as far as they are unconfirmed, and all that spend them.
    fn with_descendants(&self, roots: &[Txid]) -> HashSet<Txid> {
        let mut found = HashSet::new();
        // Parents come first, so one pass sees every descendant after what it spends.
        for entry in &self.entries {
            let descends = entry
                .transaction
                .input
                .iter()
                .any(|input| found.contains(&input.previous_output.txid));
            if descends || roots.contains(&entry.txid) {
                found.insert(entry.txid);
            }
        }
        found
    }

    // Bitcoin Core, src/txmempool.cpp: CheckMemPoolPolicyLimits
    fn check_cluster(
        &self,
        transaction: &Transaction,
        replaced: &HashSet<Txid>,
    ) -> Result<(), Violation> {
        let mut cluster: Vec<&Entry> = Vec::new();
        let connected = |cluster: &[&Entry], entry: &Entry| {
            transaction
                .input
                .iter()
                .any(|input| input.previous_output.txid == entry.txid)
                || cluster
                    .iter()
                    .any(|member| member.spends(entry.txid) || entry.spends(member.txid))
        };
        loop {
            let next = self.entries.iter().find(|entry| {
                !replaced.contains(&entry.txid)
                    && cluster.iter().all(|member| member.txid != entry.txid)
                    && connected(&cluster, entry)
            });
            match next {
                Some(entry) => cluster.push(entry),
                None => break,
            }
        }
        let transactions = cluster.len() + 1;
        let vsize_vb =
            cluster.iter().map(|entry| entry.vsize_vb()).sum::<u64>() + transaction.vsize() as u64; // cast ok
        if transactions > MAX_CLUSTER_TRANSACTIONS || vsize_vb > MAX_CLUSTER_VB {
            return Err(Violation::Cluster {
                transactions,
                limit: MAX_CLUSTER_TRANSACTIONS,
                vsize_vb,
                limit_vb: MAX_CLUSTER_VB,
            });
        }
        Ok(())
    }

    fn remove(&mut self, gone: &HashSet<Txid>) {
        if !self.entries.iter().any(|entry| gone.contains(&entry.txid)) {
            return;
        }
        self.entries.retain(|entry| !gone.contains(&entry.txid));
        self.spenders.retain(|_, (txid, _)| !gone.contains(txid));
        self.index = self
            .entries
            .iter()
            .enumerate()
            .map(|(position, entry)| (entry.txid, position))
            .collect();
    }
}

/// What a check found about a transaction that may enter.
#[derive(Debug)]
struct Admission {
    fee: Amount,
    replaced: HashSet<Txid>,
}

// Bitcoin Core, src/consensus/tx_check.cpp: CheckTransaction
fn check_form(transaction: &Transaction) -> Result<(), Refusal> {
    if transaction.input.is_empty() {
        return Err(Refusal::Malformed("bad-txns-vin-empty"));
    }
    if transaction.output.is_empty() {
        return Err(Refusal::Malformed("bad-txns-vout-empty"));
    }
    if transaction
        .output
        .iter()
        .any(|output| output.value > Amount::MAX_MONEY)
    {
        return Err(Refusal::Malformed("bad-txns-vout-toolarge"));
    }
    let total = transaction
        .output
        .iter()
        .try_fold(Amount::ZERO, |sum, output| sum.checked_add(output.value));
    if total.is_none_or(|total| total > Amount::MAX_MONEY) {
        return Err(Refusal::Malformed("bad-txns-txouttotal-toolarge"));
    }
    let distinct: HashSet<OutPoint> = transaction
        .input
        .iter()
        .map(|input| input.previous_output)
        .collect();
    if distinct.len() != transaction.input.len() {
        return Err(Refusal::Malformed("bad-txns-inputs-duplicate"));
    }
    if transaction.is_coinbase() {
        return Err(Refusal::Malformed("coinbase"));
    }
    Ok(())
}

/// Returns the fee.
// Bitcoin Core, src/consensus/tx_verify.cpp: CheckTxInputs
fn check_amounts(
    transaction: &Transaction,
    spent: &[Utxo],
    next_height: u32,
) -> Result<Amount, Refusal> {
    for (input, utxo) in transaction.input.iter().zip(spent) {
        let confirmations = utxo
            .height
            .map_or(0, |height| next_height.saturating_sub(height));
        if utxo.coinbase && confirmations < COINBASE_MATURITY_BLOCKS {
            return Err(Refusal::ImmatureCoinbase {
                outpoint: input.previous_output,
                confirmations,
            });
        }
    }
    // Neither sum overflows: existing outputs are at most 21 million coins, and the outputs' sum is checked.
    let inputs: Amount = spent.iter().map(|utxo| utxo.output.value).sum();
    let outputs: Amount = transaction.output.iter().map(|output| output.value).sum();
    inputs.checked_sub(outputs).ok_or(Refusal::Overspent {
        inputs_sat: inputs.to_sat(),
        outputs_sat: outputs.to_sat(),
    })
}

fn confirmations(ledger: &Ledger, spent: &[Utxo], next_height: u32) -> Vec<InputConfirmation> {
    let confirmation = |utxo: &Utxo| {
        let height = utxo.height.unwrap_or(next_height);
        InputConfirmation {
            height,
            median_time_past: ledger.median_time_past(height.saturating_sub(1)),
        }
    };
    spent.iter().map(confirmation).collect()
}
