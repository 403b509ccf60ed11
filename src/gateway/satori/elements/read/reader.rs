//! The messages that a text makes, while it is read.

use crate::gateway::satori::media::LinkedFile;
use crate::model::content::{Content, ForwardItem, Segment};
use crate::model::message::{Message, Sender};

/// The most messages that one text may make.
const MAX_MESSAGES: usize = 50;

/// A message that a text makes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::gateway::satori) struct OutgoingMessage {
    pub(in crate::gateway::satori) segments: Vec<Segment>,
    /// The ID of the message that it answers.
    pub(in crate::gateway::satori) quote: Option<String>,
}

/// Messages and files that elements may refer to, as far as the bot may see them.
pub(in crate::gateway::satori) struct ElementTargets<'a> {
    /// Returns a message by its ID.
    pub(in crate::gateway::satori) message: &'a dyn Fn(&str) -> Option<Message>,
    /// Returns a stored file by its link.
    pub(in crate::gateway::satori) file: &'a dyn Fn(&str) -> Option<LinkedFile>,
}

/// An open element, with what its end needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OpenElement {
    /// Its end needs nothing.
    Plain,
    /// Its content is not shown.
    Hidden,
    Paragraph,
    Link(String),
    Message,
    ForwardItem,
    Forward,
}

/// The messages while they are made.
pub(super) struct ElementReader<'a> {
    pub(super) targets: &'a ElementTargets<'a>,
    pub(super) done: Vec<OutgoingMessage>,
    pub(super) current: OutgoingMessage,
    /// The open forwards, from the outermost to the innermost.
    pub(super) forwards: Vec<ForwardInProgress>,
    /// Number of messages that are forwarded by ID, and the bytes of their texts.
    pub(super) forwarded: usize,
    pub(super) forwarded_bytes: usize,
    /// Number of quoted messages that were looked up.
    quotes: usize,
    /// The next text begins on a new line.
    pub(super) is_paragraph_over: bool,
}

/// An open forward.
#[derive(Default)]
pub(super) struct ForwardInProgress {
    pub(super) items: Vec<ForwardItem>,
    pub(super) item: Vec<Segment>,
    pub(super) sender: Sender,
}

impl<'a> ElementReader<'a> {
    pub(super) fn new(targets: &'a ElementTargets<'a>) -> Self {
        Self {
            targets,
            done: Vec::new(),
            current: OutgoingMessage::default(),
            forwards: Vec::new(),
            forwarded: 0,
            forwarded_bytes: 0,
            quotes: 0,
            is_paragraph_over: false,
        }
    }

    /// Notes the message that is answered. If it is unknown, or if a message inside a forward quotes it, its
    /// content is a paragraph before the answer.
    pub(super) fn quote(&mut self, id: String) -> OpenElement {
        let is_looked_up = self.forwards.is_empty() && self.quotes < MAX_MESSAGES;
        self.quotes += usize::from(is_looked_up);
        if !is_looked_up || (self.targets.message)(&id).is_none() {
            self.end_line();
            return OpenElement::Paragraph;
        }
        self.current.quote = Some(id);
        OpenElement::Hidden
    }

    /// Ends the present message.
    pub(super) fn flush(&mut self) {
        self.is_paragraph_over = false;
        let made = std::mem::take(&mut self.current);
        if !Content::of(made.segments.clone()).is_empty() {
            self.done.push(made);
        }
    }

    /// The messages that were made; the error says which part cannot be sent.
    pub(super) fn finish(mut self) -> Result<Vec<OutgoingMessage>, String> {
        self.flush();
        if self.done.is_empty() {
            return Err("`content` has nothing in it that could be sent".into());
        }
        if self.done.len() > MAX_MESSAGES {
            return Err(format!("`content` makes more than {MAX_MESSAGES} messages"));
        }
        for made in &mut self.done {
            made.segments = Content::of(std::mem::take(&mut made.segments)).to_segments();
            Content::check(&made.segments)?;
        }
        Ok(self.done)
    }
}
