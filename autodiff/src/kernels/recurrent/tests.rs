//! Sequences at every level of instructions, against plain loops.

use super::*;
use crate::kernels::gemm::Matrix;
use crate::kernels::math::Math;

fn values(count: usize, seed: usize) -> Vec<f64> {
    (0..count).map(|i| ((i + 31 * seed) as f64 * 0.7).sin()).collect()
}

/// The numbers of a sequence.
struct Numbers<T> {
    sizes: Sizes,
    recurrent: Vec<T>,
    start: Vec<T>,
    states: Vec<Vec<T>>,
    mask: Vec<bool>,
    gates: Vec<T>,
}

fn numbers<C: Cell>(sizes: Sizes) -> Numbers<f64> {
    let Sizes { batch, steps, units } = sizes;
    Numbers {
        sizes,
        recurrent: values(units * C::GATES * units, 1),
        start: values(units, 2),
        states: (0..C::STATES).map(|i| values(batch * units, 3 + i)).collect(),
        mask: (0..batch * steps).map(|i| i % 3 != 1).collect(),
        gates: values(batch * steps * C::GATES * units, 5),
    }
}

impl Numbers<f64> {
    fn to_f32(&self) -> Numbers<f32> {
        let convert = |x: &[f64]| x.iter().map(|&x| x as f32).collect::<Vec<f32>>();
        Numbers {
            sizes: self.sizes,
            recurrent: convert(&self.recurrent),
            start: convert(&self.start),
            states: self.states.iter().map(|x| convert(x)).collect(),
            mask: self.mask.clone(),
            gates: convert(&self.gates),
        }
    }
}

impl<T: Gemm> Numbers<T> {
    /// One row of the batch alone.
    fn row(&self, row: usize) -> Numbers<T> {
        let Sizes { batch, steps, .. } = self.sizes;
        let part = |x: &[T]| {
            let len = x.len() / batch;
            x[row * len..(row + 1) * len].to_vec()
        };
        Numbers {
            sizes: Sizes { batch: 1, ..self.sizes },
            recurrent: self.recurrent.clone(),
            start: self.start.clone(),
            states: self.states.iter().map(|x| part(x)).collect(),
            mask: self.mask[row * steps..(row + 1) * steps].to_vec(),
            gates: part(&self.gates),
        }
    }

    /// The outputs and states, then the gradients of the sum of outputs with coefficients.
    fn run<C: Cell>(&self, level: Level, course: Course) -> (Vec<T>, Vec<T>) {
        let Sizes { batch, steps, units } = self.sizes;
        let outputs = course.outputs(steps) + if course.states { C::STATES } else { 0 };
        let wide = C::GATES * units;
        let recurrent = Matrix::of_rows(&self.recurrent, wide);
        let (mut gates, mut kept_) =
            (self.gates.clone(), vec![T::ZERO; batch * steps * kept::<C>() * units]);
        let mut out = vec![T::ZERO; batch * outputs * units];
        let states: Vec<&[T]> = self.states.iter().map(|x| &x[..]).collect();
        let forward = Forward {
            sizes: self.sizes,
            course,
            recurrent,
            start: &self.start,
            states: &states,
            mask: Some(&self.mask),
            gates: &mut gates,
            kept: &mut kept_,
            out: &mut out,
        };
        forward.run::<C>(level);
        let coefficient = |i: usize| T::from_f64(((i % (outputs * units)) as f64 * 1.3).cos());
        let g: Vec<T> = (0..out.len()).map(coefficient).collect();
        let view =
            View { values: &g, offset: 0, batch: (outputs * units) as isize, step: units as isize };
        let mut by_inputs = vec![T::ZERO; gates.len()];
        let mut by_sums = vec![T::ZERO; if C::APART { gates.len() } else { 0 }];
        let mut by_states = vec![T::ZERO; C::STATES * batch * units];
        let backward = Backward {
            sizes: self.sizes,
            course,
            recurrent,
            mask: Some(&self.mask),
            gates: &gates,
            kept: &kept_,
            g: view,
            by_inputs: &mut by_inputs,
            by_sums: &mut by_sums,
            by_states: &mut by_states,
        };
        backward.run::<C>(level);
        (out, by_inputs)
    }
}

/// A step of a row in plain words: the states after it, from sums of the input, and the state
/// times the recurrent kernel.
type Step = fn(&[f64], &[f64], f64, &[f64]) -> Vec<f64>;

fn lstm_step(x: &[f64], u: &[f64], _: f64, states: &[f64]) -> Vec<f64> {
    let z: Vec<f64> = x.iter().zip(u).map(|(x, u)| x + u).collect();
    let c = z[1].sigmoid_() * states[1] + z[0].sigmoid_() * z[2].tanh();
    vec![z[3].sigmoid_() * c.tanh(), c]
}

fn gru_step(x: &[f64], u: &[f64], start: f64, states: &[f64]) -> Vec<f64> {
    let (z, r) = ((x[0] + u[0]).sigmoid_(), (x[1] + u[1]).sigmoid_());
    let a = (x[2] + r * (start + u[2])).tanh();
    vec![z * states[0] + (1.0 - z) * a]
}

fn simple_step(x: &[f64], u: &[f64], _: f64, _: &[f64]) -> Vec<f64> {
    vec![(x[0] + u[0]).tanh()]
}

/// All outputs and states of one row.
fn plain<C: Cell>(numbers: &Numbers<f64>, course: Course, step: Step) -> Vec<f64> {
    let Sizes { steps, units, .. } = numbers.sizes;
    let mut states = numbers.states.clone();
    let mut out = Vec::new();
    for s in 0..steps {
        let position = if course.backwards { steps - 1 - s } else { s };
        let before = states.clone();
        for j in 0..units {
            let column = |gate: usize| gate * units + j;
            let x = |gate| numbers.gates[position * C::GATES * units + column(gate)];
            let u = |gate| -> f64 {
                let kernel = |p: usize| numbers.recurrent[p * C::GATES * units + column(gate)];
                (0..units).map(|p| before[0][p] * kernel(p)).sum()
            };
            let (xs, us): (Vec<f64>, Vec<f64>) = (0..C::GATES).map(|g| (x(g), u(g))).unzip();
            let old: Vec<f64> = before.iter().map(|state| state[j]).collect();
            let new = step(&xs, &us, numbers.start[j], &old);
            if numbers.mask[position] {
                (0..C::STATES).for_each(|i| states[i][j] = new[i]);
            }
        }
        if course.sequences || s + 1 == steps {
            let zero = course.zero_masked && !numbers.mask[position];
            out.extend(states[0].iter().map(|h| if zero { 0.0 } else { *h }));
        }
    }
    if course.states {
        out.extend(states.concat());
    }
    out
}

const SIZES: [[usize; 3]; 5] = [[1, 1, 1], [3, 4, 5], [9, 3, 16], [13, 2, 33], [40, 5, 20]];

fn courses() -> impl Iterator<Item = Course> {
    (0..8).map(|i| Course {
        backwards: i & 1 > 0,
        sequences: i & 2 > 0,
        states: i & 4 > 0,
        zero_masked: i % 3 == 0,
    })
}

fn every_size<C: Cell>(step: Step) {
    // Miri takes a thousand times as long.
    let count = if cfg!(miri) { 2 } else { SIZES.len() };
    for [batch, steps, units] in SIZES.into_iter().take(count) {
        let exact = numbers::<C>(Sizes { batch, steps, units });
        let single = exact.to_f32();
        for (course, level) in
            courses().flat_map(|course| Level::all().map(move |level| (course, level)))
        {
            let (out, slopes) = exact.run::<C>(level, course);
            let (out_f32, slopes_f32) = single.run::<C>(level, course);
            let (len, wide) = (out.len() / batch, slopes.len() / batch);
            for row in 0..batch {
                let rows = plain::<C>(&exact.row(row), course, step);
                assert_eq!(rows.len(), len);
                for (a, b) in out[row * len..].iter().zip(&rows) {
                    assert!((a - b).abs() <= 1e-12, "{batch} {steps} {units} {level:?}: {a} {b}");
                }
                let (out, slopes) = single.row(row).run::<C>(level, course);
                assert_eq!(out, out_f32[row * len..(row + 1) * len], "row {row} at {level:?}");
                assert_eq!(slopes, slopes_f32[row * wide..(row + 1) * wide], "row {row}");
            }
            for (a, b) in slopes.iter().zip(slopes_f32) {
                assert!((a - f64::from(b)).abs() <= 1e-4 * a.abs().max(1.0), "{a} {b}");
            }
        }
    }
}

#[test]
fn lstm_agrees_with_plain_loops_and_a_row_has_the_bits_that_it_has_alone() {
    every_size::<Lstm>(lstm_step);
}

#[test]
fn gru_agrees_with_plain_loops_and_a_row_has_the_bits_that_it_has_alone() {
    every_size::<Gru>(gru_step);
}

#[test]
fn simple_rnn_agrees_with_plain_loops_and_a_row_has_the_bits_that_it_has_alone() {
    every_size::<Simple>(simple_step);
}
