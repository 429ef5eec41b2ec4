//! What training reports.

use std::ops::Index;

use crate::metrics::Direction;

/// Numbers of an epoch or a batch by name, in Keras's order: sorted. `logs["loss"]` is the value
/// of a name that must be there, [`get`](Logs::get) that of one that may.
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

impl Index<&str> for Logs {
    type Output = f64;

    /// The value of this name.
    ///
    /// # Panics
    /// When there is none, listing those that there are.
    #[track_caller]
    fn index(&self, name: &str) -> &f64 {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value).unwrap_or_else(|| missing(name, self.names()))
    }
}

#[track_caller]
fn missing<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> ! {
    let names: Vec<&str> = names.collect();
    panic!("{}", cornu_autodiff::Error::unknown("log", name, &names))
}

/// Names that the logs of an epoch will hold, and which way each value improves where that is
/// known: those of training, sorted, then those of validation.
#[derive(Clone, Debug, Default)]
pub struct LogNames(Vec<(String, Option<Direction>)>);

impl LogNames {
    pub(crate) fn new(mut training: Vec<(String, Option<Direction>)>) -> LogNames {
        training.sort_by(|(a, _), (b, _)| a.cmp(b));
        LogNames(training)
    }

    /// These names, and `reported` ones that have no counterpart in validation.
    pub(crate) fn with(self, reported: Vec<(String, f64)>, validated: bool) -> LogNames {
        let LogNames(own) = self;
        let of_validation = own.iter().map(|(name, way)| (format!("val_{name}"), *way));
        let of_validation: Vec<_> = of_validation.filter(|_| validated).collect();
        let mut all = own;
        all.extend(reported.into_iter().map(|(name, _)| (name, None)));
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.extend(of_validation);
        all.dedup_by(|(a, _), (b, _)| a == b);
        LogNames(all)
    }

    /// Those of them that the logs of a batch hold, too.
    pub(crate) fn of_batches(&self) -> LogNames {
        let own = |(name, _): &&(String, _)| !name.starts_with("val_");
        let mut names: Vec<_> = self.0.iter().filter(own).cloned().collect();
        names.push(("batch_loss".into(), Some(Direction::Down)));
        LogNames(names)
    }

    /// The names, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Whether there is this name.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|own| own == name)
    }

    /// Which way the value of this name improves.
    pub fn direction(&self, name: &str) -> Option<Direction> {
        self.0.iter().find(|(own, _)| own == name)?.1
    }
}

/// What [`fit`](crate::Model::fit) gives back: each value of each epoch, under Keras's keys.
///
/// ```
/// # use cornu_models::History;
/// # let mut history = History::default();
/// # let mut logs = cornu_models::Logs::default();
/// # logs.insert("loss", 0.5);
/// # history.push(0, &logs);
/// let losses = &history["loss"]; // one an epoch
/// if let Some(losses) = history.get("val_loss") {
///     println!("{losses:?}");
/// }
/// # assert_eq!(losses, [0.5]);
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

impl Index<&str> for History {
    type Output = [f64];

    /// The values of this name, one an epoch.
    ///
    /// # Panics
    /// When there is none, listing those that there are.
    #[track_caller]
    fn index(&self, name: &str) -> &[f64] {
        self.get(name).unwrap_or_else(|| missing(name, self.series().map(|(name, _)| name)))
    }
}
