//! Plans that are kept: a network asks for the same few again and again, and to make one takes as
//! long as to pool a small image.

use std::cell::RefCell;
use std::rc::Rc;

use super::window::{Axes, Plan};

/// Plans that a thread keeps at most.
const MOST: usize = 64;
/// Coordinates, and taps, that a plan has at most that is kept.
const LONGEST: usize = 4096;

struct Kept {
    covers: bool,
    axes: Axes,
    channels: usize,
    plan: Rc<Plan>,
}

thread_local! {
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// [`Plan::windows`]
pub(super) fn windows(axes: &Axes, channels: usize) -> Rc<Plan> {
    plan(axes, channels, false)
}

/// [`Plan::covers`]
pub(super) fn covers(axes: &Axes, channels: usize) -> Rc<Plan> {
    plan(axes, channels, true)
}

fn plan(axes: &Axes, channels: usize, covers: bool) -> Rc<Plan> {
    let is_it = |kept: &&Kept| {
        kept.channels == channels
            && kept.covers == covers
            && kept.axes.as_slice() == axes.as_slice()
    };
    let found = KEPT.try_with(|all| all.borrow().iter().find(is_it).map(|kept| kept.plan.clone()));
    if let Ok(Some(plan)) = found {
        return plan;
    }
    let make = if covers { Plan::covers } else { Plan::windows };
    let plan = Rc::new(make(axes, channels));
    let coordinates: usize = axes.iter().map(|axis| axis.input + axis.output).sum();
    let taps: usize = axes.iter().map(|axis| axis.size).product();
    if coordinates.max(taps) <= LONGEST {
        let kept = Kept { covers, axes: axes.clone(), channels, plan: plan.clone() };
        // Err: the thread is ending.
        let _ = KEPT.try_with(|all| {
            let mut all = all.borrow_mut();
            if all.len() == MOST {
                all.remove(0);
            }
            all.push(kept);
        });
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::super::window::Axis;
    use super::*;

    #[test]
    fn a_plan_is_found_again_by_all_that_made_it_and_few_are_kept() {
        let axes = |input| {
            let axis = Axis { input, output: 4, size: 3, stride: 1, dilation: 1, before: 1 };
            Axes::from_slice(&[axis])
        };
        let first = windows(&axes(4), 2);
        assert!(Rc::ptr_eq(&first, &windows(&axes(4), 2)));
        for other in [windows(&axes(4), 3), windows(&axes(5), 2), covers(&axes(4), 2)] {
            assert!(!Rc::ptr_eq(&first, &other));
        }
        (10..10 + 2 * MOST).for_each(|input| drop(windows(&axes(input), 2)));
        assert_eq!(KEPT.with(|all| all.borrow().len()), MOST);
        let axis = Axis { input: 65, output: 1, size: 65, stride: 1, dilation: 1, before: 0 };
        for large in [axes(LONGEST), Axes::from_slice(&[axis; 2])] {
            assert!(!Rc::ptr_eq(&windows(&large, 2), &windows(&large, 2)));
        }
    }
}
