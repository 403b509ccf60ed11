//! Acknowledgements of events. OneBot and Satori have none, so a ping follows the events: its pong
//! proves that the framework's library has read everything before it (RFC 6455, section 5.5).

use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// The acknowledgements of one connection.
#[derive(Default)]
pub(super) struct Acknowledgements {
    /// The offset of the newest ping.
    asked: AtomicU64,
    /// The offset up to which everything was read.
    read: watch::Sender<u64>,
}

impl Acknowledgements {
    /// Changes whenever more was read.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.read.subscribe()
    }

    /// The ping that asks whether everything up to an offset was read.
    pub(super) fn ping(&self, offset: u64) -> Message {
        self.asked.fetch_max(offset, Ordering::Relaxed);
        Message::Ping(Bytes::copy_from_slice(&offset.to_be_bytes()))
    }

    /// Notes a pong. Some programs send unsolicited pongs, so an offset that was not sent does not
    /// count.
    pub(super) fn note_pong(&self, payload: &[u8]) {
        let Ok(offset) = payload.try_into().map(u64::from_be_bytes) else { return };
        if offset <= self.asked.load(Ordering::Relaxed) {
            self.read.send_modify(|known| *known = offset.max(*known));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_that_nobody_asked_for_acknowledges_nothing() {
        let acknowledgements = Acknowledgements::default();
        let read = acknowledgements.changes();
        let pong = |offset: u64| acknowledgements.note_pong(&offset.to_be_bytes());
        pong(7);
        let Message::Ping(payload) = acknowledgements.ping(5) else { panic!() };
        for odd in [&b""[..], b"12345678", b"123456789"] {
            acknowledgements.note_pong(odd);
        }
        pong(6);
        assert_eq!(*read.borrow(), 0);
        acknowledgements.note_pong(&payload);
        pong(3);
        assert_eq!(*read.borrow(), 5);
    }
}
