"""What every golden file shares: the random source, the array format, the writer."""

import json
import pathlib
import zlib

import jax
import jax.numpy as jnp
import keras
import numpy as np

FOLDER = pathlib.Path(__file__).parent / "goldens"


class Random:
    """Random inputs with three decimals, seeded by the name of the case, so
    that adding a case changes no other."""

    def __init__(self, name):
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))

    def normal(self, *shape):
        return self.rng.normal(size=shape).round(3).astype("float32")

    def uniform(self, low, high, *shape):
        return self.rng.uniform(low, high, size=shape).round(3).astype("float32")

    def distinct(self, *shape):
        """Values of which no two are alike, and none is zero: for maxima."""
        count = int(np.prod(shape))
        ladder = (self.rng.permutation(count) - count // 2 + 0.5) * 0.07
        return ladder.reshape(shape).round(3).astype("float32")

    def integers(self, high, *shape):
        return self.rng.integers(0, high, size=shape).astype("int32")

    def one_hot(self, classes, *shape):
        return np.eye(classes, dtype="float32")[self.rng.integers(0, classes, size=shape)]

    def probabilities(self, *shape):
        raw = self.rng.uniform(0.1, 1, size=shape)
        return (raw / raw.sum(-1, keepdims=True)).round(3).astype("float32")

    def weights_for(self, variables):
        """New values for variables, in order; variances and deviations stay positive."""
        return [
            self.uniform(0.5, 2, *v.shape) if "variance" in v.name or "stddev" in v.name
            else self.uniform(-0.9, 0.9, *v.shape)
            for v in variables
        ]


def array(value):
    """The JSON form of an array. Floats are the shortest decimals that read
    back as the same float32."""
    value = np.asarray(value)
    if value.dtype == np.float64:
        value = value.astype("float32")
    if np.issubdtype(value.dtype, np.floating):
        assert np.isfinite(value).all(), value
        values = [float(str(v)) for v in value.ravel()]
    else:
        values = value.ravel().tolist()
    return {"shape": list(value.shape), "dtype": str(value.dtype), "values": values}


def number(value):
    """One number, as the shortest decimal that reads back as its float32."""
    value = np.float32(value)
    assert np.isfinite(value), value
    return float(str(value))


def named(variables):
    return [{"name": v.name, "array": array(v.numpy())} for v in variables]


def config_of(thing):
    return keras.saving.serialize_keras_object(thing)["config"]


def value_and_gradient(function, coefficients, *arguments):
    """function(*arguments), and the gradient of sum(value * coefficients) with
    respect to each argument."""
    value, pull_back = jax.vjp(function, *arguments)
    cotangents = jax.tree.map(lambda y, c: jnp.asarray(c, y.dtype), value, coefficients)
    return value, pull_back(cotangents)


def write(kind, cases):
    names = [case["name"] for case in cases]
    repeated = sorted({name for name in names if names.count(name) > 1})
    assert not repeated, f"{kind}: repeated names {repeated}"
    FOLDER.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(case, allow_nan=False) for case in cases)
    path = FOLDER / f"{kind}.json"
    path.write_text(
        f'{{"keras_version": {json.dumps(keras.__version__)}, "cases": [\n{lines}\n]}}\n'
    )
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
