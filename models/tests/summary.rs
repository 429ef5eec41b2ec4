//! Summaries: Keras 3's table letter by letter, and the classic one.

#[path = "../../layers/tests/support/mod.rs"]
mod support;

use cornu_layers::prelude::*;
use cornu_models::callbacks::Verbose;
use cornu_models::{Compile, Fit, Model, Sequential, SummaryStyle};
use support::{cases, name};

#[test]
fn the_boxed_table_is_that_of_keras() {
    // The operations by which Keras tells masks are no part of a model here.
    let graphs = cases("graphs").into_iter().filter(|case| name(case) != "masked");
    for case in cases("models").into_iter().chain(graphs) {
        let model = Model::from_json(&case["json"].to_string()).unwrap();
        let summary = model.summary().style(SummaryStyle::Boxed).line_length(80);
        let keras = case["summary"].as_str().unwrap().trim_end();
        assert_eq!(summary.to_string(), keras, "{}", name(&case));
        let summary = summary.expand_nested(true).show_trainable(true);
        let keras = case["summary_expanded"].as_str().unwrap().trim_end();
        assert_eq!(summary.to_string(), keras, "{}, expanded", name(&case));
    }
}

#[test]
fn the_boxed_table_counts_what_the_optimizer_remembers_once_it_has_made_a_step() {
    // What Keras 3.15 prints of these models.
    for (optimizer, total, remembered) in
        [("adam", "125 (500.00 B)", "84 (336.00 B)"), ("sgd", "43 (172.00 B)", "2 (8.00 B)")]
    {
        let mut model = xor();
        model.compile(Compile::new().loss("mse").optimizer(optimizer)).unwrap();
        let boxed = |model: &Model| model.summary().style(SummaryStyle::Boxed).to_string();
        assert!(!boxed(&model).contains("Optimizer"), "{optimizer}");
        model.fit([[0.0f32, 1.0]], [[1.0f32]], Fit::new().verbose(Verbose::Silent)).unwrap();
        let text = boxed(&model);
        for line in [format!(" Total params: {total}"), format!(" Optimizer params: {remembered}")]
        {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }
}

fn xor() -> Sequential {
    let mut model = Sequential::new();
    model.add(Dense::new(10).input_dim(2)).unwrap();
    model.add(Activation::new("tanh")).unwrap();
    model.add(Dense::new(1)).unwrap();
    model.add(Activation::new("sigmoid")).unwrap();
    model
}

#[test]
fn the_classic_table_is_that_of_the_walkthrough() {
    let expected = include_str!("../../tests/summaries/xor.txt");
    assert_eq!(xor().summary().to_string(), expected.trim_end());
    let mut written = Vec::new();
    xor().summary().write_to(&mut written).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), expected);
}

#[test]
fn the_classic_table_says_what_a_graph_connects() {
    let (left, right) = (Input::new([3]).name("left").symbol(), Input::new([3]).symbol());
    let shared = Dense::new(1234).name("shared").into_layer();
    let (a, b) = ((&shared).apply(&left).unwrap(), (&shared).apply(&right).unwrap());
    let y = Dense::new(1).apply(Add::new().apply([&a, &b]).unwrap()).unwrap();
    let model = Model::new([&left, &right], &y).unwrap();
    shared.set_trainable(false);
    let expected = "\
Model: \"functional\"
_____________________________________________________________________________________________________________
Layer (type)                    Output Shape         Param #     Connected to                     Trainable
=============================================================================================================
left (InputLayer)               (None, 3)            0                                            -
_____________________________________________________________________________________________________________
input_layer (InputLayer)        (None, 3)            0                                            -
_____________________________________________________________________________________________________________
shared (Dense)                  (None, 1234)         4,936       left[0][0]                       N
                                                                 input_layer[0][0]
_____________________________________________________________________________________________________________
add (Add)                       (None, 1234)         0           shared[0][0]                     -
                                                                 shared[1][0]
_____________________________________________________________________________________________________________
dense (Dense)                   (None, 1)            1,235       add[0][0]                        Y
=============================================================================================================
Total params: 6,171
Trainable params: 1,235
Non-trainable params: 4,936
_____________________________________________________________________________________________________________";
    assert_eq!(model.summary().show_trainable(true).to_string(), expected);
}

#[test]
fn long_names_go_on_in_the_next_line_and_are_cut_where_they_must_be() {
    let mut model = Sequential::new();
    model.add(Dense::new(1).input_dim(2).name("a_name_that_is_long_enough")).unwrap();
    let endless = "a_name_that_fits_into_no_column_of_the_table_at_all";
    model.add(Dense::new(1).name(endless)).unwrap();
    let text = model.summary().to_string();
    for line in
        ["a_name_that_is_long_enough   (None, 1)", "(Dense)", "a_name_that_fits_into_no_co… "]
    {
        assert!(text.lines().any(|l| l.starts_with(line)), "{line} in\n{text}");
    }
}

#[test]
fn a_model_without_shapes_says_so() {
    let mut model = Sequential::new();
    model.add(Dense::new(4)).unwrap();
    model.add(Activation::new("relu")).unwrap();
    let text = model.summary().to_string();
    for line in [
        "dense (Dense)                ?                         (unbuilt)",
        "activation (Activation)      ?                         0",
        "Total params: 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
}

#[test]
fn layers_of_inner_models_are_listed_on_request() {
    let mut inner = Sequential::new().with_name("inner");
    inner.add(Dense::new(2).input_dim(3)).unwrap();
    let x = input([3]);
    let model = Model::new(&x, inner.apply(&x).unwrap()).unwrap();
    let row = "   └ dense (Dense)";
    assert!(!model.summary().to_string().contains(row));
    assert!(model.summary().expand_nested(true).to_string().contains(row));
}

#[test]
fn numbers_of_parameters_beyond_a_machine_word_are_counted() {
    // Each direction has u² + 2u weights, 2⁶⁴ - 1.
    let layer = Bidirectional::new(SimpleRNN::new(u32::MAX as usize)).into_layer();
    (&layer).apply(input([2, 1])).unwrap();
    let mut model = Sequential::new();
    model.add(layer).unwrap();
    let text = model.summary().line_length(200).to_string();
    assert!(text.contains("36,893,488,147,419,103,230"), "{text}");
}
