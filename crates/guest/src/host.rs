//! Runs a guest's main function natively, for tests.

use core::cell::RefCell;
use std::boxed::Box;
use std::panic::{self, AssertUnwindSafe};
use std::thread_local;
use std::vec::Vec;

use crate::{ACCEPT, REJECT, Verdict};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With this exit code; 0 accepts.
    Exit(u32),
    /// The machine stopped in place, because there is no such input word. This rejects.
    Stopped,
}

impl Outcome {
    /// Whether the guest accepted.
    #[must_use]
    pub fn accepted(self) -> bool {
        self == Self::Exit(ACCEPT)
    }
}

thread_local! {
    static INPUTS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Runs `main` with these input words. A panic exits with code 1, as on the machine.
///
/// An exit inside `main` unwinds to here, so the tests must not be compiled with `panic = "abort"`.
pub fn run<V: Verdict>(inputs: &[u32], main: impl FnOnce() -> V) -> Outcome {
    INPUTS.set(inputs.to_vec());
    match panic::catch_unwind(AssertUnwindSafe(|| main().exit_code())) {
        Ok(code) => Outcome::Exit(code),
        Err(payload) => payload
            .downcast_ref()
            .copied()
            .unwrap_or(Outcome::Exit(REJECT)),
    }
}

/// Packs bytes into input words: four to a word, the first one lowest, filled up with zeros.
///
/// ```
/// assert_eq!(tapcourt_guest::host::pack(b"hello"), [0x6c6c_6568, 0x6f]);
/// ```
#[must_use]
pub fn pack(bytes: &[u8]) -> Vec<u32> {
    let pack_word = |part: &[u8]| {
        part.iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u32::from(byte))
    };
    bytes.chunks(4).map(pack_word).collect()
}

pub(crate) fn input(index: u32) -> u32 {
    let word = INPUTS.with_borrow(|inputs| inputs.get(index as usize).copied());
    word.unwrap_or_else(|| end(Outcome::Stopped))
}

pub(crate) fn exit(code: u32) -> ! {
    end(Outcome::Exit(code))
}

/// Unwinds to [`run`], without the message of a panic.
fn end(outcome: Outcome) -> ! {
    panic::resume_unwind(Box::new(outcome))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Inputs;

    #[test]
    fn verdicts_are_exit_codes() {
        assert!(run(&[], || true).accepted());
        assert_eq!(run(&[], || false), Outcome::Exit(1));
        assert!(run(&[], || Some(())).accepted());
        assert_eq!(run(&[], || None), Outcome::Exit(1));
        assert!(run(&[], || Ok::<(), u8>(())).accepted());
        assert_eq!(run(&[], || Err(3_u8)), Outcome::Exit(1));
    }

    #[test]
    fn early_exits_end_the_run() {
        let exit_with = |code| run(&[], || -> bool { crate::exit(code) });
        assert_eq!(exit_with(0), Outcome::Exit(0));
        assert_eq!(exit_with(77), Outcome::Exit(77));
        assert_eq!(run(&[], || -> bool { crate::reject() }), Outcome::Exit(1));
        assert_eq!(run(&[], || -> bool { crate::accept() }), Outcome::Exit(0));
    }

    #[test]
    fn a_panic_rejects() {
        let divide = || 1 / Inputs::new().word() == 1;
        assert_eq!(run(&[0], divide), Outcome::Exit(1));
        assert_eq!(run(&[1], divide), Outcome::Exit(0));
    }

    #[test]
    fn missing_inputs_stop_the_machine() {
        let read_five = || Inputs::new().bytes::<5>() == *b"hello";
        assert!(run(&pack(b"hello"), read_five).accepted());
        assert_eq!(run(&pack(b"hell"), read_five), Outcome::Stopped);
    }

    #[test]
    fn inputs_of_one_run_are_gone_in_the_next() {
        assert!(run(&[1, 2], || Inputs::new().words() == [1, 2]).accepted());
        assert_eq!(run(&[], || crate::input(0) == 1), Outcome::Stopped);
    }
}
