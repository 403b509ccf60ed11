//! The role of a store: without a cluster it always decides; as the store of a node it decides only
//! while the node leads.

use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// The role of a store, and channels to wait for a change.
#[derive(Debug)]
pub(super) struct StoreRole {
    is_of_a_node: bool,
    /// Whether commands are decided here.
    leading: watch::Sender<bool>,
    /// How often this store has begun to lead.
    term: AtomicU64,
    /// The stream sequence of the cluster's log that readers see; 0 in an independent store.
    stream_seq: watch::Sender<u64>,
}

impl StoreRole {
    pub(super) fn new(is_of_a_node: bool) -> Self {
        let leading = watch::Sender::new(!is_of_a_node);
        Self { is_of_a_node, leading, term: AtomicU64::new(0), stream_seq: watch::Sender::new(0) }
    }

    pub(super) fn is_of_a_node(&self) -> bool {
        self.is_of_a_node
    }

    pub(super) fn is_leading(&self) -> bool {
        *self.leading.borrow()
    }

    pub(super) fn lead(&self, is_leading: bool) {
        if is_leading {
            self.term.fetch_add(1, Ordering::SeqCst);
        }
        self.leading.send_if_modified(|now| std::mem::replace(now, is_leading) != is_leading);
    }

    /// The number of times that this store has begun to lead; in an independent store always 0.
    pub(super) fn term(&self) -> u64 {
        self.term.load(Ordering::SeqCst)
    }

    pub(super) fn leading(&self) -> watch::Receiver<bool> {
        self.leading.subscribe()
    }

    /// Notes the stream sequence that readers now see.
    pub(super) fn reach(&self, stream_seq: u64) {
        self.stream_seq.send_if_modified(|now| std::mem::replace(now, stream_seq) != stream_seq);
    }

    pub(super) fn stream_seqs(&self) -> watch::Receiver<u64> {
        self.stream_seq.subscribe()
    }
}
