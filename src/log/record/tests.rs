//! Messages read back, and damage is found.

use super::*;
use crate::model::content::Segment;
use crate::model::message::MessageType;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

fn messages() -> impl Strategy<Value = Message> {
    let head = (
        any::<u64>(),
        any::<u128>(),
        0..6usize,
        ".*",
        ".*",
        0..5usize,
        any::<[u64; 2]>(),
        any::<u32>(),
    );
    let tail = (
        of(".*"),
        any::<bool>(),
        of(".*"),
        of((".*", ".*")),
        of(".*"),
        of(".*"),
        of(".*"),
        of(".*"),
    );
    (head, tail, any_extras()).prop_map(|(h, t, extras)| Message {
        status: Status::ALL[h.5],
        updated_at: h.6[1],
        retry_count: h.7,
        platform: t.0,
        direction: Direction::ALL[usize::from(t.1)],
        conversation_name: t.2,
        sender: t.3.map(|(id, name)| Sender { id, name }),
        account: t.4,
        last_error: t.5,
        external_id: t.6,
        original: t.7.clone(),
        is_uncertain: t.1,
        is_unconfirmed: !t.1,
        owner: t.7,
        reply_to: extras.reply_to,
        edited_at: extras.edited_at,
        recall: extras.recall,
        reactions: extras.reactions,
        via: extras.via,
        parts: extras.parts,
        doubt: extras.doubt,
        ..Message::new(h.0, Uuid::from_u128(h.1), content(h.2, h.3), h.4, h.6[0])
    })
}

fn content(kind: usize, text: String) -> Content {
    match kind {
        5 => Content::of(vec![
            Segment::MentionAll {},
            Segment::Text { text },
            Segment::Other { name: "dice".into(), text: None },
        ]),
        kind => Content::of_type(MessageType::ALL[kind], text),
    }
}

fn any_extras() -> impl Strategy<Value = Extras> {
    let person = || of((".*", ".*").prop_map(|(id, name)| Sender { id, name }));
    let fields = (of(any::<u128>()), person(), of(any::<u64>()), vec(".*", 0..3), of(".*"));
    fields.prop_map(|(id, person, edited_at, emoji, via)| Extras {
        reply_to: id.map(|id| {
            let (id, sender) = (Some(Uuid::from_u128(id)), person.clone());
            Box::new(ReplyTo { id, sender, ..ReplyTo::default() })
        }),
        edited_at,
        recall: edited_at.map(|at| Box::new(Recall { at, by: person })),
        reactions: emoji
            .into_iter()
            .map(|emoji| Reaction { users: vec![emoji.clone()], emoji, count: 3, mine: true })
            .collect(),
        parts: via.iter().cloned().collect(),
        doubt: edited_at
            .map(|since| Box::new(Doubt { since, other_accounts: via.iter().cloned().collect() })),
        via,
    })
}

proptest! {
    #[test]
    fn a_message_reads_back(message in messages()) {
        let bytes = encode(&message).unwrap();
        prop_assert_eq!(status_of(message.seq, &bytes), Ok(message.status));
        prop_assert_eq!(times_of(message.seq, &bytes), Ok(MessageTimes::of(&message)));
        let text = message.content.readable();
        let sender = message.sender.as_ref().map(|sender| (&*sender.id, &*sender.name));
        let plain = message.content.segments().is_none();
        let plain = plain.then_some(PlainText { text: &text, sender });
        prop_assert_eq!(plain_text(message.seq, &bytes), Ok(plain));
        match read(message.seq, &bytes).unwrap() {
            Recorded::Plain(fields, text) => {
                prop_assert_eq!(fields, message.fields());
                prop_assert_eq!(text, message.content.readable());
                prop_assert!(plain.is_some() && extras(&message).unwrap().is_none());
            }
            Recorded::Other(read) => prop_assert_eq!(&*read, &message),
        }
        prop_assert_eq!(decode(message.seq, &bytes), Ok(message));
    }

    #[test]
    fn damaged_bytes_are_an_error_and_no_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode(1, &bytes);
        let _ = read(1, &bytes);
        let _ = status_of(1, &bytes);
        let _ = times_of(1, &bytes);
        let _ = plain_text(1, &bytes);
    }

    #[test]
    fn a_flipped_bit_is_found(message in messages(), at: prop::sample::Index, bit in 0..8u32) {
        let mut bytes = encode(&message).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let found = decode(message.seq, &bytes);
        // The version of before had no checksum; one bit does not lead there.
        prop_assert!(found.is_err(), "{found:?}");
        prop_assert!(read(message.seq, &bytes).is_err());
        prop_assert!(status_of(message.seq, &bytes).is_err());
        prop_assert!(times_of(message.seq, &bytes).is_err());
        let plain = plain_text(message.seq, &bytes);
        prop_assert!(!matches!(plain, Ok(Some(_))), "{plain:?}");
    }
}
