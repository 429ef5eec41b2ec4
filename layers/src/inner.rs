//! What can stand for a layer, also as an option of another.

use serde_json::Value;

use crate::arg::Arg;
use crate::error::Result;
use crate::handle::{IntoLayer, LayerRef};
use crate::layer::Layer;
use crate::registry::layer_from_json;
use crate::rnn::StackedRNNCells;
use crate::setting::Setting;

impl Setting for LayerRef {
    fn to_json(&self) -> Value {
        LayerRef::to_json(self)
    }
    fn from_json(value: &Value) -> Result<LayerRef> {
        layer_from_json(value)
    }
}

impl<L: Layer> IntoLayer for L {
    fn into_layer(self) -> LayerRef {
        LayerRef::new(self)
    }
}

impl IntoLayer for LayerRef {
    fn into_layer(self) -> LayerRef {
        self
    }
}

impl IntoLayer for &LayerRef {
    fn into_layer(self) -> LayerRef {
        self.clone()
    }
}

impl<L: Layer> Arg<LayerRef> for L {
    fn arg(self) -> LayerRef {
        self.into_layer()
    }
}

impl<L: Layer> Arg<Option<LayerRef>> for L {
    fn arg(self) -> Option<LayerRef> {
        Some(self.into_layer())
    }
}

impl Arg<LayerRef> for &LayerRef {
    fn arg(self) -> LayerRef {
        self.clone()
    }
}

/// Several cells as one: [`StackedRNNCells`].
impl Arg<LayerRef> for Vec<LayerRef> {
    fn arg(self) -> LayerRef {
        StackedRNNCells::new(self).into_layer()
    }
}

macro_rules! tuples {
    ($(($($Layer:ident $layer:ident),*))*) => {$(
        impl<$($Layer: IntoLayer),*> Arg<Vec<LayerRef>> for ($($Layer,)*) {
            fn arg(self) -> Vec<LayerRef> {
                let ($($layer,)*) = self;
                vec![$($layer.into_layer()),*]
            }
        }
        impl<$($Layer: IntoLayer),*> Arg<LayerRef> for ($($Layer,)*) {
            fn arg(self) -> LayerRef {
                let cells: Vec<LayerRef> = self.arg();
                cells.arg()
            }
        }
    )*};
}
tuples! { (A a) (A a, B b) (A a, B b, C c) (A a, B b, C c, D d) }
