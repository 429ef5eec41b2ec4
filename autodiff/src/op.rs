//! What an op is, and the one door through which every op runs.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use crate::error::{Error, Result};
use crate::shape::Spec;
use crate::tape;
use crate::tensor::{Tensor, next_id};

/// Which tensors the backward pass may read; all others are freed as soon as nobody holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saves {
    /// Shapes and dtypes are enough.
    Nothing,
    /// The output.
    Output,
    /// All inputs.
    Inputs,
    /// The inputs whose bit is set: bit 0 for the first.
    Some(u32),
    /// All inputs and the output.
    All,
}

impl Saves {
    #[inline]
    pub(crate) fn input(self, index: usize) -> bool {
        match self {
            Saves::Inputs | Saves::All => true,
            Saves::Some(bits) => bits >> index & 1 == 1,
            Saves::Nothing | Saves::Output => false,
        }
    }

    #[inline]
    pub(crate) fn output(self) -> bool {
        matches!(self, Saves::Output | Saves::All)
    }
}

/// One operation on tensors: its name, its rule for shapes and dtypes, its value and its
/// derivative, all in one place.
///
/// The derivative is *written in ops*, so that it can be differentiated again.
///
/// ```
/// use cornu_autodiff::{Call, Gradients, Op, Result, Saves, Spec, Tape, Tensor, apply};
///
/// /// `x³`, with its own gradient.
/// #[derive(Debug)]
/// struct Cube;
///
/// impl Op for Cube {
///     fn name(&self) -> &'static str { "cube" }
///     fn saves(&self) -> Saves { Saves::Inputs }
///     fn infer(&self, x: &[&Spec]) -> Result<Spec> { Ok(*x[0]) }
///     fn forward(&self, x: &[&Tensor], _: &Spec) -> Result<Tensor> { Ok(x[0] * x[0] * x[0]) }
///     fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
///         let x = call.input(0);
///         into.add(0, || g * (3.0 * x * x));
///     }
/// }
///
/// let x = Tensor::scalar(2.0);
/// let tape = Tape::new();
/// let y = apply(Cube, &[&x])?;
/// assert_eq!(tape.gradient(&y, &[&x])?[0].item::<f64>()?, 12.0);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub trait Op: Debug + Send + Sync + 'static {
    /// The op's name, as NumPy or Keras calls it.
    fn name(&self) -> &'static str;

    /// How many inputs it takes; [`apply`] refuses other numbers. One, unless an op says otherwise.
    fn arity(&self) -> RangeInclusive<usize> {
        1..=1
    }

    /// The dtype and shape of the output, from those of the inputs. Serves tensors with and
    /// without values, so a rule must not look at values.
    ///
    /// # Errors
    /// When the inputs don't fit; the error names op, rule and what it got.
    fn infer(&self, inputs: &[&Spec]) -> Result<Spec>;

    /// The output's values. Inputs have passed `infer`, whose answer is `output`; they may lie in
    /// memory in any layout. Ops called in here are not recorded.
    ///
    /// # Errors
    /// When a *value* is outside what the op accepts, such as an index out of range.
    fn forward(&self, inputs: &[&Tensor], output: &Spec) -> Result<Tensor>;

    /// What [`vjp`](Op::vjp) reads.
    fn saves(&self) -> Saves;

    /// The vector-Jacobian product: from `g`, the gradient by the output, the gradient by each
    /// input, handed over by [`Gradients::add`]. A gradient may have the output's broadcast
    /// shape; the tape sums it to the input's.
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>);

    /// As [`vjp`](Op::vjp), which it calls unless an op has use for a `g` that it may overwrite.
    fn vjp_owned(&self, call: &Call<'_>, g: Tensor, into: &mut Gradients<'_>) {
        self.vjp(call, &g, into);
    }

    /// Whether gradients can flow through this op to input `index`. An op that answers `false`
    /// (argmax, comparisons, `stop_gradient`) cuts the path, as constants do.
    fn is_differentiable(&self, _index: usize) -> bool {
        true
    }

    /// The op's attributes, for people who read a printed tape.
    fn attributes(&self) -> String {
        options(format!("{self:?}"))
    }
}

/// Within an implementation of [`Op`]: its output has no slope, so no gradient flows through it.
macro_rules! without_slope {
    () => {
        fn saves(&self) -> $crate::Saves {
            $crate::Saves::Nothing
        }
        fn is_differentiable(&self, _: usize) -> bool {
            false
        }
        fn vjp(&self, _: &$crate::Call<'_>, _: &$crate::Tensor, _: &mut $crate::Gradients<'_>) {}
    };
}
pub(crate) use without_slope;

/// What a printed struct says after its name.
fn options(printed: String) -> String {
    match printed.find(['(', '{']) {
        Some(start) => printed[start..].trim().to_string(),
        None => String::new(),
    }
}

/// A recorded call of an op, as its backward pass sees it.
#[derive(Debug)]
pub struct Call<'a> {
    pub(crate) op: &'a dyn Op,
    pub(crate) inputs: &'a [Tensor],
    pub(crate) output: &'a Tensor,
}

impl<'a> Call<'a> {
    /// Input `index`.
    ///
    /// # Panics
    /// When the op didn't save it: [`Op::saves`] must name what [`Op::vjp`] reads.
    #[inline]
    pub fn input(&self, index: usize) -> &'a Tensor {
        let x = &self.inputs[index];
        assert!(!x.is_symbolic(), "`{}` reads input {index} but doesn't save it", self.op.name());
        x
    }

    /// Dtype and shape of input `index`.
    #[inline]
    pub fn spec(&self, index: usize) -> &'a Spec {
        &self.inputs[index].spec
    }

    /// Number of inputs.
    #[inline]
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether the op was called on no input.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The output.
    ///
    /// # Panics
    /// When the op didn't save it.
    #[inline]
    pub fn output(&self) -> &'a Tensor {
        let y = self.output;
        assert!(!y.is_symbolic(), "`{}` reads its output but doesn't save it", self.op.name());
        y
    }
}

/// Where a backward pass leaves the gradients of its inputs. Those that nobody needs are
/// never computed.
pub struct Gradients<'a> {
    pub(crate) wanted: &'a [bool],
    pub(crate) accept: &'a mut dyn FnMut(usize, Tensor),
}

impl std::fmt::Debug for Gradients<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gradients {{ wanted: {:?} }}", self.wanted)
    }
}

impl Gradients<'_> {
    /// Hands over the gradient by input `index`, if it is wanted.
    #[inline]
    pub fn add(&mut self, index: usize, gradient: impl FnOnce() -> Tensor) {
        if self.wanted[index] {
            (self.accept)(index, gradient());
        }
    }

    /// Whether the gradient by input `index` is wanted.
    #[inline]
    pub fn wants(&self, index: usize) -> bool {
        self.wanted[index]
    }
}

/// Runs an op: checks shapes and dtypes, computes the value, and records the call on the tapes
/// of this thread. On a symbolic input it works out the shape only.
///
/// # Errors
/// Those of the op, and when it takes another number of inputs.
#[inline]
pub fn apply<O: Op>(op: O, inputs: &[&Tensor]) -> Result<Tensor> {
    let (y, recording) = run(&op, inputs)?;
    if recording {
        tape::record(Box::new(op), inputs, &y);
    }
    Ok(y)
}

/// The value, and whether the call is to be recorded. Compiled once, not once an op.
fn run(op: &dyn Op, inputs: &[&Tensor]) -> Result<(Tensor, bool)> {
    let arity = op.arity();
    if !arity.contains(&inputs.len()) {
        return Err(wrong_number(op, &arity, inputs.len()));
    }
    let output = infer(op, inputs)?;
    if inputs.iter().any(|x| x.is_symbolic()) {
        return Ok((Tensor::symbolic(output), false));
    }
    let recording = tape::is_recording();
    let mut y = if recording {
        let _pause = tape::Pause::new();
        op.forward(inputs, &output)?
    } else {
        op.forward(inputs, &output)?
    };
    debug_assert_eq!(y.spec, output, "`{}` returned another spec than it inferred", op.name());
    // A forward pass may hand its input through; the value is the op's own all the same.
    y.id = next_id();
    Ok((y, recording))
}

#[cold]
fn wrong_number(op: &dyn Op, arity: &RangeInclusive<usize>, got: usize) -> Error {
    let rule = match (arity.start(), arity.end()) {
        (1, 1) => "it takes one input".to_owned(),
        (1, &usize::MAX) => "it takes one input or more".to_owned(),
        (least, most) if least == most => format!("it takes {least} inputs"),
        (least, &usize::MAX) => format!("it takes {least} inputs or more"),
        (least, most) => format!("it takes {least} to {most} inputs"),
    };
    Error::value(op.name(), rule, got.to_string())
}

fn infer(op: &dyn Op, inputs: &[&Tensor]) -> Result<Spec> {
    match inputs {
        [a] => op.infer(&[&a.spec]),
        [a, b] => op.infer(&[&a.spec, &b.spec]),
        [a, b, c] => op.infer(&[&a.spec, &b.spec, &c.spec]),
        _ => op.infer(&inputs.iter().map(|x| &x.spec).collect::<Vec<_>>()),
    }
}

/// The value of an op whose failure is a programmer's error: panics at the caller's line with
/// the error's text.
#[inline]
#[track_caller]
pub(crate) fn must<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
