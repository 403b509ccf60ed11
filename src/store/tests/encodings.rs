//! Golden bytes of what is written to tables: a change of them is a new version.

use super::conversation::ConversationRow;
use super::journal::{self, EntryContent};
use super::tables::{PostingKey, pack, unpack};
use super::*;
use crate::log::record;
use crate::model::message::{Direction, Recall, ReplyTo};
use crate::model::notice::{Notice, NoticeKind};
use crate::model::reaction::Reaction;
use uuid::Uuid;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A message with every field.
fn full() -> Message {
    let ann = || Sender { id: "2".into(), name: "Ann".into() };
    let content = Content::of(vec![Segment::MentionAll {}, Segment::Text { text: "hello".into() }]);
    Message {
        status: Status::Failed,
        updated_at: 8,
        retry_count: 3,
        platform: Some("qq".into()),
        direction: Direction::Outbound,
        conversation_name: Some("Group".into()),
        sender: Some(ann()),
        account: Some("1".into()),
        last_error: Some("no answer".into()),
        external_id: Some("e".into()),
        original: Some("{}".into()),
        is_uncertain: true,
        is_unconfirmed: true,
        owner: Some("o".into()),
        reply_to: Some(Box::new(ReplyTo {
            id: Some(Uuid::from_u128(7)),
            external_id: Some("f".into()),
            sender: Some(ann()),
            ..ReplyTo::default()
        })),
        edited_at: Some(9),
        recall: Some(Box::new(Recall { at: 10, by: Some(ann()) })),
        reactions: vec![Reaction {
            emoji: "👍".into(),
            count: 2,
            mine: true,
            users: vec!["2".into()],
        }],
        via: Some("bot".into()),
        ..Message::new(4, Uuid::from_u128(5), content, "group_1".into(), 6)
    }
}

fn every_entry() -> Vec<EntryContent> {
    let notice = Notice {
        platform: "qq".into(),
        account: "1".into(),
        conversation: Some("group_1".into()),
        kind: NoticeKind::MemberJoined,
        user: Some(Sender { id: "2".into(), name: "Ann".into() }),
        operator: None,
        text: String::new(),
        created_at: 9,
        request: Some(3),
    };
    vec![
        EntryContent::Created { seq: 1 },
        EntryContent::StatusChanged {
            seq: 2,
            status: Status::Failed,
            retry_count: 3,
            updated_at: 4,
            last_error: Some("no answer".into()),
        },
        EntryContent::Updated { seq: 5 },
        EntryContent::Deleted {
            seq: 6,
            id: Uuid::from_u128(7),
            platform: Some("qq".into()),
            conversation: "group_1".into(),
        },
        EntryContent::ConversationChanged { platform: "qq".into(), conversation: "group_1".into() },
        EntryContent::Noticed(Box::new(notice)),
        EntryContent::PutBack { seq: 8 },
    ]
}

fn conversation() -> ConversationRow {
    ConversationRow {
        last_seq: 9,
        last_at: 10,
        name: Some("Group".into()),
        account: Some("1".into()),
        messages: 5,
        read_seq: 4,
        muted: true,
        pinned: true,
        ..ConversationRow::new(PostingKey(30))
    }
}

#[test]
fn rows_that_are_written_stay_readable() {
    let entries = every_entry().into_iter().enumerate().map(|(n, entry)| (100 + n as u64, entry));
    let rows = [
        record::encode(&full()).unwrap(),
        journal::encode(100, 50, entries).unwrap(),
        pack(&["qq", "group_1"], &conversation()).unwrap(),
    ];
    let lines: Vec<_> = rows.iter().map(|row| hex(row)).collect();
    let kept = include_str!("../../../tests/fixtures/store/rows.hex");
    assert_eq!(lines.join("\n"), kept.trim_end());
    assert_eq!(record::decode(4, &rows[0]), Ok(full()));
    let read = journal::decode(100, &rows[1]).unwrap();
    assert_eq!(read.into_iter().map(|row| row.entry).collect::<Vec<_>>(), every_entry());
    assert_eq!(unpack("", &["qq", "group_1"], &rows[2]), Ok(conversation()));
}
