//! `rechat edit`, `recall` and `react`

use super::ids::id_of;
use super::output::Output;
use super::segments;
use super::source::writer;
use super::status_change::{each, is_confirmed};
use crate::cli::{Edit, GlobalOptions, MessagesArgs, React};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::model::message::{Direction, Message};
use crate::protocol::http::MessageChange;
use crate::text::visible;
use std::io::{self, IsTerminal};
use uuid::Uuid;

pub(super) async fn edit(edit: Edit, globals: &GlobalOptions) -> Result<()> {
    let mut change = MessageChange::default();
    match &edit.segments {
        Some(json) => change.segments = Some(segments::parse(json)?),
        None => change.content = Some(edit.text.join(" ")),
    }
    let mut client = writer(&edit.source, globals).await?;
    let id = id_of(&mut client, edit.id).await?;
    let message = client.get(id).await?;
    if let Some(name) = writer_of(&message) {
        let text = format!("the message came from {name}; only your own can be edited");
        return Err(Error::failed(text).hint(format!("answer it with `rechat reply {}`", edit.id)));
    }
    let done = client.edit(id, change).await;
    let instead = format!("recall it with `rechat recall {}`, and send a new one", edit.id);
    let message = with_advice(&mut client, id, done, &instead).await?;
    let mut out = Output::new(globals);
    if edit.json {
        out.json(&message)?;
    } else {
        out.line(format_args!("{id} edited"))?;
    }
    out.finish()
}

/// Takes messages back; at a terminal it asks before it takes back what others wrote.
pub(super) async fn recall(many: MessagesArgs, globals: &GlobalOptions) -> Result<()> {
    let asks = io::stdin().is_terminal() && io::stderr().is_terminal();
    each(many, globals, async |client, id| {
        if asks && let Some(name) = writer_of(&client.get(id).await?) {
            let question = format!("{id} came from {name}; take it back for everybody? [y/N] ");
            if !is_confirmed(&question) {
                return Ok("left as it is");
            }
        }
        let done = client.recall(id).await;
        let instead = format!("`rechat delete {id}` deletes it here alone");
        with_advice(client, id, done, &instead).await.map(|_| "recalled")
    })
    .await
}

pub(super) async fn react(react: React, globals: &GlobalOptions) -> Result<()> {
    let React { id, emoji, remove, source } = react;
    let many = MessagesArgs { ids: vec![id], source };
    let done = if remove { "reaction taken back" } else { "reacted" };
    each(many, globals, async |client, id| {
        let reacted = client.react(id, &emoji, !remove).await;
        let instead = format!("answer it with `rechat reply {id} {emoji}`");
        with_advice(client, id, reacted, &instead).await.map(|_| done)
    })
    .await
}

/// The name of the other person who wrote a message; `None` where it is one's own.
fn writer_of(message: &Message) -> Option<String> {
    let is_own = message.direction == Direction::Outbound;
    let name = message.sender.as_ref().map(|sender| &*sender.name).filter(|name| !name.is_empty());
    (!is_own).then(|| visible(name.unwrap_or("somebody else")).into_owned())
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
        Some("unsupported") => {
            error.hint(format!("{platform} cannot do this with this message; {instead}"))
        }
        Some("not_connected") => {
            error.hint(format!("`rechat platforms` shows why {platform} is not connected"))
        }
        Some("refused") => error.hint(format!("{platform} said so; nothing is changed")),
        Some("unknown") => error.hint(format!("check on {platform} whether it was carried out")),
        _ => error,
    })
}
