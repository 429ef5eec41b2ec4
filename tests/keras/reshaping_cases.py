"""The cases of reshaping.json: borders, larger images, and pooling to a given size."""

from keras import layers as L

from layer_cases import FIRST, distinct, normal

BORDERS = [
    ("cropping1d", L.Cropping1D(), normal(2, 4, 3)),
    ("cropping1d_pair", L.Cropping1D((0, 2)), normal(2, 4, 3)),
    ("cropping2d", L.Cropping2D(), normal(2, 3, 4, 2)),
    ("cropping2d_one", L.Cropping2D(1), normal(2, 3, 4, 2)),
    ("cropping2d_pair", L.Cropping2D((0, 1)), normal(2, 3, 4, 2)),
    ("cropping2d_pairs", L.Cropping2D(((1, 0), (2, 1)), data_format=FIRST), normal(2, 2, 3, 4)),
    ("cropping3d", L.Cropping3D(), normal(1, 3, 4, 3, 2)),
    ("cropping3d_one", L.Cropping3D(1, data_format=FIRST), normal(1, 2, 3, 4, 3)),
    ("cropping3d_pairs", L.Cropping3D(((1, 0), (0, 2), (1, 1))), normal(1, 3, 4, 3, 2)),
    ("zero_padding1d", L.ZeroPadding1D(), normal(2, 3, 2)),
    ("zero_padding1d_pair", L.ZeroPadding1D((0, 2), data_format=FIRST), normal(2, 3, 2)),
    ("zero_padding2d", L.ZeroPadding2D(), normal(2, 3, 2, 2)),
    ("zero_padding2d_one", L.ZeroPadding2D(2), normal(1, 2, 3, 2)),
    ("zero_padding2d_pair", L.ZeroPadding2D((0, 2)), normal(1, 2, 3, 2)),
    ("zero_padding2d_pairs", L.ZeroPadding2D(((1, 0), (2, 1)), data_format=FIRST), normal(1, 2, 2, 3)),
    ("zero_padding3d", L.ZeroPadding3D(), normal(1, 1, 2, 2, 2)),
    ("zero_padding3d_pairs", L.ZeroPadding3D(((1, 0), (0, 2), (1, 1)), data_format=FIRST), normal(1, 2, 1, 2, 2)),
]  # fmt: skip

UP_SAMPLING = [
    ("up_sampling1d", L.UpSampling1D(), normal(2, 3, 2)),
    ("up_sampling1d_size", L.UpSampling1D(3), normal(2, 3, 2)),
    ("up_sampling2d", L.UpSampling2D(), normal(2, 2, 3, 2)),
    ("up_sampling2d_size", L.UpSampling2D((1, 3), data_format=FIRST), normal(2, 2, 3, 2)),
    *[
        (f"up_sampling2d_{name}", L.UpSampling2D((2, 3), interpolation=name), normal(1, 3, 4, 2))
        for name in ("bilinear", "bicubic", "lanczos3", "lanczos5")
    ],
    ("up_sampling2d_bilinear_first", L.UpSampling2D((3, 1), FIRST, interpolation="bilinear"), normal(2, 2, 3, 2)),
    ("up_sampling3d", L.UpSampling3D(), normal(1, 2, 1, 2, 2)),
    ("up_sampling3d_size", L.UpSampling3D((1, 2, 3), data_format=FIRST), normal(1, 2, 2, 1, 2)),
]  # fmt: skip


def adaptive(kind, inputs):
    make = {axes: getattr(L, f"Adaptive{kind}Pooling{axes}D") for axes in (1, 2, 3)}
    name = f"adaptive_{kind.lower()}_pooling"
    for n, size in [(6, 3), (5, 3), (7, 2), (3, 5), (4, 4), (1, 3), (7, 3), (10, 7)]:
        yield f"{name}1d_{n}_to_{size}", make[1](size), inputs(2, n, 2)
    yield f"{name}1d_channels_first", make[1](3, data_format=FIRST), inputs(2, 3, 5)
    yield f"{name}2d", make[2](2), inputs(2, 4, 6, 2)
    yield f"{name}2d_uneven", make[2]((3, 2)), inputs(1, 5, 3, 2)
    yield f"{name}2d_channels_first", make[2]((2, 3), data_format=FIRST), inputs(1, 2, 5, 3)
    yield f"{name}3d", make[3](2), inputs(1, 2, 4, 2, 2)
    yield f"{name}3d_uneven", make[3]((2, 1, 3)), inputs(1, 3, 2, 4, 1)
    yield f"{name}3d_channels_first", make[3]((2, 1, 3), data_format=FIRST), inputs(1, 2, 3, 2, 4)


CASES = [*BORDERS, *UP_SAMPLING, *adaptive("Average", normal), *adaptive("Max", distinct)]
