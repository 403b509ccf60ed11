//! With `recalled = "hide"`: removes recalled content from events for bots, also from raw events of
//! edits and echoes.

use super::raw_object::RawObject;
use crate::store::{BotEvent, EntryContent, Result, View};
use tokio::task::block_in_place;

/// Whether the raw event of an entry has the content of a message that was deleted or hidden since.
pub(super) fn has_hidden_content(view: &View, entry: &BotEvent) -> Result<bool> {
    let Some(raw_event) = &entry.raw_event else { return Ok(false) };
    let Some(frame) = RawObject::parse(&raw_event.frame) else { return Ok(false) };
    let is_new = matches!(entry.entry, Some(EntryContent::Created { .. }));
    if !is_new && frame.get("message").is_none() && frame.get("raw_message").is_none() {
        return Ok(false);
    }
    if let Some(
        EntryContent::Created { seq }
        | EntryContent::Updated { seq }
        | EntryContent::StatusChanged { seq, .. },
    ) = &entry.entry
    {
        return Ok(view.readable(*seq)?.is_none_or(|message| message.is_hidden()));
    }
    // The store knew the message already, so the entry has no `seq`: look among the newest by its ID.
    let Some(id) = frame.id("message_id") else { return Ok(false) };
    let known = block_in_place(|| view.by_external(&raw_event.platform, &raw_event.account, &id))?;
    Ok(known.is_some_and(|message| message.is_hidden()))
}
