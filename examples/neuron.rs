//! From one neuron to a small network, with the numbers one can check by hand, and a derivative
//! that nobody had to work out.
//!
//! `cargo run --release --example neuron`

use cornu::prelude::*;

/// A sigmoid network in float64 whose weights are all given.
fn network(widths: &[usize], weights: &[Tensor]) -> Result<Sequential> {
    let mut model = Sequential::new().dtype(DType::F64);
    model.add(Input::new([2]))?;
    for &width in widths {
        model.add(Dense::new(width).activation("sigmoid"))?;
    }
    model.set_weights(weights)?;
    Ok(model)
}

/// Weights 0 and 1, bias 4, asked about 2 and 3.
pub fn one_neuron() -> Result<f64> {
    let weights = [Tensor::from([[0.0], [1.0]]), Tensor::from([4.0])];
    Ok(network(&[1], &weights)?.predict([[2.0, 3.0]])?.item()?)
}

/// Two hidden neurons and one: all weights 0 and 1, no biases.
pub fn two_layers() -> Result<f64> {
    let hidden = [Tensor::from([[0.0, 0.0], [1.0, 1.0]]), Tensor::from([0.0, 0.0])];
    let output = [Tensor::from([[0.0], [1.0]]), Tensor::from([0.0])];
    Ok(network(&[2, 1], &[hidden, output].concat())?.predict([[2.0, 3.0]])?.item()?)
}

/// Of four predictions of 0 where two should be 1.
pub fn mean_squared_error() -> Result<f64> {
    let (y_true, y_pred) = (Tensor::from([1.0, 0.0, 0.0, 1.0]), Tensor::from([0.0; 4]));
    Ok(cornu::losses::by_name("mse")?.value(&y_true, &y_pred, None, None)?.item()?)
}

/// The same net with all weights 1 and biases 0, written out in tensors: what it says of -2 and
/// -1, and the slope of the error by its first weight, where the target is 1.
pub fn prediction_and_slope() -> Result<(f64, f64)> {
    let x = Tensor::from([[-2.0, -1.0]]);
    let (w1, w2) = (Tensor::ones([2, 2], DType::F64), Tensor::ones([2, 1], DType::F64));
    let tape = Tape::new();
    let y = x.matmul(&w1).sigmoid().matmul(&w2).sigmoid();
    let loss = (1.0 - &y).square().mean(.., false);
    let slopes = tape.gradient(&loss, &[&w1])?;
    Ok((y.item()?, slopes[0].to_vec::<f64>()?[0]))
}

fn main() -> Result<()> {
    println!("one neuron:          {}", one_neuron()?);
    println!("a 2-2-1 net:         {}", two_layers()?);
    println!("mean squared error:  {}", mean_squared_error()?);
    let (prediction, slope) = prediction_and_slope()?;
    println!("prediction:          {prediction}");
    println!("d loss / d w1:       {slope}");
    Ok(())
}
