//! RISC-V programs: `run`, `trace`, `digest`, `compile`, `inspect leaf`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tapcourt_program::riscv::{EXIT_CALL, Instruction, Op, Program, Register};

use crate::support::{circuit, elf, tapcourt};

fn guest(name: &str) -> String {
    elf(&format!("{name}.elf"))
}

/// 47 and the 47th Fibonacci number.
const TRUE_INPUT: &str = "47,2971215073";

#[test]
fn run_tells_how_a_program_ends() {
    let fibonacci = guest("fibonacci");
    let run = |input: &str, more: &[&str], exit: i32| {
        let fixed = ["run", &fibonacci, "--json", "--input", input];
        tapcourt(fixed.iter().chain(more)).exits(exit).json()
    };
    let accepted = run(TRUE_INPUT, &[], 0);
    assert_eq!(accepted["accepted"], true);
    assert_eq!(accepted["exit_code"], 0);
    assert!(accepted["steps"].as_u64().unwrap() > 47);
    assert_eq!(accepted["stopped_at_pc"], 0xffff_ffff_u32);
    let refused = run("47,1", &[], 1);
    assert_eq!(
        (&refused["accepted"], &refused["exit_code"]),
        (&json!(false), &json!(1))
    );
    // It asks for a word that there is not.
    let stuck = run("47", &[], 1);
    assert_eq!(
        (&stuck["accepted"], &stuck["exit_code"]),
        (&json!(false), &Value::Null)
    );
    assert!(stuck["stopped_at_pc"].is_u64());
    let unfinished = run(TRUE_INPUT, &["--max-steps", "100"], 1);
    assert_eq!(
        (&unfinished["steps"], &unfinished["stopped_at_pc"]),
        (&json!(100), &Value::Null)
    );

    let text = |input: &str, exit: i32| {
        tapcourt(["run", &fibonacci, "--input", input])
            .exits(exit)
            .stdout
    };
    assert!(text(TRUE_INPUT, 0).starts_with("accepted after "));
    assert!(text("47,1", 1).contains("exit code 1"));
    assert!(
        text("47", 1).contains("<tapcourt_input"),
        "the place has a name"
    );

    // The same from a file, as words, as text of bytes, and as bytes.
    let folder = tempfile::tempdir().unwrap();
    let bytes = [47u32.to_le_bytes(), 2_971_215_073u32.to_le_bytes()].concat();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    for (prefix, contents) in [
        ("@", TRUE_INPUT.as_bytes()),
        ("@", format!("hex:{digits}").as_bytes()),
        ("@raw:", &bytes),
    ] {
        let path = folder.path().join("input");
        fs::write(&path, contents).unwrap();
        run(&format!("{prefix}{}", path.display()), &[], 0);
    }
    run(&format!("hex:{digits}"), &[], 0);
}

#[test]
fn trace_and_digest_show_the_same_states() {
    let fibonacci = guest("fibonacci");
    let count = [
        "trace", &fibonacci, "--input", TRUE_INPUT, "--from", "100", "--count", "8", "--json",
    ];
    let steps = tapcourt(count).exits(0).json();
    let steps = steps.as_array().unwrap();
    assert_eq!(steps.len(), 8);
    assert_eq!(steps[0]["symbol"], "main");
    for (step, next) in steps.iter().zip(&steps[1..]) {
        assert_eq!(step["next_pc"], next["pc"]);
    }
    let digest = |step: &Value| {
        let step = step.to_string();
        let state = tapcourt([
            "digest", &fibonacci, "--input", TRUE_INPUT, "--step", &step, "--json",
        ])
        .exits(0)
        .json();
        (
            state["pc"].clone(),
            state["digest"].clone(),
            state["root"].clone(),
        )
    };
    let states: Vec<_> = steps.iter().map(|step| digest(&step["step"])).collect();
    for (step, (pc, ..)) in steps.iter().zip(&states) {
        assert_eq!(&step["pc"], pc);
    }
    // A step that writes changes the root, another does not.
    for (step, pair) in steps.iter().zip(states.windows(2)) {
        let writes = !step["w"].is_null() && step["w"]["value"] != step["w"]["old"];
        assert_eq!(pair[0].2 != pair[1].2, writes, "{step}");
        assert_ne!(pair[0].1, pair[1].1);
    }
    // After the end nothing changes.
    let after = [json!(1_000_000), json!(1_u64 << 40)].map(|step| digest(&step));
    assert_eq!(after[0], after[1]);
    let text = tapcourt(["trace", &fibonacci, "--input", TRUE_INPUT, "--count", "3"])
        .exits(0)
        .stdout;
    assert_eq!(text.lines().count(), 3);
}

#[test]
fn compile_and_inspect_show_leaves() {
    let fibonacci = guest("fibonacci");
    let report = tapcourt(["compile", &fibonacci, "--inputs", "2", "--json"])
        .exits(0)
        .json();
    let instructions = report["instructions"].as_u64().unwrap();
    let kinds = report["kinds"].as_array().unwrap();
    assert_eq!(kinds[0]["leaves"], instructions);
    let leaves = kinds
        .iter()
        .map(|kind| kind["leaves"].as_u64().unwrap())
        .sum::<u64>();
    assert_eq!(
        report["leaves"].as_u64().unwrap() + report["path_leaves"].as_u64().unwrap(),
        leaves
    );
    assert!(report["semantics_bytes_mean"].as_u64().unwrap() < 9_000);
    let again = tapcourt(["compile", &fibonacci, "--inputs", "2", "--json"])
        .exits(0)
        .json();
    assert_eq!(report, again, "compilation is deterministic");
    let other = tapcourt([
        "compile", &fibonacci, "--inputs", "2", "--json", "--arity", "8",
    ])
    .exits(0)
    .json();
    assert_ne!(report["taptree_root"], other["taptree_root"]);
    assert!(
        tapcourt(["compile", &fibonacci])
            .exits(0)
            .stdout
            .contains("instruction")
    );

    // By address and by number it is the same leaf.
    let trace = tapcourt(["trace", &fibonacci, "--count", "1", "--json"])
        .exits(0)
        .json();
    let pc = trace[0]["pc"].to_string();
    let leaf = tapcourt(["inspect", "leaf", &fibonacci, "--pc", &pc, "--json"])
        .exits(0)
        .json();
    let number = leaf["leaf"].to_string();
    let same = tapcourt(["inspect", "leaf", &fibonacci, &number, "--json"])
        .exits(0)
        .json();
    assert_eq!(leaf, same);
    let twice = ["inspect", "leaf", &fibonacci, "--pc", &pc, "--pc", &pc];
    let once = ["inspect", "leaf", &fibonacci, &number];
    let once = tapcourt(once).exits(0).stdout;
    assert_eq!(tapcourt(twice).exits(0).stdout, format!("{once}\n{once}"));
    assert_eq!(leaf["instruction"], trace[0]["instruction"]);
    let script = leaf["script"].as_str().unwrap();
    assert!(script.ends_with(leaf["body"].as_str().unwrap()));
    assert!(script.split_whitespace().count() as u64 > 1_000);
}

#[test]
fn what_is_wrong_is_named() {
    let fibonacci = guest("fibonacci");
    let fails = |arguments: &[&str], part: &str| {
        let error = tapcourt(arguments).exits(2).stderr;
        assert!(error.contains(part), "{arguments:?}: {error}");
    };
    fails(
        &["run", &fibonacci, "--input", "47,x"],
        "line 1, column 4: 'x'",
    );
    fails(&["run", &fibonacci, "--input", "hex:123"], "after 'hex:'");
    fails(
        &["run", &fibonacci, "--accept", "1"],
        "--accept is for netlists",
    );
    fails(&["compile", &fibonacci, "--arity", "17"], "17 parts");
    fails(
        &["compile", &fibonacci, "--arity", "4,x"],
        "no list of arities",
    );
    fails(&["compile", &fibonacci, "--max-steps", "1"], "2 to 2^48");
    fails(
        &["compile", &fibonacci, "--inputs", "100000"],
        "at most 65536",
    );
    fails(
        &["inspect", "leaf", &fibonacci, "--pc", "0x10"],
        "no instruction at 0x00000010",
    );
    fails(
        &["inspect", "leaf", &fibonacci, "100000"],
        "there is no leaf 100000",
    );
    fails(
        &["inspect", "leaf", &circuit("adder64.txt"), "--pc", "4"],
        "no RISC-V program",
    );
    fails(&["trace", &circuit("adder64.txt")], "ELF");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.elf");
    let elf = fs::read(&fibonacci).unwrap();
    fs::write(&path, &elf[..200]).unwrap();
    fails(&["run", path.to_str().unwrap()], "cut.elf");
}

/// A file that was once accepted and should not have been.
pub(crate) fn hunted(name: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../program/tests/data/hunt");
    format!("{root}/{name}.elf")
}

#[test]
fn files_whose_start_code_skips_something_are_refused_by_name() {
    for (name, input, said) in [
        (
            "constructor",
            "5",
            ".init_array has 1 function to run before main (set_minimum)",
        ),
        (
            "thread-local",
            "1",
            "8 bytes of thread-local variables (counter, zero)",
        ),
    ] {
        let file = hunted(name);
        for arguments in [
            &["run", &file, "--input", input][..],
            &["compile", &file],
            &["simulate", &file, "--input", input],
        ] {
            let stderr = tapcourt(arguments).exits(2).stderr;
            assert!(stderr.contains(said), "{arguments:?}: {stderr}");
            assert!(stderr.contains(&file), "{arguments:?}: {stderr}");
        }
    }
}

/// A program in a file: it accepts if the word at 0x30000, which is none of its bytes, is zero.
fn reads_zeros(folder: &Path) -> String {
    let (word, code) = (Register::A0, Register::A7);
    let zero = Register::ZERO;
    let program = Program::from_instructions(
        0x1_0000,
        &[
            Instruction::new(Op::Lui, word, zero, zero, 0x3_0000),
            Instruction::new(Op::Lw, word, word, zero, 0),
            Instruction::new(Op::Addi, code, zero, zero, EXIT_CALL),
            Instruction::ECALL,
        ],
    );
    let program = program.unwrap().with_zeros(vec![(0x3_0000, 64)]).unwrap();
    let path = folder.join("zeros.elf");
    fs::write(&path, program.to_elf().unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Every command that takes an address space refuses one that does not hold the program's `.bss`,
/// and names what would.
#[test]
fn an_address_space_that_does_not_hold_bss_is_refused_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = reads_zeros(folder.path());
    tapcourt(["run", &file, "--address-space", "2^18"]).exits(0);
    let dir = folder.path().join("alice");
    let dir = dir.to_str().unwrap();
    tapcourt(["setup", "key", "--dir", dir]).exits(0);
    let coin = format!("{}:0:1000000", "a".repeat(64));
    let offer = [
        "setup", "offer", "--dir", dir, &file, "--coin", &coin, "--inputs", "1",
    ];
    let search = ["--max-steps", "2^9", "--arity", "8"];
    let offered = folder.path().join("alice/offer.tapcourt");
    let offered = offered.to_str().unwrap();
    let offer = [&offer[..], &search].concat();
    tapcourt([&offer[..], &["--address-space", "2^18"]].concat()).exits(0);
    let accept = [
        "setup", "accept", "--dir", dir, &file, "--offer", offered, "--coin", &coin,
    ];
    let verify = ["verify", &file, "--offer", offered, "--inputs", "1"];
    let commands = [
        &["run", &file][..],
        &["trace", &file],
        &["digest", &file, "--step", "1"],
        &["compile", &file],
        &["plan", &file],
        &["inspect", "leaf", &file, "0"],
        &["inspect", "leaves", &file],
        &["simulate", &file],
        &offer,
        &[&accept[..], &search].concat(),
        &[&verify[..], &search].concat(),
    ];
    for command in commands {
        let refused = tapcourt([command, &["--address-space", "2^17"]].concat());
        assert_eq!(
            refused.fails_in_one_line(),
            format!(
                "{file}: the program's zeros (.bss) from 0x00030000 to 0x0003003f go beyond its \
                 address space of 2^17: it needs 2^18 at least"
            ),
            "{command:?}"
        );
    }
    let facts = tapcourt(["inspect", &file, "--json"]).exits(0).json();
    assert_eq!(facts["zeros"][0], "0x00030000 to 0x00030040, 64 bytes");
    assert_eq!(facts["address_space"], "2^26");
}

/// Warnings are about the address space that is asked for, wherever it is.
#[test]
fn a_stack_beyond_the_address_space_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let [sp, zero] = [Register::SP, Register::ZERO];
    let code = [
        Instruction::new(Op::Lui, sp, zero, zero, 0x400_0000),
        Instruction::new(Op::Sw, zero, sp, zero, -4i32 as u32), // cast ok: sign extended
    ];
    let program = Program::from_instructions(0x1_0000, &code).unwrap();
    let path = folder.path().join("stack.elf");
    fs::write(&path, program.to_elf().unwrap()).unwrap();
    let file = path.to_str().unwrap();
    let said = "the stack begins at 0x04000000 and grows down, where an address space of 2^25 has \
                no memory";
    for (command, code) in [("run", 1), ("compile", 0)] {
        let warnings = |space: &str| {
            let ran = tapcourt([command, file, "--json", "--address-space", space]).exits(code);
            let warnings = ran.json()["warnings"].clone();
            let on_standard_error = ran.stderr.matches(said).count();
            (
                warnings.to_string().matches(said).count(),
                on_standard_error,
            )
        };
        assert_eq!(warnings("2^26"), (0, 0), "{command}");
        assert_eq!(warnings("2^25"), (1, 1), "{command}");
    }
}

#[test]
fn a_stack_above_constants_is_warned_of_on_standard_error_and_in_json() {
    let file = hunted("stack-overflow");
    let said = "the stack begins at 0x00022640 and grows towards the program's bytes from 0x00012240 to 0x00012640";
    for arguments in [
        &["run", &file, "--input", "6,5", "--json"][..],
        &["compile", &file, "--json"],
    ] {
        let ran = tapcourt(arguments).exits(0);
        assert!(
            ran.stderr.contains(&format!("warning: {file}: {said}")),
            "{}",
            ran.stderr
        );
        let warnings = ran.json()["warnings"].clone();
        let warnings = warnings.as_array().expect("a list");
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].as_str().expect("text").starts_with(said));
    }
}
