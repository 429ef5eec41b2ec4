//! Ops that fold axes, or run along them.

use cornu_autodiff::Tensor;
use cornu_autodiff::ops::linear_recurrence;

use crate::case::{Case, bools, distinct, floats, made, op};

pub(crate) fn cases() -> Vec<Case> {
    [folds(), runs(), orders()].into_iter().flatten().collect()
}

fn cube(n: usize) -> Vec<Tensor> {
    vec![floats([2, n, 3], -2.0..2.0)]
}

#[rustfmt::skip]
fn folds() -> Vec<Case> {
    vec![
        op("sum", |x| x[0].sum(.., false), cube),
        op("sum", |x| x[0].sum(1, true), cube),
        op("sum", |x| x[0].sum([0, -1], false), cube),
        op("mean", |x| x[0].mean(.., false), cube).from(1),
        op("mean", |x| x[0].mean(-1, true), cube),
        op("mean", |x| x[0].mean(1, false), cube).from(1),
        op("max", |x| x[0].max(.., false), |n| vec![distinct([2, n, 3])]).from(1),
        op("max", |x| x[0].max(1, false), |n| vec![distinct([2, n, 3])]).from(1),
        op("max", |x| x[0].max([0, 2], true), |n| vec![distinct([2, n, 3])]),
        op("min", |x| x[0].min(-1, true), |n| vec![distinct([2, n, 3])]),
        op("min", |x| x[0].min([0, 1], false), |n| vec![distinct([2, n, 3])]).from(1),
        op("any", |x| x[0].any(1, false), |n| vec![bools([2, n, 3])]),
        op("all", |x| x[0].all([0, 1], true), |n| vec![bools([2, n, 3])]),
        op("prod", |x| x[0].prod(1, false), cube),
        op("prod", |x| x[0].prod([0, -1], true), cube),
        op("prod", |x| x[0].prod(.., false), |n| vec![floats([2, n], 0.8..1.2)]),
        op("logsumexp", |x| x[0].logsumexp(1, false), cube),
        op("logsumexp", |x| x[0].logsumexp(.., true), cube),
        op("logsumexp", |x| x[0].logsumexp([0, -1], false), cube),
        made("var", |x| x[0].var([0, 1], true), cube).from(1),
        // At zero it has a kink: one input may be constant.
        made("std", |x| (&x[0] + &x[1]).std(-1, false),
            |n| vec![floats([2, n, 3], -2.0..2.0), distinct([2, n, 3])]),
    ]
}

#[rustfmt::skip]
fn runs() -> Vec<Case> {
    vec![
        op("cumsum", |x| x[0].cumsum(1, false, false), cube),
        op("cumsum", |x| x[0].cumsum(-1, true, false), cube),
        op("cumsum", |x| x[0].cumsum(1, false, true), cube),
        op("cumsum", |x| x[0].cumsum(0, true, true), cube),
        op("linear_recurrence", |x| linear_recurrence(&x[0], &x[1], 1, false),
            |n| vec![floats([2, n, 3], -1.0..1.0), floats([2, n, 3], -1.0..1.0)]),
        op("linear_recurrence", |x| linear_recurrence(&x[0], &x[1], -1, true),
            |n| vec![floats([2, n], -1.0..1.0), floats([2, n], -1.0..1.0)]),
        made("cumprod", |x| x[0].cumprod(1, false, false), |n| vec![floats([2, n, 3], -1.2..1.2)]),
        made("cumprod", |x| x[0].cumprod(-1, true, false), |n| vec![floats([2, n], -1.2..1.2)]),
        made("cumprod", |x| x[0].cumprod(1, false, true), |n| vec![floats([2, n], -1.2..1.2)]),
        made("cumprod", |x| x[0].cumprod(0, true, true), |n| vec![floats([n, 2], -1.2..1.2)]),
    ]
}

#[rustfmt::skip]
fn orders() -> Vec<Case> {
    vec![
        op("argmax", |x| x[0].argmax(1), |n| vec![distinct([2, n, 3])]).from(1),
        op("argmax", |x| x[0].argmax(-1), |n| vec![distinct([2, n, 3])]),
        op("argmin", |x| x[0].argmin(0), |n| vec![distinct([2, n, 3])]),
        op("argsort", |x| x[0].argsort(1, false), |n| vec![distinct([2, n, 3])]),
        op("argsort", |x| x[0].argsort(-1, true), |n| vec![distinct([2, n])]),
        made("sort", |x| x[0].sort(1, false), |n| vec![distinct([2, n, 3])]),
        made("sort", |x| x[0].sort(-1, true), |n| vec![distinct([2, n])]),
        made("top_k", |x| x[0].top_k(2).0, |n| vec![distinct([n, 3])]),
        made("top_k", |x| x[0].top_k(1).1, |n| vec![distinct([2, n])]).from(1),
    ]
}
