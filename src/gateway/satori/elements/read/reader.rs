//! The messages that a text makes, while it is read.

use crate::gateway::satori::media::LinkedFile;
use crate::model::content::{Content, ForwardItem, Segment};
use crate::model::message::{Message, Sender};

/// Messages that one text may make.
const MAX_MESSAGES: usize = 50;

/// A message that a text makes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::gateway::satori) struct OutgoingMessage {
    pub(in crate::gateway::satori) segments: Vec<Segment>,
    /// The ID of the message that it answers.
    pub(in crate::gateway::satori) quote: Option<String>,
}

/// The things that elements name and the bot may see.
pub(in crate::gateway::satori) struct ElementTargets<'a> {
    /// Gives a message by its ID.
    pub(in crate::gateway::satori) message: &'a dyn Fn(&str) -> Option<Message>,
    /// Gives a file that is kept here by its link.
    pub(in crate::gateway::satori) file: &'a dyn Fn(&str) -> Option<LinkedFile>,
}

/// An element that was opened, as far as its end matters.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OpenElement {
    /// Only its content matters.
    Plain,
    /// Not even that.
    Hidden,
    Paragraph,
    Link(String),
    Message,
    ForwardItem,
    Forward,
}

/// The messages that are being made.
pub(super) struct ElementReader<'a> {
    pub(super) targets: &'a ElementTargets<'a>,
    pub(super) done: Vec<OutgoingMessage>,
    pub(super) current: OutgoingMessage,
    /// The forwards that are open, each inside the one before.
    pub(super) forwards: Vec<ForwardInProgress>,
    /// Messages that were named to be forwarded, and the bytes of their texts.
    pub(super) forwarded: usize,
    pub(super) forwarded_bytes: usize,
    /// The next text stands on a line of its own.
    pub(super) is_paragraph_over: bool,
}

/// A forward that is open.
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
            is_paragraph_over: false,
        }
    }

    /// Ends the message that is being made.
    pub(super) fn flush(&mut self) {
        self.is_paragraph_over = false;
        let made = std::mem::take(&mut self.current);
        if !Content::of(made.segments.clone()).is_empty() {
            self.done.push(made);
        }
    }

    /// The messages that were made; the error says what cannot be sent.
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
