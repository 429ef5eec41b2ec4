//! Attention in which several heads share keys and values.

use cornu_autodiff::Spec;
use serde_json::Value;

use super::dot::CALL_ARGUMENTS;
use super::heads::{Call, Heads, check, features, without_mask};
use super::mask::like_query;
use super::multi_head::{head_parts, head_shapes};
use super::projection::{HeadSizes, HeadsWeights};
use crate::builder::WeightBuilder;
use crate::check::{positive, probability};
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Tensors};
use crate::regularizer::Regularizer;
use crate::setting::{Config, write_penalty};

config! {
    /// Attention in which groups of heads share a head of keys and values (Ainslie et al. 2023,
    /// arXiv:2305.13245): Keras's `GroupQueryAttention`. With one head of keys and values it is
    /// multi-query attention.
    ///
    /// | inputs | output |
    /// |---|---|
    /// | query `(batch, queries, features)`, value, key `(batch, keys, …)`; without a key the value is also key; then perhaps a bool mask `(batch, queries, keys)`, true where attention is allowed | `(batch, queries, features)` |
    ///
    /// Masks of the inputs are obeyed; the output has the query's.
    ///
    /// ```
    /// use cornu_layers::{Apply, GroupQueryAttention, input};
    /// let x = input([10, 16]);
    /// let y = GroupQueryAttention::new(8, 4, 2).apply([&x, &x])?;
    /// assert_eq!(y.shape(), [None, Some(10), Some(16)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a size is 0, `num_key_value_heads` doesn't divide `num_query_heads`, or inputs or
    /// masks don't fit.
    ///
    /// # Difference from Keras
    /// As [`MultiHeadAttention`](crate::MultiHeadAttention).
    pub struct GroupQueryAttention["GroupQueryAttention"] {
        /// Size of each head.
        head_dim: usize,
        /// Number of heads of the query.
        num_query_heads: usize,
        /// Number of heads of key and value.
        num_key_value_heads: usize,
        ..
        /// Whether projections have a bias.
        use_bias: bool = true,
        /// Whether what the heads found is multiplied by a learned gate of the query.
        use_gate: bool = false,
        /// How far a query sees: keys at this distance or more get no weight.
        sliding_window: Option<usize> = None,
        /// The probability with which a weight is dropped while training.
        dropout: f64 = 0.0,
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

impl Layer for GroupQueryAttention {
    type Weights = HeadsWeights;
    const CALL_ARGUMENTS: &'static [&'static str] = CALL_ARGUMENTS;
    const IGNORED: &'static [&'static str] = &["flash_attention"];
    const PENALIZES_ITSELF: bool = true;
    const MASK_INPUT: bool = true;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<HeadsWeights> {
        positive("head_dim", self.head_dim)?;
        positive("num_query_heads", self.num_query_heads)?;
        positive("num_key_value_heads", self.num_key_value_heads)?;
        positive("sliding_window", self.sliding_window.unwrap_or(1))?;
        probability("dropout", self.dropout)?;
        if !self.num_query_heads.is_multiple_of(self.num_key_value_heads) {
            let rule = format!("it must divide the {} heads of the query", self.num_query_heads);
            return Err(Error::setting("`num_key_value_heads`", rule, self.num_key_value_heads));
        }
        let inputs = without_mask(inputs);
        check(inputs)?;
        if inputs[0].shape.rank() != 3 {
            return Err(Error::input("the layer takes inputs of rank 3", &[&inputs[0].shape]));
        }
        let features = features(inputs)?;
        let heads = |count: usize| [count, self.head_dim];
        let sizes = HeadSizes {
            features,
            query: heads(self.num_query_heads),
            key: heads(self.num_key_value_heads),
            value: heads(self.num_key_value_heads),
            context: heads(self.num_query_heads),
            output: &features[..1],
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
        let heads = Heads {
            axes: &[1],
            scale: 1.0 / (self.head_dim as f64).sqrt(),
            dropout: self.dropout,
            seed: self.seed,
            return_scores: self.return_attention_scores,
            penalty: &self.common.activity_regularizer,
            penalize_outputs: true,
            repeats: self.num_query_heads / self.num_key_value_heads,
        };
        heads.run(w, &call, mask, context)
    }

    fn write_settings(&self, config: &mut Config) {
        write_penalty(&self.common, config, "bias_regularizer");
    }

    fn build_config(shapes: &[Value]) -> Value {
        head_shapes(shapes)
    }
}
