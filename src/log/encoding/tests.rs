//! Golden bytes of every event.

use super::wire::{CAUSES, ORIGINS};
use super::*;
use crate::model::content::{Content, Segment};
use crate::model::event::{
    AdapterState, DedupeKey, EarlyRecall, MessageState, RawEvent, RetentionBounds,
};
use crate::model::inbound::{AlikeEntries, Inbound};
use crate::model::message::{Draft, MessageType, ReplyTo, Sender, Status};
use crate::model::notice::{Notice, NoticeKind};
use crate::model::platform_event::{MessageTarget, PlatformEvent};
use crate::model::reaction::{Reaction, ReactionChange};
use proptest::prelude::*;
use uuid::Uuid;

/// Every kind of event, each part of it said.
#[allow(clippy::too_many_lines, reason = "every field of every event")]
pub fn every_event() -> Vec<Event> {
    let draft = Draft::new(MessageType::Image, "https://hi".into(), "g".into(), Some("qq".into()));
    let mut message = draft.unwrap().into_message(7, Uuid::from_u128(9), 5);
    message.owner = Some("main".into());
    let marks = vec![DedupeKey::Seen(1, 2), DedupeKey::Sent(3, 4), DedupeKey::Key(5, 6, 7)];
    let state = Box::new(MessageState {
        status: Status::Failed,
        updated_at: 300,
        retry_count: 2,
        platform: Some("qq".into()),
        account: Some("1".into()),
        last_error: Some("no".into()),
        external_id: Some("e".into()),
        is_uncertain: true,
        is_unconfirmed: true,
        owner: Some("o".into()),
    });
    let segments = Content::of(vec![
        Segment::Mention { user: "1".into(), name: Some("Me".into()), me: true },
        Segment::Text { text: "c".into() },
    ]);
    let reply_to = ReplyTo {
        id: Some(Uuid::from_u128(8)),
        sender: Some(Sender { id: "2".into(), name: "Ann".into() }),
        content: Some("what".into()),
        external_id: Some("x".into()),
    };
    let inbound = Box::new(Inbound {
        platform: "qq".into(),
        account: "1".into(),
        conversation: "g".into(),
        conversation_name: Some("G".into()),
        sender: Sender { id: "2".into(), name: "Ann".into() },
        content: segments.clone(),
        reply_to: Some(Box::new(reply_to.clone())),
        external_id: "e".into(),
        time: 5,
        own: true,
        from_history: true,
        alike: AlikeEntries::default(),
        clock_ahead: Some(0),
        original: Some("o".into()),
        fingerprint: None,
    });
    let person = Some(Sender { id: "2".into(), name: "Ann".into() });
    let notice = Notice {
        platform: "qq".into(),
        account: "1".into(),
        conversation: Some("g".into()),
        kind: NoticeKind::MemberMuted,
        user: person.clone(),
        operator: person.clone(),
        text: "60".into(),
        created_at: 9,
        request: None,
    };
    let users = vec!["2".to_owned()];
    let reactions = vec![Reaction { emoji: "76".into(), count: 3, mine: true, users }];
    let bounds = RetentionBounds {
        seen_before: 1,
        sent_before: 2,
        journal_before: 3,
        epochs_before: 4,
        conversations: vec![("qq".into(), "g".into())],
    };
    let mut all = vec![Event::Opened { epoch: Epoch::new(1), previous: Epoch::new(300) }];
    for origin in ORIGINS {
        let (message, marks) = (Box::new(message.clone()), marks.clone());
        all.push(Event::Created { message, origin, marks });
    }
    for cause in CAUSES {
        all.push(Event::Changed { seq: 7, cause, state: state.clone(), marks: marks.clone() });
    }
    all.extend([
        Event::Recognized { seq: 7, marks },
        Event::Deleted { seq: 7 },
        Event::ConversationNamed {
            platform: "qq".into(),
            conversation: "g".into(),
            name: "G".into(),
        },
        Event::Quarantined {
            event: Box::new(PlatformEvent::Received { message: inbound, at: 9 }),
            reason: "r".into(),
            at: 9,
        },
        Event::Released { offset: 8 },
        Event::Routed { seq: 7, platform: "qq".into(), conversation: "group_1".into(), at: 9 },
        Event::PlatformSeen { platform: "qq".into(), kind: "onebot11".into() },
        Event::Forgotten(Box::new(bounds)),
        Event::ContentSet { seq: 7, content: Content::text("new"), is_edit: true, at: 9 },
        Event::ContentSet { seq: 7, content: segments, is_edit: false, at: 9 },
        Event::ReplyFound { seq: 7, reply_to: Box::new(reply_to), at: 9 },
        Event::Recalled { seq: 7, by: person, hides: true, at: 9 },
        Event::Reacted { seq: 7, reactions, at: 9 },
        Event::Noticed { notice: Box::new(notice), request: Some("flag".into()) },
        Event::RequestAnswered { id: 3, approved: true, reason: "no".into(), at: 9 },
        Event::ConversationRead { platform: "qq".into(), conversation: "g".into(), seq: 300 },
        Event::ConversationSet {
            platform: "qq".into(),
            conversation: "g".into(),
            muted: true,
            pinned: false,
        },
    ]);
    for value in [Some(vec![1, 2]), None] {
        let (adapter, key) = ("ilink".into(), "cursor".into());
        all.push(Event::AdapterState(Box::new(AdapterState { adapter, key, value })));
    }
    all.push(Event::RawEvent(Box::new(RawEvent {
        platform: "qq".into(),
        account: "1".into(),
        frame: "{}".into(),
        is_of_previous: true,
        at: 9,
        forget_before: 8,
    })));
    all.push(Event::RecalledEarly(Box::new(EarlyRecall {
        platform: "qq".into(),
        account: "1".into(),
        conversation: "g".into(),
        external_id: "e".into(),
        by: Some(Sender { id: "2".into(), name: "Ann".into() }),
        at: 9,
    })));
    all.push(Event::RecallsLapsed { keys: vec![1, 300] });
    let marks = vec![DedupeKey::Sent(3, 4)];
    all.push(Event::PartSent { seq: 7, external_id: "e".into(), marks });
    all.push(Event::KeysLapsed { keys: vec![(9, 300)] });
    all.extend(every_other_event().into_iter().map(|event| {
        let (event, reason) = (Box::new(event), "r".to_owned());
        Event::Quarantined { event, reason, at: 9 }
    }));
    all
}

/// An event of a platform of each kind that is no message.
fn every_other_event() -> Vec<PlatformEvent> {
    let target = || MessageTarget::External {
        account: "1".into(),
        platform: "qq".into(),
        conversation: "g".into(),
        external_id: "e".into(),
    };
    let (id, at) = (uuid::Uuid::from_u128(5), 9);
    let by = Some(Sender { id: "2".into(), name: "Ann".into() });
    let on = |on| ReactionChange::Set { emoji: "76".into(), user: "2".into(), mine: true, on };
    let counted = ReactionChange::Counted { emoji: "76".into(), count: 3 };
    let react = |change| PlatformEvent::Reacted { target: target(), change, at };
    let notice = Box::new(Notice {
        platform: "qq".into(),
        account: "1".into(),
        conversation: Some("g".into()),
        kind: NoticeKind::Poke,
        user: by.clone(),
        operator: None,
        text: "t".into(),
        created_at: 9,
        request: None,
    });
    vec![
        PlatformEvent::Recalled { target: target(), by, at },
        PlatformEvent::Recalled { target: MessageTarget::Id(id), by: None, at },
        PlatformEvent::Edited { target: target(), content: Content::text("new"), at },
        react(on(true)),
        react(counted),
        PlatformEvent::Noticed { notice, request: Some("flag".into()) },
        PlatformEvent::Named { platform: "qq".into(), conversation: "g".into(), name: "G".into() },
        PlatformEvent::MentionNamed { target: target(), user: "2".into(), name: "Ann".into(), at },
        PlatformEvent::ReplyFound { target: target(), reply_to: Box::default(), at },
        PlatformEvent::SentLate {
            id,
            account: Some("1".into()),
            external_id: Some("e".into()),
            is_unconfirmed: true,
            at,
        },
        PlatformEvent::RefusedLate { id, reason: "no".into(), retryable: true, at },
        PlatformEvent::PartSent { id, index: 1, external_id: Some("e".into()), at },
        PlatformEvent::Told {
            platform: "qq".into(),
            account: "1".into(),
            frame: "{}".into(),
            meaning: None,
            at,
            forget_before: 8,
        },
    ]
}

#[test]
fn what_is_written_stays_readable() {
    let hex = |event: &Event| {
        let bytes = encode_event(event).unwrap();
        bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    };
    let lines: Vec<_> = every_event().iter().map(hex).collect();
    let kept = include_str!("../../../tests/fixtures/store/events.hex");
    assert_eq!(lines.join("\n"), kept.trim_end());
}

#[test]
fn older_forms_are_read() {
    let kept = include_str!("../../../tests/fixtures/store/events-1.hex");
    for line in kept.lines() {
        let byte = |at| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..line.len()).step_by(2).map(byte).collect();
        assert!(decode_event(&bytes).is_some(), "{line}");
    }
}

#[test]
fn an_event_reads_back() {
    for event in every_event() {
        assert_eq!(decode_event(&encode_event(&event).unwrap()), Some(event));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_event(&bytes);
        let _ = decode_payload(1, &bytes);
    }
}
