//! The one executor: layer calls in the order in which they run.

use cornu_autodiff::{DType, Tensor};
use cornu_layers::{Context, Inputs, LayerRef, Symbol, SymbolicShape, shape_text};
use smallvec::SmallVec;

use crate::error::{Error, Result};

/// Layer calls between input and output symbols, ready to run.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) inputs: Vec<Symbol>,
    pub(crate) outputs: Vec<Symbol>,
    /// The layers in Keras's order: by distance from the outputs, farthest first.
    pub(crate) layers: Vec<LayerRef>,
    steps: Vec<Step>,
    input_slots: SmallVec<[usize; 2]>,
    output_slots: SmallVec<[usize; 2]>,
    slots: usize,
}

/// One call of a layer. A value lives in a numbered slot from when it is computed until its
/// last reader has run.
#[derive(Debug)]
struct Step {
    layer: LayerRef,
    inputs: SmallVec<[usize; 2]>,
    /// Whether it passes on the mask of its first input without seeing it.
    forgets: bool,
    /// Slot of the first output; further ones follow.
    output: usize,
    count: usize,
    /// Slots that nobody reads after this step.
    last_use: SmallVec<[usize; 2]>,
}

/// The value of a slot and its mask.
type Slot = (Option<Tensor>, Option<Tensor>);

/// What a model computed: outputs and their masks.
#[derive(Debug)]
pub(crate) struct Outputs {
    pub(crate) tensors: SmallVec<[Tensor; 1]>,
    pub(crate) masks: SmallVec<[Option<Tensor>; 1]>,
}

impl Graph {
    /// The calls that lead from `inputs` to `outputs`.
    pub(crate) fn new(inputs: Vec<Symbol>, outputs: Vec<Symbol>) -> Result<Graph> {
        let calls = calls_between(&inputs, &outputs)?;
        let mut slots: Vec<(u64, usize, usize)> = Vec::new(); // (node, output, slot)
        let mut next = 0;
        let mut steps = Vec::new();
        for input in &inputs {
            slots.push((input.node().id, input.output(), next));
            next += 1;
        }
        let slot_of = |slots: &[(u64, usize, usize)], s: &Symbol| {
            let key = (s.node().id, s.output());
            slots.iter().find(|(n, o, _)| (*n, *o) == key).map(|(_, _, slot)| *slot)
        };
        for call in &calls {
            let node = call.node();
            let from: SmallVec<[usize; 2]> =
                node.inputs.iter().filter_map(|x| slot_of(&slots, x)).collect();
            for output in 0..node.outputs {
                slots.push((node.id, output, next + output));
            }
            let layer = node.layer.clone();
            let forgets = node.inputs.first().is_some_and(Symbol::forgets_mask);
            let (count, last_use) = (node.outputs, SmallVec::new());
            steps.push(Step { layer, inputs: from, forgets, output: next, count, last_use });
            next += count;
        }
        let output_slots: SmallVec<[usize; 2]> =
            outputs.iter().filter_map(|y| slot_of(&slots, y)).collect();
        let mut seen: Vec<bool> = vec![false; next];
        output_slots.iter().for_each(|&slot| seen[slot] = true);
        for step in steps.iter_mut().rev() {
            for &slot in &step.inputs {
                if !std::mem::replace(&mut seen[slot], true) {
                    step.last_use.push(slot);
                }
            }
        }
        let layers = order_of_layers(&inputs, &outputs, &calls);
        let input_slots = (0..inputs.len()).collect();
        Ok(Graph { inputs, outputs, layers, steps, input_slots, output_slots, slots: next })
    }

    /// The calls, oldest first, each by one of its outputs.
    pub(crate) fn calls(&self) -> Vec<Symbol> {
        calls_between(&self.inputs, &self.outputs).expect("`new` has found them")
    }

    /// Runs every call.
    pub(crate) fn run(&self, inputs: &[Tensor], context: &mut Context<'_>) -> Result<Outputs> {
        self.run_watched(inputs, &[], context, |_, _| {})
    }

    /// As [`run`](Graph::run), telling `watch` each layer and its outputs.
    pub(crate) fn run_watched(
        &self,
        inputs: &[Tensor],
        masks: &[Option<Tensor>],
        context: &mut Context<'_>,
        mut watch: impl FnMut(&LayerRef, &[Tensor]),
    ) -> Result<Outputs> {
        let mut slots: SmallVec<[Slot; 8]> = SmallVec::with_capacity(self.slots);
        slots.resize_with(self.slots, || (None, None));
        for (i, (&slot, x)) in self.input_slots.iter().zip(inputs).enumerate() {
            slots[slot] = (Some(x.clone()), masks.get(i).cloned().flatten());
        }
        for step in &self.steps {
            let mut tensors: SmallVec<[Tensor; 2]> = SmallVec::new();
            let mut masks: SmallVec<[Option<Tensor>; 2]> = SmallVec::new();
            let (mut masked, mut passed) = (false, None);
            for (i, &slot) in step.inputs.iter().enumerate() {
                let last = step.last_use.contains(&slot) && !step.inputs[i + 1..].contains(&slot);
                let (value, mask) = read(&mut slots[slot], last);
                tensors.push(value.expect("steps run after those that they read"));
                masked |= mask.is_some();
                masks.push(mask);
            }
            if step.forgets {
                passed = masks[0].take().map(|mask| (mask, tensors[0].rank()));
            }
            let masks = if masked { masks.as_slice() } else { &[] };
            let (outputs, mask) = step.layer.call(&Inputs { tensors: &tensors, masks }, context)?;
            watch(&step.layer, &outputs);
            let passed = passed.filter(|(_, rank)| *rank == outputs[0].rank());
            let mask = passed.map_or(mask, |(mask, _)| Some(mask));
            debug_assert_eq!(outputs.len(), step.count);
            for (i, output) in outputs.into_iter().enumerate() {
                let mask = mask.clone().filter(|_| i < step.layer.masked_outputs());
                slots[step.output + i] = (Some(output), mask);
            }
        }
        let mut result = Outputs { tensors: SmallVec::new(), masks: SmallVec::new() };
        for (i, &slot) in self.output_slots.iter().enumerate() {
            let last = !self.output_slots[i + 1..].contains(&slot);
            let (value, mask) = read(&mut slots[slot], last);
            result.tensors.push(value.expect("every output is an input or some step's"));
            result.masks.push(mask);
        }
        Ok(result)
    }

    /// The data for the inputs: as many as there are, of fitting shapes, in the inputs' dtypes.
    pub(crate) fn accept(&self, place: &str, data: &[Tensor]) -> Result<SmallVec<[Tensor; 2]>> {
        if data.len() != self.inputs.len() {
            let names = self.input_names();
            let rule = format!("the model takes {} inputs, `{}`", names.len(), names.join("`, `"));
            return Err(Error::value(place, rule, data.len()));
        }
        self.inputs.iter().zip(data).map(|(input, x)| fit_input(place, input, x)).collect()
    }

    /// Names of the inputs.
    pub(crate) fn input_names(&self) -> Vec<String> {
        self.inputs.iter().map(|x| x.node().layer.name()).collect()
    }

    /// Names of the outputs: those of the layers that compute them, numbered where one
    /// computes several.
    pub(crate) fn output_names(&self) -> Vec<String> {
        self.outputs.iter().map(|y| y.node().layer.name()).collect()
    }
}

/// The value of a slot, which nobody reads after its last reader.
#[inline]
fn read(slot: &mut Slot, last: bool) -> Slot {
    if last { std::mem::take(slot) } else { slot.clone() }
}

/// One input's data: shape checked, an axis of size 1 added where only that is missing, cast.
fn fit_input(place: &str, input: &Symbol, x: &Tensor) -> Result<Tensor> {
    let shape = input.shape();
    let fits = |dims: &[usize]| {
        dims.len() == shape.len() && dims.iter().zip(shape).all(|(d, s)| s.is_none_or(|s| s == *d))
    };
    let x = if fits(x.dims()) {
        x.clone()
    } else if x.rank() + 1 == shape.len() && shape.last() == Some(&Some(1)) {
        // Keras, too, takes (samples,) for (samples, 1).
        let widened = x.expand_dims(-1);
        if !fits(widened.dims()) {
            return Err(misfit(place, input, x.dims()));
        }
        widened
    } else {
        return Err(misfit(place, input, x.dims()));
    };
    let wanted = input.dtype();
    if x.dtype() == wanted {
        return Ok(x);
    }
    if wanted.is_float() || (x.dtype() != DType::Bool && wanted.is_integer() && whole(&x)?) {
        return Ok(x.cast(wanted));
    }
    let name = input.node().layer.name();
    let rule = format!("input `{name}` takes {wanted} without loss");
    Err(Error::value(place, rule, format!("{} that is not whole numbers", x.dtype())))
}

fn misfit(place: &str, input: &Symbol, dims: &[usize]) -> Error {
    let (name, wanted) = (input.node().layer.name(), shape_text(input.shape()));
    let got: SymbolicShape = dims.iter().copied().map(Some).collect();
    let rule = format!("input `{name}` takes shape {wanted}");
    let hint =
        if dims.len() + 1 == input.shape().len() { "; is the batch axis missing?" } else { "" };
    Error::value(place, rule, format!("{}{hint}", shape_text(&got)))
}

/// Whether every element is a whole number.
fn whole(x: &Tensor) -> Result<bool> {
    Ok(!x.dtype().is_float() || x.to_f64_vec()?.iter().all(|v| v.fract() == 0.0))
}

/// The calls that the outputs depend on, oldest first, each by one of its outputs.
fn calls_between(inputs: &[Symbol], outputs: &[Symbol]) -> Result<Vec<Symbol>> {
    let mut calls: Vec<Symbol> = Vec::new();
    let mut pending: Vec<Symbol> = outputs.to_vec();
    let is_input = |s: &Symbol| inputs.iter().any(|x| x.is(s));
    while let Some(symbol) = pending.pop() {
        if is_input(&symbol) {
            continue;
        }
        let node = symbol.node();
        if calls.iter().any(|c| c.node().id == node.id) {
            continue;
        }
        if node.inputs.is_empty() {
            let rule = "every input that an output depends on must be among the model's inputs";
            let got = format!("input `{}`, which is not", node.layer.name());
            return Err(Error::value("model", rule, got));
        }
        pending.extend(node.inputs.iter().cloned());
        calls.push(symbol);
    }
    calls.sort_by_key(|c| c.node().id);
    Ok(calls)
}

/// The layers in Keras's order: farthest from the outputs first; at one distance, in the order
/// in which a depth-first walk from the outputs meets them.
fn order_of_layers(inputs: &[Symbol], outputs: &[Symbol], calls: &[Symbol]) -> Vec<LayerRef> {
    let position = |id: u64| calls.iter().position(|c| c.node().id == id);
    // Distance of each call; readers are newer, so newest first settles each before it is read.
    let mut depths = vec![0usize; calls.len()];
    let mut layers: Vec<(LayerRef, usize)> = Vec::new();
    let mut note =
        |layer: &LayerRef, depth: usize| match layers.iter_mut().find(|(l, _)| l.is(layer)) {
            Some((_, deepest)) => *deepest = depth.max(*deepest),
            None => layers.push((layer.clone(), depth)),
        };
    let mut input_depths = vec![0usize; inputs.len()];
    for at in (0..calls.len()).rev() {
        let node = calls[at].node();
        note(&node.layer, depths[at]);
        for x in &node.inputs {
            let depth = depths[at] + 1;
            match inputs.iter().position(|i| i.is(x)) {
                Some(i) => input_depths[i] = input_depths[i].max(depth),
                None => {
                    let i = position(x.node().id).expect("what a call reads is among the calls");
                    depths[i] = depths[i].max(depth);
                }
            }
        }
    }
    for (input, &depth) in inputs.iter().zip(&input_depths) {
        note(&input.node().layer, depth);
    }
    let met = walk_order(inputs, outputs);
    let rank = |layer: &LayerRef| met.iter().position(|l| l.is(layer)).unwrap_or(usize::MAX);
    layers.sort_by_key(|(layer, depth)| (std::cmp::Reverse(*depth), rank(layer)));
    layers.into_iter().map(|(layer, _)| layer).collect()
}

/// Layers in the order in which a depth-first walk from the outputs meets them.
fn walk_order(inputs: &[Symbol], outputs: &[Symbol]) -> Vec<LayerRef> {
    let mut met: Vec<LayerRef> = Vec::new();
    let mut seen: Vec<u64> = Vec::new();
    let mut pending: Vec<Symbol> = outputs.iter().rev().cloned().collect();
    while let Some(symbol) = pending.pop() {
        let node = symbol.node();
        if seen.contains(&node.id) {
            continue;
        }
        seen.push(node.id);
        if !met.iter().any(|l| l.is(&node.layer)) {
            met.push(node.layer.clone());
        }
        if !inputs.iter().any(|x| x.is(&symbol)) {
            pending.extend(node.inputs.iter().rev().cloned());
        }
    }
    met
}
