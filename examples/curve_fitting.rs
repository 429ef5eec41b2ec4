//! Fitting a line and a parabola with small networks, without and with an activation: without
//! one, more layers are still a line.
//!
//! `cargo run --release --example curve_fitting --features plot`

use cornu::autodiff::Generator;
use cornu::losses::{MeanSquaredError, Reduction};
use cornu::plot::Chart;
use cornu::prelude::*;

/// A 1-`hidden`-1 network, weights N(0, 0.1), biases 0.1, trained on the sum of squared errors.
fn network(hidden: usize, activation: &str, seed: u64) -> Result<Sequential> {
    let normal = Initializer::RandomNormal { mean: 0.0, stddev: 0.1, seed: None };
    let layer = |units: usize| {
        Dense::new(units)
            .kernel_initializer(normal.clone())
            .bias_initializer(Initializer::Constant(0.1))
    };
    let mut model = Sequential::new().seed(seed);
    model.add(layer(hidden).input_dim(1).activation(activation))?;
    model.add(layer(1))?;
    let sum_of_squares = MeanSquaredError::new().reduction(Reduction::Sum);
    model
        .compile(Compile::new().loss(sum_of_squares).optimizer(SGD::new(0.01)).metrics(["mse"]))?;
    Ok(model)
}

/// Trains, tells the error before and after, and draws data and both predictions.
fn fit(name: &str, model: &mut Sequential, x: &Tensor, y: &Tensor, steps: usize) -> Result<()> {
    let count = x.dims()[0];
    let error =
        |model: &Model| Ok::<f64, Error>(model.evaluate(x, y)?.get("mse").unwrap_or(f64::NAN));
    let (before, error_before) = (model.predict(x)?.to_vec::<f32>()?, error(model)?);
    let options = Fit::new().epochs(steps).batch_size(count).verbose(Verbose::Silent);
    model.fit(x, y, options)?;
    let (after, error_after) = (model.predict(x)?.to_vec::<f32>()?, error(model)?);
    println!("{name:28} mean squared error {error_before:.3} -> {error_after:.3}");

    let (x, y) = (x.to_vec::<f32>()?, y.to_vec::<f32>()?);
    let path = format!("pictures/{}.png", name.replace([' ', ','], "_"));
    Chart::new(name)
        .x_label("x")
        .y_label("y")
        .points("data", &x, &y)
        .line("before", &x, &before)
        .line("after", &x, &after)
        .save(path)?;
    Ok(())
}

fn main() -> Result<()> {
    let generator = Generator::new(4);
    let noisy = |count: usize, curve: fn(&Tensor) -> Tensor| {
        let x = Tensor::linspace(-1.0, 1.0, count, DType::F32).reshape([-1, 1]);
        let y = curve(&x) + generator.normal([count, 1], 0.0, 0.2, DType::F32)?;
        Ok::<_, Error>((x, y))
    };

    let (x, y) = noisy(10, Tensor::clone)?;
    fit("line", &mut network(3, "linear", 1)?, &x, &y, 50)?;

    let (x, y) = noisy(30, Tensor::square)?;
    fit("parabola, no activation", &mut network(10, "linear", 1)?, &x, &y, 300)?;
    fit("parabola, relu", &mut network(10, "relu", 1)?, &x, &y, 300)?;
    println!(
        "drew pictures/line.png, pictures/parabola__no_activation.png, pictures/parabola__relu.png"
    );
    Ok(())
}
