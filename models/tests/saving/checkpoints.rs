//! Checkpoints. That runs go on from them is proved in `resume.rs`.

use cornu_autodiff::{DType, GeneratorState, Tensor};
use cornu_layers::prelude::*;
use cornu_models::callbacks::Verbose;
use cornu_models::saving::Checkpoint;
use cornu_models::{Compile, Fit, Sequential};

use crate::{bits, temporary, two_layers};

/// All dtypes, and values that a careless writer loses.
fn strange() -> Vec<(String, Tensor)> {
    let nan = f32::from_bits(0x7fc1_2345);
    vec![
        (
            "f32".into(),
            Tensor::new(vec![nan, -0.0, f32::MIN_POSITIVE / 2.0, 1e-45], [2, 2]).unwrap(),
        ),
        ("f64".into(), Tensor::new(vec![f64::NEG_INFINITY, 0.1], [2]).unwrap()),
        ("i32".into(), Tensor::scalar(i32::MIN)),
        ("i64".into(), Tensor::new(vec![i64::MAX, -1], [1, 2, 1]).unwrap()),
        ("u8".into(), Tensor::new(vec![0u8, 255], [2]).unwrap()),
        ("bool".into(), Tensor::new(vec![true, false, true], [3]).unwrap()),
        ("empty".into(), Tensor::zeros([0, 3], DType::F32)),
    ]
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        model: r#"{"class_name":"Sequential","ü":1}"#.into(),
        weights: strange(),
        optimizer: vec![("sgd/iteration".into(), Tensor::scalar(12i64))],
        optimized: vec![0, 6],
        generator: GeneratorState { seed: u64::MAX, counter: 3 },
        step: 5,
        shuffles: 6,
        position: 8,
        epoch: 7,
        batch: 9,
        epochs: vec![0, 1],
        history: vec![("loss".into(), vec![0.5, f64::NAN]), ("val".into(), vec![1.0, 2.0])],
        callbacks: vec![(
            "early_stopping".into(),
            r#"{"wait":2}"#.into(),
            vec![Tensor::from([1.5f32, 2.5])],
        )],
    }
}

fn exact(x: &Tensor) -> (DType, Vec<usize>, Vec<u64>) {
    let bits = match x.dtype() {
        DType::F32 => x.to_vec::<f32>().unwrap().iter().map(|v| u64::from(v.to_bits())).collect(),
        DType::I64 => x.to_vec::<i64>().unwrap().iter().map(|v| *v as u64).collect(),
        _ => bits(x),
    };
    (x.dtype(), x.dims().to_vec(), bits)
}

#[test]
fn a_checkpoint_comes_back_bit_for_bit() {
    let (first, path) = (checkpoint(), temporary("run.checkpoint"));
    first.write(&path).unwrap();
    let second = Checkpoint::read(&path).unwrap();
    for (a, b) in [(&first.weights, &second.weights), (&first.optimizer, &second.optimizer)] {
        let all = |list: &[(String, Tensor)]| -> Vec<_> {
            list.iter().map(|(name, x)| (name.clone(), exact(x))).collect()
        };
        assert_eq!(all(a), all(b));
    }
    let rest = |c: &Checkpoint| {
        let numbers =
            (c.optimized.clone(), c.generator, c.step, c.shuffles, c.position, c.batch, c.epoch);
        let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let history: Vec<_> = c.history.iter().map(|(n, v)| (n.clone(), bits(v))).collect();
        let callbacks: Vec<_> = c.callbacks.iter().map(|(n, v, t)| (n, v, exact(&t[0]))).collect();
        (c.model.clone(), numbers, c.epochs.clone(), history, format!("{callbacks:?}"))
    };
    assert_eq!(rest(&first), rest(&second));
}

#[test]
fn a_checkpoint_that_was_cut_off_or_altered_anywhere_is_an_error() {
    let bytes = checkpoint().to_bytes().unwrap();
    for length in 0..bytes.len() {
        assert!(Checkpoint::from_bytes(&bytes[..length]).is_err(), "cut to {length}");
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            assert!(Checkpoint::from_bytes(&altered).is_err(), "bit {bit} of byte {at}");
        }
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert!(Checkpoint::from_bytes(&longer).is_err());
}

#[test]
fn a_file_that_is_no_checkpoint_says_what_it_is() {
    let path = temporary("other.checkpoint");
    std::fs::write(&path, "not a checkpoint at all").unwrap();
    let error = Checkpoint::read(&path).unwrap_err().to_string();
    let said = "it must be a checkpoint written by cornu; got 23 bytes that begin with `not a ch`";
    assert!(error.contains(said) && error.contains("other.checkpoint"), "{error}");
    let error = Checkpoint::read(temporary("missing")).unwrap_err().to_string();
    assert!(error.contains("the file can't be read"), "{error}");
}

/// Points and whether they lie inside a circle.
fn circle() -> (Tensor, Tensor) {
    let points = (0..40).map(|i| (f64::from(i) * 0.7).sin() * f64::from(i % 7) / 4.0);
    let points: Vec<f32> = points.map(|v| v as f32).collect();
    let inside = points.chunks(2).map(|p| f32::from(p[0] * p[0] + p[1] * p[1] < 0.5)).collect();
    (Tensor::new(points, [20, 2]).unwrap(), Tensor::new(inside, [20, 1]).unwrap())
}

fn fitted(optimizer: &str) -> Sequential {
    let mut model = Sequential::new().seed(3);
    model.add(Dense::new(8).input_dim(2).activation("relu")).unwrap();
    model.add(Dropout::new(0.3)).unwrap();
    model.add(BatchNormalization::new()).unwrap();
    model.add(Dense::new(1).activation("sigmoid")).unwrap();
    let compile = Compile::new().loss("binary_crossentropy").metrics(["accuracy"]);
    model.compile(compile.optimizer(optimizer)).unwrap();
    model
}

#[test]
fn a_checkpoint_of_another_model_is_an_error() {
    let path = temporary("another.checkpoint");
    fitted("adam").save_checkpoint(&path).unwrap();
    let error = two_layers().restore_checkpoint(&path).unwrap_err().to_string();
    assert!(error.contains("the checkpoint is of a compiled model"), "{error}");
    let mut sgd = fitted("sgd");
    let (x, y) = circle();
    let mut adam = fitted("adam");
    adam.fit(x, y, Fit::new().verbose(Verbose::Silent)).unwrap();
    adam.save_checkpoint(&path).unwrap();
    let error = sgd.restore_checkpoint(&path).unwrap_err().to_string();
    assert!(error.contains("there must be as many tensors as the optimizer has"), "{error}");
    fitted("adam").restore_checkpoint(&path).unwrap();
}
