//! Messages for people on a terminal: a row each where there is room for everything, else two.

use super::cell::{Cells, status_look};
use super::style::{CellStyle, StyledText};
use crate::cli::Column;
use crate::model::message::Message;
use crate::search::Needle;
use crate::text::width;
use jiff::tz::TimeZone;

/// Columns that the content has at least, where all of a message stands in one row.
const MIN_CONTENT: usize = 28;

/// The columns of a list unless others are asked for.
pub(super) const COLUMNS: [Column; 5] =
    [Column::Id, Column::Time, Column::Conversation, Column::Sender, Column::Content];

/// The same with the platform.
const WITH_PLATFORM: [Column; 6] = [
    Column::Id,
    Column::Time,
    Column::Platform,
    Column::Conversation,
    Column::Sender,
    Column::Content,
];

/// Columns of a terminal that has room for the platform.
const ROOM_FOR_PLATFORM: usize = 90;

/// The columns of these messages unless others are asked for: with the platform where they are of
/// several and the terminal has room for it.
pub(super) fn usual_columns(groups: &[&[Message]], columns: usize) -> &'static [Column] {
    let mut platforms = groups.iter().copied().flatten().map(Message::platform_or_local);
    let first = platforms.next();
    if columns >= ROOM_FOR_PLATFORM && platforms.any(|other| Some(other) != first) {
        &WITH_PLATFORM
    } else {
        &COLUMNS
    }
}

/// Stands between messages that do not follow each other.
const GAP: &str = "--";

/// The rows for groups of messages, on a terminal of so many columns; matches of the needle are
/// marked and in sight.
pub(super) fn rows(
    groups: &[&[Message]],
    shown: &[Column],
    columns: usize,
    (now, zone): (u64, &TimeZone),
    needle: Option<&Needle>,
) -> Vec<Vec<StyledText>> {
    let cells = Cells::new(now, zone, columns, needle);
    let table = Table::new(groups, shown, &cells);
    let has_content = shown.contains(&Column::Content);
    let one_row = columns
        .checked_sub(table.width() + 1)
        .filter(|content| *content >= MIN_CONTENT || !has_content);
    let mut rows: Vec<_> = one_row.iter().map(|content| table.heading(*content)).collect();
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            rows.push(vec![StyledText::new(GAP, CellStyle::Quiet)]);
        }
        for message in *group {
            match one_row {
                Some(content) => rows.push(table.row(message, content)),
                None => rows.extend(table.two_rows(message, columns)),
            }
        }
    }
    rows
}

struct Table<'a> {
    shown: &'a [Column],
    /// Columns of each cell but the content, which takes what is left.
    widths: Vec<usize>,
    cells: &'a Cells<'a>,
}

impl<'a> Table<'a> {
    fn new(groups: &[&[Message]], shown: &'a [Column], cells: &'a Cells<'a>) -> Self {
        let width_of = |&column: &Column| {
            let messages = groups.iter().copied().flatten();
            let texts = messages.map(|message| width(&cells.text(message, column).text));
            texts.max().unwrap_or_default().max(width(heading(column))).min(most(column))
        };
        let width_of = |column: &Column| match column {
            Column::Content => 0,
            column => width_of(column),
        };
        Self { shown, widths: shown.iter().map(width_of).collect(), cells }
    }

    /// Columns of everything but the content, gaps with them.
    fn width(&self) -> usize {
        self.widths.iter().map(|width| width + 1).sum::<usize>().saturating_sub(1)
    }

    fn heading(&self, content: usize) -> Vec<StyledText> {
        let all = self.shown.iter().zip(&self.widths);
        all.map(|(&column, &width)| {
            let width = if column == Column::Content { content } else { width };
            StyledText::of_width(heading(column), width, CellStyle::Heading)
        })
        .collect()
    }

    fn row(&self, message: &Message, content: usize) -> Vec<StyledText> {
        let mut row = Vec::new();
        for (&column, &width) in self.shown.iter().zip(&self.widths) {
            if column == Column::Content {
                row.extend(self.content(message, content));
            } else {
                let text = self.cells.text(message, column);
                row.push(StyledText::of_width(text, width, Cells::look(message, column)));
            }
        }
        row
    }

    /// The status where it is worth a word and has no column of its own, the content, and the reason
    /// for the status, which has a third of the room at least and what the content leaves.
    fn content(&self, message: &Message, columns: usize) -> Vec<StyledText> {
        let text = self.cells.text(message, Column::Content);
        let state = Cells::state(message);
        if state.is_empty() || self.shown.contains(&Column::Status) {
            return vec![StyledText::of_width(text, columns, CellStyle::Plain)];
        }
        let look = status_look(message.status);
        let taken = width(state).min(columns);
        let left = columns.saturating_sub(taken + 1);
        let state = StyledText::of_width(state, taken, look);
        let reason = self.cells.reason(message);
        if reason.is_empty() {
            return vec![state, StyledText::of_width(text, left, CellStyle::Plain)];
        }
        let text_width = width(&text.text);
        let after_text = left.saturating_sub(text_width + 1);
        let room = width(&reason).min(after_text.max(left / 3));
        let shown = text_width.min(left.saturating_sub(room + 1));
        let text = StyledText::of_width(text, shown, CellStyle::Plain);
        vec![state, text, StyledText::of_width(reason, room, look)]
    }

    /// Everything but the content, and the content below it.
    fn two_rows(&self, message: &Message, columns: usize) -> Vec<Vec<StyledText>> {
        let (mut first, mut left) = (Vec::new(), columns);
        for (&column, &most) in self.shown.iter().zip(&self.widths) {
            if column != Column::Content && left > 0 {
                let text = self.cells.text(message, column);
                let width = width(&text.text).min(most).min(left);
                first.push(StyledText::of_width(text, width, Cells::look(message, column)));
                left = left.saturating_sub(width + 1);
            }
        }
        let mut second = vec![StyledText::new(" ", CellStyle::Plain)];
        second.extend(self.content(message, columns.saturating_sub(2)));
        vec![first, second]
    }
}

fn heading(column: Column) -> &'static str {
    match column {
        Column::Id => "ID",
        Column::Time => "TIME",
        Column::Updated => "UPDATED",
        Column::Direction => "DIRECTION",
        Column::Platform => "PLATFORM",
        Column::Conversation => "CONVERSATION",
        Column::Name => "NAME",
        Column::Status => "STATUS",
        Column::Type => "TYPE",
        Column::Sender => "FROM",
        Column::SenderId => "SENDER ID",
        Column::Account => "ACCOUNT",
        Column::Content => "CONTENT",
        Column::Error => "ERROR",
        Column::Waiting => "WAITING",
        Column::Retries => "RETRIES",
    }
}

/// The most columns of a cell.
fn most(column: Column) -> usize {
    match column {
        Column::Platform => 10,
        Column::Sender => 16,
        Column::Error | Column::Waiting => 40,
        _ => 24,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;
    use crate::model::message::{Draft, MessageType, Sender, Status};

    const NOW: u64 = 1_795_413_385 + 200;

    fn message(content: &str) -> Message {
        let draft =
            Draft::new(MessageType::Text, content.into(), "group_123456".into(), Some("qq".into()));
        let made =
            draft.unwrap().into_message(1, uuid::Uuid::from_u128(0xabcd_1234 << 96), 1_795_413_385);
        Message { status: Status::Sent, ..made }
    }

    fn shown(messages: &[Message], columns: usize) -> Vec<String> {
        let rows = rows(&[messages], &COLUMNS, columns, (NOW, &TimeZone::UTC), None);
        rows.iter().map(|row| super::super::style::printed(row, false)).collect()
    }

    const SENTENCE: &str = "the quick brown fox jumps over the lazy dog";

    #[test]
    fn content_has_room_and_the_id_is_there_at_every_width() {
        for columns in [200, 120, 100, 80, 60, 40] {
            let rows = shown(&[message(SENTENCE)], columns);
            let text = rows.join("\n");
            assert!(rows.iter().all(|row| width(row) <= columns), "{columns}: {text}");
            for part in [&SENTENCE[..25], "3 min ago", "group_123456", "abcd1234"] {
                assert!(text.contains(part), "{columns}: {part}: {text}");
            }
        }
    }

    #[test]
    fn a_wide_terminal_has_a_row_for_each_message() {
        let rows = shown(&[message("one"), message("two")], 80);
        assert_eq!(rows.len(), 3, "{rows:?}");
        assert!(rows[0].starts_with("ID ") && rows[1].ends_with(" one"), "{rows:?}");
        assert_eq!(shown(&[message("one"), message("two")], 50).len(), 4);
    }

    #[test]
    fn a_status_is_told_only_where_something_is_to_be_done() {
        let failed = Message {
            status: Status::Failed,
            last_error: Some("no such group".into()),
            ..message("hello")
        };
        let text = shown(&[message("fine"), failed], 100).join("\n");
        assert!(text.contains("Failed hello (no such group)"), "{text}");
        assert!(!text.contains("Sent"), "{text}");
        let long = Message {
            status: Status::Pending,
            waiting: Some("x".repeat(500).into()),
            ..message(SENTENCE)
        };
        let text = shown(&[long], 100).join("\n");
        assert!(text.contains("Pending the quick") && text.contains(" (xxx"), "{text}");
    }

    #[test]
    fn the_platform_is_shown_where_there_are_several_and_there_is_room() {
        let mut other = message("two");
        other.platform = Some("wechat".into());
        let (one, both) = ([message("one")], [message("one"), other]);
        for (messages, columns, has) in
            [(&one[..], 120, false), (&both, 120, true), (&both, 80, false)]
        {
            let usual = usual_columns(&[messages], columns);
            assert_eq!(usual.contains(&Column::Platform), has, "{columns}");
        }
    }

    #[test]
    fn columns_that_are_asked_for_are_shown() {
        let asked = [Column::Status, Column::Platform, Column::Content];
        let hello = [message("hello")];
        let rows = rows(&[&hello], &asked, 80, (NOW, &TimeZone::UTC), None);
        let text: Vec<_> =
            rows.iter().map(|row| super::super::style::printed(row, false)).collect();
        assert_eq!(text, ["STATUS PLATFORM CONTENT", "Sent   qq       hello"]);
    }

    #[test]
    fn a_gap_stands_between_messages_that_do_not_follow_each_other() {
        let (one, other) = ([message("one")], [message("two"), message("three")]);
        let groups: [&[Message]; 2] = [&one, &other];
        let rows = rows(&groups, &[Column::Content], 80, (NOW, &TimeZone::UTC), None);
        let text: Vec<_> =
            rows.iter().map(|row| super::super::style::printed(row, false)).collect();
        assert_eq!(text, ["CONTENT", "one", "--", "two", "three"]);
    }

    #[test]
    fn what_was_searched_for_is_in_sight_at_every_width() {
        let needle = Needle::new("needle").unwrap();
        let failed = Message {
            status: Status::Failed,
            last_error: Some("the group does not exist any more".into()),
            ..message(&format!("{}the needle{}", SENTENCE.repeat(20), SENTENCE.repeat(20)))
        };
        for columns in [200, 100, 80, 60, 40] {
            let group = [failed.clone()];
            let rows = rows(&[&group], &COLUMNS, columns, (NOW, &TimeZone::UTC), Some(&needle));
            let rows: Vec<_> =
                rows.iter().map(|row| super::super::style::printed(row, false)).collect();
            assert!(rows.iter().any(|row| row.contains("needle")), "{columns}: {rows:?}");
            assert!(rows.iter().all(|row| width(row) <= columns), "{columns}: {rows:?}");
        }
    }

    #[test]
    fn long_words_are_cut_before_they_are_laid_out() {
        let bytes = format!("base64://{}", "QUJD".repeat(200_000));
        let content = Content::of_type(MessageType::Image, bytes);
        let picture = Message { content, ..message("x") };
        let texts = [message(&"x".repeat(1 << 20)), picture];
        for columns in [60, 200] {
            let text = shown(&texts, columns).join("\n");
            assert!(text.contains("xxx…") && text.contains("[image] 600 kB"), "{text}");
            assert!(text.len() < 2_000 && !text.contains("QUJD"), "{text}");
        }
    }

    #[test]
    fn what_others_wrote_steers_nothing_and_breaks_nothing() {
        let mut hostile = message("\u{1b}[2Ja\u{202e}b\nc");
        hostile.direction = crate::model::message::Direction::Inbound;
        hostile.sender = Some(Sender { id: "1".into(), name: "__proto__\u{9b}1m".into() });
        hostile.conversation_name = Some("\u{7}".repeat(300));
        hostile.created_at = u64::MAX;
        for columns in [200, 80, 40, 1] {
            let text = shown(&[hostile.clone()], columns).join(" ");
            assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
        }
    }
}
