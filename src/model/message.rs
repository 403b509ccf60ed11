//! A message, its parts, and the five states of its life.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The most bytes a platform, recipient or other name may have; they become keys of the store.
pub const NAME_BYTES: usize = 256;

/// Type of a message's content.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[allow(missing_docs)]
pub enum MessageType {
    #[default]
    Text,
    Image,
    File,
    Video,
    Audio,
}

impl MessageType {
    /// Every type, in the order of the contract.
    pub const ALL: [Self; 5] = [Self::Text, Self::Image, Self::File, Self::Video, Self::Audio];

    /// The name as the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Image => "Image",
            Self::File => "File",
            Self::Video => "Video",
            Self::Audio => "Audio",
        }
    }
}

/// Where a message is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Status {
    /// Stored, and waits to be sent.
    Pending,
    /// Claimed by the outbox: an attempt is under way.
    Sending,
    /// Confirmed by the platform, or received from it.
    Sent,
    /// Given up; `last_error` says why.
    Failed,
    /// Taken back before it was sent.
    Canceled,
}

impl Status {
    /// Every state, in the order of the contract.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Sending, Self::Sent, Self::Failed, Self::Canceled];

    /// The name as the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Sending => "Sending",
            Self::Sent => "Sent",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }
}

/// Whether a message goes out to a platform or came in from one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[allow(missing_docs)]
pub enum Direction {
    #[default]
    Outbound,
    Inbound,
}

impl Direction {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::Outbound, Self::Inbound];

    /// The name as the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outbound => "Outbound",
            Self::Inbound => "Inbound",
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_outbound(&self) -> bool {
        *self == Self::Outbound
    }
}

/// Unknown name of an enum; the caller supplies the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownName;

macro_rules! named_enum {
    ($($name:ty),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(word: &str) -> Result<Self, UnknownName> {
                Self::ALL.into_iter().find(|known| known.as_str() == word).ok_or(UnknownName)
            }
        }
    )*};
}
named_enum!(MessageType, Status, Direction);

/// The author of a message, as the platform names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sender {
    /// The platform's ID of the user.
    pub id: String,
    /// The name shown: the group card, else the nickname.
    pub name: String,
}

/// One message as it is stored and as the contract's Part 1 shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Message {
    /// Its place in the journal: grows by one with each message made and is never used again.
    #[serde(skip)]
    pub seq: u64,
    /// The ID clients know it by.
    pub id: Uuid,
    #[allow(missing_docs)]
    pub message_type: MessageType,
    #[allow(missing_docs)]
    pub content: String,
    /// The conversation it belongs to, inbound too.
    pub recipient: String,
    #[allow(missing_docs)]
    pub status: Status,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds.
    pub updated_at: u64,
    /// How often it was sent again.
    pub retry_count: u32,
    /// The platform, once the maker named one or one was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    #[serde(default, skip_serializing_if = "Direction::is_outbound")]
    #[allow(missing_docs)]
    pub direction: Direction,
    /// The conversation's name for people, where the platform told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[allow(missing_docs)]
    pub sender: Option<Sender>,
    /// The account of ours it came in by, or left by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Why it waits, and what would help; told where it is read, never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
    /// The platform's own ID of the message; never shown, used to tell doubles.
    #[serde(skip)]
    pub external_id: Option<String>,
    /// The content as the platform wrote it (segments as JSON), where ours is a reading of it.
    #[serde(skip)]
    pub original: Option<String>,
    /// The outcome of the last attempt is unknown; it is looked up before the next one.
    #[serde(skip)]
    pub is_uncertain: bool,
    /// Which process claimed it, while it is being sent.
    #[serde(skip)]
    pub owner: Option<String>,
}

/// The platform that events and filters show for a message that has none yet.
pub const LOCAL: &str = "local";

impl Message {
    /// The platform, or [`LOCAL`] as long as none is found.
    pub fn platform_or_local(&self) -> &str {
        self.platform.as_deref().unwrap_or(LOCAL)
    }
}

/// A message that is asked to be sent: checked, without an ID yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    message_type: MessageType,
    content: String,
    recipient: String,
    platform: Option<String>,
}

impl Draft {
    /// Checks the parts; the error names the field and what would be right.
    ///
    /// The platform [`LOCAL`] means none, as it does in events.
    pub fn new(
        message_type: MessageType,
        content: String,
        recipient: String,
        platform: Option<String>,
    ) -> Result<Self, String> {
        if content.is_empty() {
            return Err("`content` is empty; give the text or the URL to send".into());
        }
        let content = if message_type == MessageType::Text {
            content
        } else {
            check_address(message_type, content)?
        };
        check_name("recipient", &recipient)?;
        if let Some(platform) = &platform {
            check_name("platform", platform)?;
        }
        let platform = platform.filter(|name| name != LOCAL);
        Ok(Self { message_type, content, recipient, platform })
    }

    /// A draft that was accepted before, by the rules of that time.
    pub(crate) fn accepted(
        message_type: MessageType,
        content: String,
        recipient: String,
        platform: Option<String>,
    ) -> Self {
        Self { message_type, content, recipient, platform }
    }

    /// The receiver as it was written.
    pub fn recipient(&self) -> &str {
        &self.recipient
    }

    /// The platform, where one is named.
    pub fn platform(&self) -> Option<&str> {
        self.platform.as_deref()
    }

    /// The message this draft becomes at `seq`, at a time in Unix seconds.
    pub fn into_message(self, seq: u64, id: Uuid, at: u64) -> Message {
        Message {
            seq,
            id,
            message_type: self.message_type,
            content: self.content,
            recipient: self.recipient,
            status: Status::Pending,
            created_at: at,
            updated_at: at,
            retry_count: 0,
            platform: self.platform,
            direction: Direction::Outbound,
            conversation_name: None,
            sender: None,
            account: None,
            last_error: None,
            waiting: None,
            external_id: None,
            original: None,
            is_uncertain: false,
            owner: None,
        }
    }

    /// The parts that make two drafts the same, as one text, for `Idempotency-Key`.
    pub fn fingerprint(&self) -> String {
        let platform = self.platform.as_deref().unwrap_or_default();
        let parts = [self.message_type.as_str(), platform, &self.recipient, &self.content];
        parts.join("\u{0}")
    }
}

/// Checks the content of a media type: an address that the platform fetches, or the bytes. A path
/// would be one of the platform's host, where it may name any file or none.
fn check_address(message_type: MessageType, content: String) -> Result<String, String> {
    let address = content.trim();
    let has_scheme = |scheme: &str| {
        let start = address.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && address.len() > scheme.len()
    };
    let is_data =
        || has_scheme("data:") && address.split_once(',').is_some_and(|(_, data)| !data.is_empty());
    if ["http://", "https://", "base64://"].into_iter().any(has_scheme) || is_data() {
        return Ok(if address.len() == content.len() { content } else { address.to_owned() });
    }
    Err(format!(
        "`content` of type {message_type} must be a URL (http:// or https://) or the bytes \
         (base64://…); a path of this host is not read: send the file's bytes"
    ))
}

/// Checks a name that becomes a key: not empty, not too long, no control characters, not `*`.
pub fn check_name(field: &str, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("`{field}` is empty"));
    }
    if name.len() > NAME_BYTES {
        return Err(format!("`{field}` has {} bytes; at most {NAME_BYTES}", name.len()));
    }
    if name == "*" {
        return Err(format!("`{field}` is `*`, which stands for any; name one"));
    }
    if name.chars().any(char::is_control) {
        return Err(format!("`{field}` has control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(message_type: MessageType, content: &str) -> Result<String, String> {
        Draft::new(message_type, content.into(), "group_1".into(), None).map(|draft| draft.content)
    }

    #[test]
    fn media_are_addresses_or_bytes() {
        for (given, kept) in [
            ("https://x/a.png", "https://x/a.png"),
            ("HTTPS://X/a.png", "HTTPS://X/a.png"),
            (" http://x/a.png\n", "http://x/a.png"),
            ("base64://aGk=", "base64://aGk="),
            ("data:image/png;base64,aGk=", "data:image/png;base64,aGk="),
        ] {
            assert_eq!(content(MessageType::Image, given), Ok(kept.to_owned()));
        }
    }

    #[test]
    fn a_path_of_the_host_is_no_content_of_a_medium() {
        for given in [
            "/tmp/x.png",
            "file:///tmp/x.png",
            "C:\\x.png",
            "x.png",
            "~/x",
            "https://",
            "\u{1f600}",
        ] {
            for message_type in &MessageType::ALL[1..] {
                let refused = content(*message_type, given).unwrap_err();
                assert!(refused.contains("`content`") && refused.contains("https://"), "{refused}");
            }
        }
        assert_eq!(content(MessageType::Text, "/tmp/x.png"), Ok("/tmp/x.png".to_owned()));
    }
}
