//! The networks.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, BiLstm, BiLstmConfig, Dropout, DropoutConfig, Embedding,
    EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, Lstm, PaddingConfig2d,
};
use burn::prelude::*;
use burn::tensor::activation::{relu, softmax, tanh};

/// A network that makes logits of a batch, one row of them for each target.
pub trait Network: Module {
    type Input: Clone;

    /// How many of its parameters, as Burn counts them, are not learned.
    const STATISTICS: usize = 0;

    fn forward(&self, x: Self::Input) -> Tensor<2>;
}

fn linear(inputs: usize, outputs: usize, device: &Device) -> Linear {
    LinearConfig::new(inputs, outputs).init(device)
}

#[derive(Module, Debug)]
pub struct Xor {
    hidden: Linear,
    out: Linear,
}

impl Xor {
    pub fn new(device: &Device) -> Xor {
        Xor { hidden: linear(2, 10, device), out: linear(10, 1, device) }
    }
}

impl Network for Xor {
    type Input = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.out.forward(tanh(self.hidden.forward(x)))
    }
}

#[derive(Module, Debug)]
pub struct Mlp {
    first: Linear,
    second: Linear,
    out: Linear,
}

impl Mlp {
    pub fn new(device: &Device) -> Mlp {
        let [first, second] = [784, 512].map(|inputs| linear(inputs, 512, device));
        Mlp { first, second, out: linear(512, 10, device) }
    }
}

impl Network for Mlp {
    type Input = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = relu(self.first.forward(x));
        self.out.forward(relu(self.second.forward(x)))
    }
}

#[derive(Module, Debug)]
pub struct Cnn {
    first: Conv2d,
    second: Conv2d,
    pool: MaxPool2d,
    dropout: Dropout,
    out: Linear,
}

impl Cnn {
    pub fn new(device: &Device) -> Cnn {
        let conv = |inputs, filters| Conv2dConfig::new([inputs, filters], [3, 3]).init(device);
        Cnn {
            first: conv(1, 32),
            second: conv(32, 64),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            dropout: DropoutConfig::new(0.5).init(),
            out: linear(1600, 10, device),
        }
    }
}

impl Network for Cnn {
    type Input = Tensor<4>;

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(relu(self.first.forward(x)));
        let x = self.pool.forward(relu(self.second.forward(x)));
        self.out.forward(self.dropout.forward(x.flatten(1, 3)))
    }
}

/// A convolution without bias, and batch normalization.
#[derive(Module, Debug)]
struct Normalized {
    conv: Conv2d,
    norm: BatchNorm,
}

impl Normalized {
    fn new([inputs, filters, size, stride]: [usize; 4], device: &Device) -> Normalized {
        let half = size / 2;
        let conv = Conv2dConfig::new([inputs, filters], [size, size])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(half, half, half, half))
            .with_bias(false);
        Normalized { conv: conv.init(device), norm: BatchNormConfig::new(filters).init(device) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }
}

#[derive(Module, Debug)]
struct Residual {
    first: Normalized,
    second: Normalized,
    shortcut: Option<Normalized>,
}

impl Residual {
    fn new([inputs, filters, stride]: [usize; 3], device: &Device) -> Residual {
        Residual {
            first: Normalized::new([inputs, filters, 3, stride], device),
            second: Normalized::new([filters, filters, 3, 1], device),
            shortcut: (stride > 1).then(|| Normalized::new([inputs, filters, 1, stride], device)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.second.forward(relu(self.first.forward(x.clone())));
        let kept = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x),
            None => x,
        };
        relu(y + kept)
    }
}

#[derive(Module, Debug)]
pub struct ResNet20 {
    stem: Normalized,
    blocks: Vec<Residual>,
    pool: AdaptiveAvgPool2d,
    out: Linear,
}

impl ResNet20 {
    pub fn new(device: &Device) -> ResNet20 {
        let (mut blocks, mut inputs) = (Vec::new(), 16);
        for (stage, filters) in [16, 32, 64].into_iter().enumerate() {
            for block in 0..3 {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                blocks.push(Residual::new([inputs, filters, stride], device));
                inputs = filters;
            }
        }
        ResNet20 {
            stem: Normalized::new([3, 16, 3, 1], device),
            blocks,
            pool: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            out: linear(64, 10, device),
        }
    }
}

impl Network for ResNet20 {
    type Input = Tensor<4>;

    /// Running means and variances, which Burn counts among the parameters: two for each filter.
    const STATISTICS: usize = 2 * 7 * (16 + 32 + 64);

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = relu(self.stem.forward(x));
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        self.out.forward(self.pool.forward(x).flatten(1, 3))
    }
}

#[derive(Module, Debug)]
pub struct TwoLstms {
    tokens: Embedding,
    first: BiLstm,
    second: BiLstm,
    out: Linear,
}

/// One bias for each gate is enough: Burn's second one is taken away.
fn without_second_bias(lstm: &mut Lstm) {
    let gates = [&mut lstm.input_gate, &mut lstm.output_gate, &mut lstm.cell_gate];
    for gate in gates.into_iter().chain(lstm.forget_gate.as_mut()) {
        gate.hidden_transform.bias = None;
    }
}

impl TwoLstms {
    pub fn new(device: &Device) -> TwoLstms {
        let both_ways = || {
            let mut lstm = BiLstmConfig::new(128, 64, true).init(device);
            without_second_bias(&mut lstm.forward);
            without_second_bias(&mut lstm.reverse);
            lstm
        };
        TwoLstms {
            tokens: EmbeddingConfig::new(20_000, 128).init(device),
            first: both_ways(),
            second: both_ways(),
            out: linear(128, 1, device),
        }
    }
}

impl Network for TwoLstms {
    type Input = Tensor<2, Int>;

    fn forward(&self, x: Tensor<2, Int>) -> Tensor<2> {
        let (x, _) = self.first.forward(self.tokens.forward(x), None);
        let (_, ends) = self.second.forward(x, None);
        // [ways, batch, 64] -> [batch, 128]
        self.out.forward(ends.hidden.swap_dims(0, 1).flatten(1, 2))
    }
}

/// Causal attention of two heads of 256: Burn's own layer has heads of 256 / 2.
#[derive(Module, Debug)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    joined: Linear,
}

impl Attention {
    fn new(device: &Device) -> Attention {
        let [query, key, value] = [(); 3].map(|()| linear(256, 512, device));
        Attention { query, key, value, joined: linear(512, 256, device) }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, length, _] = x.dims();
        let head = |layer: &Linear| {
            layer.forward(x.clone()).reshape([batch, length, 2, 256]).swap_dims(1, 2)
        };
        let scores = head(&self.query).matmul(head(&self.key).transpose()) / 16.0;
        let later = Tensor::<2, Bool>::tril_mask([length, length], 0, &x.device());
        let later = later.unsqueeze::<4>().expand([batch, 2, length, length]);
        let found = softmax(scores.mask_fill(later, -1e9), 3).matmul(head(&self.value));
        self.joined.forward(found.swap_dims(1, 2).reshape([batch, length, 512]))
    }
}

#[derive(Module, Debug)]
pub struct MiniGpt {
    tokens: Embedding,
    positions: Embedding,
    attention: Attention,
    norms: [LayerNorm; 2],
    wide: Linear,
    narrow: Linear,
    dropout: Dropout,
    out: Linear,
}

impl MiniGpt {
    pub fn new(device: &Device) -> MiniGpt {
        let norm = || LayerNormConfig::new(256).with_epsilon(1e-6).init(device);
        MiniGpt {
            tokens: EmbeddingConfig::new(5000, 256).init(device),
            positions: EmbeddingConfig::new(80, 256).init(device),
            attention: Attention::new(device),
            norms: [norm(), norm()],
            wide: linear(256, 256, device),
            narrow: linear(256, 256, device),
            dropout: DropoutConfig::new(0.1).init(),
            out: linear(256, 5000, device),
        }
    }
}

impl Network for MiniGpt {
    type Input = Tensor<2, Int>;

    fn forward(&self, x: Tensor<2, Int>) -> Tensor<2> {
        let order = Tensor::<1, Int>::arange(0..80, &x.device()).unsqueeze::<2>();
        let x = self.tokens.forward(x) + self.positions.forward(order);
        let y = self.dropout.forward(self.attention.forward(x.clone()));
        let x = self.norms[0].forward(x + y);
        let y = self.narrow.forward(relu(self.wide.forward(x.clone())));
        let x = self.norms[1].forward(x + self.dropout.forward(y));
        self.out.forward(x).flatten(0, 1)
    }
}
