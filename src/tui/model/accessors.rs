//! Read access to the state, for the view.

use super::draft::ComposerDraft;
use super::picker::Picker;
use super::scope::ConversationKey;
use super::stream::Stream;
use super::view::ScrollView;
use super::{ConnectionState, Focus, Model, Question, WRITE_ROWS, conversations};
use crate::protocol::http::{AdapterStatus, Stats};
use crate::text;
use crate::tui::language::say;
use crate::tui::layout::{Front, Layout};
use jiff::tz::TimeZone;
use ratatui_textarea::TextArea;

/// For how long a platform counts as one that is used, in seconds.
const RECENT_SECONDS: u64 = 7 * 86_400;

impl Model {
    /// Where everything is.
    pub fn layout(&self) -> Layout {
        // The text to search for is seen below the stream.
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
        let Some(key) = &scope.conversation else { return say!("Everything").into() };
        let known = self.conversations.get(key);
        known.map_or_else(|| key.conversation.clone(), |known| known.name().to_owned())
    }

    /// The short name of the server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// How the client is connected to the server.
    pub fn connection(&self) -> &ConnectionState {
        &self.connection
    }

    /// The first row of the list that is on the screen; 0 is the row for all conversations.
    pub fn list_top(&self) -> usize {
        self.list_top
    }

    /// The messages that are shown.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The text that is being written.
    pub fn draft(&self) -> &ComposerDraft {
        &self.draft
    }

    /// The pane that gets the keys.
    pub fn focus(&self) -> Focus {
        self.focus
    }

    /// The view that covers the stream; `None` where none is open.
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

    /// Platforms of which a message came lately, and that no adapter is there for: after a restart, the
    /// server does not know of those that are away.
    pub fn away_platforms(&self) -> Vec<&str> {
        let since = self.now.saturating_sub(RECENT_SECONDS);
        let is_missing = |name: &&str| !self.adapters.iter().any(|known| known.platform == **name);
        let mut names = self.conversations.platforms_since(since);
        names.retain(|name| self.knows_adapters && is_missing(name));
        names
    }

    /// Unread messages beside those of the open conversation.
    pub fn unread_elsewhere(&self) -> u64 {
        self.conversations.unread_elsewhere(self.stream.scope().conversation.as_ref())
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

    /// The connection states of the adapters, as the server told them last.
    pub fn adapters(&self) -> &[AdapterStatus] {
        &self.adapters
    }

    /// The number of messages in each state; `None` until the server has told it.
    pub fn stats(&self) -> Option<&Stats> {
        self.stats.as_ref()
    }

    /// Messages that came within the last minute.
    pub fn per_minute(&self) -> u64 {
        self.rate.per_minute()
    }

    /// The outcome of the last action; `None` after some seconds.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_ref().map(|(text, _)| text.as_str())
    }

    /// The time zone in which times are shown.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}
