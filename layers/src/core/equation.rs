//! The equations of [`EinsumDense`](super::EinsumDense).

use std::collections::BTreeMap;

use cornu_autodiff::{Shape, is_probe};

use crate::error::{Error, Result};

/// Where dots stand in input and output.
#[derive(Clone, Copy, PartialEq)]
enum Dots {
    Nowhere,
    Left,
    Right,
}

/// An equation's letters.
pub(super) struct Equation {
    text: String,
    input: Vec<char>,
    kernel: Vec<char>,
    output: Vec<char>,
    dots: Dots,
}

/// Shapes of the weights, and which axes of the kernel are inputs and which outputs.
pub(super) struct Weights {
    pub(super) kernel: Vec<usize>,
    pub(super) bias: Vec<usize>,
    pub(super) axes: [Vec<isize>; 2],
}

/// A letter's size in the input and in the output, where it is there and given.
type Sizes = BTreeMap<char, [Option<usize>; 2]>;

impl Equation {
    pub(super) fn parse(text: &str) -> Result<Equation> {
        let wrong = || {
            let rule = "it must read like `ab,bc->ac`, `...ab,bc->...ac` or `ab...,bc->ac...`";
            Error::setting("`equation`", rule, format!("`{text}`"))
        };
        let (operands, output) = text.split_once("->").ok_or_else(wrong)?;
        let (input, kernel) = operands.split_once(',').ok_or_else(wrong)?;
        let bare = |part: &str| match (part.strip_prefix("..."), part.strip_suffix("...")) {
            (Some(letters), _) => (letters.chars().collect::<Vec<char>>(), Dots::Left),
            (None, Some(letters)) => (letters.chars().collect(), Dots::Right),
            (None, None) => (part.chars().collect(), Dots::Nowhere),
        };
        let ((input, dots), (output, other)) = (bare(input), bare(output));
        let kernel: Vec<char> = kernel.chars().collect();
        let fine = |letters: &[char]| {
            let once =
                |(i, c): (usize, &char)| c.is_ascii_alphabetic() && !letters[..i].contains(c);
            !letters.is_empty() && letters.iter().enumerate().all(once)
        };
        if dots != other || ![&input, &kernel, &output].iter().all(|letters| fine(letters)) {
            return Err(wrong());
        }
        Ok(Equation { text: text.to_owned(), input, kernel, output, dots })
    }

    fn wrong(&self, rule: impl Into<String>) -> Error {
        Error::setting("`equation`", rule, format!("`{}`", self.text))
    }

    /// The sizes of all letters, for an input of shape `x` and an output whose axes behind the
    /// batch, without those that dots stand for, have sizes `given`.
    pub(super) fn sizes(&self, x: &Shape, given: &[Option<usize>]) -> Result<Sizes> {
        let fits = match self.dots {
            Dots::Nowhere => x.rank() == self.input.len(),
            // Dots on the left hold the batch axis.
            Dots::Left => x.rank() > self.input.len(),
            Dots::Right => x.rank() >= self.input.len() && self.input.len() > 1,
        };
        if !fits {
            let rule = format!("the input must have the axes of `{}`", self.text);
            return Err(Error::input(rule, &[x]));
        }
        let elided = x.rank() - self.input.len();
        let (first, batch) = if self.dots == Dots::Left { (elided, false) } else { (0, true) };
        let mut output = given.to_vec();
        if batch {
            output.insert(0, Some(x[0]));
        }
        if output.len() != self.output.len() {
            let rule =
                format!("it must have a size for each axis of `{}` behind the batch", self.text);
            return Err(Error::setting("`output_shape`", rule, format!("{given:?}")));
        }
        let mut sizes = Sizes::new();
        for (i, c) in self.input.iter().enumerate() {
            sizes.entry(*c).or_default()[0] = Some(x[first + i]);
        }
        for (c, size) in self.output.iter().zip(output) {
            sizes.entry(*c).or_default()[1] = size;
        }
        for (c, size) in &sizes {
            if let [Some(own), Some(asked)] = size
                && own != asked
                && !is_probe(*own)
            {
                let rule = format!("axis `{c}` must be as large as the input's, {own}");
                return Err(Error::setting("`output_shape`", rule, asked));
            }
        }
        Ok(sizes)
    }

    /// What the weights are, given the letters' sizes.
    pub(super) fn weights(&self, sizes: &Sizes, bias: Option<&str>, x: &Shape) -> Result<Weights> {
        let size = |c: char| {
            let size = sizes.get(&c).and_then(|[input, output]| output.or(*input));
            size.ok_or_else(|| {
                self.wrong(format!(
                    "the size of `{c}` must follow from the input or `output_shape`"
                ))
            })
        };
        if let Some(c) =
            self.output.iter().find(|c| !self.input.contains(c) && !self.kernel.contains(c))
        {
            return Err(
                self.wrong(format!("`{c}` of the output must be in the input or the kernel"))
            );
        }
        let kernel = self.kernel.iter().map(|&c| size(c)).collect::<Result<Vec<usize>>>()?;
        let positions = |output: bool| -> Vec<isize> {
            let kept = |(_, c): &(usize, &char)| self.output.contains(c) == output;
            self.kernel.iter().enumerate().filter(kept).map(|(i, _)| i as isize).collect()
        };
        Ok(Weights {
            kernel,
            bias: bias.map_or(Ok(Vec::new()), |letters| self.bias(letters, &size, x))?,
            axes: [positions(false), positions(true)],
        })
    }

    /// The shape of a bias along some of the output's letters: it begins at the first of them.
    fn bias(
        &self,
        letters: &str,
        size: &dyn Fn(char) -> Result<usize>,
        x: &Shape,
    ) -> Result<Vec<usize>> {
        let known = |c: char| self.output.contains(&c);
        let first = self.output.iter().position(|c| letters.contains(*c));
        let Some(first) = first.filter(|_| letters.chars().all(known)) else {
            let rule = format!("each letter must be one of the output's in `{}`", self.text);
            return Err(Error::setting("`bias_axes`", rule, format!("`{letters}`")));
        };
        let one = |&c: &char| if letters.contains(c) { size(c) } else { Ok(1) };
        let mut shape = self.output[first..].iter().map(one).collect::<Result<Vec<usize>>>()?;
        if self.dots == Dots::Right {
            shape.resize(shape.len() + x.rank() - self.input.len(), 1);
        }
        Ok(shape)
    }
}
