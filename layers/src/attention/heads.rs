//! What attention with several heads computes between its projections.

use cornu_autodiff::{Shape, Spec, Tensor, apply, broadcast, ops};
use smallvec::{SmallVec, smallvec};

use super::mask::{band, both, expect_bool, masked, of_input};
use super::projection::{HeadsWeights, penalize};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Tensors, known_axis};
use crate::regularization::{drop_elements, with_own};
use crate::regularizer::Regularizer;
use crate::symbol::{shape_text, unprobed};

/// What the layer is called on.
pub(super) struct Call<'a> {
    pub(super) query: &'a Tensor,
    pub(super) value: &'a Tensor,
    pub(super) key: &'a Tensor,
    /// True where attention is allowed; its last axes are those of the scores.
    attention_mask: Option<&'a Tensor>,
    /// Whether the key is a tensor of its own.
    has_key: bool,
}

impl<'a> Call<'a> {
    /// Query, value, perhaps key, perhaps a mask, which is told by being bool.
    pub(super) fn new(tensors: &'a [Tensor]) -> Result<Call<'a>> {
        let (tensors, attention_mask) = match tensors {
            [rest @ .., mask] if rest.len() > 1 && is_bool(mask.spec()) => (rest, Some(mask)),
            all => (all, None),
        };
        let specs: SmallVec<[Spec; 4]> = tensors.iter().map(|x| *x.spec()).collect();
        check(&specs)?;
        let (query, value) = (&tensors[0], &tensors[1]);
        let key = tensors.get(2);
        Ok(Call { query, value, key: key.unwrap_or(value), attention_mask, has_key: key.is_some() })
    }

    /// Who may attend to whom, as far as masks, order and distance say.
    pub(super) fn mask(
        &self,
        inputs: &Inputs<'_>,
        causal: bool,
        window: Option<usize>,
    ) -> Result<Option<Tensor>> {
        let keys = if self.has_key { 3 } else { 2 };
        let mut allowed = band(self.query, self.value, causal, window)?;
        for index in 0..keys {
            let Some(mask) = of_input(inputs, index)? else { continue };
            if mask.rank() != 2 {
                let rule = "an input with a mask must have the shape (batch, steps, features)";
                return Err(Error::input(rule, &[inputs.tensors[index].shape()]));
            }
            // (batch, queries, 1) or (batch, 1, keys)
            let mask = mask.expand_dims(if index == 0 { -1 } else { -2 });
            allowed = both(allowed, Some(mask))?;
        }
        if let Some(mask) = self.attention_mask {
            expect_bool(mask)?;
        }
        both(allowed, self.attention_mask.cloned())
    }
}

fn is_bool(x: &Spec) -> bool {
    x.dtype == cornu_autodiff::DType::Bool
}

/// The inputs without a mask at their end.
pub(super) fn without_mask(inputs: &[Spec]) -> &[Spec] {
    match inputs {
        [rest @ .., mask] if rest.len() > 1 && is_bool(mask) => rest,
        all => all,
    }
}

/// Refuses other inputs than two or three that fit each other.
pub(super) fn check(inputs: &[Spec]) -> Result<()> {
    let shapes: Vec<&Shape> = inputs.iter().map(|x| &x.shape).collect();
    let fits = match inputs {
        [query, value, rest @ ..] if rest.len() < 2 => {
            let key = rest.first().unwrap_or(value);
            let (q, v, k) = (query.dims(), value.dims(), key.dims());
            q.len() >= 3
                && v.len() == q.len()
                && k.len() == q.len()
                && v[..v.len() - 1] == k[..k.len() - 1]
                && q[0] == k[0]
                && inputs.iter().all(|x| x.dtype.is_float() && x.dtype == query.dtype)
        }
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let rule = "the layer takes query (batch, …, features), value and perhaps key of the same \
                rank, which differ at most in their features, floating-point numbers of one \
                dtype, and perhaps a bool mask";
    Err(Error::input(rule, &shapes))
}

/// Numbers of features of query, key and value, which must be known.
pub(super) fn features(inputs: &[Spec]) -> Result<[usize; 3]> {
    let size = |x: &Spec| known_axis(x, -1);
    let key = inputs.get(2).unwrap_or(&inputs[1]);
    Ok([size(&inputs[0])?, size(key)?, size(&inputs[1])?])
}

/// Options of a layer with several heads.
pub(super) struct Heads<'a> {
    /// The axes between which attention is paid.
    pub(super) axes: &'a [usize],
    /// What scores are multiplied by.
    pub(super) scale: f64,
    pub(super) dropout: f64,
    pub(super) seed: Option<u64>,
    pub(super) return_scores: bool,
    pub(super) penalty: &'a Option<Regularizer>,
    /// Whether the penalty is on the layer's outputs, too, not only on each projection's.
    pub(super) penalize_outputs: bool,
    /// How often each head of key and value is used.
    pub(super) repeats: usize,
}

impl Heads<'_> {
    /// The layer's outputs.
    pub(super) fn run(
        &self,
        w: &HeadsWeights,
        call: &Call<'_>,
        mask: Option<Tensor>,
        context: &mut Context<'_>,
    ) -> Result<Tensors> {
        let query = w.query.apply(call.query)?;
        let mut key = w.key.apply(call.key)?;
        let gate = w.gate.as_ref().map(|gate| gate.apply(call.query)).transpose()?;
        let gate = gate.map(|gate| gate.sigmoid());
        let mut value = w.value.apply(call.value)?;
        let mut parts: SmallVec<[Tensor; 5]> = smallvec![query.clone(), key.clone()];
        parts.extend(gate.clone());
        parts.push(value.clone());
        let (mut y, scores) = if self.is_one_op(&query, mask.is_some(), context) {
            (self.attend_at_once(&query, &key, &value, mask)?, None)
        } else {
            if self.repeats > 1 {
                key = key.repeat(self.repeats, -2);
                value = value.repeat(self.repeats, -2);
            }
            let (y, scores) = self.attend(&query, &key, &value, mask, context)?;
            (y, Some(scores).filter(|_| self.return_scores))
        };
        if let Some(gate) = gate {
            y *= &gate;
        }
        let y = w.output.apply(&y)?;
        parts.push(y.clone());
        let mut outputs: Tensors = smallvec![y];
        outputs.extend(scores);
        let whole = outputs.iter().filter(|_| self.penalize_outputs);
        whole.chain(&parts).try_for_each(|y| penalize(self.penalty, y, context))?;
        Ok(outputs)
    }

    /// Whether nothing is asked for that one op doesn't give: weights, dropped weights, several
    /// axes, or 0 for a query that may attend to nothing.
    fn is_one_op(&self, query: &Tensor, masked: bool, context: &Context<'_>) -> bool {
        let drops = self.dropout > 0.0 && context.generator().is_some();
        let zeroes = masked && self.zeroes_rows(query);
        query.rank() == 4 && !self.return_scores && !drops && !zeroes
    }

    /// The values' means, where [`is_one_op`](Heads::is_one_op).
    fn attend_at_once(
        &self,
        query: &Tensor,
        key: &Tensor,
        value: &Tensor,
        mask: Option<Tensor>,
    ) -> Result<Tensor> {
        let (q, k) = (query.dims(), key.dims());
        let scores = [q[0], q[2], q[1], k[1]];
        let mask = mask.map(|mask| self.spread(&mask, &scores)).transpose()?;
        Ok(ops::dot_product_attention(query, key, value, mask.as_ref(), Some(self.scale))?)
    }

    /// The values' means, and the weights.
    fn attend(
        &self,
        query: &Tensor,
        key: &Tensor,
        value: &Tensor,
        mask: Option<Tensor>,
        context: &mut Context<'_>,
    ) -> Result<(Tensor, Tensor)> {
        let (product, combination) = equations(query.rank(), self.axes);
        let scores = ops::try_einsum(&product, &[key, &(query * self.scale)])?;
        let mask = mask.map(|mask| self.spread(&mask, scores.dims())).transpose()?;
        let mut weights = self.softmax(&masked(&scores, mask.as_ref())?)?;
        if let Some(mask) = mask.filter(|_| self.zeroes_rows(query)) {
            weights = apply(ops::Select, &[&mask, &weights, &weights.zeros_like()])?;
        }
        let dropped = match context.generator().filter(|_| self.dropout > 0.0) {
            Some(generator) => with_own(generator, self.seed, |generator| {
                drop_elements(&weights, self.dropout, None, generator)
            })?,
            None => weights.clone(),
        };
        let y = ops::try_einsum(&combination, &[&dropped, value])?;
        Ok((y, weights))
    }

    /// Whether a query that may attend to nothing gets 0, or the mean of all values: Keras has
    /// two ways to compute, and takes one where nothing but the output is asked for.
    fn zeroes_rows(&self, query: &Tensor) -> bool {
        self.dropout > 0.0 || self.return_scores || query.rank() != 4
    }

    /// The mask with the axes that it lacks before those of queries and keys.
    fn spread(&self, mask: &Tensor, scores: &[usize]) -> Result<Tensor> {
        let text = |dims: &[usize]| shape_text(&unprobed(dims));
        let attended = 2 * self.axes.len();
        let missing = scores.len().checked_sub(mask.rank());
        if let Some(missing) = missing.filter(|_| mask.rank() >= attended) {
            let axis = -(attended as isize) - 1;
            let whole = (0..missing).fold(mask.clone(), |mask, _| mask.expand_dims(axis));
            if broadcast(whole.dims(), scores).is_some_and(|both| both[..] == *scores) {
                return Ok(whole);
            }
        }
        let rule = format!("it must broadcast to the scores, {}", text(scores));
        Err(Error::setting("attention mask", rule, text(mask.dims())))
    }

    /// Over the keys' axes, which are the last.
    fn softmax(&self, scores: &Tensor) -> Result<Tensor> {
        if self.axes.len() == 1 {
            return Ok(scores.softmax(-1));
        }
        let dims: SmallVec<[isize; 8]> = scores.dims().iter().map(|&d| d as isize).collect();
        let split = dims.len() - self.axes.len();
        let mut flat: SmallVec<[isize; 8]> = dims[..split].into();
        flat.push(dims[split..].iter().product());
        Ok(scores.try_reshape(&flat)?.softmax(-1).try_reshape(&dims)?)
    }
}

/// Keras's equations for scores, `key, query -> scores`, and for the values' means,
/// `scores, value -> output`, of projected tensors with this number of axes.
fn equations(rank: usize, axes: &[usize]) -> (String, String) {
    let letter = |i: usize| char::from(b'a' + i as u8);
    let target: String = (0..rank).map(letter).collect();
    let attended = |i: &usize| axes.contains(i);
    let source: String = (0..rank)
        .map(|i| match axes[..].iter().filter(|&&a| a <= i).count() {
            nth if attended(&i) => letter(rank + nth - 1),
            _ => letter(i),
        })
        .collect();
    let pick = |text: &str, which: &[usize]| -> String {
        which.iter().map(|&i| char::from(text.as_bytes()[i])).collect()
    };
    let batch: Vec<usize> = (0..rank - 1).filter(|i| !attended(i)).collect();
    let scores = pick(&target, &batch) + &pick(&target, axes) + &pick(&source, axes);
    (format!("{source},{target}->{scores}"), format!("{scores},{source}->{target}"))
}

#[cfg(test)]
mod tests {
    use super::equations;

    #[test]
    fn equations_are_those_of_keras() {
        let expected = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(equations(4, &[1]), expected("aecd,abcd->acbe", "acbe,aecd->abcd"));
        assert_eq!(equations(5, &[1, 2]), expected("afgde,abcde->adbcfg", "adbcfg,afgde->abcde"));
    }
}
