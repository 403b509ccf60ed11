//! Bounds of sessions.

/// Limits of each session, and of all together.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Frames that wait for a session; beyond it, the session reads from the store until it has
    /// caught up.
    pub frames: usize,
    /// Bytes that wait for a session.
    pub bytes: usize,
    /// Bytes that frames read from the store hold, all sessions together.
    pub replay_bytes: usize,
    /// Topics of a session.
    pub topics: usize,
}
