"""optimizers.json: six steps of each optimizer on three variables."""

import keras
import numpy as np
from keras import optimizers as K

from common import Random, array, config_of, named

SHAPES = [("kernel", (3, 2)), ("bias", (2,)), ("scale", ())]
SGD, ADAM, ADAM_W, RMSPROP = K.SGD, K.Adam, K.AdamW, K.RMSprop

CASES = [
    ("sgd", SGD, {}),
    ("sgd_learning_rate", SGD, {"learning_rate": 0.3}),
    ("sgd_momentum", SGD, {"learning_rate": 0.1, "momentum": 0.9}),
    ("sgd_nesterov", SGD, {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True}),
    ("adam", ADAM, {}),
    ("adam_amsgrad", ADAM, {"learning_rate": 0.05, "amsgrad": True}),
    ("adam_betas", ADAM, {"learning_rate": 0.05, "beta_1": 0.7, "beta_2": 0.95, "epsilon": 0.1}),
    ("adam_w", ADAM_W, {}),
    ("adam_w_options", ADAM_W, {"learning_rate": 0.05, "weight_decay": 0.2, "beta_1": 0.8, "amsgrad": True}),
    ("rmsprop", RMSPROP, {}),
    ("rmsprop_momentum", RMSPROP, {"learning_rate": 0.01, "momentum": 0.9}),
    ("rmsprop_centered", RMSPROP, {"learning_rate": 0.01, "centered": True}),
    ("rmsprop_options", RMSPROP, {"learning_rate": 0.02, "rho": 0.7, "momentum": 0.5, "centered": True, "epsilon": 0.01}),
    *[
        (f"{name}_{suffix}", cls, {**arguments, **more})
        for name, cls, arguments in (
            ("sgd", SGD, {"learning_rate": 0.1, "momentum": 0.9}),
            ("adam", ADAM, {"learning_rate": 0.1}),
            ("adam_w", ADAM_W, {"learning_rate": 0.1}),
            ("rmsprop", RMSPROP, {"learning_rate": 0.1}),
        )
        for suffix, more in (
            ("clipnorm", {"clipnorm": 0.5}),
            ("clipvalue", {"clipvalue": 0.4}),
            ("global_clipnorm", {"global_clipnorm": 0.6}),
            ("weight_decay", {"weight_decay": 0.05}),
            ("ema", {"use_ema": True, "ema_momentum": 0.8}),
            ("ema_overwrite", {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2}),
            ("accumulation", {"gradient_accumulation_steps": 2}),
            ("accumulation_clipnorm_ema", {"gradient_accumulation_steps": 3, "clipnorm": 0.5, "use_ema": True, "ema_momentum": 0.7}),
            ("schedule", {"learning_rate": K.schedules.ExponentialDecay(0.2, 3, 0.5)}),
        )
    ],
    ("adam_w_exclude_bias", ADAM_W, {"learning_rate": 0.1, "weight_decay": 0.3}),
    ("sgd_loss_scale_factor", SGD, {"learning_rate": 0.1, "loss_scale_factor": 4.0}),
    ("sgd_constraint", SGD, {"learning_rate": 0.5}),
]  # fmt: skip


def optimizers():
    return [case(*arguments) for arguments in CASES]


def case(name, cls, arguments):
    keras.utils.clear_session(free_memory=False)
    random = Random(name)
    constraint = keras.constraints.MaxNorm(0.8) if "constraint" in name else None
    variables = []
    for variable_name, shape in SHAPES:
        variable = keras.Variable(random.uniform(-1, 1, *shape), name=variable_name)
        if shape:
            variable.constraint = constraint
        variables.append(variable)
    optimizer = cls(**arguments)
    excluded = ["bias"] if "exclude" in name else []
    if excluded:
        optimizer.exclude_from_weight_decay(var_names=excluded)
    result = {
        "name": name,
        "class_name": type(optimizer).__name__,
        "config": config_of(optimizer),
        "exclude_from_weight_decay": excluded,
        "constraint": keras.saving.serialize_keras_object(constraint) if constraint else None,
        "variables": named(variables),
        "steps": [],
    }
    for _ in range(6):
        gradients = [random.normal(*shape) for _, shape in SHAPES]
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
        result["steps"].append({
            "gradients": [array(g) for g in gradients],
            "weights": [array(v.numpy()) for v in variables],
            "learning_rate": float(str(np.float32(optimizer.learning_rate))),
        })
    result["optimizer_variables"] = [
        {"name": v.name, "path": v.path, "array": array(v.numpy())} for v in optimizer.variables
    ]
    if optimizer.use_ema:
        optimizer.finalize_variable_values(variables)
        result["finalized_weights"] = [array(v.numpy()) for v in variables]
    return result
