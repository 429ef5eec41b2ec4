//! What can be asked of the command.

use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

/// What was asked.
#[derive(Debug)]
pub(crate) enum Verb {
    Summary(Summary),
    Predict(Predict),
    Evaluate(Evaluate),
    Fit(Fit),
    Convert(Convert),
    Inspect(Inspect),
}

#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) model: PathBuf,
    pub(crate) boxed: bool,
}

#[derive(Debug)]
pub(crate) struct Predict {
    pub(crate) model: PathBuf,
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
    pub(crate) batch_size: usize,
}

#[derive(Debug)]
pub(crate) struct Evaluate {
    pub(crate) model: PathBuf,
    pub(crate) x: PathBuf,
    pub(crate) y: PathBuf,
    pub(crate) batch_size: usize,
    pub(crate) json: bool,
}

#[derive(Debug)]
pub(crate) struct Fit {
    pub(crate) model: PathBuf,
    pub(crate) x: PathBuf,
    pub(crate) y: PathBuf,
    pub(crate) epochs: usize,
    pub(crate) batch_size: Option<usize>,
    pub(crate) no_shuffle: bool,
    pub(crate) seed: Option<u64>,
    pub(crate) validation_split: Option<f64>,
    pub(crate) output: PathBuf,
    pub(crate) history: Option<PathBuf>,
    pub(crate) loss: Option<String>,
    pub(crate) optimizer: Option<String>,
    pub(crate) learning_rate: Option<f64>,
    pub(crate) metrics: Option<Vec<String>>,
}

#[derive(Debug)]
pub(crate) struct Convert {
    pub(crate) model: PathBuf,
    pub(crate) output: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Inspect {
    pub(crate) file: PathBuf,
}

const MODEL: &str = "A `.keras` file, or an `.h5` of Keras 2";
const ANY_MODEL: &str = "A `.keras` file, an `.h5` of Keras 2, or the `.json` of a model";
const ARRAYS: &str = "An `.npz` whose arrays are named after the model's inputs, or else x0, x1, …; \
                      for one input an `.npy` or a `.csv`, too";
const TARGETS: &str = "As --x, with the names of outputs, or else y0, y1, …";

/// What was asked of the program; leaves it where that can't be understood, or was for help.
pub(crate) fn parse() -> Verb {
    let matches = command().get_matches();
    let (verb, m) = matches.subcommand().expect("clap asks for a verb");
    let model = || one(m, "MODEL");
    match verb {
        "summary" => {
            let boxed = one::<String>(m, "style") == "boxed";
            Verb::Summary(Summary { model: model(), boxed })
        }
        "predict" => Verb::Predict(Predict {
            model: model(),
            input: one(m, "input"),
            output: one(m, "output"),
            batch_size: one(m, "batch-size"),
        }),
        "evaluate" => Verb::Evaluate(Evaluate {
            model: model(),
            x: one(m, "x"),
            y: one(m, "y"),
            batch_size: one(m, "batch-size"),
            json: m.get_flag("json"),
        }),
        "fit" => Verb::Fit(Fit {
            model: model(),
            x: one(m, "x"),
            y: one(m, "y"),
            epochs: one(m, "epochs"),
            batch_size: m.get_one("batch-size").copied(),
            no_shuffle: m.get_flag("no-shuffle"),
            seed: m.get_one("seed").copied(),
            validation_split: m.get_one("validation-split").copied(),
            output: one(m, "output"),
            history: m.get_one("history").cloned(),
            loss: m.get_one("loss").cloned(),
            optimizer: m.get_one("optimizer").cloned(),
            learning_rate: m.get_one("learning-rate").copied(),
            metrics: m.get_many("metrics").map(|list| list.cloned().collect()),
        }),
        "convert" => Verb::Convert(Convert { model: model(), output: one(m, "OUTPUT") }),
        _ => Verb::Inspect(Inspect { file: one(m, "FILE") }),
    }
}

/// An argument that must be there, or has a default.
fn one<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> T {
    matches.get_one::<T>(name).expect("clap asks for what is required").clone()
}

fn command() -> Command {
    let verbs = [summary(), predict(), evaluate(), fit(), convert(), inspect()];
    Command::new("cornu")
        .about("Looks into, runs, trains and converts models that Keras or cornu saved")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(verbs)
}

/// An argument by its place.
fn place(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).help(help).required(true).value_parser(value_parser!(PathBuf))
}

/// An option with a value.
fn option(
    name: &'static str,
    value: &'static str,
    help: &'static str,
    parser: impl Into<ValueParser>,
) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help).value_parser(parser.into())
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

fn batch_size(help: &'static str) -> Arg {
    option("batch-size", "N", help, value_parser!(usize)).default_value("32")
}

fn summary() -> Command {
    let style = Arg::new("style").long("style").help("How it is drawn");
    let style = style.value_parser(["classic", "boxed"]).default_value("classic");
    Command::new("summary")
        .about("Prints the table of a model's layers")
        .after_help("Example: cornu summary model.keras --style boxed")
        .args([place("MODEL", ANY_MODEL), style])
}

fn predict() -> Command {
    let output = "An `.npz` of the outputs y0, y1, …; for one output an `.npy` or a `.csv`, too";
    Command::new("predict")
        .about("Computes a model's outputs")
        .after_help("Example: cornu predict model.keras --input x.npz --output y.npz")
        .args([
            place("MODEL", MODEL),
            option("input", "FILE", ARRAYS, value_parser!(PathBuf)).required(true),
            option("output", "FILE", output, value_parser!(PathBuf)).required(true),
            batch_size("How many samples are computed at once"),
        ])
}

fn evaluate() -> Command {
    Command::new("evaluate")
        .about("Computes loss and metrics")
        .after_help("Example: cornu evaluate model.keras --x x.npz --y y.npz --json")
        .args([
            place("MODEL", MODEL),
            option("x", "FILE", ARRAYS, value_parser!(PathBuf)).required(true),
            option("y", "FILE", TARGETS, value_parser!(PathBuf)).required(true),
            batch_size("How many samples are computed at once"),
            flag("json", "Prints an object of JSON"),
        ])
}

fn fit() -> Command {
    let example = "Example: cornu fit model.keras --x x.npz --y y.npz --epochs 10 \
                   --output trained.keras --history history.json";
    let history = "A `.json` of lists under Keras's names, or a `.csv` with a line for each epoch";
    let loss = "The loss, instead of those in the file: `mse`, `binary_crossentropy`, …";
    let optimizer = "The optimizer, instead of that in the file: `adam`, `sgd`, …";
    let metrics = "The metrics, instead of those in the file, with commas between: `accuracy,mae`";
    Command::new("fit").about("Trains a model and saves it").after_help(example).args([
        place("MODEL", ANY_MODEL),
        option("x", "FILE", ARRAYS, value_parser!(PathBuf)).required(true),
        option("y", "FILE", TARGETS, value_parser!(PathBuf)).required(true),
        option("epochs", "N", "Passes over the data", value_parser!(usize)).required(true),
        option("batch-size", "N", "Samples for one step; 32 unless set", value_parser!(usize)),
        flag("no-shuffle", "Takes samples in their order"),
        option("seed", "N", "What everything random follows from", value_parser!(u64)),
        option(
            "validation-split",
            "PART",
            "The last part of the data, which is held out",
            value_parser!(f64),
        ),
        option("output", "FILE", "The `.keras` file of the trained model", value_parser!(PathBuf))
            .required(true),
        option("history", "FILE", history, value_parser!(PathBuf)),
        option("loss", "NAME", loss, value_parser!(String)),
        option("optimizer", "NAME", optimizer, value_parser!(String)),
        option(
            "learning-rate",
            "RATE",
            "The learning rate, instead of the optimizer's own",
            value_parser!(f64),
        ),
        option("metrics", "NAMES", metrics, value_parser!(String)).value_delimiter(','),
    ])
}

fn convert() -> Command {
    let output = "A file whose name ends in `.keras`, `.weights.h5`, `.safetensors`, `.npz` or \
                  `.json`";
    Command::new("convert")
        .about("Writes a model in another form")
        .after_help("Example: cornu convert model.h5 model.keras")
        .args([place("MODEL", MODEL), place("OUTPUT", output)])
}

fn inspect() -> Command {
    let file = "A `.keras`, `.h5`, `.weights.h5`, `.safetensors`, `.npz`, `.npy`, `.json` or \
                `.weights` file, or a checkpoint";
    Command::new("inspect")
        .about("Lists the arrays in a file, also of a model that can't be built")
        .after_help("Example: cornu inspect model.keras")
        .arg(place("FILE", file))
}
