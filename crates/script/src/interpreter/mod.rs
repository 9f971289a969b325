//! Executes tapscript exactly as Bitcoin Core's `EvalScript` does, and says what happened.
//!
//! [`execute`] runs one leaf on an initial stack; [`execute_traced`] also shows every step; [`verify_input`] and
//! [`verify_script_path`] check a whole BIP-0341 spend. [`Rules`] chooses between consensus and relay policy.

mod checks;
mod failure;
mod item;
mod machine;
mod spend;

use bitcoin::{Opcode, Script};

pub(crate) use self::checks::SECP;
pub use self::checks::TxContext;
pub use self::failure::{Failure, FailureReason};
pub use self::item::Item;
use self::machine::Machine;
pub use self::spend::{SpendError, verify_input, verify_key_path, verify_script_path};
use crate::instructions::{count_opcodes, instructions};
use crate::limits::{
    MAX_SCRIPT_ELEMENT_SIZE, MAX_STACK_SIZE, MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE,
};
use crate::opcodes;

/// Which rules a script must keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rules {
    /// What blocks must keep: BIP-0341, BIP-0342 and everything they inherit.
    #[default]
    Consensus,
    /// Consensus, and what nodes ask before they relay: minimal pushes and numbers, witness items of at most 80 bytes,
    /// no annex, and nothing that is reserved for upgrades.
    Policy,
}

/// What an execution did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Whether the script succeeded: no opcode failed and one true item was left.
    pub result: Result<(), Failure>,
    /// The stack at the end or at the failure, bottom first. Where an opcode fails, its operands are still there.
    pub stack: Vec<Vec<u8>>,
    /// The altstack at the end or at the failure, bottom first.
    pub altstack: Vec<Vec<u8>>,
    /// Items on stack and altstack together, at the highest moment between opcodes.
    pub max_stack: usize,
    /// Opcodes executed, pushes included; those in branches not taken are left out.
    pub opcodes: usize,
    /// Opcodes in the script, pushes included.
    pub script_opcodes: usize,
}

impl Execution {
    /// Whether the script succeeded.
    pub fn succeeded(&self) -> bool {
        self.result.is_ok()
    }
}

/// The moment before an opcode is executed.
#[derive(Debug)]
pub struct Step<'a> {
    /// Byte offset of the opcode.
    pub position: usize,
    /// Its index among all of the script's opcodes.
    pub opcode_index: usize,
    /// The opcode.
    pub opcode: Opcode,
    /// The bytes that a push opcode pushes.
    pub data: &'a [u8],
    /// Whether it is executed; false in branches not taken.
    pub executed: bool,
    /// The stack, bottom first.
    pub stack: &'a [Item],
    /// The altstack, bottom first.
    pub altstack: &'a [Item],
}

/// Executes a tapscript leaf (version 0xc0) on an initial stack, given bottom first.
///
/// Without a transaction, opcodes that check a non-empty signature or a lock time fail with
/// [`FailureReason::NoTransaction`].
///
/// ```
/// use tapcourt_script::interpreter::{Rules, execute};
/// use tapcourt_script::script;
///
/// let script = script! { OP_ADD { 5 } OP_NUMEQUAL };
/// let execution = execute(&script, vec![vec![2], vec![3]], None, Rules::Policy);
/// assert!(execution.succeeded());
/// assert_eq!((execution.opcodes, execution.max_stack), (3, 2));
/// ```
pub fn execute(
    script: &Script,
    witness_stack: Vec<Vec<u8>>,
    tx: Option<&TxContext<'_>>,
    rules: Rules,
) -> Execution {
    run(script, witness_stack, tx, rules, None)
}

/// Executes a leaf as [`execute`] does, and shows the state before every opcode.
pub fn execute_traced(
    script: &Script,
    witness_stack: Vec<Vec<u8>>,
    tx: Option<&TxContext<'_>>,
    rules: Rules,
    trace: &mut dyn FnMut(&Step<'_>),
) -> Execution {
    run(script, witness_stack, tx, rules, Some(trace))
}

fn run(
    script: &Script,
    witness_stack: Vec<Vec<u8>>,
    tx: Option<&TxContext<'_>>,
    rules: Rules,
    trace: Option<&mut dyn FnMut(&Step<'_>)>,
) -> Execution {
    let mut machine = Machine::new(script, &witness_stack, tx, rules);
    let result = match before_first_opcode(script, &witness_stack, rules) {
        Ok(Verdict::Run) => machine.run(trace),
        Ok(Verdict::Succeed) => Ok(()),
        Err(failure) => Err(failure),
    };
    let (stack, altstack, max_stack, opcodes) = machine.finish();
    Execution {
        result,
        stack,
        altstack,
        max_stack,
        opcodes,
        script_opcodes: count_opcodes(script),
    }
}

enum Verdict {
    Run,
    /// An `OP_SUCCESSx` was found.
    Succeed,
}

/// The checks of Bitcoin Core's `ExecuteWitnessScript` (and `IsWitnessStandard`) before the script runs.
fn before_first_opcode(
    script: &Script,
    witness_stack: &[Vec<u8>],
    rules: Rules,
) -> Result<Verdict, Failure> {
    let at_start = |reason| Failure {
        position: 0,
        opcode_index: 0,
        opcode: None,
        reason,
    };
    if rules == Rules::Policy {
        let limit = MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE;
        if let Some(item) = witness_stack.iter().find(|item| item.len() > limit) {
            return Err(at_start(FailureReason::WitnessItemSize {
                bytes: item.len(),
            }));
        }
    }
    for (opcode_index, instruction) in instructions(script).enumerate() {
        match instruction {
            Ok(instruction) if opcodes::is_success(instruction.opcode.to_u8()) => {
                return match rules {
                    Rules::Consensus => Ok(Verdict::Succeed),
                    Rules::Policy => Err(Failure {
                        position: instruction.position,
                        opcode_index,
                        opcode: Some(instruction.opcode),
                        reason: FailureReason::DiscouragedOpSuccess,
                    }),
                };
            }
            Ok(_) => {}
            Err(truncated) => {
                return Err(Failure {
                    position: truncated.position,
                    opcode_index,
                    opcode: Some(Opcode::from(script.as_bytes()[truncated.position])),
                    reason: FailureReason::BadOpcode,
                });
            }
        }
    }
    if witness_stack.len() > MAX_STACK_SIZE {
        return Err(at_start(FailureReason::StackSize {
            items: witness_stack.len(),
        }));
    }
    if let Some(item) = witness_stack
        .iter()
        .find(|item| item.len() > MAX_SCRIPT_ELEMENT_SIZE)
    {
        return Err(at_start(FailureReason::PushSize { bytes: item.len() }));
    }
    Ok(Verdict::Run)
}
