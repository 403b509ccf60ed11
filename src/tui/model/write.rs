//! Writing: sending what was written, and completing names and paths.

use super::compose::{self, Composed, Mention};
use super::draft::{Purpose, SubmittedText};
use super::scope::ConversationKey;
use super::{Focus, Model, NotSent, ServerRequest};
use crate::model::content::Segment;
use crate::model::message::MessageType;
use crate::protocol::http::{MessageChange, NewMessage};
use crate::search::normalise;
use crate::tui::language::say;

/// Names that are shown where several begin alike.
const MAX_SHOWN: usize = 8;

impl Model {
    /// Goes to write: to the open conversation, else to the one of the selected message.
    pub(super) fn write(&mut self) {
        if self.stream.scope().conversation.is_none() {
            match self.stream.selected().map(ConversationKey::of) {
                Some(key) => self.open_conversation(Some(key)),
                None => return self.show_status(say!("choose a conversation to write to")),
            }
        }
        self.view = None;
        self.focus = Focus::Write;
    }

    pub(super) fn send(&mut self) {
        let Some(key) = self.stream.scope().conversation.clone() else { return };
        let Some(SubmittedText { text, purpose, mentions }) = self.draft.take() else { return };
        let wanted = compose::read(&text, &mentions);
        if let Purpose::Edit(id) = purpose {
            let change = match wanted {
                Composed::Text(content) => {
                    MessageChange { content: Some(content), ..MessageChange::default() }
                }
                Composed::Segments(segments) => {
                    MessageChange { segments: Some(segments), ..MessageChange::default() }
                }
                _ => {
                    return self.show_status(say!(
                        "a file cannot take the place of a text (↑ brings it back)"
                    ));
                }
            };
            return self.ask(ServerRequest::Edit(id, change));
        }
        let reply_to = match purpose {
            Purpose::Reply(message) => Some(message.id.to_string()),
            _ => None,
        };
        let mut message = NewMessage {
            message_type: None,
            content: None,
            recipient: key.conversation,
            platform: Some(key.platform),
            segments: None,
            reply_to,
        };
        match wanted {
            Composed::Text(text) => {
                message.message_type = Some(MessageType::Text.to_string());
                message.content = Some(text);
                self.ask(ServerRequest::Send(message));
            }
            Composed::Segments(segments) => {
                message.segments = Some(segments);
                self.ask(ServerRequest::Send(message));
            }
            Composed::File(path) => {
                self.show_status(say!("sending {}", path.display()));
                self.ask(ServerRequest::SendFile(message, path));
            }
            Composed::Nothing(why) => return self.show_status(why),
        }
        self.newest_message();
    }

    /// Puts what the server did not get back into the draft of its conversation.
    pub(super) fn bring_back(&mut self, failed: NotSent) {
        let NotSent { message, file, why } = failed;
        let segments = message.segments.unwrap_or_default();
        let is_written = |segment: &Segment| {
            matches!(
                segment,
                Segment::Text { .. } | Segment::Mention { .. } | Segment::MentionAll {}
            )
        };
        let (Some(platform), true) = (message.platform, segments.iter().all(is_written)) else {
            return self.show_status(say!("not sent: {}", why));
        };
        let (text, mentions) = match (file, message.content) {
            (Some(path), _) => (format!("/file {}", path.display()), Vec::new()),
            // As it has to be written to be no command.
            (None, Some(content)) if content.starts_with("/file") => {
                (format!("/{content}"), Vec::new())
            }
            (None, Some(content)) => (content, Vec::new()),
            (None, None) => compose::text_of(&segments),
        };
        let answered = message.reply_to.and_then(|id| id.parse().ok());
        let answered = answered.and_then(|id| self.stream.window().by_id(id)).cloned();
        let purpose = answered.map_or(Purpose::New, |message| Purpose::Reply(Box::new(message)));
        let to = ConversationKey { platform, conversation: message.recipient };
        self.draft.bring_back(&to, SubmittedText { text, purpose, mentions });
        self.show_status(say!("not sent, the text is back in its place: {}", why));
    }

    /// Completes a name after `@`; false where there is none to complete.
    pub(super) fn complete_name(&mut self) -> bool {
        let before = self.draft.before_cursor();
        let Some((_, begun)) = before.rsplit_once('@') else { return false };
        let wanted = normalise(begun);
        let people = self.names();
        let found: Vec<_> =
            people.iter().filter(|(name, _)| normalise(name).starts_with(&*wanted)).collect();
        // A name may have spaces in it.
        if found.is_empty() && begun.contains(char::is_whitespace) {
            return false;
        }
        let typed = begun.chars().count();
        match &found[..] {
            [] => {
                self.ask_for_people();
                self.show_status(say!("nobody here has such a name"));
            }
            [(name, user)] => {
                let mention = Mention { name: format!("@{name}"), user: user.clone() };
                self.draft.complete(typed, &format!("{name} "), Some(mention));
            }
            several => {
                let names = several.iter().map(|(name, _)| name.as_str());
                let common = common_beginning(names.clone());
                if common.chars().count() > typed {
                    self.draft.complete(typed, &common, None);
                }
                let shown: Vec<_> = names.take(MAX_SHOWN).collect();
                self.show_status(shown.join("  "));
            }
        }
        true
    }

    /// Completes the path of `/file`; false where none is written.
    pub(super) fn complete_path(&mut self) -> bool {
        let before = self.draft.before_cursor();
        let Some(begun) = compose::file_argument(&before) else {
            if before.len() > 1 && "/file".starts_with(&before) {
                let typed = before.chars().count();
                self.draft.complete(typed, "/file ", None);
                return true;
            }
            return false;
        };
        let (folder, name) = begun.rsplit_once('/').map_or(("", begun), |(folder, name)| {
            (if folder.is_empty() { "/" } else { folder }, name)
        });
        let place = if folder.is_empty() { ".".into() } else { compose::expanded(folder) };
        let mut found: Vec<String> = std::fs::read_dir(place)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let is_folder = entry.path().is_dir();
                let name = entry.file_name().into_string().ok()?;
                Some(if is_folder { name + "/" } else { name })
            })
            .filter(|found| {
                found.starts_with(name) && (!name.is_empty() || !found.starts_with('.'))
            })
            .collect();
        found.sort();
        let typed = name.chars().count();
        match &found[..] {
            [] => self.show_status(say!("there is no such file")),
            [only] => self.draft.complete(typed, only, None),
            several => {
                let common = common_beginning(several.iter().map(String::as_str));
                if common.chars().count() > typed {
                    self.draft.complete(typed, &common, None);
                }
                let shown: Vec<_> = several.iter().take(MAX_SHOWN).map(String::as_str).collect();
                let more = if several.len() > MAX_SHOWN { "  …" } else { "" };
                self.show_status(shown.join("  ") + more);
            }
        }
        true
    }
}

/// The beginning that all of them share.
fn common_beginning<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    let Some(first) = names.next() else { return String::new() };
    let shared = |common: &str, name: &str| {
        common.chars().zip(name.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
    };
    names.fold(first.to_owned(), |common: String, name| shared(&common, name))
}
