//! Reads handwritten digits: 1,797 images of 8x8 pixels that are part of the program, a small
//! convolutional network, at least 97 % right on images it has not seen, in seconds.
//!
//! `cargo run --release --example digits --features datasets,plot`

use cornu::datasets::{TrainTest, digits};
use cornu::plot::{Chart, Images};
use cornu::prelude::*;

/// Images with one channel in [0, 1], and their labels: to learn from, and to be tested on.
pub fn data() -> Result<TrainTest> {
    let ((x, y), (x_test, y_test)) = digits::load()?.split(Split::Stratified(0.2), 1)?;
    let image = |x: &Tensor| x.reshape([-1, 8, 8, 1]) / 16.0;
    Ok(((image(&x), y), (image(&x_test), y_test)))
}

/// Two convolutions, and a layer that decides.
pub fn network() -> Result<Sequential> {
    let mut model = Sequential::new().seed(1);
    model.add(Input::new([8, 8, 1]))?;
    model.add(Conv2D::new(32, 3).activation("relu").padding("same"))?;
    model.add(MaxPooling2D::new(2))?;
    model.add(Conv2D::new(64, 3).activation("relu"))?;
    model.add(Flatten::new())?;
    model.add(Dropout::new(0.3))?;
    model.add(Dense::new(10).activation("softmax"))?;
    let rule = Compile::new().loss("sparse_categorical_crossentropy").optimizer("adam");
    model.compile(rule.metrics(["accuracy"]))?;
    Ok(model)
}

/// 25 epochs, with a look at the images to be tested on after each.
pub fn learn(model: &mut Sequential, data: &TrainTest, verbose: Verbose) -> Result<History> {
    let ((x, y), (x_test, y_test)) = data;
    let options = Fit::new().epochs(25).batch_size(64).verbose(verbose);
    model.fit(x, y, options.validation_data(x_test, y_test))
}

/// The curves of both losses.
pub fn curves(history: &History) -> Chart {
    let chart = Chart::new("Reading digits").x_label("epoch").y_label("loss").log_y();
    chart.curve("training", &history["loss"]).curve("validation", &history["val_loss"])
}

/// Some images, with what the network takes them for, in red where that is wrong.
pub fn predictions(model: &Model, x: &Tensor, y: &Tensor) -> Result<Images> {
    let x = x.slice(0, 0..40);
    let read = model.predict_classes(&x)?.to_vec::<i64>()?;
    let truth = y.slice(0, 0..40).to_vec::<i64>()?;
    let pairs = || read.iter().zip(&truth);
    let caption = |(read, truth): (&i64, &i64)| match read == truth {
        true => read.to_string(),
        false => format!("{read}, is {truth}"),
    };
    let captions: Vec<String> = pairs().map(caption).collect();
    let wrong: Vec<bool> = pairs().map(|(read, truth)| read != truth).collect();
    let images = Images::new("What the network reads", &(x.squeeze([-1]) * 16.0))?;
    Ok(images.captions(&captions).marked(&wrong))
}

fn main() -> Result<()> {
    let data = data()?;
    let mut model = network()?;
    println!("{}", model.summary());
    let history = learn(&mut model, &data, Verbose::Auto)?;
    let (_, (x_test, y_test)) = &data;
    let accuracy = model.evaluate(x_test, y_test)?["accuracy"];
    println!("right on {:.1} % of {} unseen digits", 100.0 * accuracy, y_test.size());

    curves(&history).save("pictures/digits_loss.png")?;
    predictions(&model, x_test, y_test)?.save("pictures/digits_read.png")?;
    println!("drew pictures/digits_loss.png and pictures/digits_read.png");
    Ok(())
}
