//! `rechat set-status`, `cancel`, `retry` and `delete`

use super::ids::id_of;
use super::open::writer;
use super::output::Output;
use crate::cli::{Globals, Many, SetStatus};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::model::message::Status;
use uuid::Uuid;

pub(super) async fn set_status(set: SetStatus, globals: &Globals) -> Result<()> {
    let mut client = writer(&set.source, globals).await?;
    let id = id_of(&mut client, set.id).await?;
    let message = client.set_status(id, set.status).await?;
    let mut out = Output::new(globals);
    if set.json {
        out.json(&message)?;
    } else {
        out.line(format_args!("{} {}", message.id, message.status))?;
    }
    out.finish()
}

pub(super) async fn cancel(many: Many, globals: &Globals) -> Result<()> {
    each(many, globals, async |client, id| {
        let message = client.get(id).await?;
        match message.status {
            Status::Sent => Err(Error::failed(format!("{id} is sent already"))),
            _ => client.set_status(id, Status::Canceled).await.map(|_| "canceled"),
        }
    })
    .await
}

pub(super) async fn retry(many: Many, globals: &Globals) -> Result<()> {
    each(many, globals, async |client, id| {
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

pub(super) async fn delete(many: Many, globals: &Globals) -> Result<()> {
    each(many, globals, async |client, id| client.delete(id).await.map(|()| "deleted")).await
}

/// Does the same to each message; one that fails does not keep the others from it.
async fn each(
    many: Many,
    globals: &Globals,
    mut work: impl AsyncFnMut(&mut Client, Uuid) -> Result<&'static str>,
) -> Result<()> {
    let mut client = writer(&many.source, globals).await?;
    let mut out = Output::new(globals);
    let mut problems = Vec::new();
    for &prefix in &many.ids {
        let done = match id_of(&mut client, prefix).await {
            Ok(id) => work(&mut client, id).await.map(|done| format!("{id} {done}")),
            Err(error) => Err(error),
        };
        match done {
            Ok(done) => out.line(done)?,
            Err(error) => problems.push(error.to_string()),
        }
    }
    out.finish()?;
    if problems.is_empty() { Ok(()) } else { Err(Error::failed(problems.join("\n"))) }
}
