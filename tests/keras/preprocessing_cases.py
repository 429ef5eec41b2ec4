"""The cases of preprocessing.json: layers that turn numbers and images into features."""

import numpy as np
from keras import layers as L

from layer_cases import FIRST, normal

MASK = {"mask": np.array([[1, 1, 0], [1, 0, 1]], bool)}


def integers(high, *shape):
    return lambda random: random.integers(high, *shape)


def bytes_(*shape):
    return lambda random: random.rng.integers(0, 256, size=shape).astype("uint8")


NORMALIZATION = [
    ("normalization", L.Normalization(), normal(2, 3)),
    ("normalization_given", L.Normalization(mean=[1.0, 2.0, -3.0], variance=[1.0, 4.0, 0.25]), normal(2, 3)),
    ("normalization_one", L.Normalization(axis=None, mean=0.5, variance=2.0), normal(2, 3, 2)),
    ("normalization_scalar_for_axis", L.Normalization(mean=0.5, variance=2.0), normal(2, 3)),
    ("normalization_learned_none", L.Normalization(axis=None), normal(2, 3)),
    ("normalization_axes", L.Normalization(axis=(1, -1)), normal(2, 3, 2)),
    ("normalization_axis", L.Normalization(axis=1, mean=[1.0, 0.0, 2.0], variance=[1.0, 2.0, 3.0]), normal(2, 3, 2)),
    (
        "normalization_axes_given",
        L.Normalization(axis=(1, 2), mean=[[0.5, 1.0]], variance=[[2.0, 3.0]], invert=True),
        normal(2, 3, 2),
    ),
    ("normalization_invert", L.Normalization(invert=True), normal(2, 3)),
    ("normalization_zero_variance", L.Normalization(mean=[1.0, 0.0], variance=[0.0, 1.0], invert=True), normal(3, 2)),
    ("normalization_integers", L.Normalization(mean=[1.0, 0.0], variance=[2.0, 1.0]), integers(9, 3, 2)),
]  # fmt: skip

RESCALING = [
    ("rescaling", L.Rescaling(1 / 255.0), normal(2, 3)),
    ("rescaling_offset", L.Rescaling(2.0, offset=-1.0), normal(2, 3, 2)),
    ("rescaling_lists", L.Rescaling([1.0, 2.0, 3.0], offset=[0.5, 0.0, -1.0]), normal(2, 3)),
    ("rescaling_integers", L.Rescaling(0.1), bytes_(2, 3)),
]

BINS = [
    ("discretization", L.Discretization([-0.5, 0.0, 0.7]), normal(3, 4)),
    ("discretization_edges", L.Discretization([0.0, 1.0]), lambda r: np.array([[-1, 0, 0.5, 1, 2]], "float32")),
    ("discretization_integers", L.Discretization([2.0, 4.0]), integers(6, 2, 3)),
    *[
        (f"discretization_{mode}", L.Discretization([-0.5, 0.5], output_mode=mode, epsilon=0.1), normal(3, 4))
        for mode in ("one_hot", "multi_hot", "count")
    ],
    ("discretization_one_hot_single", L.Discretization([0.0], output_mode="one_hot"), normal(3, 1)),
    ("discretization_one_hot_vector", L.Discretization([0.0], output_mode="one_hot"), normal(3)),
    *[
        (f"category_encoding_{mode}", L.CategoryEncoding(5, output_mode=mode), integers(5, 3, 4))
        for mode in ("one_hot", "multi_hot", "count")
    ],
    ("category_encoding", L.CategoryEncoding(4), integers(4, 2, 3)),
    ("category_encoding_single", L.CategoryEncoding(4, output_mode="one_hot"), integers(4, 3, 1)),
]  # fmt: skip

NAMES = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
IMAGES = [
    *[(f"resizing_up_{name}", L.Resizing(5, 7, interpolation=name), normal(1, 3, 4, 2)) for name in NAMES],
    *[(f"resizing_down_{name}", L.Resizing(3, 2, interpolation=name), normal(1, 7, 8, 2)) for name in NAMES],
    *[
        (f"resizing_antialias_{name}", L.Resizing(3, 5, interpolation=name, antialias=True), normal(1, 7, 4, 1))
        for name in NAMES
    ],
    ("resizing", L.Resizing(4, 3), normal(2, 5, 3, 2)),
    ("resizing_same", L.Resizing(3, 3), normal(1, 3, 3, 2)),
    ("resizing_channels_first", L.Resizing(4, 2, data_format=FIRST), normal(1, 2, 3, 5)),
    ("resizing_one", L.Resizing(4, 2), normal(3, 5, 2)),
    ("resizing_crop", L.Resizing(4, 2, crop_to_aspect_ratio=True), normal(1, 6, 7, 2)),
    ("resizing_crop_tall", L.Resizing(2, 5, crop_to_aspect_ratio=True, data_format=FIRST), normal(1, 2, 7, 4)),
    ("resizing_pad", L.Resizing(4, 2, pad_to_aspect_ratio=True, fill_value=0.5), normal(1, 3, 6, 2)),
    ("resizing_pad_wide", L.Resizing(2, 5, pad_to_aspect_ratio=True), normal(1, 7, 4, 2)),
    ("resizing_pad_odd", L.Resizing(3, 3, pad_to_aspect_ratio=True), normal(1, 3, 6, 2)),
    ("resizing_whole_a", L.Resizing(5, 7), bytes_(1, 3, 3, 1)),
    ("resizing_bytes_bicubic", L.Resizing(7, 5, interpolation="bicubic"), bytes_(1, 4, 4, 1)),
    ("center_crop", L.CenterCrop(2, 3), normal(2, 5, 4, 2)),
    ("center_crop_channels_first", L.CenterCrop(2, 2, data_format=FIRST), normal(1, 2, 5, 3)),
    ("center_crop_one", L.CenterCrop(2, 2), normal(5, 3, 2)),
    ("center_crop_larger", L.CenterCrop(4, 6), normal(1, 5, 4, 2)),
    ("center_crop_larger_first", L.CenterCrop(6, 3, data_format=FIRST), normal(1, 2, 4, 5)),
]  # fmt: skip

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
AUDIO = [
    *[
        (f"stft_spectrogram_{mode}", L.STFTSpectrogram(mode, frame_length=6, frame_step=3), normal(1, 14, 2))
        for mode in MODES
    ],
    (
        "stft_spectrogram_options",
        L.STFTSpectrogram("magnitude", 5, 2, 8, window="hamming", periodic=True, scaling="spectrum", padding="same"),
        normal(2, 13, 2),
    ),
    (
        "stft_spectrogram_expand",
        L.STFTSpectrogram("psd", 6, fft_length=10, scaling=None, expand_dims=True),
        normal(2, 12, 2),
    ),
    (
        "stft_spectrogram_first",
        L.STFTSpectrogram("stft", 4, window=None, data_format=FIRST),
        normal(2, 2, 9),
    ),
    (
        "stft_spectrogram_first_expand",
        L.STFTSpectrogram("log", 4, window=[0.5, 1.0, 1.0, 0.25], data_format=FIRST, expand_dims=True),
        normal(1, 2, 9),
    ),
    (
        "mel_spectrogram",
        L.MelSpectrogram(fft_length=16, sequence_stride=8, num_mel_bins=5, min_freq=50.0),
        normal(1, 40),
    ),
    ("mel_spectrogram_one", L.MelSpectrogram(fft_length=16, sequence_stride=6, num_mel_bins=4), normal(40)),
    (
        "mel_spectrogram_options",
        L.MelSpectrogram(
            fft_length=16, sequence_stride=5, sequence_length=12, window="hamming", sampling_rate=8000,
            num_mel_bins=6, min_freq=100.0, max_freq=3500.0, power_to_db=False, mag_exp=1.0,
        ),
        normal(2, 33),
    ),
    (
        "mel_spectrogram_decibels",
        L.MelSpectrogram(
            fft_length=16, sequence_stride=8, window=None, num_mel_bins=5, top_db=6.0, mag_exp=1.5,
            min_power=0.01, ref_power=2.0,
        ),
        normal(1, 40),
    ),
]  # fmt: skip

CASES = [*NORMALIZATION, *RESCALING, *BINS, *IMAGES, *AUDIO]
