//! A plain taproot key that funds contracts and pays fees, for tests, simulations and small real use.

use std::collections::HashSet;

use bitcoin::absolute::LockTime;
use bitcoin::key::{Keypair, TapTweak, TweakedKeypair};
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use bitcoin::sighash::{Prevouts, SighashCache, TapSighashType};
use bitcoin::taproot::Signature;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, FeeRate, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid,
    Witness, XOnlyPublicKey,
};

use crate::policy::{self, TRUC_CHILD_MAX_VB};
use crate::{COINBASE_MATURITY_BLOCKS, Chain, ChainError, ChainView, MempoolEntry, Utxo};

/// Bytes of a BIP-0340 signature with the default sighash type.
const SIGNATURE_BYTES: usize = 64;

/// Why a wallet could not make a transaction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The wallet's mature confirmed coins are worth too little.
    #[error("the wallet has {available_sat} sat in spendable coins, {required_sat} sat are needed")]
    InsufficientFunds {
        /// Value of the coins.
        available_sat: u64,
        /// Value needed, with the fee.
        required_sat: u64,
    },
    /// The transaction to be paid for has no pay-to-anchor output.
    #[error("transaction {txid} has no pay-to-anchor output")]
    NoAnchor {
        /// The transaction.
        txid: Txid,
    },
    /// The fee needs so many coins that the child would be too large to relay.
    #[error("the child would have {vsize_vb} vB, more than {limit_vb} vB")]
    ChildTooLarge {
        /// Virtual size of the child.
        vsize_vb: u64,
        /// Most that relays.
        limit_vb: u64,
    },
    /// Not one spent output for each input was given.
    #[error("{prevouts} spent outputs for {inputs} inputs")]
    PrevoutCount {
        /// Spent outputs given.
        prevouts: usize,
        /// Inputs of the transaction.
        inputs: usize,
    },
    /// The fee is more than there are coins.
    #[error("a fee rate of {0} does not give a fee")]
    FeeRate(FeeRate),
    /// The chain did not answer or refused a transaction.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// A secret key, whose coins are those that pay to its taproot output without scripts (as in BIP-0086).
///
/// What can be spent is asked of the chain each time, so the wallet survives reorganisations. Coins that a transaction
/// of the wallet spends are set aside until [`Wallet::release`].
pub struct Wallet {
    keypair: Keypair,
    /// Outputs that were ours at some time, oldest first.
    coins: Vec<(OutPoint, TxOut)>,
    set_aside: HashSet<OutPoint>,
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wallet")
            .field("key", &self.public_key())
            .field("coins", &self.coins)
            .finish_non_exhaustive()
    }
}

impl Drop for Wallet {
    fn drop(&mut self) {
        self.keypair.non_secure_erase();
    }
}

impl Wallet {
    /// Makes a wallet without coins.
    pub fn new(secret_key: &SecretKey) -> Self {
        let keypair = Keypair::from_secret_key(&Secp256k1::new(), secret_key);
        Self {
            keypair,
            coins: Vec::new(),
            set_aside: HashSet::new(),
        }
    }

    /// Returns the internal key.
    pub fn public_key(&self) -> XOnlyPublicKey {
        self.keypair.x_only_public_key().0
    }

    /// Returns the script that its coins pay to.
    pub fn script_pubkey(&self) -> ScriptBuf {
        ScriptBuf::new_p2tr(&Secp256k1::new(), self.public_key(), None)
    }

    /// Takes note of the outputs of a transaction that are the wallet's, such as a payout.
    pub fn receive(&mut self, transaction: &Transaction) {
        let (txid, script) = (transaction.compute_txid(), self.script_pubkey());
        for (vout, output) in (0..).zip(&transaction.output) {
            let outpoint = OutPoint { txid, vout };
            let known = || self.coins.iter().any(|(coin, _)| *coin == outpoint);
            if output.script_pubkey == script && !known() {
                self.coins.push((outpoint, output.clone()));
            }
        }
    }

    /// Takes note of one output, if it is the wallet's.
    pub fn receive_coin(&mut self, outpoint: OutPoint, output: &TxOut) {
        let is_new = self.coins.iter().all(|(coin, _)| *coin != outpoint);
        if output.script_pubkey == self.script_pubkey() && is_new {
            self.coins.push((outpoint, output.clone()));
        }
    }

    /// Lists the coins that the next transaction can spend: confirmed, mature, unspent and not set aside.
    ///
    /// # Errors
    /// [`WalletError::Chain`] when a node does not answer.
    pub fn spendable(&self, chain: &dyn ChainView) -> Result<Vec<(OutPoint, TxOut)>, WalletError> {
        let tip = chain.tip()?.height;
        let mut spendable = Vec::new();
        for &(outpoint, _) in self
            .coins
            .iter()
            .filter(|(outpoint, _)| !self.set_aside.contains(outpoint))
        {
            if let Some(utxo) = chain
                .utxo(outpoint)?
                .filter(|utxo: &Utxo| utxo.is_mature(tip))
            {
                spendable.push((outpoint, utxo.output));
            }
        }
        Ok(spendable)
    }

    /// Returns what the spendable coins are worth.
    ///
    /// # Errors
    /// [`WalletError::Chain`] when a node does not answer.
    pub fn balance(&self, chain: &dyn ChainView) -> Result<Amount, WalletError> {
        Ok(self
            .spendable(chain)?
            .iter()
            .map(|(_, output)| output.value)
            .sum())
    }

    /// Mines this many coinbases to the wallet, and the blocks that let them mature.
    ///
    /// # Errors
    /// [`WalletError::Chain`] if the chain cannot mine.
    pub fn mine_coins(&mut self, chain: &mut dyn Chain, coins: u32) -> Result<(), WalletError> {
        let script = self.script_pubkey();
        for _ in 0..coins {
            let before = chain.tip()?;
            let tip = chain.mine_to(1, &script)?;
            debug_assert_eq!(tip.height, before.height + 1);
            if let Some(coinbase) = chain.coinbase(tip.height)? {
                self.receive(&coinbase);
            }
        }
        chain.mine(COINBASE_MATURITY_BLOCKS)?;
        Ok(())
    }

    /// Signs inputs that spend the wallet's coins by the key path, with the default sighash type. `prevouts` are the
    /// outputs that the transaction spends, one for each input in order; other inputs are left alone.
    ///
    /// # Errors
    /// [`WalletError::PrevoutCount`].
    #[expect(clippy::missing_panics_doc, reason = "the arguments are checked first")]
    pub fn sign(
        &self,
        transaction: &mut Transaction,
        prevouts: &[TxOut],
    ) -> Result<(), WalletError> {
        let inputs = transaction.input.len();
        if prevouts.len() != inputs {
            return Err(WalletError::PrevoutCount {
                prevouts: prevouts.len(),
                inputs,
            });
        }
        let secp = Secp256k1::new();
        let keypair: TweakedKeypair = self.keypair.tap_tweak(&secp, None);
        let script = self.script_pubkey();
        let mut cache = SighashCache::new(transaction);
        for input_index in (0..inputs).filter(|&index| prevouts[index].script_pubkey == script) {
            let sighash = cache
                .taproot_key_spend_signature_hash(
                    input_index,
                    &Prevouts::All(prevouts),
                    TapSighashType::Default,
                )
                .expect("the index is in range and there is a spent output for each input");
            let signature =
                secp.sign_schnorr_no_aux_rand(&Message::from(sighash), &keypair.to_keypair());
            let signature = Signature {
                signature,
                sighash_type: TapSighashType::Default,
            };
            *cache
                .witness_mut(input_index)
                .expect("the index is in range") = Witness::p2tr_key_spend(&signature);
        }
        Ok(())
    }

    /// Makes and signs a version 2 transaction with these outputs, and one more for the change.
    ///
    /// # Errors
    /// [`WalletError::InsufficientFunds`].
    pub fn pay(
        &mut self,
        chain: &dyn ChainView,
        outputs: Vec<TxOut>,
        fee_rate: FeeRate,
    ) -> Result<Transaction, WalletError> {
        let draft = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: Vec::new(),
            output: outputs,
        };
        let mut coins = self.spendable(chain)?;
        // The largest coins first: the fewest inputs.
        coins.sort_by_key(|(outpoint, output)| (output.value, *outpoint));
        self.complete(draft, Vec::new(), coins, &Fee::at(fee_rate), u64::MAX)
    }

    /// Makes an output for somebody else: pays, submits, and mines a block that confirms it.
    ///
    /// # Errors
    /// [`WalletError::InsufficientFunds`], or [`WalletError::Chain`] if the chain refuses the payment or cannot mine.
    pub fn fund(
        &mut self,
        chain: &mut dyn Chain,
        script_pubkey: &Script,
        value: Amount,
    ) -> Result<(OutPoint, TxOut), WalletError> {
        let output = TxOut {
            value,
            script_pubkey: script_pubkey.to_owned(),
        };
        let payment = self.pay(chain, vec![output.clone()], FeeRate::from_sat_per_vb_u32(2))?;
        if let Err(error) = chain.submit(&payment) {
            self.release(&payment);
            return Err(error.into());
        }
        chain.mine(1)?;
        Ok((
            OutPoint {
                txid: payment.compute_txid(),
                vout: 0,
            },
            output,
        ))
    }

    /// Makes and signs the child that pays for a transaction by spending its pay-to-anchor output, so that both together
    /// have the fee rate. The child has the parent's version and at most 1,000 vB. `parent_fee` is what the parent pays
    /// itself.
    ///
    /// # Errors
    /// [`WalletError::NoAnchor`], [`WalletError::InsufficientFunds`] or [`WalletError::ChildTooLarge`].
    pub fn pay_for(
        &mut self,
        chain: &dyn ChainView,
        parent: &Transaction,
        parent_fee: Amount,
        fee_rate: FeeRate,
    ) -> Result<Transaction, WalletError> {
        self.pay_for_again(chain, parent, parent_fee, fee_rate, None)
    }

    /// Makes and signs a child as [`Wallet::pay_for`] does, which takes the place of `replaced`: the child that the
    /// mempool has, the wallet's or somebody else's, with its own size and fee.
    ///
    /// The new child pays as much as outbids the old one, if that is more than the fee rate asks for: the old fee and
    /// the incremental relay fee for its own size, and more for each virtual byte, alone and together with the parent.
    /// What the wallet has in the old child it spends again, before other coins; the rest of that is no longer set
    /// aside. For old children of version 3, which have no descendants that would be replaced too.
    ///
    /// # Errors
    /// As [`Wallet::pay_for`], and [`WalletError::Chain`] when a node does not answer. The wallet is unchanged then.
    // Bitcoin Core, src/policy/rbf.cpp: PaysForRBF, ImprovesFeerateDiagram
    pub fn pay_for_again(
        &mut self,
        chain: &dyn ChainView,
        parent: &Transaction,
        parent_fee: Amount,
        fee_rate: FeeRate,
        replaced: Option<(&Transaction, MempoolEntry)>,
    ) -> Result<Transaction, WalletError> {
        let txid = parent.compute_txid();
        let anchor = (0..)
            .zip(&parent.output)
            .find(|(_, output)| policy::is_anchor(&output.script_pubkey));
        let Some((vout, anchor)) = anchor else {
            return Err(WalletError::NoAnchor { txid });
        };
        let draft = Transaction {
            version: parent.version,
            lock_time: LockTime::ZERO,
            input: vec![input(OutPoint { txid, vout })],
            output: Vec::new(),
        };
        let fee = Fee {
            rate: fee_rate,
            parent_fee,
            parent_vsize_vb: parent.vsize() as u64, // cast ok, usize is at most 64 bits
            outbids: replaced.map(|(_, entry)| entry),
        };
        let again = match replaced {
            Some((old, _)) => self.coins_of(chain, old)?,
            None => Vec::new(),
        };
        let mut coins = self.spendable(chain)?;
        // Those of the old child first, then the largest: the fewest inputs.
        coins.retain(|(outpoint, _)| again.iter().all(|(other, _)| other != outpoint));
        coins.sort_by_key(|(outpoint, output)| (output.value, *outpoint));
        coins.extend(again);
        let prevouts = vec![anchor.clone()];
        let child = self.complete(draft, prevouts, coins, &fee, TRUC_CHILD_MAX_VB)?;
        if let Some((old, _)) = replaced {
            self.release(old);
            self.set_aside(&child);
        }
        Ok(child)
    }

    /// The wallet's coins that an unconfirmed transaction spends, or would if it were in the mempool, smallest first.
    fn coins_of(
        &self,
        chain: &dyn ChainView,
        transaction: &Transaction,
    ) -> Result<Vec<(OutPoint, TxOut)>, WalletError> {
        let tip = chain.tip()?.height;
        let mut found = Vec::new();
        for input in &transaction.input {
            let spent = input.previous_output;
            let Some((_, output)) = self.coins.iter().find(|(outpoint, _)| *outpoint == spent)
            else {
                continue;
            };
            let free = match chain.utxo(spent)? {
                Some(utxo) => utxo.is_mature(tip),
                None => chain.spender(spent)?.is_some_and(|spend| {
                    spend.height.is_none() && spend.transaction == *transaction
                }),
            };
            if free {
                found.push((spent, output.clone()));
            }
        }
        found.sort_by_key(|(outpoint, output)| (output.value, *outpoint));
        Ok(found)
    }

    fn set_aside(&mut self, transaction: &Transaction) {
        self.set_aside
            .extend(transaction.input.iter().map(|input| input.previous_output));
    }

    /// Gives back the coins that a transaction of the wallet spends, because it will not be broadcast.
    pub fn release(&mut self, transaction: &Transaction) {
        for input in &transaction.input {
            self.set_aside.remove(&input.previous_output);
        }
    }

    /// Adds coins, the last of these first, and a change output until the fee is paid, and signs. `prevouts` are those of
    /// the draft's inputs.
    fn complete(
        &mut self,
        mut transaction: Transaction,
        mut prevouts: Vec<TxOut>,
        mut coins: Vec<(OutPoint, TxOut)>,
        fee: &Fee,
        limit_vb: u64,
    ) -> Result<Transaction, WalletError> {
        let script_pubkey = self.script_pubkey();
        let dust = policy::dust_threshold(&script_pubkey);
        let outputs: Amount = transaction.output.iter().map(|output| output.value).sum();
        transaction.output.push(TxOut {
            value: dust,
            script_pubkey,
        });
        let mut required = outputs + dust;
        let change = loop {
            let Some((outpoint, output)) = coins.pop() else {
                return Err(WalletError::InsufficientFunds {
                    available_sat: prevouts.iter().map(|output| output.value.to_sat()).sum(),
                    required_sat: required.to_sat(),
                });
            };
            let mut coin = input(outpoint);
            coin.witness = Witness::from_slice(&[[0; SIGNATURE_BYTES]]);
            transaction.input.push(coin);
            prevouts.push(output);
            let vsize_vb = transaction.vsize() as u64; // cast ok, usize is at most 64 bits
            if vsize_vb > limit_vb {
                return Err(WalletError::ChildTooLarge { vsize_vb, limit_vb });
            }
            let fee = fee.of(vsize_vb)?;
            let available: Amount = prevouts.iter().map(|output| output.value).sum();
            required = outputs + dust + fee;
            if let Some(surplus) = available.checked_sub(required) {
                break surplus + dust;
            }
        };
        let last = transaction
            .output
            .last_mut()
            .expect("the change output was added above");
        last.value = change;
        self.sign(&mut transaction, &prevouts)?;
        self.set_aside(&transaction);
        self.receive(&transaction);
        Ok(transaction)
    }
}

/// What a transaction has to pay.
struct Fee {
    rate: FeeRate,
    /// What a parent pays that is paid for too, and its virtual size.
    parent_fee: Amount,
    parent_vsize_vb: u64,
    /// The other child of this parent that it is to replace.
    outbids: Option<MempoolEntry>,
}

impl Fee {
    /// For a transaction that pays for itself alone.
    fn at(rate: FeeRate) -> Self {
        Self {
            rate,
            parent_fee: Amount::ZERO,
            parent_vsize_vb: 0,
            outbids: None,
        }
    }

    /// Calculates the fee of a transaction of this many virtual bytes.
    fn of(&self, vsize_vb: u64) -> Result<Amount, WalletError> {
        let too_high = || WalletError::FeeRate(self.rate);
        let both = self
            .rate
            .fee_vb(vsize_vb.saturating_add(self.parent_vsize_vb));
        let fee = both.ok_or_else(too_high)?.checked_sub(self.parent_fee);
        // A child must be worth relaying even if the parent pays nearly all.
        let fee = fee.unwrap_or_default().max(policy::min_relay_fee(vsize_vb));
        let Some(old) = self.outbids else {
            return Ok(fee);
        };
        // What is more than the old feerate, for a child of this size, after the parent's fee.
        let higher = |old_sat: u64, old_vb: u64, new_vb: u64| {
            let at_old_rate = u128::from(old_sat) * u128::from(new_vb) / u128::from(old_vb.max(1));
            u64::try_from(at_old_rate + 1).unwrap_or(u64::MAX)
        };
        let alone_sat = higher(old.fee.to_sat(), old.vsize_vb, vsize_vb);
        let parent_sat = self.parent_fee.to_sat();
        let together_sat = higher(
            old.fee.to_sat().saturating_add(parent_sat),
            old.vsize_vb.saturating_add(self.parent_vsize_vb),
            vsize_vb.saturating_add(self.parent_vsize_vb),
        );
        let for_relay = old.fee.checked_add(policy::incremental_relay_fee(vsize_vb));
        Ok(fee
            .max(Amount::from_sat(alone_sat))
            .max(Amount::from_sat(together_sat.saturating_sub(parent_sat)))
            .max(for_relay.ok_or_else(too_high)?))
    }
}

fn input(previous_output: OutPoint) -> TxIn {
    TxIn {
        previous_output,
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        ..TxIn::default()
    }
}
