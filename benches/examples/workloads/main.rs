//! Nine workloads that other frameworks run too, one a process: what a training step or a
//! prediction takes, as a line of JSON.
//!
//! `cargo run --profile bench -p cornu-benches --example workloads -- cnn [--seconds 3] [--threads 2]`
//!
//! A training step is forward, loss, backward and update. Data are made up once from a fixed
//! seed: eight batches, used in turn (XOR: one). The figures are those of the best of three
//! blocks of at least so many seconds and at least ten steps.

mod clock;
mod models;

use cornu::autodiff::Generator;
use cornu::losses::SparseCategoricalCrossentropy;
use cornu::prelude::*;

use clock::{Clock, Work};

const USAGE: &str = "workloads NAME [--seconds S] [--threads N], where NAME is one of xor, mlp, \
                     cnn, resnet20, bilstm, minigpt, infer1-mlp, infer1-cnn, infer256-cnn";
const BATCHES: usize = 8;

fn main() {
    let Some(clock) = clock_of_arguments() else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    if let Err(error) = run(&clock) {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn clock_of_arguments() -> Option<Clock> {
    let mut clock = Clock { workload: String::new(), seconds: 3.0 };
    let mut threads = 2;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => clock.seconds = arguments.next()?.parse().ok()?,
            "--threads" => threads = arguments.next()?.parse().ok()?,
            name if clock.workload.is_empty() => clock.workload = name.to_owned(),
            _ => return None,
        }
    }
    cornu::set_threads(threads);
    (!clock.workload.is_empty()).then_some(clock)
}

fn run(clock: &Clock) -> Result<()> {
    let generator = Generator::new(42);
    let adam = || Adam::new(1e-3);
    let sparse = Compile::new().loss("sparse_categorical_crossentropy");
    let binary = Compile::new().loss("binary_crossentropy");
    match clock.workload.as_str() {
        "xor" => {
            let x = Tensor::from([[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
            let y = Tensor::from([[0.0f32], [1.0], [1.0], [0.0]]);
            train(clock, &mut *models::xor()?, binary.optimizer(SGD::new(0.1)), &[(x, y)])
        }
        "mlp" => {
            let data = images(&generator, &[128, 784])?;
            train(clock, &mut *models::mlp()?, sparse.optimizer(adam()), &data)
        }
        "cnn" => {
            let data = images(&generator, &[128, 28, 28, 1])?;
            train(clock, &mut *models::cnn()?, sparse.optimizer(adam()), &data)
        }
        "resnet20" => {
            let data = images(&generator, &[32, 32, 32, 3])?;
            let momentum = SGD::new(0.1).momentum(0.9);
            train(clock, &mut models::resnet20()?, sparse.optimizer(momentum), &data)
        }
        "bilstm" => {
            let batch = || -> Result<(Tensor, Tensor)> {
                let x = generator.integers([32, 200], 0, 20_000, DType::I32)?;
                Ok((x, generator.integers([32, 1], 0, 2, DType::I32)?.cast(DType::F32)))
            };
            let data = (0..BATCHES).map(|_| batch()).collect::<Result<Vec<_>>>()?;
            train(clock, &mut *models::bilstm()?, binary.optimizer(adam()), &data)
        }
        "minigpt" => {
            let tokens = || generator.integers([32, 80], 0, 5000, DType::I32);
            let batch = |_| -> Result<(Tensor, Tensor)> { Ok((tokens()?, tokens()?)) };
            let data = (0..BATCHES).map(batch).collect::<Result<Vec<_>>>()?;
            let loss = SparseCategoricalCrossentropy::new().from_logits(true);
            let rule = Compile::new().loss(loss).optimizer(adam());
            train(clock, &mut models::minigpt()?, rule, &data)
        }
        "infer1-mlp" => infer(clock, &mut *models::mlp()?, &images(&generator, &[1, 784])?),
        "infer1-cnn" => infer(clock, &mut *models::cnn()?, &images(&generator, &[1, 28, 28, 1])?),
        "infer256-cnn" => {
            infer(clock, &mut *models::cnn()?, &images(&generator, &[256, 28, 28, 1])?)
        }
        _ => {
            eprintln!("{USAGE}");
            std::process::exit(2);
        }
    }
}

/// Batches of noise, with one of ten classes for each sample.
fn images(generator: &Generator, shape: &[usize]) -> Result<Vec<(Tensor, Tensor)>> {
    let batch = |_| -> Result<(Tensor, Tensor)> {
        let x = generator.normal(shape, 0.0, 1.0, DType::F32)?;
        Ok((x, generator.integers([shape[0]], 0, 10, DType::I32)?))
    };
    (0..BATCHES).map(batch).collect()
}

fn train(clock: &Clock, model: &mut Model, rule: Compile, data: &[(Tensor, Tensor)]) -> Result<()> {
    model.compile(rule)?;
    let work = Work {
        batch: data[0].0.dims()[0],
        trains: true,
        parameters: model.trainable_weights().iter().map(|w| w.shape().size()).sum(),
    };
    clock.measure(&work, |step| {
        let (x, y) = &data[step % data.len()];
        let logs = model.train_on_batch(x, y)?;
        Ok(logs.get("loss").unwrap_or(f64::NAN))
    })
}

fn infer(clock: &Clock, model: &mut Model, data: &[(Tensor, Tensor)]) -> Result<()> {
    let batch = data[0].0.dims()[0];
    let work = Work { batch, trains: false, parameters: model.count_params() };
    clock.measure(&work, |step| {
        let outputs = model.predict_batches(&data[step % data.len()].0, batch)?;
        std::hint::black_box(&outputs);
        Ok(f64::NAN)
    })
}
