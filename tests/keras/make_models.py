"""models.json: whole models as JSON, with weights, outputs and summary."""

import json

import keras
from keras import Input, Model, Sequential
from keras import layers as L

from common import Random, array


def xor():
    return Sequential([Input((2,)), L.Dense(10), L.Activation("tanh"), L.Dense(1), L.Activation("sigmoid")])


def convnet():
    return Sequential([
        Input((8, 8, 1)),
        L.Conv2D(3, 3, activation="relu"),
        L.MaxPooling2D(),
        L.Conv2D(4, 3, padding="same", activation="relu"),
        L.MaxPooling2D(2),
        L.Flatten(),
        L.Dropout(0.5),
        L.Dense(3, activation="softmax"),
    ])


def convnet_batch_normalization():
    return Sequential([
        Input((6, 6, 2), name="image"),
        L.Conv2D(4, 3, strides=2, padding="same", use_bias=False),
        L.BatchNormalization(),
        L.Activation("relu"),
        L.GlobalAveragePooling2D(),
        L.LayerNormalization(),
        L.Dense(2, name="scores"),
    ], name="small_convnet")


def sequential_without_input():
    """Built by its first batch."""
    model = Sequential([L.Dense(4, activation="relu"), L.Dense(2)])
    model.build((None, 3))
    return model


def embedding():
    return Sequential([
        Input((4,), dtype="int32"), L.Embedding(7, 3), L.Reshape((-1,)), L.Dense(1, activation="sigmoid"),
    ])


def two_inputs_two_outputs():
    left, right = Input((3,), name="left"), Input((2,), name="right")
    both = L.Concatenate()([L.Dense(4, activation="relu")(left), L.Dense(3, activation="tanh")(right)])
    return Model([left, right], [L.Dense(2, name="score")(both), L.Dense(3, activation="softmax", name="kind")(both)])


def shared_layer():
    first, second = Input((3,)), Input((3,))
    shared = L.Dense(4, activation="tanh")
    joined = L.Subtract()([shared(first), shared(second)])
    return Model([first, second], L.Dense(1)(joined))


def residual():
    inputs = Input((4,))
    x = L.Dense(4, activation="relu")(inputs)
    x = L.Add()([x, inputs])
    y = L.Dense(4, activation="relu")(x)
    x = L.Add()([y, x])
    return Model(inputs, L.Dense(2)(x))


def nested():
    encoder = Sequential([Input((3,)), L.Dense(5, activation="relu"), L.Dense(2)])
    inputs = Input((3,))
    return Model(inputs, L.Dense(1)(encoder(inputs)))


def nested_functional_twice():
    inside = Input((3,))
    tower = Model(inside, L.Dense(2, activation="tanh")(inside), name="tower")
    first, second = Input((3,), name="first"), Input((3,), name="second")
    dot = L.Dot(axes=1, normalize=True)([tower(first), tower(second)])
    return Model([first, second], dot, name="siamese")


def frozen_layers():
    """Some weights are not trainable: the summary counts them apart."""
    return Sequential([Input((3,)), L.Dense(4, trainable=False), L.BatchNormalization(), L.Dense(2)])


def long_names():
    """Names and shapes that do not fit into the columns of the summary."""
    inputs = Input((3,), name="a_rather_long_name_for_an_input_layer")
    x = L.Dense(1000, name="a_dense_layer_whose_name_is_much_longer_than_its_column")(inputs)
    x = L.Dense(1, name="out")(x)
    return Model(inputs, x, name="a_model")


def model_as_output():
    """Keras counts the calls of a functional model from 1 where it is an output."""
    inside = Input((3,))
    head = Model(inside, L.Dense(2)(inside), name="head")
    inputs = Input((4,))
    return Model(inputs, head(L.Dense(3, activation="relu")(inputs)))


def nested_deep():
    """A chain in a graph in a graph; the middle one is frozen."""
    chain = Sequential([Input((3,)), L.Dense(4, activation="tanh"), L.Dense(3)], name="chain")
    inside = Input((3,))
    middle = Model(inside, L.Add()([chain(inside), inside]), name="middle")
    middle.trainable = False
    inputs = Input((3,))
    return Model(inputs, L.Dense(1)(middle(inputs)))


def call_arguments():
    """Layers whose calls have arguments beside the input."""
    inputs = Input((4,))
    x = L.Dropout(0.2)(L.BatchNormalization()(L.Dense(3)(inputs)))
    return Model(inputs, L.Dense(2)(x))


def unbuilt():
    return Sequential([L.Dense(4), L.Activation("relu"), L.Dropout(0.2), L.Dense(1)])


def compiled():
    model = xor()
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"])
    return model


def compiled_two_outputs():
    model = two_inputs_two_outputs()
    model.compile(
        "adam",
        {"score": keras.losses.BinaryCrossentropy(from_logits=True), "kind": "sparse_categorical_crossentropy"},
        loss_weights={"score": 2.0, "kind": 0.5},
        metrics={"kind": ["accuracy"], "score": ["mae", keras.metrics.RootMeanSquaredError()]},
        weighted_metrics={"kind": ["accuracy"]},
    )
    return model


MODELS = [
    xor, convnet, convnet_batch_normalization, sequential_without_input, embedding,
    two_inputs_two_outputs, shared_layer, residual, nested, nested_functional_twice,
    frozen_layers, long_names, model_as_output, nested_deep, call_arguments, unbuilt,
    compiled, compiled_two_outputs,
]  # fmt: skip


def models():
    return [case(make) for make in MODELS]


def case(make):
    keras.utils.clear_session(free_memory=False)
    name = make.__name__
    random = Random(name)
    model = make()
    if not model.built:
        names = [layer.name for layer in model.layers]
        result = {"name": name, "json": json.loads(model.to_json()), "layer_names": names}
        return {**result, **summaries(model)}
    if name == "long_names":  # its weights would fill the file
        weights = None
    else:
        weights = random.weights_for(model.weights)
        model.set_weights(weights)
    inputs = [data_for(x, random) for x in model.inputs]
    result = {
        "name": name,
        "json": json.loads(model.to_json()),
        "output_shape": model.output_shape,
        # Operations of a graph are no layers in Keras.
        "layer_names": [layer.name for layer in getattr(model, "operations", model.layers)],
        **summaries(model),
    }
    if weights is not None:
        outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        result["weights"] = [
            {"path": v.path, "trainable": v.trainable, "array": array(v.numpy())} for v in model.weights
        ]
        result["inputs"] = [array(x) for x in inputs]
        result["outputs"] = [array(y) for y in outputs]
    return result


def data_for(x, random):
    shape = (3, *x.shape[1:])
    if x.dtype == "bool":
        return random.integers(4, *shape) > 0
    return random.integers(7, *shape) if x.dtype == "int32" else random.normal(*shape)


def summaries(model):
    return {
        "summary": summary(model),
        "summary_expanded": summary(model, expand_nested=True, show_trainable=True),
    }


def summary(model, **options):
    """The text of model.summary(line_length=80), without terminal colours."""
    lines = []
    model.summary(
        line_length=80, print_fn=lambda text, line_break=False: lines.append(text), **options
    )
    return "\n".join(lines)
