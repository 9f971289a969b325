//! What is going on, on standard error, while something takes longer than a moment.

use std::time::Duration;

use indicatif::ProgressBar;

/// A line that is shown while it lives, if standard error is a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows that something of unknown length goes on.
    pub(crate) fn spinner(message: impl Into<String>) -> Self {
        let bar = ProgressBar::new_spinner().with_message(message.into());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Says what comes next.
    pub(crate) fn step(&self, message: impl Into<String>) {
        self.0.set_message(message.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
