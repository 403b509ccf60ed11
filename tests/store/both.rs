//! A store and its model, which take the same steps and are compared.

use super::model::{Model, key_of};
use super::steps::{CONVERSATIONS, PLATFORMS, Step};
use rechat::model::content::{Content, Segment};
use rechat::model::event::{MessageState, Origin};
use rechat::model::inbound::Inbound;
use rechat::model::message::{Direction, Draft, Message, MessageType, Sender, Status};
use rechat::model::routing::RoutingFacts;
use rechat::model::status_rules::{self, Outcome};
use rechat::store::{Access, Answer, Command, Store, StoreOptions, stored};

pub(super) struct Both {
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) options: StoreOptions,
    pub(super) store: Option<Store>,
    pub(super) model: Model,
    pub(super) at: u64,
}

/// A message after a change, with the doubt that its event leads to.
fn applied(before: &Message, after: Message) -> Message {
    let mut message = before.clone();
    drop(MessageState::of(&after).put_into(&mut message));
    Message { doubt: message.doubt, ..after }
}

impl Both {
    pub(super) fn new(folder: &tempfile::TempDir) -> Self {
        let options = StoreOptions::new(folder.path().join("store.redb"), Access::Write);
        let store = Some(Store::open(&options, Box::new(())).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { runtime, options, store, model: Model::default(), at: 1000 }
    }

    fn write(&self, command: Command) -> Answer {
        self.runtime.block_on(self.store.as_ref().unwrap().write(command)).unwrap()
    }

    #[allow(clippy::too_many_lines, reason = "one arm for each step")]
    pub(super) fn step(&mut self, step: &Step) {
        self.at += 1;
        let at = self.at;
        match *step {
            Step::Create { platform, conversation } => {
                let (platform, recipient) =
                    (PLATFORMS[platform].map(str::to_owned), CONVERSATIONS[conversation]);
                let draft =
                    Draft::new(MessageType::Text, format!("m{at}"), recipient.into(), platform)
                        .unwrap();
                let answer = self.write(Command::Create {
                    draft,
                    at,
                    idempotency: None,
                    facts: RoutingFacts::default(),
                });
                let Answer::Message(message) = answer else { panic!("{answer:?}") };
                self.model.add(message, Origin::Made);
            }
            Step::Receive { conversation, external, own } => {
                self.receive(conversation, external, own)
            }
            Step::SetStatus { place, status } => {
                let status = Status::ALL[status];
                let Some(message) = self.model.at(place) else { return };
                let (id, seq, before) = (message.id, message.seq, message.status);
                let after = status_rules::set_status(message.clone(), status, at)
                    .map_or(message.clone(), |after| applied(message, after));
                *message = after.clone();
                if (before != status, status) == (true, Status::Pending) {
                    self.model.attempts.entry(seq).or_default().send_again();
                }
                assert_eq!(
                    self.write(Command::SetStatus { id, status, at }),
                    Answer::Message(after)
                );
            }
            Step::Delete { place } => {
                let Some(message) = self.model.at(place) else { return };
                let id = message.id;
                self.model.messages.retain(|message| message.id != id);
                assert_eq!(self.write(Command::Delete { id }), Answer::Deleted);
                assert_eq!(self.write(Command::Delete { id }), Answer::NotFound);
            }
            Step::Claim { place } => {
                let Some(message) = self.model.at(place) else { return };
                let claimed = status_rules::claim(message.clone(), Some("me"), at);
                let claimed = claimed.map(|claimed| {
                    applied(message, Message { owner: Some("main".into()), ..claimed })
                });
                let seq = message.seq;
                message.clone_from(claimed.as_ref().unwrap_or(&message.clone()));
                if claimed.is_some() {
                    self.model.attempts.entry(seq).or_default().begin();
                }
                let answer =
                    self.write(Command::Claim { seqs: vec![seq], account: Some("me".into()), at });
                assert_eq!(answer, Answer::Claimed(claimed.into_iter().collect()));
            }
            Step::Echo { place } => self.echo(place),
            Step::RecordOutcome { place, outcome } => {
                let Some(message) = self.model.at(place) else { return };
                let outcome = [
                    Outcome::Sent {
                        account: Some("me".into()),
                        external_id: Some(format!("out{at}")),
                        is_unconfirmed: false,
                    },
                    Outcome::Retry { reason: "busy".into(), is_uncertain: true },
                    Outcome::NotAttempted,
                    Outcome::Failed { reason: "no".into(), is_uncertain: false },
                    Outcome::Expired { reason: "too old".into(), since: message.updated_at },
                    Outcome::RefusedLate { reason: "no".into(), retryable: true },
                ][outcome]
                    .clone();
                let seq = message.seq;
                if let Some(after) =
                    status_rules::record_outcome(message.clone(), outcome.clone(), at)
                {
                    *message = applied(message, after);
                }
                let expected = Answer::Message(message.clone());
                self.model.attempts.entry(seq).or_default().record(&outcome);
                assert_eq!(self.write(Command::RecordOutcome { seq, outcome, at }), expected);
            }
            Step::Route { place } => {
                let Some(message) = self.model.at(place) else { return };
                let (seq, id) = (message.seq, message.id);
                let facts =
                    RoutingFacts { default_platform: Some("qq".into()), ..RoutingFacts::default() };
                self.write(Command::Route { messages: vec![(seq, facts)], at });
                // Where the conversation is known decides before the default; the rules have tests of their own.
                let view = self.store.as_ref().unwrap().view().unwrap();
                let routed = view.by_id(id).unwrap().and_then(|message| message.platform);
                let Some(message) = self.model.at(place) else { return };
                let before = key_of(message);
                let Some(platform) = message.platform.clone().or(routed) else { return };
                if status_rules::can_route(message, &platform, &message.recipient) {
                    (message.platform, message.updated_at) = (Some(platform), at);
                }
                let message = message.clone();
                if key_of(&message) != before {
                    // It is not there yet.
                    self.model.messages.retain(|known| known.seq != seq);
                    self.model.mark(&message, Origin::Received);
                    let place = self.model.messages.partition_point(|known| known.seq < seq);
                    self.model.messages.insert(place, message);
                }
            }
            Step::Import { conversation, age, own } => {
                let id = uuid::Uuid::from_u128(u128::from(at) << 80 | 0x4000 << 64 | 0x8 << 60);
                let (content, name) = (Content::text("imported"), CONVERSATIONS[conversation]);
                let message = Message {
                    status: Status::Sent,
                    platform: Some("qq".into()),
                    direction: if own { Direction::Outbound } else { Direction::Inbound },
                    ..Message::new(0, id, content, name.into(), at - age)
                };
                let messages = vec![message.clone()];
                let answer = self.write(Command::Import { messages });
                assert_eq!(answer, Answer::Imported { new: 1, known: 0 });
                let seq = self.model.last_seq + 1;
                self.model.add(Message { seq, ..message }, Origin::Imported);
            }
            Step::Read { platform, conversation, place } => {
                let key = key_at(platform, conversation);
                let newest = self.model.of(&key).map(|message| message.seq).max();
                let seq = place.map(|place| self.model.at(place).map_or(0, |found| found.seq));
                let read_to = Some(seq.unwrap_or(u64::MAX));
                let answer = self.set(&key, read_to, None);
                assert_eq!(answer == Answer::Noted, newest.is_some());
                if let Some(newest) = newest {
                    let marks = self.model.marks.entry(key).or_default();
                    marks.read = marks.read.max(newest.min(seq.unwrap_or(u64::MAX)));
                }
            }
            Step::Set { platform, conversation, muted } => {
                let key = key_at(platform, conversation);
                let has_messages = self.model.of(&key).next().is_some();
                assert_eq!(self.set(&key, None, Some(muted)) == Answer::Noted, has_messages);
                if has_messages {
                    self.model.marks.entry(key).or_default().muted = muted;
                }
            }
            Step::Restart => {
                self.store.take().unwrap().close();
                self.store = Some(Store::open(&self.options, Box::new(())).unwrap());
            }
        }
    }

    fn set(
        &self,
        (platform, conversation): &(String, String),
        read_to: Option<u64>,
        muted: Option<bool>,
    ) -> Answer {
        let (platform, conversation) = (stored(platform).to_owned(), conversation.clone());
        self.write(Command::SetConversation {
            platform,
            conversation,
            read_to,
            unread_from: None,
            muted,
            pinned: None,
        })
    }

    /// The platform reports a message of ours while it is in doubt whether it was sent: it is not stored
    /// as a new one, and ends the doubt.
    fn echo(&mut self, place: usize) {
        let Some(message) = self.model.at(place).cloned() else { return };
        let attempts = self.model.attempts.get(&message.seq).copied().unwrap_or_default();
        // Others may say the same as another message.
        let is_made_here = message.content.readable().starts_with('m');
        let is_of_qq = message.platform.as_deref() == Some("qq");
        if !attempts.are_in_doubt() || message.status == Status::Sent || !is_of_qq || !is_made_here
        {
            return;
        }
        let external_id = format!("echo{}", self.at);
        let received = Inbound {
            conversation: message.recipient.clone(),
            content: message.content.clone(),
            ..inbound(external_id, self.at, true)
        };
        let (received, at) = (Box::new(received), self.at);
        let answer = self.write(Command::Receive { received, at, can_wait: false });
        let Answer::Repeated(after) = answer else {
            panic!("the echo of {message:?} is taken for another message: {answer:?}")
        };
        assert_eq!((after.seq, after.status), (message.seq, Status::Sent));
        self.model.attempts.remove(&message.seq);
        *self.model.at(place).unwrap() = after;
    }

    fn receive(&mut self, conversation: usize, external: u8, own: bool) {
        let received = Inbound {
            conversation: CONVERSATIONS[conversation].into(),
            content: Content::of(vec![
                Segment::Text { text: format!("in{external}") },
                Segment::Mention { user: "9".into(), name: None, me: external.is_multiple_of(2) },
            ]),
            ..inbound(external.to_string(), u64::from(external), own)
        };
        let is_double = self.model.received.iter().any(|known| {
            known.conversation == received.conversation && known.external_id == received.external_id
        });
        let answer = self.write(Command::Receive {
            received: Box::new(received.clone()),
            at: self.at,
            can_wait: false,
        });
        match answer {
            Answer::Message(message) => {
                assert!(!is_double, "a double was stored: {received:?}");
                self.model.received.push(received);
                self.model.add(message, Origin::Received);
            }
            Answer::Repeated(known) => {
                assert!(is_double, "{received:?} was refused");
                // An ID that is known tells of an earlier attempt; it proves nothing of a later one.
                assert!(self.model.messages.contains(&known), "the repeat changed {known:?}");
            }
            // A known message may have been deleted since.
            Answer::NotFound => assert!(is_double, "{received:?} was refused"),
            other => panic!("{other:?}"),
        }
    }
}

fn key_at(platform: usize, conversation: usize) -> (String, String) {
    (PLATFORMS[platform].unwrap_or("local").into(), CONVERSATIONS[conversation].into())
}

/// A message that the platform reports.
fn inbound(external_id: String, time: u64, own: bool) -> Inbound {
    Inbound {
        platform: "qq".into(),
        account: "me".into(),
        sender: Sender { id: "7".into(), name: "Seven".into() },
        external_id,
        time,
        own,
        ..Inbound::default()
    }
}
