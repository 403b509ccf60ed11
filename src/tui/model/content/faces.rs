//! Faces of QQ, which messages and reactions name by a number. The page has the emoji of each already.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The page's table: the number of a face and its emoji, each pair apart from the next by a space.
const PAGE_FACES: &str = include_str!("../../../../spa/page/chat/faces.js");

/// By number.
static FACES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let pair = |word: &'static str| {
        let emoji = word.trim_start_matches(|letter: char| letter.is_ascii_digit());
        Some((word.strip_suffix(emoji)?, emoji))
    };
    let table = PAGE_FACES.split('`').nth(1).unwrap_or_default();
    table.split_whitespace().filter_map(pair).collect()
});

/// The emoji of a face, where there is one.
pub(super) fn face(number: &str) -> Option<&'static str> {
    FACES.get(number).copied()
}

/// How a reaction looks.
pub fn shown_reaction(emoji: &str) -> &str {
    face(emoji).unwrap_or(emoji)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_have_the_emoji_of_the_page() {
        assert_eq!((face("14"), face("359"), face("0")), (Some("🙂"), Some("✌️"), Some("😮")));
        assert_eq!((face("9999"), face("")), (None, None));
        assert!(FACES.len() > 200, "{}", FACES.len());
        assert!(FACES.values().all(|emoji| !emoji.is_empty() && !emoji.is_ascii()));
        assert_eq!((shown_reaction("76"), shown_reaction("🎉")), ("👍", "🎉"));
    }
}
