//! Operations outside of layers: what Keras's `ops` and operators are in a graph.

mod item;
mod rules;
mod symbols;

use std::any::Any;

use cornu_autodiff::{DType, Spec, Tensor};
use serde_json::{Value, json};
use smallvec::smallvec;

use self::rules::{Compute, RULES, Rule};
use crate::any_layer::{AnyLayer, Built};
use crate::builder::WeightBuilder;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::handle::{IntoLayer, LayerRef};
use crate::layer::{Inputs, Masks, Tensors};
use crate::preprocessing::Numbers;
use crate::setting::{Common, Config, Setting};

/// An op in a graph of layers: Keras's `Operation`, which is what `x * 2`, `ops.reshape(x, …)` or
/// `ops.mean(x, …)` make of a symbol `x`. It has no weights.
///
/// Operators and methods of [`Symbol`](crate::Symbol) make the frequent ones; this makes any by
/// its class in Keras:
///
/// ```
/// use cornu_layers::{Apply, Operation, input};
/// use serde_json::json;
/// let x = input([4, 3]);
/// let y = Operation::new("Var", json!({ "axis": 1 }))?.apply(&x)?;
/// assert_eq!(y.shape(), [None, Some(3)]);
/// # Ok::<(), cornu_layers::Error>(())
/// ```
///
/// # Difference from Keras
/// Keras drops the mask of what an op is called on; here a masked input is an error. A number or an
/// array is taken in the dtype of the tensors beside it, unless they are whole and it isn't: they
/// then become float32.
#[derive(Clone, Debug)]
pub struct Operation {
    rule: &'static Rule,
    options: Config,
    operands: Vec<Operand>,
    common: Common,
}

/// What stands at one position of an [`Operation`]'s call.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// The next of the inputs.
    Tensor,
    /// A list of the next of the inputs, so many.
    List(usize),
    /// A number or an array, as Keras's JSON says it; for `GetItem` what is taken.
    Literal(Value),
}

impl Operation {
    /// The operation of this class in Keras, with its options as in Keras's config; called on
    /// tensors alone.
    ///
    /// # Errors
    /// When there is no such class here, or it has no such option.
    pub fn new(class: &str, options: Value) -> Result<Operation> {
        let options = options.as_object().cloned().unwrap_or_default();
        Operation::with_operands(class, &options, Vec::new())
    }

    /// As [`new`](Operation::new), saying what stands where in its call.
    ///
    /// # Errors
    /// As [`new`](Operation::new).
    pub fn with_operands(
        class: &str,
        options: &Config,
        operands: Vec<Operand>,
    ) -> Result<Operation> {
        let Some(rule) = RULES.iter().find(|rule| rule.class == class) else {
            let known: Vec<&str> = RULES.iter().map(|rule| rule.class).collect();
            return Err(cornu_autodiff::Error::unknown("operation", class, &known).into());
        };
        let mut own = Config::new();
        for (key, default) in rule.options {
            let default = || default.parse().expect("`RULES` holds JSON");
            own.insert((*key).into(), options.get(*key).cloned().unwrap_or_else(default));
        }
        let nothing = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
        let known = |key: &str| key == "name" || own.contains_key(key);
        if let Some((key, value)) = options.iter().find(|(k, v)| !known(k) && !nothing(v)) {
            let rule = format!("cornu has no option `{key}`, so only the default is accepted");
            return Err(Error::config(class, rule, value));
        }
        let name = options.get("name").and_then(Value::as_str).map(str::to_owned);
        let common = Common { name, ..Common::default() };
        Ok(Operation { rule, options: own, operands, common })
    }

    /// An operation from its JSON in a graph, which holds its call.
    ///
    /// # Errors
    /// As [`new`](Operation::new), and when it is called more than once or in an unknown way.
    pub fn from_json(value: &Value) -> Result<LayerRef> {
        let class = value["class_name"].as_str().unwrap_or_default();
        let [node] = value["inbound_nodes"].as_array().map(Vec::as_slice).unwrap_or_default()
        else {
            let rule = "an operation must be called once";
            return Err(Error::config(class, rule, &value["inbound_nodes"]));
        };
        let named = node["kwargs"].as_object().is_some_and(|named| !named.is_empty());
        let Some(arguments) = node["args"].as_array().filter(|_| !named) else {
            return Err(Error::config(class, "arguments must be given by position", node));
        };
        let is_tensor = |value: &Value| value["class_name"] == "__keras_tensor__";
        let operand = |value: &Value| match value {
            one if is_tensor(one) => Operand::Tensor,
            Value::Array(list) if !list.is_empty() && list.iter().all(is_tensor) => {
                Operand::List(list.len())
            }
            other => Operand::Literal(other.clone()),
        };
        let empty = Config::new();
        let options = value["config"].as_object().unwrap_or(&empty);
        let operands = arguments.iter().map(operand).collect();
        Ok(Operation::with_operands(class, options, operands)?.into_layer())
    }

    /// What stands where in a call on so many tensors.
    fn operands(&self, tensors: usize) -> Vec<Operand> {
        match (&self.rule.compute, self.operands.is_empty()) {
            (Compute::List(_), true) => vec![Operand::List(tensors)],
            (_, true) => vec![Operand::Tensor; tensors],
            _ => self.operands.clone(),
        }
    }

    /// Refuses what the rule doesn't take.
    fn check(&self, tensors: usize) -> Result<()> {
        let operands = self.operands(tensors);
        let wanted = operands.iter().map(|operand| match operand {
            Operand::Tensor => 1,
            Operand::List(n) => *n,
            Operand::Literal(_) => 0,
        });
        let lists = operands.iter().any(|operand| matches!(operand, Operand::List(_)));
        let fits = match self.rule.compute {
            Compute::One(_) => operands == [Operand::Tensor],
            Compute::Two(_) => operands.len() == 2 && !lists,
            Compute::Three(_) => operands.len() == 3 && !lists,
            Compute::List(_) => lists && operands.len() == 1,
            Compute::Item => {
                matches!(operands.as_slice(), [Operand::Tensor, Operand::Literal(_)])
            }
        };
        if fits && tensors > 0 && wanted.sum::<usize>() == tensors {
            return Ok(());
        }
        let takes = match self.rule.compute {
            Compute::One(_) => "one tensor",
            Compute::Two(_) => "two tensors, or a tensor and a number",
            Compute::Three(_) => "three tensors or numbers",
            Compute::List(_) => "a list of tensors",
            Compute::Item => "a tensor and what is to be taken of it",
        };
        let rule = format!("the operation takes {takes}");
        Err(Error::setting("call", rule, format!("{tensors} tensors as {operands:?}")))
    }

    /// The output.
    fn compute(&self, tensors: &[Tensor]) -> Result<Tensor> {
        self.check(tensors.len())?;
        let operands = self.operands(tensors.len());
        if let [Operand::Tensor, Operand::Literal(item)] = operands.as_slice()
            && matches!(self.rule.compute, Compute::Item)
        {
            return item::take(&tensors[0], item);
        }
        let fraction = operands.iter().any(|operand| match operand {
            Operand::Literal(value) => is_fraction(value),
            _ => false,
        });
        let mut rest = tensors.iter().map(|x| match fraction || self.rule.floats {
            true if !x.dtype().is_float() => x.cast(DType::F32),
            _ => x.clone(),
        });
        let dtype = match tensors[tensors.len() - 1].dtype() {
            whole if !whole.is_float() && (fraction || self.rule.floats) => DType::F32,
            own => own,
        };
        let mut all = Vec::new();
        for operand in &operands {
            match operand {
                Operand::Tensor => all.extend(rest.next()),
                Operand::List(n) => all.extend(rest.by_ref().take(*n)),
                Operand::Literal(value) => all.push(Numbers::from_json(value)?.tensor(dtype)?),
            }
        }
        match (self.rule.compute, all.as_slice()) {
            (Compute::One(f), [x]) => f(x, &self.options),
            (Compute::Two(f), [a, b]) => Ok(f(a, b)?),
            (Compute::Three(f), [a, b, c]) => Ok(f(a, b, c)?),
            (Compute::List(f), all) => f(all, &self.options),
            _ => unreachable!("`check` has counted the operands"),
        }
    }
}

/// Whether a number, any of a list, or an array by its dtype, is none of the whole ones.
fn is_fraction(value: &Value) -> bool {
    match (value, value["config"]["dtype"].as_str()) {
        (_, Some(dtype)) => dtype.contains("float"),
        (Value::Array(items), None) => items.iter().any(is_fraction),
        (number, None) => !(number.is_i64() || number.is_u64()),
    }
}

impl IntoLayer for Operation {
    fn into_layer(self) -> LayerRef {
        LayerRef::new(self)
    }
}

impl AnyLayer for Operation {
    fn class(&self) -> &str {
        self.rule.class
    }
    fn module(&self) -> &str {
        self.rule.module
    }
    fn common(&self) -> &Common {
        &self.common
    }
    fn settings(&self) -> Config {
        self.options.clone()
    }
    fn envelope(&self, name: &str) -> Option<Value> {
        let mut config = Config::new();
        config.insert("name".into(), json!(name));
        config.extend(self.options.clone());
        Some(json!({
            "module": self.module(),
            "class_name": self.class(),
            "config": config,
            "registered_name": self.class(),
        }))
    }
    fn call_json(&self, tensors: &[Value]) -> Option<Value> {
        let mut rest = tensors.iter().cloned();
        let argument = |operand: &Operand| match operand {
            Operand::Tensor => rest.next().unwrap_or_default(),
            Operand::List(n) => rest.by_ref().take(*n).collect(),
            Operand::Literal(value) => value.clone(),
        };
        let arguments: Vec<Value> = self.operands(tensors.len()).iter().map(argument).collect();
        Some(json!({ "args": arguments, "kwargs": {} }))
    }
    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<Box<dyn Built>> {
        self.check(inputs.len())?;
        Ok(Box::new(self.clone()))
    }
    fn is_built_at_once(&self) -> bool {
        true
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Built for Operation {
    fn call(&self, inputs: &Inputs<'_>, _: &mut Context<'_>) -> Result<(Tensors, Option<Tensor>)> {
        Masks::Refuses.rule(inputs)?;
        Ok((smallvec![self.compute(inputs.tensors)?], None))
    }
}
