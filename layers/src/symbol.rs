//! The functional API: tensors that stand for what a model will compute.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cornu_autodiff::{DType, Shape, Spec, Tensor, is_probe, probes};
use smallvec::SmallVec;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::handle::{IntoLayer, LayerRef};
use crate::layer::Inputs;

/// A shape with its unknown axes.
pub type SymbolicShape = Vec<Option<usize>>;

/// Stands for a tensor that a model will compute: Keras's `KerasTensor`. Its first axis, the
/// batch, is unknown.
///
/// ```
/// use cornu_layers::{Apply, Dense, input};
/// let x = input([8]);
/// let hidden = Dense::new(4).activation("relu").apply(&x)?;
/// let y = Dense::new(1).apply(&(&hidden + &Dense::new(4usize).apply(&x)?))?;
/// assert_eq!(y.shape(), [None, Some(1)]);
/// # Ok::<(), cornu_layers::Error>(())
/// ```
#[derive(Clone)]
pub struct Symbol(Arc<SymbolInner>);

struct SymbolInner {
    shape: SymbolicShape,
    dtype: DType,
    mask: Option<SymbolicShape>,
    /// Which input of the call has the same mask.
    passed_on: Option<usize>,
    node: Arc<Node>,
    output: usize,
    forgets_mask: bool,
}

/// One call of a layer in a graph.
pub struct Node {
    /// Ascending in the order in which calls were made.
    pub id: u64,
    /// The layer.
    pub layer: LayerRef,
    /// What it was called on; nothing for an input.
    pub inputs: Vec<Symbol>,
    /// Number of outputs.
    pub outputs: usize,
}

impl Symbol {
    /// The shape, `None` where unknown.
    pub fn shape(&self) -> &[Option<usize>] {
        &self.0.shape
    }

    /// The dtype.
    pub fn dtype(&self) -> DType {
        self.0.dtype
    }

    /// Whether it has a mask that a layer which is called on it sees.
    pub fn is_masked(&self) -> bool {
        self.0.mask.is_some() && !self.0.forgets_mask
    }

    /// The same tensor, whose mask what is called on it doesn't see, but passes on: so Keras calls
    /// a recurrent layer that is given states.
    #[doc(hidden)]
    #[must_use]
    pub fn without_mask(&self) -> Symbol {
        let SymbolInner { shape, dtype, mask, node, output, passed_on, .. } = &*self.0;
        let (shape, mask, node) = (shape.clone(), mask.clone(), node.clone());
        let (dtype, output, passed_on, forgets_mask) = (*dtype, *output, *passed_on, true);
        Symbol(Arc::new(SymbolInner { shape, dtype, mask, passed_on, node, output, forgets_mask }))
    }

    /// Whether it came from [`without_mask`](Symbol::without_mask).
    #[doc(hidden)]
    pub fn forgets_mask(&self) -> bool {
        self.0.forgets_mask
    }

    /// The input of its call whose mask it has, where the layer passes one on.
    #[doc(hidden)]
    pub fn masked_as(&self) -> Option<&Symbol> {
        self.0.node.inputs.get(self.0.passed_on.filter(|_| self.0.mask.is_some())?)
    }

    /// The call that computes it.
    pub fn node(&self) -> &Arc<Node> {
        &self.0.node
    }

    /// Which of the call's outputs it is.
    pub fn output(&self) -> usize {
        self.0.output
    }

    /// Whether both stand for the same tensor.
    pub fn is(&self, other: &Symbol) -> bool {
        self.0.node.id == other.0.node.id && self.0.output == other.0.output
    }

    /// The symbol of a model's input.
    pub fn of_input(layer: LayerRef, shape: SymbolicShape, dtype: DType) -> Symbol {
        let node = Arc::new(Node { id: next_id(), layer, inputs: Vec::new(), outputs: 1 });
        let (mask, passed_on, output, forgets_mask) = (None, None, 0, false);
        Symbol(Arc::new(SymbolInner { shape, dtype, mask, passed_on, node, output, forgets_mask }))
    }

    /// A tensor without values, with a probe in place of each unknown axis.
    fn probed(shape: &[Option<usize>], dtype: DType, probe: usize) -> Result<Tensor> {
        let dims: SmallVec<[usize; 8]> = shape.iter().map(|d| d.unwrap_or(probe)).collect();
        Ok(Tensor::symbolic(Spec::new(dtype, Shape::new(&dims)?)))
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A shape with `None` in place of probes.
pub fn unprobed(shape: &[usize]) -> SymbolicShape {
    shape.iter().map(|&d| if is_probe(d) { None } else { Some(d) }).collect()
}

/// A shape as Keras prints it: `(None, 10)`.
pub fn shape_text(shape: &[Option<usize>]) -> String {
    let axes: Vec<String> =
        shape.iter().map(|d| d.map_or("None".into(), |d| d.to_string())).collect();
    if axes.len() == 1 { format!("({},)", axes[0]) } else { format!("({})", axes.join(", ")) }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.node.layer.name();
        write!(f, "Symbol({}, {} of `{name}`)", self.dtype(), shape_text(self.shape()))
    }
}

/// Calls a layer on symbols; what the outputs are is worked out without values.
///
/// The layer's weights are made, without values yet, if they don't exist.
///
/// # Errors
/// When the layer can't work with these shapes or dtypes, or can't obey a mask.
pub fn call(layer: &LayerRef, inputs: &[Symbol]) -> Result<Vec<Symbol>> {
    let probe_all = |probe: usize| -> Result<(Vec<Tensor>, Vec<Option<Tensor>>)> {
        let tensors = inputs
            .iter()
            .map(|x| Symbol::probed(x.shape(), x.dtype(), probe))
            .collect::<Result<_>>()?;
        let mask = |x: &Symbol| {
            let probed = |m: &SymbolicShape| Symbol::probed(m, DType::Bool, probe);
            x.0.mask.as_ref().filter(|_| x.is_masked()).map(probed).transpose()
        };
        let masks = inputs.iter().map(mask).collect::<Result<Vec<_>>>()?;
        let masked = masks.iter().any(Option::is_some);
        Ok((tensors, if masked { masks } else { Vec::new() }))
    };
    let mut runs = Vec::new();
    let unknown = |x: &Symbol| x.shape().iter().filter(|axis| axis.is_none()).count();
    for probe in probes(inputs.iter().map(unknown).max().unwrap_or(0)) {
        let (tensors, masks) = probe_all(probe)?;
        let specs: Vec<Spec> = tensors.iter().map(|x| *x.spec()).collect();
        layer.build(&specs)?;
        let inputs = Inputs { tensors: &tensors, masks: &masks };
        let (outputs, mask) = layer.call(&inputs, &mut Context::inference())?;
        let same = |m: &Option<Tensor>| {
            m.as_ref().zip(mask.as_ref()).is_some_and(|(a, b)| a.id() == b.id())
        };
        let passed_on = masks.iter().position(same);
        runs.push((outputs, mask, passed_on));
    }
    let [(first, first_mask, passed_on), (second, second_mask, _)] =
        <[_; 2]>::try_from(runs).expect("a run for each probe");
    let outputs = first.len();
    let inputs = inputs.to_vec();
    let node = Arc::new(Node { id: next_id(), layer: layer.clone(), inputs, outputs });
    let merge = |a: &Tensor, b: &Tensor| -> SymbolicShape {
        a.dims().iter().zip(b.dims()).map(|(&a, &b)| (a == b).then_some(a)).collect()
    };
    let unseen = node.inputs.first().filter(|x| x.forgets_mask());
    let unseen = unseen.filter(|x| x.shape().len() == first[0].rank());
    let mask = first_mask.zip(second_mask).map(|(a, b)| merge(&a, &b));
    let (mask, passed_on) = unseen.map_or((mask, passed_on), |x| (x.0.mask.clone(), Some(0)));
    let symbol = |(output, (a, b)): (usize, (&Tensor, &Tensor))| {
        let mask = mask.clone().filter(|_| output < layer.masked_outputs());
        let node = node.clone();
        let shape = merge(a, b);
        let dtype = a.dtype();
        let forgets_mask = false;
        Symbol(Arc::new(SymbolInner { shape, dtype, mask, passed_on, node, output, forgets_mask }))
    };
    Ok(first.iter().zip(&second).enumerate().map(symbol).collect())
}

/// What a layer can be called on: a symbol or several.
pub trait IntoSymbols {
    /// The symbols.
    fn into_symbols(self) -> Vec<Symbol>;
}

impl IntoSymbols for Symbol {
    fn into_symbols(self) -> Vec<Symbol> {
        vec![self]
    }
}
impl IntoSymbols for &Symbol {
    fn into_symbols(self) -> Vec<Symbol> {
        vec![self.clone()]
    }
}
impl IntoSymbols for Vec<Symbol> {
    fn into_symbols(self) -> Vec<Symbol> {
        self
    }
}
impl IntoSymbols for &[Symbol] {
    fn into_symbols(self) -> Vec<Symbol> {
        self.to_vec()
    }
}
impl<const N: usize> IntoSymbols for [Symbol; N] {
    fn into_symbols(self) -> Vec<Symbol> {
        self.into()
    }
}
impl<const N: usize> IntoSymbols for [&Symbol; N] {
    fn into_symbols(self) -> Vec<Symbol> {
        self.into_iter().cloned().collect()
    }
}

/// Calling a layer on symbols.
pub trait Apply: IntoLayer + Sized {
    /// The layer's output.
    ///
    /// A layer by value is a new one each time; to share its weights between calls, make a
    /// [`LayerRef`] of it first.
    ///
    /// # Errors
    /// When the layer can't work with the inputs, or has several outputs.
    fn apply(self, inputs: impl IntoSymbols) -> Result<Symbol> {
        let layer = self.into_layer();
        let outputs = (&layer).apply_all(inputs)?;
        <[Symbol; 1]>::try_from(outputs).map(|[y]| y).map_err(|outputs| {
            let got = format!("{} outputs", outputs.len());
            let rule = "it must have one output; take several with `apply_all`";
            Error::setting("apply", rule, got).in_layer(&layer.name(), layer.class())
        })
    }

    /// All of the layer's outputs.
    ///
    /// # Errors
    /// When the layer can't work with the inputs.
    fn apply_all(self, inputs: impl IntoSymbols) -> Result<Vec<Symbol>> {
        call(&self.into_layer(), &inputs.into_symbols())
    }
}

impl<L: IntoLayer> Apply for L {}
