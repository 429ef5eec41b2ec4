//! Keras for Rust: define, train, save and ship neural networks.
//!
//! ```
//! use cornu::prelude::*;
//!
//! # fn main() -> Result<()> {
//! let x = [[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let y = [[0.0f32], [1.0], [1.0], [0.0]];
//!
//! let mut model = Sequential::new().seed(7);
//! model.add(Dense::new(10).input_dim(2).activation("tanh"))?;
//! model.add(Dense::new(1).activation("sigmoid"))?;
//! println!("{}", model.summary());
//!
//! let rule = Compile::new().loss("binary_crossentropy").optimizer(SGD::new(0.1));
//! model.compile(rule.metrics(["accuracy"]))?;
//! model.fit(x, y, Fit::new().epochs(100))?;
//! println!("{}", model.predict(x)?);
//! # Ok(())
//! # }
//! ```
//!
//! Three crates stand on one another, and this one hands on what they have:
//! [`autodiff`] (tensors, the tape, ops), [`layers`] and [`models`].

pub use cornu_autodiff as autodiff;
pub use cornu_layers as layers;
pub use cornu_models as models;

pub use cornu_autodiff::{set_threads, threads};
#[cfg(feature = "datasets")]
pub use cornu_models::datasets;
#[cfg(feature = "plot")]
pub use cornu_models::plot;
pub use cornu_models::{callbacks, losses, metrics, optimizers};

/// What most programs use.
pub mod prelude {
    pub use cornu_autodiff::{DType, Tape, Tensor};
    pub use cornu_layers::prelude::*;
    pub use cornu_layers::{Apply, Input, LayerOptions, input};
    pub use cornu_models::callbacks::{
        CSVLogger, Callback, EarlyStopping, LambdaCallback, LearningRateScheduler, ModelCheckpoint,
        ReduceLROnPlateau, TerminateOnNaN, Verbose,
    };
    pub use cornu_models::optimizers::{Adam, AdamW, RMSprop, SGD};
    pub use cornu_models::{
        Batch, Batches, ClassWeight, Compile, Data, Error, Fit, History, Logs, Model, Result,
        Sequential, Split, Stop,
    };
}
