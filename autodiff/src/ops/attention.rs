//! Attention by scaled dot products, in one op.

use std::borrow::Cow;

use crate::dtype::{DType, Element};
use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::attention::{Attention, Heads, Mask, NEVER, Sizes};
use crate::kernels::elementwise::broadcast_steps;
use crate::kernels::gemm::Gemm;
use crate::op::{Call, Gradients, Op, Saves, apply};
use crate::ops::select;
use crate::shape::{Shape, Spec, broadcast};
use crate::tape::is_recording;
use crate::tensor::Tensor;

/// `softmax(scale · query · keyᵀ) · value` of each head; see [`dot_product_attention`].
#[derive(Clone, Copy, Debug)]
pub struct DotProductAttention {
    /// What products of queries and keys are multiplied by.
    pub scale: f64,
}

const RULE: &str = "shapes must be (batch, queries, heads, size) for the query, \
                    (batch, keys, groups, size) for the key and (batch, keys, groups, width) for \
                    the value, where groups divide heads, and the mask must broadcast to \
                    (batch, heads, queries, keys)";

/// Sizes of the axes, if the shapes fit.
fn sizes(x: &[&Spec]) -> Option<Sizes> {
    let (&[batch, queries, heads, size], &[b, keys, groups, depth], &[c, s, n, width]) =
        (x[0].dims(), x[1].dims(), x[2].dims())
    else {
        return None;
    };
    let repeats = heads.checked_div(groups)?;
    let fits = [b, c] == [batch; 2] && s == keys && n == groups && depth == size;
    if !fits || repeats * groups != heads || heads == 0 {
        return None;
    }
    if let Some(mask) = x.get(3) {
        let scores = [batch, heads, queries, keys];
        broadcast(mask.dims(), &scores).filter(|both| both[..] == scores)?;
    }
    Some(Sizes { batch, queries, keys, heads, repeats, size, width })
}

fn heads<T: Element>(x: &Tensor) -> Heads<'_, T> {
    let strides = x.strides();
    Heads {
        values: x.buffer.as_ref().expect("kernels get tensors with values").slice::<T>(),
        offset: x.offset,
        strides: [strides[0], strides[1], strides[2], strides[3]],
    }
}

/// The mask with the keys side by side.
fn with_keys_in_a_row<'a>(mask: &'a Tensor, sizes: &Sizes) -> Cow<'a, Tensor> {
    let last = mask.rank().checked_sub(1);
    if last.is_some_and(|at| mask.dims()[at] == sizes.keys && mask.strides()[at] == 1) {
        return Cow::Borrowed(mask);
    }
    let row = [sizes.keys];
    let shape = broadcast(mask.dims(), &row).expect("`infer` has seen that it broadcasts");
    Cow::Owned(super::broadcast_to(mask, &shape).packed().into_owned())
}

impl DotProductAttention {
    /// Runs `f` on what the kernels get.
    fn run<T: Gemm, R>(
        &self,
        [query, key, value]: [&Tensor; 3],
        mask: Option<&Tensor>,
        f: impl FnOnce(Attention<'_, T>) -> R,
    ) -> R {
        let specs: Vec<&Spec> = [query, key, value].iter().map(|x| x.spec()).collect();
        let sizes = sizes(&specs).expect("`infer` has seen that the shapes fit");
        let mask = mask.map(|mask| with_keys_in_a_row(mask, &sizes));
        let scores = Shape::of(&[sizes.batch, sizes.heads, sizes.queries, sizes.keys]);
        let mask = mask.as_deref().map(|mask| {
            let steps = broadcast_steps(mask, &scores);
            let values = mask.buffer.as_ref().expect("kernels get tensors with values");
            Mask {
                values: values.slice::<bool>(),
                offset: mask.offset,
                strides: [steps[0], steps[1], steps[2]],
            }
        });
        let [query, key, value] = [query, key, value].map(heads::<T>);
        f(Attention { query, key, value, mask, scale: T::from_f64(self.scale), sizes })
    }

    /// The gradients in ops, with heads `(batch, groups, repeats, steps, size)`.
    fn in_ops(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let specs: Vec<&Spec> = (0..3).map(|i| call.spec(i)).collect();
        let sizes = sizes(&specs).expect("`infer` has seen that the shapes fit");
        let Sizes { batch, queries, keys, heads, repeats, .. } = sizes;
        let groups = heads / repeats;
        let as_dims = |dims: &[usize]| dims.iter().map(|&d| d as isize).collect::<Vec<_>>();
        let lift = |x: &Tensor, steps: usize, repeats: usize| {
            let size = x.dims()[3];
            x.reshape(as_dims(&[batch, steps, groups, repeats, size])).permute([0, 2, 3, 1, 4])
        };
        let drop = |x: Tensor, shape: &Shape| x.permute([0, 3, 1, 2, 4]).reshape(as_dims(shape));
        let query = lift(call.input(0), queries, repeats);
        let [key, value] = [1, 2].map(|i| lift(call.input(i), keys, 1));
        let g = lift(g, queries, repeats);
        let mask = (call.len() > 3).then(|| {
            let whole = Shape::of(&[batch, heads, queries, keys]);
            let mask = super::broadcast_to(call.input(3), &whole);
            mask.reshape(as_dims(&[batch, groups, repeats, queries, keys]))
        });
        let allowed = |x: Tensor, other: f64| match &mask {
            Some(mask) => select(mask, &x, &x.full_like(other)),
            None => x,
        };
        let scores = query.matmul(&key.t()) * self.scale;
        let weights = allowed(scores, NEVER).softmax(-1);
        let by_weights = g.matmul(&value.t());
        let dot = (&weights * &by_weights).sum(-1, true);
        let slopes = allowed(&weights * (by_weights - dot), 0.0) * self.scale;
        into.add(0, || drop(slopes.matmul(&key), &call.spec(0).shape));
        into.add(1, || drop(slopes.t().matmul(&query).sum(2, true), &call.spec(1).shape));
        into.add(2, || drop(weights.t().matmul(&g).sum(2, true), &call.spec(2).shape));
    }
}

impl Op for DotProductAttention {
    fn name(&self) -> &'static str {
        "dot_product_attention"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        3..=4
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        let dtype = x[0].dtype;
        let floats = dtype.is_float() && x[..3].iter().all(|s| s.dtype == dtype);
        if !floats || x.get(3).is_some_and(|mask| mask.dtype != DType::Bool) {
            let rule = "query, key and value must all be float32 or all float64, the mask bool";
            return Err(Error::dtype(self.name(), rule, x));
        }
        let Some(sizes) = sizes(x) else { return Err(Error::shape(self.name(), RULE, x)) };
        x[0].with(&[sizes.batch, sizes.queries, sizes.heads, sizes.width])
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let inputs = [x[0], x[1], x[2]];
        Ok(each_float!(out.dtype, T => {
            self.run::<T, _>(inputs, x.get(3).copied(), |attention| {
                Tensor::build(out.shape, |y| attention.forward(y))
            })
        }))
    }
    fn saves(&self) -> Saves {
        Saves::Inputs
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index < 3
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        if is_recording() {
            return self.in_ops(call, g, into);
        }
        let inputs = [0, 1, 2].map(|i| call.input(i));
        let mask = (call.len() > 3).then(|| call.input(3));
        let [query, key, value] = each_float!(g.dtype(), T => {
            self.run::<T, _>(inputs, mask, |attention| {
                let mut value = None;
                let mut key = None;
                let query = Tensor::build(*inputs[0].shape(), |dq| {
                    key = Some(Tensor::build(*inputs[1].shape(), |dk| {
                        value = Some(Tensor::build(*inputs[2].shape(), |dv| {
                            attention.backward(heads::<T>(g), [dq, dk, dv]);
                        }));
                    }));
                });
                [Some(query), key, value].map(|d| d.expect("`build` has called what it was given"))
            })
        });
        into.add(0, || query);
        into.add(1, || key);
        into.add(2, || value);
    }
}

/// `softmax(scale · query · keyᵀ) · value` of each head in one op, that never holds all scores
/// (Vaswani et al. 2017, arXiv:1706.03762; Dao et al. 2022, arXiv:2205.14135): Keras's
/// `ops.dot_product_attention` without bias.
///
/// The query is `(batch, queries, heads, size)`, the key `(batch, keys, groups, size)`, the value
/// `(batch, keys, groups, width)`, the result `(batch, queries, heads, width)`; several heads in a
/// row share a group, where there are fewer groups than heads. The mask, which broadcasts to
/// `(batch, heads, queries, keys)`, is true where attention is allowed; a query that may attend
/// to nothing gets the mean of all values. Without a scale it is `1 / √size`.
///
/// # Errors
/// When shapes or dtypes don't fit.
///
/// ```
/// # use cornu_autodiff::{DType, Tensor, ops::dot_product_attention};
/// let query = Tensor::zeros([1, 1, 1, 2], DType::F32);
/// let key = Tensor::zeros([1, 3, 1, 2], DType::F32);
/// let value = Tensor::from([1.0f32, 3.0, 100.0]).reshape([1, 3, 1, 1]);
/// let mask = Tensor::from([true, true, false]);
/// let y = dot_product_attention(&query, &key, &value, Some(&mask), None)?;
/// assert_eq!(y.to_vec::<f32>()?, [2.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn dot_product_attention(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    mask: Option<&Tensor>,
    scale: Option<f64>,
) -> Result<Tensor> {
    let size = query.dims().last().copied().unwrap_or(1).max(1);
    let op = DotProductAttention { scale: scale.unwrap_or_else(|| 1.0 / (size as f64).sqrt()) };
    match mask {
        Some(mask) => apply(op, &[query, key, value, mask]),
        None => apply(op, &[query, key, value]),
    }
}
