//! The bodies of the messages.

use bitcoin::Witness;
use serde::{Deserialize, Serialize};
use tapcourt_commitment::PublicKey as OneTimeKey;

use super::{FixedList, Message};
use crate::hash::tagged_hash;
use crate::moves::Layout;
use crate::parameters::Parameters;
use crate::role::Role;
use crate::terms::{InstanceId, Party, Terms, TermsError};

/// The first message: what the prover offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Delays, stakes, limits.
    pub parameters: Parameters,
    /// What names the program, its compiler version included.
    pub program_digest: [u8; 32],
    /// The context the one-time keys derive from.
    pub instance: InstanceId,
    /// The prover's part.
    pub prover: Party,
    /// The one-time public keys of the prover's value groups, by group number.
    pub one_time_keys: Vec<OneTimeKey>,
}

impl Offer {
    /// Joins the offer, a challenger with the one-time public keys of its groups, by group number, and the layout, which each party
    /// works out by itself from the program. `groups` are how many groups there are, of both parties.
    ///
    /// # Errors
    ///
    /// [`TermsError::KeyCount`] when a party has not as many keys as groups.
    pub fn terms(
        &self,
        challenger: Party,
        challenger_keys: &[OneTimeKey],
        layout: Layout,
        groups: usize,
    ) -> Result<Terms, TermsError> {
        let owners = layout.owners(groups);
        for (role, keys) in [
            (Role::Prover, &self.one_time_keys[..]),
            (Role::Challenger, challenger_keys),
        ] {
            let expected = owners.iter().filter(|owner| **owner == role).count();
            if keys.len() != expected {
                return Err(TermsError::KeyCount {
                    role,
                    got: keys.len(),
                    expected,
                });
            }
        }
        let mut provers = self.one_time_keys.iter();
        let mut challengers = challenger_keys.iter();
        let one_time_keys = owners.iter().filter_map(|owner| match owner {
            Role::Prover => provers.next().cloned(),
            Role::Challenger => challengers.next().cloned(),
        });
        Ok(Terms {
            parameters: self.parameters.clone(),
            program_digest: self.program_digest,
            instance: self.instance,
            prover: self.prover.clone(),
            challenger,
            one_time_keys: one_time_keys.collect(),
            layout,
        })
    }

    /// Calculates a tagged hash of the whole message: the context that the challenger's one-time keys derive from, so that
    /// another offer, even under the same instance id, never makes it use a key again.
    #[expect(
        clippy::missing_panics_doc,
        reason = "cannot fail, as the message says"
    )]
    pub fn digest(&self) -> [u8; 32] {
        let encoded =
            postcard::to_stdvec(self).expect("messages hold no type that postcard cannot encode");
        tagged_hash("tapcourt/offer/1", &[&encoded])
    }
}

/// The second message: the challenger's part of the terms with its one-time keys, and its nonces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The challenger's part.
    pub challenger: Party,
    /// The one-time public keys of its value groups, by group number.
    pub one_time_keys: Vec<OneTimeKey>,
    /// Its public nonces, one for each of [`crate::Graph::slots`].
    pub nonces: FixedList<66>,
}

impl Acceptance {
    /// Calculates a tagged hash of the whole message.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let encoded =
            postcard::to_stdvec(self).expect("messages hold no type that postcard cannot encode");
        tagged_hash("tapcourt/acceptance/1", &[&encoded])
    }
}

/// The third message: the prover's nonces and partial signatures, one for each of [`crate::Graph::slots`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProverPartials {
    /// Public nonces.
    pub nonces: FixedList<66>,
    /// Partial signatures.
    pub partials: FixedList<32>,
}

/// The fourth message: the challenger's partial signatures, one for each of [`crate::Graph::slots`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengerPartials {
    /// Partial signatures.
    pub partials: FixedList<32>,
}

/// A party's signatures for its own coins in the contract. Sent only when all presigned signatures have been verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundingWitnesses {
    /// Whose.
    pub role: Role,
    /// One witness for each of the party's inputs.
    pub witnesses: Vec<Witness>,
}

/// The finished signatures, one for each of [`crate::Graph::slots`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signatures {
    /// BIP-0340 signatures under the aggregate key.
    pub signatures: FixedList<64>,
}

macro_rules! message {
    ($type:ident, $kind:literal, $name:literal) => {
        impl Message for $type {
            const KIND: u8 = $kind;
            const NAME: &'static str = $name;
        }
    };
}

message!(Offer, 1, "offer");
message!(Acceptance, 2, "acceptance");
message!(ProverPartials, 3, "prover's answer");
message!(ChallengerPartials, 4, "challenger's answer");
message!(FundingWitnesses, 5, "funding witnesses");
message!(Signatures, 6, "set of signatures");
