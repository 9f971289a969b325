//! The interpreter's loop: Bitcoin Core's `EvalScript` under `SigVersion::TAPSCRIPT`.

use bitcoin::hashes::{Hash, hash160, ripemd160, sha1};
use bitcoin::sighash::SighashCache;
use bitcoin::{Script, Transaction};
use sha2::{Digest, Sha256};

use super::checks::{SEQUENCE_LOCKTIME_DISABLE_FLAG, TxContext, check_signature};
use super::{Failure, FailureReason, Item, Rules, Step};
use crate::instructions::{Instruction, instructions};
use crate::limits::{
    MAX_LOCKTIME_NUMBER_BYTES, MAX_NUMBER_BYTES, MAX_SCRIPT_ELEMENT_SIZE, MAX_STACK_SIZE,
    VALIDATION_WEIGHT_PER_SIGOP_PASSED,
};
use crate::number::{self, NumberError};

/// What [`Machine::finish`] returns: stack, altstack, most items, opcodes executed.
pub(super) type Finished = (Vec<Vec<u8>>, Vec<Vec<u8>>, usize, usize);

/// The code separator position before any `OP_CODESEPARATOR` (BIP-0342).
const NO_CODE_SEPARATOR: u32 = 0xffff_ffff;

pub(super) struct Machine<'a> {
    script: &'a Script,
    tx: Option<&'a TxContext<'a>>,
    sighashes: Option<SighashCache<&'a Transaction>>,
    minimal: bool,
    discourage: bool,
    stack: Vec<Item>,
    altstack: Vec<Item>,
    max_stack: usize,
    opcodes: usize,
    conditions: Conditions,
    code_separator: u32,
    validation_weight_left: Option<i64>,
}

/// The open conditions. As in Bitcoin Core's `ConditionStack`, only their number and the outermost false one matter.
#[derive(Default)]
struct Conditions {
    depth: usize,
    first_false: Option<usize>,
}

impl Conditions {
    #[inline]
    fn all_true(&self) -> bool {
        self.first_false.is_none()
    }

    fn push(&mut self, value: bool) {
        if !value && self.first_false.is_none() {
            self.first_false = Some(self.depth);
        }
        self.depth += 1;
    }

    /// Negates the innermost condition; below a false one its value does not matter.
    fn toggle(&mut self) {
        let innermost = self.depth - 1;
        match self.first_false {
            None => self.first_false = Some(innermost),
            Some(depth) if depth == innermost => self.first_false = None,
            Some(_) => {}
        }
    }

    fn pop(&mut self) {
        self.depth -= 1;
        if self.first_false == Some(self.depth) {
            self.first_false = None;
        }
    }
}

impl<'a> Machine<'a> {
    pub(super) fn new(
        script: &'a Script,
        witness_stack: &[Vec<u8>],
        tx: Option<&'a TxContext<'a>>,
        rules: Rules,
    ) -> Self {
        Self {
            script,
            tx,
            sighashes: None,
            minimal: rules == Rules::Policy,
            discourage: rules == Rules::Policy,
            stack: witness_stack.iter().map(|item| Item::new(item)).collect(),
            altstack: Vec::new(),
            max_stack: witness_stack.len(),
            opcodes: 0,
            conditions: Conditions::default(),
            code_separator: NO_CODE_SEPARATOR,
            validation_weight_left: tx.and_then(|tx| tx.validation_weight_wu),
        }
    }

    pub(super) fn finish(self) -> Finished {
        let bytes = |items: Vec<Item>| items.into_iter().map(Item::into_vec).collect();
        (
            bytes(self.stack),
            bytes(self.altstack),
            self.max_stack,
            self.opcodes,
        )
    }

    /// Executes the whole script and checks what it leaves.
    pub(super) fn run(
        &mut self,
        mut trace: Option<&mut dyn FnMut(&Step<'_>)>,
    ) -> Result<(), Failure> {
        let script = self.script;
        let mut opcode_index = 0;
        for instruction in instructions(script) {
            let Ok(instruction) = instruction else {
                break; // cannot happen: truncated pushes were refused before the first opcode
            };
            let code = instruction.opcode.to_u8();
            let executing = self.conditions.all_true();
            let executed = executing || (0x63..=0x68).contains(&code);
            if let Some(trace) = trace.as_deref_mut() {
                trace(&Step {
                    position: instruction.position,
                    opcode_index,
                    opcode: instruction.opcode,
                    data: instruction.data,
                    executed: executing,
                    stack: &self.stack,
                    altstack: &self.altstack,
                });
            }
            let outcome = if executed {
                self.opcodes += usize::from(executing);
                self.step(code, &instruction, opcode_index, executing)
            } else if instruction.data.len() > MAX_SCRIPT_ELEMENT_SIZE {
                Err(FailureReason::PushSize {
                    bytes: instruction.data.len(),
                })
            } else {
                Ok(())
            };
            outcome
                .and_then(|()| self.check_stack_size())
                .map_err(|reason| Failure {
                    position: instruction.position,
                    opcode_index,
                    opcode: Some(instruction.opcode),
                    reason,
                })?;
            opcode_index += 1;
        }
        self.after_last_opcode().map_err(|reason| Failure {
            position: script.len(),
            opcode_index,
            opcode: None,
            reason,
        })
    }

    fn after_last_opcode(&self) -> Result<(), FailureReason> {
        if self.conditions.depth != 0 {
            return Err(FailureReason::UnbalancedConditional);
        }
        match self.stack.as_slice() {
            [item] if item.is_true() => Ok(()),
            [_] => Err(FailureReason::EvalFalse),
            items => Err(FailureReason::CleanStack { items: items.len() }),
        }
    }

    #[inline]
    fn check_stack_size(&mut self) -> Result<(), FailureReason> {
        let items = self.stack.len() + self.altstack.len();
        if items > self.max_stack {
            if items > MAX_STACK_SIZE {
                return Err(FailureReason::StackSize { items });
            }
            self.max_stack = items;
        }
        Ok(())
    }

    #[inline]
    fn step(
        &mut self,
        code: u8,
        instruction: &Instruction<'_>,
        opcode_index: usize,
        executing: bool,
    ) -> Result<(), FailureReason> {
        match code {
            // Pushes
            0x00..=0x4e => {
                let data = instruction.data;
                if data.len() > MAX_SCRIPT_ELEMENT_SIZE {
                    return Err(FailureReason::PushSize { bytes: data.len() });
                }
                if self.minimal && !is_minimal_push(code, data) {
                    return Err(FailureReason::NonMinimalPush);
                }
                self.stack.push(Item::new(data));
            }
            0x4f | 0x51..=0x60 => self.stack.push(Item::number(i64::from(code) - 0x50)),

            // Flow
            0x61 => {} // OP_NOP
            0x63 | 0x64 => {
                // OP_IF, OP_NOTIF
                let mut value = false;
                if executing {
                    let condition = self
                        .stack
                        .last()
                        .ok_or(FailureReason::UnbalancedConditional)?
                        .as_bytes();
                    if !matches!(condition, [] | [1]) {
                        return Err(FailureReason::MinimalIf);
                    }
                    value = condition.is_empty() == (code == 0x64);
                    self.stack.pop();
                }
                self.conditions.push(value);
            }
            0x67 | 0x68 if self.conditions.depth == 0 => {
                return Err(FailureReason::UnbalancedConditional);
            }
            0x67 => self.conditions.toggle(), // OP_ELSE
            0x68 => self.conditions.pop(),    // OP_ENDIF
            0x69 => {
                // OP_VERIFY
                self.need(1)?;
                if !self.nth_from_top(1).is_true() {
                    return Err(FailureReason::Verify);
                }
                self.stack.pop();
            }
            0x6a => return Err(FailureReason::OpReturn),

            // Stack
            0x6b => {
                // OP_TOALTSTACK
                self.need(1)?;
                self.altstack.extend(self.stack.pop());
            }
            0x6c => {
                // OP_FROMALTSTACK
                let item = self
                    .altstack
                    .pop()
                    .ok_or(FailureReason::InvalidAltstackOperation)?;
                self.stack.push(item);
            }
            0x6d => {
                // OP_2DROP
                let len = self.need(2)?;
                self.stack.truncate(len - 2);
            }
            0x6e => self.copy_from(2, 2)?, // OP_2DUP
            0x6f => self.copy_from(3, 3)?, // OP_3DUP
            0x70 => self.copy_from(4, 2)?, // OP_2OVER
            0x71 => {
                // OP_2ROT
                let len = self.need(6)?;
                self.stack[len - 6..].rotate_left(2);
            }
            0x72 => {
                // OP_2SWAP
                let len = self.need(4)?;
                self.stack[len - 4..].rotate_left(2);
            }
            0x73 => {
                // OP_IFDUP
                self.need(1)?;
                if self.nth_from_top(1).is_true() {
                    self.copy_from(1, 1)?;
                }
            }
            0x74 => {
                // OP_DEPTH; cast ok: at most MAX_STACK_SIZE
                self.stack.push(Item::number(self.stack.len() as i64));
            }
            0x75 => {
                // OP_DROP
                self.need(1)?;
                self.stack.pop();
            }
            0x76 => self.copy_from(1, 1)?, // OP_DUP
            0x77 => {
                // OP_NIP
                let len = self.need(2)?;
                self.stack.swap_remove(len - 2);
            }
            0x78 => self.copy_from(2, 1)?, // OP_OVER
            0x79 | 0x7a => {
                // OP_PICK, OP_ROLL
                let len = self.need(2)?;
                let depth = self.number(1)?;
                let available = len - 1;
                let index = usize::try_from(depth)
                    .ok()
                    .and_then(|depth| available.checked_sub(depth + 1))
                    .ok_or(FailureReason::InvalidStackDepth { depth, available })?;
                if code == 0x79 {
                    self.stack[available] = self.stack[index].clone();
                } else {
                    self.stack.pop();
                    self.stack[index..].rotate_left(1);
                }
            }
            0x7b => {
                // OP_ROT
                let len = self.need(3)?;
                self.stack[len - 3..].rotate_left(1);
            }
            0x7c => {
                // OP_SWAP
                let len = self.need(2)?;
                self.stack.swap(len - 2, len - 1);
            }
            0x7d => {
                // OP_TUCK
                let len = self.need(2)?;
                let top = self.stack[len - 1].clone();
                self.stack.insert(len - 2, top);
            }

            // Comparison of bytes
            0x82 => {
                // OP_SIZE; cast ok: at most MAX_SCRIPT_ELEMENT_SIZE
                self.need(1)?;
                self.stack
                    .push(Item::number(self.nth_from_top(1).len() as i64));
            }
            0x87 | 0x88 => {
                // OP_EQUAL, OP_EQUALVERIFY
                let len = self.need(2)?;
                let equal = self.stack[len - 2] == self.stack[len - 1];
                if code == 0x87 {
                    self.replace(2, Item::boolean(equal));
                } else if equal {
                    self.stack.truncate(len - 2);
                } else {
                    return Err(FailureReason::EqualVerify);
                }
            }

            // Arithmetic
            0x8b | 0x8c | 0x8f..=0x92 => {
                self.need(1)?;
                let value = self.number(1)?;
                let result = match code {
                    0x8b => value + 1,
                    0x8c => value - 1,
                    0x8f => -value,
                    0x90 => value.abs(),
                    0x91 => i64::from(value == 0),
                    _ => i64::from(value != 0),
                };
                self.replace(1, Item::number(result));
            }
            0x93 | 0x94 | 0x9a..=0xa4 => {
                let len = self.need(2)?;
                let first = self.number(2)?;
                let second = self.number(1)?;
                let result = match code {
                    0x93 => first + second,
                    0x94 => first - second,
                    0x9a => i64::from(first != 0 && second != 0),
                    0x9b => i64::from(first != 0 || second != 0),
                    0x9c => i64::from(first == second),
                    0x9d if first == second => {
                        self.stack.truncate(len - 2);
                        return Ok(());
                    }
                    0x9d => return Err(FailureReason::NumEqualVerify),
                    0x9e => i64::from(first != second),
                    0x9f => i64::from(first < second),
                    0xa0 => i64::from(first > second),
                    0xa1 => i64::from(first <= second),
                    0xa2 => i64::from(first >= second),
                    0xa3 => first.min(second),
                    _ => first.max(second),
                };
                self.replace(2, Item::number(result));
            }
            0xa5 => {
                // OP_WITHIN
                self.need(3)?;
                let value = self.number(3)?;
                let (least, above) = (self.number(2)?, self.number(1)?);
                self.replace(3, Item::boolean(least <= value && value < above));
            }

            // Hashes
            0xa6..=0xaa => {
                self.need(1)?;
                let data = self.nth_from_top(1).as_bytes();
                let hash = match code {
                    0xa6 => Item::new(ripemd160::Hash::hash(data).as_byte_array()),
                    0xa7 => Item::new(sha1::Hash::hash(data).as_byte_array()),
                    0xa8 => Item::new(&Sha256::digest(data)),
                    0xa9 => Item::new(hash160::Hash::hash(data).as_byte_array()),
                    _ => Item::new(&Sha256::digest(Sha256::digest(data))),
                };
                self.replace(1, hash);
            }

            // Signatures and lock times
            0xab => {
                // OP_CODESEPARATOR; cast ok: a script has less than 2^32 opcodes
                self.code_separator = opcode_index as u32;
            }
            0xac | 0xad => {
                // OP_CHECKSIG, OP_CHECKSIGVERIFY
                let len = self.need(2)?;
                let passed = self.check_signature(2)?;
                if code == 0xac {
                    self.replace(2, Item::boolean(passed));
                } else if passed {
                    self.stack.truncate(len - 2);
                } else {
                    return Err(FailureReason::CheckSigVerify);
                }
            }
            0xba => {
                // OP_CHECKSIGADD
                self.need(3)?;
                let count = self.number(2)?;
                let passed = self.check_signature(3)?;
                self.replace(3, Item::number(count + i64::from(passed)));
            }
            0xae | 0xaf => return Err(FailureReason::TapscriptCheckMultisig),
            0xb1 => {
                // OP_CHECKLOCKTIMEVERIFY
                let required = self.locktime()?;
                if !self
                    .tx
                    .ok_or(FailureReason::NoTransaction)?
                    .check_locktime(required)
                {
                    return Err(FailureReason::UnsatisfiedLocktime { required });
                }
            }
            0xb2 => {
                // OP_CHECKSEQUENCEVERIFY
                let required = self.locktime()?;
                if required & SEQUENCE_LOCKTIME_DISABLE_FLAG == 0
                    && !self
                        .tx
                        .ok_or(FailureReason::NoTransaction)?
                        .check_sequence(required)
                {
                    return Err(FailureReason::UnsatisfiedLocktime { required });
                }
            }
            0xb0 | 0xb3..=0xb9 => {
                // OP_NOP1, OP_NOP4 … OP_NOP10
                if self.discourage {
                    return Err(FailureReason::DiscouragedUpgradableNop);
                }
            }
            _ => return Err(FailureReason::BadOpcode),
        }
        Ok(())
    }

    /// Checks that the stack holds `needed` items and returns how many it holds.
    #[inline]
    fn need(&self, needed: usize) -> Result<usize, FailureReason> {
        let available = self.stack.len();
        if available < needed {
            return Err(FailureReason::InvalidStackOperation { needed, available });
        }
        Ok(available)
    }

    /// The `n`-th item from the top, the top being the first; the caller has checked that it is there.
    #[inline]
    fn nth_from_top(&self, n: usize) -> &Item {
        &self.stack[self.stack.len() - n]
    }

    /// The `n`-th item from the top as a number.
    #[inline]
    fn number(&self, n: usize) -> Result<i64, FailureReason> {
        let item = self.nth_from_top(n);
        item.to_number(self.minimal)
            .map_err(|error| number_failure(error, item, MAX_NUMBER_BYTES))
    }

    /// The operand of a lock time opcode, which stays on the stack.
    fn locktime(&self) -> Result<i64, FailureReason> {
        self.need(1)?;
        let item = self.nth_from_top(1);
        let given = number::decode(item.as_bytes(), MAX_LOCKTIME_NUMBER_BYTES, self.minimal)
            .map_err(|error| number_failure(error, item, MAX_LOCKTIME_NUMBER_BYTES))?;
        if given < 0 {
            Err(FailureReason::NegativeLocktime { given })
        } else {
            Ok(given)
        }
    }

    /// Puts one item in place of the `n` topmost.
    #[inline]
    fn replace(&mut self, n: usize, item: Item) {
        let len = self.stack.len() - n + 1;
        self.stack.truncate(len);
        self.stack[len - 1] = item;
    }

    /// Copies `count` items, of which the lowest is the `n`-th from the top, to the top.
    #[inline]
    fn copy_from(&mut self, n: usize, count: usize) -> Result<(), FailureReason> {
        let start = self.need(n)? - n;
        for index in start..start + count {
            let item = self.stack[index].clone();
            self.stack.push(item);
        }
        Ok(())
    }

    /// BIP-0342's signature opcodes: the public key is on top, the signature the `n`-th item from the top. Whether the
    /// signature was there; one that is there but wrong fails the script.
    fn check_signature(&mut self, n: usize) -> Result<bool, FailureReason> {
        let len = self.stack.len();
        let (signature, public_key) = (
            self.stack[len - n].as_bytes(),
            self.stack[len - 1].as_bytes(),
        );
        let present = !signature.is_empty();
        if present && let Some(left) = &mut self.validation_weight_left {
            *left -= VALIDATION_WEIGHT_PER_SIGOP_PASSED;
            if *left < 0 {
                return Err(FailureReason::ValidationWeight { missing_wu: -*left });
            }
        }
        match <&[u8; 32]>::try_from(public_key) {
            Ok(public_key) if present => {
                let context = self.tx.ok_or(FailureReason::NoTransaction)?;
                check_signature(
                    self.sighashes
                        .get_or_insert_with(|| SighashCache::new(context.tx)),
                    context.input_index,
                    context.prevouts,
                    context.annex,
                    Some((context.leaf_hash, self.code_separator)),
                    signature,
                    public_key,
                )?;
            }
            Ok(_) => {}
            Err(_) if public_key.is_empty() => return Err(FailureReason::EmptyPubkey),
            Err(_) if self.discourage => {
                return Err(FailureReason::DiscouragedPubkeyType {
                    bytes: public_key.len(),
                });
            }
            Err(_) => {}
        }
        Ok(present)
    }
}

fn number_failure(error: NumberError, item: &Item, limit: usize) -> FailureReason {
    match error {
        NumberError::TooLong => FailureReason::NumberTooLong {
            bytes: item.len(),
            limit,
        },
        NumberError::NonMinimal => FailureReason::NonMinimalNumber,
    }
}

/// Whether no shorter push of the same bytes exists (Bitcoin Core's `CheckMinimalPush`).
fn is_minimal_push(code: u8, data: &[u8]) -> bool {
    match (data, data.len()) {
        ([], _) => code == 0x00,
        ([1..=16 | 0x81], _) => false,
        (_, 1..=0x4b) => usize::from(code) == data.len(),
        (_, 0x4c..=0xff) => code == 0x4c,
        (_, 0x100..=0xffff) => code == 0x4d,
        _ => true,
    }
}
