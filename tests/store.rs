//! The store against a plain model: whatever happens to both, they tell the same.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use proptest::prelude::*;
use rechat::model::change::{self, Inbound, Outcome};
use rechat::model::content::{Content, Segment};
use rechat::model::event::Origin;
use rechat::model::message::{Direction, Draft, Message, MessageType, Sender, Status};
use rechat::model::routing::RoutingFacts;
use rechat::protocol::overview::Conversation;
use rechat::store::{
    Access, Answer, Command, ConversationQuery, EntryContent, Matches, MessageFilter,
    MessageSource, Page, Store, StoreOptions, View, check::check, stored,
};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

const PLATFORMS: [Option<&str>; 3] = [None, Some("qq"), Some("wechat")];
const CONVERSATIONS: [&str; 3] = ["group_1", "group_2", "private_3"];

/// A step of the model; places count from the newest message.
#[derive(Clone, Debug)]
enum Step {
    Create { platform: usize, conversation: usize },
    Receive { conversation: usize, external: u8, own: bool },
    SetStatus { place: usize, status: usize },
    Delete { place: usize },
    Claim { place: usize },
    RecordOutcome { place: usize, outcome: usize },
    Route { place: usize },
    Import { conversation: usize, age: u64, own: bool },
    Read { platform: usize, conversation: usize, place: Option<usize> },
    Set { platform: usize, conversation: usize, muted: bool },
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = 0..30usize;
    let step = prop_oneof![
        6 => (0..3usize, 0..3usize).prop_map(|(platform, conversation)| Step::Create { platform, conversation }),
        3 => (0..3usize, 0..6u8, any::<bool>()).prop_map(|(conversation, external, own)| Step::Receive { conversation, external, own }),
        3 => (place.clone(), 0..5usize).prop_map(|(place, status)| Step::SetStatus { place, status }),
        2 => place.clone().prop_map(|place| Step::Delete { place }),
        2 => place.clone().prop_map(|place| Step::Claim { place }),
        2 => (place.clone(), 0..4usize).prop_map(|(place, outcome)| Step::RecordOutcome { place, outcome }),
        1 => place.clone().prop_map(|place| Step::Route { place }),
        1 => (0..3usize, 0..40u64, any::<bool>()).prop_map(|(conversation, age, own)| Step::Import { conversation, age, own }),
        2 => (0..3usize, 0..3usize, prop::option::of(place)).prop_map(|(platform, conversation, place)| Step::Read { platform, conversation, place }),
        1 => (0..3usize, 0..3usize, any::<bool>()).prop_map(|(platform, conversation, muted)| Step::Set { platform, conversation, muted }),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..60)
}

/// The plain model: every message there is, oldest first.
#[derive(Default)]
struct Model {
    messages: Vec<Message>,
    received: Vec<Inbound>,
    last_seq: u64,
    marks: BTreeMap<(String, String), Marks>,
}

/// Facts of a conversation that its messages do not have.
#[derive(Clone, Default)]
struct Marks {
    read: u64,
    /// When something was said last.
    said: u64,
    muted: bool,
}

fn key_of(message: &Message) -> (String, String) {
    (message.platform_or_local().to_owned(), message.recipient.clone())
}

impl Model {
    fn at(&mut self, place: usize) -> Option<&mut Message> {
        let from_end = self.messages.len().checked_sub(place + 1)?;
        self.messages.get_mut(from_end)
    }

    fn add(&mut self, message: Message, origin: Origin) {
        assert!(message.seq > self.last_seq, "a `seq` was used again");
        self.last_seq = message.seq;
        self.mark(&message, origin);
        self.messages.push(message);
    }

    /// Notes what a message that comes into a conversation reads.
    fn mark(&mut self, message: &Message, origin: Origin) {
        let last = self.of(&key_of(message)).map(|message| message.seq).max().unwrap_or(0);
        let marks = self.marks.entry(key_of(message)).or_default();
        let is_ours = message.direction == Direction::Outbound;
        let reads = match origin {
            Origin::Made => is_ours,
            Origin::Received => is_ours && message.created_at >= marks.said,
            Origin::Imported => marks.read >= last,
        };
        if reads {
            marks.read = marks.read.max(message.seq);
        }
        marks.said = marks.said.max(message.created_at);
    }

    fn of(&self, key: &(String, String)) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(move |message| key_of(message) == *key)
    }

    /// The conversations as they are to be listed.
    fn conversations(&self) -> Vec<Conversation> {
        let entry = |(key, marks): (&(String, String), &Marks)| {
            let last = self.of(key).max_by_key(|message| (message.created_at, message.seq))?;
            let is_unread = |m: &&Message| m.direction == Direction::Inbound && m.seq > marks.read;
            Some(Conversation {
                platform: key.0.clone(),
                conversation: key.1.clone(),
                last_message: Some(last.clone()),
                last_seq: self.of(key).map(|message| message.seq).max()?,
                last_at: last.created_at,
                unread: self.of(key).filter(is_unread).count() as u64,
                mentions: self.of(key).filter(|m| is_unread(m) && m.content.mentions_me()).count()
                    as u64,
                muted: marks.muted,
                ..Conversation::default()
            })
        };
        let mut all: Vec<_> = self.marks.iter().filter_map(entry).collect();
        all.sort_by_key(|conversation| std::cmp::Reverse(conversation.last_seq));
        all
    }

    fn list(&self, filter: &MessageFilter) -> Vec<Message> {
        let matches = |m: &&Message| {
            filter.lets_through(m.status)
                && filter.direction.is_none_or(|direction| direction == m.direction)
                && filter
                    .platform
                    .as_deref()
                    .is_none_or(|platform| platform == m.platform_or_local())
                && filter.conversation.as_ref().is_none_or(|name| *name == m.recipient)
        };
        self.messages.iter().rev().filter(matches).cloned().collect()
    }
}

/// A message that nobody sends has no owner.
fn disowned(mut message: Message) -> Message {
    if message.status != Status::Sending {
        message.owner = None;
    }
    message
}

struct Both {
    runtime: tokio::runtime::Runtime,
    options: StoreOptions,
    store: Option<Store>,
    model: Model,
    at: u64,
}

impl Both {
    fn new(folder: &tempfile::TempDir) -> Self {
        let options = StoreOptions::new(folder.path().join("store.redb"), Access::Write);
        let store = Some(Store::open(&options, Box::new(())).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { runtime, options, store, model: Model::default(), at: 1000 }
    }

    fn write(&self, command: Command) -> Answer {
        self.runtime.block_on(self.store.as_ref().unwrap().write(command)).unwrap()
    }

    #[allow(clippy::too_many_lines, reason = "one arm for each step")]
    fn step(&mut self, step: &Step) {
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
                let Answer::Done(message) = answer else { panic!("{answer:?}") };
                self.model.add(message, Origin::Made);
            }
            Step::Receive { conversation, external, own } => {
                self.receive(conversation, external, own)
            }
            Step::SetStatus { place, status } => {
                let status = Status::ALL[status];
                let Some(message) = self.model.at(place) else { return };
                let id = message.id;
                let after =
                    change::set_status(message.clone(), status, at).unwrap_or(message.clone());
                let after = disowned(after);
                *message = after.clone();
                assert_eq!(self.write(Command::SetStatus { id, status, at }), Answer::Done(after));
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
                let claimed = change::claim(message.clone(), Some("me"), at);
                let claimed =
                    claimed.map(|message| Message { owner: Some("main".into()), ..message });
                let seq = message.seq;
                message.clone_from(claimed.as_ref().unwrap_or(&message.clone()));
                let answer =
                    self.write(Command::Claim { seqs: vec![seq], account: Some("me".into()), at });
                assert_eq!(answer, Answer::Claimed(claimed.into_iter().collect()));
            }
            Step::RecordOutcome { place, outcome } => {
                let outcome = [
                    Outcome::Sent {
                        account: Some("me".into()),
                        external_id: Some(format!("out{at}")),
                        is_unconfirmed: false,
                    },
                    Outcome::Retry { reason: "busy".into(), is_uncertain: true },
                    Outcome::NotAttempted,
                    Outcome::Failed { reason: "no".into(), is_uncertain: false },
                ][outcome]
                    .clone();
                let Some(message) = self.model.at(place) else { return };
                let seq = message.seq;
                if let Some(after) = change::record_outcome(message.clone(), outcome.clone(), at) {
                    *message = disowned(after);
                }
                let expected = Answer::Done(message.clone());
                assert_eq!(self.write(Command::RecordOutcome { seq, outcome, at }), expected);
            }
            Step::Route { place } => {
                let Some(message) = self.model.at(place) else { return };
                let (seq, before) = (message.seq, key_of(message));
                // With this default, what names no platform goes to qq.
                let facts =
                    RoutingFacts { default_platform: Some("qq".into()), ..RoutingFacts::default() };
                let platform = message.platform.clone().unwrap_or_else(|| "qq".into());
                if change::can_route(message, &platform, &message.recipient) {
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
                self.write(Command::Route { messages: vec![(seq, facts)], at });
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
            muted,
            pinned: None,
        })
    }

    fn receive(&mut self, conversation: usize, external: u8, own: bool) {
        let received = Inbound {
            platform: "qq".into(),
            account: "me".into(),
            conversation: CONVERSATIONS[conversation].into(),
            conversation_name: None,
            sender: Sender { id: "7".into(), name: "Seven".into() },
            content: Content::of(vec![
                Segment::Text { text: format!("in{external}") },
                Segment::Mention { user: "9".into(), name: None, me: external.is_multiple_of(2) },
            ]),
            reply_to: None,
            external_id: external.to_string(),
            time: u64::from(external),
            own,
            from_history: false,
            original: None,
            fingerprint: None,
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
            Answer::Done(message) => {
                assert!(!is_double, "a double was stored: {received:?}");
                self.model.received.push(received);
                self.model.add(message, Origin::Received);
            }
            Answer::Repeated(known) => {
                assert!(is_double, "{received:?} was refused");
                let place = self.model.messages.iter().position(|message| *message == known);
                let place = place.expect("it is one that the model knows");
                if received.echoes(&known, self.at) {
                    assert_eq!(known.direction, Direction::Outbound, "only ours have echoes");
                    let sent = Outcome::Sent {
                        account: Some("me".into()),
                        external_id: Some(received.external_id),
                        is_unconfirmed: false,
                    };
                    self.model.messages[place] =
                        change::record_outcome(known, sent, self.at).expect("it was open");
                }
            }
            // A known message may have been deleted since.
            Answer::NotFound => assert!(is_double, "{received:?} was refused"),
            other => panic!("{other:?}"),
        }
    }

    fn agree(&self) {
        let view = self.store.as_ref().unwrap().view().unwrap();
        for message in &self.model.messages {
            assert_eq!(view.by_id(message.id).unwrap().as_ref(), Some(message));
        }
        let stats = view.stats();
        assert_eq!(stats.total, self.model.messages.len() as u64);
        let sent = self.model.messages.iter().filter(|message| message.status == Status::Sent);
        assert_eq!(stats.sent, sent.count() as u64);
        for filter in filters() {
            let all = self.model.list(&filter);
            let list = |page| view.list(&filter, page).unwrap();
            assert_eq!(list(Page { offset: 0, limit: 200, before: None }), all, "{filter:?}");
            let by_offset: Vec<_> = (0..)
                .map(|page| list(Page { offset: page * 3, limit: 3, before: None }))
                .take_while(|page| !page.is_empty())
                .flatten()
                .collect();
            assert_eq!(by_offset, all, "{filter:?}");
            let before = all.get(all.len() / 2).map(|message| message.seq);
            let older: Vec<_> =
                all.iter().filter(|m| before.is_none_or(|seq| m.seq < seq)).cloned().collect();
            assert_eq!(list(Page { offset: 0, limit: 200, before }), older, "{filter:?}");
            let after = before.unwrap_or(0);
            let mut newer: Vec<_> = all.iter().filter(|m| m.seq > after).cloned().collect();
            newer.reverse();
            assert_eq!(view.list_after(&filter, after, 200).unwrap(), newer, "{filter:?}");
            newer.truncate(3);
            assert_eq!(view.list_after(&filter, after, 3).unwrap(), newer, "{filter:?}");
            let mut said = all;
            said.sort_by_key(|message| std::cmp::Reverse((message.created_at, message.seq)));
            let source = Listed { view: &view, filter: &filter };
            let by_time = |page| view.by_time(&filter, &source, page).unwrap().messages;
            assert_eq!(by_time(Page { offset: 0, limit: 200, before: None }), said, "{filter:?}");
            for (place, message) in said.iter().enumerate() {
                let page = Page { offset: 1, limit: 2, before: Some(message.seq) };
                let wanted: Vec<_> = said.iter().skip(place + 2).take(2).cloned().collect();
                assert_eq!(by_time(page), wanted, "after {message:?} of {filter:?}");
            }
        }
        for (platform, conversation) in
            PLATFORMS.iter().flat_map(|p| CONVERSATIONS.map(|c| (*p, c)))
        {
            let mut waiting = self.model.list(&MessageFilter {
                statuses: vec![Status::Pending],
                platform: Some(platform.unwrap_or("local").into()),
                conversation: Some(conversation.into()),
                direction: Some(Direction::Outbound),
            });
            waiting.reverse();
            assert_eq!(view.pending(platform, conversation, 100).unwrap(), waiting);
        }
        let wanted = self.model.conversations();
        // Names, accounts and kinds do not follow from the model.
        let plain = |found: Vec<Conversation>| -> Vec<_> {
            let plain = |found: Conversation| Conversation {
                kind: rechat::protocol::overview::ConversationKind::default(),
                name: None,
                account: None,
                ..found
            };
            found.into_iter().map(plain).collect()
        };
        let all = ConversationQuery::default();
        assert_eq!(plain(view.conversations(&all).unwrap()), wanted);
        for platform in [None, Some("qq"), Some("local")] {
            let platform = platform.map(str::to_owned);
            let is_wanted =
                |known: &&Conversation| platform.as_ref().is_none_or(|p| *p == known.platform);
            let mut before = None;
            for conversation in wanted.iter().filter(is_wanted) {
                let platform = platform.clone();
                let one = ConversationQuery { platform, text: None, before, limit: Some(1) };
                assert_eq!(
                    plain(view.conversations(&one).unwrap()),
                    std::slice::from_ref(conversation)
                );
                before = Some(conversation.last_seq);
            }
        }
        let kept = view.journal(0, usize::MAX).unwrap().unwrap();
        assert!(kept.is_sorted_by(|a, b| a.offset < b.offset), "{kept:?}");
        let creations = kept.iter().filter_map(|kept| match kept.entry {
            EntryContent::Created { seq } => Some(seq),
            _ => None,
        });
        assert!(creations.eq(1..=view.head()), "each creation has its event: {kept:?}");
        let deletions =
            kept.iter().filter(|kept| matches!(kept.entry, EntryContent::Deleted { .. }));
        assert_eq!(deletions.count() as u64, view.head() - self.model.messages.len() as u64);
        for message in &self.model.messages {
            let last = kept.iter().rev().find_map(|kept| match kept.entry {
                EntryContent::StatusChanged { seq, status, .. } if seq == message.seq => {
                    Some(status)
                }
                _ => None,
            });
            assert!(last.is_none_or(|status| status == message.status), "{message:?}");
        }
        assert_eq!(check(&view).unwrap().findings, Vec::<String>::new());
    }
}

fn key_at(platform: usize, conversation: usize) -> (String, String) {
    (PLATFORMS[platform].unwrap_or("local").into(), CONVERSATIONS[conversation].into())
}

/// A filter's messages, a few at a time, so that pages meet.
struct Listed<'a> {
    view: &'a View,
    filter: &'a MessageFilter,
}

impl MessageSource for Listed<'_> {
    fn page(&self, page: Page) -> rechat::store::Result<Matches> {
        let few = Page { limit: 3, ..page };
        Ok(Matches { messages: self.view.list(self.filter, few)?, searched_to: None })
    }

    fn has(&self, message: &Message) -> bool {
        self.filter.matches(message)
    }

    fn span(&self) -> Range<u64> {
        0..u64::MAX
    }
}

fn filters() -> impl Iterator<Item = MessageFilter> {
    let statuses = [&[][..], &[Status::Pending], &[Status::Sent], &[Status::Sent, Status::Failed]];
    let platforms = [None, Some("local"), Some("qq"), Some("unheard")];
    let conversations = [None, Some("group_1"), Some("unheard")];
    let directions = [None, Some(Direction::Inbound), Some(Direction::Outbound)];
    statuses.into_iter().flat_map(move |statuses| {
        platforms.into_iter().flat_map(move |platform| {
            conversations.into_iter().flat_map(move |conversation| {
                directions.into_iter().map(move |direction| MessageFilter {
                    statuses: statuses.to_vec(),
                    platform: platform.map(str::to_owned),
                    conversation: conversation.map(str::to_owned),
                    direction,
                })
            })
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_store_and_a_plain_model_agree(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let mut both = Both::new(&folder);
        for step in steps {
            both.step(&step);
        }
        both.agree();
    }
}

/// Pages and counts hold across the blocks of the index, and after holes were made in them.
#[test]
fn many_messages_page_alike_by_offset_and_by_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(
        Store::open(&StoreOptions::new(folder.path().join("s.redb"), Access::Write), Box::new(()))
            .unwrap(),
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let messages: Vec<Message> = runtime.block_on(async {
        let mut answers = Vec::new();
        for i in 0..10_000 {
            let draft =
                Draft::new(MessageType::Text, i.to_string(), format!("group_{}", i % 7), None)
                    .unwrap();
            answers.push(
                store
                    .submit(Command::Create {
                        draft,
                        at: 1,
                        idempotency: None,
                        facts: RoutingFacts::default(),
                    })
                    .await
                    .unwrap(),
            );
        }
        let mut made = Vec::new();
        for answer in answers {
            let Answer::Done(message) = answer.await.unwrap() else { panic!() };
            made.push(message);
        }
        for message in made.iter().step_by(3) {
            store.write(Command::Delete { id: message.id }).await.unwrap();
        }
        made
    });
    let left: Vec<_> =
        messages.iter().enumerate().filter(|(i, _)| i % 3 != 0).map(|(_, m)| m).rev().collect();
    let view = store.view().unwrap();
    for offset in [0, 1, 2_729, 2_731, 5_000, left.len() - 2, left.len(), 99_999] {
        let page = Page { offset: offset as u64, limit: 5, before: None };
        let found = view.list(&MessageFilter::default(), page).unwrap();
        let wanted: Vec<_> = left.iter().skip(offset).take(5).map(|&m| m.clone()).collect();
        assert_eq!(found, wanted, "offset {offset}");
    }
    let filter = MessageFilter { conversation: Some("group_3".into()), ..MessageFilter::default() };
    let before = left[1_000].seq;
    let found = view.list(&filter, Page { offset: 2, limit: 4, before: Some(before) }).unwrap();
    let wanted: Vec<_> = left
        .iter()
        .filter(|m| m.seq < before && m.recipient == "group_3")
        .skip(2)
        .take(4)
        .map(|&m| m.clone())
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(check(&view).unwrap().findings, Vec::<String>::new());
}
