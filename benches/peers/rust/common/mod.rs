//! What the Rust peers share: the workloads' sizes, made-up data, the clock, and the line of JSON
//! (see ../../../README.md).

use std::time::Instant;

/// Each network and how many numbers it learns.
const NETWORKS: [(&str, usize); 6] = [
    ("xor", 41),
    ("mlp", 669_706),
    ("cnn", 34_826),
    ("resnet20", 272_474),
    ("bilstm", 2_757_761),
    ("minigpt", 3_244_168),
];
const USAGE: &str = "NAME [--seconds S], where NAME is one of xor, mlp, cnn, resnet20, bilstm, \
                     minigpt, infer1-mlp, infer1-cnn, infer256-cnn";
/// What the version says of a program that was compiled for a processor with wide vectors.
const NATIVE: &str = if cfg!(target_feature = "avx2") { " native" } else { "" };
const BATCHES: usize = 8;
const BLOCKS: usize = 3;
const LEAST_STEPS: usize = 10;
const LEAST_WARMING: usize = 3;

/// Ends the program with the reason.
pub fn stop(code: i32, reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::exit(code);
}

/// One of the nine, as it was asked for.
pub struct Workload {
    name: String,
    seconds: f64,
    pub trains: bool,
    pub batch: usize,
    parameters: usize,
}

impl Workload {
    /// `NAME [--seconds S]`.
    pub fn from_arguments() -> Workload {
        Workload::parse(std::env::args().skip(1)).unwrap_or_else(|| stop(2, USAGE))
    }

    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Workload> {
        let name = arguments.next()?;
        let seconds = match arguments.next() {
            Some(flag) if flag == "--seconds" => arguments.next()?.parse().ok()?,
            Some(_) => return None,
            None => 3.0,
        };
        let (trains, batch) = match name.as_str() {
            "infer1-mlp" | "infer1-cnn" => (false, 1),
            "infer256-cnn" => (false, 256),
            "xor" => (true, 4),
            "mlp" | "cnn" => (true, 128),
            _ => (true, 32),
        };
        let network = name.rsplit('-').next().filter(|network| !trains || *network == name)?;
        let (_, parameters) = *NETWORKS.iter().find(|(known, _)| *known == network)?;
        Some(Workload { name, seconds, trains, batch, parameters })
    }

    /// Its name without how it is used.
    pub fn network(&self) -> &str {
        self.name.rsplit('-').next().unwrap_or_default()
    }

    /// Batches to take in turn, the exclusive or's only one.
    pub fn batches<T>(&self, mut batch: impl FnMut(&mut Noise) -> T) -> Vec<T> {
        let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
        (0..if self.name == "xor" { 1 } else { BATCHES }).map(|_| batch(&mut noise)).collect()
    }

    /// `step(index, wanted)` does a whole step and gives its loss where that is wanted; the line
    /// tells the best block.
    pub fn measure(
        &self,
        [framework, version]: [&str; 2],
        parameters: usize,
        mut step: impl FnMut(usize, bool) -> f32,
    ) {
        if parameters != self.parameters {
            let Workload { name, parameters: right, .. } = self;
            stop(1, &format!("{name} has {parameters} parameters, not {right}"));
        }
        let warming = Instant::now();
        let first = step(0, true);
        let mut index = 1;
        while index < LEAST_WARMING || warming.elapsed().as_secs_f64() < self.seconds.min(1.0) / 2.0
        {
            step(index, false);
            index += 1;
        }
        let (mut best, mut best_steps, mut last) = (f64::INFINITY, 0, f32::NAN);
        for _ in 0..BLOCKS {
            let (begin, mut steps, mut ends) = (Instant::now(), 0, false);
            while !ends {
                steps += 1;
                ends = steps >= LEAST_STEPS && begin.elapsed().as_secs_f64() >= self.seconds;
                last = step(index, ends);
                index += 1;
            }
            let each = begin.elapsed().as_secs_f64() / steps as f64;
            if each < best {
                (best, best_steps) = (each, steps);
            }
        }
        println!(
            "{{\"framework\": \"{framework}\", \"version\": \"{version}{NATIVE}\", \"workload\": \"{}\", \
             \"samples_per_s\": {}, \"step_us\": {}, \"steps\": {best_steps}, \"rss_mb\": {}, \
             \"loss_first\": {}, \"loss_last\": {}}}",
            self.name,
            number(self.batch as f64 / best),
            number(1e6 * best),
            number(peak_memory()),
            number(first.into()),
            number(last.into()),
        );
    }
}

/// A number as JSON has it: NaN, the loss of a prediction, is null.
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

/// Numbers that look random (xorshift64, Marsaglia 2003).
pub struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Nearly normal, as sums of twelve uniform numbers: mean 0, deviation 1.
    pub fn normal(&mut self, count: usize) -> Vec<f32> {
        let mut uniform = || (self.next() >> 40) as f32 / (1u64 << 24) as f32;
        (0..count).map(|_| (0..12).map(|_| uniform()).sum::<f32>() - 6.0).collect()
    }

    /// Whole numbers below `end`, each as likely.
    pub fn below<T: From<u16>>(&mut self, end: u16, count: usize) -> Vec<T> {
        (0..count).map(|_| T::from(((self.next() >> 32) % u64::from(end)) as u16)).collect()
    }
}
