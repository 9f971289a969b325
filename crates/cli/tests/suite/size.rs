//! `size`: every format says the same, differences are found, drawings have everything.

use std::fs;

use serde_json::Value;

use crate::support::{circuit, tapcourt};

const SIZES: [&str; 5] = [
    "script_bytes",
    "witness_bytes",
    "weight",
    "opcodes",
    "max_stack",
];

fn name(row: &Value) -> &str {
    row["name"].as_str().unwrap()
}

fn rows(arguments: &[&str]) -> Vec<Value> {
    let ran = tapcourt(["size"].iter().chain(arguments)).exits(0);
    ran.json().as_array().unwrap().clone()
}

/// A cell as CSV has it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        number => number.as_f64().unwrap().to_string(),
    }
}

#[test]
fn formats_agree() {
    let adder = circuit("adder64.txt");
    let rows = rows(&["--json", "--program", &adder]);
    let print = |format: &str| {
        tapcourt(["size", "--program", &adder, "--format", format])
            .exits(0)
            .stdout
    };
    let same: Value = serde_json::from_str(&print("json")).unwrap();
    assert_eq!(same.as_array().unwrap(), &rows);

    let text = print("csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), rows.len());
    for (record, row) in records.iter().zip(&rows) {
        for (column, cell) in head.iter().zip(record) {
            let value = match column.split_once("peer_") {
                Some((_, field)) => &row["peer"][field],
                None => &row[column],
            };
            assert_eq!(cell, plain(value), "{column} of {row}");
        }
    }

    // People see digits in groups.
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim_matches(|c| c == '|' || c == ' ');
        line.split('|')
            .map(|cell| cell.trim().replace(',', ""))
            .collect()
    };
    let text = print("markdown");
    let lines: Vec<Vec<String>> = text.lines().map(cells).collect();
    assert_eq!(lines.len(), 2 + rows.len());
    assert!(
        lines[1]
            .iter()
            .all(|rule| rule.trim_matches('-').len() <= 1)
    );
    let table = print("table");
    let table: Vec<&str> = table.lines().collect();
    assert_eq!(table.len(), 1 + rows.len());
    for (index, row) in rows.iter().enumerate() {
        let numbers = SIZES.map(|size| row[size].to_string());
        assert_eq!(lines[2 + index][0], name(row));
        assert_eq!(lines[2 + index][1..6], numbers);
        let words: Vec<String> = table[1 + index]
            .split_whitespace()
            .map(|word| word.replace(',', ""))
            .collect();
        assert_eq!(words[0], name(row));
        assert_eq!(words[1..6], numbers);
    }
}

#[test]
fn rows_are_sorted_as_people_count() {
    let (adder, aes) = (circuit("adder64.txt"), circuit("aes128.txt"));
    let rows = rows(&["--json", "--program", &aes, "--program", &adder]);
    let place = |wanted: &str| {
        let found = rows.iter().position(|row| name(row) == wanted);
        found.unwrap_or_else(|| panic!("no {wanted}"))
    };
    let order = [
        "circuit/adder64.txt/chunk-0",
        "circuit/aes128.txt/chunk-2",
        "circuit/aes128.txt/chunk-10",
        "lamport/1bit",
        "winternitz/4B",
        "winternitz/4B/open",
        "winternitz/16B",
    ];
    assert!(order.map(place).is_sorted());
    let ledgers = [[&adder, &aes], [&aes, &adder]].map(|[first, second]| {
        let arguments = ["size", "--ledger", "--program", first, "--program", second];
        tapcourt(arguments).exits(0).stdout
    });
    assert_eq!(ledgers[0], ledgers[1]);
}

#[test]
fn peers_are_compared_with_the_same_quantity() {
    let rows = rows(&["--json"]);
    let mut compared = 0;
    for row in &rows {
        if let Some(peer) = row["peer"].as_object() {
            compared += 1;
            let number = |value: &Value| value.as_f64().unwrap();
            let ours = match peer["unit"].as_str().unwrap() {
                "WU/bit" => number(&row["wu_per_bit"]),
                "script B" => number(&row["script_bytes"]),
                _ => number(&row["script_bytes"]) + row["table_bytes"].as_f64().unwrap_or(0.0),
            };
            let ratio = ours / number(&peer["figure"]);
            assert!((ratio - number(&row["ratio"])).abs() < 0.001, "{row}");
        }
    }
    println!("{compared} of {} rows have a peer", rows.len());
    assert!(compared >= 6);
    let row = rows
        .iter()
        .find(|row| name(row) == "winternitz/20B")
        .unwrap();
    assert_eq!(row["peer"]["figure"], 26.0);
    let wu_per_bit = row["weight"].as_f64().unwrap() / 160.0;
    assert!((wu_per_bit - row["wu_per_bit"].as_f64().unwrap()).abs() < 0.001);
}

#[test]
fn differences_are_found_and_end_in_1() {
    let adder = circuit("adder64.txt");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.tsv");
    let path = path.to_str().unwrap();
    let ledger = tapcourt(["size", "--ledger", "--program", &adder])
        .exits(0)
        .stdout;
    let diff = |contents: &str, arguments: &[&str]| {
        fs::write(path, contents).unwrap();
        let fixed = ["size", "--diff", path, "--program", &adder];
        tapcourt(fixed.iter().chain(arguments))
    };

    let same = diff(&ledger, &[]).exits(0);
    assert_eq!(same.stdout, "", "there is nothing to tell");
    let nothing = diff(&ledger, &["--json"]).exits(0).json();
    for kind in ["added", "removed", "changed"] {
        assert_eq!(nothing[kind], serde_json::json!([]));
    }

    // The leaf was one byte longer, a gadget had not been there, and another one has gone.
    let leaf = ledger
        .lines()
        .find(|line| line.starts_with("circuit/adder64.txt/chunk-3\t"))
        .unwrap();
    let cells: Vec<&str> = leaf.split('\t').collect();
    let new: usize = cells[1].parse().unwrap();
    let mut older = cells.clone();
    let old = (new + 1).to_string();
    older[1] = &old;
    let changed = ledger
        .lines()
        .filter(|line| !line.starts_with("lamport/1bit\t"))
        .map(|line| {
            if line == leaf {
                older.join("\t")
            } else {
                line.to_owned()
            }
        })
        .chain(["u32/gone\t5\t6\t11\t7\t8\t0\t0".to_owned()])
        .collect::<Vec<_>>()
        .join("\n");
    let text = diff(&changed, &[]).exits(1).stdout;
    assert_eq!(text.lines().count(), 4, "{text}");
    let arrow = "→";
    let thousands = |number: usize| format!("{},{:03}", number / 1000, number % 1000);
    let (old_text, new_text) = (thousands(new + 1), thousands(new));
    assert!(
        text.contains(&format!("{old_text} {arrow} {new_text}")),
        "{text}"
    );
    let json = diff(&changed, &["--format", "json"]).exits(1).json();
    assert_eq!(json["added"][0]["name"], "lamport/1bit");
    assert_eq!(json["added"].as_array().unwrap().len(), 1);
    assert_eq!(json["removed"][0]["name"], "u32/gone");
    assert_eq!(json["removed"][0]["weight"], 11);
    let change = &json["changed"][0];
    assert_eq!(change["name"], "circuit/adder64.txt/chunk-3");
    assert_eq!(change["size"], "script_bytes");
    assert_eq!([&change["old"], &change["new"]], [new + 1, new]);
    let percent = -100.0 / (new + 1) as f64;
    assert!((change["percent"].as_f64().unwrap() - percent).abs() < 0.01);
    for (format, lines) in [("csv", 4), ("markdown", 5)] {
        let text = diff(&changed, &["--format", format]).exits(1).stdout;
        assert_eq!(text.lines().count(), lines, "{text}");
    }
}

#[test]
fn leaves_of_netlists_that_are_not_given_are_not_compared() {
    let adder = circuit("adder64.txt");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.tsv");
    let ledger = tapcourt(["size", "--ledger", "--program", &adder])
        .exits(0)
        .stdout;
    fs::write(&path, &ledger).unwrap();
    let path = path.to_str().unwrap();
    let ran = tapcourt(["size", "--diff", path]).exits(0);
    let leaves = ledger
        .lines()
        .filter(|line| line.starts_with("circuit/"))
        .count();
    assert!(
        leaves > 0
            && ran
                .stderr
                .contains(&format!("{leaves} leaves are not compared"))
    );
}

#[test]
fn bad_ledgers_name_the_line() {
    let head = "name\tscript_bytes\twitness_bytes\tweight\topcodes\tmax_stack\ttable_bytes\tunoptimised_bytes\n";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.tsv");
    let cases = [
        (String::new(), "line 1: "),
        ("name,weight\na,1\n".to_owned(), "line 1: "),
        (
            format!("{head}a\t1\t2\t3\t4\t5\t6\t7\nb\t1\t2\n"),
            "line 3: 3 fields",
        ),
        (
            format!("{head}a\t1\t2\tthree\t4\t5\t6\t7\n"),
            "line 2: weight is \"three\"",
        ),
        (
            format!("{head}a\t1\t2\t-3\t4\t5\t6\t7\n"),
            "line 2: weight is \"-3\"",
        ),
        (
            format!("{head}a\t1\t2\t3\t4\t5\t6\t7\na\t1\t2\t3\t4\t5\t6\t7\n"),
            "line 3: a second \"a\"",
        ),
        (format!("{head}\t1\t2\t3\t4\t5\t6\t7\n"), "line 2: no name"),
    ];
    for (contents, expected) in cases {
        fs::write(&path, &contents).unwrap();
        let reason = tapcourt(["size", "--diff", path.to_str().unwrap()]).fails_in_one_line();
        assert!(
            reason.contains("ledger.tsv: ") && reason.contains(expected),
            "{reason}"
        );
    }
    fs::write(&path, [0xff, 0xfe]).unwrap();
    let path = path.to_str().unwrap();
    let bad: [&[&str]; 5] = [
        &["size", "--diff", path],
        &["size", "--diff", "/there/is/no/such/file"],
        &["size", "--ledger", "--diff", path],
        &["size", "--json", "--format", "csv"],
        &["size", "--format", "xml"],
    ];
    for arguments in bad {
        tapcourt(arguments).fails_in_one_line();
    }
}

#[test]
fn drawings_are_well_formed_and_name_every_gadget() {
    let directory = tempfile::tempdir().unwrap();
    let both = directory.path().join("both.svg");
    let apart = directory.path().join("new/plots");
    let mut rows = Vec::new();
    for path in [&both, &apart] {
        rows = self::rows(&["--json", "--plot", path.to_str().unwrap()]);
    }
    let texts = |path: std::path::PathBuf| -> Vec<String> {
        let svg = fs::read_to_string(&path).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        assert!(
            document
                .root_element()
                .has_tag_name(("http://www.w3.org/2000/svg", "svg"))
        );
        let texts = document.descendants().filter_map(|node| node.text());
        texts.map(|text| text.trim().to_owned()).collect()
    };
    let (both, gadgets) = (texts(both), texts(apart.join("gadgets.svg")));
    for row in &rows {
        for drawing in [&both, &gadgets] {
            assert!(
                drawing.iter().any(|text| text == name(row)),
                "no {}",
                name(row)
            );
        }
    }
    let curves = texts(apart.join("winternitz.svg"));
    for drawing in [&both, &curves] {
        for text in ["256", "4 bytes", "32 bytes"] {
            assert!(drawing.iter().any(|found| found == text), "no {text}");
        }
    }
    tapcourt(["size", "--plot", "/there/is/no/such/drawing.svg"]).exits(2);
}
