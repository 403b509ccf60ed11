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
use super::tables::{self, RESUMABLE_FROM, SEEN_PLATFORMS, pack, with_checksum};
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
    #[allow(clippy::too_many_lines, reason = "one arm for each kind of event")]
    pub(in crate::store) fn apply(
        &mut self,
        event: Event,
        row: Option<Vec<u8>>,
    ) -> Result<Option<Change>> {
        let offset = self.next_offset();
        self.counters.offset = offset;
        self.counters.kept_from = self.counters.kept_from.max(1);
        let effect = match event {
            Event::Opened { epoch, .. } => {
                self.open_epoch(epoch)?;
                None
            }
            Event::Created { message, origin, marks } => {
                Some(self.created(*message, origin, &marks, row)?)
            }
            Event::Changed { seq, how, state, marks } => self.changed(seq, how, *state, &marks)?,
            Event::Routed { seq, platform, conversation, at } => {
                self.touch(seq, at, |message| {
                    (message.platform, message.recipient) = (Some(platform), conversation);
                })?
            }
            Event::PlatformSeen { platform, kind } => {
                self.see_platform(platform, kind)?;
                None
            }
            Event::Recognized { seq, marks } => {
                self.mark(seq, &marks)?;
                None
            }
            Event::ContentSet { seq, content, is_edit, at } => self.touch(seq, at, |message| {
                message.content = content;
                if is_edit {
                    message.edited_at = Some(at);
                }
            })?,
            Event::ReplyFound { seq, reply_to, at } => {
                self.touch(seq, at, |message| message.reply_to = Some(reply_to))?
            }
            Event::Recalled { seq, by, hides, at } => self.recalled(seq, by, hides, at)?,
            Event::Reacted { seq, reactions, at } => {
                self.touch(seq, at, |message| message.reactions = reactions)?
            }
            Event::Noticed { notice, request } => {
                Some(ChangeEffect::Noticed(Box::new(self.notice(*notice, request, offset)?)))
            }
            Event::RequestAnswered { id, approved, reason, at } => {
                self.answer_request(id, RequestDecision { approved, reason, at })?;
                None
            }
            Event::Deleted { seq } => {
                let before = self.before(seq)?;
                self.delete(&before)?;
                Some(ChangeEffect::Deleted(before))
            }
            Event::ConversationNamed { platform, conversation, name } => {
                self.set_conversation(platform, conversation, |row| row.name = Some(name))
            }
            Event::ConversationRead { platform, conversation, seq } => {
                self.set_conversation(platform, conversation, |row| row.read_seq = seq)
            }
            Event::ConversationSet { platform, conversation, muted, pinned } => self
                .set_conversation(platform, conversation, |row| {
                    (row.muted, row.pinned) = (muted, pinned);
                }),
            Event::SetAside { .. } => {
                let bytes = with_checksum(offset, &encode_event(&event)?);
                self.set_aside(offset, &bytes).map(|()| None)?
            }
            Event::Released { offset } => self.release(offset).map(|()| None)?,
            Event::Forgotten(bounds) => {
                self.forget(*bounds)?;
                None
            }
            Event::AdapterState(state) => self.keep_state(&state).map(|()| None)?,
            Event::RawEvent(told) => self.keep_raw_event(offset, &told).map(|()| None)?,
            Event::RecalledEarly(recall) => self.keep_early_recall(*recall).map(|()| None)?,
            Event::RecallsLapsed { keys } => self.forget_early_recalls(&keys).map(|()| None)?,
            Event::KeysLapsed { keys } => self.forget_keys(&keys).map(|()| None)?,
            Event::PartSent { seq, external_id, marks } => {
                self.part_sent(seq, external_id, &marks).map(|()| None)?
            }
        };
        let Some(effect) = effect else { return Ok(None) };
        self.kept.push((offset, EntryContent::of(&effect)));
        Ok(Some(Change { offset, effect }))
    }

    /// The notice for clients. A request is stored, so that it can be answered.
    fn notice(&mut self, notice: Notice, request: Option<String>, id: u64) -> Result<Notice> {
        let Some(data) = request else { return Ok(notice) };
        let notice = Notice { request: Some(id), ..notice };
        self.put_request(id, &ContactRequest { notice: notice.clone(), data, answer: None })?;
        Ok(notice)
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
