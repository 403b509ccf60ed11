//! `rechat platforms`

use super::listing::{CellStyle, StyledText, short_time, utc};
use super::output::Output;
use super::rows::{Grid, cell, quiet};
use super::source::reader;
use crate::adapter::PlatformState;
use crate::cli::{GlobalOptions, PlatformsArgs};
use crate::clock::now;
use crate::error::{Error, Result};
use crate::model::message::Status;
use jiff::tz::TimeZone;

pub(super) async fn run(platforms: PlatformsArgs, globals: &GlobalOptions) -> Result<()> {
    let mut client = reader(&platforms.source, globals).await?;
    if !client.is_served() {
        return Err(Error::failed("no server runs, so no platform is connected")
            .hint("start one with `rechat serve`, or name one with --server"));
    }
    let all = client.platforms().await?;
    let mut out = Output::paged(globals);
    if platforms.json {
        all.iter().try_for_each(|one| out.json(one))?;
        return out.finish();
    }
    let (now, zone) = (now(), TimeZone::system());
    let headings =
        ["PLATFORM", "ACCOUNT", "STATE", "SINCE", "SENT", "RECEIVED", "FAILED TRIES", "REASON"];
    let mut grid = Grid::new(headings).with_last_whole();
    for one in all {
        let since = one.since;
        let since = if out.is_terminal { short_time(since, now, &zone) } else { utc(since) };
        grid.push([
            cell(one.platform),
            cell(one.account.unwrap_or_default()),
            state(one.state),
            quiet(since),
            cell(one.sent.to_string()),
            cell(one.received.to_string()),
            cell(one.failed.to_string()),
            cell(one.reason.or(one.last_error).unwrap_or_else(|| waits_for(one.state).to_owned())),
        ]);
    }
    grid.print(
        &mut out,
        "no platform has connected yet; the view Platforms of the page shows how",
    )?;
    out.finish()
}

/// The words for an adapter that waits and tells no reason.
fn waits_for(state: PlatformState) -> &'static str {
    match state {
        PlatformState::Connecting => "its address is being tried",
        PlatformState::Disconnected => "it waits for its implementation to connect",
        PlatformState::Connected | PlatformState::Error => "",
    }
}

/// The state of a connection, in the color that a message with such a state has.
pub(super) fn state(state: PlatformState) -> StyledText {
    let alike = match state {
        PlatformState::Connected => Status::Sent,
        PlatformState::Connecting => Status::Pending,
        PlatformState::Disconnected | PlatformState::Error => Status::Failed,
    };
    StyledText::new(format!("{state:?}"), CellStyle::Status(alike))
}
