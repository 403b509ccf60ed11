//! The content of a message, for people in a terminal.

use crate::model::inline::Inline;
use crate::model::message::Message;
use std::borrow::Cow;

/// The content for people: text as it is, a medium as `[image] cat.png, 12 kB` or `[image]
/// https://…`. The bytes of a medium are never shown.
pub fn readable(message: &Message) -> Cow<'_, str> {
    let Some((message_type, media)) = message.content.media() else {
        return message.content.readable();
    };
    let label = message_type.as_str().to_lowercase();
    let carries_bytes = media.url.as_deref().is_some_and(|url| Inline::parse(url).is_some());
    let address = media.url.as_deref().filter(|_| !carries_bytes);
    let size = media.size.filter(|_| address.is_none()).map(in_units);
    let words = match (address.or(media.name.as_deref()), size) {
        (Some(words), Some(size)) => format!("{words}, {size}"),
        (Some(words), None) => words.to_owned(),
        (None, Some(size)) => size,
        (None, None) => return Cow::Owned(format!("[{label}]")),
    };
    Cow::Owned(format!("[{label}] {words}"))
}

/// A count with its noun in the singular or plural.
pub fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// A number of bytes, with a unit.
pub fn in_units(bytes: u64) -> String {
    match bytes {
        0..1_000 => counted(bytes, "byte", "bytes"),
        1_000..1_000_000 => format!("{} kB", (bytes + 500) / 1_000),
        1_000_000..10_000_000_000 => format!("{} MB", (bytes + 500_000) / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{Draft, MessageType};

    fn shown(message_type: MessageType, content: &str) -> String {
        let draft = Draft::new(message_type, content.into(), "group_1".into(), None).unwrap();
        readable(&draft.into_message(1, uuid::Uuid::nil(), 0)).into_owned()
    }

    #[test]
    fn bytes_are_named_and_never_shown() {
        let data = "QUJD".repeat(4_000);
        let named = format!("data:application/octet-stream;name=%E6%9C%88.png;base64,{data}");
        assert_eq!(shown(MessageType::Image, &named), "[image] 月.png, 12 kB");
        assert_eq!(shown(MessageType::Video, &format!("base64://{data}")), "[video] 12 kB");
        assert_eq!(shown(MessageType::File, "base64://QQ=="), "[file] 1 byte");
        assert_eq!(shown(MessageType::Audio, "https://x/y"), "[audio] https://x/y");
        assert_eq!(shown(MessageType::Text, "base64 is a word"), "base64 is a word");
    }
}
