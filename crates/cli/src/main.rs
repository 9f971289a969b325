//! `tapcourt`: compile circuits into contracts, dispute them on Bitcoin, look at every part.
//!
//! Data goes to standard output, commentary to standard error. The exit code is 0 for accept, 1 for reject or a fault found,
//! 2 when a command could not do its work, 141 when nobody reads what it prints.

mod args;
mod command;
mod contract;
mod count;
mod drawing;
mod error;
mod files;
mod input;
mod output;
mod play;
mod program;
mod progress;
mod riscv;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::error::{CliError, CliResult, Verdict};
use crate::output::{Output, comment, unwritten};

/// The exit code when nobody reads standard output any more: that of a process which the signal
/// SIGPIPE ends, 128 and its number.
const BROKEN_PIPE: u8 = 128 + 13;

fn main() -> ExitCode {
    let ended = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) if error.use_stderr() => Err(misused(&error)),
        Err(asked_for) => match asked_for.print() {
            Ok(()) => Ok(Verdict::Accept),
            Err(error) => Err(unwritten(&error)),
        },
    };
    match ended {
        Ok(Verdict::Accept) => ExitCode::SUCCESS,
        Ok(Verdict::Reject) => ExitCode::from(1),
        Err(CliError::BrokenPipe) => ExitCode::from(BROKEN_PIPE),
        Err(CliError::Message(message)) => {
            comment(format!("tapcourt: {message}"));
            ExitCode::from(2)
        }
    }
}

/// Makes one line of what is wrong with the arguments.
fn misused(error: &clap::Error) -> CliError {
    let text = error.to_string();
    let reason = text.split("\n\n").next().unwrap_or_default();
    CliError::new(format!(
        "{} (see tapcourt --help)",
        reason.trim_start_matches("error: ")
    ))
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
        Command::Watch(args) => command::watch::run(&args, &output),
        Command::Verify(args) => command::verify::run(&args, &output),
        Command::Plan(args) => command::plan::run(&args, &output),
        Command::Size(args) => command::size::run(&args, &output),
        Command::Simulate(args) => command::simulate::run(&args, &output),
        Command::Inspect(args) => command::inspect::run(&args, &output),
    }
}
