//! Sequences read in both directions.

use std::sync::{Arc, OnceLock};

use cornu_autodiff::{Spec, Tensor, apply, ops};
use serde_json::Value;
use smallvec::{SmallVec, smallvec};

use crate::arg::Arg;
use crate::builder::WeightBuilder;
use crate::choice::choice;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::handle::LayerRef;
use crate::layer::{Inputs, Layer, Tensors, first_of_all};
use crate::parameter::Parameter;
use crate::registry::added;
use crate::rnn::sequence::build_config;
use crate::setting::{Common, Config, Configured, Setting, check_setting, setting_of};

choice! {
    /// How [`Bidirectional`] puts the outputs of both directions together.
    pub enum MergeMode("merge_mode") {
        /// One beside the other along the last axis.
        Concat = "concat",
        /// Added.
        Sum = "sum",
        /// Multiplied.
        Mul = "mul",
        /// Their mean.
        Ave = "ave",
    }
}

impl Arg<Option<MergeMode>> for &str {
    fn arg(self) -> Option<MergeMode> {
        Some(self.into())
    }
}

/// Reads sequences forwards and backwards with two recurrent layers, and puts their outputs
/// together (Schuster and Paliwal 1997).
///
/// | input | output |
/// |---|---|
/// | `(batch, steps, …)` | `(batch, 2 · units)` or `(batch, steps, 2 · units)`; half as wide unless `merge_mode` is `concat`; two outputs without a merge mode |
///
/// Both are made from the options of `layer`, under the names `forward_…` and `backward_…`; its
/// weights, if it has any, are not used. Further inputs are initial states, the first half those
/// of the forward layer; with `return_state` the states come behind the output in that order.
/// Masked steps are skipped in both directions, and have output 0 where all outputs are asked
/// for.
///
/// ```
/// use cornu_layers::{Apply, Bidirectional, LSTM, input};
/// let layer = LSTM::new(4).return_sequences(true);
/// let y = Bidirectional::new(layer).apply(&input([10, 3]))?;
/// assert_eq!(y.shape(), [None, Some(10), Some(8)]);
/// # Ok::<(), cornu_layers::Error>(())
/// ```
///
/// # Errors
/// When `layer` isn't a recurrent layer, `backward_layer` goes in the same direction or differs
/// from it in what it returns, `merge_mode` is unknown, or as the layers themselves.
#[derive(Clone, Debug)]
pub struct Bidirectional {
    /// What reads the sequence forwards.
    pub layer: LayerRef,
    /// How outputs are put together; `None` leaves them apart.
    pub merge_mode: Option<MergeMode>,
    /// What reads the sequence backwards; by default as `layer`, backwards.
    pub backward_layer: Option<LayerRef>,
    /// Name, trainable flag, dtype and input shape.
    pub common: Common,
    /// Both layers, once they are asked for.
    pair: Arc<OnceLock<Pair>>,
}

/// The layers that read forwards and backwards, and what both return.
#[derive(Debug)]
struct Pair {
    layers: [LayerRef; 2],
    return_sequences: bool,
}

impl Bidirectional {
    /// `layer` in both directions, the outputs one beside the other.
    pub fn new(layer: impl Arg<LayerRef>) -> Bidirectional {
        Bidirectional {
            layer: layer.arg(),
            merge_mode: Some(MergeMode::Concat),
            backward_layer: None,
            common: Common::default(),
            pair: Arc::default(),
        }
    }

    /// How outputs are put together; `None` leaves them apart.
    #[must_use]
    pub fn merge_mode(mut self, merge_mode: impl Arg<Option<MergeMode>>) -> Bidirectional {
        self.merge_mode = merge_mode.arg();
        self
    }

    /// What reads the sequence backwards.
    #[must_use]
    pub fn backward_layer(mut self, layer: impl Arg<Option<LayerRef>>) -> Bidirectional {
        self.backward_layer = layer.arg();
        self.pair = Arc::default();
        self
    }

    /// The layers that read forwards and backwards.
    fn pair(&self) -> Result<&Pair> {
        if let Some(pair) = self.pair.get() {
            return Ok(pair);
        }
        let forward = copied("`layer`", &self.layer, Some("forward_"), false)?;
        let backward = match &self.backward_layer {
            Some(layer) => copied("`backward_layer`", layer, None, false)?,
            None => copied("`layer`", &self.layer, Some("backward_"), true)?,
        };
        let (one, other) = (forward.to_json(), backward.to_json());
        let (one, other) = (&one["config"], &other["config"]);
        if one["go_backwards"] == other["go_backwards"] {
            let rule = "the two layers must go in different directions";
            return Err(Error::setting("`go_backwards`", rule, &one["go_backwards"]));
        }
        for key in ["stateful", "return_sequences", "return_state"] {
            if one[key] != other[key] {
                let rule = "both layers must have the same";
                let got = format!("{} and {}", one[key], other[key]);
                return Err(Error::setting(format!("`{key}`"), rule, got));
            }
        }
        let return_sequences = one["return_sequences"] == true;
        let layers = [forward, backward];
        Ok(self.pair.get_or_init(|| Pair { layers, return_sequences }))
    }

    fn merge(&self, forward: &Tensor, backward: &Tensor) -> Result<Tensors> {
        let both = [forward, backward];
        let merged = match &self.merge_mode {
            None => return Ok(both.into_iter().cloned().collect()),
            Some(MergeMode::Concat) => apply(ops::Concat { axis: -1 }, &both),
            Some(MergeMode::Sum) => apply(ops::Add, &both),
            Some(MergeMode::Mul) => apply(ops::Multiply, &both),
            Some(MergeMode::Ave) => apply(ops::Add, &both).map(|sum| sum * 0.5),
            Some(unknown @ MergeMode::Unknown(_)) => return Err(unknown.check().unwrap_err()),
        };
        Ok(smallvec![merged?])
    }
}

/// A layer of the same options under a name with this before it.
fn copied(
    option: &str,
    layer: &LayerRef,
    prefix: Option<&str>,
    backwards: bool,
) -> Result<LayerRef> {
    let mut json = layer.to_json();
    let config = &mut json["config"];
    if !config["go_backwards"].is_boolean() || !config["return_sequences"].is_boolean() {
        let rule = "it must be a recurrent layer, with `go_backwards` and `return_sequences`";
        return Err(Error::setting(option, rule, layer.class()));
    }
    if let Some(prefix) = prefix {
        let name = layer.name();
        let name = format!("{prefix}{}", name.strip_prefix(prefix).unwrap_or(&name));
        config["name"] = name.into();
    }
    if backwards {
        config["go_backwards"] = true.into();
    }
    if config["zero_output_for_mask"].is_boolean() {
        config["zero_output_for_mask"] = config["return_sequences"].clone();
    }
    let Some(revive) = layer.reviver().or_else(|| added(layer.class())) else {
        let rule = "a layer of your own must be registered, by `register_layer`";
        return Err(Error::setting(option, rule, layer.class()));
    };
    let copy = revive(&json)?;
    if let Some(name) = json["config"]["name"].as_str() {
        copy.set_name(name.to_owned());
    }
    Ok(copy)
}

impl Configured for Bidirectional {
    const CLASS: &'static str = "Bidirectional";
    fn common(&self) -> &Common {
        &self.common
    }
    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }
    fn settings(&self) -> Config {
        let mut config = Config::new();
        config.insert("merge_mode".into(), self.merge_mode.to_json());
        let (forward, backward) = match self.pair() {
            Ok(Pair { layers: [forward, backward], .. }) => (forward.to_json(), backward.to_json()),
            Err(_) => (self.layer.to_json(), self.backward_layer.to_json()),
        };
        config.insert("layer".into(), forward);
        config.insert("backward_layer".into(), backward);
        config
    }
    fn from_settings(config: &Config) -> Result<Bidirectional> {
        let class = Self::CLASS;
        let default = Some(Some(MergeMode::Concat));
        let layer: LayerRef = setting_of(class, config, "layer", None)?;
        let made = Bidirectional::new(layer).merge_mode(setting_of::<Option<MergeMode>>(
            class,
            config,
            "merge_mode",
            default,
        )?);
        let backward: Option<LayerRef> = setting_of(class, config, "backward_layer", Some(None))?;
        Ok(made.backward_layer(backward))
    }
    fn check_settings(&self) -> Result<()> {
        check_setting("merge_mode", &self.merge_mode)
    }
}

impl Layer for Bidirectional {
    type Weights = ();

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<()> {
        let Some(x) = inputs.first() else {
            return Err(Error::input("the layer takes a sequence", &[]));
        };
        for layer in &self.pair()?.layers {
            layer.build_within(&[*x], weights)?;
        }
        Ok(())
    }

    first_of_all!();

    fn call_all(&self, _: &(), inputs: &Inputs<'_>, context: &mut Context<'_>) -> Result<Tensors> {
        let Pair { layers: [forward, backward], return_sequences } = self.pair()?;
        let Some((x, states)) = inputs.tensors.split_first() else {
            return Err(Error::input("the layer takes a sequence", &[]));
        };
        if !states.len().is_multiple_of(2) {
            let shapes: Vec<_> = inputs.tensors.iter().map(Tensor::shape).collect();
            let rule = "the layer takes a sequence, and as many initial states for each direction";
            return Err(Error::input(rule, &shapes));
        }
        let (forwards, backwards) = states.split_at(states.len() / 2);
        let mut run = |layer: &LayerRef, states: &[Tensor]| -> Result<Tensors> {
            let tensors: SmallVec<[Tensor; 3]> = [x].into_iter().chain(states).cloned().collect();
            let masks = &inputs.masks[..inputs.masks.len().min(1)];
            Ok(layer.call(&Inputs { tensors: &tensors, masks }, context)?.0)
        };
        let mut forwards = run(forward, forwards)?;
        let mut backwards = run(backward, backwards)?;
        let (y, mut reversed) = (forwards.remove(0), backwards.remove(0));
        if *return_sequences {
            reversed = reversed.flip(1);
        }
        let mut outputs = self.merge(&y, &reversed)?;
        outputs.extend(forwards);
        outputs.extend(backwards);
        Ok(outputs)
    }

    fn mask(&self, _: &(), inputs: &Inputs<'_>) -> Result<Option<Tensor>> {
        let all = self.pair()?.return_sequences;
        Ok(inputs.mask(0).filter(|_| all).cloned())
    }

    fn masked_outputs(&self) -> usize {
        if self.merge_mode.is_none() { 2 } else { 1 }
    }

    fn states(&self, _: &()) -> Vec<Parameter> {
        self.parts().iter().flat_map(LayerRef::states).collect()
    }

    fn parts(&self) -> Vec<LayerRef> {
        self.pair().map_or_else(|_| Vec::new(), |pair| pair.layers.to_vec())
    }

    fn build_config(shapes: &[Value]) -> Value {
        build_config(shapes)
    }
}
