//! Declares a cell and the layer that repeats it, with the options they share named once.

/// Declares the two structs and implements [`Layer`](crate::Layer) for both, for a cell that
/// implements [`Cell`](super::cell::Cell).
macro_rules! recurrent {
    (
        $(#[$cell_doc:meta])*
        cell $Cell:ident[$cell_class:literal];
        $(#[$layer_doc:meta])*
        layer $Layer:ident[$layer_class:literal], $cell_name:literal;
        first { $($(#[$first_doc:meta])* $first:ident: $First:ty = $first_default:expr,)* }
        last { $($(#[$last_doc:meta])* $last:ident: $Last:ty = $last_default:expr,)* }
    ) => {
        recurrent! {
            @declare
            [$(#[$cell_doc])*] $Cell[$cell_class]
            [$(#[$layer_doc])*] $Layer[$layer_class] $cell_name
            {
                $($(#[$first_doc])* $first: $First = $first_default,)*
                /// First value of `kernel`.
                kernel_initializer: crate::Initializer = crate::Initializer::glorot_uniform(),
                /// First value of `recurrent_kernel`.
                recurrent_initializer: crate::Initializer = crate::Initializer::orthogonal(1.0),
                /// First value of `bias`.
                bias_initializer: crate::Initializer = crate::Initializer::Zeros,
                $($(#[$last_doc])* $last: $Last = $last_default,)*
                /// Penalty on `kernel`.
                kernel_regularizer: Option<crate::Regularizer> = None,
                /// Penalty on `recurrent_kernel`.
                recurrent_regularizer: Option<crate::Regularizer> = None,
                /// Penalty on `bias`.
                bias_regularizer: Option<crate::Regularizer> = None,
                /// What `kernel` is brought back to after each step.
                kernel_constraint: Option<crate::Constraint> = None,
                /// What `recurrent_kernel` is brought back to after each step.
                recurrent_constraint: Option<crate::Constraint> = None,
                /// What `bias` is brought back to after each step.
                bias_constraint: Option<crate::Constraint> = None,
                /// The probability with which an element of the input is dropped while training,
                /// the same ones at every step.
                dropout: f64 = 0.0,
                /// The probability with which an element of the state is dropped where it is
                /// multiplied, while training, the same ones at every step.
                recurrent_dropout: f64 = 0.0,
                /// Chooses a stream of draws for what is dropped.
                seed: Option<u64> = None,
            }
        }
    };
    (
        @declare
        [$($cell_doc:tt)*] $Cell:ident[$cell_class:literal]
        [$($layer_doc:tt)*] $Layer:ident[$layer_class:literal] $cell_name:literal
        { $($(#[$doc:meta])* $option:ident: $Option:ty = $default:expr,)* }
    ) => {
        crate::config! {
            $($cell_doc)*
            pub struct $Cell[$cell_class] {
                /// Size of the output and of each state.
                units: usize,
                ..
                $($(#[$doc])* $option: $Option = $default,)*
            }
        }

        crate::config! {
            $($layer_doc)*
            pub struct $Layer[$layer_class] {
                /// Size of the output and of each state.
                units: usize,
                ..
                /// Whether the output is that of every step, or of the last.
                return_sequences: bool = false,
                /// Whether the states after the last step are outputs, too.
                return_state: bool = false,
                /// Whether the last step comes first; the outputs are in the order of steps
                /// taken.
                go_backwards: bool = false,
                /// Whether a batch begins with the states in which the one before ended. The
                /// size of the batch must be known;
                /// [`reset_state`](crate::LayerRef::reset_state) forgets.
                stateful: bool = false,
                /// Without effect: Keras compiles the steps one by one.
                unroll: bool = false,
                /// Whether the output of a masked step is 0, not that of the step before.
                zero_output_for_mask: bool = false,
                $($(#[$doc])* $option: $Option = $default,)*
            }
        }

        impl $Cell {
            /// What the options say about each weight.
            fn parts(&self) -> [crate::part::Part<'_>; 3] {
                [
                    crate::part::part!(self, true, kernel),
                    crate::part::part!(self, true, recurrent),
                    crate::part::part!(self, self.use_bias, bias),
                ]
            }

            /// Number of inputs and of units.
            fn sizes_for(
                &self,
                step: &cornu_autodiff::Spec,
            ) -> crate::Result<(usize, usize)> {
                crate::rnn::cell::check_cell(self.units, self.dropout, self.recurrent_dropout)?;
                Ok((crate::known_axis(step, -1)?, self.units))
            }

            fn draw_drops(
                &self,
                x: &cornu_autodiff::Tensor,
                gates: usize,
                context: &mut crate::Context<'_>,
            ) -> crate::Result<[Option<crate::rnn::cell::Drops>; 2]> {
                let rates = [self.dropout, self.recurrent_dropout];
                crate::rnn::cell::draw_drops(context, self.seed, x, self.units, rates, gates)
            }

            /// Whether something is dropped in this pass.
            fn drops(&self, context: &crate::Context<'_>) -> bool {
                let rates = self.dropout > 0.0 || self.recurrent_dropout > 0.0;
                rates && context.generator().is_some()
            }
        }

        impl $Layer {
            fn cell(&self) -> $Cell {
                $Cell {
                    units: self.units,
                    $($option: self.$option.clone(),)*
                    common: crate::Common::default(),
                }
            }

            fn course(&self) -> crate::rnn::sequence::Course {
                crate::rnn::sequence::course!(self)
            }
        }

        crate::rnn::recurrent::cell_layer!($Cell);
        crate::rnn::recurrent::sequence_layer!($Layer, $Cell, $cell_name, 3);

    };
}

/// Implements [`Layer`](crate::Layer) for a cell: one step.
macro_rules! cell_layer {
    ($Cell:ident) => {
        impl crate::Layer for $Cell {
            type Weights = crate::rnn::CellWeights;
            const IGNORED: &'static [&'static str] = &["implementation"];

            fn build(
                &self,
                inputs: &[cornu_autodiff::Spec],
                weights: &mut crate::WeightBuilder,
            ) -> crate::Result<Self::Weights> {
                let first = &inputs[..inputs.len().min(1)];
                crate::expect_rank(first, 2)?;
                crate::check::one_float(first, 2)?;
                crate::rnn::cell::Cell::build_cell(self, &inputs[0], weights)
            }

            crate::layer::first_of_all!();

            fn call_all(
                &self,
                weights: &Self::Weights,
                inputs: &crate::Inputs<'_>,
                context: &mut crate::Context<'_>,
            ) -> crate::Result<crate::Tensors> {
                crate::rnn::cell::call_cell(self, weights, inputs, context)
            }

            fn state_sizes(&self) -> Vec<usize> {
                self.sizes()
            }

            fn write_settings(&self, config: &mut crate::Config) {
                self.write_own(config);
            }

            fn build_config(shapes: &[serde_json::Value]) -> serde_json::Value {
                serde_json::json!({ "input_shape": shapes.first() })
            }
        }
    };
}

/// Implements [`Layer`](crate::Layer) for a layer that repeats a cell, on sequences of a rank.
macro_rules! sequence_layer {
    ($Layer:ident, $Cell:ident, $cell_name:literal, $rank:expr) => {
        impl crate::Layer for $Layer {
            type Weights = crate::rnn::Recurrent;
            const IGNORED: &'static [&'static str] = &["implementation", "use_cudnn"];
            const REVIVER: Option<crate::Reviver> = Some(crate::revive::<Self>);

            fn build(
                &self,
                inputs: &[cornu_autodiff::Spec],
                weights: &mut crate::WeightBuilder,
            ) -> crate::Result<Self::Weights> {
                crate::rnn::sequence::Recurrent::build(self.course(), inputs, $rank, |step| {
                    let cell = self.cell();
                    let weights = weights.within($cell_name, |weights| {
                        crate::rnn::cell::Cell::build_cell(&cell, step, weights)
                    })?;
                    Ok(Box::new(crate::rnn::cell::WithWeights { cell, weights }))
                })
            }

            crate::layer::first_of_all!();

            fn call_all(
                &self,
                built: &Self::Weights,
                inputs: &crate::Inputs<'_>,
                context: &mut crate::Context<'_>,
            ) -> crate::Result<crate::Tensors> {
                built.call(self.course(), inputs, $rank, context)
            }

            fn mask(
                &self,
                _: &Self::Weights,
                inputs: &crate::Inputs<'_>,
            ) -> crate::Result<Option<cornu_autodiff::Tensor>> {
                Ok(crate::rnn::sequence::output_mask(self.course(), inputs))
            }

            fn masked_outputs(&self) -> usize {
                1
            }

            fn states(&self, built: &Self::Weights) -> Vec<crate::Parameter> {
                built.states.clone()
            }

            fn write_settings(&self, config: &mut crate::Config) {
                crate::rnn::sequence::course_first(config);
                crate::setting::write_penalty(&self.common, config, "bias_regularizer");
                self.write_own(config);
            }

            fn build_config(shapes: &[serde_json::Value]) -> serde_json::Value {
                crate::rnn::sequence::build_config(shapes)
            }
        }
    };
}

pub(crate) use {cell_layer, recurrent, sequence_layer};
