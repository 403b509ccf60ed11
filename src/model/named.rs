//! Enums that are written by name.

/// Unknown name of an enum; the caller supplies the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownName;

/// Names of enums, each read as it is written.
macro_rules! named_enum {
    ($($name:ty),*) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::named::UnknownName;

            fn from_str(word: &str) -> Result<Self, $crate::model::named::UnknownName> {
                Self::ALL.into_iter().find(|known| known.as_str() == word).ok_or($crate::model::named::UnknownName)
            }
        }
    )*};
}
pub(super) use named_enum;
