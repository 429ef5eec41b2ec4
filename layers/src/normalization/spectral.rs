//! Spectral normalization.

use cornu_autodiff::{Spec, Tensor};

use crate::builder::{WeightBuilder, WeightOptions};
use crate::check::positive;
use crate::config;
use crate::context::Context;
use crate::core::{Embedding, ReversibleEmbedding};
use crate::error::{Error, Result};
use crate::handle::LayerRef;
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Tensors};
use crate::parameter::Parameter;

config! {
    /// Calls a layer, in training with its kernel divided by an estimate of that matrix's largest
    /// singular value: `kernel / σ`, `σ = v · kernel · uᵀ`, where `power_iterations` times
    /// `v = unit(u · kernelᵀ)` and `u = unit(v · kernel)`
    /// (Miyato et al. 2018, arXiv:1802.05957). Clones share the layer.
    ///
    /// | input, output | `vector_u` |
    /// |---|---|
    /// | those of the layer | `(1, n)` for a kernel `(…, n)` |
    ///
    /// The layer must have a weight `kernel` or `embeddings`. Gradients flow through the division
    /// but not to `u` and `v`; the optimizer changes the kernel itself, which is not divided, and
    /// is what predictions are made with, as in Keras on JAX. A kernel with `σ = 0` is left as it
    /// is. A mask becomes what the layer makes of it.
    ///
    /// ```
    /// use cornu_layers::{Apply, Conv2D, SpectralNormalization, input};
    /// let y = SpectralNormalization::new(Conv2D::new(8, 3)).apply(&input([28, 28, 1]))?;
    /// assert_eq!(y.shape(), [None, Some(26), Some(26), Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the layer has no kernel or several inputs, or `power_iterations` is 0.
    ///
    /// # Difference from Keras
    /// In `fit` on JAX Keras computes the same numbers. Called by hand in training, Keras also
    /// overwrites the kernel; here no call changes a weight. Frozen, `vector_u` and kernel stay
    /// what they are; Keras changes both. An embedding's output is not cast to the indices'
    /// integers, and its mask is not lost.
    pub struct SpectralNormalization["SpectralNormalization"] {
        /// The layer.
        layer: LayerRef,
        ..
        /// Steps by which the estimate is improved in each call.
        power_iterations: usize = 1,
    }
}

/// The weights of [`SpectralNormalization`].
#[derive(Debug)]
pub struct SpectralNormalizationWeights {
    /// Which of the layer's weights is divided.
    kernel: usize,
    vector_u: Parameter,
}

impl SpectralNormalization {
    /// `kernel / σ` and the new `u`; nothing if `σ` is 0.
    fn normalized(&self, kernel: &Tensor, u: &Tensor) -> Result<Option<(Tensor, Tensor)>> {
        let columns = kernel.dims()[kernel.rank() - 1] as isize;
        let matrix = kernel.try_reshape(&[-1, columns])?;
        let fixed = matrix.stop_gradient();
        let (mut u, mut v) = (u.stop_gradient(), None);
        for _ in 0..self.power_iterations {
            let next = unit(&u.matmul(&fixed.t())); // (1, n) · (n, m)
            u = unit(&next.matmul(&fixed)); // (1, m) · (m, n)
            v = Some(next);
        }
        let Some(v) = v else { return Ok(None) };
        let sigma = v.matmul(&matrix).matmul(&u.t()); // (1, 1)
        if sigma.to_f64_vec()? == [0.0] {
            return Ok(None);
        }
        let dims: Vec<isize> = kernel.dims().iter().map(|&d| d as isize).collect();
        Ok(Some(((matrix / sigma).try_reshape(&dims)?, u)))
    }
}

/// `x / |x|`
fn unit(x: &Tensor) -> Tensor {
    x * x.square().sum(.., true).rsqrt().clip(0.0, 1e7)
}

impl Layer for SpectralNormalization {
    type Weights = SpectralNormalizationWeights;

    fn build(
        &self,
        inputs: &[Spec],
        weights: &mut WeightBuilder,
    ) -> Result<SpectralNormalizationWeights> {
        positive("power_iterations", self.power_iterations)?;
        self.layer.build_within(inputs, weights)?;
        let own = self.layer.weights();
        // Not that of a part of the layer, as a recurrent one's `lstm_cell/kernel`.
        let named = |name: &str| {
            let path = format!("{}/{name}", self.layer.name());
            own.iter().position(|w| w.local_path() == name || w.local_path().ends_with(&path))
        };
        let found = named("kernel").or_else(|| named("embeddings"));
        let Some(at) = found.filter(|_| self.layer.is_of_one_piece()) else {
            let rule = "it must have a weight of its own named `kernel` or `embeddings`";
            return Err(Error::setting("`layer`", rule, self.layer.class()));
        };
        let columns = own[at].shape()[own[at].shape().rank() - 1];
        let initializer = Initializer::truncated_normal(0.0, 0.02);
        let options = WeightOptions::statistic();
        weights.share(&own[at]);
        let vector_u = weights.add_with("vector_u", &[1, columns], &initializer, options)?;
        Ok(SpectralNormalizationWeights { kernel: at, vector_u })
    }

    fn call(
        &self,
        w: &SpectralNormalizationWeights,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<Tensor> {
        let output = |outputs: Tensors| match <[Tensor; 1]>::try_from(outputs.into_vec()) {
            Ok([y]) => Ok(y),
            Err(all) => Err(Error::setting("`layer`", "it must have one output", all.len())),
        };
        let weight = &self.layer.weights()[w.kernel];
        let kernel = weight.value();
        let symbolic = kernel.is_symbolic() || inputs.tensors.iter().any(Tensor::is_symbolic);
        let normalized = match context.is_training() && !symbolic {
            true => self.normalized(&kernel, &context.latest(&w.vector_u))?,
            false => None,
        };
        let Some((kernel, u)) = normalized else {
            return output(self.layer.call(inputs, context)?.0);
        };
        if !context.is_frozen() {
            context.update(&w.vector_u, u);
        }
        context.stand_in(weight, kernel.clone());
        let mut values: Vec<Tensor> = self.layer.weights().iter().map(Parameter::value).collect();
        values[w.kernel] = kernel;
        output(self.layer.stateless_call(&values, inputs, context)?.0)
    }

    fn mask(
        &self,
        _: &SpectralNormalizationWeights,
        inputs: &Inputs<'_>,
    ) -> Result<Option<Tensor>> {
        let embeds = self.layer.downcast::<Embedding>().is_some_and(|layer| layer.mask_zero)
            || self.layer.downcast::<ReversibleEmbedding>().is_some_and(|layer| layer.mask_zero);
        if !embeds && inputs.masks.iter().all(Option::is_none) {
            return Ok(None);
        }
        Ok(self.layer.call(inputs, &mut Context::inference())?.1)
    }

    fn parts(&self) -> Vec<LayerRef> {
        vec![self.layer.clone()]
    }
}
