//! Words of a platform for people, which may be of any length.

use std::borrow::Cow;

/// The most characters of them that are kept.
const MAX_WORDS: usize = 500;

/// The beginning of a platform's words, no longer than a person reads.
pub(in crate::adapter) fn cut(words: &str) -> Cow<'_, str> {
    cut_to(words, MAX_WORDS)
}

/// The first `most` characters, and a sign where more were there.
pub(in crate::adapter) fn cut_to(words: &str, most: usize) -> Cow<'_, str> {
    match words.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &words[..end])),
        None => Cow::Borrowed(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_lose_their_end() {
        let short = "早".repeat(MAX_WORDS);
        assert_eq!(cut(&short), short);
        assert_eq!(cut(&format!("{short}!!")), format!("{short}…"));
    }
}
