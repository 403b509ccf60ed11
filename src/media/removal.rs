//! Removes a file that somebody deletes, and takes it out of the messages that have it first.

use super::blobs::Blobs;
use super::content::{change_media, hashes};
use super::hash::Hash;
use super::sweep::SweepError;
use crate::clock::now;
use crate::health;
use crate::model::message::{Direction, Message, Status};
use crate::store::{self, Answer, Command, Store};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::io;
use std::sync::Arc;

/// Messages that are read together.
const AT_ONCE: usize = 2_000;

/// Messages that a blob is taken out of together.
const COMMITTED_TOGETHER: usize = 64;

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

/// Removes a blob, and takes it out of the messages that have it. A blob of an unsent message is not
/// removed.
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
    /// The `seq` after which the next page begins; `None` if this is the last one.
    next: Option<u64>,
}

/// The messages with a blob among those after a `seq`.
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
pub(super) mod tests;
