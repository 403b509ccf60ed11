//! Lists to choose from: conversations, links and files, reactions, requests.

use super::attachment::{Fetching, MediaItem};
use super::content;
use super::picker::{Item, Picker, PickerChoice};
use super::scope::ConversationKey;
use super::{Model, Question, ServerRequest};
use crate::model::message::Message;
use crate::model::notice::NoticeKind;
use crate::protocol::http;
use crate::tui::keys::KeyAction;
use crate::tui::language::{say, text};

/// Reactions that are offered.
const REACTIONS: [(&str, &str); 12] = [
    ("👍", "yes thumbs up"),
    ("❤", "heart love"),
    ("😂", "laugh"),
    ("😮", "surprise wow"),
    ("😢", "sad cry"),
    ("🙏", "thanks please"),
    ("🎉", "party congratulations"),
    ("🔥", "fire"),
    ("👀", "eyes look"),
    ("✅", "done check"),
    ("👎", "no thumbs down"),
    ("🤔", "thinking"),
];

/// Words by which the reactions are found, in English.
#[cfg(test)]
pub fn reaction_words() -> impl Iterator<Item = &'static str> {
    REACTIONS.iter().map(|(_, words)| *words)
}

/// Entries that a page goes over.
const PAGE: isize = 10;

impl Model {
    pub(super) fn pick_conversation(&mut self) {
        let items = self.conversation_items(PickerChoice::Conversation);
        self.picker = Some(Picker::new(say!("Go to"), items));
    }

    /// The conversations to choose from, those with something to read first.
    pub(super) fn conversation_items(
        &self,
        choice: impl Fn(ConversationKey) -> PickerChoice,
    ) -> Vec<Item> {
        let has_platforms = self.has_platforms();
        let listed = self.conversations.ordered(None);
        let items: Vec<_> = listed
            .iter()
            .map(|known| {
                let unread = match known.unread {
                    0 => String::new(),
                    count => say!("{} unread", count),
                };
                let id = if known.name.is_some() { &*known.key.conversation } else { "" };
                let platform = if has_platforms { &*known.key.platform } else { "" };
                let parts = [platform, id, &unread];
                let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                let choice = choice(known.key.clone());
                Item { label: known.name().to_owned(), detail: parts.join(" · "), choice }
            })
            .collect();
        let unread: Vec<_> = listed.iter().map(|known| known.unread == 0).collect();
        let mut order: Vec<_> = unread.into_iter().zip(items).collect();
        order.sort_by_key(|(is_read, _)| *is_read);
        order.into_iter().map(|(_, item)| item).collect()
    }

    pub(super) fn pick_reaction(&mut self, message: &Message) {
        let id = message.id;
        let there = message.reactions.iter().map(|reaction| {
            let emoji = reaction.emoji.clone();
            let detail = match (reaction.mine, reaction.count) {
                (true, _) => say!("yours; Enter takes it back").to_owned(),
                (false, count) => say!("{} so far", count),
            };
            let choice = PickerChoice::Reaction { id, emoji: emoji.clone(), on: !reaction.mine };
            Item { label: content::shown_reaction(&emoji).to_owned(), detail, choice }
        });
        let is_there = |emoji: &str| message.reactions.iter().any(|known| known.emoji == emoji);
        let others =
            REACTIONS.iter().filter(|(emoji, _)| !is_there(emoji)).map(|(emoji, words)| {
                let choice = PickerChoice::Reaction { id, emoji: (*emoji).to_owned(), on: true };
                Item { label: (*emoji).to_owned(), detail: text(words).to_owned(), choice }
            });
        let items = there.chain(others).collect();
        self.picker = Some(Picker::new(say!("React with"), items).taking_reactions(id));
    }

    pub(super) fn pick_attachment(&mut self, found: Vec<MediaItem>, fetching: Fetching) {
        let item = |attachment: MediaItem| Item {
            label: attachment.label.clone(),
            detail: String::new(),
            choice: PickerChoice::Attachment(Box::new(attachment), fetching),
        };
        let title = match fetching {
            Fetching::Open => say!("Open"),
            Fetching::Save => say!("Save"),
            Fetching::Show => say!("Show"),
        };
        self.picker = Some(Picker::new(title, found.into_iter().map(item).collect()));
    }

    pub(super) fn pick_request(&mut self) {
        if self.requests.is_empty() {
            return self.show_status(say!("no friend or join request waits for an answer"));
        }
        let item = |request: &http::Request| Item {
            label: words_of(request),
            detail: request.platform.clone(),
            choice: PickerChoice::Request(request.id),
        };
        self.picker = Some(Picker::new(say!("Requests"), self.requests.iter().map(item).collect()));
    }

    pub(super) fn move_in_picker(&mut self, action: KeyAction) {
        let Some(picker) = &mut self.picker else { return };
        match action {
            KeyAction::Down => picker.go(1),
            KeyAction::Up => picker.go(-1),
            KeyAction::PageDown => picker.go(PAGE),
            KeyAction::PageUp => picker.go(-PAGE),
            KeyAction::Open => self.take_choice(),
            _ => {}
        }
    }

    pub(super) fn take_choice(&mut self) {
        let Some(choice) = self.picker.as_ref().and_then(|picker| picker.chosen().cloned()) else {
            return;
        };
        self.picker = None;
        match choice {
            PickerChoice::Conversation(key) => self.go_to_conversation(key),
            PickerChoice::Attachment(attachment, fetching) => self.fetch(*attachment, fetching),
            PickerChoice::Reaction { id, emoji, on } => {
                self.ask(ServerRequest::React(id, emoji, on))
            }
            PickerChoice::Forward(contents, to) => self.forward(contents, &to),
            PickerChoice::Person(person) => self.mention(person),
            PickerChoice::Request(id) => {
                let words = self.requests.iter().find(|request| request.id == id).map(words_of);
                self.question = words.map(|words| Question::Request(id, words));
            }
        }
    }
}

/// A request in words.
fn words_of(request: &http::Request) -> String {
    let name = request.user.as_ref().map_or(say!("somebody"), super::rows::name_of);
    let wish = match (&request.conversation, request.kind) {
        (Some(conversation), NoticeKind::JoinRequest) => say!("wants to join {}", conversation),
        (None, NoticeKind::JoinRequest) => say!("wants to join a group").into(),
        _ => say!("wants to be a friend").into(),
    };
    if request.text.is_empty() {
        format!("{name} {wish}")
    } else {
        format!("{name} {wish}: {}", request.text)
    }
}
