"""layers.json and its sisters, a family of layers each: one call of a layer with random weights,
and its gradients."""

import jax
import keras
import numpy as np

from common import Random, array, config_of, named, value_and_gradient
import catalogue_cases
import conv_cases
import layer_cases
import reshaping_cases


def layers():
    return made(layer_cases, catalogue_cases)


def convolutional():
    return made(conv_cases)


def reshaping():
    return made(reshaping_cases)


def made(*modules):
    return [layer_case(*case) for module in modules for case in module.CASES]


def layer_case(name, layer, make_inputs, call=None):
    """`make_inputs(random)` gives one input or a list of them; `call` holds the
    other arguments of the call."""
    keras.utils.clear_session(free_memory=False)
    random = Random(name)
    call = {"training": False, **(call or {})}
    inputs = make_inputs(random)
    many = isinstance(inputs, list)
    inputs = inputs if many else [inputs]
    layer(inputs if many else inputs[0])  # builds
    layer.set_weights(random.weights_for(layer.weights))
    # A random coefficient for each output, so that no gradient cancels.
    case = {
        "name": name,
        "class_name": type(layer).__name__,
        "config": {**config_of(layer), "name": name},
        "weights": named(layer.weights),
        "inputs": [array(x) for x in inputs],
        "call": {k: array(v) if isinstance(v, np.ndarray) else v for k, v in call.items()},
    }

    trainable = [v.value for v in layer.trainable_variables]
    fixed = [v.value for v in layer.non_trainable_variables]
    arguments = {k: v for k, v in call.items() if accepts(layer, k)}
    differentiable = [i for i, x in enumerate(inputs) if x.dtype == np.float32]

    def run(trainable, *chosen):
        all_inputs = list(inputs)
        for index, value in zip(differentiable, chosen):
            all_inputs[index] = value
        output, _, _ = layer.stateless_call(
            trainable, fixed, all_inputs if many else all_inputs[0], return_losses=True, **arguments
        )
        return output

    chosen = [jax.numpy.asarray(inputs[i]) for i in differentiable]
    shape = np.shape(jax.eval_shape(run, trainable, *chosen))
    coefficients = random.uniform(-1, 1, *shape)
    output, gradients = value_and_gradient(run, coefficients, trainable, *chosen)
    input_gradients = [None] * len(inputs)
    for index, gradient in zip(differentiable, gradients[1:]):
        input_gradients[index] = array(gradient)
    case["output"] = array(output)
    case["gradients"] = {
        "coefficients": array(coefficients),
        "inputs": input_gradients,
        "trainable_weights": [array(g) for g in gradients[0]],
    }

    keras_inputs = [keras.ops.convert_to_tensor(x) for x in inputs]
    result = layer(keras_inputs if many else keras_inputs[0], **arguments)
    np.testing.assert_allclose(result, output, rtol=1e-5, atol=1e-6)
    mask = getattr(result, "_keras_mask", None)
    if mask is not None:
        case["output_mask"] = array(mask)
    if layer.losses:
        case["losses"] = [array(loss) for loss in layer.losses]
    build_config = keras.saving.serialize_keras_object(layer).get("build_config")
    if build_config is not None:
        case["build_config"] = build_config
    if call["training"] and layer.non_trainable_variables:
        case["weights_after"] = named(layer.weights)
    return case


def accepts(layer, argument):
    return argument != "training" or layer._call_has_training_arg
