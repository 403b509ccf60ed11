//! Texts, links and mentions of the present message.

use super::reader::ElementReader;
use crate::gateway::satori::elements::token::ElementTag;
use crate::model::content::Segment;

impl ElementReader<'_> {
    pub(super) fn segments(&mut self) -> &mut Vec<Segment> {
        match self.forwards.last_mut() {
            Some(forward) => &mut forward.item,
            None => &mut self.current.segments,
        }
    }

    pub(super) fn push(&mut self, segment: Segment) {
        if std::mem::take(&mut self.is_paragraph_over) {
            self.end_line();
        }
        self.segments().push(segment);
    }

    pub(super) fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(Segment::Text { text: text.to_owned() });
        }
    }

    /// Ends the line if it is not empty.
    pub(super) fn end_line(&mut self) {
        let segments = self.segments();
        let is_new = match segments.last() {
            None => true,
            Some(Segment::Text { text }) => text.ends_with('\n'),
            Some(_) => false,
        };
        if !is_new {
            segments.push(Segment::Text { text: "\n".into() });
        }
    }

    pub(super) fn mention(&mut self, tag: &ElementTag<'_>) {
        let name = tag.text("name");
        match (tag.text("id"), tag.text("type").as_deref()) {
            (Some(user), _) => self.push(Segment::Mention { user, name, me: false }),
            (None, Some("all")) => self.push(Segment::MentionAll {}),
            (None, kind) => {
                let shown = name.or_else(|| tag.text("role"));
                let shown = shown.or_else(|| kind.map(str::to_owned)).unwrap_or_default();
                self.text(&format!("@{shown}"));
            }
        }
    }

    /// Ends a link: the address follows the text, unless both are equal.
    pub(super) fn end_link(&mut self, href: String) {
        let is_shown =
            matches!(self.segments().last(), Some(Segment::Text { text }) if *text == href);
        if !is_shown {
            let is_bare = self.segments().is_empty();
            self.text(&if is_bare { href } else { format!(" ({href})") });
        }
    }
}
