//! The workloads in Burn, on its backend Flex: `peer-burn NAME [--seconds S]`.

#![recursion_limit = "256"]

#[path = "../../common/mod.rs"]
mod common;
mod networks;

use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::prelude::*;
use burn::tensor::activation::{sigmoid, softmax};
use common::{Noise, Workload};
use networks::{Cnn, MiniGpt, Mlp, Network, ResNet20, TwoLstms, Xor};

const PEER: [&str; 2] = ["burn-flex", "0.22.1 avx512"];

fn floats<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn wholes<const D: usize>(values: Vec<i64>, shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn truths(device: &Device) -> (Tensor<2>, Tensor<2, Int>) {
    let x = vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    (floats(x, [4, 2], device), wholes(vec![0, 1, 1, 0], [4, 1], device))
}

fn reviews(noise: &mut Noise, device: &Device) -> (Tensor<2, Int>, Tensor<2, Int>) {
    let x = wholes(noise.below(20_000, 32 * 200), [32, 200], device);
    (x, wholes(noise.below(2, 32), [32, 1], device))
}

fn texts(noise: &mut Noise, device: &Device) -> (Tensor<2, Int>, Tensor<1, Int>) {
    let x = wholes(noise.below(5000, 32 * 80), [32, 80], device);
    (x, wholes(noise.below(5000, 32 * 80), [32 * 80], device))
}

/// Batches of noise, with one of ten classes for each sample.
fn images<const D: usize>(
    work: &Workload,
    shape: [usize; D],
    device: &Device,
) -> Vec<(Tensor<D>, Tensor<1, Int>)> {
    work.batches(|noise| {
        let x = floats(noise.normal(shape.iter().product()), shape, device);
        (x, wholes(noise.below(10, shape[0]), [shape[0]], device))
    })
}

/// A network's training by an optimizer at a learning rate.
fn train<N: Network, T: Clone>(
    work: &Workload,
    network: N,
    (mut rule, rate): (ModuleOptimizer, f64),
    data: &[(N::Input, T)],
    loss: impl Fn(Tensor<2>, T) -> Tensor<1>,
) {
    let parameters = network.num_params() - N::STATISTICS;
    let mut latest = Some(network);
    work.measure(PEER, parameters, |index, wanted| {
        let network = latest.take().expect("each step puts one back");
        let (x, y) = data[index % data.len()].clone();
        let loss = loss(network.forward(x), y);
        let value = if wanted { loss.clone().into_scalar() } else { f32::NAN };
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        latest = Some(rule.step(rate, network, gradients));
        value
    });
}

fn infer<N: Network, T>(work: &Workload, network: N, data: &[(N::Input, T)]) {
    work.measure(PEER, network.num_params(), |index, _| {
        let (x, _) = &data[index % data.len()];
        std::hint::black_box(softmax(network.forward(x.clone()), 1).into_data());
        f32::NAN
    });
}

fn train_one(work: &Workload, device: &Device) {
    let sgd = (SgdConfig::new().init(), 0.1);
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    let momentum = (SgdConfig::new().with_momentum(Some(momentum)).init(), 0.1);
    let adam = (AdamConfig::new().with_epsilon(1e-7).init(), 1e-3);
    let binary = BinaryCrossEntropyLossConfig::new().init(device);
    let binary = |z, y| binary.forward(sigmoid(z), y);
    let sparse = CrossEntropyLossConfig::new().init(device);
    let sparse = |z, y| sparse.forward(z, y);
    match work.network() {
        "xor" => train(work, Xor::new(device), sgd, &work.batches(|_| truths(device)), binary),
        "mlp" => train(work, Mlp::new(device), adam, &images(work, [128, 784], device), sparse),
        "cnn" => {
            train(work, Cnn::new(device), adam, &images(work, [128, 1, 28, 28], device), sparse)
        }
        "resnet20" => {
            let data = images(work, [32, 3, 32, 32], device);
            train(work, ResNet20::new(device), momentum, &data, sparse)
        }
        "bilstm" => {
            let data = work.batches(|noise| reviews(noise, device));
            train(work, TwoLstms::new(device), adam, &data, binary)
        }
        _ => {
            let data = work.batches(|noise| texts(noise, device));
            train(work, MiniGpt::new(device), adam, &data, sparse)
        }
    }
}

fn main() {
    let work = Workload::from_arguments();
    let device = Device::flex();
    match work.network() {
        _ if work.trains => train_one(&work, &device.autodiff()),
        "mlp" => infer(&work, Mlp::new(&device), &images(&work, [1, 784], &device)),
        _ => infer(&work, Cnn::new(&device), &images(&work, [work.batch, 1, 28, 28], &device)),
    }
}
