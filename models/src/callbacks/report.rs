//! What a person sees while a model trains.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::history::Logs;

/// What is shown while training.
#[derive(Clone, Default)]
pub enum Verbose {
    /// A live bar if stderr is a terminal, else a line an epoch.
    #[default]
    Auto,
    /// Nothing.
    Silent,
    /// A live bar on stderr.
    Bar,
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
            Verbose::Bar => "Bar",
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
            Verbose::Bar => Output::Bar(None),
            Verbose::Auto if std::io::stderr().is_terminal() => Output::Bar(None),
            Verbose::Auto | Verbose::Lines => lines(),
            Verbose::To(sink) => Output::Lines(sink.clone()),
        };
        let now = Instant::now();
        Reporter { output, epochs, steps, started: now, drawn: now }
    }

    /// Whether it wants to know of every batch.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.output, Output::Bar(_)) && self.drawn.elapsed() >= REDRAW
    }

    pub(crate) fn begin(&mut self, epoch: usize) {
        self.started = Instant::now();
        if let Output::Bar(bar) = &mut self.output {
            let target = ProgressDrawTarget::stderr();
            let new = ProgressBar::with_draw_target(self.steps.map(|s| s as u64), target);
            let template = match self.steps {
                Some(_) => "{pos}/{len} [{bar:30}] - {elapsed} - {msg}",
                None => "{pos} {spinner} - {elapsed} - {msg}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                new.set_style(style.progress_chars("=>."));
            }
            new.println(format!("Epoch {}/{}", epoch + 1, self.epochs));
            *bar = Some(new);
        }
    }

    pub(crate) fn batch(&mut self, trained: usize, logs: &Logs) {
        if let Output::Bar(Some(bar)) = &self.output
            && self.drawn.elapsed() >= REDRAW
        {
            bar.set_position(trained as u64);
            bar.set_message(text(logs));
            self.drawn = Instant::now();
        }
    }

    pub(crate) fn end(&mut self, epoch: usize, logs: &Logs) {
        match &mut self.output {
            Output::Nothing => {}
            Output::Bar(bar) => {
                if let Some(bar) = bar.take() {
                    bar.set_message(text(logs));
                    bar.set_position(bar.length().unwrap_or(bar.position()));
                    bar.abandon();
                }
            }
            Output::Lines(sink) => {
                let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
                let seconds = self.started.elapsed().as_secs();
                let steps = self.steps.map(|s| format!(" - {s}/{s}")).unwrap_or_default();
                let (now, all, text) = (epoch + 1, self.epochs, text(logs));
                // A log that can't be written must not end training.
                let _ = writeln!(sink, "Epoch {now}/{all}{steps} - {seconds}s - {text}");
            }
        }
    }
}

/// `loss: 0.6917 - accuracy: 0.7500`: the loss first, as in the classic layout, then metrics,
/// then those of validation.
fn text(logs: &Logs) -> String {
    let order = |name: &str| {
        let (validation, rest) = match name.strip_prefix("val_") {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        (validation, rest != "loss")
    };
    let mut parts: Vec<(&str, f64)> = logs.iter().filter(|(n, _)| *n != "batch_loss").collect();
    parts.sort_by_key(|(name, _)| order(name));
    let shown = |(name, value): &(&str, f64)| {
        // Four decimals, or as many digits where those would all be zeros.
        if *value != 0.0 && value.abs() < 1e-3 {
            format!("{name}: {value:.4e}")
        } else {
            format!("{name}: {value:.4}")
        }
    };
    parts.iter().map(shown).collect::<Vec<_>>().join(" - ")
}
