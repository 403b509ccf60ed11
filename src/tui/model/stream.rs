//! The stream of messages, and what of it is on the screen.

use super::rows::{self, Columns, Row};
use super::scope::{Scope, contains};
use super::window::Window;
use crate::client::watch::StatusChange;
use crate::client::{Found, Wanted};
use crate::message::Message;
use jiff::tz::TimeZone;
use uuid::Uuid;

/// Messages on a page of the history.
pub const PAGE: usize = 100;

/// Messages above the screen below which older ones are loaded.
const AHEAD: i64 = 40;

/// Messages that stay above the screen when the window is over-full.
const KEPT_ABOVE: i64 = 500;

/// What is known of older messages.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Older {
    /// There may be some before this place in the journal.
    Before(String),
    /// They are asked for, with this ticket.
    Loading { ticket: u64, before: String },
    /// There are none.
    None,
}

/// What the lower edge of the screen holds on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    /// The newest message, whichever that is.
    Newest,
    /// A message, of which so many rows lie below the edge.
    At { position: i64, hidden: usize },
}

/// A message on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    #[allow(missing_docs)]
    pub position: i64,
    /// Its rows, without those beyond the edges.
    pub rows: Vec<Row>,
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

    /// What it shows.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The messages that are loaded.
    pub fn window(&self) -> &Window {
        &self.window
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

    // What comes.

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

    /// What to load now, if anything: older messages, when the screen comes near them.
    pub fn wants(&mut self, ticket: u64) -> Option<Wanted> {
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
    pub fn load(&mut self, ticket: u64, found: Found) -> bool {
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
        message.last_error.clone_from(&change.last_error);
        if change.platform != crate::message::LOCAL {
            message.platform = Some(change.platform.clone());
        }
        self.keep_if_wanted(change.id);
        true
    }

    /// A message as it now is.
    pub fn update(&mut self, message: &Message) {
        if let Some(known) = self.window.by_id_mut(message.id) {
            let (seq, content) = (known.seq, std::mem::take(&mut known.content));
            *known = Message { seq, content, ..message.clone() };
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

    // What is on the screen.

    fn rows(&self, position: i64) -> Vec<Row> {
        let Some(message) = self.window.at(position) else { return Vec::new() };
        let previous = self.window.at(position - 1);
        rows::of(message, previous, self.columns(), self.has_tag(), &self.zone)
    }

    fn height_of(&self, position: i64) -> usize {
        self.rows(position).len()
    }

    fn height(&self) -> usize {
        usize::from(self.size.1)
    }

    /// The lower edge: a message, and how many of its rows lie below.
    fn edge(&self) -> (i64, usize) {
        match self.anchor {
            Anchor::Newest => (self.window.last(), 0),
            Anchor::At { position, hidden } => (position, hidden),
        }
    }

    /// What is on the screen, from the top; it may be less than the screen.
    pub fn visible(&self) -> Vec<Shown> {
        let (mut position, mut hidden) = self.edge();
        let mut left = self.height();
        let mut shown = Vec::new();
        while left > 0 && position >= self.window.first() {
            let mut rows = self.rows(position);
            rows.truncate(rows.len().saturating_sub(hidden));
            rows.drain(..rows.len().saturating_sub(left));
            left -= rows.len();
            hidden = 0;
            shown.push(Shown { position, rows });
            position -= 1;
        }
        shown.reverse();
        shown
    }

    /// Moves the screen up by rows, as far as there are any.
    pub fn scroll_up(&mut self, rows: usize) {
        let (mut position, mut hidden) = self.edge();
        // Rows that the window has above the lower edge, as far as they are of interest.
        let mut above = 0;
        for earlier in (self.window.first()..=position).rev() {
            above += self.height_of(earlier);
            if above >= self.height() + rows + hidden {
                break;
            }
        }
        let most = above.saturating_sub(hidden).saturating_sub(self.height());
        hidden += rows.min(most);
        while position > self.window.first() && hidden >= self.height_of(position) {
            hidden -= self.height_of(position);
            position -= 1;
        }
        if rows.min(most) > 0 {
            self.anchor = Anchor::At { position, hidden };
        }
    }

    /// Moves the screen down by rows; at the end it follows what comes.
    pub fn scroll_down(&mut self, rows: usize) {
        let Anchor::At { mut position, hidden } = self.anchor else { return };
        let mut left = rows;
        let mut hidden = hidden;
        while left > hidden {
            left -= hidden;
            position += 1;
            hidden = self.height_of(position);
            if position > self.window.last() {
                return self.reach_end();
            }
        }
        self.anchor = Anchor::At { position, hidden: hidden - left };
        if position == self.window.last() && hidden == left {
            self.reach_end();
        }
    }

    /// The newest loaded message is on the screen.
    fn reach_end(&mut self) {
        if !self.is_cut && self.selected.is_none() {
            self.follow();
        } else {
            self.anchor = Anchor::At { position: self.window.last(), hidden: 0 };
        }
    }

    fn follow(&mut self) {
        self.anchor = Anchor::Newest;
        self.selected = None;
        self.below = 0;
    }

    /// A page, in rows.
    pub fn page(&self) -> usize {
        self.height().saturating_sub(2).max(1)
    }

    /// Goes to the newest message and follows; false where that has to be loaded anew.
    pub fn go_to_newest(&mut self) -> bool {
        self.follow();
        !self.is_cut
    }

    /// Goes to the oldest message that is loaded.
    pub fn go_to_oldest(&mut self) {
        if !self.window.is_empty() {
            self.select(self.window.first());
        }
    }

    /// Lets go of the selected message.
    pub fn unselect(&mut self) {
        self.selected = None;
    }

    /// Selects the message above; the lowest on the screen where none is.
    pub fn select_above(&mut self) {
        let lowest = self.visible().last().map(|shown| shown.position);
        let position = match self.selected {
            Some(position) => Some((position - 1).max(self.window.first())),
            None => lowest,
        };
        if let Some(position) = position {
            self.select(position);
        }
    }

    /// Selects the message below; behind the newest it follows what comes.
    pub fn select_below(&mut self) {
        match self.selected {
            Some(position) if position < self.window.last() => self.select(position + 1),
            Some(_) if !self.is_cut => self.follow(),
            Some(_) => {}
            None => self.scroll_down(1),
        }
    }

    /// Selects a message that is loaded, and brings it to the screen.
    pub fn select(&mut self, position: i64) {
        self.selected = Some(position);
        let (edge, hidden) = self.edge();
        self.anchor = Anchor::At { position: edge, hidden };
        let visible = self.visible();
        let is_whole = |shown: &Shown| {
            shown.position == position && shown.rows.len() == self.height_of(position)
        };
        if visible.iter().any(is_whole) {
            return;
        }
        let is_above = visible.first().is_some_and(|shown| position <= shown.position);
        if is_above {
            self.put_at_top(position);
        } else {
            self.anchor = Anchor::At { position, hidden: 0 };
        }
    }

    fn put_at_top(&mut self, position: i64) {
        let mut left = self.height();
        for below in position..=self.window.last() {
            let height = self.height_of(below);
            if height >= left {
                self.anchor = Anchor::At { position: below, hidden: height - left };
                return;
            }
            left -= height;
        }
        self.anchor = Anchor::At { position: self.window.last(), hidden: 0 };
    }

    /// Selects the next message with a text in it, upwards or downwards; false where there is none.
    pub fn find(&mut self, text: &str, upwards: bool) -> bool {
        let (first, last) = (self.window.first(), self.window.last());
        let has = |position: &i64| {
            self.window.at(*position).is_some_and(|message| contains(message, text))
        };
        let found = match (upwards, self.selected) {
            (true, from) => (first..from.unwrap_or(last + 1)).rev().find(has),
            (false, from) => (from.unwrap_or(last) + 1..=last).find(has),
        };
        if let Some(position) = found {
            self.select(position);
        }
        found.is_some()
    }

    /// How many loaded messages have a text in them.
    pub fn count(&self, text: &str) -> usize {
        self.window.iter().filter(|message| contains(message, text)).count()
    }
}
