//! Artefacts and engine state: named bytes.

use std::fmt;

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::{Store, StoreError};
use crate::engine::State;

const ARTEFACTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("artefacts");

const ENGINE: &str = "engine";

const OUTBOX: &str = "outbox";

const START: &str = "start height";

/// Version of the engine state's encoding.
const ENGINE_FORMAT: u32 = 3;

/// What a contract was made from: written once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Artefact {
    /// The netlist.
    Program,
    /// The prover's offer.
    Offer,
    /// The challenger's acceptance.
    Acceptance,
    /// The prover's nonces and partial signatures.
    ProverPartials,
    /// The challenger's partial signatures.
    ChallengerPartials,
    /// The finished signatures.
    Signatures,
    /// The prover's witnesses for the contract.
    ProverFunding,
    /// The challenger's witnesses for the contract.
    ChallengerFunding,
}

impl Artefact {
    /// Returns the name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Offer => "offer",
            Self::Acceptance => "acceptance",
            Self::ProverPartials => "prover's answer",
            Self::ChallengerPartials => "challenger's answer",
            Self::Signatures => "signatures",
            Self::ProverFunding => "prover's funding witnesses",
            Self::ChallengerFunding => "challenger's funding witnesses",
        }
    }
}

impl fmt::Display for Artefact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Store {
    /// Keeps an artefact. Keeping the same one again changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::ArtefactExists`] if there is one with other contents.
    pub fn keep(&self, artefact: Artefact, contents: &[u8]) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        {
            let mut artefacts = transaction.open_table(ARTEFACTS)?;
            let same = artefacts
                .get(artefact.name())?
                .map(|kept| kept.value() == contents);
            match same {
                Some(true) => {}
                Some(false) => {
                    return Err(StoreError::ArtefactExists {
                        name: artefact.name().to_owned(),
                    });
                }
                None => {
                    artefacts.insert(artefact.name(), contents)?;
                }
            }
        }
        Ok(transaction.commit()?)
    }

    /// Returns an artefact, if it was kept.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub fn artefact(&self, artefact: Artefact) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(artefact.name())
    }

    /// Saves the state of an engine, in place of the one before.
    ///
    /// # Errors
    ///
    /// What the database says.
    #[expect(
        clippy::missing_panics_doc,
        reason = "cannot fail, as the message says"
    )]
    pub fn save_state(&self, state: &State) -> Result<(), StoreError> {
        let mut bytes = ENGINE_FORMAT.to_le_bytes().to_vec();
        bytes.extend(
            postcard::to_stdvec(state).expect("a state holds no type that postcard cannot encode"),
        );
        self.write(ENGINE, &bytes)
    }

    /// Returns the state that was saved last, if one was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Malformed`] if it is of another format or does not parse.
    pub fn state(&self) -> Result<Option<State>, StoreError> {
        let malformed = |reason| StoreError::Malformed {
            name: ENGINE.to_owned(),
            reason,
        };
        let Some(bytes) = self.read(ENGINE)? else {
            return Ok(None);
        };
        match bytes.split_first_chunk() {
            Some((format, state)) if u32::from_le_bytes(*format) == ENGINE_FORMAT => {
                let state = postcard::from_bytes(state);
                state
                    .map(Some)
                    .map_err(|error| malformed(format!("a state that does not parse: {error}")))
            }
            Some((format, _)) => {
                let got = u32::from_le_bytes(*format);
                Err(malformed(format!(
                    "format {got}, this program reads {ENGINE_FORMAT}"
                )))
            }
            None => Err(malformed("no format version".to_owned())),
        }
    }

    /// Saves what a party has sent, as its driver encodes it, in place of what was saved before.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub fn save_outbox(&self, contents: &[u8]) -> Result<(), StoreError> {
        self.write(OUTBOX, contents)
    }

    /// Returns what a party has sent, if that was saved.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub fn outbox(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(OUTBOX)
    }

    /// Saves the height of a block before all of the contract's.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub fn save_start_height(&self, height: u32) -> Result<(), StoreError> {
        self.write(START, &height.to_le_bytes())
    }

    /// Returns the height of a block before all of the contract's, if one was saved.
    ///
    /// # Errors
    ///
    /// What the database says, or [`StoreError::Malformed`].
    pub fn start_height(&self) -> Result<Option<u32>, StoreError> {
        let Some(bytes) = self.read(START)? else {
            return Ok(None);
        };
        let height = bytes.as_slice().try_into().map(u32::from_le_bytes);
        height.map(Some).map_err(|_| StoreError::Malformed {
            name: START.to_owned(),
            reason: format!("{} bytes, a height has 4", bytes.len()),
        })
    }

    fn write(&self, name: &str, contents: &[u8]) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        transaction.open_table(ARTEFACTS)?.insert(name, contents)?;
        Ok(transaction.commit()?)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let artefacts = self.database.begin_read()?.open_table(ARTEFACTS)?;
        Ok(artefacts
            .get(name)?
            .map(|contents| contents.value().to_vec()))
    }
}

pub(super) fn create_table(transaction: &WriteTransaction) -> Result<(), StoreError> {
    transaction.open_table(ARTEFACTS)?;
    Ok(())
}

pub(super) fn check_table(transaction: &ReadTransaction) -> Result<(), redb::TableError> {
    transaction.open_table(ARTEFACTS).map(drop)
}
