//! The ops of neural networks at their edges, where Keras has a say. That they are right
//! elsewhere is tested with all other ops, by the table in `tests/ops`.

mod nn {
    mod activations;
    mod attention;
    mod losses;
    mod normalize;
    mod recurrent;
    mod threads;
}
