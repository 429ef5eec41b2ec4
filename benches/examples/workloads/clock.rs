//! How long a step takes, and the line that says so.

use std::time::Instant;

/// How to measure: three blocks of at least `seconds`.
pub(crate) struct Clock {
    pub(crate) workload: String,
    pub(crate) seconds: f64,
}

/// What a workload is beside its steps.
pub(crate) struct Work {
    pub(crate) batch: usize,
    pub(crate) trains: bool,
    pub(crate) parameters: usize,
}

const BLOCKS: usize = 3;
const LEAST_STEPS: usize = 10;
const LEAST_WARMING: usize = 3;

impl Clock {
    /// Runs steps, each of which is told its number and gives its loss, and prints the figures
    /// of the best block.
    pub(crate) fn measure<E>(
        &self,
        work: &Work,
        mut step: impl FnMut(usize) -> Result<f64, E>,
    ) -> Result<(), E> {
        eprintln!("{}: {} parameters", self.workload, work.parameters);
        let (mut index, mut first, mut last) = (0, f64::NAN, f64::NAN);
        let warming = Instant::now();
        while index < LEAST_WARMING || warming.elapsed().as_secs_f64() < self.seconds.min(1.0) / 2.0
        {
            last = step(index)?;
            if index == 0 {
                first = last;
            }
            index += 1;
        }
        let (mut best, mut best_steps) = (f64::INFINITY, 0);
        for _ in 0..BLOCKS {
            let (begin, mut steps) = (Instant::now(), 0);
            while steps < LEAST_STEPS || begin.elapsed().as_secs_f64() < self.seconds {
                last = step(index)?;
                index += 1;
                steps += 1;
            }
            let each = begin.elapsed().as_secs_f64() / steps as f64;
            if each < best {
                (best, best_steps) = (each, steps);
            }
        }
        if !work.trains {
            (first, last) = (f64::NAN, f64::NAN);
        }
        println!("{}", self.line(work, best, best_steps, [first, last]));
        Ok(())
    }

    fn line(&self, work: &Work, seconds: f64, steps: usize, [first, last]: [f64; 2]) -> String {
        let fields = [
            ("framework", "\"cornu\"".to_owned()),
            ("version", format!("\"{}\"", env!("CARGO_PKG_VERSION"))),
            ("workload", format!("\"{}\"", self.workload)),
            ("samples_per_s", number(work.batch as f64 / seconds)),
            ("step_us", number(1e6 * seconds)),
            ("steps", steps.to_string()),
            ("rss_mb", number(peak_memory())),
            ("loss_first", number(first)),
            ("loss_last", number(last)),
        ];
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}", fields.join(", "))
    }
}

/// A number as JSON has it: NaN is nothing there.
fn number(x: f64) -> String {
    if x.is_finite() { format!("{x:.6}") } else { "null".to_owned() }
}

/// The largest resident size so far in megabytes, where the system tells it.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    kilobytes.map_or(f64::NAN, |kilobytes: f64| kilobytes / 1024.0)
}
