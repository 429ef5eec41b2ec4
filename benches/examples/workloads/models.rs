//! The networks, as a user would write them.

use cornu::autodiff::{Spec, apply, ops};
use cornu::layers::{
    Context, Error as LayerError, Inputs, Layer, Parameter, WeightBuilder, config,
};
use cornu::prelude::*;

type LayerResult<T> = std::result::Result<T, LayerError>;

/// Two layers that learn the exclusive or.
pub(crate) fn xor() -> Result<Sequential> {
    Sequential::new()
        .with(Dense::new(10).input_dim(2).activation("tanh"))?
        .with(Dense::new(1).activation("sigmoid"))
}

/// 784-512-512-10.
pub(crate) fn mlp() -> Result<Sequential> {
    Sequential::new()
        .with(Dense::new(512).input_dim(784).activation("relu"))?
        .with(Dense::new(512).activation("relu"))?
        .with(Dense::new(10).activation("softmax"))
}

/// Two convolutions with poolings: Keras's example for MNIST.
pub(crate) fn cnn() -> Result<Sequential> {
    Sequential::new()
        .with(Input::new([28, 28, 1]))?
        .with(Conv2D::new(32, 3).activation("relu"))?
        .with(MaxPooling2D::new(2))?
        .with(Conv2D::new(64, 3).activation("relu"))?
        .with(MaxPooling2D::new(2))?
        .with(Flatten::new())?
        .with(Dropout::new(0.5))?
        .with(Dense::new(10).activation("softmax"))
}

/// ResNet-20 for CIFAR-10 (He et al. 2015, arXiv:1512.03385), with projections where the shape
/// changes.
pub(crate) fn resnet20() -> Result<Model> {
    let image = input([32, 32, 3]);
    let relu = |x: &Symbol| Activation::new("relu").apply(x);
    let mut x = relu(&normalized(&image, 16, 3, 1)?)?;
    for (stage, filters) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..3 {
            let strides = if stage > 0 && block == 0 { 2 } else { 1 };
            let y = relu(&normalized(&x, filters, 3, strides)?)?;
            let y = normalized(&y, filters, 3, 1)?;
            let shortcut =
                if strides == 1 { x.clone() } else { normalized(&x, filters, 1, strides)? };
            x = relu(&(&y + &shortcut))?;
        }
    }
    let x = GlobalAveragePooling2D::new().apply(&x)?;
    Model::new(&image, &Dense::new(10).activation("softmax").apply(&x)?)
}

/// A convolution without bias, and batch normalization.
fn normalized(x: &Symbol, filters: usize, kernel: usize, strides: usize) -> LayerResult<Symbol> {
    let conv = Conv2D::new(filters, kernel).strides(strides).padding("same").use_bias(false);
    let conv = conv.kernel_initializer("he_normal");
    BatchNormalization::new().momentum(0.9).epsilon(1e-5).apply(&conv.apply(x)?)
}

/// Two bidirectional LSTMs over 200 tokens: Keras's example for IMDB.
pub(crate) fn bilstm() -> Result<Sequential> {
    Sequential::new()
        .with(Input::new([200]).dtype(DType::I32))?
        .with(Embedding::new(20_000, 128))?
        .with(Bidirectional::new(LSTM::new(64).return_sequences(true)))?
        .with(Bidirectional::new(LSTM::new(64)))?
        .with(Dense::new(1).activation("sigmoid"))
}

config! {
    /// The sum of a vector for each token and one for each position.
    pub(crate) struct TokenAndPosition["TokenAndPosition"] {
        /// Number of tokens.
        vocabulary: usize,
        /// Size of the vectors.
        dim: usize,
        ..
        /// First values of both.
        initializer: Initializer = Initializer::random_uniform(-0.05, 0.05),
    }
}

impl Layer for TokenAndPosition {
    type Weights = [Parameter; 2];

    fn build(&self, x: &[Spec], weights: &mut WeightBuilder) -> LayerResult<[Parameter; 2]> {
        let length = x[0].dims()[1];
        let tokens = weights.add("tokens", &[self.vocabulary, self.dim], &self.initializer)?;
        let positions = weights.add("positions", &[length, self.dim], &self.initializer)?;
        Ok([tokens, positions])
    }

    fn call(
        &self,
        [tokens, positions]: &[Parameter; 2],
        x: &Inputs<'_>,
        _: &mut Context<'_>,
    ) -> LayerResult<Tensor> {
        let tokens = apply(ops::Take { axis: 0 }, &[&tokens.value(), x.only()?])?;
        Ok(apply(ops::Add, &[&tokens, &positions.value()])?)
    }
}

/// One causal transformer block over 80 tokens: Keras's miniature GPT.
pub(crate) fn minigpt() -> Result<Model> {
    let tokens = Input::new([80]).dtype(DType::I32).symbol();
    let x = TokenAndPosition::new(5000, 256).apply(&tokens)?;
    let attention = MultiHeadAttention::new(2, 256).use_causal_mask(true).apply([&x, &x])?;
    let attention = Dropout::new(0.1).apply(&attention)?;
    let x = LayerNormalization::new().epsilon(1e-6).apply(&(&x + &attention))?;
    let hidden = Dense::new(256).activation("relu").apply(&x)?;
    let hidden = Dropout::new(0.1).apply(&Dense::new(256).apply(&hidden)?)?;
    let x = LayerNormalization::new().epsilon(1e-6).apply(&(&x + &hidden))?;
    Model::new(&tokens, &Dense::new(5000).apply(&x)?)
}
