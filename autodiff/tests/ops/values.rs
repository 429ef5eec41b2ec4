//! Explicit numbers: kinks, ties, edges, whole numbers, NumPy's broadcasting and indexing.

use cornu_autodiff::ops::{
    PadMode, Slice, concat, einsum, floor_divide, linear_recurrence, maximum, minimum, modulo,
    one_hot, power, select,
};
use cornu_autodiff::testing::{assert_close, check_grad};
use cornu_autodiff::{DType, Tape, Tensor};

fn floats(x: &Tensor) -> Vec<f64> {
    x.to_vec::<f64>().expect("float64")
}

/// The gradients of the sum of the result.
fn slopes(f: impl Fn(&[Tensor]) -> Tensor, inputs: &[Tensor]) -> Vec<Vec<f64>> {
    let tape = Tape::new();
    let y = f(inputs).sum(.., false);
    let gradients = tape.gradient(&y, &inputs.iter().collect::<Vec<_>>()).expect("paths");
    gradients.iter().map(floats).collect()
}

fn slope(f: impl Fn(&Tensor) -> Tensor, x: &[f64]) -> Vec<f64> {
    slopes(|x| f(&x[0]), &[Tensor::from(x)]).remove(0)
}

#[test]
fn kinks_have_the_slopes_of_keras() {
    assert_eq!(slope(Tensor::relu, &[-1.0, 0.0, 1.0]), [0.0, 0.0, 1.0]);
    assert_eq!(slope(Tensor::relu6, &[0.0, 3.0, 6.0, 7.0]), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(slope(Tensor::abs, &[-2.0, 0.0, 2.0]), [-1.0, 0.0, 1.0]);
    assert_eq!(slope(Tensor::sign, &[-2.0, 0.0]), [0.0, 0.0]);
    assert_eq!(
        slope(|x| x.clip(-1.0, 1.0), &[-2.0, -1.0, 0.5, 1.0, 2.0]),
        [0.0, 1.0, 1.0, 1.0, 0.0]
    );
    assert_eq!(slope(Tensor::round, &[0.5]), [0.0]);
    let selu = slope(Tensor::selu, &[0.0])[0];
    assert!((selu - 1.050_700_987_355_480_5 * 1.673_263_242_354_377_2).abs() < 1e-12);
}

#[test]
fn activations_in_pieces_have_the_slope_of_each_piece() {
    type Row = (fn(&Tensor) -> Tensor, &'static [f64], &'static [f64]);
    let rows: &[Row] = &[
        (Tensor::hard_sigmoid, &[-4.0, 1.0, 4.0], &[0.0, 1.0 / 6.0, 0.0]),
        (Tensor::hard_silu, &[-4.0, 1.0, 4.0], &[0.0, 5.0 / 6.0, 1.0]),
        (Tensor::hard_tanh, &[-2.0, 0.5, 2.0], &[0.0, 1.0, 0.0]),
        (Tensor::sparse_plus, &[-2.0, 0.5, 2.0], &[0.0, 0.75, 1.0]),
        (Tensor::sparse_sigmoid, &[-2.0, 0.5, 2.0], &[0.0, 0.5, 0.0]),
        (|x| x.hard_shrink(0.5), &[-2.0, -0.2, 0.2, 2.0], &[1.0, 0.0, 0.0, 1.0]),
        (|x| x.soft_shrink(0.5), &[-2.0, -0.2, 0.2, 2.0], &[1.0, 0.0, 0.0, 1.0]),
        (|x| x.threshold(1.0, 9.0), &[-1.0, 0.5, 2.0], &[0.0, 0.0, 1.0]),
        // Steep below -0.5, then 0 up to 0, then 1 up to 2.
        (|x| x.relu_between(0.3, 0.0, 2.0, -0.5), &[-1.0, -0.2, 1.0, 3.0], &[0.3, 0.0, 1.0, 0.0]),
    ];
    for (i, (f, x, wanted)) in rows.iter().enumerate() {
        for (got, wanted) in slope(f, x).iter().zip(*wanted) {
            assert!((got - wanted).abs() <= 1e-12, "row {i}: {got} instead of {wanted}");
        }
    }
}

#[test]
fn ties_share_the_gradient() {
    assert_eq!(slope(|x| x.max(.., false), &[1.0, 3.0, 3.0]), [0.0, 0.5, 0.5]);
    assert_eq!(
        slope(|x| x.min(0, true), &[1.0, 1.0, 1.0, 2.0]),
        [1.0 / 3.0; 3].to_vec().into_iter().chain([0.0]).collect::<Vec<_>>()
    );
    let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([1.0, 3.0]));
    assert_eq!(
        slopes(|x| maximum(&x[0], &x[1]), &[a.clone(), b.clone()]),
        [[0.5, 0.0], [0.5, 1.0]]
    );
    assert_eq!(slopes(|x| minimum(&x[0], &x[1]), &[a, b]), [[0.5, 1.0], [0.5, 0.0]]);
}

#[test]
fn positions_of_ties_and_nan_are_numpys() {
    let x = Tensor::from([[2.0, 5.0, 5.0], [f64::NAN, 1.0, f64::NAN]]);
    assert_eq!(x.argmax(1).to_vec::<i64>().expect("int64"), [1, 0]);
    assert_eq!(x.argmin(1).to_vec::<i64>().expect("int64"), [0, 0]);
    assert_eq!(x.argsort(1, false).to_vec::<i64>().expect("int64"), [0, 1, 2, 1, 0, 2]);
    assert_eq!(x.argsort(1, true).to_vec::<i64>().expect("int64"), [1, 2, 0, 1, 0, 2]);
    assert!(floats(&x.max(1, false))[1].is_nan());
    let (values, positions) = x.top_k(2);
    assert_eq!(floats(&values)[..3], [5.0, 5.0, 1.0]);
    assert_eq!(positions.to_vec::<i64>().expect("int64"), [1, 2, 1, 0]);
}

#[test]
fn powers_have_finite_slopes_at_zero() {
    let f = |x: &[Tensor]| power(&x[0], &x[1]);
    let at = |a: f64, b: f64| {
        let slopes = slopes(f, &[Tensor::from([a]), Tensor::from([b])]);
        (slopes[0][0], slopes[1][0])
    };
    assert_eq!(at(0.0, 0.0), (0.0, 0.0));
    assert_eq!(at(0.0, 1.0), (1.0, 0.0));
    assert_eq!(at(0.0, 2.0), (0.0, 0.0));
    assert_eq!(at(2.0, 0.0), (0.0, 2f64.ln()));
    assert_eq!(at(-2.0, 3.0).0, 12.0);
}

#[test]
fn a_value_that_is_not_chosen_has_no_part_in_the_gradient() {
    let x = Tensor::from([0.0, 4.0]);
    let f = |x: &[Tensor]| {
        let zero = x[0].equal_scalar(0.0);
        select(&zero, &x[0].zeros_like(), &select(&zero, &x[0].ones_like(), &x[0]).sqrt())
    };
    assert_eq!(slopes(f, &[x]), [[0.0, 0.25]]);
}

#[test]
fn products_have_right_gradients_beside_zeros() {
    for values in [[2.0, 0.0, 4.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]] {
        let x = [Tensor::from(values)];
        check_grad(|x| x[0].prod(.., false), &x).expect("right");
        check_grad(|x| x[0].cumprod(0, false, false), &x).expect("right");
        check_grad(|x| x[0].cumprod(0, true, true), &x).expect("right");
    }
    assert_eq!(slope(|x| x.prod(.., false), &[2.0, 0.0, 4.0]), [0.0, 8.0, 0.0]);
    assert_eq!(floats(&Tensor::from([2.0, 3.0, 4.0]).cumprod(0, false, true)), [1.0, 2.0, 6.0]);
    assert_eq!(floats(&Tensor::from([2.0, 3.0, 4.0]).cumprod(0, true, false)), [24.0, 12.0, 4.0]);
    assert_eq!(
        Tensor::zeros([2, 0], DType::I32).prod(1, false).to_vec::<i32>().expect("int32"),
        [1, 1]
    );
}

#[test]
fn running_sums_run_both_ways_with_and_without_their_own_element() {
    let x = Tensor::from([[1i32, 2, 3], [4, 5, 6]]);
    let sum = |axis, reverse, exclusive| {
        x.cumsum(axis, reverse, exclusive).to_vec::<i32>().expect("int32")
    };
    assert_eq!(sum(1, false, false), [1, 3, 6, 4, 9, 15]);
    assert_eq!(sum(1, true, false), [6, 5, 3, 15, 11, 6]);
    assert_eq!(sum(1, false, true), [0, 1, 3, 0, 4, 9]);
    assert_eq!(sum(-2, true, true), [4, 5, 6, 0, 0, 0]);
    let (a, b) = (Tensor::from([5.0, 2.0, 3.0]), Tensor::from([1.0, 1.0, 1.0]));
    assert_eq!(floats(&linear_recurrence(&a, &b, 0, false)), [1.0, 3.0, 10.0]);
    assert_eq!(floats(&linear_recurrence(&a, &b, 0, true)), [16.0, 3.0, 1.0]);
}

#[test]
fn logsumexp_is_stable_and_right_where_nothing_is_possible() {
    let inf = f64::INFINITY;
    let x = Tensor::from([[-inf, -inf], [-inf, 3.0], [1e4, 1e4], [inf, 0.0]]);
    let y = floats(&x.logsumexp(1, false));
    assert_eq!(y, [-inf, 3.0, 1e4 + 2f64.ln(), inf]);
    let finite = x.slice(0, 0..3);
    let g = slopes(|x| x[0].logsumexp(-1, true), &[finite]).remove(0);
    assert_close(&Tensor::from(g), &Tensor::from([0.0, 0.0, 0.0, 1.0, 0.5, 0.5]), 1e-12, 0.0);
    assert_eq!(floats(&Tensor::zeros([2, 0], DType::F64).logsumexp(1, false)), [-inf, -inf]);
    let y = Tensor::from([1e4f32, 1e4]).logsumexp(.., false).item::<f32>().expect("float32");
    assert!((y - 10_000.693).abs() < 1e-2);
}

#[test]
fn shapes_broadcast_as_in_numpy() {
    let of = |shape: &[usize]| Tensor::ones(shape, DType::F32);
    for (a, b, c) in [
        (&[2, 3][..], &[3][..], &[2, 3][..]),
        (&[8, 1, 6, 1], &[7, 1, 5], &[8, 7, 6, 5]),
        (&[], &[2, 0], &[2, 0]),
        (&[1], &[0], &[0]),
        (&[5, 4], &[1], &[5, 4]),
        (&[15, 3, 5], &[15, 1, 5], &[15, 3, 5]),
    ] {
        assert_eq!((of(a) + of(b)).dims(), c);
        assert_eq!((of(b) * of(a)).dims(), c);
    }
    let outer = Tensor::from([1i32, 2]).expand_dims(1) * Tensor::from([10i32, 20, 30]);
    assert_eq!(outer.to_vec::<i32>().expect("int32"), [10, 20, 30, 20, 40, 60]);
}

#[test]
fn whole_numbers_divide_and_wrap_as_in_numpy() {
    let (a, b) = (Tensor::from([7i32, -7, 7, -7, 6]), Tensor::from([2i32, 2, -2, -2, -3]));
    let values = |x: Tensor| x.to_vec::<i32>().expect("int32");
    assert_eq!(values(floor_divide(&a, &b)), [3, -4, -4, 3, -2]);
    assert_eq!(values(modulo(&a, &b)), [1, 1, -1, -1, 0]);
    assert_eq!(values(power(&a, &b.abs())), [49, 49, 49, 49, 216]);
    assert_eq!(values(-&a), [-7, 7, -7, 7, -6]);
    assert_eq!(values(a.sign()), [1, -1, 1, -1, 1]);
    assert_eq!((Tensor::from([250u8]) + Tensor::from([10u8])).to_vec::<u8>().expect("uint8"), [4]);
    assert_eq!(values(a.sum(.., true)), [6]);
    assert_eq!(values(a.cast(DType::F32).mean(.., false).cast(DType::I32)), [1]);
    let large = Tensor::from([i64::MAX - 1]);
    assert_eq!((large + Tensor::from([1i64])).to_vec::<i64>().expect("int64"), [i64::MAX]);
    let floats = Tensor::from([7.5, -7.5]);
    assert_eq!(modulo(&floats, &Tensor::scalar(2.0)).to_vec::<f64>().expect("float64"), [1.5, 0.5]);
}

#[test]
fn whole_numbers_beyond_float64_keep_their_digits() {
    let odd = (1i64 << 53) + 1;
    let x = Tensor::from([odd, -odd]);
    let values = |x: Tensor| x.to_vec::<i64>().expect("int64");
    assert_eq!(values(x.abs()), [odd, odd]);
    assert_eq!(values(x.max(.., true)), [odd]);
    assert_eq!(values(x.cast(DType::I64)), [odd, -odd]);
    assert_eq!(values(x.take(&Tensor::from([1i32]), 0)), [-odd]);
    assert_eq!(values(x.pad([(1, 0)], 0.0)), [0, odd, -odd]);
    assert_eq!(values(x.cumsum(0, false, false)), [odd, 0]);
    assert_eq!(values(Tensor::from([1.0, 2.5, -2.5]).cast(DType::I64)), [1, 2, -2]);
    assert!(
        x.equal(&Tensor::from([odd - 1, -odd])).to_vec::<bool>().expect("bool") == [false, true]
    );
}

#[test]
fn slices_are_pythons() {
    let x = Tensor::arange(5, DType::I32);
    let after = -1; // clippy takes a literal `1..=-1` for a mistake
    let table: &[(Slice, &[i32])] = &[
        (Slice::from(..), &[0, 1, 2, 3, 4]),
        (Slice::from(1..3), &[1, 2]),
        (Slice::from(-2..), &[3, 4]),
        (Slice::from(..-3), &[0, 1]),
        (Slice::from(3..100), &[3, 4]),
        (Slice::from(-100..2), &[0, 1]),
        (Slice::new(3, 1, 1), &[]),
        (Slice::from(7..), &[]),
        (Slice::from(1..=after), &[1, 2, 3, 4]),
        (Slice::from(..=2usize), &[0, 1, 2]),
        (Slice::from(..).by(2), &[0, 2, 4]),
        (Slice::from(1..).by(2), &[1, 3]),
        (Slice::from(..).by(-1), &[4, 3, 2, 1, 0]),
        (Slice::from(..).by(-2), &[4, 2, 0]),
        (Slice::new(3, 0, -1), &[3, 2, 1]),
        (Slice::new(-1, -4, -2), &[4, 2]),
        (Slice::new(100, None, -3), &[4, 1]),
        (Slice::new(None, 100, -1), &[]),
        (Slice::new(0, None, -1), &[0]),
        (Slice::new(-100, None, -1), &[]),
        (Slice::from(..).by(isize::MIN), &[4]),
        (Slice::from(..).by(isize::MAX), &[0]),
    ];
    for (slice, values) in table {
        assert_eq!(x.slice(0, *slice).to_vec::<i32>().expect("int32"), *values, "{slice:?}");
    }
    assert_eq!(x.index(0, -2).item::<i32>().expect("int32"), 3);
    let empty = Tensor::zeros([0, 3], DType::F32);
    assert_eq!(empty.slice(0, Slice::from(..).by(-1)).dims(), [0, 3]);
    let part = Tensor::arange(6, DType::I32).reshape([2, 3]).slices([Slice::from(1..)]);
    assert_eq!(part.flip(1).to_vec::<i32>().expect("int32"), [5, 4, 3]);
}

#[test]
fn views_of_views_read_the_right_elements() {
    let x = Tensor::arange(24, DType::I32).reshape([2, 3, 4]);
    let y = x.slice(2, Slice::from(..).by(-2)).t().slice(1, 1..).flip(0);
    assert_eq!(y.dims(), [2, 1, 3]);
    assert_eq!(y.to_vec::<i32>().expect("int32"), [13, 17, 21, 1, 5, 9]);
    assert_eq!(y.reshape([-1]).index(0, 3).item::<i32>().expect("int32"), 1);
    let diagonal = x.flip(0).diagonal(1, 0, 2);
    assert_eq!(diagonal.to_vec::<i32>().expect("int32"), [13, 2, 17, 6, 21, 10]);
}

#[test]
fn borders_are_numpys() {
    let x = Tensor::from([1i32, 2, 3]);
    let padded = |mode| x.pad_with([(5, 4)], mode).to_vec::<i32>().expect("int32");
    assert_eq!(padded(PadMode::Reflect), [2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3]);
    assert_eq!(padded(PadMode::Symmetric), [2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1]);
    assert_eq!(padded(PadMode::Edge), [1, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3]);
    let one = Tensor::from([7i32]).pad_with([(2, 1)], PadMode::Reflect);
    assert_eq!(one.to_vec::<i32>().expect("int32"), [7; 4]);
    let mask = Tensor::from([true]).pad([(1, 1)], 0.0);
    assert_eq!(mask.to_vec::<bool>().expect("bool"), [false, true, false]);
}

#[test]
fn copies_side_by_side_are_numpys() {
    let x = Tensor::from([[1i32, 2], [3, 4]]);
    let values = |x: Tensor| x.to_vec::<i32>().expect("int32");
    assert_eq!(values(x.tile([1, 2])), [1, 2, 1, 2, 3, 4, 3, 4]);
    assert_eq!(values(x.tile([2])), [1, 2, 1, 2, 3, 4, 3, 4]);
    assert_eq!(x.tile([3, 1, 1]).dims(), [3, 2, 2]);
    assert_eq!(x.tile([0, 2]).dims(), [0, 4]);
    assert_eq!(values(x.repeat(2, 0)), [1, 2, 1, 2, 3, 4, 3, 4]);
    assert_eq!(values(x.repeat(2, 1)), [1, 1, 2, 2, 3, 3, 4, 4]);
    assert_eq!(values(x.roll(1, 1)), [2, 1, 4, 3]);
    assert_eq!(values(x.roll(-3, 0)), [3, 4, 1, 2]);
    assert_eq!(values(concat(&[&x, &x.slice(1, 1..)], 1)), [1, 2, 2, 3, 4, 4]);
    let parts = x.split_sizes(&[0, 2], 0);
    assert_eq!((parts[0].dims(), parts[1].dims()), (&[0, 2][..], &[2, 2][..]));
    assert_eq!(x.split(2, 1)[1].dims(), [2, 1]);
}

#[test]
fn what_falls_on_one_place_adds_up() {
    let (indices, x) = (Tensor::from([[0i64, -1], [0, 1]]), Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    let y = Tensor::from([10.0, 20.0, 30.0]).scatter_add(&indices, &x, 0);
    assert_eq!(floats(&y), [14.0, 24.0, 32.0]);
    let table = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    let f = |x: &[Tensor]| x[0].take(&Tensor::from([1u8, 1, 1]), 0);
    assert_eq!(slopes(f, std::slice::from_ref(&table)), [[0.0, 0.0, 3.0, 3.0]]);
    let y = table.take_along_axis(&Tensor::from([[1i32], [0]]), 1);
    assert_eq!(floats(&y), [2.0, 3.0]);
    let none = table.take(&Tensor::zeros([0], DType::I64), 0);
    assert_eq!(none.dims(), [0, 2]);
    let hot = one_hot(&Tensor::from([1u8]), 2, DType::Bool);
    assert_eq!(hot.to_vec::<bool>().expect("bool"), [false, true]);
}

#[test]
fn triangles_and_diagonals_are_numpys() {
    let x = Tensor::arange(9, DType::I32).reshape([3, 3]) + Tensor::ones([3, 3], DType::I32);
    let values = |x: Tensor| x.to_vec::<i32>().expect("int32");
    assert_eq!(values(x.tril(0)), [1, 0, 0, 4, 5, 0, 7, 8, 9]);
    assert_eq!(values(x.tril(1)), [1, 2, 0, 4, 5, 6, 7, 8, 9]);
    assert_eq!(values(x.triu(0)), [1, 2, 3, 0, 5, 6, 0, 0, 9]);
    assert_eq!(values(x.triu(2)), [0, 0, 3, 0, 0, 0, 0, 0, 0]);
    assert_eq!(values(x.diagonal(-1, 0, 1)), [4, 8]);
    assert_eq!(values(x.diagonal(5, 0, 1)), []);
    assert_eq!(values(x.trace(0, 0, 1)), [15]);
}

#[test]
fn contractions_equal_sums_of_products() {
    let a = (Tensor::arange(24, DType::F64) * 0.1).reshape([2, 3, 4]);
    let b = (Tensor::arange(40, DType::F64) * 0.2).reshape([2, 4, 5]).sin();
    let product = (a.expand_dims(3) * b.expand_dims(1)).sum(2, false); // (2, 3, 4, 1) · (2, 1, 4, 5)
    assert_close(&einsum("bij,bjk->bik", &[&a, &b]), &product, 1e-12, 1e-12);
    assert_close(&einsum("...ij,...jk", &[&a, &b]), &product, 1e-12, 1e-12);
    assert_close(&einsum("bij,bjk->kbi", &[&a, &b]), &product.permute([2, 0, 1]), 1e-12, 1e-12);
    assert_close(&einsum("bij,bjk->", &[&a, &b]), &product.sum(.., false), 1e-12, 1e-12);
    assert_close(&einsum(" b i j -> j i b ", &[&a]), &a.permute([2, 1, 0]), 0.0, 0.0);
    assert_close(&einsum("cba", &[&a]), &a.permute([2, 1, 0]), 0.0, 0.0);
    let vector = Tensor::from([1.0, 2.0]);
    assert_eq!(floats(&einsum("i,j->ij", &[&vector, &vector])), [1.0, 2.0, 2.0, 4.0]);
    assert_eq!(floats(&einsum("i,i", &[&vector, &vector])), [5.0]);
    assert_eq!(floats(&einsum(",i->i", &[&Tensor::scalar(3.0), &vector])), [3.0, 6.0]);
    let square = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(floats(&einsum("ii->i", &[&square])), [1.0, 4.0]);
    assert_eq!(floats(&einsum("ij,jj->i", &[&square, &square])), [9.0, 19.0]);
    let one = Tensor::ones([1, 2], DType::F64);
    assert_eq!(
        einsum("...i,...i->...", &[&one, &Tensor::ones([7, 3, 2], DType::F64)]).dims(),
        [7, 3]
    );
    assert_eq!(einsum("...,...", &[&one, &one]).dims(), [1, 2]);
}

#[test]
fn what_is_not_a_number_is_told() {
    let x = Tensor::from([1.0f32, f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
    let values = |x: Tensor| x.to_vec::<bool>().expect("bool");
    assert_eq!(values(x.isnan()), [false, true, false, false]);
    assert_eq!(values(x.isinf()), [false, false, true, true]);
    assert_eq!(values(x.isfinite()), [true, false, false, false]);
    assert_eq!(values(Tensor::from([i32::MAX]).isfinite()), [true]);
    assert!(!x.is_finite() && x.slice(0, 0..1).is_finite());
    assert!(values(x.equal(&x)) == [true, false, true, true]);
    for nan in [x.relu(), x.max(.., true), x.clip(-1.0, 1.0), x.sign(), maximum(&x, &-&x)] {
        assert!(values(nan.isnan()).contains(&true), "{nan:?}");
    }
}
