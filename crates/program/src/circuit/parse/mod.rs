//! Reads netlists: Bristol Fashion and the older Bristol format.

mod error;
mod scanner;

pub use error::{HeaderField, ParseError};
use scanner::{Scanner, shorten};

use super::{Circuit, DrivenWires, Gate, MAX_INPUT_BITS, MAX_WIRES, Op, WireFault, check_values};

/// The bytes of the shortest gate line, `1 1 0 1 EQ`, with its line end.
const MIN_GATE_BYTES: u64 = 11;
/// The fewest bytes a driven wire takes: it is named, and a `MAND` names two operands for it, each after a blank.
const MIN_WIRE_BYTES: u64 = 6;

impl Circuit {
    /// Reads a netlist in Bristol Fashion or the older Bristol format, told apart by themselves.
    ///
    /// ```text
    /// Bristol Fashion                                    Bristol, old
    /// <gates> <wires>                                    <gates> <wires>
    /// <input values> <bits of value 0> <bits of 1> …     <bits of input 1> <bits of input 2, or 0> <output bits>
    /// <output values> <bits of value 0> …
    /// <n_in> <n_out> <wires read> <wires driven> <OP>    the same gates
    /// ```
    ///
    /// The third line decides: it consists of numbers alone in Bristol Fashion only. Gates are
    /// `XOR AND OR INV EQ EQW MAND` in both; `MAND` reads `k` left and then `k` right operands, and becomes `k` ANDs.
    /// Fields are separated by blanks or tabs, lines may end in CRLF, blank lines may stand anywhere, and `#` and `//`
    /// begin a comment.
    ///
    /// An input value of 0 bits, which the old format uses for "no second input", is left out. Memory is at most
    /// proportional to the length of `netlist`, whatever its header says.
    ///
    /// # Errors
    /// Names the line, and where there is one the gate and the wire, that breaks the format or a guarantee of
    /// [`Circuit`].
    pub fn parse(netlist: &[u8]) -> Result<Self, ParseError> {
        let mut scanner = Scanner::new(netlist);
        let header = Header::parse(&mut scanner)?;
        let mut body = Body {
            driven: DrivenWires::new(header.input_bits, header.wires),
            wires: header.wires,
            gates: Vec::with_capacity((header.wires - header.input_bits) as usize),
        };
        let mut named = Vec::new();
        let mut gate = 0;
        while (gate as u64) < header.gates {
            if !scanner.seek_field() {
                let (line, declared) = (scanner.line, header.gates);
                return Err(ParseError::TooFewGates {
                    line,
                    declared,
                    actual: gate,
                });
            }
            body.gate(&mut scanner, gate, &mut named)?;
            gate += 1;
        }
        if scanner.seek_field() {
            return Err(ParseError::TooManyGates {
                line: scanner.line,
                declared: header.gates,
            });
        }
        if let Some(wire) = body.driven.first_undriven() {
            return Err(ParseError::Undriven {
                line: scanner.line,
                wire,
            });
        }
        Ok(Self {
            inputs: header.inputs,
            outputs: header.outputs,
            wires: header.wires,
            gates: body.gates,
        })
    }
}

/// The header, checked: `input_bits <= wires`, and the file can hold `wires - input_bits` driven wires and `gates`.
struct Header {
    gates: u64,
    wires: u32,
    input_bits: u32,
    inputs: Vec<u32>,
    outputs: Vec<u32>,
}

impl Header {
    fn parse(scanner: &mut Scanner<'_>) -> Result<Self, ParseError> {
        let (first_line, first) = scanner.header_line()?;
        let &[gates, wires] = first.as_slice() else {
            return Err(header_fields(first_line, 2, &first));
        };
        let (input_line, second) = scanner.header_line()?;
        let (output_line, inputs, outputs) = if scanner.next_line_is_numeric() {
            let (line, third) = scanner.header_line()?;
            (line, counted(input_line, second)?, counted(line, third)?)
        } else {
            let &[n1, n2, n3] = second.as_slice() else {
                return Err(header_fields(input_line, 3, &second));
            };
            (
                input_line,
                [n1, n2].into_iter().filter(|&bits| bits != 0).collect(),
                vec![n3],
            )
        };

        let limit_of = |line, field, declared: u64, limit: u64| match declared <= limit {
            true => Ok(()),
            false => Err(ParseError::HeaderLimit {
                line,
                field,
                declared,
                limit,
            }),
        };
        let rest_bytes = scanner.rest_bytes();
        let input_bits = saturating_sum(&inputs);
        let output_bits = saturating_sum(&outputs);
        limit_of(
            first_line,
            HeaderField::Gates,
            gates,
            (rest_bytes + 1) / MIN_GATE_BYTES,
        )?;
        limit_of(
            input_line,
            HeaderField::InputBits,
            input_bits,
            MAX_INPUT_BITS.into(),
        )?;
        if wires < input_bits {
            return Err(ParseError::FewerWiresThanInputs {
                line: input_line,
                wires,
                input_bits,
            });
        }
        let most_wires = (input_bits + (rest_bytes + 1) / MIN_WIRE_BYTES).min(MAX_WIRES.into());
        limit_of(first_line, HeaderField::Wires, wires, most_wires)?;
        limit_of(output_line, HeaderField::OutputBits, output_bits, wires)?;

        let narrow = |values: Vec<u64>| {
            values
                .into_iter()
                .map(|bits| bits as u32)
                .collect::<Vec<_>>()
        };
        let (inputs, outputs) = (narrow(inputs), narrow(outputs)); // casts ok, no value exceeds the wires
        let wires = wires as u32; // cast ok, at most MAX_WIRES
        let input_bits =
            check_values(&inputs, &outputs, wires).map_err(|source| ParseError::Values {
                line: output_line,
                source,
            })?;
        Ok(Self {
            gates,
            wires,
            input_bits,
            inputs,
            outputs,
        })
    }
}

fn header_fields(line: usize, expected: u64, fields: &[u64]) -> ParseError {
    ParseError::HeaderFields {
        line,
        expected,
        actual: fields.len(),
    }
}

/// Takes the values of a header line whose first number says how many follow.
fn counted(line: usize, mut fields: Vec<u64>) -> Result<Vec<u64>, ParseError> {
    let count = fields.first().copied().unwrap_or(0);
    if count != fields.len() as u64 - 1 {
        return Err(header_fields(line, count.saturating_add(1), &fields));
    }
    fields.remove(0);
    Ok(fields)
}

fn saturating_sum(values: &[u64]) -> u64 {
    values
        .iter()
        .fold(0, |sum: u64, &bits| sum.saturating_add(bits))
}

/// The gates read so far.
struct Body {
    driven: DrivenWires,
    wires: u32,
    gates: Vec<Gate>,
}

impl Body {
    /// Reads the gate line at which the scanner stands. `named` is scratch space.
    fn gate(
        &mut self,
        scanner: &mut Scanner<'_>,
        gate: usize,
        named: &mut Vec<u64>,
    ) -> Result<(), ParseError> {
        let line = scanner.line;
        named.clear();
        while scanner.at_digit() {
            named.push(scanner.number(Some(gate))?);
        }
        if scanner.at_line_end() {
            return Err(ParseError::MissingOp { line, gate });
        }
        let word = scanner.field();
        let Some(op) = GateWord::from_name(word) else {
            let op = shorten(word);
            return Err(match op.as_bytes()[0] {
                b'-' | b'+' | b'.' => ParseError::NotANumber {
                    line,
                    gate: Some(gate),
                    found: op,
                },
                _ => ParseError::UnknownOp { line, gate, op },
            });
        };
        if !scanner.at_line_end() {
            let found = shorten(scanner.field());
            return Err(ParseError::TrailingField { line, gate, found });
        }
        let (inputs, outputs, wires) = match named.as_slice() {
            [inputs, outputs, wires @ ..] => (*inputs, *outputs, wires),
            short => {
                let inputs = short.first().copied().unwrap_or(0);
                return Err(ParseError::OperandCount {
                    line,
                    gate,
                    inputs,
                    outputs: 0,
                    actual: 0,
                });
            }
        };
        if inputs.checked_add(outputs) != Some(wires.len() as u64) {
            let actual = wires.len();
            return Err(ParseError::OperandCount {
                line,
                gate,
                inputs,
                outputs,
                actual,
            });
        }
        let here = Position {
            line,
            gate,
            limit: self.wires,
        };
        match (op, wires) {
            (GateWord::Two(op), &[a, b, out]) if inputs == 2 => self.push(here, op, a, b, out),
            (GateWord::One(op), &[a, out]) if inputs == 1 => self.push(here, op, a, 0, out),
            (GateWord::Eq, &[value, out]) if inputs == 1 => match value {
                0 => self.push(here, Op::Zero, 0, 0, out),
                1 => self.push(here, Op::One, 0, 0, out),
                _ => Err(ParseError::Constant { line, gate, value }),
            },
            (GateWord::Mand, wires) if outputs > 0 && inputs == outputs.saturating_mul(2) => {
                self.push_mand(here, wires)
            }
            (op, _) => Err(ParseError::Arity {
                line,
                gate,
                op: op.name(),
                inputs,
                outputs,
            }),
        }
    }

    fn push(&mut self, here: Position, op: Op, a: u64, b: u64, out: u64) -> Result<(), ParseError> {
        let a = if op.operands() > 0 {
            self.read(here, a)?
        } else {
            0
        };
        let b = if op.operands() > 1 {
            self.read(here, b)?
        } else {
            0
        };
        let out = self
            .driven
            .drive(out)
            .map_err(|fault| here.error(fault, out))?;
        self.gates.push(Gate { op, a, b, out });
        Ok(())
    }

    /// Expands `MAND`: the ANDs happen at once, so all operands are read before any wire is driven.
    fn push_mand(&mut self, here: Position, wires: &[u64]) -> Result<(), ParseError> {
        let (operands, outputs) = wires.split_at(wires.len() / 3 * 2);
        for &wire in operands {
            self.read(here, wire)?;
        }
        let (left, right) = operands.split_at(outputs.len());
        for ((&a, &b), &out) in left.iter().zip(right).zip(outputs) {
            self.push(here, Op::And, a, b, out)?;
        }
        Ok(())
    }

    fn read(&self, here: Position, wire: u64) -> Result<u32, ParseError> {
        self.driven
            .read(wire)
            .map_err(|fault| here.error(fault, wire))
    }
}

/// Where an error is, and how many wires there are.
#[derive(Clone, Copy)]
struct Position {
    line: usize,
    gate: usize,
    limit: u32,
}

impl Position {
    fn error(self, fault: WireFault, wire: u64) -> ParseError {
        let Self { line, gate, limit } = self;
        match fault {
            WireFault::OutOfRange => ParseError::WireOutOfRange {
                line,
                gate,
                wire,
                limit,
            },
            WireFault::NotDriven => ParseError::NotDriven { line, gate, wire },
            WireFault::DrivenTwice => ParseError::DrivenTwice { line, gate, wire },
        }
    }
}

/// The operation at the end of a gate line.
#[derive(Clone, Copy)]
enum GateWord {
    Two(Op),
    One(Op),
    Eq,
    Mand,
}

impl GateWord {
    fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"XOR" => Self::Two(Op::Xor),
            b"AND" => Self::Two(Op::And),
            b"OR" => Self::Two(Op::Or),
            b"INV" => Self::One(Op::Inv),
            b"EQW" => Self::One(Op::Copy),
            b"EQ" => Self::Eq,
            b"MAND" => Self::Mand,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Two(op) | Self::One(op) => op.bristol_name(),
            Self::Eq => "EQ",
            Self::Mand => "MAND",
        }
    }
}

impl Op {
    /// Returns the operation's name in a netlist.
    pub(super) const fn bristol_name(self) -> &'static str {
        match self {
            Self::Xor => "XOR",
            Self::And => "AND",
            Self::Or => "OR",
            Self::Inv => "INV",
            Self::Zero | Self::One => "EQ",
            Self::Copy => "EQW",
        }
    }
}
