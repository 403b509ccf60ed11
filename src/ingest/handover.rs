//! Events that a node received and could not store before it lost the lead. The node sends them to the
//! new leader, which treats them as its own: duplicates are recognized by their keys.
//!
//! State of adapters is left out: the node that leads has its own, and goes on from there.

use crate::model::change::{Inbound, Outcome};
use crate::model::content::{Content, Segment};
use crate::model::message::{ReplyTo, Sender};
use crate::model::notice::Notice;
use crate::model::reaction::ReactionChange;
use crate::store::{Command, MessageTarget};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An event.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HeldEvent {
    Received {
        message: Box<HeldMessage>,
        at: u64,
    },
    Recalled {
        target: MessageTarget,
        by: Option<Sender>,
        at: u64,
    },
    Edited {
        target: MessageTarget,
        segments: Vec<Segment>,
        at: u64,
    },
    Reacted {
        target: MessageTarget,
        change: ReactionChange,
        at: u64,
    },
    Noticed {
        notice: Box<Notice>,
        request: Option<String>,
    },
    Named {
        platform: String,
        conversation: String,
        name: String,
    },
    MentionNamed {
        target: MessageTarget,
        user: String,
        name: String,
        at: u64,
    },
    ReplyFound {
        target: MessageTarget,
        reply_to: Box<ReplyTo>,
        at: u64,
    },
    SentLate {
        id: Uuid,
        account: Option<String>,
        external_id: Option<String>,
        #[serde(default)]
        is_unconfirmed: bool,
        at: u64,
    },
    RefusedLate {
        id: Uuid,
        reason: String,
        retryable: bool,
        at: u64,
    },
    PartSent {
        id: Uuid,
        index: usize,
        external_id: Option<String>,
        at: u64,
    },
    Told {
        platform: String,
        account: String,
        frame: String,
        meaning: Option<Box<Self>>,
        at: u64,
        forget_before: u64,
    },
    Together(Vec<Self>),
}

/// A message of a platform.
#[derive(Serialize, Deserialize)]
struct HeldMessage {
    platform: String,
    account: String,
    conversation: String,
    conversation_name: Option<String>,
    sender: Sender,
    segments: Vec<Segment>,
    reply_to: Option<Box<ReplyTo>>,
    external_id: String,
    time: u64,
    own: bool,
    from_history: bool,
    original: Option<String>,
    fingerprint: Option<String>,
}

impl From<Inbound> for HeldMessage {
    fn from(message: Inbound) -> Self {
        Self {
            platform: message.platform,
            account: message.account,
            conversation: message.conversation,
            conversation_name: message.conversation_name,
            sender: message.sender,
            segments: message.content.to_segments(),
            reply_to: message.reply_to,
            external_id: message.external_id,
            time: message.time,
            own: message.own,
            from_history: message.from_history,
            original: message.original,
            fingerprint: message.fingerprint,
        }
    }
}

impl From<HeldMessage> for Inbound {
    fn from(message: HeldMessage) -> Self {
        Self {
            platform: message.platform,
            account: message.account,
            conversation: message.conversation,
            conversation_name: message.conversation_name,
            sender: message.sender,
            content: Content::of(message.segments),
            reply_to: message.reply_to,
            external_id: message.external_id,
            time: message.time,
            own: message.own,
            from_history: message.from_history,
            original: message.original,
            fingerprint: message.fingerprint,
        }
    }
}

/// The events of as many commands as go into `max_bytes`, as text, and how many commands these are. One
/// alone that is larger goes without the platform's own words; `None` where even that is too large.
pub fn encode<'a>(
    commands: impl Iterator<Item = &'a Command>,
    max_bytes: usize,
) -> Option<(usize, Vec<u8>)> {
    let (mut count, mut text) = (0, Vec::new());
    for command in commands {
        let mut line = line_of(command.clone());
        if count == 0 && line.len() > max_bytes {
            line = line_of(without_words(command.clone()));
            if line.len() > max_bytes {
                return None;
            }
        }
        if text.len() + line.len() > max_bytes {
            break;
        }
        text.extend(line);
        count += 1;
    }
    Some((count, text))
}

/// An event as a line of JSON; empty where there is nothing of it to hand over.
fn line_of(command: Command) -> Vec<u8> {
    let Some(event) = event_of(command) else { return Vec::new() };
    // Texts and numbers always serialise.
    let mut line = serde_json::to_vec(&event).unwrap_or_default();
    line.push(b'\n');
    line
}

fn without_words(command: Command) -> Command {
    match command {
        Command::StoreRawEvent { meaning: Some(meaning), .. } => *meaning,
        command => command,
    }
}

fn event_of(command: Command) -> Option<HeldEvent> {
    Some(match command {
        Command::Receive { received, at, .. } => {
            HeldEvent::Received { message: Box::new((*received).into()), at }
        }
        // An event that could not be stored here may be there.
        Command::SetAside { inbound, at, .. } => {
            HeldEvent::Received { message: Box::new((*inbound).into()), at }
        }
        Command::Recall { target, by, at } => HeldEvent::Recalled { target, by, at },
        Command::Edit { target, content, at } => {
            HeldEvent::Edited { target, segments: content.to_segments(), at }
        }
        Command::React { target, change, at } => HeldEvent::Reacted { target, change, at },
        Command::Notice { notice, request, .. } => HeldEvent::Noticed { notice, request },
        Command::NotePart { id, index, external_id, at } => {
            HeldEvent::PartSent { id, index, external_id, at }
        }
        Command::Name { platform, conversation, name } => {
            HeldEvent::Named { platform, conversation, name }
        }
        Command::NameMention { target, user, name, at } => {
            HeldEvent::MentionNamed { target, user, name, at }
        }
        Command::FindReply { target, reply_to, at } => {
            HeldEvent::ReplyFound { target, reply_to, at }
        }
        Command::RecordLate {
            id,
            outcome: Outcome::Sent { account, external_id, is_unconfirmed },
            at,
        } => HeldEvent::SentLate { id, account, external_id, is_unconfirmed, at },
        Command::RecordLate { id, outcome: Outcome::RefusedLate { reason, retryable }, at } => {
            HeldEvent::RefusedLate { id, reason, retryable, at }
        }
        Command::StoreRawEvent { platform, account, frame, meaning, at, forget_before } => {
            let meaning = meaning.and_then(|meaning| event_of(*meaning)).map(Box::new);
            HeldEvent::Told { platform, account, frame, meaning, at, forget_before }
        }
        Command::Together(commands) => {
            HeldEvent::Together(commands.into_iter().filter_map(event_of).collect())
        }
        // The saved state of an adapter is the leader's own; the rest is no event of a platform, or is found
        // out again by the node that leads.
        Command::KeepState { .. }
        | Command::RecordLate { .. }
        | Command::RecordOutcome { .. }
        | Command::Create { .. }
        | Command::SetStatus { .. }
        | Command::SetStatusOf { .. }
        | Command::Delete { .. }
        | Command::Complete { .. }
        | Command::EditWaiting { .. }
        | Command::AnswerRequest { .. }
        | Command::SeePlatform { .. }
        | Command::SetConversation { .. }
        | Command::Route { .. }
        | Command::Claim { .. }
        | Command::Import { .. }
        | Command::Release { .. }
        | Command::Trim { .. }
        | Command::Withdraw { .. }
        | Command::InOrder(_) => return None,
    })
}

/// The commands that [`encode`] wrote.
///
/// # Errors
///
/// Another version of this program wrote them.
pub fn decode(text: &[u8]) -> Result<Vec<Command>, serde_json::Error> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map(command_of)).collect()
}

fn command_of(event: HeldEvent) -> Command {
    match event {
        HeldEvent::Received { message, at } => {
            let received = Box::new((*message).into());
            // The attempt that it may be the echo of was another node's.
            Command::Receive { received, at, can_wait: false }
        }
        HeldEvent::Recalled { target, by, at } => Command::Recall { target, by, at },
        HeldEvent::Edited { target, segments, at } => {
            Command::Edit { target, content: Content::of(segments), at }
        }
        HeldEvent::Reacted { target, change, at } => Command::React { target, change, at },
        // Whether it was stored before it was handed over may be unknown.
        HeldEvent::Noticed { notice, request } => {
            Command::Notice { notice, request, is_repeated: true }
        }
        HeldEvent::PartSent { id, index, external_id, at } => {
            Command::NotePart { id, index, external_id, at }
        }
        HeldEvent::Named { platform, conversation, name } => {
            Command::Name { platform, conversation, name }
        }
        HeldEvent::MentionNamed { target, user, name, at } => {
            Command::NameMention { target, user, name, at }
        }
        HeldEvent::ReplyFound { target, reply_to, at } => {
            Command::FindReply { target, reply_to, at }
        }
        HeldEvent::SentLate { id, account, external_id, is_unconfirmed, at } => {
            let outcome = Outcome::Sent { account, external_id, is_unconfirmed };
            Command::RecordLate { id, outcome, at }
        }
        HeldEvent::RefusedLate { id, reason, retryable, at } => {
            Command::RecordLate { id, outcome: Outcome::RefusedLate { reason, retryable }, at }
        }
        HeldEvent::Told { platform, account, frame, meaning, at, forget_before } => {
            let meaning = meaning.map(|meaning| Box::new(command_of(*meaning)));
            Command::StoreRawEvent { platform, account, frame, meaning, at, forget_before }
        }
        HeldEvent::Together(events) => {
            Command::Together(events.into_iter().map(command_of).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::every_segment;
    use crate::model::event::AdapterState;
    use crate::model::notice::NoticeKind;

    fn target() -> MessageTarget {
        MessageTarget::External {
            account: "1".into(),
            platform: "qq".into(),
            conversation: "group_1".into(),
            external_id: "7".into(),
        }
    }

    fn received() -> Command {
        let person = Sender { id: "2".into(), name: "Ada".into() };
        let received = Inbound {
            platform: "qq".into(),
            account: "1".into(),
            conversation: "group_1".into(),
            conversation_name: Some("a group".into()),
            sender: person,
            content: Content::of(every_segment()),
            reply_to: Some(Box::new(ReplyTo {
                content: Some("what".into()),
                ..ReplyTo::default()
            })),
            external_id: "7".into(),
            time: 5,
            own: true,
            from_history: true,
            original: Some("{}".into()),
            fingerprint: Some("f".into()),
        };
        Command::Receive { received: Box::new(received), at: 6, can_wait: false }
    }

    fn told(frame: String) -> Command {
        Command::StoreRawEvent {
            platform: "qq".into(),
            account: "1".into(),
            frame,
            meaning: Some(Box::new(received())),
            at: 6,
            forget_before: 1,
        }
    }

    fn every_command() -> Vec<Command> {
        let person = || Some(Sender { id: "2".into(), name: "Ada".into() });
        let change =
            ReactionChange::Set { emoji: "👍".into(), user: "2".into(), mine: false, on: true };
        let notice = Notice {
            platform: "qq".into(),
            account: "1".into(),
            conversation: None,
            kind: NoticeKind::ALL[0],
            user: person(),
            operator: None,
            text: "text".into(),
            created_at: 5,
            request: None,
        };
        vec![
            received(),
            told("{\"a\": \"line\\nand another\"}\n".into()),
            Command::Recall { target: target(), by: person(), at: 6 },
            Command::Edit { target: target(), content: "new".into(), at: 6 },
            Command::React { target: target(), change, at: 6 },
            Command::React {
                target: MessageTarget::Id(Uuid::nil()),
                change: ReactionChange::Counted { emoji: "👍".into(), count: 2 },
                at: 6,
            },
            Command::Notice {
                notice: Box::new(notice),
                request: Some("{}".into()),
                is_repeated: true,
            },
            Command::NotePart { id: Uuid::nil(), index: 1, external_id: Some("7".into()), at: 6 },
            Command::Name { platform: "qq".into(), conversation: "c".into(), name: "n".into() },
            Command::NameMention { target: target(), user: "2".into(), name: "n".into(), at: 6 },
            Command::FindReply { target: target(), reply_to: Box::default(), at: 6 },
            Command::RecordLate {
                id: Uuid::nil(),
                outcome: Outcome::Sent {
                    account: Some("1".into()),
                    external_id: Some("7".into()),
                    is_unconfirmed: true,
                },
                at: 6,
            },
            Command::RecordLate {
                id: Uuid::nil(),
                outcome: Outcome::RefusedLate { reason: "no".into(), retryable: true },
                at: 6,
            },
            Command::NotePart { id: Uuid::nil(), index: 0, external_id: Some("7".into()), at: 6 },
        ]
    }

    #[test]
    fn events_come_out_as_they_went_in() {
        let commands = every_command();
        let (count, text) = encode(commands.iter(), usize::MAX).unwrap();
        assert_eq!((count, decode(&text).unwrap()), (commands.len(), commands));
    }

    #[test]
    fn a_batch_goes_without_what_its_adapter_remembers() {
        let state = AdapterState {
            adapter: "ilink".into(),
            key: "cursor".into(),
            value: Some(b"old".to_vec()),
        };
        let batch =
            Command::Together(vec![received(), Command::KeepState { state: Box::new(state) }]);
        let (_, text) = encode([batch].iter(), usize::MAX).unwrap();
        assert_eq!(decode(&text).unwrap(), [Command::Together(vec![received()])]);
    }

    #[test]
    fn as_many_go_at_a_time_as_there_is_room_for() {
        let commands = every_command();
        let (first, text) = encode(commands.iter(), 4000).unwrap();
        assert!(0 < first && first < commands.len() && text.len() <= 4000, "{first}");
        let (rest, _) = encode(commands[first..].iter(), usize::MAX).unwrap();
        assert_eq!(first + rest, commands.len());
        // Words that are too long stay behind, and the message goes.
        let long = [told("x".repeat(5000))];
        let (count, text) = encode(long.iter(), 4000).unwrap();
        assert_eq!((count, decode(&text).unwrap()), (1, vec![received()]));
        assert_eq!(encode(long.iter(), 10), None);
    }
}
