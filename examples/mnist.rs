//! The Keras convnet on the real MNIST files, from a folder that you name; or on those of
//! Fashion-MNIST.
//!
//! `cargo run --release --example mnist --features datasets -- FOLDER [EPOCHS] [fashion]`

use cornu::datasets::{fashion_mnist, mnist};
use cornu::prelude::*;

/// The folder, the number of epochs, and whether it is Fashion-MNIST.
fn asked(words: &[&str]) -> Option<(String, usize, bool)> {
    let (words, fashion) = match words {
        [rest @ .., "fashion"] => (rest, true),
        _ => (words, false),
    };
    match words {
        [folder] => Some((folder.to_string(), 3, fashion)),
        [folder, epochs] => Some((folder.to_string(), epochs.parse().ok()?, fashion)),
        _ => None,
    }
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((folder, epochs, fashion)) = asked(&words) else {
        let rule = "the arguments must be `FOLDER [EPOCHS] [fashion]`";
        return Err(Error::value("mnist", rule, format!("`{}`", words.join(" "))));
    };
    let load = if fashion { fashion_mnist::load } else { mnist::load };
    let ((x, y), (x_test, y_test)) = load(&folder)?;
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
    println!("test loss {:.4}", scores["loss"]);
    println!("test accuracy {:.4}", scores["accuracy"]);
    Ok(())
}
