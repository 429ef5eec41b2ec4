//! Whole numbers by their place in a vocabulary.

use cornu_autodiff::{DType, Error as TensorError, Spec, Tensor};

use super::encoding::OutputMode;
use super::lookup::{OovMethod, Options, Table, learn, options, write_size};
use super::token::Salt;
use crate::builder::WeightBuilder;
use crate::check::one;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::setting::Config;

config! {
    /// The place of each whole number in a vocabulary: the mask has place 0 if there is one, then
    /// come `num_oov_indices` places for unknown numbers, and then the vocabulary.
    ///
    /// | `output_mode` | input | output |
    /// |---|---|---|
    /// | `"int"` | `(batch, …)`, whole numbers | `(batch, …)`, int64 |
    /// | `"one_hot"` | `(batch, n)` or `(batch, 1)` | `(batch, n, tokens)` or `(batch, tokens)`, float32 |
    /// | `"multi_hot"`, `"count"`, `"tf_idf"` | `(batch, n)` | `(batch, tokens)`, float32 |
    ///
    /// ```
    /// use cornu_autodiff::Tensor;
    /// use cornu_layers::{Context, Inputs, IntegerLookup, IntoLayer};
    /// let layer = IntegerLookup::new().vocabulary(vec![12, 36]).into_layer();
    /// let x = [Tensor::from([36i64, 7])];
    /// layer.build(&[*x[0].spec()])?;
    /// let (y, _) = layer.call(&Inputs::new(&x), &mut Context::inference())?;
    /// assert_eq!(y[0].to_vec::<i64>()?, [2, 0]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no vocabulary, or it has a number twice; when an unknown number comes and
    /// there is no place for it.
    ///
    /// # Difference from Keras
    /// What `adapt` finds becomes the options `vocabulary` and `idf_weights`, and so is in the
    /// config. Keras keeps it in a file beside the weights.
    pub struct IntegerLookup["IntegerLookup"] {
        ..
        /// Whether places become numbers.
        invert: bool = false,
        /// The most tokens a vocabulary may have, those of a special meaning included.
        max_tokens: Option<usize> = None,
        /// How many places there are for unknown numbers.
        num_oov_indices: usize = 1,
        /// What stands for unknown numbers.
        oov_token: i64 = -1,
        /// What stands for nothing: place 0 in mode `"int"`, left out in others.
        mask_token: Option<i64> = None,
        /// How places are written.
        output_mode: OutputMode = OutputMode::Int,
        /// Must be false.
        sparse: bool = false,
        /// Whether vectors have `max_tokens` elements, however few tokens there are.
        pad_to_max_tokens: bool = false,
        /// The dtype of the vocabulary; must be `"int64"`.
        vocabulary_dtype: String = "int64".to_owned(),
        /// For mode `"tf_idf"`: how rare each token of the vocabulary is.
        idf_weights: Option<Vec<f64>> = None,
        /// The tokens.
        vocabulary: Option<Vec<i64>> = None,
        /// Read from files, and worked out from the vocabulary.
        vocabulary_size: Option<usize> = None,
        /// How unknown numbers are told apart, where there are several places.
        oov_method: OovMethod = OovMethod::Floormod,
        /// Key of the hash by which unknown numbers are told apart.
        salt: Option<Salt> = None,
    }
}

impl IntegerLookup {
    fn options(&self) -> Options<'_, i64> {
        options!(self)
    }

    fn table(&self) -> Result<Table<'_, i64>> {
        self.options().table()
    }

    /// Learns the vocabulary: the most frequent numbers first, among equally frequent ones the
    /// greatest. Each row of a matrix is a document; each number of a vector.
    ///
    /// # Errors
    /// When an option is wrong, the tensor isn't of whole numbers, or there is nothing to learn.
    pub fn adapt(&mut self, data: &Tensor) -> Result<()> {
        check_whole(data.spec())?;
        let numbers = data.cast(DType::I64).to_vec::<i64>()?;
        let width = if data.rank() < 2 { 1 } else { data.dims()[data.rank() - 1].max(1) };
        let documents: Vec<Vec<i64>> = numbers.chunks(width).map(<[i64]>::to_vec).collect();
        let (vocabulary, rarity) = learn(&documents, &self.options())?;
        self.vocabulary = Some(vocabulary);
        self.idf_weights = (self.output_mode == OutputMode::TfIdf).then_some(rarity);
        Ok(())
    }

    /// The tokens by place, with or without those of a special meaning.
    ///
    /// # Errors
    /// When there is no vocabulary.
    pub fn get_vocabulary(&self, include_special_tokens: bool) -> Result<Vec<i64>> {
        Ok(self.table()?.vocabulary(include_special_tokens))
    }
}

fn check_whole(x: &Spec) -> Result<()> {
    if x.dtype.is_float() || x.dtype == DType::Bool {
        return Err(TensorError::dtype("input", "the layer takes whole numbers", &[x]).into());
    }
    Ok(())
}

impl Layer for IntegerLookup {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        if self.vocabulary_dtype != "int64" {
            let rule = "it must be `int64`";
            return Err(Error::setting("`vocabulary_dtype`", rule, &self.vocabulary_dtype));
        }
        let x = one(inputs, 0)?;
        check_whole(x)?;
        self.table()?.output(&x.shape).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        check_whole(x.spec())?;
        let table = self.table()?;
        if x.is_symbolic() {
            return Ok(Tensor::symbolic(table.output(x.shape())?));
        }
        let numbers = x.cast(DType::I64).to_vec::<i64>()?;
        if self.invert {
            return Ok(Tensor::new(table.tokens(&numbers), *x.shape())?);
        }
        table.encode(&numbers, *x.shape())
    }

    fn write_settings(&self, config: &mut Config) {
        write_size(self.table(), self.vocabulary_size, config);
    }
}
