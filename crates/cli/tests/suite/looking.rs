//! `compile`, `run`, `size`, `inspect`: looking without a contract.

use std::fs;

use serde_json::Value;

use crate::support::{circuit, tapcourt};

#[test]
fn compile_prints_what_a_program_becomes() {
    let adder = circuit("adder64.txt");
    let report = tapcourt(["compile", &adder, "--json"]).exits(0).json();
    let number = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("no {name}"));
    let leaves = report["leaf_sizes"].as_array().unwrap();
    assert_eq!(number("leaves"), leaves.len() as u64);
    let of_leaves =
        |name: &'static str| leaves.iter().map(move |leaf| leaf[name].as_u64().unwrap());
    assert_eq!(
        number("script_bytes_total"),
        of_leaves("script_bytes").sum::<u64>()
    );
    assert_eq!(
        Some(number("largest_leaf_weight")),
        of_leaves("weight").max()
    );
    assert_eq!(Some(number("max_stack")), of_leaves("max_stack").max());
    assert!(number("chunks") > 0);
    assert_eq!(report["taptree_root"].as_str().unwrap().len(), 64);
    let again = tapcourt(["--json", "compile", &adder]).exits(0).json();
    assert_eq!(report, again, "compilation is deterministic");
    let text = tapcourt(["compile", &adder]).exits(0).stdout;
    assert!(text.contains(report["taptree_root"].as_str().unwrap()));
    println!("{text}");
}

#[test]
fn what_is_accepted_changes_the_leaves() {
    let compare = circuit("compare64.txt");
    let root = |arguments: &[&str]| {
        let fixed = ["compile", &compare, "--json"];
        let report = tapcourt(fixed.iter().chain(arguments)).exits(0).json();
        report["taptree_root"].as_str().unwrap().to_owned()
    };
    let roots = [
        root(&[]),
        root(&["--accept", "0"]),
        root(&["--accept", "1"]),
    ];
    assert!(roots[0] != roots[1] && roots[1] != roots[2] && roots[0] != roots[2]);
    assert_eq!(
        roots[0],
        root(&["--accept", "?"]),
        "a free output is no condition"
    );
}

#[test]
fn run_evaluates_bits_numbers_and_files() {
    let adder = circuit("adder64.txt");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("input");
    fs::write(&file, "0xffffffffffffffff,\n 0x2\n").unwrap();
    let five = format!("101{}", "0".repeat(61));
    let cases = [
        ("0x5,0x7".to_owned(), "0x000000000000000c"),
        (format!("{five},{five}"), "0x000000000000000a"),
        (format!("{five}{five}"), "0x000000000000000a"),
        (format!("@{}", file.display()), "0x0000000000000001"),
    ];
    for (input, sum) in cases {
        let values = tapcourt(["run", &adder, "--input", &input, "--json"])
            .exits(0)
            .json();
        let output = &values["outputs"][0];
        assert_eq!(output["hex"], sum, "{input}");
        let bits = output["bits"].as_str().unwrap();
        assert_eq!(bits.len(), 64);
        let text = tapcourt(["run", &adder, "--input", &input]).exits(0);
        assert_eq!(text.stdout, format!("{bits}  {sum}\n"));
    }
}

#[test]
fn run_says_whether_the_output_is_accepted() {
    let compare = circuit("compare64.txt");
    for (accept, code) in [("1", 0), ("0", 1), ("?", 0)] {
        tapcourt(["run", &compare, "--input", "0x1,0x2", "--accept", accept]).exits(code);
    }
}

#[test]
fn size_lists_commitments_and_leaves() {
    let adder = circuit("adder64.txt");
    let rows = tapcourt(["size", "--json", "--program", &adder])
        .exits(0)
        .json();
    let rows = rows.as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    for bytes in ["4", "16", "20", "32"] {
        for form in ["", "/open"] {
            let name = format!("winternitz/{bytes}B{form}");
            assert!(names.contains(&name.as_str()), "no {name}");
        }
    }
    assert!(names.contains(&"lamport/1bit"));
    assert!(names.contains(&"circuit/adder64.txt/chunk-0"));
    for row in rows {
        let fields = [
            "script_bytes",
            "witness_bytes",
            "weight",
            "opcodes",
            "max_stack",
        ];
        let numbers = fields.map(|field| row[field].as_u64().unwrap());
        // A whole dispute is no script.
        if !row["name"].as_str().unwrap().starts_with("dispute/") {
            assert_eq!(numbers[0] + numbers[1], numbers[2], "{row}");
        }
    }
    let weight = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        row["weight"].as_u64().unwrap()
    };
    let wu_per_bit = weight("winternitz/20B") as f64 / 160.0;
    println!("winternitz/20B: {wu_per_bit:.2} WU a bit");
    assert!(wu_per_bit <= 25.5);

    let ledger = tapcourt(["size", "--ledger", "--program", &adder]).exits(0);
    let lines: Vec<Vec<&str>> = ledger
        .stdout
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let head = [
        "name",
        "script_bytes",
        "witness_bytes",
        "weight",
        "opcodes",
        "max_stack",
        "table_bytes",
        "unoptimised_bytes",
    ];
    assert_eq!(lines[0], head);
    assert_eq!(lines.len(), 1 + rows.len());
    for (line, row) in lines[1..].iter().zip(rows) {
        let cells = head.map(|name| match &row[name] {
            Value::String(text) => text.clone(),
            // What a row does not have is left out of the JSON, and zero in the ledger.
            Value::Null => "0".to_owned(),
            other => other.to_string(),
        });
        assert_eq!(*line, cells);
    }
}

#[test]
fn inspect_shows_leaves_netlists_and_transactions() {
    let adder = circuit("adder64.txt");
    let leaf = tapcourt(["inspect", "leaf", &adder, "0", "--json"])
        .exits(0)
        .json();
    let script = leaf["script"].as_str().unwrap();
    assert!(script.contains("OP_CHECKSIGVERIFY") && script.contains("OP_HASH160"));
    tapcourt(["inspect", "leaf", &adder, "1000"]).fails_in_one_line();

    let netlist = tapcourt(["inspect", &adder, "--json"]).exits(0).json();
    assert_eq!(netlist["input_bits"], serde_json::json!([64, 64]));

    let arguments = ["simulate", &adder, "--input", "0x1,0x2", "--json"];
    let played = tapcourt(arguments).exits(0).json();
    let contract = &played["transactions"][0];
    let hex = contract["hex"].as_str().unwrap();
    let facts = tapcourt(["inspect", "transaction", hex, "--json"])
        .exits(0)
        .json();
    assert_eq!(facts["txid"], contract["txid"]);
    assert_eq!(facts["weight"], contract["weight"]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("transaction");
    fs::write(&file, format!("{hex}\n")).unwrap();
    let same = tapcourt(["inspect", file.to_str().unwrap(), "--json"]).exits(0);
    assert_eq!(same.json(), facts);
}
