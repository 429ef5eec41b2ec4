"""Keras on the backend that KERAS_BACKEND names, by train_on_batch and predict_on_batch."""

import os

import common

BACKEND = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
args = common.arguments(fit="train by fit, predict by predict")

if BACKEND == "tensorflow":
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(2)
    tensorflow.config.threading.set_inter_op_parallelism_threads(2)
    UNDER = f"tensorflow {tensorflow.__version__}"
elif BACKEND == "jax":
    import jax

    UNDER = f"jax {jax.__version__}"
else:
    import torch

    torch.set_num_threads(2)
    UNDER = f"torch {torch.__version__}"

import keras
from keras import layers

keras.utils.set_random_seed(1)


class TokenAndPosition(layers.Layer):
    def __init__(self, vocabulary, dim):
        super().__init__()
        self.vocabulary, self.dim = vocabulary, dim

    def build(self, shape):
        self.tokens = self.add_weight(shape=(self.vocabulary, self.dim), initializer="uniform")
        self.positions = self.add_weight(shape=(shape[1], self.dim), initializer="uniform")

    def call(self, x):
        return keras.ops.take(self.tokens, x, axis=0) + self.positions


def normalized(x, filters, kernel, strides=1):
    x = layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def resnet20():
    image = keras.Input((32, 32, 3))
    x = layers.ReLU()(normalized(image, 16, 3))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            strides = 2 if stage and not block else 1
            y = layers.ReLU()(normalized(x, filters, 3, strides))
            y = normalized(y, filters, 3)
            x = x if strides == 1 else normalized(x, filters, 1, strides)
            x = layers.ReLU()(layers.add([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def minigpt():
    tokens = keras.Input((80,), dtype="int32")
    x = TokenAndPosition(5000, 256)(tokens)
    attended = layers.MultiHeadAttention(2, 256)(x, x, use_causal_mask=True)
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(attended))
    hidden = layers.Dense(256)(layers.Dense(256, activation="relu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(hidden))
    return keras.Model(tokens, layers.Dense(5000)(x))


CHAINS = {
    "xor": lambda: [keras.Input((2,)), layers.Dense(10, "tanh"), layers.Dense(1, "sigmoid")],
    "mlp": lambda: [
        keras.Input((784,)), layers.Dense(512, "relu"), layers.Dense(512, "relu"), layers.Dense(10, "softmax")],
    "cnn": lambda: [
        keras.Input((28, 28, 1)), layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(), layers.Dropout(0.5),
        layers.Dense(10, "softmax")],
    "bilstm": lambda: [
        keras.Input((200,), dtype="int32"), layers.Embedding(20_000, 128),
        layers.Bidirectional(layers.LSTM(64, return_sequences=True)), layers.Bidirectional(layers.LSTM(64)),
        layers.Dense(1, "sigmoid")],
}
model = keras.Sequential(CHAINS[args.model]()) if args.model in CHAINS else {
    "resnet20": resnet20, "minigpt": minigpt}[args.model]()
common.check(args, sum(w.numpy().size if hasattr(w, "numpy") else 0 for w in model.trainable_variables))
batches = common.data(args)
loss = {"xor": "binary_crossentropy", "bilstm": "binary_crossentropy",
        "minigpt": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
optimizer = {"xor": lambda: keras.optimizers.SGD(0.1), "resnet20": lambda: keras.optimizers.SGD(0.1, momentum=0.9)}
model.compile(
    optimizer=optimizer.get(args.model, lambda: keras.optimizers.Adam(1e-3))(),
    loss=loss.get(args.model, "sparse_categorical_crossentropy"))


def step(index):
    x, y = batches[index % len(batches)]
    if args.trains:
        return model.train_on_batch(x, y)
    model.predict(x, batch_size=args.batch, verbose=0) if args.fit else model.predict_on_batch(x)


name = f"keras-{BACKEND}" + ("-predict" if args.fit else "")
common.measure(args, name, f"{keras.__version__} on {UNDER}", step)
