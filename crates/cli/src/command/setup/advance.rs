//! `continue`: the steps in which the parties answer each other.

use std::path::{Path, PathBuf};

use clap::Args;
use tapcourt_protocol::Role;
use tapcourt_protocol::messages::{
    Acceptance, ChallengerPartials, FundingWitnesses, MAGIC, Message, Offer, ProverPartials,
    Signatures,
};
use tapcourt_prover::{Artefact, Store};

use crate::error::{CliError, CliResult};
use crate::files::read_message;
use crate::output::Facts;
use crate::play::home::{Home, Kept, file_name};
use crate::play::{secrets, setup};

/// Arguments of `setup continue`.
#[derive(Debug, Args)]
pub(super) struct ContinueArgs {
    /// The party's directory.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Messages of the other party.
    message: Vec<PathBuf>,
}

/// Takes messages in, in whatever order they are given, and sends everything that can be sent.
pub(super) fn run(args: &ContinueArgs) -> CliResult<Facts> {
    let mut incoming = Vec::new();
    for path in &args.message {
        let contents = read_message(path)?;
        let place = place_of(&contents).map_err(|reason| CliError::file(path, reason))?;
        incoming.push((place, path, contents));
    }
    incoming.sort_by_key(|(place, _, _)| *place);
    let home = Home::open(&args.dir)?;
    let store = home.store()?;
    let mut dialogue = Dialogue {
        kept: Kept::read(&home, &store)?,
        home: &home,
        store: &store,
        their_funding: None,
    };
    for (_, path, contents) in &incoming {
        dialogue.take(path, contents)?;
    }
    dialogue.fund()?;
    dialogue.report()
}

/// Where in the setup a message of a kind comes.
fn place_of(contents: &[u8]) -> Result<u8, String> {
    if !contents.starts_with(&MAGIC) {
        return Err("no tapcourt message".to_owned());
    }
    // The magic, the version of the format (2 bytes), the kind.
    let kind = contents.get(MAGIC.len() + 2);
    match kind.copied() {
        Some(Offer::KIND) => Ok(0),
        Some(Acceptance::KIND) => Ok(1),
        Some(ProverPartials::KIND) => Ok(2),
        Some(ChallengerPartials::KIND) => Ok(3),
        Some(Signatures::KIND) => Ok(4),
        Some(FundingWitnesses::KIND) => Ok(5),
        Some(kind) => Err(format!("a message of unknown kind {kind}")),
        None => Err("the message is cut off".to_owned()),
    }
}

/// One party's side of the exchange. What is received is verified, then kept together with the answer, then answered.
struct Dialogue<'a> {
    home: &'a Home,
    store: &'a Store,
    kept: Kept,
    /// The other party's funding witnesses, which are checked when the setup is, and where they were read.
    their_funding: Option<(PathBuf, Vec<u8>)>,
}

/// Whose funding witnesses an artefact has.
fn funding_of(role: Role) -> Artefact {
    match role {
        Role::Prover => Artefact::ProverFunding,
        Role::Challenger => Artefact::ChallengerFunding,
    }
}

/// Says in which file something is wrong.
fn in_file(path: &Path, error: CliError) -> CliError {
    match error {
        CliError::Message(message) => CliError::file(path, message),
        other => other,
    }
}

impl Dialogue<'_> {
    fn take(&mut self, path: &Path, contents: &[u8]) -> CliResult<()> {
        let known = [
            Some(&self.kept.offer),
            self.kept.acceptance.as_ref(),
            self.kept.answer.as_ref(),
            self.kept.partials.as_ref(),
            self.kept.signatures.as_ref(),
            self.kept.prover_funding.as_ref(),
            self.kept.challenger_funding.as_ref(),
        ];
        if known.into_iter().flatten().any(|kept| kept == contents) {
            return Ok(());
        }
        let taken = match (self.kept.role, place_of(contents)) {
            (Role::Prover, Ok(1)) => self.take_acceptance(contents),
            (Role::Challenger, Ok(2)) => self.take_answer(contents),
            (Role::Prover, Ok(3)) => self.take_partials(contents),
            (_, Ok(5)) => {
                self.their_funding = Some((path.to_owned(), contents.to_vec()));
                Ok(())
            }
            (role, _) => Err(CliError::new(format!(
                "not a message that the {role} waits for"
            ))),
        };
        taken.map_err(|error| in_file(path, error))
    }

    fn take_acceptance(&mut self, contents: &[u8]) -> CliResult<()> {
        let answer = setup::answer(
            &self.kept.loaded.program,
            &self.home.secrets,
            self.store,
            secrets::fresh()?,
            &self.kept.offer,
            contents,
        )?;
        self.kept.acceptance = Some(self.keep(Artefact::Acceptance, contents)?);
        self.kept.answer = Some(self.keep(Artefact::ProverPartials, &answer)?);
        Ok(())
    }

    fn take_answer(&mut self, contents: &[u8]) -> CliResult<()> {
        let acceptance = self.acceptance()?;
        let (partials, signatures) = setup::countersign(
            &self.kept.loaded.program,
            &self.home.secrets,
            self.store,
            &self.kept.offer,
            acceptance,
            contents,
        )?;
        self.kept.answer = Some(self.keep(Artefact::ProverPartials, contents)?);
        self.kept.partials = Some(self.keep(Artefact::ChallengerPartials, &partials)?);
        self.kept.signatures = Some(self.keep(Artefact::Signatures, &signatures)?);
        Ok(())
    }

    fn take_partials(&mut self, contents: &[u8]) -> CliResult<()> {
        let acceptance = self.acceptance()?;
        let answer = self.kept.answer.as_deref();
        let answer = answer.ok_or_else(|| CliError::new("nothing has been answered yet"))?;
        let signatures = setup::finish(
            &self.kept.loaded.program,
            &self.kept.offer,
            acceptance,
            answer,
            contents,
        )?;
        self.kept.partials = Some(self.keep(Artefact::ChallengerPartials, contents)?);
        self.kept.signatures = Some(self.keep(Artefact::Signatures, &signatures)?);
        Ok(())
    }

    /// Signs for the party's own coins and takes the other party's signatures in, once the whole setup verifies.
    fn fund(&mut self) -> CliResult<()> {
        let theirs = self.their_funding.take();
        if self.kept.signatures.is_none() {
            return match theirs {
                None => Ok(()),
                Some(_) => Err(CliError::new("the presigning is not finished")),
            };
        }
        if self.own_funding().is_some() && theirs.is_none() {
            return Ok(());
        }
        let role = self.kept.role;
        let program = &self.kept.loaded.program;
        let _progress = setup::checking();
        let contract = program.verify_setup(&self.kept.messages()?)?;
        let own = match self.own_funding() {
            Some(own) => own.to_vec(),
            None => {
                let own = setup::fund(&contract, role, &self.home.secrets.wallet()?)?;
                self.keep(funding_of(role), &own)?
            }
        };
        if let Some((path, theirs)) = &theirs {
            let both = match role {
                Role::Prover => [&own, theirs],
                Role::Challenger => [theirs, &own],
            };
            setup::funding_transaction(&contract, both[0], both[1])
                .map_err(|error| in_file(path, error))?;
            self.keep(funding_of(role.other()), theirs)?;
        }
        let theirs = theirs.map(|(_, contents)| contents);
        let (prover, challenger) = match role {
            Role::Prover => (Some(own), theirs),
            Role::Challenger => (theirs, Some(own)),
        };
        self.kept.prover_funding = prover.or(self.kept.prover_funding.take());
        self.kept.challenger_funding = challenger.or(self.kept.challenger_funding.take());
        Ok(())
    }

    fn keep(&self, artefact: Artefact, contents: &[u8]) -> CliResult<Vec<u8>> {
        self.store.keep(artefact, contents)?;
        Ok(contents.to_vec())
    }

    fn acceptance(&self) -> CliResult<&[u8]> {
        let acceptance = self.kept.acceptance.as_deref();
        acceptance.ok_or_else(|| CliError::new("the offer has not been accepted yet"))
    }

    fn own_funding(&self) -> Option<&[u8]> {
        match self.kept.role {
            Role::Prover => self.kept.prover_funding.as_deref(),
            Role::Challenger => self.kept.challenger_funding.as_deref(),
        }
    }

    /// Writes the party's own messages, and says what is missing.
    fn report(&self) -> CliResult<Facts> {
        let kept = &self.kept;
        let own: &[(Artefact, Option<&Vec<u8>>)] = match kept.role {
            Role::Prover => &[
                (Artefact::Offer, Some(&kept.offer)),
                (Artefact::ProverPartials, kept.answer.as_ref()),
                (Artefact::ProverFunding, kept.prover_funding.as_ref()),
            ],
            Role::Challenger => &[
                (Artefact::Acceptance, kept.acceptance.as_ref()),
                (Artefact::ChallengerPartials, kept.partials.as_ref()),
                (
                    Artefact::ChallengerFunding,
                    kept.challenger_funding.as_ref(),
                ),
            ],
        };
        let theirs: &[(Artefact, bool)] = match kept.role {
            Role::Prover => &[
                (Artefact::Acceptance, kept.acceptance.is_some()),
                (Artefact::ChallengerPartials, kept.partials.is_some()),
                (
                    Artefact::ChallengerFunding,
                    kept.challenger_funding.is_some(),
                ),
            ],
            Role::Challenger => &[
                (Artefact::ProverPartials, kept.answer.is_some()),
                (Artefact::ProverFunding, kept.prover_funding.is_some()),
            ],
        };
        let mut wrote = Vec::new();
        for (artefact, contents) in own {
            if let Some(contents) = contents {
                wrote.push(self.home.send(*artefact, contents)?.display().to_string());
            }
        }
        let waits_for = theirs.iter().find(|(_, is_there)| !is_there);
        Ok(Facts::new()
            .with_text("role", kept.role)
            .with("wrote", wrote)
            .with(
                "waits_for",
                waits_for.map(|(artefact, _)| file_name(*artefact)),
            ))
    }
}
