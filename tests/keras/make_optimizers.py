"""optimizers.json, optimizers_more.json, optimizers_of_optimizers.json: six steps of each optimizer
on three variables."""

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

HALVING = K.schedules.ExponentialDecay(0.2, 3, 0.5)

MORE = [
    ("adamax", K.Adamax, {}),
    ("adamax_options", K.Adamax, {"learning_rate": 0.05, "beta_1": 0.7, "beta_2": 0.8, "epsilon": 0.1}),
    ("nadam", K.Nadam, {}),
    ("nadam_options", K.Nadam, {"learning_rate": 0.05, "beta_1": 0.7, "beta_2": 0.95, "epsilon": 0.1}),
    ("adagrad", K.Adagrad, {}),
    ("adagrad_options", K.Adagrad, {"learning_rate": 0.3, "initial_accumulator_value": 0.7, "epsilon": 0.1}),
    ("adadelta", K.Adadelta, {}),
    ("adadelta_options", K.Adadelta, {"learning_rate": 1.0, "rho": 0.6, "epsilon": 0.01}),
    ("adafactor", K.Adafactor, {}),
    ("adafactor_options", K.Adafactor, {"learning_rate": 0.3, "beta_2_decay": -0.5, "epsilon_1": 0.01, "epsilon_2": 0.6, "clip_threshold": 0.8, "relative_step": False}),
    ("adafactor_large_rate", K.Adafactor, {"learning_rate": 0.9}),
    ("adafactor_rank_3", K.Adafactor, {"learning_rate": 0.2}),
    ("ftrl", K.Ftrl, {}),
    ("ftrl_regularized", K.Ftrl, {"learning_rate": 0.2, "l1_regularization_strength": 0.3, "l2_regularization_strength": 0.2, "l2_shrinkage_regularization_strength": 0.1}),
    ("ftrl_options", K.Ftrl, {"learning_rate": 0.2, "learning_rate_power": -0.8, "initial_accumulator_value": 0.6, "beta": 0.4}),
    ("lion", K.Lion, {}),
    ("lion_options", K.Lion, {"learning_rate": 0.05, "beta_1": 0.6, "beta_2": 0.8}),
    ("lamb", K.Lamb, {}),
    ("lamb_options", K.Lamb, {"learning_rate": 0.05, "beta_1": 0.7, "beta_2": 0.95, "epsilon": 0.1}),
    ("muon", K.Muon, {}),
    ("muon_options", K.Muon, {"learning_rate": 0.05, "adam_beta_1": 0.8, "adam_beta_2": 0.9, "adam_weight_decay": 0.3, "epsilon": 0.01, "weight_decay": 0.1, "muon_a": 3.0, "muon_b": -4.0, "muon_c": 1.8, "adam_lr_ratio": 0.5, "momentum": 0.7, "ns_steps": 3, "nesterov": False, "rms_rate": None}),
    ("muon_undecayed", K.Muon, {"learning_rate": 0.05, "weight_decay": None, "adam_weight_decay": None}),
    ("muon_embedding", K.Muon, {"learning_rate": 0.05}),
    ("muon_embedding_included", K.Muon, {"learning_rate": 0.05, "exclude_embeddings": False}),
    ("muon_exclude_layers", K.Muon, {"learning_rate": 0.05, "exclude_layers": ["ker"]}),
    ("muon_wide", K.Muon, {"learning_rate": 0.05}),
    ("schedule_free_adam_w", K.ScheduleFreeAdamW, {}),
    ("schedule_free_adam_w_options", K.ScheduleFreeAdamW, {"learning_rate": 0.05, "beta_1": 0.7, "beta_2": 0.95, "epsilon": 0.1, "warmup_steps": 4}),
    *[
        (f"{name}_{suffix}", cls, {"learning_rate": 0.1, **more})
        for name, cls in (
            ("adamax", K.Adamax),
            ("nadam", K.Nadam),
            ("adagrad", K.Adagrad),
            ("adadelta", K.Adadelta),
            ("adafactor", K.Adafactor),
            ("ftrl", K.Ftrl),
            ("lion", K.Lion),
            ("lamb", K.Lamb),
            ("muon", K.Muon),
            ("schedule_free_adam_w", K.ScheduleFreeAdamW),
        )
        for suffix, more in (
            ("clipnorm_decay", {"clipnorm": 0.5, "weight_decay": 0.05}),
            ("clipvalue_ema", {"clipvalue": 0.4, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2}),
            ("accumulation_global_clipnorm", {"gradient_accumulation_steps": 2, "global_clipnorm": 0.6, "weight_decay": 0.1}),
            ("schedule_loss_scale_factor", {"learning_rate": HALVING, "loss_scale_factor": 4.0}),
        )
    ],
    ("adam_loss_scale_factor", ADAM, {"learning_rate": 0.05, "loss_scale_factor": 4.0}),
    ("adam_w_more_options", ADAM_W, {"learning_rate": 0.05, "beta_2": 0.95, "epsilon": 0.1, "loss_scale_factor": 2.0}),
    ("rmsprop_loss_scale_factor", RMSPROP, {"learning_rate": 0.05, "loss_scale_factor": 4.0}),
]  # fmt: skip

OTHER_SHAPES = {
    "adafactor_rank_3": [("kernel", (2, 3, 2)), ("bias", (2,))],
    "muon_embedding": [("Embeddings", (3, 2)), ("kernel", (3, 2))],
    "muon_embedding_included": [("embeddings", (3, 2)), ("bias", (2,))],
    "muon_wide": [("kernel", (2, 5)), ("cube", (2, 2, 2))],
}


def scaled(inner, **arguments):
    """Gradients of the steps 2 and 5 are not finite; those of others are scaled as the loss is."""
    return lambda: K.LossScaleOptimizer(inner(), **arguments)


def mapped(default, optimizers, **arguments):
    def make():
        inner = {pattern: optimizer() for pattern, optimizer in optimizers.items()}
        return K.MultiOptimizer(K.OptimizerMap(default(), inner), **arguments)

    return make


def momentum():
    return SGD(0.1, momentum=0.9)


def clipped():
    return ADAM(0.05, global_clipnorm=0.6, weight_decay=0.1)


def accumulated():
    return SGD(HALVING, gradient_accumulation_steps=2, use_ema=True, ema_momentum=0.8)


OF_OPTIMIZERS = [
    ("loss_scale", scaled(momentum), {}),
    ("loss_scale_growing", scaled(clipped, initial_scale=8.0, dynamic_growth_steps=2), {}),
    ("loss_scale_every_step", scaled(momentum, initial_scale=4.0, dynamic_growth_steps=1, name="mine"), {}),
    ("loss_scale_accumulation", scaled(accumulated, initial_scale=16.0, dynamic_growth_steps=3), {}),
    ("multi", mapped(momentum, {}), {}),
    ("multi_patterns", mapped(momentum, {"ker.*": clipped, ".*cal.*": lambda: RMSPROP(0.02)}), {}),
    ("multi_exact", mapped(clipped, {"bias": accumulated, "ker.*": clipped}, loss_scale_factor=4.0, name="mine"), {}),
]  # fmt: skip


def optimizers_of_optimizers():
    return [case(*arguments) for arguments in OF_OPTIMIZERS]


def optimizers():
    return [case(*arguments) for arguments in CASES]


def optimizers_more():
    return [case(*arguments) for arguments in MORE]


def apply(optimizer, gradients, variables):
    if not isinstance(optimizer, K.LossScaleOptimizer):
        return optimizer.apply(gradients, variables)
    # On JAX it works as in `fit` only.
    if not optimizer.built:
        optimizer.build(variables)
    values = [v.value for v in variables]
    new, state = optimizer.stateless_apply([v.value for v in optimizer.variables], gradients, values)
    for variable, value in zip([*variables, *optimizer.variables], [*new, *state]):
        variable.assign(value)


def case(name, cls, arguments):
    keras.utils.clear_session(free_memory=False)
    random = Random(name)
    constraint = keras.constraints.MaxNorm(0.8) if "constraint" in name else None
    variables = []
    shapes = OTHER_SHAPES.get(name, SHAPES)
    for variable_name, shape in shapes:
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
    for step in range(6):
        gradients = [random.normal(*shape) for _, shape in shapes]
        result["steps"].append({"gradients": [array(g) for g in gradients]})
        if isinstance(optimizer, K.LossScaleOptimizer):
            result["steps"][-1]["overflow"] = step in (2, 5)
            gradients = [optimizer.scale_loss(g) for g in gradients]
            if step in (2, 5):  # one element only
                gradients[1] = gradients[1] / np.array([0.0, 1.0], "float32")
        apply(optimizer, [keras.ops.convert_to_tensor(g) for g in gradients], variables)
        result["steps"][-1]["weights"] = [array(v.numpy()) for v in variables]
        if not isinstance(optimizer, K.MultiOptimizer):
            result["steps"][-1]["learning_rate"] = float(str(np.float32(optimizer.learning_rate)))
    result["optimizer_variables"] = [
        {"name": v.name, "path": v.path, "array": array(v.numpy())} for v in optimizer.variables
    ]
    if optimizer.use_ema or isinstance(optimizer, (K.LossScaleOptimizer, K.MultiOptimizer)):
        optimizer.finalize_variable_values(variables)
        result["finalized_weights"] = [array(v.numpy()) for v in variables]
    return result
