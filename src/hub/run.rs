//! Runs of changes that go to the same sessions: new messages of one conversation and direction, or one
//! change of another kind.

use super::frame::FrameContent;
use crate::model::change::{Change, ChangeEffect};
use crate::model::cursor::{Cursor, Epoch};
use crate::model::message::{Direction, Message};
use crate::protocol::event::{EventKind, MessageStatus};
use crate::store::Head;

/// One event of a run, and the head after it.
pub(super) type RunEvent<'c> = (FrameContent<'c>, Head);

/// Whether two changes are new messages of one conversation and direction.
pub(super) fn goes_with(one: &Change, next: &Change) -> bool {
    let (ChangeEffect::Created(one), ChangeEffect::Created(next)) = (&one.effect, &next.effect)
    else {
        return false;
    };
    one.recipient == next.recipient
        && one.platform == next.platform
        && one.direction == next.direction
}

/// The events of a run with their kind and conversation; `head` moves past them.
pub(super) fn events<'c>(
    run: &'c [Change],
    epoch: Epoch,
    head: &mut Head,
) -> Option<(EventKind, (&'c str, &'c str), Vec<RunEvent<'c>>)> {
    let mut events = Vec::with_capacity(run.len());
    let mut found = None;
    for Change { offset, effect } in run {
        head.cursor = Cursor { epoch, offset: *offset };
        let (kind, content) = match effect {
            // Sent already.
            ChangeEffect::Created(message) if message.seq <= head.seq => continue,
            ChangeEffect::Created(message) => {
                head.seq = message.seq;
                (EventKind::NewMessage, FrameContent::New(message))
            }
            ChangeEffect::StatusChanged(message) => {
                (EventKind::MessageStatus, FrameContent::Status(MessageStatus::of(message)))
            }
            // It is not new, and its `seq` is an old one.
            ChangeEffect::Updated(message) | ChangeEffect::PutBack(message) => {
                (EventKind::MessageUpdated, FrameContent::Updated(message))
            }
            ChangeEffect::Deleted(message) => {
                let Message { id, platform, recipient, seq, .. } = message;
                let platform = platform.as_deref();
                let content =
                    FrameContent::Deleted { id: *id, platform, conversation: recipient, seq: *seq };
                (EventKind::MessageDeleted, content)
            }
            ChangeEffect::Noticed(notice) => {
                let conversation = notice.conversation.as_deref().unwrap_or_default();
                found = Some((EventKind::Notice, (&*notice.platform, conversation)));
                (EventKind::Notice, FrameContent::Notice(notice))
            }
            ChangeEffect::AttemptEnded(_) => continue,
            // Its present state is sent separately.
            ChangeEffect::ConversationChanged { platform, conversation } => {
                found = Some((EventKind::ConversationUpdated, (&**platform, &**conversation)));
                continue;
            }
        };
        if let Some(message) = effect.message() {
            found = Some((kind, (message.platform_or_local(), &*message.recipient)));
        }
        events.push((content, *head));
    }
    let (kind, topic) = found?;
    Some((kind, topic, events))
}

/// Counts the new messages of a run, for each direction and platform of a commit.
pub(super) fn count<'c>(
    run: &'c [Change],
    new: usize,
    counts: &mut Vec<((Direction, &'c str), u64)>,
) {
    let Some(message) = run.first().and_then(|change| change.effect.message()) else { return };
    let of = (message.direction, message.platform_or_local());
    match counts.iter_mut().find(|(known, _)| *known == of) {
        Some((_, count)) => *count += new as u64,
        None => counts.push((of, new as u64)),
    }
}
