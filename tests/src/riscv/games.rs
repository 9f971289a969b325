//! Games about the trace of a program: who plays them, and what came of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tapcourt_chain::Chain;
use tapcourt_commitment::Opening;
use tapcourt_compiler::riscv::{
    Border, Court, CourtOptions, Group, Options, Party, PathAccess, Search, Side, StepLeaf,
};
use tapcourt_program::riscv::Program as Guest;
use tapcourt_protocol::{Role, Stage, TransactionKind as Kind};
use tapcourt_prover::trace::{Liar, Lie, LieKind, RandomSelections, TraceDispute};
use tapcourt_prover::{Disputable, NotAClaim, Values, Verdict};
use tapcourt_verifier::{Program, Source};

use super::steps::{INPUTS, StepKind, step_kinds};
use crate::dispute::{Conduct, Ledger, Outcome, Parties, Table};

/// A contract's program about a trace, with rounds of these arities.
///
/// # Panics
/// If the arities make no search.
pub fn contract(guest: &Arc<Guest>, steps: &[u32], path: &[u32]) -> Program {
    let search = |arities: &[u32]| Search::new(arities.to_vec()).expect("arities of a search");
    let options = CourtOptions {
        steps: Options {
            fixed: Vec::new(),
            inputs: INPUTS,
            search: search(steps),
        },
        path: Some(search(path)),
        space: None,
    };
    let court = Court::compile(Arc::clone(guest), options).expect("it compiles");
    Program::trace(court).expect("it has a layout")
}

/// The court of a program that has one.
///
/// # Panics
/// If the program is a circuit.
pub fn court(program: &Program) -> &Court {
    match program.source() {
        Source::Trace(court) => court,
        Source::Circuit(_) => panic!("the program has no trace"),
    }
}

/// Steps whose right border is revealed, the first and the last of each round with the round.
pub fn revealed_steps(search: &Search) -> Vec<(u32, u64)> {
    let mut steps: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for step in 0..search.count() {
        if let Border::Revealed { round, .. } = search.border(step + 1) {
            steps.entry(round).or_default().push(step);
        }
    }
    let ends = |(round, steps): (u32, Vec<u64>)| {
        let mut ends = vec![steps[0], steps[steps.len() - 1]];
        ends.dedup();
        ends.into_iter().map(move |step| (round, step))
    };
    steps.into_iter().flat_map(ends).collect()
}

/// A challenger that is led to a step and has an access opened down to a level, whatever is true.
#[derive(Debug)]
pub struct Opens<'a> {
    truth: TraceDispute<'a>,
    place: Place,
}

/// A place on the path of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The step.
    pub step: u64,
    /// What it reads or writes.
    pub access: PathAccess,
    /// The level of the path, counted in intervals of the search.
    pub level: u64,
}

impl<'a> Opens<'a> {
    /// A challenger that opens this.
    pub fn new(truth: TraceDispute<'a>, place: Place) -> Self {
        Self { truth, place }
    }
}

impl Disputable for Opens<'_> {
    fn answer(&self, groups: &[usize], _: &Values) -> Result<Values, NotAClaim> {
        let court = self.truth.court();
        let chosen = |number: usize| {
            let entry = court.entries().get(number);
            let entry = entry.filter(|entry| entry.party == Party::Challenger);
            let entry = entry.ok_or(NotAClaim { group: number })?;
            let at = |search: &Search, interval, round| search.selections(interval)[round as usize]; // cast ok: an index
            let chosen = match entry.group {
                Group::Selection(round) => at(court.search(), self.place.step, round),
                Group::PathSelection(round) => at(court.paths().search(), self.place.level, round),
                _ => self.place.access.number(),
            };
            let bits = 0..entry.parameters.message_bits();
            Ok((number, bits.map(|bit| chosen >> bit & 1 == 1).collect()))
        };
        groups.iter().map(|&number| chosen(number)).collect()
    }

    fn is_claim_false(&self, values: &Values) -> Result<bool, NotAClaim> {
        self.truth.is_claim_false(values)
    }

    fn judge(&self, stage: Stage, values: &Values) -> Result<Verdict, NotAClaim> {
        match (self.truth.judge(stage, values)?, stage) {
            (Verdict::Concede, Stage::Dispute) => Ok(Verdict::Open),
            (verdict, _) => Ok(verdict),
        }
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

/// How the challenger plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenger {
    /// It searches for what is false.
    Searches,
    /// It selects anything, from a seed.
    Random(u64),
    /// It has this opened.
    Opens(Place),
}

/// Who should win.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The challenger, by a leaf.
    Disproved,
    /// The prover, undisputed or not.
    Paid,
    /// Whoever made the last move that is due, in this way.
    By(Kind, Option<Role>),
}

/// A game to be played.
#[derive(Clone, Debug)]
pub struct Case {
    /// The number of the contract's program.
    pub program: usize,
    /// The input that is claimed to be accepted.
    pub input: Vec<u32>,
    /// What the prover says falsely.
    pub lie: Option<Lie>,
    /// How the challenger plays.
    pub challenger: Challenger,
    /// What the parties leave undone.
    pub conduct: Conduct,
    /// Who should win.
    pub ending: Ending,
}

impl Case {
    /// A game about a claim, both parties prompt and honest.
    pub fn new(program: usize, input: Vec<u32>, ending: Ending) -> Self {
        Self {
            program,
            input,
            lie: None,
            challenger: Challenger::Searches,
            conduct: Conduct::default(),
            ending,
        }
    }

    /// The same with a lie.
    #[must_use]
    pub fn lying(self, kind: LieKind, step: u64, field: u32) -> Self {
        let lie = Some(Lie { kind, step, field });
        Self { lie, ..self }
    }

    /// The same where the claim is disputed, true or not.
    #[must_use]
    pub fn disputed(self) -> Self {
        self.disputed_by(Challenger::Searches)
    }

    /// The same, disputed by this challenger.
    #[must_use]
    pub fn disputed_by(mut self, challenger: Challenger) -> Self {
        self.challenger = challenger;
        self.conduct.challenge_anyway = true;
        self
    }

    /// The same where a move is never made.
    #[must_use]
    pub fn stalled(mut self, kind: Kind) -> Self {
        self.conduct.stalled = Some(kind);
        self
    }
}

/// Games, and what came of them.
#[derive(Debug, Default)]
pub struct Tally {
    /// Who won.
    pub ledger: Ledger,
    /// By what is said falsely: which leaves ended the game.
    fired: BTreeMap<String, BTreeMap<String, usize>>,
    /// By the kind of step at which something false is said: games.
    steps: BTreeMap<StepKind, usize>,
    /// By how the challenger plays: games.
    challengers: BTreeMap<&'static str, usize>,
    /// By what is never sent: games.
    stalled: BTreeMap<Kind, usize>,
    /// The most transactions of a contract.
    longest: usize,
}

impl Tally {
    /// Plays a game at a table and checks that it ends as it should.
    ///
    /// # Panics
    /// If it does not.
    pub fn play(&mut self, table: &mut Table, programs: &[Program], case: &Case) {
        let program = &programs[case.program];
        let court = court(program);
        let truth = TraceDispute::new(court);
        let conduct = Conduct {
            claim: case
                .conduct
                .claim
                .clone()
                .or(Some(truth.claim(&case.input))),
            ..case.conduct.clone()
        };
        let liar = case.lie.map(|lie| Liar::new(TraceDispute::new(court), lie));
        let searching = TraceDispute::new(court);
        let (random, opens);
        let challenger: &dyn Disputable = match case.challenger {
            Challenger::Searches => &searching,
            Challenger::Random(seed) => {
                random = RandomSelections::new(&searching, seed);
                &random
            }
            Challenger::Opens(place) => {
                opens = Opens::new(TraceDispute::new(court), place);
                &opens
            }
        };
        let parties = Parties {
            prover: liar.as_ref().map_or(&truth, |liar| liar as &dyn Disputable),
            challenger,
        };
        let winner = match case.ending {
            Ending::Disproved => Some(Role::Challenger),
            Ending::Paid => Some(Role::Prover),
            Ending::By(_, winner) => winner,
        };
        let outcome = self
            .ledger
            .play_to_any_end(table, program, parties, &conduct, winner);
        self.check(program, case, &outcome);
        self.count(program, case, &outcome);
    }

    fn check(&self, program: &Program, case: &Case, outcome: &Outcome) {
        let report = &outcome.report;
        let settled_by = report.settled_by.expect("it is settled");
        match case.ending {
            Ending::Disproved => {
                let fired = report.fired.as_ref();
                let fired = fired.unwrap_or_else(|| panic!("{case:?}: {report}"));
                let spendable = report.spendable.contains(&(fired.stage, fired.leaf));
                assert!(spendable, "{case:?}: {report}");
                if let Some(lie) = case.lie.filter(|lie| lie.kind == LieKind::Digest) {
                    let digest = digest_after(court(program).search(), lie.step);
                    assert_eq!(Some(&fired.name), digest.as_ref(), "{case:?}: {report}");
                }
            }
            Ending::Paid => {
                let paid = matches!(settled_by, Kind::Payout | Kind::PayoutDisputed(_));
                assert!(paid, "{case:?}: {report}");
                assert_eq!(report.spendable, [], "{case:?}: {report}");
            }
            Ending::By(kind, _) => assert_eq!(settled_by, kind, "{case:?}: {report}"),
        }
        let most = most_transactions(program);
        assert!(outcome.kinds.len() <= most, "{case:?}: {:?}", outcome.kinds);
    }

    fn count(&mut self, program: &Program, case: &Case, outcome: &Outcome) {
        self.longest = self.longest.max(outcome.kinds.len());
        let fired = outcome.report.fired.as_ref();
        if let Some(fired) = fired {
            let said = case
                .lie
                .map_or("the truth, but for the claim", |lie| lie.kind.name());
            let fired = leaf_kind(&fired.name);
            let fired_by = self.fired.entry(said.to_owned()).or_default();
            *fired_by.entry(fired).or_default() += 1;
        }
        if let Some(lie) = case.lie {
            let court = court(program);
            let kinds = step_kinds(court.program(), &case.input, court.steps_claimed());
            let kind = kinds[lie.step as usize]; // cast ok: a step of a short trace
            *self.steps.entry(kind).or_default() += 1;
        }
        let challenger = match case.challenger {
            Challenger::Searches if case.conduct.challenge_anyway => "searches anyway",
            Challenger::Searches => "searches",
            Challenger::Random(_) => "selects at random",
            Challenger::Opens(_) => "opens an access",
        };
        *self.challengers.entry(challenger).or_default() += 1;
        if let Some(stalled) = case.conduct.stalled {
            *self.stalled.entry(stalled).or_default() += 1;
        }
    }

    /// Adds what was played at another table.
    pub fn add(&mut self, other: Self) {
        self.ledger.add(&other.ledger);
        for (said, leaves) in other.fired {
            let fired = self.fired.entry(said).or_default();
            add(fired, leaves);
        }
        add(&mut self.steps, other.steps);
        add(&mut self.challengers, other.challengers);
        add(&mut self.stalled, other.stalled);
        self.longest = self.longest.max(other.longest);
    }

    /// The leaves that ended games in which something was said falsely.
    pub fn fired(&self, said: LieKind) -> impl Iterator<Item = &str> {
        let leaves = self.fired.get(said.name()).into_iter().flatten();
        leaves.map(|(leaf, _)| leaf.as_str())
    }

    /// Kinds of steps at which something was said falsely.
    pub fn steps(&self) -> impl Iterator<Item = StepKind> {
        self.steps.keys().copied()
    }

    /// Says what was played.
    pub fn print(&self, chain: &str) {
        self.ledger.print(chain);
        println!("  at most {} transactions of a contract", self.longest);
        println!("  games by what was false, with the leaves that ended them:");
        for (said, leaves) in &self.fired {
            let games: usize = leaves.values().sum();
            println!("    {said:28} {games:4}  {}", listed(leaves));
        }
        println!("  lies by the step: {}", listed(&self.steps));
        println!("  challengers: {}", listed(&self.challengers));
        println!("  never sent: {}", listed(&self.stalled));
        if chain == "embedded" {
            println!(
                "covered: {} games with a lie about a step, {} games with a move never made, {} pairs of a lie and the leaf that ends it",
                self.steps.values().sum::<usize>(),
                self.stalled.values().sum::<usize>(),
                self.fired.values().map(BTreeMap::len).sum::<usize>()
            );
        }
    }
}

/// The leaf that shows that the digest after a step is false, if there is such a digest.
fn digest_after(search: &Search, step: u64) -> Option<String> {
    let Border::Revealed { round, index } = search.border(step + 1) else {
        return None;
    };
    let leaf = StepLeaf::Digest {
        round,
        index,
        side: Side::Right,
    };
    Some(leaf.to_string())
}

/// Transactions of the longest game that a contract can have: the contract, every move, the challenge, and the end.
fn most_transactions(program: &Program) -> usize {
    program.layout().all_kinds().count() + 3
}

/// `semantics` of `semantics(0x00001000)`, `path a` of `path(a, 3)`, `digest left of round 1` of `digest(1, 0, left)`.
fn leaf_kind(name: &str) -> String {
    let (kind, rest) = name.split_once('(').unwrap_or((name, ""));
    match kind {
        "path" => {
            let access = rest.split(',').next().unwrap_or_default();
            format!("{kind} {access}")
        }
        "digest" => {
            let round = rest.split(',').next().unwrap_or_default();
            let side = rest.trim_end_matches(')').rsplit(' ').next();
            format!("{kind} {} of round {round}", side.unwrap_or_default())
        }
        _ => kind.to_owned(),
    }
}

fn add<K: Ord>(to: &mut BTreeMap<K, usize>, from: BTreeMap<K, usize>) {
    for (key, count) in from {
        *to.entry(key).or_default() += count;
    }
}

fn listed<K: std::fmt::Display>(counts: &BTreeMap<K, usize>) -> String {
    let counts: Vec<String> = counts
        .iter()
        .map(|(key, count)| format!("{key} {count}"))
        .collect();
    counts.join(", ")
}

/// Says which game it was in which a party or the chain panicked.
struct Named<'a>(&'a Case);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in this game: {:?}", self.0);
        }
    }
}

/// Games on one chain. On a regtest Core goes through all blocks whenever one is added, so that a new chain takes less time than a long one.
const GAMES_A_CHAIN: usize = 24;

/// Plays games at so many tables at once, each with chains of its own.
///
/// # Panics
/// If a game ends otherwise than it should.
pub fn play_all(
    tables: usize,
    chain: impl Fn() -> Box<dyn Chain> + Sync,
    programs: &[Program],
    cases: &[Case],
) -> Tally {
    let next = AtomicUsize::new(0);
    let play = || {
        let mut table = Table::new(chain());
        let mut tally = Tally::default();
        let mut played = 0;
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if played == GAMES_A_CHAIN {
                table = Table::new(chain());
                played = 0;
            }
            played += 1;
            let _named = Named(case);
            tally.play(&mut table, programs, case);
        }
        tally
    };
    let mut all = Tally::default();
    std::thread::scope(|scope| {
        let players: Vec<_> = (0..tables).map(|_| scope.spawn(play)).collect();
        for player in players {
            match player.join() {
                Ok(tally) => all.add(tally),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    all
}
