//! The queue from the adapters to the core, bounded in number and bytes: a flood waits at its socket.

use super::event::AdapterEvent;
use crate::model::inbound::Inbound;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Bytes an event takes beside its texts.
const EVENT_BYTES: usize = 256;

/// The adapters' end of the queue.
#[derive(Clone, Debug)]
pub struct EventSink {
    events: mpsc::Sender<QueuedEvent>,
    room: Arc<Semaphore>,
    max_bytes: u32,
}

/// An event, and the room it takes until this value is dropped.
#[derive(Debug)]
pub struct QueuedEvent {
    event: AdapterEvent,
    room: OwnedSemaphorePermit,
}

impl QueuedEvent {
    /// The event, and the room that it takes until the second value is dropped.
    pub fn split(self) -> (AdapterEvent, OwnedSemaphorePermit) {
        (self.event, self.room)
    }
}

impl EventSink {
    /// A queue for so many events of so many bytes in all. One event that is larger than that
    /// passes alone.
    pub fn new(max_events: usize, max_bytes: u32) -> (Self, mpsc::Receiver<QueuedEvent>) {
        let (events, queue) = mpsc::channel(max_events);
        let room = Arc::new(Semaphore::new(max_bytes as usize));
        (Self { events, room, max_bytes }, queue)
    }

    /// Reports an event and waits while there is no room; false once the core has stopped.
    pub async fn report(&self, event: AdapterEvent) -> bool {
        let bytes = u32::try_from(event.bytes()).unwrap_or(u32::MAX).min(self.max_bytes);
        let Ok(room) = self.room.clone().acquire_many_owned(bytes).await else { return false };
        self.events.send(QueuedEvent { event, room }).await.is_ok()
    }
}

impl AdapterEvent {
    /// About how many bytes of memory it takes.
    fn bytes(&self) -> usize {
        let texts = match self {
            Self::Message(message) => texts_of(message),
            Self::Batch { messages, state, .. } => {
                let values = state.iter().map(|kept| kept.value.as_ref().map_or(0, Vec::len));
                let messages = messages.iter().map(|message| EVENT_BYTES + texts_of(message));
                messages.sum::<usize>() + values.sum::<usize>()
            }
            Self::RawEvent { frame, meaning, .. } => {
                frame.len() + meaning.as_ref().map_or(0, |meaning| meaning.bytes())
            }
            Self::Edited { content, .. } => content.bytes(),
            Self::Noticed { notice, .. } => notice.text.len(),
            Self::ReplyFound { reply_to, .. } => reply_to.content.as_ref().map_or(0, String::len),
            Self::RefusedLate { reason, .. } => reason.len(),
            Self::Named { name, .. } | Self::MentionNamed { name, .. } => name.len(),
            Self::Recalled { .. }
            | Self::Reacted { .. }
            | Self::ConfirmedLate { .. }
            | Self::PartSent { .. }
            | Self::Conversations { .. }
            | Self::SentMessages { .. }
            | Self::OwnMessages { .. }
            | Self::DoubtfulMessages { .. }
            | Self::Remembered { .. } => 0,
        };
        EVENT_BYTES + texts
    }
}

fn texts_of(message: &Inbound) -> usize {
    let original = message.original.as_ref().map_or(0, String::len);
    message.content.bytes() + original + message.sender.name.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(bytes: usize) -> AdapterEvent {
        let (platform, conversation) = ("qq".to_owned(), "group_1".to_owned());
        AdapterEvent::Named { platform, conversation, name: "x".repeat(bytes) }
    }

    #[tokio::test(start_paused = true)]
    async fn events_wait_while_others_take_the_room_in_bytes() {
        let (sink, mut queue) = EventSink::new(100, 10_000);
        assert!(sink.report(named(5_000)).await);
        let second = sink.report(named(5_000));
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending(), "there is no room");
        let first = queue.recv().await.unwrap();
        assert!(futures_util::poll!(&mut second).is_pending(), "the first is still held");
        drop(first);
        assert!(second.await);
        drop(queue.recv().await.unwrap());
        assert!(sink.report(named(50_000)).await, "one that is larger passes alone");
    }
}
