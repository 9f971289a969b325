//! Computations as graphs of small steps, and the scripts that carry them out.
//!
//! A [`Flow`] says *what* is computed: values that come from the stack, sums of values, look-ups in tables, and opcodes applied to values. It
//! says nothing about stack positions. [`Flow::compile`] decides those: it walks over the steps in the order in which they were written, keeps a model
//! of both stacks, moves a value at its last use and copies it otherwise, and picks the cheapest order for the terms of every sum. Which order of
//! steps is best is searched for one layer above, by `expression`.
//!
//! # Look-ups that cost one byte
//! A table lies on the stack, below the values at work. Reading its entry `i` takes `OP_PICK` with the depth of that entry, which is `i` plus some
//! number `k` that depends on how much lies above the table. Adding `k` takes three bytes, and look-ups are most of what a leaf does.
//!
//! So it is not added. What a table yields is up to us: if its entries are all shifted by `k`, a value read from it can index another table (or the
//! same) as it is. Every table gets such a shift, its *offset*, and the compiler chooses all of them together, so that as many look-ups as
//! possible need no correction (`offsets.rs`). The rest are corrected by one to four bytes. This works because a computation that replaces values
//! one for one keeps the stack at the same height.
//!
//! A value thus has two forms: the *logical* one, which the author of a flow thinks in, and the number that lies on the stack: logical plus the offset
//! of the table that it was read from. Sums add both. An opcode other than addition gets logical numbers.

mod bank;
mod compile;
mod evaluate;
mod machine;
mod offsets;
mod order;
mod peephole;

use bitcoin::Opcode;

pub use self::bank::{Bank, Table, TableId};
pub use self::compile::{CompileError, Compiled, Made};
pub(crate) use self::order::Orders;

/// A value of a [`Flow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub(crate) u32);

/// A sum of values, each added or subtracted, and a constant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linear {
    pub(crate) terms: Vec<(Value, Sign)>,
    pub(crate) constant: i64,
}

/// Whether a term is added or subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Added.
    Plus,
    /// Subtracted.
    Minus,
}

impl Linear {
    /// Adds a value.
    #[must_use]
    pub fn plus(mut self, value: Value) -> Self {
        self.terms.push((value, Sign::Plus));
        self
    }

    /// Subtracts a value.
    #[must_use]
    pub fn minus(mut self, value: Value) -> Self {
        self.terms.push((value, Sign::Minus));
        self
    }

    /// Adds a constant.
    #[must_use]
    pub fn plus_constant(mut self, constant: i64) -> Self {
        self.constant += constant;
        self
    }

    /// The constant, if there are no terms.
    pub fn as_constant(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }
}

impl From<Value> for Linear {
    fn from(value: Value) -> Self {
        Self::default().plus(value)
    }
}

impl From<i64> for Linear {
    fn from(constant: i64) -> Self {
        Self::default().plus_constant(constant)
    }
}

impl FromIterator<Value> for Linear {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        values.into_iter().fold(Self::default(), Self::plus)
    }
}

/// One step of a [`Flow`].
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Reads a table.
    Lookup {
        table: TableId,
        index: Linear,
        result: Value,
    },
    /// Adds up.
    Sum {
        sum: Linear,
        /// As if entries 0 of these tables had been added.
        like: Vec<TableId>,
        result: Value,
    },
    /// Adds up, and gives the sum the offset with which a copy of it, right after, indexes this table.
    Index {
        sum: Linear,
        table: TableId,
        result: Value,
    },
    /// Applies opcodes to logical numbers, the last argument on top.
    Apply {
        code: Vec<u8>,
        /// By how many items the stacks, at their highest, exceed the arguments.
        peak: usize,
        arguments: Vec<Linear>,
        /// The last one on top.
        results: Vec<Value>,
    },
    /// Pushes a byte string.
    Push { bytes: Vec<u8>, result: Value },
    /// Sets up the tables.
    Tables,
    /// Brings a value from the altstack.
    Restore(Value),
    /// Pushes a zero as if it were read from a table.
    Zero { table: TableId, result: Value },
    /// Takes a value away.
    Discard(Value),
    /// Takes away what is left of these values, and padding.
    DiscardAll(Vec<Value>),
    /// Pushes items that nobody uses, until as many lie above the tables as at the other steps of this kind.
    Align,
    /// Pushes items that nobody uses.
    Pad(usize),
    /// Takes such an item away, if there is one.
    Unpad,
}

/// Where a value waits for its next use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Home {
    /// On the stack.
    #[default]
    Main,
    /// On the altstack, which is cheap where values are used in the reverse of the order in which they are made.
    Alt,
}

/// What is known about a value.
#[derive(Clone, Debug)]
pub(crate) struct ValueInfo {
    pub(crate) home: Home,
    /// A name for traces.
    pub(crate) name: Option<String>,
}

/// How much work goes into a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effort {
    /// The shortest script that is found.
    #[default]
    Full,
    /// A script as the flow is written, to compare with: terms in their order, no offsets, every entry of a table pushed by itself.
    AsWritten,
}

/// A computation: what lies on the stack at the start, the steps, and what is left at the end.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    pub(crate) effort: Effort,
    /// Whether sequences of opcodes are replaced by shorter ones, and arguments come in whatever order is shorter.
    pub(crate) shorten: bool,
    pub(crate) bank: Bank,
    pub(crate) values: Vec<ValueInfo>,
    pub(crate) nodes: Vec<Node>,
    /// On the stack at the start, below the tables, the deepest first.
    pub(crate) below: Vec<Value>,
    /// On the stack at the start, above the tables, the deepest first.
    pub(crate) above: Vec<Value>,
    /// On the altstack at the start, the deepest first.
    pub(crate) aside: Vec<Value>,
    /// Not taken away at their last use.
    pub(crate) left: Vec<Value>,
    /// Left at the end, the deepest first.
    pub(crate) outputs: Vec<Linear>,
}

impl Flow {
    /// Starts a flow with these tables.
    pub fn new(bank: Bank) -> Self {
        Self {
            bank,
            ..Self::default()
        }
    }

    /// Says how much work goes into the script.
    pub fn set_effort(&mut self, effort: Effort) {
        self.effort = effort;
    }

    fn value(&mut self) -> Value {
        self.values.push(ValueInfo {
            home: Home::default(),
            name: None,
        });
        Value(self.values.len() as u32 - 1) // cast ok: a flow has far fewer values
    }

    /// Takes a number from the stack at the start, from above all that was taken before. The tables are set up above it, by [`Self::set_up_tables`].
    pub fn input_below(&mut self) -> Value {
        let value = self.value();
        self.below.push(value);
        value
    }

    /// Takes a number from the stack at the start, from above all that was taken before. The tables lie below it already.
    pub fn input_above(&mut self) -> Value {
        let value = self.value();
        self.above.push(value);
        value
    }

    /// Takes a number from the altstack at the start, from above all that was taken from there before.
    pub fn input_aside(&mut self) -> Value {
        let value = self.value();
        self.keep_on_altstack(value);
        self.aside.push(value);
        value
    }

    /// Reads a table.
    pub fn lookup(&mut self, table: TableId, index: impl Into<Linear>) -> Value {
        let index = index.into();
        let result = self.value();
        self.nodes.push(Node::Lookup {
            table,
            index,
            result,
        });
        result
    }

    /// Adds up. Worth a step of its own only if the sum is used more than once.
    pub fn sum(&mut self, sum: impl Into<Linear>) -> Value {
        self.sum_like(sum, [])
    }

    /// Adds up, and gives the sum the offset that it would have if zeros read from these tables were among the terms.
    ///
    /// So that the first column of an addition, which gets no carry, can index the same tables as the others.
    pub fn sum_like(
        &mut self,
        sum: impl Into<Linear>,
        like: impl IntoIterator<Item = TableId>,
    ) -> Value {
        let sum = sum.into();
        let result = self.value();
        self.nodes.push(Node::Sum {
            sum,
            like: like.into_iter().collect(),
            result,
        });
        result
    }

    /// Pushes a zero as if it were read from a table: a carry for the first column of an addition, where this keeps the height.
    pub fn zero(&mut self, table: TableId) -> Value {
        let result = self.value();
        self.nodes.push(Node::Zero { table, result });
        result
    }

    /// Pushes items that nobody uses, to keep the stack at the height that it will have later.
    pub fn pad(&mut self, items: usize) {
        self.nodes.push(Node::Pad(items));
    }

    /// Takes away one of the items that [`Self::pad`] has pushed, if one is left.
    pub fn unpad(&mut self) {
        self.nodes.push(Node::Unpad);
    }

    /// Leaves a value on the stack after its last use, to keep the height. It is removed at the end.
    pub fn leave(&mut self, value: Value) {
        self.left.push(value);
    }

    /// Takes a value away here, which has been left on the stack since its last use, to keep the height.
    pub fn discard(&mut self, value: Value) {
        self.nodes.push(Node::Discard(value));
    }

    /// Leaves values on the stack after their last uses until here, to keep the height, and takes them away together, with all padding.
    pub fn discard_all(&mut self, values: Vec<Value>) {
        self.nodes.push(Node::DiscardAll(values));
    }

    /// Brings the stack to one height here and wherever else this is asked for, by padding.
    ///
    /// So that parts of a flow that keep the height within themselves can have the same offsets.
    pub fn align(&mut self) {
        self.nodes.push(Node::Align);
    }

    /// Corrects a number, so that it lies on the stack as it is.
    pub fn corrected(&mut self, number: impl Into<Linear>) -> Value {
        self.apply_code(Vec::new(), 0, [number.into()], 1)[0]
    }

    /// Whether a value is known to lie on the stack as it is, whatever the offsets are.
    pub fn is_exact(&self, value: Value) -> bool {
        // Most values are made by look-ups, late.
        let maker = self.nodes.iter().rev().find(|node| match node {
            Node::Lookup { result, .. }
            | Node::Sum { result, .. }
            | Node::Index { result, .. }
            | Node::Zero { result, .. } => *result == value,
            _ => false,
        });
        match maker {
            Some(Node::Lookup { table, .. }) => self.bank.table(*table).exact,
            Some(_) => false,
            None => true,
        }
    }

    /// Applies opcodes to arguments, the last one on top, which they consume; they leave `N` results, the last one on top.
    pub fn apply<const N: usize>(
        &mut self,
        opcodes: &[Opcode],
        arguments: impl IntoIterator<Item = Linear>,
    ) -> [Value; N] {
        let code = opcodes.iter().map(|opcode| opcode.to_u8()).collect();
        let results = self.apply_code(code, 1, arguments, N);
        std::array::from_fn(|result| results[result])
    }

    /// Applies a piece of script to arguments, the last one on top, which it consumes; it leaves results, the last one on top.
    ///
    /// `peak` is by how many items both stacks together, at their highest, exceed the arguments.
    pub fn apply_code(
        &mut self,
        code: Vec<u8>,
        peak: usize,
        arguments: impl IntoIterator<Item = Linear>,
        results: usize,
    ) -> Vec<Value> {
        let results: Vec<Value> = (0..results).map(|_| self.value()).collect();
        self.nodes.push(Node::Apply {
            code,
            peak,
            arguments: arguments.into_iter().collect(),
            results: results.clone(),
        });
        results
    }

    /// Adds up, and gives the sum the offset with which a copy of it, right after, indexes this table.
    ///
    /// For a sum that indexes two interleaved tables: if the offsets do not fit, it is corrected once and not twice.
    pub fn index(&mut self, sum: impl Into<Linear>, table: TableId) -> Value {
        let result = self.value();
        self.nodes.push(Node::Index {
            sum: sum.into(),
            table,
            result,
        });
        result
    }

    /// Pushes a byte string.
    pub fn push(&mut self, bytes: &[u8]) -> Value {
        let result = self.value();
        self.nodes.push(Node::Push {
            bytes: bytes.to_vec(),
            result,
        });
        result
    }

    /// Lets a value wait on the altstack.
    pub fn keep_on_altstack(&mut self, value: Value) {
        self.values[value.0 as usize].home = Home::Alt; // cast ok: an index
    }

    /// Brings a value from the altstack to the stack.
    pub fn restore(&mut self, value: Value) {
        self.nodes.push(Node::Restore(value));
    }

    /// Sets up the tables here, above all that lies on the stack.
    pub fn set_up_tables(&mut self) {
        self.nodes.push(Node::Tables);
    }

    /// Names a value, for traces.
    pub fn name(&mut self, value: Value, name: impl Into<String>) {
        self.values[value.0 as usize].name = Some(name.into()); // cast ok: an index
    }

    /// Leaves a number at the end, above all that was left before.
    pub fn output(&mut self, number: impl Into<Linear>) {
        self.outputs.push(number.into());
    }
}
