mod fixture;

use super::{Theme, draw};
use crate::client::watch;
use crate::model::content::Content;
use crate::model::message::{Message, MessageType, ReplyTo};
use crate::protocol::http::PlatformState;
use crate::tui::language::tests::in_chinese;
use crate::tui::model::tests::fixture::{
    connected, message, model, press, receive, reply, serve, type_in,
};
use crate::tui::model::{ServerReply, TuiEvent};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use fixture::{adapter, in_use, lively, lively_group, said, shown, store};
use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

#[test]
fn wide() {
    let mut model = in_use(120, 20);
    receive(&mut model, said(10, "group_2", "Rust 交流群", "小明", "new"));
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
    model.update(TuiEvent::Resize(8, 2));
    serve(&mut model, &store());
    assert_snapshot!("too_small", shown(&model));
}

#[test]
fn help() {
    let mut model = in_use(90, 134);
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
fn chosen_messages_are_marked() {
    let mut model = in_use(80, 24);
    press(&mut model, KeyCode::Tab);
    for key in "kttt".chars() {
        press(&mut model, KeyCode::Char(key));
    }
    press(&mut model, KeyCode::Char('j'));
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
    model.update(TuiEvent::Watch(watch::WatchEvent::Away(why.into())));
    serve(&mut model, &[]);
    assert_snapshot!("away_at_first", shown(&model));
    let mut model = in_use(80, 12);
    model.update(TuiEvent::Watch(watch::WatchEvent::Away(why.into())));
    serve(&mut model, &[]);
    assert_snapshot!("away_later", shown(&model));
}

#[test]
fn an_empty_store() {
    let mut model = model(80, 16);
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 0 }));
    serve(&mut model, &[]);
    assert_snapshot!(shown(&model));
}

#[test]
fn a_lively_group_at_every_size() {
    for (width, height) in [(220, 50), (120, 40), (100, 30), (80, 24), (60, 16), (40, 12)] {
        let mut model = lively_group(width, height);
        assert_snapshot!(format!("lively_{width}x{height}"), shown(&model));
        press(&mut model, KeyCode::Esc);
        press(&mut model, KeyCode::Char('k'));
        press(&mut model, KeyCode::Char('r'));
        type_in(&mut model, "/file ~/cake.png");
        serve(&mut model, &lively());
        assert_snapshot!(format!("replying_{width}x{height}"), shown(&model));
        press(&mut model, KeyCode::Esc);
        press(&mut model, KeyCode::Esc);
        press(&mut model, KeyCode::BackTab);
        serve(&mut model, &lively());
        assert_snapshot!(format!("list_{width}x{height}"), shown(&model));
        model.update(TuiEvent::Key(KeyEvent::new(KeyCode::Char('k'), KeyModifiers::CONTROL)));
        type_in(&mut model, "a");
        serve(&mut model, &lively());
        assert_snapshot!(format!("jump_{width}x{height}"), shown(&model));
    }
}

#[test]
fn a_lively_group_in_chinese() {
    in_chinese(|| {
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let mut model = lively_group(width, height);
            assert_snapshot!(format!("chinese_{width}x{height}"), shown(&model));
            press(&mut model, KeyCode::Esc);
            press(&mut model, KeyCode::Char('?'));
            assert_snapshot!(format!("chinese_keys_{width}x{height}"), shown(&model));
        }
        let mut model = lively_group(80, 24);
        press(&mut model, KeyCode::Esc);
        press(&mut model, KeyCode::Up);
        press(&mut model, KeyCode::Enter);
        assert_snapshot!("chinese_message", shown(&model));
    });
}

#[test]
fn everything_about_a_forward() {
    let mut model = lively_group(100, 40);
    press(&mut model, KeyCode::Esc);
    for _ in 0..6 {
        press(&mut model, KeyCode::Char('k'));
    }
    press(&mut model, KeyCode::Enter);
    serve(&mut model, &lively());
    assert_snapshot!(shown(&model));
}

#[test]
fn accounts_of_one_platform_are_named_in_the_last_row() {
    let mut model = in_use(120, 20);
    let connected = |platform, account| adapter(platform, Some(account), PlatformState::Connected);
    let adapters = vec![connected("qq", "1"), connected("qq", "2"), connected("wechat", "3")];
    model.update(reply(ServerReply::Platforms(adapters)));
    let screen = shown(&model).to_string();
    assert!(screen.contains("● qq/1  ● qq/2  ● wechat  "), "{screen}");
}

#[test]
fn bytes_and_addresses_of_files_are_nowhere() {
    let data = "QUJD".repeat(1_000);
    let picture = Content::of_type(MessageType::Image, format!("base64://{data}"));
    let address = Content::of_type(MessageType::Image, "https://cdn.example.com/x?token=1".into());
    let mut store = vec![
        Message { content: picture, ..message(1, "group_1", "") },
        Message { content: address, ..message(2, "group_1", "") },
        message(3, "group_1", "look"),
    ];
    store[2].reply_to = Some(Box::new(ReplyTo::of(&store[1])));
    let model = connected(100, 20, &store);
    let screen = shown(&model).to_string();
    assert!(!screen.contains("QUJD") && !screen.contains("token"), "{screen}");
    assert!(
        screen.contains("[image] 3 kB") && screen.contains("[image] cdn.example.com"),
        "{screen}"
    );
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
