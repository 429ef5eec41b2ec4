//! What the losses of goldens/losses_more.json do otherwise than Keras, and what they refuse.

use cornu_autodiff::{DType, Tape, Tensor};
use cornu_models::losses::{
    BinaryFocalCrossentropy, CTC, CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy,
    Circle, Dice, IntoLoss, Loss, Reduction, Tversky,
};

use super::{error, value};

#[test]
fn a_focal_loss_of_hopeless_logits_still_learns() {
    let gradient = |loss: &dyn Loss, y_true: Tensor, y_pred: Tensor| {
        let tape = Tape::new();
        let value = value(loss, &y_true, &y_pred).unwrap();
        tape.gradient(&value, &[&y_pred]).unwrap().remove(0).to_vec::<f32>().unwrap()[0]
    };
    let loss = BinaryFocalCrossentropy::new().from_logits(true);
    let binary = gradient(&loss, Tensor::from([[1f32]]), Tensor::from([[-40f32]]));
    assert!((binary + 1.0).abs() < 1e-5, "{binary}");
    let loss = CategoricalFocalCrossentropy::new().from_logits(true).alpha(1.0);
    let y_pred = Tensor::from([[-40f32, 40.0]]);
    let categorical = gradient(&loss, Tensor::from([[1f32, 0.0]]), y_pred);
    assert!((categorical + 1.0).abs() < 1e-5, "{categorical}");
}

#[test]
fn focal_weights_of_classes_lie_on_their_axis() {
    let y_pred = Tensor::from([[0.2, 0.5], [0.3, 0.4], [0.5, 0.1]]);
    let y_true = Tensor::from([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]);
    let loss = CategoricalFocalCrossentropy::new().alpha([0.2, 0.3, 0.5]).label_smoothing(0.1);
    let last = loss.call(&y_true.t(), &y_pred.t()).unwrap();
    let first = loss.axis(0isize).call(&y_true, &y_pred).unwrap();
    let (first, last) = (first.to_vec::<f64>().unwrap(), last.to_vec::<f64>().unwrap());
    assert!(first.iter().zip(&last).all(|(a, b)| (a - b).abs() < 1e-12), "{first:?} {last:?}");
}

#[test]
fn labels_in_a_column_are_one_for_each_sample() {
    let loss = CategoricalGeneralizedCrossEntropy::new();
    let y_pred = Tensor::from([[0.25, 0.75], [0.5, 0.5], [0.0, 1.0]]);
    let values = loss.call(&Tensor::from([[1i32], [0], [0]]), &y_pred).unwrap();
    assert_eq!(values.dims(), [3]);
    let tape = Tape::new();
    let value = value(&loss, &Tensor::from([1i32, 0, 0]), &y_pred).unwrap();
    let mean = values.mean(.., false).item::<f64>().unwrap();
    assert!((value.item::<f64>().unwrap() - mean).abs() < 1e-12);
    assert!(tape.gradient(&value, &[&y_pred]).unwrap()[0].is_finite(), "a probability of 0");
}

#[test]
fn circle_tells_large_class_numbers_apart() {
    let y_pred = Tensor::from([[1.0f32, 0.0], [0.0, 1.0], [0.6, 0.8]]);
    let y_true = Tensor::from([16_777_216i64, 16_777_217, 16_777_217]);
    let small = Tensor::from([0i64, 1, 1]);
    let loss = Circle::new().gamma(2.0).reduction(Reduction::None);
    let values = |y: &Tensor| value(&loss, y, &y_pred).unwrap().to_vec::<f32>().unwrap();
    assert_eq!(values(&y_true), values(&small));
    assert_eq!(values(&small)[0], 0.0, "it has no other of its class");
}

#[test]
fn what_the_further_losses_cannot_mean_is_an_error() {
    let y_pred = Tensor::ones([1, 2, 3], DType::F32);
    let ctc = |labels: Tensor| error(value(&CTC::new(), &labels, &y_pred));
    let pixels = Tensor::ones([2, 3], DType::F32);
    let table: Vec<(String, &str)> = vec![
        (
            ctc(Tensor::from([[1i32, 1]])),
            "loss `ctc`: there must be a step for each label and between equal ones, 2; got 2 \
             labels, 1 of them as the one before",
        ),
        (
            ctc(Tensor::from([[3i32]])),
            "loss `ctc`: labels must be class numbers in 1..3, padded with 0; got 3",
        ),
        (
            ctc(Tensor::from([[0i32, 2]])),
            "loss `ctc`: 0 is the blank and must not stand before a label; got 2 after a 0",
        ),
        (
            ctc(Tensor::from([1i32])),
            "loss `ctc`: labels must have shape (samples, length), predictions (samples, steps, \
             classes)",
        ),
        (
            error(Dice::new().value(&pixels, &pixels, Some(&Tensor::from([1.0, 2.0])), None)),
            "loss `dice`: sample weights must be one number",
        ),
        (
            error(value(&Dice::new().axis([1, -1]), &pixels, &pixels)),
            "loss `dice`: `axis`: an axis must not be named twice; got [1, -1]",
        ),
        (
            error(value(&Tversky::new(), &(&pixels * 255.0), &pixels)),
            "loss `tversky`: labels must be in 0..=1; got 255",
        ),
        (
            error(value(&Circle::new(), &Tensor::from([0.5, 1.0]), &pixels)),
            "loss `circle`: labels must be class numbers; got 0.5",
        ),
        (
            error(CategoricalGeneralizedCrossEntropy::new().q(1.0).into_loss()),
            "loss `categorical_generalized_cross_entropy`: `q`: it must be above 0 and below 1; \
             got 1",
        ),
        (
            error(CategoricalFocalCrossentropy::new().gamma(-1.0).into_loss()),
            "loss `categorical_focal_crossentropy`: `gamma`: it must be a number that is not \
             negative; got -1",
        ),
        (
            error(value(&CategoricalFocalCrossentropy::new().alpha([0.5]), &pixels, &pixels)),
            "loss `categorical_focal_crossentropy`: `alpha`: there must be one number, or one for \
             each of 3 classes; got 1",
        ),
    ];
    for (got, wanted) in table {
        assert!(got.starts_with(wanted), "{got}\n  instead of\n{wanted}");
    }
}
