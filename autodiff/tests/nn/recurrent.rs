//! Recurrent ops against their compositions, on sizes that take several threads and tiles.

use cornu_autodiff::ops::{
    Fused, RecurrentInputs, RecurrentOptions, gru, linear, lstm, select, simple_rnn, stack,
};
use cornu_autodiff::testing::{assert_close, check_grad};
use cornu_autodiff::{DType, Generator, Result, Tape, Tensor, set_threads};

type Recurrent = fn(&RecurrentInputs<'_>, RecurrentOptions) -> Result<(Tensor, Vec<Tensor>)>;
type Step = fn(&Tensor, &[Tensor], &Tensor, &Tensor) -> Vec<Tensor>;

/// A recurrent op, and a step of it in plain words.
struct Kind {
    name: &'static str,
    op: Recurrent,
    step: Step,
    gates: usize,
    states: usize,
    /// Whether there is a second row of biases, for the product with the state.
    two: bool,
}

const KINDS: [Kind; 3] = [
    Kind { name: "lstm", op: lstm, step: lstm_step, gates: 4, states: 2, two: false },
    Kind { name: "gru", op: gru, step: gru_step, gates: 3, states: 1, two: true },
    Kind { name: "simple_rnn", op: simple_rnn, step: simple_step, gates: 1, states: 1, two: false },
];

fn lstm_step(x: &Tensor, states: &[Tensor], u: &Tensor, _: &Tensor) -> Vec<Tensor> {
    let z = (x + states[0].matmul(u)).split(4, -1);
    let c = z[1].sigmoid() * &states[1] + z[0].sigmoid() * z[2].tanh();
    vec![z[3].sigmoid() * c.tanh(), c]
}

fn gru_step(x: &Tensor, states: &[Tensor], u: &Tensor, bias: &Tensor) -> Vec<Tensor> {
    let (x, h) = (x.split(3, -1), (states[0].matmul(u) + bias).split(3, -1));
    let (z, r) = ((&x[0] + &h[0]).sigmoid(), (&x[1] + &h[1]).sigmoid());
    vec![&z * &states[0] + (1.0 - &z) * (&x[2] + r * &h[2]).tanh()]
}

fn simple_step(x: &Tensor, states: &[Tensor], u: &Tensor, _: &Tensor) -> Vec<Tensor> {
    vec![(x + states[0].matmul(u)).tanh()]
}

impl Kind {
    /// x, both kernels, the bias, the states, and a mask.
    fn inputs(&self, [batch, steps, inputs, units]: [usize; 4], dtype: DType) -> Vec<Tensor> {
        let mut seed = 0;
        let mut draw = |shape: &[usize]| {
            seed += 1;
            let drawn = Generator::new(seed).normal(shape, 0.1, 0.4, DType::F64);
            drawn.expect("a normal").cast(dtype)
        };
        let wide = self.gates * units;
        let bias = if self.two { vec![2, wide] } else { vec![wide] };
        let mut all =
            vec![draw(&[batch, steps, inputs]), draw(&[inputs, wide]), draw(&[units, wide])];
        all.push(draw(&bias));
        all.extend((0..self.states).map(|_| draw(&[batch, units])));
        all.push(draw(&[batch, steps]).greater_scalar(0.0));
        all
    }

    fn fused(&self, x: &[Tensor], masked: bool, options: RecurrentOptions) -> Vec<Tensor> {
        let inputs = RecurrentInputs {
            x: &x[0],
            kernel: &x[1],
            recurrent_kernel: &x[2],
            bias: Some(&x[3]),
            initial_state: &x[4..4 + self.states],
            mask: masked.then(|| &x[4 + self.states]),
        };
        let (y, mut states) = (self.op)(&inputs, options).expect("it fits");
        states.insert(0, y);
        states
    }

    fn composed(&self, x: &[Tensor], masked: bool, options: RecurrentOptions) -> Vec<Tensor> {
        let bias = if self.two {
            [x[3].index(0, 0), x[3].index(0, 1)]
        } else {
            [0, 1].map(|_| x[3].clone())
        };
        let z = linear(&x[0], &x[1], Some(&bias[0]), Fused::Linear).expect("it fits");
        let mut states = x[4..4 + self.states].to_vec();
        let mut outputs = Vec::new();
        let steps = x[0].dims()[1] as isize;
        for s in 0..steps {
            let at = if options.go_backwards { steps - 1 - s } else { s };
            let mut new = (self.step)(&z.index(1, at), &states, &x[2], &bias[1]);
            let mut y = new[0].clone();
            if masked {
                let mask = x[4 + self.states].index(1, at).expand_dims(-1);
                let kept: Vec<_> =
                    new.iter().zip(&states).map(|(a, b)| select(&mask, a, b)).collect();
                new = kept;
                let zero = options.zero_output_for_mask;
                y = if zero { select(&mask, &y, &y.zeros_like()) } else { new[0].clone() };
            }
            states = new;
            outputs.push(y);
        }
        let y = match options.return_sequences {
            true => stack(&outputs, 1),
            false => outputs.pop().expect("a step"),
        };
        let asked = if options.return_state { states } else { Vec::new() };
        std::iter::once(y).chain(asked).collect()
    }

    /// Outputs, gradients by all inputs but the mask, and gradients of those.
    fn all(
        &self,
        x: &[Tensor],
        f: impl Fn(&[Tensor]) -> Vec<Tensor>,
    ) -> (Vec<Tensor>, Vec<Tensor>, Vec<Tensor>) {
        let sources: Vec<&Tensor> = x[..4 + self.states].iter().collect();
        let sum = |all: &[Tensor]| {
            let parts = all.iter().map(|y| (y * 1.7).sin().sum(.., false));
            parts.reduce(|a, b| a + b).expect("an output")
        };
        let tape = Tape::new();
        let outputs = f(x);
        let alone = tape.gradient(&sum(&outputs), &sources).expect("a path to each");
        let outer = Tape::new();
        let inner = Tape::new();
        let slopes = inner.gradient(&sum(&f(x)), &sources).expect("a path to each");
        for (a, b) in alone.iter().zip(&slopes) {
            assert_close(a, b, 1e-8, 1e-8);
        }
        let second = outer.gradient(&sum(&slopes), &sources).expect("a path to each");
        (outputs, alone, second)
    }
}

fn options() -> impl Iterator<Item = (bool, RecurrentOptions)> {
    (0..12).map(|i| {
        let options = RecurrentOptions {
            go_backwards: i & 1 > 0,
            return_sequences: i & 2 > 0,
            return_state: i % 3 == 0,
            zero_output_for_mask: i > 5,
        };
        (i > 3, options)
    })
}

/// Batch, steps, inputs, units: odd ones, and those of a single row, step and unit.
const SIZES: [[usize; 4]; 4] = [[1, 1, 1, 1], [1, 5, 3, 7], [5, 1, 2, 17], [19, 4, 3, 5]];

#[test]
fn fused_and_composed_agree_to_the_second_order() {
    for kind in &KINDS {
        for size in SIZES {
            let x = kind.inputs(size, DType::F64);
            for (masked, options) in options() {
                println!("{} {size:?} {options:?}, masked: {masked}", kind.name);
                let fused = kind.all(&x, |x| kind.fused(x, masked, options));
                let composed = kind.all(&x, |x| kind.composed(x, masked, options));
                for (a, b) in [(fused.0, composed.0), (fused.1, composed.1), (fused.2, composed.2)]
                {
                    assert_eq!(a.len(), b.len());
                    a.iter().zip(&b).for_each(|(a, b)| assert_close(a, b, 1e-8, 1e-8));
                }
            }
        }
    }
}

#[test]
fn one_tensor_may_be_both_initial_states() {
    let kind = &KINDS[0];
    let x = kind.inputs([2, 3, 2, 2], DType::F64);
    let f = |x: &[Tensor]| {
        let mut twice = x.to_vec();
        twice[5] = twice[4].clone();
        kind.fused(&twice, false, RecurrentOptions::default()).remove(0)
    };
    check_grad(f, &x[..5].iter().chain(&x[4..5]).cloned().collect::<Vec<_>>()).expect("it agrees");
}

#[test]
fn sequences_are_the_same_bits_on_any_number_of_threads() {
    for kind in &KINDS {
        let x = kind.inputs([37, 20, 9, 40], DType::F32);
        for (masked, options) in [(false, true), (true, false)].map(|(masked, all)| {
            (masked, RecurrentOptions { return_sequences: all, ..RecurrentOptions::default() })
        }) {
            let [one, two, eight] = [1, 2, 8].map(|threads| {
                set_threads(threads);
                let tape = Tape::new();
                let mut found = kind.fused(&x, masked, options);
                let sum = found[0].sin().sum(.., false);
                let sources: Vec<&Tensor> = x[..4 + kind.states].iter().collect();
                found.extend(tape.gradient(&sum, &sources).expect("a path to each"));
                found.iter().map(|v| v.to_vec::<f32>().expect("float32")).collect::<Vec<_>>()
            });
            assert!(one == two && one == eight, "{}", kind.name);
        }
    }
    set_threads(2);
}

#[test]
fn what_is_kept_for_gradients_changes_no_output() {
    for kind in &KINDS {
        let x = kind.inputs([7, 6, 3, 18], DType::F32);
        for (masked, options) in options() {
            let alone = kind.fused(&x, masked, options);
            let _tape = Tape::new();
            let recorded = kind.fused(&x, masked, options);
            for (a, b) in alone.iter().zip(&recorded) {
                assert_eq!(a.to_vec::<f32>().unwrap(), b.to_vec::<f32>().unwrap());
            }
        }
    }
}

#[test]
fn infinite_inputs_saturate_and_nan_stays_in_its_row() {
    for kind in &KINDS {
        let mut x = kind.inputs([3, 4, 1, 2], DType::F32);
        x[0] = Tensor::new(
            [[f32::INFINITY; 4], [f32::NAN; 4], [f32::NEG_INFINITY; 4]].concat(),
            [3, 4, 1],
        )
        .expect("12 values");
        let y = kind.fused(&x, false, RecurrentOptions::default()).remove(0);
        let y = y.to_vec::<f32>().expect("float32");
        let whole = |y: &[f32]| y.iter().all(|y| y.abs() <= 4.0);
        assert!(whole(&y[..2]) && whole(&y[4..]), "{}: {y:?}", kind.name);
        assert!(y[2..4].iter().all(|y| y.is_nan()), "{}: {y:?}", kind.name);
    }
}

#[test]
fn gradients_that_fade_end_at_0_and_are_never_subnormal() {
    for kind in &KINDS {
        let mut x = kind.inputs([2, 600, 3, 4], DType::F32);
        x[2] = &x[2] * 0.5;
        let tape = Tape::new();
        let y = kind.fused(&x, false, RecurrentOptions::default()).remove(0);
        let slopes = tape.gradient(&y.sum(.., false), &[&x[0], &x[4]]).expect("paths");
        let first = slopes[0].to_vec::<f32>().expect("float32");
        assert!(first.iter().all(|g| *g == 0.0 || g.is_normal()), "{}", kind.name);
        assert!(first[..3] == [0.0; 3] && first[599 * 3] != 0.0, "{}", kind.name);
        assert_eq!(slopes[1].to_vec::<f32>().expect("float32"), [0.0; 8], "{}", kind.name);
    }
}

#[test]
fn a_skipped_step_is_not_read() {
    for kind in &KINDS {
        let mut x = kind.inputs([1, 3, 2, 2], DType::F64);
        x[4 + kind.states] = Tensor::from([[true, false, true]]);
        let mut strange = x.clone();
        let nan = Tensor::from([[[false], [true], [false]]]);
        strange[0] = select(&nan, &Tensor::scalar(f64::NAN), &x[0]);
        let run = |x: &[Tensor]| {
            let tape = Tape::new();
            let y = kind.fused(x, true, RecurrentOptions::default()).remove(0);
            let slopes = tape.gradient(&y.sum(.., false), &[&x[0], &x[2]]).expect("paths");
            (y, slopes)
        };
        let ((y, slopes), (same, same_slopes)) = (run(&x), run(&strange));
        assert_close(&same, &y, 0.0, 0.0);
        slopes.iter().zip(&same_slopes).for_each(|(a, b)| assert_close(b, a, 0.0, 0.0));
    }
}

#[test]
fn what_doesn_t_fit_is_named() {
    let f = |shape: &[usize]| Tensor::zeros(shape, DType::F32);
    let text = |x: &[usize], kernel: &[usize], states: &[Tensor], mask: Option<&Tensor>| {
        let inputs = RecurrentInputs {
            x: &f(x),
            kernel: &f(kernel),
            recurrent_kernel: &f(&[1, 4]),
            bias: None,
            initial_state: states,
            mask,
        };
        lstm(&inputs, RecurrentOptions::default()).unwrap_err().to_string()
    };
    assert_eq!(
        text(&[2, 0, 3], &[3, 4], &[], None),
        "lstm: shapes must be (batch, steps, inputs) with a step, (inputs, 4 · units), (units, \
         4 · units), (4 · units), twice (batch, units) and, for the mask, (batch, steps); got \
         (2, 0, 3), (3, 4), (1, 4), (4,), (2, 1) and (2, 1)"
    );
    assert_eq!(
        text(&[2, 1, 3], &[3, 4], &[f(&[2, 1])], None),
        "lstm: there must be 2 initial states, or none; got 1"
    );
    assert_eq!(
        text(&[2, 1, 3], &[3, 4], &[], Some(&f(&[2, 1]))),
        "lstm: the mask must be bool; got float32; convert with `cast`"
    );
}
