//! Cells of a table on a terminal: short texts that are safe for the terminal.

use super::fields::field;
use super::marked::MarkedText;
use super::style::CellStyle;
use super::time::short_time;
use crate::cli::Column;
use crate::model::content::Segment;
use crate::model::message::{Direction, Message, ReplyTo, Status};
use crate::search::Needle;
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
    /// The text that was searched for.
    needle: Option<&'a Needle>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(
        now: u64,
        zone: &'a TimeZone,
        columns: usize,
        needle: Option<&'a Needle>,
    ) -> Self {
        Self { now, zone, columns, needle }
    }

    /// The text of a cell, no wider than the terminal.
    pub(super) fn text(&self, message: &Message, column: Column) -> MarkedText {
        let short = |text: &str| short(text, self.columns);
        let plain = match column {
            Column::Id => short_id(message),
            Column::Time => short_time(message.created_at, self.now, self.zone),
            Column::Updated => short_time(message.updated_at, self.now, self.zone),
            Column::Platform => short(message.platform_or_local()),
            Column::Conversation => {
                short(message.conversation_name.as_deref().unwrap_or(&message.recipient))
            }
            Column::Sender => return self.sender(message),
            Column::Content => return self.content(message),
            column => field(message, column),
        };
        plain.into()
    }

    /// One's own name is shown only where it was searched for.
    fn sender(&self, message: &Message) -> MarkedText {
        let name = message.sender.as_ref().map_or("", |sender| &sender.name);
        let is_own = message.direction == Direction::Outbound;
        let prefix = if is_own { format!("{OWN} ") } else { String::new() };
        match self.needle.and_then(|needle| marked(needle, name)) {
            Some(found) => found.behind(&prefix).cut(self.columns),
            None if is_own => OWN.into(),
            None => short(name, self.columns).into(),
        }
    }

    fn content(&self, message: &Message) -> MarkedText {
        let found = self.needle.and_then(|needle| found_content(needle, message));
        match found {
            Some(found) => found.cut(self.columns),
            None => short(&answering(message), self.columns).into(),
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
    pub(super) fn look(message: &Message, column: Column) -> CellStyle {
        match column {
            Column::Id | Column::Time | Column::Updated => CellStyle::Quiet,
            Column::Status => CellStyle::Status(message.status),
            Column::Sender if message.direction == Direction::Outbound => CellStyle::Quiet,
            _ => CellStyle::Plain,
        }
    }
}

/// The content, behind the name of the person whose message it answers.
pub(crate) fn answering(message: &Message) -> Cow<'_, str> {
    let text = readable(message);
    match answered(message) {
        Some(answered) => format!("{answered}{text}").into(),
        None => text,
    }
}

/// The person whom a message answers, as it stands before the content.
fn answered(message: &Message) -> Option<String> {
    Some(match message.reply_to.as_deref()? {
        ReplyTo { sender: Some(sender), .. } => format!("(to {}) ", sender.name),
        _ => "(reply) ".to_owned(),
    })
}

/// The content with what was searched for in it: as it is shown else, or behind the name of the file or
/// the text of the card that has it; `None` where none has it.
pub(super) fn found_content(needle: &Needle, message: &Message) -> Option<MarkedText> {
    let prefix = answered(message).map(|prefix| visible(&prefix).into_owned()).unwrap_or_default();
    if let Some(found) = marked(needle, &readable(message)) {
        return Some(found.behind(&prefix));
    }
    // The content of a medium is not shown where there is something better.
    if let Some(found) = marked(needle, &message.content.readable()) {
        return Some(found.behind(&prefix));
    }
    let segments = message.content.segments().unwrap_or_default().iter();
    let mut names = segments.filter_map(|segment| match segment {
        Segment::Card { text, .. } => text.as_deref(),
        _ => segment.media()?.name.as_deref(),
    });
    let mut name = names.find_map(|name| marked(needle, name))?;
    name.text.push_str(": ");
    name.text.push_str(&visible(&readable(message)));
    Some(name.behind(&prefix))
}

/// A text with what was searched for in it; `None` where it has none.
fn marked(needle: &Needle, text: &str) -> Option<MarkedText> {
    Some(MarkedText::find(needle, text)).filter(|found| !found.hits.is_empty())
}

/// How a status looks; quiet where it is sent.
pub(crate) fn status_look(status: Status) -> CellStyle {
    if status == Status::Sent { CellStyle::Quiet } else { CellStyle::Status(status) }
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
    use crate::model::content::{Content, Media};
    use crate::model::message::Sender;
    use uuid::Uuid;

    fn message(content: Content) -> Message {
        Message::new(1, Uuid::nil(), content, "group_1".into(), 1)
    }

    #[test]
    fn an_answer_names_whom_it_answers() {
        let reply = |reply_to: Option<ReplyTo>| Message {
            reply_to: reply_to.map(Box::new),
            ..message(Content::text("at noon"))
        };
        assert_eq!(answering(&reply(None)), "at noon");
        assert_eq!(answering(&reply(Some(ReplyTo::default()))), "(reply) at noon");
        let sender = Some(Sender { id: "10001".into(), name: "Ann".into() });
        let to_ann = reply(Some(ReplyTo { sender, ..ReplyTo::default() }));
        assert_eq!(answering(&to_ann), "(to Ann) at noon");
    }

    #[test]
    fn a_hit_is_shown_in_the_content_the_name_of_a_file_or_of_the_sender() {
        let needle = Needle::new("Ｒeport").unwrap();
        let zone = TimeZone::UTC;
        let cells = Cells::new(1, &zone, 40, Some(&needle));
        let shown = |message: &Message, column| {
            let MarkedText { text, hits } = cells.text(message, column);
            (text.clone(), hits.iter().map(|hit| text[hit.clone()].to_owned()).collect::<Vec<_>>())
        };
        let found = |text: &str, hit: &str| (text.to_owned(), vec![hit.to_owned()]);
        let long = message(Content::text(format!("{}the REPORT", "long ago ".repeat(99))));
        let (text, hits) = shown(&long, Column::Content);
        assert!(text.starts_with('…') && text.ends_with("the REPORT") && hits == ["REPORT"]);
        let media = Media { name: Some("report 5.pdf".into()), ..Media::default() };
        let look = Segment::Text { text: "look".into() };
        let file = message(Content::of(vec![look, Segment::Image(media)]));
        assert_eq!(shown(&file, Column::Content), found("report 5.pdf: look [image]", "report"));
        let mut own = message(Content::text("done"));
        own.sender = Some(Sender { id: "7".into(), name: "Reporter".into() });
        assert_eq!(shown(&own, Column::Sender), found("me Reporter", "Report"));
        assert_eq!(shown(&own, Column::Content), ("done".into(), vec![]));
        own.sender = None;
        assert_eq!(shown(&own, Column::Sender), ("me".into(), vec![]));
    }
}
