//! Changes of the accounts, with a core that does not store everything.

use super::*;
use crate::adapter::api::EventSink;
use crate::adapter::registry::Registry;
use crate::adapter::wechat::ADAPTER as KIND;
use crate::adapter::wechat::login::LoggedIn;
use crate::adapter::wechat::saved_state::Login;
use crate::protocol::login::{LoginState, LoginStatus};
use tokio::sync::watch;

fn login(account: &str) -> Login {
    Login {
        account: account.into(),
        user: "ann".into(),
        base: "http://127.0.0.1:1".into(),
        token: "t".into(),
        at: 1,
    }
}

/// A service whose core stores the first batch and refuses all others.
fn service() -> IlinkService {
    let (events, mut queue) = EventSink::new(10, 1_000_000);
    tokio::spawn(async move {
        let mut is_first = true;
        while let Some(queued) = queue.recv().await {
            if let AdapterEvent::Batch { stored, .. } = queued.split().0
                && std::mem::take(&mut is_first)
            {
                stored.send(()).unwrap();
            }
        }
    });
    let stop = CancellationToken::new();
    let context =
        Context::new(events, Registry::new(), Arc::new(()), stop.clone(), TaskTracker::new());
    let options = IlinkOptions::read(toml::from_str("").unwrap()).unwrap();
    let settings = Settings::new(&KIND.kind);
    IlinkService::new(Arc::new(options), Arc::new(settings), None, context)
}

#[tokio::test]
async fn a_login_that_is_on_the_disk_works_also_if_it_cannot_be_stored_again() {
    let mut service = service();
    let (cursor, replies) = (String::new(), HashMap::new());
    service.start(KeptLogin { login: login("before"), cursor, replies });
    let (status, told) = watch::channel(LoginStatus {
        id: "1".into(),
        state: LoginState::Scanned,
        qrcode: None,
        modules: Vec::new(),
        account: None,
        reason: None,
        reason_code: None,
        reason_detail: None,
    });
    service.login_ended(Ok((LoggedIn::New(login("after")), status)));
    for is_stored in [true, false] {
        let (change, is_saved) = service.changes.next_saved().await.unwrap();
        assert_eq!(is_saved, is_stored);
        service.saved(change, is_saved).await;
    }
    assert_eq!(service.accounts.keys().collect::<Vec<_>>(), ["after"]);
    assert_eq!(told.borrow().state, LoginState::Done);
    service.context.stop.cancel();
}
