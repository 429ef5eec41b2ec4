//! A model's weights in a file.

use std::collections::HashSet;
use std::path::Path;

use cornu_autodiff::Tensor;
use cornu_layers::{LayerRef, Parameter};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::Model;
use crate::saving::atomic::write_file;
use crate::saving::codec::{Format, InEntry, OutEntry, in_file, read_file};

/// cornu's own file of weights.
pub(crate) const WEIGHTS: Format =
    Format { name: "file of weights", magic: *b"CORNU\r\nW", version: 1 };

/// Weights by name.
type Named = Vec<(String, Tensor)>;

/// A way of keeping weights in a file, chosen by how the file's name ends.
struct Kind {
    suffix: &'static str,
    write: fn(&Path, &Named) -> Result<()>,
    read: fn(&Path) -> Result<Named>,
}

const KINDS: &[Kind] = &[Kind { suffix: ".weights", write: write_own, read: read_own }];

fn kind_of(place: &str, path: &Path) -> Result<&'static Kind> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    KINDS.iter().find(|kind| name.ends_with(kind.suffix)).ok_or_else(|| {
        let suffixes: Vec<&str> = KINDS.iter().map(|k| k.suffix).collect();
        let rule = format!("the file's name must end in `{}`", suffixes.join("` or `"));
        Error::value(place, rule, format!("`{name}`"))
    })
}

/// Refuses a file name that no format of weights has.
pub(crate) fn check_weights_path(path: &Path) -> Result<()> {
    kind_of("save_weights", path).map(|_| ())
}

impl Model {
    /// Writes the values of all weights to a file, bit for bit; the file is replaced whole. Its
    /// name must end in `.weights`, cornu's own format.
    ///
    /// Weights are kept under the names of their layers, `dense/kernel`, not under that of the
    /// model.
    ///
    /// ```
    /// # use cornu_layers::{Dense, LayerOptions};
    /// # use cornu_models::{Model, Sequential};
    /// # let path = std::env::temp_dir().join(format!("{}.weights", std::process::id()));
    /// let model = Sequential::new().with(Dense::new(1).input_dim(2))?;
    /// model.save_weights(&path)?;
    /// let again = Model::from_json(&model.to_json()?)?;
    /// again.load_weights(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), cornu_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the shape of the model's input is not known yet, or the file can't be written.
    pub fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        self.graph("save_weights")?;
        let path = path.as_ref();
        let kind = kind_of("save_weights", path)?;
        (kind.write)(path, &self.named_values())
    }

    /// Sets all weights to the values in a file that [`save_weights`](Model::save_weights)
    /// wrote.
    ///
    /// # Errors
    /// When the file can't be read, was cut off or altered, or does not hold exactly the
    /// model's weights with their dtypes and shapes; then nothing is changed.
    pub fn load_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        self.graph("load_weights")?;
        let path = path.as_ref();
        let kind = kind_of("load_weights", path)?;
        let values = (kind.read)(path)?;
        self.assign("load_weights", &values).map_err(in_file(path))
    }

    /// The weights' names and values.
    pub(crate) fn named_values(&self) -> Named {
        named_weights(&self.layers).into_iter().map(|(name, w)| (name, w.value())).collect()
    }

    /// Sets every weight to the value of its name; names and shapes must all fit.
    pub(crate) fn assign(&self, place: &str, values: &Named) -> Result<()> {
        let weights = named_weights(&self.layers);
        let mut wrong = Vec::new();
        let mut pairs = Vec::new();
        for (name, weight) in &weights {
            match values.iter().find(|(n, _)| n == name) {
                None => wrong.push(format!("no `{name}`, which the model has")),
                Some((_, value)) if value.spec() != weight.spec() => {
                    let (got, own) = (value.spec(), weight.spec());
                    wrong.push(format!("`{name}` as {got:?}, which is {own:?} in the model"));
                }
                Some((_, value)) => pairs.push((weight, value)),
            }
        }
        let names: HashSet<&str> = weights.iter().map(|(name, _)| name.as_str()).collect();
        let mut seen = HashSet::new();
        for (name, _) in values {
            if !names.contains(name.as_str()) {
                wrong.push(format!("`{name}`, which the model does not have"));
            } else if !seen.insert(name) {
                wrong.push(format!("`{name}` twice"));
            }
        }
        if !wrong.is_empty() {
            let rule = "the weights must be those of the model";
            return Err(Error::value(place, rule, wrong.join("; ")));
        }
        for (weight, value) in pairs {
            weight.set(value.clone())?;
        }
        Ok(())
    }
}

/// Every weight once, named after the layers it is in: `tower/dense/kernel`. Unlike a weight's
/// path this does not depend on which model it first belonged to.
fn named_weights(layers: &[LayerRef]) -> Vec<(String, Parameter)> {
    let mut found: Vec<(String, Parameter)> = Vec::new();
    let mut names = HashSet::new();
    // Layers still to visit, the next one last, with what comes before their names.
    let mut pending: Vec<(String, LayerRef)> =
        layers.iter().rev().map(|layer| (String::new(), layer.clone())).collect();
    while let Some((before, layer)) = pending.pop() {
        let own = format!("{before}{}/", layer.name());
        if !layer.sublayers().is_empty() {
            let inner = layer.sublayers().iter().rev();
            pending.extend(inner.map(|inner| (own.clone(), inner.clone())));
            continue;
        }
        for weight in layer.weights() {
            if found.iter().any(|(_, w)| w.is(weight)) {
                continue;
            }
            let base = format!("{own}{}", weight.local_path());
            let numbered = (1..).map(|i| format!("{base}_{i}"));
            let free = std::iter::once(base.clone()).chain(numbered).find(|n| !names.contains(n));
            let name = free.expect("numbers don't end");
            names.insert(name.clone());
            found.push((name, weight.clone()));
        }
    }
    found
}

#[derive(Serialize)]
struct Out<'a>(Vec<OutEntry<'a>>);

#[derive(Deserialize)]
struct In<'a>(#[serde(borrow)] Vec<InEntry<'a>>);

fn write_own(path: &Path, values: &Named) -> Result<()> {
    let body = Out(values.iter().map(|(name, value)| OutEntry::new(name, value)).collect());
    write_file(path, |out| WEIGHTS.write(out, &body))
}

fn read_own(path: &Path) -> Result<Named> {
    let bytes = read_file(path)?;
    let In(entries) = WEIGHTS.read(&bytes).map_err(in_file(path))?;
    let tensor = |e: &InEntry<'_>| Ok((e.name.to_owned(), e.tensor("weights")?));
    entries.iter().map(tensor).collect::<Result<_>>().map_err(in_file(path))
}
