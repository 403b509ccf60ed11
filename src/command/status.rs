//! `rechat status`: how everything is, at a glance.

use super::doctor::LITTLE_SPACE;
use super::listing::{CellStyle, StyledText, printed};
use super::output::Output;
use super::source::reader;
use crate::adapter::PlatformState;
use crate::cli::{GlobalOptions, StatusArgs};
use crate::client::{Client, missing_store, store_here};
use crate::error::{Error, Result};
use crate::model::message::Status;
use crate::protocol::http::AdapterStatus;
use crate::store::MessageFilter;
use crate::text::{in_units, visible};

/// Lines of the overview, and whether one of them needs attention.
struct Overview {
    out: Output,
    is_well: bool,
}

impl Overview {
    fn end(self) -> Result<()> {
        self.out.finish()?;
        if self.is_well {
            return Ok(());
        }
        Err(Error::failed("something needs attention").hint("`rechat doctor` says what to correct"))
    }

    fn line(&mut self, about: &str, is_well: bool, text: &str) -> Result<()> {
        self.is_well &= is_well;
        let look = if is_well { CellStyle::Plain } else { CellStyle::Status(Status::Failed) };
        let row = [
            StyledText::new(format!("{about:<10}"), CellStyle::Heading),
            StyledText::new(visible(text), look),
        ];
        let has_color = self.out.has_color;
        self.out.line(printed(&row, has_color))
    }
}

pub(super) async fn run(status: StatusArgs, globals: &GlobalOptions) -> Result<()> {
    let mut overview = Overview { out: Output::new(globals), is_well: true };
    let mut client = match reader(&status.source, globals).await {
        Ok(client) => client,
        Err(error) => return without_store(overview, &status, globals, error),
    };
    match client.fault().await? {
        _ if !client.is_served() => {
            overview.line("server", false, "none runs; `rechat serve` starts one")?;
        }
        Some(reason) => overview.line("server", false, &format!("degraded: {reason}"))?,
        None => overview.line("server", true, "ok")?,
    }
    platforms(&mut overview, &mut client).await?;
    let counts = client.stats(&MessageFilter::default(), None).await?;
    let queue = format!("{} Pending, {} Sending", counts.pending, counts.sending);
    overview.line("queue", true, &queue)?;
    let stored = format!("{} messages, {} of them Failed", counts.total, counts.failed);
    overview.line("messages", true, &stored)?;
    if let Some(store) = store_here(&status.source, globals.config.clone())? {
        let (size, free) = (in_units(store.size), in_units(store.free));
        let text = format!("{}: {size}, {free} free", store.file.display());
        overview.line("store", store.free > LITTLE_SPACE, &text)?;
    }
    overview.end()
}

/// Tells of a host that has no store yet; another `error` of opening it is one.
fn without_store(
    mut overview: Overview,
    status: &StatusArgs,
    globals: &GlobalOptions,
    error: Error,
) -> Result<()> {
    let file = missing_store(&status.source, globals.config.clone())?.ok_or(error)?;
    overview.line("server", false, "none runs; `rechat serve` starts one")?;
    overview.line("store", true, &format!("none yet at {}", file.display()))?;
    overview.end()
}

async fn platforms(overview: &mut Overview, client: &mut Client) -> Result<()> {
    for AdapterStatus { platform, account, state, reason, last_error, .. } in
        client.platforms().await?
    {
        let account = account.map(|account| format!(" {account}")).unwrap_or_default();
        let is_well = matches!(state, PlatformState::Connected | PlatformState::Connecting);
        let why = reason.or(last_error).filter(|_| !is_well);
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        overview.line("platform", is_well, &format!("{platform}{account}: {state:?}{why}"))?;
    }
    Ok(())
}
