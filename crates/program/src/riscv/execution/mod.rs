//! A program's execution, any step of which can be asked for.

mod hasher;
mod snapshots;

use std::borrow::Cow;
use std::ops::Range;

use self::snapshots::{Snapshot, Snapshots};
use super::machine::next_record;
use super::{
    AddressSpace, Cell, Digest, Engine, Node, Path, Program, State, StepRecord, Stop, Tree, Write,
};

/// How many snapshots an [`Execution`] keeps.
///
/// They decide how long an answer takes and how much memory is held, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotLimits {
    /// How many bytes they may hold together. More are held only for the first state, the last one, and two in between, each of which may need
    /// [`Tree::PAGE_BYTES`] for every page that the program has written.
    pub budget_bytes: usize,
    /// How many steps are between two, as long as there are few. The distance is doubled, and every second one dropped, whenever there
    /// are too many.
    pub spacing_steps: u64,
    /// How many there may be at equal distances, and how many besides at steps whose digest was asked for.
    pub count: usize,
}

impl SnapshotLimits {
    /// A bound for the bytes that an [`Execution`] of a program with this memory holds, the program
    /// itself not counted, whatever the input is: all of memory in the engine, Merkle trees that
    /// share nothing, and the snapshots.
    pub fn most_memory_bytes(&self, space: AddressSpace) -> u64 {
        // While the engine's pages move to a place of twice the size, both are there; and for each
        // page of the largest space there are two numbers.
        let engine = 3 * space.bytes() + 8 * u64::from(AddressSpace::LARGEST.pages());
        let tree = u64::from(space.pages()) * Tree::MOST_PAGE_BYTES as u64; // cast ok: some thousands
        // The present one, and those that are hashed beside the run.
        let present = (1 + hasher::MOST_TREES) * tree;
        // Those that are kept even if they are beyond the budget.
        let least = 4 * tree;
        let budget = self.budget_bytes as u64; // cast ok: usize has at most 64 bits
        engine + present + budget.max(least)
    }
}

/// 128 MiB, and 64 at distances of at least 16,777,216 steps, which is what the engine makes in about 40 ms.
impl Default for SnapshotLimits {
    fn default() -> Self {
        Self {
            budget_bytes: 128 << 20,
            spacing_steps: 1 << 24,
            count: 64,
        }
    }
}

/// A step that can be disputed: what a prover opens, and the roots on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputedStep {
    /// What the step reads and writes.
    pub record: StepRecord,
    /// The root over the cells before.
    pub root: Node,
    /// The root over the cells after.
    pub next_root: Node,
    /// The path of the cell that it writes, which is the same before and after.
    pub write_path: Path,
}

impl DisputedStep {
    /// The digest of the state before.
    pub fn digest(&self) -> Digest {
        Digest::new(self.record.pc, self.root)
    }

    /// The digest of the state after.
    pub fn next_digest(&self) -> Digest {
        Digest::new(self.record.next_pc, self.next_root)
    }

    /// Old and new nodes on the path of the cell that is written, from the words, at level 0, to
    /// the roots.
    pub fn write_pairs(&self) -> Vec<(Node, Node)> {
        let write: &Write = &self.record.w;
        let [old, new] = [write.old, write.value].map(|word| self.write_path.nodes(word));
        old.into_iter().zip(new).collect()
    }
}

/// The states of a program on given inputs, by the number of steps that lead to them.
///
/// It runs no further than it is asked, and keeps snapshots on the way: so a later question about a step before costs no more than
/// to run from the last snapshot before it. There is one at equal distances up to where it has run, and at the steps whose digests were asked for last,
/// all within [limits](SnapshotLimits). After the machine has stopped, all further states are the same one, and cost nothing.
///
/// Nodes are hashed on other threads while the engine runs on.
///
/// ```
/// use tapcourt_program::riscv::{Execution, Instruction, Op, Program, Register};
///
/// let (a0, zero) = (Register::A0, Register::ZERO);
/// let program = Program::from_instructions(0x1000, &[
///     Instruction::new(Op::Addi, a0, a0, zero, 1),
///     Instruction::new(Op::Beq, zero, zero, zero, 4u32.wrapping_neg()),
/// ])?;
/// let mut execution = Execution::new(&program, &[]);
/// let digests = execution.digests(&[0, 1_000_000, 2_000_001]);
/// assert_eq!(execution.state_at(1_000_000).register(a0), 500_000);
/// let step = execution.step_at(2_000_000);
/// assert_eq!(step.record.w.value, 1_000_001);
/// assert_eq!(step.next_digest(), digests[2]);
/// assert_eq!(execution.last_step(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Execution<'a> {
    program: &'a Program,
    inputs: Cow<'a, [u32]>,
    engine: Engine<'a>,
    /// The cells of the engine's state, but for pages that it knows as written.
    tree: Tree,
    snapshots: Snapshots,
    /// Up to which step it has run.
    reached: u64,
    last_step: Option<u64>,
}

impl<'a> Execution<'a> {
    /// The execution of `program` on these input words. It does not run yet.
    pub fn new(program: &'a Program, inputs: impl Into<Cow<'a, [u32]>>) -> Self {
        Self::with_limits(program, inputs, SnapshotLimits::default())
    }

    /// As [`new`](Self::new), with other limits than the default ones.
    pub fn with_limits(
        program: &'a Program,
        inputs: impl Into<Cow<'a, [u32]>>,
        limits: SnapshotLimits,
    ) -> Self {
        let inputs = inputs.into();
        let mut execution = Self {
            program,
            engine: Engine::new(program, inputs.clone()),
            inputs,
            tree: Tree::new(program.space()),
            snapshots: Snapshots::new(limits),
            reached: 0,
            last_step: None,
        };
        execution.update_tree();
        execution.snapshots.insert_end(0, execution.snapshot());
        execution
    }

    /// The digests of the states after these numbers of steps, in the order given. Runs through all of them in one pass, from the least to the
    /// greatest, and keeps a snapshot at each.
    pub fn digests(&mut self, steps: &[u64]) -> Vec<Digest> {
        let mut ascending = steps.to_vec();
        ascending.sort_unstable();
        ascending.dedup();
        let mut pcs = Vec::with_capacity(ascending.len());
        let roots = hasher::roots(ascending.len(), |hash| {
            for &step in &ascending {
                self.go_to(step);
                self.update_tree();
                self.snapshots
                    .insert_visited(self.engine.state().steps, self.snapshot());
                pcs.push(self.engine.state().pc);
                hash(self.tree.clone());
            }
        });
        let digests: Vec<Digest> = pcs
            .into_iter()
            .zip(roots)
            .map(|(pc, root)| Digest::new(pc, root))
            .collect();
        let place = |step| ascending.partition_point(|&other| other < step);
        steps.iter().map(|&step| digests[place(step)]).collect()
    }

    /// The digest of the state after `step` steps.
    pub fn digest_at(&mut self, step: u64) -> Digest {
        let pc = self.state_at(step).pc;
        Digest::new(pc, self.tree_at(step).root())
    }

    /// The state after `step` steps. Its own count of steps is less if the machine stopped before.
    pub fn state_at(&mut self, step: u64) -> &State {
        self.go_to(step);
        self.engine.state()
    }

    /// The cells after `step` steps, with their Merkle tree: roots, paths, and nodes.
    pub fn tree_at(&mut self, step: u64) -> &Tree {
        self.go_to(step);
        self.update_tree();
        &self.tree
    }

    /// The path of a cell after `step` steps, and its word.
    pub fn path_at(&mut self, step: u64, cell: Cell) -> (u32, Path) {
        let tree = self.tree_at(step);
        (tree.word(cell), tree.path(cell))
    }

    /// What the step after `step` steps does.
    pub fn record_at(&mut self, step: u64) -> StepRecord {
        self.go_to(step);
        let state = self.engine.state();
        next_record(self.program, &self.inputs, state.pc, |cell| {
            state.cell(cell)
        })
    }

    /// What the step after `step` steps does, with the roots before and after it.
    pub fn step_at(&mut self, step: u64) -> DisputedStep {
        let record = self.record_at(step);
        let tree = self.tree_at(step);
        let write_path = tree.path(record.w.cell);
        DisputedStep {
            record,
            root: tree.root(),
            next_root: write_path.root(record.w.value),
            write_path,
        }
    }

    /// The records of a range of steps. Runs until the machine stops; after that all records are the same one.
    pub fn records(&mut self, steps: Range<u64>) -> impl Iterator<Item = StepRecord> {
        steps.map(|step| self.record_at(step))
    }

    /// After how many steps the machine stops, by accepting or in place, if it has been run so far.
    pub fn last_step(&self) -> Option<u64> {
        self.last_step
    }

    /// Whether the program has accepted, of its own accord, within `steps` steps.
    pub fn accepts_within(&mut self, steps: u64) -> bool {
        self.state_at(steps).accepted()
    }

    /// At which steps there are snapshots, ascending.
    pub fn snapshot_steps(&self) -> Vec<u64> {
        self.snapshots.steps()
    }

    /// How many bytes the snapshots hold.
    pub fn snapshot_bytes(&self) -> usize {
        self.snapshots.bytes()
    }

    /// Brings the engine to the state after `step` steps, or to the last one.
    fn go_to(&mut self, step: u64) {
        let step = self.last_step.map_or(step, |last| step.min(last));
        self.restore_for(step);
        while self.engine.state().steps < step {
            let steps = self.engine.state().steps;
            let grid = self.snapshots.next_step(self.reached.max(steps));
            let until = step.min(grid);
            let stop = self.engine.run(until - steps);
            let steps = self.engine.state().steps;
            self.reached = self.reached.max(steps);
            if stop != Stop::Reached {
                self.last_step = Some(steps);
                self.update_tree();
                self.snapshots.insert_end(steps, self.snapshot());
                return;
            }
            if steps == grid {
                self.update_tree();
                self.snapshots.insert_at_distance(steps, self.snapshot());
            }
        }
    }

    /// Goes to the last snapshot before `step`, unless the engine is nearer.
    fn restore_for(&mut self, step: u64) {
        let steps = self.engine.state().steps;
        let Some((taken_at, snapshot)) = self.snapshots.before(step) else {
            return;
        };
        if (taken_at..=step).contains(&steps) {
            return;
        }
        let Snapshot { pc, tree } = snapshot.clone();
        let mut changed = self.tree.changed_pages(&tree);
        let state = self.engine.state_mut();
        changed.extend(state.memory.take_dirty());
        changed.sort_unstable();
        changed.dedup();
        for number in changed {
            state.memory.set_page(number, tree.page(number));
        }
        state.memory.take_dirty();
        state.pc = pc;
        state.registers = *tree.registers();
        state.steps = taken_at;
        self.tree = tree;
    }

    fn update_tree(&mut self) {
        let dirty = self.engine.state_mut().memory.take_dirty();
        let state = self.engine.state();
        self.tree.set_registers(&state.registers);
        let pages = dirty.into_iter();
        self.tree
            .set_pages(pages.map(|number| (number, state.memory.page(number))));
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            pc: self.engine.state().pc,
            tree: self.tree.clone(),
        }
    }
}
