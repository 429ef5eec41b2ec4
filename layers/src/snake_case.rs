//! Names of layers from names of classes.

/// A class's name within Keras, of which it shows and names layers; another than the public one
/// for one class.
pub fn inner_class(class: &str) -> &str {
    if class == "GroupQueryAttention" { "GroupedQueryAttention" } else { class }
}

/// A class name in the form in which Keras derives names from it: `MaxPooling2D` becomes
/// `max_pooling2d`, `LSTM` `lstm`.
pub fn snake_case(class: &str) -> String {
    let letters = inner_class(class).chars().filter(|c| c.is_alphanumeric() || *c == '_');
    let letters: Vec<char> = letters.collect();
    let mut name = String::new();
    for (i, &c) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| letters[j]);
        let after = letters.get(i + 1);
        let starts_word = c.is_uppercase()
            && before.is_some_and(|b| {
                let closes = after.is_some_and(|a| a.is_lowercase() && a.is_alphabetic());
                b != '_' && (b.is_lowercase() || closes)
            });
        if starts_word {
            name.push('_');
        }
        name.extend(c.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn names_are_those_that_keras_derives() {
        for (class, name) in [
            ("Dense", "dense"),
            ("Conv2D", "conv2d"),
            ("Conv2DTranspose", "conv2d_transpose"),
            ("LSTM", "lstm"),
            ("LSTMCell", "lstm_cell"),
            ("ConvLSTM2D", "conv_lstm2d"),
            ("ReLU", "re_lu"),
            ("PReLU", "p_re_lu"),
            ("LeakyReLU", "leaky_re_lu"),
            ("ELU", "elu"),
            ("SimpleRNN", "simple_rnn"),
            ("StackedRNNCells", "stacked_rnn_cells"),
            ("GlobalAveragePooling2D", "global_average_pooling2d"),
            ("UpSampling2D", "up_sampling2d"),
            ("RMSNormalization", "rms_normalization"),
            ("MaxPooling2D", "max_pooling2d"),
            ("GroupQueryAttention", "grouped_query_attention"),
        ] {
            assert_eq!(snake_case(class), name);
        }
    }
}
