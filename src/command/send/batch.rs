//! `--batch`

use super::content;
use crate::cli::{GlobalOptions, Send};
use crate::client::Client;
use crate::command::conversation::Known;
use crate::command::output::Output;
use crate::command::progress::{lines, lines_of, progress};
use crate::command::source::writer;
use crate::error::{Error, Result, tell};
use crate::model::content::Segment;
use crate::model::message::Message;
use crate::protocol::http::NewMessage;
use crate::protocol::json;
use crate::text::{counted, error_of_line};
use serde::Deserialize;
use std::path::Path;

/// Different problems that a batch's summary tells one by one.
const MAX_PROBLEMS: usize = 20;

/// How a line looks, for somebody who wrote another one.
const FORM: &str =
    r#"write each message on a line of its own: {"recipient": "group_1", "content": "Hello"}"#;

/// The lines of a batch that were refused, by reason.
#[derive(Default)]
struct RefusedLines {
    count: u64,
    /// The first line with a reason, and how many lines have it; the first [`MAX_PROBLEMS`] reasons.
    reasons: Vec<(String, u64, u64)>,
}

impl RefusedLines {
    fn add(&mut self, line: u64, reason: String) {
        self.count += 1;
        if let Some((_, _, lines)) = self.reasons.iter_mut().find(|(known, ..)| *known == reason) {
            *lines += 1;
        } else if self.reasons.len() < MAX_PROBLEMS {
            self.reasons.push((reason, line, 1));
        }
    }

    fn error(self, stored: u64) -> Error {
        let told: u64 = self.reasons.iter().map(|(.., lines)| lines).sum();
        let stored = counted(stored, "message", "messages");
        let mut text = vec![format!("{stored} stored, {} refused:", self.count)];
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

/// A line of a batch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchLine {
    recipient: String,
    content: Option<String>,
    segments: Option<Vec<Segment>>,
    message_type: Option<String>,
    platform: Option<String>,
    reply_to: Option<String>,
    idempotency_key: Option<String>,
}

pub(super) async fn run(send: &Send, file: &Path, globals: &GlobalOptions) -> Result<()> {
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
                if send.sending.json {
                    out.json(&message)?;
                } else if !out.is_terminal {
                    out.line(format_args!("{} {}", message.id, message.status))?;
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
    tell(format_args!("{} stored", counted(stored, "message", "messages")));
    Ok(())
}

/// Reads one line; the error says what is wrong in it, and how a line looks.
fn read(line: &str) -> Result<BatchLine> {
    // Serde would take an array for the fields in their order.
    if line.trim_start().starts_with('[') {
        return Err(Error::failed("a line has to be a JSON object, not an array").hint(FORM));
    }
    json::from_slice_lenient(line.as_bytes())
        .map_err(|error| Error::failed(error_of_line(&error)).hint(FORM))
}

async fn store_line(
    client: &mut Client,
    known: &mut Known,
    send: &Send,
    line: &str,
) -> Result<Message> {
    let line = read(line)?;
    let message_type = line.message_type.filter(|_| line.segments.is_none());
    let own_type = || send.content.message_type.to_string();
    let mut message = NewMessage {
        message_type: message_type.or_else(|| line.content.is_some().then(own_type)),
        content: line.content,
        recipient: line.recipient,
        platform: line.platform.or_else(|| send.platform.clone()),
        segments: line.segments,
        reply_to: line.reply_to,
    };
    content::check(&message)?;
    if let Some(platform) = message.platform.as_deref().filter(|_| !send.new) {
        known.check_platform(client, platform).await?;
    }
    if !send.new {
        let platform = message.platform.as_deref();
        let destination = known.destination(client, &message.recipient, platform).await?;
        (message.platform, message.recipient) = (destination.platform, destination.conversation);
    }
    client.create(message, line.idempotency_key.as_deref()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_cannot_be_read_says_why_and_how_a_line_looks() {
        for (line, what) in [
            ("nonsense", "it is no JSON from column 2 on"),
            (r#"{"recipient": "group_1""#, "its JSON is not complete"),
            (r#"{"content": "x"}"#, "missing field `recipient`"),
            (r#"{"recipient": "a", "text": "x"}"#, "unknown field `text`"),
        ] {
            let told = read(line).err().unwrap().to_string();
            assert!(told.starts_with(what) && told.contains("\n  write each"), "{told}");
        }
    }

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
