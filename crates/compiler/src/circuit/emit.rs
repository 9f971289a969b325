//! Writes cells as Tapscript: a model of the stacks decides how each operand reaches the top.
//!
//! Bits live on the main stack from their first use to their last; bits that an opening delivered wait on the
//! altstack until then. An operand is moved at its last use and copied otherwise.

use bitcoin::ScriptBuf;
use bitcoin::opcodes::Opcode;
use tapcourt_script::ScriptWriter;
use tapcourt_script::opcodes as op;

use crate::circuit::cells::{Cell, CellId, Cells, Operand, Operation, ValueId};
use crate::circuit::schedule::Body;

/// Marks a stack position that holds an entry of the halving table, or anything that is no value.
pub(crate) const TABLE: ValueId = ValueId::MAX;
/// Marks a running total.
const TOTAL: ValueId = ValueId::MAX - 1;

/// The script under construction and the stacks as they will be at this point of its execution.
#[derive(Clone)]
pub(crate) struct Emitter<'a> {
    cells: &'a Cells,
    /// The script so far.
    writer: ScriptWriter,
    /// Main stack, bottom first.
    stack: Vec<ValueId>,
    /// Altstack, bottom first.
    altstack: Vec<ValueId>,
    /// Uses of each value that are still to come.
    uses: Vec<u32>,
    /// Values that the leaf opens: should a cell give one too, its readers take the opened one.
    opened: Vec<bool>,
    /// Whether the stack holds the complement of a value.
    stored_complement: Vec<bool>,
    /// Stack index of the table's first entry (the half of 0), if it is there.
    table: Option<usize>,
    /// For planning: the altstack gives any value at once, and `fetched` notes in which order it did.
    any_order: bool,
    /// Values fetched while planning.
    pub(crate) fetched: Vec<ValueId>,
    /// Highest number of items on both stacks.
    pub(crate) max_items: usize,
    /// Opcodes written.
    pub(crate) opcodes: usize,
}

/// A bit that a leaf checks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) computed: Computed,
    /// What it must be; `None` if that is opened.
    pub(crate) expected: Option<bool>,
}

/// What a leaf computes for a target.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Computed {
    Value(Operand),
    Constant(bool),
}

/// What an operand's arrival on top costs, and whether it stays below too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Move,
    Copy,
}

/// Bytes of a push of a small non-negative number.
const fn number_bytes(n: usize) -> usize {
    match n {
        0..=16 => 1,
        17..=127 => 2,
        128..=32_767 => 3,
        _ => 4,
    }
}

/// Bytes that bring the item at `depth` to the top.
const fn access_bytes(access_is_move: bool, depth: usize) -> usize {
    match (access_is_move, depth) {
        (true, 0) => 0,
        (true, 1 | 2) | (false, 0 | 1) => 1,
        _ => number_bytes(depth) + 1,
    }
}

impl<'a> Emitter<'a> {
    /// Starts with an empty main stack, but for the table if the body needs one, and the given altstack.
    /// `stored_complement` says which of the values on the altstack are there as complements.
    pub(crate) fn new(
        cells: &'a Cells,
        body: &Body,
        altstack: Vec<ValueId>,
        stored_complement: Vec<bool>,
    ) -> Self {
        let mut opened = vec![false; cells.values()];
        for &input in &body.inputs {
            opened[input as usize] = true;
        }
        let mut emitter = Self {
            cells,
            writer: ScriptWriter::new(),
            stack: Vec::new(),
            max_items: altstack.len(),
            altstack,
            uses: body.uses(cells),
            opened,
            stored_complement,
            table: None,
            any_order: false,
            fetched: Vec::new(),
            opcodes: 0,
        };
        if let Some(max) = body.table_max(cells) {
            for total in (0..=max).rev() {
                emitter.int(i64::from(total / 2));
                emitter.stack.push(TABLE);
            }
            emitter.table = Some(max as usize);
            emitter.note_items();
        }
        emitter
    }

    /// Starts a plan in which opened values come from the altstack in whatever order they are wanted.
    pub(crate) fn planning(cells: &'a Cells, body: &Body) -> Self {
        let mut emitter = Self::new(cells, body, Vec::new(), vec![false; cells.values()]);
        emitter.any_order = true;
        emitter
    }

    fn op(&mut self, opcode: Opcode) {
        self.writer.op(opcode);
        self.opcodes += 1;
    }

    fn int(&mut self, n: i64) {
        self.writer.int(n);
        self.opcodes += 1;
    }

    fn note_items(&mut self) {
        self.note_items_and(0);
    }

    /// Notes a moment at which `more` items lie on top of those in the model.
    fn note_items_and(&mut self, more: usize) {
        let items = self.stack.len() + more + self.altstack.len();
        self.max_items = self.max_items.max(items);
    }

    /// Depth of a value on the main stack.
    fn depth(&self, value: ValueId) -> Option<usize> {
        self.stack.iter().rev().position(|&v| v == value)
    }

    /// Pops the altstack until `value` is on the main stack.
    fn fetch(&mut self, value: ValueId) {
        if self.any_order {
            self.op(op::OP_FROMALTSTACK);
            self.stack.push(value);
            self.fetched.push(value);
            return;
        }
        while let Some(v) = self.altstack.pop() {
            self.op(op::OP_FROMALTSTACK);
            if v >= TOTAL || self.uses[v as usize] == 0 {
                self.op(op::OP_DROP); // opened with its group, but not read here
                continue;
            }
            self.stack.push(v);
            if v == value {
                break;
            }
        }
        self.note_items();
    }

    /// Brings a value to the top and counts the use.
    fn bring(&mut self, value: ValueId) {
        if self.depth(value).is_none() {
            self.fetch(value);
        }
        let depth = self
            .depth(value)
            .expect("an operand was computed or opened before its use");
        let uses = &mut self.uses[value as usize];
        *uses -= 1;
        let access = if *uses == 0 {
            Access::Move
        } else {
            Access::Copy
        };
        match (access, depth) {
            (Access::Move, 0) => return,
            (Access::Move, 1) => self.op(op::OP_SWAP),
            (Access::Move, 2) => self.op(op::OP_ROT),
            (Access::Copy, 0) => self.op(op::OP_DUP),
            (Access::Copy, 1) => self.op(op::OP_OVER),
            (Access::Move, _) => {
                self.note_items_and(1);
                self.int(depth as i64);
                self.op(op::OP_ROLL);
            }
            (Access::Copy, _) => {
                self.int(depth as i64);
                self.op(op::OP_PICK);
            }
        }
        if access == Access::Move {
            let index = self.stack.len() - 1 - depth;
            self.stack.remove(index);
        }
        self.stack.push(value);
        self.note_items();
    }

    /// Approximate bytes of a cell if it were written now, and how many operands it would free.
    pub(crate) fn estimate(&self, cell: &Cell) -> (usize, usize) {
        let mut bytes = 0;
        let mut freed = 0;
        for operand in &cell.operands {
            let last = self.uses[operand.value as usize] == 1;
            freed += last as usize;
            bytes += match self.depth(operand.value) {
                Some(depth) => access_bytes(last, depth),
                None => 1 + !last as usize,
            };
        }
        (bytes, freed)
    }

    /// The topmost `count` values of the main stack, top first.
    pub(crate) fn top(&self, count: usize) -> impl Iterator<Item = ValueId> + '_ {
        self.stack
            .iter()
            .rev()
            .take(count)
            .copied()
            .filter(|&v| v != TABLE)
    }

    /// Depth of the main stack.
    pub(crate) fn height(&self) -> usize {
        self.stack.len()
    }

    /// Writes a cell.
    pub(crate) fn cell(&mut self, id: CellId) {
        let cells = self.cells;
        let cell = &cells.cells[id as usize];
        match cell.operation {
            Operation::And | Operation::Xor => self.binary(cell),
            Operation::Majority => self.majority(cell),
            Operation::Sum {
                constant,
                max_total,
            } => self.sum(cell, constant, max_total),
        }
    }

    /// Whether an operand reads as complemented, given how it is stored.
    fn reads_complement(&self, operand: Operand) -> bool {
        operand.complement ^ self.stored_complement[operand.value as usize]
    }

    /// Brings two values to the top, in either order; returns them as (below, top).
    fn bring_two(&mut self, a: ValueId, b: ValueId) -> (ValueId, ValueId) {
        for value in [a, b] {
            if self.depth(value).is_none() {
                self.fetch(value);
            }
        }
        let (depth_a, depth_b) = (
            self.depth(a).expect("just fetched"),
            self.depth(b).expect("just fetched"),
        );
        let last = |s: &Self, v: ValueId| s.uses[v as usize] == 1;
        // Let `x` be the deeper one.
        let (x, y, depth_x, depth_y) = if depth_a > depth_b {
            (a, b, depth_a, depth_b)
        } else {
            (b, a, depth_b, depth_a)
        };
        let (last_x, last_y) = (last(self, x), last(self, y));
        if (depth_x, depth_y) == (1, 0) {
            let len = self.stack.len();
            match (last_x, last_y) {
                (true, true) => {}
                (true, false) => {
                    self.op(op::OP_TUCK);
                    self.stack.insert(len - 2, y);
                }
                (false, true) => {
                    // [x y] → [x y x]: the copy goes on top.
                    self.op(op::OP_OVER);
                    self.stack.push(x);
                    self.uses[x as usize] -= 1;
                    self.uses[y as usize] -= 1;
                    self.note_items();
                    return (y, x);
                }
                (false, false) => {
                    self.op(op::OP_2DUP);
                    self.stack.extend([x, y]);
                }
            }
            self.uses[x as usize] -= 1;
            self.uses[y as usize] -= 1;
            self.note_items();
            return (x, y);
        }
        let cost = |first: (usize, bool), second: (usize, bool)| {
            // The second one is deeper by one afterwards, unless the first came from below it by a move.
            let raised = !(first.1 && first.0 > second.0) as usize;
            let depth = if first.1 && first.0 < second.0 {
                second.0
            } else {
                second.0 + raised
            };
            access_bytes(first.1, first.0) + access_bytes(second.1, depth)
        };
        let x_first = cost((depth_x, last_x), (depth_y, last_y));
        let y_first = cost((depth_y, last_y), (depth_x, last_x));
        let (first, second) = if x_first < y_first { (x, y) } else { (y, x) };
        self.bring(first);
        // A moved `first` must not be mistaken for the copy of `second`: they are different values.
        self.bring(second);
        (first, second)
    }

    /// Replaces the two topmost items by one.
    fn combine(&mut self, opcode: Opcode, result: ValueId) {
        self.op(opcode);
        self.stack.pop();
        self.stack.pop();
        self.stack.push(result);
    }

    fn binary(&mut self, cell: &Cell) {
        let result = cell.bit.expect("gates produce a bit").value;
        let [a, b] = [cell.operands[0], cell.operands[1]];
        let (below, _) = self.bring_two(a.value, b.value);
        let (below, top) = if below == a.value { (a, b) } else { (b, a) };
        let complements = (self.reads_complement(below), self.reads_complement(top));
        let (opcode, complement) = match (cell.operation, complements) {
            // a ⊕ b as it is stored: the complements move to the result.
            (Operation::Xor, (x, y)) => (op::OP_NUMNOTEQUAL, x ^ y),
            (_, (false, false)) => (op::OP_BOOLAND, false),
            (_, (false, true)) => (op::OP_GREATERTHAN, false), // a·¬b = a > b
            (_, (true, false)) => (op::OP_LESSTHAN, false),    // ¬a·b = a < b
            (_, (true, true)) => (op::OP_BOOLOR, true),        // ¬a·¬b = ¬(a + b)
        };
        self.combine(opcode, result);
        self.stored_complement[result as usize] = complement;
    }

    /// Adds up operands as stored, complemented ones with a minus sign, cheapest first. Leaves the total on
    /// top and returns how many were subtracted: the sum of the literals is that much larger.
    fn accumulate(&mut self, operands: &[Operand]) -> u32 {
        // Fetching may bring up other values too: all of it before the total lies on top.
        for operand in operands {
            if self.depth(operand.value).is_none() {
                self.fetch(operand.value);
            }
        }
        let mut left: Vec<Operand> = operands.to_vec();
        let mut subtracted = 0;
        // Operands on the two topmost places that are used up here need no access at all.
        let mut started = self.take_topmost_pair(&mut left, &mut subtracted);
        let any_plain = left.iter().any(|o| !self.reads_complement(*o));
        while !left.is_empty() {
            let best = left
                .iter()
                .enumerate()
                .filter(|(_, o)| started || !any_plain || !self.reads_complement(**o))
                .min_by_key(|(_, o)| {
                    let depth = self.depth(o.value).expect("all operands were fetched");
                    access_bytes(self.uses[o.value as usize] == 1, depth)
                })
                .map(|(i, _)| i)
                .expect("operands are left");
            let operand = left.swap_remove(best);
            self.bring(operand.value);
            if started {
                self.add(operand, &mut subtracted);
            } else if self.reads_complement(operand) {
                self.op(op::OP_NEGATE);
                subtracted += 1;
            }
            started = true;
            *self.stack.last_mut().expect("the total is there") = TOTAL;
        }
        subtracted
    }

    fn take_topmost_pair(&mut self, left: &mut Vec<Operand>, subtracted: &mut u32) -> bool {
        let [.., below, top] = self.stack[..] else {
            return false;
        };
        let used_up = |s: &Self, value: ValueId| {
            left.iter()
                .find(|o| o.value == value && s.uses[value as usize] == 1)
                .copied()
        };
        let (Some(top), Some(below)) = (used_up(self, top), used_up(self, below)) else {
            return false;
        };
        if self.reads_complement(below) {
            return false;
        }
        self.uses[top.value as usize] = 0;
        self.uses[below.value as usize] = 0;
        left.retain(|o| *o != top && *o != below);
        self.add(top, subtracted);
        *self.stack.last_mut().expect("the total is there") = TOTAL;
        true
    }

    fn add(&mut self, operand: Operand, subtracted: &mut u32) {
        if self.reads_complement(operand) {
            self.combine(op::OP_SUB, TOTAL);
            *subtracted += 1;
        } else {
            self.combine(op::OP_ADD, TOTAL);
        }
    }

    fn majority(&mut self, cell: &Cell) {
        let result = cell.bit.expect("a majority is a bit").value;
        // maj(¬a, ¬b, ¬c) = ¬maj(a, b, c): at most one operand is left complemented.
        let complements = cell
            .operands
            .iter()
            .filter(|o| self.reads_complement(**o))
            .count();
        let flip = complements >= 2;
        let operands: Vec<Operand> = cell
            .operands
            .iter()
            .map(|o| Operand {
                complement: o.complement ^ flip,
                ..*o
            })
            .collect();
        let subtracted = self.accumulate(&operands);
        self.int(1 - i64::from(subtracted));
        self.op(op::OP_GREATERTHAN);
        self.stack.pop();
        self.stack.push(result);
        self.note_items_and(1);
        self.stored_complement[result as usize] = flip;
    }

    fn sum(&mut self, cell: &Cell, constant: u32, max_total: u32) {
        let subtracted = self.accumulate(&cell.operands);
        let wanted =
            |o: &Operand| self.uses[o.value as usize] > 0 && !self.opened[o.value as usize];
        let carry_used = cell.carry.filter(wanted);
        let bit_used = cell.bit.filter(wanted);
        match constant + subtracted {
            0 => {}
            1 => self.op(op::OP_1ADD),
            more => {
                self.int(i64::from(more));
                self.op(op::OP_ADD);
            }
        }
        self.stack.pop();
        self.note_items_and(match (bit_used, carry_used) {
            (Some(_), Some(_)) => 4,
            (Some(_), None) => 3,
            (None, _) => 2,
        });
        // [total] → [total half], or [half] if the parity is not needed
        let keep = bit_used.is_some();
        if max_total <= 3 {
            if keep {
                self.op(op::OP_DUP);
            }
            self.int(1);
            self.op(op::OP_GREATERTHAN);
        } else {
            if keep {
                self.op(op::OP_DUP);
            }
            let table = self
                .table
                .expect("the table is set up where totals exceed 3");
            // Entry 0 is at this depth once the index is consumed.
            let depth = self.stack.len() - 1 - table + keep as usize;
            if depth > 0 {
                self.int(depth as i64);
                self.op(op::OP_ADD);
            }
            self.op(op::OP_PICK);
        }
        // [total half] → [half total−2·half]
        if let Some(bit) = bit_used {
            if let Some(carry) = carry_used {
                self.op(op::OP_TUCK);
                self.stack.push(carry.value);
                self.stored_complement[carry.value as usize] = carry.complement;
            }
            self.op(op::OP_DUP);
            self.op(op::OP_ADD);
            self.op(op::OP_SUB);
            self.stack.push(bit.value);
            self.stored_complement[bit.value as usize] = bit.complement;
        } else if let Some(carry) = carry_used {
            self.stack.push(carry.value);
            self.stored_complement[carry.value as usize] = carry.complement;
        }
    }

    /// Compares targets with what they should be, those opened from the top of the altstack down. Leaves 1 if any
    /// differs, else 0.
    pub(crate) fn compare(&mut self, targets: &[Target]) {
        // Whatever lies above the opened targets: bits that only a comparison reads, and bits that nothing reads.
        let opened = targets.iter().filter(|t| t.expected.is_none()).count();
        while self.altstack.len() > opened {
            let value = self.altstack.pop().expect("longer than the targets");
            self.op(op::OP_FROMALTSTACK);
            if value >= TOTAL || self.uses[value as usize] == 0 {
                self.op(op::OP_DROP);
            } else {
                self.stack.push(value);
                self.note_items();
            }
        }
        for (index, target) in targets.iter().enumerate() {
            let (computed, constant) = match target.computed {
                Computed::Value(operand) => (Some(operand), false),
                Computed::Constant(bit) => (None, bit),
            };
            let mut unequal = constant;
            if target.expected.is_none() {
                self.op(op::OP_FROMALTSTACK);
                self.altstack.pop();
                self.stack.push(TABLE);
                self.note_items();
            }
            if let Some(operand) = computed {
                unequal ^= self.reads_complement(operand);
                self.bring(operand.value);
                if target.expected.is_none() {
                    // Unequal as bits: equal as stored, if stored complemented.
                    let opcode = if unequal {
                        op::OP_NUMEQUAL
                    } else {
                        op::OP_NUMNOTEQUAL
                    };
                    self.combine(opcode, TABLE);
                    unequal = false;
                } else {
                    *self.stack.last_mut().expect("just brought") = TABLE;
                }
            }
            if unequal ^ target.expected.unwrap_or(false) {
                self.op(op::OP_NOT);
            }
            if index > 0 {
                self.combine(op::OP_BOOLOR, TABLE);
            }
        }
    }

    /// Leaves exactly the verdict on the stack.
    pub(crate) fn finish(&mut self) {
        if let Some(max) = self.table {
            // The deepest entry is the half of `max`, at least 2, and true: it stays in place of the verdict.
            debug_assert!(max >= 4 && self.stack.len() == max + 2);
            self.op(op::OP_VERIFY);
            for _ in 0..max / 2 {
                self.op(op::OP_2DROP);
            }
            if max % 2 == 1 {
                self.op(op::OP_DROP);
            }
        }
    }

    /// The script written.
    pub(crate) fn into_script(self) -> ScriptBuf {
        self.writer.into_script()
    }
}
