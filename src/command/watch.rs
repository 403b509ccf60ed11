//! `rechat watch`: a command for each new message.

use super::conversation::filter_of;
use super::cursor_file;
use super::list::{EVENTS_GONE, STORE_REPLACED};
use super::source::reader;
use crate::cli::{GlobalOptions, WatchArgs};
use crate::client::{Begin, Followed, StreamCursor};
use crate::error::{Error, Result, tell};
use crate::model::message::Message;
use crate::search::Conditions;
use rustix::process::{Pid, Signal, kill_process_group};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

pub(super) async fn run(watch: WatchArgs, globals: &GlobalOptions) -> Result<()> {
    let mut client = reader(&watch.source, globals).await?;
    let filter = filter_of(&mut client, Vec::new(), &watch.filter).await?;
    let kept = watch.cursor_file.as_deref().map(cursor_file::read).transpose()?.flatten();
    let conditions = Conditions {
        text: watch.search.clone(),
        message_type: watch.message_type,
        sender: watch.sender.clone(),
        ..Conditions::default()
    };
    let mut following = if let Some(cursor) = &kept {
        client.follow(&filter, &conditions, Begin::After(cursor), &[]).await?
    } else {
        let newest = client.newest().await?.to_string();
        let following =
            client.follow(&filter, &conditions, Begin::Since(Some(&newest)), &[]).await?;
        keep_cursor(&watch, following.cursor())?;
        following
    };
    loop {
        match following.next().await? {
            Followed::Message(message) => carry_out(&watch, &message).await?,
            Followed::StoreReplaced => tell(STORE_REPLACED),
            Followed::EventsGone { with_messages: true } => tell(EVENTS_GONE),
            // Every message comes all the same, and nothing else is watched.
            Followed::EventsGone { with_messages: false }
            | Followed::Status(_)
            | Followed::Updated(_)
            | Followed::Deleted(_) => {}
        }
        keep_cursor(&watch, following.cursor())?;
    }
}

/// Runs the command for one message; that it fails is told, and ends nothing.
async fn carry_out(watch: &WatchArgs, message: &Message) -> Result<()> {
    let json = serde_json::to_vec(message).map_err(|error| Error::failed(error.to_string()))?;
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(&watch.exec)
        .env("RECHAT_ID", message.id.to_string())
        .env("RECHAT_PLATFORM", message.platform_or_local())
        .env("RECHAT_CONVERSATION", &message.recipient)
        .stdin(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::failed(format!("cannot run `{}`: {error}", watch.exec)))?;
    let input = child.stdin.take();
    let run = async {
        if let Some(mut input) = input {
            // A command may end without reading it.
            let _ = input.write_all(&json).await;
        }
        child.wait().await
    };
    match timeout(Duration::from_secs(watch.timeout), run).await {
        Ok(Ok(status)) if status.success() => {}
        Ok(Ok(status)) => tell(format_args!("the command for {} ended with {status}", message.id)),
        Ok(Err(error)) => tell(format_args!("the command for {}: {error}", message.id)),
        Err(_) => {
            end(&child);
            tell(format_args!(
                "the command for {} was killed after {} s; --timeout gives it more",
                message.id, watch.timeout
            ));
        }
    }
    Ok(())
}

/// Kills a command with all that it started, which are a group of their own.
fn end(child: &Child) {
    let id = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    if let Some(id) = id {
        let _ = kill_process_group(id, Signal::KILL);
    }
}

fn keep_cursor(watch: &WatchArgs, cursor: Option<&StreamCursor>) -> Result<()> {
    let (Some(file), Some(cursor)) = (&watch.cursor_file, cursor) else { return Ok(()) };
    cursor_file::keep(file, cursor)
}
