//! The leaves that check one step of a program.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock, RwLock};

use bitcoin::{ScriptBuf, TapLeafHash, XOnlyPublicKey};
use rayon::prelude::*;
use tapcourt_commitment::{Opening, Parameters, PublicKey};
use tapcourt_program::riscv::{ACCEPT_PC, INPUT_CALL, Instruction, Op, Program, ProgramError};
use tapcourt_script::dataflow;
use tapcourt_script::gadgets::HashError;
use tapcourt_script::taptree::{LeafSource, PrefixHasher, leaf_hash};

use super::boundary::{self, selected, selected_end};
use super::group::{INPUT_BLOCK_WORDS, WORDS_A, WORDS_B, WORDS_W};
use super::leaf::{Leaf, SharedHash};
use super::opening::Openings;
use super::published::{Published, PublishedError};
use super::semantics::{Class, Kind};
use super::{Group, Paths, Search, Side, rom};
use crate::LeafSize;

/// What a compiled program is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The first words of the input, which the contract fixes: such as what a light client starts from, or a verifying key. Nobody
    /// publishes them.
    pub fixed: Vec<u32>,
    /// How many words of input follow that the prover commits to. Reading beyond stops in place.
    pub inputs: u32,
    /// The search over the trace: as many intervals as the trace has steps.
    pub search: Search,
}

impl Options {
    /// How many words of input there are in all.
    pub fn words(&self) -> u32 {
        self.fixed.len() as u32 + self.inputs // casts ok: both are at most MAX_INPUTS once compiled
    }

    /// The whole input, from what was published of it.
    ///
    /// # Errors
    /// If a block of it was not published.
    pub fn input(&self, published: &Published) -> Result<Vec<u32>, PublishedError> {
        let committed = (0..self.inputs).map(|word| published.input(word));
        self.fixed
            .iter()
            .map(|&word| Ok(word))
            .chain(committed)
            .collect()
    }

    /// How many blocks the committed words of input make: each is a [`Group::Inputs`].
    pub fn input_blocks(&self) -> u32 {
        self.inputs.div_ceil(INPUT_BLOCK_WORDS)
    }

    /// How many words a block of the input has.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn block_words(&self, block: u32) -> u32 {
        let blocks = self.input_blocks();
        assert!(block < blocks, "block {block} of {blocks}");
        (self.inputs - INPUT_BLOCK_WORDS * block).min(INPUT_BLOCK_WORDS)
    }
}

/// Why a program has no leaves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// A computation takes too many stack items.
    #[error(transparent)]
    Stack(#[from] dataflow::CompileError),
    /// A hash takes too many stack items.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// More input words than leaves can be numbered for.
    #[error("{inputs} words of input, at most {limit} are possible")]
    Inputs {
        /// Words asked for, fixed and committed.
        inputs: u64,
        /// Most words.
        limit: u32,
    },
    /// The program does not fit its address space.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The search over a Merkle path has fewer intervals than a path has levels, or far more.
    #[error(
        "a search over {count} levels of a path, where {levels} to {} are possible",
        Paths::MAX_SEARCH_COUNT
    )]
    PathSearch {
        /// The number of intervals.
        count: u64,
        /// How many levels a path has.
        levels: u32,
    },
}

/// Most words of input.
const MAX_INPUTS: u32 = 1 << 16;

/// What an input word is held against.
#[derive(Clone, Copy, Debug)]
pub(super) enum InputWord {
    /// A constant.
    Fixed(u32),
    /// What the prover has committed to: which of these words.
    Committed(u32),
}

/// How the leaves of each input word open the record, and what was committed to.
fn input_openings(options: &Options) -> Vec<Arc<Openings>> {
    let fixed = Arc::new(rom::fixed_input_openings());
    let fixed = std::iter::repeat_n(fixed, options.fixed.len());
    let committed = (0..options.inputs).map(|word| {
        let words = options.block_words(word / INPUT_BLOCK_WORDS);
        Arc::new(rom::input_openings(word, words))
    });
    fixed.chain(committed).collect()
}

/// The leaves after those of instructions and inputs.
fn last_leaves(search: &Search) -> Vec<StepLeaf> {
    let digests = search.revealed().flat_map(|(round, index)| {
        [Side::Left, Side::Right].map(|side| StepLeaf::Digest { round, index, side })
    });
    [StepLeaf::OutsideRom, StepLeaf::Start, StepLeaf::Accept]
        .into_iter()
        .chain(digests)
        .collect()
}

/// A leaf that checks a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepLeaf {
    /// The record has this `pc`, and is not what the instruction there does. Of a load or store:
    /// the access is made.
    Semantics {
        /// The address of the instruction.
        pc: u32,
    },
    /// The record has this `pc`, where a load or store is that cannot be made, as its address is
    /// misaligned or no memory; and it is not that of a machine that stops in place.
    Stop {
        /// The address of the load or store.
        pc: u32,
    },
    /// The call at this `pc` reads this word of input, and gives something else.
    Input {
        /// The address of an `ecall`.
        pc: u32,
        /// The number of the input word.
        word: u32,
    },
    /// `pc` is in no instruction, and the machine does not stop in place.
    OutsideRom,
    /// The first step is not the program's first.
    Start,
    /// The last step does not lead to acceptance.
    Accept,
    /// A revealed digest is not that of the step's end.
    Digest {
        /// The round it was revealed in.
        round: u32,
        /// Which of those in this round, from 0.
        index: u32,
        /// The end.
        side: Side,
    },
}

/// `semantics(0x00010000)`, `input(0x00010000, 3)`, `digest(2, 0, left)` …
impl fmt::Display for StepLeaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Semantics { pc } => write!(f, "semantics({pc:#010x})"),
            Self::Stop { pc } => write!(f, "stop({pc:#010x})"),
            Self::Input { pc, word } => write!(f, "input({pc:#010x}, {word})"),
            Self::OutsideRom => f.write_str("outside-rom"),
            Self::Start => f.write_str("start"),
            Self::Accept => f.write_str("accept"),
            Self::Digest { round, index, side } => {
                let side = match side {
                    Side::Left => "left",
                    Side::Right => "right",
                };
                write!(f, "digest({round}, {index}, {side})")
            }
        }
    }
}

/// The leaves that check one step of a program, without keys.
///
/// Of the leaves that each instruction has, only what is shared is kept; the rest is made when asked for.
#[derive(Debug)]
pub struct Steps {
    program: Arc<Program>,
    options: Options,
    root: [u8; 20],
    /// By instruction, in the order of the ROM: its class.
    kinds: Vec<u32>,
    /// The loads and stores, by address: which instruction, and the class of its leaf for an access
    /// that cannot be made.
    stops: Vec<(u32, u32)>,
    classes: Arc<[Class]>,
    /// The addresses of calls.
    calls: Vec<u32>,
    inputs: Vec<Arc<Openings>>,
    outside: Leaf,
    hash: &'static SharedHash,
    /// Leaves after those of instructions and inputs.
    last: Vec<StepLeaf>,
    /// Sizes of all leaves before those, once they are measured. They do not depend on the search, but for the depth of the tree.
    sizes: Arc<OnceLock<Vec<LeafSize>>>,
}

impl Steps {
    /// Compiles the leaves for a program whose first state has this root.
    ///
    /// # Errors
    /// If a script does not fit the stack, or there are more than 2^16 input words.
    pub fn compile(
        program: impl Into<Arc<Program>>,
        root: [u8; 20],
        options: Options,
    ) -> Result<Self, CompileError> {
        let program: Arc<Program> = program.into();
        let inputs = (options.fixed.len() as u64) + u64::from(options.inputs); // cast ok: usize is at most 64 bits
        if inputs > MAX_INPUTS.into() {
            return Err(CompileError::Inputs {
                inputs,
                limit: MAX_INPUTS,
            });
        }
        let used: BTreeSet<Kind> = program
            .rom()
            .iter()
            .flat_map(|(_, instruction)| {
                std::iter::once(Kind::of(instruction)).chain(Kind::stopped(instruction))
            })
            .collect();
        let used: Vec<Kind> = used.into_iter().collect();
        let classes: Vec<Class> = used
            .par_iter()
            .map(|&kind| Class::new(kind, options.words(), program.space()))
            .collect::<Result<_, _>>()?;
        let classes = classes.into();
        let places: HashMap<Kind, u32> = used.into_iter().zip(0..).collect();
        let kinds = program
            .rom()
            .iter()
            .map(|(_, instruction)| places[&Kind::of(instruction)])
            .collect();
        let stops = (0..).zip(program.rom().iter());
        let stops = stops
            .filter_map(|(index, (_, instruction))| {
                Some((index, places[&Kind::stopped(instruction)?]))
            })
            .collect();
        let calls = program
            .rom()
            .iter()
            .filter(|(_, instruction)| instruction.op == Op::Ecall);
        Ok(Self {
            kinds,
            stops,
            classes,
            calls: calls.map(|(pc, _)| pc).collect(),
            inputs: input_openings(&options),
            outside: rom::outside(program.rom())?,
            hash: SharedHash::of_digest()?,
            last: last_leaves(&options.search),
            sizes: Arc::default(),
            program,
            root,
            options,
        })
    }

    /// The leaves of the same program for another search. What instructions share is not compiled again.
    #[must_use]
    pub fn with_search(&self, search: Search) -> Self {
        Self {
            program: Arc::clone(&self.program),
            root: self.root,
            kinds: self.kinds.clone(),
            stops: self.stops.clone(),
            classes: Arc::clone(&self.classes),
            calls: self.calls.clone(),
            inputs: self.inputs.clone(),
            outside: self.outside.clone(),
            hash: self.hash,
            last: last_leaves(&search),
            sizes: Arc::clone(&self.sizes),
            options: Options {
                search,
                ..self.options.clone()
            },
        }
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The number of input words, and the search.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How many leaves there are.
    pub fn len(&self) -> usize {
        self.before_last() + self.last.len()
    }

    /// How many leaves come before those of inputs.
    fn before_inputs(&self) -> usize {
        self.kinds.len() + self.stops.len()
    }

    /// How many leaves come before those that every program has.
    fn before_last(&self) -> usize {
        self.before_inputs() + self.calls.len() * self.inputs.len()
    }

    /// Whether there are none: never.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Which leaf is at `index`: instructions by address, then loads and stores that cannot be
    /// made, then inputs, then the rest.
    ///
    /// # Panics
    /// If there is none.
    pub fn leaf(&self, index: usize) -> StepLeaf {
        if index < self.kinds.len() {
            return StepLeaf::Semantics {
                pc: self.instruction(index).0,
            };
        }
        if index < self.before_inputs() {
            return StepLeaf::Stop {
                pc: self.instruction(index).0,
            };
        }
        if index < self.before_last() {
            let index = index - self.before_inputs();
            let (call, word) = (index / self.inputs.len(), index % self.inputs.len());
            return StepLeaf::Input {
                pc: self.calls[call],
                word: word as u32, // cast ok: at most MAX_INPUTS
            };
        }
        self.last[index - self.before_last()]
    }

    /// Where a leaf is, if there is one.
    pub fn index(&self, leaf: StepLeaf) -> Option<usize> {
        match leaf {
            StepLeaf::Semantics { pc } => self.program.rom().index(pc),
            StepLeaf::Stop { pc } => {
                let instruction = u32::try_from(self.program.rom().index(pc)?).ok()?;
                let stop = self.stops.binary_search_by_key(&instruction, |stop| stop.0);
                Some(self.kinds.len() + stop.ok()?)
            }
            StepLeaf::Input { pc, word } => {
                let call = self.calls.binary_search(&pc).ok()?;
                let word = word as usize; // cast ok: usize has at least 32 bits here
                (word < self.inputs.len())
                    .then(|| self.before_inputs() + call * self.inputs.len() + word)
            }
            leaf => {
                let place = self.last.iter().position(|&other| other == leaf)?;
                Some(self.before_last() + place)
            }
        }
    }

    /// Where the leaves of the instruction at `pc` are: one, and two for a load or store. There are
    /// none if no instruction is there.
    pub fn leaves_at(&self, pc: u32) -> impl Iterator<Item = usize> {
        let leaves = [StepLeaf::Semantics { pc }, StepLeaf::Stop { pc }];
        leaves.into_iter().filter_map(|leaf| self.index(leaf))
    }

    /// The address and instruction that a leaf before those of inputs is about.
    fn instruction(&self, index: usize) -> (u32, Instruction) {
        let index = match index.checked_sub(self.kinds.len()) {
            Some(stop) => self.stops[stop].0 as usize, // cast ok: an index
            None => index,
        };
        self.program
            .rom()
            .at(index)
            .expect("an instruction of the ROM")
    }

    /// The leaf without keys.
    fn template(&self, index: usize) -> Leaf {
        let search = &self.options.search;
        match self.leaf(index) {
            StepLeaf::Semantics { .. } | StepLeaf::Stop { .. } => {
                let (pc, instruction) = self.instruction(index);
                self.class(index).leaf(pc, instruction)
            }
            StepLeaf::Input { pc, word } => {
                let openings = &self.inputs[word as usize]; // cast ok: an index
                rom::input(openings, pc, word, self.input(word))
            }
            StepLeaf::OutsideRom => self.outside.clone(),
            StepLeaf::Start => boundary::start(search, self.program.entry(), &self.root),
            StepLeaf::Accept => boundary::accept(search),
            StepLeaf::Digest { round, index, side } => {
                boundary::digest(search, self.hash, round, index, side)
            }
        }
    }

    /// What an input word is held against.
    fn input(&self, word: u32) -> InputWord {
        let fixed = &self.options.fixed;
        match fixed.get(word as usize) {
            // cast ok: an index
            Some(&value) => InputWord::Fixed(value),
            None => InputWord::Committed(word - fixed.len() as u32), // cast ok: at most MAX_INPUTS
        }
    }

    /// The number of the class of a leaf before those of inputs.
    fn class_number(&self, index: usize) -> usize {
        let number = match index.checked_sub(self.kinds.len()) {
            Some(stop) => self.stops[stop].1,
            None => self.kinds[index],
        };
        number as usize // cast ok: an index
    }

    fn class(&self, index: usize) -> &Class {
        &self.classes[self.class_number(index)]
    }

    /// The groups that a leaf opens, the one opened last first.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn opened_groups(&self, index: usize) -> Vec<Group> {
        self.template(index).openings.groups().collect()
    }

    /// The groups that a dispute commits to up to its step: inputs, digests and selections of every round, and the record.
    pub fn groups(&self) -> Vec<Group> {
        let search = &self.options.search;
        let inputs = (0..self.options.input_blocks()).map(Group::Inputs);
        let selections = (0..search.rounds()).map(Group::Selection);
        let digests = search
            .revealed()
            .map(|(round, index)| Group::Digest { round, index });
        inputs
            .chain(selections)
            .chain(digests)
            .chain(Group::RECORD)
            .collect()
    }

    /// The shape of a group's one-time key.
    ///
    /// # Panics
    /// If it is a selection in a round that there is not, a block of input that there is not, or a selection of a level.
    pub fn parameters(&self, group: Group) -> Parameters {
        let bits = match group {
            Group::Selection(round) => self.options.search.selection_bits(round).into(),
            Group::Inputs(block) => 32 * self.options.block_words(block) as usize, // cast ok: at most 8
            _ => 0,
        };
        group.parameters(bits)
    }

    /// Exact sizes of a leaf, for any keys.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn leaf_size(&self, index: usize) -> LeafSize {
        self.template(index).size(self.len())
    }

    /// The sizes of all leaves, as [`Self::leaf_size`] has them.
    pub fn leaf_sizes(&self) -> Vec<LeafSize> {
        let leaves = self.len();
        let first = leaves - self.last.len();
        let measure = |index| self.template(index).size(leaves);
        let sizes = self
            .sizes
            .get_or_init(|| (0..first).into_par_iter().map(measure).collect());
        let last: Vec<LeafSize> = (first..leaves).into_par_iter().map(measure).collect();
        let first = sizes.iter().map(|size| size.weighed(leaves));
        first.chain(last).collect()
    }

    /// The script of a leaf after its openings, the same for all keys.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn body(&self, index: usize) -> ScriptBuf {
        self.template(index).body
    }

    /// What lies on the stacks when a leaf's [`body`](Self::body) begins, given what was published: hints on the stack, bottom first, and the opened digits
    /// on the altstack, the one on top first.
    ///
    /// # Errors
    /// If something that it opens was not published.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn delivered(
        &self,
        index: usize,
        published: &Published,
    ) -> Result<(Vec<Vec<u8>>, Vec<i64>), PublishedError> {
        let template = self.template(index);
        let hints = self.hints(index, published)?;
        Ok((hints, template.openings.numbers(published)?))
    }

    fn hints(&self, index: usize, published: &Published) -> Result<Vec<Vec<u8>>, PublishedError> {
        if index >= self.before_inputs() {
            return Ok(Vec::new());
        }
        let (pc, instruction) = self.instruction(index);
        self.class(index).hints(pc, instruction, published)
    }

    /// Whether a leaf is spendable, given what was published: from plain Rust, without any script.
    ///
    /// # Errors
    /// If something that it opens was not published.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn is_spendable(
        &self,
        index: usize,
        published: &Published,
    ) -> Result<bool, PublishedError> {
        let search = &self.options.search;
        let were_selected = |selected: boundary::Selected| {
            for (round, selection) in selected {
                if published.word(Group::Selection(round))? != selection {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        Ok(match self.leaf(index) {
            StepLeaf::Semantics { pc } => {
                let instruction = self.instruction(index).1;
                let is_made = self.is_made(instruction, published)?;
                let judges = published.word(Group::Pc)? == pc && is_made;
                judges && self.is_wrong(Some(instruction), published)?
            }
            StepLeaf::Stop { pc } => {
                let instruction = self.instruction(index).1;
                let is_made = self.is_made(instruction, published)?;
                let judges = published.word(Group::Pc)? == pc && !is_made;
                judges && self.is_wrong(Some(instruction), published)?
            }
            StepLeaf::Input { pc, word } => {
                published.word(Group::Pc)? == pc
                    && published.one_of_words(WORDS_A)? == INPUT_CALL
                    && published.one_of_words(WORDS_B)? == word
                    && published.one_of_words(WORDS_W)?
                        != match self.input(word) {
                            InputWord::Fixed(value) => value,
                            InputWord::Committed(word) => published.input(word)?,
                        }
            }
            StepLeaf::OutsideRom => {
                let pc = published.word(Group::Pc)?;
                self.program.rom().get(pc).is_none() && self.is_wrong(None, published)?
            }
            StepLeaf::Start => {
                let root = published.node(Group::Root)?;
                let starts =
                    published.word(Group::Pc)? == self.program.entry() && root == self.root;
                !starts && were_selected(selected_end(search, Side::Left))?
            }
            StepLeaf::Accept => {
                published.word(Group::NextPc)? != ACCEPT_PC
                    && were_selected(selected_end(search, Side::Right))?
            }
            StepLeaf::Digest { round, index, side } => {
                let (pc, root) = match side {
                    Side::Left => (Group::Pc, Group::Root),
                    Side::Right => (Group::NextPc, Group::NextRoot),
                };
                let state = [
                    &published.word(pc)?.to_le_bytes()[..],
                    &published.node(root)?,
                ]
                .concat();
                let digest = published.node(Group::Digest { round, index })?;
                ::blake3::hash(&state).as_bytes()[..20] != digest
                    && were_selected(selected(search, round, index, side))?
            }
        })
    }

    /// Whether a load or store can be made at the address that the record's register says; true for
    /// any other instruction.
    fn is_made(
        &self,
        instruction: Instruction,
        published: &Published,
    ) -> Result<bool, PublishedError> {
        let Some(log2_bytes) = instruction.op.access_log2_bytes() else {
            return Ok(true);
        };
        let address = published
            .one_of_words(WORDS_A)?
            .wrapping_add(instruction.imm);
        Ok(self.program.space().allows(address, log2_bytes))
    }

    /// Whether the record is not what this instruction does.
    fn is_wrong(
        &self,
        instruction: Option<Instruction>,
        published: &Published,
    ) -> Result<bool, PublishedError> {
        let Some(record) = published.record()? else {
            return Ok(true);
        };
        let (inputs, space) = (self.options.words(), self.program.space());
        let mut expected = record.consequence(instruction, inputs, space);
        // The word that is replaced is checked by its path.
        expected.w.old = record.w.old;
        Ok(expected != record)
    }

    /// The witness of a leaf without the challenger's signature, which goes on top. Bottom first. `None` if an opening is missing.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn witness(
        &self,
        index: usize,
        openings: &BTreeMap<Group, Opening>,
    ) -> Option<Vec<Vec<u8>>> {
        let template = self.template(index);
        let mut published = Published::new();
        for group in template.openings.groups() {
            published.set(group, openings.get(&group)?.message());
        }
        let mut witness = self.hints(index, &published).ok()?;
        witness.extend(template.openings.witness(openings)?);
        Some(witness)
    }

    /// The leaves for given keys: one for each of [`Self::groups`].
    pub fn leaf_source<'b>(
        &'b self,
        keys: BTreeMap<Group, PublicKey>,
        challenger: XOnlyPublicKey,
    ) -> StepLeaves<'b> {
        let mut places: HashMap<&Openings, usize> = HashMap::new();
        let mut beginnings = Vec::new();
        let mut place = |openings: &'b Openings| {
            *places.entry(openings).or_insert_with(|| {
                beginnings.push(openings.script(challenger, &keys));
                beginnings.len() - 1
            })
        };
        let of_class = self
            .classes
            .iter()
            .map(|class| place(&class.openings))
            .collect();
        let of_input = self.inputs.iter().map(|openings| place(openings)).collect();
        StepLeaves {
            steps: self,
            keys,
            challenger,
            of_class,
            of_input,
            beginnings,
            hashers: RwLock::default(),
        }
    }
}

/// The leaves of [`Steps`] for given keys; made on demand.
#[derive(Debug)]
pub struct StepLeaves<'a> {
    steps: &'a Steps,
    keys: BTreeMap<Group, PublicKey>,
    challenger: XOnlyPublicKey,
    /// The beginnings that instructions and inputs share.
    beginnings: Vec<Vec<u8>>,
    /// Which of them each class has, then each input word.
    of_class: Vec<usize>,
    of_input: Vec<usize>,
    /// By beginning and length of the whole script.
    hashers: RwLock<HashMap<(usize, usize), PrefixHasher>>,
}

impl StepLeaves<'_> {
    /// The shared beginning of a leaf, if it has one.
    fn beginning(&self, index: usize) -> Option<usize> {
        match self.steps.leaf(index) {
            StepLeaf::Semantics { .. } | StepLeaf::Stop { .. } => {
                Some(self.of_class[self.steps.class_number(index)])
            }
            StepLeaf::Input { word, .. } => Some(self.of_input[word as usize]), // cast ok: an index
            _ => None,
        }
    }
}

impl LeafSource for StepLeaves<'_> {
    fn len(&self) -> usize {
        self.steps.len()
    }

    fn script(&self, index: usize) -> ScriptBuf {
        let leaf = self.steps.template(index);
        match self.beginning(index) {
            Some(beginning) => leaf.script(&self.beginnings[beginning]),
            None => leaf.script(&leaf.openings.script(self.challenger, &self.keys)),
        }
    }

    fn leaf_hash(&self, index: usize) -> TapLeafHash {
        let Some(beginning) = self.beginning(index) else {
            return leaf_hash(&self.script(index));
        };
        let body = self.steps.template(index).body;
        let opened = &self.beginnings[beginning];
        let key = (beginning, opened.len() + body.len());
        let known = |hashers: &HashMap<_, PrefixHasher>| {
            hashers
                .get(&key)
                .map(|hasher| hasher.finish(body.as_bytes()))
        };
        if let Some(hash) = known(
            &self
                .hashers
                .read()
                .expect("nothing panics while it is locked"),
        ) {
            return hash;
        }
        let hasher = PrefixHasher::new(opened, key.1);
        let hash = hasher.finish(body.as_bytes());
        let mut hashers = self
            .hashers
            .write()
            .expect("nothing panics while it is locked");
        hashers.insert(key, hasher);
        hash
    }
}
