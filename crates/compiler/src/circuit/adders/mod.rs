//! Recovers addition from gates.
//!
//! A netlist spells a full adder as five gates whose intermediate values are each read twice. Tapscript
//! adds numbers: `a b c ADD ADD` holds sum and carry at once. This pass finds, for three wires, a node that
//! is their parity and one that is their majority (by truth tables over three-input cuts, so that the form in
//! which the netlist wrote them does not matter), and pairs them into an *adder*. Chains of adders over
//! the same column then merge: if the sum of one adder is read only by another, and all their
//! carries go to the same next column, the whole column is one number
//! `total = operands + carries in`, with `sum = total mod 2` and `carry = total div 2`. The merged carries
//! are small numbers that never exist as bits.

mod merge;
mod ties;
mod truth;

use std::collections::HashMap;

use self::truth::{PARITY, as_majority, enumerate_cuts};

use crate::circuit::network::{Literal, Network, Node, NodeId};

/// The largest total of a column: 4 bits, so that one table of 16 entries halves it.
pub(crate) const MAX_TOTAL: u32 = 15;

/// One column of an addition: `constant + Σ operands + Σ carries_in = sum + 2·carry`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    /// Bits added.
    pub(crate) operands: Vec<Literal>,
    /// Columns whose number-valued carry is added.
    pub(crate) carries_in: Vec<u32>,
    /// Constant added.
    pub(crate) constant: u32,
    /// Parity of the total, as a literal of the node that the network computes (`None` if nobody reads it).
    pub(crate) sum: Option<Literal>,
    /// What becomes of the carry.
    pub(crate) carry: Carry,
    /// Largest value of the total.
    pub(crate) max_total: u32,
}

/// Destination of a column's carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Carry {
    /// Nobody reads it.
    #[default]
    Unused,
    /// A bit like any other: this literal of the network.
    Bit(Literal),
    /// A number added into this column and nowhere else.
    Into(u32),
}

/// The columns of a network and which nodes they produce.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    pub(crate) columns: Vec<Column>,
    /// For a node that is the sum or the carry bit of a column: that column.
    pub(crate) producer: HashMap<NodeId, u32>,
    /// Nodes that must be computed (as gates, unless in `producer`).
    pub(crate) required: Vec<bool>,
    /// Majorities without a matching parity: the three literals.
    pub(crate) majorities: HashMap<NodeId, [Literal; 3]>,
}

/// What an adder is made of before columns are merged. Its value is
/// `Σ operands = (sum ^ sum_complement) + 2·carry`; a parity cell has no carry.
#[derive(Clone, Debug)]
struct Adder {
    operands: Vec<Literal>,
    sum: NodeId,
    sum_complement: bool,
    carry: Option<NodeId>,
    /// Complement all operands (and add 1 if there are two): the carry is then complemented.
    flipped: bool,
}

impl Adder {
    fn operand(&self, index: usize) -> Literal {
        self.operands[index].complement_if(self.flipped)
    }

    fn sum_literal(&self) -> Literal {
        Literal::new(self.sum, self.sum_complement ^ self.flipped)
    }

    fn constant(&self) -> u32 {
        (self.flipped && self.operands.len() == 2) as u32
    }
}

/// Who reads a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Readers {
    /// Gates, adders and outputs that read it.
    all: u32,
    /// Adders among them.
    adders: u32,
    /// The last adder noted, and which of its operands.
    adder: (u32, u8),
    /// The last gate noted.
    gate: NodeId,
}

impl Readers {
    /// The one adder operand that is this node's only reader.
    fn only_adder(self) -> Option<(u32, u8)> {
        (self.all == 1 && self.adders == 1).then_some(self.adder)
    }
}

/// Finds the columns of a network. With `merge` unset every adder is a column of its own.
pub(crate) fn find_columns(network: &Network, merge: bool) -> Columns {
    let mut finder = Finder::new(network);
    finder.find_full_adders();
    finder.cover();
    finder.find_half_adders();
    finder.find_parities();
    finder.columns(merge)
}

struct Finder<'a> {
    network: &'a Network,
    adders: Vec<Adder>,
    /// The adder that produces a node as sum or carry.
    producer: HashMap<NodeId, u32>,
    /// A majority's three literals, for majorities that pair with no parity.
    majorities: HashMap<NodeId, [Literal; 3]>,
    required: Vec<bool>,
    readers: Vec<Readers>,
}

impl<'a> Finder<'a> {
    fn new(network: &'a Network) -> Self {
        Self {
            network,
            adders: Vec::new(),
            producer: HashMap::new(),
            majorities: HashMap::new(),
            required: vec![false; network.nodes.len()],
            readers: vec![Readers::default(); network.nodes.len()],
        }
    }

    /// Pairs parities with majorities over the same three nodes.
    fn find_full_adders(&mut self) {
        let cuts = enumerate_cuts(self.network);
        let mut parities: HashMap<[NodeId; 3], (NodeId, bool)> = HashMap::new();
        for (id, node_cuts) in cuts.iter().enumerate() {
            for cut in node_cuts.iter().filter(|c| c.len == 3) {
                if cut.table == PARITY || cut.table == !PARITY {
                    parities
                        .entry(cut.leaves)
                        .or_insert((id as NodeId, cut.table != PARITY));
                }
            }
        }
        for (id, node_cuts) in cuts.iter().enumerate() {
            let id = id as NodeId;
            for cut in node_cuts.iter().filter(|c| c.len == 3) {
                let Some(complements) = as_majority(cut.table) else {
                    continue;
                };
                let operands: Vec<Literal> = (0..3)
                    .map(|i| Literal::new(cut.leaves[i], complements[i]))
                    .collect();
                match parities.get(&cut.leaves) {
                    Some(&(sum, complement)) if !self.producer.contains_key(&sum) => {
                        let adder = self.adders.len() as u32;
                        self.producer.insert(id, adder);
                        self.producer.insert(sum, adder);
                        self.majorities.remove(&id);
                        let odd = complements.iter().filter(|&&c| c).count() % 2 == 1;
                        self.adders.push(Adder {
                            operands,
                            sum,
                            sum_complement: complement ^ odd,
                            carry: Some(id),
                            flipped: false,
                        });
                        break;
                    }
                    _ => {
                        let literals = [operands[0], operands[1], operands[2]];
                        self.majorities.entry(id).or_insert(literals);
                    }
                }
            }
        }
    }

    /// Marks what must be computed, from the outputs down. An adder of which only one result is needed is
    /// no adder; which is known when the scan, in falling order, has passed all readers of both results.
    fn cover(&mut self) {
        // An adder is only one if both results are needed: repeat until no adder is dropped.
        loop {
            let required = self.required_from_outputs();
            let dropped: Vec<u32> = (0..self.adders.len() as u32)
                .filter(|&i| {
                    let adder = &self.adders[i as usize];
                    let carry = adder.carry.expect("full adders have a carry");
                    self.producer.get(&adder.sum) == Some(&i)
                        && required[adder.sum as usize] != required[carry as usize]
                })
                .collect();
            if dropped.is_empty() {
                self.required = required;
                break;
            }
            for index in dropped {
                let adder = &self.adders[index as usize];
                let carry = adder.carry.expect("full adders have a carry");
                self.producer.remove(&adder.sum);
                self.producer.remove(&carry);
                let literals = [adder.operands[0], adder.operands[1], adder.operands[2]];
                self.majorities.insert(carry, literals);
            }
        }
        self.majorities
            .retain(|&node, _| self.required[node as usize]);
        self.count_readers();
    }

    fn reads(&self, node: NodeId) -> Vec<NodeId> {
        if let Some(&adder) = self.producer.get(&node) {
            self.adders[adder as usize]
                .operands
                .iter()
                .map(|l| l.node())
                .collect()
        } else if let Some(majority) = self.majorities.get(&node) {
            majority.iter().map(|l| l.node()).collect()
        } else {
            self.network.nodes[node as usize].fan_in().collect()
        }
    }

    fn required_from_outputs(&self) -> Vec<bool> {
        let mut required = vec![false; self.network.nodes.len()];
        for output in &self.network.outputs {
            required[output.node() as usize] = true;
        }
        for id in (0..self.network.nodes.len()).rev() {
            if required[id] {
                for read in self.reads(id as NodeId) {
                    required[read as usize] = true;
                }
            }
        }
        required
    }

    fn live_adder(&self, index: u32) -> bool {
        let adder = &self.adders[index as usize];
        self.producer.get(&adder.sum) == Some(&index) && self.required[adder.sum as usize]
    }

    fn count_readers(&mut self) {
        self.readers.fill(Readers::default());
        for output in &self.network.outputs {
            self.readers[output.node() as usize].all += 1;
        }
        for index in 0..self.adders.len() as u32 {
            if self.live_adder(index) {
                self.note_adder(index, true);
            }
        }
        for id in 0..self.network.nodes.len() as NodeId {
            if self.required[id as usize] && !self.producer.contains_key(&id) {
                for read in self.reads(id) {
                    let readers = &mut self.readers[read as usize];
                    readers.all += 1;
                    readers.gate = id;
                }
            }
        }
    }

    /// Whether the one reader of a node adds it: an adder, or the exclusive or at the top of an addition.
    fn is_only_added(&self, node: NodeId) -> bool {
        let readers = self.readers[node as usize];
        readers.only_adder().is_some()
            || readers.all == 1
                && matches!(self.network.nodes[readers.gate as usize], Node::Xor(..))
    }

    /// Notes an adder as a reader of its operands; `new_reads` unless gates that it replaces read them already.
    fn note_adder(&mut self, index: u32, new_reads: bool) {
        for (position, operand) in self.adders[index as usize].operands.iter().enumerate() {
            let readers = &mut self.readers[operand.node() as usize];
            readers.all += new_reads as u32;
            readers.adders += 1;
            readers.adder = (index, position as u8);
        }
    }

    /// Two-operand adders: a conjunction that only an adder reads, with the parity of the same pair.
    fn find_half_adders(&mut self) {
        let xors: HashMap<(NodeId, NodeId), NodeId> = self
            .network
            .nodes
            .iter()
            .enumerate()
            .filter_map(|(id, node)| match *node {
                Node::Xor(a, b) => Some(((a, b), id as NodeId)),
                _ => None,
            })
            .collect();
        for id in (0..self.network.nodes.len() as NodeId).rev() {
            let Node::And(a, b) = self.network.nodes[id as usize] else {
                continue;
            };
            let free = |s: &Self, n: NodeId| {
                s.required[n as usize]
                    && !s.producer.contains_key(&n)
                    && !s.majorities.contains_key(&n)
            };
            let Some(&sum) = xors.get(&(a.node().min(b.node()), a.node().max(b.node()))) else {
                continue;
            };
            if free(self, id) && free(self, sum) && self.is_only_added(id) {
                // Two gates read each operand, the adder reads it once.
                self.readers[a.node() as usize].all -= 1;
                self.readers[b.node() as usize].all -= 1;
                let complement = a.is_complement() ^ b.is_complement();
                self.insert_gate_adder(vec![a, b], sum, complement, Some(id));
            }
        }
    }

    /// The column at the top of an addition: an exclusive or that consumes a carry.
    fn find_parities(&mut self) {
        let mut parity = vec![false; self.network.nodes.len()];
        for id in 0..self.network.nodes.len() as NodeId {
            let Node::Xor(a, b) = self.network.nodes[id as usize] else {
                continue;
            };
            if !self.required[id as usize]
                || self.producer.contains_key(&id)
                || self.majorities.contains_key(&id)
            {
                continue;
            }
            let consumes = [a, b].iter().any(|&read| {
                self.readers[read as usize].all == 1
                    && self.producer.get(&read).is_some_and(|&adder| {
                        self.adders[adder as usize].carry == Some(read) || parity[read as usize]
                    })
            });
            if consumes {
                parity[id as usize] = true;
                let pair = vec![Literal::new(a, false), Literal::new(b, false)];
                self.insert_gate_adder(pair, id, false, None);
            }
        }
    }

    /// Makes an adder of gates that already read its operands.
    fn insert_gate_adder(
        &mut self,
        operands: Vec<Literal>,
        sum: NodeId,
        sum_complement: bool,
        carry: Option<NodeId>,
    ) {
        let index = self.adders.len() as u32;
        self.producer.insert(sum, index);
        if let Some(carry) = carry {
            self.producer.insert(carry, index);
        }
        self.adders.push(Adder {
            operands,
            sum,
            sum_complement,
            carry,
            flipped: false,
        });
        self.note_adder(index, false);
    }
}
