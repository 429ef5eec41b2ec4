"""The cases of metrics_more.json: correlations, operating points, F-scores, R² and overlaps, and
options of the metrics of metrics.json.

Each is a name, a class, its arguments, and what makes one update of labels, predictions and
weights."""

import numpy as np
from keras import metrics as K


def plain(y_true, y_pred):
    return lambda random: (y_true(random), y_pred(random), None)


def weighed(y_true, y_pred, weights):
    return lambda random: (y_true(random), y_pred(random), weights(random))


def normal(*shape):
    return lambda random: random.normal(*shape)


def uniform(low, high, *shape):
    return lambda random: random.uniform(low, high, *shape)


def classes(count, *shape, dtype="int32"):
    return lambda random: random.integers(count, *shape).astype(dtype)


def one_hot(count, *shape):
    return lambda random: random.one_hot(count, *shape)


def one_hot_first(random):
    """One-hot labels with the classes on the first axis."""
    return random.one_hot(3, 8).T.copy()


def scores(*shape):
    return lambda random: random.distinct(*shape)


def whole_weights(*shape):
    return lambda random: random.integers(4, *shape) + 1


def with_void(count, void, *shape):
    """Class numbers of which some are `void`."""

    def make(random):
        labels = random.integers(count + 1, *shape)
        return np.where(labels == count, void, labels).astype("int32")

    return make


def channels_first(make):
    """Scores or one-hot labels with the classes on axis 1."""
    return lambda random: make(random).swapaxes(1, 2)


def best_first(random):
    """The numbers of four classes in some order, for each of six samples."""
    return np.stack([random.rng.permutation(4) for _ in range(6)]).astype("int32")


BINARY = (classes(2, 12, dtype="float32"), uniform(0.01, 0.99, 12))
BINARY_COLUMN = (classes(2, 8, 1, dtype="float32"), uniform(0.01, 0.99, 8, 1))
BINARY_WIDE = (classes(2, 9, 3, dtype="float32"), uniform(0.01, 0.99, 9, 3))
# Predictions of exactly 0 and 1, and at thresholds.
BINARY_STEPS = (
    classes(2, 12, dtype="float32"),
    lambda random: (random.integers(5, 12) / 4).astype("float32"),
)
MULTI = (classes(2, 6, 3, dtype="float32"), uniform(0.01, 0.99, 6, 3))
ONE_OF = (one_hot(3, 8), scores(8, 3))
REGRESSION = (normal(6, 3), normal(6, 3))
COLUMN = (normal(7, 1), normal(7, 1))

MORE = [
    *[
        (f"{name}{suffix}", cls, arguments, make)
        for name, cls in (("pearson", K.PearsonCorrelation), ("concordance", K.ConcordanceCorrelation))
        for suffix, arguments, make in (
            ("_correlation", {}, plain(normal(4, 5), normal(4, 5))),
            ("_correlation_weighted", {}, weighed(normal(4, 5), normal(4, 5), uniform(0.2, 2, 4))),
            ("_correlation_axis_0", {"axis": 0}, plain(*COLUMN)),
            ("_correlation_rank_3", {"axis": 1}, plain(normal(3, 4, 2), normal(3, 4, 2))),
            ("_correlation_axes", {"axis": [1, 2]}, plain(normal(3, 4, 2), normal(3, 4, 2))),
        )
    ],
    *[
        (f"{cls.__name__}{suffix}", cls, {key: least, **arguments}, make)
        for cls, key in (
            (K.SensitivityAtSpecificity, "specificity"),
            (K.SpecificityAtSensitivity, "sensitivity"),
            (K.PrecisionAtRecall, "recall"),
            (K.RecallAtPrecision, "precision"),
        )
        for suffix, least, arguments, make in (
            ("", 0.5, {}, plain(*BINARY)),
            ("_column", 0.35, {}, plain(*BINARY_COLUMN)),
            ("_weighted", 0.45, {}, weighed(*BINARY, uniform(0.2, 2, 12))),
            ("_num_thresholds", 0.6, {"num_thresholds": 7}, plain(*BINARY)),
            ("_three_thresholds", 0.2, {"num_thresholds": 3}, plain(*BINARY)),
            ("_two_thresholds", 0.2, {"num_thresholds": 2}, plain(*BINARY_STEPS)),
            ("_one_threshold", 0.2, {"num_thresholds": 1}, plain(*BINARY)),
            ("_class_id", 0.4, {"class_id": 1}, plain(*BINARY_WIDE)),
            ("_at_thresholds", 0.3, {"num_thresholds": 5}, plain(*BINARY_STEPS)),
            ("_everything", 0.0, {"num_thresholds": 5}, plain(*BINARY)),
            ("_out_of_reach", 1.0, {"num_thresholds": 4}, plain(*BINARY)),
        )
    ],
    *[
        (f"{name}{suffix}", cls, arguments, make)
        for name, cls in (("f1_score", K.F1Score), ("fbeta_score", K.FBetaScore))
        for suffix, arguments, make in (
            ("", {}, plain(*ONE_OF)),
            ("_weighed", {}, weighed(*ONE_OF, uniform(0.2, 2, 8))),
            ("_threshold", {"threshold": 0.4}, plain(*MULTI)),
            ("_micro", {"average": "micro", "threshold": 0.5}, plain(*MULTI)),
            ("_macro", {"average": "macro"}, plain(*ONE_OF)),
            ("_weighted", {"average": "weighted"}, weighed(*ONE_OF, uniform(0.2, 2, 8))),
            ("_one_class", {"threshold": 0.5, "average": "weighted"}, plain(*BINARY_COLUMN)),
        )
    ],
    ("fbeta_score_beta", K.FBetaScore, {"beta": 2.0}, plain(*ONE_OF)),
    ("fbeta_score_micro_beta", K.FBetaScore, {"beta": 0.5, "average": "micro"}, plain(*ONE_OF)),
    ("f1_score_ties", K.F1Score, {}, plain(one_hot(3, 6), lambda r: r.integers(2, 6, 3).astype("float32"))),
    ("r2_score", K.R2Score, {}, plain(*REGRESSION)),
    ("r2_score_column", K.R2Score, {}, plain(*COLUMN)),
    ("r2_score_weighted", K.R2Score, {}, weighed(*REGRESSION, uniform(0.2, 2, 6))),
    ("r2_score_each", K.R2Score, {"class_aggregation": None}, plain(*REGRESSION)),
    (
        "r2_score_by_variance",
        K.R2Score,
        {"class_aggregation": "variance_weighted_average"},
        weighed(*REGRESSION, uniform(0.2, 2, 6)),
    ),
    ("r2_score_adjusted", K.R2Score, {"num_regressors": 2}, plain(*COLUMN)),
    ("r2_score_too_few_samples", K.R2Score, {"num_regressors": 10}, plain(*COLUMN)),
    ("iou", K.IoU, {"num_classes": 3, "target_class_ids": [0, 2]}, plain(classes(3, 9), classes(3, 9))),
    (
        "iou_ignore_class",
        K.IoU,
        {"num_classes": 3, "target_class_ids": [1], "ignore_class": 255},
        weighed(with_void(3, 255, 3, 5), classes(3, 3, 5), whole_weights(3, 5)),
    ),
    (
        "iou_scores",
        K.IoU,
        {"num_classes": 4, "target_class_ids": [3, 1], "sparse_y_pred": False, "dtype": "float32"},
        weighed(classes(4, 2, 6), scores(2, 6, 4), uniform(0.2, 2, 2, 6)),
    ),
    (
        "iou_one_hot",
        K.IoU,
        {"num_classes": 3, "target_class_ids": [0, 1, 2], "sparse_y_true": False, "axis": 0},
        plain(one_hot_first, classes(3, 8)),
    ),
    (
        "iou_absent",
        K.IoU,
        {"num_classes": 5, "target_class_ids": [1, 4]},
        plain(classes(3, 7), classes(3, 7)),
    ),
    ("binary_iou", K.BinaryIoU, {}, plain(*BINARY)),
    ("binary_iou_column", K.BinaryIoU, {}, weighed(*BINARY_COLUMN, whole_weights(8, 1))),
    ("binary_iou_ones", K.BinaryIoU, {"target_class_ids": [1]}, plain(*BINARY_STEPS)),
    (
        "binary_iou_options",
        K.BinaryIoU,
        {"target_class_ids": [0], "threshold": 0.25, "dtype": "float32"},
        weighed(*BINARY_STEPS, uniform(0.2, 2, 12)),
    ),
    ("mean_iou", K.MeanIoU, {"num_classes": 3}, plain(classes(3, 4, 4), classes(3, 4, 4, dtype="float32"))),
    (
        "mean_iou_options",
        K.MeanIoU,
        {"num_classes": 4, "ignore_class": -1, "sparse_y_pred": False},
        weighed(with_void(4, -1, 2, 7), scores(2, 7, 4), whole_weights(2, 7)),
    ),
    (
        "mean_iou_first_axis",
        K.MeanIoU,
        {"num_classes": 3, "sparse_y_true": False, "sparse_y_pred": False, "axis": 0},
        plain(one_hot_first, scores(3, 8)),
    ),
    (
        "one_hot_iou",
        K.OneHotIoU,
        {"num_classes": 3, "target_class_ids": [0, 2]},
        weighed(*ONE_OF, whole_weights(8)),
    ),
    (
        "one_hot_iou_options",
        K.OneHotIoU,
        {"num_classes": 3, "target_class_ids": [1], "ignore_class": 0, "sparse_y_pred": True},
        plain(one_hot(3, 2, 6), classes(3, 2, 6)),
    ),
    (
        "one_hot_iou_first_axis",
        K.OneHotIoU,
        {"num_classes": 3, "target_class_ids": [1, 2], "axis": 0},
        plain(one_hot_first, scores(3, 8)),
    ),
    ("one_hot_mean_iou", K.OneHotMeanIoU, {"num_classes": 3}, plain(*ONE_OF)),
    (
        "one_hot_mean_iou_options",
        K.OneHotMeanIoU,
        {"num_classes": 3, "ignore_class": 1, "sparse_y_pred": True, "dtype": "float32"},
        weighed(one_hot(3, 9), classes(3, 9), uniform(0.2, 2, 9)),
    ),
    (
        "one_hot_mean_iou_first_axis",
        K.OneHotMeanIoU,
        {"num_classes": 3, "axis": 0},
        plain(one_hot_first, scores(3, 8)),
    ),
    ("auc_prgain", K.AUC, {"curve": "PRGAIN", "num_thresholds": 11}, plain(*BINARY)),
    ("auc_label_weights", K.AUC, {"label_weights": [0.2, 0.5, 1.5], "num_thresholds": 11}, plain(*MULTI)),
    ("auc_named", K.AUC, {"name": "area"}, plain(*BINARY)),
    (
        "categorical_crossentropy_axis",
        K.CategoricalCrossentropy,
        {"axis": 1},
        plain(channels_first(one_hot(3, 2, 4)), channels_first(lambda r: r.probabilities(2, 4, 3))),
    ),
    (
        "sparse_categorical_crossentropy_axis",
        K.SparseCategoricalCrossentropy,
        {"axis": 1},
        plain(classes(4, 5), lambda r: r.probabilities(5, 4)),
    ),
    (
        "sparse_categorical_crossentropy_ignore_class",
        K.SparseCategoricalCrossentropy,
        {"ignore_class": 1},
        weighed(classes(3, 6), lambda r: r.probabilities(6, 3), uniform(0.2, 2, 6)),
    ),
    (
        "sparse_top_k_from_sorted_ids",
        K.SparseTopKCategoricalAccuracy,
        {"k": 2, "from_sorted_ids": True},
        plain(classes(4, 6), best_first),
    ),
]  # fmt: skip
