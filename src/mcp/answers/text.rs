//! Texts and times in answers.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Characters of a quoted message, and of the last message of a conversation.
pub(super) const EXCERPT: usize = 200;

/// The first characters of a text, and whether it was longer.
pub(super) fn cut(text: &str, most: usize) -> (String, bool) {
    match text.char_indices().nth(most) {
        Some((end, _)) => (text[..end].to_owned(), true),
        None => (text.to_owned(), false),
    }
}

/// A time in the form of RFC 3339, in the time zone of the host.
pub(super) fn time(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|at| Timestamp::from_second(at).ok());
    let zoned = at.unwrap_or_default().to_zoned(TimeZone::system());
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_can_be_read_back() {
        let at: Timestamp = time(1_700_000_000).parse().unwrap();
        assert_eq!(at.as_second(), 1_700_000_000);
    }
}
