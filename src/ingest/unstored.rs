//! Events that are held in memory until they are stored, in their order.

use super::queued_command::QueuedCommand;
use crate::adapter::QueuedEvent;
use crate::store::Command;
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// The most messages that wait for the end of an attempt; beyond it, the oldest is stored at once.
const MAX_WAITING: usize = 256;

/// The most commands that are stored in one commit.
const MAX_TOGETHER: usize = 1_024;

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
        let count = if self.alone > 0 { 1 } else { self.batch.len().min(MAX_TOGETHER) };
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

    /// No command is being stored now, so a panic is none of theirs.
    pub(super) fn pause(&mut self) {
        self.is_tried = false;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::queued_command::tests::{queued, receive};

    #[tokio::test]
    async fn a_panic_while_events_wait_is_none_of_theirs() {
        let (_events, queue) = mpsc::channel(1);
        let mut work = UnstoredEvents::new(queue);
        work.batch.push_back(queued(receive("waits")));
        work.next();
        work.pause();
        work.begin();
        assert_eq!(work.next(), Some(vec![receive("waits")]));
        work.begin();
        assert_ne!(work.next(), Some(vec![receive("waits")]), "it was tried, and is quarantined");
    }

    #[tokio::test]
    async fn many_held_events_are_stored_in_several_commits() {
        let (_events, queue) = mpsc::channel(1);
        let mut work = UnstoredEvents::new(queue);
        work.batch.extend((0..=MAX_TOGETHER).map(|_| queued(receive("held"))));
        assert_eq!(work.next().map(|commands| commands.len()), Some(MAX_TOGETHER));
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
