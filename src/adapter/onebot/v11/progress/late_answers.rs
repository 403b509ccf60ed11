//! Answers to attempts to send a part that come after their time limit.

use super::nameless::NamelessPart;
use super::under_way::{LateAnswer, NextPart};
use super::{SendProgress, State};
use crate::adapter::api::{AdapterEvent, Delivery};
use crate::clock::now;
use uuid::Uuid;

impl SendProgress {
    /// An attempt to send the part at `index` has its answer now. Returns the events for the core if it proves that
    /// this part was sent, and that was in doubt. During a later attempt, the end of that one uses it.
    pub(in super::super) fn part_answered_late(
        &self,
        message: Uuid,
        index: usize,
        delivery: Delivery,
        account: Option<String>,
    ) -> Vec<AdapterEvent> {
        let Delivery::Sent { external_id, is_unconfirmed } = delivery else { return Vec::new() };
        let mut state = self.state();
        let Some(place) = state.under_way.iter().position(|known| {
            known.message == message && known.sent.len() == index && known.is_doubted()
        }) else {
            return Vec::new();
        };
        let known = &mut state.under_way[place];
        known.is_unconfirmed |= is_unconfirmed;
        let Some(part) = known.next_nameless() else { return Vec::new() };
        if matches!(known.next, NextPart::InDoubt(_)) {
            let proven = state.prove(place, external_id.clone(), account);
            state.keep_sent(part, external_id);
            return proven;
        }
        known.late = Some(LateAnswer { external_id: external_id.clone() });
        match external_id {
            Some(id) => state.parts.keep(part.conversation, id, now()),
            None => state.nameless.keep(part),
        }
        Vec::new()
    }
}

impl State {
    /// Remembers a part that was sent, so that its echo is none of the owner's messages.
    pub(super) fn keep_sent(&mut self, part: NamelessPart, external_id: Option<String>) {
        match external_id {
            // The first one stands for the message.
            Some(id) if part.index == 0 => self.whole.keep(part.conversation, id),
            Some(id) => self.parts.keep(part.conversation, id, now()),
            None => self.nameless.keep(part),
        }
    }
}
