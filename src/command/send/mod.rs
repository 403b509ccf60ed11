//! `rechat send`

mod content;

use super::conversation::Known;
use super::open::writer;
use super::output::Output;
use super::progress::{lines, lines_of, progress};
use crate::cli::{Globals, Send};
use crate::client::Client;
use crate::error::{Error, Result, tell};
use crate::model::message::{Message, Status};
use crate::protocol::http::NewMessage;
use crate::protocol::json;
use serde::Deserialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often `--wait` looks, at first and at most.
const LOOK_FIRST: Duration = Duration::from_millis(20);
const LOOK_MOST: Duration = Duration::from_millis(500);

/// Different problems that a batch's summary tells one by one.
const TOLD: usize = 20;

/// The lines of a batch that were refused, by reason.
#[derive(Default)]
struct RefusedLines {
    count: u64,
    /// The first line with a reason, and how many lines have it; the first [`TOLD`] reasons.
    reasons: Vec<(String, u64, u64)>,
}

impl RefusedLines {
    fn add(&mut self, line: u64, reason: String) {
        self.count += 1;
        if let Some((_, _, lines)) = self.reasons.iter_mut().find(|(known, ..)| *known == reason) {
            *lines += 1;
        } else if self.reasons.len() < TOLD {
            self.reasons.push((reason, line, 1));
        }
    }

    fn error(self, stored: u64) -> Error {
        let told: u64 = self.reasons.iter().map(|(.., lines)| lines).sum();
        let mut text = vec![format!("{stored} messages stored, {} refused:", self.count)];
        text.extend(self.reasons.iter().map(|(reason, first, lines)| match lines {
            1 => format!("line {first}: {reason}"),
            _ => format!("line {first} and {} more: {reason}", lines - 1),
        }));
        if told < self.count {
            text.push(format!("… and {} more lines", self.count - told));
        }
        Error::failed(text.join("\n"))
    }
}

pub(super) async fn run(send: Send, globals: &Globals) -> Result<()> {
    match (&send.batch, &send.recipient) {
        (Some(file), _) => batch(&send, file, globals).await,
        (None, Some(conversation)) => one(&send, conversation.clone(), globals).await,
        (None, None) => {
            Err(Error::usage("a conversation is needed").hint("name it with -r group_123456"))
        }
    }
}

async fn one(send: &Send, conversation: String, globals: &Globals) -> Result<()> {
    let content = content::of_arguments(&send.content, send.message_type)?;
    let message_type = send.message_type.as_str();
    let mut message = NewMessage::of(message_type, content, conversation, send.platform.clone());
    message.clone().into_draft().map_err(Error::usage)?;
    let mut client = writer(&send.source, globals).await?;
    if !send.new {
        let mut known = Known::default();
        let platform = send.platform.as_deref();
        if let Some(platform) = platform {
            known.check_platform(&mut client, platform).await?;
        }
        let place = known.destination(&mut client, &message.recipient, platform).await?;
        (message.platform, message.recipient) = (place.platform, place.conversation);
    }
    let mut message = client.create(message, send.idempotency_key.as_deref()).await?;
    let outcome = match send.wait {
        Some(seconds) => wait(&mut client, &mut message, Duration::from_secs(seconds)).await,
        None => Ok(()),
    };
    let mut out = Output::new(globals);
    if send.json {
        out.json(&message)?;
    } else {
        out.line(format_args!("{} {}", message.id, message.status))?;
    }
    out.finish()?;
    outcome
}

/// Asks until the message is sent or has failed; without a server it would never be sent.
async fn wait(client: &mut Client, message: &mut Message, limit: Duration) -> Result<()> {
    if !client.is_served() {
        return Err(Error::failed("the message is stored, but no server runs to send it")
            .hint("start one with `rechat serve`; it sends pending messages"));
    }
    let began = Instant::now();
    let mut pause = LOOK_FIRST;
    loop {
        let why = message.last_error.as_deref().unwrap_or("no reason was told");
        match message.status {
            Status::Sent => return Ok(()),
            Status::Failed => return Err(Error::failed(format!("the message failed: {why}"))),
            Status::Canceled => return Err(Error::failed("the message was canceled")),
            Status::Pending | Status::Sending if began.elapsed() >= limit => {
                return Err(still_waits(client, message, limit).await?);
            }
            Status::Pending | Status::Sending => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK_MOST);
        *message = client.get(message.id).await?;
    }
}

/// The error of a message that is not sent in time, with the reason where one is known.
async fn still_waits(client: &mut Client, message: &Message, limit: Duration) -> Result<Error> {
    let now = client.get(message.id).await?;
    let why = now.waiting.or(now.last_error);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let text = format!("the message is still {} after {} s{why}", message.status, limit.as_secs());
    Ok(Error::failed(text).hint(format!(
        "it stays stored; `rechat get {0}` shows how it stands, `rechat cancel {0}` cancels it",
        message.id
    )))
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

async fn batch(send: &Send, file: &Path, globals: &Globals) -> Result<()> {
    let mut client = writer(&send.source, globals).await?;
    let (input, length) = lines_of(file)?;
    let bar = progress(length, "bytes");
    let mut out = Output::new(globals);
    let (mut stored, mut refused) = (0_u64, RefusedLines::default());
    let mut known = Known::default();
    for (number, line) in (1..).zip(lines(input)) {
        let line = line
            .map_err(|error| Error::failed(format!("cannot read {}: {error}", file.display())))?;
        bar.inc(line.len() as u64 + 1);
        if line.trim().is_empty() {
            continue;
        }
        match store_line(&mut client, &mut known, send, &line).await {
            Ok(message) => {
                stored += 1;
                if send.json {
                    out.json(&message)?;
                }
            }
            Err(error) => refused.add(number, error.to_string()),
        }
    }
    bar.finish_and_clear();
    out.finish()?;
    if refused.count > 0 {
        return Err(refused.error(stored));
    }
    tell(format!("{stored} messages stored"));
    Ok(())
}

async fn store_line(
    client: &mut Client,
    known: &mut Known,
    send: &Send,
    line: &str,
) -> Result<Message> {
    let line: Line = json::from_slice_lenient(line.as_bytes())
        .map_err(|error| Error::failed(error.to_string()))?;
    let message_type = line.message_type.as_deref().unwrap_or(send.message_type.as_str());
    content::check(message_type, &line.content)?;
    let platform = line.platform.or_else(|| send.platform.clone());
    let mut message = NewMessage::of(message_type, line.content, line.recipient, platform);
    if let Some(platform) = message.platform.as_deref().filter(|_| !send.new) {
        known.check_platform(client, platform).await?;
    }
    let place = known.of_batch(client, &message.recipient, message.platform.as_deref()).await?;
    (message.platform, message.recipient) = (place.platform, place.conversation);
    client.create(message, line.idempotency_key.as_deref()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_tells_each_reason_once_and_counts_the_rest() {
        let mut refused = RefusedLines::default();
        for line in 1..=300 {
            refused.add(line, "the platform is not known".into());
        }
        refused.add(301, "`content` is empty".into());
        let text = refused.error(7).to_string();
        assert!(text.contains("7 messages stored, 301 refused"), "{text}");
        assert!(text.contains("line 1 and 299 more: the platform is not known"), "{text}");
        assert!(text.contains("line 301: `content` is empty"), "{text}");
        let mut refused = RefusedLines::default();
        for line in 1..=25 {
            refused.add(line, format!("reason {line}"));
        }
        let text = refused.error(0).to_string();
        assert!(text.contains("line 20: ") && !text.contains("line 21: "), "{text}");
        assert!(text.ends_with("… and 5 more lines"), "{text}");
    }
}
