//! What a contract is about: a program, with everything that both parties have to agree on about it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use tapcourt_compiler::circuit::Compiled;
use tapcourt_compiler::riscv::{Court, CourtOptions, Options, Search};
use tapcourt_program::circuit::{Circuit, format_bits};
use tapcourt_program::riscv::parse_words;
use tapcourt_prover::trace::TraceDispute;
use tapcourt_prover::{Disputable, Values};
use tapcourt_verifier::{Program, Source};

use crate::args::{PatternArgs, SearchArgs, parse_space};
use crate::error::{CliError, CliResult};
use crate::input::Input;
use crate::program::{ProgramFile, compile, parse_accept};
use crate::progress::Progress;

/// What is agreed on besides the program's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Agreed {
    /// Of a netlist: the outputs that are accepted, as [`parse_accept`] reads them.
    Netlist { accept: Option<String> },
    /// Of a RISC-V program: how much input there is, and how its trace is searched.
    Trace(CourtOptions),
}

impl Agreed {
    /// What the arguments say about this file; `inputs` is how many words a RISC-V program reads, if the arguments do not say.
    pub(crate) fn from_args(
        file: &ProgramFile,
        accept: &PatternArgs,
        search: &SearchArgs,
        inputs: Option<u32>,
    ) -> CliResult<Self> {
        if file.is_elf() {
            accept.refuse_for_elf()?;
            return Ok(Self::Trace(search.options(inputs)?));
        }
        let accept = accept.accept.as_deref();
        Ok(Self::Netlist {
            accept: accept.map(|accept| accept.split_whitespace().collect()),
        })
    }
}

/// `netlist accepts 01?`, `trace of 8 words after 1,2, searched 4,4,4 and 2,4,4, in 2^26 bytes`.
impl fmt::Display for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Netlist { accept } => {
                let accept = accept.as_deref().unwrap_or("anything");
                write!(f, "netlist accepts {accept}")
            }
            Self::Trace(options) => {
                write!(
                    f,
                    "trace of {} words after {}, searched {} and {}",
                    options.steps.inputs,
                    words(&options.steps.fixed),
                    arities(&options.steps.search),
                    options.path.as_ref().map(arities).unwrap_or_default(),
                )?;
                let space = options.space.as_ref().map(ToString::to_string);
                write!(f, ", in {} bytes", space.unwrap_or_default())
            }
        }
    }
}

/// Words as they are read again.
fn words(words: &[u32]) -> String {
    let words = words.iter().map(u32::to_string);
    words.collect::<Vec<_>>().join(",")
}

/// Arities as they are read again.
pub(crate) fn arities(search: &Search) -> String {
    let arities = search.arities().iter().map(u32::to_string);
    arities.collect::<Vec<_>>().join(",")
}

/// Reads the arity of each round.
pub(crate) fn parse_arities(text: &str) -> Result<Search, String> {
    let arities = text.split(',').map(|arity| arity.trim().parse());
    let arities: Vec<u32> = arities
        .collect::<Result<_, _>>()
        .map_err(|_| format!("'{text}' is no list of arities"))?;
    Search::new(arities).map_err(|error| error.to_string())
}

impl FromStr for Agreed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(accept) = text.strip_prefix("netlist accepts ") {
            let accept = (accept != "anything").then(|| accept.to_owned());
            return Ok(Self::Netlist { accept });
        }
        let malformed = || format!("'{text}' says nothing about a program");
        let (inputs, rest) = text
            .strip_prefix("trace of ")
            .and_then(|rest| rest.split_once(" words after "))
            .ok_or_else(malformed)?;
        let (fixed, searches) = rest.split_once(", searched ").ok_or_else(malformed)?;
        let (search, rest) = searches.split_once(" and ").ok_or_else(malformed)?;
        let (path, space) = rest.split_once(", in ").ok_or_else(malformed)?;
        let space = space.strip_suffix(" bytes").ok_or_else(malformed)?;
        Ok(Self::Trace(CourtOptions {
            steps: Options {
                fixed: parse_words(fixed).map_err(|error| error.to_string())?,
                inputs: inputs.parse().map_err(|_| malformed())?,
                search: parse_arities(search)?,
            },
            path: Some(parse_arities(path)?),
            space: Some(parse_space(space)?),
        }))
    }
}

/// A program of a contract, compiled.
pub(crate) struct Loaded {
    /// The file: a netlist or an ELF file.
    pub(crate) file: Vec<u8>,
    pub(crate) agreed: Agreed,
    pub(crate) program: Program,
    /// The netlist, of a circuit.
    pub(crate) circuit: Option<Circuit>,
}

/// A claim that can be made.
pub(crate) struct Claim {
    /// What is published: all of it for a circuit, of a trace the input.
    pub(crate) values: Values,
    /// Whether the contract accepts it: else it can be disproved.
    pub(crate) is_accepted: bool,
    /// What the program gives, for people.
    pub(crate) output: String,
}

impl Loaded {
    /// Compiles what the arguments say. `inputs` as in [`Agreed::from_args`].
    pub(crate) fn new(
        file: ProgramFile,
        accept: &PatternArgs,
        search: &SearchArgs,
        inputs: Option<u32>,
    ) -> CliResult<Self> {
        let agreed = Agreed::from_args(&file, accept, search, inputs)?;
        Self::from_file(file, agreed)
    }

    /// Compiles what is agreed on.
    pub(crate) fn from_file(file: ProgramFile, agreed: Agreed) -> CliResult<Self> {
        let path = file.path.as_path();
        let failed = |error: &dyn fmt::Display| CliError::file(path, error);
        let mut agreed = agreed;
        let (program, circuit) = match &mut agreed {
            Agreed::Netlist { accept } => {
                let circuit = file.circuit()?;
                let accept = parse_accept(accept.as_deref(), &circuit)?;
                let compiled = compile(&circuit, accept, path)?;
                (Program::circuit(compiled), Some(circuit))
            }
            Agreed::Trace(options) => {
                let program = file.riscv_in(options.space)?;
                let _progress = Progress::spinner(format!("compiling {}", path.display()));
                let court = Court::compile(Arc::new(program), options.clone());
                let court = court.map_err(|error| failed(&error))?;
                // Another version may have other defaults, so nothing is left to them.
                *options = court.options();
                (Program::trace(court), None)
            }
        };
        let program = program.map_err(|error| failed(&error))?;
        Ok(Self {
            file: file.contents,
            agreed,
            program,
            circuit,
        })
    }

    /// What the engines ask.
    pub(crate) fn disputant(&self) -> Disputant<'_> {
        match self.program.source() {
            Source::Circuit(compiled) => Disputant::Circuit(compiled),
            Source::Trace(court) => Disputant::Trace(Box::new(TraceDispute::new(court))),
        }
    }

    /// Works out what a prover claims with this input.
    pub(crate) fn claim(&self, disputant: &Disputant<'_>, input: &Input) -> CliResult<Claim> {
        match (disputant, &self.circuit) {
            (Disputant::Circuit(compiled), Some(circuit)) => {
                let input = input.bits(circuit)?;
                let values = compiled.values(&input)?;
                Ok(Claim {
                    is_accepted: compiled.find_fault(&values).is_none(),
                    output: format_bits(&compiled.output(&input)?),
                    values: values.into_iter().enumerate().collect(),
                })
            }
            (Disputant::Trace(dispute), _) => {
                let input = input.words()?;
                let words = dispute.court().steps().options().inputs;
                if input.len() as u64 > u64::from(words) {
                    return Err(CliError::new(format!(
                        "--input: {} words, the contract has {words}",
                        input.len()
                    )));
                }
                let values = dispute.claim(&input);
                let is_accepted = {
                    let _progress = Progress::spinner("executing the program");
                    dispute.accepts(&values)?
                };
                Ok(Claim {
                    values,
                    is_accepted,
                    output: if is_accepted {
                        "accepted"
                    } else {
                        "not accepted"
                    }
                    .to_owned(),
                })
            }
            (Disputant::Circuit(_), None) => {
                Err(CliError::new("a circuit was loaded without its netlist"))
            }
        }
    }
}

/// A program as the engines ask for it.
pub(crate) enum Disputant<'a> {
    Circuit(&'a Compiled),
    Trace(Box<TraceDispute<'a>>),
}

impl Disputant<'_> {
    pub(crate) fn as_dyn(&self) -> &dyn Disputable {
        match self {
            Self::Circuit(compiled) => *compiled,
            Self::Trace(dispute) => &**dispute,
        }
    }
}

#[cfg(test)]
mod tests {
    use tapcourt_program::riscv::AddressSpace;

    use super::*;

    #[test]
    fn agreements_are_read_as_they_are_written() {
        let trace = Agreed::Trace(CourtOptions {
            steps: Options {
                fixed: vec![1, u32::MAX],
                inputs: 8,
                search: Search::new(vec![2, 16, 3]).expect("a search"),
            },
            path: Some(CourtOptions::default_path(AddressSpace::DEFAULT)),
            space: Some(AddressSpace::DEFAULT),
        });
        let accept = |accept: Option<&str>| Agreed::Netlist {
            accept: accept.map(str::to_owned),
        };
        for agreed in [
            trace,
            accept(None),
            accept(Some("01?")),
            accept(Some("0x1,?")),
        ] {
            assert_eq!(agreed.to_string().parse(), Ok(agreed));
        }
        for wrong in [
            "",
            "trace",
            "trace of 8 words after , searched 4",
            "trace of 8 words after , searched 4 and 4",
            "trace of 8 words after , searched 4 and 4, in 2^12 bytes",
            "trace of -1 words after , searched 4 and 4, in 2^26 bytes",
            "trace of 8 words after x, searched 4 and 4, in 2^26 bytes",
        ] {
            assert!(wrong.parse::<Agreed>().is_err(), "{wrong:?}");
        }
    }
}
