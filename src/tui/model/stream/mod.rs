//! The stream of messages: what of it is loaded, and what is to be.

mod goal;
mod screen;

use super::hits::Needle;
use super::rows::Columns;
use super::scope::{StreamScope, contains};
use super::window::MessageWindow;
use crate::client::watch::StatusChange;
use crate::client::{HistoryPage, HistoryQuery, Start};
use crate::model::message::{Direction, Message};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use uuid::Uuid;

pub use screen::Shown;

/// Messages on a page of the history.
pub const PAGE: usize = 100;

/// Messages beside the screen, above or below, with fewer of which more are loaded.
const AHEAD: i64 = 40;

/// Messages that stay above the screen when the window is over-full.
const KEPT_ABOVE: i64 = 500;

/// Unread messages that the newest page has for certain; with more, the first one is looked for.
const NEAR: u64 = 80;

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
    newer: Option<Start>,
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
    /// The first message that was not read when it was opened.
    first_unread: Option<Uuid>,
    /// The newest message that was told as read.
    read_to: Option<i64>,
    /// Messages that came below the lower edge.
    below: usize,
    needle: Option<Needle>,
    /// What happened after a message.
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
        if unread > NEAR {
            self.begin_at(Start::Unread(unread));
        }
        self
    }

    /// The same, which opens around a message.
    #[must_use]
    pub fn at_message(mut self, id: Uuid) -> Self {
        self.goal = Some(Goal::Message(id));
        self.begin_at(Start::Message(id.to_string()));
        self
    }

    /// The same with a text that stands out where it is found.
    #[must_use]
    pub fn marking(mut self, needle: Option<Needle>) -> Self {
        self.needle = needle;
        self
    }

    fn begin_at(&mut self, start: Start) {
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

    // Messages that come in.

    /// A new message, newer than all others.
    pub fn hear(&mut self, message: Message) {
        if !self.scope.has(&message) {
            return;
        }
        if let Some(Goal::Unread(unread)) = &mut self.goal
            && message.direction == Direction::Inbound
        {
            *unread += 1;
        }
        if self.newer.is_some() {
            self.below += 1;
            if self.loading.is_some_and(|loading| loading.is_newer) {
                self.keep_early(message);
            }
            return;
        }
        if self.window.push(message) && !self.follows() {
            self.below += 1;
        }
        self.shrink();
    }

    fn keep_early(&mut self, message: Message) {
        if self.early.len() >= MAX_EARLY {
            self.early.clear();
            self.is_early_lost = true;
        }
        if !self.is_early_lost {
            self.early.push(message);
        }
    }

    /// Something that is no message happened after the newest one.
    pub fn add_notice(&mut self, after: Uuid, text: String) {
        self.notices.entry(after).or_default().push(text);
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
                let last = self.window.at(self.window.last());
                self.newer = last.map(|last| Start::Message(last.id.to_string()));
                continue;
            }
            self.window.pop_front();
            if let Some(oldest) = self.window.at(self.window.first()) {
                self.older = Some(oldest.id.to_string());
            }
        }
    }

    /// The request to make now, if any: more messages, when the screen comes near the end of those
    /// that are loaded. `newest` is the `seq` of the newest message there is.
    pub fn wants(&mut self, ticket: u64, newest: u64) -> Option<HistoryQuery> {
        if self.loading.is_some() || self.is_resting {
            return None;
        }
        let is_hidden = self.height() == 0 && !self.window.is_empty();
        let shown = self.visible();
        let top = shown.first().map_or(self.window.first(), |shown| shown.position);
        let bottom = shown.last().map_or(self.window.last(), |shown| shown.position);
        let has_begin = self.older.is_some() && top - self.window.first() < AHEAD && !is_hidden;
        let has_end = self.newer.is_some() && self.window.last() - bottom < AHEAD && !is_hidden;
        let query = match (&self.newer, &self.older) {
            (Some(start), _) if has_end => {
                let from = Some((start.clone(), newest));
                HistoryQuery { from, ..self.scope.page(None, PAGE) }
            }
            (_, Some(before)) if has_begin => self.scope.page(Some(before.clone()), PAGE),
            _ => return None,
        };
        self.loading = Some(Loading { ticket, is_newer: query.from.is_some() });
        Some(query)
    }

    /// A page that was asked for; false where it is not wanted any more.
    pub fn load(&mut self, ticket: u64, found: HistoryPage) -> bool {
        match self.loading.take_if(|loading| loading.ticket == ticket) {
            None => return false,
            Some(Loading { is_newer: true, .. }) => self.load_newer(found),
            Some(_) => self.load_older(found),
        }
        self.is_begun = true;
        self.shrink();
        self.reach_goal();
        true
    }

    fn load_older(&mut self, found: HistoryPage) {
        let is_last = found.messages.len() < PAGE && found.searched_to.is_none();
        let last = found.messages.last().map(|message| message.id.to_string());
        // A server that does not search gives everything; going on through all of it leads nowhere.
        let searches = self.scope.query.as_ref();
        let is_searched = searches
            .is_none_or(|query| found.messages.iter().all(|message| contains(message, query)));
        self.older = found.searched_to.or(last).filter(|_| !is_last && is_searched);
        for message in found.messages {
            if self.scope.has(&message) {
                self.window.push_front(message);
            }
        }
    }

    fn load_newer(&mut self, found: HistoryPage) {
        let early = std::mem::take(&mut self.early);
        let mut is_new = false;
        if self.window.is_empty() {
            let oldest = found.messages.last();
            self.older = oldest.map(|message| message.id.to_string());
        }
        for message in found.messages.into_iter().rev() {
            is_new |= self.scope.has(&message) && self.window.push(message);
        }
        let reaches_end = found.reaches_newest || !is_new;
        if reaches_end && !std::mem::take(&mut self.is_early_lost) {
            self.newer = None;
            for message in early {
                self.window.push(message);
            }
        } else {
            let last = self.window.at(self.window.last());
            self.newer = last.map(|last| Start::Message(last.id.to_string()));
        }
    }

    /// The page could not be had; it is asked for again after [`Self::end_rest`].
    pub fn fail(&mut self, ticket: u64) {
        if self.loading.take_if(|loading| loading.ticket == ticket).is_some() {
            self.early.clear();
            self.is_resting = true;
        }
    }

    /// Lets it ask again after a request that failed.
    pub fn end_rest(&mut self) {
        self.is_resting = false;
    }

    /// A message's status changed. Tells whether it is shown here.
    pub fn change(&mut self, change: &StatusChange) -> bool {
        let Some(message) = self.window.by_id_mut(change.id) else { return false };
        message.status = change.status;
        message.retry_count = change.retry_count;
        message.updated_at = change.updated_at;
        message.last_error = change.last_error.as_deref().map(str::to_owned);
        message.waiting = None;
        if change.platform != crate::model::message::LOCAL {
            message.platform = Some(change.platform.clone().into_owned());
        }
        self.keep_if_wanted(change.id);
        true
    }

    /// A message as it now is.
    pub fn update(&mut self, message: &Message) {
        if let Some(early) = self.early.iter_mut().find(|early| early.id == message.id) {
            *early = Message { seq: early.seq, ..message.clone() };
        }
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
        self.early.retain(|message| message.id != id);
        let Some(removed) = self.window.remove(id) else { return };
        let last = self.window.last();
        let moved = |position: i64| if position > removed { position - 1 } else { position };
        self.selected = self.selected.map(moved).filter(|_| last >= self.window.first());
        self.selected = self.selected.map(|position| position.min(last));
        self.read_to = self.read_to.map(|read| if read >= removed { read - 1 } else { read });
        if let Anchor::At { position, hidden } = self.anchor {
            let hidden = if position == removed { 0 } else { hidden };
            self.anchor = Anchor::At { position: moved(position).min(last), hidden };
        }
        if self.window.is_empty() {
            self.anchor = Anchor::Newest;
        }
        self.forget_place(id);
    }

    /// Asks for what lies around another message, where this one was to be asked by.
    fn forget_place(&mut self, id: Uuid) {
        let id = id.to_string();
        if self.older.as_deref() == Some(&id) {
            let oldest = self.window.at(self.window.first());
            let place = oldest.map_or_else(|| u64::MAX.to_string(), |oldest| oldest.id.to_string());
            self.older = Some(place);
        }
        if self.newer == Some(Start::Message(id)) {
            let newest = self.window.at(self.window.last());
            self.newer = newest.map(|newest| Start::Message(newest.id.to_string()));
        }
    }
}
