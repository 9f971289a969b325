//! Games whose parties are killed at any write of their stores, or find an old copy of it, and start again.
//!
//! A party's process is emulated as the command line runs it: it looks at the chain, saves what is new, and does its duties. Between any two writes
//! there is a *point*: the process may end there, with everything in memory, and what is on disk then is all that it has when it comes back.
//!
//! Every transaction that either party ever finished is remembered, whether it left the process or not: none of them may open a one-time key to a second
//! value.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bitcoin::{Amount, Transaction, Txid};
use tapcourt_commitment::Opening;
use tapcourt_compiler::riscv::Court;
use tapcourt_protocol::{Role, Stage, TransactionKind as Kind, recover_published};
use tapcourt_prover::trace::{RandomSelections, TraceDispute};
use tapcourt_prover::{
    Disputable, Duty, Engine, Event, FeeSource, MessageHash, Needs, NotAClaim, Outlook, Phase,
    Signer, State, Store, Values, Verdict,
};
use tapcourt_verifier::Program;

use crate::chains::embedded;
use crate::dispute::{Agreed, ROLES, Table, feerate, signing_key};

/// What befalls a party at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// For how many blocks it is away.
    pub blocks: u32,
    /// Which earlier copy of its store it finds, as a part of those that there are, in 256ths; if none, the store as it was.
    pub copy: Option<u8>,
}

/// What parties and their programs are made of, again at every start.
pub type Make<'a> = dyn Fn(Role) -> Box<dyn Disputable + 'a> + Sync + 'a;

/// A game that is played again and again, with different faults.
#[expect(missing_debug_implementations, reason = "holds secrets")]
pub struct Replay<'a> {
    /// The program.
    pub program: &'a Program,
    /// The contract. Every replay begins with the same coins, so that one contract does for all.
    pub agreed: Agreed<'a>,
    /// What the prover claims.
    pub claim: Values,
    /// Makes what a party says.
    pub make: Box<Make<'a>>,
}

/// What came of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The contract's transactions, in order.
    pub transactions: Vec<(Kind, Txid)>,
    /// Who is paid.
    pub winner: Option<Role>,
    /// Points at which a party could have been killed.
    pub points: usize,
    /// Faults that happened.
    pub faults: usize,
    /// Openings that were compared with one of the same key.
    pub compared: usize,
    /// Copies of stores that were asked what they would do.
    pub copies: usize,
    /// Transactions that had a deadline, and kept it.
    pub deadlines: usize,
}

impl<'a> Replay<'a> {
    /// Sets up the contract.
    ///
    /// # Panics
    /// If the setup is refused.
    pub fn new(program: &'a Program, claim: Values, make: Box<Make<'a>>) -> Self {
        Self {
            agreed: Table::new(embedded()).agree(program),
            program,
            claim,
            make,
        }
    }

    /// Plays with these faults, by point. If `copies`, every copy of a store is asked at every turn what it would do.
    ///
    /// # Panics
    /// If a key signs two values, a deadline is missed, or the game is not settled.
    pub fn play(&self, faults: &BTreeMap<usize, Fault>, copies: bool) -> Played {
        let mut table = Table::new(embedded());
        table.parties(self.program);
        let directory = tempfile::tempdir().expect("a directory can be made");
        let seats = ROLES.map(|role| {
            let path = directory.path().join(format!("{role}.redb"));
            let store = Store::create(&path, self.agreed.instance).expect("a store can be made");
            Seat {
                role,
                program: (self.make)(role),
                store: Some(store),
                path,
                state: State::default(),
                children: BTreeMap::new(),
                away_until: 0,
                copies: Vec::new(),
            }
        });
        let mut game = Game {
            replay: self,
            table,
            seats,
            faults,
            asks_copies: copies,
            openings: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            played: Played {
                transactions: Vec::new(),
                winner: None,
                points: 0,
                faults: 0,
                compared: 0,
                copies: 0,
                deadlines: 0,
            },
        };
        game.play();
        game.played
    }
}

struct Seat<'a> {
    role: Role,
    program: Box<dyn Disputable + 'a>,
    /// Open, but for the moment in which the process starts again.
    store: Option<Store>,
    path: PathBuf,
    state: State,
    /// What the wallet, which is no part of the process, has paid.
    children: BTreeMap<Kind, Transaction>,
    away_until: u32,
    /// The store's file as it was at earlier points, each different from the one before.
    copies: Vec<Vec<u8>>,
}

impl Seat<'_> {
    fn store(&self) -> &Store {
        self.store.as_ref().expect("it is open")
    }
}

/// The process has ended.
struct Killed;

struct Game<'r, 'a> {
    replay: &'r Replay<'a>,
    table: Table,
    seats: [Seat<'a>; 2],
    faults: &'r BTreeMap<usize, Fault>,
    asks_copies: bool,
    /// What each group's key has signed in any transaction that was ever finished.
    openings: BTreeMap<usize, (Vec<bool>, Opening)>,
    deadlines: BTreeMap<Kind, u32>,
    played: Played,
}

impl<'a> Game<'_, 'a> {
    fn engine(&self, place: usize) -> Engine<'_> {
        let seat = &self.seats[place];
        Engine::new(
            seat.role,
            self.replay.agreed.contract.graph(),
            &*seat.program,
        )
    }

    /// A party may be killed here.
    fn point(&mut self, place: usize) -> Result<(), Killed> {
        let fault = self.faults.get(&self.played.points).copied();
        self.played.points += 1;
        if self.asks_copies || self.faults.values().any(|fault| fault.copy.is_some()) {
            let seat = &mut self.seats[place];
            let copy = std::fs::read(&seat.path).expect("the store is there");
            if seat.copies.last() != Some(&copy) {
                seat.copies.push(copy);
            }
        }
        fault.map_or(Ok(()), |fault| {
            self.kill(place, fault);
            Err(Killed)
        })
    }

    fn kill(&mut self, place: usize, fault: Fault) {
        self.played.faults += 1;
        let tip = self.tip();
        let seat = &mut self.seats[place];
        // What is on disk while the store is open is what a crash leaves.
        let left = match fault.copy {
            Some(part) => seat.copies[seat.copies.len() * usize::from(part) / 256].clone(),
            None => std::fs::read(&seat.path).expect("the store is there"),
        };
        drop(seat.store.take());
        std::fs::write(&seat.path, left).expect("the store can be written");
        let store = Store::open(&seat.path).expect("the store is whole");
        seat.state = saved(&store);
        seat.store = Some(store);
        seat.program = (self.replay.make)(seat.role);
        seat.away_until = tip + fault.blocks;
    }

    fn tip(&self) -> u32 {
        self.table.chain.tip().expect("the chain answers").height
    }

    /// What the chain shows.
    fn event(&self, place: usize) -> Event {
        let chain = &self.table.chain;
        let txid = self.replay.agreed.contract.graph().contract().txid();
        let height = chain.confirmation_height(txid).expect("the chain answers");
        let contract = height.map(|height| {
            let transaction = chain.transaction(txid).expect("the chain answers");
            (height, transaction.expect("it is confirmed"))
        });
        let event = self.engine(place).synced(self.tip(), contract, |outpoint| {
            let spend = chain.spender(outpoint)?;
            Ok::<_, tapcourt_chain::ChainError>(
                spend.and_then(|spend| Some((spend.height?, spend.transaction))),
            )
        });
        event.expect("the chain answers")
    }

    fn save(&mut self, place: usize, state: State) -> Result<(), Killed> {
        self.point(place)?;
        let seat = &mut self.seats[place];
        seat.store().save_state(&state).expect("the store writes");
        seat.state = state;
        self.point(place)
    }

    /// Looks at the chain, as a process does that has this state. The prover's user repeats what is to be claimed.
    fn look(&self, place: usize, state: &State, event: &Event) -> (State, Outlook) {
        let engine = self.engine(place);
        let seen = engine.step(state, event);
        let (state, outlook) = seen.expect("the chain shows what the contract allows");
        let may_claim = matches!(outlook.phase, Phase::Claiming { .. });
        if self.seats[place].role == Role::Challenger || !may_claim || state.values().is_some() {
            return (state, outlook);
        }
        let values = self.replay.claim.clone();
        let decided = engine.step(&state, &Event::Claim { values });
        decided.expect("nothing else was decided")
    }

    fn turn(&mut self, place: usize) -> Result<Outlook, Killed> {
        let event = self.event(place);
        let before = &self.seats[place].state;
        let (state, outlook) = self.look(place, before, &event);
        let news = state.confirmed() != before.confirmed() || state.values() != before.values();
        for confirmed in state.confirmed() {
            self.table.wallets[place].receive(&confirmed.transaction);
        }
        if news {
            self.save(place, state)?;
        } else {
            self.seats[place].state = state;
        }
        let is_worth_asking = news || !outlook.duties.is_empty();
        if self.asks_copies && is_worth_asking {
            self.ask_copies(place, &event, &outlook);
        }
        for duty in &outlook.duties {
            self.perform(place, duty)?;
        }
        if self.asks_copies && is_worth_asking {
            // What was sent is not confirmed yet: the copies know nothing of it.
            self.ask_copies(place, &event, &outlook);
        }
        Ok(outlook)
    }

    /// What each copy of a party's store would do now: what the party itself does, with the same openings.
    fn ask_copies(&mut self, place: usize, event: &Event, outlook: &Outlook) {
        let path = self.seats[place].path.with_extension("copy");
        for number in 0..self.seats[place].copies.len() {
            std::fs::write(&path, &self.seats[place].copies[number]).expect("it can be written");
            let store = Store::open(&path).expect("a copy is a whole store");
            let (state, other) = self.look(place, &saved(&store), event);
            assert_eq!(
                (&other.phase, &other.duties),
                (&outlook.phase, &outlook.duties)
            );
            for duty in &other.duties {
                let transaction = self.finish(place, &store, &state, duty);
                self.remember(duty.kind, &transaction);
            }
            if other.duties.iter().any(opens) {
                self.has_observed(place, &store, &state);
            }
            self.played.copies += 1;
        }
    }

    /// The store knows what the chain shows.
    fn has_observed(&self, place: usize, store: &Store, state: &State) {
        let keys = &self.replay.agreed.one_time_keys[place];
        let published = self.engine(place).published(state).expect("published");
        for published in published {
            if let Ok(key) = keys.key_id(published.group) {
                let spent = store.spent(&key).expect("the store reads");
                assert_eq!(spent, Some(MessageHash::of(&published.value)), "{key}");
            }
        }
    }

    fn finish(&self, place: usize, store: &Store, state: &State, duty: &Duty) -> Transaction {
        let Agreed {
            contract,
            one_time_keys,
            ..
        } = &self.replay.agreed;
        let leaves = contract.leaves();
        let signer = Signer {
            graph: contract.graph(),
            presigned: contract.presigned(),
            leaves: leaves.all(),
            key: &signing_key(self.seats[place].role),
            one_time_keys: Some((&one_time_keys[place], store)),
        };
        signer
            .finish(state, duty, Some(feerate()))
            .unwrap_or_else(|error| panic!("{duty}: {error}"))
    }

    /// Remembers what a transaction opens; no key may have signed anything else.
    fn remember(&mut self, kind: Kind, transaction: &Transaction) {
        if !kind.publishes() {
            return;
        }
        let graph = self.replay.agreed.contract.graph();
        let published = recover_published(graph, transaction).expect("it was just finished");
        for published in published {
            let signed = (published.value, published.opening);
            match self.openings.get(&published.group) {
                Some(before) => {
                    assert_eq!(*before, signed, "{kind} signs a second value");
                    self.played.compared += 1;
                }
                None => {
                    self.openings.insert(published.group, signed);
                }
            }
        }
    }

    fn perform(&mut self, place: usize, duty: &Duty) -> Result<(), Killed> {
        if let Some(deadline) = duty.deadline {
            let before = self.deadlines.insert(duty.kind, deadline);
            assert!(before.is_none_or(|before| before == deadline), "{duty}");
        }
        if opens(duty) {
            self.point(place)?;
            let seat = &self.seats[place];
            let published = self.engine(place).published(&seat.state);
            let keys = &self.replay.agreed.one_time_keys[place];
            keys.observe(seat.store(), &published.expect("published"))
                .expect("nothing else was signed");
            self.point(place)?;
        }
        let seat = &self.seats[place];
        let transaction = self.finish(place, seat.store(), &seat.state, duty);
        self.remember(duty.kind, &transaction);
        if opens(duty) {
            // On disk, and not yet out.
            self.point(place)?;
        }
        let known = self.table.chain.transaction(transaction.compute_txid());
        if known.expect("the chain answers").is_some() {
            return Ok(());
        }
        let (chain, wallet) = (&mut self.table.chain, &mut self.table.wallets[place]);
        match duty.fee {
            FeeSource::Own => {
                chain
                    .submit(&transaction)
                    .unwrap_or_else(|error| panic!("{duty}: {error}"));
            }
            FeeSource::Child => {
                if let Some(before) = self.seats[place].children.remove(&duty.kind) {
                    wallet.release(&before);
                }
                let child = wallet
                    .pay_for(chain.as_ref(), &transaction, Amount::ZERO, feerate())
                    .expect("the wallet has coins for the fee");
                chain
                    .submit_package(&transaction, &child)
                    .unwrap_or_else(|error| panic!("{duty}: {error}"));
                wallet.receive(&child);
                self.seats[place].children.insert(duty.kind, child);
            }
        }
        self.point(place)
    }

    fn play(&mut self) {
        let contract = self.table.funding(&self.replay.agreed.contract);
        self.table.chain.submit(&contract).expect("it is signed");
        self.table.chain.mine(1).expect("a regtest mines");
        for _ in 0..1_000 {
            let tip = self.tip();
            let mut wakes: Vec<u32> = Vec::new();
            let mut idle = true;
            for place in 0..ROLES.len() {
                let outlook = loop {
                    if self.seats[place].away_until > tip {
                        break None;
                    }
                    if let Ok(outlook) = self.turn(place) {
                        break Some(outlook);
                    }
                };
                let Some(outlook) = outlook else {
                    idle = false;
                    continue;
                };
                if matches!(outlook.phase, Phase::Settled { .. }) {
                    return self.end(place);
                }
                idle &= outlook.duties.is_empty();
                wakes.extend(outlook.wake);
            }
            let wake = wakes.into_iter().min().filter(|_| idle);
            let blocks = wake.map_or(1, |wake| wake.saturating_sub(tip).max(1));
            self.table.chain.mine(blocks).expect("a regtest mines");
        }
        panic!("the contract is not settled");
    }

    fn end(&mut self, place: usize) {
        let confirmed = self.seats[place].state.confirmed();
        for confirmed in confirmed {
            if let Some(&deadline) = self.deadlines.get(&confirmed.kind) {
                assert!(confirmed.height <= deadline, "{} is late", confirmed.kind);
                self.played.deadlines += 1;
            }
        }
        let moves: Vec<Transaction> = confirmed
            .iter()
            .map(|confirmed| confirmed.transaction.clone())
            .collect();
        let report = self.replay.agreed.contract.verify_transcript(&moves);
        let report = report.expect("the chain accepts only what the contract allows");
        assert!(report.is_just(), "{report}");
        self.played.winner = report.winner;
        self.played.transactions = confirmed
            .iter()
            .map(|confirmed| (confirmed.kind, confirmed.transaction.compute_txid()))
            .collect();
    }
}

fn opens(duty: &Duty) -> bool {
    matches!(duty.needs, Needs::Openings(_))
}

fn saved(store: &Store) -> State {
    let state = store.state().expect("the state that was saved");
    state.unwrap_or_default()
}

/// A challenger that objects to everything, and selects anything: the same again after a restart.
#[derive(Debug)]
pub struct Needless<'a> {
    truth: TraceDispute<'a>,
    seed: u64,
}

impl<'a> Needless<'a> {
    /// The challenger in a court, with a seed for what it selects.
    pub fn new(court: &'a Court, seed: u64) -> Self {
        Self {
            truth: TraceDispute::new(court),
            seed,
        }
    }
}

impl Disputable for Needless<'_> {
    fn answer(&self, groups: &[usize], values: &Values) -> Result<Values, NotAClaim> {
        RandomSelections::new(&self.truth, self.seed).answer(groups, values)
    }

    fn is_claim_false(&self, _values: &Values) -> Result<bool, NotAClaim> {
        Ok(true)
    }

    fn judge(&self, stage: Stage, values: &Values) -> Result<Verdict, NotAClaim> {
        RandomSelections::new(&self.truth, self.seed).judge(stage, values)
    }

    fn leaf_witness(
        &self,
        stage: Stage,
        leaf: usize,
        openings: &BTreeMap<usize, Opening>,
    ) -> Option<Vec<Vec<u8>>> {
        self.truth.leaf_witness(stage, leaf, openings)
    }
}
