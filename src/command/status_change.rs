//! `rechat set-status`, `cancel`, `retry` and `delete`

use super::ids::id_of;
use super::listing::short;
use super::output::Output;
use super::source::writer;
use crate::cli::{Delete, GlobalOptions, MessagesArgs, SetStatus};
use crate::client::Client;
use crate::error::{Error, Result, tell};
use crate::model::message::Status;
use crate::text::readable;
use std::io::{self, IsTerminal, Write};
use uuid::Uuid;

/// Columns of a message that is about to be deleted.
const TEXT_COLUMNS: usize = 50;

pub(super) async fn set_status(set: SetStatus, globals: &GlobalOptions) -> Result<()> {
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

pub(super) async fn cancel(many: MessagesArgs, globals: &GlobalOptions) -> Result<()> {
    each(many, globals, async |client, id| {
        let canceled = client.move_status(id, &Status::CANCELABLE, Status::Canceled).await;
        canceled.map(|_| Status::Canceled.as_str())
    })
    .await
}

pub(super) async fn retry(many: MessagesArgs, globals: &GlobalOptions) -> Result<()> {
    each(many, globals, async |client, id| {
        let again = client.move_status(id, &Status::REPEATABLE, Status::Pending).await;
        again.map(|_| Status::Pending.as_str())
    })
    .await
}

pub(super) async fn delete(delete: Delete, globals: &GlobalOptions) -> Result<()> {
    let Delete { mut ids, yes, source } = delete;
    if !yes && io::stdin().is_terminal() && io::stderr().is_terminal() {
        let mut client = writer(&source, globals).await?;
        let mut whole = Vec::new();
        for &prefix in &ids {
            let id = id_of(&mut client, prefix).await?;
            let message = client.get(id).await?;
            let text = short(&readable(&message), TEXT_COLUMNS);
            tell(format_args!("{id} {}: {text}", message.recipient));
            whole.push(id.into());
        }
        ids = whole;
        if !is_confirmed("delete for good? [y/N] ") {
            return Err(Error::failed("nothing is deleted"));
        }
    }
    let many = MessagesArgs { ids, source };
    each(many, globals, async |client, id| client.delete(id).await.map(|()| "deleted")).await
}

/// Asks at the terminal; anything but a yes is a no.
pub(super) fn is_confirmed(question: &str) -> bool {
    let mut answer = String::new();
    let mut out = io::stderr();
    let is_asked = out.write_all(question.as_bytes()).and_then(|()| out.flush()).is_ok();
    is_asked
        && io::stdin().read_line(&mut answer).is_ok()
        && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

/// Does the same to each message; one that fails does not keep the others from it.
pub(super) async fn each(
    many: MessagesArgs,
    globals: &GlobalOptions,
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
