//! Requests to the writer.

use crate::log::SharedBatch;
use crate::store::command::{Answer, Command};
use crate::store::error::{Result, StoreError};
use tokio::sync::oneshot;

/// Where an answer goes.
pub(super) type AnswerSender = oneshot::Sender<Result<Answer>>;

/// Something for the writer to do.
pub(in crate::store) enum WriterRequest {
    /// Carry out a command, where a term is given only while the store leads in that.
    Command(Box<Command>, Option<u64>, AnswerSender),
    /// Do what the role of a node takes.
    Cluster(ClusterRequest),
}

/// A request of the node's part in its cluster.
pub(in crate::store) enum ClusterRequest {
    /// Apply what was read from the log of the cluster, behind the batch at a stream sequence.
    Replicate(u64, Vec<SharedBatch>, oneshot::Sender<Result<()>>),
    /// Begin to lead the cluster, behind a message of its log; the last whole batch is to be applied.
    Lead { applied: u64, after: u64, answer: oneshot::Sender<Result<()>> },
    /// Lead no longer.
    Follow(oneshot::Sender<()>),
}

impl WriterRequest {
    pub(super) fn refuse(self, error: StoreError) {
        use ClusterRequest::{Follow, Lead, Replicate};
        match self {
            Self::Command(_, _, answer) => drop(answer.send(Err(error))),
            Self::Cluster(Replicate(_, _, answer) | Lead { answer, .. }) => {
                drop(answer.send(Err(error)));
            }
            Self::Cluster(Follow(answer)) => drop(answer.send(())),
        }
    }
}
