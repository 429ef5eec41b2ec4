"""JAX alone: parameters and optimizers by hand, one jitted step with donated state."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn

import common

args = common.arguments()
random = np.random.default_rng(1)


def dense(inputs, outputs):
    limit = np.sqrt(6 / (inputs + outputs))
    return {"w": random.uniform(-limit, limit, (inputs, outputs)).astype(np.float32), "b": np.zeros(outputs, np.float32)}


def table(rows, columns):
    return random.uniform(-0.05, 0.05, (rows, columns)).astype(np.float32)


def kernel(size, inputs, outputs):
    return (random.standard_normal((size, size, inputs, outputs)) * np.sqrt(2 / (size * size * inputs))).astype(np.float32)


def scale(n):
    return {"g": np.ones(n, np.float32), "b": np.zeros(n, np.float32)}


def linear(p, x):
    return x @ p["w"] + p["b"]


def conv(w, x, stride=1, padding="VALID"):
    return lax.conv_general_dilated(x, w, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def pool(x):
    b, h, w, c = x.shape
    x = x[:, :h // 2 * 2, :w // 2 * 2].reshape(b, h // 2, 2, w // 2, 2, c)
    x = jnp.maximum(x[:, :, 0], x[:, :, 1])
    return jnp.maximum(x[:, :, :, 0], x[:, :, :, 1])


def dropout(key, x, rate):
    return x if key is None else jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def layer_norm(p, x):
    x = x - x.mean(-1, keepdims=True)
    return x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-6) * p["g"] + p["b"]


# Each model: parameters, statistics, and (parameters, statistics, x, key) -> logits, statistics;
# there is a key while training.

def xor():
    return [dense(2, 10), dense(10, 1)], {}, lambda p, s, x, key: (linear(p[1], jnp.tanh(linear(p[0], x))), s)


def mlp():
    def run(p, s, x, key):
        return linear(p[2], nn.relu(linear(p[1], nn.relu(linear(p[0], x))))), s
    return [dense(784, 512), dense(512, 512), dense(512, 10)], {}, run


def cnn():
    def run(p, s, x, key):
        x = pool(nn.relu(conv(p["k1"], x) + p["b1"]))
        x = pool(nn.relu(conv(p["k2"], x) + p["b2"]))
        return linear(p["out"], dropout(key, x.reshape(x.shape[0], -1), 0.5)), s
    return {"k1": kernel(3, 1, 32), "b1": np.zeros(32, np.float32), "k2": kernel(3, 32, 64),
            "b2": np.zeros(64, np.float32), "out": dense(1600, 10)}, {}, run


def resnet20():
    parameters, statistics = {"out": dense(64, 10)}, {}

    def add(name, size, inputs, outputs):
        parameters[name] = {"k": kernel(size, inputs, outputs), **scale(outputs)}
        statistics[name] = {"mean": np.zeros(outputs, np.float32), "variance": np.ones(outputs, np.float32)}

    blocks, inputs = [], 16
    add("stem", 3, 3, 16)
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            stride, name = (2 if stage and not block else 1), f"{stage}.{block}"
            add(name + ".a", 3, inputs, filters)
            add(name + ".b", 3, filters, filters)
            if stride == 2:
                add(name + ".c", 1, inputs, filters)
            blocks.append((name, stride))
            inputs = filters

    def run(p, s, x, key):
        new = {}

        def normalized(name, x, stride=1):
            y = conv(p[name]["k"], x, stride, "SAME")
            mean, variance = y.mean((0, 1, 2)), y.var((0, 1, 2))
            new[name] = {"mean": 0.9 * s[name]["mean"] + 0.1 * mean, "variance": 0.9 * s[name]["variance"] + 0.1 * variance}
            return (y - mean) * (lax.rsqrt(variance + 1e-5) * p[name]["g"]) + p[name]["b"]

        x = nn.relu(normalized("stem", x))
        for name, stride in blocks:
            y = normalized(name + ".b", nn.relu(normalized(name + ".a", x, stride)))
            x = nn.relu(y + (x if stride == 1 else normalized(name + ".c", x, 2)))
        return linear(p["out"], x.mean((1, 2))), new

    return parameters, statistics, run


def lstm(p, x, reverse):
    """x: (time, batch, features)."""
    def cell(state, z):
        c, h = state
        i, f, g, o = jnp.split(z + h @ p["r"], 4, -1)
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
        h = nn.sigmoid(o) * jnp.tanh(c)
        return (c, h), h
    zero = jnp.zeros((x.shape[1], 64))
    return lax.scan(cell, (zero, zero), linear(p, x), reverse=reverse)


def bilstm():
    def one(inputs):
        return {**dense(inputs, 256), "r": dense(64, 256)["w"]}

    def run(p, s, x, key):
        x = p["table"][x.T]
        x = jnp.concatenate([lstm(p["l"][0], x, False)[1], lstm(p["l"][1], x, True)[1]], -1)
        last = [lstm(p["l"][2], x, False)[0][1], lstm(p["l"][3], x, True)[0][1]]
        return linear(p["out"], jnp.concatenate(last, -1)), s

    return {"table": table(20_000, 128), "l": [one(128) for _ in range(4)], "out": dense(128, 1)}, {}, run


def minigpt():
    def run(p, s, x, key):
        keys = (None, None) if key is None else jax.random.split(key)
        x = p["tokens"][x] + p["positions"]
        query, keyed, value = (linear(p[n], x).reshape(*x.shape[:2], 2, 256).swapaxes(1, 2) for n in "qkv")
        scores = query @ keyed.swapaxes(2, 3) / 16
        scores = jnp.where(jnp.tril(jnp.ones(scores.shape[2:], bool)), scores, -1e30)
        found = (nn.softmax(scores) @ value).swapaxes(1, 2).reshape(*x.shape[:2], 512)
        x = layer_norm(p["n1"], x + dropout(keys[0], linear(p["o"], found), 0.1))
        hidden = linear(p["f2"], nn.relu(linear(p["f1"], x)))
        return linear(p["out"], layer_norm(p["n2"], x + dropout(keys[1], hidden, 0.1))), s

    return {"tokens": table(5000, 256), "positions": table(80, 256), "q": dense(256, 512), "k": dense(256, 512),
            "v": dense(256, 512), "o": dense(512, 256), "n1": scale(256), "f1": dense(256, 256),
            "f2": dense(256, 256), "n2": scale(256), "out": dense(256, 5000)}, {}, run


tree = jax.tree_util.tree_map
parameters, statistics, run = {
    "xor": xor, "mlp": mlp, "cnn": cnn, "resnet20": resnet20, "bilstm": bilstm, "minigpt": minigpt}[args.model]()
common.check(args, sum(w.size for w in jax.tree_util.tree_leaves(parameters)))
parameters, statistics = tree(jnp.asarray, (parameters, statistics))
batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in common.data(args)]


def loss_of(p, s, x, y, key):
    z, s = run(p, s, x, key)
    if args.model in ("xor", "bilstm"):
        return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z)))), s
    picked = jnp.take_along_axis(z, y[..., None], -1)[..., 0]
    return jnp.mean(nn.logsumexp(z, -1) - picked), s


def update(p, slots, g):
    if args.model == "xor":
        return tree(lambda p, g: p - 0.1 * g, p, g), slots
    if args.model == "resnet20":
        m = tree(lambda m, g: 0.9 * m + g, slots, g)
        return tree(lambda p, m: p - 0.1 * m, p, m), m
    n = slots["n"] + 1
    m = tree(lambda m, g: m + 0.1 * (g - m), slots["m"], g)
    v = tree(lambda v, g: v + 0.001 * (g * g - v), slots["v"], g)
    rate = 1e-3 * jnp.sqrt(1 - 0.999 ** n) / (1 - 0.9 ** n)
    return tree(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), p, m, v), {"n": n, "m": m, "v": v}


@partial(jax.jit, donate_argnums=0)
def train(state, x, y):
    p, s, slots, key = state
    key, now = jax.random.split(key)
    (loss, s), g = jax.value_and_grad(loss_of, has_aux=True)(p, s, x, y, now)
    p, slots = update(p, slots, g)
    return (p, s, slots, key), loss


zeros = lambda: tree(jnp.zeros_like, parameters)
slots = zeros() if args.model == "resnet20" else {"n": jnp.float32(0), "m": zeros(), "v": zeros()}
# The generator that is quick on processors; the default one isn't.
state = (parameters, statistics, slots, jax.random.key(1, impl="rbg"))
predict = jax.jit(lambda p, s, x: nn.softmax(run(p, s, x, None)[0]))


def step(index):
    global state
    x, y = batches[index % len(batches)]
    if not args.trains:
        return predict(parameters, statistics, x)
    state, loss = train(state, x, y)
    return loss


common.measure(args, "jax", jax.__version__, step, jax.block_until_ready)
