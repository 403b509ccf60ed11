//! A JSON object whose values keep their text: numbers of any size, and every field.

use super::conversation::ConversationForm;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use std::borrow::Cow;
use std::fmt;

/// A JSON object with its fields in their order.
#[derive(Debug, Default)]
pub(super) struct RawObject<'a>(Vec<(Cow<'a, str>, Cow<'a, RawValue>)>);

impl<'a> RawObject<'a> {
    /// Reads an object; `None` if the text is not an object.
    pub(super) fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The text of a field's value.
    pub(super) fn get(&self, key: &str) -> Option<&RawValue> {
        let (_, value) = self.0.iter().rev().find(|(known, _)| known == key)?;
        Some(value).filter(|value| value.get() != "null").map(|value| &**value)
    }

    /// A text or a number, as a text.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        text_of(self.get(key)?)
    }

    /// An ID, if it is set: some programs write 0 for none.
    pub(super) fn id(&self, key: &str) -> Option<String> {
        self.text(key).filter(|id| !matches!(id.as_str(), "" | "0" | "-1"))
    }

    /// The conversation that an event of OneBot 11 is about.
    pub(super) fn conversation(&self) -> Option<String> {
        if let Some(group) = self.id("group_id") {
            return Some(ConversationForm::Group(&group).to_string());
        }
        self.id("user_id").map(|user| ConversationForm::Private(&user).to_string())
    }

    /// Whether a field is true.
    pub(super) fn is_true(&self, key: &str) -> bool {
        matches!(self.text(key).as_deref(), Some("true" | "1"))
    }

    /// Sets a field; an existing field keeps its position.
    pub(super) fn set(&mut self, key: &'static str, value: &impl Serialize) {
        // The values that are given here always serialise.
        let Ok(value) = to_raw_value(value) else { return };
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = Cow::Owned(value),
            None => self.0.push((key.into(), Cow::Owned(value))),
        }
    }

    /// Sets a field that is missing.
    pub(super) fn set_missing(&mut self, key: &'static str, value: &impl Serialize) {
        if self.get(key).is_none() {
            self.set(key, value);
        }
    }

    /// Removes a field.
    pub(super) fn remove(&mut self, key: &str) {
        self.0.retain(|(known, _)| known != key);
    }

    /// The object as text.
    pub(super) fn write(&self) -> String {
        // Texts and raw values always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A text or a number, as a text.
pub(super) fn text_of(value: &RawValue) -> Option<String> {
    match value.get().as_bytes().first()? {
        b'"' => serde_json::from_str(value.get()).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(value.get().to_owned()),
    }
}

impl Serialize for RawObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = RawObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    let value: &'de RawValue = map.next_value()?;
                    fields.push((key, Cow::Borrowed(value)));
                }
                Ok(RawObject(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_touched_stays_as_it_was() {
        let json = r#"{"b":90071992547409931234,"a":{"x":1.0},"echo":{"seq":1}}"#;
        let mut object = RawObject::parse(json).unwrap();
        assert_eq!(object.write(), json);
        assert_eq!(object.text("b").as_deref(), Some("90071992547409931234"));
        assert_eq!(object.text("a"), None);
        object.set("b", &1);
        object.set_missing("b", &2);
        object.set_missing("c", &"z");
        object.remove("echo");
        assert_eq!(object.write(), r#"{"b":1,"a":{"x":1.0},"c":"z"}"#);
        for none in ["", "[]", "5", "{"] {
            assert!(RawObject::parse(none).is_none(), "{none}");
        }
    }
}
