//! Whole disputes on a chain: two parties with wallets, engines and stores.

use std::collections::BTreeMap;
use std::path::Path;

use bitcoin::{Amount, FeeRate, ScriptBuf, Transaction, Witness};
use tapcourt_chain::{Chain, Wallet};
use tapcourt_commitment::{PublicKey as OneTimeKey, Seed};
use tapcourt_compiler::circuit::Compiled;
use tapcourt_party::{Driver, FeePolicy, KICKOFF_MARGIN_BLOCKS, PartyError, Seat, Sent, Step};
use tapcourt_protocol::messages::{Message, Offer};
use tapcourt_protocol::transactions::contract::CONNECTOR_VALUE;
use tapcourt_protocol::{
    ChallengerSession, ExpiryPolicy, FundingInput, Graph, InstanceId, Parameters, Party,
    RelativeBlocks, Role, SessionSecret, SigningKey, TransactionKind as Kind, prover_sign,
};
use tapcourt_prover::{Disputable, Duty, KeyContext, OneTimeKeys, Outlook, Phase, Store, Values};
use tapcourt_script::limits::Profile;
use tapcourt_verifier::{Contract, Messages, Program, Source, TranscriptReport};
use tempfile::TempDir;

/// Blocks that each party has for a move.
pub const DELTA_BLOCKS: u16 = 9;

/// How the parties behave. By default both are honest and prompt.
#[derive(Clone, Debug, Default)]
pub struct Conduct {
    /// What the prover claims, as far as it is decided upon at once; nothing if it never claims.
    pub claim: Option<Values>,
    /// The challenger disputes a claim even if it is true.
    pub challenge_anyway: bool,
    /// A transaction that is never sent.
    pub stalled: Option<Kind>,
    /// Whatever has a deadline is sent in the last block before it.
    pub late: bool,
    /// When so many transactions of the contract are confirmed, so many blocks are replaced by empty ones.
    pub reorg: Option<(usize, u32)>,
    /// Others try to take what a disprove transaction pays, and the prover to settle first.
    pub thieves: bool,
}

/// Somebody who sees every transaction and has miners on their side.
pub trait Meddler {
    /// Does what it likes between the parties' acts and the next block, and says what the block has: `None` is all that there is.
    fn before_block(&mut self, chain: &mut dyn Chain, sent: &[Sent]) -> Option<Vec<Transaction>>;

    /// Whether the mempool may refuse what a party sends.
    fn is_hostile(&self) -> bool {
        true
    }

    /// What a party may pay.
    fn policy(&self) -> FeePolicy {
        policy()
    }
}

/// Nobody: every block has all that there is.
struct Nobody;

impl Meddler for Nobody {
    fn before_block(&mut self, _: &mut dyn Chain, _: &[Sent]) -> Option<Vec<Transaction>> {
        None
    }

    fn is_hostile(&self) -> bool {
        false
    }
}

/// What the parties know of a program.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "holds programs of any type")]
pub struct Parties<'a> {
    /// What the prover says.
    pub prover: &'a dyn Disputable,
    /// What the challenger finds.
    pub challenger: &'a dyn Disputable,
}

impl<'a> Parties<'a> {
    /// Both know the truth.
    pub fn honest(program: &'a dyn Disputable) -> Self {
        Self {
            prover: program,
            challenger: program,
        }
    }

    fn of(&self, role: Role) -> &'a dyn Disputable {
        match role {
            Role::Prover => self.prover,
            Role::Challenger => self.challenger,
        }
    }
}

/// The compiled circuit of a program that is one.
///
/// # Panics
/// If the program is a trace.
pub fn circuit(program: &Program) -> &Compiled {
    match program.source() {
        Source::Circuit(compiled) => compiled,
        Source::Trace(_) => panic!("the program is no circuit"),
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The verifier's judgement.
    pub report: TranscriptReport,
    /// The contract's confirmed transactions, in order.
    pub kinds: Vec<Kind>,
    /// Transactions that were submitted, children included.
    pub submitted: usize,
    /// The contract's confirmed transactions themselves.
    pub transactions: Vec<Transaction>,
}

/// Games played, and transactions that the chain took, by how they ended.
#[derive(Debug, Default)]
pub struct Ledger {
    endings: BTreeMap<String, usize>,
    /// Games played.
    pub games: usize,
    transactions: usize,
}

impl Ledger {
    /// Plays and checks who won and by what.
    ///
    /// # Panics
    /// If the game ends otherwise, or unjustly.
    pub fn play(
        &mut self,
        table: &mut Table,
        program: &Program,
        parties: Parties<'_>,
        conduct: &Conduct,
        settled_by: Kind,
        winner: Option<Role>,
    ) -> Outcome {
        let outcome = self.play_to_any_end(table, program, parties, conduct, winner);
        let report = &outcome.report;
        assert_eq!(report.settled_by, Some(settled_by), "{report}");
        outcome
    }

    /// Plays and checks who won.
    ///
    /// # Panics
    /// If somebody else wins, or the game ends unjustly.
    pub fn play_to_any_end(
        &mut self,
        table: &mut Table,
        program: &Program,
        parties: Parties<'_>,
        conduct: &Conduct,
        winner: Option<Role>,
    ) -> Outcome {
        let outcome = table.play(program, parties, conduct);
        let report = &outcome.report;
        assert_eq!(report.winner, winner, "{report}");
        // Who leaves a false claim alone has lost by that.
        let negligent = conduct
            .stalled
            .is_some_and(|kind| matches!(kind, Kind::Challenge | Kind::OPEN | Kind::Disprove(_)));
        assert!(report.is_just() || negligent, "{report}");
        let end = report.settled_by.map(|kind| kind.to_string());
        *self.endings.entry(end.unwrap_or_default()).or_default() += 1;
        self.games += 1;
        self.transactions += outcome.submitted;
        outcome
    }

    /// Adds what was played at another table.
    pub fn add(&mut self, other: &Self) {
        self.games += other.games;
        self.transactions += other.transactions;
        for (end, games) in &other.endings {
            *self.endings.entry(end.clone()).or_default() += games;
        }
    }

    /// Says what was played.
    pub fn print(&self, chain: &str) {
        println!(
            "{chain}: {} games, {} transactions accepted and mined, settled by {:?}",
            self.games, self.transactions, self.endings
        );
        let place = match chain {
            "bitcoind" => " on a node",
            _ => "",
        };
        println!(
            "covered: {} games{place}, {} transactions mined{place}",
            self.games, self.transactions
        );
    }
}

/// A contract that both parties have signed, and their one-time keys.
#[expect(missing_debug_implementations, reason = "holds secrets")]
pub struct Agreed<'a> {
    /// The contract.
    pub contract: Contract<'a>,
    /// The prover's keys, and the challenger's.
    pub one_time_keys: [OneTimeKeys; 2],
    /// The instance of the program.
    pub instance: InstanceId,
}

/// A chain and the wallets of two parties, for any number of contracts one after the other.
#[expect(missing_debug_implementations, reason = "holds a chain of any kind")]
pub struct Table {
    pub(crate) chain: Box<dyn Chain>,
    pub(crate) wallets: [Wallet; 2],
    games: u64,
    submitted: usize,
}

pub(crate) const ROLES: [Role; 2] = [Role::Prover, Role::Challenger];

fn secret(role: Role) -> [u8; 32] {
    match role {
        Role::Prover => [0x31; 32],
        Role::Challenger => [0x32; 32],
    }
}

pub(crate) fn signing_key(role: Role) -> SigningKey {
    SigningKey::from_bytes(secret(role)).expect("a small number is a secret key")
}

/// A secret for each game's session.
fn session_secret(game: u64) -> [u8; 32] {
    let mut secret = [0x77; 32];
    secret[..8].copy_from_slice(&game.to_le_bytes());
    secret
}

fn parameters() -> Parameters {
    Parameters {
        delta: RelativeBlocks::new(DELTA_BLOCKS).expect("a small number of blocks"),
        expiry: RelativeBlocks::new(3 * DELTA_BLOCKS).expect("a small number of blocks"),
        expiry_policy: ExpiryPolicy::Refund,
        prover_stake: Amount::from_sat(2_000_000),
        challenger_stake: Amount::from_sat(1_000_000),
        bond: Amount::from_sat(500_000),
        profile: Profile::Standard,
        disprove_feerate: feerate(),
    }
}

pub(crate) fn feerate() -> FeeRate {
    FeeRate::from_sat_per_vb_u32(2)
}

/// What a party pays: enough of a budget for games in which every move is late.
fn policy() -> FeePolicy {
    FeePolicy {
        start: feerate(),
        budget: Some(Amount::from_sat(20_000_000)),
    }
}

fn wallet_key(role: Role) -> bitcoin::secp256k1::SecretKey {
    bitcoin::secp256k1::SecretKey::from_slice(&secret(role))
        .expect("a small number is a secret key")
}

/// The graph as a party makes it before anything is signed. [`Program::verify_setup`] makes it once more and checks it.
fn unchecked_graph(
    program: &Program,
    offer: &Offer,
    challenger: Party,
    challenger_keys: &[OneTimeKey],
) -> Graph {
    let layout = program.layout().clone();
    let terms = offer
        .terms(challenger, challenger_keys, layout, program.groups().len())
        .expect("there is a key for every group");
    let keys = terms.one_time_keys.clone();
    let leaves = program.leaves(&keys, terms.challenger.x_only_key());
    Graph::new(terms, &leaves.all()).expect("the terms make a graph")
}

/// A directory for stores that are synced often: in memory where the system has a place for that.
fn fast_directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let directory = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    directory.expect("a directory can be made")
}

/// How deep the parties' coins are when they sign the contract.
const COINS_DEPTH_BLOCKS: u32 = 10;

/// Blocks after which a game that is not settled never will be.
const MOST_BLOCKS: u32 = 400;

/// What each party pays towards the contract's fee.
const FEE_SHARE: Amount = Amount::from_sat(5_000);

impl Table {
    /// Gives both parties coins.
    ///
    /// # Panics
    /// If the chain cannot mine.
    pub fn new(mut chain: Box<dyn Chain>) -> Self {
        let wallets = ROLES.map(|role| {
            let mut wallet = Wallet::new(&wallet_key(role));
            wallet
                .mine_coins(chain.as_mut(), 4)
                .expect("a regtest mines");
            wallet
        });
        Self {
            chain,
            wallets,
            games: 0,
            submitted: 0,
        }
    }

    /// Names the chain.
    pub fn chain_name(&self) -> &'static str {
        self.chain.name()
    }

    fn party(&mut self, role: Role, due: Amount) -> Party {
        let wallet = &mut self.wallets[role as usize];
        let script = wallet.script_pubkey();
        let (outpoint, prevout) = wallet
            .fund(self.chain.as_mut(), &script, due + FEE_SHARE)
            .expect("the wallet has coins");
        Party {
            key: signing_key(role).public_key(),
            payout_script: script,
            inputs: vec![FundingInput { outpoint, prevout }],
            change: Vec::new(),
        }
    }

    /// Gives both parties the coins that they put into a contract.
    pub(crate) fn parties(&mut self, program: &Program) -> [Party; 2] {
        let parameters = parameters();
        let connectors = program
            .layout()
            .claim
            .first()
            .map_or(1, |m| m.batches.len()) as u64
            - 1; // cast ok: a few batches
        let prover_due = parameters.prover_stake + CONNECTOR_VALUE * connectors;
        let challenger_due = parameters.challenger_stake + parameters.bond;
        let prover = self.party(Role::Prover, prover_due);
        let challenger = self.party(Role::Challenger, challenger_due);
        // No reorganisation of these tests reaches the parties' coins.
        self.chain
            .mine(COINS_DEPTH_BLOCKS)
            .expect("a regtest mines");
        [prover, challenger]
    }

    /// Sets up a contract by messages.
    ///
    /// # Panics
    /// If anything is refused that should be accepted.
    pub fn agree<'p>(&mut self, program: &'p Program) -> Agreed<'p> {
        self.games += 1;
        let mut instance = [0x40; 32];
        instance[..8].copy_from_slice(&self.games.to_le_bytes());
        let instance = InstanceId::from_bytes(instance);
        let keys_of = |context: KeyContext| {
            let groups = program.groups_of(context.role);
            let groups = groups
                .map(|(group, info)| (group, (info.label.clone(), info.shape.clone())))
                .collect();
            OneTimeKeys::new(Seed::new(secret(context.role)), context, groups)
                .expect("labels differ")
        };
        let prover_keys = keys_of(KeyContext::prover(instance));
        let [prover, challenger] = self.parties(program);
        let offer = Offer {
            parameters: parameters(),
            program_digest: program.digest(),
            instance,
            prover,
            one_time_keys: prover_keys.public_keys(),
        };
        let challenger_keys = keys_of(KeyContext::challenger(&offer));
        let graph = unchecked_graph(program, &offer, challenger, &challenger_keys.public_keys());
        let challenger_key = signing_key(Role::Challenger);
        let session = ChallengerSession::new(
            &graph,
            &challenger_key,
            SessionSecret::from_bytes(session_secret(self.games)),
        )
        .expect("the challenger's key is in the terms");
        let acceptance = session.acceptance();
        let answer = prover_sign(
            &graph,
            &signing_key(Role::Prover),
            &SessionSecret::from_bytes(session_secret(self.games)),
            &acceptance,
        )
        .expect("the acceptance is right");
        let (presigned, partials) = session.sign(&answer).expect("the answer is right");
        let id = *graph.id().as_bytes();
        let messages = (
            offer.to_bytes(instance.as_bytes()),
            acceptance.to_bytes(&id),
            answer.to_bytes(&id),
            partials.to_bytes(&id),
            presigned.to_message().to_bytes(&id),
        );
        let contract = program
            .verify_setup(&Messages {
                offer: &messages.0,
                acceptance: &messages.1,
                partials: Some((&messages.2, &messages.3)),
                signatures: &messages.4,
            })
            .expect("the setup is right");
        Agreed {
            contract,
            one_time_keys: [prover_keys, challenger_keys],
            instance,
        }
    }

    /// The contract's transaction, signed by both wallets.
    pub(crate) fn funding(&self, contract: &Contract<'_>) -> Transaction {
        funding(contract, &self.wallets)
    }

    /// Sets up a contract by messages, funds it and plays it to its end.
    ///
    /// # Panics
    /// If anything is refused that should be accepted, or the reverse, or the contract is never settled.
    pub fn play(&mut self, program: &Program, parties: Parties<'_>, conduct: &Conduct) -> Outcome {
        self.play_against(program, parties, conduct, &mut Nobody)
    }

    /// Plays as [`Table::play`] does, with somebody between the parties and the blocks.
    ///
    /// # Panics
    /// As [`Table::play`].
    pub fn play_against(
        &mut self,
        program: &Program,
        parties: Parties<'_>,
        conduct: &Conduct,
        meddler: &mut dyn Meddler,
    ) -> Outcome {
        let agreed = self.agree(program);
        let contract = &agreed.contract;
        let directory = fast_directory();
        let stores = ROLES.map(|role| {
            let path = directory.path().join(format!("{role}.redb"));
            Store::create(&path, agreed.instance).expect("a store can be made")
        });
        let mut wallets = ROLES.map(|role| {
            let empty = Wallet::new(&wallet_key(role));
            Some(std::mem::replace(&mut self.wallets[role as usize], empty))
        });
        let seats = ROLES.into_iter().zip(agreed.one_time_keys).zip(&stores);
        let parties: Vec<Driver<'_>> = seats
            .map(|((role, one_time_keys), store)| {
                let seat = Seat {
                    role,
                    contract,
                    program: parties.of(role),
                    signing_key: signing_key(role),
                    one_time_keys,
                    store,
                    wallet: wallets[role as usize].take().expect("each is taken once"),
                };
                Driver::new(seat).expect("the store is empty")
            })
            .collect();
        let mut game = Game {
            contract,
            conduct,
            parties,
            reorganised: false,
            meddler: &mut *meddler,
            sent: Vec::new(),
            table: self,
        };
        game.claim();
        game.fund();
        game.play()
    }
}

/// How many blocks before its deadline a late transaction is sent: a claim that is begun later is not begun any more.
fn last_block(kind: Kind) -> u32 {
    match kind {
        Kind::Kickoff(0) => KICKOFF_MARGIN_BLOCKS,
        _ => 1,
    }
}

/// The contract's transaction, signed by wallets.
fn funding<'w>(
    contract: &Contract<'_>,
    wallets: impl IntoIterator<Item = &'w Wallet>,
) -> Transaction {
    let funding = contract.graph().contract();
    let mut transaction = funding.transaction.clone();
    for wallet in wallets {
        wallet
            .sign(&mut transaction, &funding.prevouts)
            .expect("every coin is known");
    }
    let witnesses = |role: Role| -> Vec<Witness> {
        let owned = transaction.input.iter().zip(&funding.owners);
        owned
            .filter(|(_, owner)| **owner == role)
            .map(|(input, _)| input.witness.clone())
            .collect()
    };
    funding
        .finalise(&witnesses(Role::Prover), &witnesses(Role::Challenger))
        .expect("both have signed")
}

/// Two parties as they ship, and what befalls them.
struct Game<'a> {
    table: &'a mut Table,
    contract: &'a Contract<'a>,
    conduct: &'a Conduct,
    /// The prover, the challenger.
    parties: Vec<Driver<'a>>,
    reorganised: bool,
    meddler: &'a mut dyn Meddler,
    /// What was sent since the last block.
    sent: Vec<Sent>,
}

impl Game<'_> {
    fn claim(&mut self) {
        if let Some(values) = self.conduct.claim.clone() {
            let prover = &mut self.parties[Role::Prover as usize];
            prover.claim(values).expect("the first decision stands");
        }
    }

    fn fund(&mut self) {
        let wallets = self.parties.iter().map(Driver::wallet);
        let transaction = funding(self.contract, wallets);
        self.submit(Kind::Contract, &transaction);
        self.mine(1);
    }

    fn submit(&mut self, kind: Kind, transaction: &Transaction) {
        let chain = &mut self.table.chain;
        chain
            .test_accept(transaction)
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
        chain
            .submit(transaction)
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
        self.table.submitted += 1;
    }

    fn mine(&mut self, blocks: u32) {
        let sent = std::mem::take(&mut self.sent);
        let chain = &mut *self.table.chain;
        if let Some(block) = self.meddler.before_block(chain, &sent) {
            self.table.chain.mine_block(&block).expect("a valid block");
            return;
        }
        self.table.chain.mine(blocks).expect("a regtest mines");
        let left = self.table.chain.mempool().expect("the chain answers");
        assert!(left.is_empty(), "not mined: {left:?}");
    }

    /// What a party does in the next block.
    fn duties(&self, role: Role, outlook: &Outlook) -> Vec<Duty> {
        let tip = outlook.tip.expect("the chain has a tip");
        let mut duties = outlook.duties.clone();
        duties.retain(|duty| {
            let last = last_block(duty.kind);
            !(self.conduct.late && duty.blocks_left(tip).is_some_and(|left| left > last))
        });
        if role == Role::Challenger && self.conduct.challenge_anyway && outlook.duties.is_empty() {
            let party = &self.parties[role as usize];
            duties.extend(party.engine().challenge(party.state()));
        }
        duties.retain(|duty| self.conduct.stalled != Some(duty.kind));
        duties
    }

    fn perform(&mut self, role: Role, duty: &Duty) {
        if self.conduct.thieves && matches!(duty.kind, Kind::Disprove(_)) {
            self.steal(role, duty);
        }
        let party = &mut self.parties[role as usize];
        let step = party.perform(&mut *self.table.chain, duty, &self.meddler.policy());
        let step = match step {
            // It is tried again after the next block.
            Err(PartyError::Refused { .. }) if self.meddler.is_hostile() => return,
            step => step.unwrap_or_else(|error| panic!("{duty}: {error}")),
        };
        let Step::Sent(sent) = step else {
            return;
        };
        self.sent.push(Sent::clone(&sent));
        self.table.submitted += 1 + usize::from(sent.child.is_some());
        let transaction = &sent.transaction;
        self.contract
            .verify_transaction(transaction)
            .unwrap_or_else(|fault| panic!("{duty}: {fault}"));
        let weight = transaction.weight().to_wu();
        assert!(
            weight <= Profile::Standard.max_weight_wu(),
            "{duty}: {weight} WU"
        );
        if weight <= Profile::Truc.max_weight_wu() {
            assert_eq!(transaction.version.0, 3, "{duty}: {weight} WU");
        }
    }

    /// Tries to profit from a disprove transaction before it is sent.
    fn steal(&mut self, role: Role, duty: &Duty) {
        let disprove = self.parties[role as usize].transaction(duty, feerate());
        let disprove = disprove.expect("the leaf is spendable");
        // Whoever sees it cannot turn it to another payee, or leave the payee with less.
        let mut stolen = disprove.clone();
        for output in &mut stolen.output {
            output.script_pubkey = ScriptBuf::new_op_return([0u8; 0]);
        }
        let mut shorted = disprove.clone();
        shorted.output[0].value -= Amount::from_sat(1);
        for transaction in [stolen, shorted] {
            let verdict = self.table.chain.test_accept(&transaction);
            assert!(
                verdict.is_err(),
                "a changed disprove transaction is accepted"
            );
        }
        // The prover cannot settle before its time.
        let stage = self
            .contract
            .graph()
            .stage_of_outcome(disprove.input[0].previous_output)
            .expect("a disprove spends an outcome");
        let payout = self.contract.presigned().finalise_with(
            self.contract.graph(),
            Kind::PayoutDisputed(stage),
            &BTreeMap::new(),
            None,
        );
        let payout = payout.expect("the payout needs no opening");
        let chain = &mut self.table.chain;
        let wallet = self.parties[Role::Prover as usize].wallet_mut();
        let child = wallet
            .pay_for(chain.as_ref(), &payout, Amount::ZERO, feerate())
            .expect("the wallet has coins for the fee");
        wallet.release(&child);
        let verdict = chain.submit_package(&payout, &child);
        assert!(verdict.is_err(), "the prover is paid before its time");
    }

    fn play(mut self) -> Outcome {
        let submitted = self.table.submitted;
        for _ in 0..MOST_BLOCKS {
            let mut wakes: Vec<u32> = Vec::new();
            let mut idle = true;
            for role in ROLES {
                let outlook = self.parties[role as usize].look(&*self.table.chain);
                let outlook = outlook.expect("the chain shows what the contract allows");
                if self.is_time_to_reorganise() {
                    idle = false;
                    break;
                }
                if matches!(outlook.phase, Phase::Settled { .. }) {
                    return self.outcome(submitted);
                }
                for duty in self.duties(role, &outlook) {
                    idle = false;
                    self.perform(role, &duty);
                }
                wakes.extend(outlook.wake);
                let deadlines = outlook
                    .duties
                    .iter()
                    .filter_map(|duty| Some(duty.deadline? - last_block(duty.kind)));
                wakes.extend(deadlines.filter(|_| self.conduct.late));
            }
            let tip = self.table.chain.tip().expect("the chain answers").height;
            let wake = wakes.into_iter().min().filter(|_| idle);
            self.mine(wake.map_or(1, |wake| wake.saturating_sub(tip).max(1)));
        }
        let confirmed = self.parties[0].state().confirmed().last();
        let kind = confirmed.map(|confirmed| confirmed.kind.to_string());
        panic!(
            "not settled, the last transaction is {kind:?}: {:?}",
            self.parties[0].outbox()
        );
    }

    /// Replaces blocks, once, when the conduct says so.
    fn is_time_to_reorganise(&mut self) -> bool {
        let Some((confirmed, depth)) = self.conduct.reorg.filter(|_| !self.reorganised) else {
            return false;
        };
        if self.parties[0].state().confirmed().len() < confirmed {
            return false;
        }
        self.reorganised = true;
        self.table
            .chain
            .reorg(depth)
            .expect("the chain is long enough");
        true
    }

    fn outcome(self, submitted: usize) -> Outcome {
        let confirmed = self.parties[0].state().confirmed();
        let moves: Vec<Transaction> = confirmed
            .iter()
            .map(|confirmed| confirmed.transaction.clone())
            .collect();
        let report = self
            .contract
            .verify_transcript(&moves)
            .expect("the chain accepts only what the contract allows");
        let outcome = Outcome {
            report,
            kinds: confirmed.iter().map(|confirmed| confirmed.kind).collect(),
            submitted: self.table.submitted - submitted,
            transactions: moves,
        };
        for (place, party) in self.parties.into_iter().enumerate() {
            self.table.wallets[place] = party.into_wallet();
        }
        outcome
    }
}
