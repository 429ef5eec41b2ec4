//! Attention.

use cornu_layers::prelude::*;

use crate::{assert_texts, on_all};

#[test]
fn attention_layers_say_what_they_expect() {
    assert_texts(vec![
        (
            on_all([&[4, 3], &[4, 2]], Attention::new()),
            "layer `attention` (Attention): input: the layer takes query (batch, …, queries, \
             size), value (batch, …, keys, width) and, unless that is also the key, key (batch, \
             …, keys, size), floating-point numbers of one dtype; got (None, 4, 3) and (None, 4, \
             2)",
        ),
        (
            on_all([&[4, 3], &[4, 3]], AdditiveAttention::new().dropout(2.0)),
            "layer `additive_attention` (AdditiveAttention): `dropout`: it must be in [0, 1]; \
             got 2",
        ),
        (
            on_all([&[4, 3], &[4, 3]], MultiHeadAttention::new(0, 2)),
            "layer `multi_head_attention` (MultiHeadAttention): `num_heads`: it must be \
             positive; got 0",
        ),
        (
            on_all([&[4, 3], &[4, 3]], MultiHeadAttention::new(2, 2).sliding_window(0)),
            "layer `multi_head_attention` (MultiHeadAttention): `sliding_window`: it must be \
             positive; got 0",
        ),
        (
            on_all([&[4, 3], &[4, 3]], MultiHeadAttention::new(2, 2).attention_axes(2)),
            "layer `multi_head_attention` (MultiHeadAttention): `attention_axes`: each must be \
             another axis between batch and features; got [2]",
        ),
        (
            on_all([&[4, 3], &[4, 3]], GroupQueryAttention::new(2, 3, 2)),
            "layer `grouped_query_attention` (GroupQueryAttention): `num_key_value_heads`: it \
             must divide the 3 heads of the query; got 2",
        ),
    ]);
    let text = on_all([&[4, 3], &[4, 3]], Attention::new().score_mode("dott"));
    let start = "layer `attention` (Attention): `score_mode`: it must be a known name; got \
                 unknown score_mode `dott`; did you mean `dot`?";
    assert!(text.starts_with(start), "{text}");
}
