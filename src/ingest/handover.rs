//! Events that a node received and could not store before it lost the lead. The node sends them to the
//! new leader, which treats them as its own: duplicates are recognized by their keys.
//!
//! State of adapters is left out: the leader has its own, and goes on from there.

use crate::model::platform_event::PlatformEvent;
use crate::store::Command;

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
    let Some(event) = PlatformEvent::of(command) else { return Vec::new() };
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

/// The commands that [`encode`] wrote.
///
/// # Errors
///
/// Another version of this program wrote them.
pub fn decode(text: &[u8]) -> Result<Vec<Command>, serde_json::Error> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map(PlatformEvent::into_command)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;
    use crate::model::content::every_segment;
    use crate::model::event::AdapterState;
    use crate::model::inbound::{AlikeEntries, Inbound};
    use crate::model::message::{ReplyTo, Sender};
    use crate::model::notice::Notice;
    use crate::model::notice::NoticeKind;
    use crate::model::platform_event::MessageTarget;
    use crate::model::reaction::ReactionChange;
    use crate::model::status_rules::Outcome;
    use uuid::Uuid;

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
            alike: AlikeEntries::default(),
            clock_ahead: None,
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
            Command::Edit { target: target(), content: "new".into(), at: 6, is_repeated: true },
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
