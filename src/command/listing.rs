//! Messages for people on a terminal: a row each where there is room for everything, else two or
//! three rows each.

use crate::model::message::{Direction, Message, Status};
use crate::text::{cut, readable, visible, width};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;

/// Columns that the content has at least, where all of a message stands in one row.
const MIN_CONTENT: usize = 30;

/// Columns that the conversation has at least, where the ID stands in the same row.
const MIN_CONVERSATION: usize = 12;

/// Columns from which on times have a year.
const WITH_YEAR: usize = 60;

/// The most columns of what a platform or its users name.
const MAX_PLATFORM: usize = 10;
const MAX_CONVERSATION: usize = 24;
const MAX_SENDER: usize = 16;

/// Columns of a status and of an ID, which is never cut: other commands ask for it.
const STATUS: usize = 8;
const ID: usize = 36;

/// A part of a row, and how it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) look: Look,
}

/// How a part of a row looks where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Heading,
    Quiet,
    Status(Status),
}

/// The parts of a row, from left to right.
pub(super) type Row = Vec<Piece>;

/// A message as it is shown; every text is short and safe for a terminal.
struct Entry {
    time: String,
    arrow: &'static str,
    platform: String,
    conversation: String,
    status: Status,
    sender: String,
    content: String,
    id: String,
}

/// The rows for messages, the newest first, on a terminal of so many columns.
pub(super) fn rows(messages: &[Message], columns: usize, zone: &TimeZone) -> Vec<Row> {
    let names = names(messages);
    let entries: Vec<_> =
        messages.iter().map(|message| Entry::of(message, &names, columns, zone)).collect();
    let widest = |text: fn(&Entry) -> &str| entries.iter().map(|entry| width(text(entry))).max();
    let widths = Widths {
        time: widest(|entry| &entry.time).unwrap_or_default(),
        platform: widest(|entry| &entry.platform).unwrap_or_default(),
        conversation: widest(|entry| &entry.conversation).unwrap_or_default(),
        sender: widest(|entry| &entry.sender).unwrap_or_default(),
    };
    match widths.content_of_table(columns) {
        Some(content) => table(&entries, &widths, content),
        None => entries.iter().flat_map(|entry| entry.below_each_other(&widths, columns)).collect(),
    }
}

/// The newest name of each conversation: older messages may carry an older one, and one's own none.
fn names(messages: &[Message]) -> HashMap<(Option<&str>, &str), &str> {
    let mut names = HashMap::new();
    for message in messages {
        if let Some(name) = &message.conversation_name {
            names.entry((message.platform.as_deref(), &*message.recipient)).or_insert(&**name);
        }
    }
    names
}

/// Columns that the cells of a listing take.
struct Widths {
    time: usize,
    platform: usize,
    conversation: usize,
    sender: usize,
}

impl Widths {
    /// Columns that are left for the content of a table; `None` where those are too few.
    fn content_of_table(&self, columns: usize) -> Option<usize> {
        let sender = if self.sender > 0 { self.sender.max("FROM".len()) + 1 } else { 0 };
        let platform = self.platform.max("PLATFORM".len());
        let conversation = self.conversation.max("CONVERSATION".len());
        let others = self.time + 2 + platform + 1 + conversation + 1 + STATUS + 1 + sender + 1 + ID;
        columns.checked_sub(others + 1).filter(|&content| content >= MIN_CONTENT)
    }
}

fn table(entries: &[Entry], widths: &Widths, content: usize) -> Vec<Row> {
    let platform = widths.platform.max("PLATFORM".len());
    let conversation = widths.conversation.max("CONVERSATION".len());
    let sender = if widths.sender > 0 { widths.sender.max("FROM".len()) } else { 0 };
    let heading = |text: &str, columns| piece(text, columns, Look::Heading);
    let mut rows = vec![vec![
        heading("TIME", widths.time),
        heading("", 1),
        heading("PLATFORM", platform),
        heading("CONVERSATION", conversation),
        heading("STATUS", STATUS),
        heading("FROM", sender),
        heading("CONTENT", content),
        heading("ID", ID),
    ]];
    rows.extend(entries.iter().map(|entry| {
        vec![
            piece(&entry.time, widths.time, Look::Quiet),
            piece(entry.arrow, 1, Look::Plain),
            piece(&entry.platform, platform, Look::Plain),
            piece(&entry.conversation, conversation, Look::Plain),
            piece(entry.status.as_str(), STATUS, Look::Status(entry.status)),
            piece(&entry.sender, sender, Look::Plain),
            piece(&entry.content, content, Look::Plain),
            piece(&entry.id, ID, Look::Quiet),
        ]
    }));
    for row in &mut rows {
        row.retain(|piece| !piece.text.is_empty());
    }
    rows
}

impl Entry {
    fn of(
        message: &Message,
        names: &HashMap<(Option<&str>, &str), &str>,
        columns: usize,
        zone: &TimeZone,
    ) -> Self {
        let key = (message.platform.as_deref(), &*message.recipient);
        let conversation = names.get(&key).copied().unwrap_or(&message.recipient);
        let sender = message.sender.as_ref().map_or("", |sender| &sender.name);
        let error = message.last_error.as_deref();
        let error = error.map(|error| format!(" ({})", short(error, columns))).unwrap_or_default();
        let content = short(&readable(message), columns);
        Self {
            time: time(message.created_at, columns, zone),
            arrow: arrow(message.direction),
            platform: short(message.platform_or_local(), MAX_PLATFORM),
            conversation: short(conversation, MAX_CONVERSATION),
            status: message.status,
            sender: short(sender, MAX_SENDER),
            content: content + &error,
            id: message.id.to_string(),
        }
    }

    /// Its conversation and sender, then the content; the ID behind the first, or below both.
    fn below_each_other(&self, widths: &Widths, columns: usize) -> Vec<Row> {
        let others = widths.time + 3 + widths.platform + 1 + STATUS + 1;
        let beside = columns.checked_sub(others + ID + 1);
        let beside = beside.filter(|&room| room >= widths.conversation.min(MIN_CONVERSATION));
        let most = beside.unwrap_or_else(|| columns.saturating_sub(others)).max(MIN_CONVERSATION);
        let conversation = widths.conversation.min(most);
        let mut rows = vec![vec![
            piece(&self.time, widths.time, Look::Quiet),
            piece(self.arrow, 1, Look::Plain),
            piece(&self.platform, widths.platform, Look::Plain),
            piece(&self.conversation, conversation, Look::Plain),
            piece(self.status.as_str(), STATUS, Look::Status(self.status)),
        ]];
        let said = match &*self.sender {
            "" => self.content.clone(),
            sender => format!("{sender}: {}", self.content),
        };
        let id = piece(&self.id, ID, Look::Quiet);
        let indent = piece("", 1, Look::Plain);
        if beside.is_some() {
            rows[0].push(id);
            rows.push(vec![indent, piece(&said, columns.saturating_sub(2), Look::Plain)]);
        } else {
            rows.push(vec![indent.clone(), piece(&said, columns.saturating_sub(2), Look::Plain)]);
            rows.push(vec![indent, id]);
        }
        rows
    }
}

/// A text of just so many columns.
fn piece(text: &str, columns: usize, look: Look) -> Piece {
    let text = cut(text, columns);
    let gap = " ".repeat(columns.saturating_sub(width(&text)));
    Piece { text: format!("{text}{gap}"), look }
}

/// A text that is safe for a terminal and has at most so many columns; a long one is not read to
/// its end.
fn short(text: &str, columns: usize) -> String {
    // A character of no width is rare, so that four for each column are more than enough.
    let end = text.char_indices().nth(columns * 4 + 1).map_or(text.len(), |(end, _)| end);
    cut(&visible(&text[..end]), columns).into_owned()
}

/// Local date and time to the minute, without the year on a narrow terminal; the number itself where
/// the calendar does not reach so far.
fn time(seconds: u64, columns: usize, zone: &TimeZone) -> String {
    let timestamp =
        seconds.try_into().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let Some(timestamp) = timestamp else { return seconds.to_string() };
    let format = if columns < WITH_YEAR { "%m-%d %H:%M" } else { "%Y-%m-%d %H:%M" };
    timestamp.to_zoned(zone.clone()).strftime(format).to_string()
}

/// The direction of a message, one column wide.
pub(super) fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Outbound => "→",
        Direction::Inbound => "←",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;
    use crate::model::message::{Draft, MessageType, Sender};

    fn message(content: &str) -> Message {
        let draft =
            Draft::new(MessageType::Text, content.into(), "group_123456".into(), Some("qq".into()));
        draft.unwrap().into_message(1, uuid::Uuid::from_u128(7), 1_795_413_385)
    }

    fn shown(messages: &[Message], columns: usize) -> Vec<String> {
        let rows = rows(messages, columns, &TimeZone::UTC);
        let text = |row: &Row| {
            row.iter().map(|piece| &*piece.text).collect::<Vec<_>>().join(" ").trim_end().to_owned()
        };
        rows.iter().map(text).collect()
    }

    const SENTENCE: &str = "the quick brown fox jumps over the lazy dog";

    #[test]
    fn content_has_room_and_the_time_is_there_at_every_width() {
        for columns in [200, 120, 100, 80, 60, 40] {
            let rows = shown(&[message(SENTENCE)], columns);
            let text = rows.join("\n");
            assert!(rows.iter().all(|row| width(row) <= columns), "{columns}: {text}");
            let id = uuid::Uuid::from_u128(7).to_string();
            for part in [&SENTENCE[..30], "11-23 05:56", "group_123456", &id] {
                assert!(text.contains(part), "{columns}: {part}: {text}");
            }
        }
    }

    #[test]
    fn a_wide_terminal_has_a_row_for_each_message() {
        let rows = shown(&[message("one"), message("two")], 130);
        assert_eq!(rows.len(), 3, "{rows:?}");
        assert!(rows[0].starts_with("TIME ") && rows[1].contains(" one "), "{rows:?}");
        assert_eq!(shown(&[message("one"), message("two")], 80).len(), 4);
        assert_eq!(shown(&[message("one"), message("two")], 50).len(), 6);
    }

    #[test]
    fn long_words_are_cut_before_they_are_laid_out() {
        let bytes = format!("base64://{}", "QUJD".repeat(200_000));
        let content = Content::of_type(MessageType::Image, bytes);
        let picture = Message { content, ..message("x") };
        let texts = [message(&"x".repeat(1 << 20)), picture];
        for columns in [80, 200] {
            let text = shown(&texts, columns).join("\n");
            assert!(text.contains("xxx…") && text.contains("[image] 600 kB"), "{text}");
            assert!(text.len() < 2_000 && !text.contains("QUJD"), "{text}");
        }
    }

    #[test]
    fn what_others_wrote_steers_nothing_and_breaks_nothing() {
        let mut hostile = message("\u{1b}[2Ja\u{202e}b\nc");
        hostile.sender = Some(Sender { id: "1".into(), name: "__proto__\u{9b}1m".into() });
        hostile.conversation_name = Some("\u{7}".repeat(300));
        hostile.created_at = u64::MAX;
        for columns in [200, 80, 40, 1] {
            let text = shown(&[hostile.clone()], columns).join(" ");
            assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
            assert!(text.contains("18446744073709551615"), "{text}");
        }
    }

    #[test]
    fn every_message_of_a_conversation_has_its_newest_name() {
        let named = |name: &str| Message { conversation_name: Some(name.into()), ..message("x") };
        let rows = shown(&[message("mine"), named("New"), named("Old")], 120);
        assert!(rows[1..].iter().all(|row| row.contains(" New ")), "{rows:?}");
    }
}
