use crate::{ACCEPT, REJECT};

/// What a guest's main function may return.
pub trait Verdict {
    /// The exit code for this verdict: [`ACCEPT`] or something else.
    fn exit_code(self) -> u32;
}

/// `true` accepts.
impl Verdict for bool {
    fn exit_code(self) -> u32 {
        if self { ACCEPT } else { REJECT }
    }
}

/// `Some` accepts.
impl Verdict for Option<()> {
    fn exit_code(self) -> u32 {
        self.is_some().exit_code()
    }
}

/// `Ok` accepts; the error is not looked at.
impl<E> Verdict for Result<(), E> {
    fn exit_code(self) -> u32 {
        self.is_ok().exit_code()
    }
}
