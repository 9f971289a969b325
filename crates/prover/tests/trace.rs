//! Disputes over a trace, played without transactions: the challenger wins whenever the claim is false, and a true claim loses to nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_compiler::riscv::{
    Court, CourtOptions, Group, Options, PathAccess, PathLeaf, Published, PublishedError, Search,
    StepLeaf,
};
use tapcourt_program::riscv::{
    AddressSpace, Cell, Digest, Execution, Image, Instruction, Node, Op, Program, Register, Rom,
    StepRecord, Symbols,
};
use tapcourt_prover::trace::{Answers, Challenges, Verdict};

#[path = "../../verifier/tests/suite/machine.rs"]
mod machine;

use machine::{BASE, INPUT, SUM, court, program, register};

/// What was published before the dispute: the input that is claimed.
fn claim(input: &[u32]) -> Published {
    let mut published = Published::new();
    published.set_inputs(input);
    published
}

/// Changes what the prover says, after it has said the truth as it sees it.
trait Liar {
    fn digests(&mut self, _round: u32, _published: &mut Published) {}
    fn step(&mut self, _published: &mut Published) {}
    fn nodes(&mut self, _round: u32, _published: &mut Published) {}
    fn sibling(&mut self, _published: &mut Published) {}
}

struct Says;

impl Liar for Says {}

/// Which leaf ended a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Step(StepLeaf),
    Path(PathLeaf),
}

impl End {
    /// The kind of leaf.
    fn kind(self) -> String {
        match self {
            Self::Step(leaf) => leaf
                .to_string()
                .split('(')
                .next()
                .expect("a name")
                .to_owned(),
            Self::Path(leaf) => format!("path {:?}", leaf.access),
        }
    }
}

/// Plays a dispute. `None` if the challenger finds nothing, or no leaf is spendable in the end.
fn play(
    court: &Court,
    prover: &mut Execution<'_>,
    challenger: &mut Execution<'_>,
    liar: &mut dyn Liar,
    mut published: Published,
) -> Option<End> {
    let published = &mut published;
    let (mut prover, mut challenger) = (
        Answers::new(court, prover),
        Challenges::new(court, challenger),
    );
    let search = court.search();
    for round in 0..search.rounds() {
        prover
            .digests(round, published)
            .expect("all before was published");
        liar.digests(round, published);
        let selection = challenger.select(round, published).expect("published");
        let bits = search.selection_bits(round);
        published.set_word(Group::Selection(round), selection, bits.into());
    }
    prover.step(published).expect("published");
    liar.step(published);
    let access = match challenger.judge(published).expect("published") {
        Verdict::Disprove(leaf) => return Some(End::Step(leaf)),
        Verdict::Open(access) => access,
        Verdict::Concede => return None,
    };
    published.set_word(Group::Access, access.number(), 2);
    let search = court.paths().search();
    for round in 0..search.rounds() {
        prover.nodes(round, published).expect("published");
        liar.nodes(round, published);
        let selection = challenger
            .select_level(round, published)
            .expect("published");
        let bits = search.selection_bits(round);
        published.set_word(Group::PathSelection(round), selection, bits.into());
    }
    prover.sibling(published).expect("published");
    liar.sibling(published);
    challenger
        .path_leaf(published)
        .expect("published")
        .map(End::Path)
}

/// Instructions of a program, as they were written.
fn instructions(program: &Program) -> Vec<u32> {
    program
        .rom()
        .iter()
        .map(|(_, instruction)| instruction.encode())
        .collect()
}

/// Whoever runs another program, on other input or from another memory than agreed, and is consistent ever after, loses.
#[test]
fn consistent_provers_of_another_execution_lose() {
    // It does not accept: one more is expected.
    let agreed = program(SUM + 1);
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut games = 0;
    let code = instructions(&agreed);
    let memory = || agreed.image().pieces().to_vec();
    let with_code = |code: Vec<u32>, image: Vec<(u32, Vec<u8>)>| {
        let rom = Rom::new(vec![(BASE, code)]).expect("a program");
        Program::new(
            BASE,
            rom,
            Image::new(image).expect("pieces"),
            Symbols::default(),
        )
        .expect("a program")
    };
    // Who just claims what is not so.
    let mut others: Vec<(Program, Vec<u32>)> = vec![(agreed.clone(), INPUT.to_vec())];
    // Another sum: by other input, by other memory, and by each instruction replaced by others.
    for word in 0..3 {
        let mut input = INPUT;
        input[word] ^= 1;
        others.push((agreed.clone(), input.to_vec()));
    }
    let mut image = memory();
    image.push((0x0200_0004, vec![1, 0, 0, 0]));
    others.push((with_code(code.clone(), image), INPUT.to_vec()));
    for place in 0..code.len() {
        for other in [
            Instruction::new(Op::Addi, register(10), Register::ZERO, Register::ZERO, 0),
            Instruction::new(Op::Addi, register(6), register(6), Register::ZERO, 1),
            Instruction::new(Op::Jal, Register::ZERO, Register::ZERO, Register::ZERO, 8),
            Instruction::new(Op::Sw, Register::ZERO, register(8), register(5), 8),
            Instruction::ILLEGAL,
        ] {
            let mut code = code.clone();
            code[place] = other.encode();
            others.push((with_code(code, memory()), INPUT.to_vec()));
        }
    }
    for search in [
        vec![2; 6],
        vec![4, 4, 4],
        vec![8, 8],
        vec![16, 4],
        vec![2, 3, 11],
        vec![5, 13],
    ] {
        let court = court(agreed.clone(), search, vec![8, 4]);
        let mut challenger = Execution::new(&agreed, &INPUT[..]);
        for (program, input) in &others {
            let mut prover = Execution::new(program, input);
            let end = play(
                &court,
                &mut prover,
                &mut challenger,
                &mut Says,
                claim(&INPUT),
            )
            .expect("the claim is false");
            *ends.entry(end.kind()).or_default() += 1;
            games += 1;
        }
    }
    println!("covered: {games} games in memory; against consistent liars, all won: {ends:?}");
    for kind in ["start", "accept", "semantics", "input"] {
        assert!(ends.contains_key(kind), "{kind}: {ends:?}");
    }
}

/// Each value true or false, by a list of choices.
struct Choices<'a> {
    /// What is false: of the digests, in the order in which they are revealed; of the record; of the nodes; the sibling.
    digests: u64,
    record: u32,
    nodes: u64,
    sibling: bool,
    random: &'a mut ChaCha8Rng,
    /// How many values came so far.
    seen_digests: u32,
    seen_nodes: u32,
}

/// The parts of a record, with how many bits from which bit of their group.
const RECORD: [(Group, usize, usize); 12] = [
    (Group::Pc, 0, 32),
    (Group::NextPc, 0, 32),
    (Group::Sources, 0, 5),
    (Group::Sources, 5, 5),
    (Group::Target, 0, 32),
    (Group::Memory, 0, 32),
    (Group::Words, 0, 32),
    (Group::Words, 32, 32),
    (Group::Words, 64, 64),
    (Group::Replaced, 0, 32),
    (Group::Root, 0, 160),
    (Group::NextRoot, 0, 160),
];

impl Choices<'_> {
    /// Makes a part of a group false: one bit, or all at random.
    fn lie(&mut self, published: &mut Published, group: Group, first: usize, bits: usize) {
        let mut value = published.bits(group).expect("the truth was said").to_vec();
        let before = value.clone();
        while value == before {
            if self.random.r#gen() {
                let bit = first + self.random.gen_range(0..bits);
                value[bit] = !value[bit];
            } else {
                for bit in &mut value[first..first + bits] {
                    *bit = self.random.r#gen();
                }
            }
        }
        published.set(group, value);
    }
}

impl Liar for Choices<'_> {
    fn digests(&mut self, round: u32, published: &mut Published) {
        for index in 0.. {
            let group = Group::Digest { round, index };
            if published.bits(group).is_err() {
                return;
            }
            if self.digests >> self.seen_digests & 1 == 1 {
                self.lie(published, group, 0, 160);
            }
            self.seen_digests += 1;
        }
    }

    fn step(&mut self, published: &mut Published) {
        for (place, (group, first, bits)) in RECORD.into_iter().enumerate() {
            if self.record >> place & 1 == 1 {
                self.lie(published, group, first, bits);
            }
        }
    }

    fn nodes(&mut self, round: u32, published: &mut Published) {
        for index in 0.. {
            for new in [false, true] {
                let group = Group::PathNode { round, index, new };
                if published.bits(group).is_err() {
                    return;
                }
                if self.nodes >> (self.seen_nodes % 64) & 1 == 1 {
                    self.lie(published, group, 0, 160);
                }
                self.seen_nodes += 1;
            }
        }
    }

    fn sibling(&mut self, published: &mut Published) {
        if self.sibling {
            self.lie(published, Group::Sibling, 0, 160);
        }
    }
}

/// A false claim, and every choice of what is false: all of the digests, all of the record's parts, and many of the nodes.
#[test]
fn every_choice_of_lies_loses() {
    let agreed = program(SUM + 1);
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut games = 0usize;
    let searches = [vec![2; 6], vec![3, 3, 3, 3], vec![7, 9]];
    for rounds in searches {
        let court = court(agreed.clone(), rounds, vec![6, 6]);
        // How many digests are revealed in all.
        let revealed = court.search().revealed().count() as u32; // cast ok: few
        let mut challenger = Execution::new(&agreed, &INPUT[..]);
        let mut prover = Execution::new(&agreed, &INPUT[..]);
        // Of the digests every choice where they are few, the rest at random; of the record every choice for some of these.
        let choices = 1u64 << revealed.min(7);
        for choice in 0..choices {
            let digests = if revealed <= 7 {
                choice
            } else {
                random.r#gen()
            };
            for record in 0..1u32 << RECORD.len() {
                if record.count_ones() > 2 && !(record ^ choice as u32).is_multiple_of(199) {
                    // cast ok: seven bits
                    continue;
                }
                let mut liar = Choices {
                    digests,
                    record,
                    nodes: if random.r#gen() {
                        random.r#gen()
                    } else {
                        random.r#gen::<u64>() & random.r#gen::<u64>() & random.r#gen::<u64>()
                    },
                    sibling: random.r#gen(),
                    random: &mut random,
                    seen_digests: 0,
                    seen_nodes: 0,
                };
                let end = play(
                    &court,
                    &mut prover,
                    &mut challenger,
                    &mut liar,
                    claim(&INPUT),
                );
                let end = end.unwrap_or_else(|| panic!("digests {digests:b}, record {record:b}"));
                *ends.entry(end.kind()).or_default() += 1;
                games += 1;
            }
        }
    }
    println!("covered: {games} games in memory; against a false claim, all won: {ends:?}");
    for kind in ["start", "accept", "digest", "semantics", "input", "path A"] {
        assert!(ends.contains_key(kind), "{kind}: {ends:?}");
    }
}

/// What a prover makes of one step, to say something false there and be consistent otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// The root after it is any.
    NextRoot,
    /// The word that it replaces was another.
    Replaced,
    /// A word that it reads was another, and what follows from it is true.
    Reads(PathAccess),
}

/// Says the truth up to a step, and after it digests that are false, the first one being that of what the record says.
struct Planned<'a> {
    target: u64,
    search: &'a Search,
    record: StepRecord,
    root: [u8; 20],
    next_root: [u8; 20],
    random: &'a mut ChaCha8Rng,
}

impl Liar for Planned<'_> {
    fn digests(&mut self, round: u32, published: &mut Published) {
        let selections: Vec<u32> = (0..round)
            .map(|round| published.word(Group::Selection(round)).expect("selected"))
            .collect();
        let (first, count) = self.search.left_after(&selections).expect("in range");
        let arity = self.search.arity(round);
        for border in 1..arity {
            let step = first + u64::from(border) * count / u64::from(arity);
            let group = Group::Digest {
                round,
                index: border - 1,
            };
            if step == self.target + 1 {
                let root = Node::from_bytes(self.next_root);
                let digest = Digest::new(self.record.next_pc, root);
                published.set_node(group, &digest.to_bytes());
            } else if step > self.target {
                published.set_node(group, &self.random.r#gen());
            }
        }
    }

    fn step(&mut self, published: &mut Published) {
        published.set_step(&self.record, &self.root, &self.next_root);
    }
}

/// One false word or root at any step, with everything else consistent: what only a path can show.
#[test]
fn a_false_word_at_any_step_is_found() {
    let agreed = program(SUM + 1);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut games = 0usize;
    let reads = [PathAccess::A, PathAccess::B, PathAccess::Memory].map(Plan::Reads);
    for rounds in [vec![2; 6], vec![3, 5, 4], vec![16, 4]] {
        let court = court(agreed.clone(), rounds, vec![2, 3, 6]);
        let search = court.search();
        let mut execution = Execution::new(&agreed, &INPUT[..]);
        let mut challenger = Execution::new(&agreed, &INPUT[..]);
        let mut prover = Execution::new(&agreed, &INPUT[..]);
        // The last one's end is no digest.
        for target in 0..search.count() - 1 {
            for plan in [Plan::NextRoot, Plan::Replaced].into_iter().chain(reads) {
                let truth = execution.step_at(target);
                let mut record = truth.record;
                let other: u32 = random.r#gen();
                match plan {
                    Plan::NextRoot => {}
                    Plan::Replaced => record.w.old = other,
                    Plan::Reads(PathAccess::A) => record.a.value = other,
                    Plan::Reads(PathAccess::B) => record.b.value = other,
                    Plan::Reads(_) => record.m.value = other,
                }
                if matches!(plan, Plan::Reads(_)) {
                    let instruction = agreed.rom().get(record.pc);
                    record = record.consequence(instruction, 3, court.program().space());
                }
                if record == truth.record && plan != Plan::NextRoot {
                    // It reads nothing there.
                    continue;
                }
                let (_, path) = execution.path_at(target, record.w.cell);
                let next_root = match plan {
                    Plan::Reads(_) => path.root(record.w.value).to_bytes(),
                    _ => random.r#gen(),
                };
                let mut liar = Planned {
                    target,
                    search,
                    record,
                    root: truth.root.to_bytes(),
                    next_root,
                    random: &mut random,
                };
                let end = play(
                    &court,
                    &mut prover,
                    &mut challenger,
                    &mut liar,
                    claim(&INPUT),
                );
                let end = end.unwrap_or_else(|| panic!("{plan:?} at {target}: {record}"));
                *ends.entry(end.kind()).or_default() += 1;
                games += 1;
            }
        }
    }
    println!("covered: {games} games in memory; against one false word, all won: {ends:?}");
    for kind in ["path A", "path B", "path Memory", "path Old", "path New"] {
        assert!(ends.contains_key(kind), "{kind}: {ends:?}");
    }
}

/// A true claim, whatever is selected and opened: no leaf is spendable, of any kind.
#[test]
fn a_true_claim_loses_to_no_selection() {
    let agreed = program(SUM);
    let court = court(agreed.clone(), vec![3, 2, 10], vec![7, 5]);
    let (search, steps, paths) = (court.search(), court.steps(), court.paths());
    let mut executions = [(); 2].map(|()| Execution::new(&agreed, &INPUT[..]));
    let [prover, challenger] = &mut executions;
    let mut prover = Answers::new(&court, prover);
    let mut challenger = Challenges::new(&court, challenger);
    assert!(prover.may_claim());
    assert!(!challenger.must_challenge());
    let mut checked = 0usize;
    let accesses = [
        PathAccess::A,
        PathAccess::B,
        PathAccess::Memory,
        PathAccess::Old,
    ];
    for interval in 0..search.count() {
        let mut published = claim(&INPUT);
        for (round, selection) in (0..).zip(search.selections(interval)) {
            prover.digests(round, &mut published).expect("published");
            let bits = search.selection_bits(round);
            published.set_word(Group::Selection(round), selection, bits.into());
        }
        prover.step(&mut published).expect("published");
        for leaf in 0..steps.len() {
            // Digests that were not revealed on this way cannot be opened.
            assert!(
                !steps.is_spendable(leaf, &published).unwrap_or(false),
                "{}",
                steps.leaf(leaf)
            );
            checked += 1;
        }
        assert_eq!(challenger.judge(&published), Ok(Verdict::Concede));
        for access in accesses {
            for level in 0..paths.search().count() {
                let mut published = published.clone();
                published.set_word(Group::Access, access.number(), 2);
                for (round, selection) in (0..).zip(paths.search().selections(level)) {
                    prover.nodes(round, &mut published).expect("published");
                    let bits = paths.search().selection_bits(round);
                    published.set_word(Group::PathSelection(round), selection, bits.into());
                }
                prover.sibling(&mut published).expect("published");
                for leaf in 0..paths.len() {
                    assert!(
                        !paths.is_spendable(leaf, &published).unwrap_or(false),
                        "{access:?} {level} leaf {leaf}"
                    );
                    checked += 1;
                }
            }
        }
    }
    println!("60 steps x 4 accesses x 35 levels of a true claim: {checked} leaves, none spendable");
    println!("covered: {checked} leaves against the truth");
}

/// A key of a selection can say more than there are parts. Neither party panics over it, and no leaf that asks for a selection is spendable.
#[test]
fn selections_of_no_part_are_refused() {
    let agreed = program(SUM);
    let court = court(agreed.clone(), vec![3, 5, 6], vec![6, 6]);
    let (search, steps, paths) = (court.search(), court.steps(), court.paths());
    let mut executions = [(); 2].map(|()| Execution::new(&agreed, &INPUT[..]));
    let [prover, challenger] = &mut executions;
    let mut prover = Answers::new(&court, prover);
    let mut challenger = Challenges::new(&court, challenger);
    // All that an honest prover says about the first step and level, and then another selection.
    let mut honest = claim(&INPUT);
    for round in 0..search.rounds() {
        prover.digests(round, &mut honest).expect("published");
        honest.set_word(
            Group::Selection(round),
            0,
            search.selection_bits(round).into(),
        );
    }
    prover.step(&mut honest).expect("published");
    honest.set_word(Group::Access, PathAccess::Old.number(), 2);
    for round in 0..paths.search().rounds() {
        prover.nodes(round, &mut honest).expect("published");
        honest.set_word(Group::PathSelection(round), 0, 3);
    }
    prover.sibling(&mut honest).expect("published");
    let of_steps = (0..search.rounds()).map(|round| (Group::Selection(round), search.arity(round)));
    let of_paths = (0..paths.search().rounds()).map(|round| (Group::PathSelection(round), 6));
    for (group, arity) in of_steps.chain(of_paths) {
        let bits = honest.bits(group).expect("published").len();
        for selection in arity..1 << bits {
            let mut published = honest.clone();
            published.set_word(group, selection, bits);
            let refused = PublishedError::Selection {
                group,
                selection,
                arity,
            };
            let is_of_steps = matches!(group, Group::Selection(_));
            if is_of_steps {
                assert_eq!(prover.digests(3, &mut published.clone()), Err(refused));
                assert_eq!(prover.step(&mut published.clone()), Err(refused));
                assert_eq!(challenger.select(3, &published), Err(refused));
                assert_eq!(challenger.judge(&published), Err(refused));
            }
            assert_eq!(prover.nodes(2, &mut published.clone()), Err(refused));
            assert_eq!(prover.sibling(&mut published.clone()), Err(refused));
            assert_eq!(challenger.select_level(2, &published), Err(refused));
            // Which leaf of a path is spendable does not depend on the step.
            let leaf = if is_of_steps { Ok(None) } else { Err(refused) };
            assert_eq!(challenger.path_leaf(&published), leaf);
            for leaf in 0..steps.len() {
                assert!(!steps.is_spendable(leaf, &published).unwrap_or(false));
            }
            for leaf in 0..paths.len() {
                assert!(!paths.is_spendable(leaf, &published).unwrap_or(false));
            }
        }
    }
}

/// Goes to both ends of a small memory, and stops where there is none, or accepts.
fn program_at_borders(space: AddressSpace, last: Instruction) -> Program {
    let [x0, a0, a7, t0, t1, s0, s1] = [0, 10, 17, 5, 6, 8, 9].map(register);
    let new = Instruction::new;
    let end = space.bytes() as u32; // cast ok: 0 stands for 2^32
    let code = [
        new(Op::Lui, s0, x0, x0, 0x1000),
        new(Op::Lui, s1, x0, x0, end),
        new(Op::Lw, t0, s0, x0, 0),
        new(Op::Sw, x0, s1, t0, 4u32.wrapping_neg()),
        new(Op::Sb, x0, s1, t0, 1u32.wrapping_neg()),
        new(Op::Lb, t1, s1, x0, 1u32.wrapping_neg()),
        new(Op::Sh, x0, s0, t1, 0x7fe),
        new(Op::Lhu, x0, s0, x0, 0x7fe),
        new(Op::Sw, x0, s0, s1, 0x7f8),
        new(Op::Addi, a7, x0, x0, 93),
        last,
        new(Op::Addi, a0, x0, x0, 1),
        Instruction::ECALL,
    ];
    let program = Program::from_instructions(BASE, &code).expect("a program");
    program.with_space(space).expect("it is small")
}

/// Says one step's record with any numbers for labels, and is otherwise as consistent as can be.
struct Hostile<'a, 'p> {
    target: u64,
    search: &'a Search,
    /// With everything but the search.
    record: Published,
    next_pc: u32,
    next_root: [u8; 20],
    execution: &'a mut Execution<'p>,
    paths: &'a Search,
    random: &'a mut ChaCha8Rng,
}

impl Liar for Hostile<'_, '_> {
    fn digests(&mut self, round: u32, published: &mut Published) {
        let selections: Vec<u32> = (0..round)
            .map(|round| published.word(Group::Selection(round)).expect("selected"))
            .collect();
        let borders = self.search.borders(&selections).expect("in range");
        for (index, &step) in (0..).zip(&borders[1..borders.len() - 1]) {
            let group = Group::Digest { round, index };
            if step == self.target + 1 {
                let root = Node::from_bytes(self.next_root);
                published.set_node(group, &Digest::new(self.next_pc, root).to_bytes());
            } else if step > self.target {
                published.set_node(group, &self.random.r#gen());
            }
        }
    }

    fn step(&mut self, published: &mut Published) {
        for group in Group::RECORD {
            let bits = self.record.bits(group).expect("all of it is said");
            published.set(group, bits.to_vec());
        }
    }

    fn nodes(&mut self, round: u32, published: &mut Published) {
        let access = published.word(Group::Access).expect("opened");
        let label = match access {
            0 => (published.word(Group::Sources).expect("said") & 31) << 2,
            1 => (published.word(Group::Sources).expect("said") >> 5 & 31) << 2,
            2 => published.word(Group::Memory).expect("said"),
            _ => published.word(Group::Target).expect("said"),
        };
        let cell = Cell::from_index(label >> 2).expect("30 bits");
        let words = published.bits(Group::Words).expect("said");
        let word = |place: usize| {
            let bits = words[32 * place..32 * (place + 1)].iter().rev();
            bits.fold(0, |word, &bit| word << 1 | u32::from(bit))
        };
        let [old, new] = match access {
            0 => [word(2); 2],
            1 => [word(3); 2],
            2 => [word(0); 2],
            _ => [published.word(Group::Replaced).expect("said"), word(1)],
        };
        let (_, path) = self.execution.path_at(self.target, cell);
        let said = [path.nodes(old), path.nodes(new)];
        let selections: Vec<u32> = (0..round)
            .map(|round| {
                published
                    .word(Group::PathSelection(round))
                    .expect("selected")
            })
            .collect();
        let borders = self.paths.borders(&selections).expect("in range");
        for (index, &level) in (0..).zip(&borders[1..borders.len() - 1]) {
            for is_new in [false, true] {
                let level = (level as usize).min(path.levels()); // cast ok: at most 64
                let node = match self.random.gen_range(0..8) {
                    0 => self.random.r#gen(),
                    // What the honest one says.
                    1 => continue,
                    _ => said[usize::from(is_new)][level].to_bytes(),
                };
                let group = Group::PathNode {
                    round,
                    index,
                    new: is_new,
                };
                published.set_node(group, &node);
            }
        }
    }
}

/// A number for a label: of a register, of a cell in no state's use, of memory at its ends, beyond
/// the space, of no cell at all, any.
fn hostile_label(truth: u32, space: AddressSpace, random: &mut ChaCha8Rng) -> u32 {
    let end = space.bytes() as u32; // cast ok: 0 stands for 2^32
    match random.gen_range(0..10) {
        0 => truth ^ random.gen_range(1..4),
        1 => truth.wrapping_add(end),
        2 => truth ^ 1 << random.gen_range(0..32),
        3 => 4 * random.gen_range(0..32),
        4 => 4 * random.gen_range(32..1024),
        5 => end.wrapping_sub(4),
        6 => end.wrapping_add(4 * random.gen_range(0..40)),
        7 => [4_092, 4_096, u32::MAX, 0xffff_fffc][random.gen_range(0..4)],
        8 => truth,
        _ => random.r#gen(),
    }
}

/// Records with any numbers for labels and words, in spaces of several sizes, with searches for as
/// many levels as there are and for more: the challenger wins all games, and nobody panics.
#[test]
fn hostile_labels_lose_in_every_space() {
    let mut random = ChaCha8Rng::seed_from_u64(0x1abe1);
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut games = 0usize;
    let [x0, t0] = [0, 5].map(register);
    let lasts = [
        Instruction::new(Op::Lw, t0, x0, x0, 0),
        Instruction::new(Op::Sw, x0, x0, t0, 0x7fc),
        Instruction::new(Op::Sb, x0, register(9), t0, 0),
        Instruction::new(Op::Addi, x0, x0, x0, 0),
        // As near to acceptance as a jump comes: it clears the lowest bit.
        Instruction::new(Op::Jalr, x0, x0, x0, u32::MAX),
    ];
    for log2_bytes in [13, 14, 16, 26, 32] {
        let space = AddressSpace::new(log2_bytes).expect("13 to 32");
        for (last, path) in lasts.into_iter().zip([
            None,
            Some(vec![8, 8]),
            Some(vec![2, 4, 4]),
            Some(vec![5, 7]),
            Some(vec![3, 3, 4]),
        ]) {
            let path = path.map(|path| Search::new(path).expect("in range"));
            let options = CourtOptions {
                steps: Options {
                    fixed: Vec::new(),
                    inputs: 0,
                    search: Search::new(vec![4, 4]).expect("16 steps"),
                },
                path,
                space: Some(space),
            };
            let agreed = program_at_borders(space, last);
            let court = Court::compile(Arc::new(agreed.clone()), options).expect("it compiles");
            let mut executions = [(); 3].map(|()| Execution::new(&agreed, &[]));
            let [prover, challenger, liars] = &mut executions;
            assert!(Challenges::new(&court, challenger).must_challenge());
            for target in 0..court.search().count() - 1 {
                for _ in 0..20 {
                    let truth = liars.step_at(target);
                    let mut record = truth.record;
                    match random.gen_range(0..8) {
                        0 => record.a.value = hostile_label(record.a.value, space, &mut random),
                        1 => record.b.value = random.r#gen(),
                        2 => record.m.value = random.r#gen(),
                        3 => record.w.old = random.r#gen(),
                        4 => record.pc = hostile_label(record.pc, space, &mut random),
                        _ => {}
                    }
                    if random.r#gen() {
                        record = record.consequence(agreed.rom().get(record.pc), 0, space);
                    }
                    if random.gen_range(0..4) == 0 {
                        record.next_pc = hostile_label(record.next_pc, space, &mut random);
                    }
                    let mut said = Published::new();
                    let mut target_label = record.w.cell.label();
                    said.set_step(&record, &truth.root.to_bytes(), &[0; 20]);
                    if random.gen_range(0..4) == 0 {
                        target_label = hostile_label(target_label, space, &mut random);
                        said.set_word(Group::Target, target_label, 32);
                    }
                    if random.gen_range(0..4) == 0 {
                        let label = hostile_label(record.m.cell.label(), space, &mut random);
                        said.set_word(Group::Memory, label, 32);
                    }
                    if random.gen_range(0..8) == 0 {
                        said.set_word(Group::Sources, random.r#gen(), 10);
                    }
                    let cell = Cell::from_index(target_label >> 2).expect("30 bits");
                    let (_, path) = liars.path_at(target, cell);
                    let mut next_root = path.root(record.w.value).to_bytes();
                    if random.gen_range(0..8) == 0 {
                        next_root = random.r#gen();
                    }
                    said.set_node(Group::NextRoot, &next_root);
                    let mut liar = Hostile {
                        target,
                        search: court.search(),
                        next_pc: record.next_pc,
                        next_root,
                        record: said.clone(),
                        execution: liars,
                        paths: court.paths().search(),
                        random: &mut random,
                    };
                    let end = play(&court, prover, challenger, &mut liar, Published::new());
                    let end = end.unwrap_or_else(|| {
                        panic!("{space}, step {target}: {said:?}, truth {}", truth.record)
                    });
                    *ends.entry(end.kind()).or_default() += 1;
                    games += 1;
                }
            }
        }
    }
    println!("covered: {games} games in memory; against hostile labels, all won: {ends:?}");
    for kind in [
        "semantics",
        "stop",
        "outside-rom",
        "digest",
        "path A",
        "path Memory",
        "path Old",
        "path New",
    ] {
        assert!(ends.contains_key(kind), "{kind}: {ends:?}");
    }
}

/// A true claim in spaces of several sizes, whatever is selected and opened, levels above the root
/// among it: no leaf is spendable.
#[test]
fn a_true_claim_loses_in_no_space() {
    let x0 = Register::ZERO;
    let (mut checked, mut ends) = (0usize, 0usize);
    for (log2_bytes, path) in [
        (13, None),
        (13, Some(vec![4, 5])),
        (27, None),
        (32, None),
        (32, Some(vec![8, 8])),
    ] {
        let space = AddressSpace::new(log2_bytes).expect("13 to 32");
        let options = CourtOptions {
            steps: Options {
                fixed: Vec::new(),
                inputs: 0,
                search: Search::new(vec![4, 4]).expect("16 steps"),
            },
            path: path.map(|path| Search::new(path).expect("in range")),
            space: Some(space),
        };
        let agreed = program_at_borders(space, Instruction::new(Op::Jal, x0, x0, x0, 8));
        let court = Court::compile(Arc::new(agreed.clone()), options).expect("it compiles");
        let (search, steps, paths) = (court.search(), court.steps(), court.paths());
        let mut executions = [(); 2].map(|()| Execution::new(&agreed, &[]));
        let [prover, challenger] = &mut executions;
        let mut prover = Answers::new(&court, prover);
        let mut challenger = Challenges::new(&court, challenger);
        assert!(
            prover.may_claim() && !challenger.must_challenge(),
            "{space}"
        );
        for interval in 0..search.count() {
            let mut published = Published::new();
            for (round, selection) in (0..).zip(search.selections(interval)) {
                prover.digests(round, &mut published).expect("published");
                let bits = search.selection_bits(round);
                published.set_word(Group::Selection(round), selection, bits.into());
            }
            prover.step(&mut published).expect("published");
            for leaf in 0..steps.len() {
                let spendable = steps.is_spendable(leaf, &published).unwrap_or(false);
                assert!(!spendable, "{space}: {}", steps.leaf(leaf));
                checked += 1;
            }
            assert_eq!(challenger.judge(&published), Ok(Verdict::Concede));
            for access in 0..PathAccess::NUMBERS {
                for level in 0..paths.search().count() {
                    let mut published = published.clone();
                    published.set_word(Group::Access, access, 2);
                    for (round, selection) in (0..).zip(paths.search().selections(level)) {
                        prover.nodes(round, &mut published).expect("published");
                        assert_eq!(challenger.select_level(round, &published), Ok(0));
                        let bits = paths.search().selection_bits(round);
                        published.set_word(Group::PathSelection(round), selection, bits.into());
                    }
                    prover.sibling(&mut published).expect("published");
                    assert_eq!(challenger.path_leaf(&published), Ok(None));
                    for leaf in 0..paths.len() {
                        let spendable = paths.is_spendable(leaf, &published).unwrap_or(false);
                        assert!(
                            !spendable,
                            "{space}: access {access}, level {level}, leaf {leaf}"
                        );
                        checked += 1;
                    }
                    ends += 1;
                }
            }
        }
    }
    println!("covered: {checked} leaves against the truth in several spaces; at {ends} ends");
}
