//! What a builder makes computes what was built, and survives being written and read.

use proptest::prelude::*;
use tapcourt_program::circuit::build::{Bit, Builder};
use tapcourt_program::circuit::{Circuit, CircuitError, MAX_INPUT_BITS, Op};

#[test]
fn constants_fold_and_equal_gates_are_shared() {
    let mut builder = Builder::new();
    let word = builder.input(2);
    let (a, b) = (word[0], word[1]);
    let and = builder.and(a, b);
    assert_eq!(builder.and(b, a), and);
    assert_eq!(builder.and(a, a), a);
    assert_eq!(builder.and(a, !a), Bit::ZERO);
    assert_eq!(builder.and(a, Bit::ONE), a);
    assert_eq!(builder.or(!a, !b), !and);
    assert_eq!(builder.or(a, Bit::ONE), Bit::ONE);
    let xor = builder.xor(a, b);
    assert_eq!(builder.xor(!b, a), !xor);
    assert_eq!(builder.xor(xor, b), a);
    assert_eq!(builder.xor(a, !a), Bit::ONE);
    assert_eq!(builder.mux(Bit::ONE, a, b), a);
    assert_eq!(builder.full_adder(a, b, Bit::ZERO), (xor, and));
    let circuit = builder.finish(&[vec![and]]).expect("one output");
    assert_eq!((circuit.gates.len(), circuit.count(Op::And)), (1, 1)); // the XOR is dead
}

#[test]
fn a_full_adder_is_five_gates() {
    let mut builder = Builder::new();
    let word = builder.input(3);
    let (sum, carry) = builder.full_adder(word[0], word[1], word[2]);
    let circuit = builder.finish(&[vec![sum, carry]]).expect("two outputs");
    assert_eq!((circuit.count(Op::And), circuit.count(Op::Xor)), (1, 4));
    for number in 0..8_u8 {
        let bits = [number & 1 == 1, number >> 1 & 1 == 1, number >> 2 & 1 == 1];
        let total = number.count_ones();
        assert_eq!(
            circuit.evaluate(&bits),
            Ok(vec![total & 1 == 1, total >> 1 == 1])
        );
    }
}

#[test]
fn a_circuit_without_output_or_with_too_many_inputs_is_refused() {
    let mut builder = Builder::new();
    builder.input(1);
    assert_eq!(builder.clone().finish(&[]), Err(CircuitError::NoOutput));
    assert_eq!(
        builder.clone().finish(&[vec![]]),
        Err(CircuitError::EmptyValue)
    );
    builder.input(MAX_INPUT_BITS);
    let bits = u64::from(MAX_INPUT_BITS) + 1;
    let refused = builder.finish(&[vec![Bit::ONE]]);
    assert_eq!(refused, Err(CircuitError::TooManyInputBits { bits }));
}

/// One step of a random construction: an operation and its operands, taken modulo what there is.
type Step = (u8, usize, usize, usize);

/// Makes the same steps with a builder, and on the 64 lanes of `inputs`; returns the circuit and its expected outputs.
fn construct(inputs: &[u64], steps: &[Step], outputs: &[usize]) -> (Circuit, Vec<u64>) {
    let mut builder = Builder::new();
    let mut bits = vec![Bit::ZERO, Bit::ONE];
    bits.extend(builder.input(inputs.len() as u32));
    let mut words = [&[0, u64::MAX], inputs].concat();
    for &(op, i, j, k) in steps {
        let [i, j, k] = [i, j, k].map(|index| index % bits.len());
        let ((a, b, c), (x, y, z)) = ((bits[i], bits[j], bits[k]), (words[i], words[j], words[k]));
        let (bit, word) = match op {
            0 => (builder.and(a, b), x & y),
            1 => (builder.or(a, b), x | y),
            2 => (builder.xor(a, b), x ^ y),
            3 => (!a, !x),
            4 => (builder.mux(a, b, c), (x & y) | (!x & z)),
            5 => (builder.majority(a, b, c), (x & y) | (x & z) | (y & z)),
            _ => (builder.full_adder(a, b, c).0, x ^ y ^ z),
        };
        bits.push(bit);
        words.push(word);
    }
    let outputs: Vec<usize> = outputs.iter().map(|index| index % bits.len()).collect();
    let circuit = builder.finish(&[outputs.iter().map(|&i| bits[i]).collect()]);
    (
        circuit.expect("there are inputs and outputs"),
        outputs.iter().map(|&i| words[i]).collect(),
    )
}

fn constructions() -> impl Strategy<Value = (Vec<u64>, Vec<Step>, Vec<usize>)> {
    let index = 0..usize::MAX;
    let step = (0..7_u8, index.clone(), index.clone(), index.clone());
    (
        prop::collection::vec(any::<u64>(), 1..8),
        prop::collection::vec(step, 0..60),
        prop::collection::vec(index, 1..8),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn built_circuits_compute_what_was_built((inputs, steps, outputs) in constructions()) {
        let (circuit, expected) = construct(&inputs, &steps, &outputs);
        prop_assert_eq!(circuit.evaluate64(&inputs), Ok(expected.clone()));
        let lane = |words: &[u64]| words.iter().map(|word| word >> 9 & 1 == 1).collect::<Vec<_>>();
        prop_assert_eq!(circuit.evaluate(&lane(&inputs)), Ok(lane(&expected)));
    }

    #[test]
    fn written_circuits_are_read_back((inputs, steps, outputs) in constructions()) {
        let (circuit, _) = construct(&inputs, &steps, &outputs);
        prop_assert_eq!(Circuit::parse(circuit.to_bristol().as_bytes()), Ok(circuit));
    }
}
