//! The parts of messages in a history.

use crate::adapter::api::{AdapterEvent, EventSink};
use crate::adapter::onebot::v11::account::Account;
use crate::model::inbound::Inbound;
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long to wait for an optional answer of the core.
pub(super) const CORE_TIMEOUT: Duration = Duration::from_secs(2);

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
        own_messages(account, events, conversation).await
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

/// The IDs of the own messages that are stored; `None` if the core does not tell.
async fn own_messages(
    account: &Account,
    events: &EventSink,
    conversation: &str,
) -> Option<HashSet<String>> {
    let (answer, stored) = oneshot::channel();
    let question = AdapterEvent::OwnMessages {
        platform: account.platform.clone(),
        account: account.id().unwrap_or_default().to_owned(),
        conversation: conversation.to_owned(),
        answer,
    };
    let asked = async {
        events.report(question).await;
        stored.await.ok()
    };
    timeout(CORE_TIMEOUT, asked).await.ok().flatten()
}
