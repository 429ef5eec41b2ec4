//! Which of Keras's classes are here, and that the readme tells which are not.

use std::collections::BTreeSet;

use cornu_layers::{Constraint, Initializer, Regularizer, Setting, layer_classes};
use cornu_models::{losses, metrics, optimizers};
use serde_json::Value;

/// What `callbacks` has under Keras's names; `fit` shows progress and makes the history itself.
const CALLBACKS: &[&str] = &[
    "CSVLogger",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
];

fn file(path: &str) -> String {
    let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Whether a class of one of Keras's modules is here.
fn is_here(module: &str, class: &str) -> bool {
    match module {
        "losses" => losses::names().contains(&class),
        "metrics" => metrics::names().contains(&class),
        "optimizers" => optimizers::names().contains(&class),
        "optimizers.schedules" => optimizers::schedules::names().contains(&class),
        "initializers" => Initializer::from(class).check().is_ok(),
        "regularizers" => Regularizer::from(class).check().is_ok(),
        "constraints" => Constraint::from(class).check().is_ok(),
        "callbacks" => CALLBACKS.contains(&class),
        _ => layer_classes().iter().any(|own| own == class),
    }
}

/// Keras's modules with their classes.
fn modules() -> Vec<(String, Vec<String>)> {
    let whole: Value = serde_json::from_str(&file("tests/keras/classes.json")).unwrap();
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let modules = whole["modules"].as_object().unwrap();
    modules.iter().map(|(module, list)| (module.clone(), names(list))).collect()
}

#[test]
fn the_readme_tells_which_of_keras_classes_are_here() {
    let readme = file("README.md");
    let mut table = String::from("| module | here | not here |\n|---|---|---|\n");
    let mut layers = 0;
    for (module, classes) in modules() {
        let (here, missing): (Vec<&String>, Vec<&String>) =
            classes.iter().partition(|class| is_here(&module, class));
        let names: Vec<&str> = missing.iter().map(|class| class.as_str()).collect();
        table +=
            &format!("| {module} | {} of {} | {} |\n", here.len(), classes.len(), names.join(", "));
        layers += if module.starts_with("layers") { here.len() } else { 0 };
    }
    assert!(readme.contains(&table), "the table in the readme must be\n{table}");
    let sum = format!("| layers | {layers} of Keras's ");
    assert!(readme.contains(&sum), "the readme must say `{sum}`");
}

#[test]
fn every_layer_here_is_one_of_keras() {
    let classes: BTreeSet<String> = modules()
        .into_iter()
        .filter(|(m, _)| m.starts_with("layers"))
        .flat_map(|(_, c)| c)
        .collect();
    let strangers: Vec<String> =
        layer_classes().into_iter().filter(|class| !classes.contains(class)).collect();
    assert_eq!(strangers, Vec::<String>::new());
}
