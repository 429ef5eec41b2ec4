//! Rows of a table, by number.

use cornu_autodiff::{DType, Element, Error as TensorError, Spec, Tensor, apply, ops};

use crate::builder::{WeightBuilder, WeightOptions};
use crate::check::{one, positive};
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
    /// A learned vector for each token: `y[…] = embeddings[x[…]]`.
    ///
    /// | input | `embeddings` | output |
    /// |---|---|---|
    /// | `(batch, …)`, whole numbers in `0..input_dim` | `(input_dim, output_dim)` | `(batch, …, output_dim)` |
    ///
    /// With `mask_zero`, token 0 is padding: the output has a mask that is false there.
    ///
    /// ```
    /// use cornu_autodiff::DType;
    /// use cornu_layers::{Apply, Embedding, Input};
    /// let tokens = Input::new([None]).dtype(DType::I32).symbol();
    /// let y = Embedding::new(1000, 64).mask_zero(true).apply(&tokens)?;
    /// assert_eq!(y.shape(), [None, None, Some(64)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a token is no whole number in `0..input_dim`, or a size is 0.
    ///
    /// # Difference from Keras
    /// Keras on JAX makes NaN of a token out of range, and cuts fractions off. There is no
    /// quantization and no LoRA; files that ask for them are refused.
    pub struct Embedding["Embedding"] {
        /// Number of tokens: the largest plus one.
        input_dim: usize,
        /// Size of a token's vector.
        output_dim: usize,
        ..
        /// First value of `embeddings`.
        embeddings_initializer: Initializer = Initializer::random_uniform(-0.05, 0.05),
        /// Penalty on `embeddings`.
        embeddings_regularizer: Option<Regularizer> = None,
        /// What `embeddings` is brought back to after each step.
        embeddings_constraint: Option<Constraint> = None,
        /// Whether token 0 is padding.
        mask_zero: bool = false,
    }
}

impl Layer for Embedding {
    type Weights = Parameter;
    const FIXED: &'static [(&'static str, &'static str)] = &[("quantization_config", "null")];

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Parameter> {
        positive("input_dim", self.input_dim)?;
        positive("output_dim", self.output_dim)?;
        one(inputs, 0)?;
        let shape = [self.input_dim, self.output_dim];
        let options =
            WeightOptions::learned(&self.embeddings_regularizer, &self.embeddings_constraint);
        weights.add_with("embeddings", &shape, &self.embeddings_initializer, options)
    }

    fn call(&self, table: &Parameter, x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let tokens = self.tokens(x.only()?)?;
        Ok(apply(ops::Take { axis: 0 }, &[&table.value(), &tokens])?)
    }

    fn mask(&self, _: &Parameter, x: &Inputs<'_>) -> Result<Option<Tensor>> {
        if !self.mask_zero {
            return Ok(None);
        }
        let x = x.only()?;
        Ok(Some(apply(ops::NotEqual, &[x, &x.zeros_like()])?))
    }

    fn write_settings(&self, config: &mut Config) {
        write_penalty(self.common(), config, "embeddings_regularizer");
    }
}

impl Embedding {
    /// The input as whole numbers, all within the table.
    pub(super) fn tokens(&self, x: &Tensor) -> Result<Tensor> {
        let strange = match x.dtype() {
            DType::F32 => self.strange::<f32>(x),
            DType::F64 => self.strange::<f64>(x),
            DType::I32 => self.strange::<i32>(x),
            DType::I64 => self.strange::<i64>(x),
            DType::U8 => self.strange::<u8>(x),
            DType::Bool => {
                let rule = "tokens are whole numbers";
                return Err(TensorError::dtype("input", rule, &[x.spec()]).into());
            }
        };
        match strange? {
            Some(token) => {
                let rule =
                    format!("tokens must be whole numbers in 0..{} (`input_dim`)", self.input_dim);
                Err(Error::setting("input", rule, token))
            }
            None if x.dtype().is_float() => Ok(x.cast(DType::I64)),
            None => Ok(x.clone()),
        }
    }

    /// The first token that isn't one.
    fn strange<T: Element>(&self, x: &Tensor) -> Result<Option<f64>> {
        if x.is_symbolic() {
            return Ok(None);
        }
        let end = self.input_dim as f64;
        let fits = |v: &f64| *v >= 0.0 && *v < end && v.fract() == 0.0;
        Ok(x.with_slice(|v: &[T]| v.iter().map(|v| v.to_f64()).find(|v| !fits(v)))?)
    }
}
