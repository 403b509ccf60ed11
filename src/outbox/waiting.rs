//! Reason why a message waits, and what would help (contract, item 30).

use super::attempts::NextAttempts;
use super::route::{self, NoRoute};
use crate::adapter::Registry;
use crate::clock::now;
use crate::model::message::{Direction, Message, Status};
use crate::model::routing::{self, PlatformChoice};
use crate::store::View;
use jiff::Timestamp;

/// The reason why a message that is `Pending` does not go out yet; `None` where it is about to, or
/// does not wait.
pub fn waiting(
    message: &Message,
    view: &View,
    registry: &Registry,
    attempts: &NextAttempts,
    default_platform: Option<&str>,
) -> Option<String> {
    if message.status != Status::Pending || message.direction == Direction::Inbound {
        return None;
    }
    let Some(platform) = &message.platform else {
        let facts = registry.routing_facts(default_platform);
        let choice = routing::choose_platform(&message.recipient, message.seq, &facts, view);
        return choice.ok().and_then(|choice| no_platform(&message.recipient, &choice));
    };
    let route = match route::find_in(view, registry, message) {
        Ok(route) => route,
        Err(NoRoute::Unaddressable(why)) => return Some(why),
        Err(NoRoute::NotConnected) => {
            return Some(not_connected(platform, message, view, registry));
        }
    };
    if let Some(closed) = route.account.closed(&route.conversation, now()) {
        return Some(match closed.until.and_then(time_of) {
            Some(until) => format!("{}; the next attempt is at {until}", closed.reason),
            None => closed.reason,
        });
    }
    if let Some(at) = attempts.of(message.seq) {
        return time_of(at).map(|time| format!("the next attempt is at {time}"));
    }
    let earlier = view.pending(Some(platform), &message.recipient, 1).ok()?;
    let is_first = earlier.first().is_none_or(|first| first.seq >= message.seq);
    (!is_first).then(|| "an earlier message of the conversation is sent first".to_owned())
}

/// Words for a message that no account can send now.
fn not_connected(platform: &str, message: &Message, view: &View, registry: &Registry) -> String {
    let account = match &message.account {
        Some(account) if message.is_uncertain || message.via.is_some() => Some(account.clone()),
        _ => view.account_of(platform, &message.recipient).ok().flatten(),
    };
    let fault = registry.fault(platform, account.as_deref());
    let fault = fault.map_or_else(String::new, |fault| format!(" ({fault})"));
    let others_can = || registry.handle(platform, None).is_some();
    match account {
        Some(account) if message.via.is_some() => format!(
            "the account {account} of {platform}, for which a bot sent it, is not connected{fault}; it is sent when it is"
        ),
        // Others are connected, and are no way to this conversation.
        Some(account) if others_can() => format!(
            "the account {account} of {platform} is not connected{fault}; it is sent when it is"
        ),
        _ => format!("no adapter of {platform} is connected{fault}; it is sent when one is"),
    }
}

fn time_of(at: u64) -> Option<Timestamp> {
    i64::try_from(at).ok().and_then(|at| Timestamp::from_second(at).ok())
}

/// The reason why a message without a platform waits; `None` where it is about to get one.
pub fn no_platform(recipient: &str, choice: &PlatformChoice) -> Option<String> {
    match choice {
        PlatformChoice::Platform(_) => None,
        PlatformChoice::Several(platforms) => Some(format!(
            "no platform is named, and {} know {recipient}; name one with `platform`",
            platforms.join(" and ")
        )),
        PlatformChoice::None => Some(
            "no platform is named, and none is found for it; name one with `platform`, or set \
             `default_platform`"
                .to_owned(),
        ),
    }
}
