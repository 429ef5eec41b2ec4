//! A function of a user's own as a layer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use cornu_autodiff::{Error as TensorError, Spec, Tensor, is_probe};
use serde_json::{Value, json};

use crate::arg::Arg;
use crate::builder::WeightBuilder;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::setting::{Config, Setting, wrong};

type Function = dyn Fn(&Inputs<'_>, &Config) -> Result<Tensor> + Send + Sync;

/// Functions that a program has registered.
static ADDED: RwLock<BTreeMap<String, Arc<Function>>> = RwLock::new(BTreeMap::new());

/// A function that [`Lambda`] can call, by the name under which it is registered.
#[derive(Clone)]
pub struct LambdaFunction {
    name: String,
    function: Option<Arc<Function>>,
}

impl LambdaFunction {
    /// The name under which files find it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The function of this name. Keras puts a package before a name, `package>name`; a function
    /// that is registered without one is found too.
    fn find(name: &str) -> LambdaFunction {
        let added = ADDED.read().unwrap_or_else(PoisonError::into_inner);
        let bare = name.rsplit('>').next().unwrap_or(name);
        let function = added.get(name).or_else(|| added.get(bare)).cloned();
        LambdaFunction { name: name.to_owned(), function }
    }

    fn unknown(&self) -> Error {
        let added = ADDED.read().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<&str> = added.keys().map(String::as_str).collect();
        TensorError::unknown("registered function", &self.name, &names).into()
    }
}

impl fmt::Debug for LambdaFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Arg<LambdaFunction> for &str {
    fn arg(self) -> LambdaFunction {
        LambdaFunction::find(self)
    }
}

impl Setting for LambdaFunction {
    fn to_json(&self) -> Value {
        json!({
            "module": "builtins",
            "class_name": "function",
            "config": self.name,
            "registered_name": "function",
        })
    }

    fn from_json(value: &Value) -> Result<LambdaFunction> {
        let marshalled = value["class_name"] == "__lambda__" || value.is_array();
        if marshalled {
            let rule = "it must be the name of a registered function: Python code in a file is \
                        never run; write the function in Rust and register it with \
                        `Lambda::register`, under a name that Keras's file can use";
            return Err(Error::setting("value", rule, "a Python lambda"));
        }
        let name = value.as_str().or_else(|| value["config"].as_str());
        let named = LambdaFunction::find(name.ok_or_else(|| wrong("a function's name", value))?);
        named.check()?;
        Ok(named)
    }

    fn check(&self) -> Result<()> {
        if self.function.is_some() { Ok(()) } else { Err(self.unknown()) }
    }
}

config! {
    /// A function of your own: `y = function(x, arguments)`.
    ///
    /// ```
    /// use cornu_layers::{Apply, Lambda, input};
    /// let square = Lambda::register("square", |x, _| Ok(x.only()?.square()));
    /// let y = Lambda::new(square).apply(&input([3]))?;
    /// assert_eq!(y.shape(), [None, Some(3)]);
    /// // A file names it; so can you.
    /// assert!(Lambda::new("square").apply(&input([3])).is_ok());
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When no function of that name is registered, or its output isn't of `output_shape`. Python
    /// code that Keras has marshalled into a file is refused.
    ///
    /// # Difference from Keras
    /// A function that should change masks must be a layer of its own.
    pub struct Lambda["Lambda"] {
        /// What is applied to the inputs.
        function: LambdaFunction,
        ..
        /// The shape of an output's sample, if it is to be checked.
        output_shape: Option<Vec<Option<usize>>> = None,
        /// What else the function is given: JSON by name.
        arguments: Config = Config::new(),
    }
}

impl Lambda {
    /// Registers a function, so that layers and files can name it. It is made of ops, so that
    /// gradients flow through it, and gets the inputs with their masks, and the `arguments`.
    pub fn register(
        name: impl Into<String>,
        function: impl Fn(&Inputs<'_>, &Config) -> Result<Tensor> + Send + Sync + 'static,
    ) -> LambdaFunction {
        let (name, function): (String, Arc<Function>) = (name.into(), Arc::new(function));
        let mut added = ADDED.write().unwrap_or_else(PoisonError::into_inner);
        added.insert(name.clone(), function.clone());
        LambdaFunction { name, function: Some(function) }
    }
}

impl Layer for Lambda {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        if inputs.is_empty() {
            return Err(Error::input("the layer takes one input or more", &[]));
        }
        Ok(())
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let function = self.function.function.as_ref().ok_or_else(|| self.function.unknown())?;
        let y = function(x, &self.arguments)?;
        if let Some(shape) = &self.output_shape {
            let sample = y.dims().get(1..).unwrap_or_default();
            let same = |(n, size): (&usize, &Option<usize>)| {
                size.is_none_or(|size| size == *n || is_probe(*n))
            };
            if sample.len() != shape.len() || !sample.iter().zip(shape).all(same) {
                let rule = format!("the function's output has the sample shape {sample:?}");
                return Err(Error::setting("`output_shape`", rule, format!("{shape:?}")));
            }
        }
        Ok(y)
    }

    fn write_settings(&self, config: &mut Config) {
        if self.output_shape.is_none() {
            config.shift_remove("output_shape");
        }
    }
}
