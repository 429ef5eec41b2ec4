//! Layers one after another as one layer.

use cornu_autodiff::{Spec, Tensor};

use crate::builder::WeightBuilder;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::handle::LayerRef;
use crate::layer::{Inputs, Layer, Tensors, first_of_all};

config! {
    /// Layers one after another: `y = last(… second(first(x)))`. Clones share them.
    ///
    /// | input | output |
    /// |---|---|
    /// | that of the first layer | that of the last |
    ///
    /// Masks go from layer to layer.
    ///
    /// ```
    /// use cornu_layers::{Apply, CenterCrop, IntoLayer, Pipeline, Rescaling, input};
    /// let prepare = Pipeline::new((Rescaling::new(1.0 / 255.0), CenterCrop::new(8, 8)));
    /// assert_eq!(prepare.apply(&input([10, 12, 3]))?.shape(), [None, Some(8), Some(8), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no layer, or one can't work with what the one before it gives.
    ///
    /// # Difference from Keras
    /// Called outside of a model it trains only if the context does; in Keras it does by default.
    pub struct Pipeline["Pipeline"] {
        /// The layers, from the first on.
        layers: Vec<LayerRef>,
        ..
    }
}

impl Pipeline {
    /// The last layer's outputs and their mask.
    fn run(
        &self,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<(Tensors, Option<Tensor>)> {
        let mut x: Tensors = inputs.tensors.into();
        let mut masks = inputs.masks.to_vec();
        for layer in &self.layers {
            let (y, mask) = layer.call(&Inputs { tensors: &x, masks: &masks }, context)?;
            (x, masks) = (y, mask.map(Some).into_iter().collect());
        }
        Ok((x, masks.into_iter().next().flatten()))
    }
}

impl Layer for Pipeline {
    type Weights = ();
    const WITHOUT: &'static [&'static str] = &["trainable", "dtype"];

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<()> {
        if self.layers.is_empty() {
            return Err(Error::setting("`layers`", "there must be one or more", "none"));
        }
        let mut x: Tensors = inputs.iter().map(|spec| Tensor::symbolic(*spec)).collect();
        for layer in &self.layers {
            let specs: Vec<Spec> = x.iter().map(|x| *x.spec()).collect();
            layer.build_within(&specs, weights)?;
            x = layer.call(&Inputs::new(&x), &mut Context::inference())?.0;
        }
        Ok(())
    }

    first_of_all!();

    fn call_all(&self, _: &(), inputs: &Inputs<'_>, context: &mut Context<'_>) -> Result<Tensors> {
        Ok(self.run(inputs, context)?.0)
    }

    fn call_with_mask(
        &self,
        _: &(),
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<(Tensors, Option<Tensor>)> {
        self.run(inputs, context)
    }

    fn mask(&self, _: &(), inputs: &Inputs<'_>) -> Result<Option<Tensor>> {
        Ok(self.run(inputs, &mut Context::inference())?.1)
    }

    fn parts(&self) -> Vec<LayerRef> {
        self.layers.clone()
    }
}
