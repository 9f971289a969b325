//! All that a prover may say in a small dispute, and what the challenger makes of it: a walk over the whole game tree, in the moves of the contract.
//!
//! At each opening the prover chooses, value by value, between the truth and lies, so its strategies are all products of these choices. The walk goes
//! through all of them. It forgets what no later answer depends on, and counts how many plays came to the same point: then what is left to be said is
//! finite and small.
//!
//! What may be forgotten is not assumed: the challenger is asked with that left out, and would refuse to answer if it looked for it. After a search
//! round, only the values at the borders of what is left remain.
//!
//! The record of the step is joined to the opening of memory by the opened access alone: its cell, its words, and the two roots. So all records that say
//! the same about the opened access are opened once. The rest of such a record is replaced by zeros: what the challenger answers to one is what it answers
//! to all.

use std::collections::{BTreeMap, BTreeSet};

use tapcourt_compiler::riscv::{Border, Court, Group, Party, Published, Search};
use tapcourt_program::riscv::{Cell, Digest, Node, Path, Read, Register, StepRecord, Write};
use tapcourt_protocol::{Role, Stage};
use tapcourt_prover::trace::TraceDispute;
use tapcourt_prover::{Disputable, Values, Verdict};
use tapcourt_verifier::Program;

use super::small;
use crate::threads::share;

/// Different points of a game, with how many plays lead to each.
type Points = BTreeMap<Values, u128>;

/// What may be said in some groups.
type Options = BTreeMap<usize, Vec<Vec<bool>>>;

/// What came of all plays.
#[derive(Clone, Debug, Default)]
pub struct Plays {
    /// Plays that ended at each kind of leaf.
    pub ends: BTreeMap<String, u128>,
    /// Different points at which somebody was asked.
    pub points: usize,
    /// Transactions of the longest play, the claim's and the disprove aside.
    pub longest: usize,
    /// Ways to a record after which something was opened.
    pub opened: u128,
}

impl Plays {
    /// How many plays there were.
    pub fn count(&self) -> u128 {
        self.ends.values().sum()
    }
}

/// The walk over what a prover may say.
#[derive(Debug)]
pub struct Walk<'a> {
    program: &'a Program,
    court: &'a Court,
    claim: Values,
}

/// What is said of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    words: [u32; 10],
    roots: [[u8; 20]; 2],
}

impl Said {
    fn new(record: &StepRecord, roots: [[u8; 20]; 2]) -> Self {
        let sources = record.a.cell.index() | record.b.cell.index() << 5;
        Self {
            words: [
                record.pc,
                record.next_pc,
                sources,
                record.w.cell.label(),
                record.m.cell.label(),
                record.m.value,
                record.w.value,
                record.a.value,
                record.b.value,
                record.w.old,
            ],
            roots,
        }
    }

    fn publish(&self, published: &mut Published) {
        let [pc, next_pc, sources, target, memory, m, w, a, b, old] = self.words;
        let cell = |label| Cell::from_label(label).expect("made from a cell");
        let register = |number: u32| Cell::register(Register::new((number & 31) as u8)); // cast ok: five bits
        let record = StepRecord {
            pc,
            next_pc,
            a: Read {
                cell: register(sources),
                value: a,
            },
            b: Read {
                cell: register(sources >> 5),
                value: b,
            },
            m: Read {
                cell: cell(memory),
                value: m,
            },
            w: Write {
                cell: cell(target),
                value: w,
                old,
            },
        };
        published.set_step(&record, &self.roots[0], &self.roots[1]);
    }

    fn next_digest(&self) -> [u8; 20] {
        Digest::new(self.words[1], Node::from_bytes(self.roots[1])).to_bytes()
    }
}

/// Siblings that are none, the same for all paths: a tree that is consistent in itself.
fn other_path(cell: Cell, levels: u32) -> Path {
    let siblings = (0..levels).map(|level| Node::leaf(!level));
    Path::new(cell, siblings.collect())
}

/// Another cell of the same kind.
fn other_cell(cell: Cell) -> Cell {
    match (cell.address(), cell.as_register()) {
        (Some(address), _) => Cell::memory(address ^ 4),
        (None, Some(register)) => Cell::register(Register::new(register.number() ^ 1)),
        (None, None) => unreachable!("a cell is one of both"),
    }
}

/// Parts of a record that may be false, each for itself; the root after it is besides.
const PARTS: u32 = 11;

impl<'a> Walk<'a> {
    /// All plays that begin with a claim about this input.
    pub fn new(program: &'a Program, input: u32) -> Self {
        let court = small::court(program);
        Self {
            claim: TraceDispute::new(court).claim(&[input]),
            program,
            court,
        }
    }

    /// Goes through all plays.
    ///
    /// # Panics
    /// If the challenger finds nothing at the end of a play.
    pub fn play(&self) -> Plays {
        let mut plays = Plays::default();
        let mut points = Points::from([(self.claim.clone(), 1)]);
        let moves = &self.program.layout().dispute;
        for (made, step) in moves.iter().enumerate() {
            let groups: Vec<usize> = step.batches.iter().flat_map(|b| b.groups()).collect();
            points = match step.mover {
                Role::Challenger => self.choose(points, &groups, &mut plays),
                Role::Prover if made + 1 < moves.len() => {
                    self.say(points, &groups, &|truth, point| {
                        self.digests(truth, point, &groups)
                    })
                }
                Role::Prover => self.judge_records(points, &groups, &mut plays),
            };
        }
        plays.longest = moves.len();
        if !points.is_empty() {
            plays.longest += self.program.layout().opening.len();
            self.open(points, &mut plays);
        }
        plays
    }

    fn group(&self, number: usize) -> Group {
        self.court.entries()[number].group
    }

    fn number(&self, group: Group) -> usize {
        self.court
            .number(Party::Prover, group)
            .expect("a group of the prover's")
    }

    fn bits(&self, published: &Published, group: Group) -> (usize, Vec<bool>) {
        let bits = published.bits(group).expect("it was set");
        (self.number(group), bits.to_vec())
    }

    /// The challenger's move at each point, after which what no longer matters is forgotten.
    fn choose(&self, points: Points, groups: &[usize], plays: &mut Plays) -> Points {
        plays.points += points.len();
        let chosen = self.each(points, |challenger, (mut point, count)| {
            let answer = challenger.answer(groups, &point);
            point.extend(answer.expect("all that it looks at was published"));
            // The prover says the same again, as its next transaction must.
            for &theirs in groups {
                let own = self.number(self.group(theirs));
                let value = point[&theirs].clone();
                point.insert(own, value);
            }
            self.forget(challenger, &mut point);
            (point, count)
        });
        collected(chosen)
    }

    /// Does the same about all of them, on all threads, each with an execution of its own.
    fn each<T: Send, R: Send>(
        &self,
        all: impl IntoIterator<Item = T>,
        ask: impl Fn(&TraceDispute<'a>, T) -> R + Sync,
    ) -> Vec<R> {
        share(all, |part| {
            let dispute = TraceDispute::new(self.court);
            part.into_iter().map(|one| ask(&dispute, one)).collect()
        })
    }

    /// Leaves only the revealed values at the borders of what is left.
    fn forget(&self, dispute: &TraceDispute<'_>, point: &mut Values) {
        let published = dispute.published(point);
        let borders = |search: &Search, group: fn(u32) -> Group| -> BTreeSet<(u32, u32)> {
            let (first, count, _) = left(search, group, &published);
            [first, first + count]
                .into_iter()
                .filter_map(|position| match search.border(position) {
                    Border::Revealed { round, index } => Some((round, index)),
                    Border::End => None,
                })
                .collect()
        };
        let of_steps = borders(self.court.search(), Group::Selection);
        let of_levels = borders(self.court.paths().search(), Group::PathSelection);
        point.retain(|&number, _| match self.group(number) {
            Group::Digest { round, index } => of_steps.contains(&(round, index)),
            Group::PathNode { round, index, .. } => of_levels.contains(&(round, index)),
            _ => true,
        });
    }

    /// Everything that the prover may say at each point.
    fn say(
        &self,
        points: Points,
        groups: &[usize],
        options: &(dyn Fn(&TraceDispute<'_>, &Values) -> Options + Sync),
    ) -> Points {
        let said = self.each(points, |truth, (point, count)| {
            let mut all = vec![point.clone()];
            for (number, values) in options(truth, &point) {
                assert!(groups.contains(&number), "not of this move");
                let with = |point: &Values, value: &Vec<bool>| {
                    let mut point = point.clone();
                    point.insert(number, value.clone());
                    point
                };
                all = all
                    .iter()
                    .flat_map(|point| values.iter().map(|value| with(point, value)))
                    .collect();
            }
            all.into_iter()
                .map(|point| (point, count))
                .collect::<Vec<_>>()
        });
        collected(said.into_iter().flatten().collect())
    }

    /// For each digest of a round the truth, a lie, and the digest of each false record of the step before it.
    fn digests(&self, truth: &TraceDispute<'_>, point: &Values, groups: &[usize]) -> Options {
        let published = truth.published(point);
        let mut options = BTreeMap::new();
        for &number in groups {
            let Group::Digest { round, index } = self.group(number) else {
                continue;
            };
            let (first, _, part) = left(self.court.search(), Group::Selection, &published);
            let at = first + u64::from(index + 1) * part;
            let said = truth.with_execution(&published, |execution| {
                let mut digests = vec![execution.digest_at(at).to_bytes()];
                digests.push(Digest::new(at as u32, Node::leaf(u32::MAX)).to_bytes()); // cast ok: some number
                digests
            });
            let mut digests = said.expect("the input was published");
            digests.extend(self.consistent(truth, at - 1, point));
            let mut distinct = Vec::new();
            for digest in digests {
                let mut value = Published::new();
                value.set_node(Group::Digest { round, index }, &digest);
                let (_, bits) = self.bits(&value, Group::Digest { round, index });
                if !distinct.contains(&bits) {
                    distinct.push(bits);
                }
            }
            options.insert(number, distinct);
        }
        options
    }

    /// Digests of false records: of one false part each, with what follows from it.
    fn consistent(&self, truth: &TraceDispute<'_>, step: u64, point: &Values) -> Vec<[u8; 20]> {
        let published = truth.published(point);
        let one_part = (0..PARTS).map(|part| 1 << part);
        let choices = one_part
            .flat_map(|parts| [(parts, 2), (parts, 0)])
            .chain([(0, 1), (2, 1)]);
        choices
            .map(|(parts, root)| {
                self.said(truth, step, &published, (parts, true, root))
                    .next_digest()
            })
            .collect()
    }

    /// A record some of whose parts are false. If it `follows`, what is not false by choice is what the instruction makes of the rest. The root after it is
    /// the true one, one of another tree, or that which follows from the record.
    fn said(
        &self,
        truth: &TraceDispute<'_>,
        step: u64,
        published: &Published,
        (parts, follows, next_root): (u32, bool, u32),
    ) -> Said {
        let said = truth.with_execution(published, |execution| {
            let truth = execution.step_at(step);
            let is_false = |part: u32| parts >> part & 1 == 1;
            let flipped = |part: u32, word: u32, bit: u32| word ^ u32::from(is_false(part)) << bit;
            let mut record = truth.record;
            record.pc = flipped(0, record.pc, 2);
            record.a.value = flipped(2, record.a.value, 0);
            record.b.value = flipped(3, record.b.value, 0);
            record.m.value = flipped(4, record.m.value, 0);
            if follows {
                let rom = self.court.program().rom();
                record = record.consequence(rom.get(record.pc), 1, self.court.program().space());
            }
            record.next_pc = flipped(1, record.next_pc, 2);
            record.w.value = flipped(5, record.w.value, 0);
            for (part, cell) in [
                (6, &mut record.w.cell),
                (7, &mut record.m.cell),
                (8, &mut record.a.cell),
            ] {
                if is_false(part) {
                    *cell = other_cell(*cell);
                }
            }
            let (old, path) = execution.path_at(step, record.w.cell);
            if follows {
                record.w.old = old;
            }
            record.w.old = flipped(9, record.w.old, 0);
            let mut root = truth.root.to_bytes();
            root[0] ^= u8::from(is_false(10));
            let next_root = match next_root {
                0 => truth.next_root,
                1 => other_path(record.w.cell, self.court.paths().levels()).root(record.w.value),
                _ => path.root(record.w.value),
            };
            Said::new(&record, [root, next_root.to_bytes()])
        });
        said.expect("the input was published")
    }

    /// Every record that may be published about a step.
    fn records(&self, step: u64, point: &Values) -> BTreeSet<Said> {
        let choices: Vec<(u32, bool, u32)> = (0..1 << PARTS)
            .flat_map(|parts| {
                [true, false].into_iter().flat_map(move |follows| {
                    (0..3).map(move |next_root| (parts, follows, next_root))
                })
            })
            .collect();
        let published = TraceDispute::new(self.court).published(point);
        let said = self.each(choices, |truth, choice| {
            self.said(truth, step, &published, choice)
        });
        said.into_iter().collect()
    }

    /// Every record at each point, and the challenger's judgement: leaves that are spendable end the play, and what is to be opened is returned.
    fn judge_records(&self, points: Points, groups: &[usize], plays: &mut Plays) -> Points {
        let mut of_steps: BTreeMap<u64, BTreeSet<Said>> = BTreeMap::new();
        let mut opened = Vec::new();
        let [open] = &self.program.layout().opening[..1] else {
            unreachable!("a trace's opening has moves")
        };
        let choice: Vec<usize> = open.batches.iter().flat_map(|b| b.groups()).collect();
        for (point, count) in points {
            let published = TraceDispute::new(self.court).published(&point);
            let (step, _, _) = left(self.court.search(), Group::Selection, &published);
            let records = of_steps
                .entry(step)
                .or_insert_with(|| self.records(step, &point));
            plays.points += records.len();
            let judged = self.each(records.iter(), |challenger, said| {
                self.judge(challenger, &point, groups, &choice, said)
            });
            for judgement in judged {
                match judgement {
                    Ok(end) => *plays.ends.entry(end).or_default() += count,
                    Err(canonical) => {
                        plays.opened += count;
                        opened.push((canonical, count));
                    }
                }
            }
        }
        collected(opened)
    }

    /// The leaf that a record ends at, or the point at which an access is opened.
    fn judge(
        &self,
        challenger: &TraceDispute<'_>,
        point: &Values,
        groups: &[usize],
        choice: &[usize],
        said: &Said,
    ) -> Result<String, Values> {
        let mut record = Published::new();
        said.publish(&mut record);
        let mut values = point.clone();
        values.extend(Group::RECORD.map(|group| self.bits(&record, group)));
        assert!(groups.iter().all(|number| values.contains_key(number)));
        let verdict = challenger
            .judge(Stage::Dispute, &values)
            .expect("published");
        match verdict {
            Verdict::Disprove { leaf } => {
                let steps = self.court.steps();
                let published = challenger.published(&values);
                assert_eq!(steps.is_spendable(leaf, &published), Ok(true), "{said:?}");
                Ok(kind(&steps.leaf(leaf).to_string()))
            }
            Verdict::Open => {
                let answer = challenger.answer(choice, &values).expect("published");
                Err(self.canonical(point, said, answer))
            }
            Verdict::Concede => panic!("nothing is found false in {said:?} after {point:?}"),
        }
    }

    /// The point after an access was opened, with only that of the record which is about it.
    fn canonical(&self, point: &Values, said: &Said, answer: Values) -> Values {
        let mut values = point.clone();
        let mut access = 0;
        for (theirs, value) in answer {
            access = value
                .iter()
                .rev()
                .fold(0, |word, &bit| word << 1 | u32::from(bit));
            values.insert(self.number(self.group(theirs)), value);
        }
        let [_, _, sources, target, memory, m, w, a, b, old] = said.words;
        let zero = Cell::ZERO.label();
        let mut kept = Said {
            words: [0, 0, 0, zero, zero, 0, 0, 0, 0, 0],
            roots: [said.roots[0], [0; 20]],
        };
        match access {
            0 => (kept.words[2], kept.words[7]) = (sources & 31, a),
            1 => (kept.words[2], kept.words[8]) = (sources & 31 << 5, b),
            2 => (kept.words[4], kept.words[5]) = (memory, m),
            _ => {
                (kept.words[3], kept.words[6], kept.words[9]) = (target, w, old);
                kept.roots = said.roots;
            }
        }
        let mut record = Published::new();
        kept.publish(&mut record);
        values.extend(Group::RECORD.map(|group| self.bits(&record, group)));
        values.retain(|&number, _| !matches!(self.group(number), Group::Digest { .. }));
        values
    }

    /// Everything that may be said of the path of each opened access.
    fn open(&self, mut points: Points, plays: &mut Plays) {
        let moves = &self.program.layout().opening;
        for (made, step) in moves.iter().enumerate().skip(1) {
            let groups: Vec<usize> = step.batches.iter().flat_map(|b| b.groups()).collect();
            points = match step.mover {
                Role::Challenger => self.choose(points, &groups, plays),
                Role::Prover if made + 1 < moves.len() => {
                    self.say(points, &groups, &|truth, point| {
                        self.nodes(truth, point, &groups)
                    })
                }
                Role::Prover => {
                    self.say(points, &groups, &|truth, point| self.siblings(truth, point))
                }
            };
        }
        plays.points += points.len();
        let ends = self.each(points, |challenger, (values, count)| {
            let verdict = challenger
                .judge(Stage::Opening, &values)
                .expect("published");
            let Verdict::Disprove { leaf } = verdict else {
                panic!("no level is false in {values:?}");
            };
            let published = challenger.published(&values);
            let paths = self.court.paths();
            assert_eq!(paths.is_spendable(leaf, &published), Ok(true));
            let leaf = paths.leaves().nth(leaf).expect("it was spendable");
            let name = leaf.to_string();
            (
                name.split(',').next().expect("a name").to_owned() + ")",
                count,
            )
        });
        for (end, count) in ends {
            *plays.ends.entry(end).or_default() += count;
        }
    }

    /// The opened access: its number, its cell, what it says was there, and what it says is there afterwards.
    fn access(&self, published: &Published) -> (u32, Cell, u32, u32) {
        let access = published.word(Group::Access).expect("opened");
        let record = published.record().expect("published").expect("of cells");
        let (cell, said, written) = match access {
            0 => (record.a.cell, record.a.value, 0),
            1 => (record.b.cell, record.b.value, 0),
            2 => (record.m.cell, record.m.value, 0),
            _ => (record.w.cell, record.w.old, record.w.value),
        };
        (access, cell, said, written)
    }

    /// For each old node of a round the truth, what follows from the word that the record says, and that of another tree; and the like for new
    /// nodes. Nobody looks at new nodes of a read, nor at what is revealed above the root.
    fn nodes(&self, truth: &TraceDispute<'_>, point: &Values, groups: &[usize]) -> Options {
        let published = truth.published(point);
        let (step, _, _) = left(self.court.search(), Group::Selection, &published);
        let (access, cell, said, written) = self.access(&published);
        let (word, path) = truth
            .with_execution(&published, |execution| execution.path_at(step, cell))
            .expect("the input was published");
        let levels = self.court.paths().levels();
        let other = other_path(cell, levels);
        let olds = [path.nodes(word), path.nodes(said), other.nodes(said)];
        let news = [path.nodes(written), other.nodes(written), path.nodes(word)];
        let mut options = BTreeMap::new();
        for &number in groups {
            let Group::PathNode { round, index, new } = self.group(number) else {
                continue;
            };
            let search = self.court.paths().search();
            let (first, _, part) = left(search, Group::PathSelection, &published);
            let level = first + u64::from(index + 1) * part;
            if level >= levels.into() || (new && access < 3) {
                continue;
            }
            let group = Group::PathNode { round, index, new };
            let mut distinct = Vec::new();
            for nodes in if new { &news } else { &olds } {
                let mut value = Published::new();
                value.set_node(group, &nodes[level as usize].to_bytes()); // cast ok: at most 30
                let (_, bits) = self.bits(&value, group);
                if !distinct.contains(&bits) {
                    distinct.push(bits);
                }
            }
            options.insert(number, distinct);
        }
        options
    }

    /// The sibling, or that in another tree.
    fn siblings(&self, truth: &TraceDispute<'_>, point: &Values) -> Options {
        let published = truth.published(point);
        let (step, _, _) = left(self.court.search(), Group::Selection, &published);
        let search = self.court.paths().search();
        let (level, _, _) = left(search, Group::PathSelection, &published);
        let (_, cell, _, _) = self.access(&published);
        let (_, path) = truth
            .with_execution(&published, |execution| execution.path_at(step, cell))
            .expect("the input was published");
        let other = other_path(cell, self.court.paths().levels());
        let values = [path, other].map(|path| {
            let mut value = Published::new();
            let sibling = path.siblings()[level as usize]; // cast ok: the challenger stays below the root
            value.set_node(Group::Sibling, &sibling.to_bytes());
            self.bits(&value, Group::Sibling).1
        });
        BTreeMap::from([(self.number(Group::Sibling), values.to_vec())])
    }
}

/// What the selections so far leave of a search: the first interval, how many there are, and how many a part of the next round has.
fn left(search: &Search, group: fn(u32) -> Group, published: &Published) -> (u64, u64, u64) {
    let selections: Vec<u32> = (0..search.rounds())
        .map_while(|round| published.word(group(round)).ok())
        .collect();
    let (first, count) = search
        .left_after(&selections)
        .expect("selected by a challenger");
    let round = selections.len() as u32; // cast ok: few
    let parts = if round < search.rounds() {
        search.arity(round)
    } else {
        1
    };
    (first, count, count / u64::from(parts))
}

/// Counts what is the same together.
fn collected(points: Vec<(Values, u128)>) -> Points {
    let mut all = Points::new();
    for (point, count) in points {
        *all.entry(point).or_default() += count;
    }
    all
}

/// The name of a leaf without what it is about.
fn kind(leaf: &str) -> String {
    leaf.split('(').next().unwrap_or_default().to_owned()
}
