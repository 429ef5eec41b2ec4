//! Waves, by which a convolution takes a signal's frequencies.

use std::f64::consts::PI;

use cornu_autodiff::{DType, Shape, Tensor};
use serde_json::{Value, json};

use crate::choice::choice;
use crate::envelope::get;
use crate::error::{Error, Result};
use crate::preprocessing::{FrameWindow, WindowScaling};
use crate::setting::{Config, Setting};

choice! {
    /// Which part of a frequency a kernel takes.
    pub enum WaveSide("side") {
        /// Cosines.
        Real = "real",
        /// Sines.
        Imag = "imag",
    }
}

/// Waves times a window, Keras's `STFT`: for a weight `(frame, 1, frequencies)`,
/// `wave(-2π · t · f / (2 · (frequencies - 1))) · window[t] / scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Stft {
    /// Which part of a frequency is taken.
    pub side: WaveSide,
    /// By what a frame is multiplied, if by anything.
    pub window: Option<FrameWindow>,
    /// Whether the window's first element would go on as that of the next.
    pub periodic: bool,
    /// By which length of the window all is divided, if by any.
    pub scaling: Option<WindowScaling>,
}

impl Default for Stft {
    fn default() -> Stft {
        Stft {
            side: WaveSide::Real,
            window: Some(FrameWindow::Hann),
            periodic: false,
            scaling: Some(WindowScaling::Density),
        }
    }
}

impl Stft {
    pub(super) fn sample(&self, shape: &Shape, dtype: DType) -> Result<Tensor> {
        let &[length, 1, frequencies] = shape.dims() else {
            let rule = "the weight must have the shape (frame, 1, frequencies)";
            return Err(Error::setting("initializer `STFT`", rule, shape));
        };
        let window = match &self.window {
            None => vec![1.0; length],
            Some(window) => window.values(length, self.periodic)?,
        };
        let scale: f64 = match (&self.scaling, &self.window) {
            (Some(WindowScaling::Density), Some(_)) => {
                window.iter().map(|w| w * w).sum::<f64>().sqrt()
            }
            (Some(WindowScaling::Spectrum), Some(_)) => window.iter().map(|w| w.abs()).sum(),
            _ => 1.0,
        };
        let period = (2 * frequencies.saturating_sub(1)).max(1) as f64;
        let wave = if self.side == WaveSide::Imag { f64::sin } else { f64::cos };
        let of = |(time, frequency): (usize, usize)| {
            let angle = -2.0 * PI * (time * frequency) as f64 / period;
            window[time] * wave(angle) / scale
        };
        let times = (0..length).flat_map(|t| (0..frequencies).map(move |f| (t, f)));
        Ok(Tensor::new(times.map(of).collect(), *shape)?.cast(dtype))
    }

    pub(super) fn config(&self) -> Value {
        json!({
            "side": self.side.to_json(),
            "window": self.window.to_json(),
            "periodic": self.periodic,
            "scaling": self.scaling.to_json(),
        })
    }

    pub(super) fn read(&mut self, config: &Config) -> Result<()> {
        self.side = get(config, "side", self.side.clone())?;
        self.window = get(config, "window", self.window.clone())?;
        self.periodic = get(config, "periodic", self.periodic)?;
        self.scaling = get(config, "scaling", self.scaling.clone())?;
        Ok(())
    }

    pub(super) fn check(&self) -> Result<()> {
        self.side.check()?;
        self.window.check()?;
        self.scaling.check()
    }
}
