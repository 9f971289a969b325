//! What the parser accepts, and what it says of netlists that are wrong.

use proptest::prelude::*;
use tapcourt_program::circuit::library::adder;
use tapcourt_program::circuit::{
    Circuit, CircuitError, EvaluateError, Gate, HeaderField, MAX_INPUT_BITS, Op, ParseError,
};

fn parse(text: &str) -> Result<Circuit, ParseError> {
    Circuit::parse(text.as_bytes())
}

/// Evaluates on every assignment; character `i` of a row is output `i`.
fn truth_table(circuit: &Circuit) -> Vec<String> {
    (0..1_usize << circuit.input_bits())
        .map(|row| {
            let bits: Vec<bool> = (0..circuit.input_bits())
                .map(|i| row >> i & 1 == 1)
                .collect();
            let outputs = circuit.evaluate(&bits).expect("as many bits as inputs");
            outputs
                .iter()
                .map(|&bit| if bit { '1' } else { '0' })
                .collect()
        })
        .collect()
}

#[track_caller]
fn check(text: &str, expected: ParseError, message: &str) {
    let error = parse(text).expect_err("the netlist is wrong");
    assert_eq!(
        (&error, error.to_string().as_str()),
        (&expected, message),
        "for\n{text}"
    );
}

const HALF_ADDER: &str = "2 4\n2 1 1\n1 2\n\n2 1 0 1 2 XOR\n2 1 0 1 3 AND\n";

#[test]
fn both_formats_give_the_same_circuit() {
    let fashion = parse(HALF_ADDER).expect("Bristol Fashion");
    assert_eq!(
        (&fashion.inputs[..], &fashion.outputs[..]),
        (&[1, 1][..], &[2][..])
    );
    assert_eq!(truth_table(&fashion), ["00", "10", "10", "01"]);
    let old = parse("2 4\n1 1 2\n\n2 1 0 1 2 XOR\n2 1 0 1 3 AND\n");
    assert_eq!(old, Ok(fashion));
    let one_input = parse("1 3\n2 0 1\n2 1 0 1 2 OR").expect("old format, n2 = 0");
    assert_eq!(one_input.inputs, [2]);
    assert_eq!(truth_table(&one_input), ["0", "1", "1", "1"]);
}

#[test]
fn layout_does_not_matter() {
    let plain = parse(HALF_ADDER);
    for text in [
        HALF_ADDER.replace('\n', "\r\n"),
        HALF_ADDER.replace('\n', "  \t\r\n \n\n"),
        HALF_ADDER.replace(' ', "\t \t"),
        HALF_ADDER.replace('\n', "\n// a comment 1 2 3\n# another\n  # and 4 5\n"),
        HALF_ADDER.replace('\n', " // after a line\n"),
        HALF_ADDER.replace('\n', " # after a line\n"),
        HALF_ADDER.trim_end().to_owned(),
        format!("\u{feff}{HALF_ADDER}"),
        format!("\n\n \t\n{HALF_ADDER}\n\n# the end"),
    ] {
        assert_eq!(parse(&text), plain, "for\n{text:?}");
    }
}

#[test]
fn every_operation_computes_its_function() {
    let text = "7 9\n1 2\n1 7\n2 1 0 1 2 XOR\n2 1 0 1 3 AND\n2 1 0 1 4 OR\n1 1 0 5 INV\n\
                1 1 1 6 EQW\n1 1 0 7 EQ\n1 1 1 8 EQ\n";
    let circuit = parse(text).expect("a netlist");
    assert_eq!(
        truth_table(&circuit),
        ["0001001", "1010001", "1011101", "0110101"]
    );
    let ops = [
        Op::Xor,
        Op::And,
        Op::Or,
        Op::Inv,
        Op::Copy,
        Op::Zero,
        Op::One,
    ];
    assert!(circuit.gates.iter().map(|gate| gate.op).eq(ops));
}

#[test]
fn mand_becomes_ands_of_left_and_right_operands() {
    let circuit = parse("1 6\n1 4\n1 2\n4 2 0 1 2 3 4 5 MAND\n").expect("a netlist");
    let and = |a, b, out| Gate {
        op: Op::And,
        a,
        b,
        out,
    };
    assert_eq!(circuit.gates, [and(0, 2, 4), and(1, 3, 5)]);
    check(
        "1 6\n1 4\n1 2\n4 2 0 1 2 4 4 5 MAND\n",
        ParseError::NotDriven {
            line: 4,
            gate: 0,
            wire: 4,
        },
        "line 4, gate 0: wire 4 is read before it is driven",
    );
    check(
        "1 6\n1 4\n1 2\n3 2 0 1 2 4 5 MAND\n",
        ParseError::Arity {
            line: 4,
            gate: 0,
            op: "MAND",
            inputs: 3,
            outputs: 2,
        },
        "line 4, gate 0: MAND cannot have 3 inputs and 2 outputs",
    );
}

#[test]
fn outputs_may_be_inputs() {
    let circuit = parse("0 2\n1 2\n1 1\n").expect("a netlist");
    assert_eq!(truth_table(&circuit), ["0", "0", "1", "1"]);
}

#[test]
fn wrong_wires_are_named() {
    check(
        "2 4\n2 1 1\n1 2\n\n2 1 0 1 2 XOR\n2 1 0 4 3 AND\n",
        ParseError::WireOutOfRange {
            line: 6,
            gate: 1,
            wire: 4,
            limit: 4,
        },
        "line 6, gate 1: wire 4 is not among the 4 wires",
    );
    check(
        "2 4\n2 1 1\n1 2\n2 1 0 1 2 XOR\n2 1 0 1 99999999999 AND\n",
        ParseError::WireOutOfRange {
            line: 5,
            gate: 1,
            wire: 99_999_999_999,
            limit: 4,
        },
        "line 5, gate 1: wire 99999999999 is not among the 4 wires",
    );
    check(
        "2 4\n2 1 1\n1 2\n2 1 0 3 2 XOR\n2 1 0 1 3 AND\n",
        ParseError::NotDriven {
            line: 4,
            gate: 0,
            wire: 3,
        },
        "line 4, gate 0: wire 3 is read before it is driven",
    );
    check(
        "2 4\n2 1 1\n1 2\n2 1 0 1 2 XOR\n2 1 0 1 2 AND\n",
        ParseError::DrivenTwice {
            line: 5,
            gate: 1,
            wire: 2,
        },
        "line 5, gate 1: wire 2 is already driven",
    );
    check(
        "1 3\n2 1 1\n1 1\n2 1 0 1 1 XOR\n",
        ParseError::DrivenTwice {
            line: 4,
            gate: 0,
            wire: 1,
        },
        "line 4, gate 0: wire 1 is already driven",
    );
    check(
        "1 4\n2 1 1\n1 1\n2 1 0 1 3 XOR\n",
        ParseError::Undriven { line: 5, wire: 2 },
        "line 5: the file ends, and nothing drives wire 2",
    );
}

#[test]
fn wrong_gate_lines_are_named() {
    let (line, gate) = (4, 0);
    let cases = [
        (
            "2 1 0 1 2 NAND",
            ParseError::UnknownOp {
                line,
                gate,
                op: "NAND".into(),
            },
            "unknown operation \"NAND\"",
        ),
        (
            "2 1 0 1 2        ",
            ParseError::MissingOp { line, gate },
            "the line ends without an operation",
        ),
        (
            "2 1 0 1 2 XOR 7",
            ParseError::TrailingField {
                line,
                gate,
                found: "7".into(),
            },
            "\"7\" after the operation",
        ),
        (
            "2 1 0 2 XOR",
            ParseError::OperandCount {
                line,
                gate,
                inputs: 2,
                outputs: 1,
                actual: 2,
            },
            "2 wires are named, not 2 + 1",
        ),
        (
            "18446744073709551615 1 0 1 2 XOR",
            ParseError::OperandCount {
                line,
                gate,
                inputs: u64::MAX,
                outputs: 1,
                actual: 3,
            },
            "3 wires are named, not 18446744073709551615 + 1",
        ),
        (
            "XOR            ",
            ParseError::OperandCount {
                line,
                gate,
                inputs: 0,
                outputs: 0,
                actual: 0,
            },
            "0 wires are named, not 0 + 0",
        ),
        (
            "1 1 0 2 XOR",
            ParseError::Arity {
                line,
                gate,
                op: "XOR",
                inputs: 1,
                outputs: 1,
            },
            "XOR cannot have 1 inputs and 1 outputs",
        ),
        (
            "2 1 0 1 2 INV",
            ParseError::Arity {
                line,
                gate,
                op: "INV",
                inputs: 2,
                outputs: 1,
            },
            "INV cannot have 2 inputs and 1 outputs",
        ),
        (
            "0 0 MAND     ",
            ParseError::Arity {
                line,
                gate,
                op: "MAND",
                inputs: 0,
                outputs: 0,
            },
            "MAND cannot have 0 inputs and 0 outputs",
        ),
        (
            "1 1 2 2 EQ",
            ParseError::Constant {
                line,
                gate,
                value: 2,
            },
            "the constant of EQ is 2, not 0 or 1",
        ),
        (
            "2 1 0 -1 2 XOR",
            ParseError::NotANumber {
                line,
                gate: Some(gate),
                found: "-1".into(),
            },
            "expected a number, found \"-1\"",
        ),
        (
            "2 1 0 1x 2 XOR",
            ParseError::NotANumber {
                line,
                gate: Some(gate),
                found: "1x".into(),
            },
            "expected a number, found \"1x\"",
        ),
        (
            "2 1 0 18446744073709551616 2 XOR",
            ParseError::NumberTooBig {
                line,
                gate: Some(gate),
                found: "18446744073709551616".into(),
            },
            "the number 18446744073709551616 does not fit in 64 bits",
        ),
        (
            "2 1 0 1 2 ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            ParseError::UnknownOp {
                line,
                gate,
                op: "ABCDEFGHIJKLMNOPQRSTUVWX…".into(),
            },
            "unknown operation \"ABCDEFGHIJKLMNOPQRSTUVWX…\"",
        ),
    ];
    println!("covered: {} wrong gate lines", cases.len());
    for (text, error, message) in cases {
        let message = format!("line 4, gate 0: {message}");
        check(&format!("1 3\n2 1 1\n1 1\n{text}\n"), error, &message);
    }
}

#[test]
fn wrong_headers_are_named() {
    let gate = "2 1 0 1 2 XOR\n";
    let cases = [
        (
            "",
            ParseError::TruncatedHeader { line: 1 },
            "line 1: the file ends before its header does",
        ),
        (
            "1 3\n\n// no more\n",
            ParseError::TruncatedHeader { line: 4 },
            "line 4: the file ends before its header does",
        ),
        (
            "1 3 4\n",
            ParseError::HeaderFields {
                line: 1,
                expected: 2,
                actual: 3,
            },
            "line 1: the header line has 3 fields, not 2",
        ),
        (
            "1 3\n1 1\nGATE",
            ParseError::HeaderFields {
                line: 2,
                expected: 3,
                actual: 2,
            },
            "line 2: the header line has 2 fields, not 3",
        ),
        (
            "1 3\n2 1 1\n2 1\nGATE",
            ParseError::HeaderFields {
                line: 3,
                expected: 3,
                actual: 2,
            },
            "line 3: the header line has 2 fields, not 3",
        ),
        (
            "1 x\n2 1 1\n1 1\nGATE",
            ParseError::NotANumber {
                line: 1,
                gate: None,
                found: "x".into(),
            },
            "line 1: expected a number, found \"x\"",
        ),
        (
            "1 3\n2 1 1\n1 0\nGATE",
            ParseError::Values {
                line: 3,
                source: CircuitError::EmptyValue,
            },
            "line 3: an input or output value has 0 bits, and needs at least 1",
        ),
        (
            "1 3\n2 1 1\n0\nGATE",
            ParseError::Values {
                line: 3,
                source: CircuitError::NoOutput,
            },
            "line 3: the circuit has no output",
        ),
        (
            "1 1\n2 1 1\n1 1\nGATE",
            ParseError::FewerWiresThanInputs {
                line: 2,
                wires: 1,
                input_bits: 2,
            },
            "line 2: 1 wires are fewer than the 2 input bits",
        ),
    ];
    println!("covered: {} wrong headers", cases.len());
    for (text, error, message) in cases {
        check(&text.replace("GATE", gate), error, message);
    }
}

#[test]
fn hostile_headers_are_refused_before_memory_is_taken() {
    let limit = |line, field, declared, limit| ParseError::HeaderLimit {
        line,
        field,
        declared,
        limit,
    };
    let million_million = 1_000_000_000_000;
    let cases = [
        (
            "1000000000000 3\n2 1 1\n1 1",
            limit(1, HeaderField::Gates, million_million, 1),
            "line 1: 1000000000000 gates are more than the 1 that a file of this length can hold",
        ),
        (
            "1 1000000000000\n2 1 1\n1 1",
            limit(1, HeaderField::Wires, million_million, 4),
            "line 1: 1000000000000 wires are more than the 4 that a file of this length can hold",
        ),
        (
            "1 4294967295\n2 1 1\n1 1",
            limit(1, HeaderField::Wires, u64::from(u32::MAX), 4),
            "line 1: 4294967295 wires are more than the 4 that a file of this length can hold",
        ),
        (
            "1 1000000000001\n1 1000000000000\n1 1",
            limit(
                2,
                HeaderField::InputBits,
                million_million,
                MAX_INPUT_BITS.into(),
            ),
            "line 2: 1000000000000 input bits are more than the 1048576 that a circuit may have",
        ),
        (
            "1 3\n2 18446744073709551615 18446744073709551615\n1 1",
            limit(2, HeaderField::InputBits, u64::MAX, MAX_INPUT_BITS.into()),
            "line 2: 18446744073709551615 input bits are more than the 1048576 that a circuit may have",
        ),
        (
            "1 3\n2 1 1\n1 1000000000000",
            limit(3, HeaderField::OutputBits, million_million, 3),
            "line 3: 1000000000000 output bits are more than the 3 wires there are",
        ),
        (
            "1 3\n1000000000000 1 1\n1 1",
            ParseError::HeaderFields {
                line: 2,
                expected: million_million + 1,
                actual: 3,
            },
            "line 2: the header line has 3 fields, not 1000000000001",
        ),
        (
            "1 3\n1 1 1000000000000",
            limit(2, HeaderField::OutputBits, million_million, 3),
            "line 2: 1000000000000 output bits are more than the 3 wires there are",
        ),
    ];
    println!("covered: {} hostile headers", cases.len());
    for (header, error, message) in cases {
        check(&format!("{header}\n2 1 0 1 2 XOR\n"), error, message);
    }
}

#[test]
fn too_few_and_too_many_gates_are_named() {
    check(
        "2 4\n2 1 1\n1 1\n2 1 0 1 2 XOR           \n",
        ParseError::TooFewGates {
            line: 5,
            declared: 2,
            actual: 1,
        },
        "line 5: the file ends after 1 of 2 gates",
    );
    check(
        "1 3\n2 1 1\n1 1\n2 1 0 1 2 XOR\n\n2 1 0 1 3 XOR\n",
        ParseError::TooManyGates {
            line: 6,
            declared: 1,
        },
        "line 6: the file goes on after the last of 1 gates",
    );
    check(
        "376 504\n2 64 64\n1 64\n",
        ParseError::HeaderLimit {
            line: 1,
            field: HeaderField::Gates,
            declared: 376,
            limit: 0,
        },
        "line 1: 376 gates are more than the 0 that a file of this length can hold",
    );
}

#[test]
fn evaluation_wants_exactly_the_input_bits() {
    let circuit = parse(HALF_ADDER).expect("a netlist");
    let error = EvaluateError::InputLength {
        expected: 2,
        actual: 3,
    };
    assert_eq!(circuit.evaluate(&[true; 3]), Err(error.clone()));
    assert_eq!(circuit.evaluate_wires(&[true; 3]), Err(error.clone()));
    assert_eq!(circuit.evaluate64(&[0; 3]), Err(error.clone()));
    assert_eq!(
        error.to_string(),
        "the assignment has 3 bits, but the circuit's inputs have 2"
    );
}

#[test]
fn new_checks_every_guarantee() {
    let gate = |op, a, b, out| Gate { op, a, b, out };
    let half = [gate(Op::Xor, 0, 1, 2), gate(Op::And, 0, 1, 3)];
    let make = |inputs: &[u32], outputs: &[u32], wires, gates: &[Gate]| {
        Circuit::new(inputs.to_vec(), outputs.to_vec(), wires, gates.to_vec())
    };
    assert_eq!(
        make(&[1, 1], &[2], 4, &half),
        parse(HALF_ADDER).map_err(|_| CircuitError::NoOutput)
    );
    let with = |second| make(&[1, 1], &[2], 4, &[half[0], second]);
    let cases = [
        (make(&[0, 2], &[2], 4, &half), CircuitError::EmptyValue),
        (make(&[2], &[], 4, &half), CircuitError::NoOutput),
        (
            make(&[1 << 20, 1], &[1], 4, &half),
            CircuitError::TooManyInputBits { bits: 1_048_577 },
        ),
        (
            make(&[2], &[5], 4, &half),
            CircuitError::TooManyOutputBits { bits: 5, wires: 4 },
        ),
        (
            make(&[2], &[1], 5, &half),
            CircuitError::WireCount {
                wires: 5,
                driven: 4,
            },
        ),
        (
            with(gate(Op::And, 0, 4, 3)),
            CircuitError::WireOutOfRange {
                gate: 1,
                wire: 4,
                wires: 4,
            },
        ),
        (
            with(gate(Op::And, 0, 1, 4)),
            CircuitError::WireOutOfRange {
                gate: 1,
                wire: 4,
                wires: 4,
            },
        ),
        (
            with(gate(Op::And, 0, 3, 3)),
            CircuitError::NotDriven { gate: 1, wire: 3 },
        ),
        (
            with(gate(Op::And, 0, 1, 2)),
            CircuitError::DrivenTwice { gate: 1, wire: 2 },
        ),
        (
            with(gate(Op::And, 0, 1, 1)),
            CircuitError::DrivenTwice { gate: 1, wire: 1 },
        ),
        (
            with(gate(Op::Inv, 0, 1, 3)),
            CircuitError::UnusedOperand { gate: 1, wire: 1 },
        ),
        (
            with(gate(Op::One, 1, 0, 3)),
            CircuitError::UnusedOperand { gate: 1, wire: 1 },
        ),
    ];
    for (made, error) in cases {
        assert_eq!(made, Err(error));
    }
}

/// Changes of a text: replace a byte, remove some, repeat some, insert a fragment.
fn mutate(text: &mut Vec<u8>, kind: u8, at: usize, length: usize, byte: u8) {
    const FRAGMENTS: [&[u8]; 8] = [
        b" ",
        b"\n",
        b"4294967296",
        b"MAND",
        b"#",
        b" 0 1 ",
        b"//",
        b"99999999999999999999",
    ];
    let at = at % (text.len() + 1);
    let end = text.len().min(at + length);
    match kind {
        0 if at < text.len() => text[at] = byte,
        1 => drop(text.drain(at..end)),
        2 => {
            let repeated = text[at..end].to_vec();
            text.splice(at..at, repeated);
        }
        _ => drop(text.splice(at..at, FRAGMENTS[usize::from(byte) % 8].iter().copied())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Circuit::parse(&bytes);
    }

    #[test]
    fn netlist_like_text_is_read_without_panic(text in "([0-9]{1,2}[ \n]|(XOR|AND|MAND|EQ|EQW|INV|OR)\n){0,60}") {
        if let Ok(circuit) = parse(&text) {
            prop_assert_eq!(parse(&circuit.to_bristol()), Ok(circuit));
        }
    }

    #[test]
    fn mutated_netlists_are_refused_or_are_circuits(
        changes in prop::collection::vec((0..4_u8, any::<usize>(), 0..12_usize, any::<u8>()), 1..4),
    ) {
        let mut text = adder(3).to_bristol().into_bytes();
        for (kind, at, length, byte) in changes {
            mutate(&mut text, kind, at, length, byte);
        }
        if let Ok(circuit) = Circuit::parse(&text) {
            let (inputs, outputs) = (circuit.inputs.clone(), circuit.outputs.clone());
            let made = Circuit::new(inputs, outputs, circuit.wires, circuit.gates.clone());
            prop_assert_eq!(made.as_ref(), Ok(&circuit));
            let inputs = vec![u64::MAX; circuit.input_bits()];
            prop_assert_eq!(circuit.evaluate64(&inputs).map(|o| o.len()), Ok(circuit.output_bits()));
        }
    }
}
