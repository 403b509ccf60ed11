//! How a message lies on disk: one byte of version, then its fields in postcard.

use crate::model::message::{Direction, Message, MessageType, Sender, Status};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The encoding that is written. Every older one stays readable.
const VERSION: u8 = 1;

/// The fields in the order they are encoded in; a change of it is a new version.
#[derive(Serialize, Deserialize)]
struct Fields<'a> {
    id: Uuid,
    message_type: MessageType,
    content: &'a str,
    recipient: &'a str,
    status: Status,
    created_at: u64,
    updated_at: u64,
    retry_count: u32,
    platform: Option<&'a str>,
    direction: Direction,
    conversation_name: Option<&'a str>,
    sender: Option<(&'a str, &'a str)>,
    account: Option<&'a str>,
    last_error: Option<&'a str>,
    external_id: Option<&'a str>,
    original: Option<&'a str>,
    is_uncertain: bool,
}

/// A record cannot be read: damaged, or written by a newer rechat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl Unreadable {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bytes of a message; its `seq` is the key beside them.
pub fn encode(message: &Message) -> Result<Vec<u8>, Unreadable> {
    let fields = Fields {
        id: message.id,
        message_type: message.message_type,
        content: &message.content,
        recipient: &message.recipient,
        status: message.status,
        created_at: message.created_at,
        updated_at: message.updated_at,
        retry_count: message.retry_count,
        platform: message.platform.as_deref(),
        direction: message.direction,
        conversation_name: message.conversation_name.as_deref(),
        sender: message.sender.as_ref().map(|s| (s.id.as_str(), s.name.as_str())),
        account: message.account.as_deref(),
        last_error: message.last_error.as_deref(),
        external_id: message.external_id.as_deref(),
        original: message.original.as_deref(),
        is_uncertain: message.is_uncertain,
    };
    let mut bytes = Vec::with_capacity(96 + message.content.len());
    bytes.push(VERSION);
    postcard::to_extend(&fields, bytes).map_err(|e| Unreadable(e.to_string()))
}

/// The message whose record at `seq` this is. Never panics, whatever the bytes.
pub fn decode(seq: u64, bytes: &[u8]) -> Result<Message, Unreadable> {
    match bytes.split_first() {
        Some((&VERSION, fields)) => {
            let fields: Fields = postcard::from_bytes(fields)
                .map_err(|e| Unreadable(format!("record {seq} is damaged: {e}")))?;
            Ok(fields.into_message(seq))
        }
        Some((version, _)) => {
            Err(Unreadable(format!("record {seq} has the unknown version {version}")))
        }
        None => Err(Unreadable(format!("record {seq} is empty"))),
    }
}

impl Fields<'_> {
    fn into_message(self, seq: u64) -> Message {
        Message {
            seq,
            id: self.id,
            message_type: self.message_type,
            content: self.content.to_owned(),
            recipient: self.recipient.to_owned(),
            status: self.status,
            created_at: self.created_at,
            updated_at: self.updated_at,
            retry_count: self.retry_count,
            platform: self.platform.map(str::to_owned),
            direction: self.direction,
            conversation_name: self.conversation_name.map(str::to_owned),
            sender: self.sender.map(|(id, name)| Sender { id: id.into(), name: name.into() }),
            account: self.account.map(str::to_owned),
            last_error: self.last_error.map(str::to_owned),
            waiting: None,
            external_id: self.external_id.map(str::to_owned),
            original: self.original.map(str::to_owned),
            is_uncertain: self.is_uncertain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;

    fn messages() -> impl Strategy<Value = Message> {
        let head = (
            any::<u64>(),
            any::<u128>(),
            0..5usize,
            ".*",
            ".*",
            0..5usize,
            any::<[u64; 2]>(),
            any::<u32>(),
        );
        let tail = (
            of(".*"),
            any::<bool>(),
            of(".*"),
            of((".*", ".*")),
            of(".*"),
            of(".*"),
            of(".*"),
            of(".*"),
        );
        (head, tail).prop_map(|(h, t)| Message {
            seq: h.0,
            id: Uuid::from_u128(h.1),
            message_type: MessageType::ALL[h.2],
            content: h.3,
            recipient: h.4,
            status: Status::ALL[h.5],
            created_at: h.6[0],
            updated_at: h.6[1],
            retry_count: h.7,
            platform: t.0,
            direction: Direction::ALL[usize::from(t.1)],
            conversation_name: t.2,
            sender: t.3.map(|(id, name)| Sender { id, name }),
            account: t.4,
            last_error: t.5,
            waiting: None,
            external_id: t.6,
            original: t.7,
            is_uncertain: t.1,
        })
    }

    proptest! {
        #[test]
        fn a_message_reads_back(message in messages()) {
            let bytes = encode(&message).unwrap();
            prop_assert_eq!(decode(message.seq, &bytes), Ok(message));
        }

        #[test]
        fn damaged_bytes_are_an_error_and_no_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = decode(1, &bytes);
        }
    }
}
