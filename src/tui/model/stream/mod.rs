//! The stream of messages: what of it is loaded, and what is to be.

mod screen;

use super::rows::Columns;
use super::scope::{Scope, contains};
use super::window::Window;
use crate::client::watch::StatusChange;
use crate::client::{HistoryPage, HistoryQuery};
use crate::model::message::Message;
use jiff::tz::TimeZone;
use uuid::Uuid;

pub use screen::Shown;

/// Messages on a page of the history.
pub const PAGE: usize = 100;

/// Messages above the screen below which older ones are loaded.
const AHEAD: i64 = 40;

/// Messages that stay above the screen when the window is over-full.
const KEPT_ABOVE: i64 = 500;

/// Knowledge of older messages.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Older {
    /// There may be some before this place in the journal.
    Before(String),
    /// They are asked for, with this ticket.
    Loading { ticket: u64, before: String },
    /// There are none.
    None,
}

/// Anchor of the lower edge of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    /// The newest message, whichever that is.
    Newest,
    /// A message, of which so many rows lie below the edge.
    At { position: i64, hidden: usize },
}

/// The stream of a scope.
#[derive(Clone, Debug)]
pub struct Stream {
    scope: Scope,
    window: Window,
    older: Older,
    anchor: Anchor,
    selected: Option<i64>,
    /// Messages that came below the lower edge.
    below: usize,
    /// The newest messages found no room; only loading anew shows them.
    is_cut: bool,
    size: (u16, u16),
    zone: TimeZone,
}

impl Stream {
    /// A stream in which nothing is loaded, that begins with what comes after `cursor`.
    pub fn new(scope: Scope, cursor: u64, size: (u16, u16), zone: TimeZone) -> Self {
        Self {
            scope,
            window: Window::default(),
            older: Older::Before((cursor + 1).to_string()),
            anchor: Anchor::Newest,
            selected: None,
            below: 0,
            is_cut: false,
            size,
            zone,
        }
    }

    /// The scope it shows.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The messages that are loaded.
    pub fn window(&self) -> &Window {
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
        self.anchor == Anchor::Newest
    }

    /// Whether older messages are being loaded.
    pub fn is_loading(&self) -> bool {
        matches!(self.older, Older::Loading { .. })
    }

    /// Whether everything that is older is loaded.
    pub fn is_whole(&self) -> bool {
        self.older == Older::None
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

    /// Gives it another size.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        if let Anchor::At { position, hidden } = self.anchor {
            let hidden = hidden.min(self.height_of(position).saturating_sub(1));
            self.anchor = Anchor::At { position, hidden };
        }
    }

    // Messages that come in.

    /// A new message, newer than all others.
    pub fn hear(&mut self, message: Message) {
        if !self.scope.has(&message) {
            return;
        }
        if self.is_cut {
            self.below += 1;
            return;
        }
        if self.window.push(message) && !self.follows() {
            self.below += 1;
        }
        self.shrink();
    }

    /// Lets go what is too much: what lies far above the screen, else far below it.
    fn shrink(&mut self) {
        while self.window.is_over_full() {
            let kept_from = match self.anchor {
                Anchor::Newest => i64::MAX,
                Anchor::At { position, .. } => position - KEPT_ABOVE,
            };
            if self.window.first() >= kept_from {
                self.window.pop_back();
                self.is_cut = true;
                continue;
            }
            self.window.pop_front();
            if let Some(oldest) = self.window.at(self.window.first()) {
                self.older = Older::Before(oldest.id.to_string());
            }
        }
    }

    /// The request to make now, if any: older messages, when the screen comes near them.
    pub fn wants(&mut self, ticket: u64) -> Option<HistoryQuery> {
        let Older::Before(before) = &self.older else { return None };
        let top = self.visible().first().map_or(self.window.first(), |shown| shown.position);
        let is_near = top - self.window.first() < AHEAD;
        let is_hidden = self.height() == 0 && !self.window.is_empty();
        if !is_near || is_hidden {
            return None;
        }
        let before = before.clone();
        self.older = Older::Loading { ticket, before: before.clone() };
        Some(self.scope.page(before, PAGE))
    }

    /// A page that was asked for; false where it is not wanted any more.
    pub fn load(&mut self, ticket: u64, found: HistoryPage) -> bool {
        let Older::Loading { ticket: asked, .. } = self.older else { return false };
        if asked != ticket {
            return false;
        }
        let is_last = found.messages.len() < PAGE && found.searched_to.is_none();
        let last = found.messages.last().map(|message| message.id.to_string());
        // A server that does not search gives everything; going on through all of it leads nowhere.
        let searches = self.scope.query.as_ref();
        let is_searched = searches
            .is_none_or(|query| found.messages.iter().all(|message| contains(message, query)));
        self.older = match found.searched_to.or(last).filter(|_| !is_last && is_searched) {
            Some(before) => Older::Before(before),
            None => Older::None,
        };
        for message in found.messages {
            if self.scope.has(&message) {
                self.window.push_front(message);
            }
        }
        self.shrink();
        true
    }

    /// The page could not be had; it is asked for again when `wants` is asked next.
    pub fn fail(&mut self, ticket: u64) {
        if let Older::Loading { ticket: asked, before } = &self.older
            && *asked == ticket
        {
            self.older = Older::Before(before.clone());
        }
    }

    /// A message's status changed. Tells whether it is shown here.
    pub fn change(&mut self, change: &StatusChange) -> bool {
        let Some(message) = self.window.by_id_mut(change.id) else { return false };
        message.status = change.status;
        message.retry_count = change.retry_count;
        message.updated_at = change.updated_at;
        message.last_error = change.last_error.as_deref().map(str::to_owned);
        if change.platform != crate::model::message::LOCAL {
            message.platform = Some(change.platform.clone().into_owned());
        }
        self.keep_if_wanted(change.id);
        true
    }

    /// A message as it now is.
    pub fn update(&mut self, message: &Message) {
        if self.window.replace(message) {
            self.keep_if_wanted(message.id);
        }
    }

    fn keep_if_wanted(&mut self, id: Uuid) {
        if self.window.by_id(id).is_some_and(|message| !self.scope.has(message)) {
            self.remove(id);
        }
    }

    /// A message is no more.
    pub fn remove(&mut self, id: Uuid) {
        let Some(removed) = self.window.remove(id) else { return };
        let last = self.window.last();
        let moved = |position: i64| if position > removed { position - 1 } else { position };
        self.selected = self.selected.map(moved).filter(|_| last >= self.window.first());
        self.selected = self.selected.map(|position| position.min(last));
        if let Anchor::At { position, hidden } = self.anchor {
            let hidden = if position == removed { 0 } else { hidden };
            self.anchor = Anchor::At { position: moved(position).min(last), hidden };
        }
        if self.window.is_empty() {
            self.anchor = Anchor::Newest;
        }
    }
}
