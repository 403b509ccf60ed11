//! Removing the bytes of media of old messages, where the configuration says so. The messages stay.

use super::ages::Ages;
use crate::media::sweep::{is_unsent, take_out};
use crate::store::{Result, Store};

/// Messages looked at for one step.
const LOOKED_AT: usize = 2_000;

/// Takes the media out of messages after `position` that are older than `age` seconds; `false` where
/// the next message is not, or there is none. What is unsent keeps its media. The sweep of media then removes what no message has.
pub(super) async fn step(store: &Store, age: u64, ages: &Ages, position: &mut u64) -> Result<bool> {
    let mut old = Vec::new();
    let mut count = 0;
    for message in store.view()?.readable_after(*position)?.take(LOOKED_AT) {
        let message = message?;
        if ages.of(message.created_at) <= age {
            break;
        }
        count += 1;
        *position = message.seq;
        if message.content.segments().is_some() && !is_unsent(&message) {
            old.push(message);
        }
    }
    for message in old {
        take_out(store, message, |_| true).await?;
    }
    Ok(count == LOOKED_AT)
}
