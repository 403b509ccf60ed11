//! `rechat status`: how everything is, at a glance.

use super::doctor::LOW_SPACE_BYTES;
use super::listing::{CellStyle, StyledText, printed};
use super::output::Output;
use super::source::reader;
use crate::adapter::PlatformState;
use crate::cli::{GlobalOptions, StatusArgs};
use crate::client::{missing_store, store_here};
use crate::error::{Error, Result};
use crate::model::message::Status;
use crate::protocol::http::AdapterStatus;
use crate::protocol::overview::Stats;
use crate::store::MessageFilter;
use crate::text::{in_units, visible};
use serde::Serialize;
use std::path::PathBuf;

/// How everything is, as `--json` prints it.
#[derive(Serialize)]
struct Overview {
    /// Whether nothing needs attention.
    ok: bool,
    server: ServerState,
    /// Why the server is degraded.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    platforms: Vec<AdapterStatus>,
    /// Absent where there is no store yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Stats>,
    /// Absent where the store is another host's.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<ReportedStore>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum ServerState {
    Ok,
    Degraded,
    NotRunning,
}

#[derive(Serialize)]
struct ReportedStore {
    file: PathBuf,
    /// Bytes; 0 where there is no file yet.
    size: u64,
    /// Bytes that are free on its disk; absent where there is no file yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u64>,
}

pub(super) async fn run(status: StatusArgs, globals: &GlobalOptions) -> Result<()> {
    let overview = Overview::gather(&status, globals).await?;
    let mut out = Output::new(globals);
    if status.json {
        out.json(&overview)?;
    } else {
        overview.print(&mut out)?;
    }
    out.finish()?;
    if overview.ok {
        return Ok(());
    }
    Err(Error::failed("something needs attention").hint("`rechat doctor` says what to correct"))
}

impl Overview {
    async fn gather(status: &StatusArgs, globals: &GlobalOptions) -> Result<Self> {
        let mut client = match reader(&status.source, globals).await {
            Ok(client) => client,
            Err(error) => return Self::without_store(status, globals, error),
        };
        let reason = client.fault().await?;
        let server = match &reason {
            _ if !client.is_served() => ServerState::NotRunning,
            Some(_) => ServerState::Degraded,
            None => ServerState::Ok,
        };
        let platforms = client.platforms().await?;
        let messages = client.stats(&MessageFilter::default(), None).await?;
        let store = store_here(&status.source, globals.config.clone())?;
        let has_space = store.as_ref().is_none_or(|store| store.free > LOW_SPACE_BYTES);
        Ok(Self {
            ok: server == ServerState::Ok && platforms.iter().all(is_well) && has_space,
            server,
            reason: reason.filter(|_| server == ServerState::Degraded),
            platforms,
            messages: Some(messages),
            store: store.map(|store| ReportedStore {
                file: store.file,
                size: store.size,
                free: Some(store.free),
            }),
        })
    }

    /// The state of a host that has no store yet; another `error` of opening it is one.
    fn without_store(status: &StatusArgs, globals: &GlobalOptions, error: Error) -> Result<Self> {
        let file = missing_store(&status.source, globals.config.clone())?.ok_or(error)?;
        Ok(Self {
            ok: false,
            server: ServerState::NotRunning,
            reason: None,
            platforms: Vec::new(),
            messages: None,
            store: Some(ReportedStore { file, size: 0, free: None }),
        })
    }

    fn print(&self, out: &mut Output) -> Result<()> {
        let is_ok = self.server == ServerState::Ok;
        line(
            out,
            "server",
            is_ok,
            &match (self.server, &self.reason) {
                (ServerState::Ok, _) => "ok".to_owned(),
                (ServerState::NotRunning, _) => "none runs; `rechat serve` starts one".to_owned(),
                (ServerState::Degraded, reason) => {
                    format!("degraded: {}", reason.as_deref().unwrap_or_default())
                }
            },
        )?;
        for adapter in &self.platforms {
            line(out, "platform", is_well(adapter), &described(adapter))?;
        }
        if let Some(counts) = &self.messages {
            let queue = format!("{} Pending, {} Sending", counts.pending, counts.sending);
            line(out, "queue", true, &queue)?;
            let stored = format!("{} messages, {} of them Failed", counts.total, counts.failed);
            line(out, "messages", true, &stored)?;
        }
        match &self.store {
            Some(ReportedStore { file, size, free: Some(free) }) => {
                let (size, left) = (in_units(*size), in_units(*free));
                let text = format!("{}: {size}, {left} free", file.display());
                line(out, "store", *free > LOW_SPACE_BYTES, &text)
            }
            Some(ReportedStore { file, .. }) => {
                line(out, "store", true, &format!("none yet at {}", file.display()))
            }
            None => Ok(()),
        }
    }
}

fn line(out: &mut Output, about: &str, is_well: bool, text: &str) -> Result<()> {
    let look = if is_well { CellStyle::Plain } else { CellStyle::Status(Status::Failed) };
    let row = [
        StyledText::new(format!("{about:<10}"), CellStyle::Heading),
        StyledText::new(visible(text), look),
    ];
    let has_color = out.has_color;
    out.line(printed(&row, has_color))
}

fn is_well(adapter: &AdapterStatus) -> bool {
    matches!(adapter.state, PlatformState::Connected | PlatformState::Connecting)
}

fn described(adapter: &AdapterStatus) -> String {
    let AdapterStatus { platform, account, state, reason, last_error, .. } = adapter;
    let account = account.as_ref().map(|account| format!(" {account}")).unwrap_or_default();
    let why = reason.as_ref().or(last_error.as_ref()).filter(|_| !is_well(adapter));
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{platform}{account}: {state:?}{why}")
}
