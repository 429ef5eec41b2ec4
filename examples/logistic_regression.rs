//! Logistic regression by gradient descent, and its variants: several classes, one sample a
//! step, more layers.
//!
//! `cargo run --release --example logistic_regression`

use cornu::autodiff::Generator;
use cornu::callbacks::LambdaCallback;
use cornu::prelude::*;

const TRUE_WEIGHTS: [[f32; 1]; 4] = [[0.3], [0.6], [-0.7], [-1.3]];
const TRUE_BIAS: f64 = 0.2;

/// Standard-normal features, and whether the true model finds 1 likelier than 0.
fn samples(generator: &Generator, count: usize) -> Result<(Tensor, Tensor)> {
    let x = generator.normal([count, 4], 0.0, 1.0, DType::F32)?;
    let y = (x.matmul(&Tensor::from(TRUE_WEIGHTS)) + TRUE_BIAS).sigmoid().round();
    Ok((x, y))
}

fn accuracy(model: &Model, x: &Tensor, y: &Tensor) -> Result<f64> {
    Ok(model.evaluate(x, y)?.get("accuracy").unwrap_or(f64::NAN))
}

fn main() -> Result<()> {
    let generator = Generator::new(3);
    let (x, y) = samples(&generator, 1000)?;
    let (x_test, y_test) = samples(&generator, 200)?;
    let binary = || Compile::new().loss("binary_crossentropy").metrics(["accuracy"]);

    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(1).input_dim(4).activation("sigmoid"))?;
    model.compile(binary().optimizer(SGD::new(0.01)))?;
    let every_hundred = LambdaCallback::new(|_, iteration, logs| {
        if iteration % 100 == 0 {
            println!("iteration {iteration:4}  loss {:.4}", logs.get("loss").unwrap_or(f64::NAN));
        }
        Ok(())
    });
    let full_batch = Fit::new().epochs(5001).batch_size(1000).verbose(Verbose::Silent);
    model.fit(&x, &y, full_batch.callback(every_hundred))?;
    println!("accuracy on fresh samples: {:.3}", accuracy(&model, &x_test, &y_test)?);
    let learned = model.weights()[0].value();
    let truth = Tensor::from(TRUE_WEIGHTS);
    let cosine = (&learned * &truth).sum(.., false)
        / (learned.square().sum(.., false) * truth.square().sum(.., false)).sqrt();
    println!("cosine between learned and true weights: {:.4}", cosine.item::<f32>()?);

    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(1).input_dim(4).activation("sigmoid"))?;
    model.compile(binary().optimizer(SGD::new(0.01)))?;
    model.fit(&x, &y, Fit::new().epochs(20).batch_size(1).verbose(Verbose::Silent))?;
    println!("one sample a step, 20 epochs: {:.3}", accuracy(&model, &x_test, &y_test)?);

    // Three classes: which of the first three features is largest.
    let class = |x: &Tensor| x.slice(-1, 0..3).argmax(-1);
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(3).input_dim(4).activation("softmax"))?;
    let several = Compile::new().loss("sparse_categorical_crossentropy").metrics(["accuracy"]);
    model.compile(several.optimizer(SGD::new(0.5)))?;
    model.fit(&x, class(&x), Fit::new().epochs(200).verbose(Verbose::Silent))?;
    println!("softmax, three classes: {:.3}", accuracy(&model, &x_test, &class(&x_test))?);

    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(16).input_dim(4).activation("relu"))?;
    model.add(Dense::new(8).activation("relu"))?;
    model.add(Dense::new(1).activation("sigmoid"))?;
    model.compile(binary().optimizer(Adam::new(0.01)))?;
    model.fit(&x, &y, Fit::new().epochs(30).verbose(Verbose::Silent))?;
    println!("three layers: {:.3}", accuracy(&model, &x_test, &y_test)?);
    Ok(())
}
