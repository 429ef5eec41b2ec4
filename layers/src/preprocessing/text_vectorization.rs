//! Texts as numbers of their words.

use cornu_autodiff::{Spec, Tensor};
use serde_json::{Value, json};

use super::encoding::OutputMode;
use super::lookup::write_size;
use super::string_lookup::{StringLookup, texts_only};
use crate::arg::Arg;
use crate::builder::WeightBuilder;
use crate::choice::choice;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::setting::{Config, Setting};

choice! {
    /// What is done to a text before it is split.
    pub enum Standardize("standardize") {
        /// ASCII letters become small, ASCII punctuation goes.
        LowerAndStripPunctuation = "lower_and_strip_punctuation",
        /// ASCII letters become small.
        Lower = "lower",
        /// ASCII punctuation goes.
        StripPunctuation = "strip_punctuation",
    }
}

choice! {
    /// Where a text is split.
    pub enum Split("split") {
        /// At white space.
        Whitespace = "whitespace",
        /// After each character.
        Character = "character",
    }
}

/// How many words are taken together as one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ngrams {
    /// 1, 2, … up to this.
    UpTo(usize),
    /// These.
    Widths(Vec<usize>),
}

impl Ngrams {
    fn widths(&self) -> Vec<usize> {
        match self {
            Ngrams::UpTo(most) => (1..=*most).collect(),
            Ngrams::Widths(widths) => widths.clone(),
        }
    }
}

impl Arg<Option<Ngrams>> for usize {
    fn arg(self) -> Option<Ngrams> {
        Some(Ngrams::UpTo(self))
    }
}
impl<const N: usize> Arg<Option<Ngrams>> for [usize; N] {
    fn arg(self) -> Option<Ngrams> {
        Some(Ngrams::Widths(self.into()))
    }
}

impl Setting for Ngrams {
    fn to_json(&self) -> Value {
        match self {
            Ngrams::UpTo(most) => json!(most),
            Ngrams::Widths(widths) => json!(widths),
        }
    }
    fn from_json(value: &Value) -> Result<Ngrams> {
        match value {
            Value::Array(_) => Vec::from_json(value).map(Ngrams::Widths),
            one => usize::from_json(one).map(Ngrams::UpTo),
        }
    }
    fn check(&self) -> Result<()> {
        let fine = match self {
            Ngrams::UpTo(most) => (1..=1000).contains(most),
            Ngrams::Widths(widths) => widths.iter().all(|&n| n > 0) && !widths.is_empty(),
        };
        if fine {
            return Ok(());
        }
        Err(Error::setting(
            "`ngrams`",
            "it must be in 1..=1000, or a list without 0",
            self.to_json(),
        ))
    }
}

config! {
    /// Each text as the numbers of its words in a vocabulary: standardized, split, perhaps several
    /// words taken together, and looked up. Number 0 is padding, 1 an unknown word.
    ///
    /// A tensor holds no texts, so this layer isn't called in a model but before it, by
    /// [`call_strings`](TextVectorization::call_strings). Its config is that of Keras.
    ///
    /// | `output_mode` | texts | output |
    /// |---|---|---|
    /// | `"int"` | `(batch)` | `(batch, output_sequence_length or the most words)`, int64 |
    /// | `"multi_hot"`, `"count"`, `"tf_idf"` | `(batch)` | `(batch, tokens)`, float32 |
    ///
    /// ```
    /// use cornu_layers::TextVectorization;
    /// let mut layer = TextVectorization::new().output_sequence_length(4);
    /// layer.adapt(&["the cat", "The dog!"])?;
    /// assert_eq!(layer.get_vocabulary(true)?, ["", "[UNK]", "the", "dog", "cat"]);
    /// let x = layer.call_strings(&["the bird", "a cat and a dog"])?;
    /// assert_eq!(x.to_vec::<i64>()?, [2, 1, 0, 0, 1, 4, 1, 1]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no vocabulary, or options exclude one another.
    ///
    /// # Difference from Keras
    /// What `adapt` finds becomes the options `vocabulary` and `idf_weights`, and so is in the
    /// config. There are no functions of your own for `standardize` and `split`: give texts as you
    /// want them, and `standardize(None)`. As in Keras, letters beyond ASCII stay as they are.
    pub struct TextVectorization["TextVectorization"] {
        ..
        /// The most tokens a vocabulary may have, padding and unknown words included.
        max_tokens: Option<usize> = None,
        /// What is done to a text first.
        standardize: Option<Standardize> = Some(Standardize::LowerAndStripPunctuation),
        /// Where a text is split; not at all without.
        split: Option<Split> = Some(Split::Whitespace),
        /// How many words are taken together.
        ngrams: Option<Ngrams> = None,
        /// How numbers are written.
        output_mode: OutputMode = OutputMode::Int,
        /// To how many numbers each text is cut or padded, in mode `"int"`.
        output_sequence_length: Option<usize> = None,
        /// Whether vectors have `max_tokens` elements, however few tokens there are.
        pad_to_max_tokens: bool = false,
        /// Must be false.
        sparse: bool = false,
        /// Must be false.
        ragged: bool = false,
        /// The words.
        vocabulary: Option<Vec<String>> = None,
        /// For mode `"tf_idf"`: how rare each word of the vocabulary is.
        idf_weights: Option<Vec<f64>> = None,
        /// Must be `"utf-8"`.
        encoding: String = "utf-8".to_owned(),
        /// Read from files, and worked out from the vocabulary.
        vocabulary_size: Option<usize> = None,
    }
}

impl TextVectorization {
    /// The lookup of words.
    fn lookup(&self) -> StringLookup {
        let mut lookup = StringLookup::new()
            .max_tokens(self.max_tokens)
            .mask_token("")
            .output_mode(self.output_mode.clone())
            .sparse(self.sparse)
            .pad_to_max_tokens(self.pad_to_max_tokens)
            .encoding(self.encoding.clone());
        lookup.vocabulary.clone_from(&self.vocabulary);
        lookup.idf_weights.clone_from(&self.idf_weights);
        lookup
    }

    fn check_options(&self) -> Result<()> {
        if self.ragged {
            return Err(Error::setting("`ragged`", "it must be false: tensors are full", true));
        }
        if self.output_mode == OutputMode::OneHot {
            let rule = "it must be one of `int`, `multi_hot`, `count`, `tf_idf`";
            return Err(Error::setting("`output_mode`", rule, "`one_hot`"));
        }
        if let Some(length) = self.output_sequence_length
            && (self.output_mode != OutputMode::Int || self.split.is_none() || length > 1 << 30)
        {
            let rule = "it is for the output mode `int` and texts that are split, and at most 2^30";
            return Err(Error::setting("`output_sequence_length`", rule, length));
        }
        self.ngrams.as_ref().map_or(Ok(()), Setting::check)
    }

    /// The tokens of a text.
    fn tokens(&self, text: &str) -> Vec<String> {
        let mut text = text.to_owned();
        let how = &self.standardize;
        if matches!(how, Some(Standardize::Lower | Standardize::LowerAndStripPunctuation)) {
            text.make_ascii_lowercase();
        }
        if matches!(
            how,
            Some(Standardize::StripPunctuation | Standardize::LowerAndStripPunctuation)
        ) {
            text.retain(|c| !c.is_ascii_punctuation());
        }
        let space = |c: char| c.is_ascii_whitespace() || c == '\u{b}';
        let words: Vec<String> = match self.split {
            None => vec![text],
            Some(Split::Character) => text.chars().map(String::from).collect(),
            Some(_) => text.split(space).filter(|w| !w.is_empty()).map(str::to_owned).collect(),
        };
        let Some(ngrams) = &self.ngrams else { return words };
        let together = |n: usize| words.windows(n).map(|part| part.join(" ")).collect::<Vec<_>>();
        ngrams.widths().into_iter().flat_map(together).collect()
    }

    /// Learns the vocabulary of texts: the most frequent tokens first, among equally frequent ones
    /// the greatest.
    ///
    /// # Errors
    /// When an option is wrong or there is nothing to learn.
    pub fn adapt(&mut self, texts: &[impl AsRef<str>]) -> Result<()> {
        self.check_options()?;
        let documents: Vec<Vec<String>> = texts.iter().map(|t| self.tokens(t.as_ref())).collect();
        let mut lookup = self.lookup();
        lookup.adapt_documents(&documents)?;
        self.vocabulary = lookup.vocabulary;
        self.idf_weights = lookup.idf_weights;
        Ok(())
    }

    /// The tokens by number, with or without padding and unknown words.
    ///
    /// # Errors
    /// When there is no vocabulary.
    pub fn get_vocabulary(&self, include_special_tokens: bool) -> Result<Vec<String>> {
        self.lookup().get_vocabulary(include_special_tokens)
    }

    /// What texts are, a row each.
    ///
    /// # Errors
    /// When there is no vocabulary, or an option is wrong.
    pub fn call_strings(&self, texts: &[impl AsRef<str>]) -> Result<Tensor> {
        self.check_options()?;
        let lookup = self.lookup();
        let rows: Vec<Vec<String>> = texts.iter().map(|text| self.tokens(text.as_ref())).collect();
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = self.output_sequence_length.unwrap_or(longest);
        // Padding is the mask, which has number 0 and is left out where numbers are counted.
        let padded = rows
            .into_iter()
            .flat_map(|row| row.into_iter().chain(std::iter::repeat(String::new())).take(width));
        let tokens: Vec<String> = padded.collect();
        let flat = self.split.is_none() && self.output_mode == OutputMode::Int;
        match flat {
            true => lookup.call_strings(&tokens, [tokens.len()]),
            false => lookup.call_strings(&tokens, [texts.len(), width]),
        }
    }
}

impl Layer for TextVectorization {
    type Weights = ();

    fn build(&self, _: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        Err(texts_only("call_strings"))
    }

    fn call(&self, _: &(), _: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        Err(texts_only("call_strings"))
    }

    fn write_settings(&self, config: &mut Config) {
        write_size(self.lookup().table(), self.vocabulary_size, config);
    }
}
