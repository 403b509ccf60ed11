//! The list of what is kept.

use super::blobs::{Blobs, Stored};
use super::content::all_media;
use super::hash::Hash;
use crate::clock::unix_seconds;
use crate::model::content::Segment;
use crate::protocol::http::{KeptMedia, MediaList};
use crate::store::{self, Store};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;

/// The newest messages that are looked at for names.
const LOOKED_AT: usize = 20_000;

/// The media that were stored last, the newest first, and how much there is in all.
///
/// # Errors
///
/// The folder or the store cannot be read.
pub fn newest(store: &Store, blobs: &Blobs, limit: usize) -> io::Result<MediaList> {
    let mut all = blobs.all()?;
    all.sort_by_key(|stored| Reverse((stored.created, stored.hash)));
    let (count, bytes) = (all.len() as u64, all.iter().map(|stored| stored.size).sum());
    all.truncate(limit);
    let mut names = names(store, &all).map_err(io::Error::other)?;
    let mut media = Vec::new();
    for stored in all {
        // One that was removed meanwhile is left out.
        let Ok((size, kind)) = blobs.describe(stored.hash) else { continue };
        media.push(KeptMedia {
            media: stored.hash.to_string(),
            name: names.remove(&stored.hash).flatten(),
            mime: kind.mime.to_owned(),
            size,
            stored_at: unix_seconds(stored.created),
        });
    }
    Ok(MediaList { media, count, bytes, quota_bytes: blobs.bounds().quota_bytes })
}

/// The names that the newest messages give these media.
fn names(store: &Store, wanted: &[Stored]) -> store::Result<HashMap<Hash, Option<String>>> {
    let mut names: HashMap<Hash, Option<String>> =
        wanted.iter().map(|stored| (stored.hash, None)).collect();
    let mut unnamed = names.len();
    let view = store.view()?;
    for message in view.readable_before(view.head() + 1)?.take(LOOKED_AT) {
        if unnamed == 0 {
            break;
        }
        let message = message?;
        for media in all_media(&message.content).into_iter().filter_map(Segment::media) {
            let hash = media.media.as_deref().and_then(|name| name.parse::<Hash>().ok());
            let known = hash.and_then(|hash| names.get_mut(&hash));
            if let (Some(name @ None), Some(told)) = (known, &media.name) {
                *name = Some(told.clone());
                unnamed -= 1;
            }
        }
    }
    Ok(names)
}
