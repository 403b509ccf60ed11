//! Forwards that a platform told by their ID alone: their messages are asked for when somebody opens them.

use super::{ActionFailure, Actions, Result};
use crate::adapter::ForwardOf;
use crate::model::content::{ForwardItem, Segment};
use uuid::Uuid;

impl Actions {
    /// The messages of the first forward in a message, or of the one that `wanted` names by the
    /// platform's ID: one beside it, or one inside a forward that was opened. Those that are stored
    /// are given as they are, others are asked for on the platform.
    ///
    /// # Errors
    ///
    /// There is no such message, no forward in it, or its platform did not open it.
    pub async fn open_forward(&self, id: Uuid, wanted: Option<String>) -> Result<Vec<ForwardItem>> {
        let message = self.message(id)?;
        let segments = message.content.segments().unwrap_or_default();
        let first = segments.iter().find_map(forward).ok_or(ActionFailure::NoForward)?;
        let (known, items) = match &wanted {
            Some(id) => named(segments, id).unwrap_or_default(),
            None => first,
        };
        if !items.is_empty() {
            return Ok(items.to_vec());
        }
        let id = wanted.or_else(|| known.map(str::to_owned)).ok_or(ActionFailure::NoForward)?;
        let account = self.account(message.platform_or_local(), message.account.as_deref())?;
        let conversation = message.recipient.clone();
        account.open_forward(ForwardOf { conversation, id }).await.map_err(ActionFailure::Platform)
    }
}

/// A forward's ID on the platform, and its messages as far as they are known.
type Forward<'s> = (Option<&'s str>, &'s [ForwardItem]);

fn forward(segment: &Segment) -> Option<Forward<'_>> {
    match segment {
        Segment::Forward { id, items, .. } => Some((id.as_deref(), items)),
        _ => None,
    }
}

/// The forward with this ID, however deep it lies.
fn named<'s>(segments: &'s [Segment], id: &str) -> Option<Forward<'s>> {
    segments.iter().filter_map(forward).find_map(|(known, items)| {
        let inside = || items.iter().find_map(|item| named(&item.segments, id));
        if known == Some(id) { Some((known, items)) } else { inside() }
    })
}
