//! From a builder's nodes to the gates of a circuit.

use std::collections::HashMap;

use super::{Bit, Node};
use crate::circuit::{Gate, Op};

/// Turns nodes into gates. Wires are numbered here as if the outputs had no place of their own: the inputs, then a wire
/// for each gate.
pub(super) struct Netlist {
    input_bits: u32,
    gates: Vec<Gate>,
    /// For each node the wire that carries it.
    stored: Vec<Option<u32>>,
    /// For some nodes the wire that carries the complement.
    inverted: HashMap<usize, u32>,
}

impl Netlist {
    /// Begins the netlist of a builder with so many input bits and nodes.
    pub(super) fn new(input_bits: u32, nodes: usize) -> Self {
        let (gates, stored) = (Vec::with_capacity(nodes), vec![None; nodes]);
        Self {
            input_bits,
            gates,
            stored,
            inverted: HashMap::new(),
        }
    }

    /// Emits the gates of every node that `outputs` depend on. An inverter comes before the first gate that needs it.
    pub(super) fn emit_nodes(&mut self, nodes: &[Node], outputs: &[Bit]) {
        let mut live = vec![false; nodes.len()];
        for bit in outputs {
            live[bit.node()] = true;
        }
        for (index, node) in nodes.iter().enumerate().rev() {
            if let (true, Node::And(a, b) | Node::Or(a, b) | Node::Xor(a, b)) = (live[index], node)
            {
                live[a.node()] = true;
                live[b.node()] = true;
            }
        }
        for (index, node) in nodes.iter().enumerate().filter(|&(index, _)| live[index]) {
            self.stored[index] = match *node {
                Node::Zero => None,
                Node::Input(wire) => Some(wire),
                Node::And(a, b) => Some(self.push_binary(Op::And, a, b)),
                Node::Or(a, b) => Some(self.push_binary(Op::Or, a, b)),
                Node::Xor(a, b) => Some(self.push_binary(Op::Xor, a, b)),
            };
        }
    }

    /// Numbers the gates so that `outputs` are the last wires, and returns the number of wires and the gates.
    pub(super) fn into_gates(mut self, outputs: &[Bit]) -> (u32, Vec<Gate>) {
        let mut taken = HashMap::new(); // from the wire of an output to its position
        for (position, &bit) in outputs.iter().enumerate() {
            let wire = match bit {
                Bit::ZERO => self.push(Op::Zero, 0, 0),
                Bit::ONE => self.push(Op::One, 0, 0),
                _ => self.wire(bit),
            };
            let is_free = wire >= self.input_bits && !taken.contains_key(&wire);
            let wire = if is_free {
                wire
            } else {
                self.push(Op::Copy, wire, 0)
            };
            taken.insert(wire, position as u32); // cast ok, under 2^31 nodes
        }
        let wires = self.input_bits + self.gates.len() as u32; // cast ok, `push` counts in u32
        let first_output = wires - outputs.len() as u32; // each output has a gate of its own
        let mut next = self.input_bits;
        let mut number: Vec<u32> = (0..self.input_bits).collect();
        for gate in &self.gates {
            number.push(match taken.get(&gate.out) {
                Some(position) => first_output + position,
                None => {
                    next += 1;
                    next - 1
                }
            });
        }
        for gate in &mut self.gates {
            let operands = gate.op.operands();
            gate.a = if operands > 0 {
                number[gate.a as usize]
            } else {
                0
            };
            gate.b = if operands > 1 {
                number[gate.b as usize]
            } else {
                0
            };
            gate.out = number[gate.out as usize];
        }
        (wires, self.gates)
    }

    fn push(&mut self, op: Op, a: u32, b: u32) -> u32 {
        let out = u32::try_from(self.gates.len())
            .ok()
            .and_then(|index| index.checked_add(self.input_bits))
            .expect("a circuit has under 2^32 wires");
        self.gates.push(Gate { op, a, b, out });
        out
    }

    fn push_binary(&mut self, op: Op, a: Bit, b: Bit) -> u32 {
        let (a, b) = (self.wire(a), self.wire(b));
        self.push(op, a, b)
    }

    /// Returns a wire that carries `bit`; makes an inverter where none does.
    fn wire(&mut self, bit: Bit) -> u32 {
        let wire = self.stored[bit.node()].expect("operands are earlier nodes and never constants");
        if !bit.is_complement() {
            return wire;
        }
        if let Some(&inverted) = self.inverted.get(&bit.node()) {
            return inverted;
        }
        let inverted = self.push(Op::Inv, wire, 0);
        self.inverted.insert(bit.node(), inverted);
        inverted
    }
}
