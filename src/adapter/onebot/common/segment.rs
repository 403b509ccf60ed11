//! A message segment on the wire, as implementations really send it.
//!
//! OneBot 11: message/array.md; OneBot 12: interface/message/type.md.

use super::fields::Fields;
use super::scalar::Scalar;
use crate::model::content::MAX_READ;
use crate::model::json_object::object_from_str;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::HashMap;
use std::str::FromStr;

/// One segment of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::adapter::onebot) struct WireSegment<'a> {
    kind: Scalar<'a>,
    parameters: Fields<'a>,
    /// The whole of `data`, where it is a text or a number in place of an object.
    value: Scalar<'a>,
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
        self.parameters.set(key.into(), Scalar::new(value));
        self
    }

    /// Segments of a message that is a list of them, or a single one, and whether the list was cut;
    /// `None` where it is neither.
    pub(in crate::adapter::onebot) fn list(message: &'a RawValue) -> Option<(Vec<Self>, bool)> {
        let json = message.get();
        match json.as_bytes().first()? {
            b'[' => {
                let list: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
                let is_cut = list.len() > MAX_READ;
                Some((list.into_iter().take(MAX_READ).map(Self::parse).collect(), is_cut))
            }
            b'{' => Some((vec![Self::parse(message)], false)),
            _ => None,
        }
    }

    /// Reads a segment; a value that is none has no kind.
    pub(in crate::adapter::onebot) fn parse(json: &'a RawValue) -> Self {
        #[derive(Deserialize)]
        struct Parts<'a> {
            #[serde(rename = "type", borrow)]
            kind: Scalar<'a>,
            #[serde(borrow)]
            data: Option<&'a RawValue>,
        }
        let Ok(Parts { kind, data }) = object_from_str(json.get()) else {
            return Self::default();
        };
        // Some write the parameters beside the type.
        let data = data.unwrap_or(json).get();
        let mut parameters = Fields::parse(data);
        if kind.or_empty() == "face"
            && let Some(name) = face_name(data)
        {
            parameters.set("name".into(), Scalar::new(name));
        }
        let value = serde_json::from_str(data).unwrap_or_default();
        Self { kind, parameters, value }
    }

    /// Its type, if it is a segment at all.
    pub(in crate::adapter::onebot) fn kind(&self) -> Option<&str> {
        self.kind.text()
    }

    /// A parameter that is set to something.
    pub(in crate::adapter::onebot) fn get(&self, key: &str) -> Option<&str> {
        self.parameters.get(key)
    }

    /// The first of these parameters that is set, else the whole of `data` where that is a text.
    pub(in crate::adapter::onebot) fn first_of(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| self.get(key)).or(self.value.text())
    }

    /// The first of these parameters that is set, as a text of its own.
    pub(in crate::adapter::onebot) fn owned(&self, keys: &[&str]) -> Option<String> {
        self.parameters.owned(keys)
    }

    /// The first of these parameters that is a number.
    pub(in crate::adapter::onebot) fn number<T: FromStr>(&self, keys: &[&str]) -> Option<T> {
        self.parameters.number(keys)
    }

    /// A parameter that is a list or an object.
    pub(in crate::adapter::onebot) fn nested(&self, key: &str) -> Option<&'a RawValue> {
        self.parameters.nested(key)
    }

    /// Everything inside `data`, where it is JSON.
    pub(in crate::adapter::onebot) fn whole(&self) -> Option<&'a RawValue> {
        self.parameters.json()
    }

    /// The segment as JSON; its parameters are texts.
    pub(in crate::adapter::onebot) fn to_json(&self) -> Value {
        let data = self.parameters.texts().map(|(key, value)| (key.to_owned(), value.into()));
        json!({"type": self.kind.or_empty(), "data": data.collect::<Map<_, _>>()})
    }

    /// The text of a text segment, blanks included.
    pub(in crate::adapter::onebot) fn plain_text(&self) -> &str {
        self.parameters.scalar("text").unwrap_or(&self.value).or_empty()
    }
}

/// `raw.faceText`, where NapCat keeps the name of a face.
fn face_name(data: &str) -> Option<String> {
    let data: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(data).ok()?;
    let mut raw: HashMap<String, Scalar<'_>> = serde_json::from_str(data.get("raw")?.get()).ok()?;
    raw.remove("faceText")?.text().map(str::to_owned)
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
        // Serde would take an array for the fields in their order.
        for json in [r#"["text","hi"]"#, r#"["text",{"text":"hi"}]"#] {
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
