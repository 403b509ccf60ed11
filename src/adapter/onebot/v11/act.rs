//! Actions of OneBot 11 beside sending (api/public.md), and those that implementations add.

use super::action::is_unknown_action;
use super::address::{Id, OneBot11Address};
use crate::adapter::api::{Action, ActionError, PlatformRequest, RequestKind};
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::common::requests::done;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

/// The way in which an implementation takes reactions, as far as it showed on its connection.
#[derive(Debug, Default)]
pub(super) struct Reactions {
    /// By `set_group_reaction`, as Lagrange has it.
    are_of_groups: AtomicBool,
}

/// Carries out an action by a connection.
pub(super) async fn act(
    calls: &Calls,
    reactions: &Reactions,
    action: Action,
) -> Result<(), ActionError> {
    let (name, params) = match &action {
        Action::Recall { external_id, .. } => {
            ("delete_msg", json!({"message_id": Id::new(external_id)}))
        }
        Action::React { conversation, external_id, emoji, on } => {
            return react(calls, reactions, conversation, external_id, emoji, *on).await;
        }
        Action::Read { external_id, .. } => {
            ("mark_msg_as_read", json!({"message_id": Id::new(external_id)}))
        }
        Action::AnswerRequest { request, approve, reason } => {
            let request = serde_json::from_str(request).map_err(|_| ActionError::Unsupported)?;
            let PlatformRequest { kind, flag } = request;
            let sub_type = match kind {
                RequestKind::Friend => None,
                RequestKind::Join => Some("add"),
                RequestKind::Invitation => Some("invite"),
            };
            match sub_type {
                None => ("set_friend_add_request", json!({"flag": flag, "approve": approve})),
                Some(sub_type) => (
                    "set_group_add_request",
                    json!({
                        "flag": flag, "sub_type": sub_type, "approve": approve, "reason": reason,
                    }),
                ),
            }
        }
        Action::Edit { .. } | Action::Type { .. } => return Err(ActionError::Unsupported),
    };
    done(calls.call(name, params, None).await, is_unknown_action)
}

/// Sets a reaction or takes it back; the emoji is the number of a face or of a character.
async fn react(
    calls: &Calls,
    reactions: &Reactions,
    conversation: &str,
    external_id: &str,
    emoji: &str,
    on: bool,
) -> Result<(), ActionError> {
    let emoji_id = emoji_id(emoji).ok_or(ActionError::Unsupported)?;
    let message_id = Id::new(external_id);
    let group_id = match OneBot11Address::parse(conversation) {
        Some(OneBot11Address::Group { group_id }) => Some(group_id),
        _ => None,
    };
    // NapCat and LLBot.
    if group_id.is_none() || !reactions.are_of_groups.load(Ordering::Relaxed) {
        let params = json!({"message_id": message_id, "emoji_id": emoji_id, "set": on});
        let set = done(calls.call("set_msg_emoji_like", params, None).await, is_unknown_action);
        if group_id.is_none() || set != Err(ActionError::Unsupported) {
            return set;
        }
    }
    // Lagrange.
    let params = json!({
        "group_id": group_id, "message_id": message_id, "code": emoji_id, "is_add": on,
    });
    let set = done(calls.call("set_group_reaction", params, None).await, is_unknown_action);
    reactions.are_of_groups.store(set != Err(ActionError::Unsupported), Ordering::Relaxed);
    set
}

/// The number of a face, or of the character that an emoji is; `None` where it is neither: QQ has no
/// emoji of several characters.
fn emoji_id(emoji: &str) -> Option<String> {
    let mut characters = emoji.chars().filter(|c| *c != '\u{fe0f}');
    match (characters.next(), characters.next()) {
        (Some(only), None) if !only.is_ascii() => Some(u32::from(only).to_string()),
        _ if !emoji.is_empty() && emoji.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(emoji.to_owned())
        }
        _ => None,
    }
}
