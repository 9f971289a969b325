//! Where a program's stack begins, and what it would overwrite if it needs more than there is.

use std::fmt;

use super::{AddressSpace, Cell, Instruction, Machine, Op, Program, Register};

/// How many steps a program may take until it has set up its stack.
const MAX_STEPS: u32 = 10_000;

/// A stack that grows towards what the program has loaded, or variables that it has names for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackHazard {
    /// Where the stack begins: it grows down from there.
    pub sp: u32,
    /// The first address of what is nearest below.
    pub start: u32,
    /// The address after its last.
    pub end: u32,
    /// How many bytes the stack has before it overwrites that.
    pub free_bytes: u32,
}

impl fmt::Display for StackHazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sp,
            start,
            end,
            free_bytes,
        } = self;
        write!(
            f,
            "the stack begins at {sp:#010x} and grows towards the program's bytes from \
             {start:#010x} to {end:#010x}: one that needs more than {free_bytes} bytes overwrites \
             them without notice. Put the stack below the program, where it ends in a stop at \
             address 0, as tapcourt.h and entry! do"
        )
    }
}

/// A stack that has no memory: the first store there stops the machine in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MisplacedStack {
    /// Where the stack begins: it grows down from there.
    pub sp: u32,
    /// The program's address space.
    pub space: AddressSpace,
    /// The least that has memory there, if any has.
    pub least: Option<AddressSpace>,
}

impl fmt::Display for MisplacedStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sp, space, least } = self;
        write!(
            f,
            "the stack begins at {sp:#010x} and grows down, where an address space of {space} has \
             no memory: a store there stops the machine in place"
        )?;
        match least {
            Some(least) => write!(f, "; {least} is the least that has some"),
            None => write!(f, ", and it would in any address space"),
        }
    }
}

impl Program {
    /// Whether the first word of the stack, which is the one below where it begins, is no memory.
    ///
    /// The stack is found as by [`stack_hazard`](Self::stack_hazard).
    pub fn misplaced_stack(&self) -> Option<MisplacedStack> {
        let (sp, space) = (self.initial_sp()?, self.space());
        let first = sp.wrapping_sub(4);
        (!space.contains(first)).then(|| MisplacedStack {
            sp,
            space,
            least: AddressSpace::least_with(first),
        })
    }

    /// The nearest bytes below the stack that it would overwrite if it grew so far: what is loaded,
    /// [zeros](Self::zeros), and what symbols with a size name.
    ///
    /// The stack is where `sp` points when it is first set, in the first 10,000 steps without any
    /// input. Nothing if it is not set by then, or if there is nothing below it. A program that
    /// moves its stack later is not looked at again.
    pub fn stack_hazard(&self) -> Option<StackHazard> {
        let sp = self.initial_sp()?;
        let loaded = self.image().pieces().iter();
        let loaded = loaded.map(|(start, bytes)| (*start, u64::from(*start) + bytes.len() as u64)); // cast ok: usize has at most 64 bits
        let named = self.symbols().iter().map(|symbol| {
            let end = u64::from(symbol.address) + u64::from(symbol.bytes);
            (symbol.address, end)
        });
        // An array that ends at the stack's beginning is the stack.
        let named = named.filter(|&(start, end)| end > start.into() && end < sp.into());
        // So are zeros that reach there, or a part of them.
        let zeros = self.zeros().iter();
        let zeros = zeros.map(|&(start, bytes)| (start, u64::from(start) + bytes));
        let zeros = zeros.filter(|&(_, end)| end < sp.into());
        let below = loaded
            .chain(zeros)
            .chain(named)
            .filter(|&(start, _)| start < sp);
        let (start, end) = below.max_by_key(|&(start, end)| (end.min(sp.into()), start))?;
        Some(StackHazard {
            sp,
            start,
            end: u32::try_from(end).unwrap_or(u32::MAX),
            free_bytes: sp.saturating_sub(u32::try_from(end).unwrap_or(u32::MAX)),
        })
    }

    /// What `sp` is first set to.
    fn initial_sp(&self) -> Option<u32> {
        let mut machine = Machine::new(self, &[]);
        let mut upper_half = false;
        for _ in 0..MAX_STEPS {
            let instruction = self.rom().get(machine.pc())?;
            if upper_half && !completes(instruction) && uses_sp(instruction) {
                return Some(machine.register(Register::SP));
            }
            let record = machine.step();
            if record.w.cell == Cell::register(Register::SP) {
                // The other half follows, unless it is zero.
                upper_half = matches!(instruction.op, Op::Lui | Op::Auipc);
                if !upper_half {
                    return Some(record.w.value);
                }
            }
            if record.stops_in_place() {
                break;
            }
        }
        upper_half.then(|| machine.register(Register::SP))
    }
}

/// Whether it adds the lower half of an address.
fn completes(instruction: Instruction) -> bool {
    let Instruction { op, rd, rs1, .. } = instruction;
    op == Op::Addi && rd == Register::SP && rs1 == Register::SP
}

/// Whether it may be one of a function that has its stack: it reads `sp`, or goes elsewhere.
fn uses_sp(instruction: Instruction) -> bool {
    let Instruction { op, rs1, rs2, .. } = instruction;
    rs1 == Register::SP || rs2 == Register::SP || matches!(op, Op::Jal | Op::Jalr)
}
