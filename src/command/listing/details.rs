//! One message with everything it has, a line each.

use super::time::time_for;
use crate::command::output::Output;
use crate::error::Result;
use crate::media::content::all_media;
use crate::model::content::{Media, MediaFailure, Segment};
use crate::model::message::{Message, Recall, ReplyTo};
use crate::model::reaction::Reaction;
use crate::text::{escaped, in_units, reason};

/// Prints one message.
pub(crate) fn details(out: &mut Output, message: &Message) -> Result<()> {
    let at = |seconds| time_for(out, seconds);
    let time = |seconds| format!("{} ({seconds})", at(seconds));
    let sender =
        message.sender.as_ref().map(|s| format!("{} ({})", escaped(&s.name), escaped(&s.id)));
    let rows = [
        ("id", Some(message.id.to_string())),
        ("status", Some(message.status.to_string())),
        ("type", Some(message.message_type().to_string())),
        ("direction", Some(message.direction.to_string())),
        ("platform", Some(escaped(message.platform_or_local()))),
        ("conversation", Some(escaped(&message.recipient))),
        ("name", message.conversation_name.as_deref().map(escaped)),
        ("sender", sender),
        ("account", message.account.as_deref().map(escaped)),
        ("created", Some(time(message.created_at))),
        ("updated", Some(time(message.updated_at))),
        ("edited", message.edited_at.map(time)),
        ("recalled", message.recall.as_ref().map(|recall| recalled(recall, &time))),
        ("retries", Some(message.retry_count.to_string())),
        ("last error", message.last_error.as_deref().map(escaped)),
        (
            "waiting",
            message.waiting.as_ref().and_then(|_| reason(message)).map(|why| escaped(&why)),
        ),
        (
            "unconfirmed",
            message.is_unconfirmed.then(|| "the platform took it without a proof".into()),
        ),
        ("made by", message.via.as_deref().map(|bot| format!("the bot {}", escaped(bot)))),
        ("answers", message.reply_to.as_deref().map(answered)),
        ("reactions", (!message.reactions.is_empty()).then(|| reactions(message))),
        ("content", Some(escaped(&message.content.readable()))),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let lines: Vec<_> = rows.chain(files(message, &at)).collect();
    for (name, value) in lines {
        out.line(format_args!("{name:<13} {value}"))?;
    }
    Ok(())
}

/// Its pictures and files, those inside forwards too: a line for each, and one where it is not here.
fn files(message: &Message, time: &dyn Fn(u64) -> String) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for segment in all_media(&message.content) {
        let Some(media) = segment.media() else { continue };
        let label = match segment {
            Segment::Image(_) => "image",
            Segment::Audio(_) => "audio",
            Segment::Video(_) => "video",
            _ => "file",
        };
        lines.push((label, file(media)));
        let failed = media.failure.as_deref().map(|failure| not_here(failure, time));
        lines.extend(failed.map(|why| ("not here", why)));
    }
    lines
}

/// A file's name, type, size, and its SHA-256 where it is kept, by which `rechat media` knows it.
fn file(media: &Media) -> String {
    let known = [
        media.name.as_deref().map(escaped),
        media.mime.as_deref().map(escaped),
        media.width.zip(media.height).map(|(width, height)| format!("{width} × {height}")),
        media.size.map(in_units),
        Some(media.media.clone().unwrap_or_else(|| "not kept".into())),
    ];
    known.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn not_here(failure: &MediaFailure, time: &dyn Fn(u64) -> String) -> String {
    let again = if failure.retryable { "; another attempt may help" } else { "" };
    format!("{}{again} ({})", escaped(&failure.reason), time(failure.at))
}

/// The message that this one answers.
fn answered(reply: &ReplyTo) -> String {
    let id = reply.id.map(|id| id.to_string());
    let sender = reply.sender.as_ref().map(|sender| format!("{}:", escaped(&sender.name)));
    let content = reply.content.as_deref().map(escaped);
    let words: Vec<_> = [id, sender, content].into_iter().flatten().collect();
    if words.is_empty() { "a message that is not known here".into() } else { words.join(" ") }
}

fn recalled(recall: &Recall, time: &dyn Fn(u64) -> String) -> String {
    let by = recall.by.as_ref().map(|by| format!(" by {}", escaped(&by.name)));
    format!("{}{}", time(recall.at), by.unwrap_or_default())
}

/// The reactions to a message, with how many gave each.
pub(super) fn reactions(message: &Message) -> String {
    let one = |reaction: &Reaction| {
        let own = if reaction.mine { " (mine)" } else { "" };
        format!("{} {}{own}", escaped(&reaction.emoji), reaction.count)
    };
    message.reactions.iter().map(one).collect::<Vec<_>>().join(", ")
}
