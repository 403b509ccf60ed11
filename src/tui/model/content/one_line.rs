//! A message on one line, for lists.

use super::{emoji, word};
use crate::model::content::{Content, Segment};
use crate::model::message::Message;
use crate::tui::language::say;
use std::borrow::Cow;

/// The most characters of one line of a list.
const MAX_LINE: usize = 200;

/// A content on one line, for lists and quotes.
pub fn line(content: &Content) -> String {
    let Some(segments) = content.segments() else {
        return one_line(&content.readable());
    };
    let mut line = String::new();
    for segment in segments {
        let word = match segment {
            Segment::Text { text } => Cow::Borrowed(&**text),
            Segment::Emoji { .. } => Cow::Owned(emoji(segment)),
            segment => Cow::Owned(word(segment)),
        };
        let is_text = matches!(segment, Segment::Text { .. } | Segment::Emoji { .. });
        if (!is_text || line.starts_with('@'))
            && !line.is_empty()
            && !line.ends_with(char::is_whitespace)
            && !word.starts_with(char::is_whitespace)
        {
            line.push(' ');
        }
        line.push_str(&word);
        if line.len() > MAX_LINE * 4 {
            break;
        }
    }
    one_line(&line)
}

/// The beginning of a text, its line breaks and tabs as spaces.
pub fn one_line(text: &str) -> String {
    let begin: String = text.chars().take(MAX_LINE).collect();
    begin.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The last line of a conversation: who said what, people by their names where that is wanted.
pub fn last_line(message: &Message, own: &str, has_name: bool) -> String {
    let said = match &message.recall {
        Some(_) => say!("[recalled]").to_owned(),
        None => line(&message.content),
    };
    match (&message.sender, message.direction) {
        (_, crate::model::message::Direction::Outbound) => format!("{own}{said}"),
        (Some(sender), _) if has_name && !sender.name.is_empty() => {
            format!("{}: {said}", sender.name)
        }
        _ => said,
    }
}
