//! What the server tells, and what it answers.

use super::view::{Subject, View};
use super::{Answer, Link, Model, Request, Stale};
use crate::client::watch::{self, AdapterChange, StatusChange};
use crate::model::message::{Message, Status};
use crate::protocol::http::AdapterStatus;
use std::borrow::Cow;
use uuid::Uuid;

/// Conversations whose last line is asked for at the beginning.
const LAST_LINES: usize = 60;

impl Model {
    // What the server tells.

    pub(super) fn watch(&mut self, event: watch::Event) {
        match event {
            watch::Event::Here { since } => self.arrive(since),
            watch::Event::Away(why) => self.link = Link::Away(why),
            watch::Event::Message(message) => self.new_message(*message),
            watch::Event::StoreReplaced => {
                self.was_here = false;
                self.was_replaced = true;
            }
            watch::Event::Status(change) => self.new_status(&change),
            watch::Event::Updated(message) => self.updated(*message),
            watch::Event::Deleted(deleted) => self.forget(deleted.id),
            watch::Event::Conversation(known) => {
                self.conversations.update(known);
                self.rename_messages();
            }
            watch::Event::Adapter(change) => self.new_state(change),
        }
    }

    fn arrive(&mut self, since: u64) {
        self.link = Link::Here;
        // A notice may be about the server being away.
        self.notice = None;
        if std::mem::take(&mut self.was_replaced) {
            self.say("the server's store is another one now, or an older copy: loaded afresh");
        }
        self.stale = Stale::default();
        if !self.was_here || since != self.cursor {
            // Another store than before, or the first one: nothing of what is shown is in it.
            self.cursor = since;
            self.conversations.clear();
            self.reload();
            self.ask(Request::Conversations);
        }
        self.was_here = true;
        // Events that were missed come now; adapters and counts are told as they are.
        self.ask(Request::Platforms);
        self.ask(Request::Stats);
    }

    fn new_message(&mut self, mut message: Message) {
        if message.seq <= self.cursor {
            return;
        }
        self.cursor = message.seq;
        self.rate.count(self.now);
        self.stale.stats = true;
        let scope = self.stream.scope();
        let is_read = scope.is_unfiltered()
            && self.stream.follows()
            && scope.conversation.as_ref().is_some_and(|key| key.has(&message));
        let is_renamed = self.conversations.receive(&message, is_read);
        self.conversations.name(&mut message);
        self.stream.hear(message);
        if is_renamed {
            self.rename_messages();
        }
    }

    /// Gives every message that is loaded the name that its conversation has now.
    fn rename_messages(&mut self) {
        self.stream.messages_mut().for_each(|message| self.conversations.name(message));
    }

    fn new_status(&mut self, change: &StatusChange) {
        self.stale.stats = true;
        let is_shown = self.stream.change(change);
        let is_missed = !is_shown && self.stream.scope().status == Some(change.status);
        self.stale.stream |= is_missed;
        if let Some(View { subject: Subject::Message(message), .. }) = &mut self.view
            && message.id == change.id
        {
            message.status = change.status;
            message.retry_count = change.retry_count;
            message.updated_at = change.updated_at;
            message.last_error = change.last_error.as_deref().map(str::to_owned);
            self.lay_out_view();
        }
    }

    fn updated(&mut self, message: Message) {
        let known = self.stream.window().by_id(message.id);
        // A platform was found for it: its conversation is another one now.
        if known.is_none_or(|known| known.platform != message.platform) {
            self.stale.conversations = true;
        }
        self.know_message(message);
    }

    fn new_state(&mut self, change: AdapterChange) {
        self.stale.adapters = true;
        let is_same = |known: &&mut AdapterStatus| {
            known.platform == change.platform
                && (change.account.is_none()
                    || known.account.as_deref() == change.account.as_deref())
        };
        if let Some(known) = self.adapters.iter_mut().find(is_same) {
            known.state = change.status;
            known.last_error = change.reason.map(Cow::into_owned);
        }
    }

    // What the server answers.

    pub(super) fn hear(&mut self, answer: Answer) {
        match answer {
            Answer::Conversations(listed) => self.know(listed),
            Answer::Platforms(adapters) => self.adapters = adapters,
            Answer::Stats(stats) => self.stats = Some(stats),
            Answer::Page { ticket, mut found } => {
                for message in &found.messages {
                    self.conversations.learn(message);
                }
                for message in &mut found.messages {
                    self.conversations.name(message);
                }
                self.stream.load(ticket, found);
            }
            Answer::NoPage { ticket, why } => {
                self.stream.fail(ticket);
                self.say(why);
            }
            Answer::LastOf(message) => {
                if let Some(message) = message {
                    self.conversations.learn(&message);
                }
            }
            Answer::Made(message) => self.know_message(*message),
            Answer::Changed(message) => {
                self.say(match message.status {
                    Status::Canceled => "canceled",
                    Status::Pending => "it is sent again",
                    _ => "done",
                });
                self.know_message(*message);
            }
            Answer::Deleted(id) => {
                self.forget(id);
                self.say("deleted");
            }
            Answer::NotSent { why } => self.say(format!("not sent: {why} (↑ brings it back)")),
            Answer::Failed(why) => self.say(why),
        }
    }

    fn know(&mut self, listed: Vec<crate::protocol::http::Conversation>) {
        self.conversations.replace(listed);
        self.rename_messages();
        let unknown: Vec<_> = self.conversations.ordered(None);
        let unknown = unknown.into_iter().take(LAST_LINES).filter(|c| c.last_line.is_none());
        let keys: Vec<_> = unknown.map(|conversation| conversation.key.clone()).collect();
        for key in keys {
            self.ask(Request::LastOf(key));
        }
    }

    fn know_message(&mut self, mut message: Message) {
        self.conversations.name(&mut message);
        self.stream.update(&message);
        if let Some(View { subject: Subject::Message(shown), .. }) = &mut self.view
            && shown.id == message.id
        {
            **shown = message;
            self.lay_out_view();
        }
    }

    fn forget(&mut self, id: Uuid) {
        self.stream.remove(id);
        self.stale.stats = true;
        self.stale.conversations = true;
        let is_shown =
            |view: &View| matches!(&view.subject, Subject::Message(message) if message.id == id);
        if self.view.as_ref().is_some_and(is_shown) {
            self.view = None;
        }
    }
}
