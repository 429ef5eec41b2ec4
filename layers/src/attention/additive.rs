//! Attention by sums.

use cornu_autodiff::Spec;

use super::dot::{AttentionWeights, CALL_ARGUMENTS, attend, check_inputs, options, pairs, split};
use super::mask::like_query;
use crate::builder::WeightBuilder;
use crate::check::probability;
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Tensors, known_axis};

config! {
    /// Attention (Bahdanau et al. 2014, arXiv:1409.0473): each query gets the mean of all
    /// values, weighted by `softmax(Σ scale · tanh(query + key))`.
    ///
    /// | inputs | `scale` | output |
    /// |---|---|---|
    /// | query `(batch, …, queries, size)`, value `(batch, …, keys, width)`, key `(batch, …, keys, size)`; without a key the value is also key | `(size)` | `(batch, …, queries, width)` |
    ///
    /// Keys that the value's mask leaves out get no weight; queries that the query's mask leaves
    /// out have output 0, and their mask is the output's.
    ///
    /// ```
    /// use cornu_layers::{AdditiveAttention, Apply, input};
    /// let (query, value) = (input([4, 8]), input([6, 8]));
    /// let y = AdditiveAttention::new().apply([&query, &value])?;
    /// assert_eq!(y.shape(), [None, Some(4), Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there are not two or three inputs, or their shapes or masks don't fit.
    ///
    /// # Difference from Keras
    /// Two arguments of Keras's call are options here: `use_causal_mask` and
    /// `return_attention_scores`.
    pub struct AdditiveAttention["AdditiveAttention"] {
        ..
        /// Whether the sum is weighted by a learned vector.
        use_scale: bool = true,
        /// The probability with which a weight is dropped while training.
        dropout: f64 = 0.0,
        /// Chooses a stream of draws for what is dropped.
        seed: Option<u64> = None,
        /// Whether queries may only attend to keys that aren't later than they.
        use_causal_mask: bool = false,
        /// Whether the weights `(batch, …, queries, keys)` are a second output.
        return_attention_scores: bool = false,
    }
}

impl Layer for AdditiveAttention {
    type Weights = AttentionWeights;
    const CALL_ARGUMENTS: &'static [&'static str] = CALL_ARGUMENTS;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<AttentionWeights> {
        probability("dropout", self.dropout)?;
        check_inputs(inputs)?;
        let size = known_axis(&inputs[0], -1)?;
        let make = || weights.add("scale", &[size], &Initializer::glorot_uniform());
        Ok(AttentionWeights::scaled(self.use_scale.then(make).transpose()?))
    }

    like_query!();

    fn call_all(
        &self,
        w: &AttentionWeights,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<Tensors> {
        let [query, _, key] = split(inputs)?;
        let mut likeness = pairs(query, key)?.tanh();
        if let Some(scale) = &w.scale {
            likeness *= &scale.value();
        }
        attend(&likeness.sum(-1, false), inputs, options!(self), context)
    }
}
