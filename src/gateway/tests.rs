//! Bots with a store: one that panics, one that hands its position to the next, and one that
//! disconnects.

use super::bot::ServedAccount;
use super::saved_state::{self, BotCursor};
use super::send::{BotSendOutcome, BotSender, BotSending, outcomes};
use super::*;
use crate::actions::Actions;
use crate::adapter::Registry;
use crate::health::HEALTH;
use crate::media::sign::Signer;
use crate::media::{BlobBounds, Blobs};
use crate::model::change::Committed;
use crate::model::content::Content;
use crate::model::message::Status;
use crate::outbox::Outcomes;
use crate::raw_events::RawEventRetention;
use crate::store::{Access, Command, Head, Listener, Store, StoreOptions};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_tungstenite::accept_async;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The folder of a store, and a signal for each commit.
struct StoreFolder {
    folder: TempDir,
    commits: watch::Receiver<()>,
}

/// The words of a message whose commit takes the writer down.
const STUMBLES: &str = "stumbles";

/// Signals each commit.
struct Commits(watch::Sender<()>);

impl Listener for Commits {
    fn opened(&mut self, _: Head) {}

    fn committed(&mut self, committed: Arc<Committed>) {
        assert!(!format!("{committed:?}").contains(STUMBLES), "the commit is too much");
        self.0.send_replace(());
    }
}

impl StoreFolder {
    /// Waits for a state that follows from a commit.
    async fn until(&mut self, mut is_so: impl FnMut() -> bool) {
        self.commits.mark_unchanged();
        while !is_so() {
            self.commits.changed().await.unwrap();
        }
    }
}

/// A store, and a gateway with these bots.
fn gateway(configs: &[String]) -> (StoreFolder, Gateway) {
    let (sender, commits) = watch::channel(());
    let folder = StoreFolder { folder: tempfile::tempdir().unwrap(), commits };
    let path = folder.folder.path();
    let options = StoreOptions::new(path.join("s"), Access::Write);
    let store = Arc::new(Store::open(&options, Box::new(Commits(sender))).unwrap());
    let (registry, tasks) = (Registry::new(), TaskTracker::new());
    let core = GatewayContext {
        store: store.clone(),
        registry: registry.clone(),
        actions: Actions::new(store, registry, tasks.clone()),
        outcomes: Arc::new(Outcomes::default()),
        blobs: Blobs::open(path.join("media"), BlobBounds::NONE).unwrap(),
        signer: Signer::new().unwrap(),
        raw_events: Arc::new(RawEventRetention::default()),
        stop: CancellationToken::new(),
        tasks,
    };
    (folder, Gateway::start(core, configs.iter().map(|text| config(text)).collect()).unwrap())
}

fn config(text: &str) -> BotConfig {
    toml::from_str(text).unwrap()
}

fn bot(gateway: &Gateway, name: &str) -> Arc<ConfiguredBot> {
    let bots = gateway.lock();
    bots.configured.iter().find(|bot| bot.name() == name).unwrap().clone()
}

/// The account of a bot, once the bot has found it.
async fn account(bot: &ConfiguredBot) -> Arc<ServedAccount> {
    let mut changes = bot.accounts_changed.subscribe();
    loop {
        if let [account] = &bot.accounts()[..] {
            return account.clone();
        }
        changes.changed().await.unwrap();
    }
}

#[tokio::test]
async fn a_bot_that_panics_ends_no_other_and_comes_back() {
    let sockets = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let entry = |name: &str, socket: &std::net::TcpListener| {
        let address = socket.local_addr().unwrap();
        format!("name = '{name}'\nkind = 'onebot11'\naccounts = ['qq/1']\nurl = 'ws://{address}/'")
    };
    let configs = [entry("falls", &sockets[0]), entry("stands", &sockets[1])];
    let (_folder, gateway) = gateway(&configs);
    // Nothing has run yet, because there is only this thread.
    bot(&gateway, "falls").panics.store(1, Ordering::Relaxed);
    let [falls, stands] = sockets.map(|socket| {
        socket.set_nonblocking(true).unwrap();
        TcpListener::from_std(socket).unwrap()
    });
    let mut open = Vec::new();
    for socket in [stands, falls] {
        let accepted = tokio::time::timeout(Duration::from_mins(1), socket.accept()).await;
        let (stream, _) = accepted.expect("it does not come back").unwrap();
        open.push(accept_async(stream).await.unwrap());
    }
    assert_eq!(bot(&gateway, "falls").panics.load(Ordering::Relaxed), 0, "it did panic");
}

#[tokio::test]
async fn a_bot_with_new_settings_goes_on_at_the_cursor_of_the_one_before_it_alone() {
    let entry = |kind: &str, more: &str| {
        format!("name = 'a'\nkind = '{kind}'\naccounts = ['qq/1']\n{more}")
    };
    let (_folder, gateway) = gateway(&[entry("onebot11", "")]);
    let store = gateway.shared.core.store.clone();
    let kept = || -> Vec<BotCursor> {
        let kept = store.view().unwrap().adapter_state(saved_state::OWNER).unwrap();
        saved_state::cursors("a", &kept).into_iter().map(|(_, _, cursor)| cursor).collect()
    };
    tell(&store, 5).await;
    let view = store.view().unwrap();
    let begun = async |gateway: &Gateway| {
        let account = account(&bot(gateway, "a")).await;
        let turn = account.cursor.take_over(CancellationToken::new());
        (account, turn)
    };
    let (mut before, mut turn) = begun(&gateway).await;
    before.cursor.advance(&view, turn, 1, 1).unwrap();
    before.cursor.write().await;
    assert_eq!(kept()[0].offset, 1);
    for (offset, next) in [
        (2, entry("satori", "")),
        (3, entry("onebot11", "")),
        (4, entry("onebot11", "token = 't'")),
    ] {
        // The cursor has moved, and is not written yet.
        before.cursor.advance(&view, turn, offset, 1).unwrap();
        gateway.configure(vec![config(&next)]);
        let (after, next) = begun(&gateway).await;
        assert_eq!(after.cursor.start(&view, 3600, None), Ok(offset));
        assert_eq!(after.cursor.delivered(), offset);
        after.cursor.advance(&view, next, offset, 0).unwrap();
        after.cursor.write().await;
        // The earlier connection ends late.
        before.cursor.advance(&view, turn, 1, 1).unwrap();
        before.cursor.write().await;
        assert_eq!(kept().iter().map(|cursor| cursor.offset).collect::<Vec<_>>(), [offset]);
        (before, turn) = (after, next);
    }
    // A bot that is removed and added again continues there, too.
    before.cursor.advance(&view, turn, 5, 1).unwrap();
    gateway.configure(Vec::new());
    before.cursor.write().await;
    gateway.configure(vec![config(&entry("onebot11", ""))]);
    let (after, first) = begun(&gateway).await;
    assert_eq!(after.cursor.start(&view, 3600, None), Ok(5));
    // A connection that was replaced cannot move the cursor.
    let second = after.cursor.take_over(CancellationToken::new());
    after.cursor.advance(&view, first, 1, 1).unwrap();
    assert_eq!(after.cursor.start(&view, 3600, None), Ok(5));
    assert!(after.cursor.reason(first, String::new()).contains("an entry of its own"));
    assert_eq!(after.cursor.reason(second, "lost".into()), "lost");
}

/// Appends entries to the log.
async fn tell(store: &Store, count: u64) {
    for step in 1..=count {
        let frame = format!("{{\"step\":{step}}}");
        let (platform, account) = ("qq".to_owned(), "9".to_owned());
        let at = crate::clock::now();
        let told = Command::StoreRawEvent {
            platform,
            account,
            frame,
            meaning: None,
            at,
            forget_before: 0,
        };
        store.write(told).await.unwrap();
    }
}

fn cursor(store: &Store, offset: u64) -> BotCursor {
    BotCursor::new(store.view().unwrap().cursor_at(offset).unwrap(), offset, crate::clock::now())
}

#[tokio::test]
async fn the_cursor_of_an_account_that_a_bot_speaks_for_no_more_does_not_hold_it_back() {
    let (_folder, gateway) = gateway(&[]);
    let store = gateway.shared.core.store.clone();
    tell(&store, 5).await;
    for (account, offset) in [("1", 5), ("2", 1)] {
        let key = saved_state::cursor_key("a", "qq", account);
        saved_state::store_cursor(&store, &key, &cursor(&store, offset)).await.unwrap();
    }
    let entry = "name = 'a'\nkind = 'satori'\naccounts = ['qq/1']";
    gateway.configure(vec![config(entry)]);
    let account = account(&bot(&gateway, "a")).await;
    assert_eq!(account.cursor.start(&store.view().unwrap(), 3600, None), Ok(5));
}

#[tokio::test]
async fn a_bot_that_is_dialled_with_the_servers_token_begins_anew_with_another_one() {
    let entry = |url: &str, server_token: &str| {
        let text = format!("name = 'a'\nkind = 'onebot11'\naccounts = ['qq/1']\n{url}");
        BotConfig { server_token: Some(server_token.into()), ..config(&text) }
    };
    let (_folder, gateway) = gateway(&[]);
    for (url, is_anew) in [("url = 'ws://127.0.0.1:9'", true), ("", false)] {
        gateway.configure(vec![entry(url, "one")]);
        let before = bot(&gateway, "a");
        assert_eq!(before.token().as_deref(), Some("one"));
        gateway.configure(vec![entry(url, "two")]);
        let after = bot(&gateway, "a");
        assert_eq!(after.token().as_deref(), Some("two"));
        assert_eq!(before.stop.is_cancelled(), is_anew);
    }
}

#[tokio::test]
async fn a_cursor_is_handed_on_by_a_bot_that_ends_before_it_found_the_account() {
    let entry = |token: &str| {
        config(&format!("name = 'a'\nkind = 'onebot11'\naccounts = ['qq/1']\ntoken = '{token}'"))
    };
    let (_folder, gateway) = gateway(&[]);
    let store = gateway.shared.core.store.clone();
    tell(&store, 3).await;
    gateway.configure(vec![entry("one")]);
    let before = account(&bot(&gateway, "a")).await;
    let turn = before.cursor.take_over(CancellationToken::new());
    // This is not written yet.
    before.cursor.advance(&store.view().unwrap(), turn, 3, 1).unwrap();
    gateway.configure(vec![entry("two")]);
    gateway.configure(vec![entry("three")]);
    let after = account(&bot(&gateway, "a")).await;
    assert_eq!(after.cursor.start(&store.view().unwrap(), 3600, None), Ok(3));
}

fn sending(text: &str) -> Vec<BotSending> {
    vec![BotSending {
        conversation: "group_7".into(),
        content: Content::text(text),
        reply_to: None,
        original: None,
    }]
}

#[tokio::test]
async fn a_send_that_no_account_takes_is_withdrawn_also_where_the_bot_has_hung_up() {
    let (mut folder, gateway) =
        gateway(&["name = 'a'\nkind = 'onebot11'\naccounts = ['qq/1']".to_owned()]);
    let store = gateway.shared.core.store.clone();
    let bot = bot(&gateway, "a");
    let account = account(&bot).await;
    let made = |seq: u64| store.view().unwrap().by_seq(seq).unwrap();
    let status = |seq: u64| made(seq).map(|made| made.status);
    {
        let mut waits = pin!(outcomes(&bot, &account, sending("waits")));
        tokio::select! {
            _ = &mut waits => panic!("it ended at once"),
            () = folder.until(|| status(1).is_some()) => {}
        }
        // From here on, tokio's clock runs by itself.
        tokio::time::pause();
        let [BotSendOutcome::Failed(why)] = &waits.await[..] else { panic!("it was not sent") };
        assert_eq!(why, "not sent within 25 s: the account is not connected");
        let withdrawn = made(1).unwrap();
        assert_eq!(withdrawn.status, Status::Canceled, "it is not sent later");
        assert_eq!(withdrawn.last_error.as_ref(), Some(why), "people are told why as well");
        tokio::time::resume();
    }
    {
        let mut waits = pin!(outcomes(&bot, &account, sending("hangs up")));
        tokio::select! {
            _ = &mut waits => panic!("it ended at once"),
            () = folder.until(|| status(2).is_some()) => {}
        }
        // Here the connection ends, and with it the waiting call.
    }
    assert_eq!(status(2), Some(Status::Pending));
    tokio::time::pause();
    folder.until(|| status(2) == Some(Status::Canceled)).await;
}

#[tokio::test]
async fn a_bot_is_told_no_failure_of_a_message_that_may_go_out() {
    let (_folder, gateway) =
        gateway(&["name = 'a'\nkind = 'onebot11'\naccounts = ['qq/1']".to_owned()]);
    let store = gateway.shared.core.store.clone();
    let bot = bot(&gateway, "a");
    let account = account(&bot).await;
    let outcome = outcomes(&bot, &account, sending(STUMBLES)).await;
    assert!(matches!(&outcome[..], [BotSendOutcome::Unknown(why)] if why.contains("is unknown")));
    let message = store.view().unwrap().by_seq(1).unwrap().unwrap();
    assert_eq!(message.status, Status::Pending, "it is stored, and goes out");
    // Here the store cannot be read any more.
    store.close();
    let outcome = BotSender::new(&bot, &account).outcome(message).await;
    assert!(matches!(outcome, BotSendOutcome::UnderWay(None)));
    HEALTH.recover("writer");
}
