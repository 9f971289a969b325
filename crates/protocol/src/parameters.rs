//! What the parties agree on before they know each other's keys: delays, stakes, limits.

use std::fmt;

use bitcoin::{Amount, FeeRate, Sequence};
use serde::{Deserialize, Serialize};
use tapcourt_script::limits::Profile;
use thiserror::Error;

/// A relative timelock in blocks, as BIP-0068 encodes it in `nSequence` and BIP-0112 checks it.
///
/// Zero is not a timelock and cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct RelativeBlocks(u16);

impl RelativeBlocks {
    /// Makes a timelock of `blocks` blocks after the spent output confirms.
    ///
    /// # Errors
    ///
    /// [`ParametersError::ZeroTimelock`] when `blocks` is zero.
    pub fn new(blocks: u16) -> Result<Self, ParametersError> {
        if blocks == 0 {
            Err(ParametersError::ZeroTimelock)
        } else {
            Ok(Self(blocks))
        }
    }

    /// Returns the number of blocks.
    pub fn to_blocks(self) -> u16 {
        self.0
    }

    /// Returns the `nSequence` value that satisfies this timelock.
    pub fn to_sequence(self) -> Sequence {
        Sequence::from_height(self.0)
    }
}

impl TryFrom<u16> for RelativeBlocks {
    type Error = ParametersError;

    fn try_from(blocks: u16) -> Result<Self, ParametersError> {
        Self::new(blocks)
    }
}

impl From<RelativeBlocks> for u16 {
    fn from(blocks: RelativeBlocks) -> Self {
        blocks.0
    }
}

impl fmt::Display for RelativeBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} blocks", self.0)
    }
}

/// Who gets the pot when the prover never kicks off. The bond always returns to the challenger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum ExpiryPolicy {
    /// Each party gets its own stake back. A prover that claims nothing has not lied, so this is the default.
    #[default]
    Refund,
    /// The challenger gets the whole pot: for contracts in which the prover has promised to claim.
    PotToChallenger,
}

/// The terms that do not depend on the parties' keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// The time each party has for a move (Δ), counted from the confirmation of the move before.
    pub delta: RelativeBlocks,
    /// The time the prover has for the kickoff, counted from the confirmation of the contract.
    pub expiry: RelativeBlocks,
    /// What becomes of the pot when that time has passed.
    pub expiry_policy: ExpiryPolicy,
    /// What the prover puts into the pot. The values of the claim connectors come on top.
    #[serde(with = "bitcoin::amount::serde::as_sat")]
    pub prover_stake: Amount,
    /// What the challenger puts into the pot.
    #[serde(with = "bitcoin::amount::serde::as_sat")]
    pub challenger_stake: Amount,
    /// What the challenger puts aside and forfeits when a challenge fails.
    ///
    /// Should exceed the prover's fees for the whole disputed path, else challenging costs less than being challenged.
    #[serde(with = "bitcoin::amount::serde::as_sat")]
    pub bond: Amount,
    /// The largest profile a `disprove` transaction may need. Presigned transactions always fit [`Profile::Truc`].
    #[serde(with = "profile_name")]
    pub profile: Profile,
    /// The feerate a `disprove` transaction pays when its builder names none.
    pub disprove_feerate: FeeRate,
}

impl Parameters {
    /// Returns the sum of both stakes.
    ///
    /// # Errors
    ///
    /// [`ParametersError::Overflow`] when the sum is beyond 21 million bitcoin.
    pub fn stakes(&self) -> Result<Amount, ParametersError> {
        sum(&[self.prover_stake, self.challenger_stake])
    }

    /// Checks that the amounts can be paid out: no output below the dust limit, no sum out of range.
    ///
    /// # Errors
    ///
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), ParametersError> {
        let stakes = self.stakes()?;
        sum(&[stakes, self.bond])?;
        let at_least_dust = |name, amount, may_be_zero: bool| {
            if amount >= LARGEST_DUST_LIMIT || (may_be_zero && amount == Amount::ZERO) {
                Ok(())
            } else {
                Err(ParametersError::Dust {
                    name,
                    amount,
                    limit: LARGEST_DUST_LIMIT,
                })
            }
        };
        at_least_dust("prover_stake", self.prover_stake, true)?;
        at_least_dust("challenger_stake", self.challenger_stake, true)?;
        at_least_dust("bond", self.bond, false)?;
        at_least_dust("pot", stakes, false)
    }
}

/// Serialises a profile as its name.
mod profile_name {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};
    use tapcourt_script::limits::Profile;

    pub(super) fn serialize<S: Serializer>(
        profile: &Profile,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(profile.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Profile, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// The dust limit of the largest standard kind of output (P2PKH) at Core's `DUST_RELAY_TX_FEE`.
///
/// <https://github.com/bitcoin/bitcoin/blob/v29.0/src/policy/policy.cpp#L27>
pub const LARGEST_DUST_LIMIT: Amount = Amount::from_sat(546);

/// Adds amounts, refusing sums that no transaction can carry.
pub(crate) fn sum(amounts: &[Amount]) -> Result<Amount, ParametersError> {
    amounts
        .iter()
        .try_fold(Amount::ZERO, |total, amount| total.checked_add(*amount))
        .filter(|total| *total <= Amount::MAX_MONEY)
        .ok_or(ParametersError::Overflow)
}

/// Why parameters are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// A timelock of zero blocks.
    #[error("a relative timelock must be at least one block")]
    ZeroTimelock,
    /// A sum beyond 21 million bitcoin.
    #[error("the amounts add up to more than 21 million bitcoin")]
    Overflow,
    /// An amount that could not be paid out.
    #[error("{name} is {amount}, below the dust limit of {limit}")]
    Dust {
        /// The field.
        name: &'static str,
        /// Its value.
        amount: Amount,
        /// The least value that is allowed.
        limit: Amount,
    },
}
