//! Attention in one op against its composition, on sizes that take several tiles and threads.

use cornu_autodiff::ops::{dot_product_attention, select};
use cornu_autodiff::testing::assert_close;
use cornu_autodiff::{DType, Generator, Tape, Tensor, set_threads};

/// Sizes, with heads for the query and for key and value.
struct Sizes {
    batch: usize,
    queries: usize,
    keys: usize,
    heads: [usize; 2],
    size: usize,
    width: usize,
}

/// One tile a head; several; heads that share.
const SIZES: [Sizes; 3] = [
    Sizes { batch: 5, queries: 33, keys: 47, heads: [2, 2], size: 16, width: 10 },
    Sizes { batch: 2, queries: 150, keys: 1100, heads: [2, 1], size: 3, width: 4 },
    Sizes { batch: 3, queries: 20, keys: 70, heads: [6, 2], size: 9, width: 70 },
];

fn inputs(sizes: &Sizes, dtype: DType) -> [Tensor; 3] {
    let &Sizes { batch, queries, keys, heads, size, width } = sizes;
    let shapes = [
        [batch, queries, heads[0], size],
        [batch, keys, heads[1], size],
        [batch, keys, heads[1], width],
    ];
    let mut seed = 0;
    shapes.map(|shape| {
        seed += 1;
        Generator::new(seed).normal(shape, 0.0, 1.5, DType::F64).unwrap().cast(dtype)
    })
}

/// No mask, one for all, one of keys, one for every score with a query that sees nothing.
fn masks(sizes: &Sizes) -> Vec<Option<Tensor>> {
    let &Sizes { batch, queries, keys, heads, .. } = sizes;
    let generator = Generator::new(9);
    let draw = |shape: [usize; 4]| generator.bernoulli(shape, 0.6, DType::Bool).unwrap();
    let row = Tensor::arange(queries, DType::I64).reshape([-1, 1]);
    let causal = row.greater_equal(&Tensor::arange(keys, DType::I64));
    let sees = row.not_equal_scalar(3.0);
    let all = draw([batch, heads[0], queries, keys]).logical_and(&sees);
    vec![
        None,
        Some(causal),
        Some(draw([batch, 1, 1, keys])),
        Some(draw([batch, 1, queries, 1])),
        Some(all),
    ]
}

fn composed(query: &Tensor, key: &Tensor, value: &Tensor, mask: Option<&Tensor>) -> Tensor {
    let repeats = query.dims()[2] / key.dims()[2];
    let by_head = |x: &Tensor, repeats: usize| x.repeat(repeats, 2).permute([0, 2, 1, 3]);
    let (query, key, value) = (by_head(query, 1), by_head(key, repeats), by_head(value, repeats));
    let scores = query.matmul(&key.t()) * 0.3;
    let scores = match mask {
        Some(mask) => select(mask, &scores, &scores.full_like(-1e9)),
        None => scores,
    };
    scores.softmax(-1).matmul(&value).permute([0, 2, 1, 3])
}

fn fused(query: &Tensor, key: &Tensor, value: &Tensor, mask: Option<&Tensor>) -> Tensor {
    dot_product_attention(query, key, value, mask, Some(0.3)).unwrap()
}

type Function = fn(&Tensor, &Tensor, &Tensor, Option<&Tensor>) -> Tensor;

/// The output, and gradients of a sum of its sines.
fn run(f: Function, [query, key, value]: &[Tensor; 3], mask: Option<&Tensor>) -> Vec<Tensor> {
    let tape = Tape::new();
    let y = f(query, key, value, mask);
    let sum = y.sin().sum(.., false);
    let mut all = tape.gradient(&sum, &[query, key, value]).unwrap();
    all.push(y);
    all
}

#[test]
fn fused_and_composed_attention_agree() {
    for sizes in &SIZES {
        let x = inputs(sizes, DType::F64);
        for mask in masks(sizes) {
            let (one, several) = (run(fused, &x, mask.as_ref()), run(composed, &x, mask.as_ref()));
            one.iter().zip(&several).for_each(|(a, b)| assert_close(a, b, 1e-9, 1e-9));
        }
    }
}

/// Axes without elements, a single one, and masks that lie strangely in memory.
#[test]
fn attention_agrees_with_its_composition_at_the_edges() {
    let sizes = |[batch, queries, keys, size, width]: [usize; 5]| {
        let heads = [2, 1];
        Sizes { batch, queries, keys, heads, size, width }
    };
    let edges = [
        [0, 2, 3, 4, 5],
        [1, 0, 3, 4, 5],
        [1, 2, 0, 4, 5],
        [1, 2, 3, 0, 5],
        [1, 2, 3, 4, 0],
        [2, 1, 1, 1, 1],
    ];
    for sizes in edges.map(sizes) {
        let x = inputs(&sizes, DType::F64);
        let flipped = masks(&sizes).into_iter().flatten().map(|mask| mask.flip(..));
        let all = [Tensor::scalar(true), Tensor::scalar(false)].into_iter().chain(flipped);
        for mask in all.map(Some).chain([None]) {
            let (one, several) = (run(fused, &x, mask.as_ref()), run(composed, &x, mask.as_ref()));
            one.iter().zip(&several).for_each(|(a, b)| assert_close(a, b, 1e-9, 1e-9));
        }
    }
}

/// As a layer makes them: heads side by side in a row, or turned.
#[test]
fn attention_reads_any_layout() {
    let sizes = &SIZES[0];
    let x = inputs(sizes, DType::F64);
    let turned = x.each_ref().map(|x| x.permute([3, 1, 0, 2]) * 1.0);
    let turned = turned.each_ref().map(|x| x.permute([2, 1, 3, 0]));
    assert!(turned.iter().all(|x| !x.is_contiguous()));
    for (a, b) in run(fused, &x, None).iter().zip(run(fused, &turned, None)) {
        assert_close(a, &b, 0.0, 0.0);
    }
}

#[test]
fn attention_is_the_same_bits_on_any_number_of_threads_and_alone() {
    for sizes in &SIZES {
        let x = inputs(sizes, DType::F32);
        let mask = masks(sizes).pop().unwrap();
        let [one, two, eight] = [1, 2, 8].map(|threads| {
            set_threads(threads);
            let found = run(fused, &x, mask.as_ref());
            found.iter().map(|v| v.to_vec::<f32>().unwrap()).collect::<Vec<_>>()
        });
        assert!(one == two && one == eight);
        let alone = x.each_ref().map(|x| x.slice(0, 1..2));
        let mask = mask.map(|mask| mask.slice(0, 1..2));
        for (whole, alone) in one.iter().zip(run(fused, &alone, mask.as_ref())) {
            let len = alone.size();
            assert!(whole[len..2 * len] == alone.to_vec::<f32>().unwrap());
        }
    }
    set_threads(2);
}

#[test]
fn nan_reaches_its_own_query_alone_and_infinities_give_a_limit() {
    let f = |values: Vec<f32>, shape: [usize; 4]| Tensor::new(values, shape).unwrap();
    let query = f(vec![f32::NAN, 1.0, 1000.0], [1, 3, 1, 1]);
    let key = f(vec![0.0, 1.0], [1, 2, 1, 1]);
    let value = f(vec![2.0, 4.0], [1, 2, 1, 1]);
    let y = dot_product_attention(&query, &key, &value, None, None).unwrap();
    let y = y.to_vec::<f32>().unwrap();
    let even = 2.0 + 2.0 / (1.0 + (-1f32).exp());
    assert!(y[0].is_nan() && (y[1] - even).abs() < 1e-6 && y[2] == 4.0, "{y:?}");
}

#[test]
fn what_does_not_fit_an_attention_is_named() {
    let f = |shape: &[usize]| Tensor::zeros(shape, DType::F32);
    let text = |query: &[usize], mask: Tensor| {
        let key = f(&[1, 3, 2, 5]);
        let y = dot_product_attention(&f(query), &key, &key, Some(&mask), None);
        y.unwrap_err().to_string()
    };
    let rule = "dot_product_attention: shapes must be (batch, queries, heads, size) for the query, \
                (batch, keys, groups, size) for the key and (batch, keys, groups, width) for the \
                value, where groups divide heads, and the mask must broadcast to (batch, heads, \
                queries, keys); got ";
    let mask = || Tensor::ones([7, 3], DType::Bool);
    assert_eq!(
        text(&[1, 7, 3, 5], mask()),
        format!("{rule}(1, 7, 3, 5), (1, 3, 2, 5), (1, 3, 2, 5) and (7, 3)")
    );
    assert_eq!(
        text(&[1, 6, 2, 5], mask()),
        format!("{rule}(1, 6, 2, 5), (1, 3, 2, 5), (1, 3, 2, 5) and (7, 3)")
    );
    assert_eq!(
        text(&[1, 7, 2, 5], mask().cast(DType::F32)),
        "dot_product_attention: query, key and value must all be float32 or all float64, the mask \
         bool; got float32, float32, float32 and float32; convert with `cast`"
    );
}
