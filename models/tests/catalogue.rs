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
fn the_readme_names_every_class_of_keras_that_is_not_here() {
    let readme = file("README.md");
    let (_, section) = readme.split_once("## Keras's classes").expect("there is such a section");
    let section = section.split("\n## ").next().unwrap_or(section);
    let words: BTreeSet<&str> = section.split(|c: char| !c.is_alphanumeric()).collect();
    let mut table = String::from("| module | here | not here |\n|---|---|---|\n");
    let mut untold = Vec::new();
    for (module, classes) in modules() {
        let (here, missing): (Vec<&String>, Vec<&String>) =
            classes.iter().partition(|class| is_here(&module, class));
        let names: Vec<&str> = missing.iter().map(|class| class.as_str()).collect();
        let (count, all, names) = (here.len(), classes.len(), names.join(", "));
        table += &format!("| {module} | {count} of {all} | {names} |\n");
        untold.extend(missing.into_iter().filter(|class| !words.contains(class.as_str())).cloned());
    }
    assert!(untold.is_empty(), "{untold:?} must be in the readme's table:\n{table}");
    println!("{table}");
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
