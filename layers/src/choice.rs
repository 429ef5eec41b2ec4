//! Options that are one of a few names.

/// Declares an enum whose variants Keras knows by name. A name that means nothing is kept, and
/// refused with the valid ones when the layer is built.
macro_rules! choice {
    (
        $(#[$doc:meta])*
        pub enum $Name:ident($kind:literal) {
            $($(#[$variant_doc:meta])* $Variant:ident = $name:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $Name {
            $($(#[$variant_doc])* $Variant,)*
            #[doc(hidden)]
            Unknown(String),
        }

        impl From<&str> for $Name {
            fn from(name: &str) -> $Name {
                match name.to_lowercase().as_str() {
                    $($name => $Name::$Variant,)*
                    _ => $Name::Unknown(name.to_owned()),
                }
            }
        }

        impl $crate::Arg<$Name> for &str {
            fn arg(self) -> $Name {
                self.into()
            }
        }

        impl $crate::Setting for $Name {
            fn to_json(&self) -> serde_json::Value {
                match self {
                    $($Name::$Variant => $name.into(),)*
                    $Name::Unknown(name) => name.as_str().into(),
                }
            }
            fn from_json(value: &serde_json::Value) -> $crate::Result<$Name> {
                let name = value.as_str().ok_or_else(|| $crate::setting::wrong("a name", value))?;
                let named = $Name::from(name);
                $crate::Setting::check(&named)?;
                Ok(named)
            }
            fn check(&self) -> $crate::Result<()> {
                match self {
                    $Name::Unknown(name) => {
                        Err(cornu_autodiff::Error::unknown($kind, name, &[$($name),*]).into())
                    }
                    _ => Ok(()),
                }
            }
        }
    };
}

pub(crate) use choice;

choice! {
    /// Where an image, a volume or a sequence has its channels.
    pub enum DataFormat("data_format") {
        /// `(batch, …, channels)`
        ChannelsLast = "channels_last",
        /// `(batch, channels, …)`
        ChannelsFirst = "channels_first",
    }
}

choice! {
    /// What a sliding window sees beyond the edges.
    pub enum Padding("padding") {
        /// Nothing: it stays inside.
        Valid = "valid",
        /// Padding, as much on the right as on the left or one more, so that at strides of 1
        /// the output is as large as the input.
        Same = "same",
        /// Padding on the left only, so that no output sees later steps; in one dimension.
        Causal = "causal",
    }
}
