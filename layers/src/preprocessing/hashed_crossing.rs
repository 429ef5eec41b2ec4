//! Combinations of features in bins by their hash.

use cornu_autodiff::{DType, Spec, Tensor};

use super::encoding::{OutputMode, check_dense, encode};
use super::hash::{fingerprint, joined};
use crate::builder::WeightBuilder;
use crate::check::positive;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::setting::Config;

config! {
    /// Each combination of values of several features in one of `num_bins` bins, by their hash.
    ///
    /// | `output_mode` | inputs | output |
    /// |---|---|---|
    /// | `"int"` | two or more of `(batch)` or `(batch, 1)`, whole numbers | the same, int64 |
    /// | `"one_hot"` | the same | `(batch, num_bins)` |
    ///
    /// A tensor holds no texts: features that are texts are crossed by
    /// [`call_features`](HashedCrossing::call_features), before they come to a model.
    ///
    /// ```
    /// use cornu_layers::{Feature, HashedCrossing};
    /// let (names, sizes) = (["A", "B", "A"], [101, 101, 101]);
    /// let bins = HashedCrossing::new(5)
    ///     .call_features(&[Feature::Texts(&names), Feature::Ints(&sizes)])?
    ///     .to_vec::<i64>()?;
    /// assert_eq!(bins[0], bins[2]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there are fewer than two inputs, or they differ in shape.
    pub struct HashedCrossing["HashedCrossing"] {
        /// Number of bins.
        num_bins: usize,
        ..
        /// `"int"` or `"one_hot"`.
        output_mode: OutputMode = OutputMode::Int,
        /// Must be false.
        sparse: bool = false,
    }
}

/// One feature of each sample.
#[derive(Clone, Copy, Debug)]
pub enum Feature<'a> {
    /// Whole numbers.
    Ints(&'a [i64]),
    /// Texts.
    Texts(&'a [&'a str]),
}

impl Feature<'_> {
    fn len(&self) -> usize {
        match self {
            Feature::Ints(numbers) => numbers.len(),
            Feature::Texts(texts) => texts.len(),
        }
    }

    fn hash(&self, sample: usize) -> u64 {
        match self {
            Feature::Ints(numbers) => numbers[sample] as u64,
            Feature::Texts(texts) => fingerprint(texts[sample].as_bytes()),
        }
    }
}

impl HashedCrossing {
    /// The bins of samples with these features, `(samples)`.
    ///
    /// # Errors
    /// When there are fewer than two features, or one has another number of samples.
    pub fn call_features(&self, features: &[Feature<'_>]) -> Result<Tensor> {
        self.check_options()?;
        let bins = self.bins(features)?;
        let count = bins.len();
        self.encoded(&Tensor::new(bins, [count])?)
    }

    fn bins(&self, features: &[Feature<'_>]) -> Result<Vec<i64>> {
        let samples = features.first().map_or(0, Feature::len);
        if features.len() < 2 || features.iter().any(|f| f.len() != samples) {
            let rule = "there must be two or more, each with as many samples";
            let sizes: Vec<usize> = features.iter().map(Feature::len).collect();
            return Err(Error::setting("features", rule, format!("{sizes:?} samples")));
        }
        // TensorFlow's default key.
        const KEY: u64 = 956_888_297_470;
        let bin = |sample: usize| {
            let hash = features.iter().fold(KEY, |hash, f| joined(hash, f.hash(sample)));
            (hash % self.num_bins as u64) as i64
        };
        Ok((0..samples).map(bin).collect())
    }

    fn encoded(&self, bins: &Tensor) -> Result<Tensor> {
        encode(bins, &self.output_mode, self.num_bins, None, self.output_dtype())
    }

    fn output_dtype(&self) -> DType {
        self.common.dtype.unwrap_or(self.output_mode.dtype())
    }

    fn check_options(&self) -> Result<()> {
        positive("num_bins", self.num_bins)?;
        self.output_mode.check_among(&[OutputMode::Int, OutputMode::OneHot])?;
        check_dense(self.sparse)
    }

    fn check_inputs(&self, inputs: &[&Spec]) -> Result<()> {
        let fine = |x: &&Spec| {
            let column = x.shape.rank() < 2 || (x.shape.rank() == 2 && x.dims()[1] == 1);
            column && x.shape == inputs[0].shape && !x.dtype.is_float() && x.dtype != DType::Bool
        };
        if inputs.len() >= 2 && inputs.iter().all(fine) {
            return Ok(());
        }
        let shapes: Vec<_> = inputs.iter().map(|x| &x.shape).collect();
        let rule = "the layer takes two inputs or more, of whole numbers and of one shape, (batch) \
                    or (batch, 1)";
        Err(Error::input(rule, &shapes))
    }
}

impl Layer for HashedCrossing {
    type Weights = ();
    const WITHOUT: &'static [&'static str] = &["trainable"];

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        self.check_options()?;
        self.check_inputs(&inputs.iter().collect::<Vec<_>>())
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        self.check_inputs(&x.tensors.iter().map(Tensor::spec).collect::<Vec<_>>())?;
        let columns: Vec<Tensor> = x.tensors.iter().map(|x| x.cast(DType::I64)).collect();
        if columns.iter().any(Tensor::is_symbolic) {
            return self.encoded(&Tensor::symbolic(*columns[0].spec()));
        }
        let columns = columns.iter().map(|x| x.to_vec::<i64>()).collect::<Result<Vec<_>, _>>()?;
        let features: Vec<Feature<'_>> = columns.iter().map(|c| Feature::Ints(c)).collect();
        self.encoded(&Tensor::new(self.bins(&features)?, *x.tensors[0].shape())?)
    }

    fn write_settings(&self, config: &mut Config) {
        use crate::setting::Setting;
        config.insert("dtype".into(), self.output_dtype().to_json());
    }
}
