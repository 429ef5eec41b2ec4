//! Values in bins by their hash.

use cornu_autodiff::{DType, IntoShape, Spec, Tensor};

use super::encoding::{OutputMode, check_dense, encode};
use super::hash::{fingerprint, keyed};
use super::token::{Key, Salt};
use crate::builder::WeightBuilder;
use crate::check::{one, positive};
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::setting::{Config, Setting};

config! {
    /// Each value in one of `num_bins` bins, by the hash of its text: `y = hash(text of x) mod
    /// num_bins`. The hash is FarmHash's 64-bit fingerprint, or with a `salt` SipHash-2-4, so that
    /// the bins are those of Keras.
    ///
    /// | `output_mode` | input | output |
    /// |---|---|---|
    /// | `"int"` | `(batch, …)`, whole numbers | `(batch, …)`, int64 |
    /// | others | `(batch, n)` | as [`CategoryEncoding`](crate::CategoryEncoding) |
    ///
    /// A tensor holds no texts: hash those with [`call_strings`](Hashing::call_strings), before
    /// they come to a model.
    ///
    /// ```
    /// use cornu_layers::Hashing;
    /// let bins = Hashing::new(3).call_strings(&["A", "B", "A"], [3])?;
    /// let bins = bins.to_vec::<i64>()?;
    /// assert_eq!(bins[0], bins[2]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no bin, or the input isn't of numbers.
    pub struct Hashing["Hashing"] {
        /// Number of bins.
        num_bins: usize,
        ..
        /// Key of the hash; without, it is one that has none.
        salt: Option<Salt> = None,
        /// A value that has bin 0 for itself.
        mask_value: Option<Key> = None,
        /// `"int"`, `"one_hot"`, `"multi_hot"` or `"count"`.
        output_mode: OutputMode = OutputMode::Int,
        /// Must be false.
        sparse: bool = false,
    }
}

impl Hashing {
    /// The bins of texts, in a tensor of this shape.
    ///
    /// # Errors
    /// When the shape holds another number of elements, or an option is wrong.
    pub fn call_strings(&self, texts: &[impl AsRef<str>], shape: impl IntoShape) -> Result<Tensor> {
        self.check_options()?;
        let masked = |text: &str| matches!(&self.mask_value, Some(Key::Text(mask)) if mask == text);
        let bins = texts.iter().map(|text| self.bin(text.as_ref(), masked(text.as_ref())));
        self.encoded(&Tensor::new(bins.collect::<Vec<i64>>(), shape)?)
    }

    fn bin(&self, text: &str, masked: bool) -> i64 {
        let reserved = self.mask_value.is_some() && self.num_bins > 1;
        if reserved && masked {
            return 0;
        }
        let hash = match self.salt {
            Some(Salt(key)) => keyed(text.as_bytes(), key),
            None => fingerprint(text.as_bytes()),
        };
        let bins = self.num_bins as u64 - u64::from(reserved);
        (hash % bins) as i64 + i64::from(reserved)
    }

    fn encoded(&self, bins: &Tensor) -> Result<Tensor> {
        encode(bins, &self.output_mode, self.num_bins, None, self.output_dtype())
    }

    fn output_dtype(&self) -> DType {
        self.common.dtype.unwrap_or(self.output_mode.dtype())
    }

    fn check_options(&self) -> Result<()> {
        use OutputMode as Mode;
        positive("num_bins", self.num_bins)?;
        self.output_mode.check_among(&[Mode::Int, Mode::OneHot, Mode::MultiHot, Mode::Count])?;
        if self.output_mode == Mode::Int && !matches!(self.output_dtype(), DType::I32 | DType::I64)
        {
            let rule = "it must be int32 or int64 with the output mode `int`";
            return Err(Error::setting("`dtype`", rule, self.output_dtype().name()));
        }
        check_dense(self.sparse)
    }
}

impl Layer for Hashing {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        self.check_options()?;
        let x = one(inputs, 0)?;
        super::encoding::check_rank(&self.output_mode, x.shape.rank())?;
        if x.dtype == DType::Bool {
            return Err(
                cornu_autodiff::Error::dtype("input", "the layer takes numbers", &[x]).into()
            );
        }
        Ok(())
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?.cast(DType::I64);
        if x.is_symbolic() {
            return self.encoded(&x);
        }
        let masked = |n: i64| self.mask_value == Some(Key::Int(n));
        let numbers = x.to_vec::<i64>()?;
        let bins: Vec<i64> = numbers.iter().map(|&n| self.bin(&n.to_string(), masked(n))).collect();
        self.encoded(&Tensor::new(bins, *x.shape())?)
    }

    fn write_settings(&self, config: &mut Config) {
        config.insert("dtype".into(), self.output_dtype().to_json());
    }
}
