//! The draft: what is being written, to whom, and what it answers or changes; and the drafts before.

use super::compose::{self, Mention};
use super::edit;
use super::saved_state::SavedDraft;
use super::scope::ConversationKey;
use crate::model::content::Segment;
use crate::model::message::Message;
use crossterm::event::KeyEvent;
use ratatui_textarea::{CursorMove, TextArea};
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// The most texts that are remembered after they were sent, of all conversations.
const MAX_SENT: usize = 1000;

/// The most unfinished answers that are kept.
const MAX_KEPT: usize = 200;

/// The purpose of the text: a message, a reply, an edit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// A new message.
    #[default]
    New,
    /// An answer to this message.
    Reply(Box<Message>),
    /// New content of this message of one's own.
    Edit(Uuid),
}

/// An unfinished text, and what it would become.
#[derive(Clone, Debug, Default)]
struct Unfinished {
    text: String,
    purpose: Purpose,
    mentions: Vec<Mention>,
}

impl Unfinished {
    /// Whether nothing would be lost with it.
    fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && !matches!(self.purpose, Purpose::Reply(_))
    }
}

/// A text that was taken to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmittedText {
    pub text: String,
    pub purpose: Purpose,
    pub mentions: Vec<Mention>,
}

/// The answer that is being written, one for each conversation.
#[derive(Clone, Debug)]
pub struct ComposerDraft {
    editor: TextArea<'static>,
    purpose: Purpose,
    /// People whose names were put in.
    mentions: Vec<Mention>,
    /// The conversation that it answers.
    to: Option<ConversationKey>,
    kept: HashMap<ConversationKey, Unfinished>,
    /// The text from before an edit began.
    before_edit: Option<String>,
    /// Texts that were sent, the oldest first, and where.
    sent: VecDeque<(ConversationKey, String)>,
    /// The earlier text that is shown, while the user goes through them.
    recalled: Option<usize>,
    /// The draft from before.
    unfinished: String,
}

impl Default for ComposerDraft {
    fn default() -> Self {
        Self {
            editor: edit::editor(""),
            purpose: Purpose::New,
            mentions: Vec::new(),
            to: None,
            kept: HashMap::new(),
            before_edit: None,
            sent: VecDeque::new(),
            recalled: None,
            unfinished: String::new(),
        }
    }
}

impl ComposerDraft {
    /// The text editor.
    pub fn editor(&self) -> &TextArea<'static> {
        &self.editor
    }

    /// The text editor, to be changed.
    pub fn editor_mut(&mut self) -> &mut TextArea<'static> {
        &mut self.editor
    }

    /// The text so far.
    pub fn text(&self) -> String {
        self.editor.lines().join("\n")
    }

    /// The purpose of the text: a message, a reply, an edit.
    pub fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// Whether a conversation has an unfinished text.
    pub fn has(&self, key: &ConversationKey) -> bool {
        match &self.to {
            Some(to) if to == key => !self.editor.is_empty(),
            _ => self.kept.contains_key(key),
        }
    }

    /// Whether there is any unfinished text.
    pub fn has_any(&self) -> bool {
        !self.kept.is_empty() || !self.editor.is_empty()
    }

    /// Continues with the draft for another conversation.
    pub fn turn_to(&mut self, to: Option<&ConversationKey>) {
        if self.to.as_ref() == to {
            return;
        }
        if matches!(self.purpose, Purpose::Edit(_)) {
            self.end_purpose();
        }
        let text = self.text();
        let purpose = std::mem::take(&mut self.purpose);
        let mentions = std::mem::take(&mut self.mentions);
        if let Some(before) = self.to.take() {
            self.kept.remove(&before);
            let unfinished = Unfinished { text, purpose, mentions };
            if !unfinished.is_empty() && self.kept.len() < MAX_KEPT {
                self.kept.insert(before, unfinished);
            }
        }
        let kept = to.and_then(|to| self.kept.remove(to)).unwrap_or_default();
        self.to = to.cloned();
        self.set(&kept.text);
        (self.purpose, self.mentions) = (kept.purpose, kept.mentions);
        self.recalled = None;
    }

    /// Puts a text that was not sent back before what is written to its conversation since.
    pub fn bring_back(&mut self, to: &ConversationKey, submitted: SubmittedText) {
        let SubmittedText { text, purpose, mentions } = submitted;
        let with_rest = |rest: &str| {
            if rest.trim().is_empty() { text.clone() } else { format!("{text}\n{rest}") }
        };
        if self.to.as_ref() == Some(to) && !matches!(self.purpose, Purpose::Edit(_)) {
            self.set(&with_rest(&self.text()));
            self.mentions.extend(mentions);
            if self.purpose == Purpose::New {
                self.purpose = purpose;
            }
            return;
        }
        let kept = self.kept.entry(to.clone()).or_default();
        kept.text = with_rest(&kept.text);
        kept.mentions.extend(mentions);
        if kept.purpose == Purpose::New {
            kept.purpose = purpose;
        }
    }

    /// The text will answer a message.
    pub fn reply_to(&mut self, message: Message) {
        self.end_purpose();
        self.purpose = Purpose::Reply(Box::new(message));
    }

    /// The text will take the place of what a message of one's own says.
    pub fn edit(&mut self, id: Uuid, segments: &[Segment]) {
        self.end_purpose();
        let text = self.text();
        self.before_edit = Some(text);
        let (text, mentions) = compose::text_of(segments);
        self.set(&text);
        (self.purpose, self.mentions) = (Purpose::Edit(id), mentions);
    }

    /// The text is a new message again; after an edit the text from before is back. False where it
    /// was a new message already.
    pub fn end_purpose(&mut self) -> bool {
        if let Some(before) = self.before_edit.take() {
            self.set(&before);
        }
        std::mem::take(&mut self.purpose) != Purpose::New
    }

    /// A key that is text, or moves the cursor.
    pub fn press(&mut self, key: KeyEvent) {
        self.editor.input(key);
    }

    /// Text that was pasted.
    pub fn paste(&mut self, text: &str) {
        self.editor.insert_str(edit::pasted(text));
    }

    /// Puts another text behind the cursor, in place of so many characters before it.
    pub fn complete(&mut self, characters: usize, text: &str, mention: Option<Mention>) {
        for _ in 0..characters {
            self.editor.delete_char();
        }
        self.editor.insert_str(text);
        self.mentions.extend(mention);
    }

    /// The line of the cursor up to the cursor.
    pub fn before_cursor(&self) -> String {
        let cursor = self.editor.cursor();
        let line = self.editor.lines().get(cursor.0).map(String::as_str).unwrap_or_default();
        line.chars().take(cursor.1).collect()
    }

    /// Takes the text to be sent; `None` if there is none.
    pub fn take(&mut self) -> Option<SubmittedText> {
        let text = self.text();
        if text.trim().is_empty() {
            return None;
        }
        if let Some(to) = &self.to
            && self.sent_here().next_back() != Some(&text)
        {
            self.sent.push_back((to.clone(), text.clone()));
        }
        if self.sent.len() > MAX_SENT {
            self.sent.pop_front();
        }
        self.recalled = None;
        let mentions = std::mem::take(&mut self.mentions);
        let purpose = std::mem::take(&mut self.purpose);
        let next = self.before_edit.take().unwrap_or_default();
        self.set(&next);
        Some(SubmittedText { text, purpose, mentions })
    }

    /// A line up; above the first one, what was sent before.
    pub fn older(&mut self) {
        if self.editor.cursor().0 > 0 {
            self.editor.move_cursor(CursorMove::Up);
            return;
        }
        let next = self.recalled.unwrap_or(self.sent_here().count()).checked_sub(1);
        let Some((next, sent)) =
            next.and_then(|next| Some((next, self.sent_here().nth(next)?.clone())))
        else {
            return;
        };
        if self.recalled.is_none() {
            self.unfinished = self.text();
        }
        self.recalled = Some(next);
        self.set(&sent);
    }

    /// A line down; below the last one, what was sent after.
    pub fn newer(&mut self) {
        if self.editor.cursor().0 + 1 < self.editor.lines().len() {
            self.editor.move_cursor(CursorMove::Down);
            return;
        }
        let Some(next) = self.recalled.map(|recalled| recalled + 1) else { return };
        let sent = self.sent_here().nth(next).cloned();
        if let Some(sent) = sent {
            self.recalled = Some(next);
            self.set(&sent);
        } else {
            self.recalled = None;
            let unfinished = std::mem::take(&mut self.unfinished);
            self.set(&unfinished);
        }
    }

    /// Texts that were sent to this conversation, the oldest first.
    fn sent_here(&self) -> impl DoubleEndedIterator<Item = &String> {
        let to = self.to.as_ref();
        self.sent.iter().filter(move |(sent_to, _)| Some(sent_to) == to).map(|(_, text)| text)
    }

    /// Takes in what was kept at the last start.
    pub fn restore(&mut self, drafts: Vec<SavedDraft>) {
        for SavedDraft { to, text, mentions, answers } in drafts.into_iter().take(MAX_KEPT) {
            let purpose = answers.map_or(Purpose::New, Purpose::Reply);
            self.kept.insert(to, Unfinished { text, purpose, mentions });
        }
    }

    /// Everything that is unfinished, to be kept; of an edit, the text from before it.
    pub fn saved(&self) -> Vec<SavedDraft> {
        let text = self.before_edit.clone().unwrap_or_else(|| self.text());
        let now =
            Unfinished { text, purpose: self.purpose.clone(), mentions: self.mentions.clone() };
        let here = self.to.iter().map(|to| (to, &now));
        let all = here.chain(&self.kept).filter(|(_, unfinished)| !unfinished.is_empty());
        let saved = all.map(|(to, unfinished)| SavedDraft {
            to: to.clone(),
            text: unfinished.text.clone(),
            mentions: unfinished.mentions.clone(),
            answers: match &unfinished.purpose {
                Purpose::Reply(message) => Some(message.clone()),
                _ => None,
            },
        });
        let mut saved: Vec<_> = saved.collect();
        saved.sort_by(|a, b| a.to.cmp(&b.to));
        saved
    }

    fn set(&mut self, text: &str) {
        self.editor = edit::editor(text);
    }
}
