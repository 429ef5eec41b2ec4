//! Fitting a line and a parabola with small networks, without and with an activation: without
//! one, more layers are still a line.
//!
//! `cargo run --release --example curve_fitting --features plot`

use cornu::autodiff::Generator;
use cornu::losses::{MeanSquaredError, Reduction};
use cornu::plot::Chart;
use cornu::prelude::*;

/// A 1-`hidden`-1 network, weights N(0, 0.1), biases 0.1, trained on the sum of squared errors.
pub fn network(hidden: usize, activation: &str, seed: u64) -> Result<Sequential> {
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

/// What a network says, and its mean squared error.
pub struct State {
    /// Its output for each point.
    pub line: Vec<f32>,
    /// The mean of squared differences from the data.
    pub error: f64,
}

fn state(model: &Model, x: &Tensor, y: &Tensor) -> Result<State> {
    Ok(State { line: model.predict(x)?.to_vec()?, error: model.evaluate(x, y)?["mse"] })
}

/// The network before and after so many steps over all points.
pub fn fit(model: &mut Sequential, x: &Tensor, y: &Tensor, steps: usize) -> Result<(State, State)> {
    let before = state(model, x, y)?;
    let options = Fit::new().epochs(steps).batch_size(x.dims()[0]).verbose(Verbose::Silent);
    model.fit(x, y, options)?;
    Ok((before, state(model, x, y)?))
}

/// Points in [-1, 1] on a curve, with noise of deviation 0.2.
pub fn points(
    generator: &Generator,
    count: usize,
    curve: fn(&Tensor) -> Tensor,
) -> Result<(Tensor, Tensor)> {
    let x = Tensor::linspace(-1.0, 1.0, count, DType::F32).reshape([-1, 1]);
    let y = curve(&x) + generator.normal([count, 1], 0.0, 0.2, DType::F32)?;
    Ok((x, y))
}

/// The data as points, what the network says before and after training as lines.
pub fn picture(title: &str, x: &Tensor, y: &Tensor, states: &(State, State)) -> Result<Chart> {
    let (x, y) = (x.to_vec::<f32>()?, y.to_vec::<f32>()?);
    let chart = Chart::new(title).x_label("x").y_label("y").points("data", &x, &y);
    Ok(chart.line("before", &x, &states.0.line).line("after", &x, &states.1.line))
}

/// Trains, tells the errors, and draws.
fn show(title: &str, mut model: Sequential, x: &Tensor, y: &Tensor, steps: usize) -> Result<()> {
    let states = fit(&mut model, x, y, steps)?;
    let (before, after) = (states.0.error, states.1.error);
    println!("{title:32} mean squared error {before:.3} -> {after:.3}");
    let path =
        format!("pictures/{}.png", title.to_lowercase().replace(", ", "_").replace(' ', "_"));
    picture(title, x, y, &states)?.save(&path)?;
    println!("drew {path}");
    Ok(())
}

fn main() -> Result<()> {
    let generator = Generator::new(4);
    let (x, y) = points(&generator, 10, Tensor::clone)?;
    show("Line", network(3, "linear", 1)?, &x, &y, 50)?;

    let (x, y) = points(&generator, 30, Tensor::square)?;
    show("Parabola, without an activation", network(10, "linear", 1)?, &x, &y, 300)?;
    show("Parabola, with ReLU", network(10, "relu", 1)?, &x, &y, 300)
}
