//! Element types, decided at run time.

use std::fmt;
use std::str::FromStr;

use crate::elements::Elements;
use crate::error::{Error, Result};
use crate::storage::Storage;

/// The type of a tensor's elements. Prints and parses as NumPy and Keras spell it.
///
/// ```
/// use cornu_autodiff::DType;
/// assert_eq!(DType::F32.to_string(), "float32");
/// assert_eq!("int64".parse::<DType>()?, DType::I64);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DType {
    /// 32-bit floating point, the default.
    #[default]
    F32,
    /// 64-bit floating point.
    F64,
    /// 32-bit signed integer.
    I32,
    /// 64-bit signed integer.
    I64,
    /// 8-bit unsigned integer.
    U8,
    /// Truth value.
    Bool,
}

impl DType {
    /// Every element type.
    pub const ALL: [DType; 6] =
        [DType::F32, DType::F64, DType::I32, DType::I64, DType::U8, DType::Bool];

    /// Whether values are floating-point numbers, and so can have gradients.
    #[inline]
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// Whether values are whole numbers (bool is not).
    pub fn is_integer(self) -> bool {
        matches!(self, DType::I32 | DType::I64 | DType::U8)
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            DType::F32 | DType::I32 => 4,
            DType::F64 | DType::I64 => 8,
            DType::U8 | DType::Bool => 1,
        }
    }

    /// The name NumPy and Keras use.
    pub fn name(self) -> &'static str {
        match self {
            DType::F32 => "float32",
            DType::F64 => "float64",
            DType::I32 => "int32",
            DType::I64 => "int64",
            DType::U8 => "uint8",
            DType::Bool => "bool",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DType {
    type Err = Error;

    fn from_str(name: &str) -> Result<DType> {
        let names = DType::ALL.map(DType::name);
        match names.iter().position(|&n| n == name) {
            Some(i) => Ok(DType::ALL[i]),
            None => Err(Error::unknown("dtype", name, &names)),
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that can be an element of a [`Tensor`](crate::Tensor).
pub trait Element:
    sealed::Sealed + Copy + Default + PartialEq + PartialOrd + fmt::Debug + Send + Sync + 'static
{
    /// The run-time name of this type.
    const DTYPE: DType;
    #[doc(hidden)]
    fn wrap(values: Elements<Self>) -> Storage;
    #[doc(hidden)]
    fn slice(storage: &Storage) -> &[Self];
    #[doc(hidden)]
    fn slice_mut(storage: &mut Storage) -> &mut [Self];
    #[doc(hidden)]
    fn from_f64(value: f64) -> Self;
    #[doc(hidden)]
    fn to_f64(self) -> f64;
}

macro_rules! element {
    ($($type:ty, $variant:ident, $from:expr, $to:expr;)*) => {$(
        impl sealed::Sealed for $type {}
        impl Element for $type {
            const DTYPE: DType = DType::$variant;
            fn wrap(values: Elements<$type>) -> Storage {
                Storage::$variant(values)
            }
            #[inline(always)]
            fn slice(storage: &Storage) -> &[$type] {
                match storage {
                    Storage::$variant(v) => v,
                    other => wrong_type(other),
                }
            }
            #[inline(always)]
            fn slice_mut(storage: &mut Storage) -> &mut [$type] {
                match storage {
                    Storage::$variant(v) => v,
                    other => wrong_type(other),
                }
            }
            #[inline(always)]
            fn from_f64(value: f64) -> $type {
                ($from)(value)
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                ($to)(self)
            }
        }
    )*};
}
element! {
    f32, F32, |v: f64| v as f32, |v: f32| f64::from(v);
    f64, F64, |v: f64| v, |v: f64| v;
    i32, I32, |v: f64| v as i32, |v: i32| f64::from(v);
    i64, I64, |v: f64| v as i64, |v: i64| v as f64;
    u8, U8, |v: f64| v as u8, |v: u8| f64::from(v);
    bool, Bool, |v: f64| v != 0.0, |v: bool| f64::from(u8::from(v));
}

#[cold]
#[inline(never)]
fn wrong_type(storage: &Storage) -> ! {
    unreachable!("storage holds {}", storage.dtype())
}

/// Runs an expression with the type alias `$t` set to the Rust type of a run-time dtype, if that
/// is one of the list; what is done with others follows it.
#[macro_export]
#[doc(hidden)]
macro_rules! each_of {
    ($dtype:expr, $t:ident => $body:expr; $($Variant:ident $type:ty),*; $($others:tt)*) => {
        match $dtype {
            $($crate::DType::$Variant => {
                type $t = $type;
                $body
            })*
            $($others)*
        }
    };
}

/// Runs an expression with the type alias `$t` set to the Rust type of a run-time dtype.
#[macro_export]
#[doc(hidden)]
macro_rules! each_dtype {
    ($dtype:expr, $t:ident => $body:expr) => {
        $crate::each_of!($dtype, $t => $body; F32 f32, F64 f64, I32 i32, I64 i64, U8 u8, Bool bool;)
    };
}

/// As [`each_dtype!`], for float32 and float64 only.
#[macro_export]
#[doc(hidden)]
macro_rules! each_float {
    ($dtype:expr, $t:ident => $body:expr) => {
        $crate::each_of!($dtype, $t => $body; F32 f32, F64 f64;
            other => unreachable!("`infer` let {other} through to a kernel for floats"))
    };
}

/// As [`each_dtype!`], for all types but bool.
#[macro_export]
#[doc(hidden)]
macro_rules! each_number {
    ($dtype:expr, $t:ident => $body:expr) => {
        $crate::each_of!($dtype, $t => $body; F32 f32, F64 f64, I32 i32, I64 i64, U8 u8;
            $crate::DType::Bool => unreachable!("`infer` let bool through to a kernel for numbers"))
    };
}
