//! Actions of OneBot 11 beside sending (api/public.md), and those that implementations add.

use super::address::Id;
use crate::adapter::api::{Action, ActionError, PlatformRequest, RequestKind};
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::common::requests::done;
use serde_json::json;

/// Carries out an action by a connection.
pub(super) async fn act(calls: &Calls, action: Action) -> Result<(), ActionError> {
    let (name, params) = match &action {
        Action::Recall { external_id, .. } => {
            ("delete_msg", json!({"message_id": Id::new(external_id)}))
        }
        // NapCat, LLBot and Lagrange; the emoji is the number of a face or of a character.
        Action::React { external_id, emoji, on, .. } => {
            let emoji_id = emoji_id(emoji).ok_or(ActionError::Unsupported)?;
            (
                "set_msg_emoji_like",
                json!({"message_id": Id::new(external_id), "emoji_id": emoji_id, "set": on}),
            )
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
    // An action that the implementation does not have (communication/ws.md).
    done(calls.call(name, params, None).await, |retcode| matches!(retcode, 404 | 1404))
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
