//! Measures how many opcodes a second the interpreter executes, for a few mixes of opcodes.
//!
//! `cargo run --release -p tapcourt-script --example interpreter_speed`

use std::time::Instant;

use bitcoin::ScriptBuf;
use tapcourt_script::interpreter::{Rules, execute};
use tapcourt_script::script;

fn measure(name: &str, script: &ScriptBuf) {
    let start = Instant::now();
    let mut opcodes = 0;
    while start.elapsed().as_millis() < 500 {
        opcodes += execute(script, Vec::new(), None, Rules::Policy).opcodes;
    }
    println!(
        "{name:<14} {:>7.1} M opcodes/s",
        opcodes as f64 / start.elapsed().as_secs_f64() / 1e6
    );
}

fn main() {
    const REPEATS: usize = 20_000;
    measure(
        "gates",
        &script! {
            { 1 } { 0 } { 1 }
            for _ in 0..REPEATS { OP_OVER OP_OVER OP_BOOLAND OP_SWAP OP_NOT OP_NUMNOTEQUAL { 2 } OP_PICK OP_TUCK OP_2DROP }
        },
    );
    measure(
        "deep rolls",
        &script! {
            for _ in 0..100 { { 1 } }
            for _ in 0..REPEATS { { 90 } OP_ROLL OP_TOALTSTACK { 50 } OP_PICK OP_DROP OP_FROMALTSTACK }
        },
    );
    measure(
        "hash chains",
        &script! {
            { 1 }
            for _ in 0..REPEATS { OP_HASH160 }
        },
    );
}
