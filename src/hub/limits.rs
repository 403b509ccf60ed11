//! Bounds of a session.

/// Bounds of one session.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Frames that wait for a session; with more, it reads from the store until it has caught up.
    pub frames: usize,
    /// Bytes that wait for a session.
    pub bytes: usize,
    /// Topics of a session.
    pub topics: usize,
}
