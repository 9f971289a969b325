//! `simulate`: every end that a contract can come to.

use bitcoin::Transaction;
use bitcoin::consensus::encode::deserialize_hex;
use serde_json::Value;

use crate::support::{bitcoind, circuit, tapcourt};

/// Plays, insists on exit code and outcome, checks every transaction against its row, and returns the names.
#[track_caller]
fn play(netlist: &str, arguments: &[&str], code: i32, outcome: &str) -> (Vec<String>, Value) {
    let path = circuit(netlist);
    let fixed = ["simulate", &path, "--json"];
    let played = tapcourt(fixed.iter().chain(arguments)).exits(code).json();
    assert_eq!(played["outcome"], outcome, "{}", played["reason"]);
    let rows = played["transactions"].as_array().unwrap();
    let mut total_vsize = 0;
    for row in rows {
        let transaction: Transaction = deserialize_hex(row["hex"].as_str().unwrap()).unwrap();
        assert_eq!(row["weight"], transaction.weight().to_wu());
        assert_eq!(row["vsize"], transaction.vsize());
        assert_eq!(row["version"], transaction.version.0);
        assert_eq!(row["txid"], transaction.compute_txid().to_string());
        assert!(transaction.weight().to_wu() <= 40_000 && transaction.version.0 == 3);
        assert!(row["block"].is_u64(), "mined");
        total_vsize += transaction.vsize();
    }
    assert_eq!(played["total_vsize"], total_vsize);
    let names = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap().to_owned());
    let names: Vec<String> = names.collect();
    println!("{netlist} {arguments:?}: {outcome}, {total_vsize} vB, {names:?}");
    (names, played)
}

#[test]
fn a_true_claim_is_paid() {
    for (netlist, input) in [("adder64.txt", "0x5,0x7"), ("compare64.txt", "0x7,0x5")] {
        let (names, played) = play(netlist, &["--input", input], 0, "payout");
        assert_eq!(
            names,
            ["contract", "kickoff", "kickoff_fee", "payout", "payout_fee"]
        );
        assert_eq!(played["winner"], "prover");
    }
}

#[test]
fn a_lie_in_any_chunk_is_disproved_by_that_chunk() {
    let leaves = tapcourt(["compile", &circuit("adder64.txt"), "--json"]).json();
    let leaves = leaves["leaves"].as_u64().unwrap();
    for leaf in 0..leaves {
        let lie = format!("chunk:{leaf}");
        let arguments = [
            "--input",
            "0x123456789abcdef,0xfedcba987654321",
            "--lie",
            &lie,
        ];
        let (names, played) = play("adder64.txt", &arguments, 1, "disproved");
        assert_eq!(names.last().unwrap(), "disprove");
        assert_eq!(played["leaf"], leaf);
        assert_eq!(played["winner"], "challenger");
    }
}

#[test]
fn other_bits_and_outputs_can_be_lied_about() {
    let input = ["--input", "0x5,0x7", "--lie"];
    for lie in ["chunk:1:3", "output", "output:63"] {
        let arguments = [input.as_slice(), &[lie]].concat();
        play("adder64.txt", &arguments, 1, "disproved");
    }
}

#[test]
fn an_output_that_is_not_accepted_is_disproved() {
    let claim = |accept| ["--input", "0x5,0x7", "--accept", accept];
    play("compare64.txt", &claim("1"), 0, "payout");
    play("compare64.txt", &claim("0"), 1, "disproved");
}

#[test]
fn a_true_claim_survives_a_challenge() {
    let arguments = ["--input", "0x5,0x7", "--challenge-anyway"];
    let (names, _) = play("adder64.txt", &arguments, 0, "payout_disputed");
    assert!(names.contains(&"challenge".to_owned()));
    assert_eq!(names[names.len() - 2], "payout_disputed");
}

#[test]
fn a_prover_that_stalls_loses_to_the_clock() {
    let input = ["--input", "0x5,0x7"];
    let stall = [&input[..], &["--stall", "kickoff"]].concat();
    let (names, played) = play("adder64.txt", &stall, 1, "timeout");
    assert!(names.contains(&"expire".to_owned()) && played["winner"].is_null());
    let stall = [&input[..], &["--stall", "assert_1", "--challenge-anyway"]].concat();
    let (names, played) = play("adder64.txt", &stall, 1, "timeout");
    assert!(names.contains(&"assert_1_timeout".to_owned()));
    assert_eq!(played["winner"], "challenger");
}

#[test]
fn simulations_are_reproducible_and_obey_delta_and_feerate() {
    let arguments = ["--input", "0x5,0x7", "--feerate", "10", "--delta", "30"];
    let (_, one) = play("adder64.txt", &arguments, 0, "payout");
    let (_, two) = play("adder64.txt", &arguments, 0, "payout");
    assert_eq!(one, two);
    let rows = one["transactions"].as_array().unwrap();
    let block = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        row["block"].as_u64().unwrap()
    };
    assert_eq!(block("payout") - block("kickoff"), 30);
    let (fee, vsize) = (&one["total_fee_sat"], &one["total_vsize"]);
    let rate = fee.as_u64().unwrap() as f64 / vsize.as_u64().unwrap() as f64;
    assert!((9.5..11.0).contains(&rate), "{rate}");
}

#[test]
fn a_node_accepts_both_simulations() {
    if bitcoind().is_none() {
        println!("skipped: there is no bitcoind; scripts/bitcoind builds one");
        return;
    }
    let honest = ["--input", "0x5,0x7", "--chain", "bitcoind"];
    play("adder64.txt", &honest, 0, "payout");
    let lying = [&honest[..], &["--lie", "chunk:0"]].concat();
    play("adder64.txt", &lying, 1, "disproved");
}
