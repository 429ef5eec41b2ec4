//! Logistic regression by gradient descent, and its variants: several classes, one sample a
//! step, more layers.
//!
//! `cargo run --release --example logistic_regression`

use cornu::autodiff::Generator;
use cornu::prelude::*;

const TRUE_WEIGHTS: [[f32; 1]; 4] = [[0.3], [0.6], [-0.7], [-1.3]];
const TRUE_BIAS: f64 = 0.2;

type Samples = (Tensor, Tensor);

/// Standard-normal features, and whether the true model finds 1 likelier than 0.
pub fn samples(generator: &Generator, count: usize) -> Result<Samples> {
    let x = generator.normal([count, 4], 0.0, 1.0, DType::F32)?;
    let y = (x.matmul(&Tensor::from(TRUE_WEIGHTS)) + TRUE_BIAS).sigmoid().round();
    Ok((x, y))
}

fn accuracy(model: &Model, (x, y): &Samples) -> Result<f64> {
    Ok(model.evaluate(x, y)?["accuracy"])
}

fn binary() -> Compile {
    Compile::new().loss("binary_crossentropy").metrics(["accuracy"])
}

/// One sigmoid unit after 5001 steps over all samples: the accuracy on fresh ones, and the cosine
/// between learned and true weights.
pub fn descend(train: &Samples, test: &Samples, told: impl Fn(usize, f64)) -> Result<(f64, f32)> {
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(1).input_dim(4).activation("sigmoid"))?;
    model.compile(binary().optimizer(SGD::new(0.01)))?;
    let every_hundred = LambdaCallback::new(|_, iteration, logs| {
        if iteration % 100 == 0 {
            told(iteration, logs["loss"]);
        }
        Ok(())
    });
    let full_batch = Fit::new().epochs(5001).batch_size(1000).verbose(Verbose::Silent);
    model.fit(&train.0, &train.1, full_batch.callback(every_hundred))?;
    let learned = model.weights()[0].value();
    let truth = Tensor::from(TRUE_WEIGHTS);
    let cosine = (&learned * &truth).sum(.., false)
        / (learned.square().sum(.., false) * truth.square().sum(.., false)).sqrt();
    Ok((accuracy(&model, test)?, cosine.item()?))
}

/// The same unit, one sample a step, shuffled before each of 20 epochs.
pub fn one_by_one(train: &Samples, test: &Samples) -> Result<f64> {
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(1).input_dim(4).activation("sigmoid"))?;
    model.compile(binary().optimizer(SGD::new(0.01)))?;
    let options = Fit::new().epochs(20).batch_size(1).verbose(Verbose::Silent);
    model.fit(&train.0, &train.1, options)?;
    accuracy(&model, test)
}

/// Three classes: which of the first three features is largest.
pub fn several_classes((x, _): &Samples, (x_test, _): &Samples) -> Result<f64> {
    let class = |x: &Tensor| x.slice(-1, 0..3).argmax(-1);
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(3).input_dim(4).activation("softmax"))?;
    let several = Compile::new().loss("sparse_categorical_crossentropy").metrics(["accuracy"]);
    model.compile(several.optimizer(SGD::new(0.5)))?;
    model.fit(x, class(x), Fit::new().epochs(200).verbose(Verbose::Silent))?;
    accuracy(&model, &(x_test.clone(), class(x_test)))
}

/// A network of three layers, for the first question.
pub fn three_layers(train: &Samples, test: &Samples) -> Result<f64> {
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(16).input_dim(4).activation("relu"))?;
    model.add(Dense::new(8).activation("relu"))?;
    model.add(Dense::new(1).activation("sigmoid"))?;
    model.compile(binary().optimizer(Adam::new(0.01)))?;
    model.fit(&train.0, &train.1, Fit::new().epochs(30).verbose(Verbose::Silent))?;
    accuracy(&model, test)
}

fn main() -> Result<()> {
    let generator = Generator::new(3);
    let (train, test) = (samples(&generator, 1000)?, samples(&generator, 200)?);
    let told = |iteration, loss| println!("iteration {iteration:4}  loss {loss:.4}");
    let (accuracy, cosine) = descend(&train, &test, told)?;
    println!("accuracy on fresh samples: {accuracy:.3}");
    println!("cosine between learned and true weights: {cosine:.4}");
    println!("one sample a step, 20 epochs: {:.3}", one_by_one(&train, &test)?);
    println!("softmax, three classes: {:.3}", several_classes(&train, &test)?);
    println!("three layers: {:.3}", three_layers(&train, &test)?);
    Ok(())
}
