//! Times for people.

use crate::command::output::Output;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time as a list shows it: how long ago it was today, else the date.
pub(crate) fn short_time(seconds: u64, now: u64, zone: &TimeZone) -> String {
    let (Some(time), Some(today)) = (timestamp(seconds), timestamp(now)) else {
        return seconds.to_string();
    };
    let (time, today) = (time.to_zoned(zone.clone()), today.to_zoned(zone.clone()));
    let age = now.saturating_sub(seconds);
    if seconds > now || time.date() != today.date() {
        let format = if time.year() == today.year() { "%m-%d %H:%M" } else { "%Y-%m-%d" };
        return time.strftime(format).to_string();
    }
    match age {
        0..60 => "now".to_owned(),
        60..3600 => format!("{} min ago", age / 60),
        _ => format!("{} h ago", age / 3600),
    }
}

/// Local time to the second; the number itself where the calendar does not reach so far.
pub(crate) fn local_time(seconds: u64) -> String {
    timestamp(seconds).map_or_else(
        || seconds.to_string(),
        |time| time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// The time where it is printed: local at a terminal, else in UTC.
pub(crate) fn time_for(out: &Output, seconds: u64) -> String {
    if out.is_terminal { local_time(seconds) } else { utc(seconds) }
}

/// The time in UTC, for programs.
pub(crate) fn utc(seconds: u64) -> String {
    timestamp(seconds).unwrap_or_default().to_string()
}

fn timestamp(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(seconds.try_into().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_is_told_by_its_age_and_earlier_by_its_date() {
        // 2026-11-26 06:33:20 UTC
        let now = 1_795_674_800;
        let shown = |seconds: u64| short_time(seconds, now, &TimeZone::UTC);
        assert_eq!(shown(now - 5), "now");
        assert_eq!(shown(now - 65), "1 min ago");
        assert_eq!(shown(now - 3 * 3600), "3 h ago");
        assert_eq!(shown(now - 7 * 3600), "11-25 23:33");
        assert_eq!(shown(now - 400 * 86400), "2025-10-22");
        assert_eq!(shown(now + 60), "11-26 06:34");
        assert_eq!(shown(u64::MAX), "18446744073709551615");
    }
}
