//! Messages that are sent in several parts: remembers the sent parts, so that a new attempt sends only
//! the rest, and the echo of a part is not stored as a new message.

mod in_history;
mod under_way;
mod whole_messages;

use crate::adapter::api::{AdapterEvent, Delivery, Outbound, PartNoted};
use crate::clock::now;
use crate::model::content::Content;
use crate::model::inbound::{ECHO_LATE, Inbound};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use under_way::{NextPart, UnderWay};
use uuid::Uuid;
use whole_messages::WholeMessages;

/// How many partly sent messages are remembered. The oldest is forgotten, and all its parts may be sent again.
const MAX_UNDER_WAY: usize = 256;
/// Parts remembered by their IDs.
const MAX_PARTS: usize = 4096;
/// Parts remembered that were taken without an ID.
const MAX_NAMELESS: usize = 256;

/// Messages that are sent in parts, and the parts sent so far.
#[derive(Debug, Default)]
pub(super) struct SendProgress {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: VecDeque<UnderWay>,
    /// Conversation and ID of each part but the first, which stands for the message, and of each echo.
    parts: VecDeque<(String, String)>,
    /// Parts that were taken without an ID: their echoes are known by what they say.
    nameless: VecDeque<NamelessPart>,
    whole: WholeMessages,
}

#[derive(Debug)]
struct NamelessPart {
    conversation: String,
    content: Content,
    /// When it was taken, in Unix seconds.
    at: u64,
}

/// A message that the account's owner wrote, and that was taken for the echo of a part.
pub(super) type OwnersMessage = Box<Inbound>;

/// A part that was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SentPart {
    /// The platform's own ID of it, from the answer or else from the echo.
    pub(super) external_id: Option<String>,
    /// Taken for its echo, which the ID of the answer shows to be wrong.
    pub(super) owners_message: Option<OwnersMessage>,
}

impl SendProgress {
    /// An attempt begins. Returns how many parts were sent by earlier ones: none, if the contents changed.
    /// `message.parts` lists those that the core knows; it has forgotten all if the message is sent anew.
    pub(super) fn begin(&self, message: &Outbound, contents: &[Content]) -> usize {
        let mut state = self.state();
        let is_it = |earlier: &UnderWay| earlier.message == message.id;
        let earlier = state.under_way.iter().position(is_it);
        let mut earlier = earlier.and_then(|place| state.under_way.remove(place));
        let is_ahead = earlier.as_mut().is_some_and(|earlier| {
            earlier.sent.len() >= message.parts.len() && earlier.is_listed_in(message)
        });
        let mut under_way = match earlier {
            Some(earlier) if !earlier.has_contents(contents) || earlier.is_recorded_in(message) => {
                UnderWay::new(message, contents, Vec::new())
            }
            Some(earlier) if is_ahead => earlier,
            _ => UnderWay::as_listed_in(message, contents),
        };
        // The task of an earlier attempt ended before it used the echo.
        if let Some(echo) = under_way.take_echo() {
            under_way.sent.push(Some(echo.external_id));
        }
        let gone = under_way.sent.len();
        state.keep_under_way(under_way);
        gone
    }

    /// An attempt to send a message as a whole begins.
    pub(super) fn begin_whole(&self, message: &Outbound, content: &Content) {
        self.state().whole.begin(message, content);
    }

    /// An attempt to send a message as a whole ended, or its late answer came.
    pub(super) fn end_whole(&self, message: Uuid, delivery: &Delivery) {
        self.state().whole.end(message, delivery);
    }

    /// The next part is sent: its echo may come before its outcome is known.
    pub(super) fn send(&self, message: Uuid) {
        if let Some(known) = self.state().under_way(message) {
            known.send();
        }
    }

    /// The next part was refused: it has no echo.
    pub(super) fn part_refused(&self, message: Uuid) -> Option<OwnersMessage> {
        let mut state = self.state();
        let owners_message = state.under_way(message)?.take_echo()?;
        state.is_no_part(&owners_message);
        Some(owners_message)
    }

    /// The next part got no answer. Returns its ID if its echo has come, which proves that it was sent;
    /// otherwise it is in doubt until its echo comes or the next attempt sends it again.
    pub(super) fn part_unanswered(&self, message: Uuid) -> Option<String> {
        let mut state = self.state();
        let known = state.under_way(message)?;
        match &known.next {
            NextPart::Echoed(echo) => return Some(echo.external_id.clone()),
            NextPart::IsOpen(at) => {
                known.next = NextPart::InDoubt(*at);
                known.doubted = Some(known.sent.len());
            }
            NextPart::Waits | NextPart::InDoubt(_) => {}
        }
        None
    }

    /// The next part was sent.
    pub(super) fn part_sent(
        &self,
        message: Uuid,
        external_id: Option<String>,
        is_unconfirmed: bool,
    ) -> SentPart {
        let mut state = self.state();
        let Some(known) = state.under_way(message) else {
            return SentPart { external_id, owners_message: None };
        };
        known.is_unconfirmed |= is_unconfirmed;
        let echo = known.take_echo();
        let id_of_echo = echo.as_ref().map(|echo| echo.external_id.clone());
        let is_first = known.sent.is_empty();
        let content = known.contents.get(known.sent.len()).cloned();
        let conversation = known.conversation.clone();
        let external_id = external_id.or_else(|| id_of_echo.clone());
        known.sent.push(external_id.clone());
        match (&external_id, content) {
            (Some(id), _) if is_first => state.whole.keep(conversation, id.clone()),
            (Some(id), _) => state.keep_part(conversation, id.clone()),
            (None, Some(content)) => {
                state.keep_nameless(NamelessPart { conversation, content, at: now() });
            }
            _ => {}
        }
        let owners_message = echo.filter(|_| external_id != id_of_echo);
        if let Some(owners_message) = &owners_message {
            state.is_no_part(owners_message);
        }
        SentPart { external_id, owners_message }
    }

    /// The core noted a part, or its answer is still to come.
    pub(super) fn note(
        &self,
        message: Uuid,
        index: usize,
        answer: Result<PartNoted, oneshot::Receiver<PartNoted>>,
    ) {
        let mut state = self.state();
        let Some(known) = state.under_way(message) else { return };
        match answer {
            Ok(PartNoted::Stored) => (known.noted, known.next_note) = (index + 1, None),
            Ok(PartNoted::MessageDeleted) => {}
            Err(note) => known.next_note = Some((index + 1, note)),
        }
    }

    /// All parts have gone: the first one's ID stands for the message.
    pub(super) fn finish(&self, message: Uuid) -> Delivery {
        let mut state = self.state();
        let place = state.under_way.iter().position(|known| known.message == message);
        match place.and_then(|place| state.under_way.remove(place)) {
            Some(UnderWay { sent, is_unconfirmed, .. }) => {
                let external_id = sent.into_iter().next().flatten();
                Delivery::Sent { external_id, is_unconfirmed }
            }
            None => Delivery::Sent { external_id: None, is_unconfirmed: true },
        }
    }

    /// Takes a live message of the account that is the echo of a part; `None` if it is none. That of the first
    /// one stands for the message once its outcome is known. Returns the events for the core if it proves
    /// that a part in doubt was sent, because perhaps no later attempt will report it.
    pub(super) fn take_echo(&self, inbound: &Inbound) -> Option<Vec<AdapterEvent>> {
        if !inbound.own {
            return None;
        }
        let mut state = self.state();
        if state.is_part(inbound) {
            return Some(Vec::new());
        }
        if state.whole.has(inbound) {
            return None;
        }
        let is_nameless = state.take_nameless(inbound);
        let proven = if is_nameless { Vec::new() } else { state.take_echo_of_next(inbound)? };
        state.keep_part(inbound.conversation.clone(), inbound.external_id.clone());
        Some(proven)
    }

    /// Takes over what is known of other messages of the same account.
    pub(super) fn append(&self, other: &Self) {
        let State { under_way, parts, nameless, whole } = std::mem::take(&mut *other.state());
        let mut state = self.state();
        for one in under_way {
            state.keep_under_way(one);
        }
        for (conversation, id) in parts {
            state.keep_part(conversation, id);
        }
        for one in nameless {
            state.keep_nameless(one);
        }
        state.whole.append(whole);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn under_way(&mut self, message: Uuid) -> Option<&mut UnderWay> {
        self.under_way.iter_mut().find(|known| known.message == message)
    }

    /// Whether a message is a part that is known by its ID.
    fn is_part(&self, inbound: &Inbound) -> bool {
        let Inbound { conversation, external_id, .. } = inbound;
        self.parts.iter().any(|(place, id)| place == conversation && id == external_id)
    }

    /// Takes the echo of a part that goes next, and returns what it proves; `None` if it is none.
    fn take_echo_of_next(&mut self, inbound: &Inbound) -> Option<Vec<AdapterEvent>> {
        // A part whose attempt is under way is likelier than a message whose attempt has ended, and that is
        // likelier than a part in doubt, because it has nothing else to say.
        let is_open = |known: &UnderWay| matches!(known.next, NextPart::IsOpen(_));
        let awaits = |known: &UnderWay| known.awaits(inbound);
        let open = self.under_way.iter().position(|known| is_open(known) && awaits(known));
        let place = match open {
            Some(place) => place,
            None if self.whole.take_echo(inbound) => return None,
            None => self.under_way.iter().position(awaits)?,
        };
        Some(self.under_way[place].take_as_next(inbound))
    }

    fn keep_under_way(&mut self, under_way: UnderWay) {
        if self.under_way.len() == MAX_UNDER_WAY {
            self.under_way.pop_front();
        }
        self.under_way.push_back(under_way);
    }

    fn keep_nameless(&mut self, part: NamelessPart) {
        if self.nameless.len() == MAX_NAMELESS {
            self.nameless.pop_front();
        }
        self.nameless.push_back(part);
    }

    /// Whether a live message is the echo of a part that was taken without an ID; it has one.
    fn take_nameless(&mut self, inbound: &Inbound) -> bool {
        let now = now();
        let is_its = |part: &NamelessPart| {
            !inbound.from_history
                && now <= part.at.saturating_add(ECHO_LATE)
                && part.conversation == inbound.conversation
                && inbound.content.is_told_of(&part.content)
        };
        let place = self.nameless.iter().position(is_its);
        place.and_then(|place| self.nameless.remove(place)).is_some()
    }

    /// Forgets a message that was taken for the echo of a part: it is of the owner, or a whole one.
    fn is_no_part(&mut self, inbound: &Inbound) {
        self.whole.take_echo(inbound);
        let Inbound { conversation, external_id, .. } = inbound;
        self.parts.retain(|(place, id)| place != conversation || id != external_id);
    }

    fn keep_part(&mut self, conversation: String, id: String) {
        if self.parts.len() == MAX_PARTS {
            self.parts.pop_front();
        }
        self.parts.push_back((conversation, id));
    }
}

#[cfg(test)]
mod tests;
