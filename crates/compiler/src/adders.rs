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

use std::collections::HashMap;

use crate::network::{Literal, Network, Node, NodeId};

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

/// A function of at most three nodes: bit `i` of `table` is its value when the leaves spell `i`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cut {
    leaves: [NodeId; 3],
    len: u8,
    table: u8,
}

const CUTS_PER_NODE: usize = 6;
/// Truth tables of the three variables.
const VARIABLES: [u8; 3] = [0xaa, 0xcc, 0xf0];
const PARITY: u8 = 0x96;

impl Cut {
    fn trivial(node: NodeId) -> Self {
        Self {
            leaves: [node, 0, 0],
            len: 1,
            table: VARIABLES[0],
        }
    }

    fn leaves(&self) -> &[NodeId] {
        &self.leaves[..self.len as usize]
    }

    /// Union of the leaves of two cuts, if there are at most three.
    fn union(&self, other: &Self) -> Option<([NodeId; 3], u8)> {
        let (mut out, mut len) = ([0; 3], 0usize);
        let (mut i, mut j) = (0, 0);
        let (a, b) = (self.leaves(), other.leaves());
        while i < a.len() || j < b.len() {
            if len == 3 {
                return None;
            }
            let take_a = j == b.len() || (i < a.len() && a[i] <= b[j]);
            let leaf = if take_a { a[i] } else { b[j] };
            if i < a.len() && a[i] == leaf {
                i += 1;
            }
            if j < b.len() && b[j] == leaf {
                j += 1;
            }
            out[len] = leaf;
            len += 1;
        }
        Some((out, len as u8))
    }

    /// The truth table of this cut over a larger set of leaves.
    fn table_over(&self, leaves: &[NodeId]) -> u8 {
        let mut table = 0u8;
        let mut position = [0usize; 3];
        for (i, leaf) in self.leaves().iter().enumerate() {
            position[i] = leaves
                .iter()
                .position(|l| l == leaf)
                .expect("the union holds every leaf");
        }
        for row in 0..8u8 {
            let mut index = 0;
            for (i, &p) in position.iter().enumerate().take(self.len as usize) {
                index |= (row >> p & 1) << i;
            }
            table |= (self.table >> index & 1) << row;
        }
        table
    }
}

/// All cuts of at most three leaves, a bounded number a node.
fn enumerate_cuts(network: &Network) -> Vec<Vec<Cut>> {
    let mut all: Vec<Vec<Cut>> = Vec::with_capacity(network.nodes.len());
    for (id, &node) in network.nodes.iter().enumerate() {
        let mut cuts: Vec<Cut> = Vec::new();
        let (pair, op): ([Literal; 2], fn(u8, u8) -> u8) = match node {
            Node::Constant | Node::Input(_) => {
                all.push(vec![Cut::trivial(id as NodeId)]);
                continue;
            }
            Node::And(a, b) => ([a, b], |x, y| x & y),
            Node::Xor(a, b) => ([Literal::new(a, false), Literal::new(b, false)], |x, y| {
                x ^ y
            }),
        };
        for left in &all[pair[0].node() as usize] {
            for right in &all[pair[1].node() as usize] {
                let Some((leaves, len)) = left.union(right) else {
                    continue;
                };
                if cuts.iter().any(|c| c.leaves == leaves && c.len == len) {
                    continue;
                }
                let used = &leaves[..len as usize];
                let flip = |l: Literal| if l.is_complement() { 0xff } else { 0 };
                let table = op(
                    left.table_over(used) ^ flip(pair[0]),
                    right.table_over(used) ^ flip(pair[1]),
                );
                cuts.push(Cut { leaves, len, table });
            }
        }
        // Wide cuts are the ones that adders are found on; among equals, the nearest leaves.
        cuts.sort_by_key(|c| (std::cmp::Reverse(c.len), std::cmp::Reverse(c.leaves)));
        cuts.truncate(CUTS_PER_NODE);
        cuts.push(Cut::trivial(id as NodeId));
        all.push(cuts);
    }
    all
}

/// If `table` is a majority of three literals: their complements. (A complemented majority is the majority of
/// the complements, so the output needs none.)
fn as_majority(table: u8) -> Option<[bool; 3]> {
    (0..8u8).find_map(|mask| {
        let v = |i: usize| VARIABLES[i] ^ if mask >> i & 1 == 1 { 0xff } else { 0 };
        let majority = v(0) & v(1) | v(0) & v(2) | v(1) & v(2);
        (majority == table).then_some([mask & 1 == 1, mask >> 1 & 1 == 1, mask >> 2 & 1 == 1])
    })
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
        for output in &self.network.outputs {
            self.required[output.node() as usize] = true;
        }
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

    /// Merges adders into columns.
    fn columns(mut self, merge: bool) -> Columns {
        let live: Vec<u32> = (0..self.adders.len() as u32)
            .filter(|&i| self.live_adder(i))
            .collect();
        let mut alone = vec![!merge; self.adders.len()];
        loop {
            let cluster = self.clusters(&live, &alone);
            let members = members_of(&live, &cluster);
            let mut broken = self.flip(&live, &cluster, &members);
            broken.extend(self.carries_astray(&cluster, &members));
            if broken.is_empty() {
                let (columns, roots) = self.build(&cluster, &members);
                let large: Vec<usize> = (0..roots.len())
                    .filter(|&i| columns.columns[i].max_total > MAX_TOTAL)
                    .collect();
                if large.is_empty() {
                    return columns;
                }
                for i in large {
                    broken.push(roots[i]);
                    broken.extend(
                        columns.columns[i]
                            .carries_in
                            .iter()
                            .map(|&c| roots[c as usize]),
                    );
                }
            }
            let before = alone.iter().filter(|&&a| a).count();
            for root in broken {
                for &adder in &members[&root] {
                    alone[adder as usize] = true;
                }
            }
            if alone.iter().filter(|&&a| a).count() == before {
                alone.fill(true);
            }
        }
    }

    /// The column of each adder, named by one of its members: an adder joins the one that alone reads its sum.
    fn clusters(&self, live: &[u32], alone: &[bool]) -> Vec<u32> {
        let mut cluster: Vec<u32> = (0..self.adders.len() as u32).collect();
        // The reader of a sum has the larger node, but adders are not in node order: follow the links.
        let next = |i: u32| -> Option<u32> {
            let adder = &self.adders[i as usize];
            let (reader, _) = self.readers[adder.sum as usize].only_adder()?;
            let joins = !alone[i as usize]
                && !alone[reader as usize]
                && adder.carry.is_some() == self.adders[reader as usize].carry.is_some();
            joins.then_some(reader)
        };
        for &i in live {
            let mut root = i;
            while let Some(reader) = next(root) {
                root = reader;
            }
            cluster[i as usize] = root;
        }
        cluster
    }

    /// Chooses the representation of each adder so that merged sums and number-valued carries are read
    /// uncomplemented: each such reading ties the flips of two adders. Returns the columns with a contradiction.
    fn flip(
        &mut self,
        live: &[u32],
        cluster: &[u32],
        members: &HashMap<u32, Vec<u32>>,
    ) -> Vec<u32> {
        let mut ties = Ties::new(self.adders.len());
        let mut broken = Vec::new();
        for &i in live
            .iter()
            .filter(|&&i| members[&cluster[i as usize]].len() > 1)
        {
            let adder = &self.adders[i as usize];
            let sum = (cluster[i as usize] != i).then_some((adder.sum, adder.sum_complement));
            for (node, complement) in sum.into_iter().chain(adder.carry.map(|c| (c, false))) {
                let Some((reader, position)) = self.readers[node as usize].only_adder() else {
                    continue;
                };
                let read = &self.adders[reader as usize];
                let differ = read.operands[position as usize].is_complement() ^ complement;
                // A parity takes either.
                if read.carry.is_some() && !ties.tie(i, reader, differ) {
                    broken.push(cluster[i as usize]);
                }
            }
        }
        for &i in live {
            self.adders[i as usize].flipped = ties.find(i).1;
        }
        broken.sort_unstable();
        broken.dedup();
        broken
    }

    /// Merged columns whose carries do not all go to one other column.
    fn carries_astray(&self, cluster: &[u32], members: &HashMap<u32, Vec<u32>>) -> Vec<u32> {
        let mut broken: Vec<u32> = members
            .iter()
            .filter(|(_, adders)| adders.len() > 1)
            .filter(|(_, adders)| {
                let mut targets = adders.iter().map(|&i| {
                    let carry = self.adders[i as usize].carry?;
                    let (reader, _) = self.readers[carry as usize].only_adder()?;
                    Some(cluster[reader as usize])
                });
                let first = targets.next().expect("a column has a member");
                let parity = adders
                    .iter()
                    .all(|&i| self.adders[i as usize].carry.is_none());
                !parity && (first.is_none() || targets.any(|t| t != first))
            })
            .map(|(&root, _)| root)
            .collect();
        broken.sort_unstable();
        broken
    }

    /// The columns, and the root adder of each.
    fn build(&self, cluster: &[u32], members: &HashMap<u32, Vec<u32>>) -> (Columns, Vec<u32>) {
        // A carry is a smaller node than the carry of the adder that reads it, so in the order of their last
        // carry (parities last) columns carry only into later ones.
        let mut roots: Vec<u32> = members.keys().copied().collect();
        roots.sort_unstable_by_key(|&r| {
            let last = members[&r]
                .iter()
                .map(|&i| self.adders[i as usize].carry)
                .max()
                .flatten();
            (last.unwrap_or(NodeId::MAX), r)
        });
        let index: HashMap<u32, u32> = roots
            .iter()
            .enumerate()
            .map(|(i, &root)| (root, i as u32))
            .collect();
        let mut columns: Vec<Column> = roots.iter().map(|_| Column::default()).collect();
        let mut producer = HashMap::new();
        for &root in &roots {
            let this = index[&root];
            let adders = &members[&root];
            let merged = adders.len() > 1;
            let mut sum_complement = false;
            for &i in adders {
                let adder = &self.adders[i as usize];
                if i == root {
                    columns[this as usize].sum = Some(adder.sum_literal());
                    producer.insert(adder.sum, this);
                }
                columns[this as usize].constant += adder.constant();
                for position in 0..adder.operands.len() {
                    let literal = adder.operand(position);
                    let from = self.producer.get(&literal.node()).copied();
                    let from_cluster = from.map(|f| cluster[f as usize]);
                    let from_merged =
                        from_cluster.is_some_and(|c| members.get(&c).is_some_and(|m| m.len() > 1));
                    match (from, from_cluster) {
                        // The sum of another member: part of the same total.
                        (Some(f), Some(c))
                            if c == root && self.adders[f as usize].sum == literal.node() => {}
                        (Some(f), Some(c))
                            if from_merged
                                && self.adders[f as usize].carry == Some(literal.node()) =>
                        {
                            // A parity takes a complemented carry as it is and complements its sum.
                            sum_complement ^=
                                literal.is_complement() ^ self.adders[f as usize].flipped;
                            let source = index[&c];
                            columns[source as usize].carry = Carry::Into(this);
                            if !columns[this as usize].carries_in.contains(&source) {
                                columns[this as usize].carries_in.push(source);
                            }
                        }
                        _ => columns[this as usize].operands.push(literal),
                    }
                }
                if let (false, Some(carry)) = (merged, adder.carry) {
                    columns[this as usize].carry = Carry::Bit(Literal::new(carry, adder.flipped));
                    producer.insert(carry, this);
                }
            }
            let sum = &mut columns[this as usize].sum;
            *sum = sum.map(|literal| literal.complement_if(sum_complement));
        }
        let mut all = Columns {
            columns,
            producer,
            required: self.required.clone(),
            majorities: self.majorities.clone(),
        };
        all.bound_totals();
        (all, roots)
    }
}

/// Booleans of which some are known to be equal or to differ: union-find with parity.
struct Ties {
    parent: Vec<(u32, bool)>,
}

impl Ties {
    fn new(len: usize) -> Self {
        Self {
            parent: (0..len as u32).map(|i| (i, false)).collect(),
        }
    }

    /// The representative of `i`, and whether `i` differs from it.
    fn find(&mut self, i: u32) -> (u32, bool) {
        let (mut root, mut differs) = (i, false);
        while self.parent[root as usize].0 != root {
            let (parent, d) = self.parent[root as usize];
            differs ^= d;
            // Halve the path.
            let (grandparent, e) = self.parent[parent as usize];
            self.parent[root as usize] = (grandparent, d ^ e);
            if grandparent != parent {
                differs ^= e;
            }
            root = grandparent;
        }
        (root, differs)
    }

    /// Notes that `a` and `b` differ or are equal; `false` if the opposite is known.
    fn tie(&mut self, a: u32, b: u32, differ: bool) -> bool {
        let ((root_a, a_differs), (root_b, b_differs)) = (self.find(a), self.find(b));
        if root_a == root_b {
            return a_differs ^ b_differs == differ;
        }
        self.parent[root_a as usize] = (root_b, a_differs ^ b_differs ^ differ);
        true
    }
}

/// The adders of each column.
fn members_of(live: &[u32], cluster: &[u32]) -> HashMap<u32, Vec<u32>> {
    let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
    for &i in live {
        members.entry(cluster[i as usize]).or_default().push(i);
    }
    members
}

impl Columns {
    /// Calculates the largest total of every column from those that carry into it, which come earlier.
    fn bound_totals(&mut self) {
        for index in 0..self.columns.len() {
            let column = &self.columns[index];
            let carries: u32 = column
                .carries_in
                .iter()
                .map(|&c| self.columns[c as usize].max_total / 2)
                .sum();
            self.columns[index].max_total =
                column.operands.len() as u32 + column.constant + carries;
        }
    }
}
