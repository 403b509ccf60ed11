//! Marks what was searched for.

use super::content::Span;
pub use crate::search::Needle;
use std::ops::Range;

impl Needle {
    /// Marks the places in a line that match.
    pub fn mark(&self, line: &mut Vec<Span>) {
        let whole: String = line.iter().map(|span| span.text.as_str()).collect();
        let found = self.find(&whole);
        if found.is_empty() {
            return;
        }
        let mut marked = Vec::new();
        let mut begin = 0;
        for span in line.drain(..) {
            let end = begin + span.text.len();
            let mut at = begin;
            for hit in found.iter().filter(|hit| hit.end > begin && hit.start < end) {
                let (from, to) = (hit.start.max(begin), hit.end.min(end));
                span.push_part(at - begin..from - begin, false, &mut marked);
                span.push_part(from - begin..to - begin, true, &mut marked);
                at = to;
            }
            span.push_part(at - begin..end - begin, false, &mut marked);
            begin = end;
        }
        *line = marked;
    }
}

impl Span {
    fn push_part(&self, range: Range<usize>, is_hit: bool, to: &mut Vec<Span>) {
        if let Some(text) = self.text.get(range).filter(|text| !text.is_empty()) {
            to.push(Span { text: text.to_owned(), look: self.look, is_hit });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::content::TextLook;
    use super::*;

    #[test]
    fn a_hit_goes_over_pieces_of_different_looks() {
        let mut line =
            vec![Span::new("ask @Ann", TextLook::Me), Span::new(" now", TextLook::Plain)];
        Needle::new("ANN NO").unwrap().mark(&mut line);
        let hits: Vec<_> = line.iter().filter(|span| span.is_hit).map(|s| &*s.text).collect();
        assert_eq!(hits, ["Ann", " no"]);
        let whole: String = line.iter().map(|span| &*span.text).collect();
        assert_eq!(whole, "ask @Ann now");
    }
}
