//! Removing the files of old messages, if the configuration says so. The messages stay.

use crate::clock::Ages;
use crate::media::removal::{is_unsent, take_out};
use crate::model::message::Message;
use crate::store::{Result, Store, StoreError};

/// Messages that are read in one step.
const LOOKED_AT: usize = 2_000;

/// Removes the media from the oldest messages after `position` that are older than `age` seconds; `false` if
/// the next message is younger, or there is none. Messages that are not sent keep their media. The
/// sweep of media then removes files that no message has.
pub(super) async fn remove_oldest(
    store: &Store,
    age: u64,
    ages: &Ages,
    position: &mut u64,
) -> Result<bool> {
    let (mut old, mut count) = (Vec::new(), 0);
    for message in store.view()?.readable_after(*position)?.take(LOOKED_AT) {
        let message = message?;
        if !ages.is_older(message.created_at, age) {
            break;
        }
        count += 1;
        *position = message.seq;
        old.extend(may_go(message));
    }
    remove(store, old).await?;
    Ok(count == LOOKED_AT)
}

/// The same for old messages among some after `position`, whatever their order. After the last message,
/// `position` is that of the first again.
pub(super) async fn remove_anywhere(
    store: &Store,
    age: u64,
    ages: &Ages,
    position: &mut u64,
) -> Result<()> {
    let (mut old, mut count) = (Vec::new(), 0);
    for message in store.view()?.readable_after(*position)?.take(LOOKED_AT) {
        let message = message?;
        count += 1;
        *position = message.seq;
        if ages.is_older(message.created_at, age) {
            old.extend(may_go(message));
        }
    }
    if count < LOOKED_AT {
        *position = 0;
    }
    remove(store, old).await
}

/// The message, if its files may be removed.
fn may_go(message: Message) -> Option<Message> {
    (message.content.segments().is_some() && !is_unsent(&message)).then_some(message)
}

async fn remove(store: &Store, messages: Vec<Message>) -> Result<()> {
    for message in messages {
        match take_out(store, message, |_| true).await {
            // Only this message keeps its files.
            Err(StoreError::Damaged(text)) => tracing::warn!("old media of a message stay: {text}"),
            done => done?,
        }
    }
    Ok(())
}
