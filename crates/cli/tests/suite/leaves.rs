//! `inspect leaves`, `inspect` of programs, `trace` of many steps, transcripts.

use std::fs;

use bitcoin::{ScriptBuf, TapLeafHash, taproot::LeafVersion};
use serde_json::Value;
use tapcourt_script::taptree::Taptree;

use crate::support::{Ran, circuit, elf, tapcourt};

/// The rows of a listing in JSON.
pub(crate) fn rows(ran: &Ran) -> Vec<Value> {
    let lines = ran.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Hashes the listed scripts again, and insists that they make the tree whose root is listed.
/// Returns how many there are.
#[track_caller]
pub(crate) fn check_tree(rows: &[Value], stage: &str) -> usize {
    let rows: Vec<&Value> = rows.iter().filter(|row| row["stage"] == stage).collect();
    let mut scripts = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        assert_eq!(row["leaf"], place);
        let script = ScriptBuf::from_hex(row["script"].as_str().unwrap()).unwrap();
        assert_eq!(row["script_bytes"], script.len());
        let hash = TapLeafHash::from_script(&script, LeafVersion::TapScript);
        assert_eq!(row["leaf_hash"], hash.to_string());
        scripts.push(script);
    }
    let root = Taptree::build(&scripts).unwrap().root().to_string();
    assert!(rows.iter().all(|row| row["taptree_root"] == root));
    scripts.len()
}

#[test]
fn all_leaves_of_a_circuit_come_out_of_one_compilation() {
    let adder = circuit("adder64.txt");
    let compiled = tapcourt(["compile", &adder, "--json"]).exits(0).json();
    let all = rows(&tapcourt(["inspect", "leaves", &adder, "--json"]).exits(0));
    assert_eq!(check_tree(&all, "dispute"), all.len());
    assert_eq!(compiled["leaves"], all.len());
    assert_eq!(compiled["taptree_root"], all[0]["taptree_root"]);

    let one = tapcourt(["inspect", "leaf", &adder, "3", "--json"]);
    let one = one.exits(0).json();
    let asm = [
        "inspect", "leaves", &adder, "--json", "--script", "asm", "--leaf", "3",
    ];
    let same = rows(&tapcourt(asm).exits(0));
    assert_eq!(same.len(), 1);
    assert_eq!(same[0]["script"], one["script"]);
    assert_eq!(same[0]["checks"], one["checks"]);

    // Several, each as it is alone, in the order in which they are asked for.
    let some = ["inspect", "leaf", &adder, "5", "2-3", "--json"];
    let some = tapcourt(some).exits(0).stdout;
    let some: Vec<Value> = serde_json::Deserializer::from_str(&some)
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
    let numbers: Vec<&Value> = some.iter().map(|leaf| &leaf["leaf"]).collect();
    assert_eq!(numbers, [5, 2, 3]);
    assert_eq!(some[2], one);
    let alone = |leaf: &str| tapcourt(["inspect", "leaf", &adder, leaf]).exits(0).stdout;
    let both = tapcourt(["inspect", "leaf", &adder, "5", "2"]).exits(0);
    assert_eq!(both.stdout, format!("{}\n{}", alone("5"), alone("2")));
    let range = ["inspect", "leaves", &adder, "--json", "--leaf", "2-3"];
    let range = rows(&tapcourt(range).exits(0));
    assert_eq!(range, all[2..=3]);
    for (leaves, part) in [
        ("0-7", "no leaf 7, the program has 7"),
        ("3-2", "the range begins at 3, after its end 2"),
        ("1-x", "'x' is no leaf's number"),
        ("2-", "'' is no leaf's number"),
    ] {
        let wrong = tapcourt(["inspect", "leaf", &adder, leaves]).fails_in_one_line();
        assert!(wrong.contains(part), "{wrong}");
    }

    // As text.
    let table = tapcourt(["inspect", "leaves", &adder]).exits(0).stdout;
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(lines.len(), 1 + all.len());
    for (line, row) in lines[1..].iter().zip(&all) {
        for (name, cell) in lines[0].iter().zip(line) {
            let value = &row[name];
            assert_eq!(
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
                *cell
            );
        }
    }
    let wrong = ["inspect", "leaves", &adder, "--leaf", "1000"];
    let wrong = tapcourt(wrong).fails_in_one_line();
    assert!(wrong.contains("no leaf 1000, there are 7"), "{wrong}");
    tapcourt(["inspect", "leaves", &adder, "--stage", "opening"]).fails_in_one_line();
}

#[test]
fn all_leaves_of_a_trace_come_out_of_one_compilation() {
    let program = elf("fibonacci.elf");
    let search = ["--inputs", "2", "--max-steps", "2^9"];
    let fixed = ["compile", &program, "--json"];
    let compiled = tapcourt(fixed.iter().chain(&search)).exits(0).json();
    let fixed = ["inspect", "leaves", &program, "--json"];
    let all = rows(&tapcourt(fixed.iter().chain(&search)).exits(0));
    let [steps, paths] = ["dispute", "opening"].map(|stage| check_tree(&all, stage));
    assert_eq!(compiled["leaves"], steps);
    assert_eq!(compiled["path_leaves"], paths);
    assert_eq!(compiled["taptree_root"], all[0]["taptree_root"]);
    assert_eq!(compiled["path_taptree_root"], all[steps]["taptree_root"]);
    println!("{steps} leaves for a step, {paths} for a path");
}

#[test]
fn inspect_says_what_a_program_consists_of() {
    let program = elf("fibonacci.elf");
    let facts = tapcourt(["inspect", &program, "--json"]).exits(0).json();
    assert_eq!(facts["kind"], "RISC-V program");
    let compiled = tapcourt(["compile", &program, "--json"]).exits(0).json();
    assert_eq!(facts["instructions"], compiled["instructions"]);
    let kinds = facts["instructions_by_kind"].as_array().unwrap().iter();
    let counts = kinds.map(|kind| {
        let (count, _) = kind.as_str().unwrap().split_once(' ').unwrap();
        count.parse::<u64>().unwrap()
    });
    assert_eq!(facts["instructions"], counts.sum::<u64>());
    assert!(facts["image_bytes"].as_u64().unwrap() > 0);
    assert!(facts["symbols"].as_u64().unwrap() > 0);
    assert!(facts["entry_place"].as_str().unwrap().contains("<_start>"));
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut");
    fs::write(&cut, &fs::read(&program).unwrap()[..100]).unwrap();
    tapcourt(["inspect", cut.to_str().unwrap()]).fails_in_one_line();
}

#[test]
fn counts_are_read_alike_everywhere() {
    let program = elf("fibonacci.elf");
    let input = ["--input", "47,2971215073"];
    let commands: [&[&str]; 4] = [
        &["run", "--max-steps", "2^28"],
        &["trace", "--from", "2^6", "--count", "2^3"],
        &["digest", "--step", "2^40"],
        &["run", "--max-steps", "1_000_000"],
    ];
    for command in commands {
        let arguments = [&[command[0], &program], &command[1..], &input].concat();
        tapcourt(arguments).exits(0);
    }
    let wrong = tapcourt(["run", &program, "--max-steps", "2^64"]).fails_in_one_line();
    assert!(wrong.contains("2^64 steps: at most 2^64 - 1"), "{wrong}");
}

/// A trace of many steps is printed step by step: before, all of it was in memory, some 200 bytes a
/// step.
#[cfg(target_os = "linux")]
#[test]
fn long_traces_need_no_memory() {
    use std::process::{Command, Stdio};

    let program = elf("fibonacci.elf");
    for form in [&[][..], &["--json"]] {
        // 200,000 steps were 40 MB and more.
        let limited = "ulimit -v 400000; exec \"$0\" \"$@\"";
        let mut child = Command::new("sh")
            .args(["-c", limited, env!("CARGO_BIN_EXE_tapcourt")])
            .args(["trace", &program, "--count", "100000000"])
            .args(form)
            .env("RAYON_NUM_THREADS", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The first steps are there although the rest will never be.
        let mut begun = [0; 1 << 20];
        let mut out = child.stdout.take().unwrap();
        std::io::Read::read_exact(&mut out, &mut begun).unwrap();
        drop(out);
        let status = child.wait().unwrap();
        // As `cat` ends when its reader goes away.
        assert_eq!(
            status.code(),
            Some(141),
            "a reader that goes away is no failure"
        );
    }
}

#[test]
fn a_simulation_is_verified_from_its_transcript() {
    let cases: [(String, &[&str], i32, &str); 3] = [
        (circuit("adder64.txt"), &["--input", "0x5,0x7"], 0, "payout"),
        (
            circuit("adder64.txt"),
            &["--input", "0x5,0x7", "--lie", "chunk:0"],
            1,
            "disprove",
        ),
        (
            circuit("adder64.txt"),
            &[
                "--input", "0x5,0x7", "--lie", "chunk:0", "--stall", "disprove",
            ],
            0,
            "payout_disputed",
        ),
    ];
    for (program, arguments, code, settled_by) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let transcript = path("transcript");
        let out = [
            "--json",
            "--transcript",
            &transcript,
            "--messages",
            &path(""),
        ];
        let fixed = ["simulate", &program];
        let played = tapcourt(fixed.iter().chain(arguments).chain(&out))
            .exits(code)
            .json();
        let rows = played["transactions"].as_array().unwrap();
        let written = fs::read_to_string(&transcript).unwrap();
        let written: Vec<&str> = written.lines().collect();
        let hexes: Vec<&str> = rows
            .iter()
            .map(|row| row["hex"].as_str().unwrap())
            .collect();
        assert_eq!(written, hexes);

        let messages = [
            ("--offer", path("offer.tapcourt")),
            ("--acceptance", path("acceptance.tapcourt")),
            ("--prover-answer", path("prover-answer.tapcourt")),
            ("--challenger-answer", path("challenger-answer.tapcourt")),
            ("--signatures", path("signatures.tapcourt")),
            ("--transcript", transcript.clone()),
        ];
        let mut verify = vec!["verify", &program, "--json"];
        verify.extend(messages.iter().flat_map(|(name, file)| [*name, file]));
        let is_just = played["is_just"] == true;
        let judged = tapcourt(&verify).exits(i32::from(!is_just)).json();
        assert_eq!(judged["contract"], played["contract"]);
        assert_eq!(judged["settled_by"], settled_by);
        assert_eq!(judged["winner"], played["winner"]);
        let missed = if is_just {
            Value::Null
        } else {
            "disprove".into()
        };
        assert_eq!(judged["missed"], missed);
        // Every fee child is named.
        let passed_over = judged["passed_over"].as_array().unwrap();
        let children: Vec<&Value> = rows.iter().filter(|row| row["is_child"] == true).collect();
        assert_eq!(passed_over.len(), children.len());
        for (passed_over, child) in passed_over.iter().zip(children) {
            let text = passed_over.as_str().unwrap();
            let name = child["name"].as_str().unwrap().trim_end_matches("_fee");
            assert!(text.contains(child["txid"].as_str().unwrap()), "{text}");
            assert!(text.ends_with(&format!("pays the fee of {name}")), "{text}");
        }
        // Without the kickoff the rest spends what is not there; with nothing of the contract there
        // is nothing to judge.
        let without: Vec<&str> = written
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != 1)
            .map(|(_, line)| *line)
            .collect();
        fs::write(&transcript, without.join("\n")).unwrap();
        assert_eq!(tapcourt(&verify).exits(1).json()["part"], "transcript");
        fs::write(&transcript, written[2]).unwrap();
        let reason = tapcourt(&verify).exits(1).json()["reason"].clone();
        assert!(
            reason.as_str().unwrap().contains("none of these 1"),
            "{reason}"
        );
    }
}

/// A program that stops in place says why, in words and in JSON, wherever it is executed.
#[test]
fn stops_say_why() {
    let program = elf("fibonacci.elf");
    let run = |arguments: &[&str], code| {
        let fixed = [&[arguments[0], &program], &arguments[1..]].concat();
        let text = tapcourt(&fixed).exits(code).stdout;
        let json = tapcourt([&fixed[..], &["--json"]].concat()).exits(code);
        (text, json.json())
    };
    let (text, json) = run(&["run", "--input", "47"], 1);
    assert_eq!(json["stop"]["reason"], "missing-input");
    let why = json["stop"]["why"].as_str().unwrap();
    assert!(text.contains(why) && why.contains("input word 1"), "{text}");
    let (_, json) = run(&["run", "--input", "47,1"], 1);
    assert_eq!(
        (&json["exit_code"], &json["stop"]["reason"]),
        (&1.into(), &"exit".into())
    );
    let (_, json) = run(&["run", "--input", "47,2971215073"], 0);
    assert_eq!(
        (&json["exit_code"], &json["stop"]),
        (&0.into(), &Value::Null)
    );

    let (text, json) = run(
        &["trace", "--input", "47", "--from", "1000", "--count", "2"],
        0,
    );
    assert_eq!(json[0]["stop"]["reason"], "missing-input");
    assert!(
        text.lines()
            .all(|line| line.contains("  stops: it asks for input word 1")),
        "{text}"
    );

    let game = [
        "simulate",
        "--max-steps",
        "2^9",
        "--arity",
        "8",
        "--input",
        "47,1",
    ];
    let (text, json) = run(&game, 1);
    assert_eq!(json["execution"]["stop"]["reason"], "exit");
    assert!(text.contains("the program stops after "), "{text}");
}
