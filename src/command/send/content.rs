//! The content of a message to send: text, a URL, or a file of this host that is uploaded.

use super::files::AttachedFiles;
use crate::cli::ContentArgs;
use crate::client::file::OpenFile;
use crate::command::segments;
use crate::error::{Error, Result};
use crate::model::content::Segment;
use crate::model::inline::Inline;
use crate::model::message::MessageType;
use crate::protocol::http::NewMessage;
use percent_encoding::percent_decode_str;
use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;

/// The most bytes that are read of standard input. A server takes less unless it is configured
/// otherwise (`limits.body_bytes`).
const MAX_BYTES: u64 = 64 << 20;

/// A message with the content that the arguments ask for, or that comes on standard input; it goes
/// nowhere yet. Its files are still to be uploaded.
pub(super) fn of_arguments(arguments: &ContentArgs) -> Result<(NewMessage, AttachedFiles)> {
    let ContentArgs { message_type, file, file_type, mention, segments: json, content } = arguments;
    if let Some(json) = json {
        return Ok((of_segments(segments::parse(json)?), AttachedFiles::default()));
    }
    if let Some(path) = path_of(content, *message_type) {
        let hint = format!(
            "the content of {message_type} is a URL (http://, https://) or a file of this host"
        );
        let file = OpenFile::open(&path).map_err(|error| error.hint(hint))?;
        if !file.may_be(*message_type) {
            let text = format!("{} is {}, no {message_type}", path.display(), file.mime);
            return Err(Error::failed(text).hint("--file sends any file, by its own type"));
        }
        let mut files = AttachedFiles::default();
        let segment = files.add(file, Some(*message_type), 0);
        return Ok((of_segments(vec![segment]), files));
    }
    if file.is_empty() && mention.is_empty() {
        let content = of_words(content, *message_type)?;
        let message = NewMessage::of(message_type.as_str(), content, String::new(), None);
        return Ok((message, AttachedFiles::default()));
    }
    let mut segments: Vec<_> = mention.iter().map(|user| of_user(user)).collect();
    if !content.is_empty() || file.is_empty() {
        let text = of_words(content, MessageType::Text)?;
        // Platforms show a mention and the text behind it as they come.
        let gap = if segments.is_empty() { "" } else { " " };
        segments.push(Segment::Text { text: format!("{gap}{text}") });
    }
    let mut files = AttachedFiles::default();
    for path in file {
        let hint = "--file names a file of this host";
        let file = OpenFile::open(path).map_err(|error| error.hint(hint))?;
        segments.push(files.add(file, *file_type, segments.len()));
    }
    Ok((of_segments(segments), files))
}

fn of_segments(segments: Vec<Segment>) -> NewMessage {
    NewMessage {
        message_type: None,
        content: None,
        recipient: String::new(),
        platform: None,
        segments: Some(segments),
        reply_to: None,
    }
}

fn of_user(user: &str) -> Segment {
    match user {
        "all" => Segment::MentionAll {},
        user => Segment::Mention { user: user.to_owned(), name: None, me: false },
    }
}

/// The content of a type: words of a text, or one medium.
fn of_words(words: &[String], message_type: MessageType) -> Result<String> {
    let is_text = message_type == MessageType::Text;
    match words {
        [only] if only == "-" => of_input(message_type),
        [] if io::stdin().is_terminal() => Err(Error::usage("there is nothing to send")
            .hint("give the text as the last argument, or pipe it in")),
        [] => of_input(message_type),
        words if is_text => Ok(words.join(" ")),
        [only] => Ok(only.trim().to_owned()),
        _ => Err(Error::usage(format!("several arguments for one {message_type}"))
            .hint("put a name with spaces into quotes; --file takes several files")),
    }
}

fn of_input(message_type: MessageType) -> Result<String> {
    let text = of_standard_input()?;
    if message_type == MessageType::Text || is_sent_as_it_is(text.trim()) {
        return Ok(text);
    }
    Err(Error::usage(format!("no {message_type} is given"))
        .hint("the last argument is its URL, or a file that is read and sent"))
}

/// Refuses a medium whose content is neither a URL nor the bytes themselves: a path would be opened
/// on another host.
pub(super) fn check(message: &NewMessage) -> Result<()> {
    let is_text = message.message_type.as_deref() == Some(MessageType::Text.as_str());
    let content = message.content.as_deref();
    if is_text || content.is_none_or(|content| is_sent_as_it_is(content.trim())) {
        return Ok(());
    }
    let kind = message.message_type.as_deref().unwrap_or_default();
    Err(Error::failed(format!("`content` of {kind} must be a URL or base64://…"))
        .hint("a batch reads no files: `rechat send --file PATH` sends one"))
}

/// Whether a medium is sent without being read here: a URL, or the bytes themselves.
fn is_sent_as_it_is(content: &str) -> bool {
    let begins = |scheme: &str| {
        content.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    begins("http://") || begins("https://") || Inline::parse(content).is_some()
}

/// The path of the one file that is the content of a type.
fn path_of(words: &[String], message_type: MessageType) -> Option<PathBuf> {
    let [only] = words else { return None };
    let trimmed = only.trim();
    if message_type == MessageType::Text || only == "-" || is_sent_as_it_is(trimmed) {
        return None;
    }
    Some(match trimmed.strip_prefix("file://") {
        Some(path) => percent_decode_str(path).decode_utf8_lossy().into_owned().into(),
        None => only.into(),
    })
}

/// All of standard input as text, without a byte order mark and the line end that `echo` adds.
fn of_standard_input() -> Result<String> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::failed(format!("cannot read standard input: {error}")))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::failed(format!("standard input has over {MAX_BYTES} bytes")));
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(text.to_owned())
}
