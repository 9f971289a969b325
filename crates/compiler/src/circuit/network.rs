//! The normal form of a boolean circuit: a graph of two-input AND and XOR nodes with complemented
//! edges, free of constants, copies, repeated and dead nodes.
//!
//! An inverter is a complemented edge and costs nothing: Tapscript has an opcode for every two-input
//! function but NAND and NOR, and those disappear by storing a node's complement.

use std::collections::{HashMap, HashSet};

use tapcourt_program::circuit::{Circuit, Op};

/// Index of a node in its [`Network`].
pub(crate) type NodeId = u32;

/// A node or its complement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Literal(u32);

impl Literal {
    /// The constant 0.
    pub(crate) const FALSE: Self = Self(0);
    /// The constant 1.
    pub(crate) const TRUE: Self = Self(1);

    pub(crate) const fn new(node: NodeId, complement: bool) -> Self {
        Self(node << 1 | complement as u32)
    }

    pub(crate) const fn node(self) -> NodeId {
        self.0 >> 1
    }

    pub(crate) const fn is_complement(self) -> bool {
        self.0 & 1 == 1
    }

    /// This literal, complemented if `by` is set.
    pub(crate) const fn complement_if(self, by: bool) -> Self {
        Self(self.0 ^ by as u32)
    }

    /// The value of this literal when its node has the value `node_value`.
    pub(crate) const fn apply(self, node_value: bool) -> bool {
        node_value ^ self.is_complement()
    }
}

/// What a node computes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Node {
    /// The constant 0: always node 0, and no other node is a constant.
    Constant,
    /// An input of the circuit, by wire.
    Input(u32),
    /// Conjunction of two literals of different nodes, the smaller first.
    And(Literal, Literal),
    /// Exclusive or of two different nodes, the smaller first.
    Xor(NodeId, NodeId),
}

impl Node {
    /// The nodes read by this one.
    pub(crate) fn fan_in(self) -> impl Iterator<Item = NodeId> {
        let pair = match self {
            Self::Constant | Self::Input(_) => [None, None],
            Self::And(a, b) => [Some(a.node()), Some(b.node())],
            Self::Xor(a, b) => [Some(a), Some(b)],
        };
        pair.into_iter().flatten()
    }
}

/// A normalised circuit. Nodes are in topological order: a node reads only earlier ones.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) nodes: Vec<Node>,
    /// The literal of each output wire.
    pub(crate) outputs: Vec<Literal>,
    /// Node of each input wire, whether it is read or not.
    pub(crate) inputs: Vec<NodeId>,
}

impl Network {
    /// Normalises a circuit.
    pub(crate) fn from_circuit(circuit: &Circuit) -> Self {
        let mut builder = Builder::with_capacity(circuit.gates.len());
        let mut wires = vec![Literal::FALSE; circuit.wires as usize];
        let inputs: Vec<NodeId> = (0..circuit.input_bits() as u32)
            .map(|wire| builder.push(Node::Input(wire)))
            .collect();
        for (wire, &node) in inputs.iter().enumerate() {
            wires[wire] = Literal::new(node, false);
        }
        for gate in &circuit.gates {
            let (a, b) = (wires[gate.a as usize], wires[gate.b as usize]);
            wires[gate.out as usize] = match gate.op {
                Op::Xor => builder.xor(a, b),
                Op::And => builder.and(a, b),
                Op::Or => builder
                    .and(a.complement_if(true), b.complement_if(true))
                    .complement_if(true),
                Op::Inv => a.complement_if(true),
                Op::Copy => a,
                Op::Zero => Literal::FALSE,
                Op::One => Literal::TRUE,
            };
        }
        let outputs = wires[wires.len() - circuit.output_bits()..].to_vec();
        Self {
            nodes: builder.nodes,
            outputs,
            inputs,
        }
        .without_dead_nodes()
    }

    /// How many gates `targets` need, down to the nodes for which `is_open` holds.
    pub(crate) fn gates_between(
        &self,
        targets: &[NodeId],
        is_open: impl Fn(NodeId) -> bool,
    ) -> usize {
        let mut seen = HashSet::new();
        let mut stack = targets.to_vec();
        while let Some(id) = stack.pop() {
            let node = self.nodes[id as usize];
            if matches!(node, Node::And(..) | Node::Xor(..)) && seen.insert(id) {
                stack.extend(node.fan_in().filter(|&read| !is_open(read)));
            }
        }
        seen.len()
    }

    /// Removes the nodes that no output depends on; inputs stay.
    fn without_dead_nodes(self) -> Self {
        let mut live = vec![false; self.nodes.len()];
        live[0] = true;
        for output in &self.outputs {
            live[output.node() as usize] = true;
        }
        for id in (0..self.nodes.len()).rev() {
            if live[id] {
                for read in self.nodes[id].fan_in() {
                    live[read as usize] = true;
                }
            }
        }
        let mut renamed = vec![NodeId::MAX; self.nodes.len()];
        let mut nodes = Vec::with_capacity(self.nodes.len());
        for (id, &node) in self.nodes.iter().enumerate() {
            if !live[id] && !matches!(node, Node::Input(_)) {
                continue;
            }
            let literal = |l: Literal| Literal::new(renamed[l.node() as usize], l.is_complement());
            let node = match node {
                Node::And(a, b) => Node::And(literal(a), literal(b)),
                Node::Xor(a, b) => Node::Xor(renamed[a as usize], renamed[b as usize]),
                other => other,
            };
            renamed[id] = nodes.len() as NodeId;
            nodes.push(node);
        }
        Self {
            outputs: self
                .outputs
                .iter()
                .map(|l| Literal::new(renamed[l.node() as usize], l.is_complement()))
                .collect(),
            inputs: self.inputs.iter().map(|&i| renamed[i as usize]).collect(),
            nodes,
        }
    }
}

/// Builds a network node by node, folding constants and merging equal nodes.
struct Builder {
    nodes: Vec<Node>,
    known: HashMap<Node, NodeId>,
}

impl Builder {
    fn with_capacity(nodes: usize) -> Self {
        let mut all = Vec::with_capacity(nodes + 1);
        all.push(Node::Constant);
        Self {
            nodes: all,
            known: HashMap::with_capacity(nodes),
        }
    }

    fn push(&mut self, node: Node) -> NodeId {
        let id = self.nodes.len() as NodeId;
        self.nodes.push(node);
        id
    }

    fn hashed(&mut self, node: Node) -> NodeId {
        if let Some(&id) = self.known.get(&node) {
            return id;
        }
        let id = self.push(node);
        self.known.insert(node, id);
        id
    }

    fn and(&mut self, a: Literal, b: Literal) -> Literal {
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        if a == Literal::FALSE || a == b.complement_if(true) {
            return Literal::FALSE; // 0·b = 0, ¬b·b = 0
        }
        if a == Literal::TRUE || a == b {
            return b; // 1·b = b, b·b = b
        }
        for (x, other) in [(a, b), (b, a)] {
            if let (Node::And(p, q), false) = (self.nodes[x.node() as usize], x.is_complement()) {
                if other == p || other == q {
                    return x; // p·(p·q) = p·q
                }
                if other == p.complement_if(true) || other == q.complement_if(true) {
                    return Literal::FALSE; // ¬p·(p·q) = 0
                }
            }
        }
        for (x, other) in [(a, b), (b, a)] {
            if let Node::Xor(p, q) = self.nodes[x.node() as usize] {
                for (shared, rest) in [(p, q), (q, p)] {
                    if other.node() == shared {
                        // (p ⊕ q)·q = ¬p·q, (p ⊕ q)·¬q = p·¬q, and so on: q is known where it counts
                        let rest = Literal::new(rest, x.is_complement() ^ !other.is_complement());
                        return self.and(rest, other);
                    }
                }
            }
        }
        Literal::new(self.hashed(Node::And(a, b)), false)
    }

    fn xor(&mut self, a: Literal, b: Literal) -> Literal {
        let complement = a.is_complement() ^ b.is_complement();
        let (a, b) = (a.node().min(b.node()), a.node().max(b.node()));
        if a == b {
            return Literal::new(0, complement); // b ⊕ b = 0
        }
        if a == 0 {
            return Literal::new(b, complement); // 0 ⊕ b = b
        }
        for (x, other) in [(a, b), (b, a)] {
            if let Node::Xor(p, q) = self.nodes[x as usize] {
                if p == other {
                    return Literal::new(q, complement); // p ⊕ (p ⊕ q) = q
                }
                if q == other {
                    return Literal::new(p, complement);
                }
            }
            if let Node::And(p, q) = self.nodes[x as usize] {
                for (shared, rest) in [(p, q), (q, p)] {
                    if shared.node() == other {
                        // p·q ⊕ q = ¬p·q, and p·¬q ⊕ q = ¬(¬p·¬q)
                        let product = self.and(rest.complement_if(true), shared);
                        return product.complement_if(complement ^ shared.is_complement());
                    }
                }
            }
        }
        Literal::new(self.hashed(Node::Xor(a, b)), complement)
    }
}
