//! Actions of OneBot 11 beside sending (api/public.md), and those that implementations add.

use super::address::Id;
use crate::adapter::api::{Action, ActionError};
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::common::requests::done;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What is kept of a request, so that it can be answered (event/request.md).
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Request {
    /// Somebody wants to be a friend.
    Friend {
        /// The implementation's mark of the request.
        flag: String,
    },
    /// Somebody wants to join a group, or invites the account to one.
    Group {
        /// The implementation's mark of the request.
        flag: String,
        /// `add` or `invite`.
        sub_type: String,
    },
}

/// Carries out an action by a connection.
pub(super) async fn act(calls: &Calls, action: Action) -> Result<(), ActionError> {
    let (name, params) = match &action {
        Action::Recall { external_id, .. } => {
            ("delete_msg", json!({"message_id": Id::new(external_id)}))
        }
        // NapCat, LLBot and Lagrange; the emoji is the number of a face or of a character.
        Action::React { external_id, emoji, on, .. } => (
            "set_msg_emoji_like",
            json!({"message_id": Id::new(external_id), "emoji_id": emoji_id(emoji), "set": on}),
        ),
        Action::Read { external_id, .. } => {
            ("mark_msg_as_read", json!({"message_id": Id::new(external_id)}))
        }
        Action::AnswerRequest { request, approve, reason } => {
            match serde_json::from_str(request).map_err(|_| ActionError::Unsupported)? {
                Request::Friend { flag } => {
                    ("set_friend_add_request", json!({"flag": flag, "approve": approve}))
                }
                Request::Group { flag, sub_type } => (
                    "set_group_add_request",
                    json!({
                        "flag": flag, "sub_type": sub_type, "approve": approve, "reason": reason,
                    }),
                ),
            }
        }
        Action::Edit { .. } => return Err(ActionError::Unsupported),
    };
    // An action that the implementation does not have (communication/ws.md).
    done(calls.call(name, params, None).await, |retcode| matches!(retcode, 404 | 1404))
}

/// The number of a face, or of the character that an emoji is.
fn emoji_id(emoji: &str) -> String {
    match emoji.chars().next() {
        Some(first) if !first.is_ascii() => u32::from(first).to_string(),
        _ => emoji.to_owned(),
    }
}
