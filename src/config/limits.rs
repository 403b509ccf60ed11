//! Limits of clients.

use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use std::time::Duration;

/// Limits of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientLimits {
    /// Bytes of a request's body, and of a WebSocket frame.
    pub body_bytes: usize,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Seconds a request's head may take to arrive.
    pub head_seconds: u64,
    /// Seconds a request's body may take to arrive.
    pub body_seconds: u64,
    /// Seconds until a request that waits for the disk is given up.
    pub answer_seconds: u64,
    /// Connections over TCP at one time; the Unix socket is not counted.
    pub connections: usize,
    /// Connections from one address; those of `trusted_proxies` are not counted.
    pub connections_per_address: usize,
    /// WebSocket sessions and streams at one time.
    pub sessions: usize,
    /// Implementations that have dialled in at one time.
    pub adapters: usize,
    /// Exports at one time: each holds a commit of the store, and a thread.
    pub exports: usize,
    /// Uploads of media at one time.
    pub uploads: usize,
    /// Bytes that bodies of requests and answers hold in memory at one time.
    pub memory_bytes: usize,
    /// Wrong tokens a minute from one address; further ones are answered with 429.
    pub wrong_tokens: NonZeroU32,
    /// Commands a second that a session may give.
    pub session_commands: NonZeroU32,
    /// Frames that wait for a session; with more, it reads from the store until it has caught up.
    pub session_frames: usize,
    /// Bytes that wait for a session.
    pub session_bytes: usize,
    /// Pairs of platform and conversation that a session may be subscribed to.
    pub session_pairs: usize,
    /// Seconds between pings to a session.
    pub ping_seconds: u64,
    /// Seconds after which a session is closed that sends no answer to a ping, or a client that reads
    /// nothing.
    pub idle_seconds: u64,
    /// Seconds that running requests have to end when the server stops.
    pub stop_seconds: u64,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            head_bytes: 64 << 10,
            head_seconds: 10,
            body_seconds: 30,
            answer_seconds: 30,
            connections: 10_000,
            connections_per_address: 1000,
            sessions: 10_000,
            adapters: 64,
            exports: 8,
            uploads: 16,
            memory_bytes: 256 << 20,
            wrong_tokens: NonZeroU32::new(30).unwrap_or(NonZeroU32::MIN),
            session_commands: NonZeroU32::new(20_000).unwrap_or(NonZeroU32::MIN),
            session_frames: 256,
            session_bytes: 1 << 20,
            session_pairs: 1000,
            ping_seconds: 30,
            idle_seconds: 300,
            stop_seconds: 4,
        }
    }
}

impl ClientLimits {
    /// How long running requests have to end when the server stops.
    pub fn stop(&self) -> Duration {
        Duration::from_secs(self.stop_seconds)
    }
}
