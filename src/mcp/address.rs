//! Addresses of resources: `rechat://conversations/{platform}/{conversation}` and
//! `rechat://messages/{id}/media/{number}`. A file has no address of its own, so that it is seen
//! where its message is, and nowhere else.

use crate::model::content::{Media, Segment};
use crate::model::message::Message;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use uuid::Uuid;

/// Prefix of the address of a conversation; its platform and ID follow.
pub(super) const CONVERSATION: &str = "rechat://conversations/";

/// Prefix of the address of a message's file; the message's ID and the file's number follow.
pub(super) const MESSAGE: &str = "rechat://messages/";

/// The target of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ResourceAddress {
    Conversation {
        platform: String,
        conversation: String,
    },
    /// The files of a message are numbered from 1.
    Media {
        message: Uuid,
        number: usize,
    },
}

impl ResourceAddress {
    /// Reads an address; `None` if it has another form.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        if let Some(rest) = uri.strip_prefix(CONVERSATION) {
            let (platform, conversation) = rest.split_once('/')?;
            let decoded = |part| Some(percent_decode_str(part).decode_utf8().ok()?.into_owned());
            let (platform, conversation) = (decoded(platform)?, decoded(conversation)?);
            return Some(Self::Conversation { platform, conversation });
        }
        let (message, number) = uri.strip_prefix(MESSAGE)?.split_once("/media/")?;
        Some(Self::Media { message: message.parse().ok()?, number: number.parse().ok()? })
    }
}

/// The address of a conversation.
pub(super) fn of_conversation(platform: &str, conversation: &str) -> String {
    let escaped = |part| utf8_percent_encode(part, NON_ALPHANUMERIC);
    format!("{CONVERSATION}{}/{}", escaped(platform), escaped(conversation))
}

/// The address of a message's file.
pub(super) fn of_media(message: Uuid, number: usize) -> String {
    format!("{MESSAGE}{message}/media/{number}")
}

/// The files of a message in the order of their numbers, each with its type.
pub(super) fn media(message: &Message) -> Vec<(&'static str, Media)> {
    let segments = message.content.to_segments();
    let media = segments.iter().filter_map(|segment| {
        let kind = match segment {
            Segment::Image(_) => "image",
            Segment::Audio(_) => "audio",
            Segment::Video(_) => "video",
            Segment::File(_) => "file",
            _ => return None,
        };
        Some((kind, segment.media()?.clone()))
    });
    media.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_its_conversation() {
        for (platform, conversation) in
            [("qq", "group_1"), ("wechat", "private_a/b@c d%2F"), ("我", "群?x=1#y")]
        {
            let address = of_conversation(platform, conversation);
            let (platform, conversation) = (platform.to_owned(), conversation.to_owned());
            let wanted = ResourceAddress::Conversation { platform, conversation };
            assert_eq!(ResourceAddress::parse(&address), Some(wanted));
            assert_eq!(address.matches('/').count(), 4, "{address}");
        }
        let media = ResourceAddress::Media { message: Uuid::from_u128(7), number: 2 };
        assert_eq!(ResourceAddress::parse(&of_media(Uuid::from_u128(7), 2)), Some(media));
        for wrong in [
            "file:///etc/passwd",
            "rechat://conversations/qq",
            "rechat://conversations/%ff/x",
            "rechat://messages/../../etc/passwd/media/1",
            "rechat://messages/00000000-0000-0000-0000-000000000007/media/-1",
        ] {
            assert_eq!(ResourceAddress::parse(wrong), None, "{wrong}");
        }
    }
}
