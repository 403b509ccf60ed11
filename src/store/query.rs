//! Lists of messages: filters are combined by the postings, and pages are found by counting.

use super::damage::{guarded, pass_over};
use super::error::Result;
use super::listing::stored;
use super::postings::{Places, locate, start_of};
use super::tables::{PostingKey, platform_term};
use super::view::View;
use crate::log::record::{self, Unreadable};
use crate::model::attempts::UNKNOWN_OWNER;
use crate::model::message::{Direction, Message, Status};
use redb::ReadableTable;
use std::ops::ControlFlow;

/// Conditions for messages; fields that are not set match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Any of these; empty for all.
    pub statuses: Vec<Status>,
    /// The platform of the message; `local` for messages that have none.
    pub platform: Option<String>,
    /// The conversation of the message, as its platform addresses it.
    pub conversation: Option<String>,
    /// Whether it came in or goes out.
    pub direction: Option<Direction>,
}

impl MessageFilter {
    /// Whether the filter accepts messages with a status.
    pub fn lets_through(&self, status: Status) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&status)
    }

    /// Whether the filter accepts a message.
    pub fn matches(&self, message: &Message) -> bool {
        self.lets_through(message.status)
            && self.direction.is_none_or(|wanted| wanted == message.direction)
            && self.platform.as_deref().is_none_or(|name| name == message.platform_or_local())
            && self.conversation.as_ref().is_none_or(|name| *name == message.recipient)
    }
}

/// A page of the messages that match, the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Number of messages to skip.
    pub offset: u64,
    /// The most messages of the page.
    pub limit: usize,
    /// Only messages older than this `seq`.
    pub before: Option<u64>,
}

/// The order of messages, newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By `seq`: the order in which they came in.
    #[default]
    Seq,
    /// By `created_at`, then by `seq`: the order in which they were written.
    Time,
}

/// Messages that a list or a search found, newest first.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// The messages of this page.
    pub messages: Vec<Message>,
    /// The oldest `seq` that was compared, if the search ended before the page was full because it
    /// had read many messages; the next search continues below it.
    pub searched_to: Option<u64>,
}

/// Terms of which a message must have at least one.
pub(super) type AnyTerm = Vec<PostingKey>;

/// Terms that a filter needs, looked up once; `None` if no message can match.
pub struct FilterTerms(Option<Vec<AnyTerm>>);

impl View {
    /// The messages that match, newest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn list(&self, filter: &MessageFilter, page: Page) -> Result<Vec<Message>> {
        let mut messages = Vec::with_capacity(page.limit.min(256));
        self.list_records(filter, page, |seq, bytes| {
            messages.push(record::decode(seq, bytes)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(messages)
    }

    /// Calls `read` with the `seq` and the record of each message that matches, newest first, until it says that
    /// this was the last. Messages for which it fails are damaged: they are left out and logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn list_records(
        &self,
        filter: &MessageFilter,
        page: Page,
        mut read: impl FnMut(u64, &[u8]) -> std::result::Result<ControlFlow<()>, Unreadable>,
    ) -> Result<()> {
        guarded(|| {
            if *filter == MessageFilter::default() && page.offset == 0 {
                let last = page.before.unwrap_or(u64::MAX).saturating_sub(1);
                return self.read_newest((0, last), page.limit, &mut read).map(drop);
            }
            // Messages with consecutive `seq` are read together.
            for run in self.seqs(filter, page)?.chunk_by(|newer, older| *newer == older + 1) {
                let go_on = match *run {
                    [newest, .., oldest] => {
                        self.read_newest((oldest, newest), run.len(), &mut read)?
                    }
                    [only] => pass_over(self.record(only, |bytes| read(only, bytes)))?
                        .unwrap_or(ControlFlow::Continue(())),
                    [] => ControlFlow::Continue(()),
                };
                if go_on.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// The `seq` of the messages that match, the newest first.
    fn seqs(&self, filter: &MessageFilter, page: Page) -> Result<Vec<u64>> {
        let mut found = Vec::new();
        let end = page.before.unwrap_or(u64::MAX).min(self.head() + 1);
        let Some(needed) = self.needed(filter)? else { return Ok(found) };
        let mut skip = page.offset;
        let (mut block, place) = locate(end);
        let mut limit = Some(Places::below(place));
        while found.len() < page.limit {
            let Some(at) = self.last_common_block(&needed, block)? else { break };
            let mut places = self.common(&needed, at)?;
            if at == block
                && let Some(limit) = &limit
            {
                places.intersect(limit);
            }
            let count = u64::from(places.count());
            if count <= skip {
                skip -= count;
            } else {
                let room = page.limit - found.len();
                let wanted = places.descending().skip(skip as usize).take(room);
                found.extend(wanted.map(|place| start_of(at) + u64::from(place)));
                skip = 0;
            }
            limit = None;
            match at.checked_sub(1) {
                Some(next) => block = next,
                None => break,
            }
        }
        Ok(found)
    }

    /// The terms that a filter needs.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn needs(&self, filter: &MessageFilter) -> Result<FilterTerms> {
        guarded(|| self.needed(filter).map(FilterTerms))
    }

    /// The positions in a block whose messages the filter accepts.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn passing(&self, needs: &FilterTerms, block: u32) -> Result<Places> {
        let none = || Ok(Places::default());
        guarded(|| needs.0.as_ref().map_or_else(none, |needed| self.common(needed, block)))
    }

    /// Outbound messages of a conversation that wait to be sent, the oldest first; those that are
    /// damaged are left out and logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn pending(
        &self,
        platform: Option<&str>,
        conversation: &str,
        limit: usize,
    ) -> Result<Vec<Message>> {
        guarded(|| {
            let mut found = Vec::new();
            self.find_pending(platform, conversation, 0, |seq| {
                found.extend(self.readable(seq)?);
                Ok(found.len() < limit)
            })?;
            Ok(found)
        })
    }

    /// The `seq` of outbound messages of a conversation from `first` on that wait to be sent, the oldest
    /// first. The messages are not read.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn pending_seqs(
        &self,
        platform: Option<&str>,
        conversation: &str,
        first: u64,
        limit: usize,
    ) -> Result<Vec<u64>> {
        guarded(|| {
            let mut found = Vec::new();
            self.find_pending(platform, conversation, first, |seq| {
                found.extend((seq >= first).then_some(seq));
                Ok(found.len() < limit)
            })?;
            Ok(found)
        })
    }

    /// Calls `each` with the `seq` of outbound messages of a conversation that wait, the oldest first, from
    /// the block of `first` on, while `each` returns `true`. Messages that wait in other conversations cost
    /// nothing.
    fn find_pending(
        &self,
        platform: Option<&str>,
        conversation: &str,
        first: u64,
        mut each: impl FnMut(u64) -> Result<bool>,
    ) -> Result<()> {
        let row = self.conversation_row(platform.unwrap_or_default(), conversation)?;
        let Some(row) = row else { return Ok(()) };
        let state = PostingKey::of_state(Direction::Outbound, Status::Pending);
        let needed = [vec![row.term], vec![state]];
        let (mut next, _) = locate(first);
        while let Some(block) = self.first_common_block(&needed, next)? {
            let places = self.common(&needed, block)?;
            for place in places.ascending() {
                if !each(start_of(block) + u64::from(place))? {
                    return Ok(());
                }
            }
            let Some(behind) = block.checked_add(1) else { break };
            next = behind;
        }
        Ok(())
    }

    /// Every outbound message in a state, the oldest first; those that are damaged are left out and
    /// logged. Any other error ends the list: a file that failed would give errors without end.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn outbound(&self, status: Status) -> Result<impl Iterator<Item = Result<Message>>> {
        self.all_in(PostingKey::of_state(Direction::Outbound, status))
    }

    /// Every message in the set of a term; as [`Self::outbound`].
    fn all_in(&self, term: PostingKey) -> Result<impl Iterator<Item = Result<Message>>> {
        let rows = self.postings_table()?.range(term.row(0)..=term.row(u32::MAX))?;
        let blocks = rows.map(move |row| -> Result<Vec<u64>> {
            let block = row?.0.value() as u32;
            let places = pass_over(self.places(term, block))?.unwrap_or_default();
            Ok(places.ascending().map(|place| start_of(block) + u64::from(place)).collect())
        });
        let mut messages = blocks
            .flat_map(|seqs| match seqs {
                Ok(seqs) => seqs.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })
            .filter_map(|seq| seq.and_then(|seq| self.readable(seq)).transpose());
        let mut has_failed = false;
        Ok(std::iter::from_fn(move || {
            let mut next = || guarded(|| messages.next().transpose()).transpose();
            let found = if has_failed { None } else { next() };
            has_failed |= found.as_ref().is_some_and(Result::is_err);
            found
        }))
    }

    /// Messages that an owner has claimed and not yet recorded an outcome of, the oldest first; as
    /// [`Self::outbound`]. Claims of the first version, whose owner is not known, count for every owner.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn claimed_by(&self, owner: &str) -> Result<impl Iterator<Item = Result<Message>>> {
        Ok(self.outbound(Status::Sending)?.filter(is_of_owner(owner)))
    }

    /// Messages that this owner has claimed and whose status somebody set since, the oldest first; as
    /// [`Self::outbound`].
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn overruled_claims(&self, owner: &str) -> Result<impl Iterator<Item = Result<Message>>> {
        Ok(self.all_in(PostingKey::OVERRULED)?.filter(is_of_owner(owner)))
    }

    /// The terms that a filter needs; a message must have one of each group. `None` if nothing can match.
    pub(super) fn needed(&self, filter: &MessageFilter) -> Result<Option<Vec<AnyTerm>>> {
        let mut needed = Vec::new();
        let is_any_state = filter.statuses.is_empty() && filter.direction.is_none();
        // Each message of a platform or conversation is in some state.
        if !is_any_state || (filter.platform.is_none() && filter.conversation.is_none()) {
            needed.push(states(filter));
        }
        match (&filter.platform, &filter.conversation) {
            (None, None) => {}
            (Some(platform), None) => {
                let platform = stored(platform);
                let term = platform_term(self.platforms_table()?, self.meta_table()?, platform)?;
                needed.push(term.into_iter().collect());
            }
            (platform, Some(name)) => {
                needed.push(self.conversation_terms(platform.as_deref(), name)?);
            }
        }
        Ok((!needed.iter().any(Vec::is_empty)).then_some(needed))
    }

    /// The terms of a conversation, on its platform or on all platforms.
    pub(super) fn conversation_terms(&self, platform: Option<&str>, name: &str) -> Result<AnyTerm> {
        let Some(platform) = platform else { return self.conversation_anywhere(name) };
        let row = self.conversation_row(stored(platform), name)?;
        Ok(row.map(|row| row.term).into_iter().collect())
    }

    /// The terms of a conversation's name on every platform.
    fn conversation_anywhere(&self, name: &str) -> Result<AnyTerm> {
        let mut terms = Vec::new();
        for entry in self.platforms_table()?.iter()? {
            let platform = entry?.0;
            terms.extend(self.conversation_row(platform.value(), name)?.map(|row| row.term));
        }
        Ok(terms)
    }

    /// The newest block, not above `block`, in which each group has at least one row.
    pub(super) fn last_common_block(
        &self,
        needed: &[AnyTerm],
        mut block: u32,
    ) -> Result<Option<u32>> {
        loop {
            let mut lowest = block;
            for terms in needed {
                let mut newest = None;
                for &term in terms {
                    newest = newest.max(self.last_block(term, lowest)?);
                }
                let Some(newest) = newest else { return Ok(None) };
                lowest = newest;
            }
            if lowest == block {
                return Ok(Some(block));
            }
            block = lowest;
        }
    }

    /// The newest block, not above `block`, where a term has a row.
    fn last_block(&self, term: PostingKey, block: u32) -> Result<Option<u32>> {
        let mut rows = self.postings_table()?.range(term.row(0)..=term.row(block))?;
        Ok(rows.next_back().transpose()?.map(|(key, _)| key.value() as u32))
    }

    /// The positions in a block that have a term of each group.
    pub(super) fn common(&self, needed: &[AnyTerm], block: u32) -> Result<Places> {
        let mut common: Option<Places> = None;
        for terms in needed {
            let mut any = Places::default();
            for &term in terms {
                if let Some(places) = self.places(term, block)? {
                    any.union(&places);
                }
            }
            match &mut common {
                Some(common) => common.intersect(&any),
                None => common = Some(any),
            }
        }
        Ok(common.unwrap_or_default())
    }
}

/// The terms of the states that a filter accepts, in both directions.
fn states(filter: &MessageFilter) -> AnyTerm {
    let is_wanted = |d: &Direction| filter.direction.is_none_or(|wanted| wanted == *d);
    let directions = Direction::ALL.into_iter().filter(is_wanted);
    let statuses = Status::ALL.into_iter().filter(|&status| filter.lets_through(status));
    let statuses: Vec<_> = statuses.collect();
    directions.flat_map(|d| statuses.iter().map(move |&s| PostingKey::of_state(d, s))).collect()
}

/// Whether a message that was read is claimed by an owner. One that cannot be read may be.
fn is_of_owner(owner: &str) -> impl Fn(&Result<Message>) -> bool {
    move |message| message.as_ref().map_or(true, |message| is_claimed_by(message, owner))
}

/// Whether an owner has claimed a message, and the attempt has not ended.
pub(super) fn is_claimed_by(message: &Message, owner: &str) -> bool {
    message.owner.as_deref().is_some_and(|found| found == owner || found == UNKNOWN_OWNER)
}
