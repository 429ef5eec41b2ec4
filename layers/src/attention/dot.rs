//! Attention by dot products.

use cornu_autodiff::{Spec, Tensor, apply, ops};
use smallvec::smallvec;

use super::mask::{band, both, like_query, masked, of_input};
use crate::builder::WeightBuilder;
use crate::check::probability;
use crate::choice::choice;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Tensors};
use crate::parameter::Parameter;
use crate::regularization::{drop_elements, with_own};

choice! {
    /// How [`Attention`] compares a query with a key.
    pub enum ScoreMode("score_mode") {
        /// `query · key`
        Dot = "dot",
        /// `Σ tanh(query + key)`
        Concat = "concat",
    }
}

config! {
    /// Attention (Luong et al. 2015, arXiv:1508.04025): each query gets the mean of all values,
    /// weighted by `softmax(query · key)`.
    ///
    /// | inputs | output |
    /// |---|---|
    /// | query `(batch, …, queries, size)`, value `(batch, …, keys, width)`, key `(batch, …, keys, size)`; without a key the value is also key | `(batch, …, queries, width)` |
    ///
    /// Keys that the value's mask leaves out get no weight; queries that the query's mask leaves
    /// out have output 0, and their mask is the output's.
    ///
    /// ```
    /// use cornu_layers::{Apply, Attention, input};
    /// let (query, value) = (input([4, 8]), input([6, 8]));
    /// let y = Attention::new().apply([&query, &value])?;
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
    pub struct Attention["Attention"] {
        ..
        /// Whether scores are multiplied by a learned number; in `concat` mode what `tanh` is
        /// applied to.
        use_scale: bool = false,
        /// How query and key are compared.
        score_mode: ScoreMode = ScoreMode::Dot,
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

/// The weights of [`Attention`] and [`AdditiveAttention`](crate::AdditiveAttention).
#[derive(Debug)]
pub struct AttentionWeights {
    pub(super) scale: Option<Parameter>,
    concat_score_weight: Option<Parameter>,
}

impl AttentionWeights {
    /// One scale or none.
    pub(super) fn scaled(scale: Option<Parameter>) -> AttentionWeights {
        AttentionWeights { scale, concat_score_weight: None }
    }
}

impl Layer for Attention {
    type Weights = AttentionWeights;
    const CALL_ARGUMENTS: &'static [&'static str] = CALL_ARGUMENTS;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<AttentionWeights> {
        probability("dropout", self.dropout)?;
        check_inputs(inputs)?;
        let mut number = |name: &str| weights.add(name, &[], &Initializer::Ones);
        Ok(AttentionWeights {
            scale: self.use_scale.then(|| number("scale")).transpose()?,
            concat_score_weight: match self.score_mode {
                ScoreMode::Concat => Some(number("concat_score_weight")?),
                _ => None,
            },
        })
    }

    like_query!();

    fn call_all(
        &self,
        w: &AttentionWeights,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<Tensors> {
        let [query, _, key] = split(inputs)?;
        let scale = w.scale.as_ref().map(Parameter::value);
        let scores = match &w.concat_score_weight {
            Some(weight) => {
                let sum = pairs(query, key)?;
                let sum = scale.map_or_else(|| sum.clone(), |scale| &sum * scale);
                sum.tanh().sum(-1, false) * weight.value()
            }
            None => {
                let mut axes: Vec<isize> = (0..key.rank() as isize).collect();
                axes.swap(key.rank() - 2, key.rank() - 1);
                let scores = apply(ops::MatMul, &[query, &key.permute(axes)])?;
                scale.map_or_else(|| scores.clone(), |scale| &scores * scale)
            }
        };
        attend(&scores, inputs, options!(self), context)
    }
}

/// Options that Keras takes at each call.
pub(super) const CALL_ARGUMENTS: &[&str] = &["use_causal_mask", "return_attention_scores"];

/// What becomes of scores.
pub(super) struct Options {
    pub(super) dropout: f64,
    pub(super) seed: Option<u64>,
    pub(super) causal: bool,
    pub(super) scores: bool,
}

/// The [`Options`] of a layer.
macro_rules! options {
    ($layer:expr) => {
        $crate::attention::dot::Options {
            dropout: $layer.dropout,
            seed: $layer.seed,
            causal: $layer.use_causal_mask,
            scores: $layer.return_attention_scores,
        }
    };
}
pub(super) use options;

/// Refuses other inputs than two or three that fit each other.
pub(super) fn check_inputs(inputs: &[Spec]) -> Result<()> {
    let shapes: Vec<_> = inputs.iter().map(|x| &x.shape).collect();
    let fits = match inputs {
        [query, value, rest @ ..] if rest.len() < 2 => {
            let key = rest.first().unwrap_or(value);
            let (q, v, k) = (query.dims(), value.dims(), key.dims());
            let n = q.len();
            n >= 3
                && v.len() == n
                && k.len() == n
                && v[..n - 1] == k[..n - 1]
                && q[..n - 2] == k[..n - 2]
                && q[n - 1] == k[n - 1]
                && inputs.iter().all(|x| x.dtype.is_float() && x.dtype == query.dtype)
        }
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let rule = "the layer takes query (batch, …, queries, size), value (batch, …, keys, width) \
                and, unless that is also the key, key (batch, …, keys, size), floating-point \
                numbers of one dtype";
    Err(Error::input(rule, &shapes))
}

/// Query, value and key.
pub(super) fn split<'a>(inputs: &Inputs<'a>) -> Result<[&'a Tensor; 3]> {
    let specs: Vec<Spec> = inputs.tensors.iter().map(|x| *x.spec()).collect();
    check_inputs(&specs)?;
    let (query, value) = (&inputs.tensors[0], &inputs.tensors[1]);
    Ok([query, value, inputs.tensors.get(2).unwrap_or(value)])
}

/// `query + key` for all pairs, `(batch, …, queries, keys, size)`.
pub(super) fn pairs(query: &Tensor, key: &Tensor) -> Result<Tensor> {
    Ok(apply(ops::Add, &[&query.expand_dims(-2), &key.expand_dims(-3)])?)
}

/// The values' mean by the scores `(batch, …, queries, keys)`, and if asked for the weights.
pub(super) fn attend(
    scores: &Tensor,
    inputs: &Inputs<'_>,
    options: Options,
    context: &mut Context<'_>,
) -> Result<Tensors> {
    let (query, value) = (&inputs.tensors[0], &inputs.tensors[1]);
    let allowed = of_input(inputs, 1)?.map(|mask| mask.expand_dims(-2));
    let causal = match options.causal {
        true if query.rank() > 3 => {
            let rule = "it needs inputs of rank 3";
            return Err(Error::setting("`use_causal_mask`", rule, query.shape()));
        }
        causal => band(query, value, causal, None)?,
    };
    let allowed = both(allowed, causal)?;
    let mut weights = masked(scores, allowed.as_ref())?.softmax(-1);
    if let Some(generator) = context.generator().filter(|_| options.dropout > 0.0) {
        weights = with_own(generator, options.seed, |generator| {
            drop_elements(&weights, options.dropout, None, generator)
        })?;
    }
    let mut y = apply(ops::MatMul, &[&weights, value])?;
    if let Some(mask) = of_input(inputs, 0)? {
        y = apply(ops::Select, &[&mask.expand_dims(-1), &y, &y.zeros_like()])?;
    }
    Ok(match options.scores {
        true => smallvec![y, weights],
        false => smallvec![y],
    })
}
