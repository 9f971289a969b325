//! Makes groups of what a cutting commits to.

use std::collections::{BTreeMap, HashMap};

use tapcourt_commitment::{Parameters, Size};

use crate::circuit::cells::Operand;
use crate::circuit::cut::Cutting;
use crate::circuit::group::{Expected, Group, Role, Slot, SlotSource};
use crate::circuit::leaf::Homes;
use crate::circuit::network::{Network, Node};
use crate::circuit::price::shape;

/// Shapes by width, each chosen once.
#[derive(Default)]
pub(crate) struct Shapes(HashMap<usize, (Parameters, Size)>);

impl Shapes {
    fn of(&mut self, bits: usize) -> (Parameters, Size) {
        let known = self.0.entry(bits).or_insert_with(|| {
            let parameters = shape(bits);
            let size = parameters.open_bits_size();
            (parameters, size)
        });
        known.clone()
    }
}

/// A group of computed values or inputs.
pub(crate) fn values_group(
    label: String,
    role: Role,
    values: &[u32],
    shapes: &mut Shapes,
) -> Group {
    let (parameters, open_size) = shapes.of(values.len());
    Group {
        label,
        role,
        parameters: Some(parameters),
        open_size: Some(open_size),
        slots: values
            .iter()
            .map(|&value| Slot {
                source: SlotSource::Value(Operand {
                    value,
                    complement: false,
                }),
                expected: Expected::Published,
            })
            .collect(),
    }
}

/// Groups of output wires: by the cutting where they are computed, the rest (inputs and constants passed through) together.
pub(crate) fn output_groups(
    network: &Network,
    accept: &[Option<bool>],
    cutting: &Cutting,
    shapes: &mut Shapes,
) -> Vec<Group> {
    const MOST: usize = 128;
    let mut part_of: HashMap<u32, usize> = HashMap::new();
    for (part, values) in cutting.output_groups.iter().enumerate() {
        for &value in values {
            part_of.insert(value, part);
        }
    }
    let mut parts: BTreeMap<(bool, usize), Vec<Slot>> = BTreeMap::new();
    for (literal, accepted) in network.outputs.iter().zip(accept) {
        let part = part_of.get(&literal.node()).copied().unwrap_or(usize::MAX);
        let source = match network.nodes[literal.node() as usize] {
            Node::Constant => SlotSource::Constant(literal.is_complement()),
            _ => SlotSource::Value(Operand::from(*literal)),
        };
        let expected = match accepted {
            Some(bit) => Expected::Constant(*bit),
            None => Expected::Published,
        };
        if accepted.is_some() && literal.node() == 0 {
            continue; // a constant that is accepted: nothing to check
        }
        parts
            .entry((accepted.is_some(), part))
            .or_default()
            .push(Slot { source, expected });
    }
    let mut groups: Vec<Group> = Vec::new();
    for ((fixed, _), slots) in parts {
        let pieces = slots.len().div_ceil(MOST);
        for slots in slots.chunks(slots.len().div_ceil(pieces)) {
            let index = groups
                .iter()
                .filter(|g| (g.role == Role::Accepted) == fixed)
                .count();
            let shape = (!fixed).then(|| shapes.of(slots.len()));
            groups.push(Group {
                label: format!("{}/{index}", if fixed { "accept" } else { "output" }),
                role: if fixed { Role::Accepted } else { Role::Output },
                open_size: shape.as_ref().map(|s| s.1),
                parameters: shape.map(|s| s.0),
                slots: slots.to_vec(),
            });
        }
    }
    groups
}

/// The place where each committed value is opened from: its first.
pub(crate) fn homes(groups: &[Group]) -> Homes {
    let mut homes = HashMap::new();
    for (index, group) in groups.iter().enumerate().filter(|(_, g)| g.is_committed()) {
        for (bit, slot) in group.slots.iter().enumerate() {
            if let SlotSource::Value(operand) = slot.source {
                homes
                    .entry(operand.value)
                    .or_insert((index, bit, operand.complement));
            }
        }
    }
    homes
}
