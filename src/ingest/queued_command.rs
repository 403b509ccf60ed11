//! A command for the store that waits until it is stored, and the end of those that cannot be.

use crate::adapter::PartNoted;
use crate::clock::now;
use crate::health::HEALTH;
use crate::metrics::METRICS;
use crate::model::attempts::AttemptState;
use crate::model::message::Message;
use crate::model::platform_event::{EventSummary, PlatformEvent};
use crate::model::status_rules::Outcome;
use crate::store::{Answer, Command};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

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
        let _ = match (self, answer) {
            (Self::Batch(sender), _) => sender.send(()).is_ok(),
            (Self::Part(sender), Answer::NotFound) => {
                sender.send(PartNoted::MessageDeleted).is_ok()
            }
            (Self::Part(sender), Answer::Noted) => sender.send(PartNoted::Stored).is_ok(),
            // The parts before it are not noted, so neither is this one.
            (Self::Part(_), _) => false,
        };
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

    /// The same, to be stored as it is, without waiting for the end of an attempt.
    pub(super) fn without_waiting(mut self) -> Self {
        self.until = Instant::now();
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
pub(super) mod tests {
    use super::*;
    use crate::model::event::AdapterState;
    use crate::model::inbound::Inbound;
    use crate::model::platform_event::MessageTarget;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::Semaphore;

    pub fn queued(command: Command) -> QueuedCommand {
        let room = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        QueuedCommand { command, stored: None, _room: room, until: Instant::now() }
    }

    pub fn receive(text: &str) -> Command {
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
        let id = uuid::Uuid::nil();
        let refused = || {
            let outcome = Outcome::RefusedLate { reason: "no".into(), retryable: true };
            Command::RecordLate { id, outcome, at: 5 }
        };
        let mut item = queued(refused());
        item.until = Instant::now() + Duration::from_mins(1);
        let message = Message::new(1, id, "hi".into(), "group_1".into(), 1);
        let at = |owner: Option<&str>, retry_count: u32| {
            let owner = owner.map(str::to_owned);
            Answer::Message(Message { retry_count, owner, ..message.clone() })
        };
        assert!(item.is_early(&at(Some("here"), 0)));
        assert!(!item.is_early(&at(None, 0)), "that end is stored");
        assert!(!item.is_early(&at(Some("here"), 1)), "that is a later attempt");
        assert!(!item.without_waiting().is_early(&at(Some("here"), 0)), "it is stored as it is");
        let mut item = queued(refused());
        item.until = Instant::now() + Duration::from_mins(1);
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

    #[test]
    fn a_part_counts_as_stored_only_if_it_was_noted() {
        let told = |answer: &Answer| {
            let (noted, mut is_noted) = oneshot::channel();
            StoredSignal::Part(noted).send(answer);
            is_noted.try_recv().ok()
        };
        assert_eq!(told(&Answer::Noted), Some(PartNoted::Stored));
        assert_eq!(told(&Answer::NotFound), Some(PartNoted::MessageDeleted));
        assert_eq!(told(&Answer::Nothing), None);
    }
}
