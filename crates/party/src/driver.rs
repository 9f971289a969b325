//! A party of one contract: its engine told what the chain shows, its duties done and paid for until they confirm.

use std::collections::{BTreeMap, HashSet};

use bitcoin::{Amount, FeeRate, OutPoint, Transaction, Txid};
use tapcourt_chain::{
    ChainError, ChainView, Interest, Link, MempoolEntry, Refusal, Wallet, policy,
};
use tapcourt_protocol::transactions::disprove::DisproveError;
use tapcourt_protocol::{Role, SigningKey, TransactionKind};
use tapcourt_prover::{
    Disputable, Duty, Engine, EngineError, Event, FeeSource, Needs, OneTimeKeys, Outlook, Signer,
    SignerError, State, Store, Values,
};
use tapcourt_verifier::{Contract, Leaves};

use crate::fees::{self, FeePolicy, Span};
use crate::{Outbox, PartyError};

/// Times that the chain is read again when a block arrives meanwhile.
const LOOKS: u32 = 10;

/// Times that a dearer package is tried when the mempool finds one too cheap.
const TRIES: u32 = 6;

/// Blocks that a claim must have left when it is begun.
pub const KICKOFF_MARGIN_BLOCKS: u32 = 6;

/// How many times the first feerate a transaction without a deadline may come to in Δ blocks, and again in each Δ more.
const PATIENCE: u64 = 10;

/// How many times the first feerate is offered at most, and again for each block that has passed in vain.
const LEAP: u64 = 20;

/// Size of a child with one coin, in virtual bytes.
const CHILD_VB: u64 = 153;

/// What a party has for one contract.
#[expect(missing_debug_implementations, reason = "holds secrets")]
pub struct Seat<'a> {
    /// Whose.
    pub role: Role,
    /// The contract, whose setup is complete.
    pub contract: &'a Contract<'a>,
    /// What the party knows of the program.
    pub program: &'a dyn Disputable,
    /// The key that signs.
    pub signing_key: SigningKey,
    /// The party's one-time keys.
    pub one_time_keys: OneTimeKeys,
    /// What must survive a crash.
    pub store: &'a Store,
    /// What pays the fees.
    pub wallet: Wallet,
}

/// A party that acts.
///
/// Call [`Driver::look`] at each block and from time to time, and [`Driver::act`] with what it returns. Between any two calls the
/// process may end: a new one takes up where the store left off.
#[expect(missing_debug_implementations, reason = "holds secrets")]
pub struct Driver<'a> {
    seat: Seat<'a>,
    leaves: Leaves<'a>,
    engine: Engine<'a>,
    state: State,
    outbox: Outbox,
    /// What was finished for each duty, since finishing takes time.
    finished: BTreeMap<TransactionKind, (Needs, Transaction)>,
}

/// A transaction that was broadcast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Which.
    pub kind: TransactionKind,
    /// The transaction.
    pub transaction: Transaction,
    /// The child that pays for it, if it does not pay itself.
    pub child: Option<Transaction>,
    /// Whether it was in the mempool before, and is only paid better now.
    pub is_bump: bool,
}

/// What came of a duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It was broadcast, or paid better.
    Sent(Box<Sent>),
    /// It is in the mempool, and pays enough.
    Waits {
        /// What it pays, with its child.
        feerate: FeeRate,
    },
    /// It is in a block that the engine has not seen yet.
    Confirmed,
}

/// A duty, and what came of it.
#[derive(Debug)]
pub struct Deed {
    /// The duty.
    pub duty: Duty,
    /// What came of it.
    pub result: Result<Step, PartyError>,
}

/// Why a contract is not on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfunded {
    /// Its transaction waits in the mempool.
    Unconfirmed,
    /// Nobody has sent it.
    NotSent,
}

impl<'a> Driver<'a> {
    /// Takes up where the store left off.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn new(seat: Seat<'a>) -> Result<Self, PartyError> {
        let outbox = match seat.store.outbox()? {
            Some(bytes) => postcard::from_bytes(&bytes)
                .map_err(|error| PartyError::Outbox(error.to_string()))?,
            None => Outbox::default(),
        };
        Ok(Self {
            engine: Engine::new(seat.role, seat.contract.graph(), seat.program),
            leaves: seat.contract.leaves(),
            state: seat.store.state()?.unwrap_or_default(),
            finished: BTreeMap::new(),
            outbox,
            seat,
        })
    }

    /// Returns what the engine remembers.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns the engine.
    pub fn engine(&self) -> &Engine<'a> {
        &self.engine
    }

    /// Returns what the party has to know of the chain: the contract's transactions, its own coins, and what they were made of.
    pub fn interest(&self) -> Interest {
        let graph = self.seat.contract.graph();
        let funding = graph.contract();
        let kinds = graph.presigned().iter().map(|presigned| presigned.kind);
        let presigned = kinds.filter_map(|kind| graph.outputs(kind));
        let mut txids: HashSet<Txid> = presigned
            .map(|(transaction, _)| transaction.compute_txid())
            .collect();
        txids.insert(funding.txid());
        let coins = funding.transaction.input.iter();
        let mut outpoints: HashSet<OutPoint> = self.engine.watched().into_iter().collect();
        outpoints.extend(coins.map(|input| input.previous_output));
        Interest {
            txids,
            outpoints,
            scripts: HashSet::from([self.seat.wallet.script_pubkey()]),
        }
    }

    /// Returns what was sent and paid.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Returns what pays the fees.
    pub fn wallet(&self) -> &Wallet {
        &self.seat.wallet
    }

    /// Returns what pays the fees, to tell it of coins.
    pub fn wallet_mut(&mut self) -> &mut Wallet {
        &mut self.seat.wallet
    }

    /// Ends the party's work, and returns what paid for it.
    pub fn into_wallet(self) -> Wallet {
        self.seat.wallet
    }

    /// Decides to claim and to publish these values; on disk when it returns.
    ///
    /// # Errors
    ///
    /// [`EngineError::AlreadyDecided`] after another decision, or when the store fails.
    pub fn claim(&mut self, values: Values) -> Result<(), PartyError> {
        let (next, _) = self.engine.step(&self.state, &Event::Claim { values })?;
        self.seat.store.save_state(&next)?;
        self.state = next;
        Ok(())
    }

    /// Looks at the chain, and returns what is to be done. What is seen is of one moment: if a block arrives meanwhile, all is
    /// read again.
    ///
    /// # Errors
    ///
    /// [`ChainError::Lagging`] if the node is not up to date: it has no say then. [`PartyError::Restless`] if blocks arrive
    /// faster than they are read. Otherwise what chain, engine and store fail with. Nothing has changed then.
    pub fn look(&mut self, chain: &dyn ChainView) -> Result<Outlook, PartyError> {
        chain.check_synced()?;
        for _ in 0..LOOKS {
            let tip = chain.tip()?;
            let event = self.read(chain, tip.height)?;
            if chain.tip()? != tip {
                continue;
            }
            let (next, outlook) = self.engine.step(&self.state, &event)?;
            if next != self.state {
                self.seat.store.save_state(&next)?;
            }
            for confirmed in next.confirmed() {
                self.seat.wallet.receive(&confirmed.transaction);
            }
            self.state = next;
            return Ok(outlook);
        }
        Err(PartyError::Restless(LOOKS))
    }

    fn read(&self, chain: &dyn ChainView, tip: u32) -> Result<Event, PartyError> {
        let txid = self.seat.contract.graph().contract().txid();
        let height = chain.confirmation_height(txid)?;
        let contract = match height.filter(|height| *height <= tip) {
            Some(height) => chain.transaction(txid)?.map(|contract| (height, contract)),
            None => None,
        };
        let confirmed = |outpoint| -> Result<_, ChainError> {
            let spend = chain.spender(outpoint)?;
            let confirmed = spend.and_then(|spend| Some((spend.height?, spend.transaction)));
            Ok(confirmed.filter(|(height, _)| *height <= tip))
        };
        Ok(self.engine.synced(tip, contract, confirmed)?)
    }

    /// Says why a contract that is not on the chain is not.
    ///
    /// # Errors
    ///
    /// [`PartyError::UnknownContract`] if the node has no coin that the contract spends either.
    pub fn unfunded(&self, chain: &dyn ChainView) -> Result<Unfunded, PartyError> {
        let funding = self.seat.contract.graph().contract();
        let contract = funding.txid();
        if chain.transaction(contract)?.is_some() {
            return Ok(Unfunded::Unconfirmed);
        }
        for input in &funding.transaction.input {
            let coin = input.previous_output;
            if chain.utxo(coin)?.is_some() || chain.spender(coin)?.is_some() {
                return Ok(Unfunded::NotSent);
            }
        }
        // A reorganisation may have dropped it together with its coins.
        match self.state.contract() {
            Some(_) => Ok(Unfunded::NotSent),
            None => Err(PartyError::UnknownContract { contract }),
        }
    }

    /// Executes the published claim again, and says whether it is false. `None` while it is not complete.
    ///
    /// # Errors
    ///
    /// When the chain shows what the contract cannot do.
    pub fn judge(&self) -> Result<Option<bool>, PartyError> {
        match self.engine.is_claim_false(&self.state) {
            Ok(is_false) => Ok(Some(is_false)),
            Err(EngineError::NotAClaim(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Finds the party's coins: those it is told of, and what became of them in later transactions of its own.
    ///
    /// # Errors
    ///
    /// When the chain does not answer.
    pub fn find_coins(
        &mut self,
        chain: &dyn ChainView,
        roots: &[OutPoint],
    ) -> Result<(), PartyError> {
        let wallet = &mut self.seat.wallet;
        let script = wallet.script_pubkey();
        let mut seen = std::collections::BTreeSet::new();
        let mut open: Vec<OutPoint> = roots.to_vec();
        while let Some(outpoint) = open.pop() {
            if !seen.insert(outpoint) {
                continue;
            }
            if let Some(transaction) = chain.transaction(outpoint.txid)? {
                wallet.receive(&transaction);
            } else if let Some(coin) = chain.utxo(outpoint)? {
                // Older than the blocks that are read.
                wallet.receive_coin(outpoint, &coin.output);
            }
            if let Some(spend) = chain.spender(outpoint)? {
                wallet.receive(&spend.transaction);
                let txid = spend.transaction.compute_txid();
                let outputs = (0..).zip(&spend.transaction.output);
                let ours = outputs.filter(|(_, output)| output.script_pubkey == script);
                open.extend(ours.map(|(vout, _)| OutPoint { txid, vout }));
            }
        }
        Ok(())
    }

    /// Does every duty as far as the chain lets it, whatever becomes of the others.
    pub fn act(&mut self, chain: &mut dyn Link, duties: &[Duty], policy: &FeePolicy) -> Vec<Deed> {
        let deed = |duty: &Duty| Deed {
            duty: duty.clone(),
            result: self.perform(chain, duty, policy),
        };
        duties.iter().map(deed).collect()
    }

    /// Does a duty: broadcasts its transaction if it is not out, and sees to it that it pays what fits the blocks left. That it
    /// is in the mempool says nothing: what pays for it may have been replaced, or be too little by now.
    ///
    /// # Errors
    ///
    /// [`PartyError::Budget`] when what may be spent does not do, [`PartyError::Refused`] with the mempool's reason. Nothing
    /// that is out is taken back.
    pub fn perform(
        &mut self,
        chain: &mut dyn Link,
        duty: &Duty,
        policy: &FeePolicy,
    ) -> Result<Step, PartyError> {
        let tip = self.state.tip().unwrap_or_default();
        self.check_margin(duty, tip)?;
        if let (Needs::Rebroadcast(transaction), FeeSource::Own) = (&duty.needs, duty.fee) {
            return rebroadcast(chain, duty.kind, transaction);
        }
        self.outbox.open(duty.kind, tip);
        match duty.fee {
            FeeSource::Child => self.pay_by_child(chain, duty, policy, tip),
            FeeSource::Own => self.pay_itself(chain, duty, policy, tip),
        }
    }

    /// A claim is not begun when it might still expire: its input would be public, and nothing paid.
    fn check_margin(&self, duty: &Duty, tip: u32) -> Result<(), PartyError> {
        let kind = duty.kind;
        let is_ours = matches!(duty.needs, Needs::Openings(_));
        let begins =
            is_ours && kind == TransactionKind::Kickoff(0) && self.outbox.entry(kind).is_none();
        match duty.blocks_left(tip) {
            Some(left) if begins && left < KICKOFF_MARGIN_BLOCKS => Err(PartyError::TooLate {
                kind,
                left,
                margin: KICKOFF_MARGIN_BLOCKS,
            }),
            _ => Ok(()),
        }
    }

    /// Finishes the transaction of a duty without sending it. `feerate` is for one that pays its own fee.
    ///
    /// # Errors
    ///
    /// [`PartyError::Signer`].
    pub fn transaction(
        &mut self,
        duty: &Duty,
        feerate: FeeRate,
    ) -> Result<Transaction, PartyError> {
        let kind = duty.kind;
        let finished = self.finish(duty, feerate);
        finished.map_err(|error| PartyError::Signer { kind, error })
    }

    fn finish(&mut self, duty: &Duty, feerate: FeeRate) -> Result<Transaction, SignerError> {
        // What pays its own fee is another transaction at another feerate: it is never kept.
        let known = self.finished.get(&duty.kind);
        if let Some((needs, transaction)) = known
            && *needs == duty.needs
        {
            return Ok(transaction.clone());
        }
        let signer = Signer {
            graph: self.seat.contract.graph(),
            presigned: self.seat.contract.presigned(),
            leaves: self.leaves.all(),
            key: &self.seat.signing_key,
            one_time_keys: Some((&self.seat.one_time_keys, self.seat.store)),
        };
        let transaction = signer.finish(&self.state, duty, Some(feerate))?;
        if duty.fee == FeeSource::Child {
            let kept = (duty.needs.clone(), transaction.clone());
            self.finished.insert(duty.kind, kept);
        }
        Ok(transaction)
    }

    fn pay_by_child(
        &mut self,
        chain: &mut dyn Link,
        duty: &Duty,
        policy: &FeePolicy,
        tip: u32,
    ) -> Result<Step, PartyError> {
        let kind = duty.kind;
        let parent = self.transaction(duty, policy.start)?;
        if chain.confirmation_height(parent.compute_txid())?.is_some() {
            return Ok(Step::Confirmed);
        }
        let package_vb = parent.vsize() as u64 + CHILD_VB; // cast ok, usize is at most 64 bits
        let offer = self.offer(chain, duty, policy, tip, package_vb)?;
        let pending = Pending::of(chain, &parent)?;
        let mut feerate = offer.wanted;
        if let Some(paid) = pending.feerate() {
            if paid >= offer.wanted {
                return Ok(Step::Waits { feerate: paid });
            }
            feerate = feerate.max(fees::next_step(paid));
        }
        if feerate > offer.end {
            feerate = offer.end;
            match pending.feerate() {
                Some(paid) if feerate <= paid => return Ok(Step::Waits { feerate: paid }),
                _ => {}
            }
        }
        // A rival is worth more than patience.
        feerate = feerate.max(
            Rivals::of(chain, &parent)?
                .outbid(package_vb)
                .min(offer.most),
        );
        offer.check(kind, feerate)?;
        for attempt in 1.. {
            let replaced = pending.child.as_ref().map(|(child, entry)| (child, *entry));
            let wallet = &mut self.seat.wallet;
            let child = wallet
                .pay_for_again(&*chain, &parent, Amount::ZERO, feerate, replaced)
                .map_err(|error| PartyError::Fee { kind, error })?;
            // The mempool knows what it spends, and frees it when it is replaced.
            self.seat.wallet.release(&child);
            let vsize_vb = (parent.vsize() + child.vsize()) as u64; // cast ok, usize is at most 64 bits
            let fee = feerate.fee_vb(vsize_vb).unwrap_or(Amount::MAX_MONEY);
            self.pay(kind, child.compute_txid(), fee)?;
            match chain.submit_package(&parent, &child) {
                Ok(()) => {
                    if let Some(entry) = chain.mempool_entry(child.compute_txid())? {
                        self.pay(kind, child.compute_txid(), entry.fee)?;
                    }
                    return Ok(Step::Sent(Box::new(Sent {
                        kind,
                        transaction: parent,
                        child: Some(child),
                        is_bump: pending.is_parent_there,
                    })));
                }
                Err(error) => match self.after(error, kind, attempt, &mut feerate, &offer)? {
                    Some(step) => return Ok(step),
                    None => continue,
                },
            }
        }
        unreachable!("the last attempt returns")
    }

    fn pay_itself(
        &mut self,
        chain: &mut dyn Link,
        duty: &Duty,
        policy: &FeePolicy,
        tip: u32,
    ) -> Result<Step, PartyError> {
        let kind = duty.kind;
        let least = chain.min_feerate()?;
        let draft = self.finish_for_less(duty, policy.start, least)?;
        let vsize_vb = draft.vsize() as u64; // cast ok, usize is at most 64 bits
        let offer = self.offer(chain, duty, policy, tip, vsize_vb)?;
        let mut feerate = offer.wanted;
        let mut is_bump = false;
        let rivals = Rivals::of(chain, &draft)?;
        if let Some((txid, entry)) = rivals.of_same_outputs(chain, &draft)? {
            let paid = fees::feerate_of(entry.fee, entry.vsize_vb);
            if paid >= offer.wanted {
                self.pay(kind, txid, entry.fee)?;
                return Ok(Step::Waits { feerate: paid });
            }
            is_bump = true;
            feerate = feerate.max(fees::next_step(paid));
        }
        feerate = feerate.min(offer.end);
        feerate = feerate.max(rivals.outbid(vsize_vb).min(offer.most));
        offer.check(kind, feerate)?;
        for attempt in 1.. {
            let transaction = self.finish_for_less(duty, feerate, least)?;
            let fee = feerate.fee_vb(vsize_vb).unwrap_or(Amount::MAX_MONEY);
            self.pay(kind, transaction.compute_txid(), fee)?;
            match chain.submit(&transaction) {
                Ok(_) => {
                    return Ok(Step::Sent(Box::new(Sent {
                        kind,
                        transaction,
                        child: None,
                        is_bump,
                    })));
                }
                Err(error) => match self.after(error, kind, attempt, &mut feerate, &offer)? {
                    Some(step) => return Ok(step),
                    None => continue,
                },
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Finishes a transaction that pays its own fee, for less if it does not have so much.
    fn finish_for_less(
        &mut self,
        duty: &Duty,
        mut feerate: FeeRate,
        least: FeeRate,
    ) -> Result<Transaction, PartyError> {
        let kind = duty.kind;
        loop {
            match self.finish(duty, feerate) {
                Ok(transaction) => return Ok(transaction),
                Err(SignerError::Disprove(DisproveError::FeeTooHigh { .. })) if feerate > least => {
                    let less = FeeRate::from_sat_per_kwu(feerate.to_sat_per_kwu() * 9 / 10);
                    feerate = less.max(least);
                }
                Err(error) => return Err(PartyError::Signer { kind, error }),
            }
        }
    }

    /// After a refusal: what the step came to, or `None` to try again with a higher feerate.
    fn after(
        &self,
        error: ChainError,
        kind: TransactionKind,
        attempt: u32,
        feerate: &mut FeeRate,
        offer: &Offer,
    ) -> Result<Option<Step>, PartyError> {
        let ChainError::Refused { reason, .. } = &error else {
            return Err(error.into());
        };
        if matches!(reason, Refusal::AlreadyConfirmed)
            || matches!(
                reason.core_reason(),
                "txn-already-known" | "txn-already-in-mempool"
            )
        {
            return Ok(Some(Step::Confirmed));
        }
        let too_cheap = is_about_fees(reason.core_reason());
        let dearer = fees::next_step(*feerate).min(offer.most);
        if !too_cheap || attempt >= TRIES || dearer <= *feerate {
            return Err(PartyError::Refused { kind, error });
        }
        *feerate = dearer;
        Ok(None)
    }

    /// Works out what a package should pay now, and what it may.
    fn offer(
        &self,
        chain: &dyn ChainView,
        duty: &Duty,
        policy: &FeePolicy,
        tip: u32,
        package_vb: u64,
    ) -> Result<Offer, PartyError> {
        let parameters = &self.seat.contract.graph().terms().parameters;
        let half = (parameters.prover_stake + parameters.challenger_stake) / 2;
        let budget = policy.budget.unwrap_or(half);
        let spent = self.outbox.spent_besides(duty.kind);
        let left = budget.checked_sub(spent).unwrap_or_default();
        let least = chain.min_feerate()?;
        let span = self.span(duty, tip);
        let asked = chain.estimate_feerate(span.target_blocks())?;
        let start = asked.unwrap_or(policy.start).max(policy.start).max(least);
        // Each move gets its part. In the last blocks half of all that is left is better spent than lost.
        let moves = self.moves_left();
        let part = match duty.deadline {
            Some(_) if span.is_ending() => left / moves.min(2),
            _ => left / moves,
        };
        let most = fees::feerate_of(part, package_vb);
        let mut end = most;
        let entry = self.outbox.entry(duty.kind);
        let waited = tip.saturating_sub(entry.map_or(tip, |entry| entry.since));
        let factor = match duty.deadline {
            // What has not been tried may do: who comes late does not offer all at once.
            Some(_) => LEAP.saturating_pow(waited.saturating_add(1)),
            // What has no deadline costs nothing but patience when it is late.
            None => {
                let delta = u32::from(parameters.delta.to_blocks()).max(1);
                PATIENCE.saturating_pow(waited / delta + 1)
            }
        };
        end = end.min(fees::times(start, factor));
        Ok(Offer {
            wanted: fees::curve(start, end, span),
            end,
            most,
            least,
            budget,
            left,
        })
    }

    /// Counts the moves that this party may still have to make, at least one.
    fn moves_left(&self) -> u64 {
        let layout = &self.seat.contract.graph().terms().layout;
        let confirmed = self.state.confirmed();
        let is_open = |kind: TransactionKind| {
            kind.mover() == Some(self.seat.role)
                && confirmed.iter().all(|confirmed| confirmed.kind != kind)
        };
        let open = layout.all_kinds().filter(|(kind, _)| is_open(*kind));
        open.count().max(1) as u64 // cast ok, usize is at most 64 bits
    }

    /// The blocks that a duty has. The claim is begun when the prover likes, and what has no deadline is as if the next move
    /// were due.
    fn span(&self, duty: &Duty, tip: u32) -> Span {
        let entry = self.outbox.entry(duty.kind);
        let since = entry.map_or(tip, |entry| entry.since);
        let delta = self.seat.contract.graph().terms().parameters.delta;
        let delta = u32::from(delta.to_blocks());
        match duty.deadline {
            Some(deadline) if duty.kind != TransactionKind::Kickoff(0) => Span {
                blocks: delta.saturating_sub(1),
                left: deadline.saturating_sub(tip),
            },
            other => {
                let deadline = other.unwrap_or(since.saturating_add(delta));
                Span {
                    blocks: deadline.saturating_sub(since),
                    left: deadline.saturating_sub(tip),
                }
            }
        }
    }

    /// Enters what pays for a duty, on disk.
    fn pay(&mut self, kind: TransactionKind, txid: Txid, fee: Amount) -> Result<(), PartyError> {
        let before = self.outbox.clone();
        self.outbox.pay(kind, txid, fee);
        if self.outbox != before {
            let bytes = postcard::to_stdvec(&self.outbox)
                .map_err(|error| PartyError::Outbox(error.to_string()))?;
            self.seat.store.save_outbox(&bytes)?;
        }
        Ok(())
    }
}

/// What a package may and should pay.
struct Offer {
    wanted: FeeRate,
    /// What it comes to at the deadline.
    end: FeeRate,
    /// What uses the move's part of the budget up.
    most: FeeRate,
    /// What the mempool asks for at least.
    least: FeeRate,
    budget: Amount,
    left: Amount,
}

impl Offer {
    fn check(&self, kind: TransactionKind, feerate: FeeRate) -> Result<(), PartyError> {
        if feerate >= self.least {
            return Ok(());
        }
        Err(PartyError::Budget {
            kind,
            wanted: self.wanted,
            least: self.least,
            budget: self.budget,
            left: self.left,
        })
    }
}

/// What the mempool has of a transaction and its child.
struct Pending {
    is_parent_there: bool,
    fee: Amount,
    vsize_vb: u64,
    /// Whatever spends its anchor, whoever made it.
    child: Option<(Transaction, MempoolEntry)>,
}

impl Pending {
    fn of(chain: &dyn ChainView, parent: &Transaction) -> Result<Self, PartyError> {
        let txid = parent.compute_txid();
        let Some(entry) = chain.mempool_entry(txid)? else {
            return Ok(Self {
                is_parent_there: false,
                fee: Amount::ZERO,
                vsize_vb: 0,
                child: None,
            });
        };
        let child = child_of(chain, parent)?;
        let (fee, vsize_vb) = match &child {
            Some((_, child)) => (entry.fee + child.fee, entry.vsize_vb + child.vsize_vb),
            None => (entry.fee, entry.vsize_vb),
        };
        Ok(Self {
            is_parent_there: true,
            fee,
            vsize_vb,
            child,
        })
    }

    /// What parent and child pay together; `None` if they are not there.
    fn feerate(&self) -> Option<FeeRate> {
        self.is_parent_there
            .then(|| fees::feerate_of(self.fee, self.vsize_vb))
    }
}

/// Finds the unconfirmed spender of a transaction's anchor.
fn child_of(
    chain: &dyn ChainView,
    parent: &Transaction,
) -> Result<Option<(Transaction, MempoolEntry)>, PartyError> {
    let txid = parent.compute_txid();
    let outputs = (0..).zip(&parent.output);
    let anchors = outputs.filter(|(_, output)| policy::is_anchor(&output.script_pubkey));
    for (vout, _) in anchors {
        if let Some(spend) = chain.spender(OutPoint { txid, vout })?
            && let Some(entry) = chain.mempool_entry(spend.transaction.compute_txid())?
        {
            return Ok(Some((spend.transaction, entry)));
        }
    }
    Ok(None)
}

/// Unconfirmed transactions that spend what a transaction spends, each with its child.
struct Rivals {
    transactions: Vec<Transaction>,
    fee: Amount,
    highest: FeeRate,
}

impl Rivals {
    fn of(chain: &dyn ChainView, transaction: &Transaction) -> Result<Self, PartyError> {
        let own = transaction.compute_txid();
        let mut rivals = Self {
            transactions: Vec::new(),
            fee: Amount::ZERO,
            highest: FeeRate::ZERO,
        };
        for input in &transaction.input {
            let Some(spend) = chain.spender(input.previous_output)? else {
                continue;
            };
            let txid = spend.transaction.compute_txid();
            let is_known = rivals.transactions.contains(&spend.transaction);
            if txid == own || is_known {
                continue;
            }
            let Some(entry) = chain.mempool_entry(txid)? else {
                continue;
            };
            let (mut fee, mut vsize_vb) = (entry.fee, entry.vsize_vb);
            if let Some((_, child)) = child_of(chain, &spend.transaction)? {
                fee += child.fee;
                vsize_vb += child.vsize_vb;
            }
            rivals.fee += fee;
            let feerate = fees::feerate_of(fee, vsize_vb);
            rivals.highest = rivals.highest.max(feerate);
            rivals.transactions.push(spend.transaction);
        }
        Ok(rivals)
    }

    /// The feerate at which a package of this size replaces them: their fees and its own relay, and more for its size.
    fn outbid(&self, package_vb: u64) -> FeeRate {
        if self.transactions.is_empty() {
            return FeeRate::ZERO;
        }
        fees::next_step(fees::feerate_of(self.fee, package_vb).max(self.highest))
    }

    /// The one that pays the same party: the same transaction at another feerate.
    fn of_same_outputs(
        &self,
        chain: &dyn ChainView,
        transaction: &Transaction,
    ) -> Result<Option<(Txid, MempoolEntry)>, PartyError> {
        let payees = |transaction: &Transaction| -> Vec<_> {
            let outputs = transaction.output.iter();
            outputs.map(|output| output.script_pubkey.clone()).collect()
        };
        let wanted = payees(transaction);
        for rival in self
            .transactions
            .iter()
            .filter(|rival| payees(rival) == wanted)
        {
            let txid = rival.compute_txid();
            if let Some(entry) = chain.mempool_entry(txid)? {
                return Ok(Some((txid, entry)));
            }
        }
        Ok(None)
    }
}

/// Whether a reject reason says that more should be paid.
// Bitcoin Core, src/validation.cpp and src/policy/rbf.cpp
fn is_about_fees(reason: &str) -> bool {
    reason.starts_with("insufficient fee")
        || reason.starts_with("package RBF failed")
        || reason.starts_with("replacement-failed")
        || matches!(
            reason,
            "min relay fee not met" | "mempool min fee not met" | "mempool full"
        )
}

/// Sends a transaction again that a reorganisation has dropped and that pays its own fee.
fn rebroadcast(
    chain: &mut dyn Link,
    kind: TransactionKind,
    transaction: &Transaction,
) -> Result<Step, PartyError> {
    let txid = transaction.compute_txid();
    if chain.confirmation_height(txid)?.is_some() {
        return Ok(Step::Confirmed);
    }
    if let Some(entry) = chain.mempool_entry(txid)? {
        let feerate = fees::feerate_of(entry.fee, entry.vsize_vb);
        return Ok(Step::Waits { feerate });
    }
    match chain.submit(transaction) {
        Ok(_) => Ok(Step::Sent(Box::new(Sent {
            kind,
            transaction: transaction.clone(),
            child: None,
            is_bump: false,
        }))),
        Err(error @ ChainError::Refused { .. }) => Err(PartyError::Refused { kind, error }),
        Err(error) => Err(error.into()),
    }
}
