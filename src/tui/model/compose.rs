//! Turning written text into a message: mentions, and files with `/file`.

use super::content::everybody;
use crate::model::content::Segment;
use crate::tui::language::say;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The command that sends a file.
const FILE: &str = "/file";

/// A person whose name stands in a text, with the `@`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// The name, without `@`.
    pub name: String,
    /// The user ID on the platform.
    pub user: String,
}

/// The content that a line asks to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Composed {
    /// Plain text.
    Text(String),
    /// Text with people mentioned in it.
    Segments(Vec<Segment>),
    /// A file of this host.
    File(PathBuf),
    /// Nothing that can be sent, with the reason.
    Nothing(&'static str),
}

/// Reads a text: `/file PATH` sends a file, `//…` a text that begins with `/`; all other is text.
pub fn read(text: &str, mentions: &[Mention]) -> Composed {
    if let Some(path) = file_argument(text) {
        return match path.trim() {
            "" => Composed::Nothing(say!("/file needs a path; Tab completes it")),
            path => Composed::File(expanded(path)),
        };
    }
    let text = match text.strip_prefix("//") {
        Some(rest) if rest.starts_with("file") => &text[1..],
        _ => text,
    };
    let segments = with_mentions(text, mentions);
    if segments.is_empty() { Composed::Text(text.to_owned()) } else { Composed::Segments(segments) }
}

/// The path that is being written after `/file`.
pub fn file_argument(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(FILE)?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim_start())
}

/// A path with the home in place of `~`, and without quotes around it.
pub fn expanded(path: &str) -> PathBuf {
    let path = path
        .strip_prefix('"')
        .and_then(|path| path.strip_suffix('"'))
        .or_else(|| path.strip_prefix('\'').and_then(|path| path.strip_suffix('\'')))
        .unwrap_or(path);
    match (path.strip_prefix('~'), std::env::home_dir()) {
        (Some(""), Some(home)) => home,
        (Some(rest), Some(home)) if rest.starts_with('/') => home.join(&rest[1..]),
        _ => PathBuf::from(path),
    }
}

/// The segments of a text in which people are mentioned; empty where nobody is.
fn with_mentions(text: &str, mentions: &[Mention]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = text;
    loop {
        // The longest name of those that stand first.
        let places =
            mentions.iter().filter_map(|mention| Some((rest.find(&mention.name)?, mention)));
        let first = places.min_by_key(|(place, mention)| (*place, usize::MAX - mention.name.len()));
        let Some((place, mention)) = first else { break };
        segments.push(Segment::Text { text: rest[..place].to_owned() });
        segments.push(match mention.user.as_str() {
            "" => Segment::MentionAll {},
            user => Segment::Mention {
                user: user.to_owned(),
                name: Some(mention.name.trim_start_matches('@').to_owned()),
                me: false,
            },
        });
        rest = &rest[place + mention.name.len()..];
    }
    if !segments.is_empty() {
        segments.push(Segment::Text { text: rest.to_owned() });
        segments.retain(|segment| !matches!(segment, Segment::Text { text } if text.is_empty()));
    }
    segments
}

/// Whether a content can be edited as text: it is text, and people who are mentioned.
pub fn is_editable(segments: &[Segment]) -> bool {
    segments.iter().all(|segment| {
        matches!(segment, Segment::Text { .. } | Segment::Mention { .. } | Segment::MentionAll {})
    })
}

/// The text to edit of a content, and the people whom it mentions.
pub fn text_of(segments: &[Segment]) -> (String, Vec<Mention>) {
    let (mut text, mut mentions) = (String::new(), Vec::new());
    for segment in segments {
        let (name, user) = match segment {
            Segment::Text { text: own } => {
                text.push_str(own);
                continue;
            }
            Segment::Mention { user, name, .. } => {
                (format!("@{}", name.as_deref().unwrap_or(user)), user.clone())
            }
            Segment::MentionAll {} => (everybody(), String::new()),
            _ => continue,
        };
        text.push_str(&name);
        mentions.push(Mention { name, user });
    }
    (text, mentions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Mention {
        Mention { name: "@Ann".into(), user: "7".into() }
    }

    fn text(text: &str) -> Segment {
        Segment::Text { text: text.into() }
    }

    #[test]
    fn names_that_were_completed_are_mentions_and_others_are_text() {
        let mention = Segment::Mention { user: "7".into(), name: Some("Ann".into()), me: false };
        let wanted = Composed::Segments(vec![text("hi "), mention.clone(), text(", @Bo")]);
        assert_eq!(read("hi @Ann, @Bo", &[ann()]), wanted);
        assert_eq!(read("hi @Ann", &[]), Composed::Text("hi @Ann".into()));
        let longer = Mention { name: "@Annabel".into(), user: "8".into() };
        let Composed::Segments(found) = read("@Annabel @Ann", &[ann(), longer]) else { panic!() };
        assert!(matches!(&found[0], Segment::Mention { user, .. } if user == "8"), "{found:?}");
        assert_eq!(found.last(), Some(&mention));
    }

    #[test]
    fn an_edited_text_keeps_its_mentions() {
        let mention = Segment::Mention { user: "7".into(), name: Some("Ann".into()), me: false };
        let segments = vec![Segment::MentionAll {}, text(" and "), mention];
        let (written, mentions) = text_of(&segments);
        assert_eq!(written, "@all and @Ann");
        assert_eq!(read(&written, &mentions), Composed::Segments(segments));
    }

    #[test]
    fn files_are_named_by_a_path_and_other_commands_are_text() {
        assert_eq!(read("/file /tmp/a b.png", &[]), Composed::File("/tmp/a b.png".into()));
        assert_eq!(read("/file '/tmp/a'", &[]), Composed::File("/tmp/a".into()));
        assert!(matches!(read("/file ", &[]), Composed::Nothing(_)));
        assert_eq!(read("/files", &[]), Composed::Text("/files".into()));
        assert_eq!(read("/help me", &[]), Composed::Text("/help me".into()));
        assert_eq!(read("//file x", &[]), Composed::Text("/file x".into()));
        let home = std::env::home_dir().unwrap();
        assert_eq!(read("/file ~/x", &[]), Composed::File(home.join("x")));
    }
}
