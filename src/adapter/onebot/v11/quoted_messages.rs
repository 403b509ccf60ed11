//! A cache of quoted messages, as `get_msg` returned them.

use crate::model::message::ReplyTo;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Messages remembered.
const MAX_REMEMBERED: usize = 256;

/// The messages that were asked for last, by a key.
#[derive(Debug, Default)]
pub(super) struct AnsweredMessages {
    known: Mutex<VecDeque<(String, ReplyTo)>>,
}

/// The key of a message in a conversation.
pub(super) fn answered_key(conversation: &str, external_id: &str) -> String {
    format!("answered {conversation} {external_id}")
}

impl AnsweredMessages {
    pub(super) fn get(&self, key: &str) -> Option<ReplyTo> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(other, _)| other == key).map(|(_, found)| found.clone())
    }

    pub(super) fn keep(&self, key: &str, found: ReplyTo) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == MAX_REMEMBERED {
            known.pop_front();
        }
        known.push_back((key.to_owned(), found));
    }
}
