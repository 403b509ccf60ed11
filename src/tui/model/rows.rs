//! How a message is laid out in rows; scrolling counts them, drawing shows them.

use crate::model::message::{Direction, Message, Status};
use crate::text;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The most rows of one message in the stream; its view shows all of it.
const MAX_ROWS: usize = 30;

/// Widths from which the columns are there.
const WITH_TAG: u16 = 72;
const WITH_WIDE_SENDER: u16 = 48;
const WITH_SENDER: u16 = 34;
const WITH_TIME: u16 = 24;

/// The columns of the stream, without the spaces between them; 0 is one that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Columns {
    pub time: u16,
    /// The conversation, where several are shown.
    pub tag: u16,
    pub sender: u16,
    pub text: u16,
}

impl Columns {
    /// Columns at the left edge that mark the selected message.
    pub const MARGIN: u16 = 1;
    /// The mark of the status.
    pub const MARK: u16 = 1;

    /// As fits a width; with a tag where several conversations are shown.
    pub fn of(width: u16, has_tag: bool) -> Self {
        let mut columns = Self {
            time: if width >= WITH_TIME { 5 } else { 0 },
            tag: if has_tag && width >= WITH_TAG { 16 } else { 0 },
            sender: match width {
                WITH_WIDE_SENDER.. => 12,
                WITH_SENDER.. => 8,
                _ => 0,
            },
            text: 0,
        };
        columns.text = width.saturating_sub(columns.before_text()).max(1);
        columns
    }

    /// Columns left of the text.
    pub fn before_text(self) -> u16 {
        let spaced = [self.time, self.tag, self.sender, Self::MARK];
        Self::MARGIN + spaced.iter().filter(|&&width| width > 0).map(|width| width + 1).sum::<u16>()
    }
}

/// One row on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A new day begins.
    Day(Date),
    /// A part of the content; the first one stands beside time and sender.
    #[allow(missing_docs)]
    Text { text: String, is_first: bool },
    /// Why the last attempt failed.
    Error(String),
    /// There is more than is shown.
    More,
}

/// The local time of Unix seconds.
pub fn local(seconds: u64, zone: &TimeZone) -> jiff::Zoned {
    let timestamp = Timestamp::from_second(seconds.try_into().unwrap_or_default());
    timestamp.unwrap_or_default().to_zoned(zone.clone())
}

/// Prefix of the content: facts without a column.
pub fn label(message: &Message, columns: Columns, has_tag: bool) -> String {
    let mut label = String::new();
    if has_tag && columns.tag == 0 {
        let name = message.conversation_name.as_deref().unwrap_or(&message.recipient);
        label = format!("{}› ", text::cut(&text::visible(name), 16));
    }
    if columns.sender == 0 && message.direction == Direction::Inbound {
        let sender = message.sender.as_ref().map_or("", |sender| &sender.name);
        label = format!("{label}{}: ", text::cut(&text::visible(sender), 12));
    }
    label
}

/// The rows of a message after `previous`.
pub fn of(
    message: &Message,
    previous: Option<&Message>,
    columns: Columns,
    has_tag: bool,
    zone: &TimeZone,
) -> Vec<Row> {
    let width = usize::from(columns.text);
    let mut rows = Vec::new();
    let day = local(message.created_at, zone).date();
    if previous.is_none_or(|previous| local(previous.created_at, zone).date() != day) {
        rows.push(Row::Day(day));
    }
    let content = label(message, columns, has_tag) + &text::readable(message);
    let wrapped = text::wrap(&content, width, MAX_ROWS);
    let texts = wrapped.rows.into_iter().enumerate();
    rows.extend(texts.map(|(index, text)| Row::Text { text, is_first: index == 0 }));
    if wrapped.is_cut {
        rows.push(Row::More);
    }
    let tells_why = matches!(message.status, Status::Failed | Status::Pending | Status::Sending);
    if let Some(error) = message.last_error.as_ref().filter(|_| tells_why) {
        rows.extend(text::wrap(error, width, 3).rows.into_iter().map(Row::Error));
    }
    rows
}
