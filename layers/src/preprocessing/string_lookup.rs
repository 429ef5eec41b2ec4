//! Texts by their number in a vocabulary.

use cornu_autodiff::{IntoShape, Spec, Tensor};

use super::encoding::OutputMode;
use super::lookup::{OovMethod, Options, Table, learn, options, write_size};
use super::token::Salt;
use crate::builder::WeightBuilder;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::setting::Config;

config! {
    /// The number of each text in a vocabulary: the mask has number 0 if there is one, then come
    /// `num_oov_indices` numbers for unknown texts, and then the vocabulary.
    ///
    /// A tensor holds no texts, so this layer isn't called in a model but before it, by
    /// [`call_strings`](StringLookup::call_strings); or with `invert` behind it, by
    /// [`call_indices`](StringLookup::call_indices). Its config is that of Keras.
    ///
    /// | `output_mode` | texts | output |
    /// |---|---|---|
    /// | `"int"` | `(batch, …)` | `(batch, …)`, int64 |
    /// | `"one_hot"` | `(batch, n)` or `(batch, 1)` | `(batch, n, tokens)` or `(batch, tokens)`, float32 |
    /// | `"multi_hot"`, `"count"`, `"tf_idf"` | `(batch, n)` | `(batch, tokens)`, float32 |
    ///
    /// ```
    /// use cornu_layers::StringLookup;
    /// let mut lookup = StringLookup::new();
    /// lookup.adapt(&["a", "b", "b"])?;
    /// assert_eq!(lookup.get_vocabulary(true)?, ["[UNK]", "b", "a"]);
    /// let numbers = lookup.call_strings(&["a", "z"], [2])?;
    /// assert_eq!(numbers.to_vec::<i64>()?, [2, 0]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no vocabulary, or it has a token twice; when an unknown text comes and there
    /// is no number for it.
    ///
    /// # Difference from Keras
    /// What `adapt` finds becomes the options `vocabulary` and `idf_weights`, and so is in the
    /// config. Keras keeps it in a file beside the weights.
    pub struct StringLookup["StringLookup"] {
        ..
        /// Whether numbers become texts.
        invert: bool = false,
        /// The most tokens a vocabulary may have, those of a special meaning included.
        max_tokens: Option<usize> = None,
        /// How many numbers there are for unknown texts, which are told apart by their hash.
        num_oov_indices: usize = 1,
        /// What stands for unknown texts.
        oov_token: String = "[UNK]".to_owned(),
        /// What stands for nothing: number 0 in mode `"int"`, left out in others.
        mask_token: Option<String> = None,
        /// How numbers are written.
        output_mode: OutputMode = OutputMode::Int,
        /// Must be false.
        sparse: bool = false,
        /// Whether vectors have `max_tokens` elements, however few tokens there are.
        pad_to_max_tokens: bool = false,
        /// For mode `"tf_idf"`: how rare each token of the vocabulary is.
        idf_weights: Option<Vec<f64>> = None,
        /// The tokens.
        vocabulary: Option<Vec<String>> = None,
        /// Read from files, and worked out from the vocabulary.
        vocabulary_size: Option<usize> = None,
        /// Of no effect on texts.
        oov_method: OovMethod = OovMethod::Floormod,
        /// Key of the hash by which unknown texts are told apart.
        salt: Option<Salt> = None,
        /// Must be `"utf-8"`.
        encoding: String = "utf-8".to_owned(),
    }
}

impl StringLookup {
    pub(super) fn options(&self) -> Options<'_, String> {
        options!(self)
    }

    pub(super) fn table(&self) -> Result<Table<'_, String>> {
        if self.encoding != "utf-8" {
            return Err(Error::setting("`encoding`", "it must be `utf-8`", &self.encoding));
        }
        self.options().table()
    }

    /// Learns the vocabulary, each text a document of its own: the most frequent first, among
    /// equally frequent ones the greatest.
    ///
    /// # Errors
    /// When an option is wrong or there is nothing to learn.
    pub fn adapt(&mut self, texts: &[impl AsRef<str>]) -> Result<()> {
        let documents: Vec<Vec<String>> =
            texts.iter().map(|text| vec![text.as_ref().to_owned()]).collect();
        self.adapt_documents(&documents)
    }

    /// As [`adapt`](StringLookup::adapt), for documents of several tokens: for `"tf_idf"`.
    ///
    /// # Errors
    /// As `adapt`.
    pub fn adapt_documents(&mut self, documents: &[Vec<String>]) -> Result<()> {
        let (vocabulary, rarity) = learn(documents, &self.options())?;
        self.vocabulary = Some(vocabulary);
        self.idf_weights = (self.output_mode == OutputMode::TfIdf).then_some(rarity);
        Ok(())
    }

    /// The tokens by number, with or without those of a special meaning.
    ///
    /// # Errors
    /// When there is no vocabulary.
    pub fn get_vocabulary(&self, include_special_tokens: bool) -> Result<Vec<String>> {
        Ok(self.table()?.vocabulary(include_special_tokens))
    }

    /// What texts, given row by row, are in a tensor of this shape.
    ///
    /// # Errors
    /// When there is no vocabulary, the shape holds another number of elements, or there is no
    /// number for an unknown text.
    pub fn call_strings(&self, texts: &[impl AsRef<str>], shape: impl IntoShape) -> Result<Tensor> {
        if self.invert {
            let rule = "it must be false for texts to become numbers";
            return Err(Error::setting("`invert`", rule, true));
        }
        let texts: Vec<String> = texts.iter().map(|text| text.as_ref().to_owned()).collect();
        self.table()?.encode(&texts, shape)
    }

    /// The texts of numbers, row by row, whatever `invert` says.
    ///
    /// # Errors
    /// When there is no vocabulary, or the tensor isn't of whole numbers.
    pub fn call_indices(&self, numbers: &Tensor) -> Result<Vec<String>> {
        let numbers = numbers.cast(cornu_autodiff::DType::I64).to_vec::<i64>()?;
        Ok(self.table()?.tokens(&numbers))
    }
}

impl Layer for StringLookup {
    type Weights = ();

    fn build(&self, _: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        Err(texts_only("call_strings"))
    }

    fn call(&self, _: &(), _: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        Err(texts_only("call_strings"))
    }

    fn write_settings(&self, config: &mut Config) {
        write_size(self.table(), self.vocabulary_size, config);
    }
}

/// The error of a layer that works on texts and is put into a model.
pub(super) fn texts_only(method: &str) -> Error {
    let rule = format!(
        "the layer works on texts, which tensors don't hold; call `{method}` on the texts, and the \
         model on what it gives"
    );
    Error::setting("input", rule, "a tensor")
}
