//! Search and filters.

use super::fixture::{
    connected, contents, enter, many, message, on_screen, page, press, reply, serve, type_in,
};
use crate::client::HistoryPage;
use crate::model::message::Status;
use crate::tui::model::*;
use crossterm::event::KeyCode;

#[test]
fn a_search_finds_upwards_in_whatever_case() {
    let mut store = many(40);
    store[4].content = "the Needle".into();
    store[20].content = "a needle, too".into();
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('/'));
    type_in(&mut model, "nEEdle");
    press(&mut model, KeyCode::Enter);
    assert_eq!(model.stream().selected().unwrap().content.readable(), "a needle, too");
    press(&mut model, KeyCode::Char('n'));
    assert_eq!(model.stream().selected().unwrap().content.readable(), "the Needle");
    assert!(on_screen(&model).contains(&"the Needle".to_owned()));
    press(&mut model, KeyCode::Char('n'));
    assert_eq!(
        model.notice(),
        Some("no match further up in what is loaded; / and Tab searches everything")
    );
    press(&mut model, KeyCode::Char('N'));
    assert_eq!(model.stream().selected().unwrap().content.readable(), "a needle, too");
}

#[test]
fn a_server_that_cannot_search_does_not_confuse() {
    let mut store = many(500);
    store[480].content = "a needle".into();
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('/'));
    type_in(&mut model, "needle");
    press(&mut model, KeyCode::Tab);
    // The test's server ignores what is searched for, as an old one does.
    let asked = model.take_effects();
    let is_search = |effect: &Effect| matches!(effect, Effect::Ask(ServerRequest::Page { wanted, .. }) if wanted.query.as_deref() == Some("needle"));
    assert!(asked.iter().any(is_search), "{asked:?}");
    let Effect::Ask(ServerRequest::Page { ticket, wanted }) = &asked[0] else {
        panic!("{asked:?}")
    };
    let found = page(&store, wanted);
    model.update(reply(ServerReply::Page { ticket: *ticket, found }));
    assert_eq!(serve(&mut model, &store), []);
    assert_eq!(contents(&model), ["a needle"]);
    press(&mut model, KeyCode::Esc);
    serve(&mut model, &store);
    assert_eq!(contents(&model).last().unwrap(), "number 500");
}

#[test]
fn a_bounded_search_goes_on_where_the_server_ended() {
    let mut model = connected(80, 24, &many(10));
    press(&mut model, KeyCode::Char('/'));
    type_in(&mut model, "x");
    press(&mut model, KeyCode::Tab);
    let asked = model.take_effects();
    let Effect::Ask(ServerRequest::Page { ticket, .. }) = asked[0] else { panic!("{asked:?}") };
    let found = HistoryPage {
        messages: vec![message(9, "group_1", "x")],
        searched_to: Some("5".into()),
        ..HistoryPage::default()
    };
    model.update(reply(ServerReply::Page { ticket, found }));
    let asked = model.take_effects();
    let Effect::Ask(ServerRequest::Page { wanted, .. }) = &asked[0] else { panic!("{asked:?}") };
    assert_eq!(wanted.before.as_deref(), Some("5"));
}

#[test]
fn filters_limit_the_stream_and_escape_ends_them() {
    let mut store = many(5);
    store[1].status = Status::Failed;
    store[3].platform = Some("wechat".into());
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('f'));
    assert_eq!(model.stream().scope().status, Some(Status::Pending));
    for _ in 0..3 {
        press(&mut model, KeyCode::Char('f'));
    }
    serve(&mut model, &store);
    assert_eq!(contents(&model), ["number 2"]);
    press(&mut model, KeyCode::Esc);
    serve(&mut model, &store);
    press(&mut model, KeyCode::Char('p'));
    serve(&mut model, &store);
    assert_eq!(model.stream().scope().platform.as_deref(), Some("qq"));
    assert_eq!(contents(&model).len(), 4);
}

#[test]
fn a_hit_is_shown_with_what_was_said_around_it() {
    let mut store = many(500);
    store[30].content = "a Ｎｅｅｄｌｅ".into();
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('/'));
    type_in(&mut model, "needle");
    press(&mut model, KeyCode::Tab);
    let hits: Vec<_> = store.iter().filter(|m| scope::contains(m, "needle")).cloned().collect();
    serve(&mut model, &hits);
    assert_eq!(contents(&model), ["a Ｎｅｅｄｌｅ"]);
    assert_eq!(model.stream().scope().conversation, None, "all conversations are searched");
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Enter);
    serve(&mut model, &store);
    assert_eq!(model.title(), "group_1");
    assert!(on_screen(&model).contains(&"number 32".to_owned()));
    let shown = model.stream().visible();
    let marked = |row: &rows::ScreenRow| matches!(row, rows::ScreenRow::Text { spans, .. } if spans.iter().any(|span| span.is_hit && span.text == "Ｎｅｅｄｌｅ"));
    assert!(shown.iter().flat_map(|shown| &shown.rows).any(marked));
    press(&mut model, KeyCode::Esc);
    serve(&mut model, &hits);
    assert_eq!(contents(&model), ["a Ｎｅｅｄｌｅ"]);
}
