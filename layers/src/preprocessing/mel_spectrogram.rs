//! Spectrograms on the mel scale.

use std::f64::consts::PI;

use cornu_autodiff::{DType, Spec, Tensor, apply, is_probe, ops};

use super::floating;
use super::stft_spectrogram::LONGEST;
use super::window::FrameWindow;
use crate::builder::WeightBuilder;
use crate::check::{one_float, positive, positive_number};
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::setting::{Config, Configured, Setting};

config! {
    /// How strong each band of the mel scale, `1127 · ln(1 + f / 700)`, is in each frame of a
    /// signal; in decibels with `power_to_db`, cut off `top_db` below the loudest.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, samples)` | `(batch, num_mel_bins, frames)` |
    /// | `(samples)` | `(num_mel_bins, frames)` |
    ///
    /// Frames are centred: the signal is mirrored at its ends.
    ///
    /// ```
    /// use cornu_layers::{Apply, MelSpectrogram, input};
    /// let layer = MelSpectrogram::new().fft_length(256).sequence_stride(64).num_mel_bins(20);
    /// assert_eq!(layer.apply(&input([1600]))?.shape(), [None, Some(20), Some(26)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a length is 0, a frame is longer than `fft_length`, the band of frequencies is empty,
    /// or there are no samples.
    ///
    /// # Difference from Keras
    /// The loudest is that of the sample, where Keras takes that of the whole batch, so that what
    /// becomes of a sample depends on its neighbours. Frequencies are computed by a matrix, not
    /// by a fast transform.
    pub struct MelSpectrogram["MelSpectrogram"] {
        ..
        /// Twice the number of frequencies above 0.
        fft_length: usize = 2048,
        /// Samples from one frame to the next.
        sequence_stride: usize = 512,
        /// Samples of a frame; `fft_length` unless set.
        sequence_length: Option<usize> = None,
        /// By what each frame is multiplied, if by anything.
        window: Option<FrameWindow> = Some(FrameWindow::Hann),
        /// Samples in a second.
        sampling_rate: usize = 16_000,
        /// Number of bands.
        num_mel_bins: usize = 128,
        /// Where the lowest band begins, in hertz.
        min_freq: f64 = 20.0,
        /// Where the highest band ends, in hertz; half of `sampling_rate` unless set.
        max_freq: Option<f64> = None,
        /// Whether the output is in decibels.
        power_to_db: bool = true,
        /// How far below the loudest decibels are cut off.
        top_db: f64 = 80.0,
        /// Exponent of magnitudes: 1 for magnitudes, 2 for power.
        mag_exp: f64 = 2.0,
        /// The least power that is told from none.
        min_power: f64 = 1e-10,
        /// The power that is 0 decibels.
        ref_power: f64 = 1.0,
    }
}

impl MelSpectrogram {
    fn length(&self) -> usize {
        self.sequence_length.filter(|&n| n > 0).unwrap_or(self.fft_length)
    }

    fn highest(&self) -> f64 {
        self.max_freq.filter(|&f| f != 0.0).unwrap_or((self.sampling_rate / 2) as f64)
    }

    fn check_options(&self) -> Result<()> {
        positive("fft_length", self.fft_length)?;
        positive("sequence_stride", self.sequence_stride)?;
        positive("sampling_rate", self.sampling_rate)?;
        positive("num_mel_bins", self.num_mel_bins)?;
        positive_number("min_power", self.min_power)?;
        positive_number("mag_exp", self.mag_exp)?;
        if self.fft_length > LONGEST || self.num_mel_bins > LONGEST {
            let rule = format!("it and `num_mel_bins` must be at most {LONGEST}");
            return Err(Error::setting("`fft_length`", rule, self.fft_length));
        }
        if self.length() > self.fft_length {
            let rule = format!("it must be at most `fft_length`, {}", self.fft_length);
            return Err(Error::setting("`sequence_length`", rule, self.length()));
        }
        let band = self.min_freq >= 0.0 && self.min_freq < self.highest();
        if !band || !self.highest().is_finite() {
            let rule = format!("it must be in [0, {}), below `max_freq`", self.highest());
            return Err(Error::setting("`min_freq`", rule, self.min_freq));
        }
        if self.top_db.is_nan() || !self.ref_power.is_finite() {
            return Err(Error::setting(
                "`top_db`",
                "it and `ref_power` must be numbers",
                self.top_db,
            ));
        }
        Ok(())
    }

    /// Waves of all frequencies over a frame, cosines and then sines, times the window:
    /// `(fft_length, 1, 2 · frequencies)`.
    fn waves(&self, dtype: DType) -> Result<Tensor> {
        let (n, own) = (self.fft_length, self.length());
        let window = match &self.window {
            None => vec![1.0; n],
            Some(window) => {
                let left = (n - own) / 2;
                let mut wide = vec![0.0; n];
                wide[left..left + own].copy_from_slice(&window.values(own, true)?);
                wide
            }
        };
        let count = n / 2 + 1;
        let angle = |t: usize, f: usize| -2.0 * PI * ((t * f) % n) as f64 / n as f64;
        let mut values = Vec::with_capacity(2 * n * count);
        for (t, weight) in window.iter().enumerate() {
            values.extend((0..count).map(|f| weight * angle(t, f).cos()));
            values.extend((0..count).map(|f| weight * angle(t, f).sin()));
        }
        Ok(Tensor::new(values, [n, 1, 2 * count])?.cast(dtype))
    }

    /// How much of each frequency is in each band, `(frequencies, num_mel_bins)`: triangles that
    /// overlap by half.
    fn bands(&self, dtype: DType) -> Result<Tensor> {
        let mel = |hertz: f64| 1127.0 * (hertz / 700.0).ln_1p();
        let (low, high) = (mel(self.min_freq), mel(self.highest()));
        let step = (high - low) / (self.num_mel_bins + 1) as f64;
        let edge = |i: usize| low + step * i as f64;
        let count = self.fft_length / 2 + 1;
        let nyquist = self.sampling_rate as f64 / 2.0;
        let mut values = vec![0.0; count * self.num_mel_bins];
        // Frequency 0 is in no band.
        for f in 1..count {
            let at = mel(nyquist * f as f64 / (count - 1) as f64);
            for band in 0..self.num_mel_bins {
                let rise = (at - edge(band)) / (edge(band + 1) - edge(band));
                let fall = (edge(band + 2) - at) / (edge(band + 2) - edge(band + 1));
                values[f * self.num_mel_bins + band] = rise.min(fall).max(0.0);
            }
        }
        Ok(Tensor::new(values, [count, self.num_mel_bins])?.cast(dtype))
    }

    /// Power in decibels, for samples `(batch, frames, bands)`.
    fn decibels(&self, power: &Tensor) -> Tensor {
        let level = ops::maximum(power, &power.full_like(self.min_power)).log10() * 10.0;
        let level = level - 10.0 * self.ref_power.abs().max(self.min_power).log10();
        let floor = level.max([1, 2].as_slice(), true) - self.top_db;
        ops::maximum(&level, &floor)
    }

    fn frames(&self, samples: usize) -> usize {
        (samples + self.fft_length / 2 * 2).saturating_sub(self.fft_length) / self.sequence_stride
            + 1
    }
}

impl Layer for MelSpectrogram {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        self.check_options()?;
        if let Some(window) = &self.window {
            window.values(self.length(), true)?;
        }
        let x = one_float(inputs, 1)?;
        check_samples(x)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = floating(x.only()?, self.common());
        check_samples(x.spec())?;
        let samples = x.dims()[x.rank() - 1];
        if x.is_symbolic() {
            let shape = [&x.dims()[..x.rank() - 1], &[self.num_mel_bins, self.frames(samples)]];
            return Ok(Tensor::symbolic(x.spec().with(&shape.concat())?));
        }
        let signals = if x.rank() == 1 { x.expand_dims(0) } else { x.clone() };
        let edge = self.fft_length / 2;
        let wide = signals.pad_with([(0, 0), (edge, edge)], ops::PadMode::Reflect).expand_dims(-1);
        let options =
            ops::ConvOptions { strides: vec![self.sequence_stride], ..Default::default() };
        let parts = ops::conv(&wide, &self.waves(x.dtype())?, None, &options)?;
        let sides = parts.split(2, -1); // (batch, frames, frequencies)
        let magnitude = (sides[0].square() + sides[1].square()).sqrt();
        let power = match self.mag_exp {
            1.0 => magnitude,
            2.0 => magnitude.square(),
            exponent => ops::power(&magnitude, &magnitude.full_like(exponent)),
        };
        let bands = apply(ops::MatMul, &[&power, &self.bands(x.dtype())?])?;
        let bands = if self.power_to_db { self.decibels(&bands) } else { bands };
        let y = bands.permute([0, 2, 1]);
        Ok(if x.rank() == 1 { y.squeeze([0]) } else { y })
    }

    fn write_settings(&self, config: &mut Config) {
        config.insert("sequence_length".into(), self.length().to_json());
        let highest = self.highest();
        let whole = highest.fract() == 0.0 && self.max_freq.is_none();
        let written = if whole { (highest as usize).to_json() } else { highest.to_json() };
        config.insert("max_freq".into(), written);
    }
}

/// Refuses what isn't a signal or a batch of signals, and signals that can't be mirrored.
fn check_samples(x: &Spec) -> Result<()> {
    match x.dims() {
        [n] | [_, n] if *n > 0 || is_probe(*n) => Ok(()),
        _ => {
            Err(Error::input("the layer takes one input (batch, samples), not empty", &[&x.shape]))
        }
    }
}
