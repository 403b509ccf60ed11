//! Applies events: the only writer of tables. It decides nothing and refuses nothing. The rows that it
//! changes were loaded before, so only the disk can fail.

mod conversations;
mod finish;
mod marks;
mod messages;
mod terms;

use super::error::Result;
use super::journal::EntryContent;
use super::sealed::epoch_row;
use super::state::StoreState as _;
use super::tables::{self, OVERRULED_LISTED, RESUMABLE_FROM, SEEN_PLATFORMS, pack, with_checksum};
use super::transaction::Transaction;
use crate::log::{LogRecord, encode_event, record};
use crate::model::change::{Change, ChangeEffect};
use crate::model::cursor::Epoch;
use crate::model::event::{AdapterState, Event};
use crate::model::notice::{ContactRequest, Notice, RequestDecision};
use crate::model::routing::SeenPlatform;

impl Transaction<'_> {
    /// Applies events whose rows were loaded, and appends them to the record of the batch, where there is
    /// one. The first event of an epoch is preceded by [`Event::Opened`].
    pub(in crate::store) fn write(
        &mut self,
        events: Vec<Event>,
        mut record: Option<&mut LogRecord>,
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        if !events.is_empty() {
            self.begin_epoch(record.as_deref_mut())?;
        }
        for event in events {
            // The log and the table hold the same bytes of a new message.
            let row = match &event {
                Event::Created { message, .. } => Some(record::encode(message)?),
                _ => None,
            };
            if let Some(record) = &mut record {
                record.push(&event, row.as_deref())?;
            }
            changes.extend(self.apply(event, row)?);
        }
        Ok(())
    }

    /// Writes and applies the [`Event::Opened`] of the epoch, unless that was done before.
    pub(in crate::store) fn begin_epoch(&mut self, record: Option<&mut LogRecord>) -> Result<()> {
        if self.newest_epoch == self.context.epoch {
            return Ok(());
        }
        let (epoch, previous) = (self.context.epoch, self.newest_epoch);
        let opened = Event::Opened { epoch, previous };
        if let Some(record) = record {
            record.push(&opened, None)?;
        }
        self.apply(opened, None).map(drop)
    }

    /// Applies an event whose rows were loaded, at the next offset. Returns the change for listeners. `row`
    /// is the encoding of a new message, if that was made before.
    pub(in crate::store) fn apply(
        &mut self,
        event: Event,
        row: Option<Vec<u8>>,
    ) -> Result<Option<Change>> {
        let offset = self.next_offset();
        self.counters.offset = offset;
        self.counters.kept_from = self.counters.kept_from.max(1);
        let Some(effect) = self.change_tables(event, row, offset)? else { return Ok(None) };
        self.kept.extend(EntryContent::of(&effect).map(|entry| (offset, entry)));
        Ok(Some(Change { offset, effect }))
    }

    /// Changes the tables as the event at an offset says. Returns the effect for listeners, if the event is
    /// told to them.
    fn change_tables(
        &mut self,
        event: Event,
        row: Option<Vec<u8>>,
        offset: u64,
    ) -> Result<Option<ChangeEffect>> {
        match event {
            Event::Created { message, origin, marks } => {
                return self.created(*message, origin, &marks, row).map(Some);
            }
            Event::Changed { seq, cause, state, marks } => {
                return self.changed(seq, cause, *state, &marks);
            }
            Event::Routed { seq, platform, conversation, at } => {
                return self.routed(seq, platform, conversation, at);
            }
            Event::ContentSet { seq, content, is_edit, at } => {
                return self.content_set(seq, content, is_edit, at);
            }
            Event::ReplyFound { seq, reply_to, at } => {
                return self.touch(seq, at, |message| message.reply_to = Some(reply_to));
            }
            Event::Recalled { seq, by, hides, at } => return self.recalled(seq, by, hides, at),
            Event::Reacted { seq, reactions, at } => {
                return self.touch(seq, at, |message| message.reactions = reactions);
            }
            Event::Noticed { notice, request } => {
                return self.noticed(*notice, request, offset).map(Some);
            }
            Event::Deleted { seq } => return self.delete_at(seq).map(Some),
            Event::ConversationNamed { platform, conversation, name } => {
                return Ok(
                    self.set_conversation(platform, conversation, |row| row.name = Some(name))
                );
            }
            Event::ConversationRead { platform, conversation, seq } => {
                return Ok(self.set_conversation(platform, conversation, |row| row.read_seq = seq));
            }
            Event::ConversationSet { platform, conversation, muted, pinned } => {
                return Ok(self.set_conversation(platform, conversation, |row| {
                    (row.muted, row.pinned) = (muted, pinned);
                }));
            }
            Event::Opened { epoch, .. } => self.open_epoch(epoch)?,
            Event::PlatformSeen { platform, kind } => self.see_platform(platform, kind)?,
            Event::Recognized { seq, marks } => self.mark(seq, &marks)?,
            Event::RequestAnswered { id, approved, reason, at } => {
                self.answer_request(id, RequestDecision { approved, reason, at })?;
            }
            Event::Quarantined { .. } => {
                self.add_quarantined(offset, &with_checksum(offset, &encode_event(&event)?))?;
            }
            Event::Released { offset } => self.release(offset)?,
            Event::Forgotten(bounds) => self.forget(*bounds)?,
            Event::AdapterState(state) => self.keep_state(&state)?,
            Event::RawEvent(told) => self.keep_raw_event(offset, &told)?,
            Event::RecalledEarly(recall) => self.keep_early_recall(*recall)?,
            Event::RecallsLapsed { keys } => self.forget_early_recalls(&keys)?,
            Event::KeysLapsed { keys } => self.forget_keys(&keys)?,
            Event::PartSent { seq, external_id, marks } => {
                self.part_sent(seq, external_id, &marks)?
            }
        }
        Ok(None)
    }

    /// Tells a notice to listeners. A request is stored, so that it can be answered.
    fn noticed(
        &mut self,
        notice: Notice,
        request: Option<String>,
        id: u64,
    ) -> Result<ChangeEffect> {
        let Some(data) = request else { return Ok(ChangeEffect::Noticed(Box::new(notice))) };
        let notice = Notice { request: Some(id), ..notice };
        self.put_request(id, &ContactRequest { notice: notice.clone(), data, answer: None })?;
        Ok(ChangeEffect::Noticed(Box::new(notice)))
    }

    fn answer_request(&mut self, id: u64, answer: RequestDecision) -> Result<()> {
        let Some(known) = self.request(id)? else { return Ok(()) };
        self.put_request(id, &ContactRequest { answer: Some(answer), ..known })
    }

    fn put_request(&mut self, id: u64, request: &ContactRequest) -> Result<()> {
        let row = tables::pack_request(id, request)?;
        self.requests.write()?.insert(id, row.as_slice())?;
        Ok(())
    }

    /// Sets the offset before the first event of a logged batch, which may follow a gap.
    pub(in crate::store) fn begin_at(
        &mut self,
        first: u64,
        epoch: Epoch,
        events: &[Event],
    ) -> Result<()> {
        self.counters.offset = first - 1;
        let begins_it = matches!(events.first(), Some(Event::Opened { .. }));
        if !begins_it && self.newest_epoch != epoch {
            // The event that opened the epoch was in the gap.
            self.counters.offset = first;
            self.open_epoch(epoch)?;
            self.counters.offset = first - 1;
        }
        Ok(())
    }

    /// Skips an event and returns its offset.
    pub(in crate::store) fn pass_over(&mut self) -> u64 {
        self.counters.offset += 1;
        self.counters.offset
    }

    /// Clients can no longer resume from before the newest event: events that they may have are lost.
    pub(in crate::store) fn end_resuming(&mut self) -> Result<()> {
        let offset = self.counters.offset.to_le_bytes();
        self.meta.insert(RESUMABLE_FROM, offset.as_slice())?;
        Ok(())
    }

    fn open_epoch(&mut self, epoch: Epoch) -> Result<()> {
        self.newest_epoch = epoch;
        let row = epoch_row(self.counters.offset, epoch, self.counters.head + 1);
        self.epochs.write()?.insert(self.counters.offset, row)?;
        self.meta.insert(OVERRULED_LISTED, self.counters.offset.to_le_bytes().as_slice())?;
        Ok(())
    }

    fn see_platform(&mut self, platform: String, kind: String) -> Result<()> {
        let mut seen = tables::seen_platforms(&self.meta)?;
        self.known_platforms.seen.take();
        match seen.iter_mut().find(|known| known.platform == platform) {
            Some(known) => known.kind = kind,
            None => seen.push(SeenPlatform { platform, kind, after_seq: self.counters.head }),
        }
        let bytes = pack(&[SEEN_PLATFORMS], &seen)?;
        self.meta.insert(SEEN_PLATFORMS, bytes.as_slice())?;
        Ok(())
    }

    fn keep_state(&mut self, state: &AdapterState) -> Result<()> {
        let key = (&*state.adapter, &*state.key);
        match &state.value {
            Some(value) => {
                let row = pack(&[key.0, key.1], value)?;
                self.adapter_state.write()?.insert(key, row.as_slice())?;
            }
            None => drop(self.adapter_state.write()?.remove(key)?),
        }
        Ok(())
    }
}
