"""files.json and files/: models that Keras saved, what they predict, and how they train on."""

import pathlib

import keras
import numpy as np
from keras import Input, Model, Sequential
from keras import layers as L
from keras import optimizers

from common import Random, array, number

FILES = pathlib.Path(__file__).parent / "files"
SPARSE = "sparse_categorical_crossentropy"


def sequential(random):
    model = Sequential([Input((5,)), L.Dense(4, activation="tanh"), L.Dropout(0.0), L.Dense(3, activation="softmax")])
    x = random.normal(12, 5)
    compiled = {"optimizer": optimizers.Adam(0.02), "loss": SPARSE, "metrics": ["accuracy"]}
    return model, compiled, x, x[:, :3].argmax(axis=1).astype("int32")


def shared_nested(random):
    """A layer called twice, a model within a model, two inputs and two outputs."""
    left, right = Input((4,), name="left"), Input((4,), name="right")
    shared = L.Dense(3, activation="relu", name="shared")
    inner_input = Input((3,))
    inner = Model(inner_input, L.Dense(2)(L.Dense(3, activation="tanh")(inner_input)), name="inner")
    chain = Sequential([Input((3,)), L.Dense(2, activation="relu"), L.BatchNormalization()], name="chain")
    a, b = shared(left), shared(right)
    both = L.Concatenate()([inner(a), chain(b), L.Subtract()([a, b])])
    score = L.Dense(1, name="score")(both)
    kind = L.Dense(3, activation="softmax", name="kind")(L.Concatenate()([both, inner(b)]))
    x = [random.normal(10, 4), random.normal(10, 4)]
    y = [x[0].sum(axis=1, keepdims=True).round(3), x[1][:, :3].argmax(axis=1).astype("int32")]
    compiled = {
        "optimizer": optimizers.SGD(0.05, momentum=0.9),
        "loss": {"score": "mse", "kind": SPARSE},
        "loss_weights": {"score": 0.5, "kind": 2.0},
        "metrics": {"score": ["mae"], "kind": ["accuracy"]},
    }
    return Model([left, right], [score, kind]), compiled, x, y


def convolutional(random):
    model = Sequential([
        Input((6, 6, 2)),
        L.Conv2D(3, 3, padding="same"),
        L.BatchNormalization(),
        L.ReLU(),
        L.DepthwiseConv2D(2),
        L.GroupNormalization(1),
        L.SeparableConv2D(2, 2),
        L.Conv2DTranspose(2, 2),
        L.PReLU(),
        L.MaxPooling2D(),
        L.Flatten(),
        L.LayerNormalization(),
        L.Dense(2),
    ])
    x = random.normal(8, 6, 6, 2)
    return model, {"optimizer": "rmsprop", "loss": "mse"}, x, x.mean(axis=(1, 2)).round(3)


def recurrent(random):
    steps = Input((5,), dtype="int32", name="steps")
    x = L.Embedding(9, 3, mask_zero=True)(steps)
    x = L.Bidirectional(L.LSTM(2, return_sequences=True))(x)
    x = L.GRU(3, return_sequences=True)(x)
    x = L.RNN([L.SimpleRNNCell(2), L.GRUCell(2, reset_after=False)], return_sequences=True)(x)
    x = L.TimeDistributed(L.Dense(3, activation="tanh"))(x)
    x, h, c = L.LSTM(2, return_state=True)(x)
    x = L.LSTM(2)(L.RepeatVector(3)(x), initial_state=[h, c])
    model = Model(steps, L.Dense(1, activation="sigmoid")(x))
    data = random.integers(8, 10, 5) + 1
    data[::2, 4] = 0
    y = (data.sum(axis=1, keepdims=True) > 20).astype("float32")
    return model, {"optimizer": optimizers.Adam(0.01), "loss": "binary_crossentropy"}, data.astype("int32"), y


def states_and_masks(random):
    """A recurrent layer that is given states forgets the mask of its input unless it is told, but passes it on."""
    steps, more = Input((5,), dtype="int32", name="steps"), Input((4,), dtype="int32", name="more")
    levels = Input((4, 2), name="levels")
    _, h, c = L.LSTM(3, return_state=True)(L.Embedding(9, 3, mask_zero=True)(steps))
    embedding, masking = L.Embedding(9, 3, mask_zero=True), L.Masking(0.5)
    x, z = embedding(more), L.Dropout(0.0)(masking(levels))
    forgot = L.LSTM(3, return_sequences=True)(x, initial_state=[h, c])
    told = L.GRU(3, return_sequences=True)(x, initial_state=h, mask=embedding.compute_mask(more))
    masks = {"initial_state": [h, c], "mask": masking.compute_mask(levels)}
    both = L.Bidirectional(L.SimpleRNN(3), merge_mode="sum")(z, **masks)
    last = L.Dense(1, name="last")(L.Add()([both, L.GRU(3)(forgot)]))
    model = Model([steps, more, levels], [L.Dense(1, name="each")(L.Add()([forgot, told])), last])
    x = [random.integers(9, 8, 5).astype("int32") for _ in range(2)]
    x[1] = x[1][:, :4].copy()
    x[0][::2, 3:], x[1][::3, 2:] = 0, 0
    x.append(random.normal(8, 4, 2))
    x[2][1::2, 1:3] = 0.5
    y = [(x[1] % 2)[..., None].astype("float32"), x[2].sum(axis=(1, 2))[:, None].round(3)]
    return model, {"optimizer": optimizers.Adam(0.01), "loss": "mse"}, x, y


def attention(random):
    x = Input((4, 6), name="x")
    memory = Input((3, 6), name="memory")
    y = L.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
    y = L.LayerNormalization()(L.Add()([x, y]))
    z = L.MultiHeadAttention(2, 2)(y, value=memory, key=memory)
    z = L.GroupQueryAttention(2, 2, 1)(z, memory)
    z = L.Attention(use_scale=True)([z, memory])
    z = L.RMSNormalization()(L.AdditiveAttention()([z, memory]))
    z = L.Conv1D(2, 2, padding="causal")(z)
    model = Model([x, memory], L.GlobalAveragePooling1D()(z))
    data = [random.normal(6, 4, 6), random.normal(6, 3, 6)]
    y = data[0].mean(axis=1)[:, :2].round(3)
    return model, {"optimizer": optimizers.AdamW(0.01, use_ema=True), "loss": "mse"}, data, y


def normalized(random):
    """What `adapt` found lies in variables; a layer is frozen."""
    layer = L.Normalization()
    x = (random.normal(12, 4) * 3 + 1).astype("float32")
    layer.adapt(x)
    model = Sequential([Input((4,)), layer, L.Dense(3, trainable=False), L.BatchNormalization(), L.Dense(1)])
    return model, {"optimizer": optimizers.Adagrad(0.1), "loss": "huber"}, x, x.sum(axis=1, keepdims=True).round(3)


def tiny():
    return Sequential([Input((4,)), L.Dense(3, activation="tanh"), L.Dense(1)])


def with_optimizer(name, optimizer):
    def make(random):
        x = random.normal(8, 4)
        return tiny(), {"optimizer": optimizer, "loss": "mse", "metrics": ["mae"]}, x, x.sum(axis=1, keepdims=True).round(3)

    make.__name__ = name
    return make


SCHEDULE = optimizers.schedules.ExponentialDecay(0.05, 3, 0.5)
OPTIMIZERS = {
    "sgd_schedule": lambda: optimizers.SGD(SCHEDULE, momentum=0.9, nesterov=True),
    "rmsprop_all": lambda: optimizers.RMSprop(0.02, momentum=0.5, centered=True),
    "adam_amsgrad": lambda: optimizers.Adam(0.02, amsgrad=True, global_clipnorm=1.0),
    "adamw_accumulated": lambda: optimizers.AdamW(0.02, gradient_accumulation_steps=2),
    "adamax": lambda: optimizers.Adamax(0.02),
    "nadam": lambda: optimizers.Nadam(0.02),
    "adadelta": lambda: optimizers.Adadelta(0.5),
    "adafactor": lambda: optimizers.Adafactor(0.02),
    "ftrl": lambda: optimizers.Ftrl(0.05),
    "lion": lambda: optimizers.Lion(0.005),
    "lamb": lambda: optimizers.Lamb(0.02),
    "muon": lambda: optimizers.Muon(0.02),
    "loss_scale": lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.02), initial_scale=8.0, dynamic_growth_steps=4),
    "multi": lambda: optimizers.MultiOptimizer(
        optimizers.OptimizerMap(optimizers.Nadam(0.02), {".*kernel": optimizers.Adafactor(0.02)})
    ),
}

MODELS = [sequential, shared_nested, convolutional, recurrent, states_and_masks, attention, normalized]


def files():
    FILES.mkdir(exist_ok=True)
    cases = [case(make) for make in MODELS]
    return cases + [case(with_optimizer(name, make())) for name, make in OPTIMIZERS.items()]


def case(make):
    keras.utils.clear_session(free_memory=False)
    name = make.__name__
    random = Random(name)
    model, compiled, x, y = make(random)
    fresh = [v for layer in model.layers if not isinstance(layer, L.Normalization) for v in layer.weights]
    for variable, value in zip(fresh, random.weights_for(fresh)):
        variable.assign(value)
    model.compile(**compiled)
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    model.fit(x, y, epochs=1, **options)
    path = FILES / f"{name}.keras"
    model.save(path)
    if name in ("sequential", "recurrent"):
        model.save_weights(FILES / f"{name}.weights.h5")
        model.save(FILES / f"{name}.h5")
    model = keras.models.load_model(path)
    result = {"name": name, "x": arrays(x), "y": arrays(y), "predict": arrays(model.predict(x, verbose=0))}
    evaluated = model.evaluate(x, y, batch_size=4, return_dict=True, verbose=0)
    result["evaluate"] = [{"key": k, "value": number(v)} for k, v in evaluated.items()]
    history = model.fit(x, y, epochs=2, **options).history
    result["history"] = [{"key": k, "values": [number(v) for v in values]} for k, values in history.items()]
    result["weights_after"] = [{"path": v.path, "array": array(v.numpy())} for v in model.weights]
    return result


def arrays(value):
    """Always a list: one array for each input or output."""
    return [array(v) for v in (value if isinstance(value, list) else [value])]
