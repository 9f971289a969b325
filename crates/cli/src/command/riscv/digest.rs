//! `digest`: the digest of a program's state at a step.

use std::path::PathBuf;

use clap::Args;
use tapcourt_program::riscv::{Digest, Engine, Stop, Tree};

use crate::args::SpaceArgs;
use crate::count::count;
use crate::error::{CliResult, Verdict};
use crate::output::{Facts, Output};
use crate::progress::Progress;
use crate::riscv::{parse_input, place, read_program_in};

/// Arguments of `digest`.
#[derive(Debug, Args)]
pub(crate) struct DigestArgs {
    /// A static RISC-V program (RV32IM, little-endian ELF).
    program: PathBuf,
    /// The input: words, 'hex:' and bytes, or '@' and a file.
    #[arg(long, value_name = "WORDS", default_value = "")]
    input: String,
    /// After how many steps.
    #[arg(long, value_name = "STEPS", value_parser = count::<u64>("steps", 0..=u64::MAX))]
    step: u64,
    #[command(flatten)]
    space: SpaceArgs,
}

/// Runs to the step.
pub(crate) fn run(args: &DigestArgs, output: &Output) -> CliResult<Verdict> {
    let program = read_program_in(&args.program, args.space)?;
    let input = parse_input(&args.input)?;
    let _progress = Progress::spinner(format!("running {}", args.program.display()));
    let mut engine = Engine::new(&program, &input);
    let stop = engine.run_to(args.step);
    let state = engine.state();
    let root = Tree::of_state(state).root();
    output.print(
        &Facts::new()
            .with("step", args.step)
            .with_text("digest", Digest::new(state.pc, root))
            .with_text("root", root)
            .with("pc", state.pc)
            .with("place", place(&program, state.pc))
            .with("stopped", stop != Stop::Reached),
    )?;
    Ok(Verdict::Accept)
}
