//! The index against a scan that compares normalised texts: after any steps, both find the same.

use super::builder::Builder;
use super::index_file::{Range, SegmentFile};
use super::indexer::Indexer;
use super::read_limit::ReadLimit;
use super::{Conditions, Index, Search, check, folder_beside, normalise, terms};
use crate::model::change::Inbound;
use crate::model::content::{Content, Media, Segment};
use crate::model::message::{Direction, Draft, Message, MessageType, Sender, Status};
use crate::model::platform_event::MessageTarget;
use crate::model::routing::RoutingFacts;
use crate::store::{Access, Answer, Command, Matches, MessageFilter, Page, Store, StoreOptions};
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const CONVERSATIONS: [&str; 2] = ["group_1", "group_2"];

/// Texts of few characters, so that searches often match.
const TEXT: &str = "[abAＢé你好ｶﾞß😀 ]{1,8}";

/// A step of the model; positions count from the newest message.
#[derive(Clone, Debug)]
enum Step {
    Create {
        text: String,
        conversation: usize,
        is_image: bool,
    },
    Receive {
        text: String,
        name: String,
    },
    /// A file with this name.
    Share {
        name: String,
    },
    /// A message is edited.
    Edit {
        place: usize,
        text: String,
    },
    /// A message is recalled, and its content is removed.
    Recall {
        place: usize,
    },
    Route {
        place: usize,
    },
    Delete {
        place: usize,
    },
    /// A deleted message comes back under its ID, with another text.
    Return {
        text: String,
    },
    Cancel {
        place: usize,
    },
    /// The index does one round of work.
    Round,
    /// The index seals the messages in memory.
    Seal,
    /// The index is opened again from the disk.
    Kill,
    /// A file of the index is damaged.
    Damage {
        file: usize,
        place: usize,
    },
    Find {
        text: String,
        filters: [bool; 7],
        offset: u64,
        before: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = 0..20usize;
    let step = prop_oneof![
        8 => (TEXT, 0..2usize, any::<bool>()).prop_map(|(text, conversation, is_image)| Step::Create { text, conversation, is_image }),
        3 => (TEXT, TEXT).prop_map(|(text, name)| Step::Receive { text, name }),
        2 => TEXT.prop_map(|name| Step::Share { name }),
        2 => (place.clone(), TEXT).prop_map(|(place, text)| Step::Edit { place, text }),
        1 => place.clone().prop_map(|place| Step::Recall { place }),
        1 => place.clone().prop_map(|place| Step::Route { place }),
        2 => place.clone().prop_map(|place| Step::Delete { place }),
        2 => TEXT.prop_map(|text| Step::Return { text }),
        1 => place.prop_map(|place| Step::Cancel { place }),
        4 => Just(Step::Round),
        2 => Just(Step::Seal),
        1 => Just(Step::Kill),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(file, place)| Step::Damage { file, place }),
        8 => ("[abAＢé你好ガss😀 ]{0,4}", filters(), 0..3u64, 0..30usize)
            .prop_map(|(text, filters, offset, before)| Step::Find { text, filters, offset, before }),
    ];
    proptest::collection::vec(step, 1..80)
}

/// The filters that are set: one or two, often none.
fn filters() -> impl Strategy<Value = [bool; 7]> {
    proptest::array::uniform7(proptest::bool::weighted(0.15))
}

struct Both {
    runtime: tokio::runtime::Runtime,
    store: Arc<Store>,
    index: Arc<Index>,
    feed: Indexer,
    folder: PathBuf,
    deleted: Vec<Message>,
    at: u64,
}

fn feed(store: &Arc<Store>, folder: &std::path::Path) -> (Arc<Index>, Indexer) {
    let index = Arc::new(Index::new(folder.to_owned()));
    let mut feed = Indexer::new(index.clone(), store.clone(), CancellationToken::new());
    feed.load().unwrap();
    (index, feed)
}

impl Both {
    fn new(place: &tempfile::TempDir) -> Self {
        let mut options = StoreOptions::new(place.path().join("store.redb"), Access::Write);
        options.hides_recalled = true;
        Self::opened(&options)
    }

    fn opened(options: &StoreOptions) -> Self {
        let folder = folder_beside(&options.path);
        let store = Arc::new(Store::open(options, Box::new(())).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (index, feed) = feed(&store, &folder);
        Self { runtime, store, index, feed, folder, deleted: Vec::new(), at: 1000 }
    }

    fn write(&self, command: Command) -> Answer {
        self.runtime.block_on(self.store.write(command)).unwrap()
    }

    fn all(&self) -> Vec<Message> {
        self.store.view().unwrap().before(u64::MAX).unwrap().map(Result::unwrap).collect()
    }

    fn create(&mut self, text: &str, conversation: &str, message_type: MessageType) {
        self.at += 1;
        let draft = Draft::new(message_type, text.into(), conversation.into(), None).unwrap();
        self.write(Command::Create {
            draft,
            at: self.at,
            idempotency: None,
            facts: RoutingFacts::default(),
        });
    }

    fn receive(&mut self, content: Content, name: String) {
        self.at += 1;
        let received = Inbound {
            platform: "qq".into(),
            account: "me".into(),
            conversation: CONVERSATIONS[0].into(),
            conversation_name: None,
            sender: Sender { id: "7".into(), name },
            content,
            reply_to: None,
            external_id: self.at.to_string(),
            time: self.at,
            own: false,
            from_history: false,
            original: None,
            fingerprint: None,
        };
        self.write(Command::Receive { received: Box::new(received), at: self.at, can_wait: false });
    }

    /// Runs rounds until nothing is missing.
    fn catch_up(&mut self) {
        while self.feed.round().unwrap() {}
    }

    fn step(&mut self, step: Step) {
        let message = |place: usize| self.all().into_iter().nth(place);
        match step {
            Step::Create { text, conversation, is_image } => {
                let (kind, text) = if is_image {
                    (MessageType::Image, format!("https://example.com/{text}"))
                } else {
                    (MessageType::Text, text)
                };
                self.create(&text, CONVERSATIONS[conversation], kind);
            }
            Step::Receive { text, name } => self.receive(Content::text(text), name),
            Step::Share { name } => {
                let file = Media { name: Some(name), ..Media::default() };
                let content = Content::of(vec![Segment::Image(file.clone()), Segment::File(file)]);
                self.receive(content, "Ann".into());
            }
            Step::Edit { place, text } => {
                if let Some(message) = message(place) {
                    let target = MessageTarget::Id(message.id);
                    self.write(Command::Edit { target, content: Content::text(text), at: self.at });
                }
            }
            Step::Recall { place } => {
                if let Some(message) = message(place) {
                    let target = MessageTarget::Id(message.id);
                    self.write(Command::Recall { target, by: None, at: self.at });
                }
            }
            Step::Route { place } => {
                let default_platform = Some("qq".to_owned());
                let facts = RoutingFacts { default_platform, ..RoutingFacts::default() };
                let messages = message(place).map(|message| (message.seq, facts));
                let messages = messages.into_iter().collect();
                self.write(Command::Route { messages, at: self.at });
            }
            Step::Delete { place } => {
                if let Some(message) = message(place) {
                    self.write(Command::Delete { id: message.id });
                    self.deleted.push(message);
                }
            }
            Step::Return { text } => {
                if let Some(message) = self.deleted.pop() {
                    let messages = vec![Message { content: Content::text(text), ..message }];
                    self.write(Command::Import { messages });
                }
            }
            Step::Cancel { place } => {
                if let Some(message) = message(place) {
                    let (id, status) = (message.id, Status::Canceled);
                    self.write(Command::SetStatus { id, status, at: self.at });
                }
            }
            Step::Round => {
                self.feed.round().unwrap();
            }
            Step::Seal => {
                self.index.seal_live(true).unwrap();
            }
            Step::Kill => (self.index, self.feed) = feed(&self.store, &self.folder),
            Step::Damage { file, place } => self.damage(file, place),
            Step::Find { text, filters, offset, before } => {
                self.find(&text, filters, offset, before);
            }
        }
    }

    fn damage(&self, file: usize, place: usize) {
        let files: Vec<_> =
            std::fs::read_dir(&self.folder).unwrap().map(|f| f.unwrap().path()).collect();
        let path = &files[file % files.len()];
        let mut bytes = std::fs::read(path).unwrap();
        let place = place % bytes.len();
        bytes[place] ^= 0x55;
        std::fs::write(path, bytes).unwrap();
    }

    fn find(&self, text: &str, filters: [bool; 7], offset: u64, before: usize) {
        let all = self.all();
        let mut wanted = MessageFilter::default();
        let text = Some(text.to_owned());
        let mut conditions = Conditions { text, ..Conditions::default() };
        let [of_conversation, inbound, given_up, of_qq, images, of_sender, timely] = filters;
        wanted.conversation = of_conversation.then(|| CONVERSATIONS[0].into());
        wanted.direction = inbound.then_some(Direction::Inbound);
        if given_up {
            wanted.statuses = vec![Status::Canceled, Status::Failed];
        }
        wanted.platform = of_qq.then(|| "qq".into());
        conditions.message_type = images.then_some(MessageType::Image);
        conditions.sender = of_sender.then(|| "7".into());
        if timely {
            (conditions.since, conditions.until) = (Some(1003), Some(1012));
        }
        let Some(search) = Search::of(conditions.clone()) else { return };
        let wanted_text = normalise(conditions.text.as_deref().unwrap_or_default()).into_owned();
        let is_in_time = |at: u64| {
            conditions.since.is_none_or(|since| at >= since)
                && conditions.until.is_none_or(|until| at < until)
        };
        let before = all.get(before).map(|message| message.seq);
        let page = Page { offset, limit: 5, before };
        let says = |text_of: &str| normalise(text_of).contains(&wanted_text);
        let scanned = all.into_iter().filter(|message| {
            before.is_none_or(|before| message.seq < before)
                && wanted.matches(message)
                && conditions.message_type.is_none_or(|wanted| wanted == message.message_type())
                && (conditions.sender.is_none()
                    || message.sender.as_ref().is_some_and(|sender| sender.id == "7"))
                && is_in_time(message.created_at)
                && (says(&message.content.readable())
                    || message.sender.as_ref().is_some_and(|s| says(&s.name))
                    || names_of_files(message).any(says))
        });
        let expected = Matches {
            messages: scanned.skip(offset as usize).take(page.limit).collect(),
            searched_to: None,
        };
        assert_eq!(self.index.search(&self.store, &wanted, &search, page).unwrap(), expected);
    }

    fn found(&self, text: &str) -> Vec<String> {
        let search = Search::new(Some(text), None).unwrap();
        let page = Page { offset: 0, limit: 10, before: None };
        let found =
            self.index.search(&self.store, &MessageFilter::default(), &search, page).unwrap();
        found.messages.into_iter().map(|message| message.content.readable().into_owned()).collect()
    }

    fn check(&self) -> check::IndexReport {
        self.index.save().unwrap();
        check::check(&self.folder, &self.store.view().unwrap()).unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_what_a_scan_finds(steps in steps()) {
        let place = tempfile::tempdir().unwrap();
        let mut both = Both::new(&place);
        let finds: Vec<Step> =
            steps.iter().filter(|step| matches!(step, Step::Find { .. })).cloned().collect();
        for step in steps {
            both.step(step);
        }
        both.catch_up();
        for find in &finds {
            both.step(find.clone());
        }
        // A segment that a search found damaged is built anew.
        both.catch_up();
        for find in finds {
            both.step(find);
        }
        prop_assert_eq!(both.index.missing(&both.store.view().unwrap()), Ok(0));
    }
}

#[test]
fn a_hit_is_where_the_text_stands_together() {
    let place = tempfile::tempdir().unwrap();
    let mut both = Both::new(&place);
    for text in ["南京市长江大桥", "江大,大桥,长江", "长 江大桥", "abcab", "abab cabca"]
    {
        both.create(text, "group_1", MessageType::Text);
    }
    for _ in 0..2 {
        assert_eq!(both.found("长江大桥"), ["南京市长江大桥"]);
        assert_eq!(both.found("abcab"), ["abcab"]);
        both.catch_up();
        both.index.seal_live(true).unwrap();
    }
}

#[test]
fn the_messages_of_a_sender_are_found_among_any_number_of_others() {
    let place = tempfile::tempdir().unwrap();
    let mut both = Both::new(&place);
    both.receive("common".into(), "Rare".into());
    for i in 0..40 {
        both.create(&format!("common {i}"), "group_1", MessageType::Text);
    }
    both.catch_up();
    both.index.seal_live(true).unwrap();
    both.index.save().unwrap();
    let view = both.store.view().unwrap();
    let find = |limit, conditions: Conditions| {
        let mut index = Index::open(both.folder.clone(), &view);
        index.limit = limit;
        let search = Search::of(conditions).unwrap();
        let page = Page { offset: 0, limit: 5, before: None };
        let found = index.search(&both.store, &MessageFilter::default(), &search, page).unwrap();
        (found.messages.len(), found.searched_to.is_some())
    };
    for sender in ["Rare", "7"] {
        for text in [None, Some("common".to_owned())] {
            let sender = Some(sender.to_owned());
            let conditions = Conditions { text, sender, ..Conditions::default() };
            let limit = ReadLimit { messages: 5, time: Duration::ZERO };
            assert_eq!(find(limit, conditions), (1, false));
        }
    }
    // The index has no times, so messages are read as long as the time allows.
    let early = || Conditions { until: Some(1002), ..Conditions::default() };
    let none = ReadLimit { messages: 0, time: Duration::ZERO };
    assert_eq!(find(none, early()), (0, true));
    assert_eq!(find(ReadLimit { time: Duration::from_mins(10), ..none }, early()), (1, false));
}

#[test]
fn a_segment_that_is_gone_or_damaged_is_read_instead_and_built_anew() {
    let place = tempfile::tempdir().unwrap();
    let mut both = Both::new(&place);
    for i in 0..30 {
        both.create(&format!("message {i}"), "group_1", MessageType::Text);
        if i % 10 == 9 {
            both.catch_up();
            both.index.seal_live(true).unwrap();
        }
    }
    both.catch_up();
    let report = both.check();
    assert_eq!((report.segments, &report.findings[..]), (3, &[][..]));
    let mut files: Vec<_> =
        both.index.snapshot(&[]).segments.iter().map(|s| s.path().to_owned()).collect();
    files.sort();
    std::fs::remove_file(&files[1]).unwrap();
    let mut bytes = std::fs::read(&files[0]).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&files[0], bytes).unwrap();
    let [finding] = &both.check().findings[..] else { panic!("one is damaged") };
    assert!(finding.contains("it is damaged"), "{finding}");

    (both.index, both.feed) = feed(&both.store, &both.folder);
    assert_eq!(both.found("SAGE 5"), ["message 5"]);
    assert_eq!(both.found("sage 15"), ["message 15"]);
    both.catch_up();
    assert_eq!(both.found("sage 15"), ["message 15"]);
    let report = both.check();
    // Adjacent gaps are built as one segment.
    assert_eq!((report.segments, &report.findings[..]), (2, &[][..]));
}

#[test]
fn an_index_of_another_life_of_the_store_is_not_believed() {
    let place = tempfile::tempdir().unwrap();
    let db = place.path().join("store.redb");
    let copy = place.path().join("copy.redb");
    let mut both = Both::new(&place);
    both.create("before", "group_1", MessageType::Text);
    both.store.view().unwrap().copy_to(&copy).unwrap();
    both.create("it was so", "group_1", MessageType::Text);
    both.catch_up();
    both.index.seal_live(true).unwrap();
    both.index.save().unwrap();
    drop(both);
    // The copy is restored, and the same `seq` is given to another message.
    std::fs::rename(&copy, &db).unwrap();
    let mut both = Both::new(&place);
    both.create("it is not", "group_1", MessageType::Text);
    (both.index, both.feed) = feed(&both.store, &both.folder);
    both.catch_up();
    assert_eq!(both.found("not"), ["it is not"]);
    assert_eq!(both.found("so"), [""; 0]);
    assert_eq!(both.check().findings, [""; 0]);
}

#[test]
fn what_was_deleted_leaves_the_index_with_its_segment() {
    let place = tempfile::tempdir().unwrap();
    let mut both = Both::new(&place);
    for text in ["old 1", "old 2", "new"] {
        both.create(text, "group_1", MessageType::Text);
        if text != "old 1" {
            both.catch_up();
            both.index.seal_live(true).unwrap();
        }
    }
    both.catch_up();
    for message in both.all().into_iter().filter(|message| message.content.readable() != "new") {
        both.write(Command::Delete { id: message.id });
    }
    both.catch_up();
    let snapshot = both.index.snapshot(&[]);
    let ranges: Vec<Range> = snapshot.segments.iter().map(|segment| segment.range()).collect();
    assert_eq!(ranges, [Range { first: 3, last: 3 }]);
    assert!(SegmentFile::open(&both.folder, Range { first: 0, last: 2 }).is_err());
}

#[test]
fn what_was_acknowledged_is_found_at_once_while_the_index_follows() {
    let place = tempfile::tempdir().unwrap();
    let Both { runtime, store, folder, .. } = Both::new(&place);
    let index = Arc::new(Index::new(folder));
    let stop = CancellationToken::new();
    let feed = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let following = feed.spawn(super::run(index.clone(), store.clone(), stop.clone()));
    let page = Page { offset: 0, limit: 3, before: None };
    for i in 0..300 {
        let (text, conversation) = (format!("number {i}."), "group_1".to_owned());
        let draft = Draft::new(MessageType::Text, text.clone(), conversation, None).unwrap();
        let command =
            Command::Create { draft, at: 1000, idempotency: None, facts: RoutingFacts::default() };
        let Answer::Message(message) = runtime.block_on(store.write(command)).unwrap() else {
            panic!("it was not made")
        };
        if i % 50 == 49 {
            runtime.block_on(store.write(Command::Delete { id: message.id })).unwrap();
        }
        let search = Search::new(Some(&text.to_uppercase()), None).unwrap();
        let found =
            index.search(&store, &MessageFilter::default(), &search, page).unwrap().messages;
        assert_eq!(found, if i % 50 == 49 { vec![] } else { vec![message] });
    }
    stop.cancel();
    runtime.block_on(following).unwrap();
}

fn names_of_files(message: &Message) -> impl Iterator<Item = &str> {
    let segments = message.content.segments().unwrap_or_default().iter();
    segments.filter_map(|segment| match segment {
        Segment::Image(media) | Segment::File(media) => media.name.as_deref(),
        _ => None,
    })
}

/// Builds a segment of some messages, as the feed does.
fn built(both: &Both, Range { first, last }: Range) -> Builder {
    let mut builder = Builder::new(first);
    let messages = both.all().into_iter().rev();
    for message in messages.filter(|message| (first..=last).contains(&message.seq)) {
        builder.add(message.seq, &terms::of_message(&message));
    }
    builder.reach(last + 1);
    builder
}

/// A store with three messages, in one sealed segment.
fn sealed(place: &tempfile::TempDir) -> (Both, Arc<SegmentFile>) {
    let mut both = Both::new(place);
    for text in ["text 1", "text 2", "text 3"] {
        both.create(text, "group_1", MessageType::Text);
    }
    both.catch_up();
    both.index.seal_live(true).unwrap();
    both.index.save().unwrap();
    let segment = both.index.snapshot(&[]).segments[0].clone();
    (both, segment)
}

#[test]
fn a_segment_that_is_built_anew_in_place_of_a_damaged_one_stays() {
    let place = tempfile::tempdir().unwrap();
    let (mut both, damaged) = sealed(&place);
    // A search finds the damage while the feed builds, so the old file is not removed before.
    both.index.discard(&damaged);
    both.index.seal(&built(&both, damaged.range())).unwrap();
    // Another search that began earlier finds it, too.
    both.index.discard(&damaged);
    assert_eq!(both.index.snapshot(&[]).segments.len(), 1, "it is another one");
    both.catch_up();
    assert!(damaged.path().exists(), "the new file has the old one's name");
    (both.index, both.feed) = feed(&both.store, &both.folder);
    assert_eq!(both.index.snapshot(&[]).segments.len(), 1);
}

#[test]
fn a_kill_before_an_unused_segment_is_removed_doubles_and_loses_nothing() {
    let place = tempfile::tempdir().unwrap();
    let (mut both, all) = sealed(&place);
    // An older segment that was replaced, and that the kill left.
    SegmentFile::write(&both.folder, &built(&both, Range { first: 2, last: 3 })).unwrap();
    (both.index, both.feed) = feed(&both.store, &both.folder);
    assert_eq!(both.found("text"), ["text 3", "text 2", "text 1"]);
    // The progress is not written without the changes of messages in an unused segment.
    let message = both.all().into_iter().last().unwrap();
    both.step(Step::Delete { place: 2 });
    let messages = vec![Message { content: Content::text("other"), ..message }];
    both.write(Command::Import { messages });
    both.catch_up();
    let all = both.index.snapshot(&[]).segments.iter().find(|s| s.path() == all.path()).cloned();
    both.index.discard(&all.unwrap());
    both.index.save().unwrap();
    (both.index, both.feed) = feed(&both.store, &both.folder);
    assert_eq!(both.found("other"), ["other"]);
}

#[test]
fn what_the_log_does_not_have_any_more_is_found_all_the_same() {
    let place = tempfile::tempdir().unwrap();
    let mut options = StoreOptions::new(place.path().join("store.redb"), Access::Write);
    options.journal_events = 1;
    let mut both = Both::opened(&options);
    both.create("before", "group_1", MessageType::Text);
    both.catch_up();
    both.index.seal_live(true).unwrap();
    // The log drops the event before the feed reads it.
    both.step(Step::Delete { place: 0 });
    both.step(Step::Return { text: "after".into() });
    both.create("later", "group_1", MessageType::Text);
    both.create("last", "group_1", MessageType::Text);
    while both.write(Command::Trim {
        marks_before: 0,
        lapsed_keys: Vec::new(),
        at: crate::clock::now(),
    }) == Answer::Noted
    {}
    let view = both.store.view().unwrap();
    assert_eq!(view.journal(both.index.offset(), 10).unwrap(), None);
    assert_eq!(both.found("after"), ["after"]);
    both.catch_up();
    assert_eq!(both.found("after"), ["after"]);
    assert_eq!(both.index.missing(&both.store.view().unwrap()), Ok(0));
}
