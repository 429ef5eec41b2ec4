//! Models from Keras's JSON.

use std::collections::{HashMap, VecDeque};

use cornu_layers::{IntoLayer, LayerRef, Symbol, SymbolicShape, call, input_symbol, shape_text};
use serde_json::Value;

use super::parse::{Body, End, LayerPlan, Plan, Reads, plan};
use crate::compiling::compile_faults;
use crate::error::{Error, Result};
use crate::model::{Kind, Model};
use crate::saving::json;

impl Model {
    /// A model from the JSON that [`to_json`](Model::to_json) or Keras's `to_json` has written:
    /// a chain or a graph, by its `class_name`. Weights are drawn anew. Names stay those of the
    /// text, and if it says what the model was compiled for, it is compiled.
    ///
    /// # Errors
    /// When the text is no such JSON; classes of layers or options in it are unknown, which one
    /// error lists all; a layer is called on what does not exist, or on itself; or the weights
    /// would not fit into memory. Code in the text is never run.
    pub fn from_json(text: &str) -> Result<Model> {
        Model::from_json_value(&json::parse("from_json", text)?)
    }

    pub(crate) fn from_json_value(value: &Value) -> Result<Model> {
        let mut model = build(plan_of(value, true)?, false)?;
        // All of its weights are new: one seed draws them all, those of inner models too.
        model.drawn = model.weights.clone();
        model.compile_if_told(value)?;
        Ok(model)
    }

    /// As [`from_json_value`](Model::from_json_value), without values of weights, which are to
    /// be set before [`finish_loading`](Model::finish_loading), and not compiled.
    #[cfg(feature = "keras-files")]
    pub(crate) fn from_json_undrawn(value: &Value, compile: bool) -> Result<Model> {
        build(plan_of(value, compile)?, true)
    }

    /// Ends the time in which weights are without values.
    #[cfg(feature = "keras-files")]
    pub(crate) fn finish_loading(&mut self) {
        self.undrawn = false;
        self.drawn = self.weights.clone();
    }

    /// Compiles for what the text says, if it says it.
    pub(crate) fn compile_if_told(&mut self, value: &Value) -> Result<()> {
        match value["compile_config"].as_object().filter(|config| !config.is_empty()) {
            Some(config) => self.compile_from_json(&Value::Object(config.clone())),
            None => Ok(()),
        }
    }
}

/// What the text describes, or all that is wrong with it: also with what it is compiled for.
fn plan_of(value: &Value, compile: bool) -> Result<Plan> {
    let told = value["compile_config"].as_object().filter(|config| compile && !config.is_empty());
    let mut faults = told.map_or_else(Vec::new, compile_faults);
    match plan(value) {
        Ok(plan) if faults.is_empty() => return Ok(plan),
        Ok(_) => {}
        Err(Error::Several { errors, .. }) => drop(faults.splice(0..0, errors)),
        Err(error) => faults.insert(0, error),
    }
    match faults.len() {
        1 => Err(faults.remove(0)),
        _ => Err(Error::Several { place: "from_json".into(), errors: faults }),
    }
}

/// Builds what the text describes; `undrawn` leaves weights without values.
fn build(plan: Plan, undrawn: bool) -> Result<Model> {
    let (name, frozen) = (plan.name.clone(), plan.frozen);
    let empty = Model { undrawn, ..Model::empty(plan.kind) };
    let mut model = match plan.kind {
        Kind::Sequential => build_chain(plan, empty)?,
        Kind::Functional => build_graph(plan, empty)?,
    };
    if let (Some(name), Kind::Functional) = (name, model.kind) {
        model.name = name;
    }
    if frozen {
        model.set_trainable(false);
    }
    Ok(model)
}

/// A layer under its name in the text.
fn layer_of(name: &str, body: Body, undrawn: bool) -> Result<LayerRef> {
    let layer = match body {
        Body::Layer(layer) => layer,
        Body::Model(plan) => build(*plan, undrawn)?.into_layer(),
    };
    if !name.is_empty() {
        layer.set_name(name.to_owned());
    }
    Ok(layer)
}

fn build_chain(plan: Plan, mut model: Model) -> Result<Model> {
    if let Some(name) = plan.name {
        model.name = name;
    }
    let mut input = None;
    for LayerPlan { name, body, .. } in plan.layers {
        let layer = layer_of(&name, body, model.undrawn)?;
        if layer.class() == "InputLayer" && input.is_none() && model.layers.is_empty() {
            input = input_symbol(&layer, None);
            continue;
        }
        model.append_unbuilt(layer)?;
    }
    match input {
        Some(input) => model.build_from(input)?,
        None => {
            let own = model.layers.first().and_then(|l| l.input_shape().map(<[_]>::to_vec));
            let shape: Option<SymbolicShape> = own.or_else(|| Some(plan.shape?[1..].to_vec()));
            if let Some(shape) = shape {
                model.build_chain(shape)?;
            }
        }
    }
    Ok(model)
}

/// The layers of a graph while their calls are made.
struct Calls {
    names: Vec<String>,
    layers: Vec<LayerRef>,
    by_name: HashMap<String, usize>,
    /// What each call reads: one list for each call of each layer.
    reads: Vec<Vec<Reads>>,
    /// What each call that was made gave.
    made: Vec<Vec<Option<Vec<Symbol>>>>,
}

fn build_graph(plan: Plan, empty: Model) -> Result<Model> {
    let place = format!("from_json: model `{}`", plan.name.as_deref().unwrap_or("functional"));
    let mut calls = Calls::new(&place, plan.layers, empty.undrawn)?;
    calls.make_all(&place)?;
    let inputs = calls.ends(&place, &plan.inputs, false)?;
    let outputs = calls.ends(&place, &plan.outputs, true)?;
    if inputs.is_empty() || outputs.is_empty() {
        let rule = "`input_layers` and `output_layers` must not be empty";
        return Err(Error::value(place, rule, "none"));
    }
    if let Some(x) = inputs.iter().find(|x| !x.node().inputs.is_empty()) {
        let rule = "every input must be an `InputLayer`";
        return Err(Error::value(place, rule, format!("layer `{}`", x.node().layer.name())));
    }
    let model = empty.with_graph(inputs, outputs)?;
    if let Some(layer) = calls.layers.iter().find(|l| !model.layers.iter().any(|m| m.is(l))) {
        let rule = "every layer must lie between the inputs and the outputs";
        return Err(Error::value(place, rule, format!("layer `{}`", layer.name())));
    }
    Ok(model)
}

impl Calls {
    fn new(place: &str, plans: Vec<LayerPlan>, undrawn: bool) -> Result<Calls> {
        let mut calls = Calls {
            names: Vec::new(),
            layers: Vec::new(),
            by_name: HashMap::new(),
            reads: Vec::new(),
            made: Vec::new(),
        };
        for LayerPlan { name, body, calls: reads } in plans {
            let layer = layer_of(&name, body, undrawn)?;
            let at = calls.layers.len();
            if calls.by_name.insert(name.clone(), at).is_some() {
                let rule = "every layer must have a name of its own";
                return Err(Error::value(place, rule, format!("`{name}` twice")));
            }
            let input = input_symbol(&layer, None);
            if input.is_some() != reads.is_empty() {
                let rule = "an `InputLayer` must be called on nothing, every other layer on \
                            something";
                return Err(Error::value(place, rule, format!("layer `{name}`")));
            }
            calls.made.push(match input {
                Some(input) => vec![Some(vec![input])],
                None => vec![None; reads.len()],
            });
            calls.names.push(name);
            calls.layers.push(layer);
            calls.reads.push(reads);
        }
        Ok(calls)
    }

    /// Makes every call once what it reads is made, and the calls of a layer in their order.
    fn make_all(&mut self, place: &str) -> Result<()> {
        let mut waiting: HashMap<(usize, usize), Vec<(usize, usize)>> = HashMap::new();
        let mut missing: Vec<Vec<usize>> = self.reads.iter().map(|r| vec![0; r.len()]).collect();
        let mut ready = VecDeque::new();
        for (layer, reads) in self.reads.iter().enumerate() {
            for (call, Reads { ends, .. }) in reads.iter().enumerate() {
                let mut needs: Vec<(usize, usize)> = Vec::new();
                for end in ends {
                    let at = self.find(&self.in_layer(place, layer), end, false)?;
                    if self.made[at.0][at.1].is_none() {
                        needs.push(at);
                    }
                }
                if call > 0 {
                    needs.push((layer, call - 1));
                }
                missing[layer][call] = needs.len();
                if needs.is_empty() {
                    ready.push_back((layer, call));
                }
                needs.into_iter().for_each(|n| waiting.entry(n).or_default().push((layer, call)));
            }
        }
        while let Some((layer, call)) = ready.pop_front() {
            self.make(place, layer, call)?;
            for next in waiting.remove(&(layer, call)).unwrap_or_default() {
                missing[next.0][next.1] -= 1;
                if missing[next.0][next.1] == 0 {
                    ready.push_back(next);
                }
            }
        }
        let unmade = |layer: &usize| self.made[*layer].iter().any(Option::is_none);
        let stuck: Vec<&str> =
            (0..self.layers.len()).filter(unmade).map(|l| self.names[l].as_str()).collect();
        if !stuck.is_empty() {
            let rule = "no layer may depend on its own output";
            let got = format!("a cycle at or before `{}`", stuck.join("`, `"));
            return Err(Error::value(place, rule, got));
        }
        Ok(())
    }

    fn make(&mut self, place: &str, layer: usize, at: usize) -> Result<()> {
        let place = self.in_layer(place, layer);
        let reads = &self.reads[layer][at];
        let mut inputs = Vec::new();
        for end in &reads.ends {
            inputs.push(self.symbol(&place, end, false)?);
        }
        if reads.masked && !inputs.iter().any(Symbol::is_masked) {
            let rule = "a layer that is given a mask must be called on what has it";
            return Err(Error::value(place, rule, "a mask of something else"));
        }
        if let Some(first) = inputs.first_mut().filter(|_| reads.unmasked) {
            *first = first.without_mask();
        }
        self.made[layer][at] = Some(call(&self.layers[layer], &inputs)?);
        Ok(())
    }

    fn in_layer(&self, place: &str, layer: usize) -> String {
        format!("{place}: layer `{}`", self.names[layer])
    }

    /// Which call of which layer is meant, by a call or by an output of the model.
    fn find(&self, place: &str, end: &End, output: bool) -> Result<(usize, usize)> {
        let Some(&layer) = self.by_name.get(&end.layer) else {
            let kind = format!("layer, which {place} names");
            return Err(cornu_autodiff::Error::unknown(kind, &end.layer, &self.names).into());
        };
        // Keras counts a call that a functional model is born with: Keras 3 among the outputs
        // alone, Keras 2 everywhere, and of chains, too.
        let class = self.layers[layer].class();
        let born = match class == Kind::Functional.class() {
            true => end.from_birth || output,
            false => end.from_birth && class == Kind::Sequential.class(),
        };
        let call = end.call.saturating_sub(usize::from(born));
        if call >= self.made[layer].len() {
            let rule = format!("layer `{}` has {} calls", end.layer, self.made[layer].len());
            return Err(Error::value(place, rule, format!("its call {call}, counted from 0")));
        }
        Ok((layer, call))
    }

    /// What a call that was made gave.
    fn symbol(&self, place: &str, end: &End, output: bool) -> Result<Symbol> {
        let (layer, call) = self.find(place, end, output)?;
        let symbols = self.made[layer][call].as_deref().unwrap_or_default();
        let Some(symbol) = symbols.get(end.output) else {
            let rule = format!("layer `{}` has {} outputs", end.layer, symbols.len());
            let got = format!("its output {}, counted from 0", end.output);
            return Err(Error::value(place, rule, got));
        };
        match &end.shape {
            Some(shape) if !alike(shape, symbol.shape()) => {
                let own = shape_text(symbol.shape());
                let rule = format!("the output of layer `{}` has shape {own}", end.layer);
                Err(Error::value(place, rule, shape_text(shape)))
            }
            _ => Ok(symbol.clone()),
        }
    }

    /// The symbols of inputs or outputs.
    fn ends(&self, place: &str, ends: &[End], outputs: bool) -> Result<Vec<Symbol>> {
        let symbol = |end: &End| self.symbol(place, end, outputs);
        ends.iter().map(symbol).collect()
    }
}

/// Whether two shapes can be the same, where both are known.
fn alike(a: &[Option<usize>], b: &[Option<usize>]) -> bool {
    let same = |(a, b): (&Option<usize>, &Option<usize>)| a.is_none() || b.is_none() || a == b;
    a.len() == b.len() && a.iter().zip(b).all(same)
}
