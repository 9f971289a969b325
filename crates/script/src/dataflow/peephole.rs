//! Short sequences of opcodes that shorter ones replace.
//!
//! What is preserved: on every pair of stacks that holds as many items as a sequence takes, both leave the same stacks, byte for byte, or both fail.
//! On smaller stacks some replacements do not fail where the sequence would; a compiled script never gets there. No rule has a
//! condition on values, and none holds an opcode of control flow, so that what is replaced is carried out as a whole or not at all.

use std::sync::LazyLock;

use bitcoin::{Opcode, Script};

use crate::instructions;
use crate::opcodes::*;

/// A sequence, and what does the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) pattern: &'static [Opcode],
    pub(crate) replacement: &'static [Opcode],
    /// Why.
    #[allow(dead_code, reason = "for whoever reads")]
    pub(crate) algebra: &'static str,
}

const fn rule(
    pattern: &'static [Opcode],
    replacement: &'static [Opcode],
    algebra: &'static str,
) -> Rule {
    Rule {
        pattern,
        replacement,
        algebra,
    }
}

/// All rules. Each is proved by running both sides on all stacks of a small set of items (`tests` below).
pub(crate) const RULES: &[Rule] = &[
    // Operands in either order.
    rule(&[OP_SWAP, OP_ADD], &[OP_ADD], "a + b = b + a"),
    rule(&[OP_SWAP, OP_BOOLAND], &[OP_BOOLAND], "a ∧ b = b ∧ a"),
    rule(&[OP_SWAP, OP_BOOLOR], &[OP_BOOLOR], "a ∨ b = b ∨ a"),
    rule(&[OP_SWAP, OP_MIN], &[OP_MIN], "min(a, b) = min(b, a)"),
    rule(&[OP_SWAP, OP_MAX], &[OP_MAX], "max(a, b) = max(b, a)"),
    rule(&[OP_SWAP, OP_EQUAL], &[OP_EQUAL], "a = b ⇔ b = a"),
    rule(
        &[OP_SWAP, OP_EQUALVERIFY],
        &[OP_EQUALVERIFY],
        "a = b ⇔ b = a",
    ),
    rule(&[OP_SWAP, OP_NUMEQUAL], &[OP_NUMEQUAL], "a = b ⇔ b = a"),
    rule(
        &[OP_SWAP, OP_NUMEQUALVERIFY],
        &[OP_NUMEQUALVERIFY],
        "a = b ⇔ b = a",
    ),
    rule(
        &[OP_SWAP, OP_NUMNOTEQUAL],
        &[OP_NUMNOTEQUAL],
        "a ≠ b ⇔ b ≠ a",
    ),
    rule(&[OP_SWAP, OP_LESSTHAN], &[OP_GREATERTHAN], "b < a ⇔ a > b"),
    rule(&[OP_SWAP, OP_GREATERTHAN], &[OP_LESSTHAN], "b > a ⇔ a < b"),
    rule(
        &[OP_SWAP, OP_LESSTHANOREQUAL],
        &[OP_GREATERTHANOREQUAL],
        "b ≤ a ⇔ a ≥ b",
    ),
    rule(
        &[OP_SWAP, OP_GREATERTHANOREQUAL],
        &[OP_LESSTHANOREQUAL],
        "b ≥ a ⇔ a ≤ b",
    ),
    // Opcodes that do two things.
    rule(&[OP_EQUAL, OP_VERIFY], &[OP_EQUALVERIFY], "by definition"),
    rule(
        &[OP_NUMEQUAL, OP_VERIFY],
        &[OP_NUMEQUALVERIFY],
        "by definition",
    ),
    rule(&[OP_1, OP_ADD], &[OP_1ADD], "by definition"),
    rule(&[OP_1, OP_SUB], &[OP_1SUB], "by definition"),
    rule(&[OP_NOT, OP_NOT], &[OP_0NOTEQUAL], "¬¬a = (a ≠ 0)"),
    rule(&[OP_0NOTEQUAL, OP_NOT], &[OP_NOT], "¬(a ≠ 0) = ¬a"),
    rule(
        &[OP_NUMEQUAL, OP_NOT],
        &[OP_NUMNOTEQUAL],
        "¬(a = b) = (a ≠ b)",
    ),
    rule(
        &[OP_NUMNOTEQUAL, OP_NOT],
        &[OP_NUMEQUAL],
        "¬(a ≠ b) = (a = b)",
    ),
    rule(
        &[OP_LESSTHAN, OP_NOT],
        &[OP_GREATERTHANOREQUAL],
        "¬(a < b) = (a ≥ b)",
    ),
    rule(
        &[OP_GREATERTHAN, OP_NOT],
        &[OP_LESSTHANOREQUAL],
        "¬(a > b) = (a ≤ b)",
    ),
    rule(
        &[OP_LESSTHANOREQUAL, OP_NOT],
        &[OP_GREATERTHAN],
        "¬(a ≤ b) = (a > b)",
    ),
    rule(
        &[OP_GREATERTHANOREQUAL, OP_NOT],
        &[OP_LESSTHAN],
        "¬(a ≥ b) = (a < b)",
    ),
    // There and back.
    rule(&[OP_TOALTSTACK, OP_FROMALTSTACK], &[], "a → | a → a"),
    rule(&[OP_FROMALTSTACK, OP_TOALTSTACK], &[], "| a → a → | a"),
    rule(&[OP_SWAP, OP_SWAP], &[], "a b → b a → a b"),
    rule(&[OP_2SWAP, OP_2SWAP], &[], "ab cd → cd ab → ab cd"),
    rule(
        &[OP_ROT, OP_ROT, OP_ROT],
        &[],
        "a b c → b c a → c a b → a b c",
    ),
    rule(&[OP_DUP, OP_DROP], &[], "a → a a → a"),
    rule(&[OP_OVER, OP_DROP], &[], "a b → a b a → a b"),
    rule(&[OP_DUP, OP_NIP], &[], "a → a a → a"),
    rule(&[OP_2DUP, OP_2DROP], &[], "a b → a b a b → a b"),
    rule(&[OP_2OVER, OP_2DROP], &[], "ab cd → ab cd ab → ab cd"),
    rule(&[OP_TUCK, OP_DROP], &[OP_SWAP], "a b → b a b → b a"),
    rule(&[OP_2DUP, OP_DROP], &[OP_OVER], "a b → a b a b → a b a"),
    rule(&[OP_2DUP, OP_NIP], &[OP_DUP], "a b → a b a b → a b b"),
    rule(&[OP_DUP, OP_2DROP], &[OP_DROP], "a → a a → "),
    rule(&[OP_OVER, OP_2DROP], &[OP_DROP], "a b → a b a → a"),
    rule(&[OP_SWAP, OP_TUCK], &[OP_OVER], "a b → b a → a b a"),
    rule(&[OP_TUCK, OP_ROT], &[OP_DUP], "a b → b a b → a b b"),
    rule(&[OP_TUCK, OP_2DROP], &[OP_NIP], "a b → b a b → b"),
    rule(&[OP_2DUP, OP_2SWAP], &[OP_2DUP], "a b → a b a b → a b a b"),
    // One for two.
    rule(&[OP_DUP, OP_SWAP], &[OP_DUP], "a → a a → a a"),
    rule(
        &[OP_DUP, OP_DUP, OP_DUP],
        &[OP_DUP, OP_2DUP],
        "a → a a → a a a a",
    ),
    rule(&[OP_DROP, OP_DROP], &[OP_2DROP], "a b → a → "),
    rule(&[OP_NIP, OP_DROP], &[OP_2DROP], "a b → b → "),
    rule(&[OP_SWAP, OP_2DROP], &[OP_2DROP], "a b → b a → "),
    rule(&[OP_SWAP, OP_DROP], &[OP_NIP], "a b → b a → b"),
    rule(&[OP_SWAP, OP_NIP], &[OP_DROP], "a b → b a → a"),
    rule(&[OP_SWAP, OP_OVER], &[OP_TUCK], "a b → b a → b a b"),
    rule(&[OP_OVER, OP_OVER], &[OP_2DUP], "a b → a b a → a b a b"),
    rule(
        &[OP_ROT, OP_ROT, OP_SWAP],
        &[OP_SWAP, OP_ROT],
        "a b c → c b a",
    ),
    rule(
        &[OP_SWAP, OP_ROT, OP_ROT],
        &[OP_ROT, OP_SWAP],
        "a b c → b a c",
    ),
    // Depths that an opcode has.
    rule(&[OP_0, OP_PICK], &[OP_DUP], "a → a a"),
    rule(&[OP_1, OP_PICK], &[OP_OVER], "a b → a b a"),
    rule(&[OP_0, OP_ROLL], &[], "a → a"),
    rule(&[OP_1, OP_ROLL], &[OP_SWAP], "a b → b a"),
    rule(&[OP_2, OP_ROLL], &[OP_ROT], "a b c → b c a"),
    rule(
        &[OP_3, OP_PICK, OP_3, OP_PICK],
        &[OP_2OVER],
        "a b c d → a b c d a → a b c d a b",
    ),
    rule(
        &[OP_2, OP_PICK, OP_2, OP_PICK, OP_2, OP_PICK],
        &[OP_3DUP],
        "a b c → a b c a → a b c a b → a b c a b c",
    ),
    rule(
        &[OP_3, OP_ROLL, OP_3, OP_ROLL],
        &[OP_2SWAP],
        "a b c d → b c d a → c d a b",
    ),
    rule(
        &[OP_5, OP_ROLL, OP_5, OP_ROLL],
        &[OP_2ROT],
        "a b c d e f → b c d e f a → c d e f a b",
    ),
];

/// A script under construction, in which sequences are replaced as soon as they are complete.
#[derive(Debug, Default)]
pub(crate) struct Shortener {
    bytes: Vec<u8>,
    /// Where the instructions begin that may still be replaced.
    starts: Vec<usize>,
}

impl Shortener {
    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Keeps what has been written as it is.
    pub(crate) fn settle(&mut self) {
        self.starts.clear();
    }

    /// Appends code as it is.
    pub(crate) fn raw(&mut self, code: &[u8]) {
        self.settle();
        self.bytes.extend_from_slice(code);
        self.settle();
    }

    /// Appends code, instruction by instruction.
    pub(crate) fn code(&mut self, code: &[u8]) {
        for instruction in instructions(Script::from_bytes(code)) {
            let instruction = instruction.expect("what is compiled has no cut push");
            self.append(&code[instruction.position..instruction.end]);
        }
    }

    fn append(&mut self, instruction: &[u8]) {
        self.starts.push(self.bytes.len());
        self.bytes.extend_from_slice(instruction);
        while let Some(rule) = self.rule() {
            for _ in rule.pattern {
                self.bytes.pop();
                self.starts.pop();
            }
            for opcode in rule.replacement {
                self.starts.push(self.bytes.len());
                self.bytes.push(opcode.to_u8());
            }
        }
    }

    /// A rule whose pattern has just been completed.
    fn rule(&self) -> Option<&'static Rule> {
        static BY_LAST: LazyLock<Vec<Vec<&'static Rule>>> = LazyLock::new(|| {
            let mut by_last = vec![Vec::new(); 256];
            for rule in RULES {
                let last = rule.pattern.last().expect("patterns are not empty");
                by_last[usize::from(last.to_u8())].push(rule);
            }
            by_last
        });
        let last = *self.bytes.last()?;
        let mut rules = BY_LAST[usize::from(last)].iter();
        rules.find(|rule| self.ends_with(rule.pattern)).copied()
    }

    fn ends_with(&self, pattern: &[Opcode]) -> bool {
        // As many instructions in as many bytes: none of them is a push of data.
        let first = self.bytes.len().checked_sub(pattern.len());
        let start = self.starts.len().checked_sub(pattern.len());
        let (Some(first), Some(start)) = (first, start) else {
            return false;
        };
        self.starts[start] == first
            && (self.bytes[first..].iter().zip(pattern)).all(|(byte, op)| *byte == op.to_u8())
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScriptWriter;
    use crate::interpreter::{Rules, execute};

    /// Numbers, an empty item, a negative zero, one that is no minimal encoding, one that is no number for arithmetic.
    const ITEMS: [&[u8]; 10] = [
        &[0x82],
        &[0x81],
        &[],
        &[1],
        &[2],
        &[3],
        &[0x80],
        &[0, 1],
        &[5, 0],
        &[1, 2, 3, 4, 5],
    ];

    /// How many items of the stack and the altstack a sequence takes.
    fn taken(pattern: &[Opcode]) -> (usize, usize) {
        let (mut main, mut alt) = (0i64, 0i64);
        let (mut lowest, mut lowest_alt) = (0, 0);
        let mut pushed = None;
        for &opcode in pattern {
            // Items taken, items left.
            let (takes, leaves) = match opcode {
                OP_0 | OP_1 | OP_2 | OP_3 | OP_5 => (0, 1),
                OP_NOT | OP_0NOTEQUAL | OP_1ADD | OP_1SUB => (1, 1),
                OP_VERIFY | OP_DROP => (1, 0),
                OP_DUP => (1, 2),
                OP_SWAP => (2, 2),
                OP_NIP => (2, 1),
                OP_OVER | OP_TUCK => (2, 3),
                OP_ROT => (3, 3),
                OP_2DROP | OP_EQUALVERIFY | OP_NUMEQUALVERIFY => (2, 0),
                OP_2DUP => (2, 4),
                OP_3DUP => (3, 6),
                OP_2OVER => (4, 6),
                OP_2SWAP => (4, 4),
                OP_TOALTSTACK => {
                    alt += 1;
                    (1, 0)
                }
                OP_FROMALTSTACK => {
                    alt -= 1;
                    lowest_alt = lowest_alt.min(alt);
                    (0, 1)
                }
                OP_PICK | OP_ROLL => {
                    let depth = pushed.expect("a depth is pushed before");
                    (depth + 2, depth + 1 + i64::from(opcode == OP_PICK))
                }
                _ => (2, 1),
            };
            main -= takes;
            lowest = lowest.min(main);
            main += leaves;
            pushed = match opcode {
                OP_0 => Some(0),
                OP_1 | OP_2 | OP_3 | OP_5 => Some(i64::from(opcode.to_u8() - 0x50)),
                _ => None,
            };
        }
        (-lowest as usize, -lowest_alt as usize) // cast ok: not negative
    }

    fn script(code: &[Opcode], altstack: usize) -> bitcoin::ScriptBuf {
        let mut writer = ScriptWriter::new();
        for _ in 0..altstack {
            writer.op(OP_TOALTSTACK);
        }
        for &opcode in code {
            writer.op(opcode);
        }
        writer.into_script()
    }

    /// All rules on all stacks.
    #[test]
    fn every_rule_leaves_the_same_stacks_or_fails_as_well() {
        let mut cases = 0;
        for rule in RULES {
            assert!(rule.replacement.len() < rule.pattern.len(), "{rule:?}");
            let (main, alt) = taken(rule.pattern);
            for items in main + alt..=(main + alt).max(4) {
                // The more items, the fewer different ones.
                let choices: &[&[u8]] = if items > 4 { &ITEMS[1..5] } else { &ITEMS };
                for case in 0..choices.len().pow(items as u32) {
                    let mut rest = case;
                    let stack: Vec<Vec<u8>> = (0..items)
                        .map(|_| {
                            let item = choices[rest % choices.len()].to_vec();
                            rest /= choices.len();
                            item
                        })
                        .collect();
                    for rules in [Rules::Consensus, Rules::Policy] {
                        let [long, short] = [rule.pattern, rule.replacement].map(|code| {
                            let execution = execute(&script(code, alt), stack.clone(), None, rules);
                            let failed = execution.result.err().map(|failure| failure.reason);
                            // It came to its end if only what is left is not what a leaf leaves.
                            let ended = failed.is_none_or(|reason| {
                                use crate::interpreter::FailureReason::{CleanStack, EvalFalse};
                                matches!(reason, CleanStack { .. } | EvalFalse)
                            });
                            ended.then_some((execution.stack, execution.altstack))
                        });
                        assert_eq!(long, short, "{rule:?} on {stack:02x?}");
                        cases += 1;
                    }
                }
            }
        }
        println!(
            "covered: {} peephole rules, {cases} cases of peephole rules",
            RULES.len()
        );
    }

    /// Of two opcodes that only move items, none is left that one opcode, or nothing, could stand for.
    #[test]
    fn no_pair_of_moves_is_missing() {
        const MOVES: [Opcode; 15] = [
            OP_DUP,
            OP_DROP,
            OP_NIP,
            OP_OVER,
            OP_ROT,
            OP_SWAP,
            OP_TUCK,
            OP_2DROP,
            OP_2DUP,
            OP_3DUP,
            OP_2OVER,
            OP_2ROT,
            OP_2SWAP,
            OP_TOALTSTACK,
            OP_FROMALTSTACK,
        ];
        let stack: Vec<Vec<u8>> = (1..=10).map(|item| vec![item]).collect();
        let left = |code: &[Opcode]| {
            let execution = execute(&script(code, 2), stack.clone(), None, Rules::Policy);
            (execution.stack, execution.altstack)
        };
        let mut shorter: Vec<Vec<Opcode>> = vec![Vec::new()];
        shorter.extend(MOVES.map(|opcode| vec![opcode]));
        let mut missing = Vec::new();
        for first in MOVES {
            for second in MOVES {
                let pair = [first, second];
                let other = shorter.iter().find(|code| left(code) == left(&pair));
                let mut shortener = Shortener::default();
                shortener.code(&pair.map(|opcode| opcode.to_u8()));
                match other {
                    Some(code) if shortener.len() > code.len() => missing.push((pair, code)),
                    _ => {}
                }
            }
        }
        assert_eq!(missing, []);
    }
}
