//! The events for bots: the events of the log, and the raw events of platforms.

use super::damage::{guarded, pass_over};
use super::error::{Result, StoreError};
use super::journal::{self, EntryContent, JournalEntry};
use super::raw_event_row::{decode, time_of};
use super::tables::RAW_EVENTS;
use super::view::View;
use redb::ReadOnlyTable;

/// An event for the bots of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotEvent {
    /// Its offset in the log.
    pub offset: u64,
    /// When it was committed, in Unix seconds.
    pub at: u64,
    /// Its meaning, where the store has one.
    pub entry: Option<EntryContent>,
    /// The event as the platform sent it, where that is kept.
    pub raw_event: Option<StoredRawEvent>,
}

/// An event of a platform, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRawEvent {
    /// The platform that sent it.
    pub platform: String,
    /// The account that received it.
    pub account: String,
    /// The frame, unchanged.
    pub frame: String,
}

impl View {
    /// The events after an offset, the oldest first: up to about `limit` entries and `max_bytes`
    /// of raw events. `None` where events after it are no longer kept. A damaged row is left out and
    /// logged; of its events only the raw events are left.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn feed(
        &self,
        after: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Option<Vec<BotEvent>>> {
        let Some(entries) = self.kept_events(after, limit, true)? else { return Ok(None) };
        // A raw event follows the event with the same meaning, and both are of one commit.
        let through = match entries.last() {
            Some(last) if entries.len() == limit => last.offset + 1,
            _ => u64::MAX,
        };
        guarded(|| {
            let mut feed = Vec::with_capacity(entries.len());
            let mut entries = entries.into_iter().peekable();
            let mut bytes = 0;
            for row in self.raw_events_between(after, through)?.into_iter().flatten() {
                let (offset, row) = row?;
                let (offset, row) = (offset.value(), row.value());
                while let Some(entry) = entries.next_if(|entry| entry.offset < offset) {
                    feed.push(BotEvent::of(entry));
                }
                let Some(row) = decode(offset, row) else {
                    let text = format!("the raw event at offset {offset} is damaged");
                    pass_over::<()>(Err(StoreError::Damaged(text)))?;
                    continue;
                };
                let raw_event = StoredRawEvent {
                    platform: row.platform.to_owned(),
                    account: row.account.to_owned(),
                    frame: row.frame.to_owned(),
                };
                let of_previous = feed.pop_if(|previous: &mut BotEvent| {
                    row.is_of_previous
                        && previous.raw_event.is_none()
                        && previous.offset + 1 == offset
                });
                let entry = of_previous.and_then(|previous| previous.entry);
                feed.push(BotEvent { offset, at: row.at, entry, raw_event: Some(raw_event) });
                bytes += row.frame.len();
                if bytes >= max_bytes || feed.len() > 2 * limit {
                    return Ok(Some(feed));
                }
            }
            feed.extend(entries.map(BotEvent::of));
            Ok(Some(feed))
        })
    }

    fn raw_events_between(
        &self,
        after: u64,
        through: u64,
    ) -> Result<Option<redb::Range<'static, u64, &'static [u8]>>> {
        let range = after.saturating_add(1)..=through;
        Ok(self.raw_events()?.map(|table| table.range(range)).transpose()?)
    }

    /// The raw events that are kept; `None` in a store that never had any.
    fn raw_events(&self) -> Result<Option<ReadOnlyTable<u64, &'static [u8]>>> {
        match self.txn.open_table(RAW_EVENTS) {
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            table => Ok(Some(table?)),
        }
    }

    /// The offset before the first event that was committed at a time (Unix seconds) or later, as far
    /// as events are kept.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn offset_before(&self, at: u64) -> Result<u64> {
        guarded(|| {
            let raw_events = self.raw_events()?;
            let head = self.cursor().offset;
            let kept_from = self.counters().kept_from.max(1);
            let (mut low, mut high) = (kept_from - 1, head);
            // Every event up to `low` is older, every one after `high` is not.
            while low < high {
                let middle = low + (high - low).div_ceil(2);
                let event = newest_time(self.journal_table()?, middle, journal::time_of)?;
                let raw = match &raw_events {
                    Some(raw_events) => newest_time(raw_events, middle, time_of)?,
                    None => None,
                };
                let time = event.max(raw).map(|(_, time)| time);
                if time.is_none_or(|time| time < at) { low = middle } else { high = middle - 1 }
            }
            Ok(low)
        })
    }
}

/// The newest row up to an offset whose time can be read: its offset and its time.
fn newest_time(
    table: &ReadOnlyTable<u64, &'static [u8]>,
    through: u64,
    time_of: fn(u64, &[u8]) -> Option<u64>,
) -> Result<Option<(u64, u64)>> {
    for row in table.range(..=through)?.rev() {
        let (offset, row) = row?;
        if let Some(time) = time_of(offset.value(), row.value()) {
            return Ok(Some((offset.value(), time)));
        }
    }
    Ok(None)
}

impl BotEvent {
    fn of(JournalEntry { offset, at, entry }: JournalEntry) -> Self {
        Self { offset, at, entry: Some(entry), raw_event: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inbound::Inbound;
    use crate::model::message::{Draft, MessageType};
    use crate::model::platform_event::MessageTarget;
    use crate::model::routing::RoutingFacts;
    use crate::model::status_rules::Outcome;
    use crate::store::{Access, Command, Store, StoreOptions};
    use redb::ReadableTable as _;

    fn message(id: &str) -> Command {
        let received = Box::new(Inbound {
            platform: "qq".into(),
            account: "1".into(),
            conversation: "group_1".into(),
            content: id.into(),
            external_id: id.into(),
            time: 100,
            ..Inbound::default()
        });
        Command::Receive { received, at: 100, can_wait: false }
    }

    fn raw_events(frame: &str, meaning: Option<Command>, at: u64) -> Command {
        Command::StoreRawEvent {
            platform: "qq".into(),
            account: "1".into(),
            frame: frame.into(),
            meaning: meaning.map(Box::new),
            at,
            forget_before: at.saturating_sub(10),
        }
    }

    /// The frames of a feed, and whether each means something.
    fn shown(entries: &[BotEvent]) -> Vec<(Option<&str>, bool)> {
        fn frame(entry: &BotEvent) -> Option<&str> {
            entry.raw_event.as_ref().map(|raw_event| raw_event.frame.as_str())
        }
        let shown = entries.iter().map(|entry| (frame(entry), entry.entry.is_some()));
        // Listeners also get names of conversations and outcomes of attempts.
        let is_meant = |entry: &&BotEvent| {
            entry.raw_event.is_some()
                || matches!(
                    entry.entry,
                    Some(EntryContent::Created { .. } | EntryContent::Updated { .. })
                )
        };
        shown.zip(entries).filter(|(_, entry)| is_meant(entry)).map(|(shown, _)| shown).collect()
    }

    fn one_by_one(view: &View) -> Vec<BotEvent> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let some = view.feed(after, 1, 1).unwrap().unwrap();
            let Some(last) = some.last() else { return all };
            after = last.offset;
            all.extend(some);
        }
    }

    fn opened() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(folder.path().join("s"), Access::Write);
        let store = Store::open(&options, Box::new(())).unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn a_recall_that_waited_for_an_echo_comes_after_the_raw_event_of_the_echo() {
        let (_folder, store) = opened();
        let at = crate::clock::now();
        let (recipient, platform) = ("group_1".to_owned(), Some("qq".to_owned()));
        let draft = Draft::new(MessageType::Text, "x".into(), recipient, platform).unwrap();
        let facts = RoutingFacts::default();
        store.write(Command::Create { draft, at, idempotency: None, facts }).await.unwrap();
        let account = Some("1".to_owned());
        let claim = Command::Claim { seqs: vec![1], account: account.clone(), at };
        store.write(claim).await.unwrap();
        // The platform confirms it without an ID.
        let outcome = Outcome::Sent { account, external_id: None, is_unconfirmed: false };
        store.write(Command::RecordOutcome { seq: 1, outcome, at }).await.unwrap();
        let target = MessageTarget::External {
            account: "1".into(),
            platform: "qq".into(),
            conversation: "group_1".into(),
            external_id: "x".into(),
        };
        let recall = Command::Recall { target, by: None, at };
        store.write(raw_events("recall", Some(recall), at)).await.unwrap();
        let Command::Receive { mut received, .. } = message("x") else { panic!() };
        received.own = true;
        let echo = Command::Receive { received, at, can_wait: false };
        store.write(raw_events("echo", Some(echo), at)).await.unwrap();
        let view = store.view().unwrap();
        assert!(view.by_seq(1).unwrap().unwrap().recall.is_some());
        let wanted = [(None, true), (Some("recall"), false), (Some("echo"), false), (None, true)];
        assert_eq!(shown(&view.feed(0, 100, usize::MAX).unwrap().unwrap()), wanted);
        assert_eq!(shown(&one_by_one(&view)), wanted, "in pieces of one");
    }

    #[tokio::test]
    async fn a_damaged_row_is_left_out_and_the_raw_events_beside_it_are_told() {
        let (folder, store) = opened();
        for name in ["a", "b", "c"] {
            store.write(raw_events(name, Some(message(name)), 100)).await.unwrap();
        }
        let whole = store.view().unwrap().feed(0, 100, usize::MAX).unwrap().unwrap();
        store.close();
        let database = redb::Database::open(folder.path().join("s")).unwrap();
        let txn = database.begin_write().unwrap();
        {
            let mut journal = txn.open_table(crate::store::tables::JOURNAL).unwrap();
            let all: Vec<_> = journal.iter().unwrap().map(|row| row.unwrap().0.value()).collect();
            let mut row = journal.get(all[1]).unwrap().unwrap().value().to_vec();
            *row.last_mut().unwrap() ^= 1;
            journal.insert(all[1], row.as_slice()).unwrap();
        }
        txn.commit().unwrap();
        drop(database);
        let options = StoreOptions::new(folder.path().join("s"), Access::Write);
        let store = Store::open(&options, Box::new(())).unwrap();
        let view = store.view().unwrap();
        assert_eq!(view.journal(0, 100).unwrap(), None, "no client resumes over it");
        let wanted = [(Some("a"), true), (Some("b"), false), (Some("c"), true)];
        let feed = view.feed(0, 100, usize::MAX).unwrap().unwrap();
        assert_eq!(shown(&feed), wanted);
        assert_eq!(shown(&one_by_one(&view)), wanted, "in pieces of one");
        assert_eq!(feed.last().unwrap().offset, whole.last().unwrap().offset);
        // The time of a damaged row is unknown: the rows beside it show it.
        assert!(view.offset_before(1).unwrap() < feed[0].offset);
    }

    #[tokio::test]
    async fn raw_events_stand_in_the_place_of_their_meaning() {
        let (_folder, store) = opened();
        for command in [
            raw_events("a", Some(message("a")), 100),
            raw_events("a again", Some(message("a")), 100),
            raw_events("typing", None, 100),
            message("b"),
            raw_events("c", Some(message("c")), 100),
        ] {
            store.write(command).await.unwrap();
        }
        let view = store.view().unwrap();
        let all = view.feed(0, 100, usize::MAX).unwrap().unwrap();
        let wanted = [(Some("a"), true), (Some("typing"), false), (None, true), (Some("c"), true)];
        assert_eq!(shown(&all), wanted);
        assert_eq!(shown(&one_by_one(&view)), wanted, "in pieces of one");
        assert!(view.offset_before(0).unwrap() <= 1);
        assert_eq!(view.offset_before(u64::MAX).unwrap(), view.cursor().offset);
        // Raw events that are not needed any more are forgotten.
        store.write(raw_events("d", None, 200)).await.unwrap();
        let view = store.view().unwrap();
        let all = view.feed(0, 100, usize::MAX).unwrap().unwrap();
        assert_eq!(shown(&all).last(), Some(&(Some("d"), false)));
        assert!(!shown(&all).contains(&(Some("typing"), false)));
    }
}
