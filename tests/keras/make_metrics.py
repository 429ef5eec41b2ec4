"""metrics.json, metrics_more.json: the result of each metric after each of three updates."""

import numpy as np
from keras import metrics as K

from common import Random, array, config_of, named
from metric_cases import MORE


def regression(random):
    return random.normal(4, 3), random.normal(4, 3)


def positive(random):
    return random.uniform(0.2, 3, 4, 3), random.uniform(0.2, 3, 4, 3)


def labels(random):
    return random.integers(3, 4, 2), random.integers(3, 4, 2)


def binary(random):
    return random.integers(2, 6, 1).astype("float32"), random.uniform(0.01, 0.99, 6, 1)


def binary_vector(random):
    return random.integers(2, 6).astype("float32"), random.uniform(0.01, 0.99, 6)


def binary_wide(random):
    return random.integers(2, 5, 3).astype("float32"), random.uniform(0.01, 0.99, 5, 3)


def binary_logits(random):
    return random.integers(2, 6, 1).astype("float32"), random.normal(6, 1) * 2


def one_hot(random):
    return random.one_hot(4, 5), random.distinct(5, 4) * 0.3 + 0.41


def one_hot_probabilities(random):
    return random.one_hot(4, 5), random.probabilities(5, 4)


def one_hot_logits(random):
    return random.one_hot(4, 5), random.normal(5, 4)


def soft(random):
    return random.probabilities(4, 3), random.probabilities(4, 3)


def sparse(random):
    return random.integers(4, 5), random.probabilities(5, 4)


def sparse_column(random):
    return random.integers(4, 5, 1), random.probabilities(5, 4)


def sparse_rank_3(random):
    return random.integers(4, 2, 3), random.probabilities(2, 3, 4)


def sparse_logits(random):
    return random.integers(4, 5), random.normal(5, 4)


# (name, class, arguments, pair of y_true and y_pred)
PAIRS = [
    ("accuracy", K.Accuracy, {}, labels),
    ("binary_accuracy", K.BinaryAccuracy, {}, binary),
    ("binary_accuracy_vector", K.BinaryAccuracy, {}, binary_vector),
    ("binary_accuracy_threshold", K.BinaryAccuracy, {"threshold": 0.3}, binary),
    ("binary_accuracy_wide", K.BinaryAccuracy, {}, binary_wide),
    ("categorical_accuracy", K.CategoricalAccuracy, {}, one_hot),
    ("sparse_categorical_accuracy", K.SparseCategoricalAccuracy, {}, sparse),
    ("sparse_categorical_accuracy_column", K.SparseCategoricalAccuracy, {}, sparse_column),
    ("sparse_categorical_accuracy_rank_3", K.SparseCategoricalAccuracy, {}, sparse_rank_3),
    ("top_k_categorical_accuracy", K.TopKCategoricalAccuracy, {"k": 2}, one_hot),
    ("top_k_categorical_accuracy_default", K.TopKCategoricalAccuracy, {}, lambda r: (r.one_hot(7, 5), r.distinct(5, 7))),
    ("sparse_top_k_categorical_accuracy", K.SparseTopKCategoricalAccuracy, {"k": 2}, sparse),
    ("sparse_top_k_categorical_accuracy_rank_3", K.SparseTopKCategoricalAccuracy, {"k": 3}, sparse_rank_3),
    ("mean_squared_error", K.MeanSquaredError, {}, regression),
    ("root_mean_squared_error", K.RootMeanSquaredError, {}, regression),
    ("mean_absolute_error", K.MeanAbsoluteError, {}, regression),
    ("mean_absolute_percentage_error", K.MeanAbsolutePercentageError, {}, regression),
    ("mean_squared_logarithmic_error", K.MeanSquaredLogarithmicError, {}, positive),
    ("log_cosh_error", K.LogCoshError, {}, regression),
    ("cosine_similarity", K.CosineSimilarity, {}, regression),
    ("cosine_similarity_axis", K.CosineSimilarity, {"axis": 0}, lambda r: (r.normal(4, 4), r.normal(4, 4))),
    ("binary_crossentropy", K.BinaryCrossentropy, {}, binary_wide),
    ("binary_crossentropy_logits", K.BinaryCrossentropy, {"from_logits": True, "label_smoothing": 0.1}, binary_logits),
    ("categorical_crossentropy", K.CategoricalCrossentropy, {}, one_hot_probabilities),
    ("categorical_crossentropy_logits", K.CategoricalCrossentropy, {"from_logits": True, "label_smoothing": 0.1}, one_hot_logits),
    ("sparse_categorical_crossentropy", K.SparseCategoricalCrossentropy, {}, sparse),
    ("sparse_categorical_crossentropy_rank_3", K.SparseCategoricalCrossentropy, {}, sparse_rank_3),
    ("sparse_categorical_crossentropy_logits", K.SparseCategoricalCrossentropy, {"from_logits": True}, sparse_logits),
    ("kl_divergence", K.KLDivergence, {}, soft),
    ("poisson", K.Poisson, {}, positive),
    ("hinge", K.Hinge, {}, lambda r: (r.integers(2, 4, 3).astype("float32"), r.normal(4, 3))),
    ("squared_hinge", K.SquaredHinge, {}, lambda r: (r.integers(2, 4, 3).astype("float32"), r.normal(4, 3))),
    ("categorical_hinge", K.CategoricalHinge, {}, one_hot_logits),
    *[
        (f"{name}{suffix}", cls, arguments, pair)
        for name, cls in (("precision", K.Precision), ("recall", K.Recall))
        for suffix, arguments, pair in (
            ("", {}, binary),
            ("_vector", {}, binary_vector),
            ("_wide", {}, binary_wide),
            ("_threshold", {"thresholds": 0.3}, binary),
            ("_thresholds", {"thresholds": [0.2, 0.5, 0.9]}, binary),
            ("_top_k", {"top_k": 2}, one_hot_probabilities),
            ("_class_id", {"class_id": 1}, binary_wide),
            ("_top_k_class_id", {"top_k": 2, "class_id": 1}, one_hot_probabilities),
            ("_none_positive", {"thresholds": 0.999}, binary),
        )
    ],
    *[
        (f"{cls.__name__.lower()}{suffix}", cls, arguments, pair)
        for cls in (K.TruePositives, K.TrueNegatives, K.FalsePositives, K.FalseNegatives)
        for suffix, arguments, pair in (
            ("", {}, binary),
            ("_wide", {}, binary_wide),
            ("_threshold", {"thresholds": 0.3}, binary),
            ("_thresholds", {"thresholds": [0.2, 0.5, 0.9]}, binary),
        )
    ],
    *[
        (f"auc_{curve.lower()}_{method}", K.AUC, {"curve": curve, "summation_method": method, "num_thresholds": 20}, binary)
        for curve in ("ROC", "PR")
        for method in ("interpolation", "majoring", "minoring")
    ],
    ("auc", K.AUC, {}, binary),
    ("auc_vector", K.AUC, {}, binary_vector),
    ("auc_pr", K.AUC, {"curve": "PR"}, binary),
    ("auc_wide", K.AUC, {}, binary_wide),
    ("auc_num_thresholds", K.AUC, {"num_thresholds": 7}, binary),
    ("auc_thresholds", K.AUC, {"thresholds": [0.1, 0.35, 0.8]}, binary),
    ("auc_from_logits", K.AUC, {"from_logits": True}, binary_logits),
    ("auc_multi_label", K.AUC, {"multi_label": True, "num_labels": 3}, binary_wide),
    ("auc_multi_label_pr", K.AUC, {"multi_label": True, "num_labels": 3, "curve": "PR", "num_thresholds": 11}, binary_wide),
    (
        "auc_multi_label_weights",
        K.AUC,
        {"multi_label": True, "num_labels": 3, "num_thresholds": 11, "label_weights": [0.2, 0.5, 1.5]},
        binary_wide,
    ),
    (
        "binary_accuracy_at_threshold",
        K.BinaryAccuracy,
        {},
        lambda r: (np.array([[0], [1], [1]], "float32"), np.array([[0.5], [0.5], [0.75]], "float32")),
    ),
    (
        "precision_at_threshold",
        K.Precision,
        {},
        lambda r: (np.array([[0], [1], [1]], "float32"), np.array([[0.5], [0.5], [0.75]], "float32")),
    ),
]  # fmt: skip



def metrics():
    cases = []
    for name, cls, arguments, pair in PAIRS:
        for weighted in (False, True):
            full = f"{name}_weighted" if weighted else name
            random = Random(full)
            updates = []
            for _ in range(3):
                y_true, y_pred = pair(random)
                update = {"y_true": y_true, "y_pred": y_pred, "sample_weight": None}
                if weighted:
                    update["sample_weight"] = random.uniform(0.2, 2, *y_true.shape[: 2 if name.endswith("rank_3") else 1])
                updates.append(update)
            cases.append(case(full, cls, arguments, updates))
    for cls in (K.Mean, K.Sum):
        for weighted in (False, True):
            name = cls.__name__.lower() + ("_weighted" if weighted else "")
            random = Random(name)
            updates = [
                {"values": random.normal(*shape), "sample_weight": random.uniform(0.2, 2, *shape[:1]) if weighted else None}
                for shape in ((3,), (), (2, 2))
            ]
            cases.append(case(name, cls, {}, updates))
    return cases


def metrics_more():
    cases = []
    for name, cls, arguments, make in MORE:
        random = Random(name)
        updates = [dict(zip(("y_true", "y_pred", "sample_weight"), make(random))) for _ in range(3)]
        cases.append(case(name, cls, arguments, updates))
    return cases


def case(name, cls, arguments, updates):
    metric = cls(**arguments)
    values = []
    for update in updates:
        metric.update_state(**update)
        values.append(array(metric.result()))
    return {
        "name": name,
        "class_name": type(metric).__name__,
        "arguments": arguments,
        "config": config_of(metric),
        "updates": [{k: None if v is None else array(v) for k, v in update.items()} for update in updates],
        "values": values,
        "variables": named(metric.variables),
    }
