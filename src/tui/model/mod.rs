//! The state of the terminal client. It is fed with events and tells what it wants done; it knows
//! neither the terminal nor the network.

mod accessors;
mod attachment;
mod compose;
pub mod content;
mod conversation_people;
pub mod conversations;
pub mod draft;
mod edit;
mod effect;
mod hits;
mod links;
mod mouse;
mod navigate;
mod notices;
mod notify;
mod on_key;
mod on_message;
mod open;
mod pass_on;
mod people;
mod pick;
pub mod picker;
mod picture;
mod rate;
mod read_marks;
mod recent;
mod restore;
pub mod rows;
pub mod saved_state;
pub mod scope;
mod server;
pub mod stream;
#[cfg(test)]
pub mod tests;
mod tick;
pub mod view;
mod window;
mod write;

pub use attachment::{AttachmentPlace, Fetching, MediaItem, of as attachments};
pub use effect::{Effect, NotSent, NumberedRequest, ServerReply, ServerRequest, TuiEvent};
pub use hits::Needle;
pub use notify::{Level, Notification};
#[cfg(test)]
pub use pick::reaction_words;
pub use picture::Picture;

use crate::protocol::http::{self, AdapterStatus, Stats};
use conversation_people::ConversationPeople;
use conversations::ConversationList;
use draft::ComposerDraft;
use jiff::tz::TimeZone;
use notices::ConversationNotices;
use notify::Notifier;
use picker::Picker;
use ratatui_textarea::TextArea;
use rate::Rate;
use recent::RecentChanges;
use scope::{ConversationKey, StreamScope};
use stream::Stream;
use uuid::Uuid;
use view::{ScrollView, ViewSubject};

/// Seconds that a notice stays.
const NOTICE: u64 = 6;

/// Seconds for which the list keeps its order after one went through it.
const ORDER_HOLD_SECONDS: u64 = 4;

/// The most rows that what is written takes.
const WRITE_ROWS: usize = 8;

/// State of the connection to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    Connecting,
    Connected,
    /// The connection is lost, for this reason.
    Lost(String),
}

/// The part that gets the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The conversations.
    List,
    /// The messages.
    Stream,
    /// The text that is being written.
    Write,
}

/// A question that is answered by yes or no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether to delete these messages from the store.
    Delete(Vec<Uuid>),
    /// Whether to take this message back on its platform.
    Recall(Uuid),
    /// Whether to approve the request with this ID, and its text.
    Request(u64, String),
    /// Whether to quit; unfinished texts may be lost.
    Quit,
}

/// Requests to repeat with the next second.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a task of its own")]
struct Outdated {
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
    recent: RecentChanges,
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
    /// Whether unfinished texts last beyond the end of the client.
    keeps_drafts: bool,
    /// The conversations are not known yet, of which one is opened then: the one that was open at the
    /// last end, or one with unread messages.
    is_starting: bool,
    left: Option<ConversationKey>,
    people: ConversationPeople,
    focus: Focus,
    /// The terminal has the keyboard, as far as it tells.
    is_watched: bool,
    /// A read mark is on its way to the server.
    is_reading: bool,
    view: Option<ScrollView>,
    /// The picture that somebody asked to see.
    awaited_picture: Option<MediaItem>,
    picker: Option<Picker>,
    question: Option<Question>,
    /// The text being typed to search for.
    searching: Option<TextArea<'static>>,
    /// The text that was searched for.
    search: Option<String>,
    adapters: Vec<AdapterStatus>,
    /// The server told which adapters there are.
    knows_adapters: bool,
    /// Friend and join requests that wait for an answer.
    requests: Vec<http::Request>,
    stats: Option<Stats>,
    rate: Rate,
    notifier: Notifier,
    notice: Option<(String, u64)>,
    stale: Outdated,
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
            recent: RecentChanges::default(),
            conversations: ConversationList::default(),
            notices: ConversationNotices::default(),
            list_top: 0,
            held_until: 0,
            stream: Stream::new(StreamScope::default(), 0, zone.clone()),
            results: None,
            jumped_from: None,
            draft: ComposerDraft::default(),
            keeps_drafts: false,
            is_starting: false,
            left: None,
            people: ConversationPeople::default(),
            focus: Focus::List,
            is_watched: true,
            is_reading: false,
            view: None,
            awaited_picture: None,
            picker: None,
            question: None,
            searching: None,
            search: None,
            adapters: Vec::new(),
            knows_adapters: false,
            requests: Vec::new(),
            stats: None,
            rate: Rate::default(),
            notifier: Notifier::new(notify),
            notice: None,
            stale: Outdated::default(),
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
            TuiEvent::NotSaved(why) => self.not_saved(&why),
            TuiEvent::Reply { asked, answer } => self.take_reply(asked, answer),
        }
    }

    /// Puts everything in its place after some events, and tells what is to be done.
    pub fn take_effects(&mut self) -> Vec<Effect> {
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

    /// The number of the event that was told last; each request keeps it for its answer.
    pub fn told_last(&self) -> u64 {
        self.recent.told_last()
    }

    /// The `seq` of the newest message of the stream's scope.
    fn newest(&self) -> u64 {
        let open = self.stream.scope().conversation.as_ref();
        open.and_then(|key| self.conversations.get(key)).map_or(self.cursor, |open| open.last_seq)
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

    fn show_status(&mut self, text: impl Into<String>) {
        self.notice = Some((text.into(), self.now + NOTICE));
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
}
