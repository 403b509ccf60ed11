//! Telling the echo of our own sending from what the account's owner wrote elsewhere.
//!
//! Some implementations report every message of the account, ours among them, before or after they
//! answer the action; with an ID or without. An own message that comes while an attempt is under
//! way in its conversation is therefore held until the attempt has ended.

use crate::adapter::api::{Delivery, Outbound};
use crate::model::change::Inbound;
use crate::model::message::MessageType;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Own messages held at once; one more is let through.
const HELD: usize = 64;
/// IDs of messages we sent, remembered.
const REMEMBERED: usize = 1024;
/// How long the echo of a message that got no ID is awaited.
const AWAITED: Duration = Duration::from_mins(1);

/// What one account is sending and has sent.
#[derive(Debug, Default)]
pub(in crate::adapter::onebot) struct Echoes {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: Vec<(Uuid, Text)>,
    held: Vec<Inbound>,
    sent: VecDeque<(String, String)>,
    awaited: VecDeque<(Text, Instant)>,
}

/// What two accounts of one message have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Text {
    conversation: String,
    message_type: MessageType,
    content: String,
}

impl Text {
    fn is_in(&self, message: &Inbound) -> bool {
        self.conversation == message.conversation
            && self.message_type == message.message_type
            && self.content == message.content
    }
}

impl Echoes {
    /// An attempt begins.
    pub(in crate::adapter::onebot) fn begin(&self, message: &Outbound) {
        let text = Text {
            conversation: message.conversation.clone(),
            message_type: message.message_type,
            content: message.content.clone(),
        };
        self.state().under_way.push((message.id, text));
    }

    /// Takes a message the account wrote; gives it back if it is news.
    pub(in crate::adapter::onebot) fn own(&self, message: Inbound) -> Option<Inbound> {
        let mut state = self.state();
        if state.is_ours(&message) || state.was_awaited(&message) {
            return None;
        }
        let is_under_way =
            state.under_way.iter().any(|(_, text)| text.conversation == message.conversation);
        if is_under_way && state.held.len() < HELD {
            state.held.push(message);
            return None;
        }
        Some(message)
    }

    /// An attempt ended. Its echo may settle what the answer left open; what else was held is news.
    pub(in crate::adapter::onebot) fn end(
        &self,
        attempt: Uuid,
        delivery: Delivery,
    ) -> (Delivery, Vec<Inbound>) {
        let mut state = self.state();
        let Some(place) = state.under_way.iter().position(|(id, _)| *id == attempt) else {
            return (delivery, Vec::new());
        };
        let (_, text) = state.under_way.remove(place);
        let conversation = text.conversation.clone();
        let delivery = match delivery {
            Delivery::Sent { external_id: None } => {
                let external_id = state.take_echo(&text);
                if external_id.is_none() {
                    state.await_echo(text);
                }
                Delivery::Sent { external_id }
            }
            Delivery::Unknown { .. } => state
                .take_echo(&text)
                .map_or(delivery, |id| Delivery::Sent { external_id: Some(id) }),
            Delivery::Sent { external_id: Some(_) } | Delivery::Refused { .. } => delivery,
        };
        if let Delivery::Sent { external_id: Some(id) } = &delivery {
            state.remember(conversation.clone(), id.clone());
        }
        (delivery, state.release(&conversation))
    }

    /// Whether this is the ID of a message we sent.
    pub(in crate::adapter::onebot) fn is_ours(&self, message: &Inbound) -> bool {
        self.state().is_ours(message)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_ours(&self, message: &Inbound) -> bool {
        let is_it = |(conversation, id): &(String, String)| {
            *conversation == message.conversation && *id == message.external_id
        };
        self.sent.iter().any(is_it)
    }

    fn await_echo(&mut self, text: Text) {
        if self.awaited.len() == REMEMBERED {
            self.awaited.pop_front();
        }
        self.awaited.push_back((text, Instant::now() + AWAITED));
    }

    fn was_awaited(&mut self, message: &Inbound) -> bool {
        let now = Instant::now();
        self.awaited.retain(|(_, until)| *until > now);
        let Some(place) = self.awaited.iter().position(|(text, _)| text.is_in(message)) else {
            return false;
        };
        self.awaited.remove(place);
        self.remember(message.conversation.clone(), message.external_id.clone());
        true
    }

    fn take_echo(&mut self, text: &Text) -> Option<String> {
        let place = self.held.iter().position(|message| text.is_in(message))?;
        Some(self.held.remove(place).external_id)
    }

    fn remember(&mut self, conversation: String, id: String) {
        if self.sent.len() == REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back((conversation, id));
    }

    /// What was held for a conversation in which nothing is under way any more, but for echoes.
    fn release(&mut self, conversation: &str) -> Vec<Inbound> {
        if self.under_way.iter().any(|(_, text)| text.conversation == conversation) {
            return Vec::new();
        }
        let (news, held) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|message| message.conversation == conversation);
        self.held = held;
        let news: Vec<Inbound> = news;
        news.into_iter().filter(|message| !self.is_ours(message)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Sender;

    fn outbound(content: &str) -> Outbound {
        Outbound {
            id: Uuid::new_v4(),
            conversation: "group_1".into(),
            message_type: MessageType::Text,
            content: content.into(),
            created_at: 0,
        }
    }

    fn own(content: &str, id: &str) -> Inbound {
        Inbound {
            platform: "qq".into(),
            account: "1".into(),
            conversation: "group_1".into(),
            conversation_name: None,
            sender: Sender::default(),
            message_type: MessageType::Text,
            content: content.into(),
            external_id: id.into(),
            time: 0,
            own: true,
            original: None,
        }
    }

    fn sent(id: Option<&str>) -> Delivery {
        Delivery::Sent { external_id: id.map(str::to_owned) }
    }

    fn unknown() -> Delivery {
        Delivery::Unknown { reason: "no answer".into() }
    }

    #[test]
    fn an_echo_is_no_news_whenever_it_comes() {
        let echoes = Echoes::default();
        let message = outbound("hi");
        echoes.begin(&message);
        assert_eq!(echoes.own(own("hi (as the platform writes it)", "7")), None);
        assert_eq!(echoes.end(message.id, sent(Some("7"))), (sent(Some("7")), vec![]));
        assert_eq!(echoes.own(own("hi", "7")), None);
        assert_eq!(echoes.own(own("hi", "8")), Some(own("hi", "8")));
    }

    #[test]
    fn an_echo_without_an_answered_id_is_known_by_its_text_once() {
        let echoes = Echoes::default();
        let message = outbound("hi");
        echoes.begin(&message);
        assert_eq!(echoes.end(message.id, sent(None)).0, sent(None));
        assert_eq!(echoes.own(own("hi", "7")), None);
        assert_eq!(echoes.own(own("hi", "8")), Some(own("hi", "8")));
    }

    #[test]
    fn an_echo_settles_what_nobody_answered() {
        let echoes = Echoes::default();
        let message = outbound("hi");
        echoes.begin(&message);
        assert_eq!(echoes.own(own("hi", "7")), None);
        assert_eq!(echoes.end(message.id, unknown()), (sent(Some("7")), vec![]));
    }

    #[test]
    fn what_the_owner_wrote_meanwhile_is_news_afterwards() {
        let echoes = Echoes::default();
        let message = outbound("hi");
        echoes.begin(&message);
        assert_eq!(echoes.own(own("lunch?", "7")), None);
        assert_eq!(echoes.end(message.id, unknown()), (unknown(), vec![own("lunch?", "7")]));
    }

    #[test]
    fn a_refused_attempt_has_no_echo() {
        let echoes = Echoes::default();
        let message = outbound("hi");
        let refused = Delivery::Refused { reason: "no".into(), retryable: false };
        echoes.begin(&message);
        assert_eq!(echoes.own(own("hi", "7")), None);
        assert_eq!(echoes.end(message.id, refused.clone()), (refused, vec![own("hi", "7")]));
    }

    #[test]
    fn no_more_is_held_than_fits() {
        let echoes = Echoes::default();
        echoes.begin(&outbound("hi"));
        for id in 0..HELD {
            assert_eq!(echoes.own(own("x", &id.to_string())), None);
        }
        assert!(echoes.own(own("x", "one more")).is_some());
    }
}
