//! A 2-2-1 network tells from weight and height which of two groups a person belongs to: the
//! tutorial's data, one sample a step, in order; the loss curve becomes a picture.
//!
//! `cargo run --release --example people --features plot`

use cornu::plot::Chart;
use cornu::prelude::*;

/// Weight minus 135 pounds, height minus 66 inches.
const X: [[f32; 2]; 4] = [[-2.0, -1.0], [25.0, 6.0], [17.0, 4.0], [-15.0, -6.0]];
const Y: [[f32; 1]; 4] = [[1.0], [0.0], [0.0], [1.0]];

/// The network after 1000 epochs, and the loss after each.
pub fn train(seed: u64) -> Result<(Sequential, Vec<f64>)> {
    let mut model = Sequential::new().seed(seed);
    model.add(Input::new([2]))?;
    for units in [2, 1] {
        let normal = Initializer::RandomNormal { mean: 0.0, stddev: 1.0, seed: None };
        let layer = Dense::new(units).activation("sigmoid");
        model.add(layer.kernel_initializer(normal.clone()).bias_initializer(normal))?;
    }
    model.compile(Compile::new().loss("mse").optimizer(SGD::new(0.1)))?;

    let mut losses = Vec::new();
    let watch = LambdaCallback::new(|run, _, _| {
        losses.push(run.model.evaluate(X, Y)?["loss"]);
        Ok(())
    });
    let one_by_one = Fit::new().epochs(1000).batch_size(1).shuffle(false).verbose(Verbose::Silent);
    model.fit(X, Y, one_by_one.callback(watch))?;
    Ok((model, losses))
}

/// What the network says of 128 pounds and 63 inches, and of 155 pounds and 68 inches.
pub fn emily_and_frank(model: &Model) -> Result<(f32, f32)> {
    Ok((model.predict([[-7.0f32, -3.0]])?.item()?, model.predict([[20.0f32, 2.0]])?.item()?))
}

/// The curve of the loss.
pub fn picture(losses: &[f64]) -> Chart {
    let chart = Chart::new("Telling two groups of people apart").x_label("epoch");
    chart.y_label("mean squared error").curve("", losses)
}

fn main() -> Result<()> {
    let (model, losses) = train(1)?;
    for (epoch, loss) in losses.iter().enumerate().step_by(10) {
        println!("epoch {epoch:3}  loss {loss:.3}");
    }
    let (emily, frank) = emily_and_frank(&model)?;
    println!("128 pounds, 63 inches: {emily:.3}"); // about 0.95
    println!("155 pounds, 68 inches: {frank:.3}"); // about 0.04

    let path = "pictures/people_loss.png";
    picture(&losses).save(path)?;
    println!("drew {path}");
    Ok(())
}
