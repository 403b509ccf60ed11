//! Searching messages: candidates from the index, each compared with the message in the store.

use super::block::SPAN;
use super::index::{Index, Snapshot, gaps};
use super::index_file::{IndexFile, Range};
use super::normalise::normalise;
use super::span::{BitSet, position_of, span_of};
use super::terms::{self, Terms};
use crate::model::message::{Message, MessageType};
use crate::store::{EntryContent, FilterTerms, Matches, MessageFilter, Page, Result, Store, View};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// Messages that are read at once if they are not in the index.
const STRIDE: usize = 256;

/// Events that are read at once.
const EVENTS: usize = 10_000;

/// Conditions beyond those of a filter. The message itself is compared with each of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Text in the content, the sender's name or a file's name; case makes no difference.
    pub text: Option<String>,
    /// The type that messages must have.
    pub message_type: Option<MessageType>,
    /// The sender's ID, or the name as it is shown.
    pub sender: Option<String>,
    /// Made at this time or later, in Unix seconds.
    pub since: Option<u64>,
    /// Made before this time, in Unix seconds.
    pub until: Option<u64>,
}

/// Conditions that messages are compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Normalised; compared with each text of a message.
    text: String,
    conditions: Conditions,
}

impl Search {
    /// Search for a text in any case, and for a type; `None` if neither is given.
    pub fn new(text: Option<&str>, message_type: Option<MessageType>) -> Option<Self> {
        let text = text.map(str::to_owned);
        Self::of(Conditions { text, message_type, ..Conditions::default() })
    }

    /// Search with these conditions; `None` if there are none.
    pub fn of(conditions: Conditions) -> Option<Self> {
        let text = normalise(conditions.text.as_deref().unwrap_or_default()).into_owned();
        let is_any = text.is_empty()
            && Conditions { text: None, ..conditions.clone() } == Conditions::default();
        (!is_any).then_some(Self { text, conditions })
    }

    /// Whether a message meets the conditions.
    pub fn matches(&self, message: &Message) -> bool {
        let has_it = |text: Cow<'_, str>| normalise(&text).contains(&self.text);
        let Conditions { message_type, sender, since, until, .. } = &self.conditions;
        let is_from = |wanted: &String| {
            message.sender.as_ref().is_some_and(|s| s.id == *wanted || s.name == *wanted)
        };
        message_type.is_none_or(|wanted| wanted == message.message_type())
            && sender.as_ref().is_none_or(is_from)
            && since.is_none_or(|since| message.created_at >= since)
            && until.is_none_or(|until| message.created_at < until)
            && (self.text.is_empty() || terms::texts(message).any(has_it))
    }

    /// The earliest time, in Unix seconds, of messages that can match.
    pub fn since(&self) -> Option<u64> {
        self.conditions.since
    }

    /// The range of times, in Unix seconds, of messages that can match.
    pub(super) fn span(&self) -> std::ops::Range<u64> {
        self.conditions.since.unwrap_or(0)..self.conditions.until.unwrap_or(u64::MAX)
    }

    fn needed(&self) -> Vec<Terms> {
        let Conditions { message_type, sender, .. } = &self.conditions;
        terms::needed(&self.text, *message_type, sender.as_deref())
    }
}

/// Part of the history, for a search.
enum HistoryPart<'a> {
    /// Messages in a sealed file.
    Sealed(&'a Arc<IndexFile>),
    /// Messages in memory, and the positions that may match.
    Live(Range, &'a BitSet),
    /// Messages that are not in the index.
    Gap(Range),
}

impl Index {
    /// The messages that match filter and search, newest first; `page.offset` counts only those.
    ///
    /// # Errors
    ///
    /// A file or the store cannot be read.
    pub fn search(
        &self,
        store: &Store,
        filter: &MessageFilter,
        search: &Search,
        page: Page,
    ) -> Result<Matches> {
        let needed = search.needed();
        // The index before the store: so the store has all later changes.
        let snapshot = match &needed[..] {
            // The index cannot help.
            [] => Snapshot::default(),
            _ => self.snapshot(&needed),
        };
        let view = store.view()?;
        self.search_in(&view, snapshot, &needed, filter, search, page)
    }

    fn search_in(
        &self,
        view: &View,
        mut snapshot: Snapshot,
        needed: &[Terms],
        filter: &MessageFilter,
        search: &Search,
        page: Page,
    ) -> Result<Matches> {
        if snapshot.live.is_some() || !snapshot.files.is_empty() {
            add_unseen(view, &mut snapshot)?;
        }
        let mut progress = SearchState {
            view,
            filter,
            search,
            needs: view.needs(filter)?,
            amended: &snapshot.amended,
            below: page.before.unwrap_or(u64::MAX).min(view.head() + 1),
            skip: page.offset,
            limit: page.limit,
            read_so_far: 0,
            most: self.limit.messages,
            until: Instant::now() + self.limit.time,
            found: Matches::default(),
        };
        for part in history_parts(&snapshot, view) {
            if progress.is_done() {
                break;
            }
            match part {
                HistoryPart::Live(range, positions) => {
                    let positions = progress.filtered(range, positions.clone())?;
                    progress.read(range, &positions)?;
                }
                HistoryPart::Sealed(file) if file.range().first < progress.below => {
                    let range = file.range();
                    match file.matching(needed, progress.known(range)?) {
                        Ok(positions) => {
                            progress.read(range, &progress.filtered(range, positions)?)?
                        }
                        Err(error) => {
                            tracing::warn!(
                                file = %file.path().display(),
                                "a part of the search index is built anew: {error}"
                            );
                            self.discard(file);
                            progress.scan(range)?;
                        }
                    }
                }
                HistoryPart::Sealed(_) => {}
                HistoryPart::Gap(range) => progress.scan(range)?,
            }
        }
        Ok(progress.found)
    }
}

/// Adds messages that changed after the index was read, according to the log. If the log does not
/// have all these events any more, any message may have changed, and the index is not used.
pub(super) fn add_unseen(view: &View, snapshot: &mut Snapshot) -> Result<()> {
    let mut after = snapshot.offset;
    loop {
        let Some(entries) = view.journal(after, EVENTS)? else {
            *snapshot = Snapshot::default();
            return Ok(());
        };
        let Some(last) = entries.last() else { return Ok(()) };
        after = last.offset;
        snapshot.amended.extend(entries.iter().filter_map(|entry| match entry.entry {
            EntryContent::Created { seq }
            | EntryContent::PutBack { seq }
            | EntryContent::Updated { seq } => Some(seq),
            _ => None,
        }));
    }
}

/// The whole history in parts, newest first.
fn history_parts<'a>(snapshot: &'a Snapshot, view: &View) -> Vec<HistoryPart<'a>> {
    let live = snapshot.live.iter().map(|(range, positions)| HistoryPart::Live(*range, positions));
    let sealed = snapshot.files.iter().map(HistoryPart::Sealed);
    let indexed: Vec<HistoryPart> = live.chain(sealed).collect();
    let ranges = indexed.iter().map(HistoryPart::range);
    let gaps: Vec<HistoryPart> = gaps(ranges, view.head() + 1, 1).map(HistoryPart::Gap).collect();
    let mut all: Vec<HistoryPart> = indexed.into_iter().chain(gaps).collect();
    all.sort_by_key(|part| std::cmp::Reverse(part.range().first));
    all
}

impl HistoryPart<'_> {
    fn range(&self) -> Range {
        match self {
            Self::Sealed(file) => file.range(),
            Self::Live(range, _) | Self::Gap(range) => *range,
        }
    }
}

/// State of a search on its way through the history.
struct SearchState<'a> {
    view: &'a View,
    filter: &'a MessageFilter,
    search: &'a Search,
    needs: FilterTerms,
    amended: &'a BTreeSet<u64>,
    /// Only older messages have not been checked yet.
    below: u64,
    /// Matches that are still to be skipped.
    skip: u64,
    limit: usize,
    read_so_far: usize,
    /// Number of messages that may always be read, and the time until which more may be read.
    most: usize,
    until: Instant,
    found: Matches,
}

impl SearchState<'_> {
    fn is_done(&self) -> bool {
        self.found.messages.len() >= self.limit || self.found.searched_to.is_some()
    }

    /// Whether it has read as much as one search may.
    fn is_tired(&self) -> bool {
        self.read_so_far >= self.most && Instant::now() >= self.until
    }

    /// The positions of a range that pass the filter, if they are found more cheaply than the
    /// matches of the text: for example in a conversation with few messages.
    fn known(&self, range: Range) -> Result<Option<BitSet>> {
        if self.filter.conversation.is_none() {
            return Ok(None);
        }
        let of_block = |block| self.view.passing(&self.needs, block);
        BitSet::of_blocks(span_of(range.first), of_block).map(Some)
    }

    /// The positions that pass the filter, with those that have to be read in any case.
    fn filtered(&self, range: Range, mut positions: BitSet) -> Result<BitSet> {
        let amended = self.amended.range(range.first..=range.last);
        amended.for_each(|&seq| positions.add(position_of(seq)));
        if *self.filter != MessageFilter::default() {
            let of_block = |block| self.view.passing(&self.needs, block);
            positions.intersect_blocks(span_of(range.first), of_block)?;
        }
        Ok(positions)
    }

    /// Reads candidates of a range, and keeps those that match.
    fn read(&mut self, range: Range, positions: &BitSet) -> Result<()> {
        let start = span_of(range.first) * SPAN;
        for seq in positions.descending().map(|position| start + u64::from(position)) {
            if self.is_done() {
                break;
            }
            if seq >= self.below || !(range.first..=range.last).contains(&seq) {
                continue;
            }
            if self.is_tired() {
                self.found.searched_to = Some(seq + 1);
                break;
            }
            self.read_so_far += 1;
            if let Some(message) = self.view.readable(seq)? {
                self.consider(message);
            }
        }
        Ok(())
    }

    /// Reads all messages of a range, within the bounds of a search.
    fn scan(&mut self, range: Range) -> Result<()> {
        let mut before = self.below.min(range.last + 1);
        while !self.is_done() && before > range.first {
            if self.is_tired() {
                self.found.searched_to = Some(before);
                break;
            }
            let stride = Page { offset: 0, limit: STRIDE, before: Some(before) };
            let messages = self.view.list(self.filter, stride)?;
            before = match messages.last() {
                Some(last) if messages.len() == STRIDE => last.seq,
                _ => 0,
            };
            self.read_so_far += messages.len();
            for message in messages.into_iter().take_while(|message| message.seq >= range.first) {
                self.consider(message);
            }
        }
        Ok(())
    }

    fn consider(&mut self, message: Message) {
        if self.is_done() || !self.filter.matches(&message) || !self.search.matches(&message) {
            return;
        }
        if self.skip > 0 {
            self.skip -= 1;
        } else {
            self.found.messages.push(message);
        }
    }
}
