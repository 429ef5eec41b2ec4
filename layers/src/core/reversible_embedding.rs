//! A table that is read by number, and projects back.

use cornu_autodiff::{DType, Spec, Tensor, apply, ops};

use super::embedding::Embedding;
use crate::builder::{WeightBuilder, WeightOptions};
use crate::check::{one, positive, positive_number};
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer};
use crate::parameter::Parameter;
use crate::regularizer::Regularizer;
use crate::setting::{Config, Configured, write_penalty};

config! {
    /// A learned vector for each token, as [`Embedding`](crate::Embedding), and the way back: from
    /// vectors to a score for each token, `y = x · embeddingsᵀ` (Press and Wolf 2016,
    /// arXiv:1608.05859).
    ///
    /// | input | `embeddings` | output |
    /// |---|---|---|
    /// | `(batch, …)`, whole numbers of an integer dtype | `(input_dim, output_dim)` | `(batch, …, output_dim)` |
    /// | `(batch, …, output_dim)`, floating-point | the same | `(batch, …, input_dim)` |
    ///
    /// Without `tie_weights` the way back has a kernel `reverse_embeddings`,
    /// `(output_dim, input_dim)`. With `logit_soft_cap` its scores are
    /// `tanh(y / cap) · cap`.
    ///
    /// ```
    /// use cornu_autodiff::DType;
    /// use cornu_layers::{Apply, Input, IntoLayer, ReversibleEmbedding};
    /// let embedding = ReversibleEmbedding::new(100, 8).into_layer();
    /// let hidden = (&embedding).apply(&Input::new([5]).dtype(DType::I32).symbol())?;
    /// let scores = (&embedding).apply(&hidden)?;
    /// assert_eq!(scores.shape(), [None, Some(5), Some(100)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Embedding`](crate::Embedding); and when vectors haven't `output_dim` elements.
    ///
    /// # Difference from Keras
    /// The dtype of the input tells the direction, where Keras is called with `reverse=True`. On
    /// the way back a mask passes through, where Keras drops it.
    pub struct ReversibleEmbedding["ReversibleEmbedding"] {
        /// Number of tokens: the largest plus one.
        input_dim: usize,
        /// Size of a token's vector.
        output_dim: usize,
        ..
        /// First value of `embeddings`, and of `reverse_embeddings`.
        embeddings_initializer: Initializer = Initializer::random_uniform(-0.05, 0.05),
        /// Penalty on `embeddings`.
        embeddings_regularizer: Option<Regularizer> = None,
        /// What `embeddings` is brought back to after each step.
        embeddings_constraint: Option<Constraint> = None,
        /// Whether token 0 is padding.
        mask_zero: bool = false,
        /// Whether the way back has the same weights.
        tie_weights: bool = true,
        /// The dtype in which the way back is computed: `"float32"` or `"float64"`; the layer's
        /// own unless set.
        reverse_dtype: Option<String> = None,
        /// Bound of the scores' magnitude, if any.
        logit_soft_cap: Option<f64> = None,
    }
}

/// Weights of [`ReversibleEmbedding`].
#[derive(Debug)]
pub struct ReversibleEmbeddingWeights {
    embeddings: Parameter,
    reverse: Option<Parameter>,
}

impl Layer for ReversibleEmbedding {
    type Weights = ReversibleEmbeddingWeights;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Self::Weights> {
        positive("input_dim", self.input_dim)?;
        positive("output_dim", self.output_dim)?;
        self.logit_soft_cap.map_or(Ok(()), |cap| positive_number("logit_soft_cap", cap))?;
        self.dtype_back()?;
        one(inputs, 0)?;
        let options =
            WeightOptions::learned(&self.embeddings_regularizer, &self.embeddings_constraint);
        let first = &self.embeddings_initializer;
        let shape = [self.input_dim, self.output_dim];
        let embeddings = weights.add_with("embeddings", &shape, first, options)?;
        let back = [self.output_dim, self.input_dim];
        let reverse = (!self.tie_weights)
            .then(|| weights.add("reverse_embeddings", &back, first))
            .transpose()?;
        Ok(ReversibleEmbeddingWeights { embeddings, reverse })
    }

    fn call(&self, w: &Self::Weights, x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        if !x.dtype().is_float() {
            let tokens = Embedding::new(self.input_dim, self.output_dim).tokens(x)?;
            return Ok(apply(ops::Take { axis: 0 }, &[&w.embeddings.value(), &tokens])?);
        }
        if x.dims().last() != Some(&self.output_dim) {
            let rule = format!("vectors must have {} elements (`output_dim`)", self.output_dim);
            return Err(Error::input(rule, &[x.shape()]));
        }
        let kernel = w.reverse.as_ref().map_or_else(|| w.embeddings.value().t(), Parameter::value);
        let dtype = self.dtype_back()?.unwrap_or(x.dtype());
        let rows = x.cast(dtype).try_reshape(&[-1, self.output_dim as isize])?;
        let y = apply(ops::MatMul, &[&rows, &kernel.cast(dtype)])?;
        let mut shape: Vec<isize> = x.dims().iter().map(|&n| n as isize).collect();
        shape[x.rank() - 1] = self.input_dim as isize;
        let y = y.try_reshape(&shape)?;
        Ok(match self.logit_soft_cap {
            Some(cap) => (y * (1.0 / cap)).tanh() * cap,
            None => y,
        })
    }

    fn mask(&self, _: &Self::Weights, x: &Inputs<'_>) -> Result<Option<Tensor>> {
        let tokens = x.only()?;
        if tokens.dtype().is_float() {
            return Ok(x.mask(0).cloned());
        }
        if !self.mask_zero {
            return Ok(None);
        }
        Ok(Some(apply(ops::NotEqual, &[tokens, &tokens.zeros_like()])?))
    }

    fn write_settings(&self, config: &mut Config) {
        write_penalty(self.common(), config, "embeddings_regularizer");
        let at = config.keys().position(|key| key == "tie_weights").unwrap_or(config.len());
        config.shift_insert(at, "quantization_config".into(), serde_json::Value::Null);
    }
}

impl ReversibleEmbedding {
    /// The dtype of the way back, if it has one of its own.
    fn dtype_back(&self) -> Result<Option<DType>> {
        let Some(name) = &self.reverse_dtype else { return Ok(None) };
        match name.parse::<DType>() {
            Ok(dtype) if dtype.is_float() => Ok(Some(dtype)),
            _ => Err(Error::setting("`reverse_dtype`", "it must be float32 or float64", name)),
        }
    }
}
