//! Attention with several heads.

use cornu_autodiff::{Spec, axis_of};
use serde_json::{Value, json};

use super::dot::CALL_ARGUMENTS;
use super::heads::{Call, Heads, check, features, without_mask};
use super::mask::like_query;
use super::projection::{HeadSizes, HeadsWeights};
use crate::builder::WeightBuilder;
use crate::check::{all_positive, positive, probability};
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Tensors};
use crate::regularizer::Regularizer;
use crate::setting::{Config, Setting};

config! {
    /// Attention with several heads (Vaswani et al. 2017, arXiv:1706.03762): for each head,
    /// `softmax(query · key / √key_dim) · value` of learned projections, and a learned
    /// projection of all heads together.
    ///
    /// | inputs | output |
    /// |---|---|
    /// | query `(batch, …, features)`, value, key of the same rank; without a key the value is also key; then perhaps a bool mask `(batch, queries, keys)`, true where attention is allowed | `(batch, …, features)` of the query, or `output_shape` in place of `features` |
    ///
    /// Masks of the inputs are obeyed; the output has the query's.
    ///
    /// ```
    /// use cornu_layers::{Apply, MultiHeadAttention, input};
    /// let x = input([10, 16]);
    /// let y = MultiHeadAttention::new(2, 8).use_causal_mask(true).apply([&x, &x])?;
    /// assert_eq!(y.shape(), [None, Some(10), Some(16)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a size is 0, an axis isn't between batch and features, or inputs or masks don't fit.
    ///
    /// # Difference from Keras
    /// Two arguments of Keras's call are options here: `use_causal_mask` and
    /// `return_attention_scores`. A query that may attend to nothing gets, as in Keras, the mean
    /// of all values, but 0 if `dropout` is set or scores are returned.
    pub struct MultiHeadAttention["MultiHeadAttention"] {
        /// Number of heads.
        num_heads: usize,
        /// Size of each head's query and key.
        key_dim: usize,
        ..
        /// Size of each head's value; `key_dim` by default.
        value_dim: Option<usize> = None,
        /// The probability with which a weight is dropped while training.
        dropout: f64 = 0.0,
        /// Whether projections have a bias.
        use_bias: bool = true,
        /// Whether what the heads found is multiplied by a learned gate of the query.
        use_gate: bool = false,
        /// Sizes of the output's axes in place of the query's features.
        output_shape: Option<Vec<usize>> = None,
        /// The axes between which attention is paid; all between batch and features by default.
        attention_axes: Option<Vec<isize>> = None,
        /// How far a query sees: keys at this distance or more get no weight.
        sliding_window: Option<usize> = None,
        /// First value of kernels.
        kernel_initializer: Initializer = Initializer::glorot_uniform(),
        /// First value of biases.
        bias_initializer: Initializer = Initializer::Zeros,
        /// Penalty on kernels.
        kernel_regularizer: Option<Regularizer> = None,
        /// Penalty on biases.
        bias_regularizer: Option<Regularizer> = None,
        /// What kernels are brought back to after each step.
        kernel_constraint: Option<Constraint> = None,
        /// What biases are brought back to after each step.
        bias_constraint: Option<Constraint> = None,
        /// Chooses a stream of draws for what is dropped.
        seed: Option<u64> = None,
        /// Whether queries may only attend to keys that aren't later than they.
        use_causal_mask: bool = false,
        /// Whether the weights `(batch, heads, queries, keys)` are a second output.
        return_attention_scores: bool = false,
    }
}

impl MultiHeadAttention {
    /// The axes between which attention is paid, from the first.
    fn axes(&self, rank: usize) -> Result<Vec<usize>> {
        let Some(axes) = &self.attention_axes else { return Ok((1..rank - 1).collect()) };
        let mut found = Vec::new();
        for &axis in axes {
            let axis = axis_of("`attention_axes`", axis, rank)?;
            if axis == 0 || axis == rank - 1 || found.contains(&axis) {
                let rule = "each must be another axis between batch and features";
                return Err(Error::setting("`attention_axes`", rule, format!("{axes:?}")));
            }
            found.push(axis);
        }
        if found.is_empty() {
            return Err(Error::setting("`attention_axes`", "there must be an axis", "none"));
        }
        Ok(found)
    }
}

/// The parts of a layer's projections.
macro_rules! head_parts {
    ($layer:expr) => {
        [
            $crate::part::part!($layer, true, kernel),
            $crate::part::part!($layer, $layer.use_bias, bias),
        ]
    };
}
pub(super) use head_parts;

impl Layer for MultiHeadAttention {
    type Weights = HeadsWeights;
    const CALL_ARGUMENTS: &'static [&'static str] = CALL_ARGUMENTS;
    const IGNORED: &'static [&'static str] = &["flash_attention"];
    const PENALIZES_ITSELF: bool = true;
    const MASK_INPUT: bool = true;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<HeadsWeights> {
        positive("num_heads", self.num_heads)?;
        positive("key_dim", self.key_dim)?;
        let value_dim = self.value_dim.unwrap_or(self.key_dim);
        positive("value_dim", value_dim)?;
        positive("sliding_window", self.sliding_window.unwrap_or(1))?;
        probability("dropout", self.dropout)?;
        let inputs = without_mask(inputs);
        check(inputs)?;
        self.axes(inputs[0].shape.rank())?;
        let features = features(inputs)?;
        let output = self.output_shape.as_deref().unwrap_or(&features[..1]);
        all_positive("output_shape", output)?;
        let heads = |size: usize| [self.num_heads, size];
        let sizes = HeadSizes {
            features,
            query: heads(self.key_dim),
            key: heads(self.key_dim),
            value: heads(value_dim),
            context: heads(value_dim),
            output,
        };
        HeadsWeights::make(&sizes, self.use_gate, &head_parts!(self), weights)
    }

    like_query!();

    fn call_all(
        &self,
        w: &HeadsWeights,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<Tensors> {
        let call = Call::new(inputs.tensors)?;
        let mask = call.mask(inputs, self.use_causal_mask, self.sliding_window)?;
        let axes = self.axes(call.query.rank())?;
        let heads = Heads {
            axes: &axes,
            scale: 1.0 / (self.key_dim as f64).sqrt(),
            dropout: self.dropout,
            seed: self.seed,
            return_scores: self.return_attention_scores,
            penalty: &self.common.activity_regularizer,
            penalize_outputs: false,
            repeats: 1,
        };
        heads.run(w, &call, mask, context)
    }

    fn write_settings(&self, config: &mut Config) {
        config.insert("value_dim".into(), json!(self.value_dim.unwrap_or(self.key_dim)));
        write_penalty(&self.common.activity_regularizer, config);
    }

    fn build_config(shapes: &[Value]) -> Value {
        head_shapes(shapes)
    }
}

/// Writes the penalty where Keras does.
fn write_penalty(penalty: &Option<Regularizer>, config: &mut Config) {
    let at = config.keys().position(|key| key == "bias_regularizer").map_or(0, |at| at + 1);
    config.shift_insert(at, "activity_regularizer".into(), penalty.to_json());
}

/// What Keras writes of the shapes: those of query, value and key by name.
pub(super) fn head_shapes(shapes: &[Value]) -> Value {
    let names = ["query_shape", "value_shape", "key_shape"];
    let named = names.iter().zip(shapes).map(|(name, shape)| ((*name).to_owned(), shape.clone()));
    json!({ "shapes_dict": Value::Object(named.collect()) })
}
