//! Parts of a file (RFC 9110, section 14).

use std::ops::Range;

/// The part of a file that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// The whole file: there is no range, several, or an invalid one.
    All,
    /// These bytes.
    Part(Range<u64>),
    /// A range that begins after the end of the file.
    Nothing,
}

/// Reads a `Range` for a file of `size` bytes.
pub fn wanted(range: Option<&str>, size: u64) -> ByteRange {
    let Some(spec) = range.and_then(|range| range.trim().strip_prefix("bytes=")) else {
        return ByteRange::All;
    };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number that is too large is after the end of any file.
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match spec.trim().split_once('-').map(|(first, last)| (first.trim(), last.trim())) {
        Some(("", suffix)) => match number(suffix) {
            Some(0) => ByteRange::Nothing,
            Some(_) if size == 0 => ByteRange::Nothing,
            Some(bytes) => ByteRange::Part(size.saturating_sub(bytes)..size),
            None => ByteRange::All,
        },
        Some((first, last)) => {
            let end = if last.is_empty() { Some(u64::MAX) } else { number(last) };
            match (number(first), end) {
                (Some(first), Some(last)) if first > last => ByteRange::All,
                (Some(first), Some(_)) if first >= size => ByteRange::Nothing,
                (Some(first), Some(last)) => {
                    ByteRange::Part(first..last.saturating_add(1).min(size))
                }
                _ => ByteRange::All,
            }
        }
        None => ByteRange::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_anything_else_is_the_whole_file() {
        for (range, expected) in [
            (None, ByteRange::All),
            (Some("bytes=0-0"), ByteRange::Part(0..1)),
            (Some("bytes=2-"), ByteRange::Part(2..10)),
            (Some("bytes=2-99"), ByteRange::Part(2..10)),
            (Some("bytes=-3"), ByteRange::Part(7..10)),
            (Some("bytes=-99"), ByteRange::Part(0..10)),
            (Some("bytes=0-18446744073709551615"), ByteRange::Part(0..10)),
            (Some("bytes=10-"), ByteRange::Nothing),
            (Some("bytes=99999999999999999999-"), ByteRange::Nothing),
            (Some("bytes=-0"), ByteRange::Nothing),
            (Some("bytes=5-2"), ByteRange::All),
            (Some("bytes=0-1,4-5"), ByteRange::All),
            (Some("bytes=x-"), ByteRange::All),
            (Some("lines=0-1"), ByteRange::All),
        ] {
            assert_eq!(wanted(range, 10), expected, "{range:?}");
        }
        assert_eq!(wanted(Some("bytes=-1"), 0), ByteRange::Nothing);
    }
}
