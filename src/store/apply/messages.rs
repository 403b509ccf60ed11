//! Creates, changes and deletes rows of messages, with the sets, counters and conversation of each.

use super::terms::ListedBy;
use crate::log::record;
use crate::model::change::ChangeEffect;
use crate::model::content::Content;
use crate::model::event::{ChangeCause, DedupeKey, MessageState, Origin};
use crate::model::message::{Message, Recall, Sender, Status};
use crate::model::status_rules::forget_past;
use crate::store::error::{Result, StoreError};
use crate::store::marked_terms::marked_terms;
use crate::store::postings::locate;
use crate::store::sealed::SealedTable;
use crate::store::state::StoreState as _;
use crate::store::tables::PostingKey;
use crate::store::transaction::Transaction;

impl Transaction<'_> {
    /// Creates a message. `row` is its encoding, if that was made before.
    pub(super) fn created(
        &mut self,
        message: Message,
        origin: Origin,
        marks: &[DedupeKey],
        row: Option<Vec<u8>>,
    ) -> Result<ChangeEffect> {
        let newest = self.counters.head;
        self.mark(message.seq, marks)?;
        let row = row.map_or_else(|| record::encode(&message), Ok)?;
        self.create(&message, origin, &row)?;
        if message.recall.is_some() {
            self.forget_early_recall(&message)?;
        }
        Ok(if message.seq > newest {
            ChangeEffect::Created(message)
        } else {
            ChangeEffect::PutBack(message)
        })
    }

    /// Sets the fields of a message that can change.
    pub(super) fn changed(
        &mut self,
        seq: u64,
        cause: ChangeCause,
        state: MessageState,
        marks: &[DedupeKey],
    ) -> Result<Option<ChangeEffect>> {
        self.mark(seq, marks)?;
        let mut message = self.before(seq)?;
        let marked = marked_terms(&message);
        let before = state.put_into(&mut message);
        if cause == ChangeCause::StatusSet {
            forget_past(&mut message, before.status);
        }
        let was_listed = ListedBy {
            status: before.status,
            platform: before.platform.as_deref().unwrap_or_default(),
            account: before.account.as_deref(),
            marked,
            ..ListedBy::of(&message)
        };
        self.update(was_listed, &message)?;
        // The end of an attempt whose status was set by hand may change nothing that is shown.
        let is_shown = before.status != message.status
            || before.updated_at != message.updated_at
            || before.retry_count != message.retry_count
            || before.last_error != message.last_error;
        Ok(match cause {
            ChangeCause::Claimed | ChangeCause::AttemptEnded | ChangeCause::StatusSet => {
                Some(if is_shown {
                    ChangeEffect::StatusChanged(message)
                } else {
                    ChangeEffect::AttemptEnded(message)
                })
            }
            ChangeCause::Completed => None,
        })
    }

    pub(super) fn recalled(
        &mut self,
        seq: u64,
        by: Option<Sender>,
        hides: bool,
        at: u64,
    ) -> Result<Option<ChangeEffect>> {
        let effect = self.touch(seq, at, |message| message.take_back(Recall { at, by }, hides))?;
        if let Some(message) = effect.as_ref().and_then(ChangeEffect::message) {
            self.forget_early_recall(message)?;
        }
        Ok(effect)
    }

    /// Notes a part of a message that was sent.
    pub(super) fn part_sent(
        &mut self,
        seq: u64,
        external_id: String,
        marks: &[DedupeKey],
    ) -> Result<()> {
        self.mark(seq, marks)?;
        let mut message = self.before(seq)?;
        message.parts.push(external_id);
        self.update(ListedBy::of(&message), &message)
    }

    /// Sets the platform and the conversation of a message.
    pub(super) fn routed(
        &mut self,
        seq: u64,
        platform: String,
        conversation: String,
        at: u64,
    ) -> Result<Option<ChangeEffect>> {
        self.touch(seq, at, |message| {
            (message.platform, message.recipient) = (Some(platform), conversation);
        })
    }

    /// Replaces the content of a message.
    pub(super) fn content_set(
        &mut self,
        seq: u64,
        content: Content,
        is_edit: bool,
        at: u64,
    ) -> Result<Option<ChangeEffect>> {
        self.touch(seq, at, |message| {
            message.content = content;
            if is_edit {
                message.edited_at = Some(at);
            }
        })
    }

    /// Deletes the message with this `seq`.
    pub(super) fn delete_at(&mut self, seq: u64) -> Result<ChangeEffect> {
        let before = self.before(seq)?;
        self.delete(&before)?;
        Ok(ChangeEffect::Deleted(before))
    }

    /// Changes a message that was loaded, at a time in Unix seconds.
    pub(super) fn touch(
        &mut self,
        seq: u64,
        at: u64,
        change: impl FnOnce(&mut Message),
    ) -> Result<Option<ChangeEffect>> {
        let before = self.before(seq)?;
        let mut after = before.clone();
        after.updated_at = at;
        change(&mut after);
        self.update(ListedBy::of(&before), &after)?;
        Ok(Some(ChangeEffect::Updated(after)))
    }

    /// Takes the message as it was before the event. It was loaded, so it is not decoded again.
    pub(super) fn before(&mut self, seq: u64) -> Result<Message> {
        if let Some(message) = self.decoded.get_mut().remove(&seq) {
            return Ok(message);
        }
        let found = self.by_seq(seq)?;
        self.decoded.get_mut().remove(&seq);
        found.ok_or_else(|| StoreError::Write(format!("message {seq} is gone")))
    }

    fn create(&mut self, message: &Message, origin: Origin, row: &[u8]) -> Result<()> {
        let is_late = message.seq <= self.counters.head
            || message.created_at < self.counters.in_order_to
            // A message from the future must not make later messages late.
            || message.created_at > self.at;
        self.counters.head = self.counters.head.max(message.seq);
        self.counters.add(message.direction, message.status);
        if self.context.ids.seq(message.id) != Some(message.seq) {
            let id = message.id.as_u128();
            let row = SealedTable::ForeignIds.seal([id], message.seq);
            self.foreign_ids.write()?.insert(id, row)?;
        }
        self.messages.insert(message.seq, row)?;
        let listed = ListedBy::of(message);
        let terms = self.terms(listed)?;
        for term in terms {
            self.post(term, message.seq, true);
        }
        for (term, _) in listed.marked.into_iter().filter(|(_, is_in)| *is_in) {
            self.post(term, message.seq, true);
        }
        if is_late {
            self.post(PostingKey::LATE, message.seq, true);
            let [_, _, conversation] = terms;
            for term in [PostingKey::LATE, conversation] {
                self.late.write()?.insert((term.0, message.created_at, message.seq), ())?;
            }
        } else {
            self.counters.in_order_to = message.created_at;
        }
        self.change_conversation(listed, |row| row.add(message, origin));
        Ok(())
    }

    /// Writes a message that was listed by other fields before.
    fn update(&mut self, before: ListedBy<'_>, message: &Message) -> Result<()> {
        let (seq, after) = (message.seq, ListedBy::of(message));
        self.counters.remove(before.direction, before.status);
        self.counters.add(after.direction, after.status);
        self.messages.insert(seq, record::encode(message)?.as_slice())?;
        let (old, new) = (self.terms(before)?, self.terms(after)?);
        let ([_, _, left], [_, _, entered]) = (old, new);
        for (old, new) in old.into_iter().zip(new) {
            if old != new {
                self.post(old, seq, false);
                self.post(new, seq, true);
            }
        }
        for ((_, was_in), (term, is_in)) in before.marked.into_iter().zip(after.marked) {
            if was_in != is_in {
                self.post(term, seq, is_in);
            }
        }
        let was_sent = before.status != Status::Sent && after.status == Status::Sent;
        if left != entered {
            if self.is_late(seq) {
                self.late.write()?.remove((left.0, message.created_at, seq))?;
                self.late.write()?.insert((entered.0, message.created_at, seq), ())?;
            }
            self.leave_conversation(seq, before)?;
            self.change_conversation(after, |row| row.add(message, Origin::Received));
        } else if before.account != after.account || was_sent {
            self.change_conversation(after, |row| row.see(message));
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, message: &Message) -> Result<()> {
        self.counters.remove(message.direction, message.status);
        self.messages.remove(message.seq)?;
        if self.context.ids.seq(message.id) != Some(message.seq) {
            self.foreign_ids.write()?.remove(message.id.as_u128())?;
        }
        let listed = ListedBy::of(message);
        let terms = self.terms(listed)?;
        for term in terms {
            self.post(term, message.seq, false);
        }
        for (term, _) in listed.marked.into_iter().filter(|(_, is_in)| *is_in) {
            self.post(term, message.seq, false);
        }
        if self.is_late(message.seq) {
            self.post(PostingKey::LATE, message.seq, false);
            let [_, _, conversation] = terms;
            for term in [PostingKey::LATE, conversation] {
                self.late.write()?.remove((term.0, message.created_at, message.seq))?;
            }
        }
        self.leave_conversation(message.seq, listed)
    }

    /// Whether a message was reported later than it was written.
    pub(super) fn is_late(&self, seq: u64) -> bool {
        let (block, place) = locate(seq);
        self.rows.get(&PostingKey::LATE.row(block)).is_some_and(|row| row.value.has(place))
    }
}
