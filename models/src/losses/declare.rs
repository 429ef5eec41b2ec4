//! The macro that declares a loss.

/// Declares a loss: its options, after the name and the reduction that all have, and its values.
///
/// `elements |self, y_true, y_pred| { .. }` are values of one shape with the labels, of which
/// the mean over the last axis is taken, or over that of the option named by `fold`; with
/// `mean |..| { .. }` their mean over all axes is an op of its own. `values |..| { .. }` are
/// the loss's values themselves.
macro_rules! loss {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident[$class:literal, $name:literal] { $($options:tt)* }
        $(check |$check_self:ident| $check:block)?
        $(fold $axis:ident)?
        elements |$self:ident, $y_true:ident, $y_pred:ident| $elements:block
        $(mean |$mean_self:ident, $mean_true:ident, $mean_pred:ident| $mean:block)?
    ) => {
        $crate::losses::declare::loss! {
            @common $(#[$meta])* $Name[$class, $name] { $($options)* }
            $(check |$check_self| $check)?
            {
                fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor> {
                    let (y_true, y_pred) = $crate::losses::pair::aligned($crate::losses::pair::Place("loss", &self.name), y_true, y_pred)?;
                    let elements = self.elements(&y_true, &y_pred)?;
                    #[allow(unused_variables)]
                    let axis = -1;
                    $(let axis = self.$axis;)?
                    $crate::losses::reduce::mean_of_axis(&self.name, &elements, axis)
                }
                fn mean(&self, y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor> {
                    let (y_true, y_pred) = $crate::losses::pair::aligned($crate::losses::pair::Place("loss", &self.name), y_true, y_pred)?;
                    $($crate::losses::reduce::check_axis(&self.name, self.$axis, &y_pred)?;)?
                    $crate::losses::reduce::expect_samples(&self.name, &y_pred)?;
                    self.mean_of_elements(&y_true, &y_pred)
                }
            }
        }
        $crate::losses::declare::loss! {
            @mean $Name $(|$mean_self, $mean_true, $mean_pred| $mean)?
        }
        impl $Name {
            /// The loss of each element; labels and predictions are aligned.
            fn elements(&$self, $y_true: &Tensor, $y_pred: &Tensor) -> Result<Tensor> $elements
        }
    };
    (
        $(#[$meta:meta])*
        pub struct $Name:ident[$class:literal, $name:literal] { $($options:tt)* }
        $(check |$check_self:ident| $check:block)?
        values |$self:ident, $y_true:ident, $y_pred:ident| $values:block
        $(valid |$valid_self:ident, $valid_true:ident, $valid_pred:ident| $valid:block)?
    ) => {
        $crate::losses::declare::loss! {
            @common $(#[$meta])* $Name[$class, $name] { $($options)* }
            $(check |$check_self| $check)?
            {
                fn call(&$self, $y_true: &Tensor, $y_pred: &Tensor) -> Result<Tensor> $values
                $(
                    fn valid(
                        &$valid_self,
                        $valid_true: &Tensor,
                        $valid_pred: &Tensor,
                    ) -> Result<Option<Tensor>> $valid
                )?
            }
        }
    };
    (@mean $Name:ident) => {
        impl $Name {
            fn mean_of_elements(&self, y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor> {
                Ok(self.elements(y_true, y_pred)?.mean(.., false))
            }
        }
    };
    (@mean $Name:ident |$self:ident, $y_true:ident, $y_pred:ident| $mean:block) => {
        impl $Name {
            fn mean_of_elements(&$self, $y_true: &Tensor, $y_pred: &Tensor) -> Result<Tensor> $mean
        }
    };
    (
        @common $(#[$meta:meta])* $Name:ident[$class:literal, $name:literal] { $($options:tt)* }
        $(check |$check_self:ident| $check:block)?
        { $($values:tt)* }
    ) => {
        $crate::options::options! {
            $(#[$meta])*
            pub struct $Name[$class] {
                ..
                /// The name in texts.
                name: String = $name.into();
                /// How the values become one number.
                reduction: $crate::losses::Reduction =
                    $crate::losses::Reduction::SumOverBatchSize;
                $($options)*
            }
        }

        impl Default for $Name {
            fn default() -> $Name {
                $Name::new()
            }
        }

        impl $crate::losses::Loss for $Name {
            fn name(&self) -> &str {
                &self.name
            }
            fn class_name(&self) -> &str {
                $class
            }
            fn config(&self) -> $crate::options::Config {
                $crate::options::Options::write(self)
            }
            fn reduction(&self) -> $crate::losses::Reduction {
                self.reduction
            }
            $(fn check(&$check_self) -> Result<()> $check)?
            $($values)*
        }
    };
}
pub(crate) use loss;
