//! Answers to attempts to send a part that come after their time limit.

use super::under_way::NextPart;
use super::{NamelessPart, SendProgress, State};
use crate::adapter::api::{AdapterEvent, Delivery};
use crate::clock::now;
use crate::model::content::Content;
use uuid::Uuid;

impl SendProgress {
    /// An attempt to send the part at `index` has its answer now. Returns the events for the core if it proves that
    /// this part was sent, and that was in doubt.
    pub(in super::super) fn part_answered_late(
        &self,
        message: Uuid,
        index: usize,
        delivery: Delivery,
        account: Option<String>,
    ) -> Vec<AdapterEvent> {
        let Delivery::Sent { external_id, is_unconfirmed } = delivery else { return Vec::new() };
        let mut state = self.state();
        let Some(known) = state.under_way(message) else { return Vec::new() };
        if known.sent.len() != index || !matches!(known.next, NextPart::InDoubt(_)) {
            return Vec::new();
        }
        known.is_unconfirmed |= is_unconfirmed;
        let (conversation, content) = (known.conversation.clone(), known.contents[index].clone());
        let proven = known.prove(external_id.clone(), account);
        state.keep_sent(conversation, index, external_id, content);
        proven
    }
}

impl State {
    /// Remembers a part that was sent, so that its echo is none of the owner's messages.
    pub(super) fn keep_sent(
        &mut self,
        conversation: String,
        index: usize,
        external_id: Option<String>,
        content: Content,
    ) {
        match external_id {
            // The first one stands for the message.
            Some(id) if index == 0 => self.whole.keep(conversation, id),
            Some(id) => self.parts.keep(conversation, id, now()),
            None => self.keep_nameless(NamelessPart { conversation, content, at: now() }),
        }
    }
}
