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

fn main() -> Result<()> {
    let ((x, y), (x_test, y_test)) = data()?;
    let mut model = network()?;
    println!("{}", model.summary());
    let options = Fit::new().epochs(25).batch_size(64).validation_data(&x_test, &y_test);
    let history = model.fit(&x, &y, options)?;
    let accuracy = model.evaluate(&x_test, &y_test)?.get("accuracy").unwrap_or(f64::NAN);
    println!("right on {:.1} % of {} unseen digits", 100.0 * accuracy, y_test.size());

    let mut chart = Chart::new("Reading digits").x_label("epoch").y_label("loss").log_y();
    for (name, series) in [("training", "loss"), ("validation", "val_loss")] {
        chart = chart.curve(name, history.get(series).unwrap_or_default());
    }
    chart.save("pictures/digits_loss.png")?;

    let classes = model.predict_classes(&x_test)?.to_vec::<i64>()?;
    let truth = y_test.cast(DType::I64).to_vec::<i64>()?;
    let wrong: Vec<bool> = classes.iter().zip(&truth).map(|(c, t)| c != t).take(40).collect();
    let images = x_test.slice(0, 0..40).reshape([-1, 8, 8]) * 16.0;
    Images::new("What the network reads", &images)?
        .captions(&classes[..40])
        .marked(&wrong)
        .save("pictures/digits_read.png")?;
    println!("drew pictures/digits_loss.png and pictures/digits_read.png");
    Ok(())
}
