//! From the fragments of a message to one readable line and one type.

use crate::model::message::MessageType;
use std::borrow::Cow;

/// What a segment is to a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::adapter::onebot) enum Fragment<'a> {
    /// Words, or a label in their place.
    Text(Cow<'a, str>),
    /// Something to see or hear, by its address.
    Media(MessageType, Cow<'a, str>),
}

impl Fragment<'_> {
    pub(in crate::adapter::onebot) fn label(label: &'static str) -> Self {
        Self::Text(Cow::Borrowed(label))
    }

    /// A label with what is known of it: `[位置] 人民广场`.
    pub(in crate::adapter::onebot) fn labelled(label: &str, detail: Option<&str>) -> Self {
        match detail {
            Some(detail) => Self::Text(Cow::Owned(format!("[{label}] {detail}"))),
            None => Self::Text(Cow::Owned(format!("[{label}]"))),
        }
    }
}

/// The type and the content of a message: one medium alone is its address, everything else text.
pub(in crate::adapter::onebot) fn read(fragments: &[Fragment<'_>]) -> (MessageType, String) {
    let is_blank = |fragment: &&Fragment<'_>| matches!(fragment, Fragment::Text(text) if text.trim().is_empty());
    let mut seen = fragments.iter().filter(|fragment| !is_blank(fragment));
    if let (Some(Fragment::Media(kind, address)), None) = (seen.next(), seen.next()) {
        return (*kind, address.to_string());
    }
    let line = line(fragments);
    let is_empty = line.trim().is_empty();
    (MessageType::Text, if is_empty { "[空消息]".into() } else { line })
}

/// Everything in one text; addresses stand apart, so that they can be followed.
fn line(fragments: &[Fragment<'_>]) -> String {
    let mut line = String::new();
    let mut after_address = false;
    for fragment in fragments {
        let (text, is_address) = match fragment {
            Fragment::Text(text) => (text, false),
            Fragment::Media(_, address) => (address, true),
        };
        let touches = !line.is_empty()
            && !line.ends_with(char::is_whitespace)
            && !text.starts_with(char::is_whitespace);
        if touches && (after_address || is_address) {
            line.push(' ');
        }
        line.push_str(text);
        after_address = is_address;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Fragment<'_> {
        Fragment::Text(text.into())
    }

    fn image(address: &str) -> Fragment<'_> {
        Fragment::Media(MessageType::Image, address.into())
    }

    #[test]
    fn a_medium_alone_is_the_message() {
        assert_eq!(read(&[image("http://a")]), (MessageType::Image, "http://a".into()));
        assert_eq!(read(&[text(" "), image("http://a")]), (MessageType::Image, "http://a".into()));
    }

    #[test]
    fn in_company_it_is_an_address_in_the_text() {
        let (kind, content) = read(&[text("看"), image("http://a"), image("http://b"), text("好")]);
        assert_eq!((kind, content.as_str()), (MessageType::Text, "看 http://a http://b 好"));
    }

    #[test]
    fn text_stays_as_it_is() {
        assert_eq!(read(&[text("a\n"), text(" b")]).1, "a\n b");
        assert_eq!(read(&[]), (MessageType::Text, "[空消息]".into()));
    }
}
