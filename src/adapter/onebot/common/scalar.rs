//! A text or number as implementations really send it.

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A field that is meant to hold a text, a number or an ID: read from whatever JSON stands there.
///
/// A null, an object or a list counts as absent, so that one odd field never costs the whole frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::adapter::onebot) struct Scalar<'a>(Option<Cow<'a, str>>);

impl<'a> Scalar<'a> {
    pub(in crate::adapter::onebot) fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self(Some(text.into()))
    }

    /// The text, where there is one and it is not empty.
    pub(in crate::adapter::onebot) fn text(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// The text, or an empty one.
    pub(in crate::adapter::onebot) fn or_empty(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// An ID, where one is set: some write 0 or -1 for none.
    pub(in crate::adapter::onebot) fn id(&self) -> Option<&str> {
        self.text().filter(|id| !matches!(*id, "0" | "-1"))
    }

    /// A moment in Unix seconds; some write it with a fraction, some in milliseconds.
    pub(in crate::adapter::onebot) fn time(&self) -> Option<u64> {
        /// The year 5138 in seconds, 1973 in milliseconds.
        const MILLISECONDS_FROM: u64 = 100_000_000_000;
        let whole = self.text()?.split('.').next()?;
        let time: u64 = whole.parse().ok().filter(|time| *time > 0)?;
        Some(if time >= MILLISECONDS_FROM { time / 1000 } else { time })
    }

    pub(in crate::adapter::onebot) fn number(&self) -> Option<i64> {
        self.text()?.parse().ok()
    }
}

impl Serialize for Scalar<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor).map(Self)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(if truth { "true" } else { "false" })))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(json: &str) -> Scalar<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn whatever_stands_there_is_read() {
        assert_eq!(scalar("\"12\"").text(), Some("12"));
        assert_eq!(scalar("9223372036854775807").text(), Some("9223372036854775807"));
        assert_eq!(scalar("18446744073709551615").text(), Some("18446744073709551615"));
        assert_eq!(scalar("-5").number(), Some(-5));
        assert_eq!(scalar("true").text(), Some("true"));
        for absent in ["null", "\"\"", "{\"a\":[1]}", "[1,{}]"] {
            assert_eq!(scalar(absent).text(), None, "{absent}");
        }
    }

    #[test]
    fn an_id_that_is_not_set_is_none() {
        for absent in ["0", "-1", "\"-1\"", "\"\"", "null"] {
            assert_eq!(scalar(absent).id(), None, "{absent}");
        }
        assert_eq!(scalar("-2147483648").id(), Some("-2147483648"));
    }

    #[test]
    fn a_time_is_in_seconds_whatever_it_came_in() {
        assert_eq!(scalar("1729603046").time(), Some(1_729_603_046));
        assert_eq!(scalar("1729603046123").time(), Some(1_729_603_046));
        assert_eq!(scalar("1632847927.599013").time(), Some(1_632_847_927));
        assert_eq!(scalar("\"1729603046\"").time(), Some(1_729_603_046));
        for absent in ["0", "-5", "null", "\"now\"", "1e400".trim_end_matches("e400")] {
            assert!(scalar(absent).time().is_none_or(|time| time == 1), "{absent}");
        }
    }
}
