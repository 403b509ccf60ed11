//! `rechat stats`

use super::conversation::Known;
use super::output::Output;
use super::source::reader;
use crate::cli::{GlobalOptions, StatsArgs};
use crate::error::Result;
use crate::model::message::Status;
use crate::store::MessageFilter;

pub(super) async fn run(stats: StatsArgs, globals: &GlobalOptions) -> Result<()> {
    let mut client = reader(&stats.source, globals).await?;
    let mut filter = MessageFilter { platform: stats.platform, ..MessageFilter::default() };
    if let Some(typed) = &stats.conversation {
        Known::default().narrow(&mut client, &mut filter, typed).await?;
    }
    let counts = client.stats(&filter, stats.since).await?;
    let mut out = Output::new(globals);
    if stats.json {
        out.json(&counts)?;
    } else {
        let rows = [
            (Status::Pending.as_str(), counts.pending),
            (Status::Sending.as_str(), counts.sending),
            (Status::Sent.as_str(), counts.sent),
            (Status::Failed.as_str(), counts.failed),
            (Status::Canceled.as_str(), counts.canceled),
            ("Total", counts.total),
        ];
        for (name, count) in rows {
            out.line(format_args!("{name:<9} {count:>12}"))?;
        }
    }
    out.finish()
}
