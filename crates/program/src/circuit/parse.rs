//! Reads netlists: Bristol Fashion and the older Bristol format, told apart by themselves.
//!
//! ```text
//! Bristol Fashion                                    Bristol, old
//! <gates> <wires>                                    <gates> <wires>
//! <input values> <bits of value 0> <bits of 1> …     <bits of input 1> <bits of input 2, or 0> <output bits>
//! <output values> <bits of value 0> …
//! <n_in> <n_out> <wires read> <wires driven> <OP>    the same gates
//! ```
//!
//! The third line decides: it consists of numbers alone in Bristol Fashion only. Gates are `XOR AND OR INV EQ EQW MAND`
//! in both; `MAND` reads `k` left and then `k` right operands, and becomes `k` ANDs. Fields are separated by blanks or
//! tabs, lines may end in CRLF, blank lines may stand anywhere, and `#` and `//` begin a comment.

use super::{
    Circuit, CircuitError, DrivenWires, Gate, MAX_INPUT_BITS, MAX_WIRES, Op, WireFault,
    check_values,
};

/// The bytes of the shortest gate line, `1 1 0 1 EQ`, with its line end.
const MIN_GATE_BYTES: u64 = 11;
/// The fewest bytes a driven wire takes: it is named, and a `MAND` names two operands for it, each after a blank.
const MIN_WIRE_BYTES: u64 = 6;

/// A number in a netlist's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderField {
    /// The number of gates.
    Gates,
    /// The number of wires.
    Wires,
    /// The bits of all inputs.
    InputBits,
    /// The bits of all outputs.
    OutputBits,
}

impl std::fmt::Display for HeaderField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gates => "gates",
            Self::Wires => "wires",
            Self::InputBits => "input bits",
            Self::OutputBits => "output bits",
        })
    }
}

impl HeaderField {
    /// What sets the limit, to follow a number.
    fn limit_reason(self) -> &'static str {
        match self {
            Self::Gates | Self::Wires => "that a file of this length can hold",
            Self::InputBits => "that a circuit may have",
            Self::OutputBits => "wires there are",
        }
    }
}

/// Why bytes are no netlist. Lines are numbered from 1, gates and wires from 0; gates are counted as lines of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The file ends inside its header.
    #[error("line {line}: the file ends before its header does")]
    TruncatedHeader {
        /// The file's last line.
        line: usize,
    },
    /// A header line has the wrong number of fields.
    #[error("line {line}: the header line has {actual} fields, not {expected}")]
    HeaderFields {
        /// The line.
        line: usize,
        /// How many fields it should have.
        expected: u64,
        /// How many it has.
        actual: usize,
    },
    /// A header states more than this file or any circuit can hold.
    #[error("line {line}: {declared} {field} are more than the {limit} {}", field.limit_reason())]
    HeaderLimit {
        /// The line that states the number.
        line: usize,
        /// What is counted.
        field: HeaderField,
        /// The number stated.
        declared: u64,
        /// The most that is possible.
        limit: u64,
    },
    /// The header has fewer wires than input bits.
    #[error("line {line}: {wires} wires are fewer than the {input_bits} input bits")]
    FewerWiresThanInputs {
        /// The line that states the inputs.
        line: usize,
        /// The wires stated.
        wires: u64,
        /// The input bits stated.
        input_bits: u64,
    },
    /// An input or output value of 0 bits, or no output at all.
    #[error("line {line}: {source}")]
    Values {
        /// The line that states the values.
        line: usize,
        /// What is wrong with them.
        source: CircuitError,
    },
    /// A field is not a number.
    #[error("line {line}{}: expected a number, found {found:?}", comma_gate(*gate))]
    NotANumber {
        /// The line.
        line: usize,
        /// The gate, after the header.
        gate: Option<usize>,
        /// The field, shortened.
        found: String,
    },
    /// A number does not fit in 64 bits.
    #[error("line {line}{}: the number {found} does not fit in 64 bits", comma_gate(*gate))]
    NumberTooBig {
        /// The line.
        line: usize,
        /// The gate, after the header.
        gate: Option<usize>,
        /// The field, shortened.
        found: String,
    },
    /// A gate line ends without an operation.
    #[error("line {line}, gate {gate}: the line ends without an operation")]
    MissingOp {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
    },
    /// A gate has an operation that is not known.
    #[error("line {line}, gate {gate}: unknown operation {op:?}")]
    UnknownOp {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The operation, shortened.
        op: String,
    },
    /// A gate line goes on after its operation.
    #[error("line {line}, gate {gate}: {found:?} after the operation")]
    TrailingField {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The field after the operation, shortened.
        found: String,
    },
    /// A gate line names more or fewer wires than it says.
    #[error("line {line}, gate {gate}: {actual} wires are named, not {inputs} + {outputs}")]
    OperandCount {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The wires read that the line states.
        inputs: u64,
        /// The wires driven that the line states.
        outputs: u64,
        /// The wires that are named.
        actual: usize,
    },
    /// An operation with the wrong number of inputs or outputs.
    #[error("line {line}, gate {gate}: {op} cannot have {inputs} inputs and {outputs} outputs")]
    Arity {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The operation's name.
        op: &'static str,
        /// The inputs stated.
        inputs: u64,
        /// The outputs stated.
        outputs: u64,
    },
    /// The operand of an `EQ` is neither 0 nor 1.
    #[error("line {line}, gate {gate}: the constant of EQ is {value}, not 0 or 1")]
    Constant {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The operand.
        value: u64,
    },
    /// A gate names a wire that does not exist.
    #[error("line {line}, gate {gate}: wire {wire} is not among the {limit} wires")]
    WireOutOfRange {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The wire named.
        wire: u64,
        /// The number of wires.
        limit: u32,
    },
    /// A gate reads a wire that nothing before it drives.
    #[error("line {line}, gate {gate}: wire {wire} is read before it is driven")]
    NotDriven {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The wire.
        wire: u64,
    },
    /// A gate drives an input or a wire that is driven already.
    #[error("line {line}, gate {gate}: wire {wire} is already driven")]
    DrivenTwice {
        /// The line.
        line: usize,
        /// The gate.
        gate: usize,
        /// The wire.
        wire: u64,
    },
    /// The file has fewer gates than its header says.
    #[error("line {line}: the file ends after {actual} of {declared} gates")]
    TooFewGates {
        /// The file's last line.
        line: usize,
        /// The gates stated.
        declared: u64,
        /// The gates found.
        actual: usize,
    },
    /// The file goes on after its last gate.
    #[error("line {line}: the file goes on after the last of {declared} gates")]
    TooManyGates {
        /// The line after the last gate.
        line: usize,
        /// The gates stated.
        declared: u64,
    },
    /// After the last gate, a wire is left that nothing drives.
    #[error("line {line}: the file ends, and nothing drives wire {wire}")]
    Undriven {
        /// The file's last line.
        line: usize,
        /// The first such wire.
        wire: u32,
    },
}

fn comma_gate(gate: Option<usize>) -> String {
    gate.map_or_else(String::new, |gate| format!(", gate {gate}"))
}

impl Circuit {
    /// Reads a netlist in Bristol Fashion or the older Bristol format (see the format in the module's source).
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

/// A field as an error shows it: at most 24 characters, whatever the bytes are.
fn shorten(field: &[u8]) -> String {
    const MOST: usize = 24;
    let text = String::from_utf8_lossy(&field[..field.len().min(4 * MOST)]);
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// Walks over the fields of a text. Stands on a field, on a line's end, or on a comment after each call.
#[derive(Clone, Copy)]
struct Scanner<'a> {
    bytes: &'a [u8],
    position: usize,
    line: usize,
}

impl<'a> Scanner<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes); // a byte order mark
        let mut scanner = Self {
            bytes,
            position: 0,
            line: 1,
        };
        scanner.skip_blanks();
        scanner
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    fn rest_bytes(&self) -> u64 {
        (self.bytes.len() - self.position) as u64
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.position += 1;
        }
    }

    fn at_digit(&self) -> bool {
        self.peek().is_some_and(|byte| byte.is_ascii_digit())
    }

    fn at_line_end(&self) -> bool {
        match self.peek() {
            None | Some(b'\n' | b'#') => true,
            Some(b'/') => self.bytes.get(self.position + 1) == Some(&b'/'),
            Some(_) => false,
        }
    }

    /// Goes on to the next field, over line ends and comments. Returns false at the end of the file.
    fn seek_field(&mut self) -> bool {
        while self.at_line_end() {
            let rest = &self.bytes[self.position..];
            match rest.iter().position(|&byte| byte == b'\n') {
                Some(length) => self.position += length + 1,
                None => {
                    self.position = self.bytes.len();
                    return false;
                }
            }
            self.line += 1;
            self.skip_blanks();
        }
        true
    }

    /// Takes the field at which the scanner stands, and the blanks after it.
    fn field(&mut self) -> &'a [u8] {
        let start = self.position;
        while let Some(byte) = self.peek() {
            if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                break;
            }
            self.position += 1;
        }
        let field = &self.bytes[start..self.position];
        self.skip_blanks();
        field
    }

    /// Takes the number at which the scanner stands, and the blanks after it. Errors name the gate `gate`.
    fn number(&mut self, gate: Option<usize>) -> Result<u64, ParseError> {
        let (start, line) = (*self, self.line);
        let mut value = Some(0_u64);
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            value = value.and_then(|v| v.checked_mul(10)?.checked_add(u64::from(byte - b'0')));
            self.position += 1;
        }
        let ends = matches!(self.peek(), None | Some(b' ' | b'\t' | b'\r' | b'\n'));
        if !ends || self.position == start.position {
            *self = start;
            return Err(ParseError::NotANumber {
                line,
                gate,
                found: shorten(self.field()),
            });
        }
        self.skip_blanks();
        value.ok_or_else(|| {
            let field = start.clone().field();
            ParseError::NumberTooBig {
                line,
                gate,
                found: shorten(field),
            }
        })
    }

    /// Takes the next line with fields: its number, and its fields, at least one.
    fn header_line(&mut self) -> Result<(usize, Vec<u64>), ParseError> {
        if !self.seek_field() {
            return Err(ParseError::TruncatedHeader { line: self.line });
        }
        let line = self.line;
        let mut fields = Vec::new();
        while !self.at_line_end() {
            fields.push(self.number(None)?);
        }
        Ok((line, fields))
    }

    /// Returns whether there is another line with fields, and all are numbers.
    fn next_line_is_numeric(mut self) -> bool {
        if !self.seek_field() {
            return false;
        }
        while !self.at_line_end() {
            if !self.field().iter().all(u8::is_ascii_digit) {
                return false;
            }
        }
        true
    }
}
