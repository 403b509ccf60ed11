//! Chats to draw, and the screen that they give.

use super::super::{Theme, draw};
use crate::model::content::{Content, ForwardItem, Media, Segment};
use crate::model::message::{Message, MessageType, Recall, ReplyTo, Sender, Status};
use crate::model::reaction::Reaction;
use crate::protocol::http::{self, AdapterStatus, ConnectionCodes, PlatformState, Stats};
use crate::tui::model::tests::fixture::{
    NOON, connected, conversation, message, own, press, reply, serve,
};
use crate::tui::model::{Model, ServerReply};
use crossterm::event::KeyCode;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

pub(super) fn shown(model: &Model) -> TestBackend {
    let area = model.layout().screen;
    let mut terminal = Terminal::new(TestBackend::new(area.width, area.height)).unwrap();
    terminal.draw(|frame| draw(frame, model, Theme::new(true))).unwrap();
    terminal.backend().clone()
}

pub(super) fn said(seq: u64, conversation: &str, name: &str, who: &str, content: &str) -> Message {
    let sender = Some(Sender { id: who.into(), name: who.into() });
    let conversation_name = Some(name.to_owned());
    Message { conversation_name, sender, ..message(seq, conversation, content) }
}

/// Some days of several conversations.
pub(super) fn store() -> Vec<Message> {
    let day = 24 * 60 * 60;
    let mut store = vec![
        said(1, "group_1", "Harbour crew", "Alice", "The tide is at six tomorrow."),
        said(
            2,
            "group_2",
            "Rust 交流群",
            "小明",
            "今晚八点开会，请大家准时参加，记得带上上周的报告和下周的计划表。",
        ),
        said(
            3,
            "group_1",
            "Harbour crew",
            "Zoë",
            "Thanks. I bring the ropes and the charts, and somebody should ask whether the crane is free.",
        ),
        own(4, "group_1", "It is, I asked.", Status::Sent),
        said(
            5,
            "private_3",
            "Mallory",
            "Mallory",
            "\u{1b}]0;owned\u{7}\u{1b}[2J bell\u{9b}31m user\u{202e}gnp.exe",
        ),
        said(
            6,
            "group_2",
            "Rust 交流群",
            "👩‍🚀 Kim",
            "e\u{301}te\u{301} 👨‍👩‍👧‍👦 ❤\u{fe0f} 👍🏽 🇩🇪 שלום العائلة",
        ),
        said(7, "group_1", "Harbour crew", "Alice", "https://example.com/chart.png"),
        own(8, "group_1", "See you there", Status::Failed),
        own(9, "group_1", "One more thing", Status::Pending),
    ];
    let url = store[6].content.readable().into_owned();
    store[6].content = Content::of_type(MessageType::Image, url);
    store[7].last_error = Some("refused with retcode 1400: no such group".into());
    for message in &mut store[2..] {
        message.created_at += day;
    }
    store
}

pub(super) fn adapter(
    platform: &str,
    account: Option<&str>,
    state: PlatformState,
) -> AdapterStatus {
    AdapterStatus {
        kind: "onebot11".into(),
        platform: platform.to_owned(),
        account: account.map(str::to_owned),
        state,
        reason: None,
        since: 0,
        sent: 0,
        received: 0,
        failed: 0,
        last_error: None,
        codes: ConnectionCodes::default(),
    }
}

pub(super) fn in_use(width: u16, height: u16) -> Model {
    let mut model = connected(width, height, &store());
    let adapters = vec![
        adapter("qq", None, PlatformState::Connected),
        adapter("wechat", None, PlatformState::Error),
    ];
    model.update(reply(ServerReply::Platforms(adapters)));
    let stats = Stats { pending: 1, sending: 0, sent: 7, failed: 1, canceled: 0, total: 9 };
    model.update(reply(ServerReply::Stats(stats)));
    model
}

fn text(text: &str) -> Segment {
    Segment::Text { text: text.into() }
}

/// A group in which everything is said that there is a form for.
pub(super) fn lively() -> Vec<Message> {
    let name = "读书会";
    let of = |seq, who, segments| {
        let content = Content::of(segments);
        Message { content, ..said(seq, "group_77", name, who, "") }
    };
    let mention = |user: &str, name: &str, me| Segment::Mention {
        user: user.into(),
        name: Some(name.into()),
        me,
    };
    let file = |name: &str, size, url: &str| Media {
        name: Some(name.into()),
        size: Some(size),
        url: Some(url.into()),
        ..Media::default()
    };
    let item = |who: &str, segments| ForwardItem {
        sender: Sender { id: who.into(), name: who.into() },
        created_at: NOON,
        segments,
    };
    let reactions = vec![
        Reaction { emoji: "👍".into(), count: 2, mine: true, users: Vec::new() },
        Reaction { emoji: "❤".into(), count: 1, mine: false, users: Vec::new() },
    ];
    let mut store = vec![
        said(1, "group_77", name, "Ann", "明天几点开会？"),
        of(2, "小波", vec![mention("Ann", "Ann", false), text(" 三点")]),
        of(3, "Cy", vec![mention("1", "Me", true), text("你也来？ https://example.com/map")]),
        of(
            4,
            "Ann",
            vec![
                text("上次的照片"),
                Segment::Image(file("3F2A.png", 871_157, "https://x/3f2a")),
                text("好看吗"),
                Segment::Emoji { name: Some("微笑".into()), id: Some("14".into()), url: None },
            ],
        ),
        of(5, "小波", vec![Segment::File(file("季度.pdf", 52_341, "https://x/q"))]),
        of(
            6,
            "Cy",
            vec![Segment::Forward {
                title: Some("昨天".into()),
                items: vec![
                    item("Ann", vec![text("早")]),
                    item("小波", vec![text("看"), Segment::Image(file("A.png", 5, "https://x/a"))]),
                ],
                id: None,
            }],
        ),
        of(
            7,
            "Ann",
            vec![Segment::Card {
                title: Some("How to fold a map".into()),
                text: Some("Ten minutes".into()),
                url: Some("https://example.com/fold".into()),
                image: None,
            }],
        ),
        said(8, "group_77", name, "Cy", "I did not mean to say this"),
        own(9, "group_77", "I come, too, and bring the long list of books", Status::Sent),
        own(10, "group_77", "And a cake", Status::Pending),
        said(11, "group_77", name, "小波", "太好了"),
    ];
    let answer = |message: &Message| Some(Box::new(ReplyTo::of(message)));
    store[1].reply_to = answer(&store[0]);
    store[2].reply_to = answer(&store[1]);
    store[1].reactions = reactions;
    store[7].recall = Some(Box::new(Recall { at: NOON, by: None }));
    store[8].edited_at = Some(NOON);
    store[9].waiting = Some("no adapter of qq is connected; it is sent when one is".into());
    store
}

/// The lively group, of which the last message is unread, and some quiet conversations.
pub(super) fn lively_group(width: u16, height: u16) -> Model {
    let store = lively();
    let mut model = connected(width, height, &store);
    let quiet = |name: &str, last_seq| http::Conversation {
        name: Some(name.into()),
        last_message: Some(said(90, name, name, name, "see you")),
        ..conversation(name, last_seq)
    };
    let listed = vec![
        http::Conversation {
            name: Some("读书会".into()),
            last_message: store.last().cloned(),
            unread: 1,
            mentions: 1,
            ..conversation("group_77", 11)
        },
        http::Conversation { pinned: true, ..quiet("Family", 3) },
        http::Conversation { muted: true, unread: 40, ..quiet("Announcements", 2) },
        http::Conversation { unread: 7, ..quiet("Harbour crew", 1) },
    ];
    model.update(reply(ServerReply::Conversations(listed)));
    model.update(reply(ServerReply::Stats(Stats { pending: 1, total: 11, ..Stats::default() })));
    press(&mut model, KeyCode::Char('j'));
    press(&mut model, KeyCode::Char('j'));
    press(&mut model, KeyCode::Enter);
    serve(&mut model, &store);
    model
}
