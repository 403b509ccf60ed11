//! One connection, from its first frame to its end.

use super::scalar::Scalar;
use crate::adapter::transport::ConnectionEnd;
use crate::adapter::transport::{Reader, SocketClosed, TextFrame};
use crate::metrics::METRICS;
use crate::protocol::json::repair;
use serde::Deserialize;
use std::fmt;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long to wait for the first events, which name the account, before asking for it.
pub(in crate::adapter::onebot) const FIRST_EVENTS_TIMEOUT: Duration = Duration::from_secs(1);

/// The reason of a connection that ends on our side.
const ENDED_HERE: &str =
    "rechat ended it: rechat stops, or the adapter or the tokens were configured anew";

/// One connection as a version of OneBot sees it.
pub(in crate::adapter::onebot) trait OneBotSession {
    /// Takes a frame; an error ends the connection.
    fn frame(&mut self, text: &str) -> impl Future<Output = Result<(), ConnectionEnd>> + Send;

    /// Waits for something else than a frame, such as who the account is, and deals with it; an
    /// error ends the connection.
    fn other_event(&mut self) -> impl Future<Output = Result<(), ConnectionEnd>> + Send;

    /// Takes a frame that is over the limit, to be passed over.
    fn too_large(&mut self, text: &str);

    /// Notes why the connection ends.
    fn closed(&mut self, closed: &SocketClosed);

    /// How long the implementation may send nothing, once it announced heartbeats.
    fn heartbeat(&self) -> Option<Duration>;
}

/// How long to wait for the next heartbeat, given the interval that the last one announced.
///
/// The interval is in milliseconds (OneBot 11: event/meta.md; OneBot 12:
/// interface/meta/events.md); some write seconds, and no heartbeat comes several times a second.
pub(in crate::adapter::onebot) fn patience(interval: i64) -> Option<Duration> {
    const SECONDS_BELOW: u64 = 1000;
    const MIN: Duration = Duration::from_secs(10);
    const MAX: Duration = Duration::from_hours(1);
    let interval = match u64::try_from(interval).ok()? {
        0 => return None,
        seconds @ ..SECONDS_BELOW => Duration::from_secs(seconds),
        milliseconds => Duration::from_millis(milliseconds),
    };
    let two_missed = interval.saturating_mul(5) / 2;
    Some(two_missed.clamp(MIN, MAX))
}

/// The echo of an answer; none for an event.
pub(in crate::adapter::onebot) fn echo_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Echo<'a> {
        #[serde(borrow, default)]
        echo: Scalar<'a>,
    }
    let frame: Echo<'_> = serde_json::from_str(text).ok()?;
    frame.echo.text().map(str::to_owned)
}

/// Frames that were not kept: counted, and the log tells of the 1st, 2nd, 4th, 8th.
#[derive(Debug, Default)]
pub(in crate::adapter::onebot) struct Skipped {
    count: u64,
}

impl Skipped {
    pub(in crate::adapter::onebot) fn note(&mut self, frame: &str, reason: &dyn fmt::Display) {
        const EXCERPT: usize = 120;
        self.count += 1;
        METRICS.frames_skipped.inc();
        if self.count.is_power_of_two() {
            let excerpt: String = frame.chars().take(EXCERPT).collect();
            tracing::warn!(count = self.count, %reason, excerpt, "skipped a frame");
        }
    }
}

/// Reads frames until the connection ends.
pub(in crate::adapter::onebot) async fn read(
    mut reader: Reader,
    session: &mut impl OneBotSession,
    stop: &CancellationToken,
) -> ConnectionEnd {
    loop {
        let heartbeat = session.heartbeat();
        let frame = tokio::select! {
            biased;
            () = stop.cancelled() => return ConnectionEnd::lost(ENDED_HERE),
            frame = reader.next(heartbeat) => frame,
            dealt_with = session.other_event() => match dealt_with {
                Ok(()) => continue,
                Err(end) => return end,
            },
        };
        let text = match frame {
            Ok(TextFrame::Text(text)) => text,
            Ok(TextFrame::TooLarge(text)) => {
                session.too_large(&text);
                continue;
            }
            Err(closed) => {
                session.closed(&closed);
                return ConnectionEnd::lost(closed.reason());
            }
        };
        let text = repair(&text);
        tokio::select! {
            biased;
            () = stop.cancelled() => return ConnectionEnd::lost(ENDED_HERE),
            taken = session.frame(&text) => if let Err(end) = taken { return end },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_below_a_second_is_meant_in_seconds() {
        for (interval, seconds) in
            [(5, 12), (30, 75), (300, 750), (5000, 12), (15_000, 37), (60_000, 150)]
        {
            assert_eq!(patience(interval).map(|patience| patience.as_secs()), Some(seconds));
        }
        assert_eq!(patience(0), None);
        assert_eq!(patience(-5), None);
    }

    #[test]
    fn a_fast_heartbeat_may_miss_several() {
        for interval in [1, 2, 1000, 2000] {
            assert_eq!(patience(interval), Some(Duration::from_secs(10)), "{interval}");
        }
        assert_eq!(patience(i64::MAX), Some(Duration::from_hours(1)));
    }
}
