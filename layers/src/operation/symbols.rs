//! Operators and ops on symbols.

use std::ops;

use cornu_autodiff::DType;
use serde_json::{Value, json};

use super::item::slice;
use super::{Operand, Operation};
use crate::arg::Arg;
use crate::axes::AxisOrAxes;
use crate::error::Result;
use crate::setting::{Config, Setting};
use crate::symbol::{Apply, IntoSymbols, Symbol};

#[track_caller]
fn made(result: Result<Symbol>) -> Symbol {
    match result {
        Ok(y) => y,
        Err(error) => panic!("{error}"),
    }
}

/// An operation on a symbol and literals.
fn with(class: &str, operands: impl Into<Vec<Operand>>, x: &Symbol) -> Result<Symbol> {
    Operation::with_operands(class, &Config::new(), operands.into())?.apply(x)
}

/// An operation on symbols alone.
fn on(class: &str, options: Value, inputs: impl IntoSymbols) -> Result<Symbol> {
    Operation::new(class, options)?.apply(inputs)
}

macro_rules! operators {
    ($($Trait:ident $method:ident $class:literal, $both:expr;)*) => {$(
        operators!(@both $Trait $method $both; Symbol, Symbol);
        operators!(@both $Trait $method $both; Symbol, &Symbol);
        operators!(@both $Trait $method $both; &Symbol, Symbol);
        operators!(@both $Trait $method $both; &Symbol, &Symbol);
        operators!(@number $Trait $method $class; Symbol, i32 as i64);
        operators!(@number $Trait $method $class; &Symbol, i32 as i64);
        operators!(@number $Trait $method $class; Symbol, f64 as f64);
        operators!(@number $Trait $method $class; &Symbol, f64 as f64);
    )*};
    (@both $Trait:ident $method:ident $both:expr; $A:ty, $B:ty) => {
        /// # Panics
        /// When the shapes don't broadcast, or the dtypes differ.
        impl ops::$Trait<$B> for $A {
            type Output = Symbol;
            #[track_caller]
            fn $method(self, other: $B) -> Symbol {
                let both: fn([&Symbol; 2]) -> Result<Symbol> = $both;
                made(both([&self, &other]))
            }
        }
    };
    (@number $Trait:ident $method:ident $class:literal; $Symbol:ty, $Number:ty as $Wide:ty) => {
        /// # Panics
        /// When the symbol is masked.
        impl ops::$Trait<$Number> for $Symbol {
            type Output = Symbol;
            #[track_caller]
            fn $method(self, number: $Number) -> Symbol {
                let number = Operand::Literal(<$Wide>::from(number).to_json());
                made(with($class, [Operand::Tensor, number], &self))
            }
        }
        /// # Panics
        /// When the symbol is masked.
        impl ops::$Trait<$Symbol> for $Number {
            type Output = Symbol;
            #[track_caller]
            fn $method(self, x: $Symbol) -> Symbol {
                let number = Operand::Literal(<$Wide>::from(self).to_json());
                made(with($class, [number, Operand::Tensor], &x))
            }
        }
    };
}

// Between symbols the merging layers, which know of masks.
operators! {
    Add add "Add", |both| crate::Add::new().apply(both);
    Sub sub "Subtract", |both| crate::Subtract::new().apply(both);
    Mul mul "Multiply", |both| crate::Multiply::new().apply(both);
    Div div "TrueDivide", |both| on("TrueDivide", json!({}), both);
}

macro_rules! negative {
    ($($Symbol:ty),*) => {$(
        /// # Panics
        /// When the symbol is masked.
        impl ops::Neg for $Symbol {
            type Output = Symbol;
            #[track_caller]
            fn neg(self) -> Symbol {
                made(on("Negative", json!({}), self.clone()))
            }
        }
    )*};
}
negative!(Symbol, &Symbol);

macro_rules! methods {
    (
        unary { $($(#[$unary_doc:meta])* $unary:ident $Unary:literal;)* }
        folds { $($(#[$fold_doc:meta])* $fold:ident $Fold:literal;)* }
    ) => {
        /// Ops as functions of a graph, as Keras's `ops` are on symbols: each is an
        /// [`Operation`] in the model. They fail on masked symbols and where the op would.
        impl Symbol {
            $(
                $(#[$unary_doc])*
                ///
                /// # Errors
                /// When the symbol is masked.
                pub fn $unary(&self) -> Result<Symbol> {
                    on($Unary, json!({}), self)
                }
            )*
            $(
                $(#[$fold_doc])*
                /// along one axis or several, or all with `None`; with `keepdims` they stay, with
                /// size 1.
                ///
                /// # Errors
                /// When an axis is out of range, or the symbol is masked.
                pub fn $fold(
                    &self,
                    axis: impl Arg<Option<AxisOrAxes>>,
                    keepdims: bool,
                ) -> Result<Symbol> {
                    on($Fold, json!({ "axis": axis.arg().to_json(), "keepdims": keepdims }), self)
                }
            )*
        }
    };
}

methods! {
    unary {
        /// The absolute value.
        abs "Absolute";
        /// `eˣ`
        exp "Exp";
        /// The natural logarithm.
        log "Log";
        /// The square root.
        sqrt "Sqrt";
        /// `x²`
        square "Square";
        /// The hyperbolic tangent.
        tanh "Tanh";
        /// `1 / (1 + e⁻ˣ)`
        sigmoid "Sigmoid";
        /// `max(x, 0)`
        relu "Relu";
    }
    folds {
        /// The sum of the elements
        sum "Sum";
        /// The mean of the elements
        mean "Mean";
        /// The largest element
        max "Max";
        /// The smallest element
        min "Min";
        /// The variance of the elements
        var "Var";
        /// The standard deviation of the elements
        std "Std";
    }
}

impl Symbol {
    /// The same elements under another shape, batch axis included; one axis may be -1 and is
    /// worked out.
    ///
    /// ```
    /// let x = cornu_layers::input([4, 3]);
    /// let y = (&x * 2.0 + 1.0).reshape([-1, 12])?.mean(-1, true)?;
    /// assert_eq!(y.shape(), [None, Some(1)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the numbers of elements differ, or the symbol is masked.
    pub fn reshape(&self, shape: impl AsRef<[isize]>) -> Result<Symbol> {
        on("Reshape", json!({ "newshape": shape.as_ref() }), self)
    }

    /// The axes in this order.
    ///
    /// # Errors
    /// When an axis is missing, named twice or out of range, or the symbol is masked.
    pub fn transpose(&self, axes: impl AsRef<[isize]>) -> Result<Symbol> {
        on("Transpose", json!({ "axes": axes.as_ref() }), self)
    }

    /// A new axis of size 1 before position `axis`; -1 appends it.
    ///
    /// # Errors
    /// When the axis is out of range, or the symbol is masked.
    pub fn expand_dims(&self, axis: isize) -> Result<Symbol> {
        on("ExpandDims", json!({ "axis": axis }), self)
    }

    /// Without an axis of size 1.
    ///
    /// # Errors
    /// When the axis is out of range or of another size, or the symbol is masked.
    pub fn squeeze(&self, axis: isize) -> Result<Symbol> {
        on("Squeeze", json!({ "axis": axis }), self)
    }

    /// `softmax` along an axis.
    ///
    /// # Errors
    /// When the axis is out of range, or the symbol is masked.
    pub fn softmax(&self, axis: isize) -> Result<Symbol> {
        on("Softmax", json!({ "axis": axis }), self)
    }

    /// Elements moved into `[low, high]`.
    ///
    /// # Errors
    /// When `low > high`, or the symbol is masked.
    pub fn clip(&self, low: f64, high: f64) -> Result<Symbol> {
        on("Clip", json!({ "x_min": low.to_json(), "x_max": high.to_json() }), self)
    }

    /// As another dtype.
    ///
    /// # Errors
    /// When the symbol is masked.
    pub fn cast(&self, dtype: DType) -> Result<Symbol> {
        on("Cast", json!({ "dtype": dtype.name() }), self)
    }

    /// Each element to the power `exponent`.
    ///
    /// # Errors
    /// When the symbol is masked.
    pub fn power(&self, exponent: f64) -> Result<Symbol> {
        with("Power", [Operand::Tensor, Operand::Literal(exponent.to_json())], self)
    }

    /// The matrix product with `other`.
    ///
    /// # Errors
    /// When the shapes don't fit, or a symbol is masked.
    pub fn matmul(&self, other: &Symbol) -> Result<Symbol> {
        on("Matmul", json!({}), [self, other])
    }

    /// Positions `start..stop` of an axis; negative ones count from the end, and `None` is the
    /// end itself.
    ///
    /// # Errors
    /// When the axis is out of range, or the symbol is masked.
    pub fn slice(
        &self,
        axis: usize,
        start: impl Into<Option<isize>>,
        stop: impl Into<Option<isize>>,
    ) -> Result<Symbol> {
        self.item(axis, slice(start.into(), stop.into()))
    }

    /// One position of an axis, without that axis; -1 is the last.
    ///
    /// # Errors
    /// When axis or position are out of range, or the symbol is masked.
    pub fn index(&self, axis: usize, position: isize) -> Result<Symbol> {
        self.item(axis, json!(position))
    }

    fn item(&self, axis: usize, item: Value) -> Result<Symbol> {
        let mut items = vec![slice(None, None); axis.min(self.shape().len())];
        items.push(item);
        with("GetItem", [Operand::Tensor, Operand::Literal(items.into())], self)
    }
}
