//! How a message is encoded on disk, in the log and in the store's table: one byte of version, a
//! checksum, then its fields in postcard.

use crate::model::message::{Direction, Message, MessageType, Sender, Status};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The encoding that is written. Every older one stays readable.
const VERSION: u8 = 2;

/// Bytes before the fields: version and checksum.
const HEAD: usize = 1 + 4;

/// The fields of version 2 in the order they are encoded in; a change of it is a new version.
#[derive(Serialize, Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    first: FieldsV1<'a>,
    owner: Option<&'a str>,
}

/// The fields of version 1, which had no checksum.
#[derive(Serialize, Deserialize)]
struct FieldsV1<'a> {
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
    pub(crate) fn new(text: impl Into<String>) -> Self {
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
    let first = FieldsV1 {
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
    let fields = Fields { first, owner: message.owner.as_deref() };
    let mut bytes = Vec::with_capacity(96 + message.content.len());
    bytes.extend([VERSION, 0, 0, 0, 0]);
    let mut bytes =
        postcard::to_extend(&fields, bytes).map_err(|e| Unreadable::new(e.to_string()))?;
    let checksum = checksum(message.seq, &bytes[HEAD..]);
    bytes[1..HEAD].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// The message whose record at `seq` this is. Never panics, whatever the bytes.
pub fn decode(seq: u64, bytes: &[u8]) -> Result<Message, Unreadable> {
    let damaged = || Unreadable(format!("the record of message {seq} is damaged"));
    match bytes.split_first() {
        Some((&VERSION, rest)) => {
            let (sum, fields) = rest.split_first_chunk().ok_or_else(damaged)?;
            if u32::from_le_bytes(*sum) != checksum(seq, fields) {
                return Err(damaged());
            }
            let Fields { first, owner } = postcard::from_bytes(fields).map_err(|_| damaged())?;
            Ok(first.into_message(seq, owner))
        }
        Some((1, fields)) => {
            let fields: FieldsV1<'_> = postcard::from_bytes(fields).map_err(|_| damaged())?;
            Ok(fields.into_message(seq, None))
        }
        Some((version, _)) => Err(Unreadable(format!(
            "the record of message {seq} has the unknown version {version}"
        ))),
        None => Err(Unreadable(format!("the record of message {seq} is empty"))),
    }
}

/// The checksum of something that is found by a number, which counts as part of it.
pub(crate) fn checksum(number: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

impl FieldsV1<'_> {
    fn into_message(self, seq: u64, owner: Option<&str>) -> Message {
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
            owner: owner.map(str::to_owned),
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
            original: t.7.clone(),
            is_uncertain: t.1,
            owner: t.7,
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

        #[test]
        fn a_flipped_bit_is_found(message in messages(), at: prop::sample::Index, bit in 0..8u32) {
            let mut bytes = encode(&message).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let found = decode(message.seq, &bytes);
            // The version of before had no checksum; one bit does not lead there.
            prop_assert!(found.is_err(), "{found:?}");
        }
    }
}
