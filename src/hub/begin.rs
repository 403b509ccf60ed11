//! The beginning of a subscription: found in the store, and how far a session goes back for it.

use super::Hub;
use super::reading::{StoreReading, seq_at};
use super::replay::{Interest, TooManyReplays};
use super::resume::ResumePoint;
use super::subscribe_request::{ReplayStart, SubscribeRefused};
use crate::model::cursor::Cursor;
use crate::model::subscription::Position;
use crate::store::Store;

/// A beginning that is in the store.
pub(super) struct KnownBegin {
    since: Position,
    point: ResumePoint,
}

/// A session that went back to the beginning of a subscription.
pub(super) struct Rewound {
    /// `None` if it stays live.
    pub(super) reading: Option<StoreReading>,
    /// The new topics count after this position.
    pub(super) from: Position,
}

/// The cursor of an offset has to be read from the store first.
pub(super) struct NoKnownCursor {
    pub(super) offset: u64,
}

/// The position before the first event that follows; the first of the known cursors is that of the
/// head.
pub(super) fn beginning(
    begin: Option<&KnownBegin>,
    reading: Option<&StoreReading>,
    known: [Cursor; 2],
) -> Result<ResumePoint, NoKnownCursor> {
    if let Some(begin) = begin {
        return Ok(begin.point);
    }
    let Some(reading) = reading else { return Ok(known[0].into()) };
    let offset = reading.offset();
    let cursor = known.into_iter().find(|cursor| cursor.offset == offset);
    cursor.map(|cursor| reading.resume_at(cursor)).ok_or(NoKnownCursor { offset })
}

impl ReplayStart {
    /// Waits until readers of the store see the event or message that it names, which another node of a
    /// cluster may have shown already.
    pub(super) async fn wait_until_seen(self, store: &Store) {
        match self {
            Self::Now => {}
            Self::Message(seq) => store.catch_up_with(0, seq).await,
            Self::Event(point) => store.catch_up_with(point.cursor.offset, 0).await,
        }
    }
}

impl Hub {
    /// Finds the beginning of a subscription; waits until the hub has sent earlier commits.
    pub(super) async fn find_begin(
        &self,
        since: ReplayStart,
        store: &Store,
    ) -> Result<Option<KnownBegin>, SubscribeRefused> {
        let view = store.view();
        let wanted = match since {
            ReplayStart::Message(seq) => seq,
            ReplayStart::Now | ReplayStart::Event(_) => 0,
        };
        let view = || view.as_ref().map_err(|error| SubscribeRefused::Store(error.clone()));
        if wanted > 0 && wanted > self.lock().head.seq {
            let head = view()?.head();
            if wanted > head {
                return Err(SubscribeRefused::BeyondHead { head });
            }
        }
        self.caught_up(wanted).await;
        let ReplayStart::Event(point) = since else { return Ok(None) };
        let view = view()?;
        let Some(offset) = view.offset_of(point.cursor)? else {
            let is_too_old = view.is_too_old(point.cursor)?;
            return Err(if is_too_old {
                SubscribeRefused::CursorTooOld
            } else {
                SubscribeRefused::OtherStore
            });
        };
        let seq = match point.older {
            Some(older) => older.through,
            None => seq_at(view, offset)?,
        };
        Ok(Some(KnownBegin { since: Position { seq, offset }, point }))
    }
}

/// The progress in the store of a session after a subscription begins. `reading` is its progress before,
/// and `behind` makes one of a session that was live.
pub(super) fn rewind(
    mut reading: Option<StoreReading>,
    behind: impl FnOnce() -> StoreReading,
    (since, begin): (ReplayStart, Option<&KnownBegin>),
    interest: &Interest,
    head: Position,
) -> Result<Rewound, TooManyReplays> {
    let from = match (since, begin) {
        (ReplayStart::Message(seq), _) => {
            if seq < head.seq {
                reading.get_or_insert_with(behind).rewind_to_message(seq, interest)?;
            }
            Position { seq, offset: head.offset }
        }
        (ReplayStart::Event(point), Some(KnownBegin { since, .. })) => {
            let reading = reading.get_or_insert_with(behind);
            reading.rewind_to_event(*since, point.older, interest)?;
            let seq = point.older.map_or(since.seq, |older| older.after);
            Position { seq, offset: since.offset }
        }
        _ => head,
    };
    Ok(Rewound { reading, from })
}
