"""layers.json and its sisters, a family of layers each: one call of a layer with random weights,
and its gradients."""

import jax
import keras
import numpy as np
from keras.src import backend

from common import Random, array, config_of, named, value_and_gradient
import attention_cases
import catalogue_cases
import conv_cases
import core_cases
import further_cases
import layer_cases
import mask_cases
import preprocessing_cases
import reshaping_cases
import rnn_cases


def layers():
    return made(layer_cases, catalogue_cases)


def convolutional():
    return made(conv_cases)


def reshaping():
    return made(reshaping_cases)


def rnn():
    return made(rnn_cases)


def core():
    return made(core_cases)


def preprocessing():
    return made(preprocessing_cases)


def attention():
    return made(attention_cases)


def further():
    return made(further_cases)


def masks():
    return made(mask_cases)


def made(*modules):
    return [layer_case(*case) for module in modules for case in module.CASES]


# How the inputs of a case are handed over, by the key `how` of its call: as one tensor or a list
# of them unless it says something else.
HOW = {
    "list": lambda layer, x: ((x if len(x) > 1 else x[0],), {}),
    "positional": lambda layer, x: (tuple(x), {}),
    "initial_state": lambda layer, x: ((x[0],), {"initial_state": list(x[1:])}),
    "attention_mask": lambda layer, x: (tuple(x[:-1]), {"attention_mask": x[-1]}),
    "states": lambda layer, x: ((x[0],), {"states": packed(layer.state_size, list(x[1:]))}),
}


def packed(sizes, states):
    """A flat list of states, nested as a cell's state sizes are; consumes the list."""
    if isinstance(sizes, int):
        return states.pop(0)
    return [packed(size, states) for size in sizes] if sizes is not None else None


def layer_case(name, layer, make_inputs, call=None):
    """`layer` may be a function that makes it, so that names of layers within it are numbered
    anew. `make_inputs(random)` gives one input or a list of them; `call` holds the other
    arguments of the call, `how` inputs are handed over, and masks that inputs carry."""
    keras.utils.clear_session(free_memory=False)
    layer = layer if isinstance(layer, keras.Layer) else layer()
    random = Random(name)
    call = {"training": False, **(call or {})}
    how, masks = HOW[call.pop("how", "list")], call.pop("masks", [])
    as_mask = call.pop("as_mask", False)
    inputs = make_inputs(random)
    inputs = inputs if isinstance(inputs, list) else [inputs]
    arguments = {k: v for k, v in call.items() if accepts(layer, k)}

    def hand_over(tensors):
        tensors = [keras.ops.convert_to_tensor(x) for x in tensors]
        if as_mask:
            return how(layer, tensors)[0], {**arguments, "mask": masks}
        for x, mask in zip(tensors, masks):
            if mask is not None:
                backend.set_keras_mask(x, keras.ops.convert_to_tensor(mask))
        args, more = how(layer, tensors)
        return args, {**arguments, **more}

    args, more = hand_over(inputs)
    layer(*args, **{k: v for k, v in more.items() if k not in ("training", "mask")})  # builds
    layer.set_weights(random.weights_for(layer.weights))
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()  # Normalization keeps what it makes of its weights
    states = states_of(layer)
    for state in states:
        state.assign(random.normal(*state.shape))
    before = [array(state.numpy()) for state in states]
    # A random coefficient for each output, so that no gradient cancels.
    case = {
        "name": name,
        "class_name": type(layer).__name__,
        "config": {**config_of(layer), "name": name},
        "weights": named(layer.weights),
        "inputs": [array(x) for x in inputs],
        "call": {k: array(v) if isinstance(v, np.ndarray) else v for k, v in call.items()},
    }
    if type(layer).__module__.split(".")[3] in ("rnn", "attention"):
        case["class_name"] = keras.saving.serialize_keras_object(layer)["class_name"]
        case["paths"] = [v.path.split("/", 1)[1] for v in layer.weights]
    if masks:
        case["call"]["masks"] = [None if m is None else array(m) for m in masks]

    trainable = [v.value for v in layer.trainable_variables]
    fixed = [v.value for v in layer.non_trainable_variables]
    differentiable = [i for i, x in enumerate(inputs) if x.dtype == np.float32]

    def run(trainable, *chosen):
        all_inputs = list(inputs)
        for index, value in zip(differentiable, chosen):
            all_inputs[index] = value
        args, more = hand_over(all_inputs)
        if masks and not as_mask:  # which only `__call__` takes from the inputs
            values = zip(layer.trainable_variables, trainable)
            with keras.StatelessScope(state_mapping=list(values)):
                output = layer(*args, **more)
        else:
            output, *_ = layer.stateless_call(trainable, fixed, *args, return_losses=True, **more)
        flat = keras.tree.flatten(output)
        return flat if len(flat) > 1 else flat[0]

    chosen = [jax.numpy.asarray(inputs[i]) for i in differentiable]
    shapes = jax.eval_shape(run, trainable, *chosen)
    coefficients = jax.tree.map(lambda y: random.uniform(-1, 1, *y.shape), shapes)
    input_gradients = [None] * len(inputs)
    if all(np.issubdtype(y.dtype, np.floating) for y in jax.tree.leaves(shapes)):
        output, gradients = value_and_gradient(run, coefficients, trainable, *chosen)
        for index, gradient in zip(differentiable, gradients[1:]):
            input_gradients[index] = array(gradient)
    else:
        output, gradients = run(trainable, *chosen), [[]]
    arrays = lambda y: [array(y) for y in y] if isinstance(y, list) else array(y)
    case["outputs" if isinstance(output, list) else "output"] = arrays(output)
    case["gradients"] = {
        "coefficients": arrays(coefficients),
        "inputs": input_gradients,
        "trainable_weights": [array(g) for g in gradients[0]],
    }

    for state, value in zip(states, before):  # tracing must not have moved them
        state.assign(np.reshape(np.array(value["values"], "float32"), value["shape"]))
    args, more = hand_over(inputs)
    result = keras.tree.flatten(layer(*args, **more))
    for own, traced in zip(result, output if isinstance(output, list) else [output]):
        np.testing.assert_allclose(own, traced, rtol=1e-5, atol=1e-6)
    if states:
        case["states"] = before
        case["states_after"] = [array(state.numpy()) for state in states]
    mask = backend.get_keras_mask(result[0])
    if mask is not None:
        case["output_mask"] = array(mask)
    if layer.losses:
        case["losses"] = [array(loss) for loss in layer.losses]
    build_config = keras.saving.serialize_keras_object(layer).get("build_config")
    if build_config is not None:
        case["build_config"] = build_config
    if call["training"] and layer.non_trainable_variables:
        if isinstance(layer, keras.layers.SpectralNormalization):
            # As `fit` leaves them; called by hand, it overwrites what is trained.
            values = zip(layer.trainable_variables, trainable)
            for variable, value in values:
                variable.assign(value)
        case["weights_after"] = named(layer.weights)
    return case


def states_of(layer):
    return keras.tree.flatten(getattr(layer, "states", None) or [])


def accepts(layer, argument):
    return argument != "training" or layer._call_has_training_arg
