//! Both parties' engines: pure functions from what the chain shows to what must be done.
//!
//! An engine remembers nothing that the chain does not show, but for the prover's decision to claim and the first words of both
//! parties: every step recomputes the [`Phase`] and the duties from the confirmed transactions of the contract. So a restart gives
//! the same duties, and a reorganisation is a special case only if a party says another thing after it: then its first word counts,
//! which the other one may have answered already. Unconfirmed transactions are never acted upon.
//!
//! | phase | prover | challenger |
//! |---|---|---|
//! | unfunded | the contract, if a reorganisation dropped it | the same |
//! | claiming | kickoff, once decided; else expire | expire, or kickoff timeout |
//! | claimed | payout after Δ | challenge before that, if the claim is false |
//! | disputed, the prover's turn | the next assert | its timeout after Δ |
//! | disputed, the challenger's turn | its timeout after Δ | the next select |
//! | answered | payout after Δ | disprove or open before that, if a value is false |

mod duty;
mod state;
mod view;

use std::collections::BTreeMap;

use bitcoin::{OutPoint, Transaction};
use tapcourt_protocol::transactions::PresignedInput;
use tapcourt_protocol::{Graph, Published, RecoverError, Role, Stage, TransactionKind};
use thiserror::Error;

pub use self::duty::{Duty, FeeSource, Needs, Outlook};
pub use self::state::{Confirmed, Event, State};
pub use self::view::Phase;
use self::view::View;
use crate::{Disputable, NotAClaim, Values, Verdict};

/// The engine of one party of one contract.
#[expect(missing_debug_implementations, reason = "holds a program of any type")]
pub struct Engine<'a> {
    role: Role,
    graph: &'a Graph,
    program: &'a dyn Disputable,
}

impl<'a> Engine<'a> {
    /// Makes the engine of a party.
    pub fn new(role: Role, graph: &'a Graph, program: &'a dyn Disputable) -> Self {
        Self {
            role,
            graph,
            program,
        }
    }

    /// Returns whose engine this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns the outputs whose spends the engine wants to see, the contract's own transaction aside.
    pub fn watched(&self) -> Vec<OutPoint> {
        let kinds = std::iter::once(TransactionKind::Contract)
            .chain(self.graph.presigned().iter().map(|tx| tx.kind));
        let outputs =
            kinds
                .filter_map(|kind| self.graph.outputs(kind))
                .flat_map(|(transaction, outputs)| {
                    let txid = transaction.compute_txid();
                    let waits = outputs
                        .iter()
                        .zip(0..)
                        .filter(|(output, _)| output.taproot.is_some());
                    waits.map(move |(_, vout)| OutPoint { txid, vout })
                });
        outputs.collect()
    }

    /// Asks for the contract's transactions one after the other and makes an [`Event::Synced`] of them. `contract` is the
    /// contract's own transaction if it is confirmed; `spender` finds the confirmed transaction that spends an output. Both
    /// come with the heights of their blocks.
    ///
    /// # Errors
    ///
    /// What `spender` fails with.
    pub fn synced<E>(
        &self,
        tip: u32,
        contract: Option<(u32, Transaction)>,
        mut spender: impl FnMut(OutPoint) -> Result<Option<(u32, Transaction)>, E>,
    ) -> Result<Event, E> {
        let watched = self.watched();
        let mut transactions: Vec<(u32, Transaction)> = contract.into_iter().collect();
        let mut next = 0;
        while let Some(txid) = transactions
            .get(next)
            .map(|(_, transaction)| transaction.compute_txid())
        {
            for outpoint in watched.iter().filter(|outpoint| outpoint.txid == txid) {
                // A move spends several outputs of the one before.
                let spend = spender(*outpoint)?.filter(|spend| !transactions.contains(spend));
                transactions.extend(spend);
            }
            next += 1;
        }
        Ok(Event::Synced { tip, transactions })
    }

    /// Takes an event in, and returns the next state and what must be done in it. The state has to be saved before that is done.
    ///
    /// # Errors
    ///
    /// When the event does not fit the state, or the chain shows what the contract cannot do. The state before stays valid.
    pub fn step(&self, state: &State, event: &Event) -> Result<(State, Outlook), EngineError> {
        let mut next = state.after(self.graph, event)?;
        let outlook = self.outlook(&next)?;
        let mut duties = outlook.duties.iter();
        if duties.any(|duty| duty.kind == TransactionKind::Challenge) {
            next.fix_claim();
        }
        Ok((next, outlook))
    }

    /// Returns what must be done in a state: what [`Engine::step`] returned with it.
    ///
    /// # Errors
    ///
    /// When the chain shows what the contract cannot do.
    pub fn outlook(&self, state: &State) -> Result<Outlook, EngineError> {
        let view = View::new(self.graph, state);
        let phase = view.phase();
        let mut outlook = Outlook {
            phase,
            tip: state.tip(),
            duties: Vec::new(),
            wake: None,
        };
        if phase == Phase::Unfunded {
            outlook.duties.extend(view.dropped_contract());
            return Ok(outlook);
        }
        match self.role {
            Role::Prover => self.prover_duties(state, &view, &mut outlook)?,
            Role::Challenger => self.challenger_duties(state, &view, &mut outlook)?,
        }
        Ok(outlook)
    }

    fn prover_duties(
        &self,
        state: &State,
        view: &View<'_>,
        outlook: &mut Outlook,
    ) -> Result<(), EngineError> {
        match outlook.phase {
            Phase::Claiming { next: 0 } if state.values().is_none() => {
                view.when_due(TransactionKind::Expire, outlook)
            }
            Phase::Claiming { next } => {
                self.publish(state, view, TransactionKind::Kickoff(next), outlook)?
            }
            Phase::Claimed => view.when_due(TransactionKind::Payout, outlook),
            Phase::Disputed { next } => self.take_turn(state, view, next, outlook)?,
            Phase::Answered { stage } => {
                view.when_due(TransactionKind::PayoutDisputed(stage), outlook)
            }
            Phase::Unfunded | Phase::Settled { .. } => {}
        }
        Ok(())
    }

    fn challenger_duties(
        &self,
        state: &State,
        view: &View<'_>,
        outlook: &mut Outlook,
    ) -> Result<(), EngineError> {
        match outlook.phase {
            Phase::Claiming { next } => {
                // Whoever made a false claim gets no refund because a reorganisation has dropped it.
                match state.dropped_lie(next) {
                    Some(kickoff) => {
                        let needs = Needs::Rebroadcast(kickoff.clone());
                        let duty = view.duty(TransactionKind::Kickoff(next), needs);
                        outlook.duties.push(duty);
                    }
                    None if next == 0 => view.when_due(TransactionKind::Expire, outlook),
                    None => view.when_due(TransactionKind::KickoffTimeout(next), outlook),
                }
            }
            Phase::Claimed => {
                if self.is_claim_false(state)? {
                    outlook
                        .duties
                        .push(view.duty(TransactionKind::Challenge, Needs::Cosignature));
                }
            }
            Phase::Disputed { next } => self.take_turn(state, view, next, outlook)?,
            Phase::Answered { stage } => {
                let published = self.published(state)?;
                match self.program.judge(stage, &values(&published))? {
                    Verdict::Disprove { leaf } => {
                        let duty = self.disprove(published, view, stage, leaf)?;
                        outlook.duties.push(duty);
                    }
                    Verdict::Open => self.publish(state, view, TransactionKind::OPEN, outlook)?,
                    Verdict::Concede => {}
                }
            }
            Phase::Unfunded | Phase::Settled { .. } => {}
        }
        Ok(())
    }

    /// The next move of a dispute: this party's own, or what follows if the other party is late.
    fn take_turn(
        &self,
        state: &State,
        view: &View<'_>,
        next: TransactionKind,
        outlook: &mut Outlook,
    ) -> Result<(), EngineError> {
        if next.mover() == Some(self.role) {
            return self.publish(state, view, next, outlook);
        }
        if let Some(timeout) = next.timeout() {
            view.when_due(timeout, outlook);
        }
        Ok(())
    }

    /// Returns the duty to challenge a claim, whether it is false or not; `None` when there is none to challenge.
    pub fn challenge(&self, state: &State) -> Option<Duty> {
        let view = View::new(self.graph, state);
        let is_claimed = view.phase() == Phase::Claimed && self.role == Role::Challenger;
        is_claimed.then(|| view.duty(TransactionKind::Challenge, Needs::Cosignature))
    }

    /// Compares a claim with the true execution of its input, and says whether it is false.
    ///
    /// # Errors
    ///
    /// When the chain shows what the contract cannot do, or the claim is not complete.
    pub fn is_claim_false(&self, state: &State) -> Result<bool, EngineError> {
        let claim = values(&self.published(state)?);
        Ok(self.program.is_claim_false(&claim)?)
    }

    /// Recovers what the confirmed transactions have published.
    ///
    /// # Errors
    ///
    /// When a confirmed transaction does not open what its leaves ask for, which no chain allows.
    pub fn published(&self, state: &State) -> Result<Vec<Published>, EngineError> {
        state.published(self.graph)
    }

    /// The duty to make a move. What the chain shows has precedence over the values in the state: a party that
    /// restored an old copy of its store goes on with the claim that it made.
    fn publish(
        &self,
        state: &State,
        view: &View<'_>,
        kind: TransactionKind,
        outlook: &mut Outlook,
    ) -> Result<(), EngineError> {
        let published = values(&self.published(state)?);
        let inputs = self.graph.transaction(kind).map(|tx| &tx.inputs);
        let groups: Vec<usize> = inputs
            .into_iter()
            .flatten()
            .flat_map(PresignedInput::groups)
            .collect();
        let fits = |decided: &&Values| {
            published
                .iter()
                .all(|(group, value)| decided.get(group).is_none_or(|other| other == value))
                && groups.iter().all(|group| decided.contains_key(group))
        };
        let decided = state
            .values()
            .filter(|_| self.role == Role::Prover)
            .filter(fits);
        let answer = match decided {
            Some(_) => Values::new(),
            None => self.program.answer(&groups, &published)?,
        };
        let all = decided.unwrap_or(&answer);
        let openings = groups.into_iter().map(|group| {
            let value = all.get(&group).ok_or(EngineError::NoValue { group })?;
            let bits = self.graph.terms().one_time_keys[group]
                .parameters()
                .message_bits();
            if value.len() == bits {
                Ok((group, value.clone()))
            } else {
                Err(EngineError::ValueBits {
                    group,
                    got: value.len(),
                    expected: bits,
                })
            }
        });
        let openings = openings.collect::<Result<BTreeMap<_, _>, _>>()?;
        outlook
            .duties
            .push(view.duty(kind, Needs::Openings(openings)));
        Ok(())
    }

    fn disprove(
        &self,
        published: Vec<Published>,
        view: &View<'_>,
        stage: Stage,
        leaf: usize,
    ) -> Result<Duty, EngineError> {
        let openings = published
            .into_iter()
            .map(|published| (published.group, published.opening))
            .collect();
        let witness = self
            .program
            .leaf_witness(stage, leaf, &openings)
            .ok_or(EngineError::NoWitness { leaf })?;
        Ok(view.duty(
            TransactionKind::Disprove(stage),
            Needs::Leaf { leaf, witness },
        ))
    }
}

fn values(published: &[Published]) -> BTreeMap<usize, Vec<bool>> {
    published
        .iter()
        .map(|published| (published.group, published.value.clone()))
        .collect()
}

/// Why an engine cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A block that does not follow the last one, or is not the last one.
    #[error("block {got} does not fit the last block {tip:?}")]
    OutOfOrder {
        /// The event's height.
        got: u32,
        /// The state's.
        tip: Option<u32>,
    },
    /// A decision to claim, in the challenger's engine or when it is too late to change it.
    #[error("other values were decided upon before")]
    AlreadyDecided,
    /// A group without a value.
    #[error("group {group} has no value")]
    NoValue {
        /// The group.
        group: usize,
    },
    /// A value that its group cannot hold.
    #[error("group {group} has a value of {got} bits, its key signs {expected}")]
    ValueBits {
        /// The group.
        group: usize,
        /// The value's bits.
        got: usize,
        /// The key's.
        expected: usize,
    },
    /// A leaf that the program cannot make a witness for.
    #[error("the program has no witness for leaf {leaf}")]
    NoWitness {
        /// The leaf.
        leaf: usize,
    },
    /// The claim has no execution.
    #[error(transparent)]
    NotAClaim(#[from] NotAClaim),
    /// A confirmed transaction that the contract does not allow.
    #[error("confirmed, but impossible: {0}")]
    Impossible(#[from] RecoverError),
}
