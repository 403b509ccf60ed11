//! The fields of an object, as implementations really send them: of a segment's `data`, or of an
//! event.

use super::scalar::Scalar;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// The fields of an object. What is none has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::adapter::onebot) struct Fields<'a> {
    scalars: Scalars<'a>,
    json: Option<&'a str>,
}

impl<'a> Fields<'a> {
    pub(in crate::adapter::onebot) fn parse(json: &'a str) -> Self {
        Self { scalars: serde_json::from_str(json).unwrap_or_default(), json: Some(json) }
    }

    pub(in crate::adapter::onebot) fn set(&mut self, key: Cow<'a, str>, value: Scalar<'a>) {
        self.scalars.0.push((key, value));
    }

    /// A field that is a text or a number; the last one counts where it stands twice.
    pub(in crate::adapter::onebot) fn scalar(&self, key: &str) -> Option<&Scalar<'a>> {
        let mut scalars = self.scalars.0.iter().rev();
        scalars.find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The fields that are a text or a number, as texts.
    pub(in crate::adapter::onebot) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.scalars.0.iter().map(|(key, value)| (&**key, value.or_empty()))
    }

    /// A field that is set to something.
    pub(in crate::adapter::onebot) fn get(&self, key: &str) -> Option<&str> {
        self.scalar(key)?.text().filter(|value| !value.trim().is_empty())
    }

    /// A field that holds an ID, where one is set.
    pub(in crate::adapter::onebot) fn id(&self, key: &str) -> Option<&str> {
        self.scalar(key)?.id()
    }

    /// The first of these fields that is set, as a text of its own.
    pub(in crate::adapter::onebot) fn owned(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| self.get(key)).map(str::to_owned)
    }

    /// The first of these fields that is a number.
    pub(in crate::adapter::onebot) fn number<T: FromStr>(&self, keys: &[&str]) -> Option<T> {
        keys.iter().find_map(|key| self.get(key)?.trim().parse().ok())
    }

    /// A field that is a list or an object.
    pub(in crate::adapter::onebot) fn nested(&self, key: &str) -> Option<&'a RawValue> {
        self.any(key).filter(|json| json.get().starts_with(['[', '{']))
    }

    /// A field of any form.
    pub(in crate::adapter::onebot) fn any(&self, key: &str) -> Option<&'a RawValue> {
        let fields: HashMap<Cow<'_, str>, &'a RawValue> = serde_json::from_str(self.json?).ok()?;
        fields.get(key).copied()
    }

    /// The object itself, where it is JSON.
    pub(in crate::adapter::onebot) fn json(&self) -> Option<&'a RawValue> {
        serde_json::from_str(self.json?).ok()
    }
}

/// Those that are a text or a number, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Scalars<'a>(Vec<(Cow<'a, str>, Scalar<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Scalars<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ScalarsVisitor).map(Self)
    }
}

struct ScalarsVisitor;

impl<'de> Visitor<'de> for ScalarsVisitor {
    type Value = Vec<(Cow<'de, str>, Scalar<'de>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut scalars = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            scalars.push((key, map.next_value()?));
        }
        Ok(scalars)
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E: de::Error>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}
