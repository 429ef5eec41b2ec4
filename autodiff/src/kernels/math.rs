//! Scalar functions that loops can be vectorised over.
//!
//! float32 has polynomials (Cephes, Moshier 1989, coefficients as in common use) without
//! branches; float64 takes the standard library's. NaN stays NaN, infinities and signed zeros
//! come out as IEEE 754 says.

use crate::dtype::Element;

/// Functions of one floating-point number, under NumPy's names.
pub(crate) trait Math: Element {
    /// `e^x`
    fn exp_(self) -> Self;
    /// Natural logarithm.
    fn ln_(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh_(self) -> Self;
    /// `1 / (1 + e^-x)`
    fn sigmoid_(self) -> Self;
    /// `e^x - 1`, exact near zero.
    fn expm1_(self) -> Self;
    /// `ln(1 + x)`, exact near zero.
    fn log1p_(self) -> Self;
    /// The error function.
    fn erf_(self) -> Self;
    /// The smaller; NaN if either is.
    fn least(self, other: Self) -> Self;
    /// The larger; NaN if either is.
    fn greatest(self, other: Self) -> Self;
    /// -1, 0 or 1; NaN of NaN.
    fn sign_(self) -> Self;
    /// 1 where `self > 0`, else 0; NaN of NaN.
    fn step_(self) -> Self;
    #[doc(hidden)]
    fn sin_(self) -> Self;
    #[doc(hidden)]
    fn cos_(self) -> Self;
    #[doc(hidden)]
    fn sinh_(self) -> Self;
    #[doc(hidden)]
    fn cosh_(self) -> Self;
    #[doc(hidden)]
    fn sqrt_(self) -> Self;
    #[doc(hidden)]
    fn abs_(self) -> Self;
}

/// What the standard library has for both types.
macro_rules! standard {
    () => {
        #[inline(always)]
        fn sin_(self) -> Self {
            self.sin()
        }
        #[inline(always)]
        fn cos_(self) -> Self {
            self.cos()
        }
        #[inline(always)]
        fn sinh_(self) -> Self {
            self.sinh()
        }
        #[inline(always)]
        fn cosh_(self) -> Self {
            self.cosh()
        }
        #[inline(always)]
        fn sqrt_(self) -> Self {
            self.sqrt()
        }
        #[inline(always)]
        fn abs_(self) -> Self {
            self.abs()
        }
        #[inline(always)]
        fn least(self, other: Self) -> Self {
            if self < other || self.is_nan() { self } else { other }
        }
        #[inline(always)]
        fn greatest(self, other: Self) -> Self {
            if self > other || self.is_nan() { self } else { other }
        }
        #[inline(always)]
        fn sign_(self) -> Self {
            if self == 0.0 || self.is_nan() { self } else { Self::copysign(1.0, self) }
        }
        #[inline(always)]
        fn step_(self) -> Self {
            let y = if self > 0.0 { 1.0 } else { 0.0 };
            if self.is_nan() { self } else { y }
        }
    };
}

impl Math for f32 {
    #[inline(always)]
    fn exp_(self) -> f32 {
        const LN2_HIGH: f32 = 0.693_359_4;
        const LN2_LOW: f32 = -2.121_944_4e-4;
        // Adding 1.5 · 2^23 rounds to an integer and leaves it in the low bits, here with the
        // biases of two exponents, 127 each.
        const ROUND: f32 = 12_582_912.0 + 254.0;
        // Beyond these the result is 0 or infinite; comparisons let NaN pass.
        let x = if self > 89.0 { 89.0 } else { self };
        let x = if x < -104.0 { -104.0 } else { x };
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = x - n * LN2_HIGH - n * LN2_LOW;
        let p = 1.987_569_1e-4_f32;
        let p = p * r + 1.398_199_9e-3;
        let p = p * r + 8.333_452e-3;
        let p = p * r + 4.166_579_6e-2;
        let p = p * r + 0.166_666_65;
        let p = p * r + 0.5;
        let e = p * (r * r) + r + 1.0;
        // 2^n in two factors, each a normal number, so that results may be subnormal. What is
        // above an exponent's bits is shifted out.
        let both = shifted.to_bits();
        let half = both >> 1;
        e * f32::from_bits(half << 23) * f32::from_bits(both.wrapping_sub(half) << 23)
    }

    #[inline(always)]
    fn ln_(self) -> f32 {
        // Subnormal numbers are scaled into the normal range first.
        let tiny = self < f32::MIN_POSITIVE;
        let x = if tiny { self * 8_388_608.0 } else { self };
        let bits = x.to_bits();
        // x = m · 2^e with m in [sqrt(1/2), sqrt(2)).
        let shifted = bits.wrapping_sub(0x3f35_04f3);
        let e = (shifted as i32 >> 23) as f32 - if tiny { 23.0 } else { 0.0 };
        let m = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(0x3f35_04f3));
        let f = m - 1.0;
        let p = 7.037_683_6e-2_f32;
        let p = p * f - 0.115_146_1;
        let p = p * f + 0.116_769_984;
        let p = p * f - 0.124_201_41;
        let p = p * f + 0.142_493_23;
        let p = p * f - 0.166_680_57;
        let p = p * f + 0.200_007_14;
        let p = p * f - 0.249_999_94;
        let p = p * f + 0.333_333_3;
        let f2 = f * f;
        let y = f * f2 * p + e * -2.121_944_4e-4 - 0.5 * f2;
        let finite = f + y + e * 0.693_359_4;
        let y = if self == f32::INFINITY { f32::INFINITY } else { finite };
        let y = if self == 0.0 { f32::NEG_INFINITY } else { y };
        if self < 0.0 || self.is_nan() { f32::NAN } else { y }
    }

    #[inline(always)]
    fn tanh_(self) -> f32 {
        let a = self.abs();
        let z = self * self;
        let p = -5.704_988_7e-3_f32;
        let p = p * z + 2.063_909e-2;
        let p = p * z - 5.373_971_6e-2;
        let p = p * z + 0.133_314_42;
        let p = p * z - 0.333_332_8;
        let small = p * z * self + self;
        let large = 1.0 - 2.0 / ((a + a).exp_() + 1.0);
        // The sign of -0, too.
        (if a < 0.625 { small } else { large }).copysign(self)
    }

    #[inline(always)]
    fn sigmoid_(self) -> f32 {
        1.0 / (1.0 + (-self).exp_())
    }

    #[inline(always)]
    fn expm1_(self) -> f32 {
        // Taylor to the sixth order where subtraction would lose digits.
        let x = self;
        let p = 1.987_569_1e-4_f32;
        let p = p * x + 1.398_199_9e-3;
        let p = p * x + 8.333_452e-3;
        let p = p * x + 4.166_579_6e-2;
        let p = p * x + 0.166_666_65;
        let p = p * x + 0.5;
        let small = p * (x * x) + x;
        (if x.abs() < 0.34 { small } else { x.exp_() - 1.0 }).copysign(x)
    }

    #[inline(always)]
    fn log1p_(self) -> f32 {
        // Kahan's correction: what rounding 1 + x lost is put back as a factor.
        let u = 1.0 + self;
        let lost = u - 1.0;
        let corrected = u.ln_() * (self / lost);
        let y = if u == f32::INFINITY { self } else { corrected };
        if lost == 0.0 { self } else { y }
    }

    #[inline(always)]
    fn erf_(self) -> f32 {
        // Up to 1 a polynomial in x²; beyond, 1 - e^(-x²) · p(1/x²) / |x| in two pieces.
        let (a, z) = (self.abs(), self * self);
        let t = 7.853_861_4e-5_f32;
        let t = t * z - 8.010_193_6e-4;
        let t = t * z + 5.188_327_7e-3;
        let t = t * z - 2.685_381_2e-2;
        let t = t * z + 0.112_835_85;
        let t = t * z - 0.376_126_26;
        let t = t * z + std::f32::consts::FRAC_2_SQRT_PI;
        let q = 1.0 / a;
        let y = q * q;
        let p = 2.326_82e-2_f32;
        let p = p * y - 0.138_703_94;
        let p = p * y + 0.368_742_47;
        let p = p * y - 0.582_473_3;
        let p = p * y + 0.621_000_46;
        let p = p * y - 0.494_451_53;
        let p = p * y + 0.340_488;
        let p = p * y - 0.274_112_7;
        let p = p * y + 0.563_825_94;
        let r = -10.477_664_f32;
        let r = r * y + 12.977_2;
        let r = r * y - 7.495_518_7;
        let r = r * y + 2.921_019;
        let r = r * y - 1.015_265_3;
        let r = r * y + 0.421_846_34;
        let r = r * y - 0.282_076_74;
        let r = r * y + 0.564_189_5;
        let rest = (-z).exp_() * q * if a < 2.0 { p } else { r };
        if a < 1.0 { self * t } else { (1.0 - rest).copysign(self) }
    }

    standard!();
}

impl Math for f64 {
    #[inline(always)]
    fn exp_(self) -> f64 {
        self.exp()
    }
    #[inline(always)]
    fn ln_(self) -> f64 {
        self.ln()
    }
    #[inline(always)]
    fn tanh_(self) -> f64 {
        self.tanh()
    }
    #[inline(always)]
    fn sigmoid_(self) -> f64 {
        1.0 / (1.0 + (-self).exp())
    }
    #[inline(always)]
    fn expm1_(self) -> f64 {
        self.exp_m1()
    }
    #[inline(always)]
    fn log1p_(self) -> f64 {
        self.ln_1p()
    }
    #[inline(always)]
    fn erf_(self) -> f64 {
        libm::erf(self)
    }
    standard!();
}

#[cfg(test)]
mod tests {
    use super::Math;

    /// Distance in units of the last place of the exact value.
    fn ulps(got: f32, exact: f64) -> f64 {
        let unit = f64::from((exact as f32).abs().max(f32::MIN_POSITIVE)) * f64::from(f32::EPSILON);
        (f64::from(got) - exact).abs() / unit
    }

    fn sweep(range: std::ops::Range<f32>) -> impl Iterator<Item = f32> {
        let step = (range.end - range.start) / 20_000.0;
        (0..20_000).map(move |i| range.start + i as f32 * step)
    }

    #[test]
    fn polynomials_stay_within_four_units_of_the_last_place() {
        for x in sweep(-87.0..88.7) {
            assert!(ulps(x.exp_(), f64::from(x).exp()) <= 2.0, "exp {x}");
        }
        for x in sweep(-9.0..9.0) {
            assert!(ulps(x.tanh_(), f64::from(x).tanh()) <= 4.0, "tanh {x}");
            assert!(ulps(x.sigmoid_(), 1.0 / (1.0 + (-f64::from(x)).exp())) <= 4.0, "sigmoid {x}");
            assert!(ulps(x.expm1_(), f64::from(x).exp_m1()) <= 4.0, "expm1 {x}");
            assert!(ulps(x.erf_(), libm::erf(f64::from(x))) <= 4.0, "erf {x}");
        }
        for x in sweep(1e-30..30.0).chain([1e-40, 1e30, f32::MAX]) {
            assert!(ulps(x.ln_(), f64::from(x).ln()) <= 2.0, "ln {x}");
        }
        for x in sweep(-0.9..3.0).chain([1e-10, -1e-10, 1e20]) {
            assert!(ulps(x.log1p_(), f64::from(x).ln_1p()) <= 4.0, "log1p {x}");
        }
    }

    #[test]
    fn nan_infinities_and_signed_zeros_come_out_as_they_should() {
        let (nan, inf) = (f32::NAN, f32::INFINITY);
        for y in [
            nan.exp_(),
            nan.ln_(),
            nan.tanh_(),
            nan.sigmoid_(),
            nan.expm1_(),
            nan.log1p_(),
            nan.erf_(),
        ] {
            assert!(y.is_nan());
        }
        for y in [nan.step_(), nan.sign_(), nan.least(1.0), 1.0f32.greatest(nan), (-1.0f32).ln_()] {
            assert!(y.is_nan());
        }
        assert_eq!([inf.exp_(), (-inf).exp_()], [inf, 0.0]);
        assert_eq!([inf.tanh_(), (-inf).tanh_()], [1.0, -1.0]);
        assert_eq!([inf.erf_(), (-inf).erf_(), 0.0f32.erf_()], [1.0, -1.0, 0.0]);
        assert_eq!([inf.ln_(), 0.0f32.ln_(), inf.log1p_()], [inf, -inf, inf]);
        assert_eq!([(-1.0f32).log1p_(), (-inf).expm1_(), inf.expm1_()], [-inf, -1.0, inf]);
        assert_eq!([inf.sigmoid_(), (-inf).sigmoid_()], [1.0, 0.0]);
        assert_eq!([(-inf).step_(), inf.step_(), 0.0f32.step_()], [0.0, 1.0, 0.0]);
        for zero in [0.0f32, -0.0] {
            let same = [zero.tanh_(), zero.expm1_(), zero.log1p_(), zero.erf_(), zero.sin_()];
            assert_eq!(same.map(f32::to_bits), [zero.to_bits(); 5]);
        }
        assert_eq!((-104.0f32).exp_(), 0.0);
        assert!((-100.0f32).exp_() > 0.0, "a subnormal result");
    }
}
