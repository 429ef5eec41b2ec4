//! An activation as a layer of its own.

use cornu_autodiff::{Spec, Tensor};

use crate::activation::Activation;
use crate::arg::Arg;
use crate::builder::WeightBuilder;
use crate::check::one;
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::handle::{IntoLayer, LayerRef};
use crate::layer::{Inputs, Layer, Masks};

config! {
    /// Keras's layer `Activation`: `y = activation(x)`.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// The enum [`Activation`] is accepted wherever a layer is, and becomes this:
    ///
    /// ```
    /// use cornu_layers::{Activation, Apply, input};
    /// let y = Activation::new("tanh").apply(&input([3]))?;
    /// assert_eq!(y.shape(), [None, Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// A mask passes through.
    pub struct ActivationLayer["Activation"] {
        /// The function.
        activation: Activation,
        ..
    }
}

impl Layer for ActivationLayer {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        one(inputs, 0).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        self.activation.apply(x.only()?)
    }
}

impl Activation {
    /// An activation from its name or itself: what Keras's layer `Activation` takes.
    #[allow(clippy::new_ret_no_self)]
    pub fn new(activation: impl Arg<Activation>) -> Activation {
        activation.arg()
    }
}

impl IntoLayer for Activation {
    fn into_layer(self) -> LayerRef {
        ActivationLayer::new(self).into_layer()
    }
}
