//! Spectrograms by windows that can be learned.

use std::f64::consts::PI;

use cornu_autodiff::{Spec, Tensor, apply, ops};

use super::window::FrameWindow;
use crate::builder::WeightBuilder;
use crate::check::{one_float, positive};
use crate::choice::{DataFormat, Padding, choice};
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::{Initializer, Stft, WaveSide};
use crate::layer::{Inputs, Layer, expect_rank, known_axis};
use crate::parameter::Parameter;
use crate::window::Window;

choice! {
    /// What a spectrogram shows of each frequency `re + i · im`.
    pub enum SpectrogramMode("mode") {
        /// The logarithm of the magnitude.
        Log = "log",
        /// `sqrt(re² + im²)`
        Magnitude = "magnitude",
        /// `re² + im²`, twice for frequencies that stand for two.
        Psd = "psd",
        /// `re`
        Real = "real",
        /// `im`
        Imag = "imag",
        /// The angle of `(re, im)`.
        Angle = "angle",
        /// All `re`, and then all `im`.
        Stft = "stft",
    }
}

choice! {
    /// By what a window is divided.
    pub enum WindowScaling("scaling") {
        /// The square root of the sum of its squares.
        Density = "density",
        /// The sum of its magnitudes.
        Spectrum = "spectrum",
    }
}

config! {
    /// How strong each frequency is in each frame of a signal, channel by channel (short-time
    /// Fourier transform).
    ///
    /// | input | `real_kernel`, `imag_kernel` | output |
    /// |---|---|---|
    /// | `(batch, time, channels)` | `(frame_length, 1, frequencies)` | `(batch, frames, channels · frequencies)` |
    /// | with `expand_dims` | | `(batch, frames, frequencies, channels)` |
    ///
    /// There are `fft_length / 2 + 1` frequencies, twice as many with mode `"stft"`. The kernels
    /// are weights, and so can be trained; freeze the layer to keep them. With
    /// `"channels_first"` the channels of input and output come right behind the batch axis,
    /// frequencies before frames unless `expand_dims`.
    ///
    /// ```
    /// use cornu_layers::{Apply, STFTSpectrogram, input};
    /// let y = STFTSpectrogram::new().frame_length(64).frame_step(32).apply(&input([640, 1]))?;
    /// assert_eq!(y.shape(), [None, Some(19), Some(33)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a length is 0, `frame_step` is above `frame_length` or `fft_length` below it, or a
    /// frame is longer than the signal.
    ///
    /// # Difference from Keras
    /// Windows by name are `"hann"` and `"hamming"`; others must be given as numbers.
    pub struct STFTSpectrogram["STFTSpectrogram"] {
        ..
        /// What the output shows.
        mode: SpectrogramMode = SpectrogramMode::Log,
        /// Elements of a frame.
        frame_length: usize = 256,
        /// Elements from one frame to the next; half a frame unless set.
        frame_step: Option<usize> = None,
        /// Twice the number of frequencies above 0; the power of two from `frame_length` on
        /// unless set.
        fft_length: Option<usize> = None,
        /// By what each frame is multiplied, if by anything.
        window: Option<FrameWindow> = Some(FrameWindow::Hann),
        /// Whether the window goes on in the next frame.
        periodic: bool = false,
        /// By what the window is divided, if by anything.
        scaling: Option<WindowScaling> = Some(WindowScaling::Density),
        /// What frames see beyond the ends.
        padding: Padding = Padding::Valid,
        /// Where the channels are.
        data_format: DataFormat = DataFormat::ChannelsLast,
        /// Whether frequencies have an axis of their own.
        expand_dims: bool = false,
    }
}

/// Weights of [`STFTSpectrogram`]; a mode that shows one side has one.
#[derive(Debug)]
pub struct STFTSpectrogramWeights {
    real: Option<Parameter>,
    imag: Option<Parameter>,
}

/// The longest frame: kernels are matrices of that many rows.
pub(super) const LONGEST: usize = 1 << 15;

impl STFTSpectrogram {
    fn step(&self) -> usize {
        self.frame_step.unwrap_or((self.frame_length / 2).max(1))
    }

    fn frequencies(&self) -> usize {
        self.fft_length.unwrap_or_else(|| self.frame_length.next_power_of_two()) / 2 + 1
    }

    fn check_lengths(&self) -> Result<()> {
        positive("frame_length", self.frame_length)?;
        if self.frame_length > LONGEST {
            let rule = format!("it must be at most {LONGEST}");
            return Err(Error::setting("`frame_length`", rule, self.frame_length));
        }
        if let Some(step) = self.frame_step.filter(|&n| n == 0 || n > self.frame_length) {
            let rule = format!("it must be in 1..={}, a frame's length", self.frame_length);
            return Err(Error::setting("`frame_step`", rule, step));
        }
        let length = self.fft_length.filter(|&n| n < self.frame_length || n > LONGEST);
        if let Some(length) = length {
            let rule = format!("it must be in {}..={LONGEST}", self.frame_length);
            return Err(Error::setting("`fft_length`", rule, length));
        }
        Ok(())
    }

    /// A kernel's first value: the window times a wave for each frequency.
    fn kernel(&self, side: WaveSide) -> Initializer {
        let (window, scaling) = (self.window.clone(), self.scaling.clone());
        Initializer::Stft(Stft { side, window, periodic: self.periodic, scaling })
    }

    /// The signal of each channel as frames times waves, `(batch, channels, frames, frequencies)`.
    fn waves(&self, x: &Tensor, kernel: &Tensor) -> Result<Tensor> {
        let &[batch, channels, time] = x.dims() else {
            return Err(Error::input("the layer takes one input of rank 3", &[x.shape()]));
        };
        let rows = x.try_reshape(&[(batch * channels) as isize, time as isize, 1])?;
        let (size, strides, data_format) =
            ([self.frame_length], [self.step()], DataFormat::ChannelsLast);
        let window = self.frames(&size, &strides, &data_format);
        let options = ops::ConvOptions {
            strides: strides.to_vec(),
            padding: window.paddings(rows.shape()),
            ..ops::ConvOptions::default()
        };
        let y = ops::conv(&rows, kernel, None, &options)?;
        let [frames, frequencies] = [y.dims()[1], y.dims()[2]].map(|n| n as isize);
        Ok(y.try_reshape(&[batch as isize, channels as isize, frames, frequencies])?)
    }

    fn frames<'a>(
        &'a self,
        size: &'a [usize; 1],
        strides: &'a [usize; 1],
        data_format: &'a DataFormat,
    ) -> Window<'a> {
        let (option, padding) = ("frame_length", &self.padding);
        Window { option, size, strides, dilation: &[1], padding, data_format }
    }

    /// Axes in the order of the output.
    fn arranged(&self, y: &Tensor) -> Result<Tensor> {
        let sizes: Vec<isize> = y.dims().iter().map(|&n| n as isize).collect();
        let [batch, channels, frames, frequencies] = sizes[..] else {
            return Err(Error::input("there must be four axes", &[y.shape()]));
        };
        let last = self.data_format != DataFormat::ChannelsFirst;
        Ok(match (last, self.expand_dims) {
            (true, true) => y.permute([0, 2, 3, 1]),
            (true, false) => {
                y.permute([0, 2, 1, 3]).try_reshape(&[batch, frames, channels * frequencies])?
            }
            (false, true) => y.clone(),
            (false, false) => {
                y.permute([0, 1, 3, 2]).try_reshape(&[batch, channels * frequencies, frames])?
            }
        })
    }
}

impl Layer for STFTSpectrogram {
    type Weights = STFTSpectrogramWeights;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Self::Weights> {
        self.check_lengths()?;
        expect_rank(inputs, 3)?;
        let x = one_float(inputs, 3)?;
        let channel = if self.data_format == DataFormat::ChannelsFirst { 1 } else { -1 };
        known_axis(x, channel)?;
        self.frames(&[self.frame_length], &[self.step()], &self.data_format).check(x, false)?;
        let shape = [self.frame_length, 1, self.frequencies()];
        if let Some(window) = &self.window {
            window.values(self.frame_length, self.periodic)?;
        }
        let mut side = |name: &str, used: bool, side: WaveSide| {
            used.then(|| weights.add(name, &shape, &self.kernel(side))).transpose()
        };
        Ok(STFTSpectrogramWeights {
            real: side("real_kernel", self.mode != SpectrogramMode::Imag, WaveSide::Real)?,
            imag: side("imag_kernel", self.mode != SpectrogramMode::Real, WaveSide::Imag)?,
        })
    }

    fn call(&self, w: &Self::Weights, x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        expect_rank(&[*x.spec()], 3)?;
        let last = self.data_format != DataFormat::ChannelsFirst;
        let x = if last { x.permute([0, 2, 1]) } else { x.clone() }; // (batch, channels, time)
        let side = |kernel: &Option<Parameter>| {
            kernel.as_ref().map(|kernel| self.waves(&x, &kernel.value())).transpose()
        };
        let (real, imag) = match (side(&w.real)?, side(&w.imag)?) {
            (Some(real), Some(imag)) => (real, imag),
            (Some(only), None) | (None, Some(only)) => return self.arranged(&only),
            (None, None) => return Err(Error::setting("`mode`", "it must be known", "none")),
        };
        let power = || real.square() + imag.square();
        // Keras's `backend.epsilon()`.
        let floor = |y: Tensor| ops::maximum(&y, &y.full_like(1e-7));
        let shown = match self.mode {
            SpectrogramMode::Stft => apply(ops::Concat { axis: 3 }, &[&real, &imag])?,
            SpectrogramMode::Angle => angle(&real, &imag),
            SpectrogramMode::Psd => both_sides(power()),
            SpectrogramMode::Magnitude => floor(power()).sqrt(),
            _ => floor(floor(power()).sqrt()).log(),
        };
        self.arranged(&shown)
    }
}

/// Frequencies between the first and the last stand for two, and count twice.
fn both_sides(power: Tensor) -> Tensor {
    let n = power.dims()[3];
    if n < 3 {
        return power;
    }
    let inner = power.slice(3, 1..n - 1).pad([(0, 0), (0, 0), (0, 0), (1, 1)], 0.0);
    power + inner
}

/// The angle of `(x, y)` from the first axis, in `(-π, π]`; 0 at the origin.
fn angle(x: &Tensor, y: &Tensor) -> Tensor {
    let zero = x.equal(&x.zeros_like());
    let safe = ops::select(&zero, &x.ones_like(), x);
    let steep = ops::sign(y) * (PI / 2.0);
    let flat = (y / safe).arctan();
    let turn = ops::select(&y.less(&y.zeros_like()), &x.full_like(-PI), &x.full_like(PI));
    let turned = ops::select(&x.less(&x.zeros_like()), &(&flat + turn), &flat);
    ops::select(&zero, &steep, &turned)
}
