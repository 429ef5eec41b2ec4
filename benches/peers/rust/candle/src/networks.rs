//! The networks.

use candle_core::{D, Module, Result, Tensor};
use candle_nn::rnn::{Direction, LSTMState};
use candle_nn::{
    BatchNorm, Conv2d, Conv2dConfig, Dropout, Init, LSTM, LSTMConfig, Linear, ModuleT, RNN,
    VarBuilder, batch_norm, conv2d, conv2d_no_bias, embedding, linear, lstm, ops,
};

/// Logits of a batch, perhaps while training.
pub type Network = Box<dyn Fn(&Tensor, bool) -> Result<Tensor>>;

pub fn xor(w: VarBuilder) -> Result<Network> {
    let (hidden, out) = (linear(2, 10, w.pp("hidden"))?, linear(10, 1, w.pp("out"))?);
    Ok(Box::new(move |x, _| out.forward(&hidden.forward(x)?.tanh()?)))
}

pub fn mlp(w: VarBuilder) -> Result<Network> {
    let first = linear(784, 512, w.pp("first"))?;
    let second = linear(512, 512, w.pp("second"))?;
    let out = linear(512, 10, w.pp("out"))?;
    Ok(Box::new(move |x, _| {
        let x = first.forward(x)?.relu()?;
        out.forward(&second.forward(&x)?.relu()?)
    }))
}

pub fn cnn(w: VarBuilder) -> Result<Network> {
    let first = conv2d(1, 32, 3, Default::default(), w.pp("first"))?;
    let second = conv2d(32, 64, 3, Default::default(), w.pp("second"))?;
    let (dropout, out) = (Dropout::new(0.5), linear(1600, 10, w.pp("out"))?);
    Ok(Box::new(move |x, training| {
        let x = first.forward(x)?.relu()?.max_pool2d(2)?;
        let x = second.forward(&x)?.relu()?.max_pool2d(2)?;
        out.forward(&dropout.forward(&x.flatten_from(1)?, training)?)
    }))
}

/// A convolution without bias, and batch normalization.
struct Normalized(Conv2d, BatchNorm);

impl Normalized {
    fn new([inputs, filters, size, stride]: [usize; 4], w: VarBuilder) -> Result<Normalized> {
        let config = Conv2dConfig { padding: size / 2, stride, ..Default::default() };
        let conv = conv2d_no_bias(inputs, filters, size, config, w.pp("conv"))?;
        Ok(Normalized(conv, batch_norm(filters, 1e-5, w.pp("norm"))?))
    }

    fn run(&self, x: &Tensor, training: bool) -> Result<Tensor> {
        self.1.forward_t(&self.0.forward(x)?, training)
    }
}

pub fn resnet20(w: VarBuilder) -> Result<Network> {
    let stem = Normalized::new([3, 16, 3, 1], w.pp("stem"))?;
    let (mut blocks, mut inputs) = (Vec::new(), 16);
    for (stage, filters) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..3 {
            let (w, stride) = (w.pp(stage).pp(block), if stage > 0 && block == 0 { 2 } else { 1 });
            let first = Normalized::new([inputs, filters, 3, stride], w.pp("first"))?;
            let second = Normalized::new([filters, filters, 3, 1], w.pp("second"))?;
            let shortcut = match stride {
                1 => None,
                _ => Some(Normalized::new([inputs, filters, 1, stride], w.pp("shortcut"))?),
            };
            blocks.push((first, second, shortcut));
            inputs = filters;
        }
    }
    let out = linear(64, 10, w.pp("out"))?;
    Ok(Box::new(move |x, training| {
        let mut x = stem.run(x, training)?.relu()?;
        for (first, second, shortcut) in &blocks {
            let y = second.run(&first.run(&x, training)?.relu()?, training)?;
            let kept = match shortcut {
                Some(shortcut) => shortcut.run(&x, training)?,
                None => x,
            };
            x = (y + kept)?.relu()?;
        }
        out.forward(&x.mean((2, 3))?)
    }))
}

/// One LSTM for each direction: candle leaves turning the sequence round to its user.
struct TwoWays([LSTM; 2]);

impl TwoWays {
    fn new(inputs: usize, w: VarBuilder) -> Result<TwoWays> {
        // One bias for each gate.
        let ahead = LSTMConfig { b_hh_init: None, ..Default::default() };
        let back = LSTMConfig { direction: Direction::Backward, ..ahead };
        Ok(TwoWays([lstm(inputs, 64, ahead, w.clone())?, lstm(inputs, 64, back, w)?]))
    }

    fn turned(x: &Tensor) -> Result<Tensor> {
        let steps: Vec<u32> = (0..x.dim(1)? as u32).rev().collect();
        x.contiguous()?.index_select(&Tensor::new(steps, x.device())?, 1)
    }

    fn states(&self, x: &Tensor) -> Result<[Vec<LSTMState>; 2]> {
        Ok([self.0[0].seq(x)?, self.0[1].seq(&Self::turned(x)?)?])
    }

    fn sequence(&self, x: &Tensor) -> Result<Tensor> {
        let [ahead, back] = self.states(x)?;
        let back = Self::turned(&self.0[1].states_to_tensor(&back)?)?;
        Tensor::cat(&[self.0[0].states_to_tensor(&ahead)?, back], 2)
    }

    fn last(&self, x: &Tensor) -> Result<Tensor> {
        let ends = self.states(x)?.map(|states| states.last().expect("there are steps").h.clone());
        Tensor::cat(&ends, 1)
    }
}

pub fn bilstm(w: VarBuilder) -> Result<Network> {
    let tokens = embedding(20_000, 128, w.pp("tokens"))?;
    let (first, second) = (TwoWays::new(128, w.pp("first"))?, TwoWays::new(128, w.pp("second"))?);
    let out = linear(128, 1, w.pp("out"))?;
    Ok(Box::new(move |x, _| {
        let x = first.sequence(&tokens.forward(x)?)?;
        out.forward(&second.last(&x)?)
    }))
}

/// Layer normalization with a gradient, which that of `candle_nn::LayerNorm` lacks.
struct Norm(Tensor, Tensor);

impl Norm {
    fn new(w: VarBuilder) -> Result<Norm> {
        let scale = w.get_with_hints(256, "scale", Init::Const(1.0))?;
        Ok(Norm(scale, w.get_with_hints(256, "shift", Init::Const(0.0))?))
    }

    fn run(&self, x: &Tensor) -> Result<Tensor> {
        ops::layer_norm_slow(x, &self.0, &self.1, 1e-6)
    }
}

/// Causal attention of two heads of 256 over 80 tokens.
struct Attention {
    heads: [Linear; 3],
    joined: Linear,
    mask: Tensor,
}

impl Attention {
    fn new(w: VarBuilder) -> Result<Attention> {
        let head = |name| linear(256, 512, w.pp(name));
        let hidden = |i| if i % 80 > i / 80 { -1e9f32 } else { 0.0 };
        Ok(Attention {
            heads: [head("query")?, head("key")?, head("value")?],
            joined: linear(512, 256, w.pp("joined"))?,
            mask: Tensor::from_iter((0..80 * 80).map(hidden), w.device())?.reshape((80, 80))?,
        })
    }

    fn run(&self, x: &Tensor) -> Result<Tensor> {
        let batch = x.dim(0)?;
        let head = |i: usize| {
            let x = self.heads[i].forward(x)?;
            x.reshape((batch, 80, 2, 256))?.transpose(1, 2)?.contiguous()
        };
        let scores = (head(0)?.matmul(&head(1)?.t()?)? / 16.0)?.broadcast_add(&self.mask)?;
        // `softmax_last_dim` is faster, but has no gradient.
        let found = ops::softmax(&scores, D::Minus1)?.matmul(&head(2)?)?;
        self.joined.forward(&found.transpose(1, 2)?.reshape((batch, 80, 512))?)
    }
}

pub fn minigpt(w: VarBuilder) -> Result<Network> {
    let tokens = embedding(5000, 256, w.pp("tokens"))?;
    let positions = embedding(80, 256, w.pp("positions"))?;
    let attention = Attention::new(w.pp("attention"))?;
    let norms = [Norm::new(w.pp("norm1"))?, Norm::new(w.pp("norm2"))?];
    let (wide, narrow) = (linear(256, 256, w.pp("wide"))?, linear(256, 256, w.pp("narrow"))?);
    let out = linear(256, 5000, w.pp("out"))?;
    let dropout = Dropout::new(0.1);
    Ok(Box::new(move |x, training| {
        let x = tokens.forward(x)?.broadcast_add(positions.embeddings())?;
        let x = norms[0].run(&(&x + dropout.forward(&attention.run(&x)?, training)?)?)?;
        let y = narrow.forward(&wide.forward(&x)?.relu()?)?;
        out.forward(&norms[1].run(&(&x + dropout.forward(&y, training)?)?)?)
    }))
}
