//! The indexer: a thread that adds new messages to the search index. Writers do not wait for it.
//!
//! It works in rounds. A round applies the events of the log about older messages, then adds the newest
//! messages, then builds one missing file. Each round uses the state of one commit, and the index
//! notes the offset up to which it is complete.

use super::block::SPAN;
use super::builder::Builder;
use super::index::Index;
use super::span::span_of;
use super::terms::{self, SearchTerm};
use crate::health::{HEALTH, supervise};
use crate::low_priority;
use crate::metrics::METRICS;
use crate::store::{EntryContent, Store, StoreError, View};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Pause between checks for new messages.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// Pause after an error.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Pause between writes of the progress, if nothing else needs one.
const SAVE_EVERY: Duration = Duration::from_mins(1);

/// Pause between log lines about the progress.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// Messages that are added to the index in memory at once; searches wait during that time.
const MESSAGES: u64 = 256;

/// Number of terms after which no further message is added at once, because one text may have a
/// million of them.
const TERMS: usize = 65_536;

/// How long the end of the server waits for the thread. The next start does the rest.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);

/// Events that are read at once.
const EVENTS: usize = 10_000;

/// Name of this part in the health.
const PART: &str = "search";

/// Name of the task in the log, and of the thread. It differs from the name of the part, so that a
/// panic is not confused with a full disk.
const TASK: &str = "search index";

/// Keeps an index up to date until `stop`.
pub async fn run(index: Arc<Index>, store: Arc<Store>, stop: CancellationToken) {
    supervise(TASK, stop.clone(), move || {
        on_thread(Indexer::new(index.clone(), store.clone(), stop.clone()))
    })
    .await;
}

/// Runs on a thread of its own, which gives way: under load, searches read new messages from the store a
/// little longer. A panic there becomes a panic here.
async fn on_thread(indexer: Indexer) {
    let stop = indexer.stop.clone();
    let (done, wait) = oneshot::channel();
    let thread = low_priority::spawn(TASK, move || {
        indexer.run();
        let _ = done.send(());
    });
    match thread {
        Ok(_) => tokio::select! {
            ended = wait => assert!(ended.is_ok(), "its thread panicked"),
            () = async { stop.cancelled().await; tokio::time::sleep(STOP_TIMEOUT).await } => {
                tracing::debug!("the search index is left as it is");
            }
        },
        Err(error) => {
            HEALTH.degrade(PART, format!("the system gives no thread for it: {error}"));
        }
    }
}

/// Follows a store; nothing else changes its index.
pub(super) struct Indexer {
    index: Arc<Index>,
    store: Arc<Store>,
    stop: CancellationToken,
    /// Time and offset of the last write of the progress.
    saved: (Instant, u64),
    /// Time of the last log line about the progress, while something is missing.
    logged: Option<Instant>,
    /// The error that was logged last, if the index cannot be written.
    fault: Option<String>,
}

/// Reason why a round ended early.
#[derive(Debug)]
pub(super) enum IndexingEnd {
    /// The store is closed or cannot be read, which it reports itself.
    Store(StoreError),
    /// The index cannot be written.
    Disk(std::io::Error),
}

impl From<StoreError> for IndexingEnd {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<std::io::Error> for IndexingEnd {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Indexer {
    pub(super) fn new(index: Arc<Index>, store: Arc<Store>, stop: CancellationToken) -> Self {
        Self { index, store, stop, saved: (Instant::now(), 0), logged: None, fault: None }
    }

    fn run(mut self) {
        let mut is_loaded = false;
        while !self.stop.is_cancelled() {
            let round = if is_loaded { self.round() } else { self.load() };
            let rest = match round {
                Ok(has_more) => {
                    is_loaded = true;
                    if self.fault.take().is_some() {
                        tracing::info!("the search index can be written again");
                        HEALTH.recover(PART);
                    }
                    if has_more { Duration::ZERO } else { CHECK_INTERVAL }
                }
                Err(IndexingEnd::Store(error)) => {
                    tracing::debug!("the search index waits for the store: {error}");
                    CHECK_INTERVAL
                }
                Err(IndexingEnd::Disk(error)) => {
                    let reason = format!(
                        "the index beside the store cannot be written: {error}; searches read messages one by one"
                    );
                    if self.fault.as_ref() != Some(&reason) {
                        tracing::error!("{reason}");
                        HEALTH.degrade(PART, reason.clone());
                        self.fault = Some(reason);
                    }
                    RETRY_PAUSE
                }
            };
            self.rest(rest);
        }
        if is_loaded && let Err(error) = self.index.save() {
            tracing::warn!("the progress of the search index cannot be written: {error}");
        }
    }

    /// Waits, but not after `stop`.
    fn rest(&self, rest: Duration) {
        let until = Instant::now() + rest;
        while !self.stop.is_cancelled()
            && let Some(left) = until.checked_duration_since(Instant::now())
        {
            std::thread::sleep(left.min(CHECK_INTERVAL));
        }
    }

    /// Loads the files on disk.
    pub(super) fn load(&mut self) -> Result<bool, IndexingEnd> {
        let view = self.store.view()?;
        self.index.load(&view);
        self.index.remove_useless_files()?;
        Ok(true)
    }

    /// Does one round of work; returns whether there is more.
    pub(super) fn round(&mut self) -> Result<bool, IndexingEnd> {
        let view = self.store.view()?;
        self.follow(&view)?;
        let Some(oldest) = view.oldest()? else { return Ok(false) };
        self.index.drop_before(oldest);
        self.index.remove_unused()?;
        let was_sealed = self.extend(&view)?;
        // Counted first, because building a file takes long; after that, another round follows.
        let missing = self.index.missing(&view)?;
        self.log_progress(missing, view.head());
        let was_built = self.build(&view, oldest)?;
        if was_sealed || was_built || self.is_to_be_saved() {
            self.index.save()?;
            self.saved = (Instant::now(), self.index.offset());
        }
        Ok(was_built)
    }

    fn is_to_be_saved(&self) -> bool {
        let (at, offset) = self.saved;
        at.elapsed() >= SAVE_EVERY && offset != self.index.offset()
    }

    /// Applies events of the log about indexed messages. If the log does not have all of them any
    /// more, the index is built anew.
    fn follow(&self, view: &View) -> Result<(), IndexingEnd> {
        if self.index.can_follow(view) && self.follow_events(view)? {
            self.index.followed_to(view.cursor());
        } else {
            tracing::warn!(
                "the search index is built anew: the log does not have all events since its last update"
            );
            self.index.forget(view);
        }
        Ok(())
    }

    /// Whether all new events were still in the log.
    fn follow_events(&self, view: &View) -> Result<bool, IndexingEnd> {
        let (mut after, end) = (self.index.offset(), self.index.end());
        loop {
            let Some(entries) = view.journal(after, EVENTS)? else { return Ok(false) };
            let Some(last) = entries.last() else { return Ok(true) };
            after = last.offset;
            for entry in &entries {
                match entry.entry {
                    // Messages after the end of the index are read later.
                    EntryContent::Created { seq }
                    | EntryContent::PutBack { seq }
                    | EntryContent::Updated { seq }
                        if seq < end =>
                    {
                        self.index.amended(seq, &terms_of(view, seq)?);
                    }
                    EntryContent::Deleted { seq, .. } => self.index.deleted(seq),
                    _ => {}
                }
            }
        }
    }

    /// Adds the newest messages; returns whether a file was sealed.
    fn extend(&self, view: &View) -> Result<bool, IndexingEnd> {
        let end = view.head() + 1;
        let start = span_of(view.head()) * SPAN;
        let mut was_sealed = self.index.seal_live(false)?;
        let mut live = self.index.live_from(start);
        // Far behind: the newest messages are added first, and the gap is built later.
        if live.last + SPAN < start {
            was_sealed |= self.index.seal_live(true)?;
            live = self.index.live_from(start);
        }
        let mut next = live.last;
        while next < end && !self.stop.is_cancelled() {
            let span_end = (span_of(next) + 1) * SPAN;
            let (added, reached) = terms_between(view, next, end.min(span_end))?;
            self.index.extend(&added, reached);
            next = reached;
            if self.index.seal_live(false)? {
                was_sealed = true;
                self.index.live_from(next);
            }
        }
        Ok(was_sealed)
    }

    /// Builds a file of missing messages, the newest first; returns whether there were any.
    fn build(&self, view: &View, oldest: u64) -> Result<bool, IndexingEnd> {
        let Some(gap) = self.index.newest_gap(oldest) else { return Ok(false) };
        let first = gap.first.max(span_of(gap.last) * SPAN);
        let mut builder = Builder::new(first);
        while builder.next() <= gap.last && !builder.is_full() {
            let (added, reached) = terms_between(view, builder.next(), gap.last + 1)?;
            for (seq, terms) in added {
                builder.add(seq, &terms);
            }
            builder.reach(reached);
            if self.stop.is_cancelled() {
                return Ok(false);
            }
        }
        self.index.seal(&builder)?;
        Ok(true)
    }

    /// Logs the progress.
    fn log_progress(&mut self, missing: u64, head: u64) {
        METRICS.search_missing.set(missing.cast_signed());
        METRICS.search_bytes.set(self.index.bytes().cast_signed());
        if missing == 0 {
            if self.logged.take().is_some() {
                tracing::info!(
                    messages = head,
                    bytes = self.index.bytes(),
                    "the search index is complete"
                );
            }
        } else if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_EVERY) {
            // A small number of new messages is not worth a log line.
            if missing > SPAN {
                tracing::info!(missing, "building the search index, the newest messages first");
                self.logged = Some(Instant::now());
            }
        }
    }
}

/// The terms of a message; none if it does not exist or cannot be read.
fn terms_of(view: &View, seq: u64) -> Result<Vec<SearchTerm>, StoreError> {
    let message = view.readable(seq)?;
    Ok(message.map_or_else(Vec::new, |message| terms::of_message(&message)))
}

/// Messages and their terms.
type WithTerms = Vec<(u64, Vec<SearchTerm>)>;

/// The terms of some messages from `first` on and before `stop`, as far as they exist and can be
/// read; and the `seq` up to which they go.
fn terms_between(view: &View, first: u64, stop: u64) -> Result<(WithTerms, u64), StoreError> {
    let stop = stop.min(first + MESSAGES);
    match readable_terms(view, first, stop) {
        // A page is damaged; other messages are on other pages.
        Err(StoreError::Corrupt(_)) => {
            let one_by_one = (first..stop).map(|seq| Ok((seq, terms_of(view, seq)?)));
            Ok((one_by_one.collect::<Result<_, StoreError>>()?, stop))
        }
        found => found,
    }
}

fn readable_terms(view: &View, first: u64, stop: u64) -> Result<(WithTerms, u64), StoreError> {
    let (mut found, mut count) = (Vec::new(), 0);
    let read = |seq, bytes: &[u8]| terms::of_record(seq, bytes).map(|terms| (seq, terms));
    for message in view.records_between(first, stop - 1, read)? {
        let (seq, terms) = message?;
        count += terms.len();
        found.push((seq, terms));
        if count >= TERMS {
            return Ok((found, seq + 1));
        }
    }
    Ok((found, stop))
}
