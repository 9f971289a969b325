//! The game: setup by messages, presigning, both engines, blocks until it is settled.

use std::path::Path;

use bitcoin::{FeeRate, Transaction};
use tapcourt_chain::{Chain, Wallet};
use tapcourt_party::{Driver, FeePolicy, Sent, Step};
use tapcourt_protocol::{
    FundingInput, InstanceId, Parameters, RelativeBlocks, Role, TransactionKind,
};
use tapcourt_prover::{Artefact, Disputable, Duty, Phase, Store, Values};
use tapcourt_verifier::{Contract, Messages, Program};

use super::report::{Broadcast, Played, Stall};
use crate::args::ChainName;
use crate::error::{CliError, CliResult};
use crate::files;
use crate::play::home::file_name;
use crate::play::player::take_seat;
use crate::play::secrets::Secrets;
use crate::play::{chain, setup};
use crate::progress::Progress;

/// How the parties play.
pub(super) struct Rules {
    pub(super) parameters: Parameters,
    pub(super) feerate: FeeRate,
    /// The challenger disputes a claim even if it is true.
    pub(super) challenge_anyway: bool,
    /// A transaction that is never sent.
    pub(super) stalled: Option<TransactionKind>,
    /// The challenger selects anything, so it may pass over what is false.
    pub(super) selects_at_random: bool,
}

impl Rules {
    /// Returns how many blocks a party has for a move.
    pub(super) fn blocks_for(&self, kind: TransactionKind) -> RelativeBlocks {
        match kind {
            TransactionKind::Kickoff(0) => self.parameters.expiry,
            _ => self.parameters.delta,
        }
    }
}

/// Reads the name of a transaction that a party sends.
pub(super) fn parse_stall(name: &str, program: &Program) -> CliResult<TransactionKind> {
    let mut kinds: Vec<TransactionKind> =
        program.layout().all_kinds().map(|(kind, _)| kind).collect();
    kinds.push(TransactionKind::Challenge);
    kinds.extend(program.layout().stages().map(TransactionKind::Disprove));
    let found = kinds.iter().find(|kind| kind.to_string() == name);
    found.copied().ok_or_else(|| {
        let names: Vec<String> = kinds.iter().map(TransactionKind::to_string).collect();
        CliError::new(format!(
            "--stall: the parties of this contract send {}, not '{name}'",
            names.join(", ")
        ))
    })
}

/// One side of the table. The secrets are constants: a simulation is to be reproducible, and its coins are worth nothing.
struct Side {
    role: Role,
    secrets: Secrets,
    store: Store,
    coin: FundingInput,
}

const PROVER_SECRET: [u8; 32] = [0x01; 32];
const CHALLENGER_SECRET: [u8; 32] = [0x02; 32];
const INSTANCE: [u8; 32] = [0x03; 32];

impl Side {
    /// Gives the party a store, a coin for the contract, and more to pay fees with.
    fn new(
        role: Role,
        program: &Program,
        rules: &Rules,
        directory: &Path,
        chain: &mut dyn Chain,
    ) -> CliResult<(Self, Wallet)> {
        let secret = match role {
            Role::Prover => PROVER_SECRET,
            Role::Challenger => CHALLENGER_SECRET,
        };
        let secrets = Secrets::from_bytes(secret);
        let store = Store::create(
            &directory.join(format!("{role}.redb")),
            InstanceId::from_bytes(INSTANCE),
        )?;
        let mut wallet = secrets.wallet()?;
        wallet.mine_coins(chain, 1)?;
        let value = setup::required(role, program, &rules.parameters, 1, rules.feerate)?;
        let script = wallet.script_pubkey();
        let (outpoint, prevout) = wallet.fund(chain, &script, value)?;
        let side = Self {
            role,
            secrets,
            store,
            coin: FundingInput { outpoint, prevout },
        };
        Ok((side, wallet))
    }

    /// Lets the party play.
    fn sit<'a>(
        &'a self,
        contract: &'a Contract<'a>,
        program: &'a dyn Disputable,
        wallet: Wallet,
    ) -> CliResult<Driver<'a>> {
        take_seat(
            self.role,
            contract,
            program,
            &self.secrets,
            &self.store,
            wallet,
        )
    }
}

/// The messages of a setup, in the order in which they are sent.
pub(super) struct Setup {
    offer: Vec<u8>,
    acceptance: Vec<u8>,
    answer: Vec<u8>,
    partials: Vec<u8>,
    signatures: Vec<u8>,
}

impl Setup {
    /// Lets the parties send each other everything that the setup takes.
    fn exchange(
        program: &Program,
        rules: &Rules,
        prover: &Side,
        challenger: &Side,
    ) -> CliResult<Self> {
        let offer = setup::offer(
            program,
            &prover.secrets,
            InstanceId::from_bytes(INSTANCE),
            rules.parameters.clone(),
            vec![prover.coin.clone()],
            rules.feerate,
        )?;
        let graph = setup::draft(
            program,
            &challenger.secrets,
            &offer,
            vec![challenger.coin.clone()],
            rules.feerate,
        )?;
        let acceptance = setup::accept(
            &graph,
            &challenger.secrets,
            &challenger.store,
            CHALLENGER_SECRET,
        )?;
        let answer = setup::answer(
            program,
            &prover.secrets,
            &prover.store,
            PROVER_SECRET,
            &offer,
            &acceptance,
        )?;
        let (partials, signatures) = setup::countersign(
            program,
            &challenger.secrets,
            &challenger.store,
            &offer,
            &acceptance,
            &answer,
        )?;
        let finished = setup::finish(program, &offer, &acceptance, &answer, &partials)?;
        debug_assert_eq!(
            finished, signatures,
            "both parties complete the same signatures"
        );
        Ok(Self {
            offer,
            acceptance,
            answer,
            partials,
            signatures,
        })
    }

    /// Writes the messages into a directory, under the names that they have in a party's.
    pub(super) fn write(&self, directory: &Path) -> CliResult<()> {
        std::fs::create_dir_all(directory).map_err(|error| CliError::file(directory, error))?;
        let messages = [
            (Artefact::Offer, &self.offer),
            (Artefact::Acceptance, &self.acceptance),
            (Artefact::ProverPartials, &self.answer),
            (Artefact::ChallengerPartials, &self.partials),
            (Artefact::Signatures, &self.signatures),
        ];
        messages.into_iter().try_for_each(|(artefact, message)| {
            let path = directory.join(file_name(artefact));
            files::write(&path, message)
        })
    }

    fn messages(&self) -> Messages<'_> {
        Messages {
            offer: &self.offer,
            acceptance: &self.acceptance,
            partials: Some((&self.answer, &self.partials)),
            signatures: &self.signatures,
        }
    }
}

/// What the parties believe, and what the prover claims.
pub(super) struct Parties<'a> {
    pub(super) prover: &'a dyn Disputable,
    pub(super) challenger: &'a dyn Disputable,
    pub(super) claim: Values,
}

/// Plays the contract to its end. Returns the messages of its setup, too.
pub(super) fn play(
    program: &Program,
    parties: Parties<'_>,
    chain_name: ChainName,
    rules: &Rules,
) -> CliResult<(Played, Setup)> {
    let progress = Progress::spinner("starting the chain");
    let directory = tempfile::tempdir()?;
    let mut chain = chain::start(chain_name)?;
    let chain = chain.as_mut();
    let (prover, prover_wallet) = Side::new(Role::Prover, program, rules, directory.path(), chain)?;
    let (challenger, challenger_wallet) =
        Side::new(Role::Challenger, program, rules, directory.path(), chain)?;
    progress.step("setting up the contract");
    let setup = Setup::exchange(program, rules, &prover, &challenger)?;
    let contract = program.verify_setup(&setup.messages())?;
    let funding = setup::funding_transaction(
        &contract,
        &setup::fund(&contract, Role::Prover, &prover_wallet)?,
        &setup::fund(&contract, Role::Challenger, &challenger_wallet)?,
    )?;
    progress.step("playing");
    let mut prover = prover.sit(&contract, parties.prover, prover_wallet)?;
    let challenger = challenger.sit(&contract, parties.challenger, challenger_wallet)?;
    prover.claim(parties.claim)?;
    let mut game = Game {
        chain,
        rules,
        players: [prover, challenger],
        sent: Vec::new(),
        was_withheld: false,
    };
    game.fund(funding)?;
    game.play()?;
    let played = game.report(&contract)?;
    drop(contract);
    Ok((played, setup))
}

/// Blocks after which a game that is not settled never will be: far more than any contract's moves take.
const MAX_ROUNDS: usize = 100_000;

struct Game<'a> {
    chain: &'a mut dyn Chain,
    rules: &'a Rules,
    players: [Driver<'a>; 2],
    sent: Vec<Broadcast>,
    /// Whether the transaction that is never sent was due at some time.
    was_withheld: bool,
}

impl Game<'_> {
    fn fund(&mut self, funding: Transaction) -> CliResult<()> {
        self.chain.submit(&funding)?;
        self.record(TransactionKind::Contract.to_string(), funding, false)?;
        self.mine(1)
    }

    /// Lets both parties do what they have to, block by block.
    fn play(&mut self) -> CliResult<()> {
        for _ in 0..MAX_ROUNDS {
            let mut wakes = Vec::new();
            let sent_before = self.sent.len();
            for place in 0..self.players.len() {
                let outlook = self.players[place].look(&*self.chain)?;
                if matches!(outlook.phase, Phase::Settled { .. }) {
                    return Ok(());
                }
                wakes.extend(outlook.wake);
                for duty in self.duties(place, outlook.phase, outlook.duties) {
                    let policy = FeePolicy {
                        start: self.rules.feerate,
                        budget: None,
                    };
                    let step = self.players[place].perform(self.chain, &duty, &policy)?;
                    if let Step::Sent(sent) = step {
                        self.record_sent(*sent)?;
                    }
                }
            }
            let tip = self.chain.tip()?.height;
            let idle = self.sent.len() == sent_before;
            let next = wakes.into_iter().min().filter(|_| idle);
            self.mine(next.map_or(1, |wake| wake.saturating_sub(tip).max(1)))?;
        }
        Err(CliError::new("the contract does not come to an end"))
    }

    /// Adds what the rules want done, and takes away what they forbid.
    fn duties(&mut self, place: usize, phase: Phase, mut duties: Vec<Duty>) -> Vec<Duty> {
        let role = self.players[place].engine().role();
        if role == Role::Challenger
            && self.rules.challenge_anyway
            && phase == Phase::Claimed
            && duties.is_empty()
        {
            let party = &self.players[place];
            duties.extend(party.engine().challenge(party.state()));
        }
        let due = duties.len();
        duties.retain(|duty| self.rules.stalled != Some(duty.kind));
        self.was_withheld |= duties.len() < due;
        duties
    }

    fn mine(&mut self, blocks: u32) -> CliResult<()> {
        let tip = self.chain.mine(blocks)?;
        for sent in self.sent.iter_mut().filter(|sent| sent.block.is_none()) {
            sent.block = self
                .chain
                .confirmation_height(sent.transaction.compute_txid())?;
        }
        match self.sent.iter().find(|sent| sent.block.is_none()) {
            Some(left) => Err(CliError::new(format!(
                "{} is not in block {}, which had room for it",
                left.name, tip.height
            ))),
            None => Ok(()),
        }
    }

    fn record_sent(&mut self, sent: Sent) -> CliResult<()> {
        self.record(sent.kind.to_string(), sent.transaction, false)?;
        match sent.child {
            Some(child) => self.record(format!("{}_fee", sent.kind), child, true),
            None => Ok(()),
        }
    }

    fn record(&mut self, name: String, transaction: Transaction, is_child: bool) -> CliResult<()> {
        let mut paid = 0;
        for input in &transaction.input {
            let outpoint = input.previous_output;
            let parent = self.chain.transaction(outpoint.txid)?;
            let output =
                parent.and_then(|parent| parent.tx_out(outpoint.vout as usize).ok().cloned());
            paid += output.map_or(0, |output| output.value.to_sat());
        }
        let kept: u64 = transaction
            .output
            .iter()
            .map(|output| output.value.to_sat())
            .sum();
        self.sent.push(Broadcast {
            name,
            fee_sat: paid.saturating_sub(kept),
            block: None,
            is_child,
            transaction,
        });
        Ok(())
    }

    /// Lets the verifier judge what happened.
    fn report(self, contract: &Contract<'_>) -> CliResult<Played> {
        let moves: Vec<Transaction> = self.players[0]
            .state()
            .confirmed()
            .iter()
            .map(|confirmed| confirmed.transaction.clone())
            .collect();
        let judgement = contract.verify_transcript(&moves)?;
        let stall = self.rules.stalled.map(|kind| Stall {
            kind,
            came_up: self.was_withheld,
        });
        Played::new(
            contract,
            self.chain.name(),
            self.rules,
            stall,
            judgement,
            self.sent,
        )
    }
}
