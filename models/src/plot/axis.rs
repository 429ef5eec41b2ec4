//! An axis: what part of the numbers it shows, and where its ticks are.

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

/// A tick: where it is, from 0 to 1, and its label; an empty label is a line between ticks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// A stretch of numbers, or of their decimal logarithms.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    pub(super) ticks: Vec<Tick>,
}

impl Axis {
    /// An axis that shows all values, with the share `pad` of their span left free at each end
    /// and about `count` ticks. It begins at zero where that is near. A logarithmic one takes
    /// positive values only.
    pub(super) fn new(values: Spread, log: bool, pad: f64, count: usize) -> Axis {
        let scaled = |v: f64| if log { v.log10() } else { v };
        let (mut low, mut high) = (scaled(values.low), scaled(values.high));
        let (bottom, size) = (low, low.abs().max(high.abs()));
        if high - low <= 1e-9 * size || high - low < SMALLEST {
            // One value alone: it goes in the middle.
            let room = if log || size < SMALLEST { 0.5 } else { 0.1 * size };
            (low, high) = (low - room, high + room);
        } else {
            let room = pad * (high - low);
            (low, high) = (low - room, high + room);
        }
        if !log && bottom >= 0.0 && pad > 0.0 && low < 0.15 * high {
            low = 0.0;
        }
        let mut axis = Axis { low, high, log, ticks: Vec::new() };
        axis.ticks = if log { axis.log_ticks(count) } else { axis.ticks(values.whole, count) };
        axis
    }

    /// Where a value lies, from 0 to 1.
    pub(super) fn position(&self, value: f64) -> f64 {
        let value = if self.log { value.log10() } else { value };
        (value - self.low) / (self.high - self.low)
    }

    fn tick(&self, value: f64, label: String) -> Option<Tick> {
        let at = self.position(value);
        (-1e-9..=1.0 + 1e-9).contains(&at).then(|| Tick { at: at.clamp(0.0, 1.0), label })
    }

    /// Ticks at the multiples of 1, 2 or 5 times a power of ten.
    fn ticks(&self, whole: bool, count: usize) -> Vec<Tick> {
        even(self.low, self.high, whole, count)
            .into_iter()
            .filter_map(|(value, label)| self.tick(value, label))
            .collect()
    }

    /// Ticks at powers of ten, with lines between; at 1, 2 and 5 times them when there are few,
    /// and as on an even axis when that is too little.
    fn log_ticks(&self, count: usize) -> Vec<Tick> {
        let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
        let decades = (self.high.floor() - self.low.ceil()) as i32 + 1;
        let every = (decades as usize).div_ceil(count.max(1)).max(1) as i32;
        let label = |factor: i32, power: i32| match decades {
            3.. if factor == 1 && power.rem_euclid(every) == 0 => power_label(1, power),
            ..3 if matches!(factor, 1 | 2 | 5) => power_label(factor, power),
            _ => String::new(),
        };
        let factors = if decades <= 12 { 1..10 } else { 1..2 };
        let ticks: Vec<Tick> = (first..=last)
            .flat_map(|power| factors.clone().map(move |factor| (factor, power)))
            .filter_map(|(factor, power)| {
                self.tick(f64::from(factor) * 10f64.powi(power), label(factor, power))
            })
            .collect();
        if ticks.iter().filter(|tick| !tick.label.is_empty()).count() >= 2 {
            return ticks;
        }
        let (low, high) = (10f64.powf(self.low), 10f64.powf(self.high));
        let even = even(low, high, false, count).into_iter();
        even.filter_map(|(value, label)| self.tick(value, label)).collect()
    }
}

/// Round values between two, with their labels.
fn even(low: f64, high: f64, whole: bool, count: usize) -> Vec<(f64, String)> {
    let (mut factor, mut power) = round_step((high - low) / count.max(1) as f64);
    if whole && power < 0 {
        (factor, power) = (1, 0);
    }
    // A power of ten below one is not exact, its inverse is: 3 / 10 is 0.3, 3 * 0.1 is not.
    let multiple = |k: i64| match power {
        0.. => (k * factor) as f64 * 10f64.powi(power),
        _ => (k * factor) as f64 / 10f64.powi(-power),
    };
    let step = multiple(1);
    // A hair more, as 0.7 / 0.1 is 6.999…
    let (first, last) = ((low / step - 1e-6).ceil() as i64, (high / step + 1e-6).floor() as i64);
    let largest = low.abs().max(high.abs());
    let decimals = (-power).max(0) as usize;
    let scientific = largest >= 1e6 || decimals > 5;
    (first..=last)
        .map(|k| {
            let value = multiple(k);
            let text = match scientific {
                true if k == 0 => "0".into(),
                true => {
                    let digits = value.abs().log10().floor() as i32 - power;
                    format!("{value:.*e}", digits.max(0) as usize)
                }
                false => format!("{value:.decimals$}"),
            };
            (value, typeset(&text))
        })
        .collect()
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> (i64, i32) {
    let power = step.log10().floor() as i32;
    match step / 10f64.powi(power) {
        ..=1.000_001 => (1, power),
        ..=2.0 => (2, power),
        ..=5.0 => (5, power),
        _ => (1, power + 1),
    }
}

/// `factor * 10^power`, written out where that is short.
fn power_label(factor: i32, power: i32) -> String {
    match power {
        0..=4 => format!("{factor}{}", "0".repeat(power as usize)),
        -3..0 => format!("0.{}{factor}", "0".repeat(-power as usize - 1)),
        _ => typeset(&format!("{factor}e{power}")),
    }
}

/// A hyphen as the minus sign.
fn typeset(number: &str) -> String {
    number.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, log: bool, pad: f64) -> Vec<String> {
        let values = Spread { low, high, whole: false };
        let axis = Axis::new(values, log, pad, 6);
        axis.ticks.into_iter().map(|tick| tick.label).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn ticks_are_round_numbers_written_with_as_many_digits_as_they_need() {
        let cases: &[(f64, f64, f64, &[&str])] = &[
            (0.0, 1.0, 0.0, &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
            (0.1, 0.7, 0.0, &["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"]),
            (1.0, 100.0, 0.0, &["20", "40", "60", "80", "100"]),
            (1.0, 3.0, 0.0, &["1.0", "1.5", "2.0", "2.5", "3.0"]),
            (-1.5, 1.0, 0.0, &["−1.5", "−1.0", "−0.5", "0.0", "0.5", "1.0"]),
            (0.0, 3e7, 0.0, &["0", "5e6", "1.0e7", "1.5e7", "2.0e7", "2.5e7", "3.0e7"]),
            (0.0, 3e-8, 0.0, &["0", "5e−9", "1.0e−8", "1.5e−8", "2.0e−8", "2.5e−8", "3.0e−8"]),
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
        assert_eq!(ticks.iter().map(|tick| &tick.label[..]).collect::<Vec<_>>(), ["1", "2", "3"]);
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten_or_parts_of_them() {
        let cases: &[(f64, f64, &[&str])] = &[
            (1e-3, 10.0, &["0.001", "0.01", "0.1", "1", "10"]),
            (0.05, 0.7, &["0.05", "0.1", "0.2", "0.5"]),
            (1e-12, 1.0, &["1e−12", "1e−9", "1e−6", "0.001", "1"]),
            (0.61, 0.69, &["0.62", "0.64", "0.66", "0.68"]),
            (1.0, 1e6, &["1", "100", "10000", "1e6"]),
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
            assert!((0.0..=1.0).contains(&axis.position(low)), "{low} on {axis:?}");
            assert!((0.0..=1.0).contains(&axis.position(high)), "{high} on {axis:?}");
            assert!((1..=12).contains(&axis.ticks.len()), "{low} to {high}: {axis:?}");
        }
    }
}
