//! Removes files: those that no message uses, and those that somebody deletes.
//!
//! A file is deleted only after the segments that use it were changed. A message that is about to use
//! a file holds it first ([`Blobs::hold`]), and files that were held lately are kept.

use super::blobs::{Blobs, Stored};
use super::content::{change_media, hashes};
use super::hash::Hash;
use super::partial::Partials;
use crate::clock::now;
use crate::health;
use crate::metrics::METRICS;
use crate::model::message::{Direction, Message, Status};
use crate::store::{self, Answer, Command, Store};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// How long a blob stays that no message has: somebody may be about to send it.
pub const GRACE: Duration = Duration::from_hours(24);

/// How often unused blobs are looked for.
const EVERY: Duration = Duration::from_hours(1);

/// How long the server runs before it looks for the first time.
const START_DELAY: Duration = Duration::from_mins(5);

/// Messages that are read before others have the disk for a while.
const AT_ONCE: usize = 2_000;

/// That while.
const BATCH_PAUSE: Duration = Duration::from_millis(50);

/// Messages that a blob is taken out of together.
const COMMITTED_TOGETHER: usize = 64;

/// Why nothing more was removed.
#[derive(Debug)]
pub enum SweepError {
    /// The messages could not be read.
    Store(store::StoreError),
    /// The blobs could not be listed or removed.
    Disk(io::Error),
    /// The server stops.
    Stopped,
}

impl std::fmt::Display for SweepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Disk(error) => write!(f, "the folder of media fails: {error}"),
            Self::Stopped => f.write_str("the server stops"),
        }
    }
}

impl From<store::StoreError> for SweepError {
    fn from(error: store::StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for SweepError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Removes unused blobs, and uploads that nobody goes on with, now and then, until `stop`.
pub async fn run(
    store: Arc<Store>,
    blobs: Blobs,
    partials: Partials,
    db: PathBuf,
    stop: CancellationToken,
) {
    let mut pause = START_DELAY;
    let damage = Arc::new(Mutex::new(DamageTime::default()));
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        pause = EVERY;
        let (store, blobs, stopped) = (store.clone(), blobs.clone(), stop.clone());
        let (partials, damage, db) = (partials.clone(), damage.clone(), db.clone());
        let swept = move || {
            METRICS.media_bytes.set(blobs.count_anew()?.cast_signed());
            let removed = partials.remove_old()?;
            if removed > 0 {
                tracing::info!(removed, "uploads that nobody went on with are removed");
            }
            let mut damage = damage.lock().unwrap_or_else(PoisonError::into_inner);
            damage.kept = store::damaged_at(&db);
            remove_unused(&store, &blobs, GRACE, &mut damage, || {
                std::thread::sleep(BATCH_PAUSE);
                !stopped.is_cancelled()
            })
        };
        match health::blocking("media sweep", swept).await {
            Ok(Ok(0) | Err(SweepError::Stopped)) | Err(_) => {}
            Ok(Ok(removed)) => tracing::info!(removed, "media that no message has are removed"),
            Ok(Err(fault)) => tracing::warn!("unused media are not removed: {fault}"),
        }
    }
}

/// Up to when files stay that messages may have which cannot be read: those may have any file of before
/// they were damaged.
#[derive(Debug, Default)]
pub struct DamageTime {
    /// When damaged messages were first found.
    pub found: Option<SystemTime>,
    /// When a damaged log or store was set aside, as long as that is kept.
    pub kept: Option<SystemTime>,
}

impl DamageTime {
    fn spares(&self, stored: &Stored) -> bool {
        [self.found, self.kept].into_iter().flatten().any(|at| stored.modified <= at)
    }
}

/// Removes blobs that no message has and nobody held for `grace`; gives how many. `goes_on` is asked
/// now and then. While there are messages that cannot be read, files stay that were there before.
///
/// # Errors
///
/// The store or the disk refuses; what was removed until then stays removed.
pub fn remove_unused(
    store: &Store,
    blobs: &Blobs,
    grace: Duration,
    damage: &mut DamageTime,
    goes_on: impl Fn() -> bool,
) -> Result<usize, SweepError> {
    let is_old = |stored: &Stored| {
        SystemTime::now().duration_since(stored.modified).is_ok_and(|age| age >= grace)
    };
    let all = blobs.all()?.into_iter().filter(is_old);
    let mut unused: HashMap<Hash, Stored> = all.map(|stored| (stored.hash, stored)).collect();
    if unused.is_empty() {
        return Ok(0);
    }
    let began = SystemTime::now();
    let mut damaged = walk(store, goes_on, |message| {
        for hash in hashes(&message.content) {
            unused.remove(&hash);
        }
    })?;
    let view = store.view()?;
    let mut readable = 0;
    view.each_set_aside(|aside| {
        readable += 1;
        for hash in aside.event.content().into_iter().flat_map(hashes) {
            unused.remove(&hash);
        }
    })?;
    damaged += view.set_aside()?.saturating_sub(readable);
    damage.found = (damaged > 0).then(|| damage.found.unwrap_or(began));
    let made = view.made_at()?;
    let found = unused.len();
    unused.retain(|_, stored| made.is_none_or(|made| made < stored.modified));
    if unused.len() < found {
        tracing::info!(
            spared = found - unused.len(),
            "files stay that are older than the store: they may belong to a store that was here before"
        );
    }
    let found = unused.len();
    unused.retain(|_, stored| !damage.spares(stored));
    if unused.len() < found {
        let spared = found - unused.len();
        tracing::warn!(
            spared,
            damaged,
            "files that no message has stay, because messages that cannot be read may have them; `rechat check` tells which"
        );
    }
    let mut removed = 0;
    for stored in unused.values() {
        removed += usize::from(blobs.remove_unheld(stored)?);
    }
    Ok(removed)
}

/// Shows every message that can be read, the oldest first; gives how many cannot.
///
/// # Errors
///
/// The store or the disk refuses; what was removed until then stays removed.
pub fn walk(
    store: &Store,
    goes_on: impl Fn() -> bool,
    mut see: impl FnMut(&Message),
) -> Result<u64, SweepError> {
    let (mut position, mut damaged) = (0, 0);
    loop {
        let mut count = 0;
        for message in store.view()?.each_after(position)?.take(AT_ONCE) {
            let (seq, message) = message?;
            position = seq;
            count += 1;
            match message {
                Some(message) => see(&message),
                None => damaged += 1,
            }
        }
        if count < AT_ONCE {
            return Ok(damaged);
        }
        if !goes_on() {
            return Err(SweepError::Stopped);
        }
    }
}

/// How the removal of a blob ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone, and the messages that had it say so.
    Removed {
        /// The number of these messages.
        messages: usize,
    },
    /// Messages that have not been sent have it; nothing was removed.
    Unsent {
        /// The number of these messages.
        messages: usize,
    },
    /// Another message was just made of it.
    InUse,
    /// There is no such blob.
    NotFound,
}

/// Whether the bytes of a message are still needed: it would go out without them, now or when
/// somebody sends it again.
pub fn is_unsent(message: &Message) -> bool {
    message.direction == Direction::Outbound && message.status != Status::Sent
}

/// The text for a blob that so many unsent messages have.
pub fn unsent(messages: usize) -> String {
    let have = if messages == 1 { "message that is not sent has" } else { "unsent messages have" };
    format!("{messages} {have} this file; let it be sent, or delete the message, and try again")
}

/// Removes a blob, and takes it out of the messages that have it. One that something unsent has
/// stays.
///
/// # Errors
///
/// The store or the disk refuses; what was removed until then stays removed.
pub async fn remove(store: Arc<Store>, blobs: Blobs, hash: Hash) -> Result<Removal, SweepError> {
    let here = blobs.clone();
    let found = tokio::task::spawn_blocking(move || here.find(hash)).await;
    let found = found.map_err(io::Error::other)??;
    if found.is_some() {
        let store = store.clone();
        let counted = health::blocking("media removal", move || count_unsent(&store, hash));
        match counted.await.map_err(io::Error::other)?? {
            0 => {}
            messages => return Ok(Removal::Unsent { messages }),
        }
    }
    let (mut messages, mut position) = (0, Some(0));
    while let Some(after) = position {
        let reader = store.clone();
        let read = health::blocking("media removal", move || having(&reader, hash, after));
        let HavingPage { seqs, has_unsent, next } = read.await.map_err(io::Error::other)??;
        if found.is_some() && has_unsent {
            return Ok(Removal::InUse);
        }
        messages += seqs.len();
        let taken_out = stream::iter(seqs).map(Ok);
        taken_out
            .try_for_each_concurrent(COMMITTED_TOGETHER, |seq| {
                let store = &store;
                async move {
                    match store.view()?.by_seq(seq)? {
                        Some(message) => take_out(store, message, |other| other == hash).await,
                        None => Ok(()),
                    }
                }
            })
            .await?;
        position = next;
    }
    match found {
        None => Ok(Removal::NotFound),
        Some(found) if blobs.remove_unheld(&found)? => Ok(Removal::Removed { messages }),
        Some(_) => Ok(Removal::InUse),
    }
}

/// Counts the messages that have a blob and have not been sent.
fn count_unsent(store: &Store, hash: Hash) -> store::Result<usize> {
    let view = store.view()?;
    let mut count = 0;
    for status in Status::ALL.into_iter().filter(|status| *status != Status::Sent) {
        for message in view.outbound(status)? {
            match message {
                // A message that cannot be read is not sent either.
                Err(store::StoreError::Damaged(_)) => {}
                message => count += usize::from(has(&message?, hash)),
            }
        }
    }
    Ok(count)
}

/// Some messages that have a blob.
struct HavingPage {
    seqs: Vec<u64>,
    /// One of them has not been sent.
    has_unsent: bool,
    /// The place after which the next page begins.
    next: Option<u64>,
}

/// Those of the next messages after a place that have a blob.
fn having(store: &Store, hash: Hash, after: u64) -> store::Result<HavingPage> {
    let mut page = HavingPage { seqs: Vec::new(), has_unsent: false, next: None };
    for (index, message) in store.view()?.each_after(after)?.take(AT_ONCE).enumerate() {
        let (seq, message) = message?;
        if let Some(message) = message.filter(|message| has(message, hash)) {
            page.seqs.push(seq);
            page.has_unsent |= is_unsent(&message);
        }
        page.next = (index + 1 == AT_ONCE).then_some(seq);
    }
    Ok(page)
}

fn has(message: &Message, hash: Hash) -> bool {
    hashes(&message.content).any(|other| other == hash)
}

/// Takes blobs out of a message; what else is known of them stays.
///
/// # Errors
///
/// The store or the disk refuses; what was removed until then stays removed.
pub async fn take_out(
    store: &Store,
    message: Message,
    is_meant: impl Fn(Hash) -> bool,
) -> store::Result<()> {
    let Message { seq, mut content, .. } = message;
    loop {
        let without = change_media(&content, &mut |media| {
            let hash = media.media.as_deref().and_then(|name| name.parse().ok());
            if hash.is_some_and(&is_meant) {
                media.media = None;
            }
        });
        if without == content {
            return Ok(());
        }
        let command = Command::Complete { seq, was: content, content: without, at: now() };
        if store.write(command).await? != Answer::Nothing {
            return Ok(());
        }
        // It changed meanwhile.
        match store.view()?.by_seq(seq)? {
            Some(changed) => content = changed.content,
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
