//! Removing the files of old messages, if the configuration says so. The messages stay.

use crate::clock::Ages;
use crate::media::removal::{is_unsent, take_out};
use crate::store::{Result, Store, StoreError};

/// Messages that are read in one step.
const LOOKED_AT: usize = 2_000;

/// Removes the media from messages after `position` that are older than `age` seconds; `false` if
/// the next message is younger, or there is none. Messages that are not sent keep their media. The
/// sweep of media then removes files that no message has.
pub(super) async fn step(store: &Store, age: u64, ages: &Ages, position: &mut u64) -> Result<bool> {
    let mut old = Vec::new();
    let mut count = 0;
    for message in store.view()?.readable_after(*position)?.take(LOOKED_AT) {
        let message = message?;
        if !ages.is_older(message.created_at, age) {
            break;
        }
        count += 1;
        *position = message.seq;
        if message.content.segments().is_some() && !is_unsent(&message) {
            old.push(message);
        }
    }
    for message in old {
        match take_out(store, message, |_| true).await {
            // Only this message keeps its files.
            Err(StoreError::Damaged(text)) => tracing::warn!("old media of a message stay: {text}"),
            done => done?,
        }
    }
    Ok(count == LOOKED_AT)
}
