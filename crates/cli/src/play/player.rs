//! A party on a chain: its engine told what the chain shows, its duties done.

use std::collections::BTreeSet;

use bitcoin::{Amount, FeeRate, OutPoint, Transaction, Txid};
use tapcourt_chain::{Chain, Wallet};
use tapcourt_protocol::{Role, TransactionKind};
use tapcourt_prover::{
    Disputable, Duty, Engine, EngineError, Event, FeeSource, KeyContext, OneTimeKeys, Outlook,
    Signer, State, Store, Values,
};
use tapcourt_verifier::{Contract, Leaves};

use crate::error::{CliError, CliResult};
use crate::play::secrets::Secrets;

/// A party of a contract whose setup is complete.
pub(crate) struct Player<'a> {
    secrets: &'a Secrets,
    store: &'a Store,
    contract: &'a Contract<'a>,
    leaves: Leaves<'a>,
    engine: Engine<'a>,
    one_time_keys: OneTimeKeys,
    pub(crate) wallet: Wallet,
    state: State,
}

/// What was broadcast.
pub(crate) struct Sent {
    pub(crate) kind: TransactionKind,
    pub(crate) transaction: Transaction,
    /// The child that pays for it, if it does not pay itself.
    pub(crate) child: Option<Transaction>,
}

impl<'a> Player<'a> {
    /// Takes up where the store left off.
    pub(crate) fn new(
        role: Role,
        contract: &'a Contract<'a>,
        program: &'a dyn Disputable,
        secrets: &'a Secrets,
        store: &'a Store,
        wallet: Wallet,
    ) -> CliResult<Self> {
        let context = match role {
            Role::Prover => KeyContext::prover(contract.offer().instance),
            Role::Challenger => KeyContext::challenger(contract.offer()),
        };
        let one_time_keys = secrets.one_time_keys(contract.program(), context)?;
        Ok(Self {
            engine: Engine::new(role, contract.graph(), program),
            leaves: contract.leaves(),
            state: store.state()?.unwrap_or_default(),
            secrets,
            store,
            contract,
            one_time_keys,
            wallet,
        })
    }

    /// Returns what the engine remembers.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Returns the engine.
    pub(crate) fn engine(&self) -> &Engine<'a> {
        &self.engine
    }

    /// Decides to claim and to publish these values; on disk when it returns.
    pub(crate) fn claim(&mut self, values: Values) -> CliResult<()> {
        let (next, _) = self.engine.step(&self.state, &Event::Claim { values })?;
        self.store.save_state(&next)?;
        self.state = next;
        Ok(())
    }

    /// Looks at the chain, and returns what is to be done.
    pub(crate) fn sync(&mut self, chain: &dyn Chain) -> CliResult<Outlook> {
        let event = Event::Synced {
            tip: chain.tip()?.height,
            transactions: self.confirmed(chain)?,
        };
        let (next, outlook) = self.engine.step(&self.state, &event)?;
        if next != self.state {
            self.store.save_state(&next)?;
        }
        for confirmed in next.confirmed() {
            self.wallet.receive(&confirmed.transaction);
        }
        self.state = next;
        Ok(outlook)
    }

    /// Executes the published claim again, and says whether it is false. `None` while it is not complete.
    pub(crate) fn judge(&self) -> CliResult<Option<bool>> {
        match self.engine.is_claim_false(&self.state) {
            Ok(is_false) => Ok(Some(is_false)),
            Err(EngineError::NotAClaim(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Finds the contract's confirmed transactions.
    fn confirmed(&self, chain: &dyn Chain) -> CliResult<Vec<(u32, Transaction)>> {
        let contract = self.contract.graph().contract().txid();
        let Some(height) = chain.confirmation_height(contract)? else {
            return Ok(Vec::new());
        };
        let mut found: Vec<(u32, Transaction)> = chain
            .transaction(contract)?
            .into_iter()
            .map(|transaction| (height, transaction))
            .collect();
        let mut known: BTreeSet<Txid> = BTreeSet::from([contract]);
        for outpoint in self.engine.watched() {
            let Some(spend) = chain.spender(outpoint)? else {
                continue;
            };
            if let Some(height) = spend.height
                && known.insert(spend.transaction.compute_txid())
            {
                found.push((height, spend.transaction));
            }
        }
        Ok(found)
    }

    /// Finds the party's coins: those it is told of, and what became of them in later transactions of its own.
    pub(crate) fn find_coins(&mut self, chain: &dyn Chain, roots: &[OutPoint]) -> CliResult<()> {
        let script = self.wallet.script_pubkey();
        let mut seen = BTreeSet::new();
        let mut open: Vec<OutPoint> = roots.to_vec();
        while let Some(outpoint) = open.pop() {
            if !seen.insert(outpoint) {
                continue;
            }
            if let Some(transaction) = chain.transaction(outpoint.txid)? {
                self.wallet.receive(&transaction);
            }
            if let Some(spend) = chain.spender(outpoint)? {
                self.wallet.receive(&spend.transaction);
                let txid = spend.transaction.compute_txid();
                let outputs = (0..).zip(&spend.transaction.output);
                let ours = outputs.filter(|(_, output)| output.script_pubkey == script);
                open.extend(ours.map(|(vout, _)| OutPoint { txid, vout }));
            }
        }
        Ok(())
    }

    /// Does a duty: finishes the transaction and broadcasts it, with a child if it needs one. `None` if it is already out.
    pub(crate) fn perform(
        &mut self,
        chain: &mut dyn Chain,
        duty: &Duty,
        feerate: FeeRate,
    ) -> CliResult<Option<Sent>> {
        let key = self.secrets.signing_key()?;
        let signer = Signer {
            graph: self.contract.graph(),
            presigned: self.contract.presigned(),
            leaves: self.leaves.all(),
            key: &key,
            one_time_keys: Some((&self.one_time_keys, self.store)),
        };
        let transaction = signer.finish(&self.state, duty, Some(feerate))?;
        if chain.transaction(transaction.compute_txid())?.is_some() {
            return Ok(None);
        }
        let refused = |error| CliError::new(format!("{}: {error}", duty.kind));
        let child = match duty.fee {
            FeeSource::Own => {
                chain.submit(&transaction).map_err(refused)?;
                None
            }
            FeeSource::Child => {
                let child = self
                    .wallet
                    .pay_for(chain, &transaction, Amount::ZERO, feerate)
                    .map_err(|error| CliError::new(format!("the fee of {}: {error}", duty.kind)))?;
                if let Err(error) = chain.submit_package(&transaction, &child) {
                    self.wallet.release(&child);
                    return Err(refused(error));
                }
                Some(child)
            }
        };
        Ok(Some(Sent {
            kind: duty.kind,
            transaction,
            child,
        }))
    }
}
