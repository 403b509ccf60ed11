//! How events are encoded in the log: one arm for each kind and version, in postcard.
//!
//! Arms are only added, at the end, and never changed; `tests/fixtures/store/events.hex` holds it.

use super::record;
use super::{Batch, Error, Result};
use crate::model::change::Inbound;
use crate::model::cursor::Epoch;
use crate::model::event::{AdapterState, Bounds, Event, How, Mark, Origin, State};
use crate::model::message::{MessageType, Sender, Status};
use serde::{Deserialize, Serialize};

/// The form of a record's payload: this byte, the epoch and the time (8 bytes each), the events.
const VERSION: u8 = 2;

/// Bytes before a record's payload: length, checksum, offset.
pub(super) const HEAD: usize = 4 + 8 + 8;

/// Bytes before a payload's events.
const PREFIX: usize = 1 + 8 + 8;

/// A batch as the log takes it, built event by event.
#[derive(Debug)]
pub struct Record {
    pub(super) bytes: Vec<u8>,
    /// How many events it has.
    pub(super) count: u64,
    pub(super) epoch: Epoch,
}

impl Record {
    /// An empty batch of an epoch, committed at `at` (Unix seconds).
    pub fn new(epoch: Epoch, at: u64) -> Self {
        let mut bytes = vec![0; HEAD];
        bytes.push(VERSION);
        bytes.extend(epoch.number().to_le_bytes());
        bytes.extend(at.to_le_bytes());
        Self { bytes, count: 0, epoch }
    }

    /// Adds an event. `row` is the encoding of a new message, where it was made before.
    pub fn push(&mut self, event: &Event, row: Option<&[u8]>) -> Result<()> {
        self.bytes = encode_to(event, row, std::mem::take(&mut self.bytes))?;
        self.count += 1;
        Ok(())
    }
}

/// The batch in a payload; `Ok(None)` where it is of the version before events, which the tables
/// have taken over.
pub(super) fn decode_payload(first: u64, payload: &[u8]) -> std::result::Result<Option<Batch>, ()> {
    match payload.first() {
        Some(1) => return Ok(None),
        Some(&VERSION) => {}
        _ => return Err(()),
    }
    let (prefix, mut rest) = payload.split_at_checked(PREFIX).ok_or(())?;
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).map_err(|_| ());
    let (epoch, at) = (Epoch::new(number(&prefix[1..9])?), number(&prefix[9..])?);
    let mut events = Vec::new();
    while !rest.is_empty() {
        let (event, behind) = take_event(rest).ok_or(())?;
        events.push(event);
        rest = behind;
    }
    Ok(Some(Batch { epoch, first, at, events }))
}

/// The bytes of one event.
pub(crate) fn encode_event(event: &Event) -> Result<Vec<u8>> {
    encode_to(event, None, Vec::new())
}

/// The event that [`encode_event`] wrote.
pub(crate) fn decode_event(bytes: &[u8]) -> Option<Event> {
    take_event(bytes).filter(|(_, rest)| rest.is_empty()).map(|(event, _)| event)
}

/// An event as it is encoded.
#[derive(Serialize, Deserialize)]
enum Wire<'a> {
    OpenedV1 {
        epoch: u64,
        previous: u64,
    },
    CreatedV1 {
        seq: u64,
        /// In the versioned form of the messages' table.
        message: &'a [u8],
        origin: u8,
        marks: Vec<WireMark>,
    },
    ChangedV1 {
        seq: u64,
        how: u8,
        #[serde(borrow)]
        state: WireState<'a>,
        marks: Vec<WireMark>,
    },
    RecognizedV1 {
        seq: u64,
        marks: Vec<WireMark>,
    },
    DeletedV1 {
        seq: u64,
    },
    ConversationNamedV1 {
        platform: &'a str,
        conversation: &'a str,
        name: &'a str,
    },
    SetAsideV1 {
        #[serde(borrow)]
        inbound: WireInbound<'a>,
        reason: &'a str,
        at: u64,
    },
    ReleasedV1 {
        offset: u64,
    },
    ForgottenV1 {
        seen_before: u64,
        sent_before: u64,
        journal_before: u64,
        epochs_before: u64,
        #[serde(borrow)]
        conversations: Vec<(&'a str, &'a str)>,
    },
    RoutedV1 {
        seq: u64,
        platform: &'a str,
        conversation: &'a str,
        at: u64,
    },
    PlatformSeenV1 {
        platform: &'a str,
        kind: &'a str,
    },
    AdapterStateV1 {
        adapter: &'a str,
        key: &'a str,
        value: Option<&'a [u8]>,
    },
}

#[derive(Serialize, Deserialize)]
struct WireState<'a> {
    status: u8,
    updated_at: u64,
    retry_count: u32,
    platform: Option<&'a str>,
    account: Option<&'a str>,
    last_error: Option<&'a str>,
    external_id: Option<&'a str>,
    is_uncertain: bool,
    owner: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
struct WireInbound<'a> {
    platform: &'a str,
    account: &'a str,
    conversation: &'a str,
    conversation_name: Option<&'a str>,
    sender_id: &'a str,
    sender_name: &'a str,
    message_type: u8,
    content: &'a str,
    external_id: &'a str,
    time: u64,
    own: bool,
    from_history: bool,
    original: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
enum WireMark {
    Seen(u64, u128),
    Sent(u64, u128),
    Key(u128, u128, u64),
}

const ORIGINS: [Origin; 3] = [Origin::Made, Origin::Received, Origin::Imported];
const HOWS: [How; 4] = [How::Claimed, How::AttemptEnded, How::StatusSet, How::Completed];

fn encode_to(event: &Event, row: Option<&[u8]>, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let failed = |error: &dyn std::fmt::Display| Error(format!("an event: {error}"));
    let made;
    let wire = match event {
        Event::Opened { epoch, previous } => {
            Wire::OpenedV1 { epoch: epoch.number(), previous: previous.number() }
        }
        Event::Created { message: created, origin, marks } => {
            let message = if let Some(row) = row {
                row
            } else {
                made = record::encode(created).map_err(|error| failed(&error))?;
                &made
            };
            let (seq, origin) = (created.seq, *origin as u8);
            Wire::CreatedV1 { seq, message, origin, marks: wire_marks(marks) }
        }
        Event::Changed { seq, how, state, marks } => Wire::ChangedV1 {
            seq: *seq,
            how: *how as u8,
            state: WireState::of(state),
            marks: wire_marks(marks),
        },
        Event::Routed { seq, platform, conversation, at } => {
            Wire::RoutedV1 { seq: *seq, platform, conversation, at: *at }
        }
        Event::PlatformSeen { platform, kind } => Wire::PlatformSeenV1 { platform, kind },
        Event::Recognized { seq, marks } => {
            Wire::RecognizedV1 { seq: *seq, marks: wire_marks(marks) }
        }
        Event::Deleted { seq } => Wire::DeletedV1 { seq: *seq },
        Event::ConversationNamed { platform, conversation, name } => {
            Wire::ConversationNamedV1 { platform, conversation, name }
        }
        Event::SetAside { inbound, reason, at } => {
            Wire::SetAsideV1 { inbound: WireInbound::of(inbound), reason, at: *at }
        }
        Event::Released { offset } => Wire::ReleasedV1 { offset: *offset },
        Event::Forgotten(bounds) => Wire::ForgottenV1 {
            seen_before: bounds.seen_before,
            sent_before: bounds.sent_before,
            journal_before: bounds.journal_before,
            epochs_before: bounds.epochs_before,
            conversations: bounds.conversations.iter().map(|(p, c)| (&**p, &**c)).collect(),
        },
        Event::AdapterState(kept) => Wire::AdapterStateV1 {
            adapter: &kept.adapter,
            key: &kept.key,
            value: kept.value.as_deref(),
        },
    };
    postcard::to_extend(&wire, bytes).map_err(|error| failed(&error))
}

/// The event at the beginning, and what follows it.
fn take_event(bytes: &[u8]) -> Option<(Event, &[u8])> {
    let (wire, rest) = postcard::take_from_bytes::<Wire<'_>>(bytes).ok()?;
    let event = match wire {
        Wire::OpenedV1 { epoch, previous } => {
            Event::Opened { epoch: Epoch::new(epoch), previous: Epoch::new(previous) }
        }
        Wire::CreatedV1 { seq, message, origin, marks } => Event::Created {
            message: Box::new(record::decode(seq, message).ok()?),
            origin: *ORIGINS.get(usize::from(origin))?,
            marks: marks.into_iter().map(Mark::from).collect(),
        },
        Wire::ChangedV1 { seq, how, state, marks } => Event::Changed {
            seq,
            how: *HOWS.get(usize::from(how))?,
            state: Box::new(state.read()?),
            marks: marks.into_iter().map(Mark::from).collect(),
        },
        Wire::RecognizedV1 { seq, marks } => {
            Event::Recognized { seq, marks: marks.into_iter().map(Mark::from).collect() }
        }
        Wire::RoutedV1 { seq, platform, conversation, at } => {
            Event::Routed { seq, platform: platform.into(), conversation: conversation.into(), at }
        }
        Wire::PlatformSeenV1 { platform, kind } => {
            Event::PlatformSeen { platform: platform.into(), kind: kind.into() }
        }
        Wire::DeletedV1 { seq } => Event::Deleted { seq },
        Wire::ConversationNamedV1 { platform, conversation, name } => Event::ConversationNamed {
            platform: platform.into(),
            conversation: conversation.into(),
            name: name.into(),
        },
        Wire::SetAsideV1 { inbound, reason, at } => {
            Event::SetAside { inbound: Box::new(inbound.read()?), reason: reason.into(), at }
        }
        Wire::ReleasedV1 { offset } => Event::Released { offset },
        Wire::ForgottenV1 {
            seen_before,
            sent_before,
            journal_before,
            epochs_before,
            conversations,
        } => Event::Forgotten(Box::new(Bounds {
            seen_before,
            sent_before,
            journal_before,
            epochs_before,
            conversations: conversations.into_iter().map(|(p, c)| (p.into(), c.into())).collect(),
        })),
        Wire::AdapterStateV1 { adapter, key, value } => {
            Event::AdapterState(Box::new(AdapterState {
                adapter: adapter.into(),
                key: key.into(),
                value: value.map(<[u8]>::to_vec),
            }))
        }
    };
    Some((event, rest))
}

fn wire_marks(marks: &[Mark]) -> Vec<WireMark> {
    let wire = |mark: &Mark| match *mark {
        Mark::Seen(time, hash) => WireMark::Seen(time, hash),
        Mark::Sent(hour, hash) => WireMark::Sent(hour, hash),
        Mark::Key(key, body, at) => WireMark::Key(key, body, at),
    };
    marks.iter().map(wire).collect()
}

impl From<WireMark> for Mark {
    fn from(mark: WireMark) -> Self {
        match mark {
            WireMark::Seen(time, hash) => Self::Seen(time, hash),
            WireMark::Sent(hour, hash) => Self::Sent(hour, hash),
            WireMark::Key(key, body, at) => Self::Key(key, body, at),
        }
    }
}

impl<'a> WireState<'a> {
    fn of(state: &'a State) -> Self {
        Self {
            status: state.status as u8,
            updated_at: state.updated_at,
            retry_count: state.retry_count,
            platform: state.platform.as_deref(),
            account: state.account.as_deref(),
            last_error: state.last_error.as_deref(),
            external_id: state.external_id.as_deref(),
            is_uncertain: state.is_uncertain,
            owner: state.owner.as_deref(),
        }
    }

    fn read(self) -> Option<State> {
        Some(State {
            status: *Status::ALL.get(usize::from(self.status))?,
            updated_at: self.updated_at,
            retry_count: self.retry_count,
            platform: self.platform.map(str::to_owned),
            account: self.account.map(str::to_owned),
            last_error: self.last_error.map(str::to_owned),
            external_id: self.external_id.map(str::to_owned),
            is_uncertain: self.is_uncertain,
            owner: self.owner.map(str::to_owned),
        })
    }
}

impl<'a> WireInbound<'a> {
    fn of(inbound: &'a Inbound) -> Self {
        Self {
            platform: &inbound.platform,
            account: &inbound.account,
            conversation: &inbound.conversation,
            conversation_name: inbound.conversation_name.as_deref(),
            sender_id: &inbound.sender.id,
            sender_name: &inbound.sender.name,
            message_type: inbound.message_type as u8,
            content: &inbound.content,
            external_id: &inbound.external_id,
            time: inbound.time,
            own: inbound.own,
            from_history: inbound.from_history,
            original: inbound.original.as_deref(),
        }
    }

    fn read(self) -> Option<Inbound> {
        Some(Inbound {
            platform: self.platform.into(),
            account: self.account.into(),
            conversation: self.conversation.into(),
            conversation_name: self.conversation_name.map(str::to_owned),
            sender: Sender { id: self.sender_id.into(), name: self.sender_name.into() },
            message_type: *MessageType::ALL.get(usize::from(self.message_type))?,
            content: self.content.into(),
            external_id: self.external_id.into(),
            time: self.time,
            own: self.own,
            from_history: self.from_history,
            original: self.original.map(str::to_owned),
            fingerprint: None,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::message::Draft;
    use proptest::prelude::*;
    use uuid::Uuid;

    /// Every kind of event, each part of it said.
    pub fn every_event() -> Vec<Event> {
        let draft =
            Draft::new(MessageType::Image, "https://hi".into(), "g".into(), Some("qq".into()));
        let mut message = draft.unwrap().into_message(7, Uuid::from_u128(9), 5);
        message.owner = Some("main".into());
        let marks = vec![Mark::Seen(1, 2), Mark::Sent(3, 4), Mark::Key(5, 6, 7)];
        let state = Box::new(State {
            status: Status::Failed,
            updated_at: 300,
            retry_count: 2,
            platform: Some("qq".into()),
            account: Some("1".into()),
            last_error: Some("no".into()),
            external_id: Some("e".into()),
            is_uncertain: true,
            owner: Some("o".into()),
        });
        let inbound = Box::new(Inbound {
            platform: "qq".into(),
            account: "1".into(),
            conversation: "g".into(),
            conversation_name: Some("G".into()),
            sender: Sender { id: "2".into(), name: "Ann".into() },
            message_type: MessageType::Audio,
            content: "c".into(),
            external_id: "e".into(),
            time: 5,
            own: true,
            from_history: true,
            original: Some("o".into()),
            fingerprint: None,
        });
        let bounds = Bounds {
            seen_before: 1,
            sent_before: 2,
            journal_before: 3,
            epochs_before: 4,
            conversations: vec![("qq".into(), "g".into())],
        };
        let mut all = vec![Event::Opened { epoch: Epoch::new(1), previous: Epoch::new(300) }];
        for origin in ORIGINS {
            let (message, marks) = (Box::new(message.clone()), marks.clone());
            all.push(Event::Created { message, origin, marks });
        }
        for how in HOWS {
            all.push(Event::Changed { seq: 7, how, state: state.clone(), marks: marks.clone() });
        }
        all.extend([
            Event::Recognized { seq: 7, marks },
            Event::Deleted { seq: 7 },
            Event::ConversationNamed {
                platform: "qq".into(),
                conversation: "g".into(),
                name: "G".into(),
            },
            Event::SetAside { inbound, reason: "r".into(), at: 9 },
            Event::Released { offset: 8 },
            Event::Routed { seq: 7, platform: "qq".into(), conversation: "group_1".into(), at: 9 },
            Event::PlatformSeen { platform: "qq".into(), kind: "onebot11".into() },
            Event::Forgotten(Box::new(bounds)),
        ]);
        for value in [Some(vec![1, 2]), None] {
            let (adapter, key) = ("ilink".into(), "cursor".into());
            all.push(Event::AdapterState(Box::new(AdapterState { adapter, key, value })));
        }
        all
    }

    #[test]
    fn what_is_written_stays_readable() {
        let hex = |event: &Event| {
            let bytes = encode_event(event).unwrap();
            bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
        };
        let lines: Vec<_> = every_event().iter().map(hex).collect();
        let kept = include_str!("../../tests/fixtures/store/events.hex");
        assert_eq!(lines.join("\n"), kept.trim_end());
    }

    #[test]
    fn an_event_reads_back() {
        for event in every_event() {
            assert_eq!(decode_event(&encode_event(&event).unwrap()), Some(event));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_event(&bytes);
            let _ = decode_payload(1, &bytes);
        }
    }
}
