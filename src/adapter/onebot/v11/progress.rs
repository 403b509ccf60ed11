//! Messages that are sent in several parts: remembers the sent parts, so that a new attempt sends only
//! the rest, and the echo of a part is not stored as a new message.

mod in_history;
mod late_answers;
mod live_echoes;
mod nameless;
mod newest;
mod sent_ids;
mod under_way;
mod whole_messages;

use crate::adapter::api::{Delivery, Outbound, PartNoted};
use crate::clock::now;
use crate::model::content::Content;
use crate::model::inbound::Inbound;
use nameless::NamelessParts;
use newest::keep_newest;
use sent_ids::SentIds;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use under_way::UnderWay;
use uuid::Uuid;
use whole_messages::WholeMessages;

/// How many partly sent messages are remembered. The oldest is forgotten, and all its parts may be sent again.
const MAX_UNDER_WAY: usize = 256;

/// Messages that are sent in parts, and the parts sent so far.
#[derive(Debug, Default)]
pub(super) struct SendProgress {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: VecDeque<UnderWay>,
    /// Each part but the first, which stands for the message, and each echo.
    parts: SentIds,
    nameless: NamelessParts,
    whole: WholeMessages,
    /// The messages of the last attempts.
    begun: VecDeque<Uuid>,
}

/// A message that the account's owner wrote, and that was taken for the echo of a part.
pub(super) type OwnersMessage = Box<Inbound>;

/// A part that was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RefusedPart {
    /// No attempt is known to have sent it. A message that was taken for its echo is none.
    NotSent(Option<OwnersMessage>),
    /// An earlier attempt, whose outcome was unknown, sent it: its echo or its late answer has come.
    SentEarlier(Delivery),
}

/// A part that was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SentPart {
    /// The platform's own ID of it, from the answer or else from the echo.
    pub(super) external_id: Option<String>,
    /// Taken for its echo, which the ID of the answer shows to be wrong.
    pub(super) owners_message: Option<OwnersMessage>,
}

impl SendProgress {
    /// An attempt begins. Returns how many parts were sent by earlier ones.
    /// `message.parts` lists those that the core knows; it has forgotten all if the message is sent anew.
    pub(super) fn begin(&self, message: &Outbound, contents: &[Content]) -> usize {
        let mut state = self.state();
        state.note_begun(message.id);
        let is_it = |earlier: &UnderWay| earlier.message == message.id;
        let earlier = state.under_way.iter().position(is_it);
        let earlier = earlier.and_then(|place| state.under_way.remove(place));
        let earlier = earlier.and_then(|earlier| earlier.go_on_with(message, contents));
        let mut under_way = earlier.unwrap_or_else(|| UnderWay::as_listed_in(message, contents));
        // The task of an earlier attempt ended before it used the echo or the late answer.
        let proven = under_way.proven();
        under_way.take_echo();
        if let Some(Delivery::Sent { external_id, .. }) = proven {
            under_way.next_is_sent(external_id);
        }
        let gone = under_way.sent.len();
        state.keep_under_way(under_way);
        gone
    }

    /// An attempt to send a message as a whole begins.
    pub(super) fn begin_whole(&self, message: &Outbound, content: &Content) {
        let mut state = self.state();
        state.note_begun(message.id);
        state.whole.begin(message, content);
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

    /// The next part was refused, so this attempt has no echo.
    pub(super) fn part_refused(&self, message: Uuid) -> RefusedPart {
        let mut state = self.state();
        let Some(known) = state.under_way(message) else { return RefusedPart::NotSent(None) };
        if let Some(proven) = known.proven().filter(|_| known.is_doubted()) {
            return RefusedPart::SentEarlier(proven);
        }
        let owners_message = known.take_echo();
        if let Some(owners_message) = &owners_message {
            state.is_no_part(owners_message);
        }
        RefusedPart::NotSent(owners_message)
    }

    /// The next part got no answer. Returns its outcome if its echo or the late answer to an earlier attempt has
    /// come; otherwise it is in doubt until its echo comes or the next attempt sends it again.
    pub(super) fn part_unanswered(&self, message: Uuid) -> Option<Delivery> {
        let mut state = self.state();
        let known = state.under_way(message)?;
        known.end_in_doubt();
        known.proven()
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
        let (part, late) = (known.next_nameless(), known.late.take());
        let echo = known.take_echo();
        let late_id = late.and_then(|late| late.external_id);
        let id_of_echo = echo.as_ref().map(|echo| echo.external_id.clone());
        let external_id = external_id.or_else(|| id_of_echo.clone()).or_else(|| late_id.clone());
        known.next_is_sent(external_id.clone());
        let owners_message = echo.filter(|_| id_of_echo != external_id && id_of_echo != late_id);
        if let Some(part) = part {
            state.keep_sent(part, external_id.clone());
        }
        if let Some(owners_message) = &owners_message {
            state.is_no_part(owners_message);
        }
        SentPart { external_id, owners_message }
    }

    /// The content of the part of a message that goes next.
    pub(super) fn next_part(&self, message: Uuid) -> Option<Content> {
        let mut state = self.state();
        let known = state.under_way(message)?;
        known.contents.get(known.sent.len()).cloned()
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

    /// Takes over what is known of other messages of the same account.
    pub(super) fn append(&self, other: &Self) {
        let State { under_way, parts, nameless, whole, begun } =
            std::mem::take(&mut *other.state());
        let mut state = self.state();
        for message in begun {
            state.note_begun(message);
        }
        for one in under_way {
            state.keep_under_way(one);
        }
        state.parts.append(parts);
        state.nameless.append(nameless);
        state.whole.append(whole);
    }

    /// About how many bytes of memory the contents take.
    pub(super) fn bytes(&self) -> usize {
        let State { under_way, nameless, whole, .. } = &*self.state();
        let under_way: usize = under_way.iter().map(UnderWay::bytes).sum();
        under_way + nameless.bytes() + whole.bytes()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn under_way(&mut self, message: Uuid) -> Option<&mut UnderWay> {
        self.under_way.iter_mut().find(|known| known.message == message)
    }

    /// An attempt of this process begins.
    fn note_begun(&mut self, message: Uuid) {
        if self.begun.len() == MAX_UNDER_WAY {
            self.begun.pop_front();
        }
        self.begun.push_back(message);
    }

    /// Whether a message is a part that is known by its ID.
    fn is_part(&self, inbound: &Inbound) -> bool {
        self.parts.has(inbound, now())
    }

    fn keep_under_way(&mut self, under_way: UnderWay) {
        self.under_way.push_back(under_way);
        keep_newest(&mut self.under_way, MAX_UNDER_WAY, UnderWay::bytes);
    }

    /// Forgets a message that was taken for the echo of a part: it is of the owner, or a whole one.
    fn is_no_part(&mut self, inbound: &Inbound) {
        self.whole.take_echo(inbound);
        self.parts.forget(inbound);
    }

    /// Remembers the echo of a part, a live message or an entry of a history.
    fn keep_part(&mut self, echo: &Inbound) {
        let (conversation, id) = (echo.conversation.clone(), echo.external_id.clone());
        let written = || echo.written().unwrap_or(echo.time);
        self.parts.keep(conversation, id, if echo.from_history { written() } else { now() });
    }
}

#[cfg(test)]
mod tests;
