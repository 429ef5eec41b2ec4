//! Long short-term memory of images.

use std::sync::OnceLock;

use cornu_autodiff::{Spec, Tensor, ops};
use smallvec::smallvec;

use crate::activation::Activation;
use crate::builder::WeightBuilder;
use crate::check::{positive, probability};
use crate::choice::{DataFormat, Padding};
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::convolutional::convolve;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Tensors, known_axis};
use crate::part::Part;
use crate::regularization::with_own;
use crate::regularizer::Regularizer;
use crate::rnn::cell::{Cell, CellWeights, Drops, Walk, unit_forget};
use crate::rnn::recurrent::sequence_layer;
use crate::rnn::sequence::{Course, course};
use crate::rnn::time_distributed::{fold, unfold};
use crate::setting::Config;
use crate::window::{Window, channel_axis, spatial};

macro_rules! conv_lstm {
    ($($(#[$doc:meta])* $Layer:ident[$class:literal], $axes:literal;)*) => {$(
        config! {
            $(#[$doc])*
            ///
            /// As [`LSTM`](crate::LSTM) with convolutions in place of products (Shi et al. 2015,
            /// arXiv:1506.04214): that of the input with the options given here, that of the
            /// state with padding `same`. With `"channels_first"` channels come right behind
            /// the steps.
            ///
            /// # Errors
            /// When an option is 0, strides and dilation are both above 1, the kernel is larger
            /// than the input, or an axis other than batch and steps is unknown.
            ///
            /// # Difference from Keras
            /// A mask works however long the sequence; Keras needs `unroll` for it.
            pub struct $Layer[$class] {
                /// Number of output channels.
                filters: usize,
                /// Size of the window along each axis; one number for all.
                kernel_size: [usize; $axes],
                ..
                /// Whether the output is that of every step, or of the last.
                return_sequences: bool = false,
                /// Whether the states after the last step are outputs, too.
                return_state: bool = false,
                /// Whether the last step comes first; the outputs are in the order of steps
                /// taken.
                go_backwards: bool = false,
                /// Whether a batch begins with the states in which the one before ended.
                stateful: bool = false,
                /// Without effect: Keras compiles the steps one by one.
                unroll: bool = false,
                /// Whether the output of a masked step is 0, not that of the step before.
                zero_output_for_mask: bool = false,
                /// Steps of the window along each axis.
                strides: [usize; $axes] = [1; $axes],
                /// What the window sees beyond the edges.
                padding: Padding = Padding::Valid,
                /// Where the channels are.
                data_format: DataFormat = DataFormat::ChannelsLast,
                /// Distance between neighbouring elements of the window along each axis.
                dilation_rate: [usize; $axes] = [1; $axes],
                /// Applied to the candidate and to the cell state.
                activation: Activation = Activation::Tanh,
                /// Applied to the gates.
                recurrent_activation: Activation = Activation::Sigmoid,
                /// Whether a bias is added.
                use_bias: bool = true,
                /// First value of `kernel`.
                kernel_initializer: Initializer = Initializer::glorot_uniform(),
                /// First value of `recurrent_kernel`.
                recurrent_initializer: Initializer = Initializer::orthogonal(1.0),
                /// First value of `bias`.
                bias_initializer: Initializer = Initializer::Zeros,
                /// Whether the forget gate's part of `bias` begins at 1.
                unit_forget_bias: bool = true,
                /// Penalty on `kernel`.
                kernel_regularizer: Option<Regularizer> = None,
                /// Penalty on `recurrent_kernel`.
                recurrent_regularizer: Option<Regularizer> = None,
                /// Penalty on `bias`.
                bias_regularizer: Option<Regularizer> = None,
                /// What `kernel` is brought back to after each step.
                kernel_constraint: Option<Constraint> = None,
                /// What `recurrent_kernel` is brought back to after each step.
                recurrent_constraint: Option<Constraint> = None,
                /// What `bias` is brought back to after each step.
                bias_constraint: Option<Constraint> = None,
                /// The probability with which an element of the input is dropped while training,
                /// the same ones at every step.
                dropout: f64 = 0.0,
                /// The probability with which an element of the state is dropped where it is
                /// convolved, while training, the same ones at every step.
                recurrent_dropout: f64 = 0.0,
                /// Chooses a stream of draws for what is dropped.
                seed: Option<u64> = None,
            }
        }

        impl $Layer {
            fn cell(&self) -> ConvCell {
                let part = |used, initializer: &Initializer, regularizer: &Option<Regularizer>,
                            constraint: &Option<Constraint>| OwnPart {
                    used,
                    initializer: initializer.clone(),
                    regularizer: regularizer.clone(),
                    constraint: constraint.clone(),
                };
                let bias = match self.unit_forget_bias {
                    true => unit_forget(&self.bias_initializer, self.filters),
                    false => self.bias_initializer.clone(),
                };
                ConvCell {
                    filters: self.filters,
                    size: self.kernel_size.to_vec(),
                    strides: self.strides.to_vec(),
                    dilation: self.dilation_rate.to_vec(),
                    padding: self.padding.clone(),
                    data_format: self.data_format.clone(),
                    activation: self.activation.clone(),
                    recurrent_activation: self.recurrent_activation.clone(),
                    parts: [
                        part(true, &self.kernel_initializer, &self.kernel_regularizer,
                             &self.kernel_constraint),
                        part(true, &self.recurrent_initializer, &self.recurrent_regularizer,
                             &self.recurrent_constraint),
                        part(self.use_bias, &bias, &self.bias_regularizer,
                             &self.bias_constraint),
                    ],
                    rates: [self.dropout, self.recurrent_dropout],
                    seed: self.seed,
                    state: OnceLock::new(),
                }
            }

            fn course(&self) -> Course {
                course!(self)
            }

            fn write_own(&self, _: &mut Config) {}
        }

        sequence_layer!($Layer, ConvCell, "conv_lstm_cell", $axes + 3);
    )*};
}

conv_lstm! {
    /// A recurrent layer for sequences of sequences: `(batch, steps, positions, channels)` to
    /// `(batch, positions', filters)`, or `(batch, steps, positions', filters)` of them.
    ///
    /// ```
    /// use cornu_layers::{Apply, ConvLSTM1D, input};
    /// let y = ConvLSTM1D::new(4, 3).apply(&input([10, 8, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(6), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ConvLSTM1D["ConvLSTM1D"], 1;
    /// A recurrent layer for sequences of images: `(batch, steps, rows, columns, channels)` to
    /// `(batch, rows', columns', filters)`, or `(batch, steps, rows', columns', filters)`.
    ///
    /// ```
    /// use cornu_layers::{Apply, ConvLSTM2D, input};
    /// let layer = ConvLSTM2D::new(4, 3).padding("same").return_sequences(true);
    /// let y = layer.apply(&input([10, 8, 8, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(10), Some(8), Some(8), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ConvLSTM2D["ConvLSTM2D"], 2;
    /// A recurrent layer for sequences of volumes: `(batch, steps, x, y, z, channels)` to
    /// `(batch, x', y', z', filters)`, or `(batch, steps, x', y', z', filters)`.
    ///
    /// ```
    /// use cornu_layers::{Apply, ConvLSTM3D, input};
    /// let y = ConvLSTM3D::new(2, 2).apply(&input([5, 4, 4, 4, 1]))?;
    /// assert_eq!(y.shape(), [None, Some(3), Some(3), Some(3), Some(2)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ConvLSTM3D["ConvLSTM3D"], 3;
}

/// Options for one weight.
#[derive(Clone, Debug)]
struct OwnPart {
    used: bool,
    initializer: Initializer,
    regularizer: Option<Regularizer>,
    constraint: Option<Constraint>,
}

impl OwnPart {
    fn part(&self) -> Part<'_> {
        Part {
            used: self.used,
            initializer: &self.initializer,
            regularizer: &self.regularizer,
            constraint: &self.constraint,
        }
    }
}

/// The cell of a convolutional LSTM, of any number of axes.
#[derive(Clone, Debug)]
struct ConvCell {
    filters: usize,
    size: Vec<usize>,
    strides: Vec<usize>,
    dilation: Vec<usize>,
    padding: Padding,
    data_format: DataFormat,
    activation: Activation,
    recurrent_activation: Activation,
    parts: [OwnPart; 3],
    /// Rates of dropout for input and state.
    rates: [f64; 2],
    seed: Option<u64>,
    /// Shape of a state, once it is known.
    state: OnceLock<Vec<usize>>,
}

impl ConvCell {
    fn window(&self) -> Window<'_> {
        Window {
            option: "kernel_size",
            size: &self.size,
            strides: &self.strides,
            dilation: &self.dilation,
            padding: &self.padding,
            data_format: &self.data_format,
        }
    }

    /// The convolution of the input.
    fn of_input(&self, x: &Tensor, kernel: &Tensor, bias: Option<Tensor>) -> Result<Tensor> {
        convolve(x, kernel, bias, &self.window(), 1, &Activation::Linear)
    }

    /// The convolution of the state.
    fn of_state(&self, h: &Tensor, kernel: &Tensor) -> Result<Tensor> {
        let ones = vec![1; self.size.len()];
        let window =
            Window { strides: &ones, dilation: &ones, padding: &Padding::Same, ..self.window() };
        convolve(h, kernel, None, &window, 1, &Activation::Linear)
    }

    /// A convolution of `x` for each gate, side by side; those that drop drop apart.
    fn gates(
        &self,
        x: &Tensor,
        kernel: &Tensor,
        drops: Option<&Drops>,
        axis: isize,
        one: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let Some(drops) = drops else { return one(x, kernel) };
        let kernels = kernel.split(GATES, -1);
        let gate = |g: usize| one(&drops.on(x, g)?, &kernels[g]);
        let gates = (0..GATES).map(gate).collect::<Result<Vec<_>>>()?;
        Ok(ops::concat(&gates, axis))
    }
}

const GATES: usize = 4;

impl Cell for ConvCell {
    fn build_cell(&self, step: &Spec, weights: &mut WeightBuilder) -> Result<CellWeights> {
        positive("filters", self.filters)?;
        probability("dropout", self.rates[0])?;
        probability("recurrent_dropout", self.rates[1])?;
        let channels = known_axis(step, channel_axis(&self.data_format))?;
        if spatial(&step.shape, &self.data_format).iter().any(|&n| cornu_autodiff::is_probe(n)) {
            let rule = "every axis of a step must be known to build the layer";
            return Err(Error::input(rule, &[&step.shape]));
        }
        self.window().check(step, false)?;
        self.window().check_steps()?;
        let gates = self.filters.saturating_mul(GATES);
        let shape = |channels: usize| [self.size.as_slice(), &[channels, gates]].concat();
        let parts = self.parts.each_ref().map(OwnPart::part);
        let shapes = [shape(channels), shape(self.filters), vec![gates]];
        let weights = CellWeights::make(parts, shapes.each_ref().map(Vec::as_slice), weights)?;
        let one = shape(channels);
        let kernel =
            Tensor::symbolic(step.with(&[&one[..one.len() - 1], &[self.filters]].concat())?);
        let y = self.of_input(&Tensor::symbolic(*step), &kernel, None)?;
        let _ = self.state.set(y.dims()[1..].to_vec());
        Ok(weights)
    }

    fn state_shapes(&self, _: &CellWeights) -> Vec<Vec<usize>> {
        vec![self.state.get().cloned().unwrap_or_default(); 2]
    }

    fn start<'a>(
        &'a self,
        w: &'a CellWeights,
        x: &Tensor,
        context: &mut Context<'_>,
    ) -> Result<Box<dyn Walk + 'a>> {
        // Without values one step tells the shape of all.
        let x = if x.is_symbolic() { &x.slice(1, 0..1) } else { x };
        let bias = w.bias.as_ref().map(|bias| bias.value());
        let mut drops = [None, None];
        if let Some(generator) = context.generator().filter(|_| self.rates != [0.0; 2]) {
            let first = x.slice(1, 0..1);
            let mut dims = vec![x.dims()[0]];
            dims.extend(self.state.get().into_iter().flatten());
            let state = match x.is_symbolic() {
                true => Tensor::symbolic(x.spec().with(&dims)?),
                false => Tensor::zeros(dims.as_slice(), x.dtype()),
            };
            drops = with_own(generator, self.seed, |generator| {
                Ok::<_, Error>([
                    Drops::draw(&first, self.rates[0], GATES, generator)?,
                    Drops::draw(&state, self.rates[1], GATES, generator)?,
                ])
            })?;
        }
        let [drops, state_drops] = drops;
        // All steps in one convolution.
        let one = |x: &Tensor, kernel: &Tensor| unfold(&self.of_input(&fold(x)?, kernel, None)?, x);
        let first = self.data_format == DataFormat::ChannelsFirst;
        let axis = if first { 2 } else { -1 };
        let mut inputs = self.gates(x, &w.kernel.value(), drops.as_ref(), axis, one)?;
        if let Some(bias) = bias {
            let mut shape = vec![1; inputs.rank()];
            let axis = if first { 2 } else { shape.len() - 1 };
            shape[axis] = -1;
            inputs = inputs + bias.reshape(shape);
        }
        let kernel = w.recurrent_kernel.value();
        Ok(Box::new(ConvWalk { inputs, kernel, drops: state_drops, cell: self }))
    }
}

struct ConvWalk<'a> {
    inputs: Tensor,
    kernel: Tensor,
    drops: Option<Drops>,
    cell: &'a ConvCell,
}

impl Walk for ConvWalk<'_> {
    fn inputs(&self) -> &Tensor {
        &self.inputs
    }

    fn step(&mut self, x: &Tensor, states: &[Tensor], _: &mut Context<'_>) -> Result<Tensors> {
        let (h, c, cell) = (&states[0], &states[1], self.cell);
        let axis = channel_axis(&cell.data_format);
        let one = |h: &Tensor, kernel: &Tensor| cell.of_state(h, kernel);
        let inner = cell.gates(h, &self.kernel, self.drops.as_ref(), axis, one)?;
        if x.dims() != inner.dims() {
            let rule = "every step must have the size for which the layer was built";
            return Err(Error::input(rule, &[x.shape(), inner.shape()]));
        }
        let z = (x + inner).split(GATES, axis);
        let gate = |z: &Tensor| cell.recurrent_activation.apply(z);
        let candidate = cell.activation.apply(&z[2])?;
        let c = gate(&z[1])? * c + gate(&z[0])? * candidate;
        let h = gate(&z[3])? * cell.activation.apply(&c)?;
        Ok(smallvec![h.clone(), h, c])
    }
}
