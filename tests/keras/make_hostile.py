"""files/hostile/: HDF5 files that mean harm to whoever reads them as weights of a small model.

    python tests/keras/make_hostile.py

The model is a Sequential of Dense(2) on 3 inputs.
"""

import pathlib

import h5py
import numpy as np

FOLDER = pathlib.Path(__file__).parent / "files" / "hostile"


def weights(name, libver="earliest"):
    """A file that is right so far."""
    file = h5py.File(FOLDER / name, "w", libver=libver)
    file["layers/dense/vars/0"] = np.arange(6, dtype="float32").reshape(3, 2)
    file["layers/dense/vars/1"] = np.arange(2, dtype="float32")
    return file


def replace(file, path, **options):
    del file[path]
    return file.create_dataset(path, **options)


def main():
    FOLDER.mkdir(exist_ok=True)
    weights("right.weights.h5").close()
    weights("latest.weights.h5", "latest").close()
    with weights("cycle.weights.h5") as file:
        file["layers/dense/again"] = file["layers"]
    with weights("soft_cycle.weights.h5") as file:
        file["layers/dense/again"] = h5py.SoftLink("/layers/dense/again")
    with weights("external_link.weights.h5") as file:
        del file["layers/dense/vars/1"]
        file["layers/dense/vars/1"] = h5py.ExternalLink("right.weights.h5", "layers/dense/vars/1")
    with weights("external_data.weights.h5") as file:
        external = [("right.weights.h5", 0, 8)]
        replace(file, "layers/dense/vars/1", shape=(2,), dtype="float32", external=external)
    with weights("virtual.weights.h5", "latest") as file:
        layout = h5py.VirtualLayout((2,), "float32")
        layout[:] = h5py.VirtualSource("right.weights.h5", "layers/dense/vars/1", (2,))
        del file["layers/dense/vars/1"]
        file.create_virtual_dataset("layers/dense/vars/1", layout)
    with weights("huge.weights.h5") as file:
        # Never written, so the file stays small.
        replace(file, "layers/dense/vars/0", shape=(1 << 30, 1 << 30), dtype="float32", chunks=(1 << 10, 1 << 10))
    with weights("huge_contiguous.weights.h5") as file:
        replace(file, "layers/dense/vars/0", shape=(1 << 40,), dtype="float32")
    with weights("huge_chunk.weights.h5") as file:
        options = {"chunks": (3, 1 << 28), "compression": "gzip", "maxshape": (3, None)}
        replace(file, "layers/dense/vars/0", shape=(3, 2), dtype="float32", **options)
    with weights("deep.weights.h5", "latest") as file:
        group = file
        for _ in range(300):
            group = group.create_group("a")
    with weights("wide.weights.h5") as file:
        for at in range(1200):
            file[f"more/{at}"] = file["layers/dense/vars/0"]
    with weights("nan.weights.h5") as file:
        file["layers/dense/vars/1"][0] = np.nan
    with weights("text.weights.h5") as file:
        replace(file, "layers/dense/vars/1", data=["a", "b"])
    with weights("compound.weights.h5") as file:
        replace(file, "layers/dense/vars/1", data=np.zeros(2, [("a", "f4")]))
    with weights("group.weights.h5") as file:
        del file["layers/dense/vars/1"]
        file.create_group("layers/dense/vars/1")
    with weights("empty.weights.h5") as file:
        del file["layers/dense/vars/1"]
        file["layers/dense/vars/1"] = h5py.Empty("float32")
    # What other writers do and is right: halves, doubles, the highest byte first, compressed.
    with weights("other_kinds.weights.h5") as file:
        replace(file, "layers/dense/vars/0", data=np.arange(6).reshape(3, 2).astype(">f8"), compression="gzip", shuffle=True)
        replace(file, "layers/dense/vars/1", data=np.arange(2).astype("float16"))
    with weights("bfloat16.weights.h5") as file:
        kind = h5py.opaque_dtype(np.dtype("V2"))
        halves = np.array([0x0000, 0x3F80], "<u2").view("V2").astype(kind)
        replace(file, "layers/dense/vars/1", shape=(2,), dtype=kind)[...] = halves
        file["layers/dense/vars/1"].attrs["dtype"] = "bfloat16"


if __name__ == "__main__":
    main()
