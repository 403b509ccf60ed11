//! The state that decisions read: the tables, with the changes of this batch.

use super::Transaction;
use crate::log::record;
use crate::model::event::RetentionBounds;
use crate::model::inbound::Inbound;
use crate::model::message::{Direction, Message, Recall, Status};
use crate::model::notice::{ContactRequest, Notice};
use crate::store::damage::pass_over;
use crate::store::dedupe_keys::{
    Idempotency, alias_key, collision_key, deleted_hashes, deleted_keys, doubtful_key, history_key,
    periods_about, periods_of, resolved_key, seen_keys, sent_keys,
};
use crate::store::error::Result;
use crate::store::external_ids::ExternalSearch;
use crate::store::ids::EpochTag;
use crate::store::journal::EntryContent;
use crate::store::postings::start_of;
use crate::store::sealed::{SealedTable, key_of, mark_key, tag_at};
use crate::store::state::{ConversationSettings, DeletedMessage, StoreState};
use crate::store::tables::{self, PostingKey};
use redb::ReadableTable;
use uuid::Uuid;

/// The newest messages of a conversation that are searched for the target of a reply, a recall, an edit or
/// a reaction.
const MAX_LOOKED_AT: usize = 5_000;

/// The blocks of 4,096 messages, newest first, in which messages are looked for that an event may be about.
const BLOCKS_COMPARED: usize = 64;

/// The messages that are left out there before the search ends: those that failed, were canceled, or are older.
const LEFT_OUT: usize = 1_024;

/// The newest events that are searched for an equal notice.
const EVENTS_COMPARED: usize = 1_000;

/// The newest events that are searched for the deletion of a message whose attempt ended later.
const DELETIONS_COMPARED: usize = 20_000;

/// The newest requests that a request is compared with.
const REQUESTS_COMPARED: usize = 1_000;

impl Transaction<'_> {
    /// Decodes the message with this `seq`.
    pub(super) fn read_message(&self, seq: u64) -> Result<Option<Message>> {
        let bytes = self.messages.get(seq)?;
        bytes.map(|bytes| Ok(record::decode(seq, bytes.value())?)).transpose()
    }

    /// Whether a message changed from a time on, in Unix seconds.
    fn has_changed_since(&self, seq: u64, since: u64) -> Result<bool> {
        if since == 0 {
            return Ok(true);
        }
        let Some(bytes) = self.messages.get(seq)? else { return Ok(false) };
        Ok(record::times_of(seq, bytes.value())?.updated_at >= since)
    }
}

impl StoreState for Transaction<'_> {
    fn next(&self) -> (u64, Uuid) {
        let seq = self.counters.head + 1;
        (seq, self.context.ids.id(seq, self.context.tag))
    }

    fn owner(&self) -> &str {
        &self.context.owner
    }

    fn by_id(&self, id: Uuid) -> Result<Option<Message>> {
        let own = self.context.ids.seq(id).map_or(Ok(None), |seq| self.by_seq(seq))?;
        if own.as_ref().is_some_and(|message| message.id == id) {
            return Ok(own);
        }
        match self.foreign_ids.read()?.get(id.as_u128())? {
            Some(row) => self.by_seq(SealedTable::ForeignIds.seq([id.as_u128()], row.value())?),
            None => Ok(None),
        }
    }

    fn by_seq(&self, seq: u64) -> Result<Option<Message>> {
        if let Some(message) = self.decoded.borrow().get(&seq) {
            return Ok(Some(message.clone()));
        }
        let message = self.read_message(seq)?;
        if let Some(message) = &message {
            self.decoded.borrow_mut().insert(seq, message.clone());
        }
        Ok(message)
    }

    fn given_place(&self, id: Uuid) -> Result<Option<u64>> {
        let Some((seq, tag)) = self.context.ids.parts(id) else { return Ok(None) };
        Ok((tag_at(self.epochs.read()?, seq)? == tag).then_some(seq))
    }

    fn is_before_epochs(&self, id: Uuid) -> bool {
        self.context.ids.parts(id).is_some_and(|(_, tag)| tag == EpochTag::NONE)
    }

    fn has_noticed(&self, notice: &Notice) -> Result<bool> {
        let found = self.find_recent(EVENTS_COMPARED, |_, entry| match entry {
            EntryContent::Noticed(known) => {
                (Notice { request: None, ..(**known).clone() } == *notice).then_some(())
            }
            _ => None,
        });
        Ok(found?.is_some())
    }

    fn known_key(&self, key: &Idempotency) -> Result<Option<(u64, bool)>> {
        let Some(row) = self.keys.read()?.get(key.key)? else { return Ok(None) };
        let (seq, _) = key_of(key.key, row.value())?;
        let (_, body, _) = row.value();
        Ok(Some((seq, body == key.body)))
    }

    fn seen(&self, received: &Inbound) -> Result<Option<u64>> {
        for key in seen_keys(received) {
            if let Some(row) = self.seen.read()?.get(key)? {
                return Ok(Some(SealedTable::Seen.seq(mark_key(key), row.value())?));
            }
        }
        Ok(None)
    }

    fn seen_collision(&self, received: &Inbound) -> Result<Option<u64>> {
        let key = collision_key(received);
        let Some(row) = self.seen.read()?.get(key)? else { return Ok(None) };
        Ok(Some(SealedTable::Seen.seq(mark_key(key), row.value())?))
    }

    fn is_in_history(&self, message: &Message) -> Result<bool> {
        Ok(self.seen.read()?.get(history_key(message))?.is_some())
    }

    fn is_alias(&self, message: &Message, external_id: &str) -> Result<bool> {
        Ok(self.seen.read()?.get(alias_key(message, external_id))?.is_some())
    }

    fn sent_as(&self, received: &Inbound, at: u64) -> Result<Option<u64>> {
        let Inbound { platform, account, conversation, external_id, time, .. } = received;
        let find = |account, at| -> Result<Option<u64>> {
            for key in sent_keys(platform, account, conversation, external_id, at) {
                if let Some(row) = self.sent.read()?.get(key)? {
                    return Ok(Some(SealedTable::Sent.seq(mark_key(key), row.value())?));
                }
            }
            Ok(None)
        };
        // The platform's clock and ours may be far apart.
        for at in [Some(*time), received.written(), Some(at)].into_iter().flatten() {
            if let Some(seq) = find(Some(&**account), at)? {
                return Ok(Some(seq));
            }
            if let Some(seq) = find(None, at)?
                && self.by_seq(seq)?.is_none_or(|sent| !sent.is_of_other(account))
            {
                return Ok(Some(seq));
            }
        }
        Ok(None)
    }

    fn deleted(&self, is_it: &dyn Fn(u64, Uuid) -> bool) -> Result<Option<DeletedMessage>> {
        self.find_recent(DELETIONS_COMPARED, |_, entry| match entry {
            EntryContent::Deleted { seq, id, platform, conversation } if is_it(*seq, *id) => {
                let (platform, conversation) = (platform.clone(), conversation.clone());
                Some(DeletedMessage { seq: *seq, platform, conversation })
            }
            _ => None,
        })
    }

    fn deleted_alike(&self, received: &Inbound, at: u64) -> Result<Option<(u64, u64)>> {
        let seen = self.seen.read()?;
        let periods: Vec<_> = periods_of(received, at).collect();
        for hash in deleted_hashes(received) {
            let mut is_last = true;
            for &period in &periods {
                let key = (period, hash);
                let Some(row) = seen.get(key)? else { continue };
                is_last = false;
                let seq = SealedTable::Seen.seq(mark_key(key), row.value())?;
                // The mark that it is resolved has the period in which the own message came in, or the next
                // one.
                let [_, now, next] = periods_about(period).map(|period| resolved_key(seq, period));
                if seen.get(now)?.is_none() && seen.get(next)?.is_none() {
                    return Ok(Some((seq, period)));
                }
            }
            if is_last {
                break;
            }
        }
        Ok(None)
    }

    fn key_of_deleted(&self, message: &Message) -> Result<Option<(u64, u128)>> {
        let Some(keys) = deleted_keys(message) else { return Ok(None) };
        let mut last = None;
        for key in keys {
            last = Some(key);
            if self.seen.read()?.get(key)?.is_none() {
                break;
            }
        }
        Ok(last)
    }

    fn is_doubtful(&self, seq: u64, at: u64) -> Result<bool> {
        let seen = self.seen.read()?;
        for key in periods_about(at).map(|period| doubtful_key(seq, period)) {
            if seen.get(key)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn outbound(
        &self,
        platform: &str,
        conversation: &str,
        status: Status,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let mut found = Vec::new();
        let Some(row) = self.conversation(platform, conversation)? else { return Ok(found) };
        let state = PostingKey::of_state(Direction::Outbound, status);
        for block in self.blocks(state)? {
            let mut places = self.places(state.row(block))?;
            places.intersect(&self.places(row.term.row(block))?);
            for place in places.ascending() {
                // A damaged message is skipped, because it cannot be compared.
                let message = self.by_seq(start_of(block) + u64::from(place));
                found.extend(pass_over(message)?);
                if found.len() == limit {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    fn recent(
        &self,
        platform: &str,
        conversation: &str,
        direction: Direction,
        since: u64,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let (mut found, mut left_out) = (Vec::new(), 0);
        let Some(row) = self.conversation(platform, conversation)? else { return Ok(found) };
        let waiting = PostingKey::of_state(Direction::Outbound, Status::Pending);
        for block in self.newest_blocks(row.term)?.take(BLOCKS_COMPARED) {
            let block = block?;
            let mut wanted = self.places(row.term.row(block))?;
            let outbound = self.outbound_places(block)?;
            match direction {
                Direction::Inbound => wanted.take_out(&outbound),
                Direction::Outbound => {
                    wanted.intersect(&outbound);
                    wanted.take_out(&self.places(waiting.row(block))?);
                }
            }
            for place in wanted.descending() {
                let seq = start_of(block) + u64::from(place);
                // A damaged message is skipped, because it cannot be compared.
                let message = match pass_over(self.has_changed_since(seq, since).map(Some))? {
                    Some(true) => pass_over(self.by_seq(seq))?,
                    _ => None,
                };
                match message.filter(Message::may_be_on_platform) {
                    Some(message) => found.push(message),
                    None => left_out += 1,
                }
                if found.len() == limit || left_out == LEFT_OUT {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    fn by_external(
        &self,
        account: &str,
        platform: &str,
        conversation: &str,
        external_id: &str,
    ) -> Result<Option<Message>> {
        let Some(row) = self.conversation(platform, conversation)? else { return Ok(None) };
        let mut search = ExternalSearch::new(account, external_id, MAX_LOOKED_AT);
        for block in self.newest_blocks(row.term)? {
            let block = block?;
            for place in self.places(row.term.row(block))?.descending() {
                let seq = start_of(block) + u64::from(place);
                if self.messages.get(seq)?.is_some_and(|row| search.is_it(seq, row.value())) {
                    return self.by_seq(seq);
                }
                if search.is_over() {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    fn early_recall(&self, message: &Message, said: u64, now: u64) -> Result<Option<Recall>> {
        self.early_recall_of(message, said, now)
    }

    fn lapsed_recalls(&self) -> Result<Vec<u128>> {
        self.lapsed_early_recalls()
    }

    fn is_seen_conversation(&self, platform: &str, conversation: &str) -> Result<bool> {
        let row = self.conversation(platform, conversation)?;
        Ok(row.is_some_and(|row| row.account.is_some()))
    }

    fn marks(&self, platform: &str, conversation: &str) -> Result<Option<ConversationSettings>> {
        let row = self.conversation(platform, conversation)?.filter(|row| row.messages > 0);
        Ok(row.map(|row| ConversationSettings {
            newest: row.last_seq,
            read: row.read_seq,
            muted: row.muted,
            pinned: row.pinned,
        }))
    }

    fn has_other_name(&self, platform: &str, conversation: &str, name: &str) -> Result<bool> {
        let row = self.conversation(platform, conversation)?;
        Ok(row.is_some_and(|row| row.name.as_deref() != Some(name)))
    }

    fn hides_recalled(&self) -> bool {
        self.context.hides_recalled
    }

    fn request(&self, id: u64) -> Result<Option<ContactRequest>> {
        let row = self.requests.read()?.get(id)?;
        row.map(|row| Ok(tables::unpack_request(id, row.value())?)).transpose()
    }

    fn is_known_request(&self, notice: &Notice, data: &str) -> Result<bool> {
        for row in self.requests.read()?.iter()?.rev().take(REQUESTS_COMPARED) {
            let (id, bytes) = row?;
            let known = tables::unpack_request(id.value(), bytes.value());
            if known.is_ok_and(|known| {
                known.data == data
                    && known.notice.platform == notice.platform
                    && known.notice.account == notice.account
            }) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_quarantined(&self, offset: u64) -> Result<bool> {
        Ok(self.quarantine.read()?.get(offset)?.is_some())
    }

    fn quarantine_is_full(&self) -> Result<bool> {
        self.has_no_room()
    }

    fn forgettable(&self, marks_before: u64, at: u64) -> Result<Option<RetentionBounds>> {
        self.bounds(marks_before, at)
    }
}
