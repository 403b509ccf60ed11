//! Forwards of which a platform sent only the ID: their messages are requested when somebody opens
//! them.

use super::{ActionFailure, Actions, Result};
use crate::adapter::ForwardOf;
use crate::model::content::{ForwardItem, Segment};
use uuid::Uuid;

impl Actions {
    /// The messages of the first forward in a message, or of the one with the platform's ID
    /// `wanted`, which may also be inside an opened forward. Stored messages are returned, others
    /// are requested from the platform.
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

/// A forward's ID on the platform, and its known messages.
type Forward<'s> = (Option<&'s str>, &'s [ForwardItem]);

fn forward(segment: &Segment) -> Option<Forward<'_>> {
    match segment {
        Segment::Forward { id, items, .. } => Some((id.as_deref(), items)),
        _ => None,
    }
}

/// The forward with this ID, at any depth.
fn named<'s>(segments: &'s [Segment], id: &str) -> Option<Forward<'s>> {
    segments.iter().filter_map(forward).find_map(|(known, items)| {
        let inside = || items.iter().find_map(|item| named(&item.segments, id));
        if known == Some(id) { Some((known, items)) } else { inside() }
    })
}
