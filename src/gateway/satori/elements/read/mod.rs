//! Elements as messages of ours (protocol/elements.md): the text is read once, from its beginning to its end.
//! Texts, files and forwards each have a file here.

mod file;
mod forward;
#[cfg(test)]
mod tests;
mod text;

use super::token::{ElementTag, ElementToken, tokens};
use crate::gateway::satori::media::LinkedFile;
use crate::model::content::{Content, Segment};
use crate::model::message::Message;
use forward::ForwardInProgress;

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

/// Reads a text; the error says what cannot be sent.
pub(in crate::gateway::satori) fn read(
    text: &str,
    targets: &ElementTargets<'_>,
) -> Result<Vec<OutgoingMessage>, String> {
    let mut reader = ElementReader {
        targets,
        done: Vec::new(),
        current: OutgoingMessage::default(),
        forwards: Vec::new(),
        forwarded: 0,
        forwarded_bytes: 0,
        is_paragraph_over: false,
    };
    let mut open = Vec::new();
    // How many of the open elements have content that is not shown.
    let mut hidden = 0_usize;
    let tokens = tokens(text).ok_or("`content` has too many elements")?;
    for token in tokens {
        match token {
            ElementToken::Text(_) | ElementToken::Empty(_) if hidden > 0 => {}
            ElementToken::Open(_) if hidden > 0 => {
                hidden += 1;
                open.push(OpenElement::Hidden);
            }
            ElementToken::Text(text) => reader.text(&text),
            ElementToken::Empty(tag) => {
                let element = reader.open(&tag)?;
                reader.close(element);
            }
            ElementToken::Open(tag) => {
                let element = reader.open(&tag)?;
                hidden += usize::from(element == OpenElement::Hidden);
                open.push(element);
            }
            ElementToken::Close => match open.pop() {
                Some(OpenElement::Hidden) => hidden -= 1,
                Some(element) => reader.close(element),
                None => {}
            },
        }
    }
    reader.finish()
}

/// An element that was opened, as far as its end matters.
#[derive(Debug, PartialEq, Eq)]
enum OpenElement {
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

struct ElementReader<'a> {
    targets: &'a ElementTargets<'a>,
    done: Vec<OutgoingMessage>,
    current: OutgoingMessage,
    /// The forwards that are open, each inside the one before.
    forwards: Vec<ForwardInProgress>,
    /// Messages that were named to be forwarded, and the bytes of their texts.
    forwarded: usize,
    forwarded_bytes: usize,
    /// The next text stands on a line of its own.
    is_paragraph_over: bool,
}

impl ElementReader<'_> {
    fn open(&mut self, tag: &ElementTag<'_>) -> Result<OpenElement, String> {
        match tag.name {
            "at" => self.mention(tag),
            "sharp" => {
                let shown = tag.text("name").or_else(|| tag.text("id")).unwrap_or_default();
                self.text(&format!("#{shown}"));
            }
            "emoji" => {
                let (id, name) = (tag.text("id"), tag.text("name"));
                self.push(Segment::Emoji { name, id, url: None });
            }
            "img" | "image" => self.media(tag, Segment::Image)?,
            "audio" => self.media(tag, Segment::Audio)?,
            "video" => self.media(tag, Segment::Video)?,
            "file" => self.media(tag, Segment::File)?,
            "br" => self.text("\n"),
            "p" => {
                self.end_line();
                return Ok(OpenElement::Paragraph);
            }
            "a" => return Ok(tag.text("href").map_or(OpenElement::Plain, OpenElement::Link)),
            "button" if tag.get("type").as_deref() == Some("link") => {
                return Ok(tag.text("href").map_or(OpenElement::Plain, OpenElement::Link));
            }
            "quote" => {
                let Some(id) = tag.text("id") else { return Ok(OpenElement::Plain) };
                if self.forwards.is_empty() {
                    self.current.quote = Some(id);
                }
                return Ok(OpenElement::Hidden);
            }
            "author" => {
                self.author(tag);
                return Ok(OpenElement::Hidden);
            }
            "message" => return self.message(tag),
            _ => {}
        }
        Ok(OpenElement::Plain)
    }

    fn close(&mut self, element: OpenElement) {
        match element {
            OpenElement::Plain | OpenElement::Hidden => {}
            OpenElement::Paragraph => self.is_paragraph_over = true,
            OpenElement::Link(href) => self.end_link(href),
            OpenElement::Message => self.flush(),
            OpenElement::ForwardItem => self.end_item(),
            OpenElement::Forward => self.end_forward(),
        }
    }

    /// Ends the message that is being made.
    fn flush(&mut self) {
        self.is_paragraph_over = false;
        let made = std::mem::take(&mut self.current);
        if !Content::of(made.segments.clone()).is_empty() {
            self.done.push(made);
        }
    }

    fn finish(mut self) -> Result<Vec<OutgoingMessage>, String> {
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
