//! Notices of platforms, as text.

use super::scope::ConversationKey;
use crate::model::message::Sender;
use crate::model::notice::{Notice, NoticeKind};
use crate::tui::language::say;
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
        None => say!("somebody").into(),
    };
    let user = name(&notice.user);
    let operator = notice
        .operator
        .as_ref()
        .filter(|operator| notice.user.as_ref().is_none_or(|user| user.id != operator.id));
    let by = operator.map(|operator| say!(" by {}", name(&Some(operator.clone()))));
    let by = by.unwrap_or_default();
    let about = if notice.text.is_empty() { String::new() } else { format!(": {}", notice.text) };
    Some(match notice.kind {
        NoticeKind::MemberJoined => say!("{} joined{}", user, by),
        NoticeKind::MemberLeft if by.is_empty() => say!("{} left", user),
        NoticeKind::MemberLeft => say!("{} was removed{}", user, by),
        NoticeKind::MemberMuted => say!("{} was muted{}{}", user, by, about),
        NoticeKind::MemberRenamed => say!("{} has another name{}", user, about),
        NoticeKind::AdminChanged => say!("the admins changed: {}{}", user, about),
        NoticeKind::Poke => {
            let operator = operator.map_or_else(|| user.clone(), |one| name(&Some(one.clone())));
            say!("{} poked {}", operator, user)
        }
        NoticeKind::FriendAdded => say!("{} is a friend now", user),
        NoticeKind::FriendRequest => say!("{} asks to be a friend{}", user, about),
        NoticeKind::JoinRequest => say!("{} asks to join{}", user, about),
        NoticeKind::FileUploaded => say!("{} uploaded a file{}", user, about),
        NoticeKind::Essence => say!("a message of {} was marked as essential{}", user, by),
        NoticeKind::AccountOffline => say!("the account {} is offline{}", notice.account, about),
        NoticeKind::Other if notice.text.is_empty() => return None,
        NoticeKind::Other => notice.text.clone(),
    })
}
