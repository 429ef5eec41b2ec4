//! The command `cornu`: models that Keras or cornu saved, looked into, run, trained, converted.

mod arguments;
mod arrays;
mod bar;
mod matching;
mod models;
mod verbs;

use std::process::ExitCode;

use arguments::Verb;

/// Why a verb failed, for people.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let done = match arguments::parse() {
        Verb::Summary(arguments) => verbs::summary::run(&arguments),
        Verb::Predict(arguments) => verbs::predict::run(&arguments),
        Verb::Evaluate(arguments) => verbs::evaluate::run(&arguments),
        Verb::Fit(arguments) => verbs::fit::run(&arguments),
        Verb::Convert(arguments) => verbs::convert::run(&arguments),
        Verb::Inspect(arguments) => verbs::inspect::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
