//! The stream of messages: what of it is loaded, and what is to be.

mod change;
mod chosen;
mod goal;
mod incoming;
mod load;
mod screen;

pub use chosen::MAX_CHOSEN;
pub use screen::Shown;

use super::hits::Needle;
use super::rows::Columns;
use super::scope::StreamScope;
use super::window::MessageWindow;
use crate::client::PageStart;
use crate::model::message::Message;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use uuid::Uuid;

/// Unread messages that the newest page has for certain; with more, the first one is looked for.
const MAX_UNREAD_IN_PAGE: u64 = 80;

/// Messages that stay above the screen when the window is over-full.
const KEPT_ABOVE: i64 = 500;

/// Messages that are kept while the ones before them are being loaded.
const MAX_EARLY: usize = 1_000;

/// Anchor of the lower edge of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    /// The newest message, whichever that is.
    Newest,
    /// A message, of which so many rows lie below the edge.
    At { position: i64, hidden: usize },
}

/// Place to go to once it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// The first of so many inbound messages.
    Unread(u64),
    Message(Uuid),
}

/// A page that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Loading {
    ticket: u64,
    is_newer: bool,
}

/// The stream of a scope.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Stream {
    scope: StreamScope,
    window: MessageWindow,
    /// There may be older messages, before this one or place in the journal.
    older: Option<String>,
    /// There are newer messages than those that are loaded, from here on.
    newer: Option<PageStart>,
    loading: Option<Loading>,
    /// The last request failed; the next one waits.
    is_resting: bool,
    /// Messages that came while those before them were being loaded.
    early: Vec<Message>,
    /// Some of them found no room.
    is_early_lost: bool,
    /// A page was loaded.
    is_begun: bool,
    goal: Option<Goal>,
    /// The message that was to be shown is no more.
    is_missing: bool,
    anchor: Anchor,
    selected: Option<i64>,
    /// Messages that were chosen to do something with all of them.
    chosen: Vec<Message>,
    /// The first message that was not read when it was opened.
    first_unread: Option<Uuid>,
    /// The newest message that was told as read.
    read_to: Option<i64>,
    /// Messages that came below the lower edge.
    below: usize,
    needle: Option<Needle>,
    /// Notices that came after a message.
    notices: HashMap<Uuid, Vec<String>>,
    size: (u16, u16),
    zone: TimeZone,
}

impl Stream {
    /// A stream in which nothing is loaded, that begins with what comes after `cursor`.
    pub fn new(scope: StreamScope, cursor: u64, zone: TimeZone) -> Self {
        Self {
            scope,
            window: MessageWindow::default(),
            older: Some((cursor + 1).to_string()),
            newer: None,
            loading: None,
            is_resting: false,
            early: Vec::new(),
            is_early_lost: false,
            is_begun: false,
            goal: None,
            is_missing: false,
            anchor: Anchor::Newest,
            selected: None,
            chosen: Vec::new(),
            first_unread: None,
            read_to: None,
            below: 0,
            needle: None,
            notices: HashMap::new(),
            size: (0, 0),
            zone,
        }
    }

    /// The same, which opens at the first of so many unread messages.
    #[must_use]
    pub fn at_unread(mut self, unread: u64) -> Self {
        if unread > 0 {
            self.goal = Some(Goal::Unread(unread));
        }
        if unread > MAX_UNREAD_IN_PAGE {
            self.begin_at(PageStart::Unread(unread));
        }
        self
    }

    /// The same, which opens around a message.
    #[must_use]
    pub fn at_message(mut self, id: Uuid) -> Self {
        self.goal = Some(Goal::Message(id));
        self.begin_at(PageStart::Message(id.to_string()));
        self
    }

    /// The same with a text that stands out where it is found.
    #[must_use]
    pub fn marking(mut self, needle: Option<Needle>) -> Self {
        self.needle = needle;
        self
    }

    fn begin_at(&mut self, start: PageStart) {
        (self.older, self.newer) = (None, Some(start));
    }

    /// The scope it shows.
    pub fn scope(&self) -> &StreamScope {
        &self.scope
    }

    /// The messages that are loaded.
    pub fn window(&self) -> &MessageWindow {
        &self.window
    }

    /// The messages that are loaded, to be changed; not their IDs, nor their content.
    pub fn messages_mut(&mut self) -> impl Iterator<Item = &mut Message> {
        self.window.iter_mut()
    }

    /// How many messages came in below what is on the screen.
    pub fn below(&self) -> usize {
        self.below
    }

    /// Whether it shows the newest messages as they come.
    pub fn follows(&self) -> bool {
        self.anchor == Anchor::Newest && self.newer.is_none()
    }

    /// Whether messages are being loaded.
    pub fn is_loading(&self) -> bool {
        self.loading.is_some()
    }

    /// Whether a page of it was loaded.
    pub fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// The selected message.
    pub fn selected(&self) -> Option<&Message> {
        self.window.at(self.selected?)
    }

    /// Where it is.
    pub fn selected_position(&self) -> Option<i64> {
        self.selected
    }

    /// Whether messages of several conversations are shown.
    pub fn has_tag(&self) -> bool {
        self.scope.conversation.is_none()
    }

    /// The columns of its messages.
    pub fn columns(&self) -> Columns {
        Columns::of(self.size.0, self.has_tag())
    }

    /// The text that stands out where it is found.
    pub fn needle(&self) -> Option<&Needle> {
        self.needle.as_ref()
    }

    /// Lets another text stand out.
    pub fn mark(&mut self, needle: Option<Needle>) {
        self.needle = needle;
    }

    /// Gives it another size.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        if let Anchor::At { position, hidden } = self.anchor {
            let hidden = hidden.min(self.height_of(position).saturating_sub(1));
            self.anchor = Anchor::At { position, hidden };
        }
    }
}
