//! The macros that declare metrics.

use crate::options::Config;

/// A config of a metric: Keras writes a dtype by its name there, where layers have a policy.
pub(crate) fn plain_dtype(mut config: Config) -> Config {
    let name = config["dtype"]["config"]["name"].clone();
    config["dtype"] = name;
    config
}

/// The same keys in this order, as Keras writes them; others follow.
pub(crate) fn ordered(mut config: Config, keys: &[&str]) -> Config {
    let mut first = Config::new();
    for key in keys {
        first.extend(config.shift_remove(*key).map(|value| ((*key).to_owned(), value)));
    }
    first.extend(config);
    first
}

/// Declares a metric: its options, after the name and the dtype that all have, those that have
/// no default and are arguments of `new`, its accumulators, and the part of
/// [`Metric`](super::Metric) that is its own. A dtype behind the name is another default.
macro_rules! metric {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident[$class:literal, $name:literal $(, $dtype:ident)?] { $($options:tt)* }
        $(requires { $($required:tt)* })?
        state $state:ident: $State:ty $(, config |$config_self:ident| $config:block)?;
        $($own:tt)*
    ) => {
        $crate::options::options! {
            $(#[$meta])*
            pub struct $Name[$class] {
                $($($required)*)?
                ..
                /// The name under which logs hold it.
                name: String = $name.into();
                /// The dtype that Keras accumulates in. Accumulators here are float64 always.
                dtype: cornu_autodiff::DType = $crate::metrics::declare::dtype!($($dtype)?);
                $($options)*
            }
            state $state: $State;
        }

        $crate::metrics::declare::default!($Name $($($required)*)?);

        impl $crate::metrics::Metric for $Name {
            fn name(&self) -> &str {
                &self.name
            }
            fn rename(&mut self, name: &str) {
                self.name = name.into();
            }
            fn class_name(&self) -> &str {
                $class
            }
            $crate::metrics::declare::config!($($config_self $config)?);
            fn clone_box(&self) -> Box<dyn $crate::metrics::Metric> {
                Box::new(self.clone())
            }
            fn reset(&mut self) {
                self.$state = Default::default();
            }
            $($own)*
        }
    };
}
pub(crate) use metric;

/// The dtype that Keras accumulates in.
macro_rules! dtype {
    () => {
        cornu_autodiff::DType::F32
    };
    ($dtype:ident) => {
        cornu_autodiff::DType::$dtype
    };
}
pub(crate) use dtype;

/// `Default` for a metric all of whose options have defaults.
macro_rules! default {
    ($Name:ident) => {
        impl Default for $Name {
            fn default() -> $Name {
                $Name::new()
            }
        }
    };
    ($Name:ident $($required:tt)+) => {};
}
pub(crate) use default;

/// The config of a metric: its options, unless it has its own way to write them.
macro_rules! config {
    () => {
        fn config(&self) -> $crate::options::Config {
            $crate::metrics::declare::plain_dtype($crate::options::Options::write(self))
        }
    };
    ($this:ident $config:block) => {
        fn config(&$this) -> $crate::options::Config $config
    };
}
pub(crate) use config;

/// Declares a metric that is a running mean of values, one for each sample, step or pixel.
macro_rules! mean_metric {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident[$class:literal, $name:literal, $direction:ident] { $($options:tt)* }
        $(check |$check_self:ident| $check:block)?
        values |$self:ident, $y_true:ident, $y_pred:ident| $values:block
    ) => {
        $crate::metrics::declare::metric! {
            $(#[$meta])*
            pub struct $Name[$class, $name] { $($options)* }
            state total: $crate::metrics::mean::Total;
            $(fn check(&$check_self) -> cornu_autodiff::Result<()> $check)?
            fn update(
                &mut self,
                y_true: &Tensor,
                y_pred: &Tensor,
                sample_weight: Option<&Tensor>,
            ) -> Result<()> {
                let values = self.values(y_true, y_pred)?;
                let place = $crate::losses::pair::Place("metric", &self.name);
                self.total.add(place, &values, sample_weight)
            }
            fn result(&self) -> $crate::metrics::MetricValue {
                $crate::metrics::MetricValue::Scalar(self.total.mean())
            }
            $crate::metrics::declare::total_state!();
            fn direction(&self) -> Option<$crate::metrics::Direction> {
                Some($crate::metrics::Direction::$direction)
            }
        }

        impl $Name {
            /// The values of a batch.
            fn values(
                &$self,
                $y_true: &Tensor,
                $y_pred: &Tensor,
            ) -> Result<$crate::metrics::mean::Values> $values
        }
    };
}
pub(crate) use mean_metric;

/// State of a metric whose accumulators are `total: Total`.
macro_rules! total_state {
    () => {
        fn state(&self) -> Vec<(&'static str, Tensor)> {
            let total = self.total;
            vec![("total", Tensor::scalar(total.sum)), ("count", Tensor::scalar(total.count))]
        }
        fn set_state(&mut self, state: &[Tensor]) -> Result<()> {
            let place = $crate::losses::pair::Place("metric", &self.name);
            let [sum, count] = $crate::metrics::state::scalars(place, state)?;
            self.total = $crate::metrics::mean::Total { sum, count };
            Ok(())
        }
    };
}
pub(crate) use total_state;
