//! What several tests of models need.
#![allow(dead_code)]

use cornu_models::callbacks::Verbose;
use cornu_models::{Fit, Result};

/// Training without a word.
pub(crate) fn quiet<'a>() -> Fit<'a> {
    Fit::new().verbose(Verbose::Silent)
}

/// Asserts that it failed with a text that has these parts.
#[track_caller]
pub(crate) fn assert_says<T>(result: Result<T>, parts: &[&str]) {
    let Err(error) = result else { panic!("this should have failed, with {parts:?}") };
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}
