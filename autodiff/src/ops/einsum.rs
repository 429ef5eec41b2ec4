//! Products over named axes.

use std::borrow::Borrow;

use crate::error::{Error, Result};
use crate::op::{apply, must};
use crate::shape::{Shape, axis_of};
use crate::tensor::Tensor;

/// An equation with its dots written out: each axis of each operand, and of the result, has one
/// letter. Letters for dots count down from the end of the alphabet of `char`.
struct Equation {
    operands: Vec<Vec<char>>,
    output: Vec<char>,
}

/// The letter of the axis that is `from_last` axes before the last of those that dots stand for.
fn dot_letter(from_last: usize) -> char {
    char::from_u32(char::MAX as u32 - from_last as u32).expect("a tensor has few axes")
}

impl Equation {
    fn parse(equation: &str, tensors: &[&Tensor]) -> Result<Equation> {
        let fail = |rule: &str| Error::value("einsum", rule, format!("`{equation}`"));
        let text: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
        let (inputs, output) = match text.split_once("->") {
            Some((inputs, output)) => (inputs, Some(output)),
            None => (text.as_str(), None),
        };
        let terms: Vec<&str> = inputs.split(',').collect();
        if terms.len() != tensors.len() {
            let got = format!("`{equation}` and {}", tensors.len());
            return Err(Error::value("einsum", "there must be a term for each tensor", got));
        }
        let mut dots = 0;
        let mut operands = Vec::new();
        for (term, x) in terms.iter().zip(tensors) {
            let named = term.replacen("...", "", 1).chars().count();
            let hidden = match term.contains("...") {
                true => x.rank().checked_sub(named),
                false => (x.rank() == named).then_some(0),
            };
            let Some(hidden) = hidden else {
                let rule = format!("`{term}` of `{equation}` must have a letter for each axis");
                return Err(Error::shape("einsum", rule, &[x.spec()]));
            };
            dots = dots.max(hidden);
            operands.push(letters(term, hidden).ok_or_else(|| fail(LETTERS))?);
        }
        let output = match output {
            Some(output) => letters(output, dots).ok_or_else(|| fail(LETTERS))?,
            None => implicit(&operands, dots),
        };
        let known = |c: &char| operands.iter().any(|term| term.contains(c));
        let twice = (1..output.len()).any(|i| output[..i].contains(&output[i]));
        if twice || !output.iter().all(known) {
            return Err(fail("letters of the result must be different ones of the operands"));
        }
        Ok(Equation { operands, output })
    }
}

const LETTERS: &str = "terms must consist of letters and at most one `...`";

fn letters(term: &str, hidden: usize) -> Option<Vec<char>> {
    let (before, after) = term.split_once("...").unwrap_or((term, ""));
    let dots = (0..hidden).rev().map(dot_letter).filter(|_| term.contains("..."));
    let all = before.chars().chain(after.chars()).all(|c| c.is_ascii_alphabetic());
    all.then(|| before.chars().chain(dots).chain(after.chars()).collect())
}

/// Without an arrow the result has the dots, then the letters that appear once, by alphabet.
fn implicit(operands: &[Vec<char>], dots: usize) -> Vec<char> {
    let count = |c: char| operands.iter().flatten().filter(|&&d| d == c).count();
    let mut once: Vec<char> = ('A'..='z').filter(|&c| count(c) == 1).collect();
    let mut output: Vec<char> = (0..dots).rev().map(dot_letter).collect();
    output.append(&mut once);
    output
}

/// A tensor whose axes have names.
struct Named {
    x: Tensor,
    letters: Vec<char>,
}

impl Named {
    /// Takes the diagonal of letters that appear twice, and drops axes of size 1 that dots
    /// broadcast.
    fn new(x: &Tensor, mut letters: Vec<char>) -> Result<Named> {
        let mut x = x.clone();
        while let Some(second) = (1..letters.len()).find(|&i| letters[..i].contains(&letters[i])) {
            let letter = letters[second];
            let first = letters.iter().position(|&c| c == letter).expect("it appears before");
            if x.dims()[first] != x.dims()[second] {
                let rule = format!("axes named `{letter}` must have one size");
                return Err(Error::shape("einsum", rule, &[x.spec()]));
            }
            x = x.diagonal(0, first as isize, second as isize);
            letters.remove(second);
            letters.remove(first);
            letters.push(letter);
        }
        let repeated = |i: &usize| !letters[*i].is_ascii_alphabetic() && x.dims()[*i] == 1;
        let ones: Vec<isize> = (0..letters.len()).filter(repeated).map(|i| i as isize).collect();
        if !ones.is_empty() {
            x = x.squeeze(&ones);
            let mut at = 0..;
            letters.retain(|_| !ones.contains(&at.next().expect("endless")));
        }
        Ok(Named { x, letters })
    }

    fn size(&self, letter: char) -> usize {
        let at = self.letters.iter().position(|&c| c == letter);
        at.map_or(1, |at| self.x.dims()[at])
    }

    /// Sums over every letter that nobody needs any more.
    fn fold(self, needed: impl Fn(char) -> bool) -> Named {
        let axes: Vec<isize> = (0..self.letters.len())
            .filter(|&i| !needed(self.letters[i]))
            .map(|i| i as isize)
            .collect();
        if axes.is_empty() {
            return self;
        }
        let letters = self.letters.into_iter().filter(|&c| needed(c)).collect();
        Named { x: self.x.sum(axes, false), letters }
    }

    /// The axes in the order of `letters`, all of which it has, as a tensor of shape `dims`.
    fn arranged(&self, letters: &[char], dims: &[usize]) -> Result<Tensor> {
        let at = |c: &char| self.letters.iter().position(|d| d == c).expect("a letter of its own");
        let order: Vec<isize> = letters.iter().map(|c| at(c) as isize).collect();
        let sorted = order.iter().copied().eq(0..order.len() as isize);
        let x = if sorted { self.x.clone() } else { self.x.permute(order) };
        if x.dims() == dims {
            return Ok(x);
        }
        apply(super::Reshape(Shape::new(dims)?), &[&x])
    }
}

/// The product of two tensors, summed over the letters that nobody needs any more.
fn contract(a: &Named, b: &Named, needed: impl Fn(char) -> bool) -> Result<Named> {
    let both: Vec<char> = a.letters.iter().copied().filter(|c| b.letters.contains(c)).collect();
    if let Some(&c) = both.iter().find(|&&c| a.size(c) != b.size(c)) {
        let rule = match c.is_ascii_alphabetic() {
            true => format!("axes named `{c}` must have one size"),
            false => "axes that `...` stands for must broadcast".into(),
        };
        return Err(Error::shape("einsum", rule, &[a.x.spec(), b.x.spec()]));
    }
    let (batch, inner): (Vec<char>, Vec<char>) = both.iter().partition(|&&c| needed(c));
    let own = |x: &Named, y: &Named| -> Vec<char> {
        x.letters.iter().copied().filter(|c| !y.letters.contains(c)).collect()
    };
    let (rows, columns) = (own(a, b), own(b, a));
    let sizes = |x: &Named, letters: &[char]| -> Vec<usize> {
        letters.iter().map(|&c| x.size(c)).collect()
    };
    let [n, m, k, l] = [
        sizes(a, &batch).iter().product(),
        sizes(a, &rows).iter().product(),
        sizes(a, &inner).iter().product(),
        sizes(b, &columns).iter().product(),
    ];
    // Without a batch, matrices: one product, and no axis to broadcast.
    let lead: &[usize] = if batch.is_empty() { &[] } else { &[n] };
    let left = a.arranged(&[&batch[..], &rows, &inner].concat(), &[lead, &[m, k]].concat())?;
    let right = b.arranged(&[&batch[..], &inner, &columns].concat(), &[lead, &[k, l]].concat())?;
    let product = apply(super::MatMul, &[&left, &right])?;
    let dims = [sizes(a, &batch), sizes(a, &rows), sizes(b, &columns)].concat();
    let x = apply(super::Reshape(Shape::new(&dims)?), &[&product])?;
    Ok(Named { x, letters: [batch, rows, columns].concat() })
}

/// As [`einsum`], for equations and tensors that come from a user's data.
///
/// # Errors
/// When the equation is malformed, or does not fit the tensors; when they are not all float32 or
/// all float64.
pub fn try_einsum<T: Borrow<Tensor>>(equation: &str, tensors: &[T]) -> Result<Tensor> {
    let tensors: Vec<&Tensor> = tensors.iter().map(Borrow::borrow).collect();
    if tensors.iter().any(|x| x.dtype() != tensors[0].dtype() || !x.dtype().is_float()) {
        let specs: Vec<_> = tensors.iter().map(|x| x.spec()).collect();
        return Err(Error::dtype("einsum", "tensors must all be float32 or all float64", &specs));
    }
    let Equation { operands, output } = Equation::parse(equation, &tensors)?;
    let mut rest = Vec::new();
    for (x, letters) in tensors.iter().zip(operands) {
        rest.push(Named::new(x, letters)?);
    }
    rest.reverse();
    let later = |rest: &[Named], c: char| rest.iter().any(|x| x.letters.contains(&c));
    let first = rest.pop().expect("`parse` found a term for each tensor");
    let mut y = first.fold(|c| output.contains(&c) || later(&rest, c));
    while let Some(next) = rest.pop() {
        let needed = |c: char| output.contains(&c) || later(&rest, c);
        let next = next.fold(|c| needed(c) || y.letters.contains(&c));
        y = contract(&y, &next, needed)?;
    }
    // Dots whose axes all have size 1 were dropped.
    let kept: Vec<char> = output.iter().copied().filter(|c| y.letters.contains(c)).collect();
    let dims: Vec<usize> = output.iter().map(|&c| y.size(c)).collect();
    y.arranged(&kept, &dims)
}

/// Sum of products over named axes (Einstein's convention), as NumPy writes it: axes with one
/// letter are multiplied element by element, and summed over if the letter is not in the result.
///
/// `"ij,jk->ik"` is the matrix product, `"bij,bjk->bik"` one per batch, `"ij->ji"` the
/// transpose, `"ii->i"` the diagonal, `"ij->"` the sum. `...` stands for any further axes, which
/// broadcast. Without `->` the result has the letters that appear once, by alphabet. Tensors are
/// multiplied from left to right.
///
/// # Panics
/// When the equation is malformed or does not fit the tensors; [`try_einsum`] returns the error.
///
/// ```
/// use cornu_autodiff::{DType, Tensor, ops::einsum};
/// let (q, k) = (Tensor::ones([2, 5, 3, 4], DType::F32), Tensor::ones([2, 6, 3, 4], DType::F32));
/// assert_eq!(einsum("bthd,bshd->bhts", &[q, k]).dims(), [2, 3, 5, 6]);
/// ```
#[track_caller]
pub fn einsum<T: Borrow<Tensor>>(equation: &str, tensors: &[T]) -> Tensor {
    must(try_einsum(equation, tensors))
}

/// The product of `a` and `b`, summed over pairs of their axes: `a_axes[i]` with `b_axes[i]`. The
/// result has the other axes of `a`, then those of `b`.
///
/// # Panics
/// When the lists differ in length, an axis is out of range or named twice, or sizes differ.
///
/// ```
/// use cornu_autodiff::{DType, Tensor, ops::tensordot};
/// let (a, b) = (Tensor::ones([2, 3, 4], DType::F32), Tensor::ones([4, 3, 5], DType::F32));
/// assert_eq!(tensordot(&a, &b, [1, 2], [1, 0]).dims(), [2, 5]);
/// ```
#[track_caller]
pub fn tensordot(
    a: &Tensor,
    b: &Tensor,
    a_axes: impl AsRef<[isize]>,
    b_axes: impl AsRef<[isize]>,
) -> Tensor {
    let (a_axes, b_axes) = (a_axes.as_ref(), b_axes.as_ref());
    if a_axes.len() != b_axes.len() {
        let got = format!("{a_axes:?} and {b_axes:?}");
        must::<()>(Err(Error::value("tensordot", "there must be as many axes of each", got)));
    }
    let name = |i: usize| char::from(b'a' + i as u8);
    let a_letters: Vec<char> = (0..a.rank()).map(name).collect();
    let mut b_letters: Vec<char> = (0..b.rank()).map(|i| name(a.rank() + i)).collect();
    let mut summed = Vec::new();
    for (&i, &j) in a_axes.iter().zip(b_axes) {
        let i = must(axis_of("tensordot", i, a.rank()));
        let j = must(axis_of("tensordot", j, b.rank()));
        if summed.contains(&a_letters[i]) || summed.contains(&b_letters[j]) {
            let got = format!("{a_axes:?} and {b_axes:?}");
            must::<()>(Err(Error::value("tensordot", "an axis must not be named twice", got)));
        }
        b_letters[j] = a_letters[i];
        summed.push(a_letters[i]);
    }
    let text = |letters: &[char]| letters.iter().collect::<String>();
    let all = a_letters.iter().chain(&b_letters).filter(|c| !summed.contains(c));
    let output: String = all.collect();
    einsum(&format!("{},{}->{output}", text(&a_letters), text(&b_letters)), &[a, b])
}

impl Tensor {
    /// Every product of an element of `self` with one of `other`, `(m), (n) -> (m, n)`; tensors
    /// are read as vectors, as NumPy does.
    ///
    /// # Panics
    /// When the dtypes differ or are bool.
    #[track_caller]
    pub fn outer(&self, other: &Tensor) -> Tensor {
        self.reshape([self.size() as isize, 1]) * other.reshape([1, other.size() as isize])
    }
}
