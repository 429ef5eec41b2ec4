//! The Keras convnet on the real MNIST files, from a folder that you name; or on those of
//! Fashion-MNIST.
//!
//! `cargo run --release --example mnist --features datasets -- FOLDER [EPOCHS] [fashion]`

use cornu::datasets::{fashion_mnist, mnist};
use cornu::prelude::*;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "mnist".into());
    let epochs = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(3);

    let ((x, y), (x_test, y_test)) = match arguments.next().as_deref() {
        Some("fashion") => fashion_mnist::load(&folder)?,
        _ => mnist::load(&folder)?,
    };
    let image = |x: &Tensor| x.cast(DType::F32).reshape([-1, 28, 28, 1]) / 255.0;
    let (x, x_test) = (image(&x), image(&x_test));

    let mut model = Sequential::new().seed(1);
    model.add(Input::new([28, 28, 1]))?;
    model.add(Conv2D::new(32, 3).activation("relu"))?;
    model.add(MaxPooling2D::new(2))?;
    model.add(Conv2D::new(64, 3).activation("relu"))?;
    model.add(MaxPooling2D::new(2))?;
    model.add(Flatten::new())?;
    model.add(Dropout::new(0.5))?;
    model.add(Dense::new(10).activation("softmax"))?;
    println!("{}", model.summary());
    model.compile(
        Compile::new()
            .loss("sparse_categorical_crossentropy")
            .optimizer("adam")
            .metrics(["accuracy"]),
    )?;
    let options = Fit::new().epochs(epochs).batch_size(128);
    model.fit(&x, &y, options.validation_split(Split::Shuffled(0.1)))?;
    let scores = model.evaluate(&x_test, &y_test)?;
    println!("test loss {:.4}", scores.get("loss").unwrap_or(f64::NAN));
    println!("test accuracy {:.4}", scores.get("accuracy").unwrap_or(f64::NAN));
    Ok(())
}
