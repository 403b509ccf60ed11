//! Pages of the history: which are wanted, and how they are put in.

use super::{Loading, Stream};
use crate::client::{HistoryPage, HistoryQuery, PageStart};
use crate::tui::model::scope::contains;

/// Messages on a page of the history.
const PAGE: usize = 100;

/// Messages beside the screen, above or below, with fewer of which more are loaded.
const LOAD_MARGIN: i64 = 40;

impl Stream {
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
        let has_begin =
            self.older.is_some() && top - self.window.first() < LOAD_MARGIN && !is_hidden;
        let has_end =
            self.newer.is_some() && self.window.last() - bottom < LOAD_MARGIN && !is_hidden;
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
            if !self.scope.has(&message) {
                continue;
            }
            let oldest = self.window.at(self.window.first());
            // One that came late, and is here before the page that it belongs to.
            let is_late = oldest.is_some_and(|oldest| oldest.created_at < message.created_at);
            if is_late && self.scope.conversation.is_some() {
                self.put(message);
            } else {
                self.window.push_front(message);
            }
        }
    }

    fn load_newer(&mut self, found: HistoryPage) {
        let early = std::mem::take(&mut self.early);
        let newest = found.messages.first();
        let newest = newest.map(|message| PageStart::Message(message.id.to_string()));
        let is_new = newest.is_some() && newest != self.newer;
        if self.window.is_empty() {
            let oldest = found.messages.last();
            self.older = oldest.map(|message| message.id.to_string());
        }
        for message in found.messages.into_iter().rev() {
            if self.scope.has(&message) {
                self.take_in(message);
            }
        }
        let reaches_end = found.reaches_newest || !is_new;
        if reaches_end && !std::mem::take(&mut self.is_early_lost) {
            self.newer = None;
            for message in early {
                self.take_in(message);
            }
        } else {
            self.newer = newest.or_else(|| self.newer.take());
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
}
