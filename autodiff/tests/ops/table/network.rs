//! Ops that are whole pieces of neural networks.

use cornu_autodiff::ops::{
    Fused, RecurrentInputs, RecurrentOptions, batch_norm, binary_cross_entropy,
    dot_product_attention, gru, layer_norm, linear, lstm, mean_binary_cross_entropy,
    mean_sigmoid_cross_entropy, mean_squared_error, rms_norm, sigmoid_cross_entropy, simple_rnn,
    softmax_cross_entropy, sparse_softmax_cross_entropy, squared_error,
};
use cornu_autodiff::{DType, Result, Tensor};

use crate::case::{Case, bools, distinct, floats, floats_off, made, op, whole};

type Recurrent = fn(&RecurrentInputs<'_>, RecurrentOptions) -> Result<(Tensor, Vec<Tensor>)>;

const LAST: RecurrentOptions = RecurrentOptions {
    go_backwards: false,
    return_sequences: false,
    return_state: false,
    zero_output_for_mask: false,
};
const ALL: RecurrentOptions = RecurrentOptions { return_sequences: true, ..LAST };
const BACKWARDS: RecurrentOptions =
    RecurrentOptions { go_backwards: true, zero_output_for_mask: true, ..ALL };
const STATES: RecurrentOptions =
    RecurrentOptions { go_backwards: true, return_state: true, ..LAST };

/// A recurrent op on x, both kernels, the bias, `states` states and perhaps a mask; outputs side
/// by side.
fn recurrent(op: Recurrent, x: &[Tensor], states: usize, options: RecurrentOptions) -> Tensor {
    let inputs = RecurrentInputs {
        x: &x[0],
        kernel: &x[1],
        recurrent_kernel: &x[2],
        bias: x.get(3),
        initial_state: x.get(4..4 + states).unwrap_or(&[]),
        mask: x.get(4 + states),
    };
    let (y, states) = op(&inputs, options).expect("it fits");
    states.iter().fold(y, |y, state| y + state)
}

/// x, both kernels, a bias of this shape, and the first of `states` states and a mask.
fn sequences<const R: usize>(
    n: usize,
    gates: usize,
    bias: [usize; R],
    states: usize,
) -> Vec<Tensor> {
    let f = |shape: [usize; 2]| floats(shape, -1.0..1.0);
    let mut inputs = vec![floats([n, 3, 2], -1.0..1.0), f([2, 2 * gates]), f([2, 2 * gates])];
    inputs.push(floats(bias, -1.0..1.0));
    inputs.extend((0..states).map(|_| f([n, 2])));
    inputs.push(bools([n, 3]));
    inputs
}

/// The same without a mask.
fn without_mask(mut inputs: Vec<Tensor>) -> Vec<Tensor> {
    inputs.pop();
    inputs
}

#[rustfmt::skip]
#[allow(clippy::too_many_lines)] // a table
pub(crate) fn cases() -> Vec<Case> {
    vec![
        op("softmax", |x| x[0].softmax(-1), |n| vec![floats([2, n, 3], -2.0..2.0)]),
        op("softmax", |x| x[0].softmax(1), |n| vec![floats([2, n, 3], -2.0..2.0)]),
        op("log_softmax", |x| x[0].log_softmax(-1), |n| vec![floats([3, n], -2.0..2.0)]),
        op("log_softmax", |x| x[0].log_softmax(0), |n| vec![floats([3, n], -2.0..2.0)]),
        op("sparse_softmax_cross_entropy",
            |x| sparse_softmax_cross_entropy(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n, 5], -2.0..2.0), whole([2, n], 0..5, DType::I32)]),
        op("softmax_cross_entropy", |x| softmax_cross_entropy(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n], -2.0..2.0), floats([2, n], 0.0..1.0)]).from(1),
        op("sigmoid_cross_entropy", |x| sigmoid_cross_entropy(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n], -2.0..2.0), floats([n], 0.0..1.0)]),
        op("binary_cross_entropy", |x| binary_cross_entropy(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n], 0.1..0.9), floats([2, n], 0.0..1.0)]),
        op("squared_error", |x| squared_error(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n], -2.0..2.0), floats([n], -2.0..2.0)]),
        op("mean_squared_error", |x| mean_squared_error(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n], -2.0..2.0), floats([2, n], -2.0..2.0)]).from(1),
        op("mean_sigmoid_cross_entropy",
            |x| mean_sigmoid_cross_entropy(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n], -2.0..2.0), floats([2, n], 0.0..1.0)]).from(1),
        op("mean_binary_cross_entropy",
            |x| mean_binary_cross_entropy(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n], 0.1..0.9), floats([2, n], 0.0..1.0)]).from(1),
        op("leaky_relu", |x| x[0].leaky_relu(0.2), |n| vec![floats_off([2, n], -2.0..2.0, &[0.0])]),
        op("elu", |x| x[0].elu(0.7), |n| vec![floats_off([2, n], -2.0..2.0, &[0.0])]),
        op("celu", |x| x[0].celu(0.7), |n| vec![floats_off([2, n], -2.0..2.0, &[0.0])]),
        op("hard_sigmoid", |x| x[0].hard_sigmoid(), |n| vec![floats_off([2, n], -5.0..5.0, &[-3.0, 3.0])]),
        op("hard_silu", |x| x[0].hard_silu(), |n| vec![floats_off([2, n], -5.0..5.0, &[-3.0, 3.0])]),
        op("hard_tanh", |x| x[0].hard_tanh(), |n| vec![floats_off([2, n], -2.0..2.0, &[-1.0, 1.0])]),
        op("hard_shrink", |x| x[0].hard_shrink(0.5), |n| vec![floats_off([2, n], -2.0..2.0, &[-0.5, 0.5])]),
        op("soft_shrink", |x| x[0].soft_shrink(0.5), |n| vec![floats_off([2, n], -2.0..2.0, &[-0.5, 0.5])]),
        op("threshold", |x| x[0].threshold(0.3, 7.0), |n| vec![floats_off([2, n], -2.0..2.0, &[0.3])]),
        op("log_sigmoid", |x| x[0].log_sigmoid(), |n| vec![floats([2, n], -3.0..3.0)]),
        op("mish", |x| x[0].mish(), |n| vec![floats([2, n], -3.0..3.0)]),
        op("sparse_plus", |x| x[0].sparse_plus(), |n| vec![floats_off([2, n], -2.0..2.0, &[-1.0, 1.0])]),
        op("sparse_sigmoid", |x| x[0].sparse_sigmoid(), |n| vec![floats_off([2, n], -2.0..2.0, &[-1.0, 1.0])]),
        op("squareplus", |x| x[0].squareplus(4.0), |n| vec![floats([2, n], -3.0..3.0)]),
        op("tanh_shrink", |x| x[0].tanh_shrink(), |n| vec![floats([2, n], -2.0..2.0)]),
        op("relu_between", |x| x[0].relu_between(0.3, 0.0, 2.0, 0.5), |n| vec![floats_off([2, n], -3.0..3.0, &[0.5, 2.0])]),
        op("sparsemax", |x| x[0].sparsemax(-1), |n| vec![distinct([2, n]) * 0.3]),
        op("linear", |x| linear(&x[0], &x[1], None, Fused::Linear).expect("it fits"),
            |n| vec![floats([n, 3], -1.0..1.0), floats([3, 2], -1.0..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Linear).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Relu).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Sigmoid).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Tanh).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Elu).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Selu).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Softplus).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Relu).expect("it fits"),
            |n| vec![floats([2, 3], -1.0..1.0), floats([3, n], -1.0..1.0), floats([n], 0.1..1.0)]),
        op("dot_product_attention",
            |x| dot_product_attention(&x[0], &x[1], &x[2], None, None).expect("it fits"),
            |n| vec![floats([2, n, 2, 3], -1.0..1.0), floats([2, 4, 2, 3], -1.0..1.0), floats([2, 4, 2, 2], -1.0..1.0)]),
        op("dot_product_attention",
            |x| dot_product_attention(&x[0], &x[1], &x[2], Some(&x[3]), Some(1.5)).expect("it fits"),
            |n| vec![floats([2, 3, 2, 2], -1.0..1.0), floats([2, n, 1, 2], -1.0..1.0), floats([2, n, 1, 3], -1.0..1.0), bools([3, n])]),
        op("dot_product_attention",
            |x| dot_product_attention(&x[0], &x[1], &x[2], Some(&x[3]), Some(1.5)).expect("it fits"),
            |n| vec![floats([2, 2, 4, n], -1.0..1.0), floats([2, 3, 2, n], -1.0..1.0), floats([2, 3, 2, 1], -1.0..1.0), bools([2, 1, 2, 1])]),
        made("glu", |x| x[0].glu(1).expect("an even axis"),
            |n| vec![floats([n, 4, 2], -2.0..2.0)]),
        op("layer_norm", |x| layer_norm(&x[0], None, None, 1, 0.1).expect("it fits"),
            |n| vec![floats([2, n], -1.0..1.0)]),
        op("layer_norm", |x| layer_norm(&x[0], Some(&x[1]), None, 1, 0.1).expect("it fits"),
            |n| vec![floats([n, 3], -1.0..1.0), floats([3], -1.0..1.0)]),
        op("layer_norm", |x| layer_norm(&x[0], Some(&x[1]), Some(&x[2]), 2, 0.1).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([2, n], -1.0..1.0), floats([2, n], -1.0..1.0)]),
        op("layer_norm", |x| rms_norm(&x[0], Some(&x[1]), 1, 0.1).expect("it fits"),
            |n| vec![floats([2, n], -1.0..1.0), floats([n], -1.0..1.0)]),
        op("batch_norm",
            |x| batch_norm(&x[0], Some(&x[1]), Some(&x[2]), 0.1).expect("it fits").0,
            |n| vec![floats([n, 2, 3], -1.0..1.0), floats([3], -1.0..1.0), floats([3], -1.0..1.0)]),
        op("batch_norm", |x| batch_norm(&x[0], None, Some(&x[1]), 0.1).expect("it fits").0,
            |n| vec![floats([4, n], -1.0..1.0), floats([n], -1.0..1.0)]),
        op("lstm", |x| recurrent(lstm, x, 2, LAST), |n| without_mask(sequences(n, 4, [8], 2))),
        op("lstm", |x| recurrent(lstm, x, 2, LAST), |n| sequences(n, 4, [8], 2)),
        op("lstm", |x| recurrent(lstm, x, 2, ALL), |n| sequences(n, 4, [8], 2)),
        op("lstm", |x| recurrent(lstm, x, 2, BACKWARDS), |n| sequences(n, 4, [8], 2)),
        op("lstm", |x| recurrent(lstm, x, 2, STATES), |n| sequences(n, 4, [8], 2)),
        op("lstm", |x| recurrent(lstm, x, 2, ALL),
            |n| vec![floats([2, 3, n], -1.0..1.0), floats([n, 4], -1.0..1.0), floats([1, 4], -1.0..1.0)]),
        op("gru", |x| recurrent(gru, x, 1, LAST), |n| without_mask(sequences(n, 3, [2, 6], 1))),
        op("gru", |x| recurrent(gru, x, 1, ALL), |n| sequences(n, 3, [2, 6], 1)),
        op("gru", |x| recurrent(gru, x, 1, BACKWARDS), |n| sequences(n, 3, [2, 6], 1)),
        op("gru", |x| recurrent(gru, x, 1, STATES), |n| sequences(n, 3, [2, 6], 1)),
        op("simple_rnn", |x| recurrent(simple_rnn, x, 1, LAST), |n| without_mask(sequences(n, 1, [2], 1))),
        op("simple_rnn", |x| recurrent(simple_rnn, x, 1, BACKWARDS), |n| sequences(n, 1, [2], 1)),
        op("simple_rnn", |x| recurrent(simple_rnn, x, 1, STATES), |n| sequences(n, 1, [2], 1)),
    ]
}
