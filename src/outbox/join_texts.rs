//! Joining of waiting texts for one conversation, if the platform limits the number of messages and
//! the account is configured so.

use crate::adapter::Delivery;
use crate::model::content::Content;
use crate::model::message::Message;

/// Number of messages that are sent as one, from the first on: at least one.
pub(super) fn length(waiting: &[Message], most: usize) -> usize {
    let [first, rest @ ..] = waiting else { return 0 };
    if !is_joinable(first) {
        return 1;
    }
    let mut characters = text_of(first).chars().count();
    let fitting = rest.iter().take_while(|message| {
        // The line break between them counts, too.
        characters += 1 + text_of(message).chars().count();
        is_joinable(message)
            && message.retry_count == first.retry_count
            && message.via == first.via
            && characters <= most
    });
    1 + fitting.count()
}

/// Whether it is a plain text that quotes nothing and has no attempt with an unknown outcome.
fn is_joinable(message: &Message) -> bool {
    message.content.segments().is_none() && message.reply_to.is_none() && !message.may_be_sent()
}

fn text_of(message: &Message) -> std::borrow::Cow<'_, str> {
    message.content.readable()
}

/// The content of several messages, joined by line breaks.
pub(super) fn content(messages: &[Message]) -> Content {
    let texts: Vec<_> = messages.iter().map(text_of).collect();
    Content::text(texts.join("\n"))
}

/// The outcome for one of the messages: the platform's ID is the first one's. A permanent refusal
/// counts only for the first message, which may be the reason; the others are sent without it.
pub(super) fn delivery_of(delivery: &Delivery, is_first: bool) -> Delivery {
    match delivery {
        Delivery::Sent { is_unconfirmed, .. } if !is_first => {
            Delivery::Sent { external_id: None, is_unconfirmed: *is_unconfirmed }
        }
        Delivery::Refused { retryable: false, .. } if !is_first => Delivery::Closed,
        delivery => delivery.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::ReplyTo;
    use uuid::Uuid;

    fn text(text: &str) -> Message {
        Message::new(1, Uuid::from_u128(1), Content::text(text), "private_a".into(), 1)
    }

    #[test]
    fn short_texts_are_joined_up_to_the_bound() {
        let waiting = ["one", "two", "three"].map(text);
        assert_eq!(length(&waiting, 13), 3);
        assert_eq!(length(&waiting, 12), 2);
        assert_eq!(length(&waiting, 1), 1, "the first goes out in any case");
        assert_eq!(length(&[], 9), 0);
        assert_eq!(content(&waiting).readable(), "one\ntwo\nthree");
    }

    #[test]
    fn what_is_not_a_plain_text_goes_out_alone() {
        let reply = Message { reply_to: Some(Box::new(ReplyTo::default())), ..text("b") };
        let uncertain = Message { is_uncertain: true, ..text("b") };
        let retried = Message { retry_count: 1, ..text("b") };
        let picture = Message {
            content: Content::of_type(crate::model::message::MessageType::Image, "x".into()),
            ..text("")
        };
        for other in [reply, uncertain, retried, picture] {
            assert_eq!(length(&[text("a"), other.clone(), text("c")], 99), 1, "{other:?}");
        }
    }

    #[test]
    fn the_platforms_id_is_the_first_ones() {
        let sent = Delivery::Sent { external_id: Some("7".into()), is_unconfirmed: false };
        assert_eq!(delivery_of(&sent, true), sent);
        let second = Delivery::Sent { external_id: None, is_unconfirmed: false };
        assert_eq!(delivery_of(&sent, false), second);
        assert_eq!(delivery_of(&Delivery::Closed, false), Delivery::Closed);
        let refused = Delivery::Refused { reason: "no".into(), retryable: false };
        assert_eq!(delivery_of(&refused, true), refused);
        assert_eq!(delivery_of(&refused, false), Delivery::Closed, "they are tried without it");
    }
}
