//! `run`: executes a program until it stops.

use std::fmt;
use std::path::Path;

use serde::Serialize;
use tapcourt_program::riscv::{EXIT_CALL, Engine, Op, Program, Register, Stop};

use crate::args::SpaceArgs;
use crate::error::{CliResult, Verdict};
use crate::output::{Output, thousands};
use crate::progress::Progress;
use crate::riscv::{parse_input, place, read_report_in, texts};

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
    /// The same, with the name that the file has for it.
    #[serde(skip)]
    stopped_at: String,
    /// What the file is worth a warning for.
    warnings: Vec<String>,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = thousands(self.steps);
        match (self.accepted, self.exit_code, self.stopped_at_pc) {
            (true, ..) => writeln!(f, "accepted after {steps} steps"),
            (false, Some(code), _) => writeln!(
                f,
                "not accepted: exit code {code} after {steps} steps, at {}",
                self.stopped_at
            ),
            (false, None, Some(_)) => writeln!(
                f,
                "not accepted: stopped in place after {steps} steps, at {}",
                self.stopped_at
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
    path: &Path,
    space: SpaceArgs,
    input: &str,
    max_steps: u64,
    output: &Output,
) -> CliResult<Verdict> {
    let report = read_report_in(path, space)?;
    let input = parse_input(input)?;
    let mut ended = {
        let _progress = Progress::spinner(format!("running {}", path.display()));
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
    let is_call = program
        .rom()
        .get(state.pc)
        .is_some_and(|instruction| instruction.op == Op::Ecall);
    let exits = stop == Stop::InPlace && is_call && state.register(Register::A7) == EXIT_CALL;
    Ended {
        accepted: stop == Stop::Accepted,
        exit_code: match stop {
            Stop::Accepted => Some(0),
            _ => exits.then(|| state.register(Register::A0)),
        },
        steps: state.steps,
        stopped_at_pc: (stop != Stop::Reached).then_some(state.pc),
        stopped_at: place(program, state.pc),
        warnings: Vec::new(),
    }
}
