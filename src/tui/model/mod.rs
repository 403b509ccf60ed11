//! The state of the terminal client. It is fed with events and tells what it wants done; it knows
//! neither the terminal nor the network.

mod attachment;
mod compose;
pub mod content;
pub mod conversations;
pub mod draft;
mod edit;
mod effect;
mod hits;
mod keyboard;
mod links;
mod mouse;
mod navigate;
mod notices;
mod notify;
mod on_message;
mod pick;
pub mod picker;
mod picture;
mod rate;
pub mod rows;
pub mod scope;
mod server;
pub mod stream;
#[cfg(test)]
pub mod tests;
pub mod view;
mod window;
mod write;

pub use attachment::{AttachmentPlace, Fetching, MediaItem, of as attachments};
pub use effect::{Effect, ServerReply, ServerRequest, TuiEvent};
pub use hits::Needle;
pub use notify::{Level, Notification};
pub use picture::Picture;

use super::layout::{Front, Layout};
use crate::model::message::Status;
use crate::protocol::http::{self, AdapterStatus, Stats};
use crate::text;
use conversations::ConversationList;
use draft::ComposerDraft;
use jiff::tz::TimeZone;
use notices::ConversationNotices;
use notify::Notifier;
use picker::Picker;
use ratatui_textarea::TextArea;
use rate::Rate;
use scope::{ConversationKey, StreamScope};
use stream::Stream;
use uuid::Uuid;
use view::{ScrollView, ViewSubject};

/// Seconds that a notice stays.
const NOTICE: u64 = 6;

/// Seconds for which the list keeps its order after one went through it.
const HOLD: u64 = 4;

/// The most rows that what is written takes.
const WRITE_ROWS: usize = 8;

/// Seconds between two questions what messages on the screen wait for.
const WAITING: u64 = 3;

/// Waiting messages that are asked for at once.
const MAX_WAITING: usize = 5;

/// How it is with the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ConnectionState {
    Connecting,
    Connected,
    /// And why.
    Lost(String),
}

/// Where keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Focus {
    List,
    Stream,
    Write,
}

/// A question that is answered by yes or no.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Question {
    Delete(Uuid),
    Recall(Uuid),
    /// Whether to approve a request, and what it says.
    Request(u64, String),
    /// Whether to quit although there are unfinished texts.
    Quit,
}

/// Requests to repeat with the next second.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a task of its own")]
struct Stale {
    conversations: bool,
    adapters: bool,
    stats: bool,
    stream: bool,
    requests: bool,
}

/// Everything that is shown, and what is needed to go on.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Model {
    server: String,
    connection: ConnectionState,
    was_here: bool,
    /// The server told that its store is another one; said once it is here again.
    was_replaced: bool,
    /// The `seq` of the newest message that was told.
    cursor: u64,
    conversations: ConversationList,
    notices: ConversationNotices,
    /// The first conversation of the list that is on the screen; the row for all of them is 0.
    list_top: usize,
    /// Until when the list keeps its order.
    held_until: u64,
    stream: Stream,
    /// The scope to go back to from a message that was shown in its conversation.
    results: Option<StreamScope>,
    /// The message from which another one was jumped to.
    jumped_from: Option<Uuid>,
    draft: ComposerDraft,
    focus: Focus,
    /// The terminal has the keyboard, as far as it tells.
    is_watched: bool,
    /// A read mark is on its way to the server.
    is_reading: bool,
    view: Option<ScrollView>,
    picker: Option<Picker>,
    question: Option<Question>,
    /// The text being typed to search for.
    searching: Option<TextArea<'static>>,
    /// The text that was searched for.
    search: Option<String>,
    adapters: Vec<AdapterStatus>,
    /// Friend and join requests that wait for an answer.
    requests: Vec<http::Request>,
    stats: Option<Stats>,
    rate: Rate,
    notifier: Notifier,
    notice: Option<(String, u64)>,
    stale: Stale,
    tickets: u64,
    now: u64,
    size: (u16, u16),
    zone: TimeZone,
    effects: Vec<Effect>,
}

impl Model {
    /// At the beginning, nothing is known of the server.
    pub fn new(server: String, size: (u16, u16), zone: TimeZone, now: u64, notify: Level) -> Self {
        let mut model = Self {
            server,
            connection: ConnectionState::Connecting,
            was_here: false,
            was_replaced: false,
            cursor: 0,
            conversations: ConversationList::default(),
            notices: ConversationNotices::default(),
            list_top: 0,
            held_until: 0,
            stream: Stream::new(StreamScope::default(), 0, zone.clone()),
            results: None,
            jumped_from: None,
            draft: ComposerDraft::default(),
            focus: Focus::List,
            is_watched: true,
            is_reading: false,
            view: None,
            picker: None,
            question: None,
            searching: None,
            search: None,
            adapters: Vec::new(),
            requests: Vec::new(),
            stats: None,
            rate: Rate::default(),
            notifier: Notifier::new(notify),
            notice: None,
            stale: Stale::default(),
            tickets: 0,
            now,
            size,
            zone,
            effects: Vec::new(),
        };
        model.fit();
        model
    }

    /// Takes an event in.
    pub fn update(&mut self, event: TuiEvent) {
        match event {
            TuiEvent::Key(key) => self.press(key),
            TuiEvent::Mouse(mouse) => self.point(mouse),
            TuiEvent::Paste(text) => self.paste(&text),
            TuiEvent::Resize(width, height) => self.size = (width, height),
            TuiEvent::Focus(is_watched) => self.look(is_watched),
            TuiEvent::Tick(now) => self.tick(now),
            TuiEvent::Watch(event) => self.watch(event),
            TuiEvent::Reply(answer) => self.hear(answer),
        }
    }

    /// Puts everything in its place after some events, and tells what is to be done.
    pub fn settle(&mut self) -> Vec<Effect> {
        self.fit();
        if self.connection == ConnectionState::Connected {
            self.read_seen();
            if let Some(wanted) = self.stream.wants(self.tickets + 1, self.newest()) {
                self.tickets += 1;
                self.ask(ServerRequest::Page { ticket: self.tickets, wanted });
            }
        }
        std::mem::take(&mut self.effects)
    }

    /// The `seq` of the newest message of the stream's scope.
    fn newest(&self) -> u64 {
        let open = self.stream.scope().conversation.as_ref();
        open.and_then(|key| self.conversations.get(key)).map_or(self.cursor, |open| open.last_seq)
    }

    /// Tells the server what was read: what is on the screen of a conversation that somebody reads.
    fn read_seen(&mut self) {
        let Some(key) = self.read_key() else { return };
        let has_unread = self.conversations.get(&key).is_some_and(|open| open.unread > 0);
        if !has_unread || self.is_reading {
            return;
        }
        let Some(id) = self.stream.seen() else { return };
        self.is_reading = true;
        if self.stream.follows() {
            self.conversations.read(&key);
        }
        self.ask(ServerRequest::Read(key, id));
    }

    /// The conversation that is being read now.
    fn read_key(&self) -> Option<ConversationKey> {
        let is_read = self.is_watched && self.focus != Focus::List && self.view.is_none();
        self.stream.scope().whole_conversation().filter(|_| is_read).cloned()
    }

    /// Somebody begins or ends to look at the terminal.
    fn look(&mut self, is_watched: bool) {
        self.is_watched = is_watched;
        if !is_watched {
            self.stream.look_away();
        }
    }

    /// Gives everything the room it has on the screen.
    fn fit(&mut self) {
        let layout = self.layout();
        self.stream.resize((layout.stream.width, layout.stream.height));
        let size = self.view_size();
        if let Some(view) = self.view.as_mut().filter(|view| view.size() != size) {
            view.lay_out(size, &self.zone);
            if let ViewSubject::Picture(picture) = &view.subject {
                let attachment = Box::new(picture.attachment.clone());
                self.effects.push(Effect::Ask(ServerRequest::Picture(attachment, size)));
            }
        }
        let most = (self.listed().len() + 1).saturating_sub(layout.list_rows());
        self.list_top = self.list_top.min(most);
    }

    fn ask(&mut self, request: ServerRequest) {
        self.effects.push(Effect::Ask(request));
    }

    fn say(&mut self, text: impl Into<String>) {
        self.notice = Some((text.into(), self.now + NOTICE));
    }

    fn tick(&mut self, now: u64) {
        self.now = now;
        self.rate.forget(now);
        self.stream.end_rest();
        if self.notice.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.notice = None;
        }
        if self.held_until <= now {
            self.conversations.release();
        }
        if self.connection != ConnectionState::Connected {
            return;
        }
        let stale = std::mem::take(&mut self.stale);
        if stale.conversations {
            self.ask(ServerRequest::Conversations);
        }
        if stale.adapters {
            self.ask(ServerRequest::Platforms);
        }
        if stale.stats {
            self.ask(ServerRequest::Stats);
        }
        if stale.requests {
            self.ask(ServerRequest::Requests);
        }
        if stale.stream && self.stream.follows() {
            self.reload();
        }
        if now.is_multiple_of(WAITING) {
            self.ask_what_waits();
        }
    }

    /// Asks what the waiting messages on the screen wait for.
    fn ask_what_waits(&mut self) {
        let shown = self.stream.visible();
        let messages = shown.iter().filter_map(|shown| self.stream.window().at(shown.position));
        let waits = messages.filter(|message| message.status == Status::Pending);
        let ids: Vec<_> = waits.map(|message| message.id).take(MAX_WAITING).collect();
        for id in ids {
            self.ask(ServerRequest::Message(id));
        }
    }

    /// Shows another scope: from the first unread message of a conversation on, else the newest.
    fn open(&mut self, scope: StreamScope) {
        let key = scope.whole_conversation();
        let unread = key.and_then(|key| self.conversations.get(key)).map_or(0, |open| open.unread);
        let stream = Stream::new(scope, self.cursor, self.zone.clone()).at_unread(unread);
        self.turn_to(stream);
    }

    /// Shows a message in its conversation.
    fn open_around(&mut self, key: ConversationKey, id: Uuid) {
        let scope = StreamScope { conversation: Some(key), ..StreamScope::default() };
        let stream = Stream::new(scope, self.cursor, self.zone.clone()).at_message(id);
        self.turn_to(stream);
    }

    fn turn_to(&mut self, stream: Stream) {
        let key = stream.scope().conversation.clone();
        self.draft.turn_to(key.as_ref());
        self.stream = stream.marking(self.search.as_deref().and_then(Needle::new));
        for (after, text) in key.iter().flat_map(|key| self.notices.of(key)) {
            self.stream.add_notice(after, text);
        }
        self.is_reading = false;
        self.jumped_from = None;
        self.fit();
    }

    /// Shows the same again, with what is new in it.
    fn reload(&mut self) {
        let scope = self.stream.scope().clone();
        let stream = Stream::new(scope, self.cursor, self.zone.clone());
        self.turn_to(stream);
    }

    fn lay_out_view(&mut self) {
        let size = self.view_size();
        if let Some(view) = &mut self.view {
            view.lay_out(size, &self.zone);
        }
    }

    /// The room inside a view's frame.
    fn view_size(&self) -> (u16, u16) {
        let area = self.layout().view();
        (area.width.saturating_sub(4), area.height.saturating_sub(2))
    }

    /// Where everything is.
    pub fn layout(&self) -> Layout {
        // What is typed to search for is seen below the stream.
        let is_list = self.focus == Focus::List && self.searching.is_none();
        let front = if is_list { Front::List } else { Front::Stream };
        let columns = usize::from(Layout::of(self.size, front, 1).write.width.max(4)) - 3;
        let rows = text::wrap(&self.draft.text(), columns, WRITE_ROWS).rows.len();
        let rows = if self.searching.is_some() { 1 } else { rows };
        Layout::of(self.size, front, rows as u16)
    }

    /// The conversations of the list, below the row for all of them.
    pub fn listed(&self) -> Vec<&conversations::ConversationState> {
        self.conversations.ordered(self.stream.scope().platform.as_deref())
    }

    /// Where in the list the open one is; 0 stands for all of them.
    pub fn list_place(&self) -> usize {
        let Some(key) = &self.stream.scope().conversation else { return 0 };
        let place = self.listed().iter().position(|conversation| conversation.key == *key);
        place.map_or(0, |place| place + 1)
    }

    /// The title of the stream.
    pub fn title(&self) -> String {
        let scope = self.stream.scope();
        let Some(key) = &scope.conversation else { return "Everything".into() };
        let known = self.conversations.get(key);
        known.map_or_else(|| key.conversation.clone(), |known| known.name().to_owned())
    }

    #[allow(missing_docs)]
    pub fn server(&self) -> &str {
        &self.server
    }

    #[allow(missing_docs)]
    pub fn connection(&self) -> &ConnectionState {
        &self.connection
    }

    #[allow(missing_docs)]
    pub fn list_top(&self) -> usize {
        self.list_top
    }

    #[allow(missing_docs)]
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    #[allow(missing_docs)]
    pub fn draft(&self) -> &ComposerDraft {
        &self.draft
    }

    #[allow(missing_docs)]
    pub fn focus(&self) -> Focus {
        self.focus
    }

    #[allow(missing_docs)]
    pub fn view(&self) -> Option<&ScrollView> {
        self.view.as_ref()
    }

    /// The question whose answer is waited for.
    pub fn question(&self) -> Option<&Question> {
        self.question.as_ref()
    }

    /// The list to choose from.
    pub fn picker(&self) -> Option<&Picker> {
        self.picker.as_ref()
    }

    /// How many friend and join requests wait for an answer.
    pub fn waiting_requests(&self) -> usize {
        self.requests.len()
    }

    /// Unread messages beside those of the open conversation.
    pub fn unread_beside(&self) -> u64 {
        self.conversations.unread_beside(self.stream.scope().conversation.as_ref())
    }

    /// Whether a conversation has an unfinished text.
    pub fn has_draft(&self, key: &ConversationKey) -> bool {
        self.draft.has(key)
    }

    /// Whether there are conversations of more than one platform.
    pub fn has_platforms(&self) -> bool {
        self.conversations.platforms().len() > 1
    }

    /// The time in Unix seconds.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The text being typed to search for.
    pub fn searching(&self) -> Option<&TextArea<'static>> {
        self.searching.as_ref()
    }

    #[allow(missing_docs)]
    pub fn adapters(&self) -> &[AdapterStatus] {
        &self.adapters
    }

    #[allow(missing_docs)]
    pub fn stats(&self) -> Option<&Stats> {
        self.stats.as_ref()
    }

    #[allow(missing_docs)]
    pub fn per_minute(&self) -> u64 {
        self.rate.per_minute()
    }

    /// A word about what was done, for some seconds.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_ref().map(|(text, _)| text.as_str())
    }

    /// The time zone in which times are shown.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}
