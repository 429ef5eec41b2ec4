//! Features brought to mean 0 and variance 1 by what was seen of the data.

use cornu_autodiff::{DType, Spec, Tensor, apply, broadcast, ops};

use super::floating;
use super::numbers::Numbers;
use crate::builder::{WeightBuilder, WeightOptions};
use crate::check::one;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Masks, known_axis};
use crate::parameter::Parameter;
use crate::setting::Configured;

config! {
    /// `y = (x - mean) / max(sqrt(variance), 1e-7)`, or with `invert` the way back,
    /// `y = mean + x · max(sqrt(variance), 1e-7)`.
    ///
    /// | input | `mean`, `variance` | output |
    /// |---|---|---|
    /// | `(batch, …)` | sizes of the axes in `axis` | `(batch, …)` |
    ///
    /// Mean and variance are given, or worked out from data by [`adapt`](Normalization::adapt).
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_autodiff::Tensor;
    /// use cornu_layers::{Apply, Normalization, input};
    /// let mut layer = Normalization::new();
    /// layer.adapt(&Tensor::from([[0.0f32, 7.0], [2.0, 9.0]]))?;
    /// assert_eq!(layer.mean.as_ref().unwrap().values(), [1.0, 8.0]);
    /// assert_eq!(layer.apply(&input([2]))?.shape(), [None, Some(2)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an axis is out of range, named twice or of unknown size; when only one of `mean` and
    /// `variance` is given, they don't fit the axes, or a variance is negative.
    ///
    /// # Difference from Keras
    /// What `adapt` finds becomes the options `mean` and `variance`, and so is in the config.
    /// Keras keeps it in weights; a layer that has neither has those weights here too, for files
    /// that Keras wrote.
    pub struct Normalization["Normalization"] {
        ..
        /// The axes with a mean and variance for each position; none for one of each.
        axis: Vec<isize> = vec![-1],
        /// Whether to go back from normalized features.
        invert: bool = false,
        /// One mean, or one for each position.
        mean: Option<Numbers> = None,
        /// One variance, or one for each position.
        variance: Option<Numbers> = None,
    }
}

/// Weights of [`Normalization`]: none where mean and variance are given.
#[derive(Debug)]
pub struct NormalizationWeights {
    learned: Option<[Parameter; 2]>,
}

impl Normalization {
    /// Works out mean and variance of data, `(samples, …)`, in one pass over it.
    ///
    /// # Errors
    /// When an axis is out of range or named twice, or there is no sample.
    pub fn adapt(&mut self, data: &Tensor) -> Result<()> {
        self.adapt_batches([data.clone()])
    }

    /// As [`adapt`](Normalization::adapt), for data that comes in batches.
    ///
    /// # Errors
    /// As `adapt`; and when batches differ in shape along the kept axes.
    pub fn adapt_batches(&mut self, batches: impl IntoIterator<Item = Tensor>) -> Result<()> {
        let mut state: Option<(Tensor, Tensor, f64)> = None;
        for batch in batches {
            let at = self.positions(batch.spec())?;
            let folded: Vec<isize> =
                (0..batch.rank()).filter(|i| !at.contains(i)).map(|i| i as isize).collect();
            let count: f64 = folded.iter().map(|&i| batch.dims()[i as usize] as f64).product();
            if count == 0.0 {
                continue;
            }
            let x = batch.cast(DType::F64);
            let (mean, variance) = (x.mean(folded.clone(), false), x.var(folded, false));
            state = Some(match state.take() {
                None => (mean, variance, count),
                Some((old, spread, seen)) => {
                    if old.shape() != mean.shape() {
                        let rule = "all batches must have the same sizes along `axis`";
                        return Err(Error::input(rule, &[old.shape(), mean.shape()]));
                    }
                    let share = count / (seen + count);
                    let step = &mean - &old;
                    let shift = step.square() * (share * (1.0 - share));
                    let spread = spread * (1.0 - share) + variance * share + shift;
                    (old + step * share, spread, seen + count)
                }
            });
        }
        let Some((mean, variance, _)) = state else {
            return Err(Error::setting("data", "there must be at least one sample", "none"));
        };
        self.mean = Some(Numbers::of(&mean)?);
        self.variance = Some(Numbers::of(&variance)?);
        Ok(())
    }

    /// The kept axes from the front, ascending.
    fn positions(&self, x: &Spec) -> Result<Vec<usize>> {
        let place = "`axis`";
        let at = self.axis.iter().map(|&axis| cornu_autodiff::axis_of(place, axis, x.shape.rank()));
        let mut at = at.collect::<Result<Vec<usize>, _>>()?;
        at.sort_unstable();
        if at.windows(2).any(|pair| pair[0] == pair[1]) {
            let rule = "no axis may be named twice";
            return Err(Error::setting(place, rule, format!("{:?}", self.axis)));
        }
        Ok(at)
    }

    /// A given mean or variance, with the kept axes where the input has them and ones elsewhere.
    fn given(&self, option: &str, numbers: &Numbers, x: &Tensor, at: &[usize]) -> Result<Tensor> {
        let wrong = || {
            let kept: Vec<usize> = at.iter().map(|&axis| x.dims()[axis]).collect();
            let rule =
                format!("it must be one number or broadcast to {kept:?}, the sizes of `axis`");
            Err(Error::setting(format!("`{option}`"), rule, format!("{:?}", numbers.shape())))
        };
        if numbers.shape().len() > at.len() {
            return wrong();
        }
        let mut shape = vec![1; x.rank()];
        for (&axis, &n) in at.iter().rev().zip(numbers.shape().iter().rev()) {
            shape[axis] = n as isize;
        }
        let own = numbers.tensor(x.dtype())?.try_reshape(&shape)?;
        match broadcast(own.shape(), x.shape()) {
            Some(whole) if whole == *x.shape() => Ok(own),
            _ => wrong(),
        }
    }
}

impl Layer for Normalization {
    type Weights = NormalizationWeights;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<NormalizationWeights> {
        let x = one(inputs, 1)?;
        let at = self.positions(x)?;
        let shape =
            at.iter().map(|&axis| known_axis(x, axis as isize)).collect::<Result<Vec<usize>>>()?;
        match (&self.mean, &self.variance) {
            (Some(mean), Some(variance)) => {
                if mean.shape() != variance.shape() {
                    let rule = format!("it must have the shape of `mean`, {:?}", mean.shape());
                    let got = format!("{:?}", variance.shape());
                    return Err(Error::setting("`variance`", rule, got));
                }
                if let Some(v) = variance.values().iter().find(|v| **v < 0.0) {
                    return Err(Error::setting("`variance`", "none may be negative", v));
                }
                let symbolic = Tensor::symbolic(*x);
                self.given("mean", mean, &symbolic, &at)?;
                Ok(NormalizationWeights { learned: None })
            }
            (None, None) => {
                let statistic = WeightOptions::statistic;
                let mean = weights.add_with("mean", &shape, &Initializer::Zeros, statistic())?;
                let variance =
                    weights.add_with("variance", &shape, &Initializer::Ones, statistic())?;
                weights.add_counter("count")?;
                Ok(NormalizationWeights { learned: Some([mean, variance]) })
            }
            _ => {
                let rule = "both or neither of `mean` and `variance` must be given";
                Err(Error::setting("`mean`", rule, "one of them"))
            }
        }
    }

    fn call(
        &self,
        w: &NormalizationWeights,
        x: &Inputs<'_>,
        _: &mut Context<'_>,
    ) -> Result<Tensor> {
        let x = floating(x.only()?, self.common());
        let at = self.positions(x.spec())?;
        let [mean, variance] = match (&w.learned, &self.mean, &self.variance) {
            (Some(learned), ..) => {
                let size = |i: usize| if at.contains(&i) { x.dims()[i] as isize } else { 1 };
                let shape: Vec<isize> = (0..x.rank()).map(size).collect();
                let [mean, variance] = learned.each_ref().map(Parameter::value);
                [mean.try_reshape(&shape)?, variance.try_reshape(&shape)?]
            }
            (None, Some(mean), Some(variance)) => {
                [self.given("mean", mean, &x, &at)?, self.given("variance", variance, &x, &at)?]
            }
            _ => return Err(Error::setting("`mean`", "it must be given", "nothing")),
        };
        let deviation = variance.sqrt();
        // Keras's `backend.epsilon()`.
        let deviation = ops::maximum(&deviation, &deviation.full_like(1e-7));
        if self.invert {
            return Ok(apply(ops::Add, &[&mean, &apply(ops::Multiply, &[&x, &deviation])?])?);
        }
        Ok(apply(ops::Divide, &[&apply(ops::Subtract, &[&x, &mean])?, &deviation])?)
    }
}
