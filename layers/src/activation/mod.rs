//! Functions applied to what a layer computes.

mod function;
mod json;
mod value;

pub use function::ActivationFunction;

/// A function applied to what a layer computes: Keras's `keras.activations`.
///
/// By name, `"relu"`, `"softmax"`, `"swish"`, …, or typed. Variants without fields have Keras's
/// default arguments; those with fields take others. (Keras passes a layer, such as
/// `LeakyReLU(0.1)`, or a lambda instead, and cannot write the latter into JSON.)
///
/// ```
/// use cornu_autodiff::Tensor;
/// use cornu_layers::Activation;
/// let x = Tensor::from([-1.0, 2.0]);
/// assert_eq!(Activation::Relu.apply(&x)?.to_vec::<f64>()?, [0.0, 2.0]);
/// assert_eq!(Activation::from("relu"), Activation::Relu);
/// let leaky = Activation::LeakyReluWith { negative_slope: 0.5 };
/// assert_eq!(leaky.apply(&x)?.to_vec::<f64>()?, [-0.5, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// `x`
    #[default]
    Linear,
    /// `max(x, 0)`
    Relu,
    /// `max(x, 0)` with a slope below, a ceiling and a threshold: for `x > threshold`
    /// `min(x, max_value)`, else `negative_slope · (x - threshold)`.
    ReluWith {
        /// Slope below the threshold; 0 in Keras.
        negative_slope: f64,
        /// The ceiling; none in Keras.
        max_value: Option<f64>,
        /// Where the slope changes; 0 in Keras.
        threshold: f64,
    },
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `x` if `x > 0`, else `0.2 · x`
    LeakyRelu,
    /// `x` if `x > 0`, else `negative_slope · x`
    LeakyReluWith {
        /// Slope below 0.
        negative_slope: f64,
    },
    /// `x` if `x > 0`, else `e^x - 1` (Clevert et al. 2015, arXiv:1511.07289)
    Elu,
    /// `x` if `x > 0`, else `alpha · (e^x - 1)`
    EluWith {
        /// The negative of the limit at minus infinity.
        alpha: f64,
    },
    /// `max(x, 0) + min(0, e^x - 1)` (Barron 2017, arXiv:1704.07483)
    Celu,
    /// `max(x, 0) + min(0, alpha · (e^(x/alpha) - 1))`
    CeluWith {
        /// The negative of the limit at minus infinity.
        alpha: f64,
    },
    /// Scaled `elu` that keeps mean 0 and variance 1 (Klambauer et al. 2017, arXiv:1706.02515);
    /// meant for `lecun_normal`.
    Selu,
    /// `x · Φ(x)` (Hendrycks and Gimpel 2016, arXiv:1606.08415)
    Gelu,
    /// `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`: Keras's `gelu(approximate=True)`
    GeluTanh,
    /// `x · sigmoid(x)`, also called swish (Ramachandran et al. 2017, arXiv:1710.05941)
    Silu,
    /// `x · hard_sigmoid(x)`, also called hard swish (Howard et al. 2019, arXiv:1905.02244)
    HardSilu,
    /// `x · tanh(softplus(x))` (Misra 2019, arXiv:1908.08681)
    Mish,
    /// `1 / (1 + e^-x)`
    Sigmoid,
    /// `ln sigmoid(x)`, without underflow
    LogSigmoid,
    /// `clip(x/6 + 1/2, 0, 1)`
    HardSigmoid,
    /// `clip((x + 1)/2, 0, 1)` (Martins and Astudillo 2016, arXiv:1602.02068)
    SparseSigmoid,
    /// Hyperbolic tangent
    Tanh,
    /// `clip(x, -1, 1)`
    HardTanh,
    /// `x - tanh(x)`
    TanhShrink,
    /// `x` if `|x| > 0.5`, else 0
    HardShrink,
    /// `x` if `|x| > threshold`, else 0
    HardShrinkWith {
        /// Where it starts.
        threshold: f64,
    },
    /// `x` moved towards 0 by 0.5, stopping there
    SoftShrink,
    /// `x` moved towards 0 by `threshold`, stopping there
    SoftShrinkWith {
        /// By how much.
        threshold: f64,
    },
    /// `x` if `x > threshold`, else `default_value`
    Threshold {
        /// Where it starts.
        threshold: f64,
        /// The value below.
        default_value: f64,
    },
    /// `ln(1 + e^x)`, without overflow
    Softplus,
    /// `(x + √(x² + 4)) / 2` (Barron 2021, arXiv:2112.11687)
    Squareplus,
    /// `(x + √(x² + b)) / 2`
    SquareplusWith {
        /// How smooth it is.
        b: f64,
    },
    /// 0 up to -1, `x` from 1 on, `(x + 1)²/4` between
    SparsePlus,
    /// `x / (1 + |x|)`
    Softsign,
    /// `e^x`
    Exponential,
    /// `e^x / Σ e^x` along the last axis
    Softmax,
    /// `e^x / Σ e^x` along an axis
    SoftmaxOver {
        /// The axis; negative ones count from the last.
        axis: isize,
    },
    /// `x - ln Σ e^x` along the last axis
    LogSoftmax,
    /// `x - ln Σ e^x` along an axis
    LogSoftmaxOver {
        /// The axis; negative ones count from the last.
        axis: isize,
    },
    /// The point of the simplex nearest to `x` along the last axis: softmax with exact zeros
    /// (Martins and Astudillo 2016, arXiv:1602.02068). Keras 3.15 gets rows wrong in which
    /// several elements are positive: they don't sum to one there.
    Sparsemax,
    /// As `Sparsemax`, along an axis
    SparsemaxOver {
        /// The axis; negative ones count from the last.
        axis: isize,
    },
    /// `a · sigmoid(b)` with `a` and `b` the halves of the last axis (Dauphin et al. 2016,
    /// arXiv:1612.08083)
    Glu,
    /// As `Glu`, along an axis
    GluOver {
        /// The axis; negative ones count from the last.
        axis: isize,
    },
    /// A function of your own, [registered](Activation::register) under a name.
    Function(ActivationFunction),
    #[doc(hidden)]
    Unknown(String),
}
