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
    let message = with_platform(&mut client, id, done).await?;
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
        with_platform(client, id, done).await.map(|_| "recalled")
    })
    .await
}

pub(super) async fn react(react: React, globals: &Globals) -> Result<()> {
    let React { id, emoji, remove, source } = react;
    let many = Many { ids: vec![id], source };
    let done = if remove { "reaction taken back" } else { "reacted" };
    each(many, globals, async |client, id| {
        let reacted = client.react(id, &emoji, !remove).await;
        with_platform(client, id, reacted).await.map(|_| done)
    })
    .await
}

/// Names the platform in the error of an action that the platform did not carry out.
async fn with_platform<T>(client: &mut Client, id: Uuid, done: Result<T>) -> Result<T> {
    let error = match done {
        Err(error) if !error.has_hint() => error,
        done => return done,
    };
    let platform = client.get(id).await.ok().and_then(|message| message.platform);
    Err(match platform {
        Some(platform) => error.hint(format!("the platform of this message is {platform}")),
        None => error,
    })
}
