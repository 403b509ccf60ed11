//! Following the changes of state.

use super::row::Row;
use super::{Registry, is_stood_in};
use crate::adapter::State;
use std::collections::VecDeque;
use tokio::sync::broadcast;

/// A change of one adapter's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    #[allow(missing_docs)]
    pub platform: String,
    /// The account, where one is known.
    pub account: Option<String>,
    #[allow(missing_docs)]
    pub state: State,
    /// Why, where it is not plain.
    pub reason: Option<String>,
}

/// The changes of state, for one reader.
#[derive(Debug)]
pub struct Changes {
    registry: Registry,
    pub(super) receiver: broadcast::Receiver<StatusChange>,
    /// What is told instead of changes that were missed.
    present: VecDeque<StatusChange>,
}

impl Changes {
    pub(super) fn new(registry: Registry) -> Self {
        let receiver = registry.shared.changes.subscribe();
        Self { registry, receiver, present: VecDeque::new() }
    }

    /// The next change. A reader that lags far behind is told the present states instead.
    pub async fn next(&mut self) -> StatusChange {
        loop {
            if let Some(change) = self.present.pop_front() {
                return change;
            }
            match self.receiver.recv().await {
                Ok(change) => return change,
                Err(broadcast::error::RecvError::Lagged(_)) => self.catch_up(),
                // The registry is held here, so its sender lives.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn catch_up(&mut self) {
        let rows = self.registry.rows();
        // Under the lock nothing is published, so no change is missed or told twice.
        self.receiver = self.registry.shared.changes.subscribe();
        self.present = rows
            .list
            .iter()
            .filter(|row| !is_stood_in(row, &rows.list))
            .map(Row::present)
            .collect();
    }
}
