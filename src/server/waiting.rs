//! Reasons why messages wait (contract, item 30). In a cluster only the leader knows them, for
//! adapters are connected to it; the others ask it.

use super::context::ServerContext;
use crate::cluster::{Answerer, MAX_ASKED_REASONS};
use crate::model::message::Message;
use crate::model::message_fields::MessageFields;
use crate::model::wait_reason::WaitReason;
use crate::outbox;
use crate::store::View;
use bytes::Bytes;
use std::sync::{Arc, Weak};

/// Fills in why messages wait.
pub async fn fill<'a>(
    context: &ServerContext,
    messages: impl IntoIterator<Item = &'a mut Message>,
    view: &View,
) {
    let mut messages = those_that_wait(messages);
    if context.follows() {
        ask(context, &mut messages).await;
    } else {
        fill_all(context, &mut messages, view);
    }
}

/// Fills in why messages wait where this node knows it, from the disk; others are left as they are.
pub fn fill_here<'a>(
    context: &ServerContext,
    messages: impl IntoIterator<Item = &'a mut Message>,
    view: &View,
) {
    if !context.follows() {
        fill_all(context, &mut those_that_wait(messages), view);
    }
}

/// Fills in why messages wait where the leader knows it.
pub async fn fill_from_leader<'a>(
    context: &ServerContext,
    messages: impl IntoIterator<Item = &'a mut Message>,
) {
    if context.follows() {
        ask(context, &mut those_that_wait(messages)).await;
    }
}

fn those_that_wait<'a>(
    messages: impl IntoIterator<Item = &'a mut Message>,
) -> Vec<&'a mut Message> {
    messages.into_iter().filter(|message| message.fields().waits()).collect()
}

/// Neighbours without a platform and with one recipient wait for the same reason, which is found once.
fn fill_all(context: &ServerContext, messages: &mut [&mut Message], view: &View) {
    for run in messages.chunk_by_mut(|one, next| {
        one.platform.is_none() && next.platform.is_none() && one.recipient == next.recipient
    }) {
        let [first, others @ ..] = run else { continue };
        first.waiting = reason(context, first, view);
        for other in others {
            other.waiting.clone_from(&first.waiting);
        }
    }
}

/// Why messages of a page wait, where this node knows it. Neighbours without a platform and with one
/// recipient wait for the same reason, which is found once.
pub struct KnownReasons<'a> {
    context: &'a ServerContext,
    view: &'a View,
    /// The recipient of the last message without a platform, and its reason.
    last: Option<(String, Option<WaitReason>)>,
}

impl<'a> KnownReasons<'a> {
    /// None is known yet.
    pub fn new(context: &'a ServerContext, view: &'a View) -> Self {
        Self { context, view, last: None }
    }

    /// Why a message waits, of which `decode` gives all.
    pub fn of<E>(
        &mut self,
        fields: &MessageFields,
        decode: impl FnOnce() -> Result<Message, E>,
    ) -> Result<Option<WaitReason>, E> {
        if !fields.waits() {
            return Ok(None);
        }
        let has_no_platform = fields.platform.is_none();
        if let Some((recipient, reason)) = &self.last
            && has_no_platform
            && recipient == fields.recipient
        {
            return Ok(reason.clone());
        }
        let reason = reason(self.context, &decode()?, self.view);
        self.last = has_no_platform.then(|| (fields.recipient.to_owned(), reason.clone()));
        Ok(reason)
    }
}

fn reason(context: &ServerContext, message: &Message, view: &View) -> Option<WaitReason> {
    let default_platform = context.config.default_platform.as_deref();
    outbox::waiting(message, view, &context.registry, &context.attempts, default_platform)
}

/// Has the leader tell the reasons.
async fn ask(context: &ServerContext, messages: &mut [&mut Message]) {
    let Some(cluster) = &context.cluster else { return };
    if messages.is_empty() {
        return;
    }
    let seqs: Vec<u64> = messages.iter().map(|message| message.seq).collect();
    for (message, reason) in messages.iter_mut().zip(cluster.waiting.of(&seqs).await) {
        message.waiting = reason;
    }
}

/// Tells other nodes why messages wait, as the leader.
pub fn telling(context: Weak<ServerContext>) -> Answerer {
    Arc::new(move |asked| {
        let context = context.clone();
        Box::pin(async move {
            let told = context.upgrade().and_then(|context| reasons_of(&context, &asked));
            // An answer that cannot be read says that there is none.
            told.map_or_else(Bytes::new, Bytes::from)
        })
    })
}

fn reasons_of(context: &ServerContext, asked: &[u8]) -> Option<Vec<u8>> {
    let mut seqs: Vec<u64> = serde_json::from_slice(asked).ok()?;
    seqs.truncate(MAX_ASKED_REASONS);
    let view = context.store.view().ok()?;
    let mut found: Vec<Option<Message>> =
        seqs.iter().map(|&seq| view.by_seq(seq).ok().flatten()).collect();
    fill_all(context, &mut those_that_wait(found.iter_mut().flatten()), &view);
    let found = found.into_iter();
    let reasons: Vec<_> = found.map(|message| Some(message?.waiting?.to_string())).collect();
    serde_json::to_vec(&reasons).ok()
}
