//! Walking several layouts in step: nested loops with the innermost handed out as rows.

use crate::shape::MAX_RANK;

/// A nest of loops over `N` operands of one (broadcast) shape. Axes of size one are gone, and
/// neighbours that all operands step through evenly are merged, so that rows are long.
#[derive(Clone, Debug)]
pub(crate) struct Nest<const N: usize> {
    rank: usize,
    dims: [usize; MAX_RANK],
    steps: [[isize; N]; MAX_RANK],
}

impl<const N: usize> Nest<N> {
    /// Loops over `dims`; `steps` tells an operand's stride along an axis.
    pub(crate) fn new(dims: &[usize], steps: [&[isize]; N]) -> Nest<N> {
        let mut nest = Nest { rank: 0, dims: [1; MAX_RANK], steps: [[0; N]; MAX_RANK] };
        for (axis, &dim) in dims.iter().enumerate() {
            if dim == 1 {
                continue;
            }
            let step: [isize; N] = std::array::from_fn(|i| steps[i][axis]);
            if nest.rank > 0 {
                let outer = nest.rank - 1;
                if (0..N).all(|i| nest.steps[outer][i] == step[i] * dim as isize) {
                    nest.dims[outer] *= dim;
                    nest.steps[outer] = step;
                    continue;
                }
            }
            nest.dims[nest.rank] = dim;
            nest.steps[nest.rank] = step;
            nest.rank += 1;
        }
        nest.rank = nest.rank.max(1);
        nest
    }

    /// Length of a row: the innermost loop.
    #[inline]
    pub(crate) fn row_len(&self) -> usize {
        self.dims[self.rank - 1]
    }

    /// The operands' strides within a row.
    #[inline]
    pub(crate) fn row_steps(&self) -> [isize; N] {
        self.steps[self.rank - 1]
    }

    /// Calls `f` with the operands' offsets of `count` rows from row `first` on.
    pub(crate) fn rows(&self, first: usize, count: usize, f: &mut dyn FnMut([isize; N])) {
        let outer = self.rank - 1;
        let mut at = [0usize; MAX_RANK];
        let mut offsets = [0isize; N];
        let mut rest = first;
        for axis in (0..outer).rev() {
            at[axis] = rest % self.dims[axis];
            rest /= self.dims[axis];
            add(&mut offsets, self.steps[axis], at[axis] as isize);
        }
        for _ in 0..count {
            f(offsets);
            for axis in (0..outer).rev() {
                at[axis] += 1;
                add(&mut offsets, self.steps[axis], 1);
                if at[axis] < self.dims[axis] {
                    break;
                }
                add(&mut offsets, self.steps[axis], -(self.dims[axis] as isize));
                at[axis] = 0;
            }
        }
    }
}

/// Moves every operand `count` steps.
#[inline(always)]
fn add<const N: usize>(offsets: &mut [isize; N], steps: [isize; N], count: isize) {
    offsets.iter_mut().zip(steps).for_each(|(offset, step)| *offset += count * step);
}
