//! Messages inside messages: forwards, with their content or with the IDs of known messages.

use super::reader::{ElementReader, ForwardInProgress, OpenElement};
use crate::gateway::satori::elements::token::ElementTag;
use crate::model::content::{Content, ForwardItem, MAX_FORWARD_DEPTH, Segment};
use crate::model::message::{Message, Sender};

/// The most messages that one text may forward.
const MAX_FORWARDED: usize = 100;

/// The most bytes of these messages together.
const MAX_FORWARDED_BYTES: usize = 1 << 20;

impl ElementReader<'_> {
    /// Notes the author of the message inside a forward.
    pub(super) fn author(&mut self, tag: &ElementTag<'_>) {
        if let Some(forward) = self.forwards.last_mut() {
            let id = tag.text("id").unwrap_or_default();
            let name = tag.text("name").unwrap_or_else(|| id.clone());
            forward.sender = Sender { id, name };
        }
    }

    pub(super) fn message(&mut self, tag: &ElementTag<'_>) -> Result<OpenElement, String> {
        let (is_forward, id) = (tag.is_set("forward"), tag.text("id"));
        let is_inside = !self.forwards.is_empty();
        if is_inside {
            self.end_item();
        } else {
            self.flush();
        }
        if let Some(id) = id.filter(|_| is_inside || is_forward) {
            let found = self.forwarded(&id)?;
            let item = ForwardItem {
                sender: found.sender.clone().unwrap_or_default(),
                created_at: found.created_at,
                segments: found.content.to_segments(),
            };
            if let Some(forward) = self.forwards.last_mut() {
                forward.items.push(item);
            } else {
                self.push(Segment::Forward { title: None, items: vec![item], id: None });
                self.flush();
            }
            return Ok(OpenElement::Hidden);
        }
        if is_forward && self.forwards.len() < MAX_FORWARD_DEPTH {
            self.forwards.push(ForwardInProgress::default());
            return Ok(OpenElement::Forward);
        }
        Ok(if is_inside { OpenElement::ForwardItem } else { OpenElement::Message })
    }

    /// A message that is forwarded by its ID; an error if there are too many.
    fn forwarded(&mut self, id: &str) -> Result<Message, String> {
        self.forwarded += 1;
        if self.forwarded > MAX_FORWARDED {
            return Err(format!("`content` forwards more than {MAX_FORWARDED} messages"));
        }
        let found =
            (self.targets.message)(id).ok_or_else(|| format!("there is no message `{id}`"))?;
        self.forwarded_bytes += found.content.readable().len();
        if self.forwarded_bytes > MAX_FORWARDED_BYTES {
            return Err(format!(
                "the messages that `content` forwards have more than {MAX_FORWARDED_BYTES} bytes"
            ));
        }
        Ok(found)
    }

    /// Ends the present message inside a forward.
    pub(super) fn end_item(&mut self) {
        self.is_paragraph_over = false;
        let Some(forward) = self.forwards.last_mut() else { return };
        let segments = std::mem::take(&mut forward.item);
        let sender = std::mem::take(&mut forward.sender);
        if !segments.is_empty() {
            let segments = Content::of(segments).to_segments();
            forward.items.push(ForwardItem { sender, created_at: 0, segments });
        }
    }

    /// Ends the innermost forward.
    pub(super) fn end_forward(&mut self) {
        self.end_item();
        let items = self.forwards.pop().map(|forward| forward.items).unwrap_or_default();
        if !items.is_empty() {
            self.push(Segment::Forward { title: None, items, id: None });
        }
        if self.forwards.is_empty() {
            self.flush();
        }
    }
}
