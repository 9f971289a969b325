//! One leaf: which groups it opens in which order, and the script that recomputes one group.
//!
//! A leaf is `<challenger> CHECKSIGVERIFY`, the openings of the group it checks and of the groups it reads, and a body.
//! The body does not depend on any key, so it is written once, when the program is compiled.
//! It leaves one true item if and only if some checked bit is not what the opened bits give.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bitcoin::{Script, ScriptBuf, XOnlyPublicKey};
use tapcourt_commitment::{OpenOrder, Opening, PublicKey, Size};
use tapcourt_script::ScriptWriter;
use tapcourt_script::opcodes::OP_CHECKSIGVERIFY;

use crate::circuit::cells::{Cells, Operand, ValueId};
use crate::circuit::emit::{Computed, Emitter, TABLE, Target};
use crate::circuit::group::{Expected, Group, Slot, SlotSource};
use crate::circuit::network::Network;
use crate::circuit::schedule::{self, Body, Weights};

/// A leaf without keys.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// What the leaf checks, by the label of its group.
    name: String,
    /// Groups opened, in the order in which the script opens them.
    opens: Vec<(usize, OpenOrder)>,
    /// Sizes of those openings.
    open_sizes: Vec<Size>,
    /// The part after the openings.
    body: ScriptBuf,
    body_opcodes: usize,
    /// Items on both stacks at their highest while the body runs.
    body_max_stack: usize,
    /// For the off-chain check: the cells, and what is compared.
    pub(crate) cone: Body,
    pub(crate) checks: Vec<Check>,
    /// The values that the body reads as opened.
    opened: HashSet<ValueId>,
    /// Gates of the normalised netlist between what is opened and what is checked.
    gates: usize,
}

/// A comparison, as values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    pub(crate) computed: Computed,
    /// Group and bit of what was published, or the constant that is accepted.
    pub(crate) expected: Result<(usize, usize), bool>,
}

/// Where the home of each committed value is: group, bit, and whether the published bit is the complement.
pub(crate) type Homes = HashMap<ValueId, (usize, usize, bool)>;

/// Schedules tried for each leaf; the shortest result wins.
const WEIGHTS: [Weights; 3] = [
    Weights {
        window: 0,
        free: 0.0,
        threshold: 0.0,
    },
    Weights {
        window: 8,
        free: 1.0,
        threshold: 2.0,
    },
    Weights {
        window: 16,
        free: 1.0,
        threshold: 2.0,
    },
];

impl Leaf {
    /// Writes the leaf that checks `group`.
    pub(crate) fn new(
        network: &Network,
        cells: &Cells,
        groups: &[Group],
        homes: &Homes,
        index: usize,
    ) -> Self {
        let group = &groups[index];
        let targets: Vec<ValueId> = group
            .slots
            .iter()
            .filter_map(|slot| match slot.source {
                SlotSource::Value(operand) => Some(operand.value),
                SlotSource::Constant(_) => None,
            })
            .collect();
        let own: BTreeSet<ValueId> = targets.iter().copied().collect();
        // A value of another group is read as opened; the group's own are computed.
        let is_open = |v: ValueId| homes.get(&v).is_some_and(|home| home.0 != index);
        // The rest are inputs, or outputs that another group holds already: they are only compared.
        let (computed, compared): (Vec<ValueId>, Vec<ValueId>) = own
            .iter()
            .partition(|&&v| cells.producer[v as usize].is_some() && !is_open(v));
        let mut body = Body::cone(cells, &computed, is_open);
        let read: BTreeSet<ValueId> = body.inputs.iter().copied().chain(compared).collect();
        body.inputs = read.into_iter().collect();
        body.targets = targets;
        let mut best = WEIGHTS
            .iter()
            .map(|&weights| Self::write(cells, groups, homes, index, &body, weights))
            .min_by_key(|leaf| leaf.body.len())
            .expect("there are weights");
        debug_assert!(group.is_committed() || best.opens.iter().all(|(g, _)| *g != index));
        best.open_sizes = best
            .opens
            .iter()
            .map(|(opened, order)| groups[*opened].open_size_in(order))
            .collect();
        best.gates = network.gates_between(&computed, is_open);
        best
    }

    fn write(
        cells: &Cells,
        groups: &[Group],
        homes: &Homes,
        index: usize,
        body: &Body,
        weights: Weights,
    ) -> Self {
        let group = &groups[index];
        let order = schedule::order(cells, body, weights);
        // Groups read, and their bits in the order of first use.
        let mut uses: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        let mut first: Vec<usize> = Vec::new();
        let rest = body.inputs.iter().filter(|v| !order.first_uses.contains(v));
        for value in order.first_uses.iter().chain(rest) {
            let (home, bit, _) = homes[value];
            if !uses.contains_key(&home) {
                first.push(home);
            }
            uses.entry(home).or_default().push(bit as u32);
        }
        // The group opened last lies on top: the one used first.
        let mut opens: Vec<(usize, OpenOrder)> = Vec::new();
        let place: HashMap<ValueId, usize> = order
            .cells
            .iter()
            .enumerate()
            .flat_map(|(i, &id)| cells.cells[id as usize].results().map(move |v| (v, i)))
            .collect();
        let mut targets: Vec<(Check, Target)> = Vec::new();
        let target = |bit: usize, slot: &Slot| {
            let expected = match slot.expected {
                Expected::Published => None,
                Expected::Constant(constant) => Some(constant),
            };
            let computed = match slot.source {
                SlotSource::Value(operand) => Computed::Value(operand),
                SlotSource::Constant(constant) => Computed::Constant(constant),
            };
            let check = Check {
                computed,
                expected: expected.map_or(Ok((index, bit)), Err),
            };
            (check, Target { computed, expected })
        };
        if let Some(parameters) = &group.parameters {
            // Last computed, first compared.
            let mut by_time: Vec<(usize, u32)> = group
                .slots
                .iter()
                .enumerate()
                .map(|(bit, slot)| {
                    let time = match slot.source {
                        SlotSource::Value(o) => place.get(&o.value).map_or(0, |p| p + 1),
                        SlotSource::Constant(_) => 0,
                    };
                    (time, bit as u32)
                })
                .collect();
            by_time.sort_unstable_by(|a, b| b.cmp(a));
            let open = OpenOrder::from_first_use(parameters, by_time.into_iter().map(|(_, b)| b));
            for &bit in open.bits() {
                targets.push(target(bit as usize, &group.slots[bit as usize]));
            }
            opens.push((index, open));
        } else {
            for (bit, slot) in group.slots.iter().enumerate().rev() {
                targets.push(target(bit, slot));
            }
        }
        for &read in first.iter().rev() {
            let parameters = groups[read]
                .parameters
                .as_ref()
                .expect("what is read is committed to");
            opens.push((
                read,
                OpenOrder::from_first_use(parameters, uses[&read].iter().copied()),
            ));
        }
        let mut altstack = Vec::new();
        let mut stored_complement = vec![false; cells.values()];
        for (opened, open) in &opens {
            for &bit in open.bits().iter().rev() {
                let slot = &groups[*opened].slots[bit as usize];
                let value = match slot.source {
                    SlotSource::Value(operand)
                        if *opened != index
                            && homes[&operand.value]
                                == (*opened, bit as usize, operand.complement) =>
                    {
                        stored_complement[operand.value as usize] = operand.complement;
                        operand.value
                    }
                    _ => TABLE,
                };
                altstack.push(value);
            }
        }
        let mut emitter = Emitter::new(cells, body, altstack, stored_complement);
        for &cell in &order.cells {
            emitter.cell(cell);
        }
        let (checks, targets): (Vec<Check>, Vec<Target>) = targets.into_iter().unzip();
        emitter.compare(&targets);
        emitter.finish();
        Self {
            name: group.label.clone(),
            opens,
            open_sizes: Vec::new(),
            body_opcodes: emitter.opcodes,
            body_max_stack: emitter.max_items,
            gates: 0,
            body: emitter.into_script(),
            cone: body.clone(),
            opened: body.inputs.iter().copied().collect(),
            checks,
        }
    }

    /// The label of the group that the leaf checks.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Indices of the groups that the leaf opens, in the order of the script.
    pub fn opened_groups(&self) -> impl Iterator<Item = usize> + '_ {
        self.opens.iter().map(|(group, _)| *group)
    }

    /// Sizes of the openings, in the order of the script.
    pub(crate) fn open_sizes(&self) -> &[Size] {
        &self.open_sizes
    }

    /// The script after the openings: the same for all keys.
    pub fn body(&self) -> &Script {
        &self.body
    }

    /// Bytes of the script after the openings: what computing and comparing takes.
    pub fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// Opcodes of the body.
    pub fn body_opcodes(&self) -> usize {
        self.body_opcodes
    }

    /// Items on both stacks at their highest while the body runs.
    pub fn body_max_stack(&self) -> usize {
        self.body_max_stack
    }

    /// Operations that the body computes: gates, majorities, and whole columns of additions.
    pub fn operations(&self) -> usize {
        self.cone.cells.len()
    }

    /// Gates of the normalised netlist that the body stands for: those between the opened bits and the checked ones.
    pub fn gates(&self) -> usize {
        self.gates
    }

    /// The script for given one-time keys (one a group) and the challenger's key.
    pub(crate) fn script(&self, keys: &[PublicKey], challenger: XOnlyPublicKey) -> ScriptBuf {
        let mut writer = ScriptWriter::with_capacity(self.body.len() + 20_000);
        writer.push(&challenger);
        writer.op(OP_CHECKSIGVERIFY);
        for (group, order) in &self.opens {
            writer.script(keys[*group].open_bits(order).script());
        }
        writer.script(&self.body);
        writer.into_script()
    }

    /// The witness without the challenger's signature, which goes on top. Bottom first.
    pub(crate) fn witness(&self, openings: &BTreeMap<usize, Opening>) -> Option<Vec<Vec<u8>>> {
        let mut witness = Vec::new();
        for (group, order) in self.opens.iter().rev() {
            witness.extend(openings.get(group)?.witness_for_open(order));
        }
        Some(witness)
    }

    /// Whether the leaf is spendable with what was published.
    pub(crate) fn is_spendable(
        &self,
        cells: &Cells,
        scratch: &mut [u32],
        homes: &Homes,
        published: &[Vec<bool>],
    ) -> bool {
        for &value in &self.cone.inputs {
            let (group, bit, complement) = homes[&value];
            scratch[value as usize] = (published[group][bit] ^ complement) as u32;
        }
        for &id in &self.cone.cells {
            let results = cells.cells[id as usize].evaluate(|v| scratch[v as usize]);
            for (value, result) in results.into_iter().flatten() {
                if !self.opened.contains(&value) {
                    scratch[value as usize] = result;
                }
            }
        }
        self.checks.iter().any(|check| {
            let computed = match check.computed {
                Computed::Value(Operand { value, complement }) => {
                    (scratch[value as usize] == 1) ^ complement
                }
                Computed::Constant(bit) => bit,
            };
            computed
                != match check.expected {
                    Ok((group, bit)) => published[group][bit],
                    Err(constant) => constant,
                }
        })
    }
}
