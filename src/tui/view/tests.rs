use super::{Theme, draw};
use crate::client::watch;
use crate::model::content::Content;
use crate::model::message::{Message, MessageType, Sender, Status};
use crate::protocol::http::{AdapterStatus, State, Stats};
use crate::tui::model::tests::{connected, hear, message, model, own, press, serve, type_in};
use crate::tui::model::{Event, Model, Reply};
use crossterm::event::KeyCode;
use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn shown(model: &Model) -> TestBackend {
    let area = model.layout().screen;
    let mut terminal = Terminal::new(TestBackend::new(area.width, area.height)).unwrap();
    terminal.draw(|frame| draw(frame, model, Theme::new(true))).unwrap();
    terminal.backend().clone()
}

fn said(seq: u64, conversation: &str, name: &str, who: &str, content: &str) -> Message {
    let sender = Some(Sender { id: who.into(), name: who.into() });
    let conversation_name = Some(name.to_owned());
    Message { conversation_name, sender, ..message(seq, conversation, content) }
}

/// Some days of several conversations.
fn store() -> Vec<Message> {
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

fn in_use(width: u16, height: u16) -> Model {
    let mut model = connected(width, height, &store());
    let adapter = |platform: &str, state| AdapterStatus {
        kind: "onebot11".into(),
        platform: platform.to_owned(),
        account: None,
        state,
        reason: None,
        since: 0,
        sent: 0,
        received: 0,
        failed: 0,
        last_error: None,
    };
    let adapters = vec![adapter("qq", State::Connected), adapter("wechat", State::Error)];
    model.update(Event::Reply(Reply::Platforms(adapters)));
    let stats = Stats { pending: 1, sending: 0, sent: 7, failed: 1, canceled: 0, total: 9 };
    model.update(Event::Reply(Reply::Stats(stats)));
    model
}

#[test]
fn wide() {
    let mut model = in_use(120, 20);
    hear(&mut model, said(10, "group_2", "Rust 交流群", "小明", "new"));
    serve(&mut model, &store());
    assert_snapshot!(shown(&model));
}

#[test]
fn one_conversation_while_writing() {
    let mut model = in_use(80, 24);
    press(&mut model, KeyCode::Char('j'));
    press(&mut model, KeyCode::Enter);
    type_in(
        &mut model,
        "Does the crane take the long ropes too? 我们也可以用手搬，不过要多几个人才行。",
    );
    serve(&mut model, &store());
    assert_snapshot!(shown(&model));
}

#[test]
fn narrow() {
    let mut model = in_use(40, 14);
    assert_snapshot!("narrow_list", shown(&model));
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::PageUp);
    serve(&mut model, &store());
    assert_snapshot!("narrow_stream", shown(&model));
}

#[test]
fn tiny() {
    let mut model = in_use(20, 5);
    assert_snapshot!("tiny_list", shown(&model));
    press(&mut model, KeyCode::Tab);
    serve(&mut model, &store());
    assert_snapshot!("tiny_stream", shown(&model));
    model.update(Event::Resize(8, 2));
    serve(&mut model, &store());
    assert_snapshot!("too_small", shown(&model));
}

#[test]
fn help() {
    let mut model = in_use(90, 80);
    press(&mut model, KeyCode::Char('?'));
    serve(&mut model, &store());
    assert_snapshot!(shown(&model));
}

#[test]
fn details() {
    let mut model = in_use(80, 24);
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Enter);
    serve(&mut model, &store());
    assert_snapshot!(shown(&model));
}

#[test]
fn searching() {
    let mut model = in_use(80, 24);
    press(&mut model, KeyCode::Char('/'));
    type_in(&mut model, "THE");
    serve(&mut model, &store());
    assert_snapshot!("searching", shown(&model));
    press(&mut model, KeyCode::Enter);
    serve(&mut model, &store());
    assert_snapshot!("found", shown(&model));
}

#[test]
fn away() {
    let why = "no server answers at http://test:8080: Connection refused";
    let mut model = model(80, 12);
    model.update(Event::Watch(watch::Event::Away(why.into())));
    serve(&mut model, &[]);
    assert_snapshot!("away_at_first", shown(&model));
    let mut model = in_use(80, 12);
    model.update(Event::Watch(watch::Event::Away(why.into())));
    serve(&mut model, &[]);
    assert_snapshot!("away_later", shown(&model));
}

#[test]
fn an_empty_store() {
    let mut model = model(80, 16);
    model.update(Event::Watch(watch::Event::Here { since: 0 }));
    serve(&mut model, &[]);
    assert_snapshot!(shown(&model));
}

#[test]
fn nothing_that_others_wrote_steers_the_terminal() {
    for (width, height) in [(120, 20), (80, 24), (40, 14), (20, 5)] {
        let mut model = in_use(width, height);
        for key in [KeyCode::Tab, KeyCode::Char('g'), KeyCode::Enter] {
            serve(&mut model, &store());
            let backend = shown(&model);
            let cells = backend.buffer().content().iter().flat_map(|cell| cell.symbol().chars());
            let harmful = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}');
            assert!(!cells.into_iter().any(harmful));
            press(&mut model, key);
        }
    }
}

#[test]
fn without_colours_there_are_none() {
    let model = in_use(80, 24);
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| draw(frame, &model, Theme::new(false))).unwrap();
    let mut cells = terminal.backend().buffer().content().iter();
    assert!(cells.all(|cell| (cell.fg, cell.bg) == Default::default()));
}
