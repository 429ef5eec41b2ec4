//! The hash functions of TensorFlow, by which Keras's layers put values into bins.

/// FarmHash's `Fingerprint64` (Pike and Alakuijala 2014).
pub(super) fn fingerprint(s: &[u8]) -> u64 {
    match s.len() {
        0..=16 => up_to_16(s),
        17..=32 => up_to_32(s),
        33..=64 => up_to_64(s),
        _ => longer(s),
    }
}

/// SipHash-2-4 with a key (Aumasson and Bernstein 2012).
#[allow(deprecated)] // The standard library means to keep it, but not for tables.
pub(super) fn keyed(s: &[u8], [k0, k1]: [u64; 2]) -> u64 {
    use std::hash::{Hasher, SipHasher};
    let mut hasher = SipHasher::new_with_keys(k0, k1);
    hasher.write(s);
    hasher.finish()
}

/// TensorFlow's hash of two hashes.
pub(super) fn joined(a: u64, b: u64) -> u64 {
    const MUL: u64 = 0xc6a4_a793_5bd1_e995;
    let mixed = (a ^ MUL) ^ shift_mix(b.wrapping_mul(MUL)).wrapping_mul(MUL);
    shift_mix(shift_mix(mixed.wrapping_mul(MUL)).wrapping_mul(MUL))
}

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;

fn shift_mix(v: u64) -> u64 {
    v ^ (v >> 47)
}

fn fetch64(s: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(s[at..at + 8].try_into().expect("eight bytes"))
}

fn fetch32(s: &[u8], at: usize) -> u64 {
    u64::from(u32::from_le_bytes(s[at..at + 4].try_into().expect("four bytes")))
}

fn fold(u: u64, v: u64, mul: u64) -> u64 {
    let a = shift_mix((u ^ v).wrapping_mul(mul));
    shift_mix((v ^ a).wrapping_mul(mul)).wrapping_mul(mul)
}

fn up_to_16(s: &[u8]) -> u64 {
    let n = s.len();
    if n >= 8 {
        let mul = K2.wrapping_add(n as u64 * 2);
        let a = fetch64(s, 0).wrapping_add(K2);
        let b = fetch64(s, n - 8);
        let c = b.rotate_right(37).wrapping_mul(mul).wrapping_add(a);
        let d = a.rotate_right(25).wrapping_add(b).wrapping_mul(mul);
        return fold(c, d, mul);
    }
    if n >= 4 {
        let mul = K2.wrapping_add(n as u64 * 2);
        return fold((n as u64).wrapping_add(fetch32(s, 0) << 3), fetch32(s, n - 4), mul);
    }
    if n > 0 {
        let (a, b, c) = (u64::from(s[0]), u64::from(s[n >> 1]), u64::from(s[n - 1]));
        let (y, z) = (a + (b << 8), n as u64 + (c << 2));
        return shift_mix(y.wrapping_mul(K2) ^ z.wrapping_mul(K0)).wrapping_mul(K2);
    }
    K2
}

/// A factor that depends on the length, and the first and last 16 bytes.
fn ends(s: &[u8], first: u64) -> (u64, [u64; 4]) {
    let n = s.len();
    let mul = K2.wrapping_add(n as u64 * 2);
    let a = fetch64(s, 0).wrapping_mul(first);
    let c = fetch64(s, n - 8).wrapping_mul(mul);
    (mul, [a, fetch64(s, 8), c, fetch64(s, n - 16).wrapping_mul(K2)])
}

fn up_to_32(s: &[u8]) -> u64 {
    let (mul, [a, b, c, d]) = ends(s, K1);
    let first = a.wrapping_add(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d);
    let second = a.wrapping_add(b.wrapping_add(K2).rotate_right(18)).wrapping_add(c);
    fold(first, second, mul)
}

fn up_to_64(s: &[u8]) -> u64 {
    let n = s.len();
    let (mul, [a, b, c, d]) = ends(s, K2);
    let y = a.wrapping_add(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d);
    let z = fold(y, a.wrapping_add(b.wrapping_add(K2).rotate_right(18)).wrapping_add(c), mul);
    let e = fetch64(s, 16).wrapping_mul(mul);
    let f = fetch64(s, 24);
    let g = y.wrapping_add(fetch64(s, n - 32)).wrapping_mul(mul);
    let h = z.wrapping_add(fetch64(s, n - 24)).wrapping_mul(mul);
    let first = e.wrapping_add(f).rotate_right(43).wrapping_add(g.rotate_right(30)).wrapping_add(h);
    let second = e.wrapping_add(f.wrapping_add(a).rotate_right(18)).wrapping_add(g);
    fold(first, second, mul)
}

/// A weak hash of 32 bytes and two seeds.
fn weak(s: &[u8], at: usize, a: u64, b: u64) -> (u64, u64) {
    let [w, x, y, z] = [0, 8, 16, 24].map(|i| fetch64(s, at + i));
    let a = a.wrapping_add(w);
    let b = b.wrapping_add(a).wrapping_add(z).rotate_right(21);
    let c = a;
    let a = a.wrapping_add(x).wrapping_add(y);
    let b = b.wrapping_add(a.rotate_right(44));
    (a.wrapping_add(z), b.wrapping_add(c))
}

/// The state of the hash of a long string: five numbers of 64 bits, two of them pairs.
struct State {
    x: u64,
    y: u64,
    z: u64,
    v: (u64, u64),
    w: (u64, u64),
}

impl State {
    /// Takes in the 64 bytes from `at` on.
    fn take(&mut self, s: &[u8], at: usize, mul: u64, last: bool) {
        let times = if last { 9 } else { 1 };
        let State { x, y, z, v, w } = self;
        *x = x.wrapping_add(*y).wrapping_add(v.0).wrapping_add(fetch64(s, at + 8));
        *x = x.rotate_right(37).wrapping_mul(mul);
        *y = y
            .wrapping_add(v.1)
            .wrapping_add(fetch64(s, at + 48))
            .rotate_right(42)
            .wrapping_mul(mul);
        *x ^= w.1.wrapping_mul(times);
        *y = y.wrapping_add(v.0.wrapping_mul(times)).wrapping_add(fetch64(s, at + 40));
        *z = z.wrapping_add(w.0).rotate_right(33).wrapping_mul(mul);
        *v = weak(s, at, v.1.wrapping_mul(mul), x.wrapping_add(w.0));
        let seed = y.wrapping_add(fetch64(s, at + 16));
        *w = weak(s, at + 32, z.wrapping_add(w.1), seed);
        std::mem::swap(z, x);
    }
}

fn longer(s: &[u8]) -> u64 {
    const SEED: u64 = 81;
    let y = SEED.wrapping_mul(K1).wrapping_add(113);
    let mut state = State {
        x: SEED.wrapping_mul(K2).wrapping_add(fetch64(s, 0)),
        y,
        z: shift_mix(y.wrapping_mul(K2).wrapping_add(113)).wrapping_mul(K2),
        v: (0, 0),
        w: (0, 0),
    };
    let end = (s.len() - 1) / 64 * 64;
    (0..end).step_by(64).for_each(|at| state.take(s, at, K1, false));
    let mul = K1.wrapping_add((state.z & 0xff) << 1);
    // The last 64 bytes, some of which may have been taken in before.
    state.w.0 = state.w.0.wrapping_add((s.len() as u64 - 1) & 63);
    state.v.0 = state.v.0.wrapping_add(state.w.0);
    state.w.0 = state.w.0.wrapping_add(state.v.0);
    state.take(s, s.len() - 64, mul, true);
    let State { x, y, z, v, w } = state;
    let first = fold(v.0, w.0, mul).wrapping_add(shift_mix(y).wrapping_mul(K0)).wrapping_add(z);
    fold(first, fold(v.1, w.1, mul).wrapping_add(x), mul)
}
