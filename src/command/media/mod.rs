//! `rechat media`

mod check;
pub(super) mod files;

pub(super) use check::look_at_media;

use super::listing::time_for;
use super::output::Output;
use super::rows::{Grid, cell, quiet};
use super::source::{reader, writer};
use crate::cli::{GlobalOptions, MediaArgs};
use crate::client::Client;
use crate::command::status_change::is_confirmed;
use crate::error::{Error, Result, tell};
use crate::media::Hash;
use crate::text::{counted, in_units};
use std::io::{self, IsTerminal};

/// Digits of a file's name that are shown at a terminal.
const MEDIA_DIGITS: usize = 16;

/// Digits that name a file at least.
const MIN_DIGITS: usize = 4;

pub(super) async fn run(media: MediaArgs, globals: &GlobalOptions) -> Result<()> {
    if !media.remove.is_empty() {
        return remove(&media, globals).await;
    }
    let list = reader(&media.source, globals).await?.media(media.limit).await?;
    let mut out = Output::paged(globals);
    if media.json {
        for one in &list.media {
            out.json(one)?;
        }
        return out.finish();
    }
    let mut grid = Grid::new(["MEDIA", "STORED", "SIZE", "TYPE", "NAME", "CONVERSATION"]);
    for one in list.media {
        let (media, size) = if out.is_terminal {
            (one.media.chars().take(MEDIA_DIGITS).collect(), in_units(one.size))
        } else {
            (one.media.clone(), one.size.to_string())
        };
        let stored = quiet(time_for(&out, one.stored_at));
        let name = one.name.unwrap_or_default();
        let conversation =
            one.used_in.map(|used| used.conversation_name.unwrap_or(used.conversation));
        let conversation = cell(conversation.unwrap_or_default());
        grid.push([quiet(media), stored, cell(size), cell(one.mime), cell(name), conversation]);
    }
    grid.print(&mut out, "no files")?;
    let quota = match list.quota_bytes {
        0 => String::new(),
        bytes => format!(" of {}", in_units(bytes)),
    };
    if out.is_terminal {
        let count = counted(list.count, "file", "files");
        out.line(format_args!("{count}, {}{quota}", in_units(list.bytes)))?;
    }
    out.finish()
}

async fn remove(media: &MediaArgs, globals: &GlobalOptions) -> Result<()> {
    let mut client = writer(&media.source, globals).await?;
    let mut hashes = Vec::new();
    for typed in &media.remove {
        hashes.push(hash_of(&mut client, typed).await?);
    }
    if !media.yes && io::stdin().is_terminal() && io::stderr().is_terminal() {
        hashes.iter().for_each(tell);
        if !is_confirmed("remove for good, also from their messages? [y/N] ") {
            return Err(Error::failed("nothing is removed"));
        }
    }
    for hash in hashes {
        let removed = client.remove_media(hash).await?;
        let count = counted(removed.messages, "message", "messages");
        tell(format!("removed {hash}; it was in {count}"));
    }
    Ok(())
}

/// The file whose name begins so, if just one does; a whole name is taken as it is.
async fn hash_of(client: &mut Client, typed: &str) -> Result<Hash> {
    if let Ok(hash) = typed.parse() {
        return Ok(hash);
    }
    let all = client.media(u64::MAX).await?.media;
    let mut found = all.iter().map(|one| &*one.media).filter(|name| begins(name, typed));
    match (found.next(), found.next()) {
        (Some(only), None) => only.parse().map_err(Error::failed),
        (Some(_), Some(_)) => {
            Err(Error::usage(format!("several files begin with {typed}; write more of it")))
        }
        (None, _) => Err(Error::failed(format!("no file begins with `{typed}`"))
            .hint(format!("`rechat media` lists them; give {MIN_DIGITS} digits or more"))),
    }
}

fn begins(name: &str, typed: &str) -> bool {
    typed.len() >= MIN_DIGITS && name.starts_with(&typed.to_lowercase())
}
