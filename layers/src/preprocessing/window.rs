//! By what a frame of a signal is multiplied before its frequencies are taken.

use std::f64::consts::PI;

use serde_json::Value;

use super::numbers::Numbers;
use crate::arg::Arg;
use crate::error::{Error, Result};
use crate::setting::{Setting, wrong};

/// By what a frame is multiplied: a name or numbers of one's own.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FrameWindow {
    /// `0.5 - 0.5 · cos(2π · i / n)`
    Hann,
    /// `0.54 - 0.46 · cos(2π · i / n)`
    Hamming,
    /// One factor for each element of a frame.
    Numbers(Numbers),
    #[doc(hidden)]
    Unknown(String),
}

impl FrameWindow {
    /// The factors of a frame; of a periodic one, the first element of the next frame would go
    /// on.
    pub(crate) fn values(&self, length: usize, periodic: bool) -> Result<Vec<f64>> {
        let cosine = |base: f64| {
            let n = if periodic { length } else { length.saturating_sub(1) }.max(1) as f64;
            let at = |i: usize| base - (1.0 - base) * (2.0 * PI * i as f64 / n).cos();
            if length == 1 { vec![1.0] } else { (0..length).map(at).collect() }
        };
        match self {
            FrameWindow::Hann => Ok(cosine(0.5)),
            FrameWindow::Hamming => Ok(cosine(0.54)),
            FrameWindow::Numbers(own) if own.shape() == [length] => Ok(own.values().to_vec()),
            FrameWindow::Numbers(own) => {
                let rule = format!("there must be one number for each of the {length} in a frame");
                Err(Error::setting("`window`", rule, format!("{:?}", own.shape())))
            }
            FrameWindow::Unknown(_) => self.check().map(|()| Vec::new()),
        }
    }
}

impl From<&str> for FrameWindow {
    fn from(name: &str) -> FrameWindow {
        match name {
            "hann" => FrameWindow::Hann,
            "hamming" => FrameWindow::Hamming,
            _ => FrameWindow::Unknown(name.to_owned()),
        }
    }
}

impl Arg<FrameWindow> for &str {
    fn arg(self) -> FrameWindow {
        self.into()
    }
}
impl Arg<Option<FrameWindow>> for &str {
    fn arg(self) -> Option<FrameWindow> {
        Some(self.into())
    }
}
impl Arg<Option<FrameWindow>> for Vec<f64> {
    fn arg(self) -> Option<FrameWindow> {
        Some(FrameWindow::Numbers(self.arg()))
    }
}

impl Setting for FrameWindow {
    fn to_json(&self) -> Value {
        match self {
            FrameWindow::Hann => "hann".into(),
            FrameWindow::Hamming => "hamming".into(),
            FrameWindow::Numbers(own) => own.to_json(),
            FrameWindow::Unknown(name) => name.as_str().into(),
        }
    }

    fn from_json(value: &Value) -> Result<FrameWindow> {
        let window = match value {
            Value::String(name) => FrameWindow::from(name.as_str()),
            Value::Array(_) | Value::Object(_) => FrameWindow::Numbers(Numbers::from_json(value)?),
            _ => return Err(wrong("a window's name or a list of numbers", value)),
        };
        window.check()?;
        Ok(window)
    }

    fn check(&self) -> Result<()> {
        match self {
            FrameWindow::Unknown(name) => {
                Err(cornu_autodiff::Error::unknown("window", name, &["hann", "hamming"]).into())
            }
            FrameWindow::Numbers(own) => own.check(),
            _ => Ok(()),
        }
    }
}
