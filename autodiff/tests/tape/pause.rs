//! Pauses in recording.

use cornu_autodiff::{Pause, Tape, is_recording};

use crate::{scalar, slope};

#[test]
fn a_pause_hides_ops_from_older_tapes_only() {
    let x = scalar(3.0);
    let tape = Tape::new();
    let constant = {
        let _pause = Pause::new();
        assert!(!is_recording());
        let within = Tape::new();
        let square = &x * &x;
        assert_eq!(slope(within, &square, &x), 6.0);
        assert!(!is_recording(), "the pause goes on when a tape inside it ends");
        drop(Pause::new());
        assert!(!is_recording());
        &square * 1.0
    };
    assert!(is_recording());
    assert!(tape.is_empty());
    let y = &x * &constant;
    assert_eq!(tape.len(), 1);
    assert_eq!(slope(tape, &y, &x), 9.0);
}

#[test]
fn a_pause_without_a_tape_does_nothing() {
    let pause = Pause::new();
    let tape = Tape::new();
    assert!(is_recording());
    drop(pause);
    assert!(is_recording());
    drop(tape);
    assert!(!is_recording());
}

#[test]
fn a_pause_inside_a_tape_inside_a_pause_works_too() {
    let x = scalar(3.0);
    let outer = Tape::new();
    let pause = Pause::new();
    let middle = Tape::new();
    let a = &x * &x;
    {
        let _pause = Pause::new();
        let inner = Tape::new();
        let b = &a * &a;
        assert_eq!(slope(inner, &b, &a), 18.0);
    }
    let c = &a * 2.0;
    assert_eq!(middle.len(), 2);
    assert_eq!(slope(middle, &c, &x), 12.0);
    drop(pause);
    let d = &x * &c;
    assert_eq!(outer.len(), 1);
    assert_eq!(slope(outer, &d, &x), 18.0);
}
