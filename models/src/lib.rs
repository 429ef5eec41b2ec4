//! From data to prediction: models, what they are trained for, and how they are saved.
//!
//! ```
//! use cornu_layers::prelude::*;
//! use cornu_models::{Compile, Fit, Sequential, callbacks::Verbose};
//! let mut model = Sequential::new().seed(1);
//! model.add(Dense::new(1).input_dim(1))?;
//! model.compile(Compile::new().loss("mse").optimizer("sgd"))?;
//! let (x, y) = ([[1.0f32], [2.0]], [[2.0f32], [4.0]]);
//! model.fit(x, y, Fit::new().epochs(1000).verbose(Verbose::Silent))?;
//! let y = model.predict([[3.0f32]])?.item::<f32>()?;
//! assert!((y - 6.0).abs() < 0.5);
//! # Ok::<(), cornu_models::Error>(())
//! ```

pub mod callbacks;
mod class_weight;
mod compiling;
mod data;
#[cfg(feature = "datasets")]
pub mod datasets;
mod error;
mod fit;
mod graph;
mod history;
pub mod losses;
pub mod metrics;
mod model;
mod nested;
pub mod optimizers;
mod options;
#[cfg(feature = "plot")]
pub mod plot;
mod predict;
pub mod saving;
mod sequential;
mod step;
mod summary;

pub use class_weight::ClassWeight;
pub use compiling::{Compile, LossChoice, MetricChoice, OptimizerChoice};
pub use data::{Batch, Batches, Data, Split};
pub use error::{Error, Result};
pub use fit::{Fit, Stop};
pub use history::{History, LogNames, Logs};
pub use model::{Kind, Model};
pub use options::Config;
pub use predict::Progress;
pub use sequential::Sequential;
pub use summary::{Summary, SummaryStyle};
