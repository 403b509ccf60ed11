//! Sending a message: its parts one after the other, and what each answer proves.

use super::account::RunningAccount;
use super::address::person;
use super::call_failure::CallFailure;
use super::outbound::{OutboundPart, parts, text_item};
use super::reply::PartProgress;
use super::upload::{NotUploaded, upload};
use crate::adapter::api::{Delivery, FileTransfer, Outbound, with_media};
use crate::clock::now;
use crate::health;
use md5::{Digest, Md5};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// The time limits of a call that an attempt may take in all before its last call.
const ATTEMPT_CALLS: u32 = 10;

/// How long an attempt waits until its progress is on disk; the disk may refuse for long.
const KEEP_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends a message. A part that went out is not sent again when the rest has to wait. Takes
/// [`ATTEMPT_CALLS`] time limits and the last call at most, whatever the other side does; one that is
/// refused as of another session is asked about and made once more.
pub(super) async fn send(account: &RunningAccount, message: Outbound) -> Delivery {
    let refused = |reason: String| Delivery::Refused { reason, retryable: false };
    let until = Instant::now() + account.settings.answer_timeout * ATTEMPT_CALLS;
    let message = match with_media(message, &account.context.media, FileTransfer::default()).await {
        Ok(message) => Arc::new(message),
        Err(reason) => return refused(reason),
    };
    let Some(to) = person(&message.conversation) else {
        return refused(format!("`{}` is not a person's conversation", message.conversation));
    };
    // Files are decoded, which takes its time.
    let (whole, max_text) = (Arc::clone(&message), account.max_text);
    let parts =
        health::blocking("wechat text", move || parts(&whole, max_text).map(PrintedParts::new))
            .await;
    let parts = match parts.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(parts) => parts,
        Err(reason) => return refused(reason),
    };
    send_parts(account, &message, to, &parts, until).await
}

/// The parts of a message, and for each the hash of all up to it.
struct PrintedParts {
    parts: Vec<OutboundPart>,
    prints: Vec<[u8; 16]>,
}

impl PrintedParts {
    fn new(parts: Vec<OutboundPart>) -> Self {
        let mut hash = Md5::new();
        let print = |part: &OutboundPart| {
            let (kind, name, bytes) = match part {
                OutboundPart::Text(text) => (0, "", text.as_bytes()),
                OutboundPart::File(file) => (file.kind.media_type(), &*file.name, &*file.bytes),
            };
            hash.update([kind]);
            for field in [name.as_bytes(), bytes] {
                hash.update((field.len() as u64).to_le_bytes());
                hash.update(field);
            }
            hash.clone().finalize().into()
        };
        let prints = parts.iter().map(print).collect();
        Self { parts, prints }
    }

    /// Whether the parts that went out are the first of these.
    fn begin_with(&self, gone: &PartProgress) -> bool {
        let Some(last) = (gone.parts as usize).checked_sub(1) else { return true };
        let print = self.prints.get(last);
        print.is_some_and(|print| gone.print.is_none_or(|known| known == *print))
    }
}

async fn send_parts(
    account: &RunningAccount,
    message: &Outbound,
    to: &str,
    all: &PrintedParts,
    until: Instant,
) -> Delivery {
    let before = account.windows.progress(&message.conversation, message.id);
    let mut progress = begin(message, before, all);
    let mut token = String::new();
    for (index, part) in all.parts.iter().enumerate().skip(progress.parts as usize) {
        let name = part_name(&progress, index);
        match send_part(account, message, to, name, part, until, &mut token).await {
            Ok(id) => {
                let id = account.proof(id);
                account.windows.take(&message.conversation, message.id);
                progress.is_unproved |= id.is_none();
                progress.external_id = progress.external_id.or(id);
                progress.parts += 1;
                progress.print = all.prints.get(index).copied();
                account.windows.set_progress(&message.conversation, progress.clone());
                // It does not go out again, however this attempt ends. After the last part, too: a kill may
                // come before the outcome is on disk.
                keep(account, &message.conversation).await;
            }
            Err(failure) => return not_sent(account, message, &token, progress, failure).await,
        }
    }
    let PartProgress { external_id, is_unproved: is_unconfirmed, .. } = progress;
    Delivery::Sent { external_id, is_unconfirmed }
}

/// Where an attempt begins: behind the parts that went out before, unless they say something else by now, or
/// somebody sends the message again after it was sent.
fn begin(message: &Outbound, before: Option<PartProgress>, all: &PrintedParts) -> PartProgress {
    let restarts = match before {
        Some(before) if all.begin_with(&before) && !is_recorded(message, &before, all) => {
            return before;
        }
        Some(before) => before.restarts + 1,
        None => 0,
    };
    let (message, external_id, is_unproved) = (message.id, None, false);
    PartProgress { message, parts: 0, print: None, restarts, external_id, is_unproved }
}

/// Whether these parts are those with which the message is recorded as sent. Without an ID only their number
/// tells.
fn is_recorded(message: &Outbound, gone: &PartProgress, all: &PrintedParts) -> bool {
    message.sent_as.as_deref() == Some(gone.external_id.as_deref().unwrap_or_default())
        && (gone.external_id.is_some() || gone.parts as usize >= all.parts.len())
}

/// Our name of a part: the same for every attempt at it, and another once it says something else, for a
/// server may take a name only once.
fn part_name(progress: &PartProgress, index: usize) -> String {
    match (progress.message, progress.restarts, index) {
        (message, 0, 0) => message.to_string(),
        (message, 0, index) => format!("{message}-{index}"),
        (message, restarts, index) => format!("{message}-{index}-{restarts}"),
    }
}

/// Sends one part; `token` is the reply token that it was sent with.
async fn send_part(
    account: &RunningAccount,
    message: &Outbound,
    to: &str,
    name: String,
    part: &OutboundPart,
    until: Instant,
    token: &mut String,
) -> Result<Option<String>, NotUploaded> {
    let late = || NotUploaded::Retryable("WeChat took too long; the rest is tried again".into());
    if Instant::now() >= until {
        return Err(late());
    }
    if account.stop.is_cancelled() {
        return Err(NotUploaded::Stopped);
    }
    *token = account.windows.token(&message.conversation).unwrap_or_default();
    let item = match part {
        OutboundPart::Text(text) => text_item(text),
        OutboundPart::File(file) => {
            let upload = timeout_at(until, upload(account, to, file));
            let uploaded = account.stop.run_until_cancelled(upload).await;
            uploaded.ok_or(NotUploaded::Stopped)?.unwrap_or_else(|_| Err(late()))?
        }
    };
    // One may have come in with a message while a file was uploaded.
    *token = account.windows.token(&message.conversation).unwrap_or_default();
    let send = |item| account.api.send_message(&account.session, to, &name, token, item);
    let mut sent = send(item.clone()).await;
    if let Err(CallFailure::Ended(reason)) = sent {
        account.take_up_session(reason).await.map_err(NotUploaded::Call)?;
        sent = send(item).await.map_err(CallFailure::of_living_session);
    }
    sent.map_err(NotUploaded::Call)
}

/// The outcome that a failure proves, and the state to keep.
async fn not_sent(
    account: &RunningAccount,
    message: &Outbound,
    token: &str,
    progress: PartProgress,
    failure: NotUploaded,
) -> Delivery {
    let conversation = &message.conversation;
    if progress.parts == 0 && progress.restarts > 0 {
        account.windows.set_progress(conversation, progress);
        keep(account, conversation).await;
    }
    let failure = match failure {
        NotUploaded::Call(failure) => failure,
        NotUploaded::Final(reason) => return Delivery::Refused { reason, retryable: false },
        NotUploaded::Retryable(reason) => return Delivery::Refused { reason, retryable: true },
        NotUploaded::Stopped => return Delivery::Closed,
    };
    match failure {
        CallFailure::Ended(reason) => account.session_ended(&reason),
        CallFailure::Limited(reason) => limited(account, message, token, &reason).await,
        CallFailure::Refused(reason) => {
            Delivery::Refused { reason: format!("WeChat refused it: {reason}"), retryable: true }
        }
        CallFailure::NotSent(reason) => account.unreachable(&reason),
        CallFailure::Unknown(reason) | CallFailure::Unreadable(reason) => {
            Delivery::Unknown { reason }
        }
        CallFailure::Late => Delivery::Unknown { reason: CallFailure::Late.reason().to_owned() },
    }
}

/// A limit refused it: it waits, unless it is this message alone that is refused.
async fn limited(
    account: &RunningAccount,
    message: &Outbound,
    token: &str,
    reason: &str,
) -> Delivery {
    let conversation = &message.conversation;
    let is_to_wait = account.windows.refuse(conversation, token, message.id, reason, now());
    keep(account, conversation).await;
    if is_to_wait {
        return Delivery::Closed;
    }
    let reason = format!("WeChat refused it with every new reply token, and took others: {reason}");
    Delivery::Refused { reason, retryable: false }
}

/// Has what is known of a conversation stored. It comes to the disk even where that takes longer than is
/// waited for here.
async fn keep(account: &RunningAccount, conversation: &str) {
    let conversations = BTreeSet::from([conversation.to_owned()]);
    let saving = account.save(Vec::new(), conversations, Vec::new());
    let saved = account.context.tracker.spawn(saving);
    let _ = timeout(KEEP_TIMEOUT, saved).await;
}

#[cfg(test)]
mod tests;
