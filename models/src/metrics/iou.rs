//! How much areas of classes overlap.

use cornu_autodiff::{Error, Result, Tensor};

use super::confusion::in_dtype;
use super::declare::{metric, ordered, plain_dtype};
use super::overlap::{Matrix, Reading, check, check_targets};
use super::{Direction, MetricValue};
use crate::losses::pair::Place;
use crate::options::Options;

/// What is the same for all metrics on a [`Matrix`], whose `reading` and `targets` say the rest.
macro_rules! on_matrix {
    () => {
        fn update(
            &mut self,
            y_true: &Tensor,
            y_pred: &Tensor,
            sample_weight: Option<&Tensor>,
        ) -> Result<()> {
            let counts = self.reading().count(y_true, y_pred, sample_weight)?;
            self.matrix.add(&counts);
            Ok(())
        }
        on_matrix!(but update);
    };
    (but update) => {
        fn result(&self) -> MetricValue {
            MetricValue::Scalar(self.matrix.mean_iou(self.reading().classes, &self.targets()))
        }
        fn state(&self) -> Vec<(&'static str, Tensor)> {
            vec![("total_confusion_matrix", self.matrix.to_tensor(self.reading().classes))]
        }
        fn set_state(&mut self, state: &[Tensor]) -> Result<()> {
            let reading = self.reading();
            self.matrix = Matrix::from_state(reading.place, state, reading.classes)?;
            Ok(())
        }
        fn direction(&self) -> Option<Direction> {
            Some(Direction::Up)
        }
    };
}

/// How labels and predictions are read, and which classes count.
macro_rules! reads {
    ($($Name:ident |$this:ident| $sparse:expr, $targets:expr;)*) => {$(
        impl $Name {
            fn reading(&self) -> Reading<'_> {
                let $this = self;
                Reading {
                    place: Place("metric", &self.name),
                    classes: self.num_classes,
                    ignored: self.ignore_class,
                    sparse: $sparse,
                    axis: self.axis,
                }
            }

            fn targets(&self) -> Vec<usize> {
                let $this = self;
                $targets
            }
        }
    )*};
}

reads! {
    IoU |this| [this.sparse_y_true, this.sparse_y_pred], this.target_class_ids.clone();
    MeanIoU |this| [this.sparse_y_true, this.sparse_y_pred], (0..this.num_classes).collect();
    OneHotIoU |this| [false, this.sparse_y_pred], this.target_class_ids.clone();
    OneHotMeanIoU |this| [false, this.sparse_y_pred], (0..this.num_classes).collect();
}

metric! {
    /// Mean over classes of the intersection over the union of where labels and where predictions
    /// have a class, `TP / (TP + FP + FN)`, over those of the chosen classes that occur (Jaccard
    /// 1912, "The distribution of the flora in the alpine zone").
    ///
    /// Labels and predictions are class numbers of one shape; with `sparse_y_true(false)` or
    /// `sparse_y_pred(false)` scores of each class, of which the largest counts. Weights are one
    /// number, or one for each sample or each label.
    ///
    /// Keras truncates predictions to whole numbers, and so takes all probabilities for class 0;
    /// it counts no label or prediction that is no class, and truncates weights. Here the former
    /// are errors, and weights count as they are.
    ///
    /// ```
    /// use cornu_autodiff::Tensor;
    /// use cornu_models::metrics::{IoU, Metric};
    /// let mut second = IoU::new(2, [1]).sparse_y_pred(false);
    /// let scores = Tensor::from([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]);
    /// second.update(&Tensor::from([0i32, 1, 0]), &scores, None)?;
    /// assert_eq!(second.result().to_scalar(), Some(0.5));
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    pub struct IoU["IoU", "io_u", I32] {
        /// A label that doesn't count, such as -1 or 255 where there is nothing to tell.
        ignore_class: Option<i64> = None;
        /// Whether labels are class numbers instead of scores.
        sparse_y_true: bool = true;
        /// Whether predictions are class numbers instead of scores.
        sparse_y_pred: bool = true;
        /// The axis of the scores.
        axis: isize = -1isize;
    }
    requires {
        /// Number of classes.
        num_classes: usize;
        /// The classes whose mean it is.
        target_class_ids: Vec<usize>;
    }
    state matrix: Matrix, config |self| {
        let keys = ["name", "dtype", "num_classes", "target_class_ids"];
        ordered(plain_dtype(Options::write(self)), &keys)
    };
    fn check(&self) -> Result<()> {
        check(self.reading())?;
        check_targets(Place("metric", &self.name), self.num_classes, &self.target_class_ids)
    }
    on_matrix!();
}

metric! {
    /// [`IoU`] of labels 0 and 1: a prediction not below the threshold is a 1.
    pub struct BinaryIoU["BinaryIoU", "binary_io_u", I32] {
        /// The classes whose mean it is.
        target_class_ids: Vec<usize> = vec![0, 1];
        /// From it on, a prediction is a 1.
        threshold: f64 = 0.5;
    }
    state matrix: Matrix, config |self| {
        ordered(plain_dtype(Options::write(self)), &["target_class_ids", "threshold"])
    };
    fn check(&self) -> Result<()> {
        let place = Place("metric", &self.name);
        if self.threshold.is_nan() {
            let place = format!("{place}: `threshold`");
            return Err(Error::value(place, "it must be a number", "NaN"));
        }
        check_targets(place, 2, &self.target_class_ids)
    }
    fn update(
        &mut self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Result<()> {
        let scores = y_pred.to_f64_vec()?;
        if scores.iter().any(|p| p.is_nan()) {
            let place = Place("metric", &self.name).to_string();
            return Err(Error::value(place, "predictions must be numbers", "a NaN"));
        }
        let threshold = in_dtype(self.threshold, y_pred.dtype());
        let ones: Vec<f64> =
            scores.iter().map(|&p| f64::from(u8::from(p >= threshold))).collect();
        let ones = Tensor::new(ones, *y_pred.shape())?;
        let counts = self.reading().count(y_true, &ones, sample_weight)?;
        self.matrix.add(&counts);
        Ok(())
    }
    on_matrix!(but update);
}

impl BinaryIoU {
    fn reading(&self) -> Reading<'_> {
        let place = Place("metric", &self.name);
        Reading { place, classes: 2, ignored: None, sparse: [true, true], axis: -1 }
    }

    fn targets(&self) -> Vec<usize> {
        self.target_class_ids.clone()
    }
}

metric! {
    /// [`IoU`] of all classes.
    pub struct MeanIoU["MeanIoU", "mean_io_u", I32] {
        /// A label that doesn't count, such as -1 or 255 where there is nothing to tell.
        ignore_class: Option<i64> = None;
        /// Whether labels are class numbers instead of scores.
        sparse_y_true: bool = true;
        /// Whether predictions are class numbers instead of scores.
        sparse_y_pred: bool = true;
        /// The axis of the scores.
        axis: isize = -1isize;
    }
    requires {
        /// Number of classes.
        num_classes: usize;
    }
    state matrix: Matrix;
    fn check(&self) -> Result<()> {
        check(self.reading())
    }
    on_matrix!();
}

metric! {
    /// [`IoU`] of one-hot labels, and predictions that are scores of each class.
    pub struct OneHotIoU["OneHotIoU", "one_hot_io_u", I32] {
        /// A label that doesn't count.
        ignore_class: Option<i64> = None;
        /// Whether predictions are class numbers instead of scores.
        sparse_y_pred: bool = false;
        /// The axis of labels and scores.
        axis: isize = -1isize;
    }
    requires {
        /// Number of classes.
        num_classes: usize;
        /// The classes whose mean it is.
        target_class_ids: Vec<usize>;
    }
    state matrix: Matrix;
    fn check(&self) -> Result<()> {
        check(self.reading())?;
        check_targets(Place("metric", &self.name), self.num_classes, &self.target_class_ids)
    }
    on_matrix!();
}

metric! {
    /// [`IoU`] of all classes, for one-hot labels, and predictions that are scores of each class.
    pub struct OneHotMeanIoU["OneHotMeanIoU", "one_hot_mean_io_u", I32] {
        /// A label that doesn't count.
        ignore_class: Option<i64> = None;
        /// Whether predictions are class numbers instead of scores.
        sparse_y_pred: bool = false;
        /// The axis of labels and scores.
        axis: isize = -1isize;
    }
    requires {
        /// Number of classes.
        num_classes: usize;
    }
    state matrix: Matrix;
    fn check(&self) -> Result<()> {
        check(self.reading())
    }
    on_matrix!();
}
