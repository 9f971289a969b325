//! One transaction of a contract: which it is, whether its witness is valid, what it publishes.

use std::fmt;

use bitcoin::{Amount, Script, Transaction, TxOut, Txid};
use tapcourt_protocol::{Stage, TransactionKind, recover_published};
use tapcourt_script::interpreter::{Rules, SpendError, verify_input};
use tapcourt_script::limits::ANNEX_TAG;
use tapcourt_script::taptree::leaf_hash;

use crate::fault::TransactionFault;
use crate::setup::Contract;

/// A value group as a transaction has published it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedValue {
    /// The group's number.
    pub group: usize,
    /// Its label.
    pub label: String,
    /// Its value, bit 0 first.
    pub value: Vec<bool>,
}

/// The disprove leaf that a transaction has spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredLeaf {
    /// After which stage.
    pub stage: Stage,
    /// Its number.
    pub leaf: usize,
    /// The name of what it checks.
    pub name: String,
}

/// What a valid transaction does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionReport {
    /// Which transaction of the contract it is.
    pub kind: TransactionKind,
    /// What it publishes, every opening verified.
    pub published: Vec<PublishedValue>,
    /// The leaf that it spends, if it is a disprove.
    pub fired: Option<FiredLeaf>,
    /// Funding inputs of other kinds than taproot, whose witnesses are for a node to check.
    pub unchecked: Vec<usize>,
    /// Why its witness would not relay although it is valid, if so.
    pub policy: Option<String>,
}

impl fmt::Display for TransactionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is valid", self.kind)?;
        if let Some(fired) = &self.fired {
            write!(f, ": spends leaf {} ({})", fired.leaf, fired.name)?;
        }
        if !self.unchecked.is_empty() {
            write!(
                f,
                "; inputs {:?} are not taproot and not checked",
                self.unchecked
            )?;
        }
        if let Some(reason) = &self.policy {
            write!(f, "; it would not relay: {reason}")?;
        }
        for published in &self.published {
            write!(f, "\n  {} = ", published.label)?;
            published
                .value
                .iter()
                .rev()
                .try_for_each(|bit| f.write_str(if *bit { "1" } else { "0" }))?;
        }
        Ok(())
    }
}

impl Contract<'_> {
    /// Checks a transaction that is said to be the contract's: its txid, its witness, its openings.
    ///
    /// # Errors
    ///
    /// When it is not the contract's, or a witness is not valid.
    pub fn verify_transaction(
        &self,
        transaction: &Transaction,
    ) -> Result<TransactionReport, TransactionFault> {
        let txid = transaction.compute_txid();
        let outcome = || {
            let mut outpoints = transaction.input.iter().map(|input| input.previous_output);
            outpoints.find_map(|outpoint| self.graph().stage_of_outcome(outpoint))
        };
        let (kind, prevouts) = match self.graph().find(txid) {
            Some(TransactionKind::Contract) => (
                TransactionKind::Contract,
                self.graph().contract().prevouts.clone(),
            ),
            Some(kind) => {
                let presigned = self.graph().transaction(kind);
                (
                    kind,
                    presigned
                        .map(|presigned| presigned.prevouts())
                        .unwrap_or_default(),
                )
            }
            None => {
                let stage = outcome().ok_or(TransactionFault::Foreign { txid })?;
                let output = self.graph().outcome_output(stage);
                if transaction.input.len() != 1 {
                    return Err(TransactionFault::OtherInputs {
                        txid,
                        inputs: transaction.input.len(),
                    });
                }
                let prevouts: Vec<TxOut> = output.into_iter().map(|(_, output)| output).collect();
                check_outputs(txid, transaction, &prevouts)?;
                (TransactionKind::Disprove(stage), prevouts)
            }
        };
        let (unchecked, policy) = run_inputs(kind, transaction, &prevouts)?;
        let published = if kind.publishes() {
            self.published(transaction)?
        } else {
            Vec::new()
        };
        let fired = match kind {
            TransactionKind::Disprove(stage) => Some(self.fired_leaf(stage, transaction)?),
            _ => None,
        };
        Ok(TransactionReport {
            kind,
            published,
            fired,
            unchecked,
            policy,
        })
    }

    fn published(
        &self,
        transaction: &Transaction,
    ) -> Result<Vec<PublishedValue>, TransactionFault> {
        let groups = self.program().groups();
        let published = recover_published(self.graph(), transaction)?
            .into_iter()
            .map(|published| PublishedValue {
                group: published.group,
                label: groups
                    .get(published.group)
                    .map(|group| group.label.clone())
                    .unwrap_or_default(),
                value: published.value,
            });
        Ok(published.collect())
    }

    /// Finds the leaf whose script a disprove transaction spends.
    fn fired_leaf(
        &self,
        stage: Stage,
        transaction: &Transaction,
    ) -> Result<FiredLeaf, TransactionFault> {
        let witness = &transaction
            .input
            .first()
            .ok_or(TransactionFault::NoLeaf)?
            .witness;
        let annexed = witness.len() >= 2
            && witness
                .last()
                .is_some_and(|last| last.first() == Some(&ANNEX_TAG));
        let script = witness
            .len()
            .checked_sub(2 + usize::from(annexed))
            .and_then(|place| witness.nth(place));
        let script = Script::from_bytes(script.ok_or(TransactionFault::NoLeaf)?);
        let leaves = self.leaves();
        let leaves = leaves.all().stage(stage).ok_or(TransactionFault::NoLeaf)?;
        let hash = leaf_hash(script);
        let leaf = (0..leaves.len()).find(|&leaf| leaves.leaf_hash(leaf) == hash);
        let leaf = leaf.ok_or(TransactionFault::NoLeaf)?;
        Ok(FiredLeaf {
            stage,
            leaf,
            name: self.program().leaf_name(stage, leaf).unwrap_or_default(),
        })
    }
}

/// Consensus' rules on the outputs of a transaction that is not presigned.
fn check_outputs(
    txid: Txid,
    transaction: &Transaction,
    prevouts: &[TxOut],
) -> Result<(), TransactionFault> {
    let total = |outputs: &[TxOut]| {
        let mut values = outputs.iter().map(|output| output.value);
        values.try_fold(Amount::ZERO, Amount::checked_add)
    };
    let available = total(prevouts).unwrap_or(Amount::ZERO);
    let is_covered = total(&transaction.output).is_some_and(|paid| paid <= available);
    if transaction.output.is_empty() || !is_covered {
        return Err(TransactionFault::Outputs { txid, available });
    }
    Ok(())
}

/// Runs every input; returns those that are not taproot, and why one would not relay.
fn run_inputs(
    kind: TransactionKind,
    transaction: &Transaction,
    prevouts: &[TxOut],
) -> Result<(Vec<usize>, Option<String>), TransactionFault> {
    let mut unchecked = Vec::new();
    let mut policy = None;
    for vin in 0..transaction.input.len() {
        match verify_input(transaction, vin, prevouts, Rules::Consensus) {
            Ok(_) => {}
            Err(SpendError::NotTaproot) if kind == TransactionKind::Contract => {
                unchecked.push(vin);
                continue;
            }
            Err(error) => {
                return Err(TransactionFault::Witness {
                    kind,
                    vin,
                    error: Box::new(error),
                });
            }
        }
        if let Err(error) = verify_input(transaction, vin, prevouts, Rules::Policy) {
            policy.get_or_insert_with(|| format!("input {vin}: {error}"));
        }
    }
    Ok((unchecked, policy))
}
