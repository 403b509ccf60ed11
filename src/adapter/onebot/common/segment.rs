//! A message segment on the wire, as implementations really send it.
//!
//! OneBot 11: message/array.md; OneBot 12: interface/message/type.md.

use super::scalar::Scalar;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// One segment of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::adapter::onebot) struct WireSegment<'a> {
    kind: Scalar<'a>,
    parameters: Parameters<'a>,
    /// The whole of `data`, where it is a text or a number in place of an object.
    value: Scalar<'a>,
    /// The object that the parameters come from, where it is JSON.
    data: Option<&'a str>,
}

impl<'a> WireSegment<'a> {
    pub(in crate::adapter::onebot) fn new(kind: impl Into<Cow<'a, str>>) -> Self {
        Self { kind: Scalar::new(kind), ..Self::default() }
    }

    pub(in crate::adapter::onebot) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new("text").with("text", text)
    }

    /// The segment with one more parameter.
    pub(in crate::adapter::onebot) fn with(
        mut self,
        key: impl Into<Cow<'a, str>>,
        value: impl Into<Cow<'a, str>>,
    ) -> Self {
        self.parameters.0.push((key.into(), Scalar::new(value)));
        self
    }

    /// Reads a segment; what is none has no kind.
    pub(in crate::adapter::onebot) fn parse(json: &'a RawValue) -> Self {
        #[derive(Deserialize)]
        struct Parts<'a> {
            #[serde(rename = "type", borrow)]
            kind: Scalar<'a>,
            #[serde(borrow)]
            data: Option<&'a RawValue>,
        }
        let Ok(Parts { kind, data }) = serde_json::from_str(json.get()) else {
            return Self::default();
        };
        // Some write the parameters beside the type.
        let data = data.unwrap_or(json).get();
        let mut parameters: Parameters<'a> = serde_json::from_str(data).unwrap_or_default();
        if kind.or_empty() == "face"
            && let Some(name) = face_name(data)
        {
            parameters.0.push((Cow::Borrowed("name"), Scalar::new(name)));
        }
        let value = serde_json::from_str(data).unwrap_or_default();
        Self { kind, parameters, value, data: Some(data) }
    }

    /// Its type, if it is a segment at all.
    pub(in crate::adapter::onebot) fn kind(&self) -> Option<&str> {
        self.kind.text()
    }

    /// A parameter that is set to something.
    pub(in crate::adapter::onebot) fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.parameters.0.iter().rev().find(|(known, _)| known == key)?;
        value.text().filter(|value| !value.trim().is_empty())
    }

    /// The first of these parameters that is set, else the whole of `data` where that is a text.
    pub(in crate::adapter::onebot) fn first_of(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| self.get(key)).or(self.value.text())
    }

    /// The first of these parameters that is set, as a text of its own.
    pub(in crate::adapter::onebot) fn owned(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| self.get(key)).map(str::to_owned)
    }

    /// The first of these parameters that is a number.
    pub(in crate::adapter::onebot) fn number<T: FromStr>(&self, keys: &[&str]) -> Option<T> {
        keys.iter().find_map(|key| self.get(key)?.trim().parse().ok())
    }

    /// A parameter that is a list or an object.
    pub(in crate::adapter::onebot) fn nested(&self, key: &str) -> Option<&'a RawValue> {
        let data: HashMap<Cow<'_, str>, &'a RawValue> = serde_json::from_str(self.data?).ok()?;
        data.get(key).copied().filter(|json| json.get().starts_with(['[', '{']))
    }

    /// Everything inside `data`, where it is JSON.
    pub(in crate::adapter::onebot) fn whole(&self) -> Option<&'a RawValue> {
        serde_json::from_str(self.data?).ok()
    }

    /// The text of a text segment, blanks included.
    pub(in crate::adapter::onebot) fn plain_text(&self) -> &str {
        let text = self.parameters.0.iter().rev().find(|(key, _)| key == "text");
        text.map_or(self.value.or_empty(), |(_, text)| text.or_empty())
    }
}

/// `raw.faceText`, where NapCat keeps the name of a face.
fn face_name(data: &str) -> Option<String> {
    let data: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(data).ok()?;
    let mut raw: HashMap<String, Scalar<'_>> = serde_json::from_str(data.get("raw")?.get()).ok()?;
    raw.remove("faceText")?.text().map(str::to_owned)
}

/// The parameters of a segment that are a text or a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Parameters<'a>(Vec<(Cow<'a, str>, Scalar<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Parameters<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParametersVisitor).map(Self)
    }
}

struct ParametersVisitor;

impl<'de> Visitor<'de> for ParametersVisitor {
    type Value = Vec<(Cow<'de, str>, Scalar<'de>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut parameters = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            parameters.push((key, map.next_value()?));
        }
        Ok(parameters)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> WireSegment<'_> {
        WireSegment::parse(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn parameters_are_read_wherever_they_stand() {
        for json in [
            r#"{"type":"text","data":{"text":"hi"}}"#,
            r#"{"type":"text","data":"hi"}"#,
            r#"{"type":"text","text":"hi"}"#,
        ] {
            assert_eq!(parse(json).plain_text(), "hi", "{json}");
        }
        let number = r#"{"type":"dice","data":6}"#;
        assert_eq!(parse(number).first_of(&["result"]), Some("6"));
        assert_eq!(parse(r#"{"type":"a","data":{"x\u0079":1}}"#).get("xy"), Some("1"));
    }

    #[test]
    fn what_is_no_segment_has_no_kind() {
        for json in ["5", "null", "[]", "\"x\"", "{}", r#"{"type":null}"#, r#"{"type":{}}"#] {
            assert_eq!(parse(json).kind(), None, "{json}");
        }
        let empty = parse(r#"{"type":"text","data":{"text":[1],"name":" "}}"#);
        assert_eq!((empty.plain_text(), empty.get("name")), ("", None));
    }

    #[test]
    fn a_face_is_known_by_the_name_that_nap_cat_gives_it() {
        let face = r#"{"type":"face","data":{"id":"178","raw":{"faceText":"/斜眼笑"}}}"#;
        assert_eq!(parse(face).get("name"), Some("/斜眼笑"));
    }
}
