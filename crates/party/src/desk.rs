//! A party that is watched from block to block.

use tapcourt_chain::Link;
use tapcourt_prover::{Outlook, Phase};

use crate::{Deed, Driver, FeePolicy, PartyError, Unfunded};

/// Blocks after which no reorganisation is expected to undo a settlement: so long a contract is watched after it is over.
pub const FINAL_BLOCKS: u32 = 100;

/// A party of one contract, its fees, and what went wrong so far. One desk's trouble is never another's.
#[expect(missing_debug_implementations, reason = "holds secrets")]
pub struct Desk<'a> {
    party: Driver<'a>,
    policy: FeePolicy,
    failures: u32,
}

/// What came of one look at the chain.
#[derive(Debug)]
pub struct Round {
    /// What is to be done; `Err` if the chain could not be read, and nothing was done.
    pub outlook: Result<Outlook, PartyError>,
    /// What came of each duty.
    pub deeds: Vec<Deed>,
    /// Why the contract is not on the chain, if it is not.
    pub unfunded: Option<Unfunded>,
    /// Whether the contract is over, and deep enough to be left alone.
    pub is_final: bool,
    /// Rounds in a row in which something failed, this one included.
    pub failures: u32,
}

impl Round {
    /// Returns what failed.
    pub fn errors(&self) -> impl Iterator<Item = &PartyError> {
        let looks = self.outlook.as_ref().err();
        looks.into_iter().chain(
            self.deeds
                .iter()
                .filter_map(|deed| deed.result.as_ref().err()),
        )
    }
}

impl<'a> Desk<'a> {
    /// Gives a party its desk.
    pub fn new(party: Driver<'a>, policy: FeePolicy) -> Self {
        Self {
            party,
            policy,
            failures: 0,
        }
    }

    /// Returns the party.
    pub fn party(&self) -> &Driver<'a> {
        &self.party
    }

    /// Returns the party, to tell it of coins or of a claim.
    pub fn party_mut(&mut self) -> &mut Driver<'a> {
        &mut self.party
    }

    /// Returns how it pays.
    pub fn policy(&self) -> &FeePolicy {
        &self.policy
    }

    /// Looks at the chain once and does what is due. To be called at every block and from time to time between two, until
    /// [`Round::is_final`]; no failure is a reason to stop.
    pub fn round(&mut self, chain: &mut dyn Link) -> Round {
        let mut round = self.take(chain);
        let failed = round.errors().next().is_some();
        self.failures = if failed { self.failures + 1 } else { 0 };
        round.failures = self.failures;
        round
    }

    fn take(&mut self, chain: &mut dyn Link) -> Round {
        let mut round = Round {
            outlook: Err(PartyError::Restless(0)),
            deeds: Vec::new(),
            unfunded: None,
            is_final: false,
            failures: 0,
        };
        let outlook = match self.party.look(&*chain) {
            Ok(outlook) => outlook,
            Err(error) => {
                round.outlook = Err(error);
                return round;
            }
        };
        if outlook.phase == Phase::Unfunded {
            match self.party.unfunded(&*chain) {
                Ok(why) => round.unfunded = Some(why),
                Err(error) => {
                    round.outlook = Err(error);
                    return round;
                }
            }
        }
        if let Phase::Settled { height, .. } = outlook.phase {
            let depth = outlook.tip.unwrap_or_default().saturating_sub(height);
            round.is_final = depth >= FINAL_BLOCKS;
        }
        round.deeds = self.party.act(chain, &outlook.duties, &self.policy);
        round.outlook = Ok(outlook);
        round
    }
}
