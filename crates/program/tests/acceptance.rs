//! Programs that tried to accept by other means than the exit call, and what is said of them.

use std::path::Path;

use tapcourt_program::riscv::{ACCEPT_PC, Engine, Machine, Program, Stop, StopReason};

fn hunted(name: &str) -> Program {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hunt");
    let file = std::fs::read(path.join(name)).expect("it is committed");
    Program::from_elf(&file).expect("an ELF file")
}

/// It loads -4, where the pc of acceptance once was, and jumps there.
#[test]
fn a_jump_accepts_nothing() {
    let program = hunted("jump-to-accept.elf");
    let mut engine = Engine::new(&program, &[][..]);
    assert_eq!(engine.run(1_000), Stop::InPlace);
    let reason = StopReason::of(&program, &[], engine.state());
    assert_eq!(reason, Some(StopReason::OutsideProgram { pc: 0xffff_fffc }));
    let mut machine = Machine::new(&program, &[]);
    for _ in 0..10 {
        machine.step();
        assert!(!machine.accepted() && machine.pc() != ACCEPT_PC);
    }
}
