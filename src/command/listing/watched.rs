//! Messages, and what becomes of them, a row each as they come.

use super::cell::{ID_DIGITS, answering, found_content, short, short_id};
use super::details::reactions;
use super::marked::MarkedText;
use super::style::{CellStyle, StyledText};
use super::time::local_time;
use crate::model::message::{Direction, Message, Status};
use crate::search::Needle;
use crate::text::{reason, visible};
use uuid::Uuid;

/// Columns of the reason for a status.
const REASON: usize = 100;

/// A message that came, with what was searched for marked.
pub(crate) fn watched_row(message: &Message, needle: Option<&Needle>) -> Vec<StyledText> {
    let conversation = message.conversation_name.as_ref().unwrap_or(&message.recipient);
    let mut row = beginning(message.created_at, short_id(message));
    row.push(StyledText::new(visible(message.platform_or_local()), CellStyle::Quiet));
    row.push(StyledText::new(visible(conversation), CellStyle::Strong));
    if message.status != Status::Sent {
        let why =
            reason(message).map(|why| format!(" ({})", short(&why, REASON))).unwrap_or_default();
        let state = format!("{}{why}", message.status);
        row.push(StyledText::new(state, CellStyle::Status(message.status)));
    }
    if message.recall.is_some() {
        row.push(StyledText::new("recalled", CellStyle::Quiet));
    } else if message.edited_at.is_some() {
        row.push(StyledText::new("edited", CellStyle::Quiet));
    }
    let content = needle.and_then(|needle| found_content(needle, message));
    let content = content.unwrap_or_else(|| visible(&answering(message)).into());
    match (&message.sender, message.direction) {
        (_, Direction::Outbound) => row.push(StyledText::new("me:", CellStyle::Plain)),
        (Some(sender), _) => {
            let name = format!("{}:", sender.name);
            let name = match needle {
                Some(needle) => MarkedText::find(needle, &name),
                None => visible(&name).into(),
            };
            row.push(StyledText::new(name, CellStyle::Plain));
        }
        (None, _) => {}
    }
    row.push(StyledText::new(content, CellStyle::Plain));
    if !message.reactions.is_empty() {
        row.push(StyledText::new(format!("({})", reactions(message)), CellStyle::Quiet));
    }
    row
}

/// The outcome of a message.
pub(crate) fn change_row(id: Uuid, at: u64, text: &str, look: CellStyle) -> Vec<StyledText> {
    let mut id = id.to_string();
    id.truncate(ID_DIGITS);
    let mut row = beginning(at, id);
    row.push(StyledText::new(short(text, REASON), look));
    row
}

fn beginning(at: u64, id: String) -> Vec<StyledText> {
    vec![StyledText::new(local_time(at), CellStyle::Quiet), StyledText::new(id, CellStyle::Quiet)]
}
