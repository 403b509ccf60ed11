//! Removes files that no message uses.
//!
//! A message that is about to use a file holds it first ([`Blobs::hold`]), and files that were held lately
//! are kept.

use super::blobs::{Blobs, Stored};
use super::content::hashes;
use super::hash::Hash;
use super::partial::Partials;
use crate::health;
use crate::metrics::METRICS;
use crate::model::message::Message;
use crate::store::{self, Store};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// How long a blob is kept that no message has. A message with it may be about to be made.
pub const GRACE_PERIOD: Duration = Duration::from_hours(24);

/// How often unused blobs are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_hours(1);

/// How long the server runs before it looks for the first time.
const START_DELAY: Duration = Duration::from_mins(5);

/// Messages that are read before a pause.
const AT_ONCE: usize = 2_000;

/// The pause, in which others have the disk.
const BATCH_PAUSE: Duration = Duration::from_millis(50);

/// Reason why nothing more was removed.
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

/// Removes unused blobs and abandoned uploads at regular times, until `stop`.
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
        pause = SWEEP_INTERVAL;
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
            remove_unused(&store, &blobs, GRACE_PERIOD, &mut damage, || {
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

/// The times up to which files are kept because messages cannot be read. Such a message may have any file
/// from before it was damaged.
#[derive(Debug, Default)]
pub struct DamageTime {
    /// When damaged messages were first found.
    pub found: Option<SystemTime>,
    /// When a damaged log or store was moved aside, as long as that is kept.
    pub kept: Option<SystemTime>,
}

impl DamageTime {
    fn keeps(&self, stored: &Stored) -> bool {
        [self.found, self.kept].into_iter().flatten().any(|at| stored.modified <= at)
    }
}

/// Removes blobs that no message has and that were not held for `grace`; returns how many. Stops once
/// `goes_on` returns `false`. While messages cannot be read, files from before that are kept.
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
    view.each_quarantined(|aside| {
        readable += 1;
        for hash in aside.event.content().into_iter().flat_map(hashes) {
            unused.remove(&hash);
        }
    })?;
    damaged += view.quarantined()?.saturating_sub(readable);
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
    unused.retain(|_, stored| !damage.keeps(stored));
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

/// Calls `see` for every message that can be read, the oldest first. Returns how many cannot be read.
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

#[cfg(test)]
mod tests;
