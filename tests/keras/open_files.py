"""Opens in Keras the files that cornu wrote into a folder, and compares weights, predictions and an epoch of training.

    KERAS_BACKEND=jax python tests/keras/open_files.py FOLDER

The test `keras_opens_what_is_written_here` of cornu-models fills such a folder and runs this, with the Python that the
variable CORNU_PYTHON names. Each `NAME.json` there says what `NAME.keras` and `NAME.weights.h5` must hold.
"""

import json
import os
import pathlib
import sys
import warnings

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")


def main(folder):
    try:
        import keras
    except ImportError as error:
        print(f"skipped: {error}")
        return
    print(f"Keras {keras.__version__}")
    # Keras only warns of an optimizer's state that it can't read.
    warnings.filterwarnings("error", message="Skipping variable loading")
    wanted = sorted(pathlib.Path(folder).glob("*.json"))
    assert wanted, f"nothing to open in {folder}"
    for path in wanted:
        check(keras, path, json.loads(path.read_text()))
        print(f"{path.stem}: the same")


def check(keras, path, wanted):
    import numpy as np

    def tensor(a):
        return np.array(a["values"], a["dtype"]).reshape(a["shape"])

    def near(name, ours, theirs, tolerance):
        assert ours.shape == theirs.shape, f"{path.stem}: {name}: {ours.shape}, not {theirs.shape}"
        worst = np.max(np.abs(ours - theirs) / (1 + np.abs(theirs)), initial=0.0)
        assert worst <= tolerance, f"{path.stem}: {name}: {worst} away"

    model = keras.models.load_model(path.with_suffix(".keras"))
    same_weights(model, wanted, tensor, near)
    x, y = ([tensor(a) for a in wanted[key]] for key in ("x", "y"))
    one = lambda arrays: arrays[0] if len(arrays) == 1 else arrays  # noqa: E731
    predicted = model.predict(one(x), verbose=0)
    predicted = predicted if isinstance(predicted, list) else [predicted]
    for at, (ours, theirs) in enumerate(zip(wanted["predict"], predicted, strict=True)):
        near(f"output {at}", tensor(ours), theirs, 1e-5)
    # A LossScaleOptimizer leaves the counting to the one within.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    assert int(optimizer._iterations) == wanted["iterations"], f"{path.stem}: iterations"
    history = model.fit(one(x), one(y), batch_size=4, epochs=1, shuffle=False, verbose=0).history
    assert set(history) == set(wanted["history"]), f"{path.stem}: {set(history)}"
    for key, values in wanted["history"].items():
        near(key, np.array(values), np.array(history[key]), 1e-3)
    fresh = keras.models.clone_model(model)
    fresh.load_weights(path.with_suffix(".weights.h5"))
    same_weights(fresh, wanted, tensor, near)


def same_weights(model, wanted, tensor, near):
    for ours, theirs in zip(wanted["weights"], model.weights, strict=True):
        assert ours["path"].split("/")[-1] == theirs.name, (ours["path"], theirs.path)
        near(ours["path"], tensor(ours["array"]), theirs.numpy(), 0)


if __name__ == "__main__":
    main(sys.argv[1])
