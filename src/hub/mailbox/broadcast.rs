//! Frames on their way to the mailboxes of sessions.

use crate::adapter::AdapterStatusChange;
use crate::hub::frame::FrameBatch;
use crate::model::subscription::Position;
use std::sync::Arc;

/// The form of a session's frames, and how it reads from the store when it is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrameForm {
    /// New messages without cursors; read from the messages by `seq`.
    #[default]
    Messages,
    /// Frames without cursors; read from the journal by offset.
    Stream,
    /// Frames with cursors; read from the journal by offset.
    Events,
}

impl FrameForm {
    /// Whether the session reads by offset.
    pub(in crate::hub) fn is_by_offset(self) -> bool {
        self != Self::Messages
    }

    /// Whether frames have a cursor.
    pub(in crate::hub) fn shows_cursor(self) -> bool {
        self == Self::Events
    }
}

/// Frames that are sent to every session of some topic.
pub(in crate::hub) struct Broadcast<'h> {
    /// Grows with each handout, so that a session with several matching topics gets it once.
    pub number: u64,
    /// The frames, with or without cursors.
    pub batches: &'h dyn Fn(bool) -> &'h [Arc<FrameBatch>],
    pub subject: HandoutSubject<'h>,
}

/// Subject of a handout.
#[derive(Clone, Copy)]
pub(in crate::hub) enum HandoutSubject<'h> {
    /// Events; after the handout, everything up to here was sent.
    Log(Position),
    /// The state of an adapter, which has no position in the log; sent after everything up to here.
    Adapter(&'h Arc<AdapterStatusChange>, Position),
    /// The present state of a conversation, sent after everything up to here; sessions that read
    /// the journal find it there.
    Conversation(Position),
}
