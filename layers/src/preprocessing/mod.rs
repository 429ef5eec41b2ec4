//! Layers that turn raw data into what others can learn from.

mod category_encoding;
mod center_crop;
mod discretization;
mod encoding;
mod hash;
mod hashed_crossing;
mod hashing;
mod image;
mod integer_lookup;
mod lookup;
mod mel_spectrogram;
mod normalization;
mod numbers;
mod pipeline;
mod quantiles;
mod rescaling;
mod resizing;
mod stft_spectrogram;
mod string_lookup;
mod text_vectorization;
mod token;
mod window;

use cornu_autodiff::{DType, Tensor};

pub use category_encoding::CategoryEncoding;
pub use center_crop::CenterCrop;
pub use discretization::Discretization;
pub use encoding::OutputMode;
pub use hashed_crossing::{Feature, HashedCrossing};
pub use hashing::Hashing;
pub use integer_lookup::IntegerLookup;
pub use lookup::OovMethod;
pub use mel_spectrogram::MelSpectrogram;
pub use normalization::{Normalization, NormalizationWeights};
pub use numbers::Numbers;
pub use pipeline::Pipeline;
pub use rescaling::Rescaling;
pub use resizing::Resizing;
pub use stft_spectrogram::{
    STFTSpectrogram, STFTSpectrogramWeights, SpectrogramMode, WindowScaling,
};
pub use string_lookup::StringLookup;
pub use text_vectorization::{Ngrams, Split, Standardize, TextVectorization};
pub use token::{Key, Salt};
pub use window::FrameWindow;

use crate::setting::Common;

/// The input in the layer's dtype: its own, or the input's if that is floating-point, or float32.
fn floating(x: &Tensor, common: &Common) -> Tensor {
    let own = if x.dtype().is_float() { x.dtype() } else { DType::F32 };
    x.cast(common.dtype.unwrap_or(own))
}
