"""paths.json: where Keras keeps the variables of every layer that has any."""

import copy
import json
import pathlib
import tempfile

import h5py
import keras

from common import FOLDER

FILES = ["layers", "convolutional", "reshaping", "core", "preprocessing", "rnn", "attention"]


def paths():
    found = {}
    for file in FILES:
        for case in json.loads((FOLDER / f"{file}.json").read_text())["cases"]:
            listed = paths_of(case)
            if listed:
                layout = (case["class_name"], tuple(path for path, _ in listed))
                found.setdefault(layout, one(case, listed))
    return list(found.values())


def one(case, listed):
    inputs = [{"shape": a["shape"][1:], "dtype": a["dtype"]} for a in case["inputs"]]
    keys = {key: case[key] for key in ("name", "class_name", "config")}
    return {**keys, "inputs": inputs, "paths": [{"path": p, "shape": s} for p, s in listed]}


def paths_of(case):
    keras.utils.clear_session(free_memory=False)
    if not case.get("weights"):
        return []
    layer = keras.layers.deserialize({"module": "keras.layers", "class_name": case["class_name"], "config": copy.deepcopy(case["config"])})
    inputs = [keras.Input(a["shape"][1:], dtype=a["dtype"]) for a in case["inputs"]]
    several = len(inputs) > 1
    positional = case["class_name"] in ("MultiHeadAttention", "GroupQueryAttention")
    try:
        outputs = layer(*inputs) if positional or not several else layer(inputs)
        model = keras.Model(inputs, outputs)
    except Exception as error:  # A cell, or initial states by name: its layer has a case of its own.
        print(f"{case['name']}: {str(error).splitlines()[0]}")
        return []
    listed = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "m.weights.h5"
        model.save_weights(path)
        with h5py.File(path) as file:
            visit = lambda name, o: listed.append((name, list(o.shape))) if isinstance(o, h5py.Dataset) else None  # noqa: E731
            file.visititems(visit)
    return sorted(listed)
