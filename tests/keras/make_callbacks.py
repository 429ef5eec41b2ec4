"""callbacks.json: when callbacks stop, save, restore and lower the learning rate.

What is monitored is a script, `score`; the one weight is set to the number of each epoch, counted from 0, so that it tells
which epoch was restored.
"""

import os
import tempfile

import numpy as np
from keras import Input, Sequential, layers, optimizers
from keras import callbacks as K

from common import number

RATE = 0.5

EARLY_STOPPING = {
    "stops_at_once": ({"mode": "min"}, [3, 2, 2.5, 1]),
    "first_epoch_never_stops": ({"mode": "min", "baseline": 1.0}, [3, 4, 1]),
    "patience": ({"mode": "min", "patience": 2}, [3, 2, 2.5, 1.9, 1.9, 2, 1]),
    "max": ({"mode": "max", "patience": 1}, [0.1, 0.5, 0.5, 0.9]),
    "min_delta": ({"mode": "min", "patience": 2, "min_delta": 0.5}, [3, 2.75, 2.4, 2.25, 2, 1.75, 1]),
    "min_delta_max": ({"mode": "max", "patience": 2, "min_delta": -0.25}, [1, 1.125, 1.5, 1.625, 1.75, 2, 3]),
    "baseline_never_reached": ({"mode": "min", "patience": 3, "baseline": 1.0}, [5, 4, 3, 2, 0.5]),
    "baseline_reached": ({"mode": "min", "patience": 2, "baseline": 3.5}, [5, 3, 3.25, 3.25, 3.125, 0]),
    "start_from_epoch": ({"mode": "min", "start_from_epoch": 3, "patience": 1}, [1, 2, 3, 4, 3.5, 3.75, 0]),
    "restore": ({"mode": "min", "patience": 2, "restore_best_weights": True}, [3, 2, 4, 5, 1]),
    "restore_at_the_last_epoch": ({"mode": "min", "patience": 9, "restore_best_weights": True}, [3, 2, 4, 5]),
    "restore_with_baseline": (
        {"mode": "min", "patience": 2, "baseline": 1.0, "restore_best_weights": True}, [3, 2, 4, 5, 1]),
    "no_restore": ({"mode": "min", "patience": 2}, [3, 2, 4, 5, 1]),
}

REDUCE_RATE = {
    "patience": ({"mode": "min", "patience": 2, "factor": 0.5}, [3, 3, 3, 3, 3, 2, 2, 2, 2]),
    "cooldown": ({"mode": "min", "patience": 1, "factor": 0.5, "cooldown": 2}, [3, 3, 3, 3, 3, 3, 3, 3, 1, 1]),
    "improves_while_cooling": ({"mode": "min", "patience": 1, "factor": 0.5, "cooldown": 3}, [3, 3, 2, 2, 2, 2, 2]),
    "min_lr": ({"mode": "min", "patience": 1, "factor": 0.1, "min_lr": 0.01}, [3, 3, 3, 3, 3]),
    "min_delta": ({"mode": "min", "patience": 1, "factor": 0.5, "min_delta": 0.5}, [3, 2.75, 2.25, 2, 1]),
    "default_min_delta": ({"mode": "min", "patience": 1, "factor": 0.5}, [3, 2.99995, 2.9998, 2.9]),
    "max": ({"mode": "max", "patience": 2, "factor": 0.25}, [1, 2, 2, 1, 3, 3, 3]),
    "patience_0": ({"mode": "min", "patience": 0, "factor": 0.5}, [3, 3, 2, 3]),
}

CHECKPOINT = {
    "every_epoch": ({}, "{epoch:02d}", [3, 2, 2.5]),
    "best_only": ({"monitor": "score", "mode": "min", "save_best_only": True}, "{epoch}", [3, 2, 2.5, 2, 1]),
    "best_only_max": ({"monitor": "score", "mode": "max", "save_best_only": True}, "{epoch:03d}", [3, 2, 3.5, 3.5, 4]),
    "named_by_the_score": ({}, "e{epoch}-{score:.2f}", [0.125, 2.0, 1.005]),
    "every_batch": ({"save_freq": 1}, "{epoch}-{batch:02d}", [3, 2]),
    "batches_across_epochs": ({"save_freq": 4}, "{epoch}-{batch}", [3, 2, 1, 0]),
}


class Script(K.Callback):
    def __init__(self, scores):
        super().__init__()
        self.scores = scores

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = self.scores[epoch]
        self.model.set_weights([np.full((1, 1), epoch, "float32")])


def run(scores, callback):
    """Three batches an epoch, on nothing but zeros."""
    model = Sequential([Input((1,)), layers.Dense(1, use_bias=False)])
    model.compile(optimizer=optimizers.SGD(RATE), loss="mse")
    x = np.zeros((3, 1), "float32")
    with_script = [Script(scores), *callback]
    history = model.fit(x, x, batch_size=1, epochs=len(scores), shuffle=False, verbose=0, callbacks=with_script)
    return model, history


def result(kind, name, options, scores, model, history, **more):
    rates = history.history.get("learning_rate")
    return {
        "kind": kind,
        "name": f"{kind}_{name}",
        "options": options,
        "scores": scores,
        "epochs": len(history.epoch),
        "keys": sorted(history.history),
        "weight": number(model.get_weights()[0].item()),
        "learning_rates": None if rates is None else [number(rate) for rate in rates],
        **more,
    }


def early_stopping():
    for name, (options, scores) in EARLY_STOPPING.items():
        callback = K.EarlyStopping("score", **options)
        model, history = run(scores, [callback])
        more = {"best": number(callback.best), "best_epoch": callback.best_epoch, "stopped_epoch": callback.stopped_epoch}
        yield result("early_stopping", name, options, scores, model, history, **more)


def reduce_rate():
    for name, (options, scores) in REDUCE_RATE.items():
        model, history = run(scores, [K.ReduceLROnPlateau("score", **options)])
        last = number(model.optimizer.learning_rate)
        yield result("reduce_lr_on_plateau", name, options, scores, model, history, learning_rate=last)


def scheduler():
    for name, schedule in {
        "halves_from_epoch_2": lambda epoch, rate: rate if epoch < 2 else rate / 2,
        "by_epoch": lambda epoch, rate: 1 / (1 + epoch),
    }.items():
        model, history = run([0] * 5, [K.LearningRateScheduler(schedule)])
        last = number(model.optimizer.learning_rate)
        yield result("learning_rate_scheduler", name, {}, [0] * 5, model, history, learning_rate=last)


def checkpoint():
    for name, (options, path, scores) in CHECKPOINT.items():
        with tempfile.TemporaryDirectory() as folder:
            model, history = run(scores, [K.ModelCheckpoint(f"{folder}/{path}.keras", **options)])
            files = sorted(file.removesuffix(".keras") for file in os.listdir(folder))
        yield result("model_checkpoint", name, options, scores, model, history, path=path, files=files)


def csv_logger():
    def text(name, callback, runs, **fit):
        with tempfile.TemporaryDirectory() as folder:
            for start, scores in runs:
                model = Sequential([Input((1,)), layers.Dense(1, use_bias=False)])
                model.compile(optimizer=optimizers.SGD(0.0), loss="mse", metrics=["mae"])
                model.set_weights([np.full((1, 1), 2, "float32")])
                x = np.full((2, 1), 0.5, "float32")
                model.fit(
                    x, x, initial_epoch=start, epochs=start + len(scores), verbose=0,
                    callbacks=[*fit.get("before", []), callback(f"{folder}/log.csv")], validation_data=fit.get("validation"),
                    validation_freq=fit.get("validation_freq", 1),
                )
            with open(f"{folder}/log.csv", newline="") as file:
                return {"kind": "csv_logger", "name": f"csv_logger_{name}", "text": file.read()}

    x = np.full((2, 1), 1.5, "float32")
    yield text("plain", K.CSVLogger, [(0, [1, 2])])
    yield text("written_anew", K.CSVLogger, [(0, [1, 2]), (2, [3])])
    yield text("appended", lambda path: K.CSVLogger(path, append=True), [(0, [1, 2]), (2, [3])])
    yield text("semicolons", lambda path: K.CSVLogger(path, separator=";"), [(0, [1])])
    yield text("validation", K.CSVLogger, [(0, [1, 2])], validation=(x, x))
    yield text("validation_every_other_epoch", K.CSVLogger, [(0, [1, 2])], validation=(x, x), validation_freq=2)
    rate = K.LearningRateScheduler(lambda epoch: 0.25)
    yield text("learning_rate", K.CSVLogger, [(0, [1, 2])], before=[rate])


def callbacks():
    return [*early_stopping(), *reduce_rate(), *scheduler(), *checkpoint(), *csv_logger()]
