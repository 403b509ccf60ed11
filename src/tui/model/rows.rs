//! How a message is laid out in rows; scrolling counts them, drawing shows them.

use super::content::{self, Span, TextLook};
use super::hits::Needle;
use super::links;
use crate::model::message::{Direction, Message, ReplyTo, Sender, Status};
use crate::text::{self, without_field};
use crate::tui::language::{reason, say};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// The most rows of one message in the stream; its view shows all of it.
const MAX_ROWS: usize = 30;

/// Rows of an error, and of what a message waits for.
const WHY_ROWS: usize = 3;

/// Widths from which the columns are there. With the tag, 50 columns are left for text; where the
/// sender has no column, the name stands before the text, which then has 31 of 40.
const WITH_TAG: u16 = 89;
const WITH_WIDE_SENDER: u16 = 48;
const WITH_SENDER: u16 = 44;
const WITH_TIME: u16 = 24;

/// Widths of the columns of the stream, without the spaces between them; 0 hides a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
pub enum ScreenRow {
    /// A new day begins.
    Day(Date),
    /// From here on nothing was read before.
    Unread,
    /// A row of a message; the first one has time and sender before it.
    Text { spans: Vec<Span>, is_first: bool },
    /// Something that is no message.
    Notice(Vec<Span>),
}

/// Facts that rows need beside their message.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    pub columns: Columns,
    /// Messages of several conversations are shown.
    pub has_tag: bool,
    pub zone: &'a TimeZone,
    /// The message before this one.
    pub previous: Option<&'a Message>,
    /// The message that it answers, where it is loaded.
    pub answered: Option<&'a Message>,
    /// It is the first one that was not read before.
    pub is_first_unread: bool,
    /// The text that is searched for.
    pub needle: Option<&'a Needle>,
    /// Notices that came after it.
    pub notices: &'a [String],
}

/// The local time of Unix seconds.
pub fn local(seconds: u64, zone: &TimeZone) -> jiff::Zoned {
    let timestamp = Timestamp::from_second(seconds.try_into().unwrap_or_default());
    timestamp.unwrap_or_default().to_zoned(zone.clone())
}

/// The name of a person, else the ID.
pub fn name_of(sender: &Sender) -> &str {
    if sender.name.is_empty() { &sender.id } else { &sender.name }
}

/// The author of a message, for people.
pub fn author(message: &Message) -> &str {
    match &message.sender {
        _ if message.direction == Direction::Outbound => say!("you"),
        Some(sender) => name_of(sender),
        None => "",
    }
}

/// Prefix of the content: facts without a column.
fn label(message: &Message, setting: &Setting) -> Vec<Span> {
    let mut label = Vec::new();
    let columns = setting.columns;
    if setting.has_tag && columns.tag == 0 {
        let name = message.conversation_name.as_deref().unwrap_or(&message.recipient);
        let name = text::cut(&text::visible(name), 16).into_owned();
        label.push(Span::new(&format!("{name}› "), TextLook::Quiet));
    }
    if columns.sender == 0 && message.direction == Direction::Inbound {
        let name = text::cut(&text::visible(author(message)), 12).into_owned();
        label.push(Span::new(&format!("{name}: "), TextLook::Quiet));
    }
    label
}

/// The content of a message with its later changes; at most so many characters of content.
pub fn said(message: &Message, most: usize) -> Vec<Vec<Span>> {
    let mut lines = content::lines(&message.content, most);
    if let Some(recall) = &message.recall {
        lines.iter_mut().flatten().for_each(|span| span.look = TextLook::Recalled);
        let by = recall.by.as_ref().map(|by| say!(" by {}", name_of(by))).unwrap_or_default();
        let mark = Span::new(&say!("[recalled{}] ", by), TextLook::Quiet);
        lines[0].insert(0, mark);
    }
    let mut mark = |text: &str| {
        if let Some(last) = lines.last_mut() {
            last.push(Span::new(text, TextLook::Quiet));
        }
    };
    if message.edited_at.is_some() {
        mark(say!(" (edited)"));
    }
    if message.is_unconfirmed && message.status == Status::Sent {
        mark(say!(" (unconfirmed)"));
    }
    lines
}

/// The message that is answered, on one line.
fn quote(reply: &ReplyTo, answered: Option<&Message>) -> String {
    if let Some(answered) = answered {
        let said = match answered.recall {
            Some(_) => say!("[recalled]").into(),
            None => content::line(&answered.content),
        };
        return format!("↩ {}: {said}", author(answered));
    }
    let excerpt = reply.content.as_deref().map(content::one_line).unwrap_or_default();
    let is_address = links::find(&excerpt).first().is_some_and(|link| *link == (0..excerpt.len()));
    let said = match links::file_name(&excerpt).or_else(|| links::host(&excerpt)) {
        Some(name) if is_address => name.to_owned(),
        _ if excerpt.is_empty() => say!("an older message").into(),
        _ => excerpt,
    };
    match &reply.sender {
        Some(sender) => format!("↩ {}: {said}", name_of(sender)),
        None => format!("↩ {said}"),
    }
}

/// The rows of a message.
pub fn of(message: &Message, setting: &Setting) -> Vec<ScreenRow> {
    let width = usize::from(setting.columns.text);
    let mut rows = Vec::new();
    let day = local(message.created_at, setting.zone).date();
    let is_of_day = |other: &Message| local(other.created_at, setting.zone).date() == day;
    if !setting.previous.is_some_and(is_of_day) {
        rows.push(ScreenRow::Day(day));
    }
    if setting.is_first_unread {
        rows.push(ScreenRow::Unread);
    }
    let texts = texts(message, setting, width);
    rows.extend(
        texts
            .into_iter()
            .enumerate()
            .map(|(index, spans)| ScreenRow::Text { spans, is_first: index == 0 }),
    );
    for notice in setting.notices {
        let (lines, _) = content::wrap(&[vec![Span::new(notice, TextLook::Quiet)]], width, 2);
        rows.extend(lines.into_iter().map(ScreenRow::Notice));
    }
    rows
}

/// The rows of text of a message.
fn texts(message: &Message, setting: &Setting, width: usize) -> Vec<Vec<Span>> {
    let mut texts = Vec::new();
    if let Some(reply) = &message.reply_to {
        let quote = quote(reply, setting.answered);
        let quote = text::cut(&text::visible(&quote), width).into_owned();
        texts.push(vec![Span::new(&quote, TextLook::Quiet)]);
    }
    // No more of it can be shown.
    let most = width.max(1) * (MAX_ROWS + 1) * 4;
    let mut lines = said(message, most);
    lines[0].splice(0..0, label(message, setting));
    if let Some(needle) = setting.needle {
        for line in &mut lines {
            needle.mark(line);
        }
    }
    let (rows, is_cut) = content::wrap(&lines, width, MAX_ROWS);
    texts.extend(rows);
    if is_cut {
        texts
            .push(vec![Span::new(say!("… there is more; Enter shows all of it"), TextLook::Quiet)]);
    }
    if !message.reactions.is_empty() {
        texts.extend(content::wrap(&[reactions(message)], width, 2).0);
    }
    if let Some((why, look)) = why(message) {
        let lines: Vec<_> = why.lines().map(|line| vec![Span::new(line, look)]).collect();
        texts.extend(content::wrap(&lines, width, WHY_ROWS).0);
    }
    texts
}

fn reactions(message: &Message) -> Vec<Span> {
    let mut spans = Vec::new();
    for reaction in &message.reactions {
        if !spans.is_empty() {
            spans.push(Span::new("  ", TextLook::Plain));
        }
        let look = if reaction.mine { TextLook::Mine } else { TextLook::Quiet };
        let emoji = content::shown_reaction(&reaction.emoji);
        spans.push(Span::new(&format!("{emoji} {}", reaction.count), look));
    }
    spans
}

/// The reason why a message waits, without advice for programs where the language has no words of its own.
fn worded(why: &str) -> Cow<'_, str> {
    match reason(why) {
        Cow::Borrowed(why) => Cow::Borrowed(without_field(why)),
        words @ Cow::Owned(_) => words,
    }
}

/// Why a message is not sent: the last error, or what it waits for.
pub fn why(message: &Message) -> Option<(Cow<'_, str>, TextLook)> {
    let error = message.last_error.as_deref();
    match message.status {
        Status::Failed | Status::Sending => Some((reason(error?), TextLook::Wrong)),
        Status::Pending => {
            let waiting = message.waiting.as_deref();
            let waiting = waiting.map(|why| (worded(why), TextLook::Waiting));
            waiting.or(error.map(|error| (reason(error), TextLook::Wrong)))
        }
        Status::Sent | Status::Canceled => None,
    }
}
