//! Numbers as numbers of the bins that they fall into.

use cornu_autodiff::{DType, Spec, Tensor, apply, ops};

use super::encoding::{OutputMode, check_dense, check_rank, encode};
use super::quantiles::Summary;
use crate::builder::WeightBuilder;
use crate::check::one;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::setting::Configured;

config! {
    /// The number of the bin that each number falls into: how many of the ascending
    /// `bin_boundaries` are not above it.
    ///
    /// | `output_mode` | input | output |
    /// |---|---|---|
    /// | `"int"` | `(batch, …)` | `(batch, …)`, int32 in `0..=boundaries` |
    /// | others | `(batch, n)` | as [`CategoryEncoding`](crate::CategoryEncoding), one element a bin |
    ///
    /// Boundaries are given, or found by [`adapt`](Discretization::adapt) so that `num_bins` bins
    /// are about equally full.
    ///
    /// ```
    /// use cornu_autodiff::Tensor;
    /// use cornu_layers::Discretization;
    /// let mut layer = Discretization::new().num_bins(4);
    /// layer.adapt(&Tensor::from([0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]))?;
    /// assert_eq!(layer.bin_boundaries.as_ref().unwrap(), &[1.0, 3.0, 5.0]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there are no boundaries, they don't ascend, or neither they nor `num_bins` is given.
    pub struct Discretization["Discretization"] {
        ..
        /// Ascending limits between bins.
        bin_boundaries: Option<Vec<f64>> = None,
        /// How many bins `adapt` is to make.
        num_bins: Option<usize> = None,
        /// How exactly `adapt` knows the data: in steps of this share of it.
        epsilon: f64 = 0.01,
        /// `"int"`, `"one_hot"`, `"multi_hot"` or `"count"`.
        output_mode: OutputMode = OutputMode::Int,
        /// Must be false.
        sparse: bool = false,
    }
}

impl Discretization {
    /// Finds boundaries between bins that are about equally full.
    ///
    /// # Errors
    /// When `num_bins` isn't set, or there is no number.
    pub fn adapt(&mut self, data: &Tensor) -> Result<()> {
        self.adapt_batches([data.clone()])
    }

    /// As [`adapt`](Discretization::adapt), for data that comes in batches.
    ///
    /// # Errors
    /// As `adapt`.
    pub fn adapt_batches(&mut self, batches: impl IntoIterator<Item = Tensor>) -> Result<()> {
        let Some(bins) = self.num_bins.filter(|&n| n > 0) else {
            let rule = "it must be set, and positive, for boundaries to be found";
            return Err(Error::setting("`num_bins`", rule, format!("{:?}", self.num_bins)));
        };
        self.check_epsilon()?;
        let mut whole = Summary::default();
        for batch in batches {
            let values: Vec<f32> = batch.to_f64_vec()?.into_iter().map(|v| v as f32).collect();
            if let Some(v) = values.iter().find(|v| !v.is_finite()) {
                return Err(Error::setting("data", "all numbers must be finite", v));
            }
            if !values.is_empty() {
                whole = Summary::of(values, self.epsilon).merge(&whole, self.epsilon);
            }
        }
        if whole.is_empty() {
            return Err(Error::setting("data", "there must be at least one number", "none"));
        }
        self.bin_boundaries = Some(whole.boundaries(bins));
        Ok(())
    }

    fn check_epsilon(&self) -> Result<()> {
        // More steps than that would be kept than there is memory for.
        if self.epsilon >= 1e-9 && self.epsilon <= 1.0 {
            return Ok(());
        }
        Err(Error::setting("`epsilon`", "it must be in [1e-9, 1]", self.epsilon))
    }

    fn boundaries(&self) -> Result<&[f64]> {
        let boundaries = self.bin_boundaries.as_deref();
        let missing = || {
            let rule = "it must be given, or found by `adapt` before the layer is used";
            Error::setting("`bin_boundaries`", rule, "nothing")
        };
        let boundaries = boundaries.ok_or_else(missing)?;
        let finite = boundaries.iter().all(|b| b.is_finite());
        if finite && boundaries.windows(2).all(|pair| pair[0] <= pair[1]) {
            return Ok(boundaries);
        }
        let rule = "boundaries must be finite and ascend";
        Err(Error::setting("`bin_boundaries`", rule, format!("{boundaries:?}")))
    }
}

impl Layer for Discretization {
    type Weights = ();
    const WITHOUT: &'static [&'static str] = &["trainable"];

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        use OutputMode as Mode;
        self.output_mode.check_among(&[Mode::Int, Mode::OneHot, Mode::MultiHot, Mode::Count])?;
        check_dense(self.sparse)?;
        self.check_epsilon()?;
        self.boundaries()?;
        check_rank(&self.output_mode, one(inputs, 0)?.shape.rank())
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        let boundaries = self.boundaries()?;
        let dtype = match self.output_mode {
            OutputMode::Int => DType::I32,
            _ => self.common().dtype.unwrap_or_default(),
        };
        let mut bins = x.zeros_like().cast(DType::I32);
        let x = super::floating(x, self.common());
        for &boundary in boundaries {
            // NaN is above all boundaries, as in Keras.
            let below = apply(ops::Less, &[&x, &x.full_like(boundary)])?;
            bins = bins + below.logical_not().cast(DType::I32);
        }
        encode(&bins, &self.output_mode, boundaries.len() + 1, None, dtype)
    }
}
