//! All that a dispute over a program's trace commits to and may end at, in the order in which it is said.

use std::collections::BTreeMap;
use std::sync::Arc;

use bitcoin::XOnlyPublicKey;
use sha2::{Digest, Sha256};
use tapcourt_commitment::{Opening, Parameters, PublicKey};
use tapcourt_program::riscv::{AddressSpace, Program, State, Tree};
use tapcourt_script::taptree::LeafSource;

use super::{CompileError, Group, Options, PathAccess, PathLeaf, Paths, Search, StepLeaf, Steps};

/// A party of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// Claims, and publishes digests, records and nodes.
    Prover,
    /// Selects.
    Challenger,
}

/// A group of a contract, which has a number: its place in [`Court::entries`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is said.
    pub group: Group,
    /// Who says it. What the challenger selects, the prover says again under a key of its own: that is the one that leaves open.
    pub party: Party,
    /// For key derivation; unique among the party's.
    pub label: String,
    /// The shape of the one-time key.
    pub parameters: Parameters,
}

/// What is said in an entry, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// A value of the prover's, by the number of its entry.
    Value(usize),
    /// One of so many options, chosen by the challenger.
    Choice {
        /// The challenger's entry.
        entry: usize,
        /// How many there are.
        options: u32,
    },
    /// The prover repeats what the challenger has chosen.
    Repeat {
        /// The challenger's entry.
        theirs: usize,
        /// The prover's entry.
        own: usize,
    },
}

/// What a party says before it is the other one's turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whose turn it is.
    pub party: Party,
    /// What it says.
    pub statements: Vec<Statement>,
}

/// After what the leaves are that a dispute may end at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// After the record of a step: [`StepLeaf`].
    Step,
    /// After the sibling on a path: [`PathLeaf`].
    Path,
}

/// A leaf that a dispute may end at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CourtLeaf {
    /// It checks a step.
    Step(StepLeaf),
    /// It checks a level of a Merkle path.
    Path(PathLeaf),
}

/// `semantics(0x00010000)`, `path(a, 3)` …
impl std::fmt::Display for CourtLeaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Step(leaf) => leaf.fmt(f),
            Self::Path(leaf) => leaf.fmt(f),
        }
    }
}

/// How a program is disputed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourtOptions {
    /// How many words of input the prover commits to, and the search over the trace.
    pub steps: Options,
    /// The search over the levels of a Merkle path; the [default one](Self::default_path) if it is
    /// not given.
    pub path: Option<Search>,
    /// The addresses that are memory; those that [the program itself](Program::space) says if they
    /// are not given.
    pub space: Option<AddressSpace>,
}

impl CourtOptions {
    /// The search over as many levels as this address space needs in which three rounds reveal the
    /// fewest nodes, and no round many: 3, 3, 3 for the default space.
    ///
    /// # Panics
    /// Never: the arities make a search.
    pub fn default_path(space: AddressSpace) -> Search {
        let arities = || 2..=Search::MAX_ARITY;
        let all = arities().flat_map(|a| {
            let pairs =
                (a..=Search::MAX_ARITY).flat_map(|b| (b..=Search::MAX_ARITY).map(move |c| (b, c)));
            pairs.map(move |(b, c)| [a, b, c])
        });
        let enough = all.filter(|arities| arities.iter().product::<u32>() >= space.levels());
        let best =
            enough.min_by_key(|arities| (arities.iter().sum::<u32>(), arities[2], arities[1]));
        let best = best.expect("16 x 16 x 16 levels are more than there are");
        Search::new(best.to_vec()).expect("arities from 2 to 16")
    }
}

/// The leaves of a program and the groups of both parties, compiled, without keys.
#[derive(Debug)]
pub struct Court {
    /// Of the first state's tree.
    root: [u8; 20],
    steps: Steps,
    paths: Arc<Paths>,
    entries: Vec<Entry>,
    /// The prover's entries by group: those that leaves open.
    numbers: BTreeMap<Group, usize>,
    /// The challenger's entries by group.
    choices: BTreeMap<Group, usize>,
    digest: [u8; 32],
}

impl Court {
    /// Compiles the leaves of a program.
    ///
    /// # Errors
    /// As [`Program::with_space`], [`Steps::compile`] and [`Paths::compile`].
    pub fn compile(program: Arc<Program>, options: CourtOptions) -> Result<Self, CompileError> {
        let space = options.space.unwrap_or(program.space());
        let program = if space == program.space() {
            program
        } else {
            Arc::new(Arc::unwrap_or_clone(program).with_space(space)?)
        };
        let path = options
            .path
            .unwrap_or_else(|| CourtOptions::default_path(space));
        let root = Tree::of_state(&State::new(&program)).root().to_bytes();
        let paths = Paths::compile(space, path)?;
        let steps = Steps::compile(program, root, options.steps)?;
        Ok(Self::new(root, steps, Arc::new(paths)))
    }

    /// The same program under other searches. What instructions share is not compiled again, nor
    /// are paths that are searched as here.
    ///
    /// # Errors
    /// As [`Paths::compile`].
    pub fn with_searches(&self, trace: Search, path: Search) -> Result<Self, CompileError> {
        let steps = self.steps.with_search(trace);
        let paths = if path == *self.paths.search() {
            Arc::clone(&self.paths)
        } else {
            Arc::new(Paths::compile(self.steps.program().space(), path)?)
        };
        Ok(Self::new(self.root, steps, paths))
    }

    fn new(root: [u8; 20], steps: Steps, paths: Arc<Paths>) -> Self {
        let digest = digest(steps.program(), &root, steps.options(), paths.search());
        let mut court = Self {
            root,
            steps,
            paths,
            entries: Vec::new(),
            numbers: BTreeMap::new(),
            choices: BTreeMap::new(),
            digest,
        };
        let spoken = [court.steps.groups(), court.paths.groups()].concat();
        for group in spoken {
            let parameters = court.parameters(group);
            if is_choice(group) {
                court.add(group, Party::Challenger, parameters.clone());
            }
            court.add(group, Party::Prover, parameters);
        }
        court
    }

    fn add(&mut self, group: Group, party: Party, parameters: Parameters) {
        let number = self.entries.len();
        match party {
            Party::Prover => self.numbers.insert(group, number),
            Party::Challenger => self.choices.insert(group, number),
        };
        self.entries.push(Entry {
            group,
            party,
            label: group.to_string(),
            parameters,
        });
    }

    fn parameters(&self, group: Group) -> Parameters {
        match group {
            Group::PathSelection(_) => self.paths.parameters(group),
            group => self.steps.parameters(group),
        }
    }

    /// The program.
    pub fn program(&self) -> &Program {
        self.steps.program()
    }

    /// How the program is disputed, with nothing left to defaults.
    pub fn options(&self) -> CourtOptions {
        CourtOptions {
            steps: self.steps.options().clone(),
            path: Some(self.paths.search().clone()),
            space: Some(self.program().space()),
        }
    }

    /// What names the program with everything that its leaves depend on but keys.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The leaves that check a step.
    pub fn steps(&self) -> &Steps {
        &self.steps
    }

    /// The leaves that check a level of a path.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The search over the trace.
    pub fn search(&self) -> &Search {
        &self.steps.options().search
    }

    /// How many steps a claim is about.
    pub fn steps_claimed(&self) -> u64 {
        self.search().count()
    }

    /// All groups of both parties, by number.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The number of a party's entry for a group, if it has one.
    pub fn number(&self, party: Party, group: Group) -> Option<usize> {
        let entries = match party {
            Party::Prover => &self.numbers,
            Party::Challenger => &self.choices,
        };
        entries.get(&group).copied()
    }

    /// The entries that make up a claim: the input.
    pub fn claim(&self) -> Vec<usize> {
        self.numbers
            .iter()
            .filter(|(group, _)| matches!(group, Group::Inputs(_)))
            .map(|(_, &number)| number)
            .collect()
    }

    /// The turns from the challenge to the record of one step.
    pub fn dispute(&self) -> Vec<Turn> {
        let search = self.search();
        let mut turns = Vec::new();
        let mut chosen = None;
        for round in 0..search.rounds() {
            let digests = (0..search.arity(round) - 1).map(|index| Group::Digest { round, index });
            turns.push(self.prover_turn(chosen, digests));
            let selection = Group::Selection(round);
            turns.push(self.challenger_turn(selection, search.arity(round)));
            chosen = Some(selection);
        }
        turns.push(self.prover_turn(chosen, Group::RECORD));
        turns
    }

    /// The turns from the access that the challenger has opened to the sibling at one level of its path.
    pub fn opening(&self) -> Vec<Turn> {
        let search = self.paths.search();
        let mut turns = vec![self.challenger_turn(Group::Access, PathAccess::NUMBERS)];
        let mut chosen = Some(Group::Access);
        for round in 0..search.rounds() {
            let nodes = (0..search.arity(round) - 1)
                .flat_map(|index| [false, true].map(|new| Group::PathNode { round, index, new }));
            turns.push(self.prover_turn(chosen, nodes));
            let selection = Group::PathSelection(round);
            turns.push(self.challenger_turn(selection, search.arity(round)));
            chosen = Some(selection);
        }
        turns.push(self.prover_turn(chosen, [Group::Sibling]));
        turns
    }

    /// The prover repeats what was chosen and says more.
    fn prover_turn(&self, chosen: Option<Group>, values: impl IntoIterator<Item = Group>) -> Turn {
        let repeat = chosen.map(|group| Statement::Repeat {
            theirs: self.choices[&group],
            own: self.numbers[&group],
        });
        let values = values
            .into_iter()
            .map(|group| Statement::Value(self.numbers[&group]));
        Turn {
            party: Party::Prover,
            statements: repeat.into_iter().chain(values).collect(),
        }
    }

    fn challenger_turn(&self, group: Group, options: u32) -> Turn {
        Turn {
            party: Party::Challenger,
            statements: vec![Statement::Choice {
                entry: self.choices[&group],
                options,
            }],
        }
    }

    /// How many leaves there are at an end.
    pub fn leaf_count(&self, end: End) -> usize {
        match end {
            End::Step => self.steps.len(),
            End::Path => self.paths.len(),
        }
    }

    /// A leaf by its number at an end, if there is one.
    pub fn leaf(&self, end: End, index: usize) -> Option<CourtLeaf> {
        match end {
            End::Step => {
                (index < self.steps.len()).then(|| CourtLeaf::Step(self.steps.leaf(index)))
            }
            End::Path => self.paths.leaves().nth(index).map(CourtLeaf::Path),
        }
    }

    /// The leaves for given keys, one an entry.
    ///
    /// # Panics
    /// If there are fewer keys than entries.
    pub fn leaf_source<'a>(
        &'a self,
        end: End,
        keys: &[PublicKey],
        challenger: XOnlyPublicKey,
    ) -> Box<dyn LeafSource + 'a> {
        let keys: BTreeMap<Group, PublicKey> = self
            .numbers
            .iter()
            .map(|(&group, &number)| (group, keys[number].clone()))
            .collect();
        match end {
            End::Step => Box::new(self.steps.leaf_source(keys, challenger)),
            End::Path => Box::new(self.paths.leaf_source(keys, challenger)),
        }
    }

    /// The witness of a leaf without the challenger's signature, which goes on top, from openings by entry. Bottom first. `None` if an
    /// opening is missing.
    ///
    /// # Panics
    /// If there is no such leaf.
    pub fn witness(
        &self,
        end: End,
        index: usize,
        openings: &BTreeMap<usize, Opening>,
    ) -> Option<Vec<Vec<u8>>> {
        let openings: BTreeMap<Group, Opening> = self
            .numbers
            .iter()
            .filter_map(|(&group, number)| Some((group, openings.get(number)?.clone())))
            .collect();
        match end {
            End::Step => self.steps.witness(index, &openings),
            End::Path => self.paths.witness(index, &openings),
        }
    }
}

/// Whether a group is first chosen by the challenger.
fn is_choice(group: Group) -> bool {
    matches!(
        group,
        Group::Selection(_) | Group::PathSelection(_) | Group::Access
    )
}

/// Hashes everything that the leaves depend on but keys: the program's instructions, memory,
/// address space and entry, the searches, and this compiler's version.
fn digest(program: &Program, root: &[u8; 20], options: &Options, path: &Search) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes()); // cast ok: a length in memory fits 64 bits
        hash.update(bytes);
    };
    part(b"tapcourt/trace/2");
    part(env!("CARGO_PKG_VERSION").as_bytes());
    part(&program.space().log2_bytes().to_le_bytes());
    part(&program.entry().to_le_bytes());
    part(root);
    let code: Vec<u8> = program
        .rom()
        .iter()
        .flat_map(|(pc, instruction)| {
            [pc.to_le_bytes(), instruction.encode().to_le_bytes()].concat()
        })
        .collect();
    part(&code);
    part(&options.inputs.to_le_bytes());
    let fixed = options.fixed.iter();
    part(
        &fixed
            .flat_map(|word| word.to_le_bytes())
            .collect::<Vec<u8>>(),
    );
    for search in [&options.search, path] {
        let arities: Vec<u8> = search
            .arities()
            .iter()
            .flat_map(|arity| arity.to_le_bytes())
            .collect();
        part(&arities);
    }
    hash.finalize().into()
}
