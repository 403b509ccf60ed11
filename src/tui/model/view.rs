//! Overlay of the stream: everything about one message, or the keys.

use super::attachment::{self, AttachmentPlace};
use super::content::{self, Span};
use super::picture::Picture;
use super::rows::{self, local};
use crate::model::message::{Message, Sender};
use crate::text::{width as columns_of, wrap};
use crate::tui::keys::{Mode, TABLE};
use crate::tui::language::{reason, say, status, text};
use jiff::tz::TimeZone;

/// The most rows of a content; more is for `rechat get`.
const MAX_ROWS: usize = 5_000;

/// The most characters of a content.
const MAX_CHARACTERS: usize = 1 << 20;

/// Columns of the names left of the values.
const NAMES: usize = 14;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewLine {
    /// The heading of the lines below it.
    Title(String),
    /// A name, and the text beside it.
    Row { name: String, text: String },
    /// Text over the whole width.
    Text(Vec<Span>),
}

/// The content of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewSubject {
    /// The table of keys.
    Keys,
    /// Everything about a message.
    Message(Box<Message>),
    /// A picture of a message.
    Picture(Picture),
}

/// Rows that can be scrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScrollView {
    /// The content; changed only together with [`ScrollView::lay_out`].
    pub subject: ViewSubject,
    lines: Vec<ViewLine>,
    top: usize,
    size: (u16, u16),
}

impl ScrollView {
    /// From its top, on a size.
    pub fn new(subject: ViewSubject, size: (u16, u16), zone: &TimeZone) -> Self {
        let mut view = Self { subject, lines: Vec::new(), top: 0, size: (0, 0) };
        view.lay_out(size, zone);
        view
    }

    /// Lays it out for a size, after that or its subject has changed.
    pub fn lay_out(&mut self, size: (u16, u16), zone: &TimeZone) {
        self.size = size;
        let width = usize::from(size.0);
        self.lines = match &self.subject {
            ViewSubject::Keys => keys(width),
            ViewSubject::Message(message) => details(message, width, zone),
            ViewSubject::Picture(_) => Vec::new(),
        };
        self.scroll(0);
    }

    /// The size it is laid out for.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// The title of its frame.
    pub fn title(&self) -> &'static str {
        match self.subject {
            ViewSubject::Keys => say!("Keys"),
            ViewSubject::Message(_) => say!("Message"),
            ViewSubject::Picture(_) => say!("Picture"),
        }
    }

    /// The rows on the screen.
    pub fn shown(&self) -> &[ViewLine] {
        let end = (self.top + usize::from(self.size.1)).min(self.lines.len());
        &self.lines[self.top..end]
    }

    /// How many rows lie below.
    pub fn below(&self) -> usize {
        self.lines.len() - self.top - self.shown().len()
    }

    /// Scrolls by rows, not beyond an end.
    pub fn scroll(&mut self, rows: isize) {
        let most = self.lines.len().saturating_sub(usize::from(self.size.1));
        self.top = self.top.saturating_add_signed(rows).min(most);
    }

    /// A page, in rows.
    pub fn page(&self) -> isize {
        usize::from(self.size.1).max(2).cast_signed() - 1
    }
}

fn keys(width: usize) -> Vec<ViewLine> {
    let mut lines = Vec::new();
    for mode in Mode::ALL {
        if !lines.is_empty() {
            lines.push(ViewLine::Row { name: String::new(), text: String::new() });
        }
        lines.push(ViewLine::Title(text(mode.title()).to_owned()));
        for binding in TABLE.iter().filter(|binding| binding.mode == mode) {
            let names: Vec<_> = binding.keys.iter().map(ToString::to_string).collect();
            row(&mut lines, &names.join(", "), text(binding.help), width);
        }
    }
    lines
}

fn details(message: &Message, width: usize, zone: &TimeZone) -> Vec<ViewLine> {
    let time = |seconds| {
        let time = local(seconds, zone).strftime("%Y-%m-%d %H:%M:%S %:z");
        format!("{time} ({seconds})")
    };
    let person = |sender: &Sender| format!("{} ({})", sender.name, sender.id);
    let answers = message.reply_to.as_ref().map(|reply| {
        let who = reply.sender.as_ref().map(|sender| format!("{}: ", rows::name_of(sender)));
        let said = reply.content.as_deref().map(content::one_line).unwrap_or_default();
        format!("{}{said}", who.unwrap_or_default())
    });
    let reactions = message.reactions.iter().map(|reaction| {
        let mine = if reaction.mine { say!(" (yours)") } else { "" };
        format!("{} {}{mine}", content::shown_reaction(&reaction.emoji), reaction.count)
    });
    let reactions = reactions.collect::<Vec<_>>().join(", ");
    let recall = message.recall.as_ref().map(|recall| match &recall.by {
        Some(by) => say!("{} by {}", time(recall.at), person(by)),
        None => time(recall.at),
    });
    let facts = [
        (say!("status"), Some(status(message.status).to_owned())),
        (say!("type"), Some(text(message.message_type().as_str()).to_owned())),
        (say!("direction"), Some(text(message.direction.as_str()).to_owned())),
        (say!("platform"), Some(message.platform_or_local().to_owned())),
        (say!("conversation"), Some(message.recipient.clone())),
        (say!("name"), message.conversation_name.clone()),
        (say!("sender"), message.sender.as_ref().map(person)),
        (say!("account"), message.account.clone()),
        (say!("bot"), message.via.clone()),
        (say!("answers"), answers),
        (say!("created"), Some(time(message.created_at))),
        (say!("updated"), Some(time(message.updated_at))),
        (say!("edited"), message.edited_at.map(time)),
        (say!("recalled"), recall),
        (say!("reactions"), Some(reactions).filter(|reactions| !reactions.is_empty())),
        (say!("retries"), Some(message.retry_count.to_string())),
        (say!("waits for"), message.waiting.as_deref().map(|why| reason(why).into_owned())),
        (say!("last error"), message.last_error.as_deref().map(|why| reason(why).into_owned())),
        (say!("id"), Some(message.id.to_string())),
    ];
    let mut lines = Vec::new();
    for (name, value) in facts {
        if let Some(value) = value {
            row(&mut lines, name, &value, width);
        }
    }
    lines.push(ViewLine::Title(say!("content").into()));
    let (said, is_cut) = content::wrap(&rows::said(message, MAX_CHARACTERS), width, MAX_ROWS);
    lines.extend(said.into_iter().map(ViewLine::Text));
    if is_cut {
        lines.push(ViewLine::Title(say!("there is more; `rechat get` prints all of it").into()));
    }
    let forwarded = content::forwarded(&message.content, MAX_CHARACTERS);
    if !forwarded.is_empty() {
        lines.push(ViewLine::Title(say!("forwarded").into()));
        lines.extend(content::wrap(&forwarded, width, MAX_ROWS).0.into_iter().map(ViewLine::Text));
    }
    for attachment in attachment::of(message) {
        if let AttachmentPlace::Address(address) = &attachment.place {
            row(&mut lines, say!("address"), address, width);
        }
    }
    lines
}

/// A name and its value; below each other where there is no room beside.
fn row(lines: &mut Vec<ViewLine>, name: &str, value: &str, width: usize) {
    let is_narrow = width < NAMES * 2;
    let columns = if is_narrow { width } else { width - NAMES - 1 };
    let is_long = columns_of(name) > NAMES;
    if is_narrow || is_long {
        lines.push(ViewLine::Row { name: name.to_owned(), text: String::new() });
    }
    for (index, text) in wrap(value, columns, 100).rows.into_iter().enumerate() {
        let is_beside = index == 0 && !is_narrow && !is_long;
        let name = if is_beside { name.to_owned() } else { String::new() };
        let name = if is_narrow { name } else { format!("{name}{}", pad(&name)) };
        lines.push(ViewLine::Row { name, text });
    }
}

fn pad(name: &str) -> String {
    " ".repeat((NAMES + 1).saturating_sub(columns_of(name)))
}
