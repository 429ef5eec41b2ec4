//! The macro that declares an optimizer.

/// Declares an optimizer by its class, name, default learning rate and weight decay, its own
/// options, and its [`Rule`](super::Rule).
macro_rules! optimizer {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident[$class:literal, $name:literal, $rate:literal, $decay:expr] {
            $($(#[$field_meta:meta])* $field:ident: $Type:ty = $default:expr;)*
        }
        slots |$slots_self:ident| $slots:block
        $(start |$start_self:ident, $slot:ident, $start_path:ident, $start_spec:ident|
            $start:block)?
        $(decay |$decay_self:ident, $decay_path:ident, $decay_spec:ident| $variable_decay:block)?
        check |$check_self:ident| $check:block
        update |$self:ident, $step:ident, $variable:ident, $gradient:ident, $kept:ident|
            $update:block
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $Name {
            $($(#[$field_meta])* pub $field: $Type,)*
            /// The options that every optimizer has.
            pub base: $crate::optimizers::Base,
        }

        impl $Name {
            /// The class's name in Keras.
            pub(crate) const CLASS: &'static str = $class;

            /// With a learning rate or a schedule of them, everything else at its default.
            #[must_use]
            pub fn new(
                learning_rate: impl Into<$crate::optimizers::schedules::LearningRate>,
            ) -> $Name {
                let mut base = $crate::optimizers::Base::new($name, learning_rate);
                base.weight_decay = $decay;
                $Name { $($field: $default,)* base }
            }

            $(
                $(#[$field_meta])*
                #[must_use]
                pub fn $field(mut self, value: impl Into<$Type>) -> $Name {
                    self.$field = value.into();
                    self
                }
            )*

            pub(crate) fn read(
                config: &$crate::options::Config,
            ) -> Result<$crate::optimizers::Optimizer> {
                use $crate::options::{only, take};
                let own: &[&str] = &[$(stringify!($field)),*];
                only($class, config, &[$crate::optimizers::Base::KEYS, own].concat())?;
                let base = $Name::default().base.read($class, config)?;
                let read = $Name {
                    $($field: take($class, config, stringify!($field), $default)?,)*
                    base,
                };
                let optimizer = $crate::optimizers::Optimizer::from(read);
                optimizer.check()?;
                Ok(optimizer)
            }
        }

        impl Default for $Name {
            /// With Keras's learning rate.
            fn default() -> $Name {
                $Name::new($rate)
            }
        }

        $crate::optimizers::declare::base_setters!($Name);

        impl $crate::optimizers::Rule for $Name {
            fn class_name(&self) -> &str {
                $class
            }
            fn base(&self) -> &$crate::optimizers::Base {
                &self.base
            }
            fn base_mut(&mut self) -> &mut $crate::optimizers::Base {
                &mut self.base
            }
            fn config(&self) -> $crate::options::Config {
                let mut config = $crate::options::Config::new();
                $(config.insert(
                    stringify!($field).into(),
                    cornu_layers::Setting::to_json(&self.$field),
                );)*
                config
            }
            fn check(&$check_self) -> Result<()> $check
            fn slots(&$slots_self) -> Vec<&'static [&'static str]> $slots
            $(fn start(
                &$start_self,
                $slot: &str,
                $start_path: &str,
                $start_spec: &cornu_autodiff::Spec,
            ) -> Option<Tensor> $start)?
            $(fn weight_decay(
                &$decay_self,
                $decay_path: &str,
                $decay_spec: &cornu_autodiff::Spec,
            ) -> Option<f64> $variable_decay)?
            fn update(
                &$self,
                $step: &Step,
                $variable: &mut Tensor,
                $gradient: &Tensor,
                $kept: &mut [Tensor],
            ) -> Result<()> $update
            fn clone_box(&self) -> Box<dyn $crate::optimizers::Rule> {
                Box::new(self.clone())
            }
        }

        impl From<$Name> for $crate::optimizers::Optimizer {
            fn from(rule: $Name) -> $crate::optimizers::Optimizer {
                $crate::optimizers::Optimizer::new(rule)
            }
        }

        impl $crate::optimizers::IntoOptimizer for $Name {
            fn into_optimizer(self) -> Result<$crate::optimizers::Optimizer> {
                let optimizer = $crate::optimizers::Optimizer::from(self);
                optimizer.check()?;
                Ok(optimizer)
            }
        }
    };
}
pub(crate) use optimizer;

/// The setters of the options that every optimizer has.
macro_rules! base_setters {
    ($Name:ident) => {
        $crate::optimizers::declare::base_setters! { $Name;
            /// The name, which begins the slots' paths.
            name: String;
            /// The part of each variable, times the learning rate, that a step takes away
            /// (Loshchilov and Hutter 2017, arXiv:1711.05101).
            weight_decay: Option<f64>;
            /// The largest norm of each gradient by itself.
            clipnorm: Option<f64>;
            /// The largest norm of all gradients together.
            global_clipnorm: Option<f64>;
            /// The largest absolute value of a gradient's element.
            clipvalue: Option<f64>;
            /// Whether a moving average of the variables is kept; training ends with it.
            use_ema: bool;
            /// How much of the average stays at each step.
            ema_momentum: f64;
            /// After how many steps the variables are replaced by their averages.
            ema_overwrite_frequency: Option<u64>;
            /// What the loss is multiplied by before the gradients are taken.
            loss_scale_factor: Option<f64>;
            /// How many gradients are averaged into one update.
            gradient_accumulation_steps: Option<u64>;
        }

        impl $Name {
            /// Variables whose path contains one of these don't decay: `["bias"]`.
            #[must_use]
            pub fn exclude_from_weight_decay<S: Into<String>>(
                mut self,
                names: impl IntoIterator<Item = S>,
            ) -> $Name {
                self.base.exclude_from_weight_decay = names.into_iter().map(Into::into).collect();
                self
            }

            /// Gives the variables whose path contains `pattern` a learning rate of their own, a
            /// number or a schedule, which callbacks don't change. No variable may be in two
            /// groups, and a pattern that is part of no path is an error. Keras has no groups.
            #[must_use]
            pub fn group(
                mut self,
                pattern: impl Into<String>,
                learning_rate: impl Into<$crate::optimizers::schedules::LearningRate>,
            ) -> $Name {
                let learning_rate = $crate::optimizers::GroupRate::Own(learning_rate.into());
                let pattern = pattern.into();
                self.base.groups.push($crate::optimizers::Group { pattern, learning_rate });
                self
            }

            /// As [`group`](Self::group), with `factor` times the learning rate of the rest,
            /// whether a schedule or a callback decides that.
            #[must_use]
            pub fn group_times(mut self, pattern: impl Into<String>, factor: f64) -> $Name {
                let learning_rate = $crate::optimizers::GroupRate::Times(factor);
                let pattern = pattern.into();
                self.base.groups.push($crate::optimizers::Group { pattern, learning_rate });
                self
            }
        }
    };
    ($Name:ident; $($(#[$meta:meta])* $option:ident: $Type:ty;)*) => {
        impl $Name {
            $(
                $(#[$meta])*
                #[must_use]
                pub fn $option(mut self, value: impl Into<$Type>) -> $Name {
                    self.base.$option = value.into();
                    self
                }
            )*
        }
    };
}
pub(crate) use base_setters;
