//! Content of an outbound message that is no text: an address, or the bytes.

use crate::model::content::{Media, name_in_url};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Where the bytes of an image, audio, video or file come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::adapter::onebot) enum ByteSource<'a> {
    /// To be fetched by `http` or `https`.
    Url(Cow<'a, str>),
    /// A path on the implementation's host.
    Path(&'a str),
    /// The bytes themselves, as base64, and the file's name where it is told.
    Data { base64: Cow<'a, str>, name: Option<String> },
}

impl<'a> ByteSource<'a> {
    /// Where the bytes of media come from. A path is one of the folder that the implementation sees,
    /// for only media that are kept here have one.
    pub(in crate::adapter::onebot) fn of(media: &'a Media) -> Result<Self, String> {
        let url = media.url.as_deref().unwrap_or_default();
        match url.strip_prefix("file://").filter(|_| media.media.is_some()) {
            Some(path) => Ok(Self::Path(path)),
            None => Self::parse(url),
        }
    }

    /// Reads content; the error says what it has to be.
    pub(in crate::adapter::onebot) fn parse(content: &'a str) -> Result<Self, String> {
        let content = content.trim();
        if let Some(data) = without_scheme(content, "base64://") {
            return Ok(Self::Data { base64: data.into(), name: None });
        }
        if let Some((head, data)) =
            without_scheme(content, "data:").and_then(|uri| uri.split_once(','))
        {
            return Ok(data_uri(head, data));
        }
        for scheme in ["http://", "https://"] {
            if let Some(rest) = without_scheme(content, scheme) {
                let is_written_so = content.starts_with(scheme);
                let lower = || Cow::Owned(format!("{scheme}{rest}"));
                return Ok(Self::Url(if is_written_so { content.into() } else { lower() }));
            }
        }
        Err("the content is no URL (http:// or https://) and no bytes (base64://…); a path or a \
             name of a file is not read"
            .into())
    }

    /// The file's name, as people would see it.
    pub(in crate::adapter::onebot) fn name(&self) -> Cow<'_, str> {
        let name = match self {
            Self::Url(url) => name_in_url(url),
            Self::Path(_) => None,
            Self::Data { name, .. } => name.as_deref().map(Cow::Borrowed),
        };
        name.filter(|name| !name.trim().is_empty()).unwrap_or(Cow::Borrowed("file"))
    }
}

/// The rest after a scheme, in whatever case that is written.
fn without_scheme<'a>(content: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = content.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Reads a `data` URI (RFC 2397); the `name` parameter holds the file's name, percent-encoded.
fn data_uri<'a>(head: &'a str, data: &'a str) -> ByteSource<'a> {
    let mut parameters = head.split(';').skip(1);
    let is_base64 = head.to_ascii_lowercase().ends_with(";base64");
    let name = parameters.find_map(|parameter| without_scheme(parameter, "name="));
    let name = name.map(|name| percent_decode_str(name).decode_utf8_lossy().into_owned());
    let base64 = if is_base64 {
        Cow::Borrowed(data)
    } else {
        let bytes: Vec<u8> = percent_decode_str(data).collect();
        Cow::Owned(STANDARD.encode(bytes))
    };
    ByteSource::Data { base64, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(base64: &str, name: Option<&str>) -> ByteSource<'static> {
        let base64 = Cow::Owned(base64.to_owned());
        ByteSource::Data { base64, name: name.map(str::to_owned) }
    }

    #[test]
    fn an_address_is_known_in_any_case_and_between_spaces() {
        for (content, url) in [
            ("https://x/a.png?b=/c", "https://x/a.png?b=/c"),
            (" HTTPS://X/a.png\n", "https://X/a.png"),
            ("Http://x", "http://x"),
        ] {
            assert_eq!(ByteSource::parse(content), Ok(ByteSource::Url(url.into())), "{content}");
        }
    }

    #[test]
    fn bytes_come_as_base64_or_as_a_data_uri() {
        assert_eq!(ByteSource::parse("BASE64://aGk="), Ok(data("aGk=", None)));
        assert_eq!(ByteSource::parse("data:image/png;base64,aGk="), Ok(data("aGk=", None)));
        assert_eq!(ByteSource::parse("data:text/plain,h%69"), Ok(data("aGk=", None)));
        let named = "data:application/pdf;name=%E5%AD%A3%E5%BA%A6%20a.pdf;base64,aGk=";
        assert_eq!(ByteSource::parse(named), Ok(data("aGk=", Some("季度 a.pdf"))));
    }

    #[test]
    fn a_path_or_a_name_is_refused() {
        for content in ["/tmp/a.png", "file:///tmp/a.png", r"C:\a.png", "ABC.image", "", "httpx"] {
            assert!(ByteSource::parse(content).unwrap_err().contains("http://"), "{content}");
        }
    }

    #[test]
    fn a_file_has_a_name() {
        for (content, name) in [
            ("https://x/a/b.png?c=/d#e", "b.png"),
            ("https://x/%E6%8A%A5%E5%91%8A%201.pdf", "报告 1.pdf"),
            ("https://x/", "file"),
            ("https://x", "file"),
            ("base64://aGk=", "file"),
            ("data:a/b;NAME=c.pdf;base64,aGk=", "c.pdf"),
        ] {
            assert_eq!(ByteSource::parse(content).unwrap().name(), name, "{content}");
        }
    }
}
