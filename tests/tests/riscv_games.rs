//! Disputes about traces, every game a contract on a chain: set up by messages, presigned, funded, disputed and mined.
//!
//! `cargo test -p tapcourt-tests --test riscv_games -- --nocapture` says what was played. `TAPCOURT_SCALE` plays more games or fewer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::available_parallelism;

use tapcourt_compiler::riscv::PathAccess;
use tapcourt_protocol::{Stage, TransactionKind as Kind};
use tapcourt_prover::trace::LieKind;
use tapcourt_tests::chains::{embedded, node};
use tapcourt_tests::dispute::Table;
use tapcourt_tests::riscv::games::{
    Case, Challenger, Ending, Place, Tally, contract, court, play_all, revealed_steps,
};
use tapcourt_tests::riscv::steps::{
    ACCEPTED, Ending as Stop, REJECTED, StepKind, program, step_kinds,
};
use tapcourt_tests::scale::scaled;
use tapcourt_verifier::Program;

/// Arities of the rounds over the trace and over a path, each pair a contract's: about 64 steps and
/// at least 24 levels.
const ARITIES: [(&[u32], &[u32]); 6] = [
    (&[4, 4, 4], &[2, 4, 4]),
    (&[16, 4], &[8, 4]),
    (&[5, 13], &[2, 16]),
    (&[8, 8], &[6, 6]),
    (&[3, 3, 3, 3], &[2, 2, 2, 4]),
    (&[2, 2, 2, 2, 2, 2], &[2, 2, 2, 2, 2]),
];

/// The levels up to which nodes of a path are false.
const LEVELS: [u32; 4] = [0, 12, 23, 24];

/// Games at least, unless fewer are asked for.
const LEAST_GAMES: usize = 1_000;

/// The contracts, of which one has rounds that take several transactions.
fn programs() -> Vec<Program> {
    let guest = Arc::new(program());
    let contracts = ARITIES
        .iter()
        .map(|(steps, path)| contract(&guest, steps, path));
    let contracts: Vec<Program> = contracts.collect();
    let takes_several = |contract: &Program| {
        let mut moves = contract.layout().dispute.windows(2);
        moves.any(|pair| pair[0].mover == pair[1].mover)
    };
    assert!(contracts.iter().any(takes_several));
    contracts
}

fn kinds(program: &Program, input: &[u32]) -> Vec<StepKind> {
    let court = court(program);
    step_kinds(court.program(), input, court.steps_claimed())
}

/// Where a lie of this kind says nothing false, or what another one says as well.
fn is_no_lie(program: &Program, lie: LieKind, step: u64, kinds: &[StepKind]) -> bool {
    let kind = kinds[step as usize]; // cast ok: a step of a short trace
    let is_last = step + 1 == court(program).steps_claimed();
    match lie {
        // There is no digest of the end that is claimed.
        LieKind::Digest => is_last,
        // It is a word of its own only where one is read.
        LieKind::Input => kind != StepKind::Input,
        // The truth, where the program has accepted.
        LieKind::Accept => kinds[..=step as usize].contains(&StepKind::Exit), // cast ok: as above
        _ => false,
    }
}

/// A lie at a step, as often as what it is about asks for: nodes of a path are false up to several levels.
fn fields(lie: LieKind, turn: usize) -> Vec<u32> {
    match lie {
        LieKind::Sibling | LieKind::NewNode => LEVELS.to_vec(),
        LieKind::RegisterA
        | LieKind::RegisterB
        | LieKind::Memory
        | LieKind::Replaced
        | LieKind::NextRoot => vec![LEVELS[turn % 4], LEVELS[(turn + 2) % 4]],
        _ => vec![[0, 7, 31][turn % 3]],
    }
}

/// The first and the last step of each kind, the first, the middle and the last step of all.
fn places(kinds: &[StepKind]) -> Vec<u64> {
    let middle = kinds.len() / 2;
    let mut places = vec![0, middle - 1, middle, kinds.len() - 1];
    for kind in kinds {
        places.extend(kinds.iter().position(|other| other == kind));
        places.extend(kinds.iter().rposition(|other| other == kind));
    }
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|place| place as u64).collect() // cast ok: a step of a short trace
}

/// Cases that are dealt to the contracts one after the other.
struct Deal<'a> {
    programs: &'a [Program],
    cases: Vec<Case>,
    turn: usize,
    skipped: usize,
}

impl Deal<'_> {
    /// Every lie at these steps of this input, which is claimed to be accepted.
    fn lies(&mut self, input: &[u32], select: impl Fn(&[StepKind]) -> Vec<u64>, is_true: bool) {
        for (kind, _) in LieKind::ALL {
            for place in 0.. {
                let number = self.turn % self.programs.len();
                let program = &self.programs[number];
                let kinds = kinds(program, input);
                let Some(&step) = select(&kinds).get(place) else {
                    break;
                };
                self.turn += 1;
                if is_no_lie(program, kind, step, &kinds) {
                    self.skipped += 1;
                    continue;
                }
                for field in fields(kind, place) {
                    let case = Case::new(number, input.to_vec(), Ending::Disproved);
                    let mut case = case.lying(kind, step, field);
                    case.conduct.challenge_anyway = is_true;
                    case.conduct.late = self.cases.len() % 16 == 5;
                    case.conduct.thieves = self.cases.len() % 16 == 11;
                    self.cases.push(case);
                }
            }
        }
    }
}

fn rejected() -> Vec<u32> {
    Stop::Exit.input(REJECTED)
}

fn accepted() -> Vec<u32> {
    Stop::Exit.input(ACCEPTED)
}

/// Every lie at every kind of step, about a false claim; about a true one, at fewer.
fn lies(programs: &[Program]) -> (Vec<Case>, usize) {
    let mut deal = Deal {
        programs,
        cases: Vec::new(),
        turn: 0,
        skipped: 0,
    };
    deal.lies(&rejected(), places, false);
    // The step that stops in place, and the last one.
    for stop in [
        Stop::Illegal,
        Stop::Load,
        Stop::Store,
        Stop::LoadNoMemory,
        Stop::StoreNoMemory,
        Stop::Outside,
        Stop::Input,
    ] {
        let at_stop = |kinds: &[StepKind]| {
            let stop = kinds
                .iter()
                .position(|kind| matches!(kind, StepKind::Stop(_)));
            stop.map(|step| step as u64).into_iter().collect() // cast ok: a step of a short trace
        };
        deal.lies(&stop.input(REJECTED), at_stop, false);
    }
    // The claim is true, and what is false about it loses all the same.
    let exit = |kinds: &[StepKind]| {
        let exit = kinds.iter().position(|kind| *kind == StepKind::Exit);
        let exit = exit.expect("it accepts");
        let input = kinds.iter().position(|kind| *kind == StepKind::Input);
        let input = input.expect("it reads");
        [input, exit, exit + 1, kinds.len() - 1]
            .map(|step| step as u64) // cast ok: a step of a short trace
            .to_vec()
    };
    deal.lies(&accepted(), exit, true);
    let Deal {
        mut cases, skipped, ..
    } = deal;
    // The digest that is false is revealed in each round.
    for (number, program) in programs.iter().enumerate() {
        for (_, step) in revealed_steps(court(program).search()) {
            let case = Case::new(number, rejected(), Ending::Disproved);
            cases.push(case.lying(LieKind::Digest, step, 7));
        }
    }
    // Nothing is false but the claim.
    for stop in Stop::ALL {
        for number in 0..programs.len() {
            cases.push(Case::new(number, stop.input(REJECTED), Ending::Disproved));
        }
    }
    (cases, skipped)
}

/// A true claim, disputed in every way.
fn honest(programs: &[Program]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (number, program) in programs.iter().enumerate() {
        let case = || Case::new(number, accepted(), Ending::Paid);
        cases.push(case());
        cases.push(case().disputed());
        let mut late = case().disputed();
        late.conduct.late = true;
        cases.push(late);
        for seed in 0..scaled(10) as u64 {
            cases.push(case().disputed_by(Challenger::Random(seed)));
        }
        let kinds = kinds(program, &accepted());
        let paths = court(program).paths().search().count();
        for (turn, step) in places(&kinds).into_iter().enumerate() {
            let accesses = [
                PathAccess::A,
                PathAccess::B,
                PathAccess::Memory,
                PathAccess::Old,
            ];
            for (index, access) in accesses.into_iter().enumerate() {
                // Each contract gets a part of them all.
                if (turn + index) % programs.len() != number {
                    continue;
                }
                let level = [0, 12, 23, paths - 1][(turn / 2 + index) % 4];
                let place = Place {
                    step,
                    access,
                    level,
                };
                cases.push(case().disputed_by(Challenger::Opens(place)));
            }
        }
    }
    cases
}

/// Each move of both parties left undone: by a liar and its challenger, and by an honest prover and who disputes a true claim.
fn stalls(programs: &[Program]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (number, program) in programs.iter().enumerate() {
        let moves = program.layout().all_kinds().map(|(kind, _)| kind);
        let ends = [Stage::Dispute, Stage::Opening].map(Kind::Disprove);
        for kind in moves.chain([Kind::Challenge]).chain(ends) {
            // A false register leads to an opening; a false `pc` after the step does not.
            let lie = match kind {
                Kind::Disprove(Stage::Dispute) => LieKind::NextPc,
                _ => LieKind::RegisterA,
            };
            let end = kind.timeout().expect("a move has a timeout");
            let winner = match kind {
                Kind::Kickoff(0) => None,
                kind => kind.mover().map(|role| role.other()),
            };
            let ending = Ending::By(end, winner);
            // A store, which reads a register.
            let case = Case::new(number, rejected(), ending);
            cases.push(case.lying(lie, 8, 15).stalled(kind));
            // Nothing spendable is there to disprove a true claim, and nobody has to dispute it.
            if matches!(kind, Kind::Disprove(_) | Kind::Challenge) {
                continue;
            }
            let place = Place {
                step: 8,
                access: PathAccess::Old,
                level: 15,
            };
            let case = Case::new(number, accepted(), ending);
            cases.push(case.disputed_by(Challenger::Opens(place)).stalled(kind));
        }
    }
    cases
}

fn tables() -> usize {
    available_parallelism().map_or(1, |cores| cores.get().min(8))
}

/// The share of the cases that the scale asks for, spread over all of them: five eighths, all of them at scale 2.
fn share(cases: Vec<Case>) -> Vec<Case> {
    let (all, wanted) = (cases.len(), scaled(cases.len() * 5 / 8).min(cases.len()));
    let cases = cases.into_iter().enumerate();
    cases
        .filter(|(number, _)| number * wanted / all != (number + 1) * wanted / all)
        .map(|(_, case)| case)
        .collect()
}

#[test]
fn whoever_is_right_wins_every_game() {
    let programs = programs();
    let (lies, skipped) = lies(&programs);
    let cases = [lies, honest(&programs), stalls(&programs)].map(share);
    let start = std::time::Instant::now();
    let [lies, honest, stalls] = cases.each_ref().map(Vec::len);
    println!(
        "{} games on the embedded chain: {lies} with lies or false claims, {honest} about true claims, {stalls} with a move never \
         made; {skipped} lies skipped, which say nothing false there or the same as another",
        lies + honest + stalls
    );
    let cases = cases.concat();
    let tally = play_all(tables(), embedded, &programs, &cases);
    tally.print("embedded");
    println!(
        "  {:.0} s at {} tables",
        start.elapsed().as_secs_f64(),
        tables()
    );
    if scaled(100) < 100 {
        return;
    }
    assert!(tally.ledger.games >= LEAST_GAMES);
    let steps: Vec<StepKind> = tally.steps().collect();
    for kind in StepKind::all() {
        assert!(steps.contains(&kind), "no lie at {kind}");
    }
    for (kind, name) in LieKind::ALL {
        assert!(tally.fired(kind).count() > 0, "no game with {name}");
    }
}

/// Two cases of each kind of what is false, one of each move that is not made, and a true claim disputed by each challenger.
fn sample(programs: &[Program]) -> Vec<Case> {
    let mut lying: BTreeMap<Option<LieKind>, Vec<Case>> = BTreeMap::new();
    for case in lies(programs).0 {
        let said = case.lie.map(|lie| lie.kind);
        lying.entry(said).or_default().push(case);
    }
    let lying = lying.into_values().enumerate().flat_map(|(turn, cases)| {
        // Other steps for each kind.
        let place = |third: usize| (third * cases.len() / 3 + 5 * turn) % cases.len();
        [cases[place(1)].clone(), cases[place(2)].clone()]
    });
    let lying: Vec<Case> = lying.collect();
    let mut stalled = BTreeMap::new();
    for case in stalls(&programs[..1]) {
        stalled.entry(case.conduct.stalled).or_insert(case);
    }
    let honest = honest(&programs[..1]);
    let (opened, others): (Vec<Case>, Vec<Case>) = honest
        .into_iter()
        .partition(|case| matches!(case.challenger, Challenger::Opens(_)));
    let honest = others.into_iter().take(5).chain(opened.into_iter().take(4));
    lying
        .into_iter()
        .chain(stalled.into_values())
        .chain(honest)
        .collect()
}

#[test]
fn whoever_is_right_wins_on_a_node() {
    let Some(node) = node() else {
        return;
    };
    let programs = programs();
    let cases = sample(&programs);
    let mut table = Table::new(node);
    let mut tally = Tally::default();
    for case in &cases {
        tally.play(&mut table, &programs, case);
    }
    tally.print(table.chain_name());
}
