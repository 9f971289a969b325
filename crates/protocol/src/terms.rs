//! Everything the parties agree on, and the contract id that names it.
//!
//! One-time keys derive from the [`InstanceId`], a random value the prover draws first, and not from the [`ContractId`]:
//! the contract id covers the one-time *public* keys, so deriving them from it would be circular.

use std::fmt;

use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, OutPoint, ScriptBuf, TxOut, XOnlyPublicKey};
use serde::{Deserialize, Serialize};
use tapcourt_commitment::PublicKey as OneTimeKey;
use thiserror::Error;

use crate::hash::tagged_hash;
use crate::moves::Layout;
use crate::parameters::{Parameters, sum};
use crate::role::Role;

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Wraps 32 bytes.
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// Returns the 32 bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Returns the 32 bytes.
            pub fn to_bytes(self) -> [u8; 32] {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

id_type! {
    /// The prover's random name for one instance of a program: the context its one-time keys derive from.
    InstanceId
}

id_type! {
    /// The tagged hash of everything agreed: [`Terms::contract_id`].
    ContractId
}

/// A coin that funds the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundingInput {
    /// The coin.
    pub outpoint: OutPoint,
    /// Its value and script, which a taproot signature commits to.
    pub prevout: TxOut,
}

/// What one party brings: its key, where it wants to be paid, and its coins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The key it signs with: its share of the aggregate, and alone for `challenge` and `disprove`.
    pub key: PublicKey,
    /// Where payouts go. A standard script without a witness of its own size limits (P2TR, P2WPKH, P2WSH, P2SH, P2PKH).
    pub payout_script: ScriptBuf,
    /// The coins it brings.
    pub inputs: Vec<FundingInput>,
    /// What it takes back from them.
    pub change: Vec<TxOut>,
}

impl Party {
    /// Returns the key in the form that tapscript uses.
    pub fn x_only_key(&self) -> XOnlyPublicKey {
        self.key.x_only_public_key().0
    }

    /// Returns what the party adds to the contract: inputs less change.
    ///
    /// # Errors
    ///
    /// [`TermsError::Funding`] when the change exceeds the inputs, or a sum is beyond 21 million bitcoin.
    pub fn contribution(&self, role: Role) -> Result<Amount, TermsError> {
        let total = |values: Vec<Amount>| sum(&values).map_err(|_| TermsError::Funding { role });
        let inputs = total(
            self.inputs
                .iter()
                .map(|input| input.prevout.value)
                .collect(),
        )?;
        let change = total(self.change.iter().map(|output| output.value).collect())?;
        inputs
            .checked_sub(change)
            .ok_or(TermsError::Funding { role })
    }

    fn check(&self, role: Role) -> Result<(), TermsError> {
        if !is_standard_output(&self.payout_script) {
            return Err(TermsError::NonStandardScript {
                role,
                script: self.payout_script.clone(),
            });
        }
        for output in &self.change {
            if !is_standard_output(&output.script_pubkey) {
                return Err(TermsError::NonStandardScript {
                    role,
                    script: output.script_pubkey.clone(),
                });
            }
            let limit = output.script_pubkey.minimal_non_dust();
            if output.value < limit {
                return Err(TermsError::DustChange {
                    role,
                    value: output.value,
                    limit,
                });
            }
        }
        match self
            .inputs
            .iter()
            .find(|input| !input.prevout.script_pubkey.is_witness_program())
        {
            Some(input) => Err(TermsError::MalleableInput {
                role,
                outpoint: input.outpoint,
            }),
            None => Ok(()),
        }
    }
}

/// Says whether an output of this script relays: a party must not be able to block the other's payout with an odd script.
fn is_standard_output(script: &ScriptBuf) -> bool {
    script.is_p2tr()
        || script.is_p2wpkh()
        || script.is_p2wsh()
        || script.is_p2sh()
        || script.is_p2pkh()
}

/// Everything agreed. The graph is a pure function of it and of the disprove leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Delays, stakes, limits.
    pub parameters: Parameters,
    /// What names the program, its compiler version included.
    pub program_digest: [u8; 32],
    /// The context the one-time keys derive from.
    pub instance: InstanceId,
    /// The prover's part.
    pub prover: Party,
    /// The challenger's part.
    pub challenger: Party,
    /// The one-time public keys of all value groups, both parties', by group number.
    pub one_time_keys: Vec<OneTimeKey>,
    /// Which transaction publishes which group.
    pub layout: Layout,
}

impl Terms {
    /// Calculates the tagged hash of all of the terms.
    #[expect(
        clippy::missing_panics_doc,
        reason = "cannot fail, as the message says"
    )]
    pub fn contract_id(&self) -> ContractId {
        let encoded =
            postcard::to_stdvec(self).expect("terms hold no type that postcard cannot encode");
        ContractId(tagged_hash("tapcourt/contract/2", &[&encoded]))
    }

    /// Returns the one-time keys of a party's groups, by group number.
    pub fn keys_of(&self, role: Role) -> impl Iterator<Item = (usize, &OneTimeKey)> {
        let owners = self.layout.owners(self.one_time_keys.len());
        self.one_time_keys
            .iter()
            .enumerate()
            .filter(move |(group, _)| owners[*group] == role)
    }

    /// Returns what a party brings.
    pub fn party(&self, role: Role) -> &Party {
        match role {
            Role::Prover => &self.prover,
            Role::Challenger => &self.challenger,
        }
    }

    /// Checks what does not need the graph: amounts, scripts, coins, keys.
    ///
    /// # Errors
    ///
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), TermsError> {
        self.parameters.check()?;
        self.prover.check(Role::Prover)?;
        self.challenger.check(Role::Challenger)?;
        if self.prover.x_only_key() == self.challenger.x_only_key() {
            return Err(TermsError::SameKey);
        }
        let mut coins: Vec<OutPoint> = self
            .prover
            .inputs
            .iter()
            .chain(&self.challenger.inputs)
            .map(|input| input.outpoint)
            .collect();
        coins.sort_unstable();
        if let Some(pair) = coins.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(TermsError::CoinTwice { outpoint: pair[0] });
        }
        if coins.is_empty() {
            return Err(TermsError::NoCoins);
        }
        Ok(())
    }
}

/// Why terms are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TermsError {
    /// See [`crate::parameters::ParametersError`].
    #[error(transparent)]
    Parameters(#[from] crate::parameters::ParametersError),
    /// A payout or change script that does not relay.
    #[error("the {role}'s script {script} is of no standard kind")]
    NonStandardScript {
        /// Whose.
        role: Role,
        /// The script.
        script: ScriptBuf,
    },
    /// A change output below the dust limit.
    #[error("the {role}'s change of {value} is below the dust limit of {limit}")]
    DustChange {
        /// Whose.
        role: Role,
        /// The value.
        value: Amount,
        /// The least value that relays.
        limit: Amount,
    },
    /// A funding input that is not segwit: its signature would change the contract's txid.
    #[error(
        "the {role}'s coin {outpoint} is not segwit, so its txid could change after presigning"
    )]
    MalleableInput {
        /// Whose.
        role: Role,
        /// The coin.
        outpoint: OutPoint,
    },
    /// One coin listed twice.
    #[error("the coin {outpoint} is listed twice")]
    CoinTwice {
        /// The coin.
        outpoint: OutPoint,
    },
    /// A party does not have one one-time key for each of its groups.
    #[error("{got} one-time keys for the {role}'s {expected} groups")]
    KeyCount {
        /// Whose.
        role: Role,
        /// How many there are.
        got: usize,
        /// How many there should be.
        expected: usize,
    },
    /// No funding inputs.
    #[error("the contract has no funding inputs")]
    NoCoins,
    /// Both parties use one key.
    #[error("prover and challenger have the same key")]
    SameKey,
    /// Change above the inputs, or a sum out of range.
    #[error("the {role}'s inputs do not cover its change")]
    Funding {
        /// Whose.
        role: Role,
    },
}
