//! `rechat set-status`, `cancel`, `retry` and `delete`

use super::open::writer;
use super::output::Output;
use crate::cli::{Many, SetStatus};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::model::message::Status;
use std::path::PathBuf;
use uuid::Uuid;

pub(super) async fn set_status(set: SetStatus, config: Option<PathBuf>) -> Result<()> {
    let message = writer(&set.source, config).await?.set_status(set.id, set.status).await?;
    let mut out = Output::new();
    if set.json {
        out.json(&message)?;
    } else {
        out.line(format_args!("{} {}", message.id, message.status))?;
    }
    out.finish()
}

pub(super) async fn cancel(many: Many, config: Option<PathBuf>) -> Result<()> {
    each(many, config, async |client, id| {
        let message = client.get(id).await?;
        match message.status {
            Status::Sent => Err(Error::failed(format!("{id} is sent already"))),
            _ => client.set_status(id, Status::Canceled).await.map(|_| "canceled"),
        }
    })
    .await
}

pub(super) async fn retry(many: Many, config: Option<PathBuf>) -> Result<()> {
    each(many, config, async |client, id| {
        let message = client.get(id).await?;
        match message.status {
            Status::Failed | Status::Canceled => {
                client.set_status(id, Status::Pending).await.map(|_| "pending")
            }
            status => Err(Error::failed(format!(
                "{id} is {status}; only Failed and Canceled ones are sent again"
            ))),
        }
    })
    .await
}

pub(super) async fn delete(many: Many, config: Option<PathBuf>) -> Result<()> {
    each(many, config, async |client, id| client.delete(id).await.map(|()| "deleted")).await
}

/// Does the same to each message; one that fails does not keep the others from it.
async fn each(
    many: Many,
    config: Option<PathBuf>,
    mut work: impl AsyncFnMut(&mut Client, Uuid) -> Result<&'static str>,
) -> Result<()> {
    let mut client = writer(&many.source, config).await?;
    let mut out = Output::new();
    let mut problems = Vec::new();
    for &id in &many.ids {
        match work(&mut client, id).await {
            Ok(done) => out.line(format_args!("{id} {done}"))?,
            Err(error) => problems.push(error.to_string()),
        }
    }
    out.finish()?;
    if problems.is_empty() { Ok(()) } else { Err(Error::failed(problems.join("\n"))) }
}
