//! Messages that were taken back and are shown to nobody: no bot is told their content either, in the words
//! of an edit or an echo that lie in the log.

use super::raw_object::RawObject;
use crate::store::{EntryContent, FeedEntry, Result, View};
use tokio::task::block_in_place;

/// Whether the words of an event have the content of a message that was deleted or hidden since.
pub(super) fn has_hidden_content(view: &View, entry: &FeedEntry) -> Result<bool> {
    let Some(words) = &entry.words else { return Ok(false) };
    let Some(frame) = RawObject::parse(&words.frame) else { return Ok(false) };
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
    // The store noted nothing of it, as it knew the message; looking for it reads through the newest.
    let Some(id) = frame.id("message_id") else { return Ok(false) };
    let known = block_in_place(|| view.by_external(&words.platform, &words.account, &id))?;
    Ok(known.is_some_and(|message| message.is_hidden()))
}
