//! `rechat send`

use super::output::Output;
use super::progress::{lines_of, progress};
use super::writer;
use crate::cli::Send;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::model::message::{Message, Status};
use crate::protocol::http::NewMessage;
use serde::Deserialize;
use std::io::{self, BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often `--wait` looks, at first and at most.
const LOOK_FIRST: Duration = Duration::from_millis(20);
const LOOK_MOST: Duration = Duration::from_millis(500);

/// Problems that a batch's summary tells one by one.
const TOLD: usize = 20;

pub(super) async fn run(send: Send, config: Option<PathBuf>) -> Result<()> {
    match (&send.batch, &send.recipient) {
        (Some(file), _) => batch(&send, file, config).await,
        (None, Some(recipient)) => one(&send, recipient.clone(), config).await,
        (None, None) => {
            Err(Error::usage("a recipient is needed").hint("name it with -r group_123456"))
        }
    }
}

async fn one(send: &Send, recipient: String, config: Option<PathBuf>) -> Result<()> {
    let message = NewMessage {
        message_type: send.message_type.to_string(),
        content: content(send.content.as_deref())?,
        recipient,
        platform: send.platform.clone(),
    };
    message.clone().into_draft().map_err(Error::usage)?;
    let mut client = writer(&send.place, config).await?;
    let mut message = client.create(message, send.idempotency_key.as_deref()).await?;
    let outcome = match send.wait {
        Some(seconds) => wait(&mut client, &mut message, Duration::from_secs(seconds)).await,
        None => Ok(()),
    };
    let mut out = Output::new();
    if send.json {
        out.json(&message)?;
    } else {
        out.line(format_args!("{} {}", message.id, message.status))?;
    }
    out.finish()?;
    outcome
}

fn content(given: Option<&str>) -> Result<String> {
    match given {
        Some("-") => {}
        None if !io::stdin().is_terminal() => {}
        None => {
            return Err(Error::usage("there is nothing to send")
                .hint("give the text as the last argument, or pipe it in"));
        }
        Some(text) => return Ok(text.to_owned()),
    }
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Error::failed(format!("standard input cannot be read: {error}")))?;
    // The line end that `echo` and the like put behind their output.
    if text.ends_with('\n') {
        text.truncate(text.trim_end_matches('\n').len().max(text.len() - 1));
    }
    Ok(text)
}

/// Looks until the message is sent or has failed; without a server nobody would send it.
async fn wait(client: &mut Client, message: &mut Message, limit: Duration) -> Result<()> {
    if !client.is_served() {
        return Err(Error::failed("the message is stored, but no server runs that could send it")
            .hint("start one with `rechat serve`; it sends what waits"));
    }
    let began = Instant::now();
    let mut pause = LOOK_FIRST;
    loop {
        let why = message.last_error.as_deref().unwrap_or("no reason was told");
        match message.status {
            Status::Sent => return Ok(()),
            Status::Failed => return Err(Error::failed(format!("it failed: {why}"))),
            Status::Canceled => return Err(Error::failed("it was canceled")),
            Status::Pending | Status::Sending if began.elapsed() >= limit => {
                let text = format!("it is still {} after {} s", message.status, limit.as_secs());
                let error = Error::failed(text)
                    .hint("it goes on being sent; `rechat get` shows how it fares");
                return Err(match &message.last_error {
                    Some(why) => error.hint(format!("so far: {why}")),
                    None => error,
                });
            }
            Status::Pending | Status::Sending => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK_MOST);
        *message = client.get(message.id).await?;
    }
}

/// A line of a batch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    recipient: String,
    content: String,
    message_type: Option<String>,
    platform: Option<String>,
    idempotency_key: Option<String>,
}

async fn batch(send: &Send, file: &Path, config: Option<PathBuf>) -> Result<()> {
    let mut client = writer(&send.place, config).await?;
    let (input, length) = lines_of(file)?;
    let bar = progress(length, "bytes");
    let mut out = Output::new();
    let (mut stored, mut problems) = (0_u64, Vec::new());
    for (number, line) in (1..).zip(input.lines()) {
        let line = line.map_err(|error| {
            Error::failed(format!("{} cannot be read: {error}", file.display()))
        })?;
        bar.inc(line.len() as u64 + 1);
        if line.trim().is_empty() {
            continue;
        }
        match store_line(&mut client, send, &line).await {
            Ok(message) => {
                stored += 1;
                if send.json {
                    out.json(&message)?;
                }
            }
            Err(error) => problems.push(format!("line {number}: {error}")),
        }
    }
    bar.finish_and_clear();
    out.finish()?;
    let failed = problems.len();
    if problems.is_empty() {
        super::eprint(&format!("{stored} messages stored"));
        return Ok(());
    }
    if failed > TOLD {
        problems.truncate(TOLD);
        problems.push(format!("… and {} more", failed - TOLD));
    }
    Err(Error::failed(format!(
        "{stored} messages stored, {failed} refused:\n{}",
        problems.join("\n")
    )))
}

async fn store_line(client: &mut Client, send: &Send, line: &str) -> Result<Message> {
    let line: Line =
        serde_json::from_str(line).map_err(|error| Error::failed(error.to_string()))?;
    let message = NewMessage {
        message_type: line.message_type.unwrap_or_else(|| send.message_type.to_string()),
        content: line.content,
        recipient: line.recipient,
        platform: line.platform.or_else(|| send.platform.clone()),
    };
    client.create(message, line.idempotency_key.as_deref()).await
}
