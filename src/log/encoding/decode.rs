//! Decodes events of every version.

use super::parts::{WireReaction, person};
use super::wire::{CAUSES, ORIGINS, WireEvent};
use crate::log::record;
use crate::model::cursor::Epoch;
use crate::model::event::{AdapterState, DedupeKey, EarlyRecall, Event, RawEvent, RetentionBounds};
use crate::model::inbound::Inbound;
use crate::model::notice::Notice;
use crate::model::platform_event::PlatformEvent;

/// The event at the beginning of some bytes, and the bytes after it.
#[allow(clippy::too_many_lines, reason = "one arm for each kind and version")]
pub(super) fn take_event(bytes: &[u8]) -> Option<(Event, &[u8])> {
    let (wire, rest) = postcard::take_from_bytes::<WireEvent<'_>>(bytes).ok()?;
    let event = match wire {
        WireEvent::OpenedV1 { epoch, previous } => {
            Event::Opened { epoch: Epoch::new(epoch), previous: Epoch::new(previous) }
        }
        WireEvent::CreatedV1 { seq, message, origin, marks } => Event::Created {
            message: Box::new(record::decode(seq, message).ok()?),
            origin: *ORIGINS.get(usize::from(origin))?,
            marks: marks.into_iter().map(DedupeKey::from).collect(),
        },
        WireEvent::ChangedV1 { seq, cause, state, marks } => Event::Changed {
            seq,
            cause: *CAUSES.get(usize::from(cause))?,
            state: Box::new(state.read()?),
            marks: marks.into_iter().map(DedupeKey::from).collect(),
        },
        WireEvent::RecognizedV1 { seq, marks } => {
            Event::Recognized { seq, marks: marks.into_iter().map(DedupeKey::from).collect() }
        }
        WireEvent::RoutedV1 { seq, platform, conversation, at } => {
            Event::Routed { seq, platform: platform.into(), conversation: conversation.into(), at }
        }
        WireEvent::PlatformSeenV1 { platform, kind } => {
            Event::PlatformSeen { platform: platform.into(), kind: kind.into() }
        }
        WireEvent::DeletedV1 { seq } => Event::Deleted { seq },
        WireEvent::ConversationNamedV1 { platform, conversation, name } => {
            Event::ConversationNamed {
                platform: platform.into(),
                conversation: conversation.into(),
                name: name.into(),
            }
        }
        WireEvent::QuarantinedV1 { inbound, reason, at } => {
            quarantined(inbound.read()?, reason, at)
        }
        WireEvent::QuarantinedV2 { inbound, reason, at } => {
            quarantined(inbound.read()?, reason, at)
        }
        WireEvent::QuarantinedV3 { event, reason, at } => {
            let event = Box::new(serde_json::from_str(&event).ok()?);
            Event::Quarantined { event, reason: reason.into(), at }
        }
        WireEvent::ContentSetV1 { seq, content, is_edit, at } => {
            Event::ContentSet { seq, content: content.read()?, is_edit, at }
        }
        WireEvent::ReplyFoundV1 { seq, reply_to, at } => {
            Event::ReplyFound { seq, reply_to: Box::new(reply_to.read()), at }
        }
        WireEvent::RecalledV1 { seq, by, hides, at } => {
            Event::Recalled { seq, by: by.map(person), hides, at }
        }
        WireEvent::ReactedV1 { seq, reactions, at } => Event::Reacted {
            seq,
            reactions: reactions.into_iter().map(WireReaction::read).collect(),
            at,
        },
        WireEvent::RequestAnsweredV1 { id, approved, reason, at } => {
            Event::RequestAnswered { id, approved, reason: reason.into(), at }
        }
        WireEvent::NoticedV1 {
            platform,
            account,
            conversation,
            kind,
            user,
            operator,
            text,
            at,
            request,
        } => Event::Noticed {
            notice: Box::new(Notice {
                platform: platform.into(),
                account: account.into(),
                conversation: conversation.map(str::to_owned),
                kind: kind.parse().ok()?,
                user: user.map(person),
                operator: operator.map(person),
                text: text.into(),
                created_at: at,
                request: None,
            }),
            request: request.map(str::to_owned),
        },
        WireEvent::ConversationReadV1 { platform, conversation, seq } => Event::ConversationRead {
            platform: platform.into(),
            conversation: conversation.into(),
            seq,
        },
        WireEvent::ConversationSetV1 { platform, conversation, muted, pinned } => {
            Event::ConversationSet {
                platform: platform.into(),
                conversation: conversation.into(),
                muted,
                pinned,
            }
        }
        WireEvent::ReleasedV1 { offset } => Event::Released { offset },
        WireEvent::ForgottenV1 {
            seen_before,
            sent_before,
            journal_before,
            epochs_before,
            conversations,
        } => Event::Forgotten(Box::new(RetentionBounds {
            seen_before,
            sent_before,
            journal_before,
            epochs_before,
            conversations: conversations.into_iter().map(|(p, c)| (p.into(), c.into())).collect(),
        })),
        WireEvent::AdapterStateV1 { adapter, key, value } => {
            let (adapter, key, value) = (adapter.into(), key.into(), value.map(<[u8]>::to_vec));
            Event::AdapterState(Box::new(AdapterState { adapter, key, value }))
        }
        WireEvent::ToldV1 { platform, account, frame, is_of_previous, at, forget_before } => {
            let (platform, account, frame) = (platform.into(), account.into(), frame.into());
            let told = RawEvent { platform, account, frame, is_of_previous, at, forget_before };
            Event::RawEvent(Box::new(told))
        }
        WireEvent::RecalledEarlyV1 { platform, account, conversation, external_id, by, at } => {
            Event::RecalledEarly(Box::new(EarlyRecall {
                platform: platform.into(),
                account: account.into(),
                conversation: conversation.into(),
                external_id: external_id.into(),
                by: by.map(person),
                at,
            }))
        }
        WireEvent::RecallsLapsedV1 { keys } => Event::RecallsLapsed { keys },
        WireEvent::KeysLapsedV1 { keys } => Event::KeysLapsed { keys },
        WireEvent::PartSentV1 { seq, external_id, marks } => Event::PartSent {
            seq,
            external_id: external_id.into(),
            marks: marks.into_iter().map(DedupeKey::from).collect(),
        },
    };
    Some((event, rest))
}

fn quarantined(message: Inbound, reason: &str, at: u64) -> Event {
    let event = PlatformEvent::Received { message: Box::new(message), at };
    Event::Quarantined { event: Box::new(event), reason: reason.into(), at }
}
