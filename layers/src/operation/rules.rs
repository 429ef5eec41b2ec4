//! What each operation computes.

use cornu_autodiff::ops::{self, Axes};
use cornu_autodiff::{DType, Result as TensorResult, Tensor, apply, axis_of, is_probe};
use serde_json::Value;

use crate::arg::Arg;
use crate::axes::AxisOrAxes;
use crate::error::{Error, Result};
use crate::setting::{Config, Setting};

/// An operation of Keras.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) class: &'static str,
    pub(super) module: &'static str,
    /// Keys of its config in Keras's order, with their defaults as JSON.
    pub(super) options: &'static [(&'static str, &'static str)],
    /// Whether whole numbers become float32.
    pub(super) floats: bool,
    pub(super) compute: Compute,
}

/// How it is computed, by what it is called on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Compute {
    One(fn(&Tensor, &Config) -> Result<Tensor>),
    Two(fn(&Tensor, &Tensor) -> TensorResult<Tensor>),
    Three(fn(&Tensor, &Tensor, &Tensor) -> TensorResult<Tensor>),
    List(fn(&[Tensor], &Config) -> Result<Tensor>),
    /// A part of a tensor.
    Item,
}

const NUMPY: &str = "keras.src.ops.numpy";
const NN: &str = "keras.src.ops.nn";
const CORE: &str = "keras.src.ops.core";

const fn rule(class: &'static str, compute: Compute) -> Rule {
    Rule { class, module: NUMPY, options: &[], floats: false, compute }
}

const fn with(
    class: &'static str,
    options: &'static [(&'static str, &'static str)],
    compute: Compute,
) -> Rule {
    Rule { options, ..rule(class, compute) }
}

const fn of_nn(rule: Rule) -> Rule {
    Rule { module: NN, ..rule }
}

const fn on_floats(rule: Rule) -> Rule {
    Rule { floats: true, ..rule }
}

macro_rules! one {
    ($Op:ident) => {
        Compute::One(|x, _| Ok(apply(ops::$Op, &[x])?))
    };
}

macro_rules! two {
    ($Op:ident) => {
        Compute::Two(|a, b| apply(ops::$Op, &[a, b]))
    };
}

macro_rules! fold {
    ($Op:ident) => {
        Compute::One(|x, options| {
            let (axes, keepdims) = folded(options)?;
            Ok(apply(ops::$Op { axes, keepdims }, &[x])?)
        })
    };
}

const FOLD: &[(&str, &str)] = &[("axis", "null"), ("keepdims", "false")];
const EXTREME: &[(&str, &str)] = &[("axis", "null"), ("keepdims", "false"), ("initial", "null")];

/// All of them.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("Add", two!(Add)),
    rule("Subtract", two!(Subtract)),
    rule("Multiply", two!(Multiply)),
    on_floats(rule("TrueDivide", two!(Divide))),
    on_floats(rule("Divide", two!(Divide))),
    rule("FloorDivide", two!(FloorDivide)),
    rule("Mod", two!(Modulo)),
    rule("Power", two!(Power)),
    rule("Maximum", two!(Maximum)),
    rule("Minimum", two!(Minimum)),
    rule("Equal", two!(Equal)),
    rule("NotEqual", two!(NotEqual)),
    rule("Less", two!(Less)),
    rule("LessEqual", two!(LessEqual)),
    rule("Greater", two!(Greater)),
    rule("GreaterEqual", two!(GreaterEqual)),
    rule("LogicalAnd", two!(LogicalAnd)),
    rule("LogicalOr", two!(LogicalOr)),
    rule("Matmul", two!(MatMul)),
    rule("Where", Compute::Three(|c, a, b| apply(ops::Select, &[c, a, b]))),
    rule("Negative", one!(Negative)),
    rule("Absolute", one!(Abs)),
    rule("Sign", one!(Sign)),
    rule("Square", one!(Square)),
    on_floats(rule("Exp", one!(Exp))),
    on_floats(rule("Log", one!(Log))),
    on_floats(rule("Sqrt", one!(Sqrt))),
    on_floats(rule("Sin", one!(Sin))),
    on_floats(rule("Cos", one!(Cos))),
    on_floats(rule("Tanh", one!(Tanh))),
    of_nn(rule("Relu", one!(Relu))),
    of_nn(rule("Sigmoid", one!(Sigmoid))),
    of_nn(rule("Silu", one!(Silu))),
    of_nn(rule("Softplus", one!(Softplus))),
    of_nn(with("Softmax", &[("axis", "-1")], Compute::One(|x, options| {
        Ok(apply(ops::Softmax { axis: isize::from_json(&options["axis"])? }, &[x])?)
    }))),
    with("Sum", FOLD, fold!(Sum)),
    on_floats(with("Mean", FOLD, fold!(Mean))),
    with("Max", EXTREME, fold!(Max)),
    with("Min", EXTREME, fold!(Min)),
    with("Any", FOLD, fold!(Any)),
    with("All", FOLD, fold!(All)),
    on_floats(with("Var", FOLD, Compute::One(|x, options| spread(x, options, |x, axes, keep| x.var(axes, keep))))),
    on_floats(with("Std", FOLD, Compute::One(|x, options| spread(x, options, |x, axes, keep| x.std(axes, keep))))),
    with("Clip", &[("x_min", "null"), ("x_max", "null")], Compute::One(clip)),
    with("Reshape", &[("newshape", "null")], Compute::One(reshape)),
    with("Transpose", &[("axes", "null")], Compute::One(transpose)),
    with("ExpandDims", &[("axis", "null")], Compute::One(expand_dims)),
    with("Squeeze", &[("axis", "null")], Compute::One(squeeze)),
    with("Concatenate", &[("axis", "0")], Compute::List(concatenate)),
    with("Stack", &[("axis", "0")], Compute::List(stack)),
    rule("GetItem", Compute::Item),
    Rule { module: CORE, ..with("Cast", &[("dtype", "null")], Compute::One(|x, options| {
        Ok(x.cast(DType::from_json(&options["dtype"])?))
    })) },
];

/// The axes that are folded, and whether they stay.
fn folded(options: &Config) -> Result<(Axes, bool)> {
    if let Some(initial) = options.get("initial").filter(|initial| !initial.is_null()) {
        return Err(Error::setting("`initial`", "it must be null", initial));
    }
    let axes = match Option::<AxisOrAxes>::from_json(&options["axis"])? {
        Some(axes) => axes.as_slice().into(),
        None => Axes::All,
    };
    Ok((axes, bool::from_json(&options["keepdims"])?))
}

fn spread(x: &Tensor, options: &Config, f: fn(&Tensor, Axes, bool) -> Tensor) -> Result<Tensor> {
    let (axes, keepdims) = folded(options)?;
    axes.mask("`axis`", x.rank())?;
    Ok(f(x, axes, keepdims))
}

fn clip(x: &Tensor, options: &Config) -> Result<Tensor> {
    let bound = |key: &str, none: f64| -> Result<f64> {
        Ok(Option::from_json(&options[key])?.unwrap_or(none))
    };
    let (low, high) = (bound("x_min", f64::NEG_INFINITY)?, bound("x_max", f64::INFINITY)?);
    Ok(apply(ops::Clip { low, high }, &[x])?)
}

fn reshape(x: &Tensor, options: &Config) -> Result<Tensor> {
    Ok(x.try_reshape(&Vec::from_json(&options["newshape"])?)?)
}

fn transpose(x: &Tensor, options: &Config) -> Result<Tensor> {
    let reversed = || (0..x.rank() as isize).rev().collect();
    let axes: Vec<isize> = Option::from_json(&options["axes"])?.unwrap_or_else(reversed);
    let order = axes.iter().map(|&axis| axis_of("`axes`", axis, x.rank()));
    Ok(apply(ops::Permute(order.collect::<TensorResult<_>>()?), &[x])?)
}

/// One axis or several, from the front.
fn positions(value: &Value, rank: usize) -> Result<Vec<usize>> {
    let axes: AxisOrAxes = Setting::from_json(value)?;
    let at = axes.as_slice().iter().map(|&axis| axis_of("`axis`", axis, rank));
    let mut at = at.collect::<TensorResult<Vec<usize>>>()?;
    at.sort_unstable();
    at.dedup();
    Ok(at)
}

fn signed(dims: &[usize]) -> Vec<isize> {
    dims.iter().map(|&d| d as isize).collect()
}

fn expand_dims(x: &Tensor, options: &Config) -> Result<Tensor> {
    let count = AxisOrAxes::from_json(&options["axis"])?.as_slice().len();
    let mut dims = signed(x.dims());
    for at in positions(&options["axis"], x.rank() + count)? {
        dims.insert(at.min(dims.len()), 1);
    }
    Ok(x.try_reshape(&dims)?)
}

fn squeeze(x: &Tensor, options: &Config) -> Result<Tensor> {
    let at = match &options["axis"] {
        Value::Null => (0..x.rank()).filter(|&axis| x.dims()[axis] == 1).collect(),
        axis => positions(axis, x.rank())?,
    };
    // An axis of unknown size is taken for one of size 1, as in Keras.
    let whole = |axis: usize| x.dims()[axis] == 1 || (x.is_symbolic() && is_probe(x.dims()[axis]));
    if let Some(&axis) = at.iter().find(|&&axis| !whole(axis)) {
        return Err(Error::input(format!("axis {axis} must have size 1"), &[x.shape()]));
    }
    let kept = (0..x.rank()).filter(|axis| !at.contains(axis)).map(|axis| x.dims()[axis]);
    let dims: Vec<usize> = kept.collect();
    match x.is_symbolic() {
        true => Ok(Tensor::symbolic(x.spec().with(&dims)?)),
        false => Ok(x.try_reshape(&signed(&dims))?),
    }
}

fn concatenate(all: &[Tensor], options: &Config) -> Result<Tensor> {
    let axis = isize::from_json(&options["axis"])?;
    Ok(apply(ops::Concat { axis }, &all.iter().collect::<Vec<_>>())?)
}

fn stack(all: &[Tensor], options: &Config) -> Result<Tensor> {
    let rank = all.first().map_or(0, Tensor::rank);
    let at = axis_of("`axis`", isize::from_json(&options["axis"])?, rank + 1)?;
    let options: Config = [("axis".to_owned(), (at as isize).to_json())].into_iter().collect();
    let wide: Result<Vec<Tensor>> = all.iter().map(|x| expand_dims(x, &options)).collect();
    concatenate(&wide?, &options)
}

impl Arg<Option<AxisOrAxes>> for isize {
    fn arg(self) -> Option<AxisOrAxes> {
        Some(AxisOrAxes::One(self))
    }
}

impl<const N: usize> Arg<Option<AxisOrAxes>> for [isize; N] {
    fn arg(self) -> Option<AxisOrAxes> {
        Some(AxisOrAxes::Several(self.into()))
    }
}
