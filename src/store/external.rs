//! Messages by the ID that their platform gave them.

use super::damage::guarded;
use super::error::Result;
use super::view::View;
use crate::log::record::is_known_as;
use crate::model::message::Message;
use redb::ReadableTable;

/// Messages that are looked at, the newest.
const MAX_LOOKED_AT: usize = 20_000;

impl View {
    /// The message that an account of ours knows by an ID of its platform, among the newest.
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
            for row in self.messages.iter()?.rev().take(MAX_LOOKED_AT) {
                let (seq, bytes) = row?;
                let seq = seq.value();
                if is_known_as(seq, bytes.value(), account, external_id)
                    && let Some(message) = self.readable(seq)?
                    && message.platform.as_deref() == Some(platform)
                {
                    return Ok(Some(message));
                }
            }
            Ok(None)
        })
    }
}
