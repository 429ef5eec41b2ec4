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

/// The program in the readme is compiled and run with the examples in the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What most programs use. Losses and metrics of one name are told apart by their modules, as in
/// Keras.
///
/// ```
/// use cornu::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut model = Sequential::new().with(Dense::new(3).input_dim(2).activation("softmax"))?;
/// let rule = Compile::new().loss(losses::CategoricalCrossentropy::new().label_smoothing(0.1));
/// let rule = rule.optimizer(Nadam::new(CosineDecay::new(1e-3, 1000u64)));
/// model.compile(rule.metrics([metrics::F1Score::new().average(metrics::Average::Macro)]))?;
/// # Ok(())
/// # }
/// ```
pub mod prelude {
    pub use cornu_autodiff::{DType, Tape, Tensor};
    pub use cornu_layers::prelude::*;
    pub use cornu_layers::{Apply, Input, LayerOptions, input};
    pub use cornu_models::callbacks::{
        CSVLogger, Callback, EarlyStopping, LambdaCallback, LearningRateScheduler, ModelCheckpoint,
        ReduceLROnPlateau, TerminateOnNaN, Verbose,
    };
    pub use cornu_models::losses::Loss;
    pub use cornu_models::metrics::Metric;
    pub use cornu_models::optimizers::schedules::{
        CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, LearningRateSchedule,
        PiecewiseConstantDecay, PolynomialDecay,
    };
    pub use cornu_models::optimizers::{
        Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, LossScaleOptimizer,
        MultiOptimizer, Muon, Nadam, RMSprop, SGD, ScheduleFreeAdamW,
    };
    pub use cornu_models::{
        Batch, Batches, ClassWeight, Compile, Data, Error, Fit, History, Logs, Model, Result,
        Sequential, Split, Stop,
    };
    pub use cornu_models::{callbacks, losses, metrics, optimizers};
}
