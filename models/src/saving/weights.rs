//! A model's weights in a file.

use std::collections::HashSet;
use std::path::Path;

use cornu_autodiff::Tensor;
use cornu_layers::{LayerRef, Parameter};

use crate::error::{Error, Result};
use crate::model::Model;
use crate::saving::atomic::write_file;
use crate::saving::codec::{Format, InEntry, OutEntry, in_file, read_file};
use crate::saving::files::any_of;
#[cfg(feature = "keras-files")]
use crate::saving::keras;
#[cfg(not(feature = "keras-files"))]
use crate::saving::no_keras as keras;
use crate::saving::safetensors::{read_safetensors, write_safetensors};

/// cornu's own file of weights.
pub(crate) const WEIGHTS: Format =
    Format { name: "file of weights", magic: *b"CORNU\r\nW", version: 1 };

/// Weights by name.
type Named = Vec<(String, Tensor)>;

/// A way of keeping weights in a file, chosen by how the file's name ends.
struct Kind {
    suffix: &'static str,
    /// None where only whole models are written.
    write: Option<fn(&Model, &Path) -> Result<()>>,
    read: fn(&Model, &Path) -> Result<()>,
}

const KINDS: &[Kind] = &[
    Kind { suffix: ".weights", write: Some(write_own), read: read_own },
    Kind { suffix: ".weights.h5", write: Some(keras::save_weights), read: keras::load_weights },
    Kind { suffix: ".safetensors", write: Some(write_tensors), read: read_tensors },
    #[cfg(feature = "keras-files")]
    Kind { suffix: ".npz", write: Some(write_arrays), read: read_arrays },
    Kind { suffix: ".keras", write: None, read: keras::load_weights },
    Kind { suffix: ".h5", write: None, read: keras::load_weights },
];

fn kind_of(place: &str, path: &Path, fits: impl Fn(&&Kind) -> bool) -> Result<&'static Kind> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kinds: Vec<&Kind> = KINDS.iter().filter(fits).collect();
    kinds.iter().copied().find(|kind| name.ends_with(kind.suffix)).ok_or_else(|| {
        let suffixes: Vec<&str> = kinds.iter().map(|k| k.suffix).collect();
        let rule = format!("the file's name must end in {}", any_of(&suffixes));
        Error::value(place, rule, format!("`{name}`"))
    })
}

/// Refuses a file name that no format of weights has.
pub(crate) fn check_weights_path(path: &Path) -> Result<()> {
    writer("save_weights", path).map(|_| ())
}

fn writer(place: &str, path: &Path) -> Result<fn(&Model, &Path) -> Result<()>> {
    let kind = kind_of(place, path, |kind| kind.write.is_some())?;
    Ok(kind.write.expect("only kinds with a writer were asked for"))
}

impl Model {
    /// Writes the values of all weights to a file, bit for bit; the file is replaced whole. Its
    /// name tells its format:
    ///
    /// | ends in | format |
    /// |---|---|
    /// | `.weights` | cornu's own; weights under the names of their layers, `dense/kernel` |
    /// | `.safetensors` | Hugging Face's; names as in cornu's own |
    /// | `.npz` | NumPy's; names as in cornu's own; needs the feature `keras-files` |
    /// | `.weights.h5` | Keras's, with what a compiled model's optimizer remembers; needs the feature `keras-files` |
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
        writer("save_weights", path)?(self, path)
    }

    /// Sets all weights to the values in a file that [`save_weights`](Model::save_weights) or,
    /// if its name ends in `.weights.h5`, `.keras` or `.h5`, Keras wrote. What it says of an optimizer is
    /// passed over; [`load`](Model::load) brings it back.
    ///
    /// # Errors
    /// When the file can't be read, was cut off or altered, or does not hold exactly the
    /// model's weights with their dtypes and shapes; then nothing is changed.
    pub fn load_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        self.graph("load_weights")?;
        let path = path.as_ref();
        (kind_of("load_weights", path, |_| true)?.read)(self, path)
    }

    /// The weights' names and values.
    pub(crate) fn named_values(&self) -> Named {
        named_weights(&self.layers).into_iter().map(|(name, w)| (name, w.value())).collect()
    }

    /// As [`assign`](Model::assign), of values that strangers have written: floats of another
    /// size are converted, what isn't finite is refused.
    pub(crate) fn assign_foreign(&self, place: &str, mut values: Named) -> Result<()> {
        let weights = named_weights(&self.layers);
        for (name, value) in &mut values {
            if !value.is_finite() {
                let rule = format!("every element of `{name}` must be finite");
                return Err(Error::value(place, rule, "NaN or an infinity"));
            }
            if let Some((_, weight)) = weights.iter().find(|(own, _)| own == name)
                && weight.spec().dtype != value.dtype()
                && (weight.spec().dtype.is_float() || value.dtype().is_integer())
            {
                *value = value.cast(weight.spec().dtype);
            }
        }
        self.assign(place, &values)
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

fn write_own(model: &Model, path: &Path) -> Result<()> {
    let values = model.named_values();
    let body: Vec<OutEntry<'_>> =
        values.iter().map(|(name, value)| OutEntry::new(name, value)).collect();
    write_file(path, |out| WEIGHTS.write(out, &body))
}

fn read_own(model: &Model, path: &Path) -> Result<()> {
    let values = read_file(path).and_then(|bytes| parse_own(&bytes).map_err(in_file(path)))?;
    model.assign("load_weights", &values).map_err(in_file(path))
}

/// The names and values in the bytes of cornu's own file of weights.
pub(super) fn parse_own(bytes: &[u8]) -> Result<Named> {
    let entries: Vec<InEntry<'_>> = WEIGHTS.read(bytes)?;
    let tensor = |e: &InEntry<'_>| Ok((e.name.to_owned(), e.tensor("weights")?));
    entries.iter().map(tensor).collect()
}

fn write_tensors(model: &Model, path: &Path) -> Result<()> {
    write_safetensors(path, &model.named_values())
}

fn read_tensors(model: &Model, path: &Path) -> Result<()> {
    let values = read_safetensors(path)?;
    model.assign_foreign("load_weights", values).map_err(in_file(path))
}

#[cfg(feature = "keras-files")]
fn write_arrays(model: &Model, path: &Path) -> Result<()> {
    super::write_npz(path, &model.named_values())
}

#[cfg(feature = "keras-files")]
fn read_arrays(model: &Model, path: &Path) -> Result<()> {
    let values = super::read_npz(path)?;
    model.assign_foreign("load_weights", values).map_err(in_file(path))
}
