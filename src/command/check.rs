//! `rechat check`

use super::listing::time_for;
use super::media::look_at_media;
use super::output::Output;
use super::progress::of_migration;
use crate::cli::{Check, GlobalOptions};
use crate::client::Client;
use crate::config::{self, Sources};
use crate::error::{Error, Result, tell};
use crate::ingest::{TriedAgain, try_again};
use crate::protocol::http::{QuarantinedEvent, QuarantinedEvents, StoredAgain};
use crate::search;
use crate::store::{Access, Quarantined, Store, StoreOptions, check, salvage};
use crate::text::{counted, in_units, visible};
use std::path::Path;

pub(super) async fn run(command: Check, globals: &GlobalOptions) -> Result<()> {
    let mut sources = Sources::of_process(globals.config.clone())?;
    if let Some(db) = command.db {
        sources.flags.push(("db", "--db", db.display().to_string().into()));
    }
    let config = config::load(&sources)?.config;
    let mut out = Output::new(globals);
    if let Some(server) = Client::at_socket(&config::socket_beside(&config.db)).await? {
        return check_beside(server, &config, command.retry, out).await;
    }
    if command.repair && repair(&config, &mut out)? {
        return out.finish();
    }
    if command.retry {
        retry(&config).await?;
    }
    let migration = Some(of_migration());
    let options = StoreOptions { migration, ..config.store_options(Access::Read) };
    let report = check::check_file(&options)?;
    print_report(&report, &config, &mut out)?;
    let mut damaged_files = 0;
    if report.findings.is_empty() {
        let store = Store::open(&options, Box::new(()))?;
        look_at_index(&config.db, &store, &mut out)?;
        damaged_files = look_at_media(&config.db, &store, &mut out)?;
    }
    if report.findings.is_empty() && !has_kept(&report) && damaged_files == 0 {
        out.line(match report.all_quarantined {
            0 => "the store is sound",
            _ => "the store is not damaged; some received events are quarantined (see above)",
        })?;
    }
    out.finish()?;
    verdict(&report, damaged_files)
}

/// Whether files of an earlier damage are kept beside the store.
fn has_kept(report: &check::StoreReport) -> bool {
    !report.kept_logs.is_empty() || !report.kept_stores.is_empty()
}

/// The error that the command ends with; none where the store is sound.
fn verdict(report: &check::StoreReport, damaged_files: u64) -> Result<()> {
    if damaged_files > 0 {
        return Err(Error::failed(format!("{damaged_files} files of media are damaged"))
            .hint("copy them from a backup, or remove them with `rechat media --remove`"));
    }
    if !report.findings.is_empty() {
        return Err(Error::failed("the store is damaged")
            .hint("restore a backup, or make the store anew from what can be read: `rechat check --repair`; and please report what was found"));
    }
    if has_kept(report) {
        return Err(Error::failed("messages may be missing that a damaged file had")
            .hint("remove the files that are kept beside the store, once you have looked"));
    }
    match report.all_quarantined as usize {
        0 => Ok(()),
        quarantined => Err(are_quarantined(quarantined)),
    }
}

/// Prints what was found in the store, and what is kept beside it.
fn print_report(
    report: &check::StoreReport,
    config: &config::Config,
    out: &mut Output,
) -> Result<()> {
    for finding in &report.findings {
        out.line(finding)?;
    }
    for Quarantined { at, reason, event, .. } in &report.quarantined {
        let told = event.summary(*at);
        let sender = told.sender.map(|sender| &*sender.name).unwrap_or_default();
        let words = [told.kind, told.platform, told.conversation, sender, &told.text];
        out.line(line_of(&time_for(out, *at), words, reason))?;
    }
    if report.more > 0 {
        out.line(format_args!("and {} more", counted(report.more, "finding", "findings")))?;
    }
    for kept in &report.kept_logs {
        out.line(kept_log(kept))?;
    }
    for kept in &report.kept_stores {
        out.line(kept_store(kept))?;
    }
    out.line(format_args!("{}: {}", config.db.display(), summary(report)))
}

/// Tells what a running server has quarantined: it has the store open, which cannot be checked meanwhile.
async fn check_beside(
    mut server: Client,
    config: &config::Config,
    retry: bool,
    mut out: Output,
) -> Result<()> {
    let left = ask(&mut server, retry, &mut out).await?;
    out.finish()?;
    match left {
        0 if retry => Ok(()),
        left if left > 0 => Err(are_quarantined(left)),
        _ => Err(Error::usage(format!("a server has {} open", config.db.display()))
            .hint("stop it first, or make a copy with `rechat backup FILE` and check that")),
    }
}

/// Prints what a running server has quarantined, after it has tried again where that is asked for; gives
/// how much it is.
async fn ask(server: &mut Client, retry: bool, out: &mut Output) -> Result<usize> {
    if retry {
        let StoredAgain { stored, left } = server.retry_quarantine().await?;
        tell_retried(stored, left);
    }
    let QuarantinedEvents { events, total } = server.quarantine().await?;
    for event in &events {
        let QuarantinedEvent { at, kind, platform, conversation, sender, content, .. } = event;
        let words = [&**kind, platform, conversation, &sender.name, content];
        out.line(line_of(&time_for(out, *at), words, &event.reason))?;
    }
    Ok(total)
}

fn are_quarantined(count: usize) -> Error {
    Error::failed(format!("{count} events that came in could not be stored, and are quarantined"))
        .hint("`rechat check --retry` tries again to store them, also while the server runs; a damaged row needs a backup")
}

/// Tells of a log that is kept beside the store.
pub(super) fn kept_log(path: &Path) -> String {
    format!("{}: a write-ahead log that was damaged, missing or of another store", path.display())
}

/// Tells of a damaged store that is kept beside the one that was made anew.
pub(super) fn kept_store(path: &Path) -> String {
    format!(
        "{}: the store as it was before it was made anew, because it was damaged",
        path.display()
    )
}

/// Makes the store anew from what can be read of it, unless it is sound, and tells what cannot be read;
/// whether nothing is missing.
fn repair(config: &config::Config, out: &mut Output) -> Result<bool> {
    if check::check_file(&config.store_options(Access::Read))
        .is_ok_and(|report| report.findings.is_empty())
    {
        out.line(format_args!("{}: sound; there is nothing to repair", config.db.display()))?;
        return Ok(false);
    }
    let salvaged = salvage(&config.store_options(Access::Write))?;
    for lost in &salvaged.lost {
        out.line(format_args!("lost: {lost}"))?;
    }
    let messages = counted(salvaged.messages, "message", "messages");
    out.line(format_args!("{}: made anew, with {messages}", config.db.display()))?;
    // Begins a new epoch, by which clients learn that this is not the store that they knew.
    drop(Store::open(&config.store_options(Access::Write), Box::new(()))?);
    if !salvaged.lost.is_empty() {
        return Ok(false);
    }
    out.line("nothing was lost; the damaged file is kept beside the store until you remove it")?;
    Ok(true)
}

/// An event that was quarantined; its kind is told where it is no message.
fn line_of(at: &str, words: [&str; 5], reason: &str) -> String {
    let [kind, platform, conversation, sender, text] = words;
    let kind = if kind == "message" { String::new() } else { format!(" ({kind})") };
    let place = [platform, conversation].map(|name| format!(" {name}")).concat();
    let text = format!("{at}{}, {sender}{kind}: {text} (quarantined: {reason})", place.trim_end());
    visible(&text).into_owned()
}

/// Tells how much was read, and what is wrong with it.
fn summary(report: &check::StoreReport) -> String {
    let messages = counted(report.messages, "message", "messages");
    let entries = counted(report.rows, "index entry", "index entries");
    let damage = match report.findings.len() as u64 + report.more {
        0 => "nothing is damaged".to_owned(),
        count => counted(count, "thing is damaged", "things are damaged"),
    };
    let quarantined = match report.all_quarantined {
        0 => String::new(),
        count => format!(", {}", counted(count, "event is quarantined", "events are quarantined")),
    };
    format!("{messages} and {entries} read, {damage}{quarantined}")
}

/// Tries to store what was quarantined; what still cannot be stored stays.
async fn retry(config: &config::Config) -> Result<()> {
    let migration = Some(of_migration());
    let options = StoreOptions { migration, ..config.store_options(Access::Write) };
    let store = Store::open(&options, Box::new(()))?;
    let tried = try_again(&store).await;
    store.close();
    let TriedAgain { stored, left } = tried?;
    tell_retried(stored, left);
    Ok(())
}

fn tell_retried(stored: usize, left: usize) {
    let all = stored + left;
    tell(format_args!("{stored} of {all} events that were quarantined are stored now"));
}

/// Compares the search index with the messages. It can always be built again, and so nothing that
/// is wrong with it is a fault of the store.
fn look_at_index(db: &Path, store: &Store, out: &mut Output) -> Result<()> {
    let folder = search::folder_beside(db);
    let search::check::IndexReport { files, bytes, findings } =
        search::check::check(&folder, &*store.view()?)?;
    for finding in &findings {
        out.line(finding)?;
    }
    let folder = folder.display();
    out.line(match (files, findings.len()) {
        (0, _) => format!("{folder}: no search index yet; the next server builds it"),
        (_, 0) => format!("{folder}: the search index ({}) matches the messages", in_units(bytes)),
        _ => format!("{folder}: damaged; remove it, and the next server builds it again"),
    })
}
