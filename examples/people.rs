//! A 2-2-1 network tells from weight and height which of two groups a person belongs to: the
//! tutorial's data, one sample a step, in order; the loss curve becomes a picture.
//!
//! `cargo run --release --example people --features plot`

use cornu::prelude::*;

fn main() -> Result<()> {
    // Weight minus 135 pounds, height minus 66 inches.
    let x = [[-2.0f32, -1.0], [25.0, 6.0], [17.0, 4.0], [-15.0, -6.0]];
    let y = [[1.0f32], [0.0], [0.0], [1.0]];

    let mut model = Sequential::new().seed(1);
    model.add(Input::new([2]))?;
    for units in [2, 1] {
        let normal = Initializer::RandomNormal { mean: 0.0, stddev: 1.0, seed: None };
        let layer = Dense::new(units).activation("sigmoid");
        model.add(layer.kernel_initializer(normal.clone()).bias_initializer(normal))?;
    }
    model.compile(Compile::new().loss("mse").optimizer(SGD::new(0.1)))?;

    let mut losses = Vec::new();
    for epoch in 0..1000 {
        let one_by_one = Fit::new().batch_size(1).shuffle(false).verbose(Verbose::Silent);
        model.fit(x, y, one_by_one)?;
        losses.push(model.evaluate(x, y)?.get("loss").unwrap_or(f64::NAN));
        if epoch % 10 == 0 {
            println!("epoch {epoch:3}  loss {:.3}", losses[epoch]);
        }
    }
    let (emily, frank) = ([[-7.0f32, -3.0]], [[20.0f32, 2.0]]);
    println!("128 pounds, 63 inches: {:.3}", model.predict(emily)?.item::<f32>()?); // about 0.95
    println!("155 pounds, 68 inches: {:.3}", model.predict(frank)?.item::<f32>()?); // about 0.04

    let epochs: Vec<f64> = (0..losses.len()).map(|epoch| epoch as f64).collect();
    let path = "pictures/people_loss.png";
    cornu::plot::lines(path, "Loss", "epoch", "mean squared error", &[("loss", &epochs, &losses)])?;
    println!("drew {path}");
    Ok(())
}
