//! Calls to send a message that had no answer in time, or whose connection ended.
//!
//! An answer that comes later still tells what became of the message. It may come by the next connection of
//! the implementation, so all connections share these calls.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Calls that are kept; beyond that the oldest are forgotten.
const MAX_LATE: usize = 4096;

/// The calls of all connections whose answer may still come.
#[derive(Debug, Default)]
pub(in crate::adapter::onebot) struct LateCalls(Mutex<VecDeque<(String, SendCall)>>);

/// A call that was to send a message.
#[derive(Clone, Debug)]
pub(in crate::adapter::onebot) struct SendCall {
    pub(in crate::adapter::onebot) message: Uuid,
    /// The account that was to send it, if the call named one.
    pub(in crate::adapter::onebot) account: Option<String>,
    /// The place of the part that it was to send, if not the whole message.
    pub(in crate::adapter::onebot) part: Option<usize>,
}

impl LateCalls {
    /// Keeps a call by its echo, which no other call has.
    pub(super) fn keep(&self, echo: String, call: SendCall) {
        let mut calls = self.lock();
        if calls.len() == MAX_LATE {
            calls.pop_front();
        }
        calls.push_back((echo, call));
    }

    /// Takes out the call with this echo.
    pub(super) fn take(&self, echo: &str) -> Option<SendCall> {
        let mut calls = self.lock();
        let index = calls.iter().position(|(late, _)| late == echo)?;
        calls.remove(index).map(|(_, call)| call)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, SendCall)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
