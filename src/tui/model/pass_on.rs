//! Forwarding messages to another conversation.

use super::picker::{Picker, PickerChoice};
use super::scope::ConversationKey;
use super::{Model, ServerRequest};
use crate::model::content::{Content, Segment};
use crate::model::message::Message;
use crate::protocol::http::NewMessage;
use crate::tui::language::say;

impl Model {
    /// Asks for the conversation to which messages are forwarded, one by one.
    pub(super) fn pick_destination(&mut self, messages: &[Message]) {
        let full = messages.iter().filter(|message| !message.content.is_empty());
        let contents: Vec<Vec<_>> = full
            .map(|message| message.content.to_segments().into_iter().map(quiet).collect())
            .collect();
        if contents.is_empty() {
            return self.show_status(say!("there is nothing to forward"));
        }
        let forward = |key: ConversationKey| PickerChoice::Forward(contents.clone(), key);
        self.picker = Some(Picker::new(say!("Forward to"), self.conversation_items(forward)));
    }

    pub(super) fn forward(&mut self, contents: Vec<Vec<Segment>>, to: &ConversationKey) {
        self.stream.choose_none();
        let name = self.conversations.get(to).map_or(&*to.conversation, |known| known.name());
        self.show_status(match contents.len() {
            1 => say!("forwarded to {}", name),
            count => say!("{} messages forwarded to {}", count, name),
        });
        for segments in contents {
            self.ask(ServerRequest::Send(NewMessage {
                message_type: None,
                content: None,
                recipient: to.conversation.clone(),
                platform: Some(to.platform.clone()),
                segments: Some(segments),
                reply_to: None,
            }));
        }
    }
}

/// A segment for other readers, who are not mentioned.
fn quiet(segment: Segment) -> Segment {
    match segment {
        Segment::Mention { .. } | Segment::MentionAll {} => {
            Segment::Text { text: Content::of(vec![segment]).readable().into_owned() }
        }
        other => other,
    }
}
