use super::*;
use crate::hub::SessionLimits;
use crate::hub::chunk::Batches;
use crate::hub::frame::{Frame, FrameBatch};
use crate::hub::mailbox::{Broadcast, HandoutSubject, MailboxContent};
use crate::model::cursor::Cursor;
use crate::model::subscription::Position;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::task::{Context, Poll, Wake};
use std::thread::{self, ThreadId};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

const LIMITS: SessionLimits =
    SessionLimits { frames: 1_000, bytes: 64 << 20, replay_bytes: 1 << 20, topics: 10 };

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A session whose client is the stream, and a task that counts how often it is woken.
struct Watched {
    mailbox: Arc<Mailbox>,
    client: TcpStream,
    woken: Arc<Woken>,
}

impl Watched {
    async fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (_read, write) = listener.accept().await.unwrap().0.into_split();
        let mailbox = Arc::new(Mailbox::new(Position::default()));
        mailbox.set_socket(Arc::new(write));
        Self { mailbox, client, woken: Arc::default() }
    }

    fn poll(&self) -> Poll<MailboxContent> {
        self.mailbox.poll_take(&mut Context::from_waker(&self.woken.clone().into()))
    }

    fn times_woken(&self) -> usize {
        self.woken.0.load(Ordering::SeqCst)
    }
}

fn batch(text: &str) -> Arc<FrameBatch> {
    let resume = Cursor::default().into();
    FrameBatch::of(None, vec![Frame { resume, is_adapter: false, text: text.into() }])
}

/// The batches that the task has to write.
fn mail(content: Poll<MailboxContent>) -> Batches {
    match content {
        Poll::Ready(MailboxContent::Mail(batches)) => batches,
        Poll::Ready(MailboxContent::Behind(_)) => panic!("it is behind"),
        Poll::Pending => panic!("there is nothing to write"),
    }
}

/// Adds a frame with this number, and returns its bytes.
fn push(mailbox: &Arc<Mailbox>, number: u64, text: &str, round: &mut Round) -> Vec<u8> {
    let batches = [batch(text)];
    let subject = HandoutSubject::Log(Position { seq: number, offset: number });
    round.push(mailbox, &Broadcast { number, batches: &|_| &batches, subject }, LIMITS);
    batches[0].wire().to_vec()
}

async fn read(client: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    client.read_exact(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn frames_are_written_without_the_task_while_it_waits() {
    let mut session = Watched::begin().await;
    assert!(session.poll().is_pending());
    for number in [1, 3, 5] {
        let mut round = Round::default();
        let mut all = push(&session.mailbox, number, "a", &mut round);
        all.extend(push(&session.mailbox, number + 1, "b", &mut round));
        drop(round);
        assert_eq!(read(&mut session.client, all.len()).await, all);
    }
    assert_eq!(session.times_woken(), 0);
    assert!(session.poll().is_pending(), "nothing is left to write");
}

#[tokio::test]
async fn a_task_that_does_not_wait_writes_by_itself() {
    let session = Watched::begin().await;
    assert!(session.poll().is_pending());
    let mut round = Round::default();
    push(&session.mailbox, 1, "a", &mut round);
    // The client sent something before the round began.
    assert!(session.mailbox.take_unsent().is_empty());
    drop(round);
    assert_eq!(session.times_woken(), 1);
    assert_eq!(mail(session.poll()).len(), 1);
    // It has these frames to write now, so the next ones have to wait.
    let mut round = Round::default();
    push(&session.mailbox, 2, "b", &mut round);
    drop(round);
    assert_eq!(mail(session.poll()).len(), 1);
}

#[tokio::test]
async fn the_task_goes_on_where_a_full_socket_stopped() {
    let mut session = Watched::begin().await;
    assert!(session.poll().is_pending());
    let mut all = Vec::new();
    for number in 1.. {
        let mut round = Round::default();
        for part in 0..4 {
            let text = format!("{number} {part} {}", "x".repeat(30_000));
            all.extend(push(&session.mailbox, 4 * number + part, &text, &mut round));
        }
        drop(round);
        if session.times_woken() > 0 {
            break;
        }
    }
    // The task is polled until it has something to do, and writes nothing meanwhile.
    assert!(mail(session.poll()).is_empty(), "the rest of the write comes first");
    all.extend(push(&session.mailbox, u64::MAX, "x", &mut Round::default()));
    let mut left = session.mailbox.take_unsent().to_vec();
    assert!(!left.is_empty());
    for batch in mail(session.poll()) {
        left.extend_from_slice(batch.wire());
    }
    let mut seen = read(&mut session.client, all.len() - left.len()).await;
    seen.extend(left);
    assert!(seen == all, "bytes are lost, doubled or in another order");
}

#[tokio::test]
async fn a_session_that_falls_behind_before_its_turn_is_woken() {
    let session = Watched::begin().await;
    assert!(session.poll().is_pending());
    let mut round = Round::default();
    push(&session.mailbox, 1, "a", &mut round);
    session.mailbox.fall_behind(Position { seq: 1, offset: 1 });
    drop(round);
    assert_eq!(session.times_woken(), 1);
    assert!(matches!(session.poll(), Poll::Ready(MailboxContent::Behind(_))));
}

#[tokio::test]
async fn each_of_many_sessions_gets_it() {
    let mut sessions = Vec::new();
    for _ in 0..=2 * SOCKETS_A_THREAD {
        sessions.push(Watched::begin().await);
    }
    let mut round = Round::default();
    let mut all = Vec::new();
    for session in &sessions {
        assert!(session.poll().is_pending());
        all = push(&session.mailbox, 1, "a", &mut round);
    }
    drop(round);
    for session in &mut sessions {
        assert_eq!(read(&mut session.client, all.len()).await, all);
        assert_eq!(session.times_woken(), 0);
    }
}

/// The threads that woke a task. The first one waits there for another.
#[derive(Default)]
struct Threads {
    seen: Mutex<HashSet<ThreadId>>,
    another: Condvar,
}

impl Wake for Threads {
    fn wake(self: Arc<Self>) {
        let mut seen = self.seen.lock().unwrap();
        if seen.insert(thread::current().id()) {
            self.another.notify_all();
            let is_alone = |seen: &mut HashSet<_>| seen.len() < 2;
            drop(self.another.wait_timeout_while(seen, Duration::from_secs(20), is_alone));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_sessions_than_one_thread_serves_are_served_by_two_at_once() {
    let threads = Arc::new(Threads::default());
    let (mut sessions, mut round) = (Vec::new(), Round::default());
    for _ in 0..=SOCKETS_A_THREAD {
        let session = Watched::begin().await;
        let task = threads.clone().into();
        assert!(session.mailbox.poll_take(&mut Context::from_waker(&task)).is_pending());
        push(&session.mailbox, 1, "a", &mut round);
        // So that its task is woken in its turn.
        session.mailbox.fall_behind(Position { seq: 1, offset: 1 });
        sessions.push(session);
    }
    // On a thread of the runtime, as the hub is.
    tokio::spawn(async move { drop(round) }).await.unwrap();
    let seen = threads.seen.lock().unwrap();
    let is_alone = |seen: &mut HashSet<_>| seen.len() < 2;
    let waited = threads.another.wait_timeout_while(seen, Duration::from_secs(20), is_alone);
    assert_eq!(waited.unwrap().0.len(), 2);
}
