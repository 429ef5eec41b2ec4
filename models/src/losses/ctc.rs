//! Loss of sequences that are not aligned with their labels.

use cornu_autodiff::ops::stack;
use cornu_autodiff::{Error, Pause, Result, Tensor};

use super::declare::loss;
use super::pair::{Place, labels};

/// What stands for the logarithm of 0: its differences are numbers.
const NEVER: f64 = -1e30;

loss! {
    /// `-ln P(y | x)`: the probability of a sequence of labels, whatever steps they fall on
    /// (Graves et al. 2006, "Connectionist temporal classification").
    ///
    /// Labels `(samples, length)` are class numbers from 1 on, followed by zeros where they are
    /// shorter; 0 is the blank. Predictions `(samples, steps, classes)` are logits; as in Keras
    /// all steps count. Each step takes one of the classes; what is left of a path without
    /// repetitions, then without blanks, are the labels.
    ///
    /// What Keras answers with numbers that mean nothing is an error: labels that no path can
    /// give since steps are too few (there about 100000), class numbers out of range (as likely
    /// as can be), and a 0 between labels (the last labels are dropped).
    ///
    /// ```
    /// use cornu_autodiff::Tensor;
    /// use cornu_models::losses::{CTC, Loss};
    /// let (labels, logits) = (Tensor::from([[1i32]]), Tensor::from([[[0.0, 0.0], [0.0, 0.0]]]));
    /// // Three of four paths: `1 1`, `1 -` and `- 1`.
    /// let loss = CTC::new().value(&labels, &logits, None, None)?.item::<f64>()?;
    /// assert!((loss - (4f64 / 3.0).ln()).abs() < 1e-12);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    pub struct CTC["CTC", "ctc"] {}
    values |self, y_true, y_pred| {
        let place = Place("loss", &self.name);
        let _ = labels(place, y_true, y_pred)?;
        let (&[n, length], &[samples, steps, classes]) = (y_true.dims(), y_pred.dims()) else {
            return Err(shapes(place, y_true, y_pred));
        };
        if n != samples || steps == 0 || classes == 0 {
            return Err(shapes(place, y_true, y_pred));
        }
        if y_true.is_symbolic() || y_pred.is_symbolic() || n == 0 {
            return Ok(y_pred.sum([1, 2], false));
        }
        let paths = Paths::new(place, y_true, [n, length], [steps, classes])?;
        Ok(paths.loss(y_pred))
    }
}

fn shapes(place: Place<'_>, y_true: &Tensor, y_pred: &Tensor) -> Error {
    let rule = "labels must have shape (samples, length), predictions (samples, steps, classes)";
    Error::shape(place.to_string(), rule, &[y_true.spec(), y_pred.spec()])
}

/// The states of all samples' paths: a blank, a label, a blank, … a blank.
struct Paths {
    dims: [usize; 2],
    steps: usize,
    /// The class of each state.
    classes: Vec<i64>,
    /// 0 where a state may follow the one before the last, else [`NEVER`].
    skips: Vec<f64>,
    /// 0 where a path may end, else [`NEVER`].
    ends: Vec<f64>,
}

impl Paths {
    fn new(
        place: Place<'_>,
        y_true: &Tensor,
        [n, length]: [usize; 2],
        [steps, classes]: [usize; 2],
    ) -> Result<Paths> {
        let states = 2 * length + 1;
        let all = y_true.to_f64_vec()?;
        let mut paths = Paths {
            dims: [n, states],
            steps,
            classes: vec![0; n * states],
            skips: vec![NEVER; n * states],
            ends: vec![NEVER; n * states],
        };
        for sample in 0..n {
            let row = &all[sample * length..(sample + 1) * length];
            let used = row.iter().position(|&y| y == 0.0).unwrap_or(length);
            check_row(place, row, used, steps, classes)?;
            let first = sample * states;
            for (i, &label) in row[..used].iter().enumerate() {
                let state = first + 2 * i + 1;
                paths.classes[state] = label as i64;
                if i > 0 && row[i - 1] != label {
                    paths.skips[state] = 0.0;
                }
            }
            paths.ends[first + 2 * used] = 0.0;
            if used > 0 {
                paths.ends[first + 2 * used - 1] = 0.0;
            }
        }
        Ok(paths)
    }

    /// The forward variables, step by step, in logarithms.
    fn loss(self, logits: &Tensor) -> Tensor {
        let [n, states] = self.dims;
        let (dtype, steps) = (logits.dtype(), self.steps as isize);
        let constant = |values: Vec<f64>| {
            let _pause = Pause::new();
            Tensor::new(values, [n, states]).expect("one for each state").cast(dtype)
        };
        let at = Tensor::new(self.classes, [n, 1, states]).expect("one for each state");
        let emitted = logits.log_softmax(-1).take_along_axis(&at, 2); // (n, steps, states)
        let mut start = vec![NEVER; n * states];
        for row in start.chunks_exact_mut(states) {
            row.iter_mut().take(2).for_each(|state| *state = 0.0);
        }
        let skips = constant(self.skips);
        let mut alpha = constant(start) + emitted.index(1, 0);
        for step in 1..steps {
            let one = moved(&alpha, 1);
            let mut ways = vec![alpha.clone(), one];
            if states > 2 {
                ways.push(moved(&alpha, 2) + &skips);
            }
            alpha = stack(&ways, 0).logsumexp(0, false) + emitted.index(1, step);
        }
        -(alpha + constant(self.ends)).logsumexp(1, false)
    }
}

/// States moved on by a few; nothing comes before the first.
fn moved(alpha: &Tensor, by: usize) -> Tensor {
    let states = alpha.dims()[1];
    let by = by.min(states);
    alpha.pad([(0, 0), (by, 0)], NEVER).slice(1, ..states as isize)
}

/// Labels of one sample: classes, then zeros, and not more than steps allow.
fn check_row(
    place: Place<'_>,
    row: &[f64],
    used: usize,
    steps: usize,
    classes: usize,
) -> Result<()> {
    let wrong = |y: &&f64| y.fract() != 0.0 || !(0.0..classes as f64).contains(*y);
    if let Some(label) = row.iter().find(wrong) {
        let rule = format!("labels must be class numbers in 1..{classes}, padded with 0");
        return Err(Error::value(place.to_string(), rule, label.to_string()));
    }
    if let Some(label) = row[used..].iter().find(|&&y| y != 0.0) {
        let rule = "0 is the blank and must not stand before a label";
        return Err(Error::value(place.to_string(), rule, format!("{label} after a 0")));
    }
    let repeated = row[..used].windows(2).filter(|pair| pair[0] == pair[1]).count();
    if used + repeated > steps {
        let rule = format!("there must be a step for each label and between equal ones, {steps}");
        let got = format!("{used} labels, {repeated} of them as the one before");
        return Err(Error::value(place.to_string(), rule, got));
    }
    Ok(())
}
