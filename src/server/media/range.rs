//! Parts of a file (RFC 9110, section 14).

use std::ops::Range;

/// The part of a file that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of it: it names no range, several, or one that cannot be read.
    All,
    /// These bytes.
    Part(Range<u64>),
    /// A range that begins behind its end.
    Nothing,
}

/// Reads a `Range` for a file of `size` bytes.
pub fn wanted(range: Option<&str>, size: u64) -> Wanted {
    let Some(spec) = range.and_then(|range| range.trim().strip_prefix("bytes=")) else {
        return Wanted::All;
    };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // One that is too large lies behind the end of any file.
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match spec.trim().split_once('-').map(|(first, last)| (first.trim(), last.trim())) {
        Some(("", suffix)) => match number(suffix) {
            Some(0) => Wanted::Nothing,
            Some(_) if size == 0 => Wanted::Nothing,
            Some(bytes) => Wanted::Part(size.saturating_sub(bytes)..size),
            None => Wanted::All,
        },
        Some((first, last)) => {
            let end = if last.is_empty() { Some(u64::MAX) } else { number(last) };
            match (number(first), end) {
                (Some(first), Some(last)) if first > last => Wanted::All,
                (Some(first), Some(_)) if first >= size => Wanted::Nothing,
                (Some(first), Some(last)) => Wanted::Part(first..last.saturating_add(1).min(size)),
                _ => Wanted::All,
            }
        }
        None => Wanted::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_anything_else_is_the_whole_file() {
        for (range, expected) in [
            (None, Wanted::All),
            (Some("bytes=0-0"), Wanted::Part(0..1)),
            (Some("bytes=2-"), Wanted::Part(2..10)),
            (Some("bytes=2-99"), Wanted::Part(2..10)),
            (Some("bytes=-3"), Wanted::Part(7..10)),
            (Some("bytes=-99"), Wanted::Part(0..10)),
            (Some("bytes=0-18446744073709551615"), Wanted::Part(0..10)),
            (Some("bytes=10-"), Wanted::Nothing),
            (Some("bytes=99999999999999999999-"), Wanted::Nothing),
            (Some("bytes=-0"), Wanted::Nothing),
            (Some("bytes=5-2"), Wanted::All),
            (Some("bytes=0-1,4-5"), Wanted::All),
            (Some("bytes=x-"), Wanted::All),
            (Some("lines=0-1"), Wanted::All),
        ] {
            assert_eq!(wanted(range, 10), expected, "{range:?}");
        }
        assert_eq!(wanted(Some("bytes=-1"), 0), Wanted::Nothing);
    }
}
