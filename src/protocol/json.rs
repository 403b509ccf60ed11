//! Lenient JSON: reads the JSON that other programs really write.
//!
//! Repaired are a byte order mark, half a surrogate pair (it becomes U+FFFD), a key that stands
//! twice in an object (the last one counts, RFC 8259, 4) and control characters that are not
//! escaped. Numbers keep every digit.

use super::json_text::first_special;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// Reads a value from JSON text in UTF-8; repairs the text only where it cannot be read as it is.
///
/// # Errors
///
/// The text is not JSON, or not of this type.
pub fn from_slice_lenient<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let error = match serde_json::from_slice(bytes) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match std::str::from_utf8(bytes).map(repair) {
        Ok(Cow::Owned(text)) => serde_json::from_str(&text),
        Ok(Cow::Borrowed(text)) if text.len() < bytes.len() => serde_json::from_str(text),
        Ok(Cow::Borrowed(_)) | Err(_) => Err(error),
    }
}

/// Repairs JSON text at every depth; borrowed if nothing but a byte order mark has to be removed.
///
/// Text that is no JSON comes back as it is or stays no JSON.
pub fn repair(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let edits = Scanner { text, edits: Vec::new() }.scan();
    if edits.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(apply(text, edits)) }
}

/// Objects and arrays inside each other that are looked into: as many as `serde_json` reads, and each costs
/// memory.
const MAX_DEPTH: usize = 128;

/// Positions that are repaired. A text that needs more is no program's mistake, and each costs memory.
const MAX_EDITS: usize = 1 << 16;

/// A range of the text, and its replacement.
type Replacement = (Range<usize>, Cow<'static, str>);

fn apply(text: &str, mut edits: Vec<Replacement>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut repaired = String::with_capacity(text.len());
    let mut done = 0;
    for (range, replacement) in edits {
        // An edit inside a range that was removed already has no effect.
        if range.start >= done {
            repaired.push_str(&text[done..range.start]);
            repaired.push_str(&replacement);
            done = range.end;
        }
    }
    repaired.push_str(&text[done..]);
    repaired
}

/// Keys of an object that are compared one by one, which is quicker than a map of so few.
const MAX_COMPARED_KEYS: usize = 32;

/// Objects inside each other, and members of them, in most texts.
const USUAL_DEPTH: usize = 4;
const USUAL_MEMBERS: usize = 32;

/// An open object or array.
struct Open<'a> {
    is_object: bool,
    /// Indexes of its first member and of its first key in [`Members`].
    first_start: usize,
    first_key: usize,
    /// A bit for each kind of key among the first ones. It shows for most keys that they are new.
    kinds: u64,
    /// The last member of each key beyond the first [`MAX_COMPARED_KEYS`].
    more: HashMap<Cow<'a, str>, usize>,
}

/// Members of the open objects, those of the innermost last.
struct Members<'a> {
    open: Vec<Open<'a>>,
    /// Where each member begins.
    starts: Vec<usize>,
    /// The first [`MAX_COMPARED_KEYS`] keys of each object, and the last member of each as an index into `starts`.
    keys: Vec<(Cow<'a, str>, usize)>,
}

impl<'a> Members<'a> {
    fn new() -> Self {
        Self {
            open: Vec::with_capacity(USUAL_DEPTH),
            starts: Vec::with_capacity(USUAL_MEMBERS),
            keys: Vec::with_capacity(USUAL_MEMBERS),
        }
    }

    /// Begins an object or array inside the innermost one.
    fn begin(&mut self, is_object: bool) {
        let (first_start, first_key) = (self.starts.len(), self.keys.len());
        let more = HashMap::new();
        self.open.push(Open { is_object, first_start, first_key, kinds: 0, more });
    }

    /// Ends the innermost object or array.
    fn end(&mut self) {
        if let Some(Open { first_start, first_key, .. }) = self.open.pop() {
            self.starts.truncate(first_start);
            self.keys.truncate(first_key);
        }
    }

    fn is_in_object(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_object)
    }

    /// Adds a member of the innermost object that begins at `start`; returns the range of the earlier
    /// member with the same key.
    fn add(&mut self, key: Cow<'a, str>, start: usize) -> Option<Range<usize>> {
        let open = self.open.last_mut()?;
        let place = self.starts.len();
        self.starts.push(start);
        let kind = 1u64 << kind_of(&key);
        let few = &mut self.keys[open.first_key..];
        let may_be_known = open.kinds & kind != 0;
        let known = if may_be_known { few.iter_mut().find(|(few, _)| *few == key) } else { None };
        let before = if let Some((_, last)) = known {
            std::mem::replace(last, place)
        } else if few.len() < MAX_COMPARED_KEYS {
            open.kinds |= kind;
            self.keys.push((key, place));
            return None;
        } else {
            open.more.insert(key, place)?
        };
        Some(self.starts[before]..self.starts[before + 1])
    }
}

/// A number below 64 that is the same for equal keys and seldom the same for others.
fn kind_of(key: &str) -> usize {
    let [first, .., last] = key.as_bytes() else { return 0 };
    (usize::from(*first) + 5 * usize::from(*last) + 11 * key.len()) % 64
}

struct Scanner<'a> {
    text: &'a str,
    edits: Vec<Replacement>,
}

impl Scanner<'_> {
    fn scan(mut self) -> Vec<Replacement> {
        let mut members = Members::new();
        // Also counts objects and arrays that are too deep to be looked into.
        let mut depth = 0;
        let mut is_key = false;
        let mut at = 0;
        while let Some(&byte) = self.text.as_bytes().get(at)
            && self.edits.len() < MAX_EDITS
        {
            let start = at;
            at += 1;
            is_key = match byte {
                b'{' | b'[' => {
                    depth += 1;
                    if depth <= MAX_DEPTH {
                        members.begin(byte == b'{');
                    }
                    byte == b'{' && depth <= MAX_DEPTH
                }
                b'}' | b']' => {
                    if depth <= MAX_DEPTH {
                        members.end();
                    }
                    depth = depth.saturating_sub(1);
                    false
                }
                b'"' => {
                    let is_escaped;
                    (at, is_escaped) = self.string(start);
                    if is_key {
                        let key = key(&self.text[start..at], is_escaped);
                        let removed = members.add(key, start);
                        self.edits.extend(removed.map(|removed| (removed, Cow::Borrowed(""))));
                    }
                    false
                }
                b',' => depth <= MAX_DEPTH && members.is_in_object(),
                byte => is_key && byte.is_ascii_whitespace(),
            };
        }
        self.edits
    }

    /// The end of the string that begins here, and whether it has escapes; repairs its content.
    fn string(&mut self, start: usize) -> (usize, bool) {
        let bytes = self.text.as_bytes();
        let (mut at, mut is_escaped) = (start + 1, false);
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(before) = plain_bytes(rest) else { return (bytes.len(), is_escaped) };
            if self.edits.len() >= MAX_EDITS {
                return (bytes.len(), is_escaped);
            }
            at += before;
            match bytes[at] {
                b'"' => return (at + 1, is_escaped),
                b'\\' => {
                    is_escaped = true;
                    at += self.escape(at);
                }
                control => {
                    self.edits.push((at..at + 1, format!("\\u{control:04x}").into()));
                    at += 1;
                }
            }
        }
    }

    /// The length of the escape that begins here; half of a surrogate pair is replaced.
    fn escape(&mut self, at: usize) -> usize {
        const HALF: usize = "\\u0000".len();
        match (self.code_unit(at), self.code_unit(at + HALF)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 2 * HALF,
            (Some(0xd800..=0xdfff), _) => {
                self.edits.push((at..at + HALF, Cow::Borrowed("\\ufffd")));
                HALF
            }
            (Some(_), _) => HALF,
            (None, _) => 2,
        }
    }

    /// The UTF-16 code unit of the escape that begins here.
    fn code_unit(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    }
}

/// The number of bytes before the first special one; `None` if there is no special one.
fn plain_bytes(text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks();
    let in_words = words.iter().enumerate().find_map(|(n, word)| {
        let before = first_special(*word)?;
        Some(n * word.len() + before)
    });
    in_words.or_else(|| {
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
        Some(text.len() - rest.len() + rest.iter().position(is_special)?)
    })
}

/// The key that a quoted text encodes.
fn key(quoted: &str, is_escaped: bool) -> Cow<'_, str> {
    if is_escaped && let Ok(key) = serde_json::from_str(quoted) {
        return Cow::Owned(key);
    }
    let text = quoted.strip_prefix('"').unwrap_or(quoted);
    Cow::Borrowed(text.strip_suffix('"').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    #[derive(Debug, PartialEq, Deserialize)]
    struct Body {
        content: String,
        #[serde(default)]
        number: Option<u64>,
    }

    fn read(text: &str) -> Body {
        from_slice_lenient(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced_and_the_rest_kept() {
        for (written, content) in [
            (r"half \ud83d emoji", "half \u{fffd} emoji"),
            (r"\ud83d", "\u{fffd}"),
            (r"\uDE00\uD83D", "\u{fffd}\u{fffd}"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
            (r"\ud83d\\ude00", "\u{fffd}\\ude00"),
            (r"\\ud83d \ud83d", "\\ud83d \u{fffd}"),
            (r"whole \ud83d\ude00 \ud83d", "whole 😀 \u{fffd}"),
        ] {
            assert_eq!(read(&format!("{{\"content\": \"{written}\"}}")).content, content);
        }
    }

    #[test]
    fn the_last_of_a_doubled_key_counts() {
        for text in [
            r#"{"content": "old", "content": "new"}"#,
            r#"{"content": "old", "number": 5, "content": "new"}"#,
            r#"{"content": "old", "content": "older", "content": "new"}"#,
            r#"{"content": "old", "c\u006fntent": "new"}"#,
            r#"{"content": {"content": 1, "content": ["\ud83d"]}, "content" : "new"}"#,
        ] {
            assert_eq!(read(text).content, "new", "{text}");
        }
        assert_eq!(read(r#"{"number": 1, "content": "x", "number": 2}"#).number, Some(2));
    }

    #[test]
    fn keys_are_told_from_strings_that_look_like_them() {
        let text = r#"{"a": ["a", "a", {"a": 1}], "b": "a", "c": {"a": "\u0061"}}"#;
        assert!(matches!(repair(text), Cow::Borrowed(_)));
    }

    #[test]
    fn doubled_keys_are_repaired_at_every_depth() {
        let repaired =
            repair(r#"{"data": [{"text": "old", "text": "new"}], "x": {"y": 1, "y": 2}}"#);
        assert_eq!(repaired, r#"{"data": [{"text": "new"}], "x": {"y": 2}}"#);
    }

    #[test]
    fn the_last_of_a_doubled_key_counts_among_many_keys() {
        let keys = [3, MAX_COMPARED_KEYS - 1, MAX_COMPARED_KEYS, 2 * MAX_COMPARED_KEYS];
        let members = (0..3 * MAX_COMPARED_KEYS).map(|n| format!(r#""{n}": {n}"#));
        let again = keys.map(|n| format!(r#""{n}": -{n}"#));
        let text = format!("{{{}}}", members.chain(again).collect::<Vec<_>>().join(", "));
        let read: HashMap<String, i64> = serde_json::from_str(&repair(&text)).unwrap();
        let expected = (0..3 * MAX_COMPARED_KEYS).map(|n| {
            let value = i64::try_from(n).unwrap();
            (n.to_string(), if keys.contains(&n) { -value } else { value })
        });
        assert_eq!(read, expected.collect());
        assert_eq!(repair(&text).matches(':').count(), 3 * MAX_COMPARED_KEYS);
    }

    #[test]
    fn memory_is_bounded_for_deep_texts_and_for_many_repairs() {
        let deep = format!("{}{}", "[".repeat(1 << 20), r#"{"a": 1, "a": 2}"#);
        let scanned = Scanner { text: &deep, edits: Vec::new() }.scan();
        assert!(scanned.is_empty(), "what is that deep is not looked into");
        let near = format!("{}{}", "[".repeat(MAX_DEPTH - 1), r#"{"a": 1, "a": 2}"#);
        assert_eq!(Scanner { text: &near, edits: Vec::new() }.scan().len(), 1);
        let controls = format!("\"{}", "\u{1}".repeat(1 << 20));
        assert_eq!(Scanner { text: &controls, edits: Vec::new() }.scan().len(), MAX_EDITS);
    }

    #[test]
    fn a_byte_order_mark_and_bare_control_characters_are_read() {
        assert_eq!(read("\u{feff}{\"content\": \"x\"}").content, "x");
        assert_eq!(read("\u{feff}{\"content\": \"a\nb\tc\"}").content, "a\nb\tc");
    }

    #[test]
    fn large_numbers_keep_their_digits() {
        let read = read(r#"{"content": "\ud83d", "number": 18446744073709551615}"#);
        assert_eq!(read.number, Some(u64::MAX));
        let text = r#"{"n": 123456789012345678901234567890, "s": "\ud83d"}"#;
        let raw: HashMap<String, Box<RawValue>> = serde_json::from_str(&repair(text)).unwrap();
        assert_eq!(raw["n"].get(), "123456789012345678901234567890");
    }

    #[test]
    fn what_is_wrong_otherwise_is_an_error() {
        for text in ["", "{", "{\"content\": 5}", "{\"content\": \"\\ud83d\"", "\"\\u12\"", "[]"] {
            assert!(from_slice_lenient::<Body>(text.as_bytes()).is_err(), "{text}");
        }
        assert!(from_slice_lenient::<Body>(b"{\"content\": \"\xff\"}").is_err());
    }

    proptest! {
        #[test]
        fn sound_json_stays_as_it_is(texts in prop::collection::vec(".*", 0..5)) {
            let value = json!({"list": texts, "inner": {"list": texts}});
            let text = value.to_string();
            prop_assert_eq!(repair(&text), text.as_str());
        }

        #[test]
        fn no_text_panics(text in r#"([{}\[\],:" ]|\\u|\\|d8|dc|00|é|a){0,24}"#) {
            let repaired = repair(&text);
            if serde_json::from_str::<Value>(&text).is_ok() {
                prop_assert!(serde_json::from_str::<Value>(&repaired).is_ok());
            }
        }
    }
}
