//! A row of the table of ops, and the tensors that its call gets.

use std::cell::Cell;
use std::ops::Range;

use cornu_autodiff::{DType, Tensor};

/// A call of an op, with inputs inside its domain for any size `n` of one axis.
pub(crate) struct Case {
    /// The op that the call records, or what is made of several ops.
    pub(crate) name: &'static str,
    /// Whether `name` is that of an op.
    pub(crate) is_op: bool,
    pub(crate) call: fn(&[Tensor]) -> Tensor,
    inputs: fn(usize) -> Vec<Tensor>,
    /// Smallest size for which the call is allowed.
    pub(crate) smallest: usize,
    /// Whether the op exists to have no gradient.
    pub(crate) cuts: bool,
}

/// A row for an op.
pub(crate) fn op(
    name: &'static str,
    call: fn(&[Tensor]) -> Tensor,
    inputs: fn(usize) -> Vec<Tensor>,
) -> Case {
    Case { name, is_op: true, call, inputs, smallest: 0, cuts: false }
}

/// A row for a function that is made of ops.
pub(crate) fn made(
    name: &'static str,
    call: fn(&[Tensor]) -> Tensor,
    inputs: fn(usize) -> Vec<Tensor>,
) -> Case {
    Case { is_op: false, ..op(name, call, inputs) }
}

impl Case {
    /// Not for axes smaller than this.
    pub(crate) fn from(self, smallest: usize) -> Case {
        Case { smallest, ..self }
    }

    /// Without gradient, whatever finite differences say.
    pub(crate) fn cut(self) -> Case {
        Case { cuts: true, ..self }
    }

    /// Inputs in float64; the same ones for the same size.
    pub(crate) fn inputs(&self, n: usize) -> Vec<Tensor> {
        SEED.set(n as u64);
        (self.inputs)(n)
    }
}

thread_local!(static SEED: Cell<u64> = const { Cell::new(0) });

/// A number in `0.0..1.0` that looks random: SplitMix64.
fn random() -> f64 {
    let state = SEED.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    SEED.set(state);
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

fn tensor(shape: &[usize], mut value: impl FnMut() -> f64) -> Tensor {
    let values: Vec<f64> = (0..shape.iter().product()).map(|_| value()).collect();
    Tensor::new(values, shape).expect("as many values as the shape needs")
}

/// Random numbers in a range.
pub(crate) fn floats<const R: usize>(shape: [usize; R], range: Range<f64>) -> Tensor {
    tensor(&shape, || range.start + (range.end - range.start) * random())
}

/// Random numbers in a range, none near a kink.
pub(crate) fn floats_off<const R: usize>(
    shape: [usize; R],
    range: Range<f64>,
    kinks: &[f64],
) -> Tensor {
    tensor(&shape, || {
        loop {
            let x = range.start + (range.end - range.start) * random();
            if kinks.iter().all(|kink| (x - kink).abs() > 0.05) {
                return x;
            }
        }
    })
}

/// Numbers of which no two are close, in random order.
pub(crate) fn distinct<const R: usize>(shape: [usize; R]) -> Tensor {
    let n: usize = shape.iter().product();
    let mut order: Vec<(f64, usize)> = (0..n).map(|i| (random(), i)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut next = order.into_iter().map(|(_, i)| (i as f64 - n as f64 / 2.0) * 0.17 + 0.05);
    tensor(&shape, || next.next().expect("one for each place"))
}

/// Random whole numbers in a range.
pub(crate) fn whole<const R: usize>(shape: [usize; R], range: Range<i64>, dtype: DType) -> Tensor {
    let width = (range.end - range.start) as f64;
    tensor(&shape, || range.start as f64 + (random() * width).floor()).cast(dtype)
}

/// Random truth values.
pub(crate) fn bools<const R: usize>(shape: [usize; R]) -> Tensor {
    tensor(&shape, || random() - 0.5).greater_scalar(0.0)
}
