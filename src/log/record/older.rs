//! The encodings of older versions, which stay readable.

use crate::model::attempts::UNKNOWN_OWNER;
use crate::model::content::Content;
use crate::model::message::{Direction, Message, MessageType, Sender, Status};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The fields of version 2, which had no segments.
#[derive(Serialize, Deserialize)]
pub(super) struct FieldsV2<'a> {
    #[serde(borrow)]
    pub(super) first: FieldsV1<'a>,
    pub(super) owner: Option<&'a str>,
}

/// The fields of version 1, which had no checksum.
#[derive(Serialize, Deserialize)]
pub(super) struct FieldsV1<'a> {
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

impl FieldsV1<'_> {
    pub(super) fn into_message(self, seq: u64, owner: Option<&str>) -> Message {
        // Version 1 claimed without an owner.
        let is_claimed = self.status == Status::Sending && self.direction == Direction::Outbound;
        let owner = owner.or_else(|| is_claimed.then_some(UNKNOWN_OWNER));
        let content = Content::of_type(self.message_type, self.content.to_owned());
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Message {
            status: self.status,
            updated_at: self.updated_at,
            retry_count: self.retry_count,
            platform: owned(self.platform),
            direction: self.direction,
            conversation_name: owned(self.conversation_name),
            sender: self.sender.map(|(id, name)| Sender { id: id.into(), name: name.into() }),
            account: owned(self.account),
            last_error: owned(self.last_error),
            external_id: owned(self.external_id),
            original: owned(self.original),
            is_uncertain: self.is_uncertain,
            owner: owned(owner),
            ..Message::new(seq, self.id, content, self.recipient.to_owned(), self.created_at)
        }
    }
}
