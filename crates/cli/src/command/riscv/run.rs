//! `run`: executes a program until it stops.

use std::fmt;

use serde::Serialize;
use tapcourt_program::riscv::{Engine, Program, Stop, StopReason};

use crate::args::SpaceArgs;
use crate::error::{CliResult, Verdict};
use crate::input::Input;
use crate::output::{Output, thousands};
use crate::program::ProgramFile;
use crate::progress::Progress;
use crate::riscv::{StopRow, place, texts};

/// How a run ended.
#[derive(Serialize)]
struct Ended {
    accepted: bool,
    /// What the program exited with; nothing if it did not exit.
    exit_code: Option<u32>,
    /// Steps that changed something.
    steps: u64,
    /// Where it stays for ever; nothing if it had not stopped when the steps were used up.
    stopped_at_pc: Option<u32>,
    /// Why it stays there; nothing if it accepted, or had not stopped.
    stop: Option<StopRow>,
    /// The same, with the name that the file has for it.
    #[serde(skip)]
    stopped_at: String,
    /// What the file is worth a warning for.
    warnings: Vec<String>,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = thousands(self.steps);
        match (self.accepted, self.exit_code, &self.stop) {
            (true, ..) => writeln!(f, "accepted after {steps} steps"),
            (false, Some(code), _) => writeln!(
                f,
                "not accepted: exit code {code} after {steps} steps, at {}",
                self.stopped_at
            ),
            (false, None, Some(stop)) => writeln!(
                f,
                "not accepted: stopped in place after {steps} steps, at {}: {}",
                self.stopped_at, stop.why
            ),
            (false, None, None) => writeln!(
                f,
                "not accepted: still running after {steps} steps, at {}",
                self.stopped_at
            ),
        }
    }
}

/// Executes, and rejects what does not accept.
pub(crate) fn run(
    file: &ProgramFile,
    space: SpaceArgs,
    input: &Input,
    max_steps: u64,
    output: &Output,
) -> CliResult<Verdict> {
    let report = file.report_in(space.address_space)?;
    let input = input.words()?;
    let mut ended = {
        let _progress = Progress::spinner(format!("running {}", file.path.display()));
        execute(&report.program, &input, max_steps)
    };
    ended.warnings = texts(&report.warnings);
    output.print(&ended)?;
    Ok(Verdict::accept_if(ended.accepted))
}

fn execute(program: &Program, input: &[u32], max_steps: u64) -> Ended {
    let mut engine = Engine::new(program, input);
    let stop = engine.run(max_steps);
    let state = engine.state();
    let reason = match stop {
        Stop::InPlace => StopReason::of(program, input, state),
        _ => None,
    };
    Ended {
        accepted: stop == Stop::Accepted,
        exit_code: match (stop, reason) {
            (Stop::Accepted, _) => Some(0),
            (_, Some(StopReason::Exit { code })) => Some(code),
            _ => None,
        },
        steps: state.steps,
        stopped_at_pc: (stop != Stop::Reached).then_some(state.pc),
        stop: reason.map(StopRow::from),
        stopped_at: place(program, state.pc),
        warnings: Vec::new(),
    }
}
