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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::api::Outbound;

    fn accepted(id: &str) -> Delivery {
        Delivery::Sent { external_id: Some(id.into()), is_unconfirmed: false }
    }

    #[test]
    fn a_late_answer_proves_the_part_in_doubt_that_it_is_about() {
        let (progress, account) = (SendProgress::default(), Some("1".to_owned()));
        let message = Outbound {
            id: Uuid::from_u128(1),
            conversation: "group_1".into(),
            content: Content::text("a b"),
            reply_to: None,
            parts: Vec::new(),
            sent_as: None,
            may_be_sent_since: 0,
            changed_at: 0,
            original: None,
        };
        let late = |index, delivery| {
            progress.part_answered_late(message.id, index, delivery, account.clone())
        };
        let contents = ["a".into(), "b".into()];
        progress.begin(&message, &contents);
        progress.send(message.id);
        assert!(late(0, accepted("9")).is_empty(), "its attempt waits still");
        progress.part_unanswered(message.id);
        assert!(late(1, accepted("9")).is_empty());
        let refused = Delivery::Refused { reason: "no".into(), retryable: true };
        assert!(late(0, refused).is_empty());
        let proven = late(0, accepted("101"));
        assert!(matches!(&proven[..], [AdapterEvent::PartSent { index: 0, .. }]), "{proven:?}");
        assert!(progress.is_rest_unsent(&message) && late(0, accepted("101")).is_empty());
        progress.begin(&message, &contents);
        progress.send(message.id);
        progress.part_unanswered(message.id);
        let proven = late(1, accepted("102"));
        let [
            AdapterEvent::PartSent { index: 1, .. },
            AdapterEvent::ConfirmedLate { external_id, .. },
        ] = &proven[..]
        else {
            panic!("{proven:?}")
        };
        assert_eq!(external_id.as_deref(), Some("101"), "the first one stands for the message");
    }
}
