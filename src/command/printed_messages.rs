//! The messages that `rechat list --follow` printed first, so that a change that is already visible
//! there is not printed again.

use crate::client::Followed;
use crate::model::message::Message;
use crate::protocol::event::MessageStatus;
use std::collections::HashMap;
use uuid::Uuid;

/// The messages of the list, as it shows them. The stream was opened before the list was read, and so
/// some of its first events are older.
pub(super) struct ListedMessages(HashMap<Uuid, Message>);

impl ListedMessages {
    pub(super) fn of(messages: &[Message]) -> Self {
        Self(messages.iter().map(|message| (message.id, message.clone())).collect())
    }

    /// Whether the list shows this already. From the first change on that it does not show, all
    /// changes of that message are told.
    pub(super) fn has(&mut self, followed: &Followed) -> bool {
        let (id, is_shown) = match followed {
            Followed::Status(change) => {
                (change.id, self.0.get(&change.id).map(|listed| shows_status(listed, change)))
            }
            Followed::Updated(message) => {
                (message.id, self.0.get(&message.id).map(|listed| shows_content(listed, message)))
            }
            _ => return false,
        };
        if is_shown == Some(false) {
            self.0.remove(&id);
        }
        is_shown == Some(true)
    }
}

fn shows_status(listed: &Message, change: &MessageStatus<'_>) -> bool {
    change.updated_at < listed.updated_at
        || change.updated_at == listed.updated_at && change.status == listed.status
}

fn shows_content(listed: &Message, now: &Message) -> bool {
    listed.content == now.content
        && listed.edited_at == now.edited_at
        && listed.recall == now.recall
        && listed.reactions == now.reactions
        && (&listed.platform, &listed.recipient) == (&now.platform, &now.recipient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;
    use crate::model::message::Status;

    fn listed(status: Status, updated_at: u64) -> Message {
        let message = Message::new(1, Uuid::nil(), Content::text("x"), "group_1".into(), 1);
        Message { status, updated_at, ..message }
    }

    fn change(status: Status, updated_at: u64) -> Followed {
        Followed::Status(MessageStatus {
            id: Uuid::nil(),
            status,
            retry_count: 0,
            updated_at,
            platform: "qq".into(),
            conversation: "group_1".into(),
            seq: 1,
            last_error: None,
            last_error_code: None,
            last_error_detail: None,
        })
    }

    #[test]
    fn what_is_newer_than_the_list_is_told() {
        let mut known = ListedMessages::of(&[listed(Status::Pending, 5)]);
        assert!(known.has(&change(Status::Failed, 4)), "of before the list");
        assert!(known.has(&change(Status::Pending, 5)), "as the list shows it");
        assert!(!known.has(&change(Status::Canceled, 5)), "within the same second");
        assert!(!known.has(&change(Status::Pending, 5)), "told, for the row before says otherwise");
        let mut known = ListedMessages::of(&[listed(Status::Pending, 5)]);
        assert!(!known.has(&change(Status::Sent, 9)));
    }

    #[test]
    fn an_edit_that_the_list_shows_is_not_told_again() {
        let message = listed(Status::Sent, 5);
        let mut known = ListedMessages::of(std::slice::from_ref(&message));
        assert!(known.has(&Followed::Updated(Box::new(message.clone()))));
        let edited = Message { edited_at: Some(6), ..message };
        assert!(!known.has(&Followed::Updated(Box::new(edited))));
    }
}
