//! Why an execution failed, and where.

use std::fmt;

use bitcoin::opcodes::Opcode;

use crate::limits::{
    MAX_SCRIPT_ELEMENT_SIZE, MAX_STACK_SIZE, MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE,
};
use crate::opcodes;

/// Where an execution failed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Byte offset of the opcode; the script's length for what is checked after the last one, 0 for what is checked
    /// before the first.
    pub position: usize,
    /// Index of the opcode among all of the script's, executed or not.
    pub opcode_index: usize,
    /// The opcode; none for what is checked before the first or after the last.
    pub opcode: Option<Opcode>,
    /// The rule broken.
    pub reason: FailureReason,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.opcode {
            Some(opcode) => write!(
                formatter,
                "{} at byte {} (opcode {}): {}",
                opcodes::name(opcode),
                self.position,
                self.opcode_index,
                self.reason
            ),
            None => write!(formatter, "at byte {}: {}", self.position, self.reason),
        }
    }
}

impl std::error::Error for Failure {}

/// The rule that an execution broke. Names follow Bitcoin Core's `script_error.h`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FailureReason {
    /// An opcode that does not exist or never succeeds, or a push past the end of the script.
    #[error("invalid opcode or truncated push")]
    BadOpcode,
    /// A push or an initial stack item is too long.
    #[error("item of {bytes} bytes, at most {MAX_SCRIPT_ELEMENT_SIZE} are allowed")]
    PushSize {
        /// Its length.
        bytes: usize,
    },
    /// Too many items on stack and altstack.
    #[error("{items} items on stack and altstack, at most {MAX_STACK_SIZE} are allowed")]
    StackSize {
        /// How many there are.
        items: usize,
    },
    /// Fewer items on the stack than the opcode needs.
    #[error("needs {needed} stack items, has {available}")]
    InvalidStackOperation {
        /// Items needed.
        needed: usize,
        /// Items there.
        available: usize,
    },
    /// The operand of `OP_PICK` or `OP_ROLL` is negative or beyond the stack.
    #[error("no stack item at depth {depth}, the stack has {available}")]
    InvalidStackDepth {
        /// The operand.
        depth: i64,
        /// Items below the operand.
        available: usize,
    },
    /// `OP_FROMALTSTACK` from an empty altstack.
    #[error("the altstack is empty")]
    InvalidAltstackOperation,
    /// An operand has too many bytes to be a number.
    #[error("number of {bytes} bytes, at most {limit} are allowed")]
    NumberTooLong {
        /// Its length.
        bytes: usize,
        /// The greatest length allowed here.
        limit: usize,
    },
    /// An operand is longer than its number needs (policy).
    #[error("number is not minimally encoded")]
    NonMinimalNumber,
    /// A push could be shorter (policy).
    #[error("push is not minimal")]
    NonMinimalPush,
    /// `OP_VERIFY` of a false item.
    #[error("the condition is false")]
    Verify,
    /// `OP_EQUALVERIFY` of different items.
    #[error("the items differ")]
    EqualVerify,
    /// `OP_NUMEQUALVERIFY` of different numbers.
    #[error("the numbers differ")]
    NumEqualVerify,
    /// `OP_CHECKSIGVERIFY` with an empty signature.
    #[error("the signature is empty")]
    CheckSigVerify,
    /// `OP_RETURN`.
    #[error("the script returned")]
    OpReturn,
    /// `OP_IF` without an operand, `OP_ELSE` or `OP_ENDIF` without `OP_IF`, or an `OP_IF` left open.
    #[error("unbalanced condition")]
    UnbalancedConditional,
    /// The operand of `OP_IF` or `OP_NOTIF` is neither empty nor 0x01 (BIP-0342).
    #[error("the operand of a condition is neither empty nor 01")]
    MinimalIf,
    /// `OP_CHECKMULTISIG` and its `VERIFY` form do not exist in tapscript (BIP-0342).
    #[error("disabled in tapscript")]
    TapscriptCheckMultisig,
    /// More signature checks than the witness pays for (BIP-0342).
    #[error(
        "the witness is too small for so many signatures: {missing_wu} WU of validation weight are missing"
    )]
    ValidationWeight {
        /// How much is missing.
        missing_wu: i64,
    },
    /// The public key is empty (BIP-0342).
    #[error("the public key is empty")]
    EmptyPubkey,
    /// The public key's length is reserved for upgrades (policy).
    #[error("public key of {bytes} bytes is discouraged: reserved for upgrades")]
    DiscouragedPubkeyType {
        /// Its length.
        bytes: usize,
    },
    /// A signature of neither 64 nor 65 bytes (BIP-0341).
    #[error("signature of {bytes} bytes, must be 64 or 65")]
    SchnorrSignatureSize {
        /// Its length.
        bytes: usize,
    },
    /// A signature's hash type is undefined, or names an output that is not there (BIP-0341).
    #[error("invalid signature hash type {hash_type:#04x}")]
    SchnorrHashType {
        /// The hash type byte.
        hash_type: u8,
    },
    /// The signature does not verify.
    #[error("invalid signature")]
    SchnorrSignature,
    /// A lock time below zero.
    #[error("lock time {given} is negative")]
    NegativeLocktime {
        /// The operand.
        given: i64,
    },
    /// The transaction's lock time or the input's sequence number does not satisfy the operand.
    #[error("lock time {required} is not satisfied by the transaction")]
    UnsatisfiedLocktime {
        /// The operand.
        required: i64,
    },
    /// An opcode reserved for upgrades was executed (policy).
    #[error("discouraged: reserved for upgrades")]
    DiscouragedUpgradableNop,
    /// The script contains an `OP_SUCCESSx` (policy; by consensus it succeeds).
    #[error("discouraged: makes the script succeed unconditionally")]
    DiscouragedOpSuccess,
    /// A witness item too long to relay (policy).
    #[error(
        "witness item of {bytes} bytes, at most {MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE} are relayed"
    )]
    WitnessItemSize {
        /// Its length.
        bytes: usize,
    },
    /// More or fewer than one item is left at the end.
    #[error("{items} items are left on the stack instead of one")]
    CleanStack {
        /// How many are left.
        items: usize,
    },
    /// The one item left is false.
    #[error("the script ended with a false item")]
    EvalFalse,
    /// A signature or lock time is checked, but the execution was given no transaction.
    #[error("there is no transaction to check against")]
    NoTransaction,
}
