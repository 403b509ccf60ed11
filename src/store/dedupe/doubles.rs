//! Messages that were sent more than once: an attempt without an answer in time had sent one, and so did a later one. The
//! echo of the other attempt is no message of its own.

use crate::model::inbound::Inbound;
use crate::model::message::Message;
use crate::store::error::Result;
use crate::store::state::StoreState;

/// The oldest message that was sent, and of which this is the echo of another attempt.
pub(super) fn doubled(
    state: &impl StoreState,
    received: &Inbound,
    recent: &[Message],
    at: u64,
) -> Result<Option<Message>> {
    for sent in recent.iter().rev().filter(|sent| received.doubles(sent, at)) {
        if state.doubles(sent)? < sent.retry_count {
            return Ok(Some(sent.clone()));
        }
    }
    Ok(None)
}
