//! What recurrent layers and wrappers do that no golden shows.

use cornu_autodiff::{DType, Generator, Spec, Tensor};
use cornu_layers::prelude::*;
use cornu_layers::{
    Context, Inputs, Layer, Result, WeightBuilder, config, layer_from_json, register_layer,
};

/// A built layer with all of its weights drawn.
fn drawn(layer: impl IntoLayer, x: &Tensor) -> LayerRef {
    let layer = layer.into_layer();
    layer.build(&[*x.spec()]).unwrap();
    let generator = Generator::new(5);
    layer.weights().iter().for_each(|w| w.initialize(&generator).unwrap());
    layer
}

fn sequence(shape: [usize; 3]) -> Tensor {
    Generator::new(3).normal(shape, 0.0, 1.0, DType::F64).unwrap()
}

fn predict(layer: &LayerRef, x: &Tensor) -> Vec<f64> {
    let x = [x.clone()];
    let mut context = Context::inference();
    let (y, _) = layer.call(&Inputs::new(&x), &mut context).unwrap();
    context.apply_updates().unwrap();
    y[0].to_vec().unwrap()
}

fn assert_near(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-12), "{a:?} {b:?}");
}

#[test]
fn a_stateful_layer_goes_on_where_it_ended_until_it_is_reset() {
    let x = sequence([2, 6, 3]);
    let whole = drawn(LSTM::new(4), &x);
    let parts = drawn(LSTM::new(4).stateful(true), &x);
    for (part, whole) in parts.weights().iter().zip(whole.weights()) {
        part.set(whole.value()).unwrap();
    }
    let expected = predict(&whole, &x);
    for _ in 0..2 {
        predict(&parts, &x.slice(1, ..2));
        predict(&parts, &x.slice(1, 2..5));
        assert_near(&predict(&parts, &x.slice(1, 5..)), &expected);
        assert_eq!(parts.states().len(), 2);
        parts.reset_state();
    }
}

#[test]
fn a_call_leaves_states_alone_until_its_updates_are_applied() {
    let x = sequence([1, 2, 3]);
    let layer = drawn(GRU::new(2).stateful(true), &x);
    let mut context = Context::inference();
    layer.call(&Inputs::new(&[x]), &mut context).unwrap();
    assert_eq!(layer.states()[0].value().to_vec::<f64>().unwrap(), [0.0, 0.0]);
    assert_eq!(context.take_updates().len(), 1);
}

#[test]
fn the_forget_gate_begins_open() {
    let x = sequence([1, 2, 3]);
    let bias = |layer: LSTM| drawn(layer, &x).weights()[2].value().to_vec::<f64>().unwrap();
    assert_eq!(bias(LSTM::new(2)), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(bias(LSTM::new(2).unit_forget_bias(false)), [0.0; 8]);
}

/// With all weights 1 and a linear activation, `h[t] = Σ h[t-1] + Σ x`: what is dropped shows.
#[test]
fn the_same_elements_are_dropped_at_every_step() {
    let x = Tensor::ones([1, 3, 64], DType::F64);
    let layer = SimpleRNN::new(1)
        .activation("linear")
        .kernel_initializer("ones")
        .recurrent_initializer("zeros")
        .dropout(0.5)
        .return_sequences(true);
    let layer = drawn(layer, &x);
    let generator = Generator::new(1);
    let call = |context: &mut Context<'_>| {
        let (y, _) = layer.call(&Inputs::new(std::slice::from_ref(&x)), context).unwrap();
        y[0].to_vec::<f64>().unwrap()
    };
    let first = call(&mut Context::training(&generator));
    assert!(first.iter().all(|y| *y == first[0]), "{first:?}");
    let again = call(&mut Context::training(&generator));
    assert_ne!(first[0], again[0], "another sequence drops others");
    assert_eq!(call(&mut Context::inference()), [64.0; 3]);
}

#[test]
fn every_gate_drops_its_own_where_states_are_dropped() {
    let x = Tensor::ones([1, 1, 3], DType::F64);
    for layer in [
        drawn(LSTM::new(2).dropout(1.0).recurrent_dropout(1.0), &x),
        drawn(GRU::new(2).dropout(1.0).recurrent_dropout(1.0), &x),
        drawn(GRU::new(2).dropout(1.0).recurrent_dropout(1.0).reset_after(false), &x),
        drawn(SimpleRNN::new(2).dropout(1.0).recurrent_dropout(1.0), &x),
    ] {
        let generator = Generator::new(1);
        let mut context = Context::training(&generator);
        let (y, _) = layer.call(&Inputs::new(std::slice::from_ref(&x)), &mut context).unwrap();
        assert_eq!(y[0].to_vec::<f64>().unwrap(), [0.0; 2], "{}", layer.class());
    }
}

#[test]
fn keys_of_how_keras_computes_are_read_and_forgotten() {
    let layer = LSTM::new(3).into_layer();
    let mut json = layer.to_json();
    let plain = json.clone();
    json["config"]["implementation"] = 1.into();
    json["config"]["use_cudnn"] = "auto".into();
    json["config"]["time_major"] = false.into();
    assert_eq!(layer_from_json(&json).unwrap().to_json(), plain);
    json["config"]["peepholes"] = true.into();
    assert!(layer_from_json(&json).is_err());
}

#[test]
fn freezing_a_layer_freezes_its_cell() {
    let x = sequence([1, 2, 3]);
    let layer = drawn(GRU::new(2).trainable(false), &x);
    assert!(layer.weights().iter().all(|w| !w.is_trainable()));
    layer.set_trainable(true);
    assert!(layer.weights().iter().all(|w| w.is_trainable()));
}

#[test]
fn cells_of_a_sequence_drop_the_same_at_every_step() {
    let x = Tensor::ones([1, 3, 64], DType::F64);
    let cell = SimpleRNNCell::new(1)
        .activation("linear")
        .kernel_initializer("ones")
        .recurrent_initializer("zeros")
        .dropout(0.5);
    let layer = drawn(RNN::new(cell).return_sequences(true), &x);
    let generator = Generator::new(1);
    let mut context = Context::training(&generator);
    let (y, _) = layer.call(&Inputs::new(std::slice::from_ref(&x)), &mut context).unwrap();
    let y: Vec<f64> = y[0].to_vec().unwrap();
    assert!(y[0] != 64.0 && y.iter().all(|v| *v == y[0]), "{y:?}");
}

#[test]
fn freezing_a_wrapper_freezes_what_it_wraps() {
    let x = sequence([1, 2, 3]);
    for layer in [
        drawn(RNN::new(LSTMCell::new(2)), &x),
        drawn(Bidirectional::new(LSTM::new(2)), &x),
        drawn(TimeDistributed::new(Dense::new(2)), &x),
    ] {
        layer.set_trainable(false);
        assert!(layer.weights().iter().all(|w| !w.is_trainable()), "{}", layer.class());
        let text = layer.to_json().to_string();
        assert!(!text.contains(r#""trainable":true"#), "{text}");
    }
}

#[test]
fn cells_without_names_are_numbered() {
    let x = sequence([1, 2, 3]);
    let layer = drawn(RNN::new((GRUCell::new(2), GRUCell::new(3))), &x);
    let paths: Vec<String> = layer.weights().iter().map(|w| w.local_path().to_owned()).collect();
    assert_eq!(paths[0], "stacked_rnn_cells/gru_cell/kernel");
    assert_eq!(paths[3], "stacked_rnn_cells/gru_cell_1/kernel");
}

#[test]
fn steps_at_once_are_steps_one_by_one() {
    let x = sequence([2, 3, 4]);
    let layer = drawn(TimeDistributed::new(LayerNormalization::new()), &x);
    let expected: Vec<f64> = {
        let inner = drawn(LayerNormalization::new(), &x.index(1, 0));
        let steps: Vec<Tensor> = x
            .unstack(1)
            .iter()
            .map(|x| {
                let mut context = Context::inference();
                inner.call(&Inputs::new(std::slice::from_ref(x)), &mut context).unwrap().0[0]
                    .clone()
            })
            .collect();
        cornu_autodiff::ops::stack(&steps, 1).to_vec().unwrap()
    };
    assert_near(&predict(&layer, &x), &expected);
}

#[test]
fn a_sequence_at_once_is_its_cell_repeated() {
    let x = sequence([3, 5, 4]);
    let mask = Tensor::from([
        [true, false, true, true, false],
        [true, true, true, true, true],
        [false, false, true, false, true],
    ]);
    for (layer, cell) in [
        (LSTM::new(3).return_sequences(true).into_layer(), LSTMCell::new(3).into_layer()),
        (GRU::new(3).return_sequences(true).into_layer(), GRUCell::new(3).into_layer()),
        (SimpleRNN::new(3).return_sequences(true).into_layer(), SimpleRNNCell::new(3).into_layer()),
    ] {
        for (backwards, zero) in [(false, false), (true, false), (false, true)] {
            let mut json = layer.to_json();
            json["config"]["dtype"] = "float64".into();
            json["config"]["go_backwards"] = backwards.into();
            json["config"]["zero_output_for_mask"] = zero.into();
            let whole = drawn(layer_from_json(&json).unwrap(), &x);
            let repeated = RNN::new(cell.clone())
                .return_sequences(true)
                .go_backwards(backwards)
                .zero_output_for_mask(zero);
            let repeated = drawn(repeated, &x);
            for (a, b) in repeated.weights().iter().zip(whole.weights()) {
                a.set(b.value()).unwrap();
            }
            for masks in [vec![], vec![Some(mask.clone())]] {
                let run = |layer: &LayerRef| -> (Vec<f64>, Vec<f64>) {
                    let inputs = Inputs { tensors: std::slice::from_ref(&x), masks: &masks };
                    let tape = cornu_autodiff::Tape::new();
                    let y = layer.call(&inputs, &mut Context::inference()).unwrap().0.remove(0);
                    let slope = tape.gradient(&y.sin().sum(.., false), &[&x]).unwrap().remove(0);
                    (y.to_vec().unwrap(), slope.to_vec().unwrap())
                };
                let ((y, slope), (same, same_slope)) = (run(&whole), run(&repeated));
                assert_near(&y, &same);
                assert_near(&slope, &same_slope);
            }
        }
    }
}

#[test]
fn steps_that_a_mask_leaves_out_give_zero_where_that_is_asked_for_in_convolutions_too() {
    let x = Generator::new(3).normal([2, 3, 4, 2], 0.0, 1.0, DType::F32).unwrap();
    let layer = ConvLSTM1D::new(2, 2).return_sequences(true);
    let [zeroed, kept] =
        [true, false].map(|zero| drawn(layer.clone().zero_output_for_mask(zero), &x));
    let mask = Tensor::from([[true, true, false], [false, true, true]]);
    let call = |layer: &LayerRef| {
        let inputs = Inputs { tensors: std::slice::from_ref(&x), masks: &[Some(mask.clone())] };
        layer.call(&inputs, &mut Context::inference()).unwrap().0.remove(0)
    };
    let wanted = call(&kept) * mask.cast(DType::F32).reshape([2, 3, 1, 1]);
    assert_eq!(call(&zeroed).to_f64_vec().unwrap(), wanted.to_f64_vec().unwrap());
}

/// A wrapped embedding with all of its weights drawn, and what it is called on.
fn normalized_embedding() -> (LayerRef, [Tensor; 1]) {
    let tokens = Tensor::from([[1i32, 4, 0]]);
    (drawn(SpectralNormalization::new(Embedding::new(5, 3).mask_zero(true)), &tokens), [tokens])
}

#[test]
fn a_normalized_embedding_keeps_its_dtype_its_mask_and_its_table() {
    let (layer, tokens) = normalized_embedding();
    let table = layer.weights()[0].value();
    let generator = Generator::new(1);
    let mut context = Context::training(&generator);
    let (y, mask) = layer.call(&Inputs::new(&tokens), &mut context).unwrap();
    assert_eq!(y[0].dtype(), DType::F32);
    assert_eq!(mask.unwrap().to_vec::<bool>().unwrap(), [true, true, false]);
    let ratio = (&y[0] / &table.take(&tokens[0], 0)).to_f64_vec().unwrap();
    assert!(ratio[0] > 1.0 && ratio.iter().all(|r| (r / ratio[0] - 1.0).abs() < 1e-5), "{ratio:?}");
    let changed: Vec<String> =
        context.take_updates().iter().map(|(weight, _)| weight.name().to_owned()).collect();
    assert_eq!(changed, ["vector_u"]);
}

#[test]
fn a_frozen_normalized_layer_changes_nothing() {
    let (layer, tokens) = normalized_embedding();
    layer.set_trainable(false);
    let generator = Generator::new(1);
    let mut context = Context::training(&generator);
    layer.call(&Inputs::new(&tokens), &mut context).unwrap();
    assert!(context.take_updates().is_empty());
}

config! {
    /// The last step in the direction of reading.
    struct Ending["Ending"] {
        ..
        return_sequences: bool = false,
        return_state: bool = false,
        stateful: bool = false,
        go_backwards: bool = false,
    }
}

impl Layer for Ending {
    type Weights = ();
    fn build(&self, _: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        Ok(())
    }
    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        let at = if self.go_backwards { 0 } else { x.dims()[1] as isize - 1 };
        Ok(x.slice(1, at..at + 1).squeeze([1]))
    }
}

#[test]
fn a_layer_of_ones_own_reads_in_both_directions_once_it_is_registered() {
    let x = Tensor::from([[[1.0f64], [2.0], [3.0]]]);
    let unknown = Bidirectional::new(Ending::new()).into_layer();
    let error = unknown.build(&[*x.spec()]).unwrap_err().to_string();
    let rule = "`layer`: a layer of your own must be registered, by `register_layer`; got Ending";
    assert!(error.ends_with(rule), "{error}");
    register_layer::<Ending>();
    assert_eq!(predict(&drawn(Bidirectional::new(Ending::new()), &x), &x), [3.0, 1.0]);
}
