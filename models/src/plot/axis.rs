//! An axis: what part of the numbers it shows, and where its ticks are.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;

/// Values that differ by less are drawn as equal.
const SMALLEST: f64 = 1e-200;

/// How the values of a chart spread along one axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Whether all are whole numbers.
    pub(super) whole: bool,
}

impl Spread {
    /// `None` without values.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Option<Spread> {
        values.fold(None, |spread, v| {
            let Spread { low, high, whole } =
                spread.unwrap_or(Spread { low: v, high: v, whole: true });
            Some(Spread { low: low.min(v), high: high.max(v), whole: whole && v.fract() == 0.0 })
        })
    }
}

/// A stretch of numbers, or of their decimal logarithms, with ticks.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    log: bool,
    /// What a position of 1 stands for on an axis that is not logarithmic: positions are small
    /// numbers whatever the size of the values.
    unit: f64,
    /// Positions of its ends.
    low: f64,
    high: f64,
    /// Ticks and their labels.
    pub(super) ticks: Vec<(f64, String)>,
    /// Values of the lines between ticks.
    faint: Vec<f64>,
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, pixels: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.low..self.high).map(&self.position(*value), pixels)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => self.faint.clone(),
            false => self.ticks.iter().map(|(tick, _)| *tick).collect(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.value(self.low)..self.value(self.high)
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|(tick, _)| tick == value);
        tick.map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

impl Axis {
    /// An axis that shows all values, with the share `pad` of their span left free at each end
    /// and `count` ticks at most. It begins at zero where that is near. A logarithmic one takes
    /// positive values only.
    pub(super) fn new(values: Spread, log: bool, pad: f64, count: usize) -> Axis {
        let size = values.low.abs().max(values.high.abs());
        let unit = if size < SMALLEST { 1.0 } else { 10f64.powf(size.log10().floor()) };
        let mut axis = Axis { log, unit, low: 0.0, high: 0.0, ticks: vec![], faint: vec![] };
        let (low, high) = (axis.position(values.low), axis.position(values.high));
        let room = match high - low {
            // One value alone goes in the middle.
            ..1e-9 if log || size < SMALLEST => 0.5,
            ..1e-9 => 0.1 * high.abs().max(low.abs()),
            span => pad * span,
        };
        (axis.low, axis.high) = (low - room, high + room);
        if !log && low >= 0.0 && pad > 0.0 && axis.low < 0.15 * axis.high {
            axis.low = 0.0;
        }
        let (ticks, faint) = if log { axis.decades(count) } else { (vec![], vec![]) };
        axis.ticks = if ticks.len() < 2 { axis.even(values.whole, count) } else { ticks };
        axis.faint = faint;
        axis
    }

    /// Where a value lies.
    pub(super) fn position(&self, value: f64) -> f64 {
        if self.log { value.log10() } else { value / self.unit }
    }

    fn value(&self, position: f64) -> f64 {
        if self.log { 10f64.powf(position) } else { position * self.unit }
    }

    /// Ticks at round numbers.
    fn even(&self, whole: bool, count: usize) -> Vec<(f64, String)> {
        let scale = if self.log { 1.0 } else { self.unit };
        let (low, high) = (self.value(self.low) / scale, self.value(self.high) / scale);
        // A hair more, so that rounding loses no tick at an end.
        let hair = 1e-9 * (high - low);
        let ticks = RangedCoordf64::from(low - hair..high + hair).key_points(count);
        let ticks = ticks.into_iter().map(|tick| tick * scale);
        let ticks: Vec<f64> =
            ticks.filter(|tick| !whole || (tick - tick.round()).abs() < 1e-6).collect();
        let labels = labels(&ticks);
        ticks.into_iter().zip(labels).collect()
    }

    /// Ticks at powers of ten and the faint lines between; at 1, 2 and 5 times them when there
    /// are few.
    fn decades(&self, count: usize) -> (Vec<(f64, String)>, Vec<f64>) {
        let span = self.high - self.low;
        let every = (span / count as f64).ceil().max(1.0) as i32;
        let inside = |value: f64| (self.low..=self.high).contains(&value.log10());
        let (mut ticks, mut faint) = (Vec::new(), Vec::new());
        for power in self.low.floor() as i32..=self.high.floor() as i32 {
            for factor in 1..10 {
                let text = format!("{factor}e{power}");
                let value: f64 = text.parse().expect("a number was written");
                let bold = match span < 2.5 {
                    true => matches!(factor, 1 | 2 | 5),
                    false => factor == 1 && power.rem_euclid(every) == 0,
                };
                if bold && inside(value) {
                    let plain = (-3..5).contains(&power);
                    let label = if plain { value.to_string() } else { text };
                    ticks.push((value, typeset(&label)));
                } else if inside(value) && (factor == 1 || span < 12.0) {
                    faint.push(value);
                }
            }
        }
        (ticks, faint)
    }
}

/// The numbers with as few digits as tell them exactly, all with as many.
fn labels(ticks: &[f64]) -> Vec<String> {
    let size = ticks.iter().fold(0f64, |size, tick| size.max(tick.abs()));
    let steps = ticks.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let step = steps.fold(size, f64::min);
    let scientific = size >= 1e6 || step < 1e-5;
    let write = |digits: usize| {
        let write = |tick: &f64| match tick.abs() < 0.01 * step {
            true if scientific => "0".to_string(),
            true => format!("{:.digits$}", 0.0),
            false if scientific => format!("{tick:.digits$e}"),
            false => format!("{tick:.digits$}"),
        };
        ticks.iter().map(write).collect::<Vec<String>>()
    };
    let exact = |labels: &[String]| {
        labels.iter().zip(ticks).all(|(label, tick)| {
            label.parse::<f64>().is_ok_and(|value| (value - tick).abs() <= 0.01 * step)
        })
    };
    let digits = (0..15).find(|digits| exact(&write(*digits))).unwrap_or(15);
    write(digits).iter().map(|label| typeset(label)).collect()
}

/// A hyphen as the minus sign.
fn typeset(number: &str) -> String {
    number.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, log: bool, pad: f64) -> Vec<String> {
        let axis = Axis::new(Spread { low, high, whole: false }, log, pad, 8);
        axis.ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers_written_with_as_many_digits_as_they_need() {
        let cases: &[(f64, f64, f64, &[&str])] = &[
            (0.0, 1.0, 0.0, &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
            (0.1, 0.7, 0.0, &["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"]),
            (1.0, 100.0, 0.0, &["20", "40", "60", "80", "100"]),
            (1.0, 3.0, 0.0, &["1.0", "1.5", "2.0", "2.5", "3.0"]),
            (-1.5, 1.0, 0.0, &["−1.5", "−1.0", "−0.5", "0.0", "0.5", "1.0"]),
            (-0.4, 1.1, 0.01, &["−0.4", "−0.2", "0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
            (0.0, 3e7, 0.0, &["0", "5.0e6", "1.0e7", "1.5e7", "2.0e7", "2.5e7", "3.0e7"]),
            (0.0, 3e-8, 0.0, &["0", "5.0e−9", "1.0e−8", "1.5e−8", "2.0e−8", "2.5e−8", "3.0e−8"]),
            // A constant is shown in the middle.
            (2.5, 2.5, 0.05, &["2.3", "2.4", "2.5", "2.6", "2.7"]),
            (0.0, 0.0, 0.05, &["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]),
        ];
        for (low, high, pad, wanted) in cases {
            assert_eq!(labels(*low, *high, false, *pad), *wanted, "{low} to {high}");
        }
    }

    #[test]
    fn whole_numbers_have_no_ticks_between_them() {
        let epochs = Spread::of([1.0, 2.0, 3.0].into_iter()).unwrap();
        let ticks = Axis::new(epochs, false, 0.0, 9).ticks;
        assert_eq!(ticks.iter().map(|(_, label)| &label[..]).collect::<Vec<_>>(), ["1", "2", "3"]);
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten_or_parts_of_them() {
        let cases: &[(f64, f64, &[&str])] = &[
            (1e-3, 10.0, &["0.001", "0.01", "0.1", "1", "10"]),
            (0.05, 0.7, &["0.05", "0.1", "0.2", "0.5"]),
            (1e-12, 1.0, &["1e−12", "1e−10", "1e−8", "1e−6", "1e−4", "0.01", "1"]),
            (0.61, 0.69, &["0.62", "0.64", "0.66", "0.68"]),
            (1.0, 1e6, &["1", "10", "100", "1000", "10000", "1e5", "1e6"]),
        ];
        for (low, high, wanted) in cases {
            assert_eq!(labels(*low, *high, true, 0.0), *wanted, "{low} to {high}");
        }
    }

    #[test]
    fn every_value_lies_on_its_axis_whatever_its_size() {
        let sizes = [0.0, 1e-300, 1e-9, 0.3, 1.0, 7e5, 1e16, 1e150];
        for (low, high) in sizes.iter().flat_map(|&a| sizes.map(|b| (-a, b))) {
            let axis = Axis::new(Spread { low, high, whole: false }, false, 0.05, 6);
            for value in [low, high] {
                let position = axis.position(value);
                assert!((axis.low..=axis.high).contains(&position), "{value} on {axis:?}");
            }
            assert!((1..=12).contains(&axis.ticks.len()), "{low} to {high}: {axis:?}");
        }
    }
}
