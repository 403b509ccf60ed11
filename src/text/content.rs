//! The content of a message, for people.

use crate::model::inline::Inline;
use crate::model::message::{Message, MessageType};
use std::borrow::Cow;

/// The content as people read it: text as it is, a medium as `[image] cat.png, 12 kB` or
/// `[image] https://…`. The bytes of a medium are never part of it.
pub fn readable(message: &Message) -> Cow<'_, str> {
    let label = match message.message_type {
        MessageType::Text => return Cow::Borrowed(&message.content),
        other => other.as_str().to_lowercase(),
    };
    Cow::Owned(match Inline::parse(&message.content) {
        Some(Inline { name: Some(name), size }) => {
            format!("[{label}] {name}, {}", in_units(size as u64))
        }
        Some(Inline { name: None, size }) => format!("[{label}] {}", in_units(size as u64)),
        None => format!("[{label}] {}", message.content),
    })
}

/// The content as it is, except that the bytes of a medium are named instead.
pub fn without_bytes(message: &Message) -> Cow<'_, str> {
    let carries_bytes =
        message.message_type != MessageType::Text && Inline::parse(&message.content).is_some();
    if carries_bytes { readable(message) } else { Cow::Borrowed(&message.content) }
}

/// A number of bytes, short.
pub fn in_units(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        1_000_000..10_000_000_000 => format!("{} MB", bytes.div_ceil(1_000_000)),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Draft;

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
        assert_eq!(shown(MessageType::File, "base64://QQ=="), "[file] 1 bytes");
        assert_eq!(shown(MessageType::Audio, "https://x/y"), "[audio] https://x/y");
        assert_eq!(shown(MessageType::Text, "base64 is a word"), "base64 is a word");
    }
}
