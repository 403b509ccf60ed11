//! From the parts of a message to its readable text and its type (contract, item 23).

use crate::model::message::MessageType;
use std::borrow::Cow;

/// One part of a message as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::adapter::onebot) enum Fragment<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// The name of something that brings no text, such as `[forward]`.
    Label(Cow<'a, str>),
    /// An image, audio, video or file.
    Media { message_type: MessageType, address: Option<Cow<'a, str>>, name: Option<Cow<'a, str>> },
}

impl<'a> Fragment<'a> {
    /// A label with what is known of it, such as `[location] 人民广场`.
    pub(in crate::adapter::onebot) fn labelled(label: &str, detail: Option<&str>) -> Self {
        match detail {
            Some(detail) => Self::Text(Cow::Owned(format!("[{label}] {detail}"))),
            None => Self::Label(Cow::Owned(format!("[{label}]"))),
        }
    }

    /// An image, audio, video or file: by its address, else by its name. Bytes as base64 are no
    /// address.
    pub(in crate::adapter::onebot) fn media(
        message_type: MessageType,
        addresses: [Option<&'a str>; 2],
        name: Option<&'a str>,
    ) -> Self {
        let is_address =
            |address: &&str| !address.starts_with("base64://") && !address.starts_with("data:");
        let mut addresses = addresses.into_iter().flatten().map(str::trim);
        let address = addresses.find(|address| is_address(address) && !address.is_empty());
        Self::Media {
            message_type,
            address: address.map(Cow::Borrowed),
            name: name.map(Cow::Borrowed),
        }
    }

    fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    /// Whether it is no more than a label.
    fn is_bare(&self) -> bool {
        match self {
            Self::Text(_) => self.is_blank(),
            Self::Label(_) => true,
            Self::Media { address, name, .. } => address.is_none() && name.is_none(),
        }
    }

    /// The text of the fragment among others, and whether an address ends it.
    fn in_line(&self) -> (Cow<'_, str>, bool) {
        match self {
            Self::Text(text) | Self::Label(text) => (Cow::Borrowed(text), false),
            Self::Media {
                message_type: MessageType::File,
                address: Some(address),
                name: Some(name),
            } if name != address => (Cow::Owned(format!("{name} {address}")), true),
            Self::Media { message_type, address, name } => {
                let text = address.as_deref().or(name.as_deref());
                (Cow::Borrowed(text.unwrap_or(label_of(*message_type))), true)
            }
        }
    }
}

fn label_of(message_type: MessageType) -> &'static str {
    match message_type {
        MessageType::Text => "[message]",
        MessageType::Image => "[image]",
        MessageType::Audio => "[audio]",
        MessageType::Video => "[video]",
        MessageType::File => "[file]",
    }
}

/// How a message reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::adapter::onebot) struct Reading {
    pub(in crate::adapter::onebot) message_type: MessageType,
    pub(in crate::adapter::onebot) content: String,
    /// The message as it came, where the content does not hold all of it.
    pub(in crate::adapter::onebot) original: Option<String>,
    /// The content is made of labels alone.
    pub(in crate::adapter::onebot) is_bare: bool,
}

impl Reading {
    /// Reads fragments: one image, audio, video or file alone is its address or name, everything
    /// else text.
    pub(in crate::adapter::onebot) fn of(
        fragments: &[Fragment<'_>],
        original: Option<String>,
    ) -> Self {
        let is_bare = fragments.iter().all(Fragment::is_bare);
        let mut seen = fragments.iter().filter(|fragment| !fragment.is_blank());
        let (message_type, content) = match (seen.next(), seen.next()) {
            (Some(Fragment::Media { message_type, address, name }), None) => {
                let content = address.as_deref().or(name.as_deref());
                (*message_type, content.unwrap_or(label_of(*message_type)).to_owned())
            }
            (None, _) => (MessageType::Text, label_of(MessageType::Text).to_owned()),
            (Some(_), _) => (MessageType::Text, line(fragments)),
        };
        Self { message_type, content, original, is_bare }
    }
}

/// Everything in one text; addresses stand apart, so that they can be followed.
fn line(fragments: &[Fragment<'_>]) -> String {
    let mut line = String::new();
    let mut after_address = false;
    for (text, is_address) in fragments.iter().map(Fragment::in_line) {
        let touches = !line.is_empty()
            && !line.ends_with(char::is_whitespace)
            && !text.starts_with(char::is_whitespace);
        if touches && (after_address || is_address) {
            line.push(' ');
        }
        line.push_str(&text);
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
        Fragment::media(MessageType::Image, [Some(address), None], None)
    }

    fn read(fragments: &[Fragment<'_>]) -> (MessageType, String) {
        let reading = Reading::of(fragments, None);
        (reading.message_type, reading.content)
    }

    #[test]
    fn media_alone_are_the_message() {
        assert_eq!(read(&[image("http://a")]), (MessageType::Image, "http://a".into()));
        assert_eq!(
            read(&[text(" "), image(" http://a ")]),
            (MessageType::Image, "http://a".into())
        );
        let named =
            Fragment::media(MessageType::File, [Some("base64://aGk="), None], Some("a.pdf"));
        assert_eq!(read(&[named]), (MessageType::File, "a.pdf".into()));
        assert_eq!(read(&[image("data:image/png;base64,aGk=")]).1, "[image]");
    }

    #[test]
    fn among_others_they_are_an_address_in_the_text() {
        let (kind, content) = read(&[text("看"), image("http://a"), image("http://b"), text("好")]);
        assert_eq!((kind, content.as_str()), (MessageType::Text, "看 http://a http://b 好"));
        let file =
            Fragment::media(MessageType::File, [Some("http://f"), None], Some("季度报告.pdf"));
        assert_eq!(read(&[text("看"), file]).1, "看 季度报告.pdf http://f");
    }

    #[test]
    fn text_stays_as_it_is() {
        assert_eq!(read(&[text("a\n"), text(" b")]).1, "a\n b");
        assert_eq!(read(&[]), (MessageType::Text, "[message]".into()));
    }

    #[test]
    fn labels_alone_say_nothing() {
        let forward = Fragment::labelled("forward", None);
        assert!(Reading::of(&[text(" "), forward.clone(), image("")], None).is_bare);
        assert!(!Reading::of(&[forward, text("x")], None).is_bare);
        assert!(!Reading::of(&[Fragment::labelled("card", Some("x"))], None).is_bare);
    }
}
