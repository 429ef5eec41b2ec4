"""Turns compare.sh's lines of JSON and what the kernels' benchmark printed into RESULTS.md:
table.py LINES KERNELS SECONDS ROUNDS."""

import datetime
import json
import os
import statistics
import subprocess
import sys

WORKLOADS = ["xor", "mlp", "cnn", "resnet20", "bilstm", "minigpt", "infer1-mlp", "infer1-cnn", "infer256-cnn"]
# Floating-point operations of a step, products and convolutions alone: forward, by weights, and by
# inputs where those depend on weights.
MULTIPLY_ADDS = {
    "mlp": 128 * (2 * 784 * 512 + 3 * 512 * 512 + 3 * 512 * 10),
    "cnn": 128 * (2 * 676 * 9 * 32 + 3 * 121 * 288 * 64 + 3 * 1600 * 10),
    "resnet20": 32 * (3 * 40_813_184 - 442_368),
    "bilstm": 32 * 200 * 3 * 4 * (128 + 64) * 256,
    # Of the scores a causal half.
    "minigpt": 32 * 80 * 3 * (4 * 256 * 512 + 2 * 256 * 256 + 80 * 512 + 256 * 5000),
    "infer1-mlp": 784 * 512 + 512 * 512 + 512 * 10,
    "infer1-cnn": 676 * 9 * 32 + 121 * 288 * 64 + 1600 * 10,
    "infer256-cnn": 256 * (676 * 9 * 32 + 121 * 288 * 64 + 1600 * 10),
}
# Weights that the prediction of one sample reads, each once.
WEIGHTS = {"infer1-mlp": 669_706, "infer1-cnn": 34_826}
# How many times the speed of the best peer in Python, and of the best one in Rust, cornu is to have.
GOALS = {
    "xor": (10, 15),
    "mlp": (1.15, 3),
    "cnn": (1.5, 7),
    "resnet20": (1.3, 4),
    "bilstm": (1.5, 14),
    "minigpt": (1.3, 3.5),
    "infer1-mlp": (2, 2),
    "infer1-cnn": (2, 2),
    "infer256-cnn": (1.3, 3),
}
RUST = ("burn", "candle", "dfdx")


def cpu():
    with open("/proc/cpuinfo") as lines:
        names = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    return ", ".join(sorted(names)) or "unknown processor"


def number(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def limit(kernels, of):
    """What the kernels' benchmark says of the machine's best product, in GFLOP/s, or copy, in GB/s."""
    for line in kernels.splitlines():
        if line.startswith(f"limit: {of}"):
            return float(line.split()[-1])
    return None


def rate(amount, most):
    """A rate and its share of the limit."""
    return [number(amount), f"{100 * amount / most:.0f} %" if most else ""]


def spread(runs, workload, peer):
    """The smallest and the largest of the rounds' ratios of cornu's speed to the peer's, where there are two."""
    own, other = ({run["round"]: run["samples_per_s"] for run in runs[workload, f]} for f in ("cornu", peer))
    ratios = [own[r] / other[r] for r in own.keys() & other.keys()]
    return f", {min(ratios):.2f} to {max(ratios):.2f}" if len(ratios) > 1 else ""


def main(path, kernels, seconds, rounds):
    with open(kernels) as lines:
        kernels = lines.read().rstrip()
    runs = {}
    versions = {}
    with open(path) as lines:
        for run in map(json.loads, lines):
            versions[run["framework"]] = run["version"]
            runs.setdefault((run["workload"], run["framework"]), []).append(run)
    frameworks = list(versions)
    peers = [name for name in frameworks if name != "cornu"]
    median = lambda w, f, key: statistics.median(run[key] for run in runs[w, f]) if (w, f) in runs else None
    workloads = [w for w in WORKLOADS if (w, "cornu") in runs]

    def ratios(key):
        for w in workloads:
            own, cells = median(w, "cornu", key), []
            for peer in peers:
                other = median(w, peer, key)
                cells.append("" if other is None else f"{own / other:.2f}")
            yield [w, *cells]

    times = [[w, *("" if (t := median(w, f, "step_us")) is None else number(t) for f in frameworks)] for w in workloads]
    memory = [[w, *("" if (m := median(w, f, "rss_mb")) is None else number(m) for f in frameworks)] for w in workloads]
    rates = []
    for w in workloads:
        if w in MULTIPLY_ADDS:
            step = median(w, "cornu", "step_us")
            row = [w, *rate(2e-3 * MULTIPLY_ADDS[w] / step, limit(kernels, "product"))]
            rates.append(row + (rate(4e-3 * WEIGHTS[w] / step, limit(kernels, "copy")) if w in WEIGHTS else ["", ""]))
    goals = []
    for w in workloads:
        row = [w]
        for rust, goal in zip((False, True), GOALS[w]):
            speeds = {p: median(w, p, "samples_per_s") for p in peers if p.startswith(RUST) == rust}
            known = {p: speed for p, speed in speeds.items() if speed}
            if not known:
                row += ["", f"{goal}", ""]
                continue
            peer = max(known, key=known.get)
            ratio = median(w, "cornu", "samples_per_s") / known[peer]
            row += [f"{ratio:.2f}{spread(runs, w, peer)} ({peer})", f"{goal}", "yes" if ratio >= goal else "no"]
        goals.append(row)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    day = datetime.date.today().isoformat()
    load = os.getloadavg()[0]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items() if name != "cornu")
    print(f"""# cornu beside its peers

Made by `benches/compare.sh {seconds} {rounds}` on {day} at commit {commit}: {rounds} round(s) in which the programs took
turns, the best of three blocks of {seconds} s or more in each, medians over rounds; 2 threads on {os.cpu_count()} cores of {cpu()}
(load average at the end: {load:.1f}; above 2 the machine was shared, and only ratios mean something).
Peers: {listed}.

## Goals
How many times as fast as the best peer of each language: medians over rounds{
    ", and the smallest and largest ratio of a round" if int(rounds) > 1 else ""}.

{table(["workload", "best in Python", "goal", "reached", "best in Rust", "goal", "reached"], goals)}

What was tried on those that are not reached is told in [TRIED.md](TRIED.md).

## Samples a second, cornu's over the peer's
More than 1: cornu is faster.

{table(["workload", *peers], ratios("samples_per_s"))}

## Peak memory, cornu's over the peer's
Less than 1: cornu takes less.

{table(["workload", *peers], ratios("rss_mb"))}

## Time of a step in microseconds

{table(["workload", *frameworks], times)}

## Peak memory in megabytes

{table(["workload", *frameworks], memory)}

## Rate of cornu's products and convolutions
Floating-point operations of a whole step by its time, and that as a share of what the matrix product of 1024 cubed
reaches alone. Convolutions are counted as plain sums, though some take fewer multiplications. For one sample also
the weights that are read by the time, and that as a share of what a copy of 64 MiB reaches: more than 100 % where
they stay in a cache.

{table(["workload", "GFLOP/s", "share", "weights, GB/s", "share"], rates)}

## Kernels
`cargo bench -p cornu-benches --bench kernels`

```text
{kernels}
```""")


main(*sys.argv[1:])
