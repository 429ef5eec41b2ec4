//! From Keras class names to layers.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::handle::{IntoLayer, LayerRef};
use crate::layer::Layer;
use crate::setting::{Common, Config, Configured, Setting};

/// Makes a layer from its whole JSON.
pub type Reviver = fn(&Value) -> Result<LayerRef>;

/// Classes that a program has added.
static ADDED: RwLock<BTreeMap<String, Reviver>> = RwLock::new(BTreeMap::new());

/// Lets files and JSON name a layer of your own by its [`CLASS`](crate::Configured::CLASS).
pub fn register_layer<L: Layer>() {
    register_class(L::CLASS, revive::<L>);
}

/// Lets files and JSON name a class that `reviver` makes.
pub fn register_class(class: &str, reviver: Reviver) {
    ADDED.write().unwrap_or_else(PoisonError::into_inner).insert(class.to_owned(), reviver);
}

/// What a program has added under this name.
pub(crate) fn added(class: &str) -> Option<Reviver> {
    ADDED.read().unwrap_or_else(PoisonError::into_inner).get(class).copied()
}

/// The classes that can be named, sorted.
pub fn layer_classes() -> Vec<String> {
    let added = ADDED.read().unwrap_or_else(PoisonError::into_inner);
    let own = crate::catalogue::LAYERS.iter().map(|(class, _)| (*class).to_owned());
    let mut classes: Vec<String> = own.chain(added.keys().cloned()).collect();
    classes.sort();
    classes.dedup();
    classes
}

/// A layer from its JSON.
///
/// # Errors
/// When the class is unknown, an option is wrong, or there is an option that cornu doesn't know
/// at a value that matters. Code in a file is never run.
pub fn layer_from_json(value: &Value) -> Result<LayerRef> {
    let Some(class) = value["class_name"].as_str() else {
        return Err(Error::config("layer", "the key `class_name` must be a string", value));
    };
    let registered = value["registered_name"].as_str();
    let found = [Some(class), registered]
        .into_iter()
        .flatten()
        .find_map(|name| added(name).or_else(|| own(name)));
    match found {
        Some(reviver) => reviver(value),
        None => Err(cornu_autodiff::Error::unknown("layer class", class, &layer_classes()).into()),
    }
}

fn own(class: &str) -> Option<Reviver> {
    crate::catalogue::LAYERS.iter().find(|(name, _)| *name == class).map(|(_, f)| *f)
}

/// Keys of a layer's config that are not its own options.
const COMMON: &[&str] =
    &["name", "trainable", "dtype", "batch_shape", "batch_input_shape", "activity_regularizer"];

/// The reviver of a layer declared with [`config!`](crate::config).
///
/// # Errors
/// As [`layer_from_json`].
pub fn revive<L: Layer>(value: &Value) -> Result<LayerRef> {
    let config = with_call_arguments(value, L::CLASS, L::CALL_ARGUMENTS)?;
    let mut layer = L::from_settings(&config)?;
    let own = Configured::settings(&layer);
    expect_known(L::CLASS, &config, &own, L::FIXED, L::IGNORED)?;
    *layer.common_mut() = common(&config)?;
    Ok(layer.into_layer())
}

/// The config, and in it what Keras gives at each call and we have as options.
fn with_call_arguments(value: &Value, class: &str, keys: &[&str]) -> Result<Config> {
    let mut config = value["config"].as_object().cloned().unwrap_or_default();
    for key in keys {
        if let Some(argument) = call_argument(&value["inbound_nodes"], class, key)? {
            config.insert((*key).to_owned(), argument);
        }
    }
    Ok(config)
}

/// Refuses keys that are neither options of the layer, nor every layer's, nor fixed or ignored,
/// unless nothing is asked for.
fn expect_known(
    class: &str,
    config: &Config,
    own: &Config,
    fixed: &[(&str, &str)],
    ignored: &[&str],
) -> Result<()> {
    let unknown = |(key, value): &(&String, &Value)| {
        let fixed = fixed.iter().any(|(k, v)| k == key && value.to_string().as_str() == *v);
        let known = own.contains_key(*key) || COMMON.contains(&key.as_str()) || fixed;
        let known = known || ignored.contains(&key.as_str());
        !known && !means_nothing(value)
    };
    let unknown: Vec<(&String, &Value)> = config.iter().filter(unknown).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let keys: Vec<String> = unknown.iter().map(|(key, _)| format!("`{key}`")).collect();
    let values: Vec<String> = unknown.iter().map(|(_, value)| value.to_string()).collect();
    let keys = keys.join(", ");
    let rule = format!("cornu has no option {keys}, so only the default is accepted");
    Err(Error::config(class, rule, values.join(", ")))
}

/// An argument of a layer's calls in a graph, which must be the same in all.
fn call_argument(nodes: &Value, class: &str, key: &str) -> Result<Option<Value>> {
    let of_call = |node: &Value| {
        // Before version 3 Keras wrote a list of [layer, call, output, arguments].
        let arguments = if node.is_array() { &node[0][3] } else { &node["kwargs"] };
        arguments.get(key).cloned().unwrap_or(Value::Bool(false))
    };
    let mut found = nodes.as_array().into_iter().flatten().map(of_call);
    let Some(first) = found.next() else { return Ok(None) };
    match found.find(|other| *other != first) {
        None => Ok(Some(first)),
        Some(other) => {
            let rule = format!("`{key}` must be the same in all calls");
            Err(Error::config(class, rule, format!("{first} and {other}")))
        }
    }
}

/// Whether a value that we don't know is one at which nothing is asked for.
fn means_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Name, trainable flag, dtype and input shape from a config.
///
/// # Errors
/// When one is of the wrong kind.
pub(crate) fn common(config: &Config) -> Result<Common> {
    let penalty = config.get("activity_regularizer");
    let shape = config.get("batch_input_shape").or_else(|| config.get("batch_shape"));
    let axes: Option<Vec<Option<usize>>> = option(shape, "batch_shape")?;
    Ok(Common {
        name: option(config.get("name"), "name")?,
        frozen: option(config.get("trainable"), "trainable")? == Some(false),
        dtype: option(config.get("dtype"), "dtype")?,
        activity_regularizer: option(penalty, "activity_regularizer")?,
        input_shape: axes.map(|axes| axes.into_iter().skip(1).collect()),
    })
}

/// A value that may be absent or null.
fn option<T: Setting>(value: Option<&Value>, key: &str) -> Result<Option<T>> {
    let Some(value) = value else { return Ok(None) };
    Option::from_json(value).map_err(|e| Error::config(format!("`{key}`"), e.to_string(), value))
}

/// The reviver of inputs.
pub(crate) fn revive_input(value: &Value) -> Result<LayerRef> {
    let empty = Config::new();
    let config = value["config"].as_object().unwrap_or(&empty);
    Ok(crate::Input::from_config(config)?.into_layer())
}
