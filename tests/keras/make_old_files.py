"""files/old-*: models that earlier versions of Keras saved, and files_old.json, what they predict and how they train on.

Not made by make.py, since each version needs an environment of its own, with Python 3.11:

    pip install tensorflow-cpu==2.12.1 && python tests/keras/make_old_files.py
    pip install keras==3.0.5 "jax[cpu]==0.4.23" "numpy<2" h5py && KERAS_BACKEND=jax python tests/keras/make_old_files.py

Each run replaces its own version's cases and leaves the others.
"""

import json
import pathlib

import keras
import numpy as np
from keras import Input, Model, Sequential
from keras import layers as L
from keras import optimizers

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE / "goldens" / "files_old.json"
MAJOR = int(keras.__version__.split(".")[0])
SPARSE = "sparse_categorical_crossentropy"


def array(value):
    value = np.asarray(value)
    floats = np.issubdtype(value.dtype, np.floating)
    values = [float(str(np.float32(v))) for v in value.ravel()] if floats else value.ravel().tolist()
    return {"shape": list(value.shape), "dtype": "float32" if floats else "int32", "values": values}


def dense(rng):
    model = Sequential([
        Input((5,)),
        L.Dense(4, activation="tanh", kernel_regularizer="l2"),
        L.BatchNormalization(),
        L.Dropout(0.0),
        L.Dense(3, activation="softmax"),
    ])
    x = rng.normal(size=(12, 5)).round(3).astype("float32")
    y = x[:, :3].argmax(axis=1).astype("int32")
    return model, {"optimizer": optimizers.Adam(learning_rate=0.02), "loss": SPARSE, "metrics": ["accuracy"]}, x, y


def graph(rng):
    """Shared and nested layers, a convolution, two outputs."""
    image, other = Input((4, 4, 2), name="image"), Input((3,), name="other")
    flat = L.Flatten()(L.MaxPooling2D()(L.Conv2D(3, 3, padding="same", activation="relu")(image)))
    inner_input = Input((3,))
    inner = Model(inner_input, L.BatchNormalization()(L.Dense(3)(inner_input)), name="inner")
    shared = L.Dense(3, name="shared")
    both = L.Concatenate()([inner(shared(flat)), inner(other)])
    model = Model([image, other], [L.Dense(1, name="score")(both), L.Dense(2, activation="softmax", name="kind")(both)])
    x = [rng.normal(size=(8, 4, 4, 2)).round(3).astype("float32"), rng.normal(size=(8, 3)).round(3).astype("float32")]
    y = [x[1].sum(axis=1, keepdims=True), (x[1][:, 0] > 0).astype("int32")]
    compiled = {"optimizer": optimizers.SGD(learning_rate=0.05, momentum=0.9), "loss": ["mse", SPARSE]}
    return model, compiled, x, y


def recurrent(rng):
    model = Sequential([
        Input((5,), dtype="int32"),
        L.Embedding(9, 3, mask_zero=True),
        # Keras 3.0 can't read what it writes of this wrapper.
        L.Bidirectional(L.LSTM(2, return_sequences=True)) if MAJOR == 2 else L.LSTM(2, return_sequences=True),
        L.GRU(3),
        L.Dense(1, activation="sigmoid"),
    ])
    x = rng.integers(1, 9, size=(8, 5)).astype("int32")
    y = (x.sum(axis=1, keepdims=True) > 20).astype("float32")
    # Not RMSprop: `keras.optimizers` of 2.12 is the older one, which without momentum divides by
    # sqrt(velocity) + epsilon; it is sqrt(velocity + epsilon) with momentum, in its successors, and in cornu.
    return model, {"optimizer": optimizers.SGD(learning_rate=0.1), "loss": "binary_crossentropy"}, x, y


def small(rng):
    model = Sequential([Input((3,)), L.Dense(2)])
    x = rng.normal(size=(8, 3)).round(3).astype("float32")
    return model, {"optimizer": optimizers.RMSprop(learning_rate=0.01, momentum=0.5, centered=True), "loss": "mse"}, x, x[:, :2]


def case(make, suffix):
    keras.backend.clear_session()
    rng = np.random.default_rng(7)
    model, compiled, x, y = make(rng)
    model.set_weights([rng.uniform(0.2, 0.9, w.shape).astype("float32").round(3) for w in model.get_weights()])
    model.compile(**compiled)
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    model.fit(x, y, epochs=1, **options)
    name = f"old-{keras.__version__}-{make.__name__}{suffix}"
    path = HERE / "files" / name
    extra = {"save_format": "keras"} if MAJOR == 2 and suffix == ".keras" else {}
    model.save(path, **extra)
    model = keras.models.load_model(path)
    predicted = model.predict(x, verbose=0)
    result = {"name": name, "version": keras.__version__, "x": listed(x), "y": listed(y), "predict": listed(predicted)}
    history = model.fit(x, y, epochs=2, **options).history
    result["history"] = [{"key": k, "values": [float(np.float32(v)) for v in h]} for k, h in history.items()]
    result["weights_after"] = [array(w) for w in model.get_weights()]
    return result


def listed(value):
    return [array(v) for v in (value if isinstance(value, list) else [value])]


if __name__ == "__main__":
    old = json.loads(GOLDEN.read_text())["cases"] if GOLDEN.exists() else []
    cases = [c for c in old if c["version"] != keras.__version__]
    # Keras 2.12 writes HDF5 under either name; 3.0 can't train on with what it reads from `.h5`.
    wanted = [(make, ".h5" if MAJOR == 2 else ".keras") for make in (dense, graph, recurrent)]
    cases += [case(make, suffix) for make, suffix in wanted]
    if MAJOR == 2:
        cases += [case(dense, ".keras"), case(small, ".h5")]
    cases.sort(key=lambda c: c["name"])
    lines = ",\n".join(json.dumps(c) for c in cases)
    GOLDEN.write_text('{"keras_version": "several", "cases": [\n' + lines + "\n]}\n")
