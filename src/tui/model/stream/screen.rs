//! The part of the stream on the screen, and moving in it.

use super::{Anchor, Stream};
use crate::tui::model::rows::{self, ScreenRow, Setting};
use crate::tui::model::scope::contains;

/// A message on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The position in the window of loaded messages.
    pub position: i64,
    /// Its rows, without those beyond the edges.
    pub rows: Vec<ScreenRow>,
}

impl Stream {
    fn rows(&self, position: i64) -> Vec<ScreenRow> {
        let Some(message) = self.window.at(position) else { return Vec::new() };
        let answered = message.reply_to.as_ref().and_then(|reply| self.window.by_id(reply.id?));
        let notices = self.notices.get(&message.id).map(Vec::as_slice).unwrap_or_default();
        let setting = Setting {
            columns: self.columns(),
            has_tag: self.has_tag(),
            zone: &self.zone,
            previous: self.window.at(position - 1),
            answered,
            is_first_unread: self.is_first_unread(message),
            needle: self.needle.as_ref(),
            notices,
        };
        rows::of(message, &setting)
    }

    pub(super) fn height_of(&self, position: i64) -> usize {
        self.rows(position).len()
    }

    pub(super) fn height(&self) -> usize {
        usize::from(self.size.1)
    }

    /// The lower edge: a message, and how many of its rows lie below.
    pub(super) fn edge(&self) -> (i64, usize) {
        match self.anchor {
            Anchor::Newest => (self.window.last(), 0),
            Anchor::At { position, hidden } => (position, hidden),
        }
    }

    /// Rows on the screen, from the top; they may be fewer than its lines.
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
        if self.newer.is_none() && self.selected.is_none() {
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
        self.newer.is_none()
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
            Some(_) if self.newer.is_none() => self.follow(),
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
            self.put_at_top(position, 0);
        } else {
            self.anchor = Anchor::At { position, hidden: 0 };
        }
    }

    /// Puts a message at the upper edge, with some rows of what lies before it.
    pub(super) fn put_at_top(&mut self, position: i64, margin: usize) {
        let mut left = self.height().saturating_sub(margin).max(1);
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
