//! The compiled program: groups, leaves, and both sides' views of published values.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::{ScriptBuf, XOnlyPublicKey};
use rayon::prelude::*;
use tapcourt_commitment::{Opening, PublicKey};
use tapcourt_program::circuit::Circuit;
use tapcourt_script::limits::{MAX_STACK_SIZE, Profile};

use crate::LeafSize;
use crate::size::{HEAD_BYTES, SIGNATURE_BYTES};
use tapcourt_script::taptree::LeafSource;

use crate::circuit::assemble::{Shapes, homes, output_groups, values_group};
use crate::circuit::cells::{CellId, Cells};
use crate::circuit::choose::cuttings;
use crate::circuit::cut::{Cutting, MAX_LEAF_ITEMS};
use crate::circuit::error::CompileError;
use crate::circuit::group::{Group, Role, SlotSource};
use crate::circuit::leaf::{Homes, Leaf};
use crate::circuit::network::{Literal, Network};
use crate::circuit::price::PriceList;
use crate::circuit::schedule::Body;

/// What a contract asks beyond the program.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// For each output wire: the bit that the contract accepts, or `None` to let the claim say it. Empty: all free.
    pub accept: Vec<Option<bool>>,
}

/// A program cut into leaves.
///
/// Independent of keys and of values: the same netlist and options give the same groups and leaves everywhere.
#[derive(Clone, Debug)]
pub struct Compiled {
    cells: Cells,
    /// All cells that some output needs, in order.
    line: Vec<CellId>,
    groups: Vec<Group>,
    /// How many of the groups are committed to; the rest are fixed outputs.
    committed: usize,
    homes: Homes,
    leaves: Vec<Leaf>,
    /// Node of each input wire.
    inputs: Vec<u32>,
    outputs: Vec<Literal>,
    source_gates: usize,
    chunks: usize,
    program_digest: [u8; 32],
}

impl Compiled {
    /// Compiles a circuit.
    ///
    /// # Errors
    /// If the accepted pattern does not fit the outputs or can never be met, or no way to cut the circuit keeps every
    /// leaf within the limits.
    pub fn new(circuit: &Circuit, options: &Options) -> Result<Self, CompileError> {
        let outputs = circuit.output_bits();
        if !options.accept.is_empty() && options.accept.len() != outputs {
            return Err(CompileError::AcceptLength {
                given: options.accept.len(),
                outputs,
            });
        }
        let mut accept = options.accept.clone();
        accept.resize(outputs, None);
        let network = Network::from_circuit(circuit);
        for (wire, (literal, accepted)) in network.outputs.iter().zip(&accept).enumerate() {
            if literal.node() == 0 && accepted.is_some_and(|bit| bit != literal.is_complement()) {
                return Err(CompileError::NeverAccepted {
                    wire,
                    always: literal.is_complement(),
                });
            }
        }
        let digest = program_digest(circuit, &accept);
        // Whole columns of additions take fewer bytes, but no cut may part them.
        let merged = Self::with_cells(
            circuit,
            &network,
            &accept,
            Cells::new(&network, true),
            digest,
        );
        if let Ok(compiled) = &merged
            && compiled.worst().excess_wu == 0
        {
            return merged;
        }
        let single = Self::with_cells(
            circuit,
            &network,
            &accept,
            Cells::new(&network, false),
            digest,
        );
        match (merged, single) {
            (Ok(merged), Ok(single)) if single.worst() < merged.worst() => Ok(single),
            (Ok(merged), _) => Ok(merged),
            (Err(_), single) => single,
        }
    }

    fn with_cells(
        circuit: &Circuit,
        network: &Network,
        accept: &[Option<bool>],
        cells: Cells,
        program_digest: [u8; 32],
    ) -> Result<Self, CompileError> {
        let mut computed: Vec<u32> = network
            .outputs
            .iter()
            .map(|l| l.node())
            .filter(|&node| cells.producer[node as usize].is_some())
            .collect();
        computed.sort_unstable();
        computed.dedup();
        let needed = Body::cone(&cells, &computed, |_| false).cells;
        let cuttings = cuttings(
            &cells,
            &needed,
            &network.inputs,
            &computed,
            PriceList::get(),
        );
        let source = Uncut {
            circuit,
            network,
            accept,
            cells: &cells,
            needed: &needed,
            program_digest,
        };
        let (mut best, mut refused): (Option<(Worst, Self)>, _) = (None, None);
        let mut queue: VecDeque<Cutting> = cuttings.cuttings.iter().cloned().collect();
        for _ in 0..MOST_BUILT {
            let Some(cutting) = queue.pop_front() else {
                break;
            };
            let compiled = source.cut(&cutting);
            if let Err(error) = compiled.check_limits() {
                refused = refused.or(Some(error));
                continue;
            }
            let worst = compiled.worst();
            if best.as_ref().is_none_or(|(least, _)| worst < *least) {
                best = Some((worst, compiled));
            }
            if worst.excess_wu == 0 {
                break;
            }
            // Estimates are a little off.
            let by_wu = worst.excess_wu as u64 + MISESTIMATE_WU; // cast ok: usize has at most 64 bits
            if let Some(lighter) = cuttings.lighter(&cutting, by_wu) {
                queue.push_front(lighter);
            }
        }
        match (best, refused) {
            (Some((_, compiled)), _) => Ok(compiled),
            (None, Some(error)) => Err(error),
            (None, None) => Err(CompileError::TooWide {
                items: cuttings.narrowest.items,
                operation: cuttings.narrowest.place as usize, // cast ok: usize has at least 32 bits here
                operations: needed.len(),
                limit: MAX_LEAF_ITEMS,
            }),
        }
    }

    /// The worst dispute: publish everything, and disprove by the heaviest leaf.
    fn worst(&self) -> Worst {
        let publish_wu: usize = self
            .committed_groups()
            .iter()
            .filter_map(|group| Some(group.parameters()?.publish_size().weight_wu_max()))
            .sum();
        let largest_wu = (0..self.leaves.len())
            .map(|leaf| self.leaf_size(leaf).weight_wu_max)
            .max()
            .unwrap_or(0);
        let limit = Profile::Truc.max_weight_wu() as usize - TRANSACTION_WU; // cast ok: 40,000
        Worst {
            excess_wu: largest_wu.saturating_sub(limit),
            total_wu: publish_wu + largest_wu,
        }
    }

    fn check_limits(&self) -> Result<(), CompileError> {
        for index in 0..self.leaves.len() {
            let size = self.leaf_size(index);
            let leaf = || self.leaves[index].name().to_owned();
            if size.max_stack > MAX_STACK_SIZE {
                return Err(CompileError::Stack {
                    leaf: leaf(),
                    items: size.max_stack,
                    limit: MAX_STACK_SIZE,
                });
            }
            // The rest of the transaction takes a few hundred weight units.
            let limit = Profile::Standard.max_weight_wu() as usize - 2_000;
            if size.weight_wu_max > limit {
                return Err(CompileError::Weight {
                    leaf: leaf(),
                    weight_wu: size.weight_wu_max,
                    limit_wu: limit,
                });
            }
        }
        Ok(())
    }

    /// All groups: those committed to first, in the order of their keys, then fixed outputs.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The groups that have one-time keys, in the order of the keys.
    pub fn committed_groups(&self) -> &[Group] {
        &self.groups[..self.committed]
    }

    /// The leaves.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// Pieces into which the program was cut one after the other; each has one or more leaves.
    pub fn chunks(&self) -> usize {
        self.chunks
    }

    /// Gates of the netlist as it was given.
    pub fn source_gates(&self) -> usize {
        self.source_gates
    }

    /// Gates left after constants, copies, repetitions and dead gates are gone.
    pub fn normalised_gates(&self) -> usize {
        self.cells.gates
    }

    /// Bytes of all leaf bodies: the script without openings.
    pub fn body_bytes_total(&self) -> usize {
        self.leaves.iter().map(Leaf::body_bytes).sum()
    }

    /// Bytes of body a gate, over all leaves: openings excluded, a gate counted in each leaf that computes it.
    pub fn bytes_per_gate(&self) -> f64 {
        let gates: usize = self.leaves.iter().map(Leaf::gates).sum();
        self.body_bytes_total() as f64 / gates.max(1) as f64
    }

    /// Identifies the program and what the contract accepts.
    pub fn program_digest(&self) -> [u8; 32] {
        self.program_digest
    }

    /// The honest bits of every committed group for an input (bits in wire order).
    ///
    /// # Errors
    /// If the input has not as many bits as the program has input wires.
    pub fn values(&self, input: &[bool]) -> Result<Vec<Vec<bool>>, CompileError> {
        let values = self.evaluate(input)?;
        Ok(self
            .committed_groups()
            .iter()
            .map(|group| group_bits(group, &values))
            .collect())
    }

    /// The output bits in wire order for an input.
    ///
    /// # Errors
    /// As [`values`](Self::values).
    pub fn output(&self, input: &[bool]) -> Result<Vec<bool>, CompileError> {
        let values = self.evaluate(input)?;
        Ok(self
            .outputs
            .iter()
            .map(|l| l.apply(values[l.node() as usize] == 1))
            .collect())
    }

    /// What a prover publishes that computes some bits of one committed group wrongly, and all that follows from them rightly.
    ///
    /// `flipped` are the places of the wrong bits in the group; places that it does not have are passed over.
    ///
    /// # Errors
    /// As [`values`](Self::values).
    pub fn values_with_lie(
        &self,
        input: &[bool],
        group: usize,
        flipped: &[usize],
    ) -> Result<Vec<Vec<bool>>, CompileError> {
        let slots = self.committed_groups().get(group).map(|group| &group.slots);
        let wrong: Vec<u32> = flipped
            .iter()
            .filter_map(|&bit| slots.and_then(|slots| slots.get(bit)))
            .filter_map(|slot| match slot.source {
                SlotSource::Value(operand) => Some(operand.value),
                SlotSource::Constant(_) => None,
            })
            .collect();
        let values = self.evaluate_wrongly(input, &wrong)?;
        let mut published: Vec<Vec<bool>> = self
            .committed_groups()
            .iter()
            .map(|group| group_bits(group, &values))
            .collect();
        // Inputs and constants are not computed: there the published bit itself is the lie.
        let truth = self.values(input)?;
        for &bit in flipped {
            let pair = published.get_mut(group).zip(truth.get(group));
            let pair = pair.and_then(|(lie, truth)| lie.get_mut(bit).zip(truth.get(bit)));
            if let Some((lie, truth)) = pair {
                *lie = !truth;
            }
        }
        Ok(published)
    }

    fn evaluate(&self, input: &[bool]) -> Result<Vec<u32>, CompileError> {
        self.evaluate_wrongly(input, &[])
    }

    /// Evaluates, with some values computed wrongly.
    fn evaluate_wrongly(&self, input: &[bool], wrong: &[u32]) -> Result<Vec<u32>, CompileError> {
        if input.len() != self.inputs.len() {
            return Err(CompileError::InputLength {
                given: input.len(),
                inputs: self.inputs.len(),
            });
        }
        let mut values = vec![0u32; self.cells.values()];
        for (&node, &bit) in self.inputs.iter().zip(input) {
            values[node as usize] = bit as u32;
        }
        for &id in &self.line {
            let results = self.cells.cells[id as usize].evaluate(|v| values[v as usize]);
            for (value, result) in results.into_iter().flatten() {
                values[value as usize] = result ^ u32::from(wrong.contains(&value));
            }
        }
        Ok(values)
    }

    /// The input bits in wire order that a claim published.
    pub fn published_input(&self, published: &[Vec<bool>]) -> Vec<bool> {
        let mut wire_of = HashMap::new();
        for (wire, &node) in self.inputs.iter().enumerate() {
            wire_of.insert(node, wire);
        }
        let mut input = vec![false; self.inputs.len()];
        for (group, bits) in self.groups.iter().zip(published) {
            if group.role == Role::Input {
                for (slot, &bit) in group.slots.iter().zip(bits) {
                    if let SlotSource::Value(operand) = slot.source {
                        input[wire_of[&operand.value]] = bit;
                    }
                }
            }
        }
        input
    }

    /// Every leaf that what was published makes spendable.
    pub fn spendable_leaves(&self, published: &[Vec<bool>]) -> Vec<usize> {
        let mut scratch = vec![0; self.cells.values()];
        (0..self.leaves.len())
            .filter(|&leaf| {
                self.leaves[leaf].is_spendable(&self.cells, &mut scratch, &self.homes, published)
            })
            .collect()
    }

    /// The lightest leaf that what was published makes spendable; `None` if the claim is right.
    pub fn find_fault(&self, published: &[Vec<bool>]) -> Option<usize> {
        self.spendable_leaves(published)
            .into_iter()
            .min_by_key(|&leaf| self.leaf_size(leaf).weight_wu_max)
    }

    /// Witness of a leaf from the openings of the groups it needs, bottom first, without the challenger's signature (which
    /// goes on top). `None` if an opening is missing.
    pub fn leaf_witness(
        &self,
        leaf: usize,
        openings: &BTreeMap<usize, Opening>,
    ) -> Option<Vec<Vec<u8>>> {
        self.leaves[leaf].witness(openings)
    }

    /// The leaves for given keys.
    ///
    /// # Panics
    /// If there is not one key for each committed group, of the group's shape.
    pub fn leaf_source<'a>(
        &'a self,
        keys: &'a [PublicKey],
        challenger: XOnlyPublicKey,
    ) -> Leaves<'a> {
        assert_eq!(keys.len(), self.committed, "one key a committed group");
        for (group, key) in self.groups.iter().zip(keys) {
            assert_eq!(
                group.parameters.as_ref(),
                Some(key.parameters()),
                "the group's shape"
            );
        }
        Leaves {
            compiled: self,
            keys,
            challenger,
        }
    }

    /// Exact sizes of a leaf, for any keys.
    ///
    /// # Panics
    /// If there is no leaf `index`.
    pub fn leaf_size(&self, index: usize) -> LeafSize {
        let leaf = &self.leaves[index];
        let sizes = leaf.open_sizes();
        let script_bytes =
            HEAD_BYTES + leaf.body_bytes() + sizes.iter().map(|s| s.script_bytes).sum::<usize>();
        let items = 1 + sizes.iter().map(|s| s.items).sum::<usize>();
        // While a group is opened, what is opened later waits as items and what was opened before as bits.
        let mut waiting = items - 1;
        let mut opened_bits = 0;
        let mut max_stack = (items + 1).max(leaf.body_max_stack());
        for (group, size) in leaf.opened_groups().zip(sizes) {
            waiting -= size.items;
            max_stack = max_stack.max(waiting + opened_bits + size.max_stack);
            opened_bits += self.groups[group].bits();
        }
        let mean: f64 = sizes.iter().map(|s| s.witness_bytes_mean).sum();
        let most: usize = sizes.iter().map(|s| s.witness_bytes_max).sum();
        LeafSize {
            script_bytes,
            witness_bytes_mean: SIGNATURE_BYTES as f64 + mean,
            witness_bytes_max: SIGNATURE_BYTES + most,
            items,
            opcodes: 2 + leaf.body_opcodes() + sizes.iter().map(|s| s.opcodes).sum::<usize>(),
            max_stack,
            weight_wu_max: 0,
        }
        .weighed(self.leaves.len())
    }
}

/// Rounds up what a disprove transaction weighs besides its input's witness: version, locktime, one
/// input, one output, counts.
const TRANSACTION_WU: usize = 4 * (10 + 41 + 43) + 2;

/// A program before it is cut.
struct Uncut<'a> {
    circuit: &'a Circuit,
    network: &'a Network,
    accept: &'a [Option<bool>],
    cells: &'a Cells,
    /// Cells that some output needs, in order.
    needed: &'a [CellId],
    program_digest: [u8; 32],
}

impl Uncut<'_> {
    /// Makes the groups and leaves of a cutting.
    fn cut(&self, cutting: &Cutting) -> Compiled {
        let mut shapes = Shapes::default();
        let mut groups = Vec::new();
        for (index, values) in cutting.input_groups.iter().enumerate() {
            let label = format!("input/{index}");
            groups.push(values_group(label, Role::Input, values, &mut shapes));
        }
        let output_groups = output_groups(self.network, self.accept, cutting, &mut shapes);
        let (fixed, free): (Vec<Group>, Vec<Group>) = output_groups
            .into_iter()
            .partition(|g| g.role == Role::Accepted);
        groups.extend(free);
        for (index, values) in cutting.groups.iter().enumerate() {
            let label = format!("value/{index}");
            groups.push(values_group(label, Role::Intermediate, values, &mut shapes));
        }
        let committed = groups.len();
        groups.extend(fixed);
        let homes = homes(&groups);
        let checked: Vec<usize> = (0..groups.len())
            .filter(|&g| groups[g].role != Role::Input)
            .collect();
        let leaves: Vec<Leaf> = checked
            .par_iter()
            .map(|&g| Leaf::new(self.network, self.cells, &groups, &homes, g))
            .collect();
        Compiled {
            line: self.needed.to_vec(),
            committed,
            homes,
            leaves,
            inputs: self.network.inputs.clone(),
            outputs: self.network.outputs.clone(),
            source_gates: self.circuit.gates.len(),
            chunks: cutting.segments,
            cells: self.cells.clone(),
            groups,
            program_digest: self.program_digest,
        }
    }
}

/// By how much more than its excess a leaf that was built is asked to be lighter, in WU.
const MISESTIMATE_WU: u64 = 200;

/// Cuttings that are built at most: the first whose leaves keep within the limits is taken.
const MOST_BUILT: usize = 6;

/// What the worst dispute takes, the worse the greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Worst {
    /// By how much the heaviest leaf exceeds what a version 3 transaction may weigh.
    excess_wu: usize,
    /// Everything published, and the heaviest leaf.
    total_wu: usize,
}

/// The leaves of a program for given keys; made on demand.
#[derive(Clone, Copy, Debug)]
pub struct Leaves<'a> {
    compiled: &'a Compiled,
    keys: &'a [PublicKey],
    challenger: XOnlyPublicKey,
}

impl LeafSource for Leaves<'_> {
    fn len(&self) -> usize {
        self.compiled.leaves.len()
    }

    fn script(&self, index: usize) -> ScriptBuf {
        self.compiled.leaves[index].script(self.keys, self.challenger)
    }
}

/// Tagged hash of the netlist in canonical form and of what is accepted.
fn program_digest(circuit: &Circuit, accept: &[Option<bool>]) -> [u8; 32] {
    let tag = sha256::Hash::hash(b"tapcourt/program/circuit/v1");
    let mut engine = sha256::Hash::engine();
    engine.input(tag.as_byte_array());
    engine.input(tag.as_byte_array());
    for list in [&circuit.inputs, &circuit.outputs] {
        engine.input(&(list.len() as u64).to_le_bytes());
        for bits in list {
            engine.input(&bits.to_le_bytes());
        }
    }
    engine.input(&(circuit.gates.len() as u64).to_le_bytes());
    for gate in &circuit.gates {
        engine.input(&[gate.op as u8]);
        for wire in [gate.a, gate.b, gate.out] {
            engine.input(&wire.to_le_bytes());
        }
    }
    for bit in accept {
        engine.input(&[match bit {
            None => 2,
            Some(bit) => *bit as u8,
        }]);
    }
    sha256::Hash::from_engine(engine).to_byte_array()
}

fn group_bits(group: &Group, values: &[u32]) -> Vec<bool> {
    group
        .slots
        .iter()
        .map(|slot| match slot.source {
            SlotSource::Value(operand) => {
                (values[operand.value as usize] == 1) ^ operand.complement
            }
            SlotSource::Constant(bit) => bit,
        })
        .collect()
}
