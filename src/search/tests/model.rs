//! The index against a scan that compares normalised texts: after any steps, both find the same.

use super::fixture::{Both, CONVERSATIONS, indexer};
use crate::model::content::{Content, Media, Segment};
use crate::model::message::{Direction, Message, MessageType, Status};
use crate::model::platform_event::MessageTarget;
use crate::model::routing::RoutingFacts;
use crate::search::{Conditions, Search, normalise};
use crate::store::{Command, Matches, MessageFilter, Page};
use proptest::prelude::*;

/// Texts of few characters, so that searches often match.
const TEXT: &str = "[abAＢé你好ｶﾞß😀 ]{1,8}";

/// A step of the model; positions count from the newest message.
#[derive(Clone, Debug)]
pub(in crate::search) enum Step {
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
        position: usize,
        text: String,
    },
    /// A message is recalled, and its content is removed.
    Recall {
        position: usize,
    },
    Route {
        position: usize,
    },
    Delete {
        position: usize,
    },
    /// A deleted message comes back under its ID, with another text.
    Return {
        text: String,
    },
    Cancel {
        position: usize,
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
        position: usize,
    },
    Find {
        text: String,
        filters: [bool; 7],
        offset: u64,
        before: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let position = 0..20usize;
    let step = prop_oneof![
        8 => (TEXT, 0..2usize, any::<bool>()).prop_map(|(text, conversation, is_image)| Step::Create { text, conversation, is_image }),
        3 => (TEXT, TEXT).prop_map(|(text, name)| Step::Receive { text, name }),
        2 => TEXT.prop_map(|name| Step::Share { name }),
        2 => (position.clone(), TEXT).prop_map(|(position, text)| Step::Edit { position, text }),
        1 => position.clone().prop_map(|position| Step::Recall { position }),
        1 => position.clone().prop_map(|position| Step::Route { position }),
        2 => position.clone().prop_map(|position| Step::Delete { position }),
        2 => TEXT.prop_map(|text| Step::Return { text }),
        1 => position.prop_map(|position| Step::Cancel { position }),
        4 => Just(Step::Round),
        2 => Just(Step::Seal),
        1 => Just(Step::Kill),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(file, position)| Step::Damage { file, position }),
        8 => ("[abAＢé你好ガss😀 ]{0,4}", filters(), 0..3u64, 0..30usize)
            .prop_map(|(text, filters, offset, before)| Step::Find { text, filters, offset, before }),
    ];
    proptest::collection::vec(step, 1..80)
}

/// The filters that are set: one or two, often none.
fn filters() -> impl Strategy<Value = [bool; 7]> {
    proptest::array::uniform7(proptest::bool::weighted(0.15))
}

impl Both {
    pub(super) fn step(&mut self, step: Step) {
        let message = |position: usize| self.all().into_iter().nth(position);
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
            Step::Edit { position, text } => {
                if let Some(message) = message(position) {
                    let target = MessageTarget::Id(message.id);
                    let (content, at) = (Content::text(text), self.at);
                    self.write(Command::Edit { target, content, at, is_repeated: false });
                }
            }
            Step::Recall { position } => {
                if let Some(message) = message(position) {
                    let target = MessageTarget::Id(message.id);
                    self.write(Command::Recall { target, by: None, at: self.at });
                }
            }
            Step::Route { position } => {
                let default_platform = Some("qq".to_owned());
                let facts = RoutingFacts { default_platform, ..RoutingFacts::default() };
                let messages = message(position).map(|message| (message.seq, facts));
                let messages = messages.into_iter().collect();
                self.write(Command::Route { messages, at: self.at });
            }
            Step::Delete { position } => {
                if let Some(message) = message(position) {
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
            Step::Cancel { position } => {
                if let Some(message) = message(position) {
                    let (id, status) = (message.id, Status::Canceled);
                    self.write(Command::SetStatus { id, status, at: self.at });
                }
            }
            Step::Round => {
                self.indexer.round().unwrap();
            }
            Step::Seal => {
                self.index.seal_live(true).unwrap();
            }
            Step::Kill => (self.index, self.indexer) = indexer(&self.store, &self.folder),
            Step::Damage { file, position } => self.damage(file, position),
            Step::Find { text, filters, offset, before } => {
                self.find(&text, filters, offset, before);
            }
        }
    }

    fn damage(&self, file: usize, position: usize) {
        let files: Vec<_> =
            std::fs::read_dir(&self.folder).unwrap().map(|f| f.unwrap().path()).collect();
        let path = &files[file % files.len()];
        let mut bytes = std::fs::read(path).unwrap();
        let position = position % bytes.len();
        bytes[position] ^= 0x55;
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
}

fn names_of_files(message: &Message) -> impl Iterator<Item = &str> {
    let segments = message.content.segments().unwrap_or_default().iter();
    segments.filter_map(|segment| match segment {
        Segment::Image(media) | Segment::File(media) => media.name.as_deref(),
        _ => None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_what_a_scan_finds(steps in steps()) {
        let home = tempfile::tempdir().unwrap();
        let mut both = Both::new(&home);
        let finds: Vec<Step> =
            steps.iter().filter(|step| matches!(step, Step::Find { .. })).cloned().collect();
        for step in steps {
            both.step(step);
        }
        both.catch_up();
        for find in &finds {
            both.step(find.clone());
        }
        // A file that a search found damaged is built anew.
        both.catch_up();
        for find in finds {
            both.step(find);
        }
        prop_assert_eq!(both.index.missing(&both.store.view().unwrap()), Ok(0));
    }
}
