//! Tells of new messages that have media, so that those without cost the task nothing that fetches them.

use super::fetch_missing::has_media;
use crate::model::change::{Change, ChangeEffect};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// No message.
const NONE: u64 = u64::MAX;

/// New messages with media.
#[derive(Debug)]
pub struct NewMedia {
    /// The oldest one that was not asked for yet.
    oldest: AtomicU64,
    came: Notify,
}

impl Default for NewMedia {
    fn default() -> Self {
        Self { oldest: AtomicU64::new(NONE), came: Notify::new() }
    }
}

impl NewMedia {
    /// Notes the messages of a commit that can be read now.
    pub fn committed(&self, changes: &[Change]) {
        let oldest = changes.iter().filter_map(|change| match &change.effect {
            ChangeEffect::Created(message) => has_media(&message.content).then_some(message.seq),
            _ => None,
        });
        if let Some(oldest) = oldest.min() {
            self.note(oldest);
        }
    }

    /// Notes that messages may be there of which no commit told.
    pub fn opened(&self) {
        self.note(0);
    }

    fn note(&self, seq: u64) {
        self.oldest.fetch_min(seq, Ordering::AcqRel);
        self.came.notify_one();
    }

    /// Waits for a message; one that came before counts once.
    pub async fn came(&self) {
        self.came.notified().await;
    }

    /// The `seq` of the oldest message that came since this was last asked, if any came. Messages before
    /// it have no media.
    pub fn take_oldest(&self) -> Option<u64> {
        Some(self.oldest.swap(NONE, Ordering::AcqRel)).filter(|oldest| *oldest != NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;
    use crate::model::message::{Message, MessageType};
    use futures_util::FutureExt;

    fn created(seq: u64, message_type: MessageType) -> Change {
        let content = Content::of_type(message_type, "http://example.org/a".into());
        let message = Message::new(seq, uuid::Uuid::nil(), content, "group_1".into(), 0);
        Change { offset: seq, effect: ChangeEffect::Created(message) }
    }

    #[tokio::test]
    async fn only_messages_with_media_are_told() {
        let new_media = NewMedia::default();
        new_media.committed(&[created(1, MessageType::Text)]);
        assert_eq!((new_media.came().now_or_never(), new_media.take_oldest()), (None, None));
        new_media.committed(&[created(2, MessageType::Text), created(3, MessageType::Image)]);
        new_media.committed(&[created(4, MessageType::Image)]);
        assert_eq!((new_media.came().now_or_never(), new_media.take_oldest()), (Some(()), Some(3)));
        assert_eq!((new_media.came().now_or_never(), new_media.take_oldest()), (None, None));
        new_media.opened();
        assert_eq!(new_media.take_oldest(), Some(0));
    }
}
