//! Events as they are encoded, one arm for each kind and version.

use super::parts::{
    WireInbound, WireInboundV1, WireMark, WireReaction, WireReply, WireState, person, wire_marks,
    wire_person,
};
use crate::log::record::{self, WireContent};
use crate::log::{LogError, Result};
use crate::model::cursor::Epoch;
use crate::model::event::{
    AdapterState, EarlyRecall, Event, How, Mark, Origin, RetentionBounds, Told,
};
use crate::model::notice::Notice;
use serde::{Deserialize, Serialize};

/// An event as it is encoded.
#[derive(Serialize, Deserialize)]
enum WireEvent<'a> {
    OpenedV1 {
        epoch: u64,
        previous: u64,
    },
    CreatedV1 {
        seq: u64,
        /// In the versioned form of the messages' table.
        message: &'a [u8],
        origin: u8,
        marks: Vec<WireMark>,
    },
    ChangedV1 {
        seq: u64,
        how: u8,
        #[serde(borrow)]
        state: WireState<'a>,
        marks: Vec<WireMark>,
    },
    RecognizedV1 {
        seq: u64,
        marks: Vec<WireMark>,
    },
    DeletedV1 {
        seq: u64,
    },
    ConversationNamedV1 {
        platform: &'a str,
        conversation: &'a str,
        name: &'a str,
    },
    SetAsideV1 {
        #[serde(borrow)]
        inbound: WireInboundV1<'a>,
        reason: &'a str,
        at: u64,
    },
    ReleasedV1 {
        offset: u64,
    },
    ForgottenV1 {
        seen_before: u64,
        sent_before: u64,
        journal_before: u64,
        epochs_before: u64,
        #[serde(borrow)]
        conversations: Vec<(&'a str, &'a str)>,
    },
    RoutedV1 {
        seq: u64,
        platform: &'a str,
        conversation: &'a str,
        at: u64,
    },
    PlatformSeenV1 {
        platform: &'a str,
        kind: &'a str,
    },
    SetAsideV2 {
        #[serde(borrow)]
        inbound: WireInbound<'a>,
        reason: &'a str,
        at: u64,
    },
    ContentSetV1 {
        seq: u64,
        #[serde(borrow)]
        content: WireContent<'a>,
        is_edit: bool,
        at: u64,
    },
    ReplyFoundV1 {
        seq: u64,
        #[serde(borrow)]
        reply_to: WireReply<'a>,
        at: u64,
    },
    RecalledV1 {
        seq: u64,
        by: Option<(&'a str, &'a str)>,
        hides: bool,
        at: u64,
    },
    ReactedV1 {
        seq: u64,
        #[serde(borrow)]
        reactions: Vec<WireReaction<'a>>,
        at: u64,
    },
    NoticedV1 {
        platform: &'a str,
        account: &'a str,
        conversation: Option<&'a str>,
        /// As the contract spells it.
        kind: &'a str,
        user: Option<(&'a str, &'a str)>,
        operator: Option<(&'a str, &'a str)>,
        text: &'a str,
        at: u64,
        request: Option<&'a str>,
    },
    RequestAnsweredV1 {
        id: u64,
        approved: bool,
        reason: &'a str,
        at: u64,
    },
    AdapterStateV1 {
        adapter: &'a str,
        key: &'a str,
        value: Option<&'a [u8]>,
    },
    ConversationReadV1 {
        platform: &'a str,
        conversation: &'a str,
        seq: u64,
    },
    ConversationSetV1 {
        platform: &'a str,
        conversation: &'a str,
        muted: bool,
        pinned: bool,
    },
    ToldV1 {
        platform: &'a str,
        account: &'a str,
        frame: &'a str,
        is_of_previous: bool,
        at: u64,
        forget_before: u64,
    },
    RecalledEarlyV1 {
        platform: &'a str,
        account: &'a str,
        conversation: &'a str,
        external_id: &'a str,
        by: Option<(&'a str, &'a str)>,
        at: u64,
    },
}

pub(super) const ORIGINS: [Origin; 3] = [Origin::Made, Origin::Received, Origin::Imported];
pub(super) const HOWS: [How; 4] = [How::Claimed, How::AttemptEnded, How::StatusSet, How::Completed];

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
        Event::Changed { seq, how, state, marks } => WireEvent::ChangedV1 {
            seq: *seq,
            how: *how as u8,
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
        Event::SetAside { inbound, reason, at } => {
            WireEvent::SetAsideV2 { inbound: WireInbound::of(inbound), reason, at: *at }
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
        Event::Told(told) => WireEvent::ToldV1 {
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
    };
    postcard::to_extend(&wire, bytes).map_err(|error| failed(&error))
}

/// The event at the beginning, and what follows it.
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
            marks: marks.into_iter().map(Mark::from).collect(),
        },
        WireEvent::ChangedV1 { seq, how, state, marks } => Event::Changed {
            seq,
            how: *HOWS.get(usize::from(how))?,
            state: Box::new(state.read()?),
            marks: marks.into_iter().map(Mark::from).collect(),
        },
        WireEvent::RecognizedV1 { seq, marks } => {
            Event::Recognized { seq, marks: marks.into_iter().map(Mark::from).collect() }
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
        WireEvent::SetAsideV1 { inbound, reason, at } => {
            Event::SetAside { inbound: Box::new(inbound.read()?), reason: reason.into(), at }
        }
        WireEvent::SetAsideV2 { inbound, reason, at } => {
            Event::SetAside { inbound: Box::new(inbound.read()?), reason: reason.into(), at }
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
            let told = Told { platform, account, frame, is_of_previous, at, forget_before };
            Event::Told(Box::new(told))
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
    };
    Some((event, rest))
}
