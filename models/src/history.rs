//! What training reports.

/// Numbers of an epoch or a batch by name, in Keras's order: sorted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logs(Vec<(String, f64)>);

impl Logs {
    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| *v)
    }

    /// Adds a value or replaces it; names stay sorted.
    pub fn insert(&mut self, name: impl Into<String>, value: f64) {
        let name = name.into();
        match self.0.binary_search_by(|(n, _)| n.as_str().cmp(&name)) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// Names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// What [`fit`](crate::Model::fit) gives back: each value of each epoch, under Keras's keys.
///
/// ```
/// # use cornu_models::History;
/// # let history = History::default();
/// if let Some(losses) = history.get("val_loss") {
///     println!("{losses:?}");
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    epochs: Vec<usize>,
    series: Vec<(String, Vec<f64>)>,
}

impl History {
    /// The values of this name, one an epoch.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.series.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_slice())
    }

    /// The last epoch's value of this name.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.get(name)?.last().copied()
    }

    /// Names and values, sorted by name.
    pub fn series(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.series.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The epochs that ran, counted from 0.
    pub fn epochs(&self) -> &[usize] {
        &self.epochs
    }

    /// Adds an epoch. A value that earlier epochs lack is NaN there.
    pub fn push(&mut self, epoch: usize, logs: &Logs) {
        for (name, value) in logs.iter() {
            let at = match self.series.binary_search_by(|(n, _)| n.as_str().cmp(name)) {
                Ok(at) => at,
                Err(at) => {
                    let missing = vec![f64::NAN; self.epochs.len()];
                    self.series.insert(at, (name.to_owned(), missing));
                    at
                }
            };
            self.series[at].1.push(value);
        }
        self.epochs.push(epoch);
        let len = self.epochs.len();
        self.series.iter_mut().for_each(|(_, values)| values.resize(len, f64::NAN));
    }
}
