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
use crate::{COINBASE_MATURITY_BLOCKS, Chain, ChainError, ChainView, Utxo};

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
    coins: Vec<OutPoint>,
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
            if output.script_pubkey == script && !self.coins.contains(&outpoint) {
                self.coins.push(outpoint);
            }
        }
    }

    /// Lists the coins that the next transaction can spend: confirmed, mature, unspent and not set aside.
    ///
    /// # Errors
    /// [`WalletError::Chain`] when a node does not answer.
    pub fn spendable(&self, chain: &dyn ChainView) -> Result<Vec<(OutPoint, TxOut)>, WalletError> {
        let tip = chain.tip()?.height;
        let mut spendable = Vec::new();
        for &outpoint in self
            .coins
            .iter()
            .filter(|outpoint| !self.set_aside.contains(outpoint))
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
        self.complete(chain, draft, &[], Amount::ZERO, 0, fee_rate, u64::MAX)
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
        let parent_vsize_vb = parent.vsize() as u64; // cast ok, usize is at most 64 bits
        let prevouts = [anchor.clone()];
        self.complete(
            chain,
            draft,
            &prevouts,
            parent_fee,
            parent_vsize_vb,
            fee_rate,
            TRUC_CHILD_MAX_VB,
        )
    }

    /// Gives back the coins that a transaction of the wallet spends, because it will not be broadcast.
    pub fn release(&mut self, transaction: &Transaction) {
        for input in &transaction.input {
            self.set_aside.remove(&input.previous_output);
        }
    }

    /// Adds coins and a change output until the fee is paid, and signs. `prevouts` are those of the draft's inputs;
    /// `fee_paid` and `other_vsize_vb` belong to a parent that is paid for too.
    #[expect(
        clippy::too_many_arguments,
        reason = "private, and each caller names what it passes"
    )]
    fn complete(
        &mut self,
        chain: &dyn ChainView,
        mut transaction: Transaction,
        prevouts: &[TxOut],
        fee_paid: Amount,
        other_vsize_vb: u64,
        fee_rate: FeeRate,
        limit_vb: u64,
    ) -> Result<Transaction, WalletError> {
        let script_pubkey = self.script_pubkey();
        let dust = policy::dust_threshold(&script_pubkey);
        let mut prevouts = prevouts.to_vec();
        let outputs: Amount = transaction.output.iter().map(|output| output.value).sum();
        transaction.output.push(TxOut {
            value: dust,
            script_pubkey,
        });
        // The largest coins first: the fewest inputs.
        let mut coins = self.spendable(chain)?;
        coins.sort_by_key(|(outpoint, output)| (output.value, *outpoint));
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
            let fee = fee_rate
                .fee_vb(vsize_vb + other_vsize_vb)
                .ok_or(WalletError::FeeRate(fee_rate))?;
            // A child must be worth relaying even if the parent pays nearly all.
            let fee = fee
                .checked_sub(fee_paid)
                .unwrap_or_default()
                .max(policy::min_relay_fee(vsize_vb));
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
        self.set_aside
            .extend(transaction.input.iter().map(|input| input.previous_output));
        self.receive(&transaction);
        Ok(transaction)
    }
}

fn input(previous_output: OutPoint) -> TxIn {
    TxIn {
        previous_output,
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        ..TxIn::default()
    }
}
