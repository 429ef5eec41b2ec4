//! How far an epoch has come, in words and a bar, as Keras writes it.

use std::time::Duration;

use crate::history::Logs;

/// Signs between the brackets of a bar, and the fewest that it is cut to for others to fit.
const BAR: usize = 30;
const SHORT_BAR: usize = 10;

/// Where an epoch is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Status<'a> {
    /// Batches trained on.
    pub(super) done: usize,
    /// Batches in the epoch, if known.
    pub(super) steps: Option<usize>,
    pub(super) elapsed: Duration,
    /// Whether the epoch is over.
    pub(super) ended: bool,
    pub(super) logs: &'a Logs,
}

impl Status<'_> {
    /// `469/469 [=====] - 10s 21ms/step - loss: 0.6917 - accuracy: 0.7500`, or while it runs
    /// `120/469 [=>...] - ETA: 7s - loss: …`; broken between two parts where a line would be
    /// longer than `width`.
    pub(super) fn lines(&self, width: usize) -> String {
        let mut parts = vec![self.time()];
        parts.extend(values(self.logs));
        // What is known of training should stand beside the bar.
        let beside = parts.iter().filter(|part| !part.starts_with("val_"));
        let beside = beside.map(|part| 3 + part.chars().count()).sum();
        let mut text = self.bar(width, beside);
        let mut room = width.saturating_sub(text.len());
        for part in parts {
            let length = part.chars().count();
            if let Some(rest) = room.checked_sub(length + 3) {
                text += " - ";
                room = rest;
            } else {
                text.push('\n');
                room = width.saturating_sub(length);
            }
            text += &part;
        }
        text
    }

    /// The count of batches and a bar, with room for `beside` more signs where that is possible.
    fn bar(&self, width: usize, beside: usize) -> String {
        let Some(steps) = self.steps else { return format!("{}/Unknown", self.done) };
        let digits = steps.to_string().len();
        let count = format!("{:>digits$}/{steps}", self.done);
        let room = width.saturating_sub(count.len() + 3);
        let length = match room.saturating_sub(beside) {
            short @ SHORT_BAR.. => BAR.min(short),
            _ => BAR.min(room),
        };
        let full = (length * self.done.min(steps)).checked_div(steps).unwrap_or(length);
        let bar = match full {
            _ if length < 5 => return count,
            0 => ".".repeat(length),
            _ if full == length => "=".repeat(length),
            _ => format!("{}>{}", "=".repeat(full - 1), ".".repeat(length - full)),
        };
        format!("{count} [{bar}]")
    }

    /// The time that is left, or that it took.
    fn time(&self) -> String {
        let pace = self.elapsed.as_secs_f64() / self.done.max(1) as f64;
        match self.steps {
            Some(steps) if !self.ended => {
                let left = pace * steps.saturating_sub(self.done) as f64;
                format!("ETA: {}", clock(left.round() as u64))
            }
            _ => format!("{} {}/step", clock(self.elapsed.as_secs()), short(pace)),
        }
    }
}

/// `loss: 0.6917`: the loss first, as in the classic layout, then metrics, then those of
/// validation.
pub(super) fn values(logs: &Logs) -> Vec<String> {
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
    parts.iter().map(shown).collect()
}

/// `7s`, `1:05`, `2:03:04`.
fn clock(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}:{rest:02}"),
        _ => format!("{hours}:{minutes:02}:{rest:02}"),
    }
}

/// `3s`, `21ms`, `450us`.
fn short(seconds: f64) -> String {
    match seconds {
        1.0.. => format!("{seconds:.0}s"),
        1e-3.. => format!("{:.0}ms", seconds * 1e3),
        _ => format!("{:.0}us", seconds * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(done: usize, steps: Option<usize>, seconds: f64, ended: bool, width: usize) -> String {
        let mut logs = Logs::default();
        for (name, value) in [("accuracy", 0.75), ("loss", 0.6917), ("batch_loss", 1.0)] {
            logs.insert(name, value);
        }
        if ended {
            logs.insert("val_loss", 1e-5);
        }
        let elapsed = Duration::from_secs_f64(seconds);
        Status { done, steps, elapsed, ended, logs: &logs }.lines(width)
    }

    #[test]
    fn the_line_of_an_epoch_is_that_of_keras_and_breaks_between_its_parts() {
        let cases = [
            (
                lines(469, Some(469), 10.0, true, 120),
                "469/469 [==============================] - 10s 21ms/step - loss: 0.6917 - \
                 accuracy: 0.7500 - val_loss: 1.0000e-5",
            ),
            (
                lines(47, Some(469), 7.0, false, 79),
                " 47/469 [=>.....................] - ETA: 1:03 - loss: 0.6917 - accuracy: 0.7500",
            ),
            (
                lines(469, Some(469), 70.0, true, 79),
                "469/469 [=================] - 1:10 149ms/step - loss: 0.6917 - \
                 accuracy: 0.7500\nval_loss: 1.0000e-5",
            ),
            (
                lines(1, Some(1), 0.0002, true, 39),
                "1/1 [==============================]\n0s 200us/step - loss: 0.6917\n\
                 accuracy: 0.7500 - val_loss: 1.0000e-5",
            ),
            (
                lines(1, Some(1875), 4.0, false, 30),
                "   1/1875 [..................]\nETA: 2:04:56 - loss: 0.6917\naccuracy: 0.7500",
            ),
            (
                lines(12, None, 36.0, false, 79),
                "12/Unknown - 36s 3s/step - loss: 0.6917 - accuracy: 0.7500",
            ),
            (lines(3, Some(4), 1.0, false, 8), "3/4\nETA: 0s\nloss: 0.6917\naccuracy: 0.7500"),
        ];
        for (line, wanted) in cases {
            assert_eq!(line, wanted);
        }
    }
}
