//! Decisions about conversations and platforms: names, marks, and which platforms were seen.

use crate::model::event::Event;
use crate::store::command::Answer;
use crate::store::error::Result;
use crate::store::state::StoreState;

pub(super) fn name(
    state: &impl StoreState,
    platform: String,
    conversation: String,
    name: String,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    if state.has_other_name(&platform, &conversation, &name)? {
        events.push(Event::ConversationNamed { platform, conversation, name });
    }
    Ok(Answer::Noted)
}

pub(super) fn see_platform(
    state: &impl StoreState,
    platform: String,
    kind: String,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let seen = state.seen_platforms()?;
    if !seen.iter().any(|seen| seen.platform == platform && seen.kind == kind) {
        events.push(Event::PlatformSeen { platform, kind });
    }
    Ok(Answer::Noted)
}

/// The new marks of a conversation; a `None` changes nothing.
pub(super) struct ConversationChange {
    /// The `seq` of the last message that was read. The mark only moves forward by it.
    pub read_to: Option<u64>,
    /// The `seq` of the first message that counts as unread again. The mark only moves back by it.
    pub unread_from: Option<u64>,
    pub muted: Option<bool>,
    pub pinned: Option<bool>,
}

pub(super) fn set_conversation(
    state: &impl StoreState,
    platform: String,
    conversation: String,
    change: &ConversationChange,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let Some(before) = state.marks(&platform, &conversation)? else {
        return Ok(Answer::NotFound);
    };
    let muted = change.muted.unwrap_or(before.muted);
    let pinned = change.pinned.unwrap_or(before.pinned);
    if (muted, pinned) != (before.muted, before.pinned) {
        let (platform, conversation) = (platform.clone(), conversation.clone());
        events.push(Event::ConversationSet { platform, conversation, muted, pinned });
    }
    let read_to = change.read_to.map(|seq| seq.min(before.newest));
    let forward = read_to.filter(|seq| *seq > before.read);
    let back = change.unread_from.map(|seq| seq.saturating_sub(1));
    if let Some(seq) = back.filter(|seq| *seq < before.read).or(forward) {
        events.push(Event::ConversationRead { platform, conversation, seq });
    }
    Ok(Answer::Noted)
}
