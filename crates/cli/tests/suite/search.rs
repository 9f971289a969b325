//! `simulate` with RISC-V programs: disputes by search, every end that they can come to.

use serde_json::Value;

use crate::support::{elf, tapcourt};

/// Plays fibonacci, whose run takes 318 steps: 47 and this number are accepted.
const TRUE_INPUT: &str = "47,2971215073";
const FALSE_INPUT: &str = "47,2971215074";

/// Plays on the embedded chain, insists on exit code and outcome, and returns the contract's own transactions, and everything.
#[track_caller]
fn play(input: &str, arguments: &[&str], code: i32, outcome: &str) -> (Vec<String>, Value) {
    let program = elf("fibonacci.elf");
    let fixed = ["simulate", &program, "--json", "--input", input];
    let played = tapcourt(fixed.iter().chain(arguments)).exits(code).json();
    assert_eq!(played["outcome"], outcome, "{}", played["reason"]);
    let rows = played["transactions"].as_array().unwrap().iter();
    let own = rows.filter(|row| row["is_child"] == false);
    let names: Vec<String> = own
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect();
    println!(
        "{input} {arguments:?}: {outcome}, {} transactions of {} vB, {}",
        names.len(),
        played["contract_vsize"],
        played["reason"]
    );
    assert_eq!(played["contract_transactions"], names.len());
    (names, played)
}

#[test]
fn a_true_claim_is_paid_whatever_is_selected() {
    play(TRUE_INPUT, &["--max-steps", "2^10"], 0, "payout");
    for seed in ["1", "2", "3"] {
        let random = ["--max-steps", "2^10", "--select", "random", "--seed", seed];
        let (names, played) = play(TRUE_INPUT, &random, 0, "payout_disputed");
        assert_eq!(played["winner"], "prover");
        assert_eq!(names.last().unwrap(), "open_payout_disputed");
    }
    let anyway = ["--max-steps", "2^10", "--challenge-anyway"];
    let (names, _) = play(TRUE_INPUT, &anyway, 0, "payout_disputed");
    assert_eq!(names.last().unwrap(), "payout_disputed");
}

#[test]
fn lies_end_at_the_leaf_that_shows_them() {
    let cases = [
        ("next-pc@154", "semantics"),
        ("written@155:5", "semantics"),
        ("register-a@155", "path(a"),
        ("register-b@155:31", "path(b"),
        ("next-root@155", "path(new"),
        ("replaced@156", "path(old"),
        ("pc@155", "digest"),
        ("root@155", "digest"),
        ("digest@155", "digest"),
        ("accept@368", "semantics"),
    ];
    for (lie, leaf) in cases {
        let arguments = ["--max-steps", "2^10", "--arity", "8", "--lie", lie];
        let (_, played) = play(FALSE_INPUT, &arguments, 1, "disproved");
        assert_eq!(played["winner"], "challenger");
        let reason = played["reason"].as_str().unwrap();
        assert!(reason.contains(leaf), "{lie}: {reason}");
    }
}

/// The figures for a dispute over 2^32 steps that goes on to a Merkle node.
#[test]
fn the_longest_dispute_over_2_to_the_32_steps_stays_within_its_bounds() {
    let lie = ["--lie", "next-root@155:9"];
    let (names, played) = play(FALSE_INPUT, &lie, 1, "disproved");
    let vsize = played["contract_vsize"].as_u64().unwrap();
    assert!(names.len() <= 48, "{} transactions", names.len());
    assert!(vsize <= 105_000, "{vsize} vB");
    for row in played["transactions"].as_array().unwrap() {
        let (name, vsize) = (
            row["name"].as_str().unwrap(),
            row["vsize"].as_u64().unwrap(),
        );
        if name.ends_with("disprove") {
            assert!(vsize <= 16_000, "{name}: {vsize} vB");
        } else {
            assert!(vsize <= 10_000 && row["version"] == 3, "{name}: {vsize} vB");
        }
    }
}

#[test]
fn whoever_stalls_loses() {
    let base = [
        "--max-steps",
        "2^8",
        "--arity",
        "4,8,8",
        "--path-arity",
        "8,4",
    ];
    let cases = [
        ("assert_1", FALSE_INPUT, 1, "challenger"),
        ("assert_4", FALSE_INPUT, 1, "challenger"),
        ("select_2", TRUE_INPUT, 0, "prover"),
        ("open_select_1", TRUE_INPUT, 0, "prover"),
        ("open_assert_1", TRUE_INPUT, 1, "challenger"),
    ];
    for (stalled, input, code, winner) in cases {
        let more = ["--select", "random", "--stall", stalled];
        let (_, played) = play(input, &[&base[..], &more].concat(), code, "timeout");
        assert_eq!(played["winner"], winner, "{stalled}");
    }
}

#[test]
fn what_cannot_be_played_is_said_in_one_line() {
    let program = elf("fibonacci.elf");
    let cases: [&[&str]; 9] = [
        &["--lie", "nothing@1"],
        &["--lie", "pc@4096", "--max-steps", "2^10"],
        &["--stall", "assert_99"],
        &["--arity", "17"],
        &["--arity", "4,4", "--max-steps", "2^10"],
        &["--path-arity", "4,4"],
        &["--max-steps", "2^49"],
        &["--fixed", "x"],
        &["--accept", "1"],
    ];
    for arguments in cases {
        let fixed = ["simulate", &program, "--input", FALSE_INPUT];
        println!(
            "{}",
            tapcourt(fixed.iter().chain(arguments)).fails_in_one_line()
        );
    }
}
