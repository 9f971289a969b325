//! Gadgets against their references, on any bytes.

use std::sync::LazyLock;

use bitcoin::Opcode;
use sha2::{Digest, Sha256};
use tapcourt_script::expression::{Expression, Template};
use tapcourt_script::gadgets::{HashGadget, blake3, nibble_items, sha256, u32};
use tapcourt_script::interpreter::{Rules, execute};
use tapcourt_script::opcodes::*;
use tapcourt_script::{decode_number, encode_number, script};

/// A gadget, or a family of them, and how it is held against its reference.
#[derive(Clone, Copy, Debug)]
pub struct GadgetCheck {
    /// Its name, as in the ledger of sizes where it is listed there.
    pub name: &'static str,
    /// Reads inputs from bytes, computes with both, and panics where they differ. Takes any bytes; too few of them are no inputs.
    pub check: fn(&[u8]),
}

/// Every check.
pub const CHECKS: &[GadgetCheck] = &[
    GadgetCheck {
        name: "number/encoding",
        check: number_encoding,
    },
    GadgetCheck {
        name: "number/arithmetic",
        check: arithmetic,
    },
    GadgetCheck {
        name: "blake3",
        check: blake3_gadgets,
    },
    GadgetCheck {
        name: "sha256",
        check: sha256_gadgets,
    },
    GadgetCheck {
        name: "u32",
        check: word_gadgets,
    },
    GadgetCheck {
        name: "u32/hints",
        check: lying_hints,
    },
];

/// Runs the check that the first byte selects on the other bytes.
///
/// # Panics
/// If a gadget and its reference differ.
pub fn fuzz_one(data: &[u8]) {
    if let Some((&selected, inputs)) = data.split_first() {
        let index = usize::from(selected) % CHECKS.len();
        (CHECKS[index].check)(inputs);
    }
}

/// A stack item as a number, by the definition: little-endian magnitude, the highest bit of the last byte is the sign.
fn reference_number(item: &[u8]) -> Option<i64> {
    if item.len() > 4 {
        return None;
    }
    let bits = item.len() * 8;
    let raw = item
        .iter()
        .rev()
        .fold(0i64, |number, &byte| number * 256 + i64::from(byte));
    Some(if bits > 0 && raw >= 1 << (bits - 1) {
        (1 << (bits - 1)) - raw
    } else {
        raw
    })
}

fn number_encoding(data: &[u8]) {
    let item = &data[..data.len().min(6)];
    let number = reference_number(item);
    assert_eq!(decode_number(item), number, "decoding {item:02x?}");
    let Some(number) = number else { return };
    let encoded = encode_number(number);
    assert_eq!(
        decode_number(&encoded),
        Some(number),
        "round trip of {number}"
    );
    assert!(
        encoded.len() <= item.len(),
        "{encoded:02x?} is longer than {item:02x?}"
    );
}

/// An arithmetic opcode with its meaning.
enum Arithmetic {
    Unary(Opcode, fn(i64) -> i64),
    Binary(Opcode, fn(i64, i64) -> i64),
    Ternary(Opcode, fn(i64, i64, i64) -> i64),
}

const ARITHMETIC: &[Arithmetic] = {
    use Arithmetic::*;
    &[
        Unary(OP_1ADD, |a| a + 1),
        Unary(OP_1SUB, |a| a - 1),
        Unary(OP_NEGATE, |a| -a),
        Unary(OP_ABS, i64::abs),
        Unary(OP_NOT, |a| (a == 0).into()),
        Unary(OP_0NOTEQUAL, |a| (a != 0).into()),
        Binary(OP_ADD, |a, b| a + b),
        Binary(OP_SUB, |a, b| a - b),
        Binary(OP_BOOLAND, |a, b| (a != 0 && b != 0).into()),
        Binary(OP_BOOLOR, |a, b| (a != 0 || b != 0).into()),
        Binary(OP_NUMEQUAL, |a, b| (a == b).into()),
        Binary(OP_NUMNOTEQUAL, |a, b| (a != b).into()),
        Binary(OP_LESSTHAN, |a, b| (a < b).into()),
        Binary(OP_GREATERTHAN, |a, b| (a > b).into()),
        Binary(OP_LESSTHANOREQUAL, |a, b| (a <= b).into()),
        Binary(OP_GREATERTHANOREQUAL, |a, b| (a >= b).into()),
        Binary(OP_MIN, i64::min),
        Binary(OP_MAX, i64::max),
        Ternary(OP_WITHIN, |a, least, bound| {
            (least <= a && a < bound).into()
        }),
    ]
};

/// One byte for the opcode, then three items, each after a byte that says how long it is.
fn arithmetic(data: &[u8]) {
    let Some((&selected, mut rest)) = data.split_first() else {
        return;
    };
    let mut item = || {
        let (&length, bytes) = rest.split_first()?;
        let (item, after) = bytes.split_at_checked(usize::from(length % 6))?;
        rest = after;
        Some(item.to_vec())
    };
    let (Some(a), Some(b), Some(c)) = (item(), item(), item()) else {
        return;
    };
    let numbers = [&a, &b, &c].map(|item| reference_number(item));
    let operation = &ARITHMETIC[usize::from(selected) % ARITHMETIC.len()];
    let (opcode, operands, expected) = match *operation {
        Arithmetic::Unary(opcode, apply) => (opcode, vec![a], numbers[0].map(apply)),
        Arithmetic::Binary(opcode, apply) => (
            opcode,
            vec![a, b],
            (|| Some(apply(numbers[0]?, numbers[1]?)))(),
        ),
        Arithmetic::Ternary(opcode, apply) => (
            opcode,
            vec![a, b, c],
            (|| Some(apply(numbers[0]?, numbers[1]?, numbers[2]?)))(),
        ),
    };
    let minimal = operands
        .iter()
        .all(|item| reference_number(item).is_some_and(|number| encode_number(number) == *item));
    for (rules, expected) in [
        (Rules::Consensus, expected),
        (Rules::Policy, expected.filter(|_| minimal)),
    ] {
        let execution = execute(&script! { { opcode } }, operands.clone(), None, rules);
        let failed = execution
            .result
            .as_ref()
            .is_err_and(|failure| failure.opcode.is_some());
        let case = format!("{opcode} of {operands:02x?} under {rules:?}");
        assert_eq!(failed, expected.is_none(), "{case}: {:?}", execution.result);
        if let Some(expected) = expected {
            assert_eq!(execution.stack, [encode_number(expected)], "{case}");
            assert_eq!(execution.succeeded(), expected != 0, "{case}");
        }
    }
}

/// The bytes as a message of this length, repeated or cut.
fn message(data: &[u8], bytes: usize) -> Vec<u8> {
    data.iter()
        .chain(&[0])
        .cycle()
        .take(bytes)
        .copied()
        .collect()
}

/// Runs a hash gadget and compares what it leaves.
fn hash_gadget(gadget: &HashGadget, message: &[u8], digest: &[u8]) {
    let items = gadget.message_items(message);
    let execution = execute(gadget.script(), items, None, Rules::Policy);
    let expected = nibble_items(&digest[..gadget.digest_bytes()]);
    assert_eq!(execution.stack, expected, "message {message:02x?}");
}

fn blake3_gadgets(data: &[u8]) {
    static GADGETS: LazyLock<Vec<HashGadget>> = LazyLock::new(|| {
        [(24, 20), (40, 20), (64, 32), (3, 32)]
            .map(|(bytes, digest)| blake3::hash(bytes, digest).expect("fits the stack"))
            .into()
    });
    let Some((&selected, data)) = data.split_first() else {
        return;
    };
    let gadget = &GADGETS[usize::from(selected) % GADGETS.len()];
    let message = message(data, gadget.message_bytes());
    hash_gadget(gadget, &message, ::blake3::hash(&message).as_bytes());
}

fn sha256_gadgets(data: &[u8]) {
    static GADGETS: LazyLock<Vec<HashGadget>> = LazyLock::new(|| {
        let plain = [3, 32, 55, 64].map(sha256::hash);
        let packed = [56, 300].map(sha256::hash_packed);
        plain
            .into_iter()
            .chain(packed)
            .map(|gadget| gadget.expect("fits the stack"))
            .collect()
    });
    let Some((&selected, data)) = data.split_first() else {
        return;
    };
    let gadget = &GADGETS[usize::from(selected) % GADGETS.len()];
    let message = message(data, gadget.message_bytes());
    hash_gadget(gadget, &message, &Sha256::digest(&message));
}

/// Every word gadget with its script, tables included.
static WORDS: LazyLock<Vec<(String, Expression, Template)>> = LazyLock::new(|| {
    u32::gadgets()
        .into_iter()
        .map(|(name, expression)| {
            let template = expression.compile().expect("fits the stack");
            (name, expression, template)
        })
        .collect()
});

/// A word gadget on some inputs.
struct WordCase {
    name: &'static str,
    template: &'static Template,
    witness: Vec<Vec<u8>>,
    /// What it is to leave.
    left: Vec<Vec<u8>>,
}

/// One word gadget on inputs of eight bytes each.
fn word_gadget(data: &[u8]) -> Option<WordCase> {
    let (&selected, data) = data.split_first()?;
    let (name, expression, template) = &WORDS[usize::from(selected) % WORDS.len()];
    let mut numbers = data.chunks(8).map(|chunk| {
        let bytes = chunk.iter().rev();
        bytes.fold(0u64, |number, &byte| number << 8 | u64::from(byte))
    });
    let inputs = expression.inputs().map(|(name, of)| {
        let number = numbers.next().unwrap_or(0);
        (name, of.datum(number))
    });
    let evaluation = expression
        .evaluate(inputs)
        .expect("every input has a value");
    Some(WordCase {
        name,
        template,
        witness: template.witness(&evaluation),
        left: template.left(&evaluation),
    })
}

/// A script against the evaluation of its expression, which tests hold against plain Rust.
fn word_gadgets(data: &[u8]) {
    if let Some(case) = word_gadget(data) {
        let execution = execute(&case.template.script, case.witness, None, Rules::Policy);
        let result = execution.result;
        assert_eq!(execution.stack, case.left, "{}: {result:?}", case.name);
    }
}

/// Whatever the hints are, the script fails or leaves the true result. The last half of the bytes replaces hints: each one after a byte that says
/// how long it is, or that it stays as it is.
fn lying_hints(data: &[u8]) {
    let (inputs, mut lies) = data.split_at(data.len() / 2);
    let Some(WordCase {
        name,
        template,
        mut witness,
        left,
    }) = word_gadget(inputs)
    else {
        return;
    };
    for (item, _) in witness
        .iter_mut()
        .zip(template.hints())
        .filter(|(_, hint)| *hint)
    {
        let Some((&length, bytes)) = lies.split_first() else {
            break;
        };
        lies = bytes;
        if length % 8 < 6 {
            let Some((lie, rest)) = lies.split_at_checked(usize::from(length % 8)) else {
                break;
            };
            (*item, lies) = (lie.to_vec(), rest);
        }
    }
    let execution = execute(&template.script, witness.clone(), None, Rules::Consensus);
    let failed = execution
        .result
        .as_ref()
        .is_err_and(|failure| failure.opcode.is_some());
    assert!(
        failed || execution.stack == left,
        "{name} leaves {:02x?} for {witness:02x?}",
        execution.stack
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_knows_signs_and_both_zeros() {
        let cases: [(&[u8], Option<i64>); 7] = [
            (&[], Some(0)),
            (&[0x80], Some(0)),
            (&[0x81], Some(-1)),
            (&[0xff, 0x00], Some(255)),
            (&[0x81, 0x80], Some(-129)),
            (&[0xff, 0xff, 0xff, 0xff], Some(-0x7fff_ffff)),
            (&[0, 0, 0, 0, 0], None),
        ];
        for (item, number) in cases {
            assert_eq!(reference_number(item), number, "{item:02x?}");
        }
    }
}
