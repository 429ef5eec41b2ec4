//! Strided elements into row-major order.

use super::nest::Nest;
use super::parallel;
use crate::dtype::Element;
use crate::tensor::Tensor;

/// A contiguous copy of a tensor of any layout.
pub(crate) fn packed<T: Element>(x: &Tensor) -> Tensor {
    Tensor::build(*x.shape(), |out| copy_into::<T>(x, out))
}

/// The elements of `x` in row-major order into `out`.
pub(crate) fn copy_into<T: Element>(x: &Tensor, out: &mut [T]) {
    if let Some(values) = x.contiguous_slice::<T>() {
        return out.copy_from_slice(values);
    }
    if out.is_empty() {
        return;
    }
    let values = x.buffer.as_ref().expect("kernels get tensors with values").slice::<T>();
    let nest = Nest::new(x.dims(), [&x.strides()]);
    let (len, [step]) = (nest.row_len(), nest.row_steps());
    parallel::chunks_mut(out, len, 2, |first, chunk| {
        let mut rows = chunk.chunks_exact_mut(len);
        nest.rows(first, rows.len(), &mut |[offset]| {
            let start = (x.offset as isize + offset) as usize;
            let row = rows.next().expect("as many rows as were asked for");
            match step {
                1 => row.copy_from_slice(&values[start..start + len]),
                0 => row.fill(values[start]),
                _ => {
                    let mut at = start as isize;
                    for v in row {
                        *v = values[at as usize];
                        at += step;
                    }
                }
            }
        });
    });
}

/// The elements of `x` into the places of `out` that `steps` and `offset` tell.
pub(crate) fn place<T: Element>(x: &Tensor, out: &mut [T], steps: &[isize], offset: usize) {
    if x.size() == 0 {
        return;
    }
    let values = x.buffer.as_ref().expect("kernels get tensors with values").slice::<T>();
    let nest = Nest::new(x.dims(), [&x.strides(), steps]);
    let (len, [from_step, to_step]) = (nest.row_len(), nest.row_steps());
    nest.rows(0, x.size() / len, &mut |[from, to]| {
        let (mut from, mut to) = (x.offset as isize + from, offset as isize + to);
        if (from_step, to_step) == (1, 1) {
            let (from, to) = (from as usize, to as usize);
            return out[to..to + len].copy_from_slice(&values[from..from + len]);
        }
        for _ in 0..len {
            out[to as usize] = values[from as usize];
            from += from_step;
            to += to_step;
        }
    });
}
