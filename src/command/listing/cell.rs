//! Cells of a table on a terminal: short texts that are safe for the terminal.

use super::fields::field;
use super::style::Look;
use super::time::short_time;
use crate::cli::Column;
use crate::model::message::{Direction, Message, ReplyTo, Status};
use crate::text::{cut, readable, reason, visible};
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// Digits of an ID that are shown; more are hardly ever needed to name a message.
pub(crate) const ID_DIGITS: usize = 8;

/// Shown as the sender of what was written here.
const OWN: &str = "me";

/// Settings of all cells of a list.
pub(super) struct Cells<'a> {
    now: u64,
    zone: &'a TimeZone,
    /// Columns of the terminal: no text is read further than it can be shown.
    columns: usize,
}

impl<'a> Cells<'a> {
    pub(super) fn new(now: u64, zone: &'a TimeZone, columns: usize) -> Self {
        Self { now, zone, columns }
    }

    /// The text of a cell.
    pub(super) fn text(&self, message: &Message, column: Column) -> String {
        let short = |text: &str| short(text, self.columns);
        match column {
            Column::Id => short_id(message),
            Column::Time => short_time(message.created_at, self.now, self.zone),
            Column::Updated => short_time(message.updated_at, self.now, self.zone),
            Column::Platform => short(message.platform_or_local()),
            Column::Conversation => {
                short(message.conversation_name.as_deref().unwrap_or(&message.recipient))
            }
            Column::Sender if message.direction == Direction::Outbound => OWN.to_owned(),
            Column::Sender => short(message.sender.as_ref().map_or("", |sender| &sender.name)),
            Column::Content => short(&answering(message)),
            column => field(message, column),
        }
    }

    /// The status where something is to be done, or that a sent message was taken back or edited.
    pub(super) fn state(message: &Message) -> &'static str {
        match (message.status, &message.recall, message.edited_at) {
            (Status::Sent, Some(_), _) => "recalled",
            (Status::Sent, None, Some(_)) => "edited",
            (Status::Sent, None, None) => "",
            (status, ..) => status.as_str(),
        }
    }

    /// The reason for the status, in brackets; empty where there is none.
    pub(super) fn reason(&self, message: &Message) -> String {
        let why = reason(message).filter(|_| message.status != Status::Sent);
        why.map(|why| format!("({})", short(&why, self.columns))).unwrap_or_default()
    }

    /// How a cell looks.
    pub(super) fn look(message: &Message, column: Column) -> Look {
        match column {
            Column::Id | Column::Time | Column::Updated => Look::Quiet,
            Column::Status => Look::Status(message.status),
            Column::Sender if message.direction == Direction::Outbound => Look::Quiet,
            _ => Look::Plain,
        }
    }
}

/// The content, behind the name of the person whose message it answers.
pub(crate) fn answering(message: &Message) -> Cow<'_, str> {
    let text = readable(message);
    match message.reply_to.as_deref() {
        None => text,
        Some(ReplyTo { sender: Some(sender), .. }) => format!("(to {}) {text}", sender.name).into(),
        Some(_) => format!("(reply) {text}").into(),
    }
}

/// How a status looks; quiet where it is sent.
pub(crate) fn status_look(status: Status) -> Look {
    if status == Status::Sent { Look::Quiet } else { Look::Status(status) }
}

/// The first digits of an ID.
pub(crate) fn short_id(message: &Message) -> String {
    let mut id = message.id.to_string();
    id.truncate(ID_DIGITS);
    id
}

/// A text that is safe for a terminal and has at most so many columns; a long one is not read to
/// its end.
pub(crate) fn short(text: &str, columns: usize) -> String {
    // A character of no width is rare, so that four for each column are more than enough.
    let end = text.char_indices().nth(columns * 4 + 1).map_or(text.len(), |(end, _)| end);
    cut(&visible(&text[..end]), columns).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;
    use crate::model::message::Sender;
    use uuid::Uuid;

    #[test]
    fn an_answer_names_whom_it_answers() {
        let reply = |reply_to: Option<ReplyTo>| Message {
            reply_to: reply_to.map(Box::new),
            ..Message::new(1, Uuid::nil(), Content::text("at noon"), "group_1".into(), 1)
        };
        assert_eq!(answering(&reply(None)), "at noon");
        assert_eq!(answering(&reply(Some(ReplyTo::default()))), "(reply) at noon");
        let sender = Some(Sender { id: "10001".into(), name: "Ann".into() });
        let to_ann = reply(Some(ReplyTo { sender, ..ReplyTo::default() }));
        assert_eq!(answering(&to_ann), "(to Ann) at noon");
    }
}
