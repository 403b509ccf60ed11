//! Finds messages by the ID of their platform.
//!
//! There is no index: every new message would have to update it, and such look-ups are rare. Among the
//! newest messages a search for the bytes of the ID skips nearly all rows without decoding them.

use super::damage::guarded;
use super::error::Result;
use super::view::View;
use crate::log::record::is_known_as;
use crate::model::message::Message;
use memchr::memmem::Finder;
use redb::ReadableTable;

/// The newest messages of all conversations that are searched.
const MAX_LOOKED_AT: usize = 20_000;

/// The most bytes of messages that are searched, because a few messages may be as large as many
/// others.
const MAX_BYTES: usize = 32 << 20;

/// A search for the message that has a platform's ID for one of your accounts.
pub(super) struct ExternalSearch<'a> {
    account: &'a str,
    external_id: &'a str,
    finder: Finder<'a>,
    rows_left: usize,
    bytes_left: usize,
}

impl<'a> ExternalSearch<'a> {
    /// A search through at most this number of messages.
    pub(super) fn new(account: &'a str, external_id: &'a str, max_rows: usize) -> Self {
        let finder = Finder::new(external_id);
        Self { account, external_id, finder, rows_left: max_rows, bytes_left: MAX_BYTES }
    }

    /// Whether the record at `seq` is the message that is searched for.
    pub(super) fn is_it(&mut self, seq: u64, bytes: &[u8]) -> bool {
        self.rows_left = self.rows_left.saturating_sub(1);
        self.bytes_left = self.bytes_left.saturating_sub(bytes.len());
        self.finder.find(bytes).is_some() && is_known_as(seq, bytes, self.account, self.external_id)
    }

    /// Whether the search has to stop.
    pub(super) fn is_over(&self) -> bool {
        self.rows_left == 0 || self.bytes_left == 0
    }
}

impl View {
    /// The message that has a platform's ID for one of your accounts, among the newest 20,000
    /// (fewer if they have more than 32 MiB).
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn by_external(
        &self,
        platform: &str,
        account: &str,
        external_id: &str,
    ) -> Result<Option<Message>> {
        guarded(|| {
            let mut search = ExternalSearch::new(account, external_id, MAX_LOOKED_AT);
            for row in self.messages_table()?.iter()?.rev() {
                let (seq, bytes) = row?;
                let seq = seq.value();
                if search.is_it(seq, bytes.value())
                    && let Some(message) = self.readable(seq)?
                    && message.platform.as_deref() == Some(platform)
                {
                    return Ok(Some(message));
                }
                if search.is_over() {
                    break;
                }
            }
            Ok(None)
        })
    }
}
