//! Elements as messages of rechat (protocol/elements.md): the text is read once, from its beginning
//! to its end. Texts, files and forwards each have a file here.

mod file;
mod forward;
mod reader;
#[cfg(test)]
mod tests;
mod text;

pub(in crate::gateway::satori) use reader::{ElementTargets, OutgoingMessage};

use super::token::{ElementTag, ElementToken, tokens};
use crate::model::content::Segment;
use reader::{ElementReader, OpenElement};

/// Reads a text; the error says which part cannot be sent.
pub(in crate::gateway::satori) fn read(
    text: &str,
    targets: &ElementTargets<'_>,
) -> Result<Vec<OutgoingMessage>, String> {
    let mut reader = ElementReader::new(targets);
    let mut open = Vec::new();
    // Number of open elements whose content is not shown.
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
                return Ok(tag.text("id").map_or(OpenElement::Plain, |id| self.quote(id)));
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
}
