//! The workloads that dfdx can do on a stable compiler: `peer-dfdx NAME [--seconds S]`.

#[path = "../../common/mod.rs"]
mod common;

use common::{Noise, Workload};
use dfdx::data::OneHotEncode;
use dfdx::optim::{Adam, AdamConfig, Sgd, SgdConfig};
use dfdx::prelude::*;

const PEER: [&str; 2] = ["dfdx", "0.13.0"];

type Xor = ((Linear<2, 10>, Tanh), Linear<10, 1>);
type Mlp = ((Linear<784, 512>, ReLU), (Linear<512, 512>, ReLU), Linear<512, 10>);
type Matrix<const ROWS: usize, const COLUMNS: usize> = Tensor<Rank2<ROWS, COLUMNS>, f32, Cpu>;
type Taped<const ROWS: usize, const COLUMNS: usize> =
    Tensor<Rank2<ROWS, COLUMNS>, f32, Cpu, OwnedTape<f32, Cpu>>;
type Scalar = Tensor<Rank0, f32, Cpu, OwnedTape<f32, Cpu>>;

/// Trains on batches of `B` rows of `I` numbers, with as many logits as targets: `O`.
fn train<const B: usize, const I: usize, const O: usize, M>(
    work: &Workload,
    mut network: M,
    mut rule: impl Optimizer<M, Cpu, f32>,
    data: &[(Matrix<B, I>, Matrix<B, O>)],
    loss: fn(Taped<B, O>, Matrix<B, O>) -> Scalar,
) where
    M: ZeroGrads<f32, Cpu> + ModuleMut<Taped<B, I>, Output = Taped<B, O>>,
{
    let mut gradients = Some(network.alloc_grads());
    work.measure(PEER, network.num_trainable_params(), |index, wanted| {
        let (x, y) = &data[index % data.len()];
        let zeros = gradients.take().expect("each step puts them back");
        let loss = loss(network.forward_mut(x.clone().traced(zeros)), y.clone());
        let value = if wanted { loss.array() } else { f32::NAN };
        let mut computed = loss.backward();
        rule.update(&mut network, &computed).expect("there is memory");
        network.zero_grads(&mut computed);
        gradients = Some(computed);
        value
    });
}

fn images<const B: usize>(device: &Cpu, noise: &mut Noise) -> (Matrix<B, 784>, Matrix<B, 10>) {
    let x = device.tensor_from_vec(noise.normal(B * 784), (Const, Const));
    let classes: Vec<u16> = noise.below(10, B);
    let classes: [usize; B] = std::array::from_fn(|row| classes[row].into());
    (x, device.one_hot_encode(Const::<10>, classes))
}

fn main() {
    let work = Workload::from_arguments();
    let device = Cpu::default();
    // As dfdx's own examples do.
    dfdx::flush_denormals_to_zero();
    match work.network() {
        "xor" => {
            let x = device.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
            let data = [(x, device.tensor([[0.0], [1.0], [1.0], [0.0]]))];
            let network = device.build_module::<Xor, f32>();
            let rule = SgdConfig { lr: 0.1, momentum: None, weight_decay: None };
            let rule = Sgd::new(&network, rule);
            train(&work, network, rule, &data, binary_cross_entropy_with_logits_loss);
        }
        "mlp" if work.trains => {
            let data = work.batches(|noise| images::<128>(&device, noise));
            let network = device.build_module::<Mlp, f32>();
            let rule = AdamConfig { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-7, weight_decay: None };
            let rule = Adam::new(&network, rule);
            train(&work, network, rule, &data, cross_entropy_with_logits_loss);
        }
        "mlp" => {
            let data = work.batches(|noise| images::<1>(&device, noise));
            let network = device.build_module::<Mlp, f32>();
            work.measure(PEER, network.num_trainable_params(), |index, _| {
                let (x, _) = &data[index % data.len()];
                std::hint::black_box(network.forward(x.clone()).softmax::<Axis<1>>());
                f32::NAN
            });
        }
        network => {
            let reason =
                "dfdx has convolutions on a nightly compiler alone, no LSTM, no causal mask";
            common::stop(3, &format!("{network}: {reason}"));
        }
    }
}
