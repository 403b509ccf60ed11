//! Messages that are sent in several parts: remembers the sent parts, so that a new attempt sends only
//! the rest, and the echo of a part is not stored as a new message.

use crate::adapter::api::{Delivery, Outbound};
use crate::model::change::Inbound;
use crate::model::content::Content;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Messages remembered whose parts have not all gone; beyond that the oldest are sent anew.
const MAX_UNDER_WAY: usize = 256;
/// Parts remembered by their IDs.
const MAX_PARTS: usize = 4096;
/// Messages that go out as several, as far as they have.
#[derive(Debug, Default)]
pub(super) struct SendProgress {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: VecDeque<UnderWay>,
    /// Conversation and ID of each part but the first, which stands for the message.
    parts: VecDeque<(String, String)>,
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
    /// It was sent, and its outcome is not known.
    IsOpen,
    /// Its echo came before its outcome was known, with this ID.
    Echoed(String),
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
        if let NextPart::Echoed(id) = std::mem::take(&mut known.next) {
            known.sent.push(Some(id));
        }
        let gone = known.sent.len();
        state.under_way.push_back(known);
        gone
    }

    /// The next part is sent: its echo may come before its outcome is known.
    pub(super) fn send(&self, message: Uuid) {
        self.set_next(message, NextPart::IsOpen);
    }

    /// The next part was refused: it has no echo.
    pub(super) fn refused(&self, message: Uuid) {
        self.set_next(message, NextPart::Waits);
    }

    fn set_next(&self, message: Uuid, next: NextPart) {
        let mut state = self.state();
        let known = state.under_way.iter_mut().find(|known| known.message == message);
        if let Some(known) = known {
            known.next = next;
        }
    }

    /// The ID of the next part, if its echo has come: that proves that it has gone.
    pub(super) fn echoed(&self, message: Uuid) -> Option<String> {
        let state = self.state();
        let known = state.under_way.iter().find(|known| known.message == message)?;
        if let NextPart::Echoed(id) = &known.next { Some(id.clone()) } else { None }
    }

    /// The next part has gone.
    pub(super) fn note(&self, message: Uuid, external_id: Option<String>, is_unconfirmed: bool) {
        let mut state = self.state();
        let Some(known) = state.under_way.iter_mut().find(|known| known.message == message) else {
            return;
        };
        known.is_unconfirmed |= is_unconfirmed;
        known.next = NextPart::Waits;
        let part = (known.conversation.clone(), external_id.clone());
        let is_first = known.sent.is_empty();
        known.sent.push(external_id);
        if let (conversation, Some(id)) = part
            && !is_first
        {
            state.keep_part(conversation, id);
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

    /// Whether a message of the account is the echo of a part other than the first.
    pub(super) fn is_part(&self, inbound: &Inbound) -> bool {
        if !inbound.own {
            return false;
        }
        let mut state = self.state();
        let Inbound { conversation, external_id, content, .. } = inbound;
        if state.parts.iter().any(|(place, id)| place == conversation && id == external_id) {
            return true;
        }
        // Its echo may come before the answer that tells its ID. There is one echo; another message that
        // says the same is the owner's.
        let is_next = |known: &&mut UnderWay| {
            let next = known.contents.get(known.sent.len()).filter(|_| !known.sent.is_empty());
            matches!(known.next, NextPart::IsOpen)
                && known.conversation == *conversation
                && next.is_some_and(|next| content.is_told_of(next))
        };
        let Some(known) = state.under_way.iter_mut().find(is_next) else { return false };
        known.next = NextPart::Echoed(external_id.clone());
        state.keep_part(conversation.clone(), external_id.clone());
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn keep_part(&mut self, conversation: String, id: String) {
        if self.parts.len() == MAX_PARTS {
            self.parts.pop_front();
        }
        self.parts.push_back((conversation, id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::change::AlikeEntries;
    use crate::model::message::Sender;

    fn echo(id: &str, content: &str) -> Inbound {
        Inbound {
            platform: "qq".into(),
            account: "1".into(),
            conversation: "group_1".into(),
            conversation_name: None,
            sender: Sender::default(),
            content: content.into(),
            reply_to: None,
            external_id: id.into(),
            time: 1,
            own: true,
            from_history: false,
            alike: AlikeEntries::default(),
            clock_ahead: None,
            original: None,
            fingerprint: None,
        }
    }

    fn message(parts: &[&str]) -> Outbound {
        Outbound {
            id: Uuid::from_u128(1),
            conversation: "group_1".into(),
            content: Content::text("a b"),
            reply_to: None,
            parts: parts.iter().map(|&id| id.into()).collect(),
            created_at: 0,
            original: None,
        }
    }

    fn sent(id: &str, is_unconfirmed: bool) -> Delivery {
        Delivery::Sent { external_id: Some(id.into()), is_unconfirmed }
    }

    #[test]
    fn a_new_attempt_goes_on_where_the_last_one_ended() {
        let (progress, message) = (SendProgress::default(), message(&[]));
        let begin = || progress.begin(&message, &["a".into(), "b".into()]);
        assert_eq!(begin(), 0);
        progress.note(message.id, Some("101".into()), true);
        assert_eq!(begin(), 1);
        progress.note(message.id, Some("102".into()), false);
        let whole = progress.finish(message.id);
        assert_eq!(whole, sent("101", true), "the first part was taken without a proof");
        assert_eq!(begin(), 0, "it is forgotten once it has gone");
    }

    #[test]
    fn what_says_something_else_begins_anew() {
        let (progress, message) = (SendProgress::default(), message(&[]));
        progress.begin(&message, &["a".into(), "b".into()]);
        progress.note(message.id, Some("101".into()), false);
        assert_eq!(progress.begin(&message, &["c".into(), "b".into()]), 0);
        progress.note(message.id, Some("103".into()), false);
        progress.note(message.id, Some("104".into()), false);
        assert_eq!(progress.finish(message.id), sent("103", false));
    }

    #[test]
    fn what_was_sent_before_a_restart_is_not_sent_again() {
        let (progress, message) = (SendProgress::default(), message(&["101"]));
        assert_eq!(progress.begin(&message, &["a".into(), "b".into()]), 1);
        progress.send(message.id);
        assert!(progress.is_part(&echo("102", "b")), "before its answer");
        progress.note(message.id, Some("102".into()), false);
        assert_eq!(progress.finish(message.id), sent("101", false));
    }

    #[test]
    fn what_the_owner_says_while_a_part_waits_is_no_part() {
        let (progress, message) = (SendProgress::default(), message(&["101"]));
        progress.begin(&message, &["a".into(), "b".into()]);
        assert!(!progress.is_part(&echo("900", "b")), "it was not sent yet");
        progress.send(message.id);
        progress.refused(message.id);
        assert!(!progress.is_part(&echo("901", "b")), "it was refused");
        progress.send(message.id);
        assert!(progress.is_part(&echo("102", "b")));
        assert!(!progress.is_part(&echo("902", "b")), "it has one echo");
    }

    #[test]
    fn a_part_whose_echo_came_instead_of_its_answer_is_not_sent_again() {
        let (progress, message) = (SendProgress::default(), message(&["101"]));
        let begin = || progress.begin(&message, &["a".into(), "b".into(), "c".into()]);
        assert_eq!(begin(), 1);
        progress.send(message.id);
        assert_eq!(progress.echoed(message.id), None);
        assert!(progress.is_part(&echo("102", "b")));
        assert_eq!(progress.echoed(message.id).as_deref(), Some("102"));
        assert_eq!(begin(), 2, "also in a later attempt");
    }

    #[test]
    fn the_echo_of_a_later_part_is_known() {
        let (progress, message) = (SendProgress::default(), message(&[]));
        progress.begin(&message, &["a".into(), "b".into()]);
        assert!(!progress.is_part(&echo("101", "a")), "the first part stands for the message");
        progress.note(message.id, Some("101".into()), false);
        assert!(!progress.is_part(&echo("100", "another")));
        progress.send(message.id);
        assert!(progress.is_part(&echo("102", "b")), "before its answer");
        progress.note(message.id, Some("102".into()), false);
        progress.finish(message.id);
        assert!(progress.is_part(&echo("102", "b")), "and after");
        assert!(!progress.is_part(&echo("103", "b")));
        assert!(!progress.is_part(&Inbound { own: false, ..echo("102", "b") }));
    }
}
