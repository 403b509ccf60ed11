//! Logins whose task breaks.

use super::*;
use crate::adapter::api::{EventSink, OwnSettings};
use crate::adapter::ilink::ADAPTER as ILINK;
use crate::adapter::registry::Registry;
use tokio_util::task::TaskTracker;

fn service() -> IlinkService {
    let (events, _queue) = EventSink::new(10, 10_000);
    let stop = CancellationToken::new();
    let context = Context::new(events, Registry::new(), Arc::new(()), stop, TaskTracker::new());
    let options = Arc::new(IlinkOptions::read(OwnSettings::new()).unwrap());
    IlinkService::new(options, Arc::new(Settings::new(&ILINK.kind)), None, context)
}

/// A login whose task panics.
fn add_broken(service: &mut IlinkService, id: &str) {
    let (status, digits) = (watch::Sender::new(status_of(id)), mpsc::channel(1).0);
    let task = service.attempts.spawn(async { panic!("as the test wants") });
    service.attempt_logins.insert(task.id(), id.to_owned());
    service.logins.insert(id.to_owned(), LoginUnderWay { status, digits, ended: None });
}

#[tokio::test]
async fn logins_that_panicked_have_failed_and_take_no_place() {
    let mut service = service();
    for login in 0..MAX_LOGINS {
        add_broken(&mut service, &login.to_string());
    }
    while let Some(ended) = service.attempts.join_next_with_id().await {
        service.attempt_ended(ended).await;
    }
    let told = service.status("0").unwrap();
    assert_eq!(told.state, LoginState::Failed);
    assert!(told.reason.unwrap().contains("begin it anew"));
    let (answer, _told) = oneshot::channel();
    assert_eq!(service.begin(answer), Ok(()), "there is room for another");
}
