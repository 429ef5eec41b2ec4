//! Areas under curves of rates.

use super::confusion::ratio;

/// Declares an option that is one of a few names.
macro_rules! choice {
    ($(#[$meta:meta])* $Name:ident: $kind:literal {
        $($(#[$variant_meta:meta])* $Variant:ident $first:literal $($other:literal)*;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Name {
            $($(#[$variant_meta])* $Variant,)*
        }

        impl cornu_layers::Setting for $Name {
            fn to_json(&self) -> serde_json::Value {
                match self {
                    $($Name::$Variant => $first.into(),)*
                }
            }
            fn from_json(value: &serde_json::Value) -> cornu_layers::Result<$Name> {
                match value.as_str() {
                    $(Some($first $(| $other)*) => Ok($Name::$Variant),)*
                    _ => Err(cornu_layers::wrong($kind, value)),
                }
            }
        }
    };
}
pub(crate) use choice;

choice! {
    /// The curve under which the area lies.
    Curve: "`ROC`, `PR` or `PRGAIN`" {
        /// True positive rate over false positive rate.
        Roc "ROC" "roc";
        /// Precision over recall.
        Pr "PR" "pr";
        /// Precision gain over recall gain (Flach and Kull 2015, "Precision-recall-gain curves").
        PrGain "PRGAIN" "prgain";
    }
}

choice! {
    /// How high the area is between two thresholds.
    SummationMethod: "`interpolation`, `majoring` or `minoring`" {
        /// The mean of both ends; for precision-recall the interpolation of Davis and Goadrich
        /// (2006, "The relationship between precision-recall and ROC curves").
        Interpolation "interpolation" "Interpolation";
        /// The higher end.
        Majoring "majoring" "Majoring";
        /// The lower end.
        Minoring "minoring" "Minoring";
    }
}

/// Counts at one threshold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) tp: f64,
    pub(crate) fp: f64,
    pub(crate) tn: f64,
    pub(crate) fn_: f64,
}

/// The area under a curve through ascending thresholds.
pub(crate) fn area(points: &[At], curve: Curve, method: SummationMethod) -> f64 {
    if curve == Curve::Pr && method == SummationMethod::Interpolation {
        return points.windows(2).map(|pair| interpolated(pair[0], pair[1])).sum();
    }
    let points: Vec<(f64, f64)> = points.iter().map(|at| at.point(curve)).collect();
    points
        .windows(2)
        .map(|pair| {
            let ((x, y), (next_x, next_y)) = (pair[0], pair[1]);
            let height = match method {
                SummationMethod::Interpolation => (y + next_y) / 2.0,
                SummationMethod::Majoring => y.max(next_y),
                SummationMethod::Minoring => y.min(next_y),
            };
            (x - next_x) * height
        })
        .sum()
}

impl At {
    fn point(self, curve: Curve) -> (f64, f64) {
        let At { tp, fp, tn, fn_ } = self;
        match curve {
            Curve::Roc => (ratio(fp, fp + tn), ratio(tp, tp + fn_)),
            Curve::Pr => (ratio(tp, tp + fn_), ratio(tp, tp + fp)),
            Curve::PrGain if tp == 0.0 => (0.0, 1.0),
            Curve::PrGain => {
                let odds = ratio(tp + fn_, tn + fp);
                ((1.0 - odds * fn_ / tp).max(0.0), 1.0 - odds * fp / tp)
            }
        }
    }
}

/// The part of the area between two thresholds if true positives grow evenly with all yeses.
fn interpolated(low: At, high: At) -> f64 {
    let (low_yes, high_yes) = (low.tp + low.fp, high.tp + high.fp);
    let more = low.tp - high.tp;
    let slope = ratio(more, (low_yes - high_yes).max(0.0));
    let intercept = high.tp - slope * high_yes;
    let quotient = if low_yes > 0.0 && high_yes > 0.0 { low_yes / high_yes } else { 1.0 };
    ratio(slope * (more + intercept * quotient.ln()), (high.tp + high.fn_).max(0.0))
}
