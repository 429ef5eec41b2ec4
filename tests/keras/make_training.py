"""training.json and training_layers.json: whole training runs, without shuffling and from given weights."""

import json

import keras
import numpy as np
from keras import Input, Model, Sequential
from keras import layers as L
from keras import losses, metrics, optimizers, regularizers

from common import Random, array, number

SPARSE = "sparse_categorical_crossentropy"


def mlp(**options):
    return Sequential([Input((6,)), L.Dense(8, activation="relu", **options), L.Dense(3, activation="softmax")])


def classes(random, count=20):
    """Inputs, and labels that can be learned from them."""
    x = random.normal(count, 6)
    return x, x[:, :3].argmax(axis=1).astype("int32")


def xor(random):
    model = Sequential([Input((2,)), L.Dense(10), L.Activation("tanh"), L.Dense(1), L.Activation("sigmoid")])
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    y = np.array([[0], [1], [1], [0]], "float32")
    compiled = {"optimizer": optimizers.SGD(learning_rate=0.1), "loss": "mean_squared_error"}
    return model, compiled, x, y, {"epochs": 5, "batch_size": 4}


def xor_binary_crossentropy(random):
    model, _, x, y, fit = xor(random)
    compiled = {"optimizer": optimizers.SGD(learning_rate=0.5), "loss": "binary_crossentropy", "metrics": ["accuracy"]}
    return model, compiled, x, y, {"epochs": 5, "batch_size": 2}


def mlp_adam(random):
    x, y = classes(random)
    validation = classes(random, 7)
    compiled = {"optimizer": "adam", "loss": SPARSE, "metrics": ["accuracy"]}
    return mlp(), compiled, x, y, {"epochs": 3, "batch_size": 8, "validation_data": validation}


def mlp_validation_split(random):
    x, y = classes(random)
    compiled = {
        "optimizer": optimizers.Adam(learning_rate=0.05),
        "loss": losses.SparseCategoricalCrossentropy(),
        "metrics": ["acc", "sparse_top_k_categorical_accuracy", metrics.SparseTopKCategoricalAccuracy(k=2, name="top_2")],
    }
    return mlp(), compiled, x, y, {"epochs": 2, "batch_size": 6, "validation_split": 0.25}


def mlp_class_weight(random):
    x, y = classes(random)
    compiled = {"optimizer": optimizers.Adam(learning_rate=0.02), "loss": SPARSE, "metrics": ["accuracy"]}
    return mlp(), compiled, x, y, {"epochs": 3, "batch_size": 8, "class_weight": {0: 0.5, 1: 1.0, 2: 3.0}}


def mlp_class_weight_weighted_metrics(random):
    model, compiled, x, y, fit = mlp_class_weight(random)
    return model, {**compiled, "weighted_metrics": ["accuracy"]}, x, y, fit


def mlp_sample_weight(random):
    x, y = classes(random)
    validation = (*classes(random, 7), random.uniform(0.2, 2, 7))
    compiled = {
        "optimizer": optimizers.Adam(learning_rate=0.02),
        "loss": SPARSE,
        "metrics": ["accuracy"],
        "weighted_metrics": ["accuracy", "sparse_categorical_crossentropy"],
    }
    fit = {"epochs": 3, "batch_size": 8, "sample_weight": random.uniform(0.2, 2, 20), "validation_data": validation}
    return mlp(), compiled, x, y, fit


def one_hot_labels(random):
    x, y = classes(random)
    compiled = {
        "optimizer": "rmsprop",
        "loss": losses.CategoricalCrossentropy(label_smoothing=0.1),
        "metrics": ["accuracy", "categorical_crossentropy", metrics.Precision(), metrics.AUC(num_thresholds=20)],
    }
    return mlp(), compiled, x, np.eye(3, dtype="float32")[y], {"epochs": 2, "batch_size": 7}


def regression_metrics(random):
    model = Sequential([Input((3,)), L.Dense(4, activation="tanh"), L.Dense(1)])
    compiled = {
        "optimizer": "sgd",
        "loss": "mse",
        "metrics": ["mae", "mean_squared_error", metrics.RootMeanSquaredError(), "accuracy"],
    }
    x = random.normal(10, 3)
    return model, compiled, x, x.sum(axis=1).round(3), {"epochs": 3, "batch_size": 4}


def two_outputs_model():
    left, right = Input((4,), name="left"), Input((3,), name="right")
    both = L.Concatenate()([L.Dense(5, activation="relu")(left), L.Dense(4, activation="tanh")(right)])
    score = L.Dense(1, name="score")(both)
    kind = L.Dense(3, activation="softmax", name="kind")(both)
    return Model([left, right], [score, kind])


def two_outputs_data(random):
    x = [random.normal(11, 4), random.normal(11, 3)]
    y = [(x[0].sum(axis=1, keepdims=True)).round(3), x[1].argmax(axis=1).astype("int32")]
    return x, y


def two_outputs(random):
    x, y = two_outputs_data(random)
    compiled = {
        "optimizer": optimizers.Adam(learning_rate=0.02),
        "loss": ["mse", SPARSE],
        "loss_weights": [0.5, 2.0],
        "metrics": [["mae"], ["accuracy"]],
    }
    return two_outputs_model(), compiled, x, y, {"epochs": 3, "batch_size": 4, "validation_data": two_outputs_data(random)}


def two_outputs_dictionaries(random):
    x, y = two_outputs_data(random)
    compiled = {
        "optimizer": optimizers.SGD(learning_rate=0.05),
        "loss": {"kind": SPARSE, "score": "mae"},
        "loss_weights": {"kind": 3.0, "score": 0.25},
        "metrics": {"kind": ["accuracy", SPARSE], "score": ["mse"]},
        "weighted_metrics": {"score": ["mae"]},
    }
    return two_outputs_model(), compiled, x, y, {"epochs": 2, "batch_size": 4}


def two_outputs_one_loss(random):
    """One name of a loss does for both outputs; no metrics."""
    inputs = Input((3,))
    model = Model(inputs, [L.Dense(2)(inputs), L.Dense(1)(inputs)])
    x = random.normal(6, 3)
    y = [random.normal(6, 2), random.normal(6, 1)]
    return model, {"optimizer": "sgd", "loss": "mse"}, x, y, {"epochs": 2, "batch_size": 3}


def batch_normalization(random):
    model = Sequential([
        Input((6,)),
        L.Dense(8, use_bias=False),
        L.BatchNormalization(momentum=0.9),
        L.Activation("relu"),
        L.Dense(3, activation="softmax"),
    ])
    x, y = classes(random)
    compiled = {"optimizer": optimizers.SGD(learning_rate=0.1, momentum=0.9), "loss": SPARSE, "metrics": ["accuracy"]}
    return model, compiled, x, y, {"epochs": 3, "batch_size": 8, "validation_data": classes(random, 6)}


def frozen_batch_normalization(random):
    """A frozen layer neither learns nor moves its statistics."""
    model, compiled, x, y, fit = batch_normalization(random)
    model.layers[1].trainable = False
    return model, compiled, x, y, fit


def regularized(random):
    """The loss that history shows holds the penalty; so does val_loss."""
    x, y = classes(random)
    model = mlp(kernel_regularizer=regularizers.L2(0.05), bias_regularizer=regularizers.L1(0.01))
    compiled = {"optimizer": optimizers.SGD(learning_rate=0.1), "loss": SPARSE, "metrics": ["accuracy", SPARSE]}
    return model, compiled, x, y, {"epochs": 3, "batch_size": 8, "validation_data": classes(random, 6)}


def activity_regularized(random):
    x, y = classes(random)
    model = mlp(activity_regularizer=regularizers.L2(0.01))
    compiled = {"optimizer": optimizers.SGD(learning_rate=0.1), "loss": SPARSE}
    return model, compiled, x, y, {"epochs": 2, "batch_size": 8}


def constrained(random):
    x, y = classes(random)
    model = mlp(kernel_constraint="max_norm", bias_constraint="non_neg")
    compiled = {"optimizer": optimizers.SGD(learning_rate=0.5), "loss": SPARSE}
    return model, compiled, x, y, {"epochs": 2, "batch_size": 8}


def momentum_clipnorm(random):
    x, y = classes(random)
    compiled = {"optimizer": optimizers.SGD(learning_rate=0.2, momentum=0.9, clipnorm=0.3), "loss": SPARSE}
    return mlp(), compiled, x, y, {"epochs": 3, "batch_size": 8}


def adam_w_global_clipnorm_schedule(random):
    x, y = classes(random)
    schedule = optimizers.schedules.CosineDecay(0.1, decay_steps=8, alpha=0.1)
    optimizer = optimizers.AdamW(learning_rate=schedule, weight_decay=0.1, global_clipnorm=0.5)
    return mlp(), {"optimizer": optimizer, "loss": SPARSE}, x, y, {"epochs": 3, "batch_size": 8}


def ema(random):
    x, y = classes(random)
    optimizer = optimizers.Adam(learning_rate=0.05, use_ema=True, ema_momentum=0.8)
    return mlp(), {"optimizer": optimizer, "loss": SPARSE}, x, y, {"epochs": 2, "batch_size": 8}


def gradient_accumulation(random):
    x, y = classes(random)
    optimizer = optimizers.Adam(learning_rate=0.05, gradient_accumulation_steps=2)
    return mlp(), {"optimizer": optimizer, "loss": SPARSE}, x, y, {"epochs": 3, "batch_size": 8}


def convnet(random):
    model = Sequential([
        Input((6, 6, 1)),
        L.Conv2D(3, 3, padding="same", activation="relu"),
        L.MaxPooling2D(),
        L.Conv2D(4, 2, activation="tanh"),
        L.GlobalAveragePooling2D(),
        L.LayerNormalization(),
        L.Dense(2, activation="softmax"),
    ])
    x = random.normal(10, 6, 6, 1)
    y = (x.mean(axis=(1, 2, 3)) > 0).astype("int32")
    compiled = {"optimizer": optimizers.Adam(learning_rate=0.01), "loss": SPARSE, "metrics": ["accuracy"]}
    return model, compiled, x, y, {"epochs": 2, "batch_size": 4}


def embedding(random):
    model = Sequential([Input((4,), dtype="int32"), L.Embedding(9, 3), L.Flatten(), L.Dense(1, activation="sigmoid")])
    x = random.integers(9, 10, 4)
    y = (x.sum(axis=1) > 16).astype("float32")
    compiled = {"optimizer": optimizers.Adam(learning_rate=0.05), "loss": "binary_crossentropy", "metrics": ["accuracy"]}
    return model, compiled, x, y, {"epochs": 3, "batch_size": 5}


RUNS = [
    xor, xor_binary_crossentropy, mlp_adam, mlp_validation_split, mlp_class_weight,
    mlp_class_weight_weighted_metrics, mlp_sample_weight, one_hot_labels, regression_metrics,
    two_outputs, two_outputs_dictionaries, two_outputs_one_loss, batch_normalization,
    frozen_batch_normalization, regularized, activity_regularized, constrained, momentum_clipnorm,
    adam_w_global_clipnorm_schedule, ema, gradient_accumulation, convnet, embedding,
]  # fmt: skip


def spectral_normalization(random):
    """Adam, a penalty on what is divided, and two layers, one of them a convolution."""
    normalized = L.SpectralNormalization
    model = Sequential([
        Input((6, 1)),
        normalized(L.Conv1D(4, 3, activation="relu"), power_iterations=2),
        L.Flatten(),
        normalized(L.Dense(3, kernel_regularizer=regularizers.L2(0.05))),
        L.Softmax(),
    ])  # fmt: skip
    x, y = classes(random)
    compiled = {"optimizer": optimizers.Adam(learning_rate=0.02), "loss": SPARSE, "metrics": ["accuracy"]}
    return model, compiled, x[..., None], y, {"epochs": 3, "batch_size": 8}


def masked_steps(random):
    """The mask goes through layers to the loss, and to metrics."""
    model = Sequential([
        Input((5,), dtype="int32"),
        L.Embedding(9, 3, mask_zero=True),
        L.LSTM(4, return_sequences=True),
        L.Dropout(0.0),
        L.Dense(1, activation="tanh"),
    ])  # fmt: skip
    x, y = padded(random)
    compiled = {"optimizer": optimizers.Adam(learning_rate=0.05), "loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mse"]}
    return model, compiled, x, y, {"epochs": 3, "batch_size": 4}


def masked_graph(random):
    """Two masked branches, a merge of them, attention, and a mean over the steps that count."""
    one, two = Input((5,), dtype="int32", name="one"), Input((5,), dtype="int32", name="two")
    embedding = L.Embedding(9, 4, mask_zero=True)
    a, b = embedding(one), L.Bidirectional(L.GRU(2, return_sequences=True, name="gru"), name="both")(embedding(two))
    attended = L.MultiHeadAttention(2, 3)(a, b)
    x = L.LayerNormalization()(L.Add()([attended, a]))
    x = L.Concatenate()([L.GlobalAveragePooling1D()(x), L.LSTM(3)(x)])
    model = Model([one, two], L.Dense(1, activation="sigmoid")(x))
    x, y = padded(random)
    x = [x, np.roll(x, 3, axis=0)]
    # Not Adam: it would make steps of what is left by rounding of the keys' bias, whose gradient is 0.
    compiled = {"optimizer": optimizers.SGD(learning_rate=0.2), "loss": "binary_crossentropy", "metrics": ["accuracy"]}
    return model, compiled, x, (y[:, :1, 0] > 0).astype("float32"), {"epochs": 2, "batch_size": 4}


def padded(random):
    """Sequences of several lengths, and a number for each step."""
    x = random.integers(9, 10, 5)
    x[:, 0] = np.maximum(x[:, 0], 1)
    for row, length in zip(x, [5, 3, 4, 1, 2, 5, 3, 2, 4, 5]):
        row[length:] = 0
    return x, random.normal(10, 5, 1)


FURTHER_RUNS = [spectral_normalization, masked_steps, masked_graph]


def training():
    return [case(make) for make in RUNS]


def training_layers():
    return [case(make) for make in FURTHER_RUNS]


def case(make):
    keras.utils.clear_session(free_memory=False)
    random = Random(make.__name__)
    model, compiled, x, y, fit = make(random)
    model.set_weights(random.weights_for(model.weights))
    result = {
        "name": make.__name__,
        "json": json.loads(model.to_json()),
        "compile": plain(compiled),
        "weights": weights_of(model),
        "x": arrays(x),
        "y": arrays(y),
        "fit": plain(fit),
    }
    model.compile(**compiled)
    history = model.fit(x, y, shuffle=False, verbose=0, **fit).history
    # A list of pairs, since the order of the keys is part of the promise.
    result["history"] = [{"key": k, "values": [number(v) for v in values]} for k, values in history.items()]
    result["weights_after"] = weights_of(model)
    result["optimizer_variables"] = [
        {"path": v.path, "array": array(v.numpy())} for v in model.optimizer.variables
    ]
    options = {"batch_size": fit["batch_size"], "sample_weight": fit.get("sample_weight"), "verbose": 0}
    evaluated = model.evaluate(x, y, return_dict=True, **options)
    result["evaluate"] = [{"key": k, "value": number(v)} for k, v in evaluated.items()]
    # Without return_dict: the loss comes first, then the metrics in another order.
    result["evaluate_list"] = [number(v) for v in np.atleast_1d(model.evaluate(x, y, **options))]
    result["metrics_names"] = [m.name for m in model.metrics]
    result["predict"] = arrays(model.predict(x, batch_size=fit["batch_size"], verbose=0))
    return result


def weights_of(model):
    return [{"path": v.path, "trainable": v.trainable, "array": array(v.numpy())} for v in model.weights]


def arrays(value):
    """Always a list: one array for each input or output."""
    return [array(v) for v in (value if isinstance(value, list) else [value])]


def plain(value):
    """Keras objects in their JSON form, arrays in ours, lists and texts as they are."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple) and not isinstance(value[0], list):  # (x, y) or (x, y, sample_weight)
        return [array(v) for v in value]
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return array(value)
    if value is None or isinstance(value, (str, int, float)):
        return value
    return keras.saving.serialize_keras_object(value)
