//! What several benchmarks run: `cargo bench -p cornu-benches`.

use cornu::models::Batch;
use cornu::prelude::*;

/// The XOR network, compiled, and its four rows.
pub fn xor() -> (Sequential, Batch) {
    let mut model = Sequential::new().seed(1);
    for layer in
        [Dense::new(10).input_dim(2).activation("tanh"), Dense::new(1).activation("sigmoid")]
    {
        model.add(layer).expect("the chain fits");
    }
    let rule = Compile::new().loss("binary_crossentropy").optimizer(SGD::new(0.1));
    model.compile(rule).expect("the names are known");
    let x = Tensor::from([[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
    let y = Tensor::from([[0.0f32], [1.0], [1.0], [0.0]]);
    (model, Batch::new(&x, &y))
}

/// A network 6-64-8-4, and one sample.
pub fn small() -> (Sequential, Tensor) {
    let mut model = Sequential::new().seed(1);
    for layer in [
        Dense::new(64).input_dim(6).activation("relu"),
        Dense::new(8).activation("relu"),
        Dense::new(4),
    ] {
        model.add(layer).expect("the chain fits");
    }
    (model, Tensor::ones([1, 6], DType::F32))
}
