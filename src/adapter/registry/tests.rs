use super::*;
use crate::adapter::api::{Kind, WindowClosed};
use table::{MAX_CHANGES, MAX_ENTRIES};

static KIND: Kind = Kind {
    name: "test",
    title: "Test",
    platform: "qq",
    paths: &[],
    addresses: |_| true,
    resolve: |recipient, _| Ok(recipient.to_owned()),
    is_fallback: false,
    loses_media: false,
    advice: "",
    keys: &[],
};

fn new<'a>(account: Option<&'a str>, entry: Option<&'a ConfiguredEntry>) -> NewConnection<'a> {
    let settings = Arc::new(Settings::new(&KIND));
    NewConnection { settings, platform: "qq", account, entry, offline: None, window: None }
}

/// The changes published so far, as `account: State`.
fn published(changes: &mut Changes) -> Vec<String> {
    let mut told = Vec::new();
    while let Ok(change) = changes.receiver.try_recv() {
        told.push(format!("{}: {:?}", change.account.as_deref().unwrap_or("-"), change.state));
    }
    told
}

#[test]
fn each_change_is_published_once() {
    let registry = Registry::new();
    let mut changes = registry.changes();
    let (first, _queue) = registry.connect_for_requests(&new(Some("1"), None));
    let event_only = registry.connect(&new(Some("1"), None));
    assert_eq!(published(&mut changes), ["1: Connected"]);
    first.offline("the account was logged out");
    first.offline("still");
    assert_eq!(published(&mut changes), ["1: Error"]);
    assert!(registry.handle("qq", None).is_none());
    assert!(first.online() && !first.online());
    drop(first);
    assert_eq!(published(&mut changes), ["1: Connected"]);
    event_only.end(PlatformState::Disconnected, "bye");
    assert_eq!(published(&mut changes), ["1: Disconnected"]);
}

#[test]
fn an_old_connection_does_not_take_the_new_one_down() {
    let registry = Registry::new();
    let (old, _old_queue) = registry.connect_for_requests(&new(Some("1"), None));
    let (_new, _queue) = registry.connect_for_requests(&new(Some("1"), None));
    let newest = registry.handle("qq", None).unwrap().connection;
    let mut changes = registry.changes();
    old.end(PlatformState::Disconnected, "lost");
    assert_eq!(registry.handle("qq", None).unwrap().connection, newest);
    assert_eq!(published(&mut changes), Vec::<String>::new());
}

#[test]
fn an_account_that_becomes_known_keeps_its_state() {
    let registry = Registry::new();
    let mut changes = registry.changes();
    let configured = registry.add_configured(&Settings::new(&KIND));
    configured.set_state(PlatformState::Connecting, None);
    let (mut known, _queue) = registry.connect_for_requests(&new(None, Some(&configured)));
    known.identify("1");
    assert_eq!(published(&mut changes), ["-: Connecting", "-: Connected"]);
    let rows = registry.platforms();
    assert_eq!(rows.len(), 1, "the account stands in for its entry: {rows:?}");
    drop(known);
    configured.set_state(PlatformState::Connecting, Some("refused"));
    assert_eq!(published(&mut changes), ["1: Disconnected", "1: Connecting"]);
    assert_eq!(registry.platforms()[0].last_error.as_deref(), Some("refused"));
    assert_eq!(registry.platforms()[0].reason.as_deref(), Some("refused"));
    let _again = registry.connect(&new(Some("1"), Some(&configured)));
    assert_eq!(published(&mut changes), ["1: Connected"]);
    let connected = &registry.platforms()[0];
    assert_eq!((&connected.reason, &connected.last_error), (&None, &None), "it is over");
}

#[test]
fn the_preferred_account_else_the_one_connected_longest() {
    let registry = Registry::new();
    let (_one, _queue_one) = registry.connect_for_requests(&new(Some("1"), None));
    let (two, _queue_two) = registry.connect_for_requests(&new(Some("2"), None));
    let _events_only = registry.connect(&new(Some("3"), None));
    let account = |preferred| registry.handle("qq", preferred).unwrap().account.unwrap();
    assert_eq!(account(None), "1");
    assert_eq!(account(Some("2")), "2");
    assert_eq!(account(Some("3")), "1");
    drop(two);
    assert_eq!(account(Some("2")), "1");
    assert!(registry.handle("wechat", None).is_none());
    assert_eq!(registry.connected().len(), 1);
}

#[test]
fn what_passes_is_counted() {
    let registry = Registry::new();
    let _configured = registry.add_configured(&Settings::new(&KIND));
    let _connected = registry.connect(&new(Some("1"), None));
    registry.count_sent("qq", Some("1"));
    registry.count_received("qq", Some("1"));
    registry.count_failed("qq", Some("1"), "refused");
    let rows = registry.platforms();
    assert_eq!((&*rows[0].kind, rows[0].state), ("test", PlatformState::Disconnected));
    assert_eq!((rows[1].sent, rows[1].received, rows[1].failed), (1, 1, 1));
    assert_eq!(rows[1].last_error.as_deref(), Some("refused"));
}

#[test]
fn accounts_that_are_gone_do_not_pile_up() {
    let registry = Registry::new();
    for account in 0..2 * MAX_ENTRIES {
        drop(registry.connect(&new(Some(&account.to_string()), None)));
    }
    assert_eq!(registry.platforms().len(), MAX_ENTRIES);
}

#[tokio::test]
async fn a_reader_that_lags_is_told_the_present_states() {
    let registry = Registry::new();
    let mut changes = registry.changes();
    for _ in 0..MAX_CHANGES {
        drop(registry.connect(&new(Some("1"), None)));
    }
    let _live = registry.connect(&new(Some("1"), None));
    assert_eq!(changes.next().await.state, PlatformState::Connected);
    let _other = registry.connect(&new(Some("2"), None));
    assert_eq!(changes.next().await.account.as_deref(), Some("2"));
}

#[derive(Debug)]
struct ClosedAt(u64);

impl Window for ClosedAt {
    fn closed(&self, conversation: &str, at: u64) -> Option<WindowClosed> {
        let reason = format!("{conversation} is closed");
        (at < self.0).then_some(WindowClosed { reason, until: Some(self.0) })
    }
}

#[test]
fn an_account_may_be_shown_without_a_connection_and_closed_with_one() {
    let registry = Registry::new();
    let settings = Settings { time_to_live: Some(Duration::from_mins(5)), ..Settings::new(&KIND) };
    let settings = Arc::new(settings);
    let window: Arc<dyn Window> = Arc::new(ClosedAt(7));
    let new = NewConnection { settings, window: Some(window), ..new(Some("1"), None) };
    registry.show(&new, PlatformState::Error, Some("log in again"));
    assert_eq!(registry.fault("qq", None).as_deref(), Some("log in again"));
    assert_eq!(registry.time_to_live("qq"), Some(Duration::from_mins(5)));
    assert!(registry.handle("qq", None).is_none());
    let (connected, _queue) = registry.connect_for_requests(&new);
    assert_eq!(registry.fault("qq", None), None);
    registry.forget("qq", "1");
    let handle = registry.handle("qq", None).unwrap();
    assert_eq!(handle.closed("c", 6).map(|closed| closed.reason).as_deref(), Some("c is closed"));
    assert_eq!(handle.closed("c", 7), None);
    drop(connected);
    registry.forget("qq", "1");
    assert_eq!(registry.platforms().len(), 0);
}

#[test]
fn where_conversations_have_windows_no_account_stands_in_for_one_that_is_known() {
    let registry = Registry::new();
    let window: Arc<dyn Window> = Arc::new(ClosedAt(7));
    let windowed =
        |account| NewConnection { window: Some(window.clone()), ..new(Some(account), None) };
    registry.show(&windowed("ann"), PlatformState::Error, Some("log in again"));
    let (_bob, _queue) = registry.connect_for_requests(&windowed("bob"));
    assert!(registry.handle("qq", Some("ann")).is_none());
    assert_eq!(registry.fault("qq", Some("ann")).as_deref(), Some("log in again"));
    registry.show(&windowed("ann"), PlatformState::Connecting, Some("no network"));
    assert_eq!(registry.fault("qq", Some("ann")).as_deref(), Some("no network"));
    let by = |preferred| registry.handle("qq", preferred).and_then(|handle| handle.account);
    assert_eq!(by(None).as_deref(), Some("bob"));
    registry.forget("qq", "ann");
    assert_eq!(by(Some("ann")).as_deref(), Some("bob"), "her account is no more");
}
