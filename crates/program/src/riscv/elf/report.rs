//! What a file is worth a warning for.

use std::fmt;

use super::super::{AddressSpace, MisplacedStack, Program, ProgramError, StackHazard};

/// A program, and what to look at before a contract is made about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElfReport {
    /// What the file says.
    pub program: Program,
    /// What may not do what its author expects.
    pub warnings: Vec<ElfWarning>,
}

impl ElfReport {
    /// The same for the program with another address space: as [`Program::with_space`].
    ///
    /// # Errors
    /// As `with_space`.
    pub fn with_space(self, space: AddressSpace) -> Result<Self, ProgramError> {
        let mut report = Self {
            program: self.program.with_space(space)?,
            warnings: self.warnings,
        };
        report.look_at_stack();
        Ok(report)
    }

    /// Brings warnings about the stack up to date.
    pub(super) fn look_at_stack(&mut self) {
        let is_other = |warning: &ElfWarning| {
            !matches!(
                warning,
                ElfWarning::Stack(_) | ElfWarning::MisplacedStack(_)
            )
        };
        self.warnings.retain(is_other);
        let hazard = self.program.stack_hazard().map(ElfWarning::Stack);
        let misplaced = self
            .program
            .misplaced_stack()
            .map(ElfWarning::MisplacedStack);
        self.warnings.extend(hazard.into_iter().chain(misplaced));
    }
}

/// What a program may do that its author does not expect. None of it makes machines disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElfWarning {
    /// The file says that it has compressed instructions. Machines stop at one.
    Compressed {
        /// `e_flags`.
        flags: u32,
    },
    /// The stack grows towards what the file loads, and overwrites it if it needs more.
    Stack(StackHazard),
    /// The stack is where there is no memory.
    MisplacedStack(MisplacedStack),
    /// Functions should run after `main`, and nothing shows that anything runs them.
    Destructors {
        /// The section.
        section: String,
        /// How many there are.
        count: usize,
    },
    /// Start code may copy a segment from its load address, where another one is.
    LoadAddress {
        /// The number of its program header.
        header: usize,
        /// `p_paddr`.
        load_address: u32,
        /// How many bytes it has in the file.
        bytes: usize,
    },
    /// The file has no table of symbols, so constructors in sections of other names are not seen.
    NoSymbols,
}

impl fmt::Display for ElfWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compressed { flags } => write!(
                f,
                "the file's flags {flags:#x} say that it has compressed instructions, if only as \
                 padding; the machine stops in place at one that is executed"
            ),
            Self::Stack(hazard) => hazard.fmt(f),
            Self::MisplacedStack(stack) => stack.fmt(f),
            Self::Destructors { section, count } => write!(
                f,
                "{section} has {count} functions to run after main, and nothing shows that \
                 something runs them"
            ),
            Self::LoadAddress {
                header,
                load_address,
                bytes,
            } => write!(
                f,
                "program header {header} has its {bytes} bytes to be copied from \
                 {load_address:#010x}, where another segment is or memory ends: start code that \
                 copies them copies something else"
            ),
            Self::NoSymbols => write!(
                f,
                "the file has no table of symbols: whether it has constructors can be seen only \
                 where they have a section of their own"
            ),
        }
    }
}
