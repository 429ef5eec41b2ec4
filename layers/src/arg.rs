//! What an argument of a layer may be written as.

use crate::activation::Activation;
use crate::constraint::Constraint;
use crate::initializer::Initializer;
use crate::regularizer::Regularizer;

/// What may be written where a layer takes a `T`: a `T`, and what Keras would accept for it. A
/// name for an activation, an initializer, a regularizer or a constraint; one number, an array
/// or a tuple for sizes along several axes; an array for a list; a value for an option.
///
/// (`Into` would not do: with several integer types that convert, `Dense::new(10)` would have
/// to be `Dense::new(10)`.)
pub trait Arg<T> {
    /// The value that is meant.
    fn arg(self) -> T;
}

impl<T> Arg<T> for T {
    fn arg(self) -> T {
        self
    }
}

impl<T> Arg<Option<T>> for T {
    fn arg(self) -> Option<T> {
        Some(self)
    }
}

macro_rules! args {
    ($({$($generics:tt)*} $From:ty => $To:ty, |$x:ident| $value:expr;)*) => {$(
        impl<$($generics)*> Arg<$To> for $From {
            fn arg(self) -> $To {
                let $x = self;
                $value
            }
        }
        impl<$($generics)*> Arg<Option<$To>> for $From {
            fn arg(self) -> Option<$To> {
                Some(self.arg())
            }
        }
    )*};
}
args! {
    {const N: usize} usize => [usize; N], |x| [x; N];
    {} (usize, usize) => [usize; 2], |x| x.into();
    {} (usize, usize, usize) => [usize; 3], |x| x.into();
    {const N: usize} usize => [[usize; 2]; N], |x| [[x; 2]; N];
    {const N: usize} [usize; N] => [[usize; 2]; N], |x| x.map(|n| [n; 2]);
    {} (usize, usize) => [[usize; 2]; 2], |x| [[x.0; 2], [x.1; 2]];
    {} (usize, usize, usize) => [[usize; 2]; 3], |x| [[x.0; 2], [x.1; 2], [x.2; 2]];
    {} ((usize, usize), (usize, usize)) => [[usize; 2]; 2], |x| [x.0.into(), x.1.into()];
    {} isize => Vec<isize>, |x| vec![x];
    {} usize => Vec<usize>, |x| vec![x];
    {T, const N: usize} [T; N] => Vec<T>, |x| x.into();
    {const N: usize} [usize; N] => Vec<Option<usize>>, |x| x.map(Some).into();
    {} usize => Vec<Option<usize>>, |x| vec![Some(x)];
    {T: Clone} &[T] => Vec<T>, |x| x.to_vec();
    {} &str => String, |x| x.to_owned();
    {} &String => String, |x| x.clone();
    {} &str => Activation, |x| x.into();
    {} String => Activation, |x| x.into();
    {} &str => Initializer, |x| x.into();
    {} String => Initializer, |x| x.into();
    {} &str => Regularizer, |x| x.into();
    {} String => Regularizer, |x| x.into();
    {} &str => Constraint, |x| x.into();
    {} String => Constraint, |x| x.into();
}
