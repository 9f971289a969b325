//! Scripts made from expressions, their witnesses and traces.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;

use super::lower::{Item, Lowering, Scope};
use super::search::Search;
use super::tables::{HashLayouts, Variant};
use super::{Datum, Evaluation, Expression, Form, Operation, Source, Type, ValueId};
use crate::dataflow::{CompileError, Compiled, Effort, Linear, Orders, Sign, Value};
use crate::interpreter::{Execution, Rules, Step, TxContext, execute_traced};
use crate::{decode_number, encode_number};

/// A script made from an expression.
#[derive(Clone, Debug)]
pub struct Template {
    /// The script.
    pub script: ScriptBuf,
    /// The script that sets up the tables, for a template made by [`Expression::compile_on_tables`]; otherwise empty.
    pub tables: ScriptBuf,
    /// Bytes that set up and remove the tables.
    pub table_bytes: usize,
    /// Bytes that correct numbers because an offset did not fit.
    pub correction_bytes: usize,
    /// Most items on stack and altstack together, inputs and tables included.
    pub max_stack: usize,
    compiled: Compiled,
    /// What the stack must hold at the start, the first one on top.
    entries: Vec<Start>,
    named: Vec<Named>,
    outputs: Vec<(ValueId, Form)>,
}

/// A stack item at the start.
#[derive(Clone, Copy, Debug)]
struct Start {
    item: Item,
    raw: Value,
    source: Source,
    value_type: Type,
    /// Whether it lies on the altstack.
    waits: bool,
}

/// A value with a name.
#[derive(Clone, Debug)]
struct Named {
    name: String,
    value_type: Type,
    digits: Vec<Linear>,
}

/// A named value that a script has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValue<'a> {
    /// Its name.
    pub name: &'a str,
    /// The byte of the script before which all of it is made.
    pub position: usize,
    /// Its type.
    pub value_type: Type,
    /// The value; `None` if the numbers are none of this type, as wrong inputs may have it.
    pub value: Option<Datum>,
    /// The logical numbers of its digits, the lowest first: bits as they are, nibbles doubled.
    pub numbers: Vec<i64>,
}

impl Expression {
    /// Makes the script from the types alone, tables included. The stack it takes is what [`Template::witness`] returns.
    ///
    /// # Errors
    /// If more than [`MAX_STACK_SIZE`](crate::limits::MAX_STACK_SIZE) items lie on the stacks at once.
    pub fn compile(&self) -> Result<Template, CompileError> {
        self.compile_in(Scope::Whole)
    }

    /// Makes the script for tables that lie on the stack already, below the inputs, and are left there; [`Template::tables`] puts them there.
    ///
    /// # Errors
    /// If more than [`MAX_STACK_SIZE`](crate::limits::MAX_STACK_SIZE) items lie on the stacks at once.
    pub fn compile_on_tables(&self) -> Result<Template, CompileError> {
        self.compile_in(Scope::Gadget)
    }

    /// Makes the script for inputs that wait on the altstack, in the order in which they were made: the lowest digit of the first one on top. It brings
    /// its tables and leaves nothing but its outputs; hints lie on the stack ([`Template::witness`]).
    ///
    /// So the end of a leaf that has opened its inputs with `open_digits` onto the altstack is written without knowing the openings.
    ///
    /// # Errors
    /// If more than [`MAX_STACK_SIZE`](crate::limits::MAX_STACK_SIZE) items lie on the stacks at once.
    ///
    /// # Panics
    /// If there is an input that is not opened: plain, or from a witness.
    pub fn compile_from_altstack(&self) -> Result<Template, CompileError> {
        self.compile_in(Scope::Tail)
    }

    /// Bytes of the script of [`Self::compile_on_tables`] as it would be without optimising.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn bytes_as_written(&self) -> Result<usize, CompileError> {
        let mut lowering = Lowering::run(
            self,
            Scope::Gadget,
            HashLayouts::default(),
            Variant::default(),
        );
        lowering.order_inputs();
        lowering.flow.set_effort(Effort::AsWritten);
        Ok(lowering.flow.compile_on_tables()?.script.len())
    }

    /// Makes the script with the first layouts of hash functions' tables that fit.
    fn compile_in(&self, scope: Scope) -> Result<Template, CompileError> {
        let mut layouts = HashLayouts::all(&self.steps).into_iter();
        let first = layouts.next().expect("there is a layout of no tables, too");
        layouts.fold(self.compile_with(scope, first), |known, layouts| {
            known.or_else(|_| self.compile_with(scope, layouts))
        })
    }

    fn compile_with(&self, scope: Scope, layouts: HashLayouts) -> Result<Template, CompileError> {
        let compile = |lowering: &Lowering<'_>| match scope {
            Scope::Whole | Scope::Tail => lowering.flow.compile(),
            Scope::Gadget => lowering.flow.compile_on_tables(),
        };
        let lower = |variant| Lowering::run(self, scope, layouts, variant);
        let mut lowering = lower(Variant::default());
        let may_search = Orders::of(&lowering.flow).is_some();
        lowering.order_inputs();
        // Hash functions are written in an order of their own, and left as they are.
        lowering.flow.shorten = may_search;
        let mut compiled = compile(&lowering);
        if may_search {
            let variants = Variant::all(&self.steps, scope);
            let count = variants.len();
            let searches = variants
                .into_iter()
                .filter_map(|variant| Search::new(lower(variant), scope, count));
            // The first of several that are as good.
            if let Some(best) = searches.min_by_key(Search::bytes) {
                let searched = best.run();
                let other = compile(&searched);
                let bytes = |compiled: &Result<Compiled, CompileError>| match compiled {
                    Ok(compiled) => compiled.script.len(),
                    Err(_) => usize::MAX,
                };
                if bytes(&other) < bytes(&compiled) {
                    (lowering, compiled) = (searched, other);
                }
            }
        }
        let compiled = compiled?;
        let (tables, table_bytes) = match scope {
            Scope::Whole | Scope::Tail => (ScriptBuf::new(), compiled.table_bytes),
            Scope::Gadget => {
                let tables = lowering.flow.tables_script(&compiled.offsets);
                let table_bytes = tables.len() + lowering.flow.bank.len().div_ceil(2);
                (tables, table_bytes)
            }
        };
        let sources: BTreeMap<_, _> = self
            .steps
            .iter()
            .filter_map(|step| match step.operation {
                Operation::Input { source, .. } => Some((step.results[0], source)),
                _ => None,
            })
            .collect();
        let entries = lowering.entries.iter().map(|entry| {
            let (source, value_type) = match entry.item {
                Item::Digit { value, .. } => {
                    (sources[&value], self.values[value.index()].value_type)
                }
                Item::Hint { .. } => (Source::Witness, Type::Nibble),
            };
            Start {
                item: entry.item,
                raw: entry.raw,
                source,
                value_type,
                waits: entry.waits,
            }
        });
        let named = self
            .values
            .iter()
            .zip(&lowering.digits)
            .filter_map(|(info, digits)| {
                Some(Named {
                    name: info.name.clone()?,
                    value_type: info.value_type,
                    digits: digits.clone(),
                })
            });
        Ok(Template {
            script: compiled.script.clone(),
            tables,
            table_bytes,
            correction_bytes: compiled.correction_bytes,
            max_stack: compiled.max_stack,
            entries: entries.collect(),
            named: named.collect(),
            outputs: self.outputs.clone(),
            compiled,
        })
    }
}

impl Template {
    /// The numbers that the script takes from one of the stacks, the deepest first.
    fn numbers(&self, evaluation: &Evaluation, altstack: bool) -> Vec<i64> {
        self.entries
            .iter()
            .rev()
            .filter(|start| start.waits == altstack)
            .map(|start| match start.item {
                Item::Hint { step, hint } => evaluation.hints[step][hint],
                Item::Digit { value, digit } => {
                    let digit = evaluation.values[value.index()].digits()[digit];
                    match start.source {
                        Source::Witness | Source::Plain => digit.into(),
                        Source::Opened => start.value_type.logical(digit),
                    }
                }
            })
            .collect()
    }

    /// The stack that the script takes, the deepest item first: inputs and hints, minimally encoded.
    ///
    /// # Panics
    /// If the evaluation is of another expression.
    pub fn witness(&self, evaluation: &Evaluation) -> Vec<Vec<u8>> {
        let numbers = self.numbers(evaluation, false);
        numbers.into_iter().map(encode_number).collect()
    }

    /// The altstack that a script made by [`Expression::compile_from_altstack`] takes, the deepest item first, minimally encoded.
    ///
    /// # Panics
    /// If the evaluation is of another expression.
    pub fn altstack(&self, evaluation: &Evaluation) -> Vec<Vec<u8>> {
        let numbers = self.numbers(evaluation, true);
        numbers.into_iter().map(encode_number).collect()
    }

    /// The stack that the script leaves, above the tables if those are not part of it, the deepest item first.
    ///
    /// # Panics
    /// If the evaluation is of another expression.
    pub fn left(&self, evaluation: &Evaluation) -> Vec<Vec<u8>> {
        if self.outputs.is_empty() {
            return vec![encode_number(1)];
        }
        let outputs = self.outputs.iter().flat_map(|&(output, form)| {
            let datum = &evaluation.values[output.index()];
            let of = datum.value_type();
            let digits = datum.digits().into_iter().rev();
            digits.map(move |digit| {
                encode_number(match form {
                    Form::Doubled => of.logical(digit),
                    Form::Plain => digit.into(),
                })
            })
        });
        outputs.collect()
    }

    /// For every item of the stack that the script takes, the deepest first, whether it is a hint.
    pub fn hints(&self) -> Vec<bool> {
        let starts = self.entries.iter().rev();
        starts
            .filter(|start| !start.waits)
            .map(|start| matches!(start.item, Item::Hint { .. }))
            .collect()
    }

    /// Executes the script as [`execute_traced`] does, and reports every named value once it is made. Of a script made by
    /// [`Expression::compile_on_tables`], the witness lies above the tables.
    ///
    /// Values that nothing depends on are not made, and not reported.
    pub fn trace(
        &self,
        witness_stack: Vec<Vec<u8>>,
        tx: Option<&TxContext<'_>>,
        rules: Rules,
        report: &mut dyn FnMut(NamedValue<'_>),
    ) -> Execution {
        let mut tracer = Tracer {
            template: self,
            numbers: BTreeMap::new(),
            reported: vec![false; self.named.len()],
        };
        let taken = || self.entries.iter().rev().filter(|start| !start.waits);
        let first = witness_stack.len().saturating_sub(taken().count());
        for (start, item) in taken().zip(&witness_stack[first..]) {
            if let Some(number) = decode_number(item) {
                tracer.numbers.insert(start.raw, number);
            }
        }
        tracer.report(0, report);
        let mut made = self.compiled.made.iter().peekable();
        let mut see = |position: usize, item: &dyn Fn(usize) -> Option<i64>| {
            let mut any = false;
            while let Some(made) = made.next_if(|made| made.position <= position) {
                if let (true, Some(number)) = (made.position == position, item(made.depth)) {
                    tracer.numbers.insert(made.value, number - made.offset);
                    any = true;
                }
            }
            if any {
                tracer.report(position, report);
            }
        };
        let execution = execute_traced(
            &self.script,
            witness_stack,
            tx,
            rules,
            &mut |step: &Step<'_>| {
                let stack = step.stack;
                see(step.position, &|depth| {
                    decode_number(stack.iter().rev().nth(depth)?.as_bytes())
                });
            },
        );
        let stack = &execution.stack;
        see(self.script.len(), &|depth| {
            decode_number(stack.iter().rev().nth(depth)?)
        });
        execution
    }
}

/// The numbers seen so far.
struct Tracer<'a> {
    template: &'a Template,
    numbers: BTreeMap<Value, i64>,
    reported: Vec<bool>,
}

impl Tracer<'_> {
    /// Reports what has become known.
    fn report(&mut self, position: usize, report: &mut dyn FnMut(NamedValue<'_>)) {
        for (named, reported) in self.template.named.iter().zip(&mut self.reported) {
            if *reported || named.digits.is_empty() {
                continue;
            }
            let number = |digit: &Linear| {
                digit
                    .terms
                    .iter()
                    .try_fold(digit.constant, |sum, (value, sign)| {
                        let number = self.numbers.get(value)?;
                        Some(match sign {
                            Sign::Plus => sum + number,
                            Sign::Minus => sum - number,
                        })
                    })
            };
            let Some(numbers) = named
                .digits
                .iter()
                .map(number)
                .collect::<Option<Vec<i64>>>()
            else {
                continue;
            };
            *reported = true;
            let unit = Type::logical(named.value_type, 1);
            let digits: Option<Vec<u8>> = numbers
                .iter()
                .map(|number| (number % unit == 0).then(|| u8::try_from(number / unit).ok())?)
                .collect();
            report(NamedValue {
                name: &named.name,
                position,
                value_type: named.value_type,
                value: digits.and_then(|digits| Datum::from_digits(named.value_type, &digits)),
                numbers,
            });
        }
    }
}
