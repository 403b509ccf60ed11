//! `rechat check`

use super::listing::local_time;
use super::media::look_at_media;
use super::output::Output;
use crate::cli::{Check, Globals};
use crate::clock::now;
use crate::config::{self, Sources};
use crate::error::{Error, Result, tell};
use crate::model::change::Inbound;
use crate::search;
use crate::store::{Access, Command, SetAside, Store, check};
use crate::text::{counted, in_units, visible};
use std::os::unix::net::UnixStream;
use std::path::Path;

pub(super) async fn run(command: Check, globals: &Globals) -> Result<()> {
    let mut sources = Sources::of_process(globals.config.clone())?;
    if let Some(db) = command.db {
        sources.flags.push(("db", "--db", db.display().to_string().into()));
    }
    let config = config::load(&sources)?.config;
    if UnixStream::connect(config::socket_beside(&config.db)).is_ok() {
        return Err(Error::failed(format!("a server has {} open", config.db.display()))
            .hint("stop it first, or make a copy with `rechat backup FILE` and check that"));
    }
    if command.retry {
        retry(&config).await?;
    }
    let options = config.store_options(Access::Read);
    let report = check::check_file(&options)?;
    let mut out = Output::new(globals);
    for finding in &report.findings {
        out.line(finding)?;
    }
    for SetAside { at, reason, inbound, .. } in &report.set_aside {
        let Inbound { platform, conversation, sender, content, .. } = inbound;
        let text = format!(
            "{} {platform} {conversation}, {}: {} (set aside: {reason})",
            local_time(*at),
            sender.name,
            content.readable()
        );
        out.line(visible(&text))?;
    }
    out.line(format_args!("{}: {}", config.db.display(), summary(&report)))?;
    let mut damaged_files = 0;
    if report.findings.is_empty() {
        let store = Store::open(&options, Box::new(()))?;
        look_at_index(&config.db, &store, &mut out)?;
        damaged_files = look_at_media(&config.db, &store, &mut out)?;
    }
    if report.findings.is_empty() && damaged_files == 0 {
        out.line("the store is sound")?;
    }
    out.finish()?;
    if damaged_files > 0 {
        return Err(Error::failed(format!("{damaged_files} files of media are damaged"))
            .hint("copy them from a backup, or remove them with `rechat media --remove`"));
    }
    if report.findings.is_empty() {
        return Ok(());
    }
    Err(Error::failed("the store is damaged")
        .hint("restore a backup, and please report what was found"))
}

/// Tells how much was read, and what is wrong with it.
fn summary(report: &check::StoreReport) -> String {
    let messages = counted(report.messages, "message", "messages");
    let entries = counted(report.rows, "index entry", "index entries");
    let damage = match report.findings.len() as u64 {
        0 => "nothing is damaged".to_owned(),
        count => counted(count, "thing is damaged", "things are damaged"),
    };
    let set_aside = match report.set_aside.len() as u64 {
        0 => String::new(),
        count => format!(", {}", counted(count, "event is set aside", "events are set aside")),
    };
    format!("{messages} and {entries} read, {damage}{set_aside}")
}

/// Tries to store what was set aside; what still cannot be stored stays.
async fn retry(config: &config::Config) -> Result<()> {
    let store = Store::open(&config.store_options(Access::Write), Box::new(()))?;
    let set_aside = store.view()?.quarantine()?;
    let (all, mut stored) = (set_aside.len(), 0);
    for SetAside { offset, inbound, .. } in set_aside {
        let received = Box::new(inbound);
        let receive = Command::Receive { received, at: now(), can_wait: false };
        if store.write(receive).await.is_ok() {
            store.write(Command::Release { offset }).await?;
            stored += 1;
        }
    }
    store.close();
    tell(format_args!("{stored} of {all} events that were set aside are stored now"));
    Ok(())
}

/// Compares the search index with the messages. It can always be built again, and so nothing that
/// is wrong with it is a fault of the store.
fn look_at_index(db: &Path, store: &Store, out: &mut Output) -> Result<()> {
    let folder = search::folder_beside(db);
    let search::check::IndexReport { segments, bytes, findings } =
        search::check::check(&folder, &*store.view()?)?;
    for finding in &findings {
        out.line(finding)?;
    }
    let folder = folder.display();
    out.line(match (segments, findings.len()) {
        (0, _) => format!("{folder}: no search index yet; the next server builds it"),
        (_, 0) => format!("{folder}: the search index ({}) matches the messages", in_units(bytes)),
        _ => format!("{folder}: damaged; remove it, and the next server builds it again"),
    })
}
