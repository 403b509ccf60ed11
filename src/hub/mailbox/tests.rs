use super::*;
use crate::adapter::{AdapterStatusChange, PlatformState};
use crate::hub::frame::{Frame, FrameBatch, FrameContent};
use crate::model::cursor::Cursor;
use std::sync::Arc;

const LIMITS: SessionLimits =
    SessionLimits { frames: 1, bytes: 1 << 20, replay_bytes: 1 << 20, topics: 10 };

fn at(offset: u64) -> Position {
    Position { seq: offset, offset }
}

fn adapter(account: &str) -> Arc<AdapterStatusChange> {
    Arc::new(AdapterStatusChange {
        platform: "qq".into(),
        account: Some(account.into()),
        state: PlatformState::Connected,
        reason: None,
    })
}

fn push_adapter(mailbox: &Mailbox, number: u64, head: Position, account: &str) {
    let change = adapter(account);
    let frame = Frame::of(&FrameContent::Adapter(&change), Cursor::default().into(), true);
    let batches = [FrameBatch::of(None, vec![frame])];
    let subject = HandoutSubject::Adapter(&change, head);
    mailbox.push(&Broadcast { number, batches: &|_| &batches, subject }, LIMITS);
}

fn found(mailbox: &Mailbox) -> MailboxContent {
    match mailbox.poll_take(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => found,
        Poll::Pending => panic!("nothing waits"),
    }
}

#[test]
fn states_of_adapters_that_did_not_fit_are_told_after_the_store() {
    let mailbox = Mailbox::new(at(3));
    push_adapter(&mailbox, 1, at(3), "a");
    push_adapter(&mailbox, 2, at(3), "b");
    let MailboxContent::Behind(delivered) = found(&mailbox) else { panic!("it is not behind") };
    assert_eq!(delivered, at(3));
    let CaughtUp::Adapters(adapters) = mailbox.catch_up(at(3), at(3)) else {
        panic!("they are forgotten")
    };
    assert_eq!(adapters.len(), 2);
    assert!(matches!(mailbox.catch_up(at(3), at(3)), CaughtUp::Live));
}

#[test]
fn the_state_of_an_adapter_leads_no_session_back() {
    let mailbox = Mailbox::new(at(0));
    mailbox.set_form(FrameForm::Events);
    mailbox.fall_behind(at(5));
    // The session has read more than the hub has sent.
    assert!(matches!(mailbox.catch_up(at(9), at(7)), CaughtUp::Live));
    push_adapter(&mailbox, 1, at(7), "a");
    let MailboxContent::Behind(delivered) = found(&mailbox) else {
        panic!("it is told with cursor 7")
    };
    assert_eq!(delivered, at(9));
}
