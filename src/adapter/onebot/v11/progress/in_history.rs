//! Parts in a history. It also has old messages of the owner, so what an entry says proves nothing alone.

use super::under_way::{Attempts, NextPart};
use super::{SendProgress, State, UnderWay};
use crate::adapter::api::{AdapterEvent, Outbound, PartNoted};
use crate::model::content::Content;
use crate::model::inbound::{CLOCKS_APART, ECHO_LATE, Inbound};
use tokio::sync::oneshot;

impl SendProgress {
    /// An attempt may have sent the next part of a message. Of an attempt before a restart only those parts
    /// are known that the core lists.
    pub(in super::super) fn doubt(&self, message: &Outbound, contents: &[Content]) {
        let mut state = self.state();
        let is_it = |known: &UnderWay| known.message == message.id;
        let known = state.under_way.iter().position(is_it);
        let known = known.and_then(|place| state.under_way.remove(place));
        let known = known.filter(|known| known.is_attempt_of(message, contents));
        state.keep_under_way(known.unwrap_or_else(|| UnderWay::in_doubt(message, contents)));
    }

    /// An earlier process may have sent a message, or the next part of it. An attempt of this process that ended
    /// since the core was asked knows better.
    pub(in super::super) fn restore_doubt(&self, message: &Outbound, contents: &[Content]) {
        let mut state = self.state();
        if state.begun.contains(&message.id) {
            return;
        }
        match contents {
            [] => {}
            [content] => state.whole.doubt(message, content),
            _ if state.under_way(message.id).is_some() => {}
            _ => state.keep_under_way(UnderWay::in_doubt(message, contents)),
        }
    }

    /// Whether the part that was in doubt is known to be sent, and no later one was tried.
    pub(in super::super) fn is_rest_unsent(&self, message: &Outbound) -> bool {
        let mut state = self.state();
        let known = state.under_way(message.id);
        known.is_some_and(|known| known.doubted.is_some_and(|doubted| doubted < known.sent.len()))
    }

    /// The answer of the core to the note of the last part, if it is still to come, and the index of the part.
    pub(in super::super) fn take_note(
        &self,
        message: &Outbound,
    ) -> Option<(usize, oneshot::Receiver<PartNoted>)> {
        let mut state = self.state();
        let (count, note) = state.under_way(message.id)?.next_note.take()?;
        Some((count - 1, note))
    }

    /// Whether an entry of a history, the oldest first, may be a part whose outcome is unknown.
    pub(in super::super) fn may_have_part(&self, history: &[Inbound]) -> bool {
        let state = self.state();
        (0..history.len()).any(|index| state.next_in(history, index).is_some())
    }

    /// Takes the parts out of a history, the oldest first. `is_new` tells whether an entry is no message that
    /// was known before. Returns the events for the core about parts that were in doubt.
    pub(in super::super) fn take_from(
        &self,
        history: &mut Vec<Inbound>,
        is_new: impl Fn(&Inbound) -> bool,
    ) -> Vec<AdapterEvent> {
        let mut state = self.state();
        let (mut proven, mut is_part) = (Vec::new(), vec![false; history.len()]);
        for index in 0..history.len() {
            let entry = &history[index];
            let is_its = |place: &usize| {
                is_new(entry) || state.under_way[*place].has_id_of_other_part(entry)
            };
            if let Some(place) = state.next_in(history, index).filter(is_its) {
                proven.extend(state.take_as_next(place, entry));
                state.keep_part(entry);
                is_part[index] = true;
            } else {
                is_part[index] = state.is_part(entry);
            }
        }
        let mut is_part = is_part.into_iter();
        history.retain(|_| is_part.next() != Some(true));
        proven
    }
}

impl State {
    /// The place of the message whose next part an entry of a history may be.
    fn next_in(&self, history: &[Inbound], index: usize) -> Option<usize> {
        let entry = &history[index];
        if !entry.own || self.whole.awaits(entry) {
            return None;
        }
        let is_known = self.is_part(entry) || self.whole.has(entry);
        self.under_way.iter().position(|known| {
            known.may_be_next(history, index) && (!is_known || known.has_id_of_other_part(entry))
        })
    }
}

impl UnderWay {
    /// A message whose next part an attempt of an earlier process may have sent.
    fn in_doubt(message: &Outbound, contents: &[Content]) -> Self {
        let mut doubtful = Self::as_listed_in(message, contents);
        let began = message.may_be_sent_since;
        let last = message.changed_at.max(began);
        doubtful.next = NextPart::InDoubt(Attempts { began, last, last_ended: last });
        doubtful.doubted = Some(doubtful.sent.len());
        doubtful
    }

    /// Whether an entry of a history may be the next part: it stands behind the part before it. The first
    /// part is known by its time, if the clock of the history is known.
    fn may_be_next(&self, history: &[Inbound], index: usize) -> bool {
        let Some(attempts) = self.attempts() else { return false };
        let entry = &history[index];
        let has_its_time = entry.written().is_some_and(|written| {
            (attempts.began.saturating_sub(CLOCKS_APART)..=attempts.last.saturating_add(ECHO_LATE))
                .contains(&written)
        });
        let is_in_order = || match self.sent.last() {
            None => has_its_time,
            Some(None) => false,
            Some(Some(id)) => history[..index].iter().any(|before| {
                let is_soon = entry.time <= before.time.saturating_add(ECHO_LATE);
                before.own && before.external_id == *id && (has_its_time || is_soon)
            }),
        };
        self.conversation == entry.conversation && self.is_next(entry) && is_in_order()
    }
}
