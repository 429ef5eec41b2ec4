"""defaults.json: what each layer's constructor makes of the arguments that it needs."""

import inspect
import json
import pathlib

import keras
from keras import layers as L

from common import config_of

# A value for each argument that a constructor needs, by its name.
NEEDED = {
    "activation": "relu",
    "axes": 1,
    "cell": lambda: L.LSTMCell(2, name="cell"),
    "cells": lambda: [L.LSTMCell(2, name="cell")],
    "dims": (2, 1),
    "equation": "ab,bc->ac",
    "factor": 2,
    "filters": 4,
    "function": None,
    "head_dim": 2,
    "height": 2,
    "input_dim": 5,
    "kernel_size": 3,
    "key_dim": 2,
    "layer": lambda: L.Dense(2, name="dense"),
    "n": 3,
    "num_bins": 3,
    "num_heads": 2,
    "num_key_value_heads": 1,
    "num_query_heads": 2,
    "output_dim": 3,
    "output_shape": 3,
    "output_size": 2,
    "pool_size": 2,
    "rate": 0.5,
    "scale": 2.0,
    "stddev": 0.5,
    "target_shape": (2,),
    "units": 3,
    "width": 2,
}
# Needed, though the signature has a default.
NEEDED_HERE = {
    "AveragePooling1D": {}, "Bidirectional": {"layer": lambda: L.LSTM(2, name="lstm")},
    "CategoryEncoding": {"num_tokens": 4}, "Discretization": {"num_bins": 3},
}  # fmt: skip
# These take functions, layers or shapes, or need TensorFlow.
LEFT_OUT = ["HashedCrossing", "Hashing", "InputLayer", "IntegerLookup", "Lambda", "Pipeline", "StringLookup", "TextVectorization"]
CLASSES = pathlib.Path(__file__).parent / "classes.json"
MODULES = ["other frameworks", "preprocessing of images"]


def arguments(name):
    """What the constructor of a class is given."""
    if name in NEEDED_HERE:
        given = NEEDED_HERE[name]
    else:
        given = {}
    for parameter in inspect.signature(getattr(L, name).__init__).parameters.values():
        needed = parameter.default is inspect.Parameter.empty
        if needed and parameter.name != "self" and parameter.kind == parameter.POSITIONAL_OR_KEYWORD:
            given = {parameter.name: NEEDED[parameter.name], **given}
    return {key: value() if callable(value) else value for key, value in given.items()}


def defaults():
    modules = json.loads(CLASSES.read_text())["modules"]
    names = [
        name
        for module, names in modules.items()
        if module.startswith("layers") and not any(module.endswith(other) for other in MODULES)
        for name in names
        if name not in LEFT_OUT
    ]
    return [case(name) for name in [*names, "CenterCrop", "Resizing"]]


def case(name):
    keras.utils.clear_session(free_memory=False)
    given = arguments(name)
    layer = getattr(L, name)(**given)
    config = config_of(layer)
    return {
        "name": config["name"],
        "class_name": keras.saving.serialize_keras_object(layer)["class_name"],
        "required": {key: config[key] for key in given},
        "config": config,
    }
