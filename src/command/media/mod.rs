//! `rechat media`

mod check;
pub(super) mod files;

pub(super) use check::look_at_media;

use super::open::{reader, writer};
use super::output::{Output, local_time};
use crate::cli::Media;
use crate::error::{Result, tell};
use std::path::PathBuf;

pub(super) async fn run(media: Media, config: Option<PathBuf>) -> Result<()> {
    if !media.remove.is_empty() {
        let mut client = writer(&media.source, config).await?;
        for hash in &media.remove {
            let removed = client.remove_media(*hash).await?;
            tell(format!("{hash} removed; {} messages had it", removed.messages));
        }
        return Ok(());
    }
    let list = reader(&media.source, config).await?.media(media.limit).await?;
    let mut out = Output::new();
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
