//! Writes the fields of a message. serde would write them as a map, because some of them are flattened, and
//! would have each key of a map checked for characters to escape.

use super::{MessageBody, OptionalFields};
use crate::model::message::Direction;
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// The most fields of a message.
const FIELDS: usize = 27;

impl Serialize for MessageBody<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Message", FIELDS)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("message_type", &self.message_type)?;
        fields.serialize_field("content", &self.content)?;
        fields.serialize_field("recipient", &self.recipient)?;
        fields.serialize_field("status", &self.status)?;
        fields.serialize_field("created_at", &self.created_at)?;
        fields.serialize_field("updated_at", &self.updated_at)?;
        fields.serialize_field("retry_count", &self.retry_count)?;
        write_known(&mut fields, "platform", self.platform.as_ref())?;
        let direction = (self.direction != Direction::Outbound).then_some(&self.direction);
        write_known(&mut fields, "direction", direction)?;
        write_known(&mut fields, "conversation_name", self.conversation_name.as_ref())?;
        write_known(&mut fields, "sender", self.sender.as_ref())?;
        write_known(&mut fields, "account", self.account.as_ref())?;
        write_known(&mut fields, "last_error", self.last_error.as_ref())?;
        write_known(&mut fields, "last_error_code", self.last_error_code.as_ref())?;
        write_known(&mut fields, "last_error_detail", self.last_error_detail.as_ref())?;
        write_known(&mut fields, "waiting", self.waiting.as_ref())?;
        write_known(&mut fields, "waiting_code", self.waiting_code.as_ref())?;
        write_known(&mut fields, "waiting_detail", self.waiting_detail.as_ref())?;
        write_known(&mut fields, "unconfirmed", self.unconfirmed.then_some(&true))?;
        self.beyond_text.write(&mut fields)?;
        fields.end()
    }
}

impl Serialize for OptionalFields<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("OptionalFields", FIELDS)?;
        self.write(&mut fields)?;
        fields.end()
    }
}

impl OptionalFields<'_> {
    fn write<S: SerializeStruct>(&self, fields: &mut S) -> Result<(), S::Error> {
        if self.is_nothing() {
            return Ok(());
        }
        write_known(fields, "segments", self.segments.as_ref())?;
        write_known(fields, "reply_to", self.reply_to.as_ref())?;
        write_known(fields, "edited_at", self.edited_at.as_ref())?;
        write_known(fields, "recalled_at", self.recalled_at.as_ref())?;
        write_known(fields, "recalled_by", self.recalled_by.as_ref())?;
        let reactions = (!self.reactions.is_empty()).then_some(&self.reactions);
        write_known(fields, "reactions", reactions)?;
        write_known(fields, "via", self.via.as_ref())
    }
}

/// Writes a field that has a value.
fn write_known<S: SerializeStruct, T: Serialize>(
    fields: &mut S,
    name: &'static str,
    value: Option<&T>,
) -> Result<(), S::Error> {
    match value {
        Some(value) => fields.serialize_field(name, value),
        None => fields.skip_field(name),
    }
}

#[cfg(test)]
mod tests {
    use super::super::PlainMessage;
    use super::*;
    use crate::model::content::Content;
    use crate::model::message::{Message, Recall, ReplyTo, Sender, Status};
    use crate::model::reaction::Reaction;
    use crate::model::wait_reason::WaitReason;
    use uuid::Uuid;

    #[test]
    fn each_field_is_written_under_the_name_by_which_it_is_read() {
        let sender = Sender { id: "1".into(), name: "Ann".into() };
        let reaction = Reaction { emoji: "👍".into(), count: 2, mine: true, users: Vec::new() };
        let answered = ReplyTo { id: Some(Uuid::from_u128(7)), ..ReplyTo::default() };
        let message = Message {
            status: Status::Failed,
            updated_at: 8,
            retry_count: 3,
            platform: Some("qq".into()),
            direction: Direction::Inbound,
            conversation_name: Some("group".into()),
            sender: Some(sender.clone()),
            account: Some("10".into()),
            last_error: Some("the platform refused it: no".into()),
            waiting: Some(WaitReason::from(
                "no adapter of qq is connected; it is sent when one is",
            )),
            is_unconfirmed: true,
            reply_to: Some(Box::new(answered)),
            edited_at: Some(5),
            recall: Some(Box::new(Recall { at: 6, by: Some(sender) })),
            reactions: vec![reaction],
            via: Some("bot".into()),
            ..Message::new(0, Uuid::from_u128(1), Content::text("hi"), "group_1".into(), 4)
        };
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);
        let body: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["last_error_code"], "refused");
    }

    #[test]
    fn a_plain_message_is_written_as_any_other() {
        let message = Message {
            sender: Some(Sender { id: "1".into(), name: "Ann".into() }),
            platform: Some("qq".into()),
            waiting: Some(WaitReason::from(
                "no adapter of qq is connected; it is sent when one is",
            )),
            ..Message::new(0, Uuid::from_u128(1), Content::text("hi"), "group_1".into(), 4)
        };
        let waiting = message.waiting.as_ref();
        let plain = PlainMessage { fields: message.fields(), text: "hi", waiting };
        assert_eq!(
            serde_json::to_string(&plain).unwrap(),
            serde_json::to_string(&message).unwrap()
        );
    }
}
