//! Fuzz targets as plain functions: each takes any bytes, and panics where a property does not hold.
//!
//! `tests/fuzz` has a binary for each, for libFuzzer; `tests/tests/fuzz_smoke.rs` runs all of them on committed seeds and on
//! [`generated inputs`](inputs) among the other tests.

mod contracts;
mod inputs;
mod riscv;
mod spend;

use rand_chacha::ChaCha8Rng;
use tapcourt_chain::core_verify;
use tapcourt_script::interpreter::{Rules, SpendError, execute, verify_input};
use tapcourt_script::{asm, count_opcodes, instructions};

use bitcoin::{Script, ScriptBuf};

pub use self::contracts::{messages, netlist, setup, transcript};
pub use self::inputs::{inputs, seeds};
pub use self::riscv::{elf, riscv_step};
pub use self::spend::{SpendInput, WitnessItem};

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: of the function, of the binary in `tests/fuzz`, and of the directory of its seeds.
    pub name: &'static str,
    /// Runs it.
    pub run: fn(&[u8]),
    /// Makes an input that is likely to go deep.
    generate: fn(&mut ChaCha8Rng) -> Vec<u8>,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "interpreter_vs_core",
        run: interpreter_vs_core,
        generate: inputs::random_spend,
    },
    Target {
        name: "gadgets",
        run: gadgets,
        generate: inputs::random_bytes,
    },
    Target {
        name: "script_text",
        run: script_text,
        generate: inputs::random_text,
    },
    Target {
        name: "elf",
        run: elf,
        generate: riscv::random_elf,
    },
    Target {
        name: "riscv_step",
        run: riscv_step,
        generate: riscv::random_step,
    },
    Target {
        name: "messages",
        run: messages,
        generate: contracts::random_message,
    },
    Target {
        name: "setup",
        run: setup,
        generate: contracts::random_setup,
    },
    Target {
        name: "transcript",
        run: transcript,
        generate: contracts::random_transcript,
    },
    Target {
        name: "netlist",
        run: netlist,
        generate: contracts::random_netlist,
    },
];

/// The interpreter and Bitcoin Core's code give the same verdict on a taproot spend, made as [`SpendInput`] says. Policy only refuses more,
/// and an execution keeps the limits.
///
/// # Panics
/// If they differ.
pub fn interpreter_vs_core(data: &[u8]) {
    let (tx, prevout) = SpendInput::decode(data).spend();
    let prevouts = [prevout];
    let verify = |rules| verify_input(&tx, 0, &prevouts, rules);
    let consensus = verify(Rules::Consensus);
    let core = core_verify(&tx, 0, &prevouts);
    assert_eq!(
        consensus.is_ok(),
        core.is_ok(),
        "core says {core:?}, the interpreter {consensus:?}"
    );
    let policy = verify(Rules::Policy);
    assert!(
        policy.is_err() || core.is_ok(),
        "relayed but not valid: {policy:?}"
    );
    let execution = match &consensus {
        Ok(Some(execution)) => execution,
        Err(SpendError::Leaf(execution)) => execution,
        _ => return,
    };
    assert!(
        execution.opcodes <= execution.script_opcodes,
        "{execution:?}"
    );
    // Where an OP_SUCCESSx lets anything pass, nothing is executed and no limit counts.
    if execution.succeeded() && execution.opcodes > 0 {
        assert!(execution.max_stack <= 1000, "{execution:?}");
    }
}

/// Gadgets give what their references give: [`fuzz_one`](crate::gadgets::fuzz_one).
///
/// # Panics
/// If one does not.
pub fn gadgets(data: &[u8]) {
    crate::gadgets::fuzz_one(data);
}

/// No text makes the parser of scripts panic; what it reads is written as a text that reads the same. Any bytes as a script survive being
/// written and read, and can be walked over and executed.
///
/// # Panics
/// If that does not hold.
pub fn script_text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(script) = asm::from_text(&text) {
        survives_text(&script);
    }
    let script = Script::from_bytes(data);
    survives_text(script);
    let whole = instructions(script).take_while(Result::is_ok).count();
    assert!(count_opcodes(script) >= whole, "{script:?}");
    // What needs no transaction.
    for rules in [Rules::Consensus, Rules::Policy] {
        let execution = execute(script, vec![], None, rules);
        assert!(execution.opcodes <= execution.script_opcodes, "{script:?}");
    }
}

fn survives_text(script: &Script) {
    let text = asm::to_text(script);
    let read: Result<ScriptBuf, _> = asm::from_text(&text);
    assert_eq!(read.as_deref(), Ok(script), "{text}");
}
