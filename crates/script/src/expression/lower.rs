//! From an expression to a flow.

use super::arithmetic::{Digits, complement, plus};
use super::tables::{HashLayouts, Tables, Variant};
use super::{Bitwise, Expression, Form, HashFunction, Operation, Source, Step, Type, ValueId};
use crate::dataflow::{Bank, Flow, Linear, Node, Sign, Value};
use crate::gadgets::u32::{Argument, Divide, Hinted, Multiply, Product};
use crate::opcodes::*;
use crate::{script, words};

/// What a stack item at the start is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A digit of an input.
    Digit { value: ValueId, digit: usize },
    /// A hint of a step.
    Hint { step: usize, hint: usize },
}

/// A stack item at the start, and what it becomes before it is used.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) item: Item,
    pub(crate) raw: Value,
    pub(crate) ready: Value,
    /// The node that makes it ready.
    node: Option<Node>,
    /// Whether it lies on the altstack.
    pub(crate) waits: bool,
}

/// Whether tables are part of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A leaf, or part of one, that brings its tables.
    Whole,
    /// A gadget: tables lie on the stack already.
    Gadget,
    /// The end of a leaf, with its tables: what was opened waits on the altstack in the order of the inputs, hints on the stack.
    Tail,
}

/// A flow in the making.
pub(crate) struct Lowering<'a> {
    expression: &'a Expression,
    pub(crate) flow: Flow,
    pub(crate) tables: Tables,
    /// The digits of every value.
    pub(crate) digits: Vec<Digits>,
    pub(crate) entries: Vec<Entry>,
    /// For each value of the flow, the step that it is of.
    step_of: Vec<usize>,
    variant: Variant,
    scope: Scope,
    /// Whether every item passes the altstack before the tables are set up.
    by_altstack: bool,
}

/// For each step whether anything depends on it.
fn live_steps(expression: &Expression) -> Vec<bool> {
    let mut used = vec![false; expression.values.len()];
    for (output, _) in &expression.outputs {
        used[output.index()] = true;
    }
    let mut live = vec![false; expression.steps.len()];
    for (step, live) in expression.steps.iter().zip(&mut live).rev() {
        // The witness has every input, used or not.
        let asserts = matches!(
            step.operation,
            Operation::AssertEqual | Operation::AssertTrue | Operation::Input { .. }
        );
        *live = asserts || step.results.iter().any(|result| used[result.index()]);
        if *live {
            for argument in &step.arguments {
                used[argument.index()] = true;
            }
        }
    }
    live
}

impl<'a> Lowering<'a> {
    /// Lowers an expression. What brings the inputs to the steps is left to [`Self::order_inputs`].
    pub(crate) fn run(
        expression: &'a Expression,
        scope: Scope,
        layouts: HashLayouts,
        variant: Variant,
    ) -> Self {
        let live = live_steps(expression);
        let steps = || {
            expression
                .steps
                .iter()
                .enumerate()
                .filter(|(index, _)| live[*index])
        };
        let plain_outputs = expression
            .outputs
            .iter()
            .any(|&(_, form)| form == Form::Plain);
        let mut bank = Bank::default();
        let tables = Tables::new(
            &mut bank,
            steps().map(|(_, step)| step),
            scope,
            plain_outputs,
            layouts,
            variant,
        );
        // What must be made ready passes the altstack, so that all items stay in order.
        let unready = expression.steps.iter().any(|step| match step.operation {
            Operation::Input { source, .. } => source != Source::Opened,
            _ => false,
        });
        let mut lowering = Self {
            expression,
            flow: Flow::new(bank),
            tables,
            digits: vec![Digits::new(); expression.values.len()],
            entries: Vec::new(),
            step_of: Vec::new(),
            variant,
            scope,
            by_altstack: scope != Scope::Gadget || unready,
        };
        for (index, step) in steps() {
            let results = lowering.step(index, step);
            let made = lowering.flow.values.len();
            lowering.step_of.resize(made, index);
            for (result, digits) in step.results.iter().zip(results) {
                lowering.digits[result.index()] = digits;
            }
        }
        for &(output, form) in &expression.outputs {
            for digit in lowering.digits[output.index()].clone().into_iter().rev() {
                let number = match form {
                    Form::Doubled => digit,
                    Form::Plain => lowering.plain(digit),
                };
                lowering.flow.output(number);
            }
        }
        if expression.outputs.is_empty() {
            lowering.flow.output(1);
        }
        let made = lowering.flow.values.len();
        lowering.step_of.resize(made, expression.steps.len());
        lowering.drop_unused();
        lowering.flow.aside.reverse();
        lowering
    }

    /// The step of the expression that a value is of.
    pub(crate) fn step_of(&self, value: Value) -> usize {
        self.step_of[value.0 as usize] // cast ok: an index
    }

    /// Applies a piece of script, given in parts, that leaves one number.
    pub(crate) fn code<const N: usize>(&mut self, code: &[&[u8]], arguments: [Linear; N]) -> Value {
        self.flow.apply_code(code.concat(), 3, arguments, 1)[0]
    }

    fn entry(&mut self, item: Item, prepare: Option<&[u8]>) -> Value {
        let waits = self.scope == Scope::Tail && matches!(item, Item::Digit { .. });
        if waits {
            assert!(prepare.is_none(), "what waits on the altstack was opened");
            let value = self.flow.input_aside();
            self.entries.push(Entry {
                item,
                raw: value,
                ready: value,
                node: None,
                waits,
            });
            return value;
        }
        let raw = if self.by_altstack {
            self.flow.input_below()
        } else {
            self.flow.input_above()
        };
        let (ready, node) = match (self.by_altstack, prepare) {
            (false, _) => (raw, None),
            (true, None) => (self.flow.sum(raw), self.flow.nodes.pop()),
            (true, Some(code)) => {
                let ready = self.code(&[code], [raw.into()]);
                (ready, self.flow.nodes.pop())
            }
        };
        if node.is_some() {
            self.flow.keep_on_altstack(ready);
        }
        self.entries.push(Entry {
            item,
            raw,
            ready,
            node,
            waits,
        });
        ready
    }

    fn input(&mut self, value: ValueId, value_type: Type, source: Source) -> Digits {
        let check = |bound: u8, then: &[u8]| {
            let head = [OP_DUP, OP_0].map(|opcode| opcode.to_u8());
            let tail = [OP_WITHIN, OP_VERIFY].map(|opcode| opcode.to_u8());
            [&head[..], &[bound], &tail, then].concat()
        };
        let prepare = match (source, value_type) {
            (Source::Opened, _) | (Source::Plain, Type::Bit) => None,
            (Source::Plain, _) => Some([OP_DUP, OP_ADD].map(|opcode| opcode.to_u8()).to_vec()),
            // The last opcode also makes the number a minimal one.
            (Source::Witness, Type::Bit) => Some(check(OP_2.to_u8(), &[OP_0NOTEQUAL.to_u8()])),
            (Source::Witness, _) => {
                let double = [OP_DUP, OP_ADD].map(|opcode| opcode.to_u8());
                Some(check(OP_16.to_u8(), &double))
            }
        };
        (0..value_type.items())
            .map(|digit| {
                self.entry(Item::Digit { value, digit }, prepare.as_deref())
                    .into()
            })
            .collect()
    }

    fn step(&mut self, index: usize, step: &Step) -> Vec<Digits> {
        let arguments: Vec<Digits> = step
            .arguments
            .iter()
            .map(|argument| self.digits[argument.index()].clone())
            .collect();
        let result_type = step
            .results
            .first()
            .map(|result| self.expression.values[result.index()].value_type);
        let bit = |value: Value| vec![vec![Linear::from(value)]];
        match &step.operation {
            Operation::Input { source, .. } => {
                let value = step.results[0];
                let value_type = self.expression.values[value.index()].value_type;
                vec![self.input(value, value_type, *source)]
            }
            Operation::Constant(constant) => {
                let of = constant.value_type();
                let digits = constant.digits();
                vec![
                    digits
                        .iter()
                        .map(|&digit| of.logical(digit).into())
                        .collect(),
                ]
            }
            Operation::Sum { plus } => vec![self.sum(&arguments[..*plus], &arguments[*plus..])],
            Operation::Bitwise(operation) => vec![self.bitwise(*operation, &arguments)],
            Operation::Not if result_type == Some(Type::Bit) => {
                bit(self.code(&[&[OP_NOT.to_u8()]], [arguments[0][0].clone()]))
            }
            Operation::Not => vec![arguments[0].iter().map(complement).collect()],
            Operation::Shift(shift, bits) => vec![self.shift(*shift, &arguments[0], *bits)],
            Operation::ShiftIf(shift, bits) => {
                vec![self.shift_if(*shift, &arguments[0], *bits, &arguments[1][0])]
            }
            Operation::ShiftNibbles(shift) => {
                // The highest one is on top.
                let bits = std::array::from_fn(|bit| arguments[1 + bit][0].clone());
                vec![self.shift_nibbles(*shift, &arguments[0], bits)]
            }
            Operation::LessThan => vec![vec![self.less_than(&arguments[0], &arguments[1])]],
            Operation::SumIsWithin { low, high } => {
                vec![vec![self.sum_is_within(&arguments, *low, *high)]]
            }
            Operation::Equal => vec![vec![self.equal(&arguments[0], &arguments[1])]],
            Operation::Select => vec![self.select(&arguments[0][0], &arguments[1], &arguments[2])],
            Operation::NegateIf => vec![self.negate_if(&arguments[0], &arguments[1][0])],
            Operation::Multiply(product) => {
                let words = match product {
                    Product::Low => 1,
                    Product::Full => 2,
                };
                let hinted = Multiply::new(8, *product).hinted();
                self.hinted(index, &hinted, &arguments, words)
            }
            Operation::Divide => self.hinted(index, &Divide::new(8).hinted(), &arguments, 2),
            Operation::Digits { start } => {
                let items = result_type.map_or(0, Type::items);
                let all = arguments.into_iter().flatten();
                vec![all.skip(*start).take(items).collect()]
            }
            Operation::Split => {
                let bits = self.split(&arguments[0][0]);
                bits.into_iter().map(|bit| vec![bit]).collect()
            }
            Operation::Join => {
                // The highest bit is on top.
                let more = [OP_DUP, OP_ADD, OP_ADD].map(|opcode| opcode.to_u8());
                let double = [OP_DUP, OP_ADD].map(|opcode| opcode.to_u8());
                let bits: [Linear; 4] = std::array::from_fn(|bit| arguments[bit][0].clone());
                bit(self.code(&[&more, &more, &more, &double], bits))
            }
            Operation::Sign => {
                let code = [OP_16, OP_GREATERTHANOREQUAL].map(|opcode| opcode.to_u8());
                let top = arguments[0].last().expect("words have digits").clone();
                bit(self.code(&[&code], [top]))
            }
            Operation::BitLogic(operation) => {
                let opcode = match operation {
                    Bitwise::And => OP_BOOLAND,
                    Bitwise::Or => OP_BOOLOR,
                    Bitwise::Xor => OP_NUMNOTEQUAL,
                };
                let [a, b] = [0, 1].map(|argument: usize| arguments[argument][0].clone());
                bit(self.code(&[&[opcode.to_u8()]], [a, b]))
            }
            Operation::Widen => {
                let double = [OP_DUP, OP_ADD].map(|opcode| opcode.to_u8());
                bit(self.code(&[&double], [arguments[0][0].clone()]))
            }
            Operation::Hash(function) => {
                let message: Vec<Linear> = arguments.into_iter().flatten().collect();
                let items = result_type.map_or(0, Type::items);
                vec![self.hash(*function, &message, items)]
            }
            Operation::AssertEqual => {
                for (a, b) in arguments[0].iter().zip(&arguments[1]) {
                    let [] = self
                        .flow
                        .apply(&[OP_NUMEQUALVERIFY], [a.clone(), b.clone()]);
                }
                Vec::new()
            }
            Operation::AssertTrue => {
                let [] = self.flow.apply(&[OP_VERIFY], [arguments[0][0].clone()]);
                Vec::new()
            }
        }
    }

    /// So many nibbles of a digest.
    fn hash(&mut self, function: HashFunction, message: &[Linear], items: usize) -> Digits {
        use words::Nibble;
        let known: Option<Vec<i64>> = message.iter().map(Linear::as_constant).collect();
        if let Some(numbers) = known {
            let byte = |pair: &[i64]| (pair[0] / 2 + 8 * pair[1]) as u8; // cast ok: nibbles, doubled
            let bytes: Vec<u8> = numbers.chunks_exact(2).map(byte).collect();
            let digest = function.digest(&bytes);
            let nibbles = digest.iter().flat_map(|byte| [byte & 15, byte >> 4]);
            return nibbles
                .take(items)
                .map(|nibble| Linear::from(2 * i64::from(nibble)))
                .collect();
        }
        let nibble = |flow: &mut Flow, digit: &Linear| match (digit.as_constant(), &digit.terms[..])
        {
            (Some(number), _) => Nibble::Constant((number / 2) as u8), // cast ok: a nibble, doubled
            (None, &[(value, Sign::Plus)]) if digit.constant == 0 => Nibble::Value(value),
            _ => Nibble::Value(flow.corrected(digit.clone())),
        };
        let message: Vec<Nibble> = message
            .iter()
            .map(|digit| nibble(&mut self.flow, digit))
            .collect();
        let digest = match function {
            HashFunction::Blake3 => {
                let blake3 = self.tables.blake3.as_ref();
                let blake3 = blake3.expect("there are tables for every step");
                blake3.digest(&mut self.flow, &message, items / 8)
            }
            HashFunction::Sha256 => {
                let sha256 = self.tables.sha256.as_ref();
                let sha256 = sha256.expect("there are tables for every step");
                sha256.digest(&mut self.flow, &message)
            }
        };
        let digits = digest.into_iter().take(items);
        digits
            .map(|nibble| match nibble {
                Nibble::Constant(nibble) => Linear::from(2 * i64::from(nibble)),
                Nibble::Value(value) => value.into(),
            })
            .collect()
    }

    /// Whether the sum of nibbles is at least `low` and less than `high`.
    fn sum_is_within(&mut self, nibbles: &[Digits], low: u32, high: u32) -> Linear {
        let most = 15 * nibbles.len() as u32; // cast ok: few
        let sum = nibbles
            .iter()
            .fold(Linear::default(), |sum, nibble| plus(&sum, &nibble[0]));
        // Nibbles are doubled.
        let [least, end] = [low, high].map(|bound| 2 * i64::from(bound.min(most + 1)));
        if let Some(sum) = sum.as_constant() {
            return i64::from((least..end).contains(&sum)).into();
        }
        let code = match (low, high) {
            _ if low >= high || low > most => return 0.into(),
            (0, _) if high > most => return 1.into(),
            (0, 1) => script! { OP_NOT },
            (0, _) => script! { { end } OP_LESSTHAN },
            (1, _) if high > most => script! { OP_0NOTEQUAL },
            (_, _) if high > most => script! { { least } OP_GREATERTHANOREQUAL },
            _ => script! { { least } { end } OP_WITHIN },
        };
        self.code(&[code.as_bytes()], [sum]).into()
    }

    fn equal(&mut self, a: &Digits, b: &Digits) -> Linear {
        let mut all: Option<Linear> = None;
        let mut digits: Vec<_> = a.iter().zip(b).collect();
        if self.variant.compare_down {
            digits.reverse();
        }
        for (a, b) in digits {
            let [same] = self.flow.apply(&[OP_NUMEQUAL], [a.clone(), b.clone()]);
            all = Some(match all {
                None => same.into(),
                Some(all) => {
                    let [both] = self.flow.apply(&[OP_BOOLAND], [all, same.into()]);
                    both.into()
                }
            });
        }
        all.expect("values have digits")
    }

    fn select(&mut self, bit: &Linear, a: &Digits, b: &Digits) -> Digits {
        let count = a.len();
        let drop_all = || {
            let pairs = vec![OP_2DROP.to_u8(); count / 2];
            [pairs, vec![OP_DROP.to_u8(); count % 2]].concat()
        };
        let high_first = |digits: &Digits| digits.iter().rev().cloned().collect::<Vec<_>>();
        let zero = b.iter().all(|digit| digit.as_constant() == Some(0));
        let (code, arguments) = if zero {
            let zeros = vec![OP_0.to_u8(); count];
            let code = [
                &[OP_NOTIF.to_u8()][..],
                &drop_all(),
                &zeros,
                &[OP_ENDIF.to_u8()],
            ]
            .concat();
            (code, [high_first(a), vec![bit.clone()]].concat())
        } else {
            let (to, from) = (OP_TOALTSTACK.to_u8(), OP_FROMALTSTACK.to_u8());
            let code = [
                vec![OP_IF.to_u8()],
                vec![to; count],
                drop_all(),
                vec![from; count],
                vec![OP_ELSE.to_u8()],
                drop_all(),
                vec![OP_ENDIF.to_u8()],
            ];
            (
                code.concat(),
                [high_first(b), high_first(a), vec![bit.clone()]].concat(),
            )
        };
        let mut results = self.flow.apply_code(code, 0, arguments, count);
        results.reverse();
        results.into_iter().map(Linear::from).collect()
    }

    /// Applies a script that takes hints.
    fn hinted(
        &mut self,
        step: usize,
        hinted: &Hinted,
        operands: &[Digits],
        words: usize,
    ) -> Vec<Digits> {
        let arguments: Vec<Linear> = hinted
            .arguments
            .iter()
            .map(|&argument| match argument {
                Argument::Digit { operand, digit } => operands[operand][digit].clone(),
                Argument::Hint(hint) => self.entry(Item::Hint { step, hint }, None).into(),
            })
            .collect();
        let made = self.flow.apply_code(
            hinted.code.clone(),
            hinted.peak,
            arguments,
            hinted.results.len(),
        );
        let mut digits = vec![vec![Linear::default(); 8]; words];
        for (value, &(word, digit)) in made.into_iter().zip(&hinted.results) {
            digits[word][digit] = value.into();
        }
        digits
    }

    /// Leaves out steps whose results nobody uses, and drops what is left over of others.
    fn drop_unused(&mut self) {
        let live = self.flow.live();
        let mut live = live.iter();
        self.flow.nodes.retain(|_| live.next() == Some(&true));
        let uses = self.flow.count_uses();
        let unused = |value: &Value| uses[value.0 as usize] == 0; // cast ok: an index
        let drop = |value: Value| Node::Apply {
            code: vec![OP_DROP.to_u8()],
            peak: 0,
            arguments: vec![value.into()],
            results: Vec::new(),
        };
        let ready = self.entries.iter().map(|entry| entry.ready);
        let mut nodes: Vec<Node> = ready.filter(unused).map(drop).collect();
        for node in std::mem::take(&mut self.flow.nodes) {
            let left: Vec<Value> = match &node {
                Node::Apply { results, .. } if !results.iter().all(unused) => {
                    results.iter().copied().filter(unused).rev().collect()
                }
                _ => Vec::new(),
            };
            nodes.push(node);
            nodes.extend(left.into_iter().map(drop));
        }
        self.flow.nodes = nodes;
    }

    /// Puts the inputs in the order in which the steps use them, the first one on top, and makes them ready.
    pub(crate) fn order_inputs(&mut self) {
        let mut order: Vec<Value> = Vec::new();
        let mut note = |sum: &Linear| {
            for &(value, _) in &sum.terms {
                if !order.contains(&value) {
                    order.push(value);
                }
            }
        };
        for node in &self.flow.nodes {
            match node {
                Node::Lookup { index: sum, .. }
                | Node::Sum { sum, .. }
                | Node::Index { sum, .. } => note(sum),
                Node::Apply { arguments, .. } => arguments.iter().rev().for_each(&mut note),
                _ => {}
            }
        }
        // Outputs as they are; the first one lies deepest.
        self.flow.outputs.iter().rev().for_each(note);
        let place = |entry: &Entry| {
            let used = order.iter().position(|&value| value == entry.ready);
            // What waits on the altstack keeps its order, below what passes the altstack.
            (entry.waits, used.filter(|_| !entry.waits))
        };
        self.entries.sort_by_key(place);

        let on_stack = self.entries.iter().rev().filter(|entry| !entry.waits);
        let from_bottom: Vec<Value> = on_stack.map(|entry| entry.raw).collect();
        if !self.by_altstack {
            self.flow.above = from_bottom;
            return;
        }
        let mut nodes: Vec<Node> = Vec::new();
        nodes.extend(self.entries.iter().filter_map(|entry| entry.node.clone()));
        if self.scope == Scope::Gadget {
            self.flow.below = Vec::new();
            self.flow.above = from_bottom;
        } else {
            self.flow.below = from_bottom;
            nodes.push(Node::Tables);
        }
        if self.scope != Scope::Tail {
            nodes.extend(self.entries.first().map(|entry| Node::Restore(entry.ready)));
        }
        nodes.append(&mut self.flow.nodes);
        self.flow.nodes = nodes;
    }
}
