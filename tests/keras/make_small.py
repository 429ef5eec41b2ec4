"""activations, schedules, regularizers, constraints and initializers: functions of one array."""

import math

import jax.numpy as jnp
import numpy as np
from keras import activations as A
from keras import constraints as C
from keras import initializers as I
from keras import regularizers as R
from keras.optimizers import schedules as S

from common import Random, array, config_of, number, value_and_gradient
from layer_cases import ACTIVATIONS

ACTIVATION_ARGUMENTS = [
    ("relu_negative_slope", A.relu, {"negative_slope": 0.1}),
    ("relu_max_value", A.relu, {"max_value": 1.5}),
    ("relu_threshold", A.relu, {"threshold": 0.7}),
    ("relu_all", A.relu, {"negative_slope": 0.3, "max_value": 2.0, "threshold": 0.5}),
    ("leaky_relu_negative_slope", A.leaky_relu, {"negative_slope": 0.05}),
    ("elu_alpha", A.elu, {"alpha": 0.5}),
    ("celu_alpha", A.celu, {"alpha": 0.5}),
    ("gelu_approximate", A.gelu, {"approximate": True}),
    ("softmax_axis", A.softmax, {"axis": 0}),
    ("log_softmax_axis", A.log_softmax, {"axis": 0}),
    ("glu_axis", A.glu, {"axis": 0}),
    ("sparsemax_axis", A.sparsemax, {"axis": 0}),
    ("hard_shrink_threshold", A.hard_shrink, {"threshold": 1.2}),
    ("soft_shrink_threshold", A.soft_shrink, {"threshold": 1.2}),
    ("squareplus_b", A.squareplus, {"b": 1}),
    ("threshold", A.threshold, {"threshold": 0.5, "default_value": -2.0}),
]


def activations():
    named = [(name, getattr(A, name), {}) for name in ACTIVATIONS]
    cases = []
    for name, function, arguments in named + ACTIVATION_ARGUMENTS:
        random = Random(name)
        # Not all on the flat parts of sparsemax, and no multiples of 0.1: there lie the kinks.
        x = random.uniform(-4, 4, 4, 6) * (0.2 if "sparsemax" in name else 1)
        x = np.where(np.isclose(x * 10, np.round(x * 10)), x + 0.013, x).round(4).astype("float32")
        shape = (4, 3) if name == "glu" else (2, 6) if name == "glu_axis" else x.shape
        coefficients = random.uniform(-1, 1, *shape)
        output, (gradient,) = value_and_gradient(lambda x: function(x, **arguments), coefficients, jnp.asarray(x))
        cases.append({
            "name": name,
            "activation": function.__name__,
            "arguments": arguments,
            "input": array(x),
            "output": array(output),
            "coefficients": array(coefficients),
            "gradient": array(gradient),
        })
    return cases


STEPS = [0, 1, 2, 5, 10, 17, 50, 100, 1000]
SCHEDULES = [
    ("exponential_decay", S.ExponentialDecay(0.1, 7, 0.9)),
    ("exponential_decay_staircase", S.ExponentialDecay(0.1, 7, 0.9, staircase=True)),
    ("piecewise_constant_decay", S.PiecewiseConstantDecay([2, 10, 60], [1.0, 0.5, 0.1, 0.01])),
    ("polynomial_decay", S.PolynomialDecay(0.1, 40)),
    ("polynomial_decay_power", S.PolynomialDecay(0.1, 40, end_learning_rate=0.01, power=2.0)),
    ("polynomial_decay_cycle", S.PolynomialDecay(0.1, 15, end_learning_rate=0.01, power=1.5, cycle=True)),
    ("inverse_time_decay", S.InverseTimeDecay(0.1, 7, 0.4)),
    ("inverse_time_decay_staircase", S.InverseTimeDecay(0.1, 7, 0.4, staircase=True)),
    ("cosine_decay", S.CosineDecay(0.1, 60)),
    ("cosine_decay_alpha", S.CosineDecay(0.1, 60, alpha=0.2)),
    ("cosine_decay_warmup", S.CosineDecay(0.01, 80, alpha=0.05, warmup_target=0.1, warmup_steps=9)),
    ("cosine_decay_restarts", S.CosineDecayRestarts(0.1, 12)),
    ("cosine_decay_restarts_options", S.CosineDecayRestarts(0.1, 12, t_mul=1.5, m_mul=0.8, alpha=0.1)),
    ("cosine_decay_restarts_equal_periods", S.CosineDecayRestarts(0.1, 12, t_mul=1.0, m_mul=0.9)),
]  # fmt: skip


def schedules():
    return [
        {
            "name": name,
            "class_name": type(schedule).__name__,
            "config": config_of(schedule),
            "steps": STEPS,
            "values": [number(schedule(step)) for step in STEPS],
        }
        for name, schedule in SCHEDULES
    ]


REGULARIZERS = [
    ("l1", R.L1()),
    ("l1_option", R.L1(0.3)),
    ("l2", R.L2()),
    ("l2_option", R.L2(0.3)),
    ("l1_l2_defaults", R.L1L2()),
    ("l1_l2", R.L1L2(0.1, 0.2)),
    ("orthogonal_rows", R.OrthogonalRegularizer(0.2)),
    ("orthogonal_columns", R.OrthogonalRegularizer(0.2, mode="columns")),
]


def regularizers():
    cases = []
    for name, regularizer in REGULARIZERS:
        for shape in [(3, 4)] if "orthogonal" in name else [(3, 4), (2, 1, 3), ()]:
            full = f"{name}_rank_{len(shape)}"
            x = Random(full).normal(*shape)
            value, (gradient,) = value_and_gradient(regularizer, np.ones(()), jnp.asarray(x))
            cases.append({
                "name": full,
                "class_name": type(regularizer).__name__,
                "config": config_of(regularizer),
                "input": array(x),
                "value": array(value),
                "gradient": array(gradient),
            })
    return cases


CONSTRAINTS = [
    ("max_norm", C.MaxNorm(), (4, 3)),
    ("max_norm_options", C.MaxNorm(0.8, axis=1), (4, 3)),
    ("max_norm_axes", C.MaxNorm(0.9, axis=[0, 1, 2]), (2, 2, 3, 2)),
    ("max_norm_vector", C.MaxNorm(0.5), (4,)),
    ("min_max_norm", C.MinMaxNorm(), (4, 3)),
    ("min_max_norm_options", C.MinMaxNorm(0.9, 1.1, rate=0.7, axis=1), (4, 3)),
    ("min_max_norm_axes", C.MinMaxNorm(2.0, 2.5, rate=0.5, axis=[0, 1, 2]), (2, 2, 3, 2)),
    ("non_neg", C.NonNeg(), (4, 3)),
    ("unit_norm", C.UnitNorm(), (4, 3)),
    ("unit_norm_axis", C.UnitNorm(axis=1), (4, 3)),
    ("unit_norm_axes", C.UnitNorm(axis=[0, 1, 2]), (2, 2, 3, 2)),
]


def constraints():
    cases = []
    for name, constraint, shape in CONSTRAINTS:
        x = Random(name).normal(*shape) * 1.5
        cases.append({
            "name": name,
            "class_name": type(constraint).__name__,
            "config": config_of(constraint),
            "input": array(x),
            "output": array(constraint(jnp.asarray(x))),
        })
    return cases


INITIALIZERS = [
    ("zeros", I.Zeros()),
    ("ones", I.Ones()),
    ("constant", I.Constant()),
    ("constant_option", I.Constant(0.3)),
    ("identity", I.Identity()),
    ("identity_gain", I.Identity(gain=2.5)),
    ("stft", I.STFT()),
    ("stft_options", I.STFT(side="imag", window="hamming", scaling="spectrum", periodic=True)),
    ("stft_plain", I.STFT(window=None, scaling=None)),
    ("random_normal", I.RandomNormal(seed=1)),
    ("random_normal_options", I.RandomNormal(mean=0.5, stddev=0.2, seed=1)),
    ("random_uniform", I.RandomUniform(seed=2)),
    ("random_uniform_options", I.RandomUniform(minval=-0.5, maxval=2.0, seed=2)),
    ("truncated_normal", I.TruncatedNormal(seed=3)),
    ("truncated_normal_options", I.TruncatedNormal(mean=1.0, stddev=0.5, seed=3)),
    *[
        (f"variance_scaling_{mode}_{distribution}", I.VarianceScaling(1.7, mode, distribution, seed=4))
        for mode in ("fan_in", "fan_out", "fan_avg")
        for distribution in ("truncated_normal", "untruncated_normal", "uniform")
    ],
    ("variance_scaling", I.VarianceScaling(seed=4)),
    ("glorot_uniform", I.GlorotUniform(seed=5)),
    ("glorot_normal", I.GlorotNormal(seed=5)),
    ("he_uniform", I.HeUniform(seed=5)),
    ("he_normal", I.HeNormal(seed=5)),
    ("lecun_uniform", I.LecunUniform(seed=5)),
    ("lecun_normal", I.LecunNormal(seed=5)),
    ("orthogonal", I.Orthogonal(seed=6)),
    ("orthogonal_gain", I.Orthogonal(gain=1.5, seed=6)),
]
SHAPES = [(200, 300), (300, 200), (3, 3, 16, 32), (7000,)]
FIXED = (I.Zeros, I.Ones, I.Constant, I.Identity, I.STFT)


def initializers():
    cases = []
    for name, initializer in INITIALIZERS:
        case = {"name": name, "class_name": type(initializer).__name__, "config": config_of(initializer)}
        if name == "identity_gain":  # its config leaves gain out
            case["arguments"] = {"gain": 2.5}
        if isinstance(initializer, FIXED):
            shapes = [(3, 3), (2, 4), (4, 2)] + ([] if "identity" in name else [(3,), ()])
            shapes = [(8, 1, 5), (5, 1, 4)] if "stft" in name else shapes
            case["values"] = [array(initializer(shape)) for shape in shapes]
        else:
            case["draws"] = [
                draw(initializer, shape)
                for shape in SHAPES
                if len(shape) > 1 or not isinstance(initializer, I.Orthogonal)
            ]
        cases.append(case)
    return cases


def draw(initializer, shape):
    """What an own draw of this shape is compared with. `expected_*` are exact
    moments and bounds; the others are those of one draw by Keras."""
    x = np.asarray(initializer(shape), "float64")
    expected = expectation(initializer, shape)
    return {
        "shape": list(shape),
        **({f"expected_{k}": round(v, 9) for k, v in expected.items()} if expected else {}),
        **{k: round(float(getattr(x, k)()), 9) for k in ("mean", "std", "min", "max")},
    }


def expectation(initializer, shape):
    """Mean, standard deviation, and bounds where the distribution has them."""
    cut = 0.87962566103423978  # standard deviation of a normal cut at two of its own
    if isinstance(initializer, I.Orthogonal):
        return None
    if isinstance(initializer, I.RandomNormal):
        return {"mean": initializer.mean, "std": initializer.stddev}
    if isinstance(initializer, I.TruncatedNormal):
        mean, std = initializer.mean, initializer.stddev
        return {"mean": mean, "std": std * cut, "min": mean - 2 * std, "max": mean + 2 * std}
    if isinstance(initializer, I.RandomUniform):
        low, high = initializer.minval, initializer.maxval
        return {"mean": (low + high) / 2, "std": (high - low) / math.sqrt(12), "min": low, "max": high}
    receptive = math.prod(shape[:-2])
    fan_in, fan_out = (shape[0], shape[0]) if len(shape) == 1 else (shape[-2] * receptive, shape[-1] * receptive)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[initializer.mode]
    std = math.sqrt(initializer.scale / fan)
    bound = {
        "uniform": math.sqrt(3) * std,
        "truncated_normal": 2 * std / cut,
    }.get(initializer.distribution)
    return {"mean": 0.0, "std": std, **({"min": -bound, "max": bound} if bound else {})}
