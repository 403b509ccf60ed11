//! The people of the open conversation: to look at, and to mention.

use super::compose::Mention;
use super::conversation_people::ConversationPeople;
use super::picker::{Item, Picker, PickerChoice};
use super::scope::ConversationKey;
use super::{Model, ServerRequest};
use crate::model::message::Direction;
use crate::protocol::http::{ConversationKind, GroupMember, MemberRole};
use crate::tui::language::say;
use std::collections::{HashMap, HashSet};

/// The title of the list of people.
fn title() -> &'static str {
    say!("People here")
}

impl Model {
    /// Those who wrote in the open conversation, the latest first, then its other members.
    fn people(&self) -> Vec<GroupMember> {
        let is_here =
            self.people.of.is_some() && self.people.of == self.stream.scope().conversation;
        let known: &[GroupMember] = if is_here { &self.people.known } else { &[] };
        let by_id: HashMap<_, _> = known.iter().map(|member| (&*member.id, member)).collect();
        let loaded = self.stream.window().iter().rev();
        let loaded = loaded.filter(|message| message.direction == Direction::Inbound);
        let writers = loaded.filter_map(|message| message.sender.as_ref()).map(|sender| {
            let listed = by_id.get(&*sender.id).map(|member| (*member).clone());
            listed.unwrap_or_else(|| sender.clone().into())
        });
        let mut met = HashSet::new();
        let people = writers.chain(known.iter().cloned());
        people.filter(|member| met.insert(member.id.clone())).collect()
    }

    /// Names and IDs of the people of the open conversation, and of everybody in a group.
    pub(super) fn names(&self) -> Vec<(String, String)> {
        let people = self.people().into_iter().map(|member| (member.name, member.id));
        let all = self.has_everybody().then(|| (say!("all").into(), String::new()));
        people.chain(all).collect()
    }

    /// Whether everybody can be mentioned in the open conversation.
    fn has_everybody(&self) -> bool {
        let open = self.stream.scope().conversation.as_ref();
        open.is_some_and(|key| ConversationKind::of(&key.conversation) != ConversationKind::Private)
    }

    /// Lists the people of the open conversation.
    pub(super) fn pick_person(&mut self) {
        if self.stream.scope().conversation.is_none() {
            return self.show_status(say!("choose a conversation first"));
        }
        self.ask_for_people();
        self.picker = Some(Picker::new(title(), self.person_items()));
    }

    fn person_items(&self) -> Vec<Item> {
        let item = |label: String, user: String, detail: String| {
            let mention = Mention { name: format!("@{label}"), user };
            Item { label, detail, choice: PickerChoice::Person(mention) }
        };
        let people = self.people().into_iter().map(|member| {
            let detail = detail_of(&member);
            item(member.name, member.id, detail)
        });
        let all = || item(say!("all").into(), String::new(), say!("everybody").into());
        people.chain(self.has_everybody().then(all)).collect()
    }

    /// Asks for the people of the open conversation, once for as long as it is open.
    pub(super) fn ask_for_people(&mut self) {
        let Some(key) = self.stream.scope().conversation.clone() else { return };
        let is_asked = self.people.is_asked && self.people.of.as_ref() == Some(&key);
        if !is_asked {
            self.people =
                ConversationPeople { of: Some(key.clone()), known: Vec::new(), is_asked: true };
            self.ask(ServerRequest::People(key));
        }
    }

    pub(super) fn know_people(&mut self, key: &ConversationKey, people: Vec<GroupMember>) {
        if self.people.of.as_ref() != Some(key) {
            return;
        }
        self.people.known = people;
        let items = self.person_items();
        if let Some(picker) = self.picker.as_mut().filter(|picker| picker.title() == title()) {
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

/// A member's role, title and ID.
fn detail_of(member: &GroupMember) -> String {
    let role = member.role.map(|role| match role {
        MemberRole::Owner => say!("owner"),
        MemberRole::Admin => say!("admin"),
    });
    let parts = [role, member.title.as_deref(), Some(&*member.id)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
