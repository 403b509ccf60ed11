//! The connection to the server: away, back, another store.

use super::fixture::{NOON, connected, contents, many, message, model, own, reply, serve};
use crate::client::watch;
use crate::model::message::{Message, Status};
use crate::protocol::event::MessageDeleted;
use crate::tui::model::*;
use uuid::Uuid;

#[test]
fn a_server_that_is_away_is_shown_and_nothing_is_asked() {
    let mut model = model(80, 24);
    assert_eq!(model.connection(), &ConnectionState::Connecting);
    model.update(TuiEvent::Watch(watch::WatchEvent::Away("no server answers".into())));
    model.update(TuiEvent::Tick(NOON + 1));
    assert_eq!(model.take_effects(), []);
    assert_eq!(model.connection(), &ConnectionState::Lost("no server answers".into()));
}

#[test]
fn another_store_begins_anew() {
    let mut model = connected(80, 24, &many(50));
    model.update(TuiEvent::Watch(watch::WatchEvent::Away("it has gone".into())));
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 2 }));
    serve(&mut model, &many(2));
    assert_eq!(contents(&model), ["number 1", "number 2"]);
}

#[test]
fn the_same_store_goes_on_with_the_events_that_were_missed() {
    let mut store = many(50);
    store.push(own(51, "group_1", "mine", Status::Pending));
    let mut model = connected(80, 24, &store);
    model.take_effects();
    model.update(TuiEvent::Watch(watch::WatchEvent::Away("it has gone".into())));
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 51 }));
    model.update(TuiEvent::Tick(NOON + 1));
    let asked = model.take_effects();
    let wanted =
        [ServerRequest::Platforms, ServerRequest::Stats, ServerRequest::Requests].map(Effect::Ask);
    assert_eq!(asked, wanted, "the rest is told");
    let routed =
        Message { platform: Some("wechat".into()), ..own(51, "group_1", "mine", Status::Sent) };
    model.update(TuiEvent::Watch(watch::WatchEvent::Updated(Box::new(routed))));
    assert_eq!(model.stream().window().by_id(Uuid::from_u128(51)).unwrap().status, Status::Sent);
    let deleted = MessageDeleted {
        id: Uuid::from_u128(50),
        platform: "qq".into(),
        conversation: "group_1".into(),
        seq: 50,
    };
    model.update(TuiEvent::Watch(watch::WatchEvent::Deleted(deleted)));
    assert_eq!(contents(&model).len(), 50);
}

#[test]
fn a_store_that_was_replaced_is_loaded_afresh_with_a_word() {
    let mut model = connected(80, 24, &many(50));
    model.take_effects();
    model.update(TuiEvent::Watch(watch::WatchEvent::StoreReplaced));
    // Its newest message has the same place by chance.
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 50 }));
    serve(&mut model, &many(3));
    assert_eq!(contents(&model), ["number 1", "number 2", "number 3"]);
    assert!(model.notice().is_some_and(|notice| notice.contains("loaded again")));
}

#[test]
fn what_failed_while_the_server_was_away_is_not_shown_when_it_is_back() {
    let mut model = connected(100, 20, &many(3));
    model.update(TuiEvent::Watch(watch::WatchEvent::Away("gone".into())));
    model.update(reply(ServerReply::Failed("no server answers".into())));
    assert_eq!(model.notice(), Some("no server answers"));
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 3 }));
    assert_eq!(model.notice(), None);
}

#[test]
fn a_platform_that_did_not_come_back_with_the_server_is_away() {
    let store = [message(1, "group_1", "hello")];
    let mut model = connected(80, 24, &store);
    assert_eq!(model.away_platforms(), [""; 0]);
    model.update(reply(ServerReply::Platforms(Vec::new())));
    assert_eq!(model.away_platforms(), ["qq"]);
    // One that was silent for long is not missed.
    model.update(TuiEvent::Tick(NOON + 8 * 86_400));
    assert_eq!(model.away_platforms(), [""; 0]);
}
