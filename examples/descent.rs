//! Three kinds of gradient descent are one argument of `fit`: all samples a step, one, or a few,
//! in a new order each epoch. Two pictures show the loss against epochs and against time.
//!
//! `cargo run --release --example descent --features plot`

use std::time::Instant;

use cornu::autodiff::Generator;
use cornu::plot::Chart;
use cornu::prelude::*;

/// Number of points.
pub const SAMPLES: usize = 100;
/// How often each descent sees them.
pub const EPOCHS: usize = 30;

/// `y = 2 a - 3 b + 1`, with noise.
pub fn samples() -> Result<(Tensor, Tensor)> {
    let generator = Generator::new(1);
    let x = generator.normal([SAMPLES, 2], 0.0, 1.0, DType::F32)?;
    let noise = generator.normal([SAMPLES, 1], 0.0, 0.3, DType::F32)?;
    let y = x.matmul(&Tensor::from([[2.0f32], [-3.0]])) + 1.0 + noise;
    Ok((x, y))
}

/// What a descent has come to after each epoch.
pub struct Descent {
    /// The loss over all samples.
    pub losses: Vec<f64>,
    /// Time since the beginning.
    pub milliseconds: Vec<f64>,
    /// In all epochs together.
    pub steps: u64,
}

/// Fits a plane in steps over `batch_size` samples each.
pub fn descend(x: &Tensor, y: &Tensor, batch_size: usize) -> Result<Descent> {
    let mut model = Sequential::new().seed(2);
    model.add(Dense::new(1).input_dim(2))?;
    model.compile(Compile::new().loss("mse").optimizer(SGD::new(0.02)))?;

    let (mut losses, mut milliseconds) = (Vec::new(), Vec::new());
    let start = Instant::now();
    let watch = LambdaCallback::new(|run, _, _| {
        milliseconds.push(start.elapsed().as_secs_f64() * 1000.0);
        losses.push(run.model.evaluate(x, y)?["loss"]);
        Ok(())
    });
    let options = Fit::new().epochs(EPOCHS).batch_size(batch_size).verbose(Verbose::Silent);
    model.fit(x, y, options.callback(watch))?;
    Ok(Descent { losses, milliseconds, steps: model.optimizer()?.iterations() })
}

/// Loss against epoch, and loss against time.
pub fn pictures(descents: &[(&str, Descent)]) -> (Chart, Chart) {
    let mut by_epoch = Chart::new("Loss by epoch").x_label("epoch").y_label("loss").log_y();
    let mut by_time = Chart::new("Loss by time").x_label("milliseconds").y_label("loss").log_y();
    for (name, descent) in descents {
        by_epoch = by_epoch.curve(*name, &descent.losses);
        by_time = by_time.line(*name, &descent.milliseconds, &descent.losses);
    }
    (by_epoch, by_time)
}

fn main() -> Result<()> {
    let (x, y) = samples()?;
    let mut descents = Vec::new();
    for (name, batch_size) in [("batch", SAMPLES), ("stochastic", 1), ("mini-batch of 4", 4)] {
        let descent = descend(&x, &y, batch_size)?;
        let (steps, last) = (descent.steps as usize / EPOCHS, descent.losses[EPOCHS - 1]);
        println!("{name:16} {steps:3} steps an epoch, loss after {EPOCHS} epochs {last:.4}");
        descents.push((name, descent));
    }
    let (by_epoch, by_time) = pictures(&descents);
    by_epoch.save("pictures/descent_by_epoch.png")?;
    by_time.save("pictures/descent_by_time.png")?;
    println!("drew pictures/descent_by_epoch.png and pictures/descent_by_time.png");
    Ok(())
}
