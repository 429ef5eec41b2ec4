//! Quantiles of data that is seen in parts, as Keras estimates them.

/// Values in ascending order, each with the number of elements for which it stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    values: Vec<f32>,
    weights: Vec<f32>,
}

impl Summary {
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// About one value for every share `epsilon` of the data.
    pub(super) fn of(mut values: Vec<f32>, epsilon: f64) -> Summary {
        values.sort_by(f32::total_cmp);
        let step = (values.len() as f64 / (1.0 / epsilon)).max(1.0);
        let start = (step - 1.0) as usize;
        let values: Vec<f32> = values.into_iter().skip(start).step_by(step as usize).collect();
        let weights = vec![step as f32; values.len()];
        Summary { values, weights }
    }

    pub(super) fn merge(&self, other: &Summary, epsilon: f64) -> Summary {
        let both = |s: &Summary| s.values.clone().into_iter().zip(s.weights.clone());
        let mut pairs: Vec<(f32, f32)> = both(self).chain(both(other)).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (values, weights) = pairs.into_iter().unzip();
        Summary { values, weights }.compressed(epsilon)
    }

    /// The limits between `bins` equally full bins.
    pub(super) fn boundaries(&self, bins: usize) -> Vec<f64> {
        let mut values = self.compressed(1.0 / bins as f64).values;
        values.pop();
        values.into_iter().map(f64::from).collect()
    }

    /// Brought down to a value for every share `epsilon` of the weight.
    fn compressed(&self, epsilon: f64) -> Summary {
        if (self.values.len() as f64) * epsilon < 1.0 {
            return self.clone();
        }
        let sums = running(&self.weights);
        let total = sums.last().copied().unwrap_or(1.0);
        let shares: Vec<f64> = sums.iter().map(|s| f64::from(s / total)).collect();
        let steps = (1.0 / epsilon).ceil() as usize;
        let at: Vec<f64> = (0..steps).map(|i| epsilon + i as f64 * epsilon).collect();
        let values: Vec<f64> = self.values.iter().map(|v| f64::from(*v)).collect();
        let sums: Vec<f64> = sums.iter().map(|s| f64::from(*s)).collect();
        let ends: Vec<f64> = at.iter().map(|&p| interpolate(p, &shares, &sums)).collect();
        let before = [0.0].into_iter().chain(ends.iter().copied());
        let weights = ends.iter().zip(before).map(|(end, start)| (end - start) as f32);
        Summary {
            values: at.iter().map(|&p| interpolate(p, &shares, &values) as f32).collect(),
            weights: weights.collect(),
        }
    }
}

/// Sums of the first 1, 2, … elements.
fn running(values: &[f32]) -> Vec<f32> {
    let mut sum = 0.0;
    values
        .iter()
        .map(|v| {
            sum += v;
            sum
        })
        .collect()
}

/// The line through the points `(x, y)` at `p`; the first and the last `y` beyond them.
fn interpolate(p: f64, x: &[f64], y: &[f64]) -> f64 {
    let after = x.partition_point(|v| *v <= p);
    match after {
        0 => y[0],
        n if n == x.len() => y[n - 1],
        n => y[n - 1] + (p - x[n - 1]) * (y[n] - y[n - 1]) / (x[n] - x[n - 1]),
    }
}
