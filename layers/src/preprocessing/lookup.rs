//! Vocabularies: from tokens to numbers and back.

use std::collections::HashMap;

use cornu_autodiff::{DType, IntoShape, Shape, Tensor};

use super::encoding::OutputMode;
use super::hash::{fingerprint, keyed};
use super::token::{Salt, Token};
use crate::choice::choice;
use crate::error::{Error, Result};
use crate::setting::{Config, Setting};

choice! {
    /// How tokens outside the vocabulary are told apart, where they may be.
    pub enum OovMethod("oov_method") {
        /// Whole numbers by their remainder, texts by their hash.
        Floormod = "floormod",
        /// All by their hash.
        Farmhash = "farmhash",
    }
}

/// The options that lookups share.
pub(super) struct Options<'a, T: Token> {
    pub(super) max_tokens: Option<usize>,
    pub(super) num_oov_indices: usize,
    pub(super) mask_token: Option<&'a T>,
    pub(super) oov_token: &'a T,
    pub(super) output_mode: &'a OutputMode,
    pub(super) sparse: bool,
    pub(super) pad_to_max_tokens: bool,
    pub(super) invert: bool,
    pub(super) oov_method: &'a OovMethod,
    pub(super) salt: Option<Salt>,
    pub(super) vocabulary: Option<&'a [T]>,
    pub(super) idf_weights: Option<&'a [f64]>,
}

/// The [`Options`] of a layer that has them under Keras's names.
macro_rules! options {
    ($layer:expr) => {
        $crate::preprocessing::lookup::Options {
            max_tokens: $layer.max_tokens,
            num_oov_indices: $layer.num_oov_indices,
            mask_token: $layer.mask_token.as_ref(),
            oov_token: &$layer.oov_token,
            output_mode: &$layer.output_mode,
            sparse: $layer.sparse,
            pad_to_max_tokens: $layer.pad_to_max_tokens,
            invert: $layer.invert,
            oov_method: &$layer.oov_method,
            salt: $layer.salt,
            vocabulary: $layer.vocabulary.as_deref(),
            idf_weights: $layer.idf_weights.as_deref(),
        }
    };
}
pub(super) use options;

/// Writes how many tokens there are, or what a file said before there were any.
pub(super) fn write_size<T: Token>(
    table: Result<Table<'_, T>>,
    said: Option<usize>,
    config: &mut Config,
) {
    let size = table.ok().map(|table| table.size()).or(said);
    config.insert("vocabulary_size".into(), size.to_json());
}

/// A vocabulary ready for use.
pub(super) struct Table<'a, T: Token> {
    options: Options<'a, T>,
    /// The tokens behind those of a special meaning.
    tokens: &'a [T],
    numbers: HashMap<&'a T, usize>,
    /// What a token counts in `tf_idf`, by number.
    rarity: Vec<f64>,
}

/// What a token is in the output.
enum Place {
    At(usize),
    /// A masked token, which only counts in mode `int`.
    Masked,
}

impl<'a, T: Token> Options<'a, T> {
    fn special(&self) -> Vec<&T> {
        let mask = self.mask_token.filter(|_| *self.output_mode == OutputMode::Int);
        mask.into_iter().chain(std::iter::repeat_n(self.oov_token, self.num_oov_indices)).collect()
    }

    fn oov_start(&self) -> usize {
        usize::from(self.mask_token.is_some() && *self.output_mode == OutputMode::Int)
    }

    fn token_start(&self) -> usize {
        self.oov_start() + self.num_oov_indices
    }

    pub(super) fn check(&self) -> Result<()> {
        use OutputMode as Mode;
        let refuse = |option: &str, rule: &str, got: &dyn ToString| {
            Err(Error::setting(format!("`{option}`"), rule, got.to_string()))
        };
        let all = [Mode::Int, Mode::OneHot, Mode::MultiHot, Mode::Count, Mode::TfIdf];
        self.output_mode.check_among(&all)?;
        super::encoding::check_dense(self.sparse)?;
        if self.num_oov_indices > 1 << 24 {
            return refuse("num_oov_indices", "it must be at most 16777216", &self.num_oov_indices);
        }
        match self.max_tokens {
            Some(n) if !(2..=1 << 30).contains(&n) => {
                return refuse("max_tokens", "it must be in 2..=1073741824", &n);
            }
            None if self.pad_to_max_tokens => {
                return refuse("max_tokens", "it must be set with `pad_to_max_tokens`", &"nothing");
            }
            _ => {}
        }
        if self.invert && *self.output_mode != Mode::Int {
            return refuse("output_mode", "it must be `int` with `invert`", &"another");
        }
        if self.idf_weights.is_some() && *self.output_mode != Mode::TfIdf {
            return refuse("idf_weights", "they are for the output mode `tf_idf`", &"another");
        }
        if self.salt.is_some() && T::WHOLE && *self.oov_method != OovMethod::Farmhash {
            return refuse("salt", "it is for the method `farmhash`", &"`floormod`");
        }
        Ok(())
    }

    /// The vocabulary made ready, once it is there.
    pub(super) fn table(self) -> Result<Table<'a, T>> {
        self.check()?;
        let Some(vocabulary) = self.vocabulary.filter(|v| !v.is_empty()) else {
            let rule = "it must be given, or found by `adapt` before the layer is used";
            return Err(Error::setting("`vocabulary`", rule, "nothing"));
        };
        let special = self.special();
        let start = special.len();
        let leads = vocabulary.len() >= start && vocabulary[..start].iter().eq(special);
        let tokens = if leads { &vocabulary[start..] } else { vocabulary };
        let mut numbers = HashMap::with_capacity(tokens.len());
        for (i, token) in tokens.iter().enumerate() {
            let reserved =
                Some(token) == self.mask_token || (self.invert && token == self.oov_token);
            if reserved {
                let rule = "the mask and what stands for unknown tokens come first, or not at all";
                return Err(Error::setting("`vocabulary`", rule, format!("`{token}` at {i}")));
            }
            if numbers.insert(token, start + i).is_some() {
                let rule = "no token may be there twice";
                return Err(Error::setting("`vocabulary`", rule, format!("`{token}`")));
            }
        }
        if let Some(most) = self.max_tokens.filter(|&most| start + tokens.len() > most) {
            let rule = format!(
                "it may have {most} tokens (`max_tokens`), those of a special meaning included"
            );
            return Err(Error::setting("`vocabulary`", rule, start + tokens.len()));
        }
        let rarity = self.rarity(vocabulary.len(), leads)?;
        Ok(Table { tokens, numbers, rarity, options: self })
    }

    /// What tokens count in `tf_idf`; those of a special meaning as much as others do on average.
    fn rarity(&self, tokens: usize, leads: bool) -> Result<Vec<f64>> {
        if *self.output_mode != OutputMode::TfIdf {
            return Ok(Vec::new());
        }
        let weights = self.idf_weights.unwrap_or_default();
        if weights.len() != tokens || weights.iter().any(|w| !w.is_finite()) {
            let rule = format!("there must be {tokens}, one for each token, all finite");
            return Err(Error::setting("`idf_weights`", rule, weights.len()));
        }
        let front = if leads { 0 } else { self.token_start() };
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let mut rarity = vec![mean; front];
        rarity.extend(weights);
        Ok(rarity)
    }
}

impl<T: Token> Table<'_, T> {
    /// Number of tokens, with those of a special meaning.
    pub(super) fn size(&self) -> usize {
        self.options.token_start() + self.tokens.len()
    }

    /// All tokens by number; without those of a special meaning if asked.
    pub(super) fn vocabulary(&self, special: bool) -> Vec<T> {
        let special = if special { self.options.special() } else { Vec::new() };
        special.into_iter().chain(self.tokens).cloned().collect()
    }

    fn place(&self, token: &T) -> Result<Place> {
        let Options { num_oov_indices: bins, mask_token, .. } = self.options;
        if mask_token == Some(token) {
            let int = *self.options.output_mode == OutputMode::Int;
            return Ok(if int { Place::At(0) } else { Place::Masked });
        }
        if let Some(&number) = self.numbers.get(token) {
            return Ok(Place::At(number));
        }
        let bin = match bins {
            0 => {
                let rule = "all tokens must be in the vocabulary, as `num_oov_indices` is 0";
                return Err(Error::setting("input", rule, format!("`{token}`")));
            }
            1 => 0,
            _ if T::WHOLE && *self.options.oov_method != OovMethod::Farmhash => {
                token.number().rem_euclid(bins as i64) as usize
            }
            _ => {
                let text = token.to_string();
                let hash = match self.options.salt {
                    Some(Salt(key)) => keyed(text.as_bytes(), key),
                    None => fingerprint(text.as_bytes()),
                };
                (hash % bins as u64) as usize
            }
        };
        Ok(Place::At(self.options.oov_start() + bin))
    }

    fn depth(&self) -> usize {
        let most = self.options.max_tokens.filter(|_| self.options.pad_to_max_tokens);
        most.unwrap_or(self.size())
    }

    /// The spec of what [`encode`](Table::encode) makes of tokens in this shape.
    pub(super) fn output(&self, shape: &Shape) -> Result<cornu_autodiff::Spec> {
        let mode = self.options.output_mode;
        super::encoding::check_rank(mode, shape.rank())?;
        let kept = match mode {
            OutputMode::Int => return Ok(cornu_autodiff::Spec::new(DType::I64, *shape)),
            OutputMode::OneHot if shape.rank() < 2 || !shape.ends_with(&[1]) => shape.dims(),
            _ => &shape[..shape.rank().saturating_sub(1)],
        };
        let shape = Shape::new(&[kept, &[self.depth()]].concat())?;
        Ok(cornu_autodiff::Spec::new(DType::F32, shape))
    }

    /// Tokens, in a tensor of this shape, as the output mode says.
    pub(super) fn encode(&self, tokens: &[T], shape: impl IntoShape) -> Result<Tensor> {
        let shape = shape.into_shape()?;
        if shape.size() != tokens.len() {
            let rule = format!("it must hold {} elements", tokens.len());
            return Err(Error::setting("shape", rule, shape));
        }
        let places = tokens.iter().map(|t| self.place(t)).collect::<Result<Vec<Place>>>()?;
        let output = self.output(&shape)?;
        if *self.options.output_mode == OutputMode::Int {
            let number = |place: &Place| if let Place::At(n) = place { *n as i64 } else { 0 };
            return Ok(Tensor::new(places.iter().map(number).collect::<Vec<i64>>(), shape)?);
        }
        let depth = self.depth();
        let rows: usize = output.shape.size().checked_div(depth).unwrap_or(0);
        let each = places.len().checked_div(rows).unwrap_or(0);
        let mut values = vec![0.0f32; output.shape.size()];
        for (i, place) in places.iter().enumerate() {
            if let Place::At(n) = place {
                values[i / each.max(1) * depth + n] += 1.0;
            }
        }
        match self.options.output_mode {
            OutputMode::MultiHot => values.iter_mut().for_each(|v| *v = v.min(1.0)),
            OutputMode::TfIdf => {
                for row in values.chunks_mut(depth) {
                    let weights = self.rarity.iter().chain(std::iter::repeat(&0.0));
                    row.iter_mut().zip(weights).for_each(|(v, w)| *v *= *w as f32);
                }
            }
            _ => {}
        }
        Ok(Tensor::new(values, output.shape)?)
    }

    /// Tokens by number.
    pub(super) fn tokens(&self, numbers: &[i64]) -> Vec<T> {
        let start = self.options.token_start();
        let token = |&n: &i64| match (self.options.mask_token, usize::try_from(n)) {
            (Some(mask), Ok(0)) => mask.clone(),
            (_, Ok(n)) if n >= start => {
                self.tokens.get(n - start).unwrap_or(self.options.oov_token).clone()
            }
            _ => self.options.oov_token.clone(),
        };
        numbers.iter().map(token).collect()
    }
}

/// The most frequent tokens of documents, the most frequent first and the greatest first among
/// equally frequent, and how rare each is: `ln(1 + documents / (1 + documents with it))`.
pub(super) fn learn<T: Token>(
    documents: &[Vec<T>],
    options: &Options<'_, T>,
) -> Result<(Vec<T>, Vec<f64>)> {
    options.check()?;
    // How often a token occurs, and in how many documents.
    let mut counts: HashMap<&T, (usize, usize)> = HashMap::new();
    for document in documents {
        let mut seen = std::collections::HashSet::new();
        for token in document {
            let count = counts.entry(token).or_default();
            count.0 += 1;
            count.1 += usize::from(seen.insert(token));
        }
    }
    let special = |token: &T| Some(token) == options.mask_token || token == options.oov_token;
    let mut counts: Vec<(&T, (usize, usize))> =
        counts.into_iter().filter(|(token, _)| !special(token)).collect();
    counts.sort_by(|a, b| (b.1.0, b.0).cmp(&(a.1.0, a.0)));
    if let Some(most) = options.max_tokens {
        counts.truncate(most.saturating_sub(options.token_start()));
    }
    if counts.is_empty() {
        return Err(Error::setting("data", "there must be a token to learn", "none"));
    }
    let rare = |with: usize| (documents.len() as f64 / (1.0 + with as f64)).ln_1p();
    Ok(counts.into_iter().map(|(token, (_, with))| (token.clone(), rare(with))).unzip())
}
