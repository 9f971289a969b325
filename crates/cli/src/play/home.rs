//! A party's directory: its seed, its store, and the messages that it sends.
//!
//! | file | what it is |
//! |---|---|
//! | `seed` | the party's secrets: 32 bytes in hexadecimal, for its owner's eyes only |
//! | `store.redb` | everything that must survive a crash; made with the contract |
//! | `*.tapcourt` | messages for the other party; copies of what the store has |

use std::path::{Path, PathBuf};

use tapcourt_protocol::messages::{Message, Offer};
use tapcourt_protocol::{InstanceId, Role};
use tapcourt_prover::{Artefact, Store};
use tapcourt_verifier::Messages;

use crate::contract::Loaded;
use crate::error::{CliError, CliResult};
use crate::files;
use crate::play::secrets::{self, Secrets};
use crate::program::ProgramFile;

const SEED: &str = "seed";
const STORE: &str = "store.redb";

/// What stands before the program in the store's artefact, followed by what is agreed on about it.
const PROGRAM_HEAD: &str = "tapcourt program 2, ";

/// The directory of a party.
pub(crate) struct Home {
    path: PathBuf,
    pub(crate) secrets: Secrets,
}

impl Home {
    /// Opens a directory that has a seed.
    pub(crate) fn open(path: &Path) -> CliResult<Self> {
        let seed = path.join(SEED);
        if !seed.exists() {
            return Err(CliError::file(
                path,
                "no party's directory: 'tapcourt setup key' makes one",
            ));
        }
        let text = zeroize::Zeroizing::new(files::read_text(&seed, 1_000)?);
        let secrets = Secrets::from_hex(&text).map_err(|error| match error {
            CliError::Message(message) => CliError::file(&seed, message),
            other => other,
        })?;
        Ok(Self {
            path: path.to_owned(),
            secrets,
        })
    }

    /// Opens a directory, and makes it with a new seed first if there is none.
    ///
    /// Of several processes that do so at once one makes the seed, and all return it: what is
    /// returned is on disk.
    pub(crate) fn open_or_create(path: &Path) -> CliResult<Self> {
        let seed = path.join(SEED);
        if !seed.exists() {
            if path.join(STORE).exists() {
                return Err(CliError::file(
                    path,
                    "there is a store, but its seed is gone",
                ));
            }
            files::create_folder(path)?;
            let secrets = Secrets::from_bytes(secrets::fresh()?);
            files::create_private(&seed, secrets.to_hex().as_bytes())?;
        }
        Self::open(path)
    }

    /// Opens the store of the contract.
    pub(crate) fn store(&self) -> CliResult<Store> {
        let path = self.path.join(STORE);
        if !path.exists() {
            return Err(CliError::file(
                &self.path,
                "no contract yet: 'tapcourt setup offer' or 'setup accept' begins one",
            ));
        }
        Ok(Store::open(&path)?)
    }

    /// Whether there is a contract.
    pub(crate) fn has_store(&self) -> bool {
        self.path.join(STORE).exists()
    }

    /// Makes the store of a new contract.
    pub(crate) fn create_store(&self, instance: InstanceId) -> CliResult<Store> {
        Ok(Store::create(&self.path.join(STORE), instance)?)
    }

    /// Writes a message for the other party, and returns where.
    pub(crate) fn send(&self, artefact: Artefact, contents: &[u8]) -> CliResult<PathBuf> {
        let path = self.path.join(file_name(artefact));
        files::write(&path, contents)?;
        Ok(path)
    }
}

/// The name of a message's file.
pub(crate) fn file_name(artefact: Artefact) -> &'static str {
    match artefact {
        Artefact::Program => "program.txt",
        Artefact::Offer => "offer.tapcourt",
        Artefact::Acceptance => "acceptance.tapcourt",
        Artefact::ProverPartials => "prover-answer.tapcourt",
        Artefact::ChallengerPartials => "challenger-answer.tapcourt",
        Artefact::Signatures => "signatures.tapcourt",
        Artefact::ProverFunding => "prover-funding.tapcourt",
        Artefact::ChallengerFunding => "challenger-funding.tapcourt",
    }
}

/// Writes the artefact of a program: what is agreed on about it, and its file.
pub(crate) fn program_artefact(loaded: &Loaded) -> Vec<u8> {
    let mut contents = format!("{PROGRAM_HEAD}{}\n", loaded.agreed).into_bytes();
    contents.extend_from_slice(&loaded.file);
    contents
}

/// What the store has of a contract.
pub(crate) struct Kept {
    pub(crate) loaded: Loaded,
    pub(crate) role: Role,
    pub(crate) offer: Vec<u8>,
    pub(crate) acceptance: Option<Vec<u8>>,
    pub(crate) answer: Option<Vec<u8>>,
    pub(crate) partials: Option<Vec<u8>>,
    pub(crate) signatures: Option<Vec<u8>>,
    pub(crate) prover_funding: Option<Vec<u8>>,
    pub(crate) challenger_funding: Option<Vec<u8>>,
}

impl Kept {
    /// Reads the store, and compiles its program.
    pub(crate) fn read(home: &Home, store: &Store) -> CliResult<Self> {
        let missing = |what: Artefact| {
            CliError::file(store.path(), format!("the contract's {what} is not there"))
        };
        let get = |artefact| store.artefact(artefact).map_err(CliError::from);
        let program = get(Artefact::Program)?.ok_or_else(|| missing(Artefact::Program))?;
        let loaded = load_program(&program, store.path())?;
        let offer = get(Artefact::Offer)?.ok_or_else(|| missing(Artefact::Offer))?;
        let (_, parsed) = Offer::from_bytes(&offer)?;
        let ours = home.secrets.signing_key()?.public_key();
        Ok(Self {
            loaded,
            role: if parsed.prover.key == ours {
                Role::Prover
            } else {
                Role::Challenger
            },
            offer,
            acceptance: get(Artefact::Acceptance)?,
            answer: get(Artefact::ProverPartials)?,
            partials: get(Artefact::ChallengerPartials)?,
            signatures: get(Artefact::Signatures)?,
            prover_funding: get(Artefact::ProverFunding)?,
            challenger_funding: get(Artefact::ChallengerFunding)?,
        })
    }

    /// The messages of a finished setup.
    pub(crate) fn messages(&self) -> CliResult<Messages<'_>> {
        match (&self.acceptance, &self.signatures) {
            (Some(acceptance), Some(signatures)) => Ok(Messages {
                offer: &self.offer,
                acceptance,
                partials: self.answer.as_deref().zip(self.partials.as_deref()),
                signatures,
            }),
            _ => Err(CliError::new(
                "the setup is not finished: 'tapcourt setup continue' says what is missing",
            )),
        }
    }
}

fn load_program(contents: &[u8], path: &Path) -> CliResult<Loaded> {
    let malformed = || CliError::file(path, "its program is not as it was written");
    let end = contents
        .iter()
        .position(|&byte| byte == b'\n')
        .ok_or_else(malformed)?;
    let (head, file) = contents.split_at(end);
    let agreed = std::str::from_utf8(head)
        .ok()
        .and_then(|head| head.strip_prefix(PROGRAM_HEAD))
        .and_then(|agreed| agreed.parse().ok())
        .ok_or_else(malformed)?;
    let file = ProgramFile {
        path: path.to_owned(),
        contents: file[1..].to_vec(),
    };
    Loaded::from_file(file, agreed)
}
