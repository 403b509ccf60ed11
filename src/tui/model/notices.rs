//! Notices of platforms, as text.

use super::scope::ConversationKey;
use crate::model::message::Sender;
use crate::model::notice::{Notice, NoticeKind};
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// Notices that are kept for each conversation.
const MAX_KEPT: usize = 100;

/// Notices of all conversations, each after the message that was the newest one when it came.
#[derive(Clone, Debug, Default)]
pub struct ConversationNotices(HashMap<ConversationKey, VecDeque<(Uuid, String)>>);

impl ConversationNotices {
    /// Takes one in.
    pub fn add(&mut self, key: ConversationKey, after: Uuid, text: String) {
        let kept = self.0.entry(key).or_default();
        if kept.len() >= MAX_KEPT {
            kept.pop_front();
        }
        kept.push_back((after, text));
    }

    /// Those of a conversation.
    pub fn of(&self, key: &ConversationKey) -> impl Iterator<Item = (Uuid, String)> + '_ {
        self.0.get(key).into_iter().flatten().cloned()
    }
}

/// A notice in words; `None` where there is nothing to say.
pub fn text(notice: &Notice) -> Option<String> {
    let name = |sender: &Option<Sender>| match sender {
        Some(sender) if !sender.name.is_empty() => sender.name.clone(),
        Some(sender) => sender.id.clone(),
        None => "somebody".into(),
    };
    let user = name(&notice.user);
    let operator = notice
        .operator
        .as_ref()
        .filter(|operator| notice.user.as_ref().is_none_or(|user| user.id != operator.id));
    let by = operator.map(|operator| format!(" by {}", name(&Some(operator.clone()))));
    let by = by.unwrap_or_default();
    let about = if notice.text.is_empty() { String::new() } else { format!(": {}", notice.text) };
    Some(match notice.kind {
        NoticeKind::MemberJoined => format!("{user} joined{by}"),
        NoticeKind::MemberLeft if by.is_empty() => format!("{user} left"),
        NoticeKind::MemberLeft => format!("{user} was removed{by}"),
        NoticeKind::MemberMuted => format!("{user} was muted{by}{about}"),
        NoticeKind::MemberRenamed => format!("{user} has another name{about}"),
        NoticeKind::AdminChanged => format!("the admins changed: {user}{about}"),
        NoticeKind::Poke => {
            let operator = operator.map_or_else(|| user.clone(), |one| name(&Some(one.clone())));
            format!("{operator} poked {user}")
        }
        NoticeKind::FriendAdded => format!("{user} is a friend now"),
        NoticeKind::FriendRequest => format!("{user} asks to be a friend{about}"),
        NoticeKind::JoinRequest => format!("{user} asks to join{about}"),
        NoticeKind::FileUploaded => format!("{user} uploaded a file{about}"),
        NoticeKind::Essence => format!("a message of {user} was marked as essential{by}"),
        NoticeKind::AccountOffline => format!("the account {} is offline{about}", notice.account),
        NoticeKind::Other if notice.text.is_empty() => return None,
        NoticeKind::Other => notice.text.clone(),
    })
}
