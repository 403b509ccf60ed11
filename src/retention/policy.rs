//! How long messages and their media are kept.

/// Bounds of retention. Nothing is deleted if neither is set. Messages that wait to be sent are
/// always kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Seconds since a message was written.
    pub age: Option<u64>,
    /// Number of messages to keep.
    pub count: Option<u64>,
    /// Seconds after which the bytes of a message's media are removed.
    pub media_age: Option<u64>,
}
