//! A store with its index, for tests.

use crate::model::content::Content;
use crate::model::inbound::Inbound;
use crate::model::message::{Draft, Message, MessageType, Sender};
use crate::model::routing::RoutingFacts;
use crate::search::indexer::Indexer;
use crate::search::{Index, Search, check, folder_beside};
use crate::store::{Access, Answer, Command, MessageFilter, Page, Store, StoreOptions};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub(super) const CONVERSATIONS: [&str; 2] = ["group_1", "group_2"];

pub(super) struct Both {
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) store: Arc<Store>,
    pub(super) index: Arc<Index>,
    pub(super) indexer: Indexer,
    pub(super) folder: PathBuf,
    pub(super) deleted: Vec<Message>,
    pub(super) at: u64,
}

pub(super) fn indexer(store: &Arc<Store>, folder: &std::path::Path) -> (Arc<Index>, Indexer) {
    let index = Arc::new(Index::new(folder.to_owned()));
    let mut indexer = Indexer::new(index.clone(), store.clone(), CancellationToken::new());
    indexer.load().unwrap();
    (index, indexer)
}

impl Both {
    pub(super) fn new(home: &tempfile::TempDir) -> Self {
        let mut options = StoreOptions::new(home.path().join("store.redb"), Access::Write);
        options.hides_recalled = true;
        Self::opened(&options)
    }

    pub(super) fn opened(options: &StoreOptions) -> Self {
        let folder = folder_beside(&options.path);
        let store = Arc::new(Store::open(options, Box::new(())).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (index, indexer) = indexer(&store, &folder);
        Self { runtime, store, index, indexer, folder, deleted: Vec::new(), at: 1000 }
    }

    pub(super) fn write(&self, command: Command) -> Answer {
        self.runtime.block_on(self.store.write(command)).unwrap()
    }

    pub(super) fn all(&self) -> Vec<Message> {
        self.store.view().unwrap().before(u64::MAX).unwrap().map(Result::unwrap).collect()
    }

    pub(super) fn create(&mut self, text: &str, conversation: &str, message_type: MessageType) {
        self.at += 1;
        let draft = Draft::new(message_type, text.into(), conversation.into(), None).unwrap();
        self.write(Command::Create {
            draft,
            at: self.at,
            idempotency: None,
            facts: RoutingFacts::default(),
        });
    }

    pub(super) fn receive(&mut self, content: Content, name: String) {
        self.at += 1;
        let received = Inbound {
            platform: "qq".into(),
            account: "me".into(),
            conversation: CONVERSATIONS[0].into(),
            sender: Sender { id: "7".into(), name },
            content,
            external_id: self.at.to_string(),
            time: self.at,
            ..Inbound::default()
        };
        self.write(Command::Receive { received: Box::new(received), at: self.at, can_wait: false });
    }

    /// Runs rounds until nothing is missing.
    pub(super) fn catch_up(&mut self) {
        while self.indexer.round().unwrap() {}
    }

    pub(super) fn found(&self, text: &str) -> Vec<String> {
        let search = Search::new(Some(text), None).unwrap();
        let page = Page { offset: 0, limit: 10, before: None };
        let found =
            self.index.search(&self.store, &MessageFilter::default(), &search, page).unwrap();
        found.messages.into_iter().map(|message| message.content.readable().into_owned()).collect()
    }

    pub(super) fn check(&self) -> check::IndexReport {
        self.index.save().unwrap();
        check::check(&self.folder, &self.store.view().unwrap()).unwrap()
    }
}
