//! Encodes events, each in the newest version of its kind.

use super::parts::{WireReaction, WireReply, WireState, wire_marks, wire_person};
use super::wire::WireEvent;
use crate::log::record::{self, WireContent};
use crate::log::{LogError, Result};
use crate::model::event::Event;

/// Appends an event to bytes. `row` is the encoding of a new message, if that was made before.
#[allow(clippy::too_many_lines, reason = "one arm for each kind")]
pub(super) fn encode_to(event: &Event, row: Option<&[u8]>, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let failed = |error: &dyn std::fmt::Display| LogError(format!("an event: {error}"));
    let made;
    let wire = match event {
        Event::Opened { epoch, previous } => {
            WireEvent::OpenedV1 { epoch: epoch.number(), previous: previous.number() }
        }
        Event::Created { message: created, origin, marks } => {
            let message = if let Some(row) = row {
                row
            } else {
                made = record::encode(created).map_err(|error| failed(&error))?;
                &made
            };
            let (seq, origin) = (created.seq, *origin as u8);
            WireEvent::CreatedV1 { seq, message, origin, marks: wire_marks(marks) }
        }
        Event::Changed { seq, cause, state, marks } => WireEvent::ChangedV1 {
            seq: *seq,
            cause: *cause as u8,
            state: WireState::of(state),
            marks: wire_marks(marks),
        },
        Event::Routed { seq, platform, conversation, at } => {
            WireEvent::RoutedV1 { seq: *seq, platform, conversation, at: *at }
        }
        Event::PlatformSeen { platform, kind } => WireEvent::PlatformSeenV1 { platform, kind },
        Event::Recognized { seq, marks } => {
            WireEvent::RecognizedV1 { seq: *seq, marks: wire_marks(marks) }
        }
        Event::Deleted { seq } => WireEvent::DeletedV1 { seq: *seq },
        Event::ConversationNamed { platform, conversation, name } => {
            WireEvent::ConversationNamedV1 { platform, conversation, name }
        }
        Event::ConversationRead { platform, conversation, seq } => {
            WireEvent::ConversationReadV1 { platform, conversation, seq: *seq }
        }
        Event::ConversationSet { platform, conversation, muted, pinned } => {
            WireEvent::ConversationSetV1 { platform, conversation, muted: *muted, pinned: *pinned }
        }
        Event::Quarantined { event, reason, at } => {
            let event = serde_json::to_string(event).map_err(|error| failed(&error))?;
            WireEvent::QuarantinedV3 { event: event.into(), reason, at: *at }
        }
        Event::ContentSet { seq, content, is_edit, at } => WireEvent::ContentSetV1 {
            seq: *seq,
            content: WireContent::of(content),
            is_edit: *is_edit,
            at: *at,
        },
        Event::ReplyFound { seq, reply_to, at } => {
            WireEvent::ReplyFoundV1 { seq: *seq, reply_to: WireReply::of(reply_to), at: *at }
        }
        Event::Recalled { seq, by, hides, at } => WireEvent::RecalledV1 {
            seq: *seq,
            by: wire_person(by.as_ref()),
            hides: *hides,
            at: *at,
        },
        Event::Reacted { seq, reactions, at } => WireEvent::ReactedV1 {
            seq: *seq,
            reactions: reactions.iter().map(WireReaction::of).collect(),
            at: *at,
        },
        Event::RequestAnswered { id, approved, reason, at } => {
            WireEvent::RequestAnsweredV1 { id: *id, approved: *approved, reason, at: *at }
        }
        Event::Noticed { notice, request } => WireEvent::NoticedV1 {
            platform: &notice.platform,
            account: &notice.account,
            conversation: notice.conversation.as_deref(),
            kind: notice.kind.as_str(),
            user: wire_person(notice.user.as_ref()),
            operator: wire_person(notice.operator.as_ref()),
            text: &notice.text,
            at: notice.created_at,
            request: request.as_deref(),
        },
        Event::Released { offset } => WireEvent::ReleasedV1 { offset: *offset },
        Event::Forgotten(bounds) => WireEvent::ForgottenV1 {
            seen_before: bounds.seen_before,
            sent_before: bounds.sent_before,
            journal_before: bounds.journal_before,
            epochs_before: bounds.epochs_before,
            conversations: bounds.conversations.iter().map(|(p, c)| (&**p, &**c)).collect(),
        },
        Event::AdapterState(kept) => WireEvent::AdapterStateV1 {
            adapter: &kept.adapter,
            key: &kept.key,
            value: kept.value.as_deref(),
        },
        Event::RawEvent(told) => WireEvent::ToldV1 {
            platform: &told.platform,
            account: &told.account,
            frame: &told.frame,
            is_of_previous: told.is_of_previous,
            at: told.at,
            forget_before: told.forget_before,
        },
        Event::RecalledEarly(recall) => WireEvent::RecalledEarlyV1 {
            platform: &recall.platform,
            account: &recall.account,
            conversation: &recall.conversation,
            external_id: &recall.external_id,
            by: wire_person(recall.by.as_ref()),
            at: recall.at,
        },
        Event::RecallsLapsed { keys } => WireEvent::RecallsLapsedV1 { keys: keys.clone() },
        Event::KeysLapsed { keys } => WireEvent::KeysLapsedV1 { keys: keys.clone() },
        Event::PartSent { seq, external_id, marks } => {
            WireEvent::PartSentV1 { seq: *seq, external_id, marks: wire_marks(marks) }
        }
    };
    postcard::to_extend(&wire, bytes).map_err(|error| failed(&error))
}
