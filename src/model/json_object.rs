//! JSON objects that are read as nothing else: serde also takes an array, for the fields in their order.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Reads a value from an object, or from a table of TOML.
///
/// # Errors
///
/// It is no object, or the value cannot be read from it.
pub fn from_object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

/// The same for a value that may be absent.
///
/// # Errors
///
/// It is there and no object, or the value cannot be read from it.
pub fn some_from_object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    from_object(deserializer).map(Some)
}

/// The same for a value that may be absent or null.
///
/// # Errors
///
/// It is there and neither an object nor null, or the value cannot be read from it.
pub fn nullable_from_object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let read = Option::<FromObject<T>>::deserialize(deserializer)?;
    Ok(read.map(|FromObject(value)| value))
}

/// Reads a list of values, each from an object.
///
/// # Errors
///
/// It is no list, or a value of it cannot be read from an object.
pub fn list_from_objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let read = Vec::<FromObject<T>>::deserialize(deserializer)?;
    Ok(read.into_iter().map(|FromObject(value)| value).collect())
}

/// Reads a value from the text of an object.
///
/// # Errors
///
/// The text is no object, or the value cannot be read from it.
pub fn object_from_str<'de, T: Deserialize<'de>>(json: &'de str) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = from_object(&mut deserializer)?;
    deserializer.end().map(|()| value)
}

/// A value that is read from an object.
#[derive(serde::Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct FromObject<T>(#[serde(deserialize_with = "from_object")] T);

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Person<'a> {
        name: &'a str,
        #[serde(default)]
        age: u8,
    }

    #[test]
    fn an_array_is_no_object() {
        let read = object_from_str::<Person<'_>>;
        assert_eq!(read(r#"{"name":"a","age":1}"#).unwrap(), Person { name: "a", age: 1 });
        for wrong in [r#"["a",1]"#, r#"["a"]"#, "[]", "null", r#""a""#, r#"{"name":"a"} x"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let told = read(r#"["a",1]"#).unwrap_err().to_string();
        assert!(told.starts_with("invalid type: sequence, expected a map"), "{told}");
    }

    #[test]
    fn raw_values_are_borrowed_from_the_text() {
        #[derive(serde::Deserialize)]
        struct Raw<'a> {
            #[serde(borrow)]
            data: &'a RawValue,
        }
        assert_eq!(object_from_str::<Raw<'_>>(r#"{"data": [1.50]}"#).unwrap().data.get(), "[1.50]");
    }
}
