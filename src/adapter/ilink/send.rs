//! Sending a message: its parts one after the other, and what each answer proves.

use super::account::RunningAccount;
use super::address::person;
use super::api::CallFailure;
use super::memory::keep_reply;
use super::outbound::{OutboundPart, parts, text_item};
use super::reply::{PartProgress, ReplyState};
use super::upload::{NotUploaded, upload};
use crate::adapter::api::{AdapterEvent, Delivery, Outbound, Ways, with_media};
use crate::clock::now;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

/// The time limits of a call that an attempt may take in all before its last call.
const ATTEMPT_CALLS: u32 = 10;

/// How long an attempt waits until its progress is on disk; the disk may refuse for long.
const KEEP_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends a message. A part that went out is not sent again when the rest has to wait. Takes
/// [`ATTEMPT_CALLS`] time limits and the last call at most, whatever the other side does.
pub(super) async fn send(account: &RunningAccount, message: Outbound) -> Delivery {
    let refused = |reason: String| Delivery::Refused { reason, retryable: false };
    let until = Instant::now() + account.settings.answer_timeout * ATTEMPT_CALLS;
    let message = match with_media(message, &account.context.media, Ways::default()).await {
        Ok(message) => Arc::new(message),
        Err(reason) => return refused(reason),
    };
    let Some(to) = person(&message.conversation) else {
        return refused(format!("`{}` is not a person's conversation", message.conversation));
    };
    // Files are decoded, which takes its time.
    let (whole, max_text) = (Arc::clone(&message), account.max_text);
    let parts = spawn_blocking(move || parts(&whole, max_text)).await;
    let parts = match parts.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(parts) => parts,
        Err(reason) => return refused(reason),
    };
    send_parts(account, &message, to, &parts, until).await
}

async fn send_parts(
    account: &RunningAccount,
    message: &Outbound,
    to: &str,
    parts: &[OutboundPart],
    until: Instant,
) -> Delivery {
    let before = account.windows.progress(&message.conversation, message.id);
    let is_continued = before.is_some();
    let mut progress = before.unwrap_or(PartProgress {
        message: message.id,
        parts: 0,
        external_id: None,
        is_unproved: false,
    });
    let mut token = String::new();
    for (index, part) in parts.iter().enumerate().skip(progress.parts as usize) {
        match send_part(account, message, to, index, part, until, &mut token).await {
            Ok(id) => {
                account.windows.take(&message.conversation);
                progress.is_unproved |= id.is_none();
                progress.external_id = progress.external_id.or(id);
                progress.parts += 1;
            }
            Err(failure) => return not_sent(account, message, &token, progress, failure).await,
        }
    }
    if is_continued {
        let reply = account.windows.set_progress(&message.conversation, None);
        keep(account, &message.conversation, reply).await;
    }
    let PartProgress { external_id, is_unproved: is_unconfirmed, .. } = progress;
    Delivery::Sent { external_id, is_unconfirmed }
}

/// Sends one part; `token` is the reply token that it was sent with.
async fn send_part(
    account: &RunningAccount,
    message: &Outbound,
    to: &str,
    index: usize,
    part: &OutboundPart,
    until: Instant,
    token: &mut String,
) -> Result<Option<String>, NotUploaded> {
    let late = || NotUploaded::Retryable("WeChat took too long; the rest is tried again".into());
    if Instant::now() >= until {
        return Err(late());
    }
    *token = account.windows.token(&message.conversation).unwrap_or_default();
    let item = match part {
        OutboundPart::Text(text) => text_item(text),
        OutboundPart::File(file) => {
            timeout_at(until, upload(account, to, file)).await.unwrap_or_else(|_| Err(late()))?
        }
    };
    // One may have come in with a message while a file was uploaded.
    *token = account.windows.token(&message.conversation).unwrap_or_default();
    // The same for every attempt at this part.
    let client_id = match index {
        0 => message.id.to_string(),
        index => format!("{}-{index}", message.id),
    };
    let sent = account.api.send_message(&account.session, to, &client_id, token, item).await;
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
    if progress.parts > 0 {
        let reply = account.windows.set_progress(conversation, Some(progress));
        keep(account, conversation, reply).await;
    }
    let failure = match failure {
        NotUploaded::Call(failure) => failure,
        NotUploaded::Final(reason) => return Delivery::Refused { reason, retryable: false },
        NotUploaded::Retryable(reason) => return Delivery::Refused { reason, retryable: true },
    };
    match failure {
        CallFailure::Ended(words) if !account.is_ended().await => {
            limited(account, message, token, &words).await
        }
        CallFailure::Ended(_) => account.session_ended(),
        CallFailure::Limited(words) => limited(account, message, token, &words).await,
        CallFailure::Refused(words) => {
            Delivery::Refused { reason: format!("WeChat refused it: {words}"), retryable: true }
        }
        CallFailure::NotSent(words) => account.unreachable(&words),
        CallFailure::Unknown(reason) => Delivery::Unknown { reason },
        CallFailure::Late => Delivery::Unknown { reason: CallFailure::Late.words().to_owned() },
    }
}

/// A limit refused it: it waits, unless several fresh tokens were refused for it.
async fn limited(
    account: &RunningAccount,
    message: &Outbound,
    token: &str,
    words: &str,
) -> Delivery {
    let conversation = &message.conversation;
    let (is_to_wait, reply) = account.windows.refuse(conversation, token, message.id, words, now());
    keep(account, conversation, reply).await;
    if is_to_wait {
        return Delivery::Closed;
    }
    let reason = format!("WeChat refused it with every new reply token: {words}");
    Delivery::Refused { reason, retryable: false }
}

async fn keep(account: &RunningAccount, conversation: &str, reply: ReplyState) {
    let state = keep_reply(account.platform(), &account.login.account, conversation, reply);
    let (stored, is_stored) = oneshot::channel();
    let batch = AdapterEvent::Batch { messages: Vec::new(), state: vec![state], stored };
    let events = account.context.events.clone();
    // It comes to the disk even where that takes longer than is waited for here.
    account.context.tracker.spawn(async move { events.report(batch).await });
    let _ = timeout(KEEP_TIMEOUT, is_stored).await;
}
