//! Looking up an attempt whose outcome is unknown (contract, item 18).

use super::context::OutboxContext;
use super::recording::{DISK_PAUSE, record_outcome};
use super::route::{self, DeliveryRoute};
use crate::adapter::{Found, OnUnknown};
use crate::clock::now;
use crate::model::inbound::Inbound;
use crate::model::message::{Message, Status};
use crate::model::status_rules::Outcome;
use crate::store::{self, Command};

/// Whether a message that may have been sent may be sent again. `false` if it was found, has failed
/// because its outcome is unknown, or has to be checked again.
pub(super) async fn may_send(
    context: &OutboxContext,
    message: &Message,
    route: &DeliveryRoute,
) -> bool {
    let is_other_account = message.account.is_some() && message.account != route.account.account;
    // An account cannot know what another one sent.
    let found = if is_other_account {
        Found::CannotTell
    } else {
        route.account.find(route.outbound(context, message)).await
    };
    if found == Found::RestUnsent {
        return still_waits(context, message).unwrap_or_default();
    }
    if let Found::History { candidates, others, is_complete } = found {
        let entries = candidates.iter().chain(&others);
        let mut is_complete = is_complete
            && are_other_messages(context, message, route, entries).unwrap_or_else(|error| {
                tracing::error!("the messages of a history cannot be compared: {error}");
                false
            });
        for candidate in candidates {
            // The store decides, as for every other message of the account's owner.
            let received = Box::new(candidate);
            let command = Command::Receive { received, at: now(), can_wait: false };
            match context.write(command).await {
                Ok(_) => {}
                // The history would say the same the next time.
                Err(error @ store::StoreError::Damaged(_)) => {
                    tracing::error!("a message of a history cannot be compared: {error}");
                    is_complete = false;
                }
                Err(error) => {
                    tracing::error!(
                        "cannot look up a message in a history while the store cannot be read: {error}"
                    );
                    // The platform is not asked again and again in the meantime.
                    tokio::time::sleep(DISK_PAUSE).await;
                    return false;
                }
            }
        }
        match still_waits(context, message) {
            Ok(true) if is_complete => return true,
            Ok(true) => {}
            Ok(false) | Err(_) => return false,
        }
    }
    // A connection that was lost in the meantime proves nothing.
    if !route::is_open(context, route) {
        return false;
    }
    let is_cautious = if is_other_account {
        context.registry.is_cautious(&route.account.platform)
    } else {
        route.account.settings.on_unknown == OnUnknown::Fail
    };
    if is_cautious {
        let outcome = Outcome::Failed { reason: "outcome unknown".into(), is_uncertain: true };
        record_outcome(context, message.seq, outcome).await;
    }
    !is_cautious
}

/// Whether all these own messages of a history are known to be other messages: messages of ours or parts of them, or
/// messages of the account's owner that came before an attempt may have sent this one. What the owner is said to have
/// written since then may be this one in a form that is not known.
fn are_other_messages<'a>(
    context: &OutboxContext,
    message: &Message,
    route: &DeliveryRoute,
    mut entries: impl Iterator<Item = &'a Inbound>,
) -> store::Result<bool> {
    let DeliveryRoute { account, conversation } = route;
    let Some(id) = &account.account else { return Ok(false) };
    let mut known = context.store.view()?.own_messages(&account.platform, id, conversation)?;
    let since = message.may_be_sent_since();
    known.retain(|known| known.sender.is_none() || known.updated_at < since);
    Ok(entries.all(|entry| known.iter().any(|known| entry.is_entry_of(known))))
}

fn still_waits(context: &OutboxContext, message: &Message) -> store::Result<bool> {
    let now = context.store.view()?.by_seq(message.seq)?;
    Ok(now.is_some_and(|now| now.status == Status::Pending))
}
