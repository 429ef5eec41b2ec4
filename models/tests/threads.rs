//! The number of threads changes how long it takes, never a bit of a result.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cornu_autodiff::{DType, Generator, Tensor, set_threads, threads};
use cornu_layers::prelude::*;
use cornu_models::callbacks::Verbose;
use cornu_models::{Compile, Fit, Model, Sequential, Split};

/// The number of threads is the whole program's: tests that set it take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Images of noise, and how often one corner is brighter than the one before: enough work for several threads.
fn images(count: usize) -> (Tensor, Tensor) {
    let x = Generator::new(5).normal([count, 12, 12, 3], 0.0, 1.0, DType::F32).unwrap();
    let corner = |i: isize| x.slice(1, i..i + 4).slice(2, i..i + 4).mean([1, 2, 3], false);
    let corners: Vec<Tensor> = [0, 4, 8].into_iter().map(corner).collect();
    let brightest = |at: usize, other: usize| corners[at].greater(&corners[other]);
    let y = brightest(1, 0).cast(DType::I64) + brightest(2, 1).cast(DType::I64);
    (x, y)
}

fn convnet() -> Sequential {
    let mut model = Sequential::new().seed(9);
    model.add(Input::new([12, 12, 3])).unwrap();
    model.add(Conv2D::new(16, 3).activation("relu")).unwrap();
    model.add(BatchNormalization::new()).unwrap();
    model.add(MaxPooling2D::new(2)).unwrap();
    model.add(Flatten::new()).unwrap();
    model.add(Dropout::new(0.25)).unwrap();
    model.add(Dense::new(256).activation("gelu").kernel_regularizer("l2")).unwrap();
    model.add(LayerNormalization::new()).unwrap();
    model.add(Dense::new(3).activation("softmax")).unwrap();
    let compile = Compile::new().loss("sparse_categorical_crossentropy").optimizer("adam");
    model.compile(compile.metrics(["accuracy"])).unwrap();
    model
}

fn bits(x: &Tensor) -> Vec<u32> {
    x.to_vec::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

/// All that a run ends with: weights, the history, predictions.
fn trained(x: &Tensor, y: &Tensor) -> (Vec<Vec<u32>>, Vec<u64>, Vec<u32>) {
    let mut model = convnet();
    let options = Fit::new().epochs(2).batch_size(64).verbose(Verbose::Silent);
    let options = options.validation_split(Split::Stratified(0.2));
    let history = model.fit(x, y, options).unwrap();
    let values = history.series().flat_map(|(_, values)| values).map(|v| v.to_bits()).collect();
    let predictions = bits(&model.predict(x).unwrap());
    (model.get_weights().iter().map(bits).collect(), values, predictions)
}

#[test]
fn a_whole_fit_gives_the_same_bits_on_any_number_of_threads() {
    let _turn = alone();
    let (x, y) = images(160);
    let before = threads();
    set_threads(1);
    let one = trained(&x, &y);
    for count in [2, 8] {
        set_threads(count);
        let several = trained(&x, &y);
        assert!(one == several, "{count} threads: other bits than 1 thread");
    }
    set_threads(before);
}

#[test]
fn two_models_that_train_at_once_do_not_disturb_one_another() {
    let _turn = alone();
    let (x, y) = images(160);
    let expected = trained(&x, &y);
    let both = std::thread::scope(|scope| {
        [(); 2].map(|()| scope.spawn(|| trained(&x, &y))).map(|run| run.join().unwrap())
    });
    assert!(both.into_iter().all(|run| run == expected));
}

#[test]
fn one_model_predicts_on_many_threads_what_it_predicts_on_one() {
    let _turn = alone();
    let (x, _) = images(70);
    let model = convnet();
    let expected = bits(&model.predict(&x).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..4 {
                    assert!(bits(&model.predict(&x).unwrap()) == expected);
                }
            });
        }
    });
}

#[test]
fn a_model_predicts_while_another_thread_trains_it() {
    let _turn = alone();
    let (x, y) = images(96);
    let mut model = convnet();
    let watched = model.submodel("dense_1").unwrap();
    std::thread::scope(|scope| {
        let training = scope.spawn(|| {
            let options = Fit::new().epochs(4).verbose(Verbose::Silent);
            model.fit(&x, &y, options).unwrap()
        });
        while !training.is_finished() {
            assert!(watched.predict(&x).unwrap().is_finite());
        }
    });
    assert_eq!(bits(&watched.predict(&x).unwrap()), bits(&model.predict(&x).unwrap()));
}

/// Words in, through a sequence and attention, a number out.
fn reader() -> Model {
    let words = Input::new([9]).dtype(DType::I32).symbol();
    let x = Embedding::new(50, 24).apply(&words).unwrap();
    let x = LSTM::new(20).return_sequences(true).apply(&x).unwrap();
    let x = MultiHeadAttention::new(2, 8).apply([&x, &x]).unwrap();
    let x = GRU::new(17).apply(&x).unwrap();
    Model::new(&words, Dense::new(1).apply(&x).unwrap()).unwrap().seed(4).unwrap()
}

#[test]
fn what_is_predicted_of_a_sample_has_the_same_bits_in_any_batch() {
    let _turn = alone();
    let (x, _) = images(37);
    let words = Generator::new(6).integers([37, 9], 0, 50, DType::I32).unwrap();
    let (convnet, reader) = (convnet(), reader());
    for (name, model, x) in [("convnet", &*convnet, &x), ("reader", &reader, &words)] {
        let values = |size| bits(&model.predict_batches(x, size).unwrap()[0]);
        let whole = values(37);
        for size in [1, 2, 3, 4, 5, 7, 8, 16, 33, 36] {
            assert!(values(size) == whole, "{name}: other bits in batches of {size}");
        }
    }
}
