//! A list to choose from, which typing narrows down.

use super::attachment::{Fetching, MediaItem};
use super::compose::Mention;
use super::edit;
use super::scope::ConversationKey;
use crate::model::content::Segment;
use crate::search::normalise;
use crate::tui::language::say;
use ratatui_textarea::TextArea;
use uuid::Uuid;

/// The most entries that are found.
const MAX_ENTRIES: usize = 200;

/// The thing that is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickerChoice {
    Conversation(ConversationKey),
    Attachment(Box<MediaItem>, Fetching),
    /// A reaction to the message `id`.
    Reaction {
        id: Uuid,
        emoji: String,
        /// Whether to set it; else it is taken back.
        on: bool,
    },
    /// The friend or join request with this ID.
    Request(u64),
    /// A person to mention.
    Person(Mention),
    /// The segments of each message to send, and its conversation.
    Forward(Vec<Vec<Segment>>, ConversationKey),
}

/// An entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub label: String,
    /// A note beside the label; the entry is found by it, too.
    pub detail: String,
    pub choice: PickerChoice,
}

/// The list.
#[derive(Clone, Debug)]
pub struct Picker {
    title: &'static str,
    editor: TextArea<'static>,
    items: Vec<Item>,
    /// The message to which a text that matches no entry is a reaction.
    takes_text: Option<Uuid>,
    /// The entries that are found, the best first.
    found: Vec<Item>,
    at: usize,
}

impl Picker {
    /// A list in which everything is found.
    pub fn new(title: &'static str, items: Vec<Item>) -> Self {
        let editor = edit::editor("");
        let mut picker = Self { title, editor, items, takes_text: None, found: Vec::new(), at: 0 };
        picker.find();
        picker
    }

    /// The same, where what is typed can be a reaction of its own.
    #[must_use]
    pub fn taking_reactions(self, id: Uuid) -> Self {
        Self { takes_text: Some(id), ..self }
    }

    pub fn title(&self) -> &'static str {
        self.title
    }

    /// Has other entries, of which the same text finds some.
    pub fn replace(&mut self, items: Vec<Item>) {
        let at = self.at;
        self.items = items;
        self.find();
        self.go_to(at);
    }

    /// The text that narrows it down.
    pub fn editor(&self) -> &TextArea<'static> {
        &self.editor
    }

    /// Changes the text that narrows it down.
    pub fn edit(&mut self, change: impl FnOnce(&mut TextArea<'static>)) {
        let before = self.editor.lines().to_vec();
        change(&mut self.editor);
        if before != self.editor.lines() {
            self.find();
        }
    }

    /// The entries that are found.
    pub fn found(&self) -> &[Item] {
        &self.found
    }

    /// The one that Enter takes.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The entry that was chosen.
    pub fn chosen(&self) -> Option<&PickerChoice> {
        self.found.get(self.at).map(|item| &item.choice)
    }

    /// Goes up or down, not beyond an end.
    pub fn go(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.found.len().saturating_sub(1));
    }

    /// Goes to an entry.
    pub fn go_to(&mut self, at: usize) {
        self.at = at.min(self.found.len().saturating_sub(1));
    }

    fn find(&mut self) {
        let text = self.editor.lines().join(" ");
        let text = text.trim();
        self.at = 0;
        if text.is_empty() {
            self.found = self.items.iter().take(MAX_ENTRIES).cloned().collect();
            return;
        }
        let wanted = normalise(text);
        let mut found: Vec<_> = self
            .items
            .iter()
            .filter_map(|item| {
                let by_label = score(&wanted, &item.label).map(|score| score * 2);
                let by_detail = score(&wanted, &item.detail).map(|score| score * 2 + 1);
                Some((by_label.or(by_detail)?, item))
            })
            .collect();
        found.sort_by_key(|(score, _)| *score);
        self.found = found.into_iter().take(MAX_ENTRIES).map(|(_, item)| item.clone()).collect();
        if let Some(id) = self.takes_text.filter(|_| self.found.is_empty()) {
            let choice = PickerChoice::Reaction { id, emoji: text.to_owned(), on: true };
            self.found.push(Item {
                label: text.into(),
                detail: say!("react with this").into(),
                choice,
            });
        }
    }
}

/// How far a text is from what is wanted, 0 being nearest: a beginning, a beginning of a word, a
/// part, or the characters in this order with others between them; `None` where it has them not.
fn score(wanted: &str, text: &str) -> Option<usize> {
    let text = normalise(text);
    if let Some(place) = text.find(wanted) {
        let is_word = text[..place].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        return Some(match (place, is_word) {
            (0, _) => 0,
            (_, true) => 1,
            (_, false) => 2,
        });
    }
    let mut rest = text.chars();
    let mut gaps = 0;
    for c in wanted.chars().filter(|c| !c.is_whitespace()) {
        gaps += rest.position(|other| other == c)?;
    }
    Some(3 + gaps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picker(names: &[&str]) -> Picker {
        let item = |name: &&str| Item {
            label: (*name).to_owned(),
            detail: "qq".into(),
            choice: PickerChoice::Request(0),
        };
        Picker::new("To", names.iter().map(item).collect())
    }

    fn found(names: &[&str], typed: &str) -> Vec<String> {
        let mut picker = picker(names);
        picker.edit(|editor| {
            editor.insert_str(typed);
        });
        picker.found().iter().map(|item| item.label.clone()).collect()
    }

    #[test]
    fn the_nearest_comes_first() {
        let names = ["group_17", "Harbour crew", "crewmates", "The screw", "c r e w"];
        let wanted = ["crewmates", "Harbour crew", "The screw", "c r e w"];
        assert_eq!(found(&names, "CREW"), wanted);
        assert_eq!(found(&names, "hbc"), ["Harbour crew"]);
        assert_eq!(found(&["Ｒｕｓｔ 交流群", "x"], "rust 流"), ["Ｒｕｓｔ 交流群"]);
        assert_eq!(found(&names, "nobody at all"), [""; 0]);
    }

    #[test]
    fn typing_goes_back_to_the_first() {
        let mut picker = picker(&["aa", "ab", "b"]);
        picker.go(2);
        assert_eq!(picker.at(), 2);
        picker.edit(|editor| editor.insert_char('a'));
        assert_eq!((picker.at(), picker.found().len()), (0, 2));
        picker.go(5);
        assert_eq!(picker.at(), 1);
    }
}
