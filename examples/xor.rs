//! The Keras XOR walkthrough: define, summarise, compile, fit, predict, save, load.
//!
//! `cargo run --release --example xor`

use cornu::prelude::*;

fn main() -> Result<()> {
    let x = [[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let y = [[0.0f32], [1.0], [1.0], [0.0]];

    let mut model = Sequential::new().seed(7);
    model.add(Dense::new(10).input_dim(2))?;
    model.add(Activation::new("tanh"))?;
    model.add(Dense::new(1))?;
    model.add(Activation::new("sigmoid"))?;
    println!("{}", model.summary());

    model.compile(
        Compile::new().loss("binary_crossentropy").optimizer(SGD::new(0.1)).metrics(["accuracy"]),
    )?;
    println!("before training:\n{}", model.predict(x)?);

    let history = model.fit(x, y, Fit::new().epochs(100))?;
    println!("after 100 epochs: accuracy {:.2}", history.last("accuracy").unwrap_or(f64::NAN));

    model.fit(x, y, Fit::new().epochs(5000).batch_size(1).verbose(Verbose::Silent))?;
    println!("trained on:\n{}", model.predict(x)?);
    println!("classes:\n{}", model.predict_classes(x)?);

    let weights = std::env::temp_dir().join("xor.weights");
    model.save_weights(&weights)?;
    let again = Model::from_json(&model.to_json()?)?;
    again.load_weights(&weights)?;
    let same = again.predict(x)?.to_vec::<f32>()? == model.predict(x)?.to_vec::<f32>()?;
    println!("built again from JSON and weights, it predicts the same: {same}");
    Ok(())
}
