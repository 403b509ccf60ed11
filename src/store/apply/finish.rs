//! Writes the rows that a batch kept in memory.

use crate::store::conversation::ConversationRow;
use crate::store::error::Result;
use crate::store::journal;
use crate::store::tables::{pack, pack_places};
use crate::store::transaction::Transaction;
use redb::ReadableTable;

impl Transaction<'_> {
    /// Writes these rows, so that the transaction can be committed. Returns whether anything changed.
    pub(in crate::store) fn finish(mut self) -> Result<bool> {
        let known = self.meta.get("counters")?.map(|bytes| bytes.value().to_vec());
        let counters = pack(&["counters"], &self.counters)?;
        if known.as_ref() == Some(&counters) {
            return Ok(false);
        }
        for (key, row) in self.rows.iter().filter(|(_, row)| row.dirty) {
            if row.value.is_empty() {
                self.postings.remove(key)?;
            } else {
                self.postings.insert(key, pack_places(*key, &row.value).as_slice())?;
            }
        }
        // New positions are written after all old ones are removed: a message may have moved between
        // conversations.
        let mut moved = Vec::new();
        for (platform, names) in &self.known_conversations {
            for (name, known) in names.iter().filter(|(_, known)| known.dirty) {
                let listed_at = known.row.as_ref().and_then(ConversationRow::listed_at);
                if listed_at != known.listed_at {
                    if let Some(old) = known.listed_at {
                        self.newest.write()?.remove((&**platform, old))?;
                    }
                    moved.extend(listed_at.map(|new| (&**platform, new, &**name)));
                }
                match &known.row {
                    None => drop(self.conversations.remove((&**platform, &**name))?),
                    Some(row) => {
                        let bytes = pack(&[platform, name], row)?;
                        self.conversations.insert((&**platform, &**name), bytes.as_slice())?;
                    }
                }
            }
        }
        for (platform, newest, name) in moved {
            self.newest.write()?.insert((platform, newest), name)?;
        }
        if let Some(&(first, _)) = self.kept.first() {
            let row = journal::encode(first, self.at, std::mem::take(&mut self.kept))?;
            self.journal.insert(first, row.as_slice())?;
        }
        self.meta.insert("counters", counters.as_slice())?;
        Ok(true)
    }
}
