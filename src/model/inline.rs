//! Content that carries the bytes of a medium itself: `base64://…` as adapters write it, or a `data:`
//! URI (RFC 2397), which can carry the name of the file, too.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The name of a file, where there is one, and its bytes.
pub type NamedBytes = (Option<String>, Vec<u8>);

/// Description of inline content, made without decoding it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline {
    /// The name of the file, where the content has one.
    pub name: Option<String>,
    /// The size in bytes.
    pub size: usize,
}

/// Standard base64 with or without its padding: programs write both.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Inline {
    /// Reads the head of a content; `None` if it has no bytes in base64.
    pub fn parse(content: &str) -> Option<Self> {
        let Parts { name, data, is_base64: true } = Parts::of(content)? else { return None };
        Some(Self { name, size: decoded_size(data) })
    }

    /// Whether a content has bytes, in base64 or in another form.
    pub fn is_in(content: &str) -> bool {
        Parts::of(content).is_some()
    }

    /// The name of the file, if there is one, and the bytes of a content; `None` if it has no
    /// bytes, an error if they cannot be decoded.
    pub fn decode(content: &str) -> Option<Result<NamedBytes, String>> {
        let Parts { name, data, is_base64 } = Parts::of(content)?;
        if !is_base64 {
            return Some(Ok((name, percent_decode_str(data).collect())));
        }
        let text: Vec<u8> = data.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let bytes = LENIENT.decode(text).map_err(|error| format!("it is no base64: {error}"));
        Some(bytes.map(|bytes| (name, bytes)))
    }

    /// The content that carries the bytes of a file, and its name.
    pub fn write(name: &str, bytes: &[u8]) -> String {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
        format!("data:application/octet-stream;name={name};base64,{}", STANDARD.encode(bytes))
    }
}

/// The parts of content that has bytes.
struct Parts<'a> {
    name: Option<String>,
    data: &'a str,
    is_base64: bool,
}

impl<'a> Parts<'a> {
    fn of(content: &'a str) -> Option<Self> {
        let content = content.trim();
        if let Some(data) = without_scheme(content, "base64://") {
            return Some(Self { name: None, data, is_base64: true });
        }
        let (head, data) = without_scheme(content, "data:")?.split_once(',')?;
        let name = head.split(';').skip(1).find_map(|part| without_scheme(part, "name="));
        let decode = |name| percent_decode_str(name).decode_utf8_lossy().into_owned();
        let is_base64 = head.to_ascii_lowercase().ends_with(";base64");
        Some(Self { name: name.map(decode), data, is_base64 })
    }
}

/// The rest after a scheme, which may be in any case.
fn without_scheme<'a>(content: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = content.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// The size of the bytes that a base64 text encodes (RFC 4648, 4).
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
        assert_eq!(Inline::decode("https://x/a.png"), None);
    }

    #[test]
    fn bytes_are_read_as_programs_write_them() {
        let of = |content: &str| Inline::decode(content).unwrap();
        let hi = |name: Option<&str>| Ok((name.map(str::to_owned), b"hi".to_vec()));
        for content in ["base64://aGk=", " BASE64://aG\nk ", "data:image/png;base64,aGk="] {
            assert_eq!(of(content), hi(None), "{content}");
        }
        assert_eq!(of("data:a/b;name=%E5%AD%A3.pdf;base64,aGk"), hi(Some("季.pdf")));
        assert_eq!(of("data:text/plain,h%69"), hi(None));
        assert!(of("base64://!").is_err());
    }
}
