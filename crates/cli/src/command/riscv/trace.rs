//! `trace`: what each step of a program reads and writes.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tapcourt_program::riscv::{
    ACCEPT_PC, Engine, Machine, Program, Read, StepRecord, StopReason, Write,
};

use crate::args::SpaceArgs;
use crate::count::count;
use crate::error::{CliResult, Verdict};
use crate::output::{Output, stream, stream_json};
use crate::progress::Progress;
use crate::riscv::{StopRow, parse_input, place, read_program_in};

/// Arguments of `trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// A static RISC-V program (RV32IM, little-endian ELF).
    program: PathBuf,
    /// The input: words, 'hex:' and bytes, or '@' and a file.
    #[arg(long, value_name = "WORDS", default_value = "")]
    input: String,
    /// The first step, from 0.
    #[arg(long, value_name = "STEP", default_value = "0", value_parser = count::<u64>("steps", 0..=u64::MAX))]
    from: u64,
    /// How many steps.
    #[arg(long, value_name = "STEPS", default_value = "20", value_parser = count::<u64>("steps", 0..=u64::MAX))]
    count: u64,
    #[command(flatten)]
    space: SpaceArgs,
}

#[derive(Serialize)]
struct Step {
    step: u64,
    pc: u32,
    /// Where that is, by the file's names.
    symbol: Option<String>,
    instruction: String,
    next_pc: u32,
    a: Option<Access>,
    b: Option<Access>,
    m: Option<Access>,
    w: Option<Written>,
    /// Why it is not left any more, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<StopRow>,
    #[serde(skip)]
    place: String,
}

#[derive(Serialize)]
struct Access {
    cell: String,
    value: u32,
}

#[derive(Serialize)]
struct Written {
    cell: String,
    value: u32,
    old: u32,
}

impl Step {
    fn new(program: &Program, step: u64, record: &StepRecord, stop: Option<StopReason>) -> Self {
        let read = |read: Read| {
            let access = Access {
                cell: read.cell.to_string(),
                value: read.value,
            };
            (read != Read::default()).then_some(access)
        };
        let instruction = match program.rom().get(record.pc) {
            Some(instruction) => instruction.to_string(),
            None if record.pc == ACCEPT_PC => "accepted".to_owned(),
            None => "outside".to_owned(),
        };
        let StepRecord { a, b, m, w, .. } = *record;
        Self {
            step,
            pc: record.pc,
            symbol: program
                .symbols()
                .at(record.pc)
                .map(|symbol| symbol.name.clone()),
            instruction,
            next_pc: record.next_pc,
            a: read(a),
            b: read(b),
            m: read(m),
            w: (w != Write::default()).then(|| Written {
                cell: w.cell.to_string(),
                value: w.value,
                old: w.old,
            }),
            stop: stop.map(StopRow::from),
            place: place(program, record.pc),
        }
    }
}

/// Widths of the columns that are aligned.
#[derive(Default)]
struct Widths {
    number: usize,
    place: usize,
    instruction: usize,
}

impl Widths {
    fn fit(&mut self, step: &Step) {
        self.number = self.number.max(step.step.to_string().len());
        self.place = self.place.max(step.place.len());
        self.instruction = self.instruction.max(step.instruction.len());
    }
}

/// A step with the widths of its columns.
struct Line<'a>(&'a Step, &'a Widths);

/// `3  0x00010074 <main+4>  add a0, a1, a2  a x11 = 0x1  b x12 = 0x2  w x10 = 0x3 (was 0x0)`.
impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(step, widths) = self;
        let (number, place, instruction) = (widths.number, widths.place, widths.instruction);
        write!(
            f,
            "{:>number$}  {:<place$}  {:<instruction$}",
            step.step, step.place, step.instruction
        )?;
        for (name, access) in [("a", &step.a), ("b", &step.b), ("m", &step.m)] {
            if let Some(Access { cell, value }) = access {
                write!(f, "  {name} {cell} = {value:#x}")?;
            }
        }
        if let Some(Written { cell, value, old }) = &step.w {
            write!(f, "  w {cell} = {value:#x} (was {old:#x})")?;
        }
        if step.next_pc != step.pc.wrapping_add(4) {
            write!(f, "  to {:#010x}", step.next_pc)?;
        }
        if let Some(stop) = &step.stop {
            write!(f, "  stops: {}", stop.why)?;
        }
        writeln!(f)
    }
}

/// How many steps are kept in memory, and aligned with each other.
const BATCH_STEPS: usize = 1 << 12;

/// Runs to the first step, and shows the steps after it.
pub(crate) fn run(args: &TraceArgs, output: &Output) -> CliResult<Verdict> {
    let program = read_program_in(&args.program, args.space)?;
    let input = parse_input(&args.input)?;
    let mut engine = Engine::new(&program, &input);
    let mut machine = {
        let _progress = Progress::spinner(format!("running {}", args.program.display()));
        engine.run_to(args.from);
        Machine::from_state(&program, &input, engine.state())
    };
    // Once it stops, it stays, and the reason with it.
    let mut reason = None;
    let mut steps = (args.from..args.from.saturating_add(args.count)).map(|step| {
        let record = machine.step();
        let stop = record.stops_in_place().then(|| {
            *reason.get_or_insert_with(|| {
                engine.run_to(step);
                StopReason::of(&program, &input, engine.state())
            })
        });
        Step::new(&program, step, &record, stop.flatten())
    });
    if output.is_json() {
        stream_json(steps)?;
        return Ok(Verdict::Accept);
    }
    let mut widths = Widths::default();
    stream(|out| {
        loop {
            let batch: Vec<Step> = steps.by_ref().take(BATCH_STEPS).collect();
            if batch.is_empty() {
                return Ok(());
            }
            batch.iter().for_each(|step| widths.fit(step));
            for step in &batch {
                write!(out, "{}", Line(step, &widths))?;
            }
        }
    })?;
    Ok(Verdict::Accept)
}
