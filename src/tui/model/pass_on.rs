//! Forwarding a message to another conversation.

use super::picker::{Picker, PickerChoice};
use super::scope::ConversationKey;
use super::{Model, ServerRequest};
use crate::model::content::{Content, Segment};
use crate::model::message::Message;
use crate::protocol::http::NewMessage;

impl Model {
    /// Asks for the conversation to which a message is forwarded.
    pub(super) fn pick_destination(&mut self, message: &Message) {
        if message.content.is_empty() {
            return self.show_status("there is nothing to forward");
        }
        let segments: Vec<_> = message.content.to_segments().into_iter().map(quiet).collect();
        let forward = |key: ConversationKey| PickerChoice::Forward(segments.clone(), key);
        self.picker = Some(Picker::new("Forward to", self.conversation_items(forward)));
    }

    pub(super) fn forward(&mut self, segments: Vec<Segment>, to: ConversationKey) {
        let name = self.conversations.get(&to).map_or(&*to.conversation, |known| known.name());
        self.show_status(format!("forwarded to {name}"));
        self.ask(ServerRequest::Send(NewMessage {
            message_type: None,
            content: None,
            recipient: to.conversation,
            platform: Some(to.platform),
            segments: Some(segments),
            reply_to: None,
        }));
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
