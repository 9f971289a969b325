//! `simulate --stall`: whatever a party does not send, the game ends, and says who was late with
//! what.

use serde_json::Value;

use crate::support::{circuit, elf, tapcourt};

/// Blocks for a move, and for the first one, by default.
const DELTA: u64 = 12;
const EXPIRY: u64 = 24;

/// Which moves there are, by the error that lists them.
fn stalls(program: &str, arguments: &[&str]) -> Vec<String> {
    let fixed = ["simulate", program, "--stall", "nothing"];
    let error = tapcourt(fixed.iter().chain(arguments)).fails_in_one_line();
    let list = error.split_once(" send ").unwrap().1;
    let list = list.split_once(", not 'nothing'").unwrap().0;
    list.split(", ").map(str::to_owned).collect()
}

/// Who has to send a transaction.
fn mover(transaction: &str) -> &'static str {
    let name = transaction.trim_start_matches("open_");
    if name.starts_with("kickoff") || name.starts_with("assert") {
        "prover"
    } else {
        "challenger"
    }
}

/// Plays with each stall, and checks how that ends. Returns which stalls came up.
fn play_all(program: &str, arguments: &[&str]) -> Vec<String> {
    let fixed = [&["simulate", program, "--json"], arguments].concat();
    let unstalled = tapcourt(&fixed);
    let expected = unstalled.json();
    let mut came_up = Vec::new();
    for stall in stalls(program, arguments) {
        let ran = tapcourt(fixed.iter().copied().chain(["--stall", &stall]));
        assert!(matches!(ran.code, Some(0 | 1)), "{stall}: {ran:#?}");
        let played = ran.json();
        assert_eq!(played["stall"]["transaction"], stall);
        let code = i32::from(played["winner"] != "prover");
        assert_eq!(ran.code, Some(code), "{stall}: {}", played["reason"]);
        if played["stall"]["came_up"] == false {
            assert_eq!(ran.code, unstalled.code, "{stall}");
            for field in ["outcome", "winner", "reason", "late", "transactions"] {
                assert_eq!(played[field], expected[field], "{stall}: {field}");
            }
            continue;
        }
        check_late(&stall, &played);
        came_up.push(stall);
    }
    println!("{arguments:?}: {came_up:?} came up");
    came_up
}

/// Checks the end of a game in which a stall came up.
fn check_late(stall: &str, played: &Value) {
    let (late, reason) = (&played["late"], played["reason"].as_str().unwrap());
    let party = mover(stall);
    let blocks = if stall == "kickoff" { EXPIRY } else { DELTA };
    assert_eq!(late["party"], party, "{stall}: {reason}");
    assert_eq!(late["transaction"], stall);
    assert_eq!(late["blocks"], blocks);
    let said = format!("the {party} was late: it did not send {stall} within {blocks} blocks");
    assert!(reason.contains(&said), "{reason}");
    let name = stall.trim_start_matches("open_");
    let outcome = match name {
        "challenge" => "payout",
        "open" | "disprove" => "payout_disputed",
        _ => "timeout",
    };
    assert_eq!(played["outcome"], outcome, "{stall}");
    let winner = match (stall, party) {
        ("kickoff", _) => Value::Null,
        (_, "prover") => "challenger".into(),
        _ => "prover".into(),
    };
    assert_eq!(played["winner"], winner, "{stall}: {reason}");
    // Who wins with a false claim is not said to be right.
    let is_paid_falsely = played["claim"] == "false" && winner == "prover";
    assert_eq!(
        reason.contains("paid for a false claim"),
        is_paid_falsely,
        "{reason}"
    );
    if is_paid_falsely && outcome != "timeout" {
        assert_eq!(played["is_just"], false, "{stall}");
    }
    let names = played["transactions"].as_array().unwrap().iter();
    let mut names = names.map(|row| &row["name"]);
    assert!(names.all(|name| *name != *stall), "{stall} was sent");
}

/// Of which stalls the names begin like these.
fn starting(all: &[String], starts: &[&str]) -> Vec<String> {
    let is_one = |name: &&String| starts.iter().any(|start| name.starts_with(start));
    all.iter().filter(is_one).cloned().collect()
}

#[test]
fn every_stall_in_a_dispute_about_a_circuit_is_a_result() {
    let adder = circuit("adder64.txt");
    let input = ["--input", "0x5,0x7"];
    assert_eq!(play_all(&adder, &input), ["kickoff"]);
    let all = stalls(&adder, &input);
    let anyway = [&input[..], &["--challenge-anyway"]].concat();
    let honest = play_all(&adder, &anyway);
    assert_eq!(
        honest,
        starting(&all, &["kickoff", "assert", "challenge"]),
        "nothing is disproved"
    );
    for lie in ["chunk:0", "chunk:4", "output", "output:63"] {
        let lie = [&input[..], &["--lie", lie]].concat();
        assert_eq!(play_all(&adder, &lie), all);
    }
    // The contract says what is accepted, so that a claim can be false without a lie.
    let compare = circuit("compare64.txt");
    let rejected = ["--input", "0x5,0x7", "--accept", "0"];
    assert_eq!(play_all(&compare, &rejected), stalls(&compare, &rejected));
}

/// A search over 2^9 steps, as fibonacci takes 369.
const SEARCH: [&str; 6] = ["--max-steps", "2^9", "--arity", "8", "--path-arity", "8,4"];
const TRUE_INPUT: [&str; 2] = ["--input", "47,2971215073"];
const FALSE_INPUT: [&str; 2] = ["--input", "47,2971215074"];

#[test]
fn every_stall_in_an_honest_dispute_about_a_trace_is_a_result() {
    let program = elf("fibonacci.elf");
    let random = [&SEARCH[..], &TRUE_INPUT, &["--select", "random"]].concat();
    let all = stalls(&program, &random);
    let came_up = play_all(&program, &random);
    let expected = all.iter().filter(|name| !name.ends_with("disprove"));
    assert_eq!(
        came_up.iter().collect::<Vec<_>>(),
        expected.collect::<Vec<_>>(),
        "nothing is disproved"
    );
}

#[test]
fn every_stall_in_a_dispute_about_a_false_path_is_a_result() {
    let program = elf("fibonacci.elf");
    let lie = [&SEARCH[..], &FALSE_INPUT, &["--lie", "register-a@155"]].concat();
    let all = stalls(&program, &lie);
    let came_up = play_all(&program, &lie);
    let expected = all.iter().filter(|name| *name != "disprove");
    assert_eq!(
        came_up.iter().collect::<Vec<_>>(),
        expected.collect::<Vec<_>>()
    );
}

/// The ends of a dispute that is over after the step, with and without a lie, and of a lie that
/// hides in a true claim.
#[test]
fn stalls_at_the_end_of_disputes_about_steps_are_results() {
    let program = elf("fibonacci.elf");
    let cases: [(&[&str], &str); 4] = [
        (&FALSE_INPUT, "disprove"),
        (
            &["--input", "47,2971215074", "--lie", "next-pc@154"],
            "disprove",
        ),
        (
            &["--input", "47,2971215073", "--lie", "next-pc@155"],
            "disprove",
        ),
        (
            &["--input", "47,2971215073", "--lie", "register-b@155"],
            "open",
        ),
    ];
    for (arguments, stall) in cases {
        let fixed = ["simulate", &program, "--json", "--stall", stall];
        let ran = tapcourt(fixed.iter().chain(&SEARCH).chain(arguments)).exits(0);
        let played = ran.json();
        assert_eq!(played["stall"]["came_up"], true, "{arguments:?}");
        check_late(stall, &played);
    }
}

/// A challenger that selects at random may pass over what is false, and then loses by the rules.
#[test]
fn random_selections_in_a_false_claim_are_results() {
    let program = elf("fibonacci.elf");
    let mut missed = 0;
    for seed in ["1", "2"] {
        let random = ["--select", "random", "--seed", seed];
        let fixed = ["simulate", &program, "--json"];
        let arguments = fixed
            .iter()
            .chain(&SEARCH)
            .chain(&FALSE_INPUT)
            .chain(&random);
        let ran = tapcourt(arguments);
        let played = ran.json();
        let is_paid = played["winner"] == "prover";
        assert_eq!(ran.code, Some(i32::from(!is_paid)), "{}", played["reason"]);
        if is_paid {
            assert_eq!(played["is_just"], false);
            let reason = played["reason"].as_str().unwrap();
            assert!(reason.contains("selected at random"), "{reason}");
            missed += 1;
        }
    }
    println!("{missed} of 2 false claims were missed");
    assert!(missed > 0);
}

#[test]
fn lies_that_say_nothing_false_are_refused() {
    let program = elf("fibonacci.elf");
    let lie = |lie: &str| {
        let fixed = ["simulate", &program, "--lie", lie];
        tapcourt(fixed.iter().chain(&SEARCH).chain(&TRUE_INPUT)).fails_in_one_line()
    };
    let refused = lie("digest@511");
    assert!(
        refused.contains("digest@511 says nothing false"),
        "{refused}"
    );
    let refused = lie("pc@512");
    assert!(
        refused.contains("no step 512") && refused.contains("512 steps"),
        "{refused}"
    );
    // The last digest that is published can be lied about, and the lie is found.
    let fixed = ["simulate", &program, "--lie", "digest@510", "--json"];
    let played = tapcourt(fixed.iter().chain(&SEARCH).chain(&TRUE_INPUT))
        .exits(1)
        .json();
    assert_eq!(played["outcome"], "disproved", "{}", played["reason"]);
}

/// Every kind of lie is listed, and is found out where it is told about the last step; but for that
/// of the digest, which is refused.
#[test]
fn every_lie_about_the_last_step_is_disproved() {
    let program = elf("fibonacci.elf");
    let help = tapcourt(["simulate", "--help"]).exits(0).stdout;
    let list = help.split_once("KIND is one of:\n").unwrap().1;
    let kinds = list.lines().take_while(|line| !line.trim().is_empty());
    let kinds: Vec<&str> = kinds
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(kinds.len(), 17, "{kinds:?}");
    for kind in kinds.into_iter().filter(|kind| *kind != "digest") {
        let lie = format!("{kind}@511");
        let fixed = ["simulate", &program, "--json", "--lie", &lie];
        let ran = tapcourt(fixed.iter().chain(&SEARCH).chain(&TRUE_INPUT));
        let played = ran.exits(1).json();
        assert_eq!(
            played["outcome"], "disproved",
            "{lie}: {}",
            played["reason"]
        );
    }
}

#[test]
fn help_lists_lies_and_stalls() {
    let help = tapcourt(["simulate", "--help"]).exits(0).stdout;
    for listed in [
        "chunk:N[:BIT]",
        "output[:BIT]",
        "next-root",
        "kickoff",
        "open_disprove",
    ] {
        assert!(help.contains(listed), "{listed}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn the_contract_is_in_the_json() {
    let adder = circuit("adder64.txt");
    let arguments = ["simulate", &adder, "--input", "0x5,0x7", "--json"];
    let played = tapcourt(arguments).exits(0).json();
    for field in ["contract", "instance", "program_digest"] {
        assert_eq!(played[field].as_str().unwrap().len(), 64, "{field}");
    }
    let [prover, challenger] = ["prover", "challenger"].map(|party| &played[party]);
    assert_eq!(prover["key"].as_str().unwrap().len(), 66);
    assert_ne!(prover, challenger);
    let compiled = tapcourt(["compile", &adder, "--json"]).exits(0).json();
    assert_eq!(played["program_digest"], compiled["program_digest"]);
}
