//! Parses and compiles a netlist, hashes all its leaves, and prints what that took.
//!
//! `cargo run --release -p tapcourt-compiler --example compile_memory [netlist]`

use std::time::Instant;

use bitcoin::XOnlyPublicKey;
use tapcourt_commitment::{KeyPath, SecretKey, Seed};
use tapcourt_compiler::circuit::{Compiled, Options};
use tapcourt_program::circuit::Circuit;
use tapcourt_script::taptree::Taptree;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "circuits/sha256.txt".into());
    // The x coordinate of secp256k1's generator: any key will do.
    let challenger: XOnlyPublicKey =
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798".parse()?;

    let start = Instant::now();
    let circuit = Circuit::parse(&std::fs::read(&path)?)?;
    let parsed = start.elapsed();
    let compiled = Compiled::new(&circuit, &Options::default())?;
    let compilation = start.elapsed() - parsed;
    let seed = Seed::new([1; 32]);
    let keys: Vec<_> = compiled
        .committed_groups()
        .iter()
        .filter_map(|group| {
            let path = KeyPath {
                contract: [2; 32],
                role: "prover",
                label: group.label(),
            };
            Some(SecretKey::derive(&seed, &path, group.parameters()?).public_key())
        })
        .collect();
    let tree = Taptree::build(&compiled.leaf_source(&keys, challenger))?;
    let all = start.elapsed();

    println!("netlist     {path}: {} gates", circuit.gates.len());
    println!("leaves      {} in {} chunks", tree.len(), compiled.chunks());
    println!("root        {}", tree.root());
    println!(
        "wall time   {:.3} s: parse {:.3}, compile {:.3}, keys and leaf hashes {:.3}",
        all.as_secs_f64(),
        parsed.as_secs_f64(),
        compilation.as_secs_f64(),
        (all - parsed - compilation).as_secs_f64()
    );
    if let Some(seconds) = cpu_seconds() {
        println!("CPU time    {seconds:.2} s");
    }
    if let Some(peak) = peak_memory() {
        println!("peak memory {peak}");
    }
    Ok(())
}

/// User and system time of this process; Linux only.
fn cpu_seconds() -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0; // USER_HZ, which is fixed
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses; user and system time are the 14th and 15th.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

/// The most memory this process ever held; Linux only.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
