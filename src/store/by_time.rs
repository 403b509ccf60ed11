//! Lists ordered by `created_at`: messages in `seq` order, merged with the late messages, which have a
//! table of their own.

use super::damage::guarded;
use super::error::Result;
use super::postings::{Places, locate, start_of};
use super::query::{Matches, MessageFilter, Page};
use super::tables::PostingKey;
use super::view::View;
use crate::model::message::Message;
use std::collections::VecDeque;
use std::iter::Rev;
use std::ops::Range;

/// The late messages of one term, newest first.
type LateRows<'v> = Rev<redb::Range<'v, (u32, u64, u64), ()>>;

/// Messages that are asked for at a time, at most.
const STRIDE: usize = 256;

/// When a message was said, in Unix seconds, and its `seq`.
type TimeKey = (u64, u64);

/// Something that finds messages by `seq`, and knows whether one message is among them.
pub trait MessageSource {
    /// The messages that match, newest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    fn page(&self, page: Page) -> Result<Matches>;

    /// Whether a message matches.
    fn has(&self, message: &Message) -> bool;

    /// The times, in Unix seconds, outside which no message matches.
    fn span(&self) -> Range<u64>;
}

impl View {
    /// The messages of a source by `created_at` and then by `seq`, newest first. `page.before` leaves
    /// out those that were said after that message, and itself.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn by_time(
        &self,
        filter: &MessageFilter,
        source: &impl MessageSource,
        page: Page,
    ) -> Result<Matches> {
        guarded(|| {
            let (mut before, mut end) = self.begin_by_time(page.before)?;
            let Range { start: since, end: until } = source.span();
            if (until, 0) < before {
                before = (until, 0);
                end = end.min(self.end_of_regular(before)?);
            }
            let skipped = usize::try_from(page.offset).unwrap_or(STRIDE);
            let regular = Regular {
                view: self,
                source,
                // One more is compared with the late ones.
                stride: skipped.saturating_add(page.limit).saturating_add(1).min(STRIDE),
                end: Some(end),
                read: VecDeque::new(),
                stop: None,
                late: None,
            };
            merge(regular, self.late_between(filter, since, before)?, page)
        })
    }

    /// The beginning of a page: a time, and a `seq`. All messages of the page that are not late have a
    /// lower `seq`.
    fn begin_by_time(&self, before: Option<u64>) -> Result<(TimeKey, u64)> {
        let end = self.head() + 1;
        let Some(seq) = before.filter(|seq| *seq < end) else { return Ok(((u64::MAX, 0), end)) };
        let Some(message) = self.readable(seq)? else {
            // The message was deleted. Its neighbour was written at about the same time.
            let neighbour = self.regular_in(0, seq)?;
            return Ok((neighbour.map_or((0, seq), |message| (message.created_at, seq)), seq));
        };
        let said = said(&message);
        Ok((said, if self.is_late(seq)? { self.end_of_regular(said)? } else { seq }))
    }

    fn is_late(&self, seq: u64) -> Result<bool> {
        let (block, place) = locate(seq);
        Ok(self.places(PostingKey::LATE, block)?.is_some_and(|late| late.has(place)))
    }

    /// The `seq` before which all messages that are not late were written before `said`.
    pub(super) fn end_of_regular(&self, said: TimeKey) -> Result<u64> {
        let (mut low, mut high) = (0, self.head() + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.regular_in(low, middle + 1)? {
                Some(message) if (message.created_at, message.seq) >= said => high = message.seq,
                _ => low = middle + 1,
            }
        }
        Ok(low)
    }

    /// The newest message in a range of `seq` that is not late.
    pub(super) fn regular_in(&self, first: u64, end: u64) -> Result<Option<Message>> {
        let Some(needed) = self.needed(&MessageFilter::default())? else { return Ok(None) };
        let mut end = end;
        while end > first {
            let (block, _) = locate(end - 1);
            let Some(at) = self.last_common_block(&needed, block)? else { break };
            let mut places = self.common(&needed, at)?;
            if let Some(late) = self.places(PostingKey::LATE, at)? {
                places.take_out(&late);
            }
            if at == block {
                places.intersect(&Places::before(at, end));
            }
            for seq in places.descending().map(|place| start_of(at) + u64::from(place)) {
                if seq < first {
                    return Ok(None);
                }
                if let Some(message) = self.readable(seq)? {
                    return Ok(Some(message));
                }
            }
            end = start_of(at);
        }
        Ok(None)
    }

    /// Late messages that may match, from one time to before another, newest first.
    fn late_between(
        &self,
        filter: &MessageFilter,
        since: u64,
        before: TimeKey,
    ) -> Result<Late<'_>> {
        let terms = self.late_terms(filter)?;
        let mut rows = Vec::with_capacity(terms.len());
        for term in terms.into_iter().filter(|_| (since, 0) < before) {
            let range = (term.0, since, 0)..(term.0, before.0, before.1);
            rows.push(self.late_table()?.range(range)?.rev());
        }
        Ok(Late { view: self, heads: vec![None; rows.len()], rows })
    }

    /// The `seq` of late messages that may match and were written at a time or later.
    pub(super) fn late_since(
        &self,
        filter: &MessageFilter,
        since: u64,
    ) -> Result<impl Iterator<Item = Result<u64>>> {
        let mut rows = Vec::new();
        for term in self.late_terms(filter)? {
            rows.push(self.late_table()?.range((term.0, since, 0)..=(term.0, u64::MAX, u64::MAX))?);
        }
        Ok(rows.into_iter().flatten().map(|row| Ok(row?.0.value().2)))
    }

    /// The terms of late messages that may match.
    fn late_terms(&self, filter: &MessageFilter) -> Result<Vec<PostingKey>> {
        match &filter.conversation {
            None => Ok(vec![PostingKey::LATE]),
            Some(name) => self.conversation_terms(filter.platform.as_deref(), name),
        }
    }
}

/// Messages that are not late, newest first.
struct Regular<'v, S> {
    view: &'v View,
    source: &'v S,
    /// Messages that are asked for at a time.
    stride: usize,
    /// The end of the messages that are still to be requested; `None` if there are none.
    end: Option<u64>,
    read: VecDeque<Message>,
    /// The source was read to here: it compared no older messages and returns no more.
    stop: Option<Message>,
    /// The late messages of the block that was read last.
    late: Option<(u32, Places)>,
}

impl<S: MessageSource> Regular<'_, S> {
    fn stopped_at(&self) -> Option<TimeKey> {
        self.stop.as_ref().map(said)
    }

    fn next(&mut self) -> Result<Option<Message>> {
        while self.read.is_empty() && self.stop.is_none() {
            let Some(end) = self.end else { break };
            let asked = Page { offset: 0, limit: self.stride, before: Some(end) };
            let found = self.source.page(asked)?;
            let oldest = found.messages.last().map(|message| message.seq);
            self.end = found.searched_to.or(oldest);
            for message in found.messages {
                if !self.is_late(message.seq)? {
                    self.read.push_back(message);
                }
            }
            if let Some(seq) = found.searched_to {
                self.stop = self.oldest_regular(seq, end)?;
            }
        }
        Ok(self.read.pop_front())
    }

    /// Whether a message is late. The bitmap of its block is kept for the next message.
    fn is_late(&mut self, seq: u64) -> Result<bool> {
        let (block, place) = locate(seq);
        if let Some((known, late)) = &self.late
            && *known == block
        {
            return Ok(late.has(place));
        }
        let late = self.view.places(PostingKey::LATE, block)?.unwrap_or_default();
        let is_late = late.has(place);
        self.late = Some((block, late));
        Ok(is_late)
    }

    /// The oldest message in a range of `seq` that is not late.
    fn oldest_regular(&mut self, first: u64, end: u64) -> Result<Option<Message>> {
        for seq in first..end {
            if !self.is_late(seq)?
                && let Some(message) = self.view.readable(seq)?
            {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }
}

/// Late messages by the time at which they were written, newest first.
struct Late<'v> {
    view: &'v View,
    rows: Vec<LateRows<'v>>,
    /// The next message of each row.
    heads: Vec<Option<TimeKey>>,
}

impl Late<'_> {
    fn next(&mut self) -> Result<Option<Message>> {
        loop {
            for (head, rows) in self.heads.iter_mut().zip(&mut self.rows) {
                if head.is_none() {
                    let row = rows.next().transpose()?;
                    *head = row.map(|(key, _)| (key.value().1, key.value().2));
                }
            }
            let newest = self.heads.iter_mut().max();
            let Some((_, seq)) = newest.and_then(Option::take) else { return Ok(None) };
            if let Some(message) = self.view.readable(seq)? {
                return Ok(Some(message));
            }
        }
    }
}

fn merge<S: MessageSource>(
    mut regular: Regular<'_, S>,
    mut late: Late<'_>,
    page: Page,
) -> Result<Matches> {
    let (mut found, mut skip) = (Matches::default(), page.offset);
    let (mut told, mut late_one) = (regular.next()?, late.next()?);
    while found.messages.len() < page.limit {
        let message = if told.is_none() && late_one.as_ref().map(said) <= regular.stopped_at() {
            found.searched_to = regular.stopped_at().map(|(_, seq)| seq);
            break;
        } else if told.as_ref().map(said) > late_one.as_ref().map(said) {
            let next = regular.next()?;
            std::mem::replace(&mut told, next)
        } else {
            let next = late.next()?;
            std::mem::replace(&mut late_one, next).filter(|message| regular.source.has(message))
        };
        match message {
            Some(_) if skip > 0 => skip -= 1,
            message => found.messages.extend(message),
        }
    }
    Ok(found)
}

fn said(message: &Message) -> TimeKey {
    (message.created_at, message.seq)
}
