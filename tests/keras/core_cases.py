"""The cases of core.json: contractions by letters, registered functions, tables read both ways."""

import keras
from keras import constraints, initializers, ops, regularizers
from keras import layers as L

from layer_cases import normal


@keras.saving.register_keras_serializable(package="golden", name="scaled_square")
def scaled_square(x, factor=1.0):
    return ops.square(x) * factor


@keras.saving.register_keras_serializable(package="golden", name="difference")
def difference(inputs):
    return inputs[0] - inputs[1]


def integers(high, *shape):
    return lambda random: random.integers(high, *shape)


EINSUM = [
    ("einsum_dense", L.EinsumDense("ab,bc->ac", 4), normal(2, 3)),
    ("einsum_dense_bias", L.EinsumDense("ab,bc->ac", 4, bias_axes="c", activation="relu"), normal(2, 3)),
    ("einsum_dense_sequence", L.EinsumDense("abc,cd->abd", (None, 4), bias_axes="d"), normal(2, 3, 2)),
    ("einsum_dense_heads", L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de"), normal(2, 3, 4)),
    ("einsum_dense_bias_middle", L.EinsumDense("abc,cde->abde", (3, 2, 3), bias_axes="d"), normal(2, 3, 4)),
    ("einsum_dense_merge", L.EinsumDense("abcd,cde->abe", (None, 5)), normal(1, 3, 2, 2)),
    ("einsum_dense_left", L.EinsumDense("...x,xy->...y", 4, bias_axes="y"), normal(2, 3, 2)),
    ("einsum_dense_left_rank_2", L.EinsumDense("...x,xy->...y", 4), normal(2, 3)),
    ("einsum_dense_left_two", L.EinsumDense("...bc,cd->...bd", (3, 4), bias_axes="bd"), normal(2, 2, 3, 2)),
    ("einsum_dense_right", L.EinsumDense("ab...,bc->ac...", 4, bias_axes="c"), normal(2, 3, 2)),
    ("einsum_dense_shared", L.EinsumDense("abc,bcd->abd", (3, 4), bias_axes="bd"), normal(2, 3, 2)),
    (
        "einsum_dense_options",
        L.EinsumDense(
            "abc,cd->abd",
            (3, 2),
            bias_axes="d",
            activation="tanh",
            kernel_initializer=initializers.HeNormal(seed=7),
            bias_initializer="ones",
            kernel_regularizer=regularizers.L1L2(0.01, 0.02),
            bias_regularizer="l2",
            activity_regularizer=regularizers.L1(0.03),
            kernel_constraint=constraints.MaxNorm(1.5, axis=0),
            bias_constraint="non_neg",
        ),
        normal(2, 3, 4),
    ),
]  # fmt: skip

LAMBDA = [
    ("lambda", L.Lambda(scaled_square), normal(2, 3)),
    ("lambda_arguments", L.Lambda(scaled_square, arguments={"factor": 0.5}), normal(2, 3)),
    ("lambda_output_shape", L.Lambda(scaled_square, output_shape=(3,)), normal(2, 3)),
    ("lambda_two", L.Lambda(difference), lambda r: [r.normal(2, 3), r.normal(2, 3)]),
]

REVERSE = {"reverse": True}
REVERSIBLE = [
    ("reversible_embedding", L.ReversibleEmbedding(5, 3), integers(5, 2, 4)),
    ("reversible_embedding_mask", L.ReversibleEmbedding(5, 3, mask_zero=True), integers(3, 2, 4)),
    ("reversible_embedding_back", L.ReversibleEmbedding(5, 3), normal(2, 4, 3), REVERSE),
    ("reversible_embedding_untied", L.ReversibleEmbedding(5, 3, tie_weights=False), integers(5, 2, 4)),
    (
        "reversible_embedding_untied_back",
        L.ReversibleEmbedding(5, 3, tie_weights=False, logit_soft_cap=0.5, reverse_dtype="float32"),
        normal(2, 3),
        REVERSE,
    ),
    (
        "reversible_embedding_options",
        L.ReversibleEmbedding(
            4,
            2,
            embeddings_initializer=initializers.RandomNormal(seed=3),
            embeddings_regularizer="l2",
            embeddings_constraint="unit_norm",
            activity_regularizer=regularizers.L1(0.1),
            logit_soft_cap=2.0,
        ),
        normal(2, 2),
        REVERSE,
    ),
]  # fmt: skip

CASES = [*EINSUM, *LAMBDA, *REVERSIBLE]
