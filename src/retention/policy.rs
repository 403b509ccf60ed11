//! How long messages and their media are kept.

/// Bounds of retention; nothing is deleted where neither is set. Messages that wait to be sent always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Seconds since a message was written.
    pub age: Option<u64>,
    /// Messages in all.
    pub count: Option<u64>,
    /// Seconds after which the bytes of a message's media are removed.
    pub media_age: Option<u64>,
}
