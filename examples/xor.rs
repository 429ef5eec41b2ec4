//! The Keras XOR walkthrough: define, summarise, compile, fit, predict, save, load.
//!
//! `cargo run --release --example xor`

use cornu::prelude::*;

/// Two switches.
pub const X: [[f32; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// Whether one of them is on, and not the other.
pub const Y: [[f32; 1]; 4] = [[0.0], [1.0], [1.0], [0.0]];

/// Two layers and their activations, one by one.
pub fn network() -> Result<Sequential> {
    let mut model = Sequential::new().seed(7);
    model.add(Dense::new(10).input_dim(2))?;
    model.add(Activation::new("tanh"))?;
    model.add(Dense::new(1))?;
    model.add(Activation::new("sigmoid"))?;
    Ok(model)
}

/// Says what it is to be good at, and how it is to get there.
pub fn compile(model: &mut Sequential) -> Result<()> {
    let rule = Compile::new().loss("binary_crossentropy").optimizer(SGD::new(0.1));
    model.compile(rule.metrics(["accuracy"]))
}

/// Goes on until nobody could doubt it.
pub fn train_on(model: &mut Sequential) -> Result<History> {
    model.fit(X, Y, Fit::new().epochs(5000).batch_size(1).verbose(Verbose::Silent))
}

fn main() -> Result<()> {
    let mut model = network()?;
    println!("{}", model.summary());

    compile(&mut model)?;
    println!("before training:\n{}", model.predict(X)?);

    let history = model.fit(X, Y, Fit::new().epochs(100))?;
    println!("after 100 epochs: accuracy {:.2}", history["accuracy"][99]);

    train_on(&mut model)?;
    println!("trained on:\n{}", model.predict(X)?);
    println!("classes:\n{}", model.predict_classes(X)?);

    let weights = std::env::temp_dir().join("xor.weights");
    model.save_weights(&weights)?;
    let again = Model::from_json(&model.to_json()?)?;
    again.load_weights(&weights)?;
    let same = again.predict(X)?.to_vec::<f32>()? == model.predict(X)?.to_vec::<f32>()?;
    println!("built again from JSON and weights, it predicts the same: {same}");
    Ok(())
}
