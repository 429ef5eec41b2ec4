//! Memory that was used before changes nothing.

use cornu_autodiff::{DType, Tensor, release_memory};

use crate::case::Case;
use crate::{every_row, run, to_f32};

/// Fills what the thread keeps for reuse with NaN, in sizes as the table's.
fn spoil() {
    let sizes = || (0..9).flat_map(|power| (4..8).map(move |n| (4 << power) * n));
    let odd = |dtype| -> Vec<_> {
        sizes().map(|n| [0; 12].map(|_| Tensor::full([n], f64::NAN, dtype))).collect()
    };
    drop([odd(DType::F32), odd(DType::F64)]);
}

fn bits(case: &Case, inputs: &[Tensor]) -> Vec<Vec<u64>> {
    let (y, gradients) = run(case, inputs);
    let bits = |x: &Tensor| x.to_f64_vec().expect("it has values").into_iter().map(f64::to_bits);
    [y].iter().chain(gradients.iter().flatten()).map(|x| bits(x).collect()).collect()
}

#[test]
fn memory_that_was_used_before_changes_nothing() {
    every_row(|case| {
        for n in [0, 1, 3, 33].into_iter().filter(|&n| n >= case.smallest) {
            for inputs in [case.inputs(n), to_f32(&case.inputs(n))] {
                release_memory();
                let fresh = bits(case, &inputs);
                spoil();
                assert_eq!(bits(case, &inputs), fresh, "size {n}");
            }
        }
    });
}
