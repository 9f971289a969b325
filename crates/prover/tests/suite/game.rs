//! A chain in miniature and two parties on it, for whole disputes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bitcoin::{OutPoint, Transaction, Txid};
use tapcourt_commitment::Seed;
use tapcourt_protocol::{InstanceId, Role, TransactionKind as Kind};
use tapcourt_prover::{
    Disputable, Duty, Engine, Event, KeyContext, OneTimeKeys, Outlook, Phase, Signer, SignerError,
    State, Store, Values,
};
use tapcourt_verifier::{Contract, Leaves, TransactionReport, TranscriptReport};

use crate::parties::{INSTANCE, Parties, SEED};

/// The height of the block before the contract's.
pub(crate) const START: u32 = 100;

/// Confirmed blocks, and the rules that matter here: spends, relative timelocks, witnesses.
pub(crate) struct World {
    pub(crate) blocks: Vec<Vec<Transaction>>,
}

impl World {
    pub(crate) fn tip(&self) -> u32 {
        START + self.blocks.len() as u32
    }

    pub(crate) fn confirmed(&self) -> Vec<(u32, Transaction)> {
        let blocks = (START + 1..).zip(&self.blocks);
        blocks
            .flat_map(|(height, block)| block.iter().map(move |tx| (height, tx.clone())))
            .collect()
    }

    /// Says whether the next block can have the transaction.
    pub(crate) fn accepts(&self, contract: &Contract<'_>, transaction: &Transaction) -> bool {
        let confirmed = self.confirmed();
        let heights: BTreeMap<Txid, u32> = confirmed
            .iter()
            .map(|(height, tx)| (tx.compute_txid(), *height))
            .collect();
        let is_spent = |outpoint: OutPoint| {
            confirmed.iter().any(|(_, tx)| {
                tx.input
                    .iter()
                    .any(|input| input.previous_output == outpoint)
            })
        };
        let funding = contract.graph().find(transaction.compute_txid()) == Some(Kind::Contract);
        let spendable = transaction.input.iter().all(|input| {
            if is_spent(input.previous_output) {
                return false;
            }
            let blocks = if input.sequence.is_height_locked() {
                input.sequence.to_consensus_u32() & 0xffff
            } else {
                0
            };
            let height = heights.get(&input.previous_output.txid);
            funding || height.is_some_and(|height| height + blocks <= self.tip() + 1)
        });
        // What an engine has finished is not only valid, its witness relays.
        let relays = |report: TransactionReport| report.policy.is_none();
        spendable && contract.verify_transaction(transaction).is_ok_and(relays)
    }
}

/// One party on the chain.
pub(crate) struct Player<'a> {
    pub(crate) engine: Engine<'a>,
    pub(crate) state: State,
    pub(crate) keys: OneTimeKeys,
    store: Option<Store>,
    parties: &'a Parties,
    leaves: Leaves<'a>,
}

impl<'a> Player<'a> {
    pub(crate) fn new(
        parties: &'a Parties,
        contract: &'a Contract<'a>,
        role: Role,
        program: &'a dyn Disputable,
        store: Store,
    ) -> Self {
        Self {
            engine: Engine::new(role, contract.graph(), program),
            state: State::default(),
            keys: one_time_keys(parties, role),
            store: Some(store),
            parties,
            leaves: contract.leaves(),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    /// Stops and starts again with what is on disk.
    pub(crate) fn restart(&mut self) {
        let store = self.store.take().unwrap();
        store.save_state(&self.state).unwrap();
        let path: PathBuf = store.path().to_owned();
        drop(store);
        let store = Store::open(&path).unwrap();
        self.state = store.state().unwrap().unwrap();
        self.store = Some(store);
    }

    pub(crate) fn see(&mut self, event: &Event) -> Outlook {
        let (state, outlook) = self.engine.step(&self.state, event).unwrap();
        // A restart at any point gives the same duties.
        let restarted: State = {
            let bytes = postcard::to_stdvec(&state).unwrap();
            postcard::from_bytes(&bytes).unwrap()
        };
        assert_eq!(self.engine.outlook(&restarted).unwrap(), outlook);
        self.state = restarted;
        outlook
    }

    pub(crate) fn finish(&self, duty: &Duty) -> Result<Transaction, SignerError> {
        let signer = Signer {
            graph: &self.parties.graph,
            presigned: &self.parties.presigned,
            leaves: self.leaves.all(),
            key: match self.engine.role() {
                Role::Prover => &self.parties.prover,
                Role::Challenger => &self.parties.challenger,
            },
            one_time_keys: Some((&self.keys, self.store())),
        };
        signer.finish(&self.state, duty, None)
    }
}

pub(crate) fn one_time_keys(parties: &Parties, role: Role) -> OneTimeKeys {
    let groups = parties.program.groups_of(role);
    let groups = groups.map(|(number, group)| (number, (group.label.clone(), group.shape.clone())));
    let context = match role {
        Role::Prover => KeyContext::prover(InstanceId::from_bytes(INSTANCE)),
        Role::Challenger => KeyContext::challenger(&parties.offered),
    };
    OneTimeKeys::new(Seed::new(SEED), context, groups.collect()).unwrap()
}

/// Two players, and what keeps their transactions from the chain.
pub(crate) struct Game<'a> {
    pub(crate) world: World,
    pub(crate) contract: &'a Contract<'a>,
    pub(crate) prover: Player<'a>,
    pub(crate) challenger: Player<'a>,
    pub(crate) outlooks: [Option<Outlook>; 2],
    _directory: tempfile::TempDir,
}

/// Makes a store for a party of a test.
pub(crate) fn store(directory: &tempfile::TempDir, name: &str) -> Store {
    Store::create(
        &directory.path().join(name),
        InstanceId::from_bytes(INSTANCE),
    )
    .unwrap()
}

impl<'a> Game<'a> {
    /// Starts after the contract has confirmed; the prover claims `values`, or nothing. `programs` are what each party makes of the
    /// program, the prover first.
    pub(crate) fn new(
        parties: &'a Parties,
        contract: &'a Contract<'a>,
        programs: [&'a dyn Disputable; 2],
        values: Option<Values>,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let player = |role, program, name| {
            Player::new(parties, contract, role, program, store(&directory, name))
        };
        let mut prover = player(Role::Prover, programs[0], "prover");
        let challenger = player(Role::Challenger, programs[1], "challenger");
        if let Some(values) = values {
            prover.see(&Event::Claim { values });
        }
        let world = World { blocks: Vec::new() };
        let mut game = Self {
            world,
            contract,
            prover,
            challenger,
            outlooks: [None, None],
            _directory: directory,
        };
        game.connect(vec![parties.contract()]);
        game
    }

    /// The same about a circuit, of which both make the same.
    pub(crate) fn of_circuit(
        parties: &'a Parties,
        contract: &'a Contract<'a>,
        values: Option<Values>,
    ) -> Self {
        let program: &dyn Disputable = parties.compiled();
        Self::new(parties, contract, [program, program], values)
    }

    /// Restarts both parties, which know their duties again.
    pub(crate) fn restart(&mut self) {
        for (player, outlook) in [&mut self.prover, &mut self.challenger]
            .into_iter()
            .zip(&self.outlooks)
        {
            player.restart();
            let again = player.engine.outlook(&player.state).unwrap();
            assert_eq!(Some(again), *outlook);
        }
    }

    /// Mines the next block with what the parties have to do, as far as `plays` lets them.
    pub(crate) fn advance(&mut self, plays: impl Fn(Role, &Duty) -> bool) {
        let mut block = Vec::new();
        for (_, duty, transaction) in self.duties(plays) {
            assert!(
                self.world.accepts(self.contract, &transaction),
                "{duty} cannot confirm"
            );
            block.push(transaction);
        }
        block.truncate(1); // both parties can have the same duty, such as expire
        self.connect(block);
    }

    /// Mines a block and shows it to both.
    pub(crate) fn connect(&mut self, block: Vec<Transaction>) {
        self.world.blocks.push(block.clone());
        let event = Event::BlockConnected {
            height: self.world.tip(),
            transactions: block,
        };
        self.show(&event);
    }

    /// Drops blocks, last first; returns what they had.
    pub(crate) fn disconnect(&mut self, depth: u32) -> Vec<Transaction> {
        let mut dropped = Vec::new();
        for _ in 0..depth {
            let height = self.world.tip();
            dropped.splice(0..0, self.world.blocks.pop().unwrap_or_default());
            self.show(&Event::BlockDisconnected { height });
        }
        dropped
    }

    fn show(&mut self, event: &Event) {
        self.outlooks = [
            Some(self.prover.see(event)),
            Some(self.challenger.see(event)),
        ];
        // Asking for the contract's transactions gives the same as seeing block by block.
        let confirmed = self.world.confirmed();
        let contract = confirmed
            .iter()
            .find(|(_, tx)| self.contract.graph().find(tx.compute_txid()) == Some(Kind::Contract));
        for (player, outlook) in [&self.prover, &self.challenger]
            .into_iter()
            .zip(&self.outlooks)
        {
            let synced = player
                .engine
                .synced(self.world.tip(), contract.cloned(), |outpoint| {
                    let spends = |tx: &Transaction| {
                        tx.input
                            .iter()
                            .any(|input| input.previous_output == outpoint)
                    };
                    Ok::<_, std::convert::Infallible>(
                        confirmed.iter().find(|(_, tx)| spends(tx)).cloned(),
                    )
                });
            let (state, whole) = player.engine.step(&player.state, &synced.unwrap()).unwrap();
            assert_eq!(Some(&whole), outlook.as_ref());
            assert_eq!(state, player.state);
        }
    }

    /// The duties of both, as far as `plays` lets them, finished.
    pub(crate) fn duties(
        &self,
        plays: impl Fn(Role, &Duty) -> bool,
    ) -> Vec<(Role, Duty, Transaction)> {
        let mut all = Vec::new();
        for (player, outlook) in [&self.prover, &self.challenger]
            .into_iter()
            .zip(&self.outlooks)
        {
            let role = player.engine.role();
            for duty in outlook
                .iter()
                .flat_map(|outlook| &outlook.duties)
                .filter(|duty| plays(role, duty))
            {
                all.push((role, duty.clone(), player.finish(duty).unwrap()));
            }
        }
        all
    }

    /// Plays blocks until the contract is settled; every duty confirms in the next block. Returns the judgement.
    pub(crate) fn play(&mut self, plays: impl Fn(Role, &Duty) -> bool) -> TranscriptReport {
        for _ in 0..200 {
            if self.is_settled() {
                break;
            }
            self.advance(&plays);
        }
        self.judge()
    }

    pub(crate) fn is_settled(&self) -> bool {
        matches!(&self.outlooks[0], Some(outlook) if matches!(outlook.phase, Phase::Settled { .. }))
    }

    pub(crate) fn judge(&self) -> TranscriptReport {
        let moves: Vec<Transaction> = self
            .world
            .confirmed()
            .into_iter()
            .map(|(_, tx)| tx)
            .collect();
        self.contract.verify_transcript(&moves).unwrap()
    }

    pub(crate) fn height_of(&self, kind: Kind) -> Option<u32> {
        self.prover
            .state
            .confirmed()
            .iter()
            .find(|confirmed| confirmed.kind == kind)
            .map(|confirmed| confirmed.height)
    }
}
