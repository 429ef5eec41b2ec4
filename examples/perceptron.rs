//! Rosenblatt's perceptron (1958): a weighted sum, a bias, a step. It learns what a line can
//! separate, and fails, honestly, on XOR.
//!
//! `cargo run --release --example perceptron`

use cornu::prelude::*;

struct Perceptron {
    weights: Tensor, // (inputs,)
    bias: f64,
}

impl Perceptron {
    /// 1 where the weighted sum is above 0, else 0.
    fn predict(&self, x: &Tensor) -> Tensor {
        (x.matmul(&self.weights) + self.bias).step()
    }

    /// Rosenblatt's rule, one sample at a time: the error times the input is added to the
    /// weights. Gives the number of epochs until an epoch had no error, if there was one.
    fn train(&mut self, x: &Tensor, y: &[f64], epochs: usize) -> Result<Option<usize>> {
        for epoch in 1..=epochs {
            let mut errors = 0;
            for (i, &target) in y.iter().enumerate() {
                let sample = x.index(0, i as isize); // (inputs,)
                let error = target - self.predict(&sample).item::<f64>()?;
                if error != 0.0 {
                    errors += 1;
                    self.weights = &self.weights + sample * error;
                    self.bias += error;
                }
            }
            if errors == 0 {
                return Ok(Some(epoch));
            }
        }
        Ok(None)
    }
}

/// What is asked about two switches: its name, and the answer to off-off, off-on, on-off, on-on.
pub const QUESTIONS: [(&str, [f64; 4]); 4] = [
    ("and", [0.0, 0.0, 0.0, 1.0]),
    ("or", [0.0, 1.0, 1.0, 1.0]),
    ("not both", [1.0, 1.0, 1.0, 0.0]),
    ("xor", [0.0, 1.0, 1.0, 0.0]),
];

/// After how many epochs it was learned, if it was, and what is answered then.
pub fn learn(y: &[f64]) -> Result<(Option<usize>, Vec<f64>)> {
    let x = Tensor::from([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
    let mut perceptron = Perceptron { weights: Tensor::zeros([2], DType::F64), bias: 0.0 };
    let learned = perceptron.train(&x, y, 100)?;
    Ok((learned, perceptron.predict(&x).to_vec()?))
}

fn main() -> Result<()> {
    for (name, y) in QUESTIONS {
        let (learned, answers) = learn(&y)?;
        let right = answers.iter().zip(&y).filter(|(a, y)| a == y).count();
        match learned {
            Some(epochs) => println!("{name:9} learned in {epochs} epochs: {answers:?}"),
            None => println!(
                "{name:9} not learned in 100 epochs, {right} of 4 right: no line separates it"
            ),
        }
    }
    Ok(())
}
