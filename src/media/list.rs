//! The list of stored files.

use super::blobs::{Blobs, Stored};
use super::content::all_media;
use super::hash::Hash;
use crate::clock::unix_seconds;
use crate::model::content::Segment;
use crate::model::message::Message;
use crate::protocol::http::{KeptMedia, MediaList, MediaUse};
use crate::store::{self, Store};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;

/// The newest messages that are read.
const LOOKED_AT: usize = 20_000;

/// The newest files, and the totals.
///
/// # Errors
///
/// The folder or the store cannot be read.
pub fn newest(store: &Store, blobs: &Blobs, limit: usize) -> io::Result<MediaList> {
    let mut all = blobs.all()?;
    all.sort_by_key(|stored| Reverse((stored.created, stored.hash)));
    let (count, bytes) = (all.len() as u64, all.iter().map(|stored| stored.size).sum());
    all.truncate(limit);
    let mut found = found(store, &all).map_err(io::Error::other)?;
    let mut media = Vec::new();
    for stored in all {
        // A file that was removed in the meantime is left out.
        let Ok((size, kind)) = blobs.describe(stored.hash) else { continue };
        let FileUse { name, used_in } = found.remove(&stored.hash).unwrap_or_default();
        media.push(KeptMedia {
            media: stored.hash.to_string(),
            name,
            mime: kind.mime.to_owned(),
            size,
            stored_at: unix_seconds(stored.created),
            used_in,
        });
    }
    Ok(MediaList { media, count, bytes, quota_bytes: blobs.bounds().quota_bytes })
}

/// The data of a file from messages.
#[derive(Default)]
struct FileUse {
    /// Its name in the newest message that has it with a name.
    name: Option<String>,
    /// The newest message that has it.
    used_in: Option<MediaUse>,
}

/// The data of files from the newest messages.
fn found(store: &Store, wanted: &[Stored]) -> store::Result<HashMap<Hash, FileUse>> {
    let mut all: HashMap<Hash, FileUse> =
        wanted.iter().map(|stored| (stored.hash, FileUse::default())).collect();
    let mut unnamed = all.len();
    let view = store.view()?;
    for message in view.readable_before(view.head() + 1)?.take(LOOKED_AT) {
        if unnamed == 0 {
            break;
        }
        let message = message?;
        for media in all_media(&message.content).into_iter().filter_map(Segment::media) {
            let hash = media.media.as_deref().and_then(|name| name.parse::<Hash>().ok());
            let Some(found) = hash.and_then(|hash| all.get_mut(&hash)) else { continue };
            found.used_in.get_or_insert_with(|| used_in(&message));
            if found.name.is_none() && media.name.is_some() {
                found.name.clone_from(&media.name);
                unnamed -= 1;
            }
        }
    }
    Ok(all)
}

fn used_in(message: &Message) -> MediaUse {
    MediaUse {
        message: message.id,
        platform: message.platform_or_local().to_owned(),
        conversation: message.recipient.clone(),
        conversation_name: message.conversation_name.clone(),
    }
}
