"""Writes goldens/*.json: numbers made by Keras itself, which cornu's tests compare with.

    pip install -r tests/keras/requirements.txt
    KERAS_BACKEND=jax python tests/keras/make.py [FILE ...]

Without arguments every file is made but lookups, which needs TensorFlow; `make.py layers losses`
makes those two.
"""

import importlib
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

FILES = {  # golden file: module that makes it
    "layers": "make_layers",
    "convolutional": "make_layers",
    "reshaping": "make_layers",
    "rnn": "make_layers",
    "attention": "make_layers",
    "core": "make_layers",
    "preprocessing": "make_layers",
    "further": "make_layers",
    "masks": "make_layers",
    "defaults": "make_defaults",
    "lookups": "make_lookups",
    "classes": "make_classes",
    "activations": "make_small",
    "losses": "make_losses",
    "losses_more": "make_losses",
    "metrics": "make_metrics",
    "metrics_more": "make_metrics",
    "optimizers": "make_optimizers",
    "optimizers_more": "make_optimizers",
    "optimizers_of_optimizers": "make_optimizers",
    "schedules": "make_small",
    "regularizers": "make_small",
    "constraints": "make_small",
    "initializers": "make_small",
    "models": "make_models",
    "graphs": "make_graphs",
    "training": "make_training",
    "training_layers": "make_training",
    "callbacks": "make_callbacks",
    "files": "make_files",
    "paths": "make_paths",
}


def main(wanted):
    unknown = [name for name in wanted if name not in FILES]
    if unknown:
        sys.exit(f"no such golden file: {', '.join(unknown)}; there are: {', '.join(FILES)}")
    from common import write

    for name in wanted or [name for name in FILES if name != "lookups"]:
        make = getattr(importlib.import_module(FILES[name]), name)
        if (cases := make()) is not None:  # classes.json is no list of cases
            write(name, cases)


if __name__ == "__main__":
    main(sys.argv[1:])
