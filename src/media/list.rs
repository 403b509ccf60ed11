//! The list of what is kept.

use super::blobs::Blobs;
use crate::clock::unix_seconds;
use crate::protocol::http::{KeptMedia, MediaList};
use std::cmp::Reverse;
use std::io;

/// The media that were stored or sent last, the newest first, and how much there is in all.
///
/// # Errors
///
/// The disk refuses.
pub fn newest(blobs: &Blobs, limit: usize) -> io::Result<MediaList> {
    let mut all = blobs.all()?;
    all.sort_by_key(|stored| Reverse((stored.modified, stored.hash)));
    let (count, bytes) = (all.len() as u64, all.iter().map(|stored| stored.size).sum());
    let mut media = Vec::new();
    for stored in all.into_iter().take(limit) {
        // One that was removed meanwhile is left out.
        let Ok((size, kind)) = blobs.describe(stored.hash) else { continue };
        let (name, mime) = (stored.hash.to_string(), kind.mime.to_owned());
        media.push(KeptMedia { media: name, mime, size, modified: unix_seconds(stored.modified) });
    }
    Ok(MediaList { media, count, bytes, quota_bytes: blobs.bounds().quota_bytes })
}
