//! Lists in the order of `created_at`, with or without a search.

use super::index::Index;
use super::query::Search;
use crate::model::message::Message;
use crate::store::{Matches, MessageFilter, MessageSource, Page, Result, Store, View};
use std::ops::Range;

impl Index {
    /// The messages that match, by `created_at` and then by `seq`, newest first; `page.offset`
    /// counts only those. Messages that were fetched later from a platform's history are at the
    /// position of their time.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn by_time(
        &self,
        store: &Store,
        filter: &MessageFilter,
        search: Option<&Search>,
        page: Page,
    ) -> Result<Matches> {
        let view = store.view()?;
        let Some(search) = search else {
            return view.by_time(filter, &Plain { view: &view, filter }, page);
        };
        view.by_time(filter, &Searched { index: self, store, filter, search }, page)
    }
}

struct Plain<'a> {
    view: &'a View,
    filter: &'a MessageFilter,
}

impl MessageSource for Plain<'_> {
    fn page(&self, page: Page) -> Result<Matches> {
        Ok(Matches { messages: self.view.list(self.filter, page)?, searched_to: None })
    }

    fn has(&self, message: &Message) -> bool {
        self.filter.matches(message)
    }

    fn span(&self) -> Range<u64> {
        0..u64::MAX
    }
}

struct Searched<'a> {
    index: &'a Index,
    store: &'a Store,
    filter: &'a MessageFilter,
    search: &'a Search,
}

impl MessageSource for Searched<'_> {
    fn page(&self, page: Page) -> Result<Matches> {
        self.index.search(self.store, self.filter, self.search, page)
    }

    fn has(&self, message: &Message) -> bool {
        self.filter.matches(message) && self.search.matches(message)
    }

    fn span(&self) -> Range<u64> {
        self.search.span()
    }
}
