//! Doing something with a message.

use super::attachment::{self, AttachmentPlace, Fetching, MediaItem};
use super::content;
use super::draft::Purpose;
use super::scope::ConversationKey;
use super::stream::MAX_CHOSEN;
use super::view::{ScrollView, ViewSubject};
use super::{Effect, Focus, Model, Question, ServerRequest, compose};
use crate::model::message::{Direction, Message, Status};
use crate::tui::keys::KeyAction;
use crate::tui::language::{say, status};

impl Model {
    /// The message of the view, else the selected one; where nothing is selected, the newest one on
    /// the screen.
    fn message_at_hand(&self) -> Option<&Message> {
        match &self.view {
            Some(ScrollView { subject: ViewSubject::Message(message), .. }) => Some(message),
            Some(ScrollView { subject: ViewSubject::Picture(picture), .. }) => {
                self.stream.window().by_id(picture.attachment.message)
            }
            Some(ScrollView { subject: ViewSubject::Keys, .. }) => None,
            None => self.stream.selected().or_else(|| {
                let last = self.stream.visible().last()?.position;
                self.stream.window().at(last)
            }),
        }
    }

    /// The newest message of one's own on the screen.
    fn last_own(&self) -> Option<&Message> {
        let shown = self.stream.visible();
        let messages = shown.iter().filter_map(|shown| self.stream.window().at(shown.position));
        messages.filter(|message| message.direction == Direction::Outbound).last()
    }

    pub(super) fn on_message(&mut self, action: KeyAction) {
        let chosen = self.stream.chosen();
        if self.view.is_none() && !chosen.is_empty() && self.on_chosen(action, &chosen) {
            return;
        }
        let changes = matches!(
            action,
            KeyAction::Recall
                | KeyAction::Cancel
                | KeyAction::Retry
                | KeyAction::Delete
                | KeyAction::React
                | KeyAction::Forward
                | KeyAction::MarkUnread
                | KeyAction::Choose
        );
        // An action that cannot be undone needs a message that was chosen.
        let is_chosen = self.view.is_some() || self.stream.selected().is_some();
        let is_in_one = self.stream.scope().conversation.is_some();
        let message = match action {
            KeyAction::Edit if !is_chosen && is_in_one => self.last_own(),
            KeyAction::Edit if !is_chosen => None,
            _ => self.message_at_hand().filter(|_| is_chosen || !changes),
        };
        let message = message.cloned();
        let Some(message) = message else {
            return self.show_status(say!("choose a message first, with ↑ or k"));
        };
        match action {
            KeyAction::Reply => self.reply_to(message),
            KeyAction::MarkUnread => self.mark_unread(&message),
            KeyAction::Edit => self.edit(&message),
            KeyAction::Recall => self.recall(&message),
            KeyAction::React => self.pick_reaction(&message),
            KeyAction::Forward => self.pick_destination(&[message]),
            KeyAction::Choose => self.choose(&message),
            KeyAction::Answered => self.go_to_answered(&message),
            KeyAction::OpenLink => self.open_or_save(&message, Fetching::Open),
            KeyAction::Save => self.open_or_save(&message, Fetching::Save),
            KeyAction::Picture => self.open_or_save(&message, Fetching::Show),
            KeyAction::Conversation => self.show_in_conversation(&message),
            KeyAction::Copy => {
                self.effects.push(Effect::Copy(said(&message)));
                self.show_status(say!("content copied"));
            }
            KeyAction::CopyId => {
                self.effects.push(Effect::Copy(message.id.to_string()));
                self.show_status(say!("ID copied"));
            }
            KeyAction::Delete => self.question = Some(Question::Delete(vec![message.id])),
            KeyAction::Cancel => self.cancel(&message),
            KeyAction::Retry => self.retry(&message),
            _ => {}
        }
    }

    /// Does something with all messages that are chosen; false where the action is about one message.
    fn on_chosen(&mut self, action: KeyAction, chosen: &[Message]) -> bool {
        match action {
            KeyAction::Forward => self.pick_destination(chosen),
            KeyAction::Delete => {
                let ids = chosen.iter().map(|message| message.id).collect();
                self.question = Some(Question::Delete(ids));
            }
            KeyAction::Copy => {
                let line = |message| format!("{}: {}", super::rows::author(message), said(message));
                let lines: Vec<_> = chosen.iter().map(line).collect();
                self.effects.push(Effect::Copy(lines.join("\n")));
                self.show_status(say!("{} messages copied", chosen.len()));
                self.stream.choose_none();
            }
            _ => return false,
        }
        true
    }

    /// Chooses a message, or no longer, and goes to the one above, as one reads upwards.
    fn choose(&mut self, message: &Message) {
        self.view = None;
        if !self.stream.choose(message) {
            return self.show_status(say!("no more than {} are chosen at once", MAX_CHOSEN));
        }
        self.stream.select_above();
    }

    fn reply_to(&mut self, message: Message) {
        self.view = None;
        let key = ConversationKey::of(&message);
        if self.stream.scope().conversation.as_ref() != Some(&key) {
            self.open_around(key, message.id);
            self.show_in_list();
        }
        self.draft.reply_to(message);
        self.focus = Focus::Write;
    }

    fn edit(&mut self, message: &Message) {
        let segments = message.content.to_segments();
        if message.direction == Direction::Inbound {
            return self.show_status(say!("only your own messages can be edited"));
        }
        if message.recall.is_some() || !compose::is_editable(&segments) {
            return self.show_status(say!("only text can be edited here"));
        }
        self.view = None;
        let key = ConversationKey::of(message);
        if self.stream.scope().conversation.as_ref() != Some(&key) {
            self.open_around(key, message.id);
        }
        self.draft.edit(message.id, &segments);
        self.focus = Focus::Write;
    }

    fn recall(&mut self, message: &Message) {
        if message.recall.is_some() {
            return self.show_status(say!("it was recalled already"));
        }
        self.question = Some(Question::Recall(message.id));
    }

    fn cancel(&mut self, message: &Message) {
        match message.status {
            _ if message.direction == Direction::Inbound => self.show_status(only_own()),
            Status::Pending => self.ask(ServerRequest::Cancel(message.id)),
            Status::Sending => self.show_status(say!("the message is being sent now")),
            other => {
                self.show_status(say!(
                    "the message is {}; only pending messages can be canceled",
                    status(other)
                ));
            }
        }
    }

    fn retry(&mut self, message: &Message) {
        match message.status {
            _ if message.direction == Direction::Inbound => self.show_status(only_own()),
            Status::Failed | Status::Canceled => self.ask(ServerRequest::Retry(message.id)),
            other => self.show_status(say!(
                "the message is {}; only failed and canceled messages can be sent again",
                status(other)
            )),
        }
    }

    // Going to another message.

    fn go_to_answered(&mut self, message: &Message) {
        let Some(reply) = &message.reply_to else {
            return self.show_status(say!("it answers no message"));
        };
        let Some(id) = reply.id else {
            return self.show_status(say!("the message that it answers is not known here"));
        };
        self.view = None;
        self.focus = Focus::Stream;
        if !self.stream.jump(id) {
            self.open_around(ConversationKey::of(message), id);
        }
        self.jumped_from = Some(message.id);
    }

    pub(super) fn return_from_jump(&mut self) {
        let Some(id) = self.jumped_from.take() else { return };
        if !self.stream.jump(id)
            && let Some(key) = self.stream.scope().conversation.clone()
        {
            self.open_around(key, id);
        }
    }

    /// Shows a message with what was said around it; Esc goes back to where it was found.
    pub(super) fn show_in_conversation(&mut self, message: &Message) {
        self.view = None;
        self.focus = Focus::Stream;
        let scope = self.stream.scope().clone();
        if scope.whole_conversation().is_some() {
            return;
        }
        self.open_around(ConversationKey::of(message), message.id);
        self.results = Some(scope);
        self.show_in_list();
    }

    // Links and files.

    fn open_or_save(&mut self, message: &Message, fetching: Fetching) {
        let mut found = attachment::of(message);
        match fetching {
            Fetching::Open => {}
            Fetching::Save => found.retain(|attachment| attachment.name.is_some()),
            Fetching::Show => found.retain(|attachment| attachment.is_picture),
        }
        match (found.len(), fetching) {
            (0, Fetching::Open) => self.show_status(say!("there is no link and no file in it")),
            (0, Fetching::Save) => self.show_status(say!("there is no file in it")),
            (0, Fetching::Show) => self.show_status(say!("there is no picture in it")),
            (1, _) => self.fetch(found.remove(0), fetching),
            _ => self.pick_attachment(found, fetching),
        }
    }

    pub(super) fn fetch(&mut self, attachment: MediaItem, fetching: Fetching) {
        if let (AttachmentPlace::Address(address), Fetching::Open) = (&attachment.place, fetching) {
            self.show_status(say!("opening {}", attachment.label));
            self.effects.push(Effect::Open(address.clone()));
            return;
        }
        self.show_status(say!("fetching {}", attachment.label));
        if fetching == Fetching::Show {
            self.awaited_picture = Some(attachment.clone());
        }
        let attachment = Box::new(attachment);
        self.ask(match fetching {
            Fetching::Show => ServerRequest::Picture(attachment, self.view_size()),
            Fetching::Open | Fetching::Save => ServerRequest::Fetch(attachment, fetching),
        });
    }

    /// The purpose of the text that is written, for its title.
    pub fn purpose(&self) -> Option<String> {
        match self.draft.purpose() {
            Purpose::New => None,
            Purpose::Edit(_) => Some(say!("editing · Enter: save · Esc: leave it as it is").into()),
            Purpose::Reply(message) => {
                let (author, said) =
                    (super::rows::author(message), content::line(&message.content));
                Some(format!("↩ {author}: {said}"))
            }
        }
    }
}

fn only_own() -> &'static str {
    say!("a received message cannot be canceled or sent again")
}

/// The content of a message, to be copied: its text, or the address of its file.
fn said(message: &Message) -> String {
    match message.content.segments() {
        Some(segments) if compose::is_editable(segments) => compose::text_of(segments).0,
        _ => message.content.readable().into_owned(),
    }
}
