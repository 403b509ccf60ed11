//! Converts between events of platforms and the commands that store them.

use crate::model::platform_event::PlatformEvent;
use crate::model::status_rules::Outcome;
use crate::store::command::Command;

impl PlatformEvent {
    /// The event that a command stores; `None` if it stores none, or if the leader of a cluster learns it
    /// by itself.
    pub fn of(command: Command) -> Option<Self> {
        Some(match command {
            Command::Receive { received, at, .. } => Self::Received { message: received, at },
            // An event that could not be stored here may be stored there.
            Command::Quarantine { event, .. } => *event,
            Command::Recall { target, by, at } => Self::Recalled { target, by, at },
            Command::Edit { target, content, at, .. } => Self::Edited { target, content, at },
            Command::React { target, change, at } => Self::Reacted { target, change, at },
            Command::Notice { notice, request, .. } => Self::Noticed { notice, request },
            Command::NotePart { id, index, external_id, at } => {
                Self::PartSent { id, index, external_id, at }
            }
            Command::Name { platform, conversation, name } => {
                Self::Named { platform, conversation, name }
            }
            Command::NameMention { target, user, name, at } => {
                Self::MentionNamed { target, user, name, at }
            }
            Command::FindReply { target, reply_to, at } => {
                Self::ReplyFound { target, reply_to, at }
            }
            Command::RecordLate {
                id,
                outcome: Outcome::Sent { account, external_id, is_unconfirmed },
                at,
            } => Self::SentLate { id, account, external_id, is_unconfirmed, at },
            Command::RecordLate { id, outcome: Outcome::RefusedLate { reason, retryable }, at } => {
                Self::RefusedLate { id, reason, retryable, at }
            }
            Command::StoreRawEvent { platform, account, frame, meaning, at, forget_before } => {
                let meaning = meaning.and_then(|meaning| Self::of(*meaning)).map(Box::new);
                Self::Told { platform, account, frame, meaning, at, forget_before }
            }
            Command::Together(commands) => {
                Self::Together(commands.into_iter().filter_map(Self::of).collect())
            }
            // The leader has its own state of the adapter. The other commands store no event of a platform,
            // or one that the leader learns by itself.
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

    /// The command that stores the event.
    pub fn into_command(self) -> Command {
        match self {
            Self::Received { message, at } => {
                // The attempt that it may be the echo of has ended, or was another node's.
                Command::Receive { received: message, at, can_wait: false }
            }
            Self::Recalled { target, by, at } => Command::Recall { target, by, at },
            Self::Edited { target, content, at } => {
                Command::Edit { target, content, at, is_repeated: true }
            }
            Self::Reacted { target, change, at } => Command::React { target, change, at },
            // It may have been stored before.
            Self::Noticed { notice, request } => {
                Command::Notice { notice, request, is_repeated: true }
            }
            Self::PartSent { id, index, external_id, at } => {
                Command::NotePart { id, index, external_id, at }
            }
            Self::Named { platform, conversation, name } => {
                Command::Name { platform, conversation, name }
            }
            Self::MentionNamed { target, user, name, at } => {
                Command::NameMention { target, user, name, at }
            }
            Self::ReplyFound { target, reply_to, at } => {
                Command::FindReply { target, reply_to, at }
            }
            Self::SentLate { id, account, external_id, is_unconfirmed, at } => {
                let outcome = Outcome::Sent { account, external_id, is_unconfirmed };
                Command::RecordLate { id, outcome, at }
            }
            Self::RefusedLate { id, reason, retryable, at } => {
                Command::RecordLate { id, outcome: Outcome::RefusedLate { reason, retryable }, at }
            }
            Self::Told { platform, account, frame, meaning, at, forget_before } => {
                let meaning = meaning.map(|meaning| Box::new(meaning.into_command()));
                Command::StoreRawEvent { platform, account, frame, meaning, at, forget_before }
            }
            Self::Together(events) => {
                Command::Together(events.into_iter().map(Self::into_command).collect())
            }
        }
    }
}
