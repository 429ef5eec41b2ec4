//! What a person sees while a model trains.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use super::status::{Status, values};
use crate::history::Logs;

/// What is shown while training.
#[derive(Clone, Default)]
pub enum Verbose {
    /// A live bar if stderr is a terminal, else a line an epoch on stderr.
    #[default]
    Auto,
    /// Nothing.
    Silent,
    /// A line an epoch on stderr.
    Lines,
    /// A line an epoch to a writer: stdout, a file, a buffer.
    To(Sink),
}

/// A writer that lines are sent to, shared with whoever reads them.
pub type Sink = Arc<Mutex<dyn Write + Send>>;

impl fmt::Debug for Verbose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verbose::Auto => "Auto",
            Verbose::Silent => "Silent",
            Verbose::Lines => "Lines",
            Verbose::To(_) => "To(writer)",
        })
    }
}

/// The bar is drawn again after this long.
const REDRAW: Duration = Duration::from_millis(100);

enum Output {
    Nothing,
    Bar(Option<ProgressBar>),
    Lines(Sink),
}

/// Shows an epoch as it runs.
pub(crate) struct Reporter {
    output: Output,
    epochs: usize,
    /// Batches per epoch, if known.
    steps: Option<usize>,
    started: Instant,
    drawn: Instant,
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}

impl Reporter {
    pub(crate) fn new(verbose: &Verbose, epochs: usize, steps: Option<usize>) -> Reporter {
        let lines = || Output::Lines(Arc::new(Mutex::new(std::io::stderr())));
        let output = match verbose {
            Verbose::Silent => Output::Nothing,
            Verbose::Auto if std::io::stderr().is_terminal() => Output::Bar(None),
            Verbose::Auto | Verbose::Lines => lines(),
            Verbose::To(sink) => Output::Lines(sink.clone()),
        };
        let now = Instant::now();
        Reporter { output, epochs, steps, started: now, drawn: now }
    }

    /// Whether it wants to know of this batch.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.output, Output::Bar(_)) && self.drawn.elapsed() >= REDRAW
    }

    pub(crate) fn begin(&mut self, epoch: usize) {
        self.started = Instant::now();
        if let Output::Bar(bar) = &mut self.output {
            let style = ProgressStyle::with_template("{msg}").expect("the template is right");
            // What is broken off in the middle of an epoch leaves its last line.
            let new = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
                .with_style(style)
                .with_finish(ProgressFinish::Abandon);
            new.println(format!("Epoch {}/{}", epoch + 1, self.epochs));
            *bar = Some(new);
        }
    }

    /// Shows how far the epoch is, unless it did so a moment ago.
    pub(crate) fn batch(&mut self, done: usize, logs: &Logs) {
        if self.is_live() {
            self.show(done, logs);
        }
    }

    /// Shows how far the epoch is.
    pub(crate) fn show(&mut self, done: usize, logs: &Logs) {
        if let Output::Bar(Some(bar)) = &self.output {
            bar.set_message(self.status(done, false, logs).lines(width()));
            self.drawn = Instant::now();
        }
    }

    pub(crate) fn end(&mut self, epoch: usize, done: usize, logs: &Logs) {
        match &self.output {
            Output::Nothing => {}
            Output::Bar(bar) => {
                if let Some(bar) = bar {
                    bar.abandon_with_message(self.status(done, true, logs).lines(width()));
                }
            }
            Output::Lines(sink) => {
                let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
                let seconds = self.started.elapsed().as_secs();
                let steps = self.steps.map(|s| format!(" - {s}/{s}")).unwrap_or_default();
                let (now, all, text) = (epoch + 1, self.epochs, values(logs).join(" - "));
                // A log that can't be written must not end training.
                let _ = writeln!(sink, "Epoch {now}/{all}{steps} - {seconds}s - {text}");
            }
        }
    }

    fn status<'a>(&self, done: usize, ended: bool, logs: &'a Logs) -> Status<'a> {
        Status { done, steps: self.steps, elapsed: self.started.elapsed(), ended, logs }
    }
}

/// Columns of the terminal; the last stays free, as some break a line that fills it.
fn width() -> usize {
    usize::from(Term::stderr().size().1).saturating_sub(1)
}
