//! The media that the server keeps, and the tasks that fetch and remove them.

use crate::adapter::Registry;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::health;
use crate::media::complete::Completer;
use crate::media::fetch::Fetcher;
use crate::media::fetch_incoming::IncomingMedia;
use crate::media::partial::Partials;
use crate::media::sign::Signer;
use crate::media::{AdapterMedia, Blobs, folder_beside, sweep};
use crate::store::Store;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Media, as the server opens them.
#[derive(Clone)]
pub(super) struct OpenedMedia {
    pub(super) blobs: Blobs,
    pub(super) partials: Partials,
    pub(super) signer: Signer,
    url: Option<String>,
    fetcher: Fetcher,
    /// Notified of every commit.
    commits: Arc<Notify>,
}

impl OpenedMedia {
    /// Opens the folder beside the store. The store is open, so no other process writes there.
    pub(super) fn open(config: &Config, commits: Arc<Notify>) -> Result<Self> {
        let folder = folder_beside(&config.db);
        let cannot = |error| {
            Error::failed(format!("cannot read the media in {}: {error}", folder.display()))
        };
        let blobs = Blobs::open(&folder, config.media.bounds()).map_err(cannot)?;
        let partials = Partials::of(blobs.clone()).map_err(cannot)?;
        let timeout = config.media.fetch_timeout();
        let fetcher = Fetcher::new(config.media.allowed(), blobs.clone(), timeout);
        let signer = Signer::new().map_err(|error| {
            Error::failed(format!("the system gives no random numbers: {error}"))
        })?;
        Ok(Self { blobs, partials, signer, url: config.media.url.clone(), fetcher, commits })
    }

    /// The media as adapters read them.
    pub(super) fn for_adapters(&self) -> Arc<AdapterMedia> {
        let Self { blobs, signer, url, .. } = self.clone();
        Arc::new(AdapterMedia { blobs, signer, url })
    }

    /// Starts the tasks; gives what fetches media that somebody asks for.
    pub(super) fn start(
        self,
        config: &Config,
        store: &Arc<Store>,
        registry: Registry,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Completer {
        let Self { blobs, partials, fetcher, commits, .. } = self;
        let completer = Completer { store: store.clone(), blobs: blobs.clone(), fetcher, registry };
        let arrivals = IncomingMedia {
            completer: completer.clone(),
            wanted: config.media.wanted(),
            at_once: config.media.fetches,
            commits,
        };
        let until = stop.clone();
        let fetching = move || arrivals.clone().run(until.clone());
        tasks.spawn(health::supervise("media fetcher", stop.clone(), fetching));
        let (store, db, until) = (store.clone(), config.db.clone(), stop.clone());
        let sweeping = move || {
            let (store, blobs, partials) = (store.clone(), blobs.clone(), partials.clone());
            sweep::run(store, blobs, partials, db.clone(), until.clone())
        };
        tasks.spawn(health::supervise("media sweep", stop.clone(), sweeping));
        completer
    }
}
