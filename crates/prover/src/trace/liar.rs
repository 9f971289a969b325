//! Provers that lie about a trace, for simulations and tests.

use std::fmt;
use std::str::FromStr;

use tapcourt_commitment::Opening as KeyOpening;
use tapcourt_compiler::riscv::{
    Court, Group, Party, PathAccess, Published, PublishedError, Search,
};
use tapcourt_program::riscv::{
    ACCEPT_PC, AddressSpace, Cell, Digest, Execution, Node, Path, Register, StepRecord,
};
use tapcourt_protocol::Stage;
use thiserror::Error;

use super::opening::{Opening, access_in, access_of};
use super::{TraceDispute, borders, path_level, step};
use crate::disputable::{Disputable, NotAClaim, Values, Verdict};

/// What is said falsely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LieKind {
    /// The first register read.
    RegisterA,
    /// The second register read.
    RegisterB,
    /// The memory word read.
    Memory,
    /// The memory cell read.
    MemoryCell,
    /// The word written.
    Written,
    /// The word that it replaces.
    Replaced,
    /// The cell written.
    Target,
    /// Which registers are read.
    Sources,
    /// `pc` before.
    Pc,
    /// `pc` after.
    NextPc,
    /// The root before.
    Root,
    /// The root after.
    NextRoot,
    /// The digest after the step, in whichever round it is revealed; the record is true.
    Digest,
    /// The word that is written, with nodes of the path after the step that are true from a level on.
    NewNode,
    /// The sibling on the path of the first register read, whose word is false too.
    Sibling,
    /// What an input call reads; the same as [`LieKind::Written`] elsewhere.
    Input,
    /// The step accepts.
    Accept,
}

impl LieKind {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 17] = [
        (Self::RegisterA, "register-a"),
        (Self::RegisterB, "register-b"),
        (Self::Memory, "memory"),
        (Self::MemoryCell, "memory-cell"),
        (Self::Written, "written"),
        (Self::Replaced, "replaced"),
        (Self::Target, "target"),
        (Self::Sources, "sources"),
        (Self::Pc, "pc"),
        (Self::NextPc, "next-pc"),
        (Self::Root, "root"),
        (Self::NextRoot, "next-root"),
        (Self::Digest, "digest"),
        (Self::NewNode, "new-node"),
        (Self::Sibling, "sibling"),
        (Self::Input, "input"),
        (Self::Accept, "accept"),
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        let named = Self::ALL.iter().find(|(kind, _)| *kind == self);
        named.map_or("", |(_, name)| name)
    }

    /// Describes what is said falsely, in a few words that follow the name in a list.
    pub const fn description(self) -> &'static str {
        match self {
            Self::RegisterA => "the first register read held another value",
            Self::RegisterB => "the second register read held another value",
            Self::Memory => "the memory word read was another one",
            Self::MemoryCell => "another memory cell was read",
            Self::Written => "another word was written",
            Self::Replaced => "the word written replaced another one",
            Self::Target => "another cell was written",
            Self::Sources => "another register was read first",
            Self::Pc => "the step was at another address",
            Self::NextPc => "the next step was at another address",
            Self::Root => "the state before had another root",
            Self::NextRoot => "the state after had another root",
            Self::Digest => "the state after had another digest; not for the last step",
            Self::NewNode => "the path after the step has false nodes up to a level",
            Self::Sibling => "a false register, hidden by a false sibling on its path",
            Self::Input => "an input call read another word; elsewhere the same as written",
            Self::Accept => "the program accepted here",
        }
    }
}

/// A lie about one step, `kind@step` or `kind@step:field` as text.
///
/// Everything before it is true. The record says what follows from the lie wherever that is possible, and every digest after the step is
/// false, so that a challenger is led to this step and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lie {
    /// What is said falsely.
    pub kind: LieKind,
    /// The step.
    pub step: u64,
    /// Which bit of the value is false; for what is opened afterwards, also up to which level of a path nodes are false.
    pub field: u32,
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.kind.name(), self.step)?;
        match self.field {
            0 => Ok(()),
            field => write!(f, ":{field}"),
        }
    }
}

impl FromStr for Lie {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let names: Vec<&str> = LieKind::ALL.iter().map(|(_, name)| *name).collect();
            format!(
                "expected KIND@STEP or KIND@STEP:FIELD, KIND being one of {}",
                names.join(", ")
            )
        };
        let (name, place) = text.split_once('@').ok_or_else(wrong)?;
        let kind = LieKind::ALL.iter().find(|(_, known)| *known == name);
        let (step, field) = place.split_once(':').unwrap_or((place, "0"));
        Ok(Self {
            kind: kind.ok_or_else(wrong)?.0,
            step: step.parse().map_err(|_| wrong())?,
            field: field.parse().map_err(|_| wrong())?,
        })
    }
}

/// Why a lie cannot be told in a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LieError {
    /// A step that no claim is about.
    #[error("there is no step {step}, a claim is about {steps} steps, numbered from 0")]
    NoSuchStep {
        /// The step.
        step: u64,
        /// How many steps a claim is about.
        steps: u64,
    },
    /// A digest that nobody publishes.
    #[error(
        "{lie} says nothing false: no digest is published of the state after the last step, since the claim itself says what that is; \
         lie about the digest after a step up to {}, or tell another lie, such as accept@{}",
        .lie.step.saturating_sub(1),
        .lie.step
    )]
    NoDigest {
        /// The lie.
        lie: Lie,
    },
}

impl Lie {
    /// Checks that the lie says something false in a dispute in this court.
    ///
    /// # Errors
    ///
    /// When no claim is about its step, or when it is about the digest after the last step: that
    /// state is what is claimed, and no digest of it is published.
    pub fn check(&self, court: &Court) -> Result<(), LieError> {
        let steps = court.steps_claimed();
        if self.step >= steps {
            return Err(LieError::NoSuchStep {
                step: self.step,
                steps,
            });
        }
        if self.kind == LieKind::Digest && self.step == steps - 1 {
            return Err(LieError::NoDigest { lie: *self });
        }
        Ok(())
    }
}

/// A prover that lies, and otherwise says the truth.
#[derive(Debug)]
pub struct Liar<'a> {
    truth: TraceDispute<'a>,
    lie: Lie,
}

impl<'a> Liar<'a> {
    /// The liar in a dispute.
    pub fn new(truth: TraceDispute<'a>, lie: Lie) -> Self {
        Self { truth, lie }
    }

    /// What the liar knows to be true.
    pub fn truth(&self) -> &TraceDispute<'a> {
        &self.truth
    }

    fn search(&self) -> &'a Search {
        self.truth.court().search()
    }

    /// What is said in a group, if it is not the truth.
    fn say(&self, group: Group, published: &Published) -> Result<Option<Vec<bool>>, NotAClaim> {
        let said = self
            .truth
            .with_execution(published, |execution| match group {
                Group::Digest { round, index } => self.digest(round, index, published, execution),
                Group::PathNode { round, index, new } => {
                    self.node(round, index, new, published, execution)
                }
                Group::Sibling => self.sibling(published, execution),
                group if Group::RECORD.contains(&group) => {
                    if step(self.truth.court(), published)? != self.lie.step {
                        return Ok(None);
                    }
                    self.record(execution)
                        .bits(group)
                        .map(|bits| Some(bits.to_vec()))
                }
                _ => Ok(None),
            })?;
        said.map_err(|error| {
            let number = self.truth.court().number(Party::Prover, error.group());
            NotAClaim {
                group: number.unwrap_or(usize::MAX),
            }
        })
    }

    /// Digests after the step are false.
    fn digest(
        &self,
        round: u32,
        index: u32,
        published: &Published,
        execution: &mut Execution<'_>,
    ) -> Result<Option<Vec<bool>>, PublishedError> {
        let borders = borders(self.search(), Group::Selection, round, published)?;
        let at = borders[index as usize + 1]; // cast ok: an index
        if at <= self.lie.step {
            return Ok(None);
        }
        let said = self.record(execution);
        let next = self.lie.step + 1;
        let digest = if at == next && self.lie.kind != LieKind::Digest {
            let root = Node::from_bytes(said.node(Group::NextRoot)?);
            Digest::new(said.word(Group::NextPc)?, root)
        } else {
            // Any state that is none: the digest of nothing that is in the trace.
            Digest::new(at as u32, Node::leaf(u32::MAX)) // cast ok: some number
        };
        let mut value = Published::new();
        value.set_node(group_of_digest(round, index), &digest.to_bytes());
        value
            .bits(group_of_digest(round, index))
            .map(|bits| Some(bits.to_vec()))
    }

    /// The false record, as it is published.
    fn record(&self, execution: &mut Execution<'_>) -> Published {
        let truth = execution.step_at(self.lie.step);
        let program = self.truth.court().program();
        let inputs = self.truth.court().steps().options().words();
        let follow = |record: StepRecord| {
            record.consequence(program.rom().get(record.pc), inputs, program.space())
        };
        let bit = 1u32 << (self.lie.field % u32::BITS);
        let mut record = truth.record;
        let mut root = truth.root.to_bytes();
        let mut published = Published::new();
        match self.lie.kind {
            LieKind::RegisterA | LieKind::Sibling => record.a.value ^= bit,
            LieKind::RegisterB => record.b.value ^= bit,
            LieKind::Memory => record.m.value ^= bit,
            LieKind::MemoryCell => record.m.cell = other_cell(record.m.cell),
            LieKind::Written | LieKind::Input => record.w.value ^= bit,
            LieKind::Replaced => record.w.old ^= bit,
            LieKind::Target => record.w.cell = other_cell(record.w.cell),
            LieKind::Sources => record.a.cell = other_cell(record.a.cell),
            LieKind::Pc => record.pc ^= bit,
            LieKind::NextPc => record.next_pc ^= bit,
            LieKind::Root => root[self.lie.field as usize / 8 % 20] ^= 1, // cast ok: an index
            LieKind::Accept => record.next_pc = ACCEPT_PC,
            LieKind::NextRoot | LieKind::Digest | LieKind::NewNode => {}
        }
        let reads = matches!(
            self.lie.kind,
            LieKind::RegisterA | LieKind::RegisterB | LieKind::Memory | LieKind::Sibling
        );
        if reads {
            let consistent = follow(record);
            // Where nothing is read, the lie stays a lie about the step by itself.
            if consistent != truth.record {
                record = consistent;
            }
        }
        let (_, path) = execution.path_at(self.lie.step, record.w.cell);
        let mut next_root = path.root(record.w.value).to_bytes();
        let is_other_root = matches!(
            self.lie.kind,
            LieKind::NextRoot | LieKind::NewNode | LieKind::Replaced
        );
        // What changes nothing would lead the challenger past the step.
        let ends_true = Digest::new(record.next_pc, Node::from_bytes(next_root))
            == truth.next_digest()
            && self.lie.kind != LieKind::Digest;
        if is_other_root || ends_true {
            next_root[self.lie.field as usize / 8 % 20] ^= 1; // cast ok: an index
        }
        published.set_step(&record, &root, &next_root);
        published
    }

    /// False nodes of an opened path: those under a false word up to a level, or under the false root from it on.
    fn node(
        &self,
        round: u32,
        index: u32,
        new: bool,
        published: &Published,
        execution: &mut Execution<'_>,
    ) -> Result<Option<Vec<bool>>, PublishedError> {
        let court = self.truth.court();
        if step(court, published)? != self.lie.step {
            return Ok(None);
        }
        let search = court.paths().search();
        let levels = borders(search, Group::PathSelection, round, published)?;
        let level = levels[index as usize + 1] as usize; // cast ok: at most 64 levels
        let root = court.paths().levels() as usize; // cast ok: at most 30
        if level >= root {
            return Ok(None);
        }
        let access = access_of(published.word(Group::Access)?);
        let record = published.record()?.unwrap_or_default();
        let opening = Opening::new(execution, self.lie.step, &record, access);
        let (cell, said, written) = access_in(&record, access);
        let falls = self.lie.field as usize % (root + 1); // cast ok: small
        let is_write = matches!(access, PathAccess::Old | PathAccess::New);
        let path = Path::new(cell, opening.siblings().to_vec());
        let node = match (new, is_write) {
            // What is over the word that the record names, as far up as the lie goes.
            (false, _) if level <= falls => path.nodes(said)[level],
            (true, true) if level <= falls => path.nodes(written)[level],
            (true, true) => Node::leaf(level as u32), // cast ok: at most 30
            _ => return Ok(None),
        };
        let group = Group::PathNode { round, index, new };
        let mut value = Published::new();
        value.set_node(group, &node.to_bytes());
        value.bits(group).map(|bits| Some(bits.to_vec()))
    }

    fn sibling(
        &self,
        published: &Published,
        execution: &mut Execution<'_>,
    ) -> Result<Option<Vec<bool>>, PublishedError> {
        let court = self.truth.court();
        if self.lie.kind != LieKind::Sibling || step(court, published)? != self.lie.step {
            return Ok(None);
        }
        let level = path_level(court, published)?;
        let access = access_of(published.word(Group::Access)?);
        let record = published.record()?.unwrap_or_default();
        let opening = Opening::new(execution, self.lie.step, &record, access);
        let truth = opening.sibling(level as usize); // cast ok: at most 48
        let mut bytes = truth.map_or([0; 20], |sibling| sibling.to_bytes());
        bytes[self.lie.field as usize % 20] ^= 1; // cast ok: an index
        let mut value = Published::new();
        value.set_node(Group::Sibling, &bytes);
        value.bits(Group::Sibling).map(|bits| Some(bits.to_vec()))
    }
}

fn group_of_digest(round: u32, index: u32) -> Group {
    Group::Digest { round, index }
}

/// Another cell of the same kind.
fn other_cell(cell: Cell) -> Cell {
    match (cell.address(), cell.as_register()) {
        (Some(address), _) => Cell::memory(address ^ 4),
        (None, Some(register)) => Cell::register(Register::new(register.number() ^ 1)),
        (None, None) => Cell::memory(AddressSpace::LOWEST),
    }
}

impl Disputable for Liar<'_> {
    fn answer(&self, groups: &[usize], values: &Values) -> Result<Values, NotAClaim> {
        let mut answer = self.truth.answer(groups, values)?;
        let mut all = values.clone();
        let entries = self.truth.court().entries();
        // What it repeats of the challenger's is known before the rest is said.
        all.extend(answer.iter().filter_map(|(&number, value)| {
            let theirs = self
                .truth
                .court()
                .number(Party::Challenger, entries[number].group);
            theirs.map(|_| (number, value.clone()))
        }));
        let published = self.truth.published(&all);
        for (&number, value) in &mut answer {
            if entries[number].party == Party::Prover
                && let Some(said) = self.say(entries[number].group, &published)?
            {
                *value = said;
            }
        }
        Ok(answer)
    }

    fn is_claim_false(&self, values: &Values) -> Result<bool, NotAClaim> {
        self.truth.is_claim_false(values)
    }

    fn judge(&self, stage: Stage, values: &Values) -> Result<Verdict, NotAClaim> {
        self.truth.judge(stage, values)
    }

    fn leaf_witness(
        &self,
        stage: Stage,
        leaf: usize,
        openings: &std::collections::BTreeMap<usize, KeyOpening>,
    ) -> Option<Vec<Vec<u8>>> {
        self.truth.leaf_witness(stage, leaf, openings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lies_are_read_as_they_are_written() {
        for (kind, name) in LieKind::ALL {
            for field in [0, 7] {
                let lie = Lie {
                    kind,
                    step: 103,
                    field,
                };
                assert_eq!(lie.to_string().parse(), Ok(lie));
            }
            assert_eq!(kind.name(), name);
        }
        for wrong in [
            "",
            "pc",
            "pc@",
            "@1",
            "nothing@1",
            "pc@1:",
            "pc@-1",
            "pc@1:x",
        ] {
            assert!(wrong.parse::<Lie>().is_err(), "{wrong:?}");
        }
    }
}
