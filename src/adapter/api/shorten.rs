//! Shortens texts of a platform before they are shown.

use std::borrow::Cow;

/// The most characters of them that are kept.
const MAX_CHARACTERS: usize = 500;

/// The beginning of a platform's text, no longer than a person reads.
pub(in crate::adapter) fn cut(text: &str) -> Cow<'_, str> {
    cut_to(text, MAX_CHARACTERS)
}

/// The first `most` characters, and a sign where more were there.
pub(in crate::adapter) fn cut_to(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_loses_its_end() {
        let short = "早".repeat(MAX_CHARACTERS);
        assert_eq!(cut(&short), short);
        assert_eq!(cut(&format!("{short}!!")), format!("{short}…"));
    }
}
