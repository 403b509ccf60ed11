//! Values of arguments: names in any case, IDs.

use crate::model::id_prefix::IdPrefix;
use crate::model::message::{Direction, MessageType, Status};
use crate::store::Order;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use jiff::civil::DateTime;
use jiff::{Span, Timestamp, Zoned};
use std::net::{Ipv4Addr, SocketAddr};

/// Types of messages.
pub(super) fn types() -> impl TypedValueParser<Value = MessageType> {
    one_of(MessageType::ALL.map(|known| (PossibleValue::new(known.as_str()), known)))
}

/// Types of files.
pub(super) fn media_types() -> impl TypedValueParser<Value = MessageType> {
    use MessageType::{Audio, File, Image, Video};
    one_of([Image, File, Video, Audio].map(|known| (PossibleValue::new(known.as_str()), known)))
}

/// States of messages.
pub(super) fn statuses() -> impl TypedValueParser<Value = Status> {
    one_of(Status::ALL.map(|status| {
        let help = match status {
            Status::Pending => "Stored, and waits to be sent",
            Status::Sending => "An attempt is under way",
            Status::Sent => "Confirmed by the platform, or received from it",
            Status::Failed => "Given up; `last_error` says why",
            Status::Canceled => "Taken back before it was sent",
        };
        (PossibleValue::new(status.as_str()).help(help), status)
    }))
}

/// Directions of messages.
pub(super) fn directions() -> impl TypedValueParser<Value = Direction> {
    one_of(Direction::ALL.map(|direction| {
        let short = match direction {
            Direction::Outbound => "out",
            Direction::Inbound => "in",
        };
        (PossibleValue::new(direction.as_str()).alias(short), direction)
    }))
}

/// Orders of lists.
pub(super) fn orders() -> impl TypedValueParser<Value = Order> {
    one_of([
        (PossibleValue::new("seq").help("As they came"), Order::Seq),
        (PossibleValue::new("time").help("As they were said"), Order::Time),
    ])
}

/// One of these, in any case.
fn one_of<T, const N: usize>(all: [(PossibleValue, T); N]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let names = all.clone().map(|(name, _)| name);
    PossibleValuesParser::new(names).try_map(move |typed| {
        let found = all.iter().find(|(name, _)| name.matches(&typed, true));
        found.map(|(_, value)| *value).ok_or("unknown")
    })
}

/// Reads the ID of a message, or the beginning of one.
pub(super) fn id(text: &str) -> Result<IdPrefix, &'static str> {
    text.parse().map_err(|_| {
        "a message is named by its ID or the first 4 digits of it and more; `rechat list` shows them"
    })
}

/// Reads how many messages a list has at most.
pub(super) fn limit(text: &str) -> Result<usize, &'static str> {
    text.parse().map_err(|_| "give a number; `rechat export` writes every message")
}

/// Reads an address to serve on: an IP address and a port, or a port or `localhost` for this host.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    if let Ok(port) = port.parse() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    text.parse().map_err(|_| {
        let port = text.rsplit(':').next().filter(|port| port.parse::<u16>().is_ok());
        let port = port.unwrap_or("8080");
        format!("write 127.0.0.1:{port} for this host alone, 0.0.0.0:{port} for others too")
    })
}

/// Reads a number of seconds, which may have its unit: 30, 30s, 2m.
pub(super) fn whole_seconds(text: &str) -> Result<u64, &'static str> {
    let (number, factor) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) if text.ends_with('s') => (number, 1),
        Some(number) if text.ends_with('m') => (number, 60),
        Some(number) => (number, 3_600),
        None => (text, 1),
    };
    let seconds = number.trim().parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
    seconds.ok_or("give seconds: 30, 30s or 2m")
}

/// The most messages that are shown before and after one.
const MAX_CONTEXT: usize = 100;

/// Reads how many messages are shown before and after one.
pub(super) fn context(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=MAX_CONTEXT).contains(count));
    count.ok_or_else(|| format!("give a number from 1 to {MAX_CONTEXT}"))
}

/// Reads a time: how long ago, a time of today, a date, a date and time; as Unix seconds.
pub(super) fn time(text: &str) -> Result<u64, String> {
    time_at(text, &Zoned::now())
}

fn time_at(text: &str, now: &Zoned) -> Result<u64, String> {
    let text = text.trim();
    let zone = now.time_zone();
    let today = now.start_of_day().ok();
    let found = match text.to_lowercase().as_str() {
        "now" => Some(now.clone()),
        "today" => today,
        "yesterday" => today.and_then(|today| today.yesterday().ok()),
        lower => None
            .or_else(|| {
                lower.parse::<Span>().ok().and_then(|span| now.checked_sub(span.abs()).ok())
            })
            .or_else(|| text.parse::<Timestamp>().ok().map(|time| time.to_zoned(zone.clone())))
            .or_else(|| seconds(text)?.to_zoned(zone.clone()).into())
            .or_else(|| text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok())
            .or_else(|| {
                // An hour alone could be any other number.
                let time = text.contains(':').then(|| text.parse().ok()).flatten()?;
                now.date().to_datetime(time).to_zoned(zone.clone()).ok()
            }),
    };
    let seconds = found.and_then(|time| u64::try_from(time.timestamp().as_second()).ok());
    seconds.ok_or_else(|| {
        "write how long ago (2h, 3d), today, yesterday, a time (14:30), a date (2026-11-20), or \
         both ('2026-11-20 14:30')"
            .to_owned()
    })
}

/// Unix seconds, which have more digits than any other number here.
fn seconds(text: &str) -> Option<Timestamp> {
    let seconds = text.parse().ok().filter(|_| text.len() >= 9)?;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_a_port_of_this_host() {
        for text in ["8081", "localhost:8081", "127.0.0.1:8081"] {
            assert_eq!(address(text), Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, 8081))));
        }
        let refused = address(":8081").unwrap_err();
        assert!(refused.contains("127.0.0.1:8081") && refused.contains("0.0.0.0:8081"));
        assert!(address("chat.example.com").unwrap_err().contains("127.0.0.1:8080"));
    }

    #[test]
    fn seconds_may_have_their_unit() {
        for (text, wanted) in [("30", 30), ("30s", 30), ("2m", 120), ("1h", 3_600)] {
            assert_eq!(whole_seconds(text), Ok(wanted));
        }
        for text in ["", "s", "soon", "-1", "1d", "99999999999999999999h"] {
            assert!(whole_seconds(text).is_err(), "{text}");
        }
    }
    use jiff::tz::TimeZone;

    #[test]
    fn times_are_read_as_people_write_them() {
        let east = TimeZone::fixed(jiff::tz::offset(1));
        let now = "2026-11-26T06:33:20+01".parse::<Timestamp>().unwrap().to_zoned(east);
        let offset = now.offset().seconds();
        let at = |text: &str| {
            let seconds = time_at(text, &now).unwrap_or_else(|why| panic!("{text}: {why}"));
            let local = i64::try_from(seconds).unwrap() + i64::from(offset);
            Timestamp::from_second(local).unwrap().to_string()
        };
        for (text, wanted) in [
            ("now", "2026-11-26T06:33:20Z"),
            ("2h", "2026-11-26T04:33:20Z"),
            ("3d", "2026-11-23T06:33:20Z"),
            ("1h30m", "2026-11-26T05:03:20Z"),
            ("today", "2026-11-26T00:00:00Z"),
            ("Yesterday", "2026-11-25T00:00:00Z"),
            ("05:30", "2026-11-26T05:30:00Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20 14:30", "2026-11-20T14:30:00Z"),
        ] {
            assert_eq!(at(text), wanted, "{text}");
        }
        assert_eq!(time_at("2026-11-20T14:30:00Z", &now), Ok(1_795_185_000));
        assert_eq!(time_at("1700000000", &now), Ok(1_700_000_000));
        for wrong in ["", "soon", "25:99", "2026-13-01", "12"] {
            assert!(time_at(wrong, &now).is_err(), "{wrong}");
        }
    }
}
