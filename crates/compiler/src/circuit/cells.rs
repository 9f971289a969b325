//! The unit of scheduling: a cell reads bits (and carries), and leaves a bit, a carry, or both.

use crate::circuit::adders::{Carry, Columns, find_columns};
use crate::circuit::network::{Literal, Network, Node, NodeId};

/// Index of a [`Cell`]; cells are in topological order.
pub(crate) type CellId = u32;
/// Index of a value: the network's nodes first, then the number-valued carries.
pub(crate) type ValueId = u32;

/// A value or its complement. Number-valued carries are never complemented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Operand {
    pub(crate) value: ValueId,
    pub(crate) complement: bool,
}

impl From<Literal> for Operand {
    fn from(literal: Literal) -> Self {
        Self {
            value: literal.node(),
            complement: literal.is_complement(),
        }
    }
}

/// What a cell computes from its operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
    /// Conjunction of two bits.
    And,
    /// Exclusive or of two bits.
    Xor,
    /// At least two of three bits.
    Majority,
    /// `total = constant + Σ operands`; `bit` is its parity, `carry` its half.
    Sum { constant: u32, max_total: u32 },
}

/// One operation of a program's straight line.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) operation: Operation,
    pub(crate) operands: Vec<Operand>,
    /// The bit produced: this operand has the value of the function (so a complement means that the
    /// network's node is the complement of what the operation gives).
    pub(crate) bit: Option<Operand>,
    /// The half of a sum.
    pub(crate) carry: Option<Operand>,
}

/// All cells of a network.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    pub(crate) cells: Vec<Cell>,
    /// The cell that produces a value (`None` for inputs).
    pub(crate) producer: Vec<Option<CellId>>,
    /// Values that are numbers: they cannot be committed to as bits.
    pub(crate) first_number: ValueId,
    /// Gates of the normalised network that the cells stand for.
    pub(crate) gates: usize,
}

impl Cells {
    /// Turns a network into cells; `merge_columns` as in [`find_columns`].
    pub(crate) fn new(network: &Network, merge_columns: bool) -> Self {
        let columns = find_columns(network, merge_columns);
        let nodes = network.nodes.len();
        let mut builder = Builder {
            network,
            columns: &columns,
            cells: Vec::new(),
            producer: vec![None; nodes + columns.columns.len()],
            progress: vec![Progress::Untouched; columns.columns.len()],
        };
        if !builder.run() {
            return Self::new(network, false);
        }
        let gates = network
            .nodes
            .iter()
            .filter(|n| matches!(n, Node::And(..) | Node::Xor(..)))
            .count();
        Self {
            cells: builder.cells,
            producer: builder.producer,
            first_number: nodes as ValueId,
            gates,
        }
    }

    /// Whether a value is a number rather than a bit.
    pub(crate) fn is_number(&self, value: ValueId) -> bool {
        value >= self.first_number
    }

    /// Number of values.
    pub(crate) fn values(&self) -> usize {
        self.producer.len()
    }
}

impl Cell {
    /// The values produced.
    pub(crate) fn results(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.carry.iter().chain(&self.bit).map(|o| o.value)
    }

    /// Evaluates the cell on the values that `value` gives. Returns its bit and its carry, where it has them.
    pub(crate) fn evaluate(
        &self,
        mut value: impl FnMut(ValueId) -> u32,
    ) -> [Option<(ValueId, u32)>; 2] {
        let mut operands = self
            .operands
            .iter()
            .map(|o| value(o.value) ^ o.complement as u32);
        let (bit, carry) = match self.operation {
            Operation::And => (operands.all(|x| x == 1) as u32, 0),
            Operation::Xor => (operands.fold(0, |a, x| a ^ x), 0),
            Operation::Majority => ((operands.sum::<u32>() > 1) as u32, 0),
            Operation::Sum { constant, .. } => {
                let total = constant + operands.sum::<u32>();
                (total & 1, total >> 1)
            }
        };
        let result = |o: Option<Operand>, x: u32| o.map(|o| (o.value, x ^ o.complement as u32));
        [result(self.bit, bit), result(self.carry, carry)]
    }
}

struct Builder<'a> {
    network: &'a Network,
    columns: &'a Columns,
    cells: Vec<Cell>,
    producer: Vec<Option<CellId>>,
    progress: Vec<Progress>,
}

/// How far the walk is with a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Untouched,
    Open,
    Done,
}

/// A step of the explicit depth-first walk.
enum Task {
    Node(NodeId),
    Column(u32),
    EmitNode(NodeId),
    EmitColumn(u32),
}

impl Builder<'_> {
    /// Emits cells in the order of the network's nodes, each after what it reads. Returns `false` if merged
    /// columns wait for each other: an odd netlist can feed one adder of a column from a later column.
    fn run(&mut self) -> bool {
        let mut stack = Vec::new();
        for id in 0..self.network.nodes.len() as NodeId {
            if !self.columns.required[id as usize] {
                continue;
            }
            stack.push(Task::Node(id));
            while let Some(task) = stack.pop() {
                if !self.step(task, &mut stack) {
                    return false;
                }
            }
        }
        true
    }

    /// Carries out one task; `false` if it closes a circle of columns.
    fn step(&mut self, task: Task, stack: &mut Vec<Task>) -> bool {
        match task {
            Task::Node(id) => {
                if self.producer[id as usize].is_some()
                    || matches!(
                        self.network.nodes[id as usize],
                        Node::Input(_) | Node::Constant
                    )
                {
                    return true;
                }
                if let Some(&column) = self.columns.producer.get(&id) {
                    stack.push(Task::Column(column));
                    return true;
                }
                stack.push(Task::EmitNode(id));
                match self.columns.majorities.get(&id) {
                    Some(majority) => {
                        stack.extend(majority.iter().map(|l| Task::Node(l.node())));
                    }
                    None => {
                        let reads = self.network.nodes[id as usize].fan_in();
                        stack.extend(reads.map(Task::Node));
                    }
                }
            }
            Task::Column(index) => {
                match self.progress[index as usize] {
                    Progress::Done => return true,
                    Progress::Open => return false,
                    Progress::Untouched => self.progress[index as usize] = Progress::Open,
                }
                stack.push(Task::EmitColumn(index));
                let column = &self.columns.columns[index as usize];
                stack.extend(column.operands.iter().map(|l| Task::Node(l.node())));
                stack.extend(column.carries_in.iter().map(|&c| Task::Column(c)));
            }
            Task::EmitNode(id) => {
                if self.producer[id as usize].is_none() {
                    self.emit_node(id);
                }
            }
            Task::EmitColumn(index) => self.emit_column(index),
        }
        true
    }

    fn emit_node(&mut self, id: NodeId) {
        let (operation, operands) = match self.columns.majorities.get(&id) {
            Some(majority) => (Operation::Majority, majority.map(Operand::from).to_vec()),
            None => match self.network.nodes[id as usize] {
                Node::And(a, b) => (Operation::And, vec![a.into(), b.into()]),
                Node::Xor(a, b) => {
                    let plain = |value| Operand {
                        value,
                        complement: false,
                    };
                    (Operation::Xor, vec![plain(a), plain(b)])
                }
                Node::Input(_) | Node::Constant => return,
            },
        };
        let bit = Some(Operand {
            value: id,
            complement: false,
        });
        self.push(Cell {
            operation,
            operands,
            bit,
            carry: None,
        });
    }

    fn emit_column(&mut self, index: u32) {
        self.progress[index as usize] = Progress::Done;
        let column = &self.columns.columns[index as usize];
        let number = |c: u32| Operand {
            value: self.network.nodes.len() as ValueId + c,
            complement: false,
        };
        let mut operands: Vec<Operand> = column.carries_in.iter().map(|&c| number(c)).collect();
        operands.extend(column.operands.iter().map(|&l| Operand::from(l)));
        let carry = match column.carry {
            Carry::Unused => None,
            Carry::Bit(literal) => Some(literal.into()),
            Carry::Into(_) => Some(number(index)),
        };
        let operation = Operation::Sum {
            constant: column.constant,
            max_total: column.max_total,
        };
        let bit = column
            .sum
            .filter(|literal| self.columns.required[literal.node() as usize])
            .map(Operand::from);
        self.push(Cell {
            operation,
            operands,
            bit,
            carry,
        });
    }

    fn push(&mut self, cell: Cell) {
        let id = self.cells.len() as CellId;
        for value in cell.results() {
            self.producer[value as usize] = Some(id);
        }
        self.cells.push(cell);
    }
}
