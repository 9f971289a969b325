//! Programs as contracts are made from them: their groups, who publishes which in what order, and the disprove leaves.

use bitcoin::XOnlyPublicKey;
use tapcourt_commitment::{Parameters as Shape, PublicKey as OneTimeKey};
use tapcourt_compiler::circuit::{Compiled, Options, Role as GroupRole};
use tapcourt_compiler::riscv::{Court, End, Party, Statement, Turn as CourtTurn};
use tapcourt_program::circuit::Circuit;
use tapcourt_protocol::{
    DisproveLeaves, Layout, LayoutError, PackLimits, Publication, Role, Stage, Turn, pack_batches,
    pack_turns,
};
use tapcourt_script::taptree::LeafSource;

use crate::fault::{Part, SetupFault};

/// What is disputed, and how.
#[derive(Debug)]
pub enum Source {
    /// A circuit, in one round.
    Circuit(Compiled),
    /// The trace of a RISC-V program, by search.
    Trace(Court),
}

/// A value group of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its name, unique among its owner's.
    pub label: String,
    /// Who publishes it.
    pub owner: Role,
    /// The shape of its one-time key.
    pub shape: Shape,
}

/// A program as a contract is made from it.
#[derive(Debug)]
pub struct Program {
    source: Source,
    groups: Vec<GroupInfo>,
    layout: Layout,
}

/// The disprove leaves of a contract, made on demand.
#[expect(missing_debug_implementations, reason = "holds leaves of any type")]
pub struct Leaves<'a> {
    dispute: Box<dyn LeafSource + 'a>,
    opening: Option<Box<dyn LeafSource + 'a>>,
}

impl Leaves<'_> {
    /// The leaves as the graph takes them.
    pub fn all(&self) -> DisproveLeaves<'_> {
        DisproveLeaves {
            dispute: &*self.dispute,
            opening: self
                .opening
                .as_deref()
                .map(|leaves| leaves as &dyn LeafSource),
        }
    }
}

impl Program {
    /// Reads and compiles a netlist.
    ///
    /// # Errors
    ///
    /// [`Part::Program`] if it does not parse or compile or a claim would publish nothing,
    /// [`Part::Layout`] if its groups fit no transaction.
    pub fn read(netlist: &[u8], options: &Options) -> Result<Self, SetupFault> {
        let circuit = Circuit::parse(netlist).map_err(SetupFault::of(Part::Program))?;
        let compiled = Compiled::new(&circuit, options).map_err(SetupFault::of(Part::Program))?;
        Self::circuit(compiled)
    }

    /// Takes a circuit that is compiled already.
    ///
    /// # Errors
    ///
    /// [`Part::Program`] if a claim would publish nothing, [`Part::Layout`] if its groups fit no
    /// transaction.
    pub fn circuit(compiled: Compiled) -> Result<Self, SetupFault> {
        let committed = compiled.committed_groups();
        let groups: Vec<GroupInfo> = committed
            .iter()
            .filter_map(|group| {
                Some(GroupInfo {
                    label: group.label().to_owned(),
                    owner: Role::Prover,
                    shape: group.parameters()?.clone(),
                })
            })
            .collect();
        let (asserts, claim): (Vec<usize>, Vec<usize>) = (0..committed.len())
            .partition(|&group| committed[group].role() == GroupRole::Intermediate);
        if claim.is_empty() {
            let reason = "0 bits of input, and the accepted pattern fixes every output: a claim would publish nothing";
            return Err(SetupFault::new(Part::Program, reason));
        }
        let limits = PackLimits::default();
        let layout = pack_batches(&shapes(&groups), &claim, &asserts, &limits);
        Ok(Self {
            layout: layout.map_err(SetupFault::of(Part::Layout))?,
            groups,
            source: Source::Circuit(compiled),
        })
    }

    /// Takes a RISC-V program that is compiled already.
    ///
    /// # Errors
    ///
    /// [`Part::Program`] if there is no input, so that nothing can be claimed; [`Part::Layout`] if what is published in one turn fits no transaction.
    pub fn trace(court: Court) -> Result<Self, SetupFault> {
        if court.claim().is_empty() {
            let reason = "0 words of input: a claim publishes at least one";
            return Err(SetupFault::new(Part::Program, reason));
        }
        let groups: Vec<GroupInfo> = court
            .entries()
            .iter()
            .map(|entry| GroupInfo {
                label: entry.label.clone(),
                owner: role(entry.party),
                shape: entry.parameters.clone(),
            })
            .collect();
        let layout = trace_layout(&court, &shapes(&groups));
        Ok(Self {
            layout: layout.map_err(SetupFault::of(Part::Layout))?,
            groups,
            source: Source::Trace(court),
        })
    }

    /// Returns what is disputed.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Returns what names the program, its compiler version included.
    pub fn digest(&self) -> [u8; 32] {
        match &self.source {
            Source::Circuit(compiled) => compiled.program_digest(),
            Source::Trace(court) => court.digest(),
        }
    }

    /// Returns all groups of both parties, by number.
    pub fn groups(&self) -> &[GroupInfo] {
        &self.groups
    }

    /// Returns a party's groups with their numbers.
    pub fn groups_of(&self, role: Role) -> impl Iterator<Item = (usize, &GroupInfo)> {
        let all = self.groups.iter().enumerate();
        all.filter(move |(_, group)| group.owner == role)
    }

    /// Returns which transaction publishes which group.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Makes the disprove leaves for given keys, one a group.
    pub fn leaves<'a>(&'a self, keys: &'a [OneTimeKey], challenger: XOnlyPublicKey) -> Leaves<'a> {
        match &self.source {
            Source::Circuit(compiled) => Leaves {
                dispute: Box::new(compiled.leaf_source(keys, challenger)),
                opening: None,
            },
            Source::Trace(court) => Leaves {
                dispute: court.leaf_source(End::Step, keys, challenger),
                opening: Some(court.leaf_source(End::Path, keys, challenger)),
            },
        }
    }

    /// Returns how many disprove leaves there are after a stage.
    pub fn leaf_count(&self, stage: Stage) -> usize {
        match (&self.source, stage) {
            (Source::Circuit(compiled), Stage::Dispute) => compiled.leaves().len(),
            (Source::Circuit(_), Stage::Opening) => 0,
            (Source::Trace(court), stage) => court.leaf_count(end_of(stage)),
        }
    }

    /// Returns the name of what a leaf checks, if there is such a leaf.
    pub fn leaf_name(&self, stage: Stage, leaf: usize) -> Option<String> {
        match (&self.source, stage) {
            (Source::Circuit(compiled), Stage::Dispute) => {
                Some(compiled.leaves().get(leaf)?.name().to_owned())
            }
            (Source::Circuit(_), Stage::Opening) => None,
            (Source::Trace(court), stage) => Some(court.leaf(end_of(stage), leaf)?.to_string()),
        }
    }
}

fn shapes(groups: &[GroupInfo]) -> Vec<Shape> {
    groups.iter().map(|group| group.shape.clone()).collect()
}

fn role(party: Party) -> Role {
    match party {
        Party::Prover => Role::Prover,
        Party::Challenger => Role::Challenger,
    }
}

/// Where the leaves are that a stage may end with.
pub(crate) fn end_of(stage: Stage) -> End {
    match stage {
        Stage::Dispute => End::Step,
        Stage::Opening => End::Path,
    }
}

/// Arranges what the parties say in turns.
fn trace_layout(court: &Court, shapes: &[Shape]) -> Result<Layout, LayoutError> {
    let publication = |statement: &Statement| match *statement {
        Statement::Value(group) => Publication::Value(group),
        Statement::Choice { entry, options } => Publication::Choice {
            group: entry,
            options,
        },
        Statement::Repeat { theirs, own } => Publication::Agreement { theirs, own },
    };
    let turns = |turns: Vec<CourtTurn>| -> Vec<Turn> {
        let turns = turns.iter();
        turns
            .map(|turn| Turn {
                mover: role(turn.party),
                publications: turn.statements.iter().map(publication).collect(),
            })
            .collect()
    };
    let limits = PackLimits::default();
    pack_turns(
        shapes,
        &court.claim(),
        &turns(court.dispute()),
        &turns(court.opening()),
        &limits,
    )
}
