//! Facts of the store by which messages are routed.

use super::damage::guarded;
use super::error::{Result, StoreError};
use super::state::StoreState;
use super::tables;
use super::transaction::Transaction;
use super::view::View;
use crate::model::routing::{SeenPlatform, StoreFacts};
use redb::ReadableTable;

impl StoreFacts for View {
    type Error = StoreError;

    fn seen_platforms(&self) -> Result<&[SeenPlatform]> {
        if let Some(seen) = self.seen_platforms.get() {
            return Ok(seen);
        }
        let seen = guarded(|| tables::seen_platforms(self.meta_table()?))?;
        Ok(self.seen_platforms.get_or_init(|| seen))
    }

    fn named_platforms(&self) -> Result<&[String]> {
        if let Some(named) = self.named_platforms.get() {
            return Ok(named);
        }
        let named = guarded(|| names(self.platforms_table()?))?;
        Ok(self.named_platforms.get_or_init(|| named))
    }

    fn is_known(&self, platform: &str, conversation: &str) -> Result<bool> {
        let row = self.conversation_row(platform, conversation)?;
        Ok(row.is_some_and(|row| row.account.is_some()))
    }
}

impl StoreFacts for Transaction<'_> {
    type Error = StoreError;

    fn seen_platforms(&self) -> Result<&[SeenPlatform]> {
        let known = &self.known_platforms.seen;
        if let Some(seen) = known.get() {
            return Ok(seen);
        }
        let seen = tables::seen_platforms(&self.meta)?;
        Ok(known.get_or_init(|| seen.into()))
    }

    fn named_platforms(&self) -> Result<&[String]> {
        let known = &self.known_platforms.named;
        if let Some(named) = known.get() {
            return Ok(named);
        }
        let named = names(self.platforms.read()?)?;
        Ok(known.get_or_init(|| named.into()))
    }

    fn is_known(&self, platform: &str, conversation: &str) -> Result<bool> {
        self.is_seen_conversation(platform, conversation)
    }
}

/// The names of all platforms. The row without a name, of messages without a platform, is left out.
fn names(platforms: &impl ReadableTable<&'static str, u32>) -> Result<Vec<String>> {
    let names = platforms.iter()?.map(|row| Ok(row?.0.value().to_owned()));
    names.filter(|name| !name.as_ref().is_ok_and(String::is_empty)).collect()
}
