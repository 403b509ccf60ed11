//! The state of the terminal client. It is fed with events and tells what it wants done; it knows
//! neither the terminal nor the network.

pub mod conversations;
pub mod draft;
mod effect;
mod keyboard;
mod mouse;
mod rate;
pub mod rows;
pub mod scope;
mod server;
pub mod stream;
#[cfg(test)]
pub mod tests;
pub mod view;
mod window;

pub use effect::{Effect, Event, Reply, Request};

use super::layout::{Front, Layout};
use crate::protocol::http::{AdapterStatus, NewMessage, Stats};
use crate::text;
use conversations::Conversations;
use draft::Draft;
use jiff::tz::TimeZone;
use ratatui_textarea::TextArea;
use rate::Rate;
use scope::Scope;
use stream::Stream;
use uuid::Uuid;
use view::View;

/// Seconds that a notice stays.
const NOTICE: u64 = 6;

/// Seconds for which the list keeps its order after one went through it.
const HOLD: u64 = 4;

/// The most rows that what is written takes.
const WRITE_ROWS: usize = 8;

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

/// Requests to repeat with the next second.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a task of its own")]
struct Stale {
    conversations: bool,
    adapters: bool,
    stats: bool,
    stream: bool,
}

/// Everything that is shown, and what is needed to go on.
pub struct Model {
    server: String,
    connection: ConnectionState,
    was_here: bool,
    /// The server told that its store is another one; said once it is here again.
    was_replaced: bool,
    /// The `seq` of the newest message that was told.
    cursor: u64,
    conversations: Conversations,
    /// The first conversation of the list that is on the screen; the row for all of them is 0.
    list_top: usize,
    /// Until when the list keeps its order.
    held_until: u64,
    stream: Stream,
    draft: Draft,
    focus: Focus,
    view: Option<View>,
    /// The message to be deleted, once that is confirmed.
    question: Option<Uuid>,
    /// The text being typed to search for.
    searching: Option<TextArea<'static>>,
    /// The text that was searched for; it is highlighted.
    search: Option<String>,
    adapters: Vec<AdapterStatus>,
    stats: Option<Stats>,
    rate: Rate,
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
    pub fn new(server: String, size: (u16, u16), zone: TimeZone, now: u64) -> Self {
        let mut model = Self {
            server,
            connection: ConnectionState::Connecting,
            was_here: false,
            was_replaced: false,
            cursor: 0,
            conversations: Conversations::default(),
            list_top: 0,
            held_until: 0,
            stream: Stream::new(Scope::default(), 0, (0, 0), zone.clone()),
            draft: Draft::default(),
            focus: Focus::List,
            view: None,
            question: None,
            searching: None,
            search: None,
            adapters: Vec::new(),
            stats: None,
            rate: Rate::default(),
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
    pub fn update(&mut self, event: Event) {
        match event {
            Event::Key(key) => self.press(key),
            Event::Mouse(mouse) => self.point(mouse),
            Event::Paste(text) => self.paste(&text),
            Event::Resize(width, height) => self.size = (width, height),
            Event::Tick(now) => self.tick(now),
            Event::Watch(event) => self.watch(event),
            Event::Reply(answer) => self.hear(answer),
        }
    }

    /// Puts everything in its place after some events, and tells what is to be done.
    pub fn settle(&mut self) -> Vec<Effect> {
        self.fit();
        if self.connection == ConnectionState::Connected {
            if let Some(key) = &self.stream.scope().conversation
                && self.stream.follows()
                && self.stream.scope().is_unfiltered()
            {
                self.conversations.read(key);
            }
            if let Some(wanted) = self.stream.wants(self.tickets + 1) {
                self.tickets += 1;
                self.ask(Request::Page { ticket: self.tickets, wanted });
            }
        }
        std::mem::take(&mut self.effects)
    }

    /// Gives everything the room it has on the screen.
    fn fit(&mut self) {
        let layout = self.layout();
        self.stream.resize((layout.stream.width, layout.stream.height));
        let size = self.view_size();
        if let Some(view) = self.view.as_mut().filter(|view| view.size() != size) {
            view.lay_out(size, &self.zone);
        }
        let most = (self.listed().len() + 1).saturating_sub(layout.list_rows());
        self.list_top = self.list_top.min(most);
    }

    fn ask(&mut self, request: Request) {
        self.effects.push(Effect::Ask(request));
    }

    fn say(&mut self, text: impl Into<String>) {
        self.notice = Some((text.into(), self.now + NOTICE));
    }

    fn tick(&mut self, now: u64) {
        self.now = now;
        self.rate.forget(now);
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
            self.ask(Request::Conversations);
        }
        if stale.adapters {
            self.ask(Request::Platforms);
        }
        if stale.stats {
            self.ask(Request::Stats);
        }
        if stale.stream && self.stream.follows() {
            self.reload();
        }
    }

    // Getters for the view.

    /// Shows another scope, from its newest message on.
    fn open(&mut self, scope: Scope) {
        if let Some(key) = &scope.conversation {
            self.conversations.read(key);
        }
        self.draft.turn_to(scope.conversation.as_ref());
        self.stream = Stream::new(scope, self.cursor, (0, 0), self.zone.clone());
        self.fit();
    }

    /// Shows the same again, with what is new in it.
    fn reload(&mut self) {
        self.open(self.stream.scope().clone());
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
        let front = if self.focus == Focus::List { Front::List } else { Front::Stream };
        let columns = usize::from(Layout::of(self.size, front, 1).write.width.max(4)) - 3;
        let rows = text::wrap(&self.draft.text(), columns, WRITE_ROWS).rows.len();
        let rows = if self.searching.is_some() { 1 } else { rows };
        Layout::of(self.size, front, rows as u16)
    }

    /// The conversations of the list, below the row for all of them.
    pub fn listed(&self) -> Vec<&conversations::Conversation> {
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
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    #[allow(missing_docs)]
    pub fn focus(&self) -> Focus {
        self.focus
    }

    #[allow(missing_docs)]
    pub fn view(&self) -> Option<&View> {
        self.view.as_ref()
    }

    /// Whether the answer to a question is waited for.
    pub fn asks(&self) -> bool {
        self.question.is_some()
    }

    /// The text being typed to search for.
    pub fn searching(&self) -> Option<&TextArea<'static>> {
        self.searching.as_ref()
    }

    /// The text to highlight.
    pub fn highlighted(&self) -> Option<&str> {
        self.search.as_deref()
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

    fn send(&mut self) {
        let Some(key) = self.stream.scope().conversation.clone() else { return };
        let Some(content) = self.draft.take() else { return };
        let message_type = crate::model::message::MessageType::Text.as_str();
        let message = NewMessage::of(message_type, content, key.conversation, Some(key.platform));
        self.ask(Request::Send(message));
        self.stream.go_to_newest();
    }
}
