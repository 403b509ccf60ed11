//! Events that are held in memory until they are stored, in their order.

use crate::adapter::{PartNoted, QueuedEvent};
use crate::clock::now;
use crate::health::HEALTH;
use crate::metrics::METRICS;
use crate::model::attempts::AttemptState;
use crate::model::message::Message;
use crate::model::platform_event::{EventSummary, PlatformEvent};
use crate::model::status_rules::Outcome;
use crate::store::{Answer, Command};
use std::collections::VecDeque;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;

/// The most messages that wait for the end of an attempt; beyond it, the oldest is stored at once.
const MAX_WAITING: usize = 256;

pub(super) struct UnstoredEvents {
    pub(super) queue: mpsc::Receiver<QueuedEvent>,
    /// Events from the queue, not yet turned into commands.
    pub(super) events: VecDeque<QueuedEvent>,
    /// Commands that are not stored yet.
    pub(super) batch: VecDeque<QueuedCommand>,
    /// Commands that are too large for the node that leads; they wait until this node leads.
    too_large: VecDeque<QueuedCommand>,
    /// Messages that wait for the end of an attempt, the oldest first.
    pub(super) waiting: VecDeque<QueuedCommand>,
    /// Number of commands of the batch that are stored one by one, because the store refused them
    /// together.
    alone: usize,
    /// The first command is being stored alone. After a panic, it is the command that caused it.
    is_tried: bool,
}

/// A command for the store, with the room in the queue that its event takes until it is stored.
pub(super) struct QueuedCommand {
    pub(super) command: Command,
    /// The adapter that waits until it is stored.
    pub(super) stored: Option<StoredSignal>,
    pub(super) _room: OwnedSemaphorePermit,
    /// Time until which it waits for the end of an attempt.
    pub(super) until: Instant,
}

/// An adapter that waits until its event is stored; dropped where that is not so here.
pub(super) enum StoredSignal {
    /// Of messages, and what the adapter is to remember with them.
    Batch(oneshot::Sender<()>),
    /// Of a part that was sent.
    Part(oneshot::Sender<PartNoted>),
}

impl StoredSignal {
    /// Tells the adapter, which may have ended.
    pub(super) fn send(self, answer: &Answer) {
        let noted = match answer {
            Answer::NotFound => PartNoted::MessageDeleted,
            _ => PartNoted::Stored,
        };
        let _ = match self {
            Self::Batch(sender) => sender.send(()).is_ok(),
            Self::Part(sender) => sender.send(noted).is_ok(),
        };
    }
}

impl UnstoredEvents {
    pub(super) fn new(queue: mpsc::Receiver<QueuedEvent>) -> Self {
        let (events, batch, waiting) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        let too_large = VecDeque::new();
        Self { queue, events, batch, too_large, waiting, alone: 0, is_tried: false }
    }

    /// Begins, perhaps again after a panic: the command that caused the panic is quarantined.
    pub(super) fn begin(&mut self) {
        if self.is_tried
            && let Some(broken) = self.take_first()
        {
            self.batch.extend(broken.quarantine("the server failed while it stored this"));
        }
        self.repeat();
        self.go_one_by_one();
    }

    /// The commands of the batch may be stored although that is not known.
    pub(super) fn repeat(&mut self) {
        for item in &mut self.batch {
            let command = match &mut item.command {
                Command::StoreRawEvent { meaning: Some(meaning), .. } => meaning,
                command => command,
            };
            if let Command::Notice { is_repeated, .. } = command {
                *is_repeated = true;
            }
        }
    }

    /// Number of events and commands that are held.
    pub(super) fn len(&self) -> usize {
        self.events.len() + self.batch.len() + self.too_large.len() + self.waiting.len()
    }

    /// The commands to store next; `None` if there are none.
    pub(super) fn next(&mut self) -> Option<Vec<Command>> {
        let count = if self.alone > 0 { 1 } else { self.batch.len() };
        self.is_tried = count == 1;
        let next: Vec<_> = self.batch.iter().take(count).map(|it| it.command.clone()).collect();
        (!next.is_empty()).then_some(next)
    }

    /// The commands that are to be stored, in their order.
    pub(super) fn commands(&self) -> impl Iterator<Item = &Command> {
        self.batch.iter().map(|item| &item.command)
    }

    /// Whether the last command that was given out was alone.
    pub(super) fn is_alone(&self) -> bool {
        self.is_tried
    }

    /// Makes the commands of the batch be stored one by one.
    pub(super) fn go_one_by_one(&mut self) {
        self.alone = self.batch.len();
    }

    /// Removes the first command of the batch, which was answered.
    pub(super) fn take_first(&mut self) -> Option<QueuedCommand> {
        self.is_tried = false;
        self.alone = self.alone.saturating_sub(1);
        self.batch.pop_front()
    }

    /// Has the first command of the batch wait until this node leads; those behind it go on.
    pub(super) fn put_aside(&mut self) {
        if let Some(first) = self.take_first() {
            self.too_large.push_back(first);
        }
    }

    /// Whether something waits that is too large for the node that leads.
    pub(super) fn has_too_large(&self) -> bool {
        !self.too_large.is_empty()
    }

    /// Puts what was too large for another node in front again.
    pub(super) fn take_back(&mut self) {
        while let Some(last) = self.too_large.pop_back() {
            self.batch.push_front(last);
            self.alone += usize::from(self.alone > 0);
        }
    }

    /// Makes a message wait for the end of an attempt.
    pub(super) fn wait(&mut self, item: QueuedCommand) {
        if self.waiting.len() == MAX_WAITING {
            self.release_oldest();
        }
        self.waiting.push_back(item);
    }

    /// An attempt has ended: the waiting messages are given to the store again.
    pub(super) fn ask_again(&mut self) {
        self.batch.extend(self.waiting.drain(..));
    }

    /// Makes the message that waits longest be stored as it is.
    pub(super) fn release_oldest(&mut self) {
        self.batch.extend(self.waiting.pop_front().map(QueuedCommand::without_waiting));
    }

    /// Makes all waiting messages be stored as they are.
    pub(super) fn release_all(&mut self) {
        self.batch.extend(self.waiting.drain(..).map(QueuedCommand::without_waiting));
    }
}

impl QueuedCommand {
    /// Sets events aside that the store cannot take because of a damaged row, so that people can look at
    /// them. What an adapter keeps with them is tried again together with that. What was quarantined before,
    /// or is no event of a platform, is lost, and the log of the program tells of it.
    pub(super) fn quarantine(self, reason: &str) -> Option<Self> {
        let commands = match self.command {
            Command::Together(commands) => commands,
            command => vec![command],
        };
        let mut left = Vec::with_capacity(commands.len());
        let mut has_new = false;
        for command in commands {
            if matches!(command, Command::Quarantine { .. }) {
                left.push(command);
                continue;
            }
            let Some(event) = PlatformEvent::of(command.clone()) else {
                left.push(command);
                continue;
            };
            has_new = true;
            tracing::error!("an event is quarantined; `rechat check` tells of it: {reason}");
            METRICS.events_quarantined.inc();
            let (event, reason, at) = (Box::new(event.without_frame()), reason.to_owned(), now());
            left.push(Command::Quarantine { event, reason, at });
        }
        if has_new {
            let command = match left.pop() {
                Some(one) if left.is_empty() => one,
                last => {
                    left.extend(last);
                    Command::Together(left)
                }
            };
            return Some(Self { command, ..self });
        }
        for command in &left {
            tell_lost(command, reason);
        }
        None
    }

    /// Whether it is the late refusal of an attempt whose own end is not stored yet. It would change nothing, and
    /// the doubt about the attempt would stay.
    pub(super) fn is_early(&self, answer: &Answer) -> bool {
        let Command::RecordLate { outcome: Outcome::RefusedLate { .. }, .. } = &self.command else {
            return false;
        };
        let is_its = |message: &Message| {
            message.retry_count == 0 && AttemptState::of(message) == AttemptState::UnderWay
        };
        Instant::now() < self.until && matches!(answer, Answer::Message(message) if is_its(message))
    }

    fn without_waiting(mut self) -> Self {
        let command = match &mut self.command {
            Command::StoreRawEvent { meaning: Some(meaning), .. } => meaning,
            command => command,
        };
        if let Command::Receive { can_wait, .. } = command {
            *can_wait = false;
        }
        self
    }
}

/// Tells of a command that could neither be carried out nor quarantined. The content is not told: it may be a
/// secret, such as a login.
fn tell_lost(command: &Command, reason: &str) {
    METRICS.events_refused.inc();
    if let Command::KeepState { state } = command {
        let (adapter, key) = (&state.adapter, &state.key);
        tracing::error!(adapter, key, "cannot store the state of an adapter: {reason}");
    } else {
        let event = PlatformEvent::of(command.clone());
        let EventSummary { kind, platform, conversation, message, .. } =
            event.as_ref().map(|event| event.summary(0)).unwrap_or_default();
        tracing::error!(
            kind,
            platform,
            conversation,
            message,
            "an event could not even be quarantined; it is lost: {reason}"
        );
    }
    HEALTH.degrade("events", "events could not be stored or quarantined; the log names them");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::AdapterState;
    use crate::model::inbound::Inbound;
    use crate::model::platform_event::MessageTarget;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::Semaphore;

    fn queued(command: Command) -> QueuedCommand {
        let room = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        QueuedCommand { command, stored: None, _room: room, until: Instant::now() }
    }

    fn receive(text: &str) -> Command {
        let received = Box::new(Inbound {
            platform: "wechat".into(),
            account: "1".into(),
            conversation: "private_1".into(),
            content: text.into(),
            external_id: text.into(),
            time: 1,
            ..Inbound::default()
        });
        Command::Receive { received, at: 2, can_wait: false }
    }

    #[tokio::test]
    async fn an_event_that_is_too_large_for_another_node_holds_up_no_other() {
        let (_events, queue) = mpsc::channel(1);
        let mut work = UnstoredEvents::new(queue);
        work.batch.extend(["large", "small"].map(|text| queued(receive(text))));
        work.put_aside();
        assert_eq!(work.next(), Some(vec![receive("small")]));
        assert!(work.has_too_large() && work.len() == 2, "it is held");
        work.take_back();
        assert_eq!(work.next(), Some(vec![receive("large"), receive("small")]));
    }

    #[tokio::test]
    async fn messages_of_a_poll_are_quarantined_one_by_one_together_with_its_cursor() {
        let (adapter, key) = ("ilink".to_owned(), "cursor".to_owned());
        let keep = Command::KeepState {
            state: Box::new(AdapterState { adapter, key, value: Some(vec![7]) }),
        };
        let poll = Command::Together(vec![receive("a"), receive("b"), keep.clone()]);
        let aside = queued(poll).quarantine("a damaged row").unwrap().command;
        let Command::Together(all) = aside else { panic!("{aside:?}") };
        let texts: Vec<_> = all
            .iter()
            .filter_map(|command| match command {
                Command::Quarantine { event, .. } => Some(event.summary(0).message),
                _ => None,
            })
            .collect();
        assert_eq!((texts, &all[2]), (vec!["a".to_owned(), "b".to_owned()], &keep));
        // An event that could not even be quarantined ends there.
        assert!(queued(Command::Together(all)).quarantine("again").is_none());
        let one = queued(receive("c")).quarantine("a damaged row").unwrap().command;
        assert!(matches!(one, Command::Quarantine { .. }), "{one:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_refusal_waits_for_the_end_of_its_own_attempt_and_no_longer() {
        let refused = Outcome::RefusedLate { reason: "no".into(), retryable: true };
        let id = uuid::Uuid::nil();
        let mut item = queued(Command::RecordLate { id, outcome: refused, at: 5 });
        item.until = Instant::now() + Duration::from_mins(1);
        let message = Message::new(1, id, "hi".into(), "group_1".into(), 1);
        let at = |owner: Option<&str>, retry_count: u32| {
            let owner = owner.map(str::to_owned);
            Answer::Message(Message { retry_count, owner, ..message.clone() })
        };
        assert!(item.is_early(&at(Some("here"), 0)));
        assert!(!item.is_early(&at(None, 0)), "that end is stored");
        assert!(!item.is_early(&at(Some("here"), 1)), "that is a later attempt");
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(!item.is_early(&at(Some("here"), 0)));
    }

    #[test]
    fn every_kind_of_event_is_quarantined_and_none_twice() {
        let target = || MessageTarget::Id(uuid::Uuid::nil());
        let raw = Command::StoreRawEvent {
            platform: "qq".into(),
            account: "1".into(),
            frame: "{}".into(),
            meaning: Some(Box::new(Command::Recall { target: target(), by: None, at: 1 })),
            at: 5,
            forget_before: 0,
        };
        let edit =
            Command::Edit { target: target(), content: "new".into(), at: 1, is_repeated: false };
        let events = [(receive("a"), "message"), (raw, "recall"), (edit, "edit")];
        for (command, kind) in events {
            let aside = queued(command).quarantine("a damaged row").unwrap();
            let Command::Quarantine { event, reason, .. } = &aside.command else {
                panic!("{kind}")
            };
            assert_eq!((event.summary(0).kind, &**reason), (kind, "a damaged row"));
            assert!(aside.quarantine("again").is_none());
        }
    }

    #[tokio::test]
    async fn a_notice_that_is_tried_again_says_so() {
        use crate::model::notice::{Notice, NoticeKind};
        let notice = Notice {
            platform: "qq".into(),
            account: "1".into(),
            conversation: None,
            kind: NoticeKind::ALL[0],
            user: None,
            operator: None,
            text: "text".into(),
            created_at: 5,
            request: None,
        };
        let notice =
            Command::Notice { notice: Box::new(notice), request: None, is_repeated: false };
        let raw = Command::StoreRawEvent {
            platform: "qq".into(),
            account: "1".into(),
            frame: "{}".into(),
            meaning: Some(Box::new(notice.clone())),
            at: 5,
            forget_before: 0,
        };
        let mut events = UnstoredEvents::new(mpsc::channel(1).1);
        events.batch.extend([queued(notice), queued(raw)]);
        let repeated = |events: &UnstoredEvents| {
            events.commands().filter(|it| format!("{it:?}").contains("is_repeated: true")).count()
        };
        assert_eq!(repeated(&events), 0);
        events.repeat();
        assert_eq!(repeated(&events), 2);
    }
}
