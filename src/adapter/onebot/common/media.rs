//! Where the bytes of a medium come from.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// What may not stand in the path of a `file` URI as it is (RFC 3986, 3.3).
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The content of an outbound message that is no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::adapter::onebot) enum Source<'a> {
    /// To be fetched by `http` or `https`.
    Url(&'a str),
    /// The bytes themselves, as base64.
    Data(&'a str),
    /// The same with the file's name.
    NamedData(&'a str, Cow<'a, str>),
    /// A file on the implementation's host.
    Path(Cow<'a, str>),
    /// A name or ID that the implementation knows already.
    Known(&'a str),
}

impl<'a> Source<'a> {
    pub(in crate::adapter::onebot) fn parse(content: &'a str) -> Self {
        if content.starts_with("http://") || content.starts_with("https://") {
            Self::Url(content)
        } else if let Some(data) = content.strip_prefix("base64://") {
            Self::Data(data)
        } else if let Some((head, data)) =
            content.strip_prefix("data:").and_then(|uri| uri.split_once(','))
            && let Some(head) = head.strip_suffix(";base64")
        {
            name_attribute(head).map_or(Self::Data(data), |name| Self::NamedData(data, name))
        } else if let Some(path) = content.strip_prefix("file://") {
            Self::Path(file_path(path))
        } else if content.starts_with('/') || is_windows_path(content) {
            Self::Path(content.into())
        } else {
            Self::Known(content)
        }
    }

    /// A name for the file, as people would see it.
    pub(in crate::adapter::onebot) fn name(&self) -> &str {
        let name = match self {
            Self::Url(url) => {
                let path = url.split(['?', '#']).next().and_then(|url| url.split_once("://"));
                path.and_then(|(_, path)| path.rsplit_once('/')).map(|(_, name)| name)
            }
            Self::Path(path) => path.rsplit(['/', '\\']).next(),
            Self::Data(_) => None,
            Self::NamedData(_, name) => Some(&**name),
            Self::Known(name) => Some(*name),
        };
        name.filter(|name| !name.is_empty()).unwrap_or("file")
    }
}

/// The value of `name`, an attribute of a data URI's media type (RFC 2397).
fn name_attribute(head: &str) -> Option<Cow<'_, str>> {
    let name = head.split(';').find_map(|attribute| attribute.strip_prefix("name="))?;
    percent_decode_str(name).decode_utf8().ok()
}

/// The path of a `file` URI: `/C:/x` is the `C:/x` of Windows.
fn file_path(path: &str) -> Cow<'_, str> {
    let path = path.strip_prefix('/').filter(|path| is_windows_path(path)).unwrap_or(path);
    percent_decode_str(path).decode_utf8().unwrap_or(Cow::Borrowed(path))
}

fn is_windows_path(path: &str) -> bool {
    matches!(path.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic())
        || path.starts_with("\\\\")
}

/// The `file` URI of a path (RFC 8089).
pub(in crate::adapter::onebot) fn file_uri(path: &str) -> String {
    if is_windows_path(path) {
        let path = path.replace('\\', "/");
        return format!("file:///{}", utf8_percent_encode(path.trim_start_matches('/'), PATH));
    }
    format!("file://{}", utf8_percent_encode(path, PATH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_known_by_its_beginning() {
        assert_eq!(Source::parse("https://x/a.png?b=/c"), Source::Url("https://x/a.png?b=/c"));
        assert_eq!(Source::parse("base64://aGk="), Source::Data("aGk="));
        assert_eq!(Source::parse("data:image/png;base64,aGk="), Source::Data("aGk="));
        assert_eq!(Source::parse("/tmp/a b.png"), Source::Path("/tmp/a b.png".into()));
        assert_eq!(Source::parse("file:///tmp/a%20b.png"), Source::Path("/tmp/a b.png".into()));
        assert_eq!(Source::parse("file:///C:/a.png"), Source::Path("C:/a.png".into()));
        assert_eq!(Source::parse(r"C:\a.png"), Source::Path(r"C:\a.png".into()));
        assert_eq!(Source::parse("ABC.image"), Source::Known("ABC.image"));
    }

    #[test]
    fn a_file_has_a_name() {
        for (content, name) in [
            ("https://x/a/b.png?c=/d#e", "b.png"),
            ("https://x/", "file"),
            ("https://x", "file"),
            ("/tmp/a b.png", "a b.png"),
            (r"C:\x\a.png", "a.png"),
            ("base64://aGk=", "file"),
            ("data:text/plain;base64,aGk=", "file"),
            ("data:application/pdf;name=%E5%AD%A3%20a.pdf;base64,aGk=", "季 a.pdf"),
            ("data:application/pdf;name=;base64,aGk=", "file"),
        ] {
            assert_eq!(Source::parse(content).name(), name, "{content}");
        }
    }

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(file_uri("/tmp/a b#1.png"), "file:///tmp/a%20b%231.png");
        assert_eq!(file_uri(r"C:\图\1.png"), "file:///C:/%E5%9B%BE/1.png");
    }
}
