//! Those who wrote in the open conversation: to look at, and to mention.

use super::compose::Mention;
use super::conversation_people::ConversationPeople;
use super::picker::{Item, Picker, PickerChoice};
use super::rows::name_of;
use super::scope::ConversationKey;
use super::{Model, ServerRequest};
use crate::model::message::{Direction, Sender};

/// The title of the list of people.
const TITLE: &str = "Wrote here lately";

impl Model {
    /// Names and IDs of those who wrote in the open conversation, the latest first, and everybody.
    pub(super) fn people(&self) -> Vec<(String, String)> {
        let mut people: Vec<(String, String)> = Vec::new();
        let inbound = |direction| direction == Direction::Inbound;
        let loaded = self.stream.window().iter().rev().filter(|m| inbound(m.direction));
        let of_window = loaded.filter_map(|message| message.sender.as_ref());
        let is_here =
            self.people.of.is_some() && self.people.of == self.stream.scope().conversation;
        let others = self.people.known.iter().filter(|_| is_here);
        for sender in of_window.chain(others) {
            if !people.iter().any(|(_, user)| *user == sender.id) {
                people.push((name_of(sender).to_owned(), sender.id.clone()));
            }
        }
        people.push(("all".into(), String::new()));
        people
    }

    /// Lists those who wrote in the open conversation.
    pub(super) fn pick_person(&mut self) {
        if self.stream.scope().conversation.is_none() {
            return self.show_status("choose a conversation first");
        }
        self.ask_for_people();
        self.picker = Some(Picker::new(TITLE, self.person_items()));
    }

    fn person_items(&self) -> Vec<Item> {
        let item = |(name, user): (String, String)| {
            let detail = if user.is_empty() { "everybody".to_owned() } else { user.clone() };
            let mention = Mention { name: format!("@{name}"), user };
            Item { label: name, detail, choice: PickerChoice::Person(mention) }
        };
        self.people().into_iter().map(item).collect()
    }

    /// Asks who wrote in the open conversation, once for as long as it is open.
    pub(super) fn ask_for_people(&mut self) {
        let Some(key) = self.stream.scope().conversation.clone() else { return };
        let is_asked = self.people.is_asked && self.people.of.as_ref() == Some(&key);
        if !is_asked {
            self.people =
                ConversationPeople { of: Some(key.clone()), known: Vec::new(), is_asked: true };
            self.ask(ServerRequest::People(key));
        }
    }

    pub(super) fn know_people(&mut self, key: &ConversationKey, people: Vec<Sender>) {
        if self.people.of.as_ref() != Some(key) {
            return;
        }
        self.people.known = people;
        let items = self.person_items();
        if let Some(picker) = self.picker.as_mut().filter(|picker| picker.title() == TITLE) {
            picker.replace(items);
        }
    }

    pub(super) fn know_no_people(&mut self, why: String) {
        self.people.is_asked = false;
        self.show_status(why);
    }

    /// Mentions somebody in what is written.
    pub(super) fn mention(&mut self, person: Mention) {
        self.write();
        let text = format!("{} ", person.name);
        self.draft.complete(0, &text, Some(person));
    }
}
