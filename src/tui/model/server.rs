//! Events and replies of the server.

use super::picture::Picture;
use super::recent::set_status;
use super::scope::ConversationKey;
use super::view::{ScrollView, ViewSubject};
use super::{
    ConnectionState, Effect, Fetching, Model, Outdated, ServerReply, ServerRequest, notices,
};
use crate::client::HistoryPage;
use crate::client::watch::{self, AdapterChange, StatusChange};
use crate::model::message::{Direction, Message};
use crate::model::notice::{Notice, NoticeKind};
use crate::protocol::http::AdapterStatus;
use crate::tui::language::say;
use std::borrow::Cow;
use uuid::Uuid;

impl Model {
    // Events of the server.

    pub(super) fn watch(&mut self, event: watch::WatchEvent) {
        self.recent.count();
        match event {
            watch::WatchEvent::Here { since } => self.arrive(since),
            watch::WatchEvent::Away(why) => self.connection = ConnectionState::Lost(why),
            watch::WatchEvent::Message(message) => self.new_message(*message),
            watch::WatchEvent::StoreReplaced => {
                self.was_here = false;
                self.was_replaced = true;
            }
            watch::WatchEvent::Status(change) => self.new_status(&change),
            watch::WatchEvent::Updated(message) => self.updated(*message),
            watch::WatchEvent::Deleted(deleted) => {
                self.recent.deleted(deleted.id);
                self.forget(deleted.id);
            }
            watch::WatchEvent::Conversation(known) => {
                self.conversations.update(known, self.recent.told_last());
                self.rename_messages();
            }
            watch::WatchEvent::Notice(notice) => self.new_notice(&notice),
            watch::WatchEvent::Adapter(change) => self.new_state(change),
        }
    }

    fn arrive(&mut self, since: u64) {
        self.connection = ConnectionState::Connected;
        // A notice may be about the server being away.
        self.notice = None;
        if std::mem::take(&mut self.was_replaced) {
            self.show_status(say!("the server has another store now, or an older copy of it: everything is loaded again"));
        }
        self.stale = Outdated::default();
        if !self.was_here || since != self.cursor {
            // Another store than before, or the first one: nothing of what is shown is in it.
            self.cursor = since;
            self.recent.clear();
            self.conversations.clear();
            self.reload();
            self.ask(ServerRequest::Conversations);
        }
        self.was_here = true;
        // Events that were missed come now; adapters and counts are told as they are.
        self.ask(ServerRequest::Platforms);
        self.ask(ServerRequest::Stats);
        self.ask(ServerRequest::Requests);
    }

    fn new_message(&mut self, mut message: Message) {
        if message.seq <= self.cursor {
            return;
        }
        self.cursor = message.seq;
        self.rate.count(self.now);
        self.stale.stats = true;
        let is_renamed = self.conversations.receive(&message, self.recent.told_last());
        self.conversations.name(&mut message);
        self.notify(&message);
        self.stream.add_message(message);
        if is_renamed {
            self.rename_messages();
        }
    }

    /// Notifies of a new message, unless somebody sees it come.
    fn notify(&mut self, message: &Message) {
        let key = ConversationKey::of(message);
        let is_open = self.stream.scope().conversation.as_ref() == Some(&key);
        if is_open && !self.is_watched && message.direction == Direction::Inbound {
            self.stream.mark_unread(message.id);
        }
        let is_seen = self.read_key().as_ref() == Some(&key) && self.stream.follows();
        let is_muted = self.conversations.get(&key).is_some_and(|known| known.muted);
        if !is_seen && let Some(notification) = self.notifier.of(message, is_muted, self.now) {
            self.effects.push(Effect::Notify(notification));
        }
    }

    fn new_notice(&mut self, notice: &Notice) {
        if matches!(notice.kind, NoticeKind::FriendRequest | NoticeKind::JoinRequest) {
            self.stale.requests = true;
        }
        let Some(text) = notices::text(notice) else { return };
        let key = notice.conversation.as_ref().map(|conversation| ConversationKey {
            platform: notice.platform.clone(),
            conversation: conversation.clone(),
        });
        let known = key.as_ref().and_then(|key| self.conversations.get(key));
        let Some((key, after)) = key.clone().zip(known.and_then(|known| known.last_id)) else {
            return self.show_status(text);
        };
        if self.stream.scope().conversation.as_ref() == Some(&key) {
            self.stream.add_notice(after, text.clone());
        }
        self.notices.add(key, after, text);
    }

    /// Gives every message that is loaded the name that its conversation has now.
    fn rename_messages(&mut self) {
        self.stream.messages_mut().for_each(|message| self.conversations.name(message));
    }

    fn new_status(&mut self, change: &StatusChange) {
        self.stale.stats = true;
        self.recent.status(change);
        let is_shown = self.stream.change(change);
        let is_missed = !is_shown && self.stream.scope().status == Some(change.status);
        self.stale.stream |= is_missed;
        if let Some(ScrollView { subject: ViewSubject::Message(message), .. }) = &mut self.view
            && message.id == change.id
        {
            set_status(message, change);
            self.lay_out_view();
        }
    }

    fn updated(&mut self, message: Message) {
        self.recent.updated(&message);
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

    // Reply of the server.

    /// An answer to a request that was made after the event with the number `asked`.
    pub(super) fn take_reply(&mut self, asked: u64, answer: ServerReply) {
        match answer {
            ServerReply::Conversations(listed) => self.know(listed, asked),
            ServerReply::Platforms(adapters) => {
                self.adapters = adapters;
                self.knows_adapters = true;
            }
            ServerReply::Stats(stats) => self.stats = Some(stats),
            ServerReply::Page { ticket, .. } if !self.recent.reaches(asked) => {
                self.stream.fail(ticket);
            }
            ServerReply::Page { ticket, found } => self.load(ticket, found, asked),
            ServerReply::NoPage { ticket, why } => {
                self.stream.fail(ticket);
                self.show_status(why);
            }
            ServerReply::Message(message) | ServerReply::Made(message) => {
                self.know_answer(*message, asked);
            }
            ServerReply::Conversation(known) => {
                self.is_reading = false;
                match known {
                    Some(known) => self.conversations.answer(*known, asked),
                    None => self.stale.conversations = true,
                }
            }
            ServerReply::NotRead => {
                self.is_reading = false;
                self.stream.forget_read();
            }
            ServerReply::Changed(message, done) => {
                self.show_status(done);
                self.know_answer(*message, asked);
            }
            ServerReply::Deleted(id) => {
                self.forget(id);
                self.show_status(say!("deleted"));
            }
            ServerReply::NotSent(failed) => self.bring_back(*failed),
            ServerReply::Fetched(path, Fetching::Open) => {
                self.effects.push(Effect::Open(path.display().to_string()));
            }
            ServerReply::Fetched(path, Fetching::Save | Fetching::Show) => {
                self.show_status(say!("saved as {}", path.display()));
            }
            ServerReply::People(key, people) => self.know_people(&key, people),
            ServerReply::NoPeople(why) => self.know_no_people(why),
            ServerReply::Picture(picture) => self.show_picture(*picture),
            ServerReply::Requests(requests) => {
                self.requests = requests;
                self.requests.retain(|request| request.approved.is_none());
            }
            ServerReply::RequestAnswered(request) => {
                self.requests.retain(|known| known.id != request.id);
                self.show_status(if request.approved == Some(true) {
                    say!("approved")
                } else {
                    say!("refused")
                });
            }
            ServerReply::Failed(why) => self.show_status(why),
        }
    }

    /// Shows a picture, unless it comes for a view that was closed meanwhile.
    fn show_picture(&mut self, picture: Picture) {
        let is_open =
            self.view.as_ref().is_some_and(|view| matches!(view.subject, ViewSubject::Picture(_)));
        let is_awaited =
            self.awaited_picture.take_if(|awaited| *awaited == picture.attachment).is_some();
        if !is_open && !is_awaited {
            return;
        }
        self.notice = None;
        self.view =
            Some(ScrollView::new(ViewSubject::Picture(picture), self.view_size(), &self.zone));
    }

    fn know(&mut self, listed: Vec<crate::protocol::http::Conversation>, asked: u64) {
        self.conversations.replace(listed, asked);
        self.rename_messages();
        self.open_where_left();
    }

    fn load(&mut self, ticket: u64, mut found: HistoryPage, asked: u64) {
        let ids: Vec<_> = found.messages.iter().map(|message| message.id).collect();
        for message in &mut found.messages {
            self.recent.apply(message, asked);
            self.conversations.learn(message);
        }
        for message in &mut found.messages {
            self.conversations.name(message);
        }
        self.stream.load(ticket, found);
        ids.into_iter()
            .filter(|id| self.recent.is_deleted(*id))
            .for_each(|id| self.stream.remove(id));
        if self.stream.take_missing() {
            self.show_status(say!("that message is not here any more"));
            self.reload();
        }
    }

    /// A message of an answer. Where too much changed since it was asked for, events alone tell of it.
    fn know_answer(&mut self, mut message: Message, asked: u64) {
        if self.recent.reaches(asked) && !self.recent.is_deleted(message.id) {
            self.recent.apply(&mut message, asked);
            self.know_message(message);
        }
    }

    fn know_message(&mut self, mut message: Message) {
        self.conversations.name(&mut message);
        self.conversations.change(&message);
        self.stream.update(&message);
        if let Some(ScrollView { subject: ViewSubject::Message(shown), .. }) = &mut self.view
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
        let is_shown = |view: &ScrollView| matches!(&view.subject, ViewSubject::Message(message) if message.id == id);
        if self.view.as_ref().is_some_and(is_shown) {
            self.view = None;
        }
    }
}
