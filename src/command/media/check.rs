//! Comparing the media beside a store with their names, and with its messages.

use crate::command::output::Output;
use crate::error::{Error, Result};
use crate::media::content::hashes;
use crate::media::{BlobBounds, Blobs, Hash, folder_beside, sweep};
use crate::store::Store;
use crate::text::counted;
use std::collections::HashSet;
use std::path::Path;

/// Tells what is damaged, what is missing and what no message has; gives the number of files that are
/// damaged.
pub(crate) fn look_at_media(db: &Path, store: &Store, out: &mut Output) -> Result<u64> {
    let folder = folder_beside(db);
    let cannot = |error| Error::failed(format!("cannot read {}: {error}", folder.display()));
    let blobs = Blobs::open(&folder, BlobBounds::NONE).map_err(cannot)?;
    let all = blobs.all().map_err(cannot)?;
    let mut unused: HashSet<Hash> = all.iter().map(|stored| stored.hash).collect();
    let kept = unused.clone();
    let mut missing = 0_u64;
    let mut lines = Vec::new();
    let see = |message: &crate::model::message::Message| {
        for hash in hashes(&message.content) {
            unused.remove(&hash);
            if !kept.contains(&hash) {
                missing += 1;
                lines.push(format!("message {}: its file {hash} is missing", message.id));
            }
        }
    };
    sweep::walk(store, || true, see).map_err(|fault| Error::failed(fault.to_string()))?;
    let mut damaged = 0;
    for stored in &all {
        if !blobs.is_whole(stored.hash).map_err(cannot)? {
            damaged += 1;
            lines.push(format!("{}: its bytes are not those of its name", stored.hash));
        }
    }
    for line in lines {
        out.line(line)?;
    }
    let counts =
        [(damaged, "damaged"), (missing, "missing"), (unused.len() as u64, "of no message")];
    let told: Vec<_> = counts.iter().filter(|(count, _)| *count > 0).collect();
    let told = match &told[..] {
        [] => "none is damaged or missing".to_owned(),
        told => told
            .iter()
            .map(|(count, what)| format!("{count} {what}"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let files = counted(all.len() as u64, "file", "files");
    out.line(format_args!("{}: {files}, {told}", folder.display()))?;
    Ok(damaged)
}
