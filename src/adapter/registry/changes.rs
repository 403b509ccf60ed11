//! Following the changes of state.

use super::entry::AccountEntry;
use super::table::RegistryShared;
use crate::protocol::platform::AdapterStatusChange;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::broadcast;

/// The changes of state, for one reader.
#[derive(Debug)]
pub struct Changes {
    shared: Arc<RegistryShared>,
    pub(super) receiver: broadcast::Receiver<AdapterStatusChange>,
    /// Present states, told in place of changes that were missed.
    present: VecDeque<AdapterStatusChange>,
}

impl Changes {
    pub(super) fn new(shared: Arc<RegistryShared>) -> Self {
        let receiver = shared.changes.subscribe();
        Self { shared, receiver, present: VecDeque::new() }
    }

    /// The next change. A reader that lags far behind is told the present states instead.
    pub async fn next(&mut self) -> AdapterStatusChange {
        loop {
            if let Some(change) = self.present.pop_front() {
                return change;
            }
            match self.receiver.recv().await {
                Ok(change) => return change,
                Err(broadcast::error::RecvError::Lagged(_)) => self.catch_up(),
                // The sender is held here, so it is never gone.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn catch_up(&mut self) {
        let table = self.shared.lock();
        // Under the lock nothing is published, so no change is missed or told twice.
        self.receiver = self.shared.changes.subscribe();
        self.present = table.shown().map(AccountEntry::as_change).collect();
    }
}
