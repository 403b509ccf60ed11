//! Fetching what was said while nothing was connected.

use super::{NoHistory, fetch_what_fits, learn_what_was_sent};
use crate::adapter::api::{AdapterEvent, EventSink};
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::v11::account::Account;
use crate::adapter::onebot::v11::address::OneBot11Address;
use crate::adapter::onebot::v11::options::OneBot11Options;
use crate::adapter::onebot::v11::questions::restore_doubt;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// Pause before the core is asked again while the store is away.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Questions without an answer, one after the other, after which no more are asked.
const MAX_UNANSWERED: usize = 3;

/// Fetches what was missed while nothing was connected; the core recognizes duplicates.
pub(in crate::adapter::onebot::v11) async fn catch_up(
    account: &Account,
    calls: &Calls,
    options: &OneBot11Options,
    events: &EventSink,
) {
    let mut groups = true;
    let mut friends = true;
    let mut unanswered = 0;
    for conversation in conversations(account, options, events).await {
        let supported = match OneBot11Address::parse(&conversation) {
            Some(OneBot11Address::Group { .. }) => &mut groups,
            Some(OneBot11Address::Private { .. }) => &mut friends,
            Some(OneBot11Address::Channel { .. }) | None => continue,
        };
        if !*supported {
            continue;
        }
        restore_doubt(account, events, &conversation).await;
        learn_what_was_sent(account, &conversation, events, 0).await;
        match fetch_what_fits(account, calls, events, &conversation, options.history, 0).await {
            Ok(messages) => {
                unanswered = 0;
                for message in messages {
                    account.known.insert(&conversation, &message.external_id);
                    if !events.report(AdapterEvent::Message(Box::new(message))).await {
                        return;
                    }
                }
            }
            Err(NoHistory::Refused | NoHistory::TooLarge) => {}
            Err(NoHistory::Unsupported) => *supported = false,
            // One conversation may be slow, and what was missed in the others would be lost.
            Err(NoHistory::NoAnswer) => {
                unanswered += 1;
                if unanswered == MAX_UNANSWERED {
                    return;
                }
            }
        }
    }
}

/// The conversations of this account, as the core knows them.
async fn conversations(
    account: &Account,
    options: &OneBot11Options,
    events: &EventSink,
) -> Vec<String> {
    loop {
        let (answer, conversations) = oneshot::channel();
        let question = AdapterEvent::Conversations {
            platform: account.platform.clone(),
            account: account.id().unwrap_or_default().to_owned(),
            limit: options.history_conversations,
            answer,
        };
        if !events.report(question).await {
            return Vec::new();
        }
        if let Ok(conversations) = conversations.await {
            return conversations;
        }
        sleep(STORE_PAUSE).await;
    }
}
