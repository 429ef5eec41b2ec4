//! How alike labels and predictions go up and down.

use cornu_autodiff::{DType, Error, Pause, Result, Tensor};
use cornu_layers::AxisOrAxes;

use super::accuracy::finite;
use super::confusion::ratio;
use super::declare::mean_metric;
use super::mean::Values;
use crate::losses::pair::{Place, same_shape};

mean_metric! {
    /// Mean of `cov(y, p) / (std(y) · std(p))` along an axis: 1 where predictions lie on a
    /// rising line over labels (Pearson 1895, "Notes on regression and inheritance").
    ///
    /// Where labels or predictions are constant it is 0; in Keras it is NaN, and the mean from
    /// then on, too. Along an axis of one value, as the last one of `(samples, 1)` is, it means
    /// nothing: an error, where Keras always gives NaN.
    ///
    /// ```
    /// use cornu_models::metrics::PearsonCorrelation;
    /// let over_samples = PearsonCorrelation::new().axis(0);
    /// ```
    pub struct PearsonCorrelation["PearsonCorrelation", "pearson_correlation", Up] {
        /// The axis, or the axes, of the values that belong together.
        axis: AxisOrAxes = AxisOrAxes::One(-1);
    }
    values |self, y_true, y_pred| {
        let rows = Rows::of(&self.name, y_true, y_pred, &self.axis)?;
        Ok(rows.fold(|m| ratio(m.covariance, (m.variances[0] * m.variances[1]).sqrt())))
    }
}

mean_metric! {
    /// Mean of `2 cov(y, p) / (var(y) + var(p) + (ȳ - p̄)²)` along an axis: 1 where predictions
    /// equal labels (Lin 1989, "A concordance correlation coefficient to evaluate
    /// reproducibility").
    ///
    /// Keras adds 10⁻⁷ to the divisor, and so tends to 0 for small numbers. Along an axis of one
    /// value it means nothing and is an error.
    pub struct ConcordanceCorrelation["ConcordanceCorrelation", "concordance_correlation", Up] {
        /// The axis, or the axes, of the values that belong together.
        axis: AxisOrAxes = AxisOrAxes::One(-1);
    }
    values |self, y_true, y_pred| {
        let rows = Rows::of(&self.name, y_true, y_pred, &self.axis)?;
        Ok(rows.fold(|m| {
            let apart = m.means[0] - m.means[1];
            ratio(2.0 * m.covariance, m.variances[0] + m.variances[1] + apart * apart)
        }))
    }
}

/// Pairs of a label and a prediction that belong together, row by row.
struct Rows {
    dims: Vec<usize>,
    rows: Vec<Vec<[f64; 2]>>,
}

/// Moments of a row: of labels, and of predictions.
struct Moments {
    means: [f64; 2],
    variances: [f64; 2],
    covariance: f64,
}

impl Rows {
    fn of(name: &str, y_true: &Tensor, y_pred: &Tensor, axes: &AxisOrAxes) -> Result<Rows> {
        let place = Place("metric", name);
        finite(place, y_true)?;
        let _pause = Pause::new();
        let (y_true, y_pred) = same_shape(place, y_true.clone(), y_pred.clone())?;
        let together = together(place, &y_pred, axes)?;
        let dims = y_pred.dims();
        let members: usize =
            (0..dims.len()).filter(|&at| together[at]).map(|at| dims[at]).product();
        if members < 2 {
            let rule = "there must be at least two values along the axis";
            let got = format!("{members}; for one output a sample set `axis` to 0");
            return Err(Error::value(place.to_string(), rule, got));
        }
        let kept: Vec<usize> =
            (0..dims.len()).filter(|&at| !together[at]).map(|at| dims[at]).collect();
        let mut rows = vec![Vec::with_capacity(members); kept.iter().product()];
        let (t, p) = (y_true.cast(DType::F64).to_f64_vec()?, y_pred.to_f64_vec()?);
        for (i, (&t, &p)) in t.iter().zip(&p).enumerate() {
            // From the last axis on: the place in the row-major order of the kept ones.
            let (mut rest, mut row, mut stride) = (i, 0, 1);
            for at in (0..dims.len()).rev() {
                if !together[at] {
                    row += rest % dims[at] * stride;
                    stride *= dims[at];
                }
                rest /= dims[at];
            }
            rows[row].push([t, p]);
        }
        Ok(Rows { dims: kept, rows })
    }

    fn fold(&self, f: impl Fn(Moments) -> f64) -> Values {
        let values = self.rows.iter().map(|row| f(Moments::of(row))).collect();
        Values { dims: self.dims.clone(), values, valid: None }
    }
}

/// Along which axes values belong together.
fn together(place: Place<'_>, y_pred: &Tensor, axes: &AxisOrAxes) -> Result<Vec<bool>> {
    let rank = y_pred.rank() as isize;
    let mut together = vec![false; y_pred.rank()];
    for &axis in axes.as_slice() {
        if !(-rank..rank).contains(&axis) {
            let rule =
                format!("it must be in {}..{rank} for predictions {}", -rank, y_pred.shape());
            return Err(Error::value(format!("{place}: `axis`"), rule, axis.to_string()));
        }
        together[axis.rem_euclid(rank) as usize] = true;
    }
    Ok(together)
}

impl Moments {
    fn of(row: &[[f64; 2]]) -> Moments {
        let n = row.len() as f64;
        let means = [0, 1].map(|i| row.iter().map(|pair| pair[i]).sum::<f64>() / n);
        let about = |i: usize, k: usize| {
            row.iter().map(|pair| (pair[i] - means[i]) * (pair[k] - means[k])).sum::<f64>() / n
        };
        Moments { means, variances: [about(0, 0), about(1, 1)], covariance: about(0, 1) }
    }
}
