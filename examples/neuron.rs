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

fn main() -> Result<()> {
    let zero_one = Tensor::from([[0.0], [1.0]]);
    let x = Tensor::from([[2.0, 3.0]]);

    let neuron = network(&[1], &[zero_one.clone(), Tensor::from([4.0])])?;
    println!("one neuron:     {}", neuron.predict(&x)?.item::<f64>()?); // 0.9990889488055994

    let hidden = Tensor::from([[0.0, 0.0], [1.0, 1.0]]);
    let biases = [Tensor::from([0.0, 0.0]), Tensor::from([0.0])];
    let [hidden_bias, output_bias] = biases;
    let two_layers = network(&[2, 1], &[hidden, hidden_bias, zero_one, output_bias])?;
    println!("a 2-2-1 net:    {}", two_layers.predict(&x)?.item::<f64>()?); // 0.7216325609518421

    let (y_true, y_pred) = (Tensor::from([1.0, 0.0, 0.0, 1.0]), Tensor::from([0.0; 4]));
    let loss = cornu::losses::by_name("mse")?;
    println!("mean squared error: {}", loss.value(&y_true, &y_pred, None, None)?); // 0.5

    // The same net with all weights 1 and biases 0, written out in tensors.
    let x = Tensor::from([[-2.0, -1.0]]);
    let (w1, w2) = (Tensor::ones([2, 2], DType::F64), Tensor::ones([2, 1], DType::F64));
    let tape = Tape::new();
    let y = x.matmul(&w1).sigmoid().matmul(&w2).sigmoid();
    let loss = (1.0 - &y).square().mean(.., false);
    let slopes = tape.gradient(&loss, &[&w1])?;
    println!("prediction:     {}", y.item::<f64>()?); // 0.5236951740839997
    println!("d loss / d w1:  {}", slopes[0].to_vec::<f64>()?[0]); // 0.02146953526581111
    Ok(())
}
