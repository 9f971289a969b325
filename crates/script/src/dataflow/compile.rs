//! From a flow to a script.

use bitcoin::{Opcode, ScriptBuf};

use super::bank::{push_all, push_each};
use super::machine::{Machine, Piece};
use super::offsets::{self, Affine};
use super::peephole::Shortener;
use super::{Effort, Flow, Home, Linear, Node, TableId, Value};
use crate::ScriptWriter;
use crate::limits::MAX_STACK_SIZE;
use crate::opcodes::*;

/// A script that carries out a [`Flow`].
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The script: tables, unless the flow's inputs lie above them, the steps, and the removal of what is left over.
    pub script: ScriptBuf,
    /// Bytes that set up and remove the tables.
    pub table_bytes: usize,
    /// Bytes that correct numbers because an offset did not fit.
    pub correction_bytes: usize,
    /// Most items on stack and altstack together, tables and inputs included.
    pub max_stack: usize,
    /// Each table's offset.
    pub offsets: Vec<i64>,
    /// Every value the script makes, in that order: before which byte it lies on top, and by how much the number exceeds the logical one.
    pub made: Vec<Made>,
}

/// A value that a script has just put on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The byte of the script before which it lies there.
    pub position: usize,
    /// The value.
    pub value: Value,
    /// How deep it lies there: 0, unless several values are made at once.
    pub depth: usize,
    /// The number on the stack less the logical number.
    pub offset: i64,
}

/// Why a flow has no script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// Too many items at once.
    #[error("{items} items on the stacks at once, where {MAX_STACK_SIZE} are allowed")]
    StackSize {
        /// Items at the highest moment.
        items: usize,
    },
}

/// Whether the tables are part of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tables {
    /// Set up by the script and removed at its end.
    Included,
    /// Taken to lie on the stack already, and left there.
    Excluded,
}

impl Flow {
    /// Writes the script: inputs below, then the tables, set up and removed again.
    ///
    /// # Errors
    /// If more items than [`MAX_STACK_SIZE`] lie on the stacks at once.
    pub fn compile(&self) -> Result<Compiled, CompileError> {
        self.compile_with(Tables::Included)
    }

    /// Writes the script for tables that lie on the stack already, below the inputs, and are left there.
    ///
    /// # Errors
    /// If more items than [`MAX_STACK_SIZE`] lie on the stacks at once.
    pub fn compile_on_tables(&self) -> Result<Compiled, CompileError> {
        self.compile_with(Tables::Excluded)
    }

    /// The script that sets up the tables for [`Self::compile_on_tables`].
    pub fn tables_script(&self, offsets: &[i64]) -> ScriptBuf {
        let mut writer = ScriptWriter::new();
        push_all(&self.bank.items(offsets), &mut writer);
        writer.into_script()
    }

    fn compile_with(&self, tables: Tables) -> Result<Compiled, CompileError> {
        self.assemble(self.carry_out(tables), tables)
    }

    /// About how many bytes the script takes, less the tables, and with which offsets; `None` if it does not fit. The search for offsets
    /// starts from some, and ends soon.
    pub(crate) fn estimate(&self, on_tables: bool, start: &[i64]) -> Option<(usize, Vec<i64>)> {
        let tables = match on_tables {
            true => Tables::Excluded,
            false => Tables::Included,
        };
        let machine = self.carry_out(tables);
        if machine.max_stack > MAX_STACK_SIZE {
            return None;
        }
        let slots = machine.slots();
        let free = self.free_tables();
        let (offsets, mut bytes) = offsets::choose_from(&slots, &free, start);
        let mut script = Shortener::default();
        for piece in &machine.pieces {
            match piece {
                Piece::Code(code) => script.code(code),
                Piece::Push(slot) => {
                    let mut writer = ScriptWriter::new();
                    bytes += writer.int(slot.value(&offsets)).len();
                    script.settle();
                }
                Piece::Correct(slot) if slot.value(&offsets) == 0 => {}
                Piece::Made(..) | Piece::Correct(_) | Piece::Tables => script.settle(),
            }
        }
        Some((bytes + script.len(), offsets))
    }

    /// Offsets of zero.
    pub(crate) fn no_offsets(&self) -> Vec<i64> {
        vec![0; self.bank.tables.len()]
    }

    fn free_tables(&self) -> Vec<bool> {
        self.bank.tables.iter().map(|table| !table.exact).collect()
    }

    /// Carries all steps out on the model of the stacks.
    fn carry_out(&self, tables: Tables) -> Machine {
        if !self.nodes.iter().any(|node| matches!(node, Node::Align)) {
            return self.carry_out_with(tables, 0);
        }
        // Once to see which height is the greatest.
        let highest = self.carry_out_with(tables, 0).highest_aligned;
        self.carry_out_with(tables, highest)
    }

    /// … where steps that are to be at one height have at least `aligned` items above the tables.
    fn carry_out_with(&self, tables: Tables, aligned: usize) -> Machine {
        let mut machine = Machine::new(self.count_uses(), self.effort);
        machine.place_aside(&self.aside);
        machine.place(&self.below);
        if tables == Tables::Excluded {
            machine.place_tables(self.bank.len(), false);
        }
        machine.place(&self.above);

        let live = self.live();
        for (node, _) in self.nodes.iter().zip(&live).filter(|(_, live)| **live) {
            match node {
                Node::Lookup {
                    table,
                    index,
                    result,
                } => {
                    machine.index(index, self.bank.origins[table.0]);
                    machine.op(OP_PICK);
                    machine.consume(1);
                    let offset = self.table_offset(*table);
                    self.finish(&mut machine, &[*result], vec![offset]);
                }
                Node::Sum { sum, like, result } => {
                    let mut zeros = Affine::default();
                    for &table in like {
                        zeros.subtract(&self.table_offset(table), -1);
                    }
                    let offset = machine.sum(sum, &zeros);
                    machine.consume(1);
                    self.finish(&mut machine, &[*result], vec![offset]);
                }
                Node::Index { sum, table, result } => {
                    let offset = machine.indexing_sum(sum, self.bank.origins[table.0]);
                    machine.consume(1);
                    self.finish(&mut machine, &[*result], vec![offset]);
                }
                Node::Apply {
                    code,
                    peak,
                    arguments,
                    results,
                } => {
                    machine.arrange(arguments, self.shorten && commutes(code));
                    machine.code(code, *peak);
                    machine.consume(arguments.len());
                    let offsets = vec![Affine::default(); results.len()];
                    self.finish(&mut machine, results, offsets);
                }
                Node::Tables if tables == Tables::Included => {
                    machine.place_tables(self.bank.len(), true);
                }
                Node::Tables => {}
                Node::Zero { table, result } => {
                    let offset = self.table_offset(*table);
                    machine.push_number(offset);
                    machine.consume(1);
                    self.finish(&mut machine, &[*result], vec![offset]);
                }
                Node::Discard(value) => machine.discard(*value),
                Node::DiscardAll(values) => machine.discard_all(values),
                Node::Align => machine.align(self.bank.len(), aligned),
                Node::Pad(items) => machine.pad(*items),
                Node::Unpad => machine.unpad(),
                Node::Restore(value) => machine.bring_from_alt(*value),
                Node::Push { bytes, result } => {
                    machine.push_data(bytes);
                    machine.consume(1);
                    self.finish(&mut machine, &[*result], vec![Affine::default()]);
                }
            }
        }
        match tables {
            Tables::Included => {
                // By way of the altstack, the last output first. There is nothing to move if they wait there in that order already.
                if !machine.altstack_is(&self.outputs) {
                    for (value, _) in self.outputs.iter().flat_map(|output| &output.terms) {
                        machine.bring_from_alt(*value);
                    }
                    for output in self.outputs.iter().rev() {
                        machine.linear(output);
                        machine.result_to_alt();
                    }
                    assert!(machine.altstack_is_empty(), "every value is used");
                }
                machine.drop_to(0);
                for _ in &self.outputs {
                    machine.op(OP_FROMALTSTACK);
                }
            }
            Tables::Excluded => {
                machine.arrange(&self.outputs, false);
                let extra =
                    machine.height() - self.below.len() - self.bank.len() - self.outputs.len();
                assert_eq!(extra, 0, "every input is used");
                assert!(machine.altstack_is_empty(), "every value is used");
            }
        }
        machine
    }

    fn table_offset(&self, table: TableId) -> Affine {
        if self.bank.tables[table.0].exact {
            Affine::default()
        } else {
            Affine::offset(table.0)
        }
    }

    /// Puts results on the stack, and each where it waits.
    fn finish(&self, machine: &mut Machine, results: &[Value], offsets: Vec<Affine>) {
        for (index, (&result, offset)) in results.iter().zip(offsets).enumerate() {
            machine.produce(result, offset, results.len() - 1 - index);
        }
        for &result in results.iter().rev() {
            if !machine.is_used(result) {
                machine.drop_top();
            } else if self.values[result.0 as usize].home == Home::Alt {
                machine.top_to_alt();
            } else {
                break;
            }
        }
    }

    /// For each node whether it is carried out: look-ups and sums whose results nobody uses are not.
    ///
    /// Their uses of other values still count, so what they would have taken away stays on the stack, and the height with it.
    pub(crate) fn live(&self) -> Vec<bool> {
        let mut used = vec![false; self.values.len()];
        self.outputs
            .iter()
            .for_each(|output| mark_used(output, &mut used));
        let mut live = vec![true; self.nodes.len()];
        for (node, live) in self.nodes.iter().zip(&mut live).rev() {
            match node {
                Node::Lookup { index, result, .. } => {
                    *live = used[result.0 as usize]; // cast ok: an index
                    if *live {
                        mark_used(index, &mut used);
                    }
                }
                Node::Sum { sum, result, .. } | Node::Index { sum, result, .. } => {
                    *live = used[result.0 as usize]; // cast ok: an index
                    if *live {
                        mark_used(sum, &mut used);
                    }
                }
                Node::Apply { arguments, .. } => {
                    arguments.iter().for_each(|sum| mark_used(sum, &mut used));
                }
                Node::Discard(value) => used[value.0 as usize] = true, // cast ok: an index
                _ => {}
            }
        }
        live
    }

    pub(crate) fn count_uses(&self) -> Vec<u32> {
        let mut uses = vec![0; self.values.len()];
        let mut count = |sum: &Linear| {
            for (value, _) in &sum.terms {
                uses[value.0 as usize] += 1; // cast ok: an index
            }
        };
        for node in &self.nodes {
            match node {
                Node::Lookup { index, .. } => count(index),
                Node::Sum { sum, .. } | Node::Index { sum, .. } => count(sum),
                Node::Apply { arguments, .. } => arguments.iter().for_each(&mut count),
                Node::Discard(value) => count(&Linear::from(*value)),
                Node::DiscardAll(values) => {
                    count(&values.iter().copied().collect());
                }
                Node::Push { .. }
                | Node::Align
                | Node::Tables
                | Node::Restore(_)
                | Node::Zero { .. }
                | Node::Pad(_)
                | Node::Unpad => {}
            }
        }
        self.outputs.iter().for_each(&mut count);
        for value in &self.left {
            uses[value.0 as usize] += 1; // cast ok: an index
        }
        uses
    }

    /// Chooses the offsets and writes the bytes.
    fn assemble(&self, machine: Machine, tables: Tables) -> Result<Compiled, CompileError> {
        if machine.max_stack > MAX_STACK_SIZE {
            return Err(CompileError::StackSize {
                items: machine.max_stack,
            });
        }
        let slots = machine.slots();
        let free = self.free_tables();
        let (offsets, correction_bytes) = match self.effort {
            Effort::Full => offsets::choose(&slots, &free),
            Effort::AsWritten => offsets::none(&slots, &free),
        };
        let mut table_bytes = match tables {
            Tables::Included => self.bank.len().div_ceil(2),
            Tables::Excluded => 0,
        };
        let mut made = Vec::new();
        let mut script = Shortener::default();
        let append = |script: &mut Shortener, code: &[u8]| match self.shorten {
            true => script.code(code),
            false => script.raw(code),
        };
        for piece in &machine.pieces {
            let mut writer = ScriptWriter::new();
            match piece {
                Piece::Made(value, depth) => {
                    // It lies there before this very byte.
                    script.settle();
                    made.push(Made {
                        position: script.len(),
                        value: *value,
                        depth: *depth,
                        offset: machine.offsets[value.0 as usize].value(&offsets), // cast ok: an index
                    });
                }
                Piece::Code(code) => append(&mut script, code),
                Piece::Correct(slot) => match slot.value(&offsets) {
                    0 => {}
                    1 => {
                        writer.op(OP_1ADD);
                    }
                    -1 => {
                        writer.op(OP_1SUB);
                    }
                    value if value > 0 => {
                        writer.int(value).op(OP_ADD);
                    }
                    value => {
                        writer.int(-value).op(OP_SUB);
                    }
                },
                Piece::Push(slot) => {
                    writer.int(slot.value(&offsets));
                }
                Piece::Tables => {
                    let mut tables = ScriptWriter::new();
                    match self.effort {
                        Effort::Full => push_all(&self.bank.items(&offsets), &mut tables),
                        Effort::AsWritten => push_each(&self.bank.items(&offsets), &mut tables),
                    }
                    table_bytes += tables.len();
                    script.raw(tables.as_script().as_bytes());
                }
            }
            append(&mut script, writer.as_script().as_bytes());
        }
        Ok(Compiled {
            script: ScriptBuf::from_bytes(script.into_bytes()),
            table_bytes,
            correction_bytes,
            max_stack: machine.max_stack,
            offsets,
            made,
        })
    }
}

/// Whether a piece of code is one opcode that takes its two arguments in either order.
fn commutes(code: &[u8]) -> bool {
    const OPCODES: [Opcode; 6] = [
        OP_BOOLAND,
        OP_BOOLOR,
        OP_NUMEQUAL,
        OP_NUMEQUALVERIFY,
        OP_NUMNOTEQUAL,
        OP_EQUAL,
    ];
    matches!(code, &[code] if OPCODES.iter().any(|opcode| opcode.to_u8() == code))
}

fn mark_used(sum: &Linear, used: &mut [bool]) {
    for (value, _) in &sum.terms {
        used[value.0 as usize] = true; // cast ok: an index
    }
}
