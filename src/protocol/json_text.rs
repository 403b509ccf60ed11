//! Writes the same JSON as `serde_json` in less time. `serde_json` checks each byte of each text, and of
//! each name of a field, for characters to escape. Here 32 bytes are checked at a time, names of fields are
//! not checked, and only texts with such characters, and numbers, are passed to `serde_json`.

use serde::{Serialize, Serializer, ser};
use serde_json::{Error, Result};

/// Appends a value as JSON. After an error, the text has a part of it.
///
/// # Errors
///
/// A type refuses to be written. Keys of maps have to be texts or numbers, which is not checked.
pub fn append_json<T: Serialize + ?Sized>(text: &mut Vec<u8>, value: &T) -> Result<()> {
    value.serialize(JsonText(text))
}

/// The text to which a value is appended.
struct JsonText<'a>(&'a mut Vec<u8>);

/// An array or object that is being written.
struct Compound<'a> {
    text: &'a mut Vec<u8>,
    /// Whether nothing is in it yet.
    is_empty: bool,
    /// The text after its last part.
    end: &'static [u8],
    /// Its only field has JSON that is written unchanged.
    is_raw: bool,
}

/// The name of the struct by which `serde_json` recognizes its `RawValue`.
const RAW_JSON: &str = "$serde_json::private::RawValue";

impl<'a> JsonText<'a> {
    /// Writes a value with `serde_json`.
    fn serialized<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        serde_json::to_writer(self.0, value)
    }

    fn begin(self, begin: u8, end: &'static [u8]) -> Compound<'a> {
        self.0.push(begin);
        Compound { text: self.0, is_empty: true, end, is_raw: false }
    }

    /// Writes `{"variant":`. The caller writes the end.
    fn begin_variant(&mut self, variant: &str) -> Result<()> {
        self.0.push(b'{');
        append_json(self.0, variant)?;
        self.0.push(b':');
        Ok(())
    }
}

impl Compound<'_> {
    /// Writes the comma between two parts.
    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_empty) {
            self.text.push(b',');
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.separate();
        append_json(self.text, value)
    }

    /// Writes a key that is the name of a field.
    fn name(&mut self, name: &'static str) {
        self.separate();
        append_plain(self.text, name);
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.separate();
        let begin = self.text.len();
        append_json(self.text, key)?;
        // Keys are texts, so numbers get quotation marks.
        if self.text.get(begin) != Some(&b'"') {
            self.text.insert(begin, b'"');
            self.text.push(b'"');
        }
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.text.push(b':');
        append_json(self.text, value)
    }

    /// Writes the JSON in a text unchanged.
    fn raw<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let json: String = serde_json::from_value(serde_json::to_value(value)?)?;
        self.text.extend_from_slice(json.as_bytes());
        Ok(())
    }

    fn finish(self) {
        self.text.extend_from_slice(self.end);
    }
}

/// Appends a text that needs no escapes.
#[inline]
fn append_plain(text: &mut Vec<u8>, plain: &str) {
    text.reserve(plain.len() + 2);
    text.push(b'"');
    text.extend_from_slice(plain.as_bytes());
    text.push(b'"');
}

/// Whether a text needs no escapes in JSON.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let Some(&last) = text.last_chunk() else { return is_plain_short(text) };
    let (blocks, rest) = text.as_chunks();
    let (words, _) = rest.as_chunks();
    blocks.iter().all(is_plain_block)
        && words.iter().all(|&word| is_plain_word(word))
        // Some of the last eight bytes were checked before.
        && is_plain_word(last)
}

/// [`is_plain`] for fewer than eight bytes.
fn is_plain_short(text: &[u8]) -> bool {
    match (text.first_chunk(), text.last_chunk()) {
        (Some(&first), Some(&last)) => {
            let halves = [first, last].map(|half| u64::from(u32::from_ne_bytes(half)));
            is_plain_word((halves[0] | halves[1] << 32).to_ne_bytes())
        }
        _ => text.iter().all(|&byte| !is_special(byte)),
    }
}

/// Whether a byte is a control character, a quotation mark or a backslash.
fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Whether none of 32 bytes is special. All are compared, which takes four instructions for 16 of them.
fn is_plain_block(bytes: &[u8; 32]) -> bool {
    let special =
        |byte: u8| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
    bytes.iter().fold(0, |found, &byte| found | special(byte)) == 0
}

/// Whether none of eight bytes is special.
fn is_plain_word(bytes: [u8; 8]) -> bool {
    first_special(bytes).is_none()
}

/// The first of eight bytes that is a control character, a quotation mark or a backslash.
pub(super) fn first_special(bytes: [u8; 8]) -> Option<usize> {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    const TOP_BITS: u64 = EACH << 7;
    // Sets the top bit of each byte below `limit`, and perhaps of bytes above such a byte, but never
    // without one.
    let below = |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word;
    let word = u64::from_le_bytes(bytes);
    let is = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    let special = (below(word, b' ') | is(b'"') | is(b'\\')) & TOP_BITS;
    (special != 0).then(|| special.trailing_zeros() as usize / 8)
}

/// Methods for values that are passed to `serde_json`.
macro_rules! serialized {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<()> {
            self.serialized(&value)
        })*
    };
}

impl<'a> Serializer for JsonText<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    serialized! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_bytes: &[u8],
    }

    fn serialize_str(self, value: &str) -> Result<()> {
        if !is_plain(value.as_bytes()) {
            return self.serialized(value);
        }
        append_plain(self.0, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.begin_variant(variant)?;
        append_json(self.0, value)?;
        self.0.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Compound<'a>> {
        Ok(self.begin(b'[', b"]"))
    }

    fn serialize_tuple(self, _length: usize) -> Result<Compound<'a>> {
        Ok(self.begin(b'[', b"]"))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Compound<'a>> {
        Ok(self.begin(b'[', b"]"))
    }

    fn serialize_tuple_variant(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Compound<'a>> {
        self.begin_variant(variant)?;
        Ok(self.begin(b'[', b"]}"))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Compound<'a>> {
        Ok(self.begin(b'{', b"}"))
    }

    fn serialize_struct(self, name: &'static str, _length: usize) -> Result<Compound<'a>> {
        if name == RAW_JSON {
            return Ok(Compound { text: self.0, is_empty: true, end: b"", is_raw: true });
        }
        Ok(self.begin(b'{', b"}"))
    }

    fn serialize_struct_variant(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Compound<'a>> {
        self.begin_variant(variant)?;
        Ok(self.begin(b'{', b"}}"))
    }
}

/// Traits of arrays.
macro_rules! arrays {
    ($($array:ident: $method:ident),* $(,)?) => {
        $(impl ser::$array for Compound<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.element(value)
            }

            fn end(self) -> Result<()> {
                self.finish();
                Ok(())
            }
        })*
    };
}

arrays! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

/// Traits of objects whose keys are names of fields.
macro_rules! objects {
    ($($object:ident),* $(,)?) => {
        $(impl ser::$object for Compound<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<()> {
                if self.is_raw {
                    return self.raw(value);
                }
                self.name(key);
                self.value(value)
            }

            fn end(self) -> Result<()> {
                self.finish();
                Ok(())
            }
        })*
    };
}

objects! { SerializeStruct, SerializeStructVariant }

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.value(value)
    }

    fn end(self) -> Result<()> {
        self.finish();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
