"""classes.json, beside this file: the classes of each of Keras's modules, without those that are
only there to be derived from."""

import inspect
import json
import pathlib

import keras

BASES = {
    "Callback", "CallbackList", "Constraint", "Initializer", "InputSpec", "Layer",
    "LearningRateSchedule", "Loss", "MeanMetricWrapper", "Metric", "Optimizer", "OptimizerMap",
    "Regularizer", "Wrapper",
}  # fmt: skip
MODULES = [
    "losses", "metrics", "optimizers", "optimizers.schedules", "initializers", "regularizers",
    "constraints", "callbacks",
]  # fmt: skip


def classes_of(module):
    """Classes by the name by which JSON knows them: their own if the module has it."""
    found = {name: c for name, c in vars(module).items() if inspect.isclass(c)}
    own = lambda name, c: name == c.__name__ or c.__name__ not in found
    return {name: c for name, c in found.items() if own(name, c) and name not in BASES}


def classes():
    modules = {}
    for name, c in classes_of(keras.layers).items():
        parts = c.__module__.removeprefix("keras.src.").split(".")
        folder = parts[1] if parts[0] == "layers" else "other frameworks"
        if "image_preprocessing" in parts:
            folder = "preprocessing of images"
        modules.setdefault(f"layers: {folder}", set()).add(name)
    for name in MODULES:
        module = keras
        for part in name.split("."):
            module = getattr(module, part)
        modules[name] = set(classes_of(module))
    path = pathlib.Path(__file__).parent / "classes.json"
    lines = [f"{json.dumps(name)}: {json.dumps(sorted(modules[name]))}" for name in sorted(modules)]
    path.write_text(
        f'{{"keras_version": {json.dumps(keras.__version__)}, "modules": {{\n'
        + ",\n".join(lines)
        + "\n}}\n"
    )
    print(f"{path.name}: {sum(map(len, modules.values()))} classes")
