//! Opens the store, and tells the parts of the server what is committed.

use crate::activity::ActivityCounts;
use crate::clock::now;
use crate::cluster::WantedCopies;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::media::NewMedia;
use crate::model::change::Committed;
use crate::outbox::CommitObserver;
use crate::raw_events::RawEventRetention;
use crate::store::{self, Head, Listener, SharedLogFactory, Store, StoreOptions};
use std::path::Path;
use std::sync::Arc;

/// Opens the store; a server that has it already is told apart from any other process.
pub(super) async fn open(
    config: &Config,
    socket: &Path,
    commits: Commits,
    shared_log: Option<SharedLogFactory>,
) -> Result<Arc<Store>> {
    let runs_already = async || {
        let text = format!("a rechat server already runs on {}", config.db.display());
        let hint = "use that server, or name another store with --db";
        let answers = tokio::net::UnixStream::connect(socket).await.is_ok();
        answers.then(|| Error::failed(text).hint(hint))
    };
    // Looked at first, too: opening waits for another process that has the file.
    if let Some(error) = runs_already().await {
        return Err(error);
    }
    let options = StoreOptions { shared_log, ..config.store_options(store::Access::Write) };
    match Store::open(&options, Box::new(commits)) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(runs_already().await.unwrap_or_else(|| error.into())),
    }
}

/// Listeners of commits.
pub(super) struct Commits {
    pub(super) hub: Arc<Hub>,
    pub(super) outbox: CommitObserver,
    pub(super) activity: Arc<ActivityCounts>,
    pub(super) media: Arc<NewMedia>,
    /// In a cluster: files that other nodes may have.
    pub(super) wanted: Option<Arc<WantedCopies>>,
    pub(super) raw_events: Arc<RawEventRetention>,
}

impl Listener for Commits {
    fn opened(&mut self, head: Head) {
        self.hub.opened(head);
        self.outbox.opened();
        self.media.opened();
    }

    fn committed(&mut self, batch: Arc<Committed>) {
        self.outbox.committed(&batch.changes);
        self.activity.committed(&batch.changes, now());
        if let Some(wanted) = &self.wanted {
            wanted.committed(&batch.changes);
        }
        self.media.committed(&batch.changes);
        self.hub.committed(batch);
        self.raw_events.stored();
    }
}
