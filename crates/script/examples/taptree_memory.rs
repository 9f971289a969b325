//! Builds a taptree of 2^20 leaves of 100 bytes, and prints its root, the time and the memory it took.
//!
//! `cargo run --release -p tapcourt-script --example taptree_memory [leaves]`

use std::time::Instant;

use bitcoin::ScriptBuf;
use tapcourt_script::taptree::{LeafSource, Taptree};

/// Leaves of 100 bytes that differ in their first four.
struct Numbered(usize);

impl LeafSource for Numbered {
    fn len(&self) -> usize {
        self.0
    }

    fn script(&self, index: usize) -> ScriptBuf {
        let mut bytes = vec![0x61; 100]; // OP_NOP
        bytes[..4].copy_from_slice(&(index as u32).to_le_bytes()); // only to make leaves differ
        ScriptBuf::from_bytes(bytes)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let leaves = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 1 << 20,
    };
    let start = Instant::now();
    let tree = Taptree::build(&Numbered(leaves))?;
    println!("leaves      {leaves}");
    println!("root        {}", tree.root());
    println!("wall time   {:.3} s", start.elapsed().as_secs_f64());
    // Linux only; elsewhere the line is left out.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))
    {
        println!("peak memory {}", peak.trim());
    }
    Ok(())
}
