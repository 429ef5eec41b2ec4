"""What the Python peers share: data, the clock, and the line of JSON (see ../../README.md)."""

import argparse
import json
import time

import numpy as np

WORKLOADS = ["xor", "mlp", "cnn", "resnet20", "bilstm", "minigpt", "infer1-mlp", "infer1-cnn", "infer256-cnn"]
PARAMETERS = {"xor": 41, "mlp": 669_706, "cnn": 34_826, "resnet20": 272_474, "bilstm": 2_757_761, "minigpt": 3_244_168}
IMAGES = {"mlp": (784,), "cnn": (28, 28, 1), "resnet20": (32, 32, 3)}
BATCHES, BLOCKS, LEAST_STEPS = 8, 3, 10


def arguments(**flags):
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--seconds", type=float, default=3.0)
    for name, text in flags.items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    args = parser.parse_args()
    infer, _, model = args.workload.rpartition("-")
    args.model, args.trains = model, not infer
    args.batch = int(infer.removeprefix("infer")) if infer else {"xor": 4, "mlp": 128, "cnn": 128}.get(model, 32)
    return args


def data(args):
    """Batches (x, y) of NumPy arrays, images channels-last."""
    random = np.random.default_rng(42)
    if args.model == "xor":
        x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
        return [(x, np.array([[0], [1], [1], [0]], np.float32))]
    batches = []
    for _ in range(BATCHES):
        if args.model == "bilstm":
            x = random.integers(0, 20_000, (args.batch, 200), dtype=np.int32)
            y = random.integers(0, 2, (args.batch, 1)).astype(np.float32)
        elif args.model == "minigpt":
            x, y = random.integers(0, 5000, (2, args.batch, 80), dtype=np.int32)
        else:
            x = random.standard_normal((args.batch, *IMAGES[args.model]), dtype=np.float32)
            y = random.integers(0, 10, args.batch, dtype=np.int32)
        batches.append((x, y))
    return batches


def check(args, count):
    """Refuses a model that isn't the one that the others run."""
    assert count == PARAMETERS[args.model], f"{args.model} has {count} parameters, not {PARAMETERS[args.model]}"


def peak_memory():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def measure(args, framework, version, step, finish=lambda loss: None):
    """`step(i)` does a whole step and returns its loss; `finish(loss)` waits until that is done, where it may not be."""
    index, begin = 0, time.perf_counter()
    first = last = None
    while index < 5 or time.perf_counter() - begin < min(args.seconds, 1.0) / 2:
        last = step(index)
        finish(last)
        first = last if index == 0 else first
        index += 1
    best, best_steps = float("inf"), 0
    for _ in range(BLOCKS):
        steps, begin = 0, time.perf_counter()
        while True:
            last = step(index)
            index, steps = index + 1, steps + 1
            if steps >= LEAST_STEPS and time.perf_counter() - begin >= args.seconds:
                break
        finish(last)
        elapsed = time.perf_counter() - begin
        if elapsed / steps < best:
            best, best_steps = elapsed / steps, steps
    losses = [float(first), float(last)] if args.trains else [None, None]
    print(json.dumps({
        "framework": framework, "version": version, "workload": args.workload,
        "samples_per_s": args.batch / best, "step_us": 1e6 * best, "steps": best_steps,
        "rss_mb": peak_memory(), "loss_first": losses[0], "loss_last": losses[1],
    }))
