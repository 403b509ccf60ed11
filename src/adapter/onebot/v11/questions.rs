//! Questions to the core about a conversation of an account, and what is restored from the answers.

use super::account::Account;
use super::compose::contents_without_files;
use crate::adapter::api::{AccountConversation, AdapterEvent, EventSink};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long to wait for an optional answer of the core.
pub(super) const CORE_TIMEOUT: Duration = Duration::from_secs(2);

/// Asks the core about a conversation; `None` if it does not answer in time.
pub(super) async fn ask<T>(
    account: &Account,
    events: &EventSink,
    conversation: &str,
    question: impl FnOnce(AccountConversation, oneshot::Sender<T>) -> AdapterEvent,
) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    let of = AccountConversation {
        platform: account.platform.clone(),
        account: account.id().unwrap_or_default().to_owned(),
        conversation: conversation.to_owned(),
    };
    let asked = async {
        events.report(question(of, answer)).await;
        answered.await.ok()
    };
    timeout(CORE_TIMEOUT, asked).await.ok().flatten()
}

/// Restores the doubt about messages that an earlier process may have sent to a conversation. Without it, an own
/// message would count as one that the owner wrote, before anybody looks for it.
pub(super) async fn restore_doubt(account: &Account, events: &EventSink, conversation: &str) {
    let Some(id) = account.id().filter(|_| !account.is_doubt_restored(conversation)) else {
        return;
    };
    let question = |of, answer| AdapterEvent::DoubtfulMessages { of, answer };
    let Some(doubtful) = ask(account, events, conversation, question).await else { return };
    for message in doubtful {
        let contents = contents_without_files(&message, id);
        account.progress().restore_doubt(&message, &contents);
    }
    account.doubt_is_restored(conversation);
}
