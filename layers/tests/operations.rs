//! Operations outside of layers: operators and ops on symbols, and what they refuse.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_layers::{Context, Inputs, Operand, Operation, Symbol};
use serde_json::{Value, json};

/// The class and the shape of a symbol.
fn made(y: &Symbol) -> (String, Vec<Option<usize>>) {
    (y.node().layer.class().to_owned(), y.shape().to_vec())
}

#[test]
fn methods_and_operators_of_symbols_are_keras_operations() {
    let x = input([4, 3]);
    let z = input([3, 4]);
    let (n, four, three) = (None, Some(4), Some(3));
    for (y, class, shape) in [
        (&x * 2.0 + 1, "Add", vec![n, four, three]),
        (1 - &x, "Subtract", vec![n, four, three]),
        (-&x, "Negative", vec![n, four, three]),
        (&x / &x, "TrueDivide", vec![n, four, three]),
        (x.abs().unwrap(), "Absolute", vec![n, four, three]),
        (x.exp().unwrap(), "Exp", vec![n, four, three]),
        (x.log().unwrap(), "Log", vec![n, four, three]),
        (x.sqrt().unwrap(), "Sqrt", vec![n, four, three]),
        (x.square().unwrap(), "Square", vec![n, four, three]),
        (x.tanh().unwrap(), "Tanh", vec![n, four, three]),
        (x.sigmoid().unwrap(), "Sigmoid", vec![n, four, three]),
        (x.relu().unwrap(), "Relu", vec![n, four, three]),
        (x.sum(1, false).unwrap(), "Sum", vec![n, three]),
        (x.mean([1, 2], true).unwrap(), "Mean", vec![n, Some(1), Some(1)]),
        (x.max(-1, false).unwrap(), "Max", vec![n, four]),
        (x.min(-1, true).unwrap(), "Min", vec![n, four, Some(1)]),
        (x.var(None, false).unwrap(), "Var", vec![]),
        (x.std(1, false).unwrap(), "Std", vec![n, three]),
        (x.reshape([-1, 12]).unwrap(), "Reshape", vec![n, Some(12)]),
        (x.transpose([0, 2, 1]).unwrap(), "Transpose", vec![n, three, four]),
        (x.expand_dims(-1).unwrap(), "ExpandDims", vec![n, four, three, Some(1)]),
        (x.expand_dims(1).unwrap().squeeze(1).unwrap(), "Squeeze", vec![n, four, three]),
        (x.softmax(-1).unwrap(), "Softmax", vec![n, four, three]),
        (x.clip(-1.0, 1.0).unwrap(), "Clip", vec![n, four, three]),
        (x.cast(DType::I32).unwrap(), "Cast", vec![n, four, three]),
        (x.power(2.0).unwrap(), "Power", vec![n, four, three]),
        (x.matmul(&z).unwrap(), "Matmul", vec![n, four, four]),
        (x.slice(1, 1, None).unwrap(), "GetItem", vec![n, three, three]),
        (x.index(1, -1).unwrap(), "GetItem", vec![n, three]),
    ] {
        assert_eq!(made(&y), (class.to_owned(), shape), "{class}");
    }
}

/// What an operation gives for numbers.
fn computed(class: &str, operands: &[Operand], x: &Tensor) -> Tensor {
    let operation =
        Operation::with_operands(class, &Default::default(), operands.to_vec()).unwrap();
    let layer = operation.into_layer();
    layer.build(&[*x.spec()]).unwrap();
    let inputs = Inputs::new(std::slice::from_ref(x));
    layer.call(&inputs, &mut Context::inference()).unwrap().0.remove(0)
}

#[test]
fn a_constant_takes_the_dtype_beside_it_and_a_fraction_makes_floats() {
    let x = Tensor::from([1i32, 2, 3]);
    let array = |values: Value, dtype: &str| json!({ "class_name": "__numpy__", "config": { "value": values, "dtype": dtype } });
    for (constant, dtype, wanted) in [
        (json!(2), DType::I32, [2.0, 4.0, 6.0]),
        (json!(2.0), DType::F32, [2.0, 4.0, 6.0]),
        (json!(0.5), DType::F32, [0.5, 1.0, 1.5]),
        (json!([1, 0, 2]), DType::I32, [1.0, 0.0, 6.0]),
        (array(json!([1, 0, 2]), "int64"), DType::I32, [1.0, 0.0, 6.0]),
        (array(json!([1.0, 0.5, 2.0]), "float32"), DType::F32, [1.0, 1.0, 6.0]),
    ] {
        let text = constant.to_string();
        let y = computed("Multiply", &[Operand::Tensor, Operand::Literal(constant)], &x);
        assert_eq!((y.dtype(), y.to_f64_vec().unwrap()), (dtype, wanted.to_vec()), "{text}");
    }
}

#[test]
fn what_an_operation_does_not_take_is_an_error_that_says_what_it_does() {
    let x = input([4, 3]);
    let literal = |value: Value| Operand::Literal(value);
    let call = |class: &str, operands: Vec<Operand>| {
        let operation = Operation::with_operands(class, &Default::default(), operands);
        operation.and_then(|operation| operation.apply(&x)).map(drop)
    };
    let masked = Embedding::new(5, 3).mask_zero(true).apply(Input::new([4]).symbol()).unwrap();
    for (result, said) in [
        (Operation::new("Multipli", json!({})).map(drop), "did you mean `Multiply`?"),
        (
            Operation::new("Mean", json!({ "ddof": 1 })).map(drop),
            "config of Mean: cornu has no option `ddof`, so only the default is accepted; got 1",
        ),
        (call("Add", vec![]), "the operation takes two tensors, or a tensor and a number"),
        (call("Exp", vec![Operand::Tensor, literal(json!(1))]), "the operation takes one tensor"),
        (call("Stack", vec![Operand::Tensor]), "the operation takes a list of tensors"),
        (call("GetItem", vec![Operand::Tensor, literal(json!([0, 9]))]), "positions -4..4"),
        (call("GetItem", vec![Operand::Tensor, literal(json!([0, 0, 0, 0]))]), "3 axes or fewer"),
        (call("Add", vec![Operand::Tensor, literal(json!("one"))]), "must be a number"),
        (x.reshape([-1, 5]).map(drop), "reshape"),
        (x.mean(3, false).map(drop), "axis"),
        (x.squeeze(1).map(drop), "axis 1 must have size 1"),
        (masked.mean(1, false).map(drop), "mask"),
    ] {
        let error = result.expect_err(said).to_string();
        assert!(error.contains(said), "{error}\ndoes not say\n{said}");
    }
    let wrong = catch_unwind(AssertUnwindSafe(|| &x + &input([5])));
    let text = *wrong.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("add"), "{text}");
}

#[test]
fn calls_that_cornu_does_not_read_are_errors() {
    let x = json!({
        "class_name": "__keras_tensor__",
        "config": { "shape": [null, 3], "dtype": "float32", "keras_history": ["x", 0, 0] },
    });
    let call = json!({ "args": [x], "kwargs": {} });
    for (nodes, said) in [
        (json!([call, call]), "config of Exp: an operation must be called once; got [{"),
        (json!([]), "config of Exp: an operation must be called once; got []"),
        (
            json!([{ "args": [], "kwargs": { "x": x } }]),
            "config of Exp: arguments must be given by position; got {",
        ),
    ] {
        let json = json!({ "class_name": "Exp", "config": {}, "inbound_nodes": nodes });
        let text = Operation::from_json(&json).expect_err(said).to_string();
        assert!(text.starts_with(said), "{text}");
    }
    let json = json!({ "class_name": "Exp", "config": {}, "inbound_nodes": [call] });
    assert!(Operation::from_json(&json).is_ok());
}
