//! Checks of arguments: IDs, positions, times, lengths.

use crate::error::{Error, Result};
use crate::mcp::position::GivenCursor;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use uuid::Uuid;

pub(super) fn check_length(field: &str, text: &str, most: usize) -> Result<()> {
    // Bytes are compared first, because that is faster.
    if text.len() > most && text.chars().count() > most {
        return Err(Error::failed(format!("`{field}` has more than {most} characters")));
    }
    Ok(())
}

pub(super) fn parse_id(field: &str, text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| Error::failed(format!("`{field}` must be the ID of a message")))
}

/// A position in the history: the ID of a message, or a position from an answer.
pub(super) fn parse_position(field: &str, text: &str) -> Result<GivenCursor> {
    GivenCursor::parse(text).ok_or_else(|| {
        Error::failed(format!("`{field}` must be the ID of a message, or what an answer gave"))
    })
}

/// A time in Unix seconds; one without an offset is in the time zone of this host.
pub(super) fn time(field: &str, text: &str, now: &Zoned) -> Result<u64> {
    let zone: &TimeZone = now.time_zone();
    let at = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| Some(text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?.timestamp()))
        .or_else(|| Some(text.parse::<Date>().ok()?.to_zoned(zone.clone()).ok()?.timestamp()));
    let seconds = at.and_then(|at| u64::try_from(at.as_second()).ok());
    seconds.or_else(|| text.parse().ok()).ok_or_else(|| {
        Error::failed(format!(
            "`{field}` must be a time such as 2026-11-20 or 2026-11-20T14:30:00+08:00"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_an_offset_or_in_the_zone_of_the_host() {
        let east = TimeZone::fixed(jiff::tz::offset(8));
        let now = Timestamp::UNIX_EPOCH.to_zoned(east);
        let at = |text: &str| time("since", text, &now).map_err(|error| error.to_string());
        assert_eq!(at("1970-01-02T00:00:00Z"), Ok(86_400));
        assert_eq!(at("1970-01-02T08:00:00"), Ok(86_400));
        assert_eq!(at("1970-01-02"), Ok(86_400 - 8 * 3600));
        assert_eq!(at("1700000000"), Ok(1_700_000_000));
        assert!(at("soon").unwrap_err().contains("`since`"));
        assert!(at("1960-01-01").is_err());
    }
}
