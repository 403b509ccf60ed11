//! One connection, from its first frame to its end.

use crate::adapter::transport::End;
use crate::adapter::transport::Reader;
use crate::metrics::METRICS;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long to wait for the first events, which tell who is there, before asking.
pub(in crate::adapter::onebot) const FIRST_EVENTS: Duration = Duration::from_secs(1);

/// What a version of OneBot makes of the frames.
pub(in crate::adapter::onebot) trait Session {
    /// Takes a frame; an error ends the connection.
    fn frame(&mut self, text: &str) -> impl Future<Output = Result<(), End>> + Send;

    /// Waits for something of its own to happen beside the frames, and deals with it.
    fn happen(&mut self) -> impl Future<Output = ()> + Send;

    /// How long the implementation may send nothing, once it announced heartbeats.
    fn heartbeat(&self) -> Option<Duration>;
}

/// How long to wait for the heartbeat that is announced for so many milliseconds from now.
pub(in crate::adapter::onebot) fn patience(interval: i64) -> Option<Duration> {
    /// No heartbeat is so fast that a second without one means anything.
    const SHORTEST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_hours(1);
    let interval = u64::try_from(interval).ok().filter(|interval| *interval > 0)?;
    let two_missed = Duration::from_millis(interval.saturating_mul(5) / 2);
    Some(two_missed.clamp(SHORTEST, LONGEST))
}

/// Frames that could not be read: each is skipped, and the log tells of the 1st, 2nd, 4th, 8th.
#[derive(Debug, Default)]
pub(in crate::adapter::onebot) struct Unreadable {
    count: u64,
}

impl Unreadable {
    pub(in crate::adapter::onebot) fn skip(&mut self, frame: &str, error: &serde_json::Error) {
        const EXCERPT: usize = 120;
        self.count += 1;
        METRICS.frames_skipped.inc();
        if self.count.is_power_of_two() {
            let excerpt: String = frame.chars().take(EXCERPT).collect();
            tracing::warn!(count = self.count, %error, excerpt, "skipped a frame that cannot be read");
        }
    }
}

/// Reads frames until the connection ends.
pub(in crate::adapter::onebot) async fn read(
    mut reader: Reader,
    session: &mut impl Session,
    stop: &CancellationToken,
) -> End {
    loop {
        let heartbeat = session.heartbeat();
        let frame = tokio::select! {
            biased;
            () = stop.cancelled() => return End::lost("rechat is stopping"),
            frame = reader.next(heartbeat) => frame,
            () = session.happen() => continue,
        };
        let text = match frame {
            Ok(text) => text,
            Err(closed) => return End::lost(closed.0),
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return End::lost("rechat is stopping"),
            taken = session.frame(&text) => if let Err(end) = taken { return end },
        }
    }
}
