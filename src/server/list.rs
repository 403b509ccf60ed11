//! `GET /api/messages`: reads and writes a few messages at a time, so that slow clients do not keep
//! pages of large messages in memory.

use super::blocking::on_thread_with;
use super::body::HttpResponse;
use super::context::ServerContext;
use super::error::Result;
use super::operation::Call;
use super::pieces::{self, PIECE_BYTES, PieceSource};
use super::query::{Query, catch_up};
use super::waiting;
use crate::protocol::http::Listing;
use crate::protocol::json_text::append_json;
use crate::protocol::message::PlainMessage;
use crate::store::record::{self, Recorded};
use crate::store::{self, ByPrefix, Matches, Order, View};
use serde::Serialize;
use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The offset from which a list is read on a thread of its own.
const DEEP: u64 = 100_000;

/// Searches and deep lists that may run at the same time; further ones wait.
static THREADS: Semaphore = Semaphore::const_new(4);

/// Room for the JSON of a message, so that most pages need not grow.
const MESSAGE_BYTES: usize = 640;

/// Messages that are read first, where they are decoded; their size decides how many are read next.
const FIRST_READ: usize = 4;

/// The JSON of a page up to its first message.
const BEGINNING: &[u8] = b"{\"messages\":[";

/// A page while it is written.
struct Writing {
    context: Arc<ServerContext>,
    query: Query,
    /// The page without its messages.
    listing: Listing,
    /// Number of messages that are still to be read.
    left: usize,
    /// Number of messages that are read at once.
    step: usize,
}

/// Messages that were written at once.
#[derive(Default)]
struct Written {
    count: usize,
    /// The `seq` of the last one.
    last: Option<u64>,
    /// They are as much as is written at once; there may be more.
    is_full: bool,
}

impl Written {
    fn add(&mut self, seq: u64) {
        self.count += 1;
        self.last = Some(seq);
    }
}

/// `GET /api/messages`
pub async fn list(call: Call<'_>) -> Result<HttpResponse> {
    let query = call.request.uri().query().unwrap_or_default();
    catch_up(&call.context.store, query).await;
    let view = call.context.store.view()?;
    let query = Query::parse(query, &view)?;
    let (offset, limit) = (query.page.offset, query.page.limit);
    let page = Writing {
        context: call.context.clone(),
        query,
        listing: Listing { messages: Vec::new(), offset, limit, searched_to: None },
        left: limit,
        step: FIRST_READ,
    };
    let mut text = Vec::with_capacity(MESSAGE_BYTES * limit);
    text.extend_from_slice(BEGINNING);
    pieces::answer(call.context, page, text).await
}

impl PieceSource for Writing {
    /// Reads the next few messages.
    async fn read_into(&mut self, text: &mut Vec<u8>) -> store::Result<bool> {
        let is_done = self.left == 0 || self.read_messages(text).await?;
        if is_done {
            self.end(text);
        }
        Ok(!is_done)
    }
}

impl Writing {
    /// Reads the next few messages, and appends them to `text`; says whether those are the last ones.
    async fn read_messages(&mut self, text: &mut Vec<u8>) -> store::Result<bool> {
        let view = self.context.store.view()?;
        let (left, before) = (self.left, text.len());
        let written = if self.is_by_record() {
            self.write_records(left, &view, text)?
        } else {
            self.write_messages(self.step.min(left), view, text).await?
        };
        let is_done = self.left == 0 || !written.is_full;
        if let Some(last) = written.last {
            let average = ((text.len() - before) / written.count).max(1);
            self.step = (PIECE_BYTES / average).max(1);
            self.query.page.offset = 0;
            match &mut self.query.after {
                Some(after) => *after = last,
                None => self.query.page.before = Some(last),
            }
        }
        Ok(is_done)
    }

    /// Whether the messages are found and written at once, and this node knows why they wait.
    fn is_by_record(&self) -> bool {
        let Query { after, id_prefix, order, search, page, .. } = &self.query;
        let is_plain = after.is_none() && id_prefix.is_none() && search.is_none();
        is_plain && *order == Order::Seq && page.offset < DEEP && !self.context.follows()
    }

    /// Writes messages from their records until they are enough for a piece.
    fn write_records(
        &mut self,
        limit: usize,
        view: &View,
        text: &mut Vec<u8>,
    ) -> store::Result<Written> {
        let context = self.context.clone();
        let mut reasons = waiting::KnownReasons::new(&context, view);
        let (filter, page) = (self.query.filter.clone(), store::Page { limit, ..self.query.page });
        let (mut written, begin) = (Written::default(), text.len());
        let read = view.list_records(&filter, page, |seq, bytes| {
            let decode = || record::decode(seq, bytes);
            match record::read(seq, bytes)? {
                Recorded::Plain(fields, plain) => {
                    let waiting = reasons.of(&fields, decode)?;
                    let waiting = waiting.as_ref();
                    self.append(text, &PlainMessage { fields, text: plain, waiting });
                }
                Recorded::Other(mut message) => {
                    message.waiting = reasons.of(&message.fields(), decode)?;
                    self.append(text, &*message);
                }
            }
            written.add(seq);
            written.is_full = text.len() - begin >= PIECE_BYTES;
            Ok(if written.is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        if read.is_err() {
            text.truncate(begin);
        }
        read.map(|()| written)
    }

    /// Finds the next few messages, and writes them.
    async fn write_messages(
        &mut self,
        limit: usize,
        view: Arc<View>,
        text: &mut Vec<u8>,
    ) -> store::Result<Written> {
        let Matches { mut messages, searched_to } = self.find(limit, view.clone()).await?;
        waiting::fill(&self.context, &mut messages, &view).await;
        let mut written = Written::default();
        for message in &messages {
            self.append(text, message);
            written.add(message.seq);
        }
        written.is_full = written.count == limit;
        self.listing.searched_to = searched_to;
        Ok(written)
    }

    /// Appends one message.
    fn append<T: Serialize>(&mut self, text: &mut Vec<u8>, message: &T) {
        if self.left < self.listing.limit {
            text.push(b',');
        }
        self.left -= 1;
        // Our own types always serialise, and writing into a vector cannot fail.
        let _ = append_json(text, message);
    }

    async fn find(&self, limit: usize, view: Arc<View>) -> store::Result<Matches> {
        if let Some(after) = self.query.after {
            let messages = view.list_after(&self.query.filter, after, limit)?;
            return Ok(Matches { messages, searched_to: None });
        }
        let page = store::Page { limit, ..self.query.page };
        if let Some(prefix) = self.query.id_prefix {
            let newest = self.query.newest;
            let wanted = ByPrefix { prefix, before: page.before, newest, limit };
            let filter = self.query.filter.clone();
            let find = move || {
                Ok(Matches { messages: view.by_prefix(&filter, wanted)?, searched_to: None })
            };
            return on_a_thread(find).await;
        }
        if self.query.order == Order::Time {
            let (filter, search) = (self.query.filter.clone(), self.query.search.clone());
            let (index, store) = (self.context.search.clone(), self.context.store.clone());
            return on_a_thread(move || index.by_time(&store, &filter, search.as_ref(), page))
                .await;
        }
        let Some(search) = &self.query.search else {
            let filter = self.query.filter.clone();
            let list =
                move || Ok(Matches { messages: view.list(&filter, page)?, searched_to: None });
            return if page.offset < DEEP { list() } else { on_a_thread(list).await };
        };
        let (filter, search) = (self.query.filter.clone(), search.clone());
        let (index, store) = (self.context.search.clone(), self.context.store.clone());
        on_a_thread(move || index.search(&store, &filter, &search, page)).await
    }

    /// Appends the text after the last message.
    fn end(&self, text: &mut Vec<u8>) {
        let whole = serde_json::to_vec(&self.listing).unwrap_or_default();
        text.extend_from_slice(whole.get(BEGINNING.len()..).unwrap_or_default());
    }
}

/// Runs slow work on a thread of its own.
pub async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> store::Result<T> + Send + 'static,
) -> store::Result<T> {
    let done = on_thread_with(THREADS.acquire().await, work).await;
    done.map_err(|error| store::StoreError::Read(error.text().to_owned()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_with_its_messages() {
        let empty = Listing { messages: Vec::new(), offset: 1, limit: 2, searched_to: None };
        let text = serde_json::to_vec(&empty).unwrap();
        assert_eq!(text.strip_prefix(BEGINNING).unwrap(), b"],\"offset\":1,\"limit\":2}");
    }
}
