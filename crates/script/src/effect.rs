//! Static analysis of a script's effect on the two stacks.

use bitcoin::Script;

use crate::StackEffect;
use crate::instructions::{Truncated, instructions};
use crate::limits::MAX_NUMBER_BYTES;
use crate::{number, opcodes};

/// What analysis finds out about a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Analysis {
    /// Items needed and left.
    pub effect: StackEffect,
    /// By how many items stack and altstack together exceed, at the highest, what they held at the start.
    pub peak: u32,
    /// Instructions, pushes included.
    pub opcodes: usize,
}

/// Why a script has no fixed stack effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EffectError {
    /// The effect depends on values the analysis does not know.
    #[error("the effect of {opcode} at byte {position} depends on run-time values")]
    Dynamic {
        /// Offset of the opcode.
        position: usize,
        /// Its name.
        opcode: String,
    },
    /// The opcode always fails in tapscript.
    #[error("{opcode} at byte {position} always fails in tapscript")]
    Invalid {
        /// Offset of the opcode.
        position: usize,
        /// Its name.
        opcode: String,
    },
    /// The two arms of a condition leave different numbers of items.
    #[error(
        "the arms that meet at byte {position} leave {first} and {second} items (altstack {first_alt} and {second_alt})"
    )]
    ArmsDisagree {
        /// Offset of the `OP_ENDIF` or `OP_ELSE`.
        position: usize,
        /// Growth of the stack along one arm.
        first: i64,
        /// Growth along the other.
        second: i64,
        /// Growth of the altstack along one arm.
        first_alt: i64,
        /// Growth along the other.
        second_alt: i64,
    },
    /// `OP_ELSE` or `OP_ENDIF` without `OP_IF`, or the reverse.
    #[error("unbalanced condition at byte {position}")]
    Unbalanced {
        /// Offset of the opcode, or the script's length.
        position: usize,
    },
    /// A push runs past the end.
    #[error(transparent)]
    Truncated(#[from] Truncated),
}

/// Depths relative to the start of the script, and whether this point is reached at all.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Depths {
    main: i64,
    alt: i64,
    live: bool,
}

/// An open `OP_IF`: the depths at its start, and what the arms closed so far agree on.
struct Condition {
    start: Depths,
    /// Depths at the end of the arms that can run when the condition is false, and when it is true.
    taken: [Option<Depths>; 2],
    /// Which of the two the current arm belongs to.
    arm: usize,
}

/// Finds a script's stack effect without running it.
///
/// Operands of `OP_PICK` and `OP_ROLL` must be constants pushed right before. Both arms of each condition must leave
/// the same number of items, unless one ends in `OP_RETURN`.
///
/// # Errors
/// If the effect depends on values, the arms of a condition disagree, or the script is malformed.
///
/// # Panics
/// If the script moves more than 2^32 items, as none below 4 GB does.
pub fn analyze(script: &Script) -> Result<Analysis, EffectError> {
    let mut now = Depths {
        main: 0,
        alt: 0,
        live: true,
    };
    let (mut lowest, mut lowest_alt, mut peak) = (0i64, 0i64, 0i64);
    let mut constant: Option<i64> = None;
    let mut conditions: Vec<Condition> = Vec::new();
    let mut opcodes_seen = 0;

    for instruction in instructions(script) {
        let instruction = instruction?;
        let position = instruction.position;
        opcodes_seen += 1;
        let code = instruction.opcode.to_u8();
        let pushed = constant.take();
        let dynamic = || EffectError::Dynamic {
            position,
            opcode: opcodes::name(instruction.opcode).into_owned(),
        };
        let unbalanced = EffectError::Unbalanced { position };

        // (stack items needed, items afterwards, altstack needed, altstack afterwards)
        let (pops, pushes, alt_pops, alt_pushes) = match code {
            0x00..=0x4e => {
                constant = number::decode(instruction.data, MAX_NUMBER_BYTES, false).ok();
                (0, 1, 0, 0)
            }
            0x4f | 0x51..=0x60 => {
                constant = Some(i64::from(code) - 0x50);
                (0, 1, 0, 0)
            }
            0x61 | 0xab | 0xb0..=0xb9 => match code {
                0xb1 | 0xb2 => (1, 1, 0, 0), // OP_CHECKLOCKTIMEVERIFY, OP_CHECKSEQUENCEVERIFY
                _ => (0, 0, 0, 0),           // OP_NOP*, OP_CODESEPARATOR
            },
            0x63 | 0x64 => (1, 0, 0, 0), // OP_IF, OP_NOTIF
            0x67 => {
                let condition = conditions.last_mut().ok_or(unbalanced)?;
                now = condition.close_arm(now);
                continue;
            }
            0x68 => {
                let mut condition = conditions.pop().ok_or(unbalanced)?;
                condition.close_arm(now);
                now = condition.join(position)?;
                continue;
            }
            0x69 => (1, 0, 0, 0), // OP_VERIFY
            0x6a => {
                now.live = false; // OP_RETURN
                continue;
            }
            0x6b => (1, 0, 0, 1), // OP_TOALTSTACK
            0x6c => (0, 1, 1, 0), // OP_FROMALTSTACK
            0x6d => (2, 0, 0, 0), // OP_2DROP
            0x6e => (2, 4, 0, 0), // OP_2DUP
            0x6f => (3, 6, 0, 0), // OP_3DUP
            0x70 => (4, 6, 0, 0), // OP_2OVER
            0x71 => (6, 6, 0, 0), // OP_2ROT
            0x72 => (4, 4, 0, 0), // OP_2SWAP
            0x74 => (0, 1, 0, 0), // OP_DEPTH
            0x75 => (1, 0, 0, 0), // OP_DROP
            0x76 => (1, 2, 0, 0), // OP_DUP
            0x77 => (2, 1, 0, 0), // OP_NIP
            0x78 => (2, 3, 0, 0), // OP_OVER
            0x79 | 0x7a => {
                let depth = pushed.ok_or_else(dynamic)?;
                if depth < 0 {
                    return Err(EffectError::Invalid {
                        position,
                        opcode: opcodes::name(instruction.opcode).into_owned(),
                    });
                }
                // The operand itself, then the items down to the one picked or rolled.
                (depth + 2, depth + if code == 0x79 { 2 } else { 1 }, 0, 0)
            }
            0x7b => (3, 3, 0, 0),                                    // OP_ROT
            0x7c => (2, 2, 0, 0),                                    // OP_SWAP
            0x7d => (2, 3, 0, 0),                                    // OP_TUCK
            0x82 => (1, 2, 0, 0),                                    // OP_SIZE
            0x87 => (2, 1, 0, 0),                                    // OP_EQUAL
            0x88 | 0x9d => (2, 0, 0, 0), // OP_EQUALVERIFY, OP_NUMEQUALVERIFY
            0x8b | 0x8c | 0x8f..=0x92 => (1, 1, 0, 0), // OP_1ADD … OP_0NOTEQUAL
            0x93 | 0x94 | 0x9a..=0x9c | 0x9e..=0xa4 => (2, 1, 0, 0), // OP_ADD … OP_MAX
            0xa5 => (3, 1, 0, 0),        // OP_WITHIN
            0xa6..=0xaa => (1, 1, 0, 0), // OP_RIPEMD160 … OP_HASH256
            0xac => (2, 1, 0, 0),        // OP_CHECKSIG
            0xad => (2, 0, 0, 0),        // OP_CHECKSIGVERIFY
            0xba => (3, 1, 0, 0),        // OP_CHECKSIGADD
            0x73 => return Err(dynamic()), // OP_IFDUP
            _ if opcodes::is_success(code) => return Err(dynamic()),
            _ => {
                return Err(EffectError::Invalid {
                    position,
                    opcode: opcodes::name(instruction.opcode).into_owned(),
                });
            }
        };

        if now.live {
            lowest = lowest.min(now.main - pops);
            lowest_alt = lowest_alt.min(now.alt - alt_pops);
        }
        now.main += pushes - pops;
        now.alt += alt_pushes - alt_pops;
        if now.live {
            peak = peak.max(now.main + now.alt);
        }
        if matches!(code, 0x63 | 0x64) {
            // The arm that follows OP_IF runs when the condition is true, the one after OP_NOTIF when it is false.
            conditions.push(Condition {
                start: now,
                taken: [None; 2],
                arm: usize::from(code == 0x63),
            });
        }
    }
    if !conditions.is_empty() {
        return Err(EffectError::Unbalanced {
            position: script.len(),
        });
    }
    let count = |items: i64| {
        u32::try_from(items).expect("a script shorter than 4 GB moves fewer than 2^32 items")
    };
    Ok(Analysis {
        effect: StackEffect {
            pops: count(-lowest),
            pushes: count(now.main - lowest),
            alt_pops: count(-lowest_alt),
            alt_pushes: count(now.alt - lowest_alt),
        },
        peak: count(peak),
        opcodes: opcodes_seen,
    })
}

impl Condition {
    /// Ends the current arm and returns the depths at which the next one starts. Arms alternate (several `OP_ELSE` are
    /// allowed), so an arm continues from where the last one for the same truth value ended.
    fn close_arm(&mut self, end: Depths) -> Depths {
        self.taken[self.arm] = Some(end);
        self.arm = 1 - self.arm;
        self.taken[self.arm].unwrap_or(self.start)
    }

    /// The depths after `OP_ENDIF`: those of the arms that reach it, which must agree.
    fn join(self, position: usize) -> Result<Depths, EffectError> {
        // An arm that was never written leaves everything as it was.
        let [first, second] = self.taken.map(|arm| arm.unwrap_or(self.start));
        match (first.live, second.live) {
            (true, true) if first != second => Err(disagreement(first, second, position)),
            (true, _) => Ok(first),
            (false, _) => Ok(second),
        }
    }
}

fn disagreement(first: Depths, second: Depths, position: usize) -> EffectError {
    EffectError::ArmsDisagree {
        position,
        first: first.main,
        second: second.main,
        first_alt: first.alt,
        second_alt: second.alt,
    }
}
