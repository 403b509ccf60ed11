//! Reason why a message waits, and what would help (contract, item 30).

use super::attempts::NextAttempts;
use super::route::{self, NoRoute};
use crate::adapter::Registry;
use crate::clock::now;
use crate::model::message::{Direction, Message, Status};
use crate::model::routing::{self, PlatformChoice};
use crate::model::wait_reason::WaitReason;
use crate::store::View;
use jiff::Timestamp;

/// The reason why a `Pending` message is not sent yet; `None` if it will be sent at once, or does not
/// wait.
pub fn waiting(
    message: &Message,
    view: &View,
    registry: &Registry,
    attempts: &NextAttempts,
    default_platform: Option<&str>,
) -> Option<WaitReason> {
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
        Err(NoRoute::Unaddressable(why)) => return Some(why.into()),
        Err(NoRoute::NotConnected) => {
            return Some(not_connected(platform, message, view, registry));
        }
    };
    if let Some(closed) = route.account.closed(&route.conversation, now()) {
        let reason = match closed.until.and_then(time_of) {
            Some(until) => format!("{}; the next attempt is at {until}", closed.reason),
            None => closed.reason,
        };
        return Some(reason.into());
    }
    if let Some(at) = attempts.of(message.seq) {
        return time_of(at).map(|time| {
            let text = format!("the next attempt is at {time}");
            WaitReason::new("next_attempt", text, Some(time.to_string()))
        });
    }
    let earlier = view.pending(Some(platform), &message.recipient, 1).ok()?;
    let is_first = earlier.first().is_none_or(|first| first.seq >= message.seq);
    let text = "an earlier message of the conversation is sent first";
    (!is_first).then(|| WaitReason::new("after_earlier", text, None))
}

/// The text for a message that no account can send now.
fn not_connected(
    platform: &str,
    message: &Message,
    view: &View,
    registry: &Registry,
) -> WaitReason {
    let account = match &message.account {
        Some(account) if message.may_be_sent() || message.via.is_some() => Some(account.clone()),
        _ => view.account_of(platform, &message.recipient).ok().flatten(),
    };
    let detail = registry.fault(platform, account.as_deref());
    let fault = detail.as_ref().map_or_else(String::new, |fault| format!(" ({fault})"));
    let others_can = || registry.handle(platform, None).is_some();
    let text = match account {
        Some(account) if message.via.is_some() => format!(
            "the account {account} of {platform}, for which a bot sent it, is not connected{fault}; it is sent when it is"
        ),
        // Other accounts are connected, but cannot reach this conversation.
        Some(account) if others_can() => format!(
            "the account {account} of {platform} is not connected{fault}; it is sent when it is"
        ),
        _ => format!("no adapter of {platform} is connected{fault}; it is sent when one is"),
    };
    WaitReason::new("not_connected", text, detail)
}

fn time_of(at: u64) -> Option<Timestamp> {
    i64::try_from(at).ok().and_then(|at| Timestamp::from_second(at).ok())
}

/// The reason why a message without a platform waits; `None` if it will get a platform at once.
pub fn no_platform(recipient: &str, choice: &PlatformChoice) -> Option<WaitReason> {
    match choice {
        PlatformChoice::Platform(_) => None,
        PlatformChoice::Several(platforms) => {
            let platforms = platforms.join(" and ");
            let text = format!(
                "no platform is named, and {platforms} know {recipient}; name one with `platform`"
            );
            Some(WaitReason::new("several_platforms", text, None))
        }
        PlatformChoice::None => {
            let text = "no platform is named, and none is found for it; name one with `platform`, \
                        or set `default_platform`";
            Some(WaitReason::new("no_platform", text, None))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_the_code_that_is_read_from_its_text() {
        let several = PlatformChoice::Several(vec!["qq".into(), "tg".into()]);
        for choice in [several, PlatformChoice::None] {
            let why = no_platform("group_1", &choice).unwrap();
            assert_eq!(why, WaitReason::from(&*why));
        }
        assert_eq!(no_platform("group_1", &PlatformChoice::Platform("qq".into())), None);
    }
}
