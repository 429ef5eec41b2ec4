//! How far a verb is, on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on stderr, which shows nothing if that is no terminal, and leaves nothing when it is
/// dropped.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Bar {
        let style = "{bar:30} {pos}/{len} batches {elapsed}";
        let style = ProgressStyle::with_template(style).expect("the template is right");
        Bar(ProgressBar::new(0).with_style(style))
    }

    /// Shows so many batches of all.
    pub(crate) fn show(&self, done: usize, all: usize) {
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
