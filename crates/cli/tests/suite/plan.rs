//! `plan`: prices before anything is built.

use std::fs;

use serde_json::Value;

use crate::support::{circuit, tapcourt};

/// The fields that programs may rely on, in their order.
const FIELDS: [&str; 9] = [
    "protocol",
    "arity",
    "rounds",
    "worst_transactions",
    "worst_vsize",
    "happy_vsize",
    "worst_blocks",
    "presigned",
    "key_bytes",
];

fn fibonacci() -> String {
    circuit("riscv/elf/fibonacci.elf")
}

fn rows(arguments: &[&str]) -> Vec<Value> {
    let ran = tapcourt(["plan", "--json"].iter().chain(arguments)).exits(0);
    ran.json().as_array().unwrap().clone()
}

fn number(row: &Value, field: &str) -> u64 {
    row[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field} of {row}"))
}

/// Searches of one arity in few rounds, which are priced quickly.
fn short(extra: &[&str]) -> Vec<Value> {
    let fibonacci = fibonacci();
    let arguments = [&fibonacci, "--max-steps", "2^6", "--arity", "4"];
    rows(&[&arguments[..], extra].concat())
}

#[test]
fn rows_have_the_promised_fields_in_order() {
    let fibonacci = fibonacci();
    let ran = tapcourt([
        "plan",
        &fibonacci,
        "--json",
        "--max-steps",
        "2^6",
        "--arity",
        "4",
        "--arity",
        "3,3,8",
    ])
    .exits(0);
    let places: Vec<usize> = FIELDS
        .iter()
        .map(|field| ran.stdout.find(&format!("\"{field}\":")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    let parsed = ran.json();
    let rows = parsed.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row["protocol"], "search");
        // Of the claim's 64 steps in three rounds, and the levels of a path in three more.
        assert_eq!(number(row, "rounds"), 6);
        // Contract, kickoff, challenge; two moves a round; record; open, two moves a round, sibling; disprove.
        assert_eq!(number(row, "worst_transactions"), 3 + 6 + 1 + 1 + 6 + 1 + 1);
        assert_eq!(number(row, "happy_transactions"), 3);
        assert_eq!(number(row, "usual_transactions"), 3 + 6 + 1 + 1);
        assert_eq!(number(row, "worst_blocks"), 1_008 + 144 * 17);
        assert_eq!(number(row, "key_bytes") % 20, 0);
        let of = |party: &str, field: &str| number(&row[party], field);
        for case in ["usual", "worst"] {
            let field = format!("{case}_vsize");
            let parties = of("prover", &field) + of("challenger", &field);
            assert_eq!(number(row, &field), parties + number(row, "contract_vsize"));
        }
        let path = row["worst_path"].as_array().unwrap();
        let total: u64 = path.iter().map(|line| number(line, "vsize")).sum();
        assert_eq!(total, number(row, "worst_vsize"));
        assert_eq!(path.len() as u64, number(row, "worst_transactions"));
        assert_eq!(path[0]["transaction"], "contract");
        assert_eq!(path[path.len() - 1]["transaction"], "open_disprove");
        assert_eq!(of("prover", "happy_vsize"), number(row, "happy_vsize"));
        assert_eq!(of("challenger", "happy_vsize"), 0);
        // One child for each transaction but contract and disprove.
        let children =
            of("prover", "worst_children_vsize") + of("challenger", "worst_children_vsize");
        assert_eq!(children, 153 * (number(row, "worst_transactions") - 2));
        // At 2 sat/vB.
        assert_eq!(
            number(row, "worst_sat"),
            2 * (number(row, "worst_vsize") + children)
        );
        assert!(number(row, "largest_presigned_vsize") <= 10_000);
        assert!(number(row, "largest_disprove_vsize") <= 16_000);
    }
    let arity = |row: &Value| row["arity"].as_str().unwrap().to_owned();
    let mut arities: Vec<String> = rows.iter().map(arity).collect();
    arities.sort();
    assert_eq!(arities, ["3,3,8 / 3,3,3", "4 / 3,3,3"]);
}

#[test]
fn delays_and_feerates_are_in_their_units() {
    let base = &short(&[])[0];
    let delayed = &short(&["--delta", "10", "--expiry", "100"])[0];
    assert_eq!(number(delayed, "worst_blocks"), 100 + 10 * 17);
    let dear = &short(&["--feerate", "10"])[0];
    for case in ["happy_sat", "usual_sat", "worst_sat"] {
        assert_eq!(number(dear, case), 5 * number(base, case));
    }
    for field in ["worst_vsize", "happy_vsize", "key_bytes", "presigned"] {
        assert_eq!(number(dear, field), number(base, field));
    }
}

#[test]
fn inputs_cost_the_kickoff_their_commitments() {
    let [without, with] = ["1", "8"].map(|inputs| short(&["--inputs", inputs]).swap_remove(0));
    let bytes = number(&with, "happy_vsize") - number(&without, "happy_vsize");
    assert!((1_000..2_000).contains(&bytes), "{bytes}");
    assert!(number(&with, "happy_vsize") <= 2_100);
    let fixed = &short(&["--inputs", "8", "--fixed", "1,2"])[0];
    assert_eq!(fixed["happy_vsize"], with["happy_vsize"]);
}

/// In all of these at most as much, and in one of them less.
fn dominates(other: &Value, own: &Value) -> bool {
    let measures = |row: &Value| {
        [
            "worst_transactions",
            "worst_vsize",
            "happy_vsize",
            "worst_blocks",
        ]
        .map(|field| number(row, field))
    };
    let (other, own) = (measures(other), measures(own));
    other != own && other.iter().zip(own).all(|(&other, own)| other <= own)
}

#[test]
fn marked_rows_are_those_that_no_other_dominates() {
    let fibonacci = fibonacci();
    let rows = rows(&[&fibonacci, "--max-steps", "2^6"]);
    let marked = rows.iter().filter(|row| row["pareto"] == true).count();
    println!("{} rows, {marked} marked", rows.len());
    assert!(marked > 1 && marked < rows.len());
    for row in &rows {
        let is_dominated = rows.iter().any(|other| dominates(other, row));
        assert_eq!(row["pareto"], !is_dominated, "{row}");
    }
    let arities: Vec<&str> = rows
        .iter()
        .map(|row| row["arity"].as_str().unwrap())
        .collect();
    for arity in ["2", "3", "4", "8", "16"] {
        assert!(
            arities.contains(&format!("{arity} / 3,3,3").as_str()),
            "{arities:?}"
        );
    }
    for path in ["2,2,2,2,2", "2,2,2,4", "8,4"] {
        assert!(
            arities.contains(&format!("4 / {path}").as_str()),
            "{arities:?}"
        );
    }
    // The rows that were looked for are no worse than searches of one arity.
    for row in rows.iter().filter(|row| row["pareto"] == false) {
        assert!(
            rows.iter()
                .any(|other| { other["pareto"] == true && dominates(other, row) })
        );
    }
}

#[test]
fn a_row_can_be_asked_for_again_by_its_arities() {
    let fibonacci = fibonacci();
    let asked = &rows(&[
        &fibonacci,
        "--max-steps",
        "100",
        "--arity",
        "3,4,5,2",
        "--path-arity",
        "6,6",
    ])[0];
    let (trace, path) = asked["arity"].as_str().unwrap().split_once(" / ").unwrap();
    assert_eq!((trace, path), ("3,4,5,2", "6,6"));
    // One number stands for the fewest rounds of it, the first as small as it may be.
    let short = &rows(&[&fibonacci, "--max-steps", "20", "--arity", "2,4,4"])[0];
    assert_eq!(short["arity"], "4 / 3,3,3");
}

#[test]
fn a_netlist_is_one_shot() {
    let adder = circuit("adder64.txt");
    let rows = rows(&[&adder]);
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(
        (&row["protocol"], &row["arity"]),
        (&"one-shot".into(), &"".into())
    );
    assert_eq!(number(row, "rounds"), 0);
    assert_eq!(row["pareto"], true);
    assert_eq!(number(row, "worst_transactions"), 5);
    assert_eq!(number(row, "worst_blocks"), 1_008 + 3 * 144);
    let text = tapcourt(["plan", &adder]).exits(0).stdout;
    assert!(
        text.contains("A netlist is disputed in one round"),
        "{text}"
    );
}

#[test]
fn the_table_says_what_json_says() {
    let fibonacci = fibonacci();
    let arguments = [
        "plan",
        &fibonacci,
        "--max-steps",
        "2^6",
        "--arity",
        "4",
        "--arity",
        "2",
    ];
    let text = tapcourt(arguments).exits(0).stdout;
    let json = tapcourt(arguments.iter().chain(&["--json"]))
        .exits(0)
        .json();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    let plain = text.replace(',', "");
    for (row, line) in json.as_array().unwrap().iter().zip(&lines) {
        let line = line.replace(',', "");
        for field in FIELDS.iter().skip(2) {
            let number = number(row, field).to_string();
            assert!(
                line.split_whitespace().any(|word| word == number),
                "{field}: {line}"
            );
        }
        assert_eq!(line.starts_with('*'), row["pareto"] == true);
    }
    for words in [
        "153 vB",
        "2 sat/vB",
        "*: no other row",
        "disputed by search",
    ] {
        assert!(plain.contains(words), "{words}: {text}");
    }
}

#[test]
fn the_drawing_has_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.svg");
    let rows = short(&["--arity", "2", "--svg", path.to_str().unwrap()]);
    let svg = fs::read_to_string(&path).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<String> = document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .filter_map(|node| Some(node.text()?.trim().to_owned()))
        .collect();
    for row in &rows {
        let arity = row["arity"].as_str().unwrap();
        assert!(texts.iter().any(|text| text == arity), "{arity}: {texts:?}");
    }
    let circles = document
        .descendants()
        .filter(|node| node.has_tag_name("circle"))
        .count();
    assert_eq!(circles, rows.len());
}

#[test]
fn what_makes_no_plan_is_refused() {
    let (fibonacci, adder) = (fibonacci(), circuit("adder64.txt"));
    let fails = |arguments: &[&str], part: &str| {
        let reason = tapcourt(["plan"].iter().chain(arguments)).fails_in_one_line();
        assert!(reason.contains(part), "{arguments:?}: {reason}");
    };
    fails(&[&fibonacci, "--arity", "17"], "17 parts");
    fails(&[&fibonacci, "--arity", "4,x"], "no list of arities");
    fails(&[&fibonacci, "--arity", "4,4"], "the rounds make 16 steps");
    fails(&[&fibonacci, "--path-arity", "2,4,4"], "--arity");
    fails(
        &[&fibonacci, "--arity", "4", "--path-arity", "2,2"],
        "a search over 4 levels",
    );
    fails(&[&fibonacci, "--max-steps", "1"], "2 to 2^48");
    fails(&[&fibonacci, "--inputs", "100000"], "at most 65536");
    fails(&[&fibonacci, "--inputs", "0"], "--inputs");
    fails(&[&fibonacci, "--fixed", "x"], "--fixed");
    fails(&[&fibonacci, "--delta", "0"], "--delta");
    fails(&[&fibonacci, "--feerate", "0"], "--feerate");
    fails(&[&fibonacci, "--accept", "1"], "--accept is for netlists");
    fails(&[&adder, "--arity", "4"], "--arity is for RISC-V programs");
    fails(&["no-such-file"], "no-such-file");
}
