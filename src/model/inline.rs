//! Content that carries the bytes of a medium itself: `base64://…` as OneBot writes it, or a `data:`
//! URI (RFC 2397), which can carry the name of the file, too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Description of inline content, made without decoding it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline {
    /// The name of the file, where the content has one.
    pub name: Option<String>,
    /// The size in bytes.
    pub size: usize,
}

impl Inline {
    /// Reads the head of a content; `None` where it does not carry bytes. Schemes are in any case
    /// (RFC 3986, 3.1).
    pub fn parse(content: &str) -> Option<Self> {
        if let Some(data) = after(content, "base64://") {
            return Some(Self { name: None, size: decoded_size(data) });
        }
        let (head, data) = after(content, "data:")?.split_once(',')?;
        let (head, encoding) = head.rsplit_once(';')?;
        if !encoding.eq_ignore_ascii_case("base64") {
            return None;
        }
        let name = head.split(';').skip(1).find_map(|parameter| after(parameter, "name="));
        let decode = |name| percent_decode_str(name).decode_utf8_lossy().into_owned();
        Some(Self { name: name.map(decode), size: decoded_size(data) })
    }

    /// The content that carries the bytes of a file, and its name.
    pub fn write(name: &str, bytes: &[u8]) -> String {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
        format!("data:application/octet-stream;name={name};base64,{}", STANDARD.encode(bytes))
    }
}

/// The rest of a text that begins with a word, in any case.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (beginning, rest) = text.split_at_checked(word.len())?;
    beginning.eq_ignore_ascii_case(word).then_some(rest)
}

/// The size of what base64 text stands for (RFC 4648, 4).
fn decoded_size(data: &str) -> usize {
    data.trim_end_matches('=').len() * 3 / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_size_are_read_from_what_was_written() {
        for size in [0, 1, 2, 3, 1000] {
            let content = Inline::write("季度 报告;v1,2.pdf", &vec![7; size]);
            let name = Some("季度 报告;v1,2.pdf".to_owned());
            assert_eq!(Inline::parse(&content), Some(Inline { name, size }));
        }
    }

    #[test]
    fn other_content_carries_no_bytes() {
        for content in ["https://x/a.png", "base64", "data:text/plain,hi", "/tmp/x.png"] {
            assert_eq!(Inline::parse(content), None, "{content}");
        }
        for content in ["base64://aGk=", "BASE64://aGk=", "DATA:image/png;charset=x;BASE64,aGk="] {
            assert_eq!(Inline::parse(content), Some(Inline { name: None, size: 2 }), "{content}");
        }
    }
}
