//! Indexing of new messages, on a thread of its own. Writers do not wait for it.
//!
//! In rounds: what the log tells of older messages, then the newest messages, then one segment of
//! what is missing. Each round is of one commit, and the index says up to which event it has all.

use super::block::SPAN;
use super::builder::Builder;
use super::index::Index;
use super::span::span_of;
use super::terms::{self, SearchTerm};
use crate::health::{HEALTH, supervise};
use crate::metrics::METRICS;
use crate::model::message::Message;
use crate::store::{EntryContent, Store, StoreError, View};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// How often it looks for what is new.
const EVERY: Duration = Duration::from_millis(200);

/// How long it rests after a fault.
const REST: Duration = Duration::from_secs(5);

/// How often the place in the log is kept, where nothing else asks for it.
const SAVE_EVERY: Duration = Duration::from_mins(1);

/// How often the log tells how far it has come.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Messages that are added to the index in memory at a time: searches wait meanwhile.
const MESSAGES: u64 = 256;

/// Terms after which no further message is added at a time, for a text may have a million of them.
const TERMS: usize = 65_536;

/// How long the end of the server waits for the thread. What it leaves undone is done after the next start.
const LEAVE: Duration = Duration::from_millis(500);

/// Events read at a time.
const EVENTS: usize = 10_000;

/// How much it gives way to everything else (0 to 19): under load, messages are read by searches a
/// little longer.
const NICENESS: i32 = 10;

/// The part's name in `GET /api/health`.
const PART: &str = "search";

/// The task's name in the log, and the thread's. A panic of it is told apart from a full disk.
const TASK: &str = "search index";

/// Keeps an index up with its store until it is to stop.
pub async fn run(index: Arc<Index>, store: Arc<Store>, stop: CancellationToken) {
    supervise(TASK, stop.clone(), move || {
        on_thread(Feed::new(index.clone(), store.clone(), stop.clone()))
    })
    .await;
}

/// Runs on a thread of its own; a panic there is one here.
async fn on_thread(feed: Feed) {
    let stop = feed.stop.clone();
    let (done, wait) = oneshot::channel();
    let thread = std::thread::Builder::new().name(TASK.into()).spawn(move || {
        give_way();
        feed.run();
        let _ = done.send(());
    });
    match thread {
        Ok(_) => tokio::select! {
            ended = wait => assert!(ended.is_ok(), "its thread panicked"),
            () = async { stop.cancelled().await; tokio::time::sleep(LEAVE).await } => {
                tracing::debug!("the search index is left as it is");
            }
        },
        Err(error) => {
            HEALTH.degrade(PART, format!("the system gives no thread for it: {error}"));
        }
    }
}

/// Lets other threads go first. Only on Linux is that a thread's own matter.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!("the search index does not give way: {error}");
    }
}

/// Follows a store; the only one that changes its index.
pub(super) struct Feed {
    index: Arc<Index>,
    store: Arc<Store>,
    stop: CancellationToken,
    /// When the place in the log was kept, and which.
    saved: (Instant, u64),
    /// When the log was told how far it has come, while something is missing.
    told: Option<Instant>,
    /// Why it cannot be written, as the log was told.
    fault: Option<String>,
}

/// Why a round ended early.
#[derive(Debug)]
pub(super) enum FeedFault {
    /// The store is away, or cannot be read; it tells of that itself.
    Store(StoreError),
    /// The index cannot be written.
    Disk(std::io::Error),
}

impl From<StoreError> for FeedFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<std::io::Error> for FeedFault {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Feed {
    pub(super) fn new(index: Arc<Index>, store: Arc<Store>, stop: CancellationToken) -> Self {
        Self { index, store, stop, saved: (Instant::now(), 0), told: None, fault: None }
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
                    if has_more { Duration::ZERO } else { EVERY }
                }
                Err(FeedFault::Store(error)) => {
                    tracing::debug!("the search index waits for the store: {error}");
                    EVERY
                }
                Err(FeedFault::Disk(error)) => {
                    let reason = format!(
                        "the index beside the store cannot be written: {error}; searches read messages one by one"
                    );
                    if self.fault.as_ref() != Some(&reason) {
                        tracing::error!("{reason}");
                        HEALTH.degrade(PART, reason.clone());
                        self.fault = Some(reason);
                    }
                    REST
                }
            };
            self.rest(rest);
        }
        if is_loaded && let Err(error) = self.index.save() {
            tracing::warn!("the search index could not keep its place: {error}");
        }
    }

    /// Waits, but not for longer than it may run.
    fn rest(&self, rest: Duration) {
        let until = Instant::now() + rest;
        while !self.stop.is_cancelled()
            && let Some(left) = until.checked_duration_since(Instant::now())
        {
            std::thread::sleep(left.min(EVERY));
        }
    }

    /// Takes what is on disk.
    pub(super) fn load(&mut self) -> Result<bool, FeedFault> {
        let view = self.store.view()?;
        self.index.load(&view);
        self.index.tidy()?;
        Ok(true)
    }

    /// Does what there is to do, and says whether there is more.
    pub(super) fn round(&mut self) -> Result<bool, FeedFault> {
        let view = self.store.view()?;
        self.follow(&view)?;
        let Some(oldest) = view.oldest()? else { return Ok(false) };
        self.index.drop_before(oldest);
        self.index.remove_unused()?;
        let was_sealed = self.extend(&view)?;
        // First, for a segment takes its time; where one is built, another round follows.
        let missing = self.index.missing(&view)?;
        self.tell(missing, view.head());
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

    /// Takes in what the log tells of messages that the index has. Where the log does not have all of
    /// that any more, the index is built anew.
    fn follow(&self, view: &View) -> Result<(), FeedFault> {
        if self.index.can_follow(view) && self.follow_events(view)? {
            self.index.followed_to(view.cursor());
        } else {
            tracing::warn!("the search index is built anew: events it has not seen are not kept");
            self.index.forget(view);
        }
        Ok(())
    }

    /// Whether all events that are new were there.
    fn follow_events(&self, view: &View) -> Result<bool, FeedFault> {
        let (mut after, end) = (self.index.offset(), self.index.end());
        loop {
            let Some(entries) = view.journal(after, EVENTS)? else { return Ok(false) };
            let Some(last) = entries.last() else { return Ok(true) };
            after = last.offset;
            for entry in &entries {
                match entry.entry {
                    // Events behind the end are read later.
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

    /// Adds the newest messages, and says whether a segment was sealed.
    fn extend(&self, view: &View) -> Result<bool, FeedFault> {
        let end = view.head() + 1;
        let start = span_of(view.head()) * SPAN;
        let mut was_sealed = self.index.seal_live(false)?;
        let mut live = self.index.live_from(start);
        // Far behind: the newest come first, and what lies between is built later.
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

    /// Builds a segment of what is missing, the newest first; says whether there was anything.
    fn build(&self, view: &View, oldest: u64) -> Result<bool, FeedFault> {
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

    /// Tells how far it has come.
    fn tell(&mut self, missing: u64, head: u64) {
        METRICS.search_missing.set(missing.cast_signed());
        METRICS.search_bytes.set(self.index.bytes().cast_signed());
        if missing == 0 {
            if self.told.take().is_some() {
                tracing::info!(
                    messages = head,
                    bytes = self.index.bytes(),
                    "the search index is whole"
                );
            }
        } else if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            // A round's worth of new messages is nothing to tell of.
            if missing > SPAN {
                tracing::info!(missing, "building the search index, the newest messages first");
                self.told = Some(Instant::now());
            }
        }
    }
}

/// The terms of a message; none where there is no message, or one that cannot be read.
fn terms_of(view: &View, seq: u64) -> Result<Vec<SearchTerm>, StoreError> {
    let message = view.readable(seq)?;
    Ok(message.map_or_else(Vec::new, |message| terms::of_message(&message)))
}

/// Messages and their terms.
type WithTerms = Vec<(u64, Vec<SearchTerm>)>;

/// The terms of some messages from `first` on and before `stop`, those that there are and that can be
/// read; and the `seq` that they reach to.
fn terms_between(view: &View, first: u64, stop: u64) -> Result<(WithTerms, u64), StoreError> {
    let stop = stop.min(first + MESSAGES);
    match readable_terms(view, first, stop) {
        // A page is damaged; other messages lie on other pages.
        Err(StoreError::Corrupt(_)) => {
            let one_by_one = (first..stop).map(|seq| Ok((seq, terms_of(view, seq)?)));
            Ok((one_by_one.collect::<Result<_, StoreError>>()?, stop))
        }
        found => found,
    }
}

fn readable_terms(view: &View, first: u64, stop: u64) -> Result<(WithTerms, u64), StoreError> {
    let (mut found, mut count) = (Vec::new(), 0);
    for message in view.readable_between(first, stop - 1)? {
        let message: Message = message?;
        let terms = terms::of_message(&message);
        count += terms.len();
        found.push((message.seq, terms));
        if count >= TERMS {
            return Ok((found, message.seq + 1));
        }
    }
    Ok((found, stop))
}
