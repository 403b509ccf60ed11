//! `rechat edit`, `recall` and `react`

use super::edit::each;
use super::ids::id_of;
use super::open::reader;
use super::output::Output;
use super::segments;
use crate::cli::{Edit, Globals, Many, React};
use crate::client::Client;
use crate::error::Result;
use crate::protocol::http::MessageChange;
use uuid::Uuid;

pub(super) async fn edit(edit: Edit, globals: &Globals) -> Result<()> {
    let mut change = MessageChange::default();
    match &edit.segments {
        Some(json) => change.segments = Some(segments::parse(json)?),
        None => change.content = Some(edit.text.join(" ")),
    }
    let mut client = reader(&edit.source, globals).await?;
    let id = id_of(&mut client, edit.id).await?;
    let done = client.edit(id, &change).await;
    let instead = format!("recall it with `rechat recall {}`, and send it anew", edit.id);
    let message = with_advice(&mut client, id, done, &instead).await?;
    let mut out = Output::new(globals);
    if edit.json {
        out.json(&message)?;
    } else {
        out.line(format_args!("{id} edited"))?;
    }
    out.finish()
}

pub(super) async fn recall(many: Many, globals: &Globals) -> Result<()> {
    each(many, globals, async |client, id| {
        let done = client.recall(id).await;
        let instead = format!("`rechat delete {id}` deletes it here alone");
        with_advice(client, id, done, &instead).await.map(|_| "recalled")
    })
    .await
}

pub(super) async fn react(react: React, globals: &Globals) -> Result<()> {
    let React { id, emoji, remove, source } = react;
    let many = Many { ids: vec![id], source };
    let done = if remove { "reaction taken back" } else { "reacted" };
    each(many, globals, async |client, id| {
        let reacted = client.react(id, &emoji, !remove).await;
        let instead = format!("answer it with `rechat reply {id} {emoji}`");
        with_advice(client, id, reacted, &instead).await.map(|_| done)
    })
    .await
}

/// Adds what helps to the error of an action that the platform did not carry out; `instead` is what can be
/// done where the platform has no such action.
async fn with_advice<T>(
    client: &mut Client,
    id: Uuid,
    done: Result<T>,
    instead: &str,
) -> Result<T> {
    let error = match done {
        Err(error) if !error.has_hint() => error,
        done => return done,
    };
    let platform = client.get(id).await.ok().and_then(|message| message.platform);
    let platform = platform.as_deref().unwrap_or("its platform");
    Err(match error.code() {
        Some("unsupported") => error.hint(format!("{platform} has no way to do it; {instead}")),
        Some("not_connected") => {
            error.hint(format!("`rechat platforms` shows why {platform} is not connected"))
        }
        Some("refused") => error.hint(format!("{platform} said so; nothing is changed")),
        Some("unknown") => error.hint(format!("see on {platform} whether it was done")),
        _ => error,
    })
}
