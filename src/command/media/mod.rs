//! `rechat media`

mod check;
pub(super) mod files;

pub(super) use check::look_at_media;

use super::listing::local_time;
use super::open::{reader, writer};
use super::output::Output;
use crate::cli::{Globals, MediaArgs};
use crate::error::{Result, tell};

pub(super) async fn run(media: MediaArgs, globals: &Globals) -> Result<()> {
    if !media.remove.is_empty() {
        let mut client = writer(&media.source, globals).await?;
        for hash in &media.remove {
            let removed = client.remove_media(*hash).await?;
            tell(format!("{hash} removed; {} messages had it", removed.messages));
        }
        return Ok(());
    }
    let list = reader(&media.source, globals).await?.media(media.limit).await?;
    let mut out = Output::paged(globals);
    if media.json {
        for one in &list.media {
            out.json(one)?;
        }
        return out.finish();
    }
    for one in &list.media {
        let (time, size) = (local_time(one.modified), one.size);
        out.line(format_args!("{} {time} {size:>11} {}", one.media, one.mime))?;
    }
    let quota = match list.quota_bytes {
        0 => String::new(),
        bytes => format!(" of {bytes}"),
    };
    out.line(format_args!("{} files, {} bytes{quota}", list.count, list.bytes))?;
    out.finish()
}
