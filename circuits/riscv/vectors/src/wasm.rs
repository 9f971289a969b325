//! The guest that runs WebAssembly modules. What the modules compute is computed here by other
//! means.

use sha2::{Digest, Sha256};

use crate::{Guest, Words, words};

/// A module of ours, from its text.
fn module(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text of a module")
}

/// The input words of a run: the digest, the module, its arguments.
fn run_of(module: &[u8], arguments: &[u32]) -> Words {
    with_digest_of(module, module, arguments)
}

fn with_digest_of(hashed: &[u8], module: &[u8], arguments: &[u32]) -> Words {
    words(&[])
        .bytes(&Sha256::digest(hashed))
        .word(module.len() as u32) // cast ok: a small file
        .bytes(module)
        .words(arguments)
}

fn collatz_steps(mut number: u64) -> u32 {
    let mut steps = 0;
    while number != 1 {
        number = if number % 2 == 1 {
            3 * number + 1
        } else {
            number / 2
        };
        steps += 1;
    }
    steps
}

fn primes_below(limit: u32) -> u32 {
    let is_prime = |number: &u32| {
        (2..*number)
            .take_while(|d| d * d <= *number)
            .all(|d| !number.is_multiple_of(d))
    };
    (2..limit).filter(is_prime).count() as u32 // cast ok: fewer than the limit
}

pub(crate) fn wasm() -> Guest {
    let collatz = module(include_str!("../../wasm/modules/collatz.wat"));
    let primes = module(include_str!("../../wasm/modules/primes.wat"));
    let hypotenuse = module(include_str!("../../wasm/modules/hypotenuse.wat"));
    let other_export = module(include_str!("../../wasm/modules/other_export.wat"));
    let other_import = module(include_str!("../../wasm/modules/other_import.wat"));
    let recursion = module(include_str!("../../wasm/modules/recursion.wat"));
    let cut = &collatz[..collatz.len() - 1];
    // At the end of `accept`, `i32.eq` becomes `f32.eq`.
    let mut ill_typed = collatz.clone();
    let end = [0x10, 0x00, 0x46, 0x0b];
    let at = collatz.windows(end.len()).position(|bytes| bytes == end);
    ill_typed[at.expect("a call and a comparison") + 2] = 0x5b;
    Guest::new("wasm")
        .accepts("collatz_27", &run_of(&collatz, &[27, collatz_steps(27)]))
        .accepts(
            "collatz_above_a_word",
            &run_of(&collatz, &[159_487, collatz_steps(159_487)]),
        )
        .accepts(
            "primes_below_1000",
            &run_of(&primes, &[1_000, primes_below(1_000)]),
        )
        .accepts(
            "primes_below_65536",
            &run_of(&primes, &[65_536, primes_below(65_536)]),
        )
        .accepts("hypotenuse_of_3_and_4", &run_of(&hypotenuse, &[3, 4, 5, 0]))
        .accepts(
            "hypotenuse_rounded",
            &run_of(&hypotenuse, &[1_000, 1_001, 1_415, 4]),
        )
        .rejects(
            "collatz_off_by_one",
            &run_of(&collatz, &[27, collatz_steps(27) + 1]),
        )
        .rejects("collatz_of_zero_traps", &run_of(&collatz, &[0, 0]))
        .rejects(
            "primes_off_by_one",
            &run_of(&primes, &[1_000, primes_below(1_000) - 1]),
        )
        .rejects(
            "primes_beyond_memory_trap",
            &run_of(&primes, &[65_540, primes_below(65_540)]),
        )
        .rejects("hypotenuse_of_others", &run_of(&hypotenuse, &[3, 4, 6, 0]))
        .rejects(
            "hypotenuse_beyond_a_word_traps",
            &run_of(&hypotenuse, &[u32::MAX, u32::MAX, 0, 0]),
        )
        .rejects(
            "memory_beyond_its_maximum",
            &run_of(&hypotenuse, &[3, 4, 5, 5]),
        )
        .rejects("endless_recursion_traps", &run_of(&recursion, &[]))
        .rejects("accept_takes_an_argument", &run_of(&other_export, &[1]))
        .rejects("unknown_import", &run_of(&other_import, &[]))
        .rejects(
            "other_digest",
            &with_digest_of(&primes, &collatz, &[27, collatz_steps(27)]),
        )
        .rejects("module_cut_short", &run_of(cut, &[27, collatz_steps(27)]))
        .rejects(
            "ill_typed_module",
            &run_of(&ill_typed, &[27, collatz_steps(27)]),
        )
        .rejects("empty_module", &run_of(&[], &[]))
        .rejects("module_of_4_gib", &words(&[0; 8]).word(u32::MAX))
        .stops("argument_missing", &run_of(&collatz, &[27]))
        .stops("module_missing", &words(&[0; 8]).word(100))
        .stops("no_inputs", &words(&[]))
}
