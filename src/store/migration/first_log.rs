//! The write-ahead log of version 0.2, which has commands instead of events. It is read once, when such a
//! store is converted.

use crate::log::FileLog;
use crate::model::content::Content;
use crate::model::inbound::{AlikeEntries, Inbound};
use crate::model::message::{Draft, MessageType, Sender, Status};
use crate::model::routing::RoutingFacts;
use crate::model::status_rules::Outcome;
use crate::store::command::Command;
use crate::store::dedupe_keys::Idempotency;
use crate::store::error::{Result, StoreError};
use serde::Deserialize;
use uuid::Uuid;

/// The batches of the log that the tables do not have.
pub(super) struct OldLog {
    /// Batches that follow the tables without a gap.
    pub(super) whole: Vec<Vec<Command>>,
    /// Batches after one that cannot be read.
    pub(super) behind: Vec<Vec<Command>>,
    /// The positions that cannot be read, as text.
    pub(super) damage: Vec<String>,
    /// Whether the batches follow other tables than these.
    pub(super) is_of_other: bool,
}

/// Reads the log from a batch on.
pub(super) fn read(log: &FileLog, from: u64) -> Result<OldLog> {
    let (payloads, damage) = log.payloads(from)?;
    let mut old = OldLog { whole: Vec::new(), behind: Vec::new(), damage, is_of_other: false };
    let mut expected = from;
    for (number, payload) in payloads {
        let commands = decode(&payload).ok_or_else(|| {
            StoreError::Open(
                "the write-ahead log was written by another version of rechat\n  start and stop that version once, and then this one"
                    .into(),
            )
        })?;
        if number == expected {
            old.whole.push(commands);
            expected += 1;
        } else {
            old.behind.push(commands);
        }
    }
    old.is_of_other = old.damage.is_empty() && !old.behind.is_empty();
    Ok(old)
}

/// A command after a batch that cannot be read; `None` if it may be about another message than it was. The
/// number of messages that the lost batch made is unknown, so messages after `head` are left out.
pub(super) fn behind_damage(command: Command, head: u64) -> Option<Command> {
    match command {
        Command::Claim { mut seqs, account, at } => {
            seqs.retain(|seq| *seq <= head);
            Some(Command::Claim { seqs, account, at })
        }
        Command::Route { mut messages, at } => {
            messages.retain(|(seq, _)| *seq <= head);
            Some(Command::Route { messages, at })
        }
        Command::RecordOutcome { seq, .. } if seq > head => None,
        command => Some(command),
    }
}

/// The commands of a payload: a byte of version, then postcard.
fn decode(payload: &[u8]) -> Option<Vec<Command>> {
    let commands: Vec<Old> = postcard::from_bytes(payload.strip_prefix(&[1])?).ok()?;
    Some(commands.into_iter().map(Old::read).collect())
}

/// A command as it was written.
#[derive(Deserialize)]
enum Old {
    Create { draft: OldDraft, at: u64, idempotency: Option<(u128, u128)> },
    SetStatus { id: Uuid, status: Status, at: u64 },
    Delete { id: Uuid },
    Receive { received: OldInbound, at: u64 },
    Name { platform: String, conversation: String, name: String },
    Route { seqs: Vec<u64>, platform: String, at: u64 },
    Claim { seqs: Vec<u64>, at: u64 },
    RecordOutcome { seq: u64, outcome: OldOutcome, at: u64 },
}

#[derive(Deserialize)]
struct OldDraft {
    message_type: MessageType,
    content: String,
    recipient: String,
    platform: Option<String>,
}

#[derive(Deserialize)]
struct OldInbound {
    platform: String,
    account: String,
    conversation: String,
    conversation_name: Option<String>,
    sender: Sender,
    message_type: MessageType,
    content: String,
    external_id: String,
    time: u64,
    own: bool,
    original: Option<String>,
}

#[derive(Deserialize)]
enum OldOutcome {
    Sent { account: Option<String>, external_id: Option<String> },
    Retry { reason: String, is_uncertain: bool },
    NotAttempted,
    Failed { reason: String },
}

impl Old {
    fn read(self) -> Command {
        match self {
            Self::Create { draft, at, idempotency } => {
                let OldDraft { message_type, content, recipient, platform } = draft;
                let content = Content::of_type(message_type, content);
                let draft = Draft::accepted(content, recipient, platform);
                let idempotency = idempotency.map(|(key, body)| Idempotency { key, body });
                Command::Create { draft, at, idempotency, facts: RoutingFacts::default() }
            }
            Self::SetStatus { id, status, at } => Command::SetStatus { id, status, at },
            Self::Delete { id } => Command::Delete { id },
            Self::Receive { received, at } => {
                Command::Receive { received: Box::new(received.read()), at, can_wait: false }
            }
            Self::Name { platform, conversation, name } => {
                Command::Name { platform, conversation, name }
            }
            Self::Route { seqs, platform, at } => {
                // Version 0.2 had chosen the platform before.
                let facts =
                    RoutingFacts { default_platform: Some(platform), ..RoutingFacts::default() };
                let messages = seqs.into_iter().map(|seq| (seq, facts.clone())).collect();
                Command::Route { messages, at }
            }
            Self::Claim { seqs, at } => Command::Claim { seqs, account: None, at },
            Self::RecordOutcome { seq, outcome, at } => {
                Command::RecordOutcome { seq, outcome: outcome.read(), at }
            }
        }
    }
}

impl OldInbound {
    fn read(self) -> Inbound {
        Inbound {
            platform: self.platform,
            account: self.account,
            conversation: self.conversation,
            conversation_name: self.conversation_name,
            sender: self.sender,
            content: Content::of_type(self.message_type, self.content),
            reply_to: None,
            external_id: self.external_id,
            time: self.time,
            own: self.own,
            from_history: false,
            alike: AlikeEntries::default(),
            clock_ahead: None,
            original: self.original,
            fingerprint: None,
        }
    }
}

impl OldOutcome {
    fn read(self) -> Outcome {
        match self {
            Self::Sent { account, external_id } => {
                Outcome::Sent { account, external_id, is_unconfirmed: false }
            }
            Self::Retry { reason, is_uncertain } => Outcome::Retry { reason, is_uncertain },
            Self::NotAttempted => Outcome::NotAttempted,
            Self::Failed { reason } => Outcome::Failed { reason, is_uncertain: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of command, as version 0.2 wrote it.
    #[test]
    fn what_version_0_2_wrote_is_read() {
        let text = include_str!("../../../tests/fixtures/store/wal-1.hex").trim_end();
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let bytes: Vec<u8> = text.as_bytes().chunks(2).map(byte).collect();
        let commands = decode(&bytes).unwrap();
        let draft =
            Draft::new(MessageType::Text, "hello".into(), "group_1".into(), Some("qq".into()));
        let facts = RoutingFacts::default();
        let first = Command::Create { draft: draft.unwrap(), at: 7, idempotency: None, facts };
        assert_eq!(commands[0], first);
        let failed = Outcome::Failed { reason: "it was refused".into(), is_uncertain: false };
        assert_eq!(commands[6], Command::RecordOutcome { seq: 4, outcome: failed, at: 9 });
        let Command::Create { idempotency, .. } = &commands[7] else { panic!("{commands:?}") };
        assert_eq!(*idempotency, Some(Idempotency { key: 1, body: 300 }));
        let Command::Receive { received, at: 6, .. } = &commands[8] else { panic!("{commands:?}") };
        assert_eq!((&*received.sender.name, received.time, received.own), ("Ann", 5, true));
        let outcome = Outcome::NotAttempted;
        assert_eq!(commands[11], Command::RecordOutcome { seq: 4, outcome, at: 9 });
        assert_eq!(commands.len(), 12);
    }
}
