//! The workloads in candle: `peer-candle NAME [--seconds S]`.

#[path = "../../common/mod.rs"]
mod common;
mod networks;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, SGD, VarBuilder, VarMap, loss, ops};
use common::{Noise, Workload};
use networks::Network;

const DEVICE: Device = Device::Cpu;

const PEER: [&str; 2] =
    ["candle", if cfg!(feature = "avx512") { "0.11.1 avx512" } else { "0.11.1" }];

/// Stochastic gradient descent with momentum, which candle's has not.
struct Momentum {
    weights: Vec<(Var, Tensor)>,
    learning_rate: f64,
}

impl Optimizer for Momentum {
    type Config = f64;

    fn new(weights: Vec<Var>, learning_rate: f64) -> Result<Momentum> {
        let with_velocity = |weight: Var| {
            let velocity = weight.as_tensor().detach().zeros_like()?;
            Ok((weight, velocity))
        };
        let weights = weights.into_iter().map(with_velocity).collect::<Result<_>>()?;
        Ok(Momentum { weights, learning_rate })
    }

    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        for (weight, velocity) in &mut self.weights {
            if let Some(gradient) = gradients.get(weight) {
                // Without its history, or that of all steps is kept.
                *velocity = ((&*velocity * 0.9)? + gradient)?.detach();
                weight.set(&(weight.as_tensor() - (&*velocity * self.learning_rate)?)?)?;
            }
        }
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
}

/// Inputs and targets.
type Batch = (Tensor, Tensor);

fn images(work: &Workload, shape: &[usize]) -> Result<Vec<Batch>> {
    let shape = [&[work.batch], shape].concat();
    let batch = |noise: &mut Noise| {
        let x = Tensor::from_vec(noise.normal(shape.iter().product()), &*shape, &DEVICE)?;
        Ok((x, Tensor::from_vec(noise.below::<u32>(10, work.batch), work.batch, &DEVICE)?))
    };
    work.batches(batch).into_iter().collect()
}

fn truths(_: &mut Noise) -> Result<Batch> {
    let x = Tensor::new(&[[0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], &DEVICE)?;
    Ok((x, Tensor::new(&[[0f32], [1.0], [1.0], [0.0]], &DEVICE)?))
}

fn reviews(noise: &mut Noise) -> Result<Batch> {
    let x = Tensor::from_vec(noise.below::<u32>(20_000, 32 * 200), (32, 200), &DEVICE)?;
    Ok((x, Tensor::from_vec(noise.below::<f32>(2, 32), (32, 1), &DEVICE)?))
}

fn texts(noise: &mut Noise) -> Result<Batch> {
    let mut tokens = || noise.below::<u32>(5000, 32 * 80);
    let x = Tensor::from_vec(tokens(), (32, 80), &DEVICE)?;
    Ok((x, Tensor::from_vec(tokens(), 32 * 80, &DEVICE)?))
}

/// What is learned: the running statistics of batch normalization are not.
fn learned(weights: &VarMap) -> Vec<Var> {
    let named = weights.data().lock().expect("nobody has panicked");
    let learned = named.iter().filter(|(name, _)| !name.contains("running_"));
    learned.map(|(_, weight)| weight.clone()).collect()
}

fn count(weights: &[Var]) -> usize {
    weights.iter().map(|weight| weight.elem_count()).sum()
}

fn train<O: Optimizer>(
    work: &Workload,
    weights: Vec<Var>,
    rule: O::Config,
    data: &[Batch],
    loss: impl Fn(&Batch) -> Result<Tensor>,
) -> Result<()> {
    let parameters = count(&weights);
    let mut rule = O::new(weights, rule)?;
    let mut step = |index: usize, wanted: bool| {
        let loss = loss(&data[index % data.len()])?;
        rule.backward_step(&loss)?;
        if wanted { loss.to_scalar() } else { Ok(f32::NAN) }
    };
    work.measure(PEER, parameters, |index, wanted| step(index, wanted).expect("shapes fit"));
    Ok(())
}

fn infer(work: &Workload, weights: &[Var], data: &[Batch], network: &Network) {
    let step = |index: usize| ops::softmax_last_dim(&network(&data[index % data.len()].0, false)?);
    work.measure(PEER, count(weights), |index, _| {
        std::hint::black_box(step(index).expect("shapes fit"));
        f32::NAN
    });
}

fn run(work: &Workload) -> Result<()> {
    let weights = VarMap::new();
    let w = VarBuilder::from_varmap(&weights, DType::F32, &DEVICE);
    let of_all = |batch: fn(&mut Noise) -> Result<Batch>| work.batches(batch).into_iter().collect();
    let (network, data): (Network, Result<Vec<Batch>>) = match work.network() {
        "xor" => (networks::xor(w)?, of_all(truths)),
        "mlp" => (networks::mlp(w)?, images(work, &[784])),
        "cnn" => (networks::cnn(w)?, images(work, &[1, 28, 28])),
        "resnet20" => (networks::resnet20(w)?, images(work, &[3, 32, 32])),
        "bilstm" => (networks::bilstm(w)?, of_all(reviews)),
        _ => (networks::minigpt(w)?, of_all(texts)),
    };
    let (data, weights) = (data?, learned(&weights));
    if !work.trains {
        infer(work, &weights, &data, &network);
        return Ok(());
    }
    let adam = ParamsAdamW { lr: 1e-3, eps: 1e-7, weight_decay: 0.0, ..Default::default() };
    let binary = |(x, y): &Batch| loss::binary_cross_entropy_with_logit(&network(x, true)?, y);
    let sparse = |(x, y): &Batch| loss::cross_entropy(&network(x, true)?, y);
    let each = |(x, y): &Batch| loss::cross_entropy(&network(x, true)?.flatten_to(1)?, y);
    match work.network() {
        "xor" => train::<SGD>(work, weights, 0.1, &data, binary),
        "resnet20" => train::<Momentum>(work, weights, 0.1, &data, sparse),
        "bilstm" => train::<AdamW>(work, weights, adam, &data, binary),
        "minigpt" => train::<AdamW>(work, weights, adam, &data, each),
        _ => train::<AdamW>(work, weights, adam, &data, sparse),
    }
}

fn main() {
    let work = Workload::from_arguments();
    // candle walks its graph recursively, and that of 200 steps is deep.
    let thread = std::thread::Builder::new().stack_size(256 << 20);
    let done = thread.spawn(move || run(&work)).expect("a thread").join();
    if let Err(error) = done.expect("the thread ends") {
        common::stop(1, &error.to_string());
    }
}
