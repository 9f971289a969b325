//! `tapcourt`: compile circuits into contracts, dispute them on Bitcoin, look at every part.
//!
//! Data goes to standard output, commentary to standard error. The exit code is 0 for accept, 1 for reject or a fault found,
//! 2 when a command could not do its work.

mod args;
mod command;
mod contract;
mod count;
mod drawing;
mod error;
mod files;
mod output;
mod play;
mod program;
mod progress;
mod riscv;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::error::{CliError, CliResult, Verdict};
use crate::output::Output;

fn main() -> ExitCode {
    match parse().and_then(run) {
        Ok(Verdict::Accept) | Err(CliError::BrokenPipe) => ExitCode::SUCCESS,
        Ok(Verdict::Reject) => ExitCode::from(1),
        Err(CliError::Message(message)) => {
            eprintln!("tapcourt: {message}");
            ExitCode::from(2)
        }
    }
}

/// Reads the arguments; what is wrong with them becomes one line too.
fn parse() -> CliResult<Cli> {
    Cli::try_parse().map_err(|error| {
        if !error.use_stderr() {
            error.exit(); // help or version, asked for
        }
        let text = error.to_string();
        let reason = text.split("\n\n").next().unwrap_or_default();
        CliError::new(format!(
            "{} (see tapcourt --help)",
            reason.trim_start_matches("error: ")
        ))
    })
}

fn run(cli: Cli) -> CliResult<Verdict> {
    let output = Output::new(cli.json);
    match cli.command {
        Command::Compile(args) => command::compile::run(&args, &output),
        Command::Run(args) => command::run::run(&args, &output),
        Command::Trace(args) => command::riscv::trace::run(&args, &output),
        Command::Digest(args) => command::riscv::digest::run(&args, &output),
        Command::Setup(args) => command::setup::run(&args, &output),
        Command::Prove(args) => command::prove::run(&args, &output),
        Command::Challenge(args) => command::challenge::run(&args, &output),
        Command::Respond(args) => command::respond::run(&args, &output),
        Command::Verify(args) => command::verify::run(&args, &output),
        Command::Plan(args) => command::plan::run(&args, &output),
        Command::Size(args) => command::size::run(&args, &output),
        Command::Simulate(args) => command::simulate::run(&args, &output),
        Command::Inspect(args) => command::inspect::run(&args, &output),
    }
}
