//! The list of conversations, ordered by their newest messages, with their unread messages.

use super::conversation::ConversationRow;
use super::damage::{guarded, pass_over};
use super::error::{Result, StoreError};
use super::postings::{Places, locate, start_of};
use super::tables::{PostingKey, unpack_places};
use super::view::View;
use crate::model::message::{Direction, LOCAL, Message, Status};
use crate::protocol::overview::{Conversation, ConversationKind};
use redb::ReadableTable;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The conversations that are searched for those of an account.
const MAX_LOOKED_AT: usize = 5_000;

/// Conditions for conversations; fields that are not set match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationQuery {
    /// The platform of the conversations.
    pub platform: Option<String>,
    /// A text in the name or the ID, in any case.
    pub text: Option<String>,
    /// Only conversations whose newest message has a lower `seq`.
    pub before: Option<u64>,
    /// The most conversations to list; `None` means all.
    pub limit: Option<usize>,
    /// Leaves out data that needs messages: the last message and the unread messages.
    pub is_brief: bool,
}

/// Sets that all conversations need, by block. Each is read once.
#[derive(Default)]
struct KnownPlaces {
    inbound: HashMap<u32, Places>,
    mentions: HashMap<u32, Places>,
    late: HashMap<u32, Places>,
}

impl KnownPlaces {
    /// The set of a block; reads it if that was not done before.
    fn of(
        known: &mut HashMap<u32, Places>,
        block: u32,
        read: impl FnOnce() -> Result<Places>,
    ) -> Result<&Places> {
        Ok(match known.entry(block) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(read()?),
        })
    }
}

impl View {
    /// A conversation as it is listed; `None` if it has no messages, or its row is damaged, which
    /// is logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn conversation(&self, platform: &str, conversation: &str) -> Result<Option<Conversation>> {
        let platform = stored(platform);
        let row = pass_over(guarded(|| self.conversation_row(platform, conversation)))?;
        let row = row.filter(|row| row.messages > 0);
        let shown =
            |row| guarded(|| self.shown(row, platform, conversation, &mut KnownPlaces::default()));
        row.map(shown).transpose()
    }

    /// Conversations that have messages, the one with the newest message first. Rows that are damaged
    /// are left out and logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn conversations(&self, query: &ConversationQuery) -> Result<Vec<Conversation>> {
        let mut known = KnownPlaces::default();
        let text = query.text.as_ref().map(|text| text.to_lowercase());
        let mut found = Vec::new();
        guarded(|| {
            self.each_conversation(
                query.platform.as_deref(),
                query.before,
                |platform, name, row| {
                    if query.limit.is_some_and(|limit| found.len() >= limit) {
                        return Ok(false);
                    }
                    let has = |text: &String| {
                        let names = [Some(name), row.name.as_deref()];
                        names.into_iter().flatten().any(|name| name.to_lowercase().contains(text))
                    };
                    if text.as_ref().is_none_or(has) {
                        found.push(if query.is_brief {
                            brief(row, platform, name)
                        } else {
                            self.shown(row, platform, name, &mut known)?
                        });
                    }
                    Ok(true)
                },
            )
        })?;
        Ok(found)
    }

    /// The conversations of a platform that an account saw last, the latest first, among the latest
    /// 5,000.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn conversations_of(
        &self,
        platform: &str,
        account: &str,
        limit: usize,
    ) -> Result<Vec<String>> {
        let (mut found, mut left) = (Vec::new(), MAX_LOOKED_AT);
        guarded(|| {
            self.each_conversation(Some(platform), None, |_, name, row| {
                left -= 1;
                if found.len() < limit && row.account.as_deref() == Some(account) {
                    found.push(name.to_owned());
                }
                Ok(found.len() < limit && left > 0)
            })
        })?;
        Ok(found)
    }

    /// Calls `visit` for the conversations whose newest message has a lower `seq`, the latest first, until
    /// `visit` says that it is enough.
    fn each_conversation(
        &self,
        platform: Option<&str>,
        before: Option<u64>,
        mut visit: impl FnMut(&str, &str, ConversationRow) -> Result<bool>,
    ) -> Result<()> {
        let platforms = match platform {
            Some(platform) => vec![stored(platform).to_owned()],
            None => self
                .platforms_table()?
                .iter()?
                .map(|row| Ok(row?.0.value().to_owned()))
                .collect::<Result<_>>()?,
        };
        let before = before.unwrap_or(u64::MAX);
        let mut ranges = Vec::with_capacity(platforms.len());
        for platform in &platforms {
            ranges.push(
                self.newest_table()?
                    .range((&**platform, 0)..(&**platform, before))?
                    .rev()
                    .peekable(),
            );
        }
        loop {
            let mut latest: Option<(u64, usize)> = None;
            for (at, range) in ranges.iter_mut().enumerate() {
                match range.peek() {
                    Some(Ok((key, _))) => latest = latest.max(Some((key.value().1, at))),
                    // The error is reported below.
                    Some(Err(_)) => latest = Some((u64::MAX, at)),
                    None => {}
                }
            }
            let Some(next) = latest.and_then(|(_, at)| ranges[at].next()) else { return Ok(()) };
            let (key, name) = next?;
            let ((platform, _), name) = (key.value(), name.value());
            let row = pass_over(self.conversation_row(platform, name))?;
            if let Some(row) = row
                && !visit(platform, name, row)?
            {
                return Ok(());
            }
        }
    }

    fn shown(
        &self,
        row: ConversationRow,
        platform: &str,
        conversation: &str,
        known: &mut KnownPlaces,
    ) -> Result<Conversation> {
        let last_message = self.said_last(row.term, known)?;
        let (unread, mentions) = self.unread(&row, known)?;
        let last_at = last_message.as_ref().map_or(row.last_at, |message| message.created_at);
        let brief = brief(row, platform, conversation);
        Ok(Conversation { last_message, last_at, unread, mentions, ..brief })
    }

    /// The message of a conversation with the latest `created_at`.
    fn said_last(&self, term: PostingKey, known: &mut KnownPlaces) -> Result<Option<Message>> {
        let told_last = self.told_in_order(term, known)?;
        let late =
            self.late_table()?.range((term.0, 0, 0)..=(term.0, u64::MAX, u64::MAX))?.next_back();
        let Some((_, at, seq)) = late.transpose()?.map(|(key, _)| key.value()) else {
            return Ok(told_last);
        };
        match told_last {
            Some(told) if (told.created_at, told.seq) > (at, seq) => Ok(Some(told)),
            told_last => Ok(self.readable(seq)?.or(told_last)),
        }
    }

    /// The newest message of a conversation that is not late.
    fn told_in_order(&self, term: PostingKey, known: &mut KnownPlaces) -> Result<Option<Message>> {
        for row in self.postings_table()?.range(term.row(0)..=term.row(u32::MAX))?.rev() {
            let (key, bytes) = row?;
            let block = key.value() as u32;
            let Some(mut places) = readable_places(key.value(), bytes.value())? else { continue };
            places.take_out(KnownPlaces::of(&mut known.late, block, || {
                Ok(pass_over(self.places(PostingKey::LATE, block))?.unwrap_or_default())
            })?);
            for place in places.descending() {
                if let Some(message) = self.readable(start_of(block) + u64::from(place))? {
                    return Ok(Some(message));
                }
            }
        }
        Ok(None)
    }

    /// Inbound messages after the read mark of a conversation, and those of them that mention the
    /// account.
    fn unread(&self, row: &ConversationRow, known: &mut KnownPlaces) -> Result<(u64, u64)> {
        let (first, place) = locate(row.read_seq + 1);
        let (mut unread, mut mentions) = (0, 0);
        if row.read_seq >= row.last_seq {
            return Ok((0, 0));
        }
        for entry in self.postings_table()?.range(row.term.row(first)..=row.term.row(u32::MAX))? {
            let (key, bytes) = entry?;
            let block = key.value() as u32;
            let Some(mut places) = readable_places(key.value(), bytes.value())? else { continue };
            if block == first {
                places.take_out(&Places::below(place));
            }
            let inbound = || self.inbound_in(block);
            places.intersect(KnownPlaces::of(&mut known.inbound, block, inbound)?);
            unread += u64::from(places.count());
            places.intersect(KnownPlaces::of(&mut known.mentions, block, || {
                Ok(pass_over(self.places(PostingKey::MENTIONS, block))?.unwrap_or_default())
            })?);
            mentions += u64::from(places.count());
        }
        Ok((unread, mentions))
    }

    fn inbound_in(&self, block: u32) -> Result<Places> {
        let mut all = Places::default();
        for status in Status::ALL {
            let state = PostingKey::of_state(Direction::Inbound, status);
            if let Some(places) = pass_over(self.places(state, block))? {
                all.union(&places);
            }
        }
        Ok(all)
    }

    /// The account of ours that saw a conversation last.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn account_of(&self, platform: &str, conversation: &str) -> Result<Option<String>> {
        let row = guarded(|| self.conversation_row(platform, conversation))?;
        Ok(row.and_then(|row| row.account))
    }
}

/// The set in a row; `None` if the row is damaged, which is logged.
fn readable_places(row: u64, bytes: &[u8]) -> Result<Option<Places>> {
    pass_over(unpack_places(row, bytes).map(Some).map_err(StoreError::from))
}

/// The name of a platform in the tables.
pub fn stored(platform: &str) -> &str {
    if platform == LOCAL { "" } else { platform }
}

/// A conversation with the data of its row, without messages.
fn brief(row: ConversationRow, platform: &str, conversation: &str) -> Conversation {
    Conversation {
        platform: if platform.is_empty() { LOCAL } else { platform }.to_owned(),
        conversation: conversation.to_owned(),
        kind: ConversationKind::of(conversation),
        last_at: row.last_at,
        last_message: None,
        name: row.name,
        account: row.account,
        last_seq: row.last_seq,
        unread: 0,
        mentions: 0,
        muted: row.muted,
        pinned: row.pinned,
    }
}
