//! Messages that go out as several: what of them has gone, so that a new attempt sends the rest
//! alone, and the echo of a later part is not taken for a message of its own.

use crate::model::change::Inbound;
use crate::model::content::Content;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Messages remembered whose parts have not all gone; beyond that the oldest are sent anew.
const MAX_UNDER_WAY: usize = 256;
/// Parts remembered by their IDs.
const MAX_PARTS: usize = 4096;
/// Messages of several parts that are remembered, so that all of one can be taken back.
const MAX_WHOLES: usize = 1024;

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
    /// Conversation and IDs of the parts of each message that has gone, the first one's first.
    wholes: VecDeque<(String, Vec<String>)>,
}

#[derive(Debug)]
struct UnderWay {
    message: Uuid,
    conversation: String,
    contents: Vec<Content>,
    /// The IDs of the parts that have gone.
    sent: Vec<Option<String>>,
}

impl SendProgress {
    /// An attempt begins; returns how many parts have gone in earlier ones.
    pub(super) fn begin(
        &self,
        message: Uuid,
        conversation: &str,
        contents: impl Iterator<Item = Content>,
    ) -> usize {
        let mut state = self.state();
        if let Some(known) = state.under_way.iter().find(|known| known.message == message) {
            return known.sent.len();
        }
        if state.under_way.len() == MAX_UNDER_WAY {
            state.under_way.pop_front();
        }
        let (contents, sent) = (contents.collect(), Vec::new());
        let conversation = conversation.to_owned();
        state.under_way.push_back(UnderWay { message, conversation, contents, sent });
        0
    }

    /// The next part has gone.
    pub(super) fn note(&self, message: Uuid, external_id: Option<String>) {
        let mut state = self.state();
        let Some(known) = state.under_way.iter_mut().find(|known| known.message == message) else {
            return;
        };
        let part = (known.conversation.clone(), external_id.clone());
        let is_first = known.sent.is_empty();
        known.sent.push(external_id);
        if let (conversation, Some(id)) = part
            && !is_first
        {
            state.keep_part(conversation, id);
        }
    }

    /// All parts have gone; returns the ID of the first.
    pub(super) fn finish(&self, message: Uuid) -> Option<String> {
        let mut state = self.state();
        let place = state.under_way.iter().position(|known| known.message == message)?;
        let UnderWay { conversation, sent, .. } = state.under_way.remove(place)?;
        let first = sent.first().cloned()?;
        if state.wholes.len() == MAX_WHOLES {
            state.wholes.pop_front();
        }
        state.wholes.push_back((conversation, sent.into_iter().flatten().collect()));
        first
    }

    /// The IDs of all parts of a message, by that of the first; others have one.
    pub(super) fn parts_of(&self, conversation: &str, external_id: &str) -> Vec<String> {
        let state = self.state();
        let is_it = |(place, ids): &&(String, Vec<String>)| {
            place == conversation && ids.first().is_some_and(|first| first == external_id)
        };
        let whole = state.wholes.iter().rev().find(is_it);
        whole.map_or_else(|| vec![external_id.to_owned()], |(_, ids)| ids.clone())
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
        // Its echo may come before the answer that tells its ID.
        let is_next = |known: &UnderWay| {
            let next = known.contents.get(known.sent.len()).filter(|_| !known.sent.is_empty());
            known.conversation == *conversation && next.is_some_and(|next| content.is_told_of(next))
        };
        let is_part = state.under_way.iter().any(is_next);
        if is_part {
            state.keep_part(conversation.clone(), external_id.clone());
        }
        is_part
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
            original: None,
            fingerprint: None,
        }
    }

    #[test]
    fn a_new_attempt_goes_on_where_the_last_one_ended() {
        let (progress, message) = (SendProgress::default(), Uuid::from_u128(1));
        let begin = || progress.begin(message, "group_1", ["a".into(), "b".into()].into_iter());
        assert_eq!(begin(), 0);
        progress.note(message, Some("101".into()));
        assert_eq!(begin(), 1);
        progress.note(message, Some("102".into()));
        assert_eq!(progress.finish(message).as_deref(), Some("101"));
        assert_eq!(progress.parts_of("group_1", "101"), ["101", "102"]);
        assert_eq!(progress.parts_of("group_2", "101"), ["101"]);
        assert_eq!(begin(), 0, "it is forgotten once it has gone");
    }

    #[test]
    fn the_echo_of_a_later_part_is_known() {
        let (progress, message) = (SendProgress::default(), Uuid::from_u128(1));
        progress.begin(message, "group_1", ["a".into(), "b".into()].into_iter());
        assert!(!progress.is_part(&echo("101", "a")), "the first part stands for the message");
        progress.note(message, Some("101".into()));
        assert!(!progress.is_part(&echo("100", "another")));
        assert!(progress.is_part(&echo("102", "b")), "before its answer");
        progress.note(message, Some("102".into()));
        progress.finish(message);
        assert!(progress.is_part(&echo("102", "b")), "and after");
        assert!(!progress.is_part(&echo("103", "b")));
        assert!(!progress.is_part(&Inbound { own: false, ..echo("102", "b") }));
    }
}
