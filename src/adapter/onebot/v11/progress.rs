//! Messages that are sent in several parts: remembers the sent parts, so that a new attempt sends only
//! the rest, and the echo of a part is not stored as a new message.

use crate::adapter::api::{Delivery, Outbound};
use crate::clock::now;
use crate::model::content::Content;
use crate::model::inbound::{ECHO_LATE, Inbound};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Messages remembered whose parts have not all gone; beyond that the oldest are sent anew.
const MAX_UNDER_WAY: usize = 256;
/// Parts remembered by their IDs.
const MAX_PARTS: usize = 4096;
/// Parts remembered that were taken without an ID.
const MAX_NAMELESS: usize = 256;

/// Messages that go out as several, as far as they have.
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
}

#[derive(Debug)]
struct NamelessPart {
    conversation: String,
    content: Content,
    /// When it was taken, in Unix seconds.
    at: u64,
}

#[derive(Debug)]
struct UnderWay {
    message: Uuid,
    conversation: String,
    contents: Vec<Content>,
    /// The IDs of the parts that have gone.
    sent: Vec<Option<String>>,
    /// The platform took one of them without a proof.
    is_unconfirmed: bool,
    next: NextPart,
}

/// The part that goes next.
#[derive(Debug, Default)]
enum NextPart {
    /// It was not sent: an own message that says the same is another one.
    #[default]
    Waits,
    /// It was sent at this time, in Unix seconds, and its outcome is not known.
    IsOpen(u64),
    /// An own message that says the same came before its outcome was known.
    Echoed(Box<Inbound>),
}

impl SendProgress {
    /// An attempt begins; returns how many parts have gone in earlier ones: none of a message whose
    /// parts say something else now. What the core knows of is in the message.
    pub(super) fn begin(&self, message: &Outbound, contents: &[Content]) -> usize {
        let Outbound { id, conversation, parts, .. } = message;
        let mut state = self.state();
        let place = state.under_way.iter().position(|known| known.message == *id);
        let known = place.and_then(|place| state.under_way.remove(place));
        if state.under_way.len() == MAX_UNDER_WAY {
            state.under_way.pop_front();
        }
        let new = |sent| UnderWay {
            message: *id,
            conversation: conversation.clone(),
            contents: contents.to_vec(),
            sent,
            is_unconfirmed: false,
            next: NextPart::Waits,
        };
        let told = || parts.iter().map(|id| Some(id.clone()).filter(|id| !id.is_empty())).collect();
        let mut known = match known {
            Some(known) if known.contents != contents => new(Vec::new()),
            Some(known) if known.sent.len() >= parts.len() => known,
            _ => new(told()),
        };
        // Its echo came after the attempt was given up.
        if let NextPart::Echoed(echo) = std::mem::take(&mut known.next) {
            known.sent.push(Some(echo.external_id));
        }
        let gone = known.sent.len();
        state.under_way.push_back(known);
        gone
    }

    /// The next part is sent: its echo may come before its outcome is known.
    pub(super) fn send(&self, message: Uuid) {
        if let Some(known) = self.state().under_way(message) {
            known.next = NextPart::IsOpen(now());
        }
    }

    /// The next part was refused: it has no echo. Returns the owner's message that was taken for one.
    pub(super) fn refused(&self, message: Uuid) -> Option<Box<Inbound>> {
        let mut state = self.state();
        let echo = state.under_way(message)?.take_echo()?;
        state.is_no_part(&echo);
        Some(echo)
    }

    /// The ID of the next part, if its echo has come: that proves that it has gone.
    pub(super) fn echoed(&self, message: Uuid) -> Option<String> {
        match &self.state().under_way(message)?.next {
            NextPart::Echoed(echo) => Some(echo.external_id.clone()),
            NextPart::Waits | NextPart::IsOpen(_) => None,
        }
    }

    /// The next part has gone. Returns the owner's message that was taken for its echo, if the ID shows
    /// that it was none.
    pub(super) fn note(
        &self,
        message: Uuid,
        external_id: Option<String>,
        is_unconfirmed: bool,
    ) -> Option<Box<Inbound>> {
        let mut state = self.state();
        let known = state.under_way(message)?;
        known.is_unconfirmed |= is_unconfirmed;
        let echo = known.take_echo();
        let id_of_echo = echo.as_ref().map(|echo| echo.external_id.clone());
        let is_first = known.sent.is_empty();
        let content = known.contents.get(known.sent.len()).cloned();
        let conversation = known.conversation.clone();
        let id = external_id.or_else(|| id_of_echo.clone());
        known.sent.push(id.clone());
        match (&id, content) {
            (Some(id), _) if !is_first => state.keep_part(conversation, id.clone()),
            (None, Some(content)) => state.keep_nameless(conversation, content),
            _ => {}
        }
        let echo = echo.filter(|_| id != id_of_echo)?;
        state.is_no_part(&echo);
        Some(echo)
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

    /// Whether a message of the account is the echo of a part. That of the first one stands for the message
    /// once its outcome is known.
    pub(super) fn is_part(&self, inbound: &Inbound) -> bool {
        if !inbound.own {
            return false;
        }
        let mut state = self.state();
        let Inbound { conversation, external_id, content, .. } = inbound;
        if state.parts.iter().any(|(place, id)| place == conversation && id == external_id) {
            return true;
        }
        let is_nameless = state.take_nameless(inbound);
        // Its echo may come before the answer that tells its ID. There is one echo; another message that
        // says the same is the owner's.
        let is_next = |known: &&mut UnderWay| {
            let next = known.contents.get(known.sent.len());
            // A history has what the owner said long ago, and the message may begin like that.
            let may_be_told = !inbound.from_history || !known.sent.is_empty();
            matches!(known.next, NextPart::IsOpen(at) if now() <= at.saturating_add(ECHO_LATE))
                && known.conversation == *conversation
                && may_be_told
                && next.is_some_and(|next| content.is_told_of(next))
        };
        if !is_nameless {
            let Some(known) = state.under_way.iter_mut().find(is_next) else { return false };
            known.next = NextPart::Echoed(Box::new(inbound.clone()));
        }
        state.keep_part(conversation.clone(), external_id.clone());
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// The echo of the next part, which waits from now on.
    fn take_echo(&mut self) -> Option<Box<Inbound>> {
        match std::mem::take(&mut self.next) {
            NextPart::Echoed(echo) => Some(echo),
            NextPart::Waits | NextPart::IsOpen(_) => None,
        }
    }
}

impl State {
    fn under_way(&mut self, message: Uuid) -> Option<&mut UnderWay> {
        self.under_way.iter_mut().find(|known| known.message == message)
    }

    fn keep_nameless(&mut self, conversation: String, content: Content) {
        if self.nameless.len() == MAX_NAMELESS {
            self.nameless.pop_front();
        }
        self.nameless.push_back(NamelessPart { conversation, content, at: now() });
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

    /// Forgets a message that was taken for the echo of a part: it is of the owner.
    fn is_no_part(&mut self, inbound: &Inbound) {
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
