//! The parts of messages in a history.

use crate::adapter::api::{AdapterEvent, EventSink};
use crate::adapter::onebot::v11::account::Account;
use crate::adapter::onebot::v11::questions::ask;
use crate::model::inbound::Inbound;

/// Takes the parts of messages out of a history, and reports those that were in doubt. No message that was
/// known before counts as one.
pub(super) async fn take(
    account: &Account,
    events: &EventSink,
    conversation: &str,
    history: &mut Vec<Inbound>,
) {
    let progress = account.progress();
    let stored = if progress.may_have_part(history) {
        let question = |of, answer| AdapterEvent::OwnMessages { of, answer };
        ask(account, events, conversation, question).await
    } else {
        None
    };
    let is_new = |entry: &Inbound| {
        !account.known.contains(conversation, &entry.external_id)
            && stored.as_ref().is_some_and(|stored| !stored.contains(&entry.external_id))
    };
    for event in progress.take_from(history, is_new) {
        events.report(event).await;
    }
}
