//! The media that the server keeps, and the tasks that fetch and remove them.

use super::leading::while_leading;
use crate::adapter::Registry;
use crate::cluster::{ClusterHandle, ClusterNode};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::health;
use crate::media::fetch::Fetcher;
use crate::media::fetch_incoming::IncomingMedia;
use crate::media::fetch_missing::Completer;
use crate::media::partial::Partials;
use crate::media::sign::Signer;
use crate::media::{AdapterMedia, Blobs, NewMedia, folder_beside, sweep};
use crate::store::Store;
use std::sync::Arc;
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
    new_media: Arc<NewMedia>,
    /// The cluster that this server is a node of.
    pub(super) cluster: Option<ClusterHandle>,
}

impl OpenedMedia {
    /// Opens the folder beside the store. The store is open, so no other process writes there.
    pub(super) fn open(
        config: &Config,
        new_media: Arc<NewMedia>,
        store: &Store,
        node: Option<&ClusterNode>,
    ) -> Result<Self> {
        let folder = folder_beside(&config.db);
        let cannot = |error| {
            Error::failed(format!("cannot read the media in {}: {error}", folder.display()))
                .hint("the folder and all in it must belong to the user that runs the server")
        };
        let blobs = Blobs::open(&folder, config.media.bounds()).map_err(cannot)?;
        let cluster = node.map(|node| node.handle(blobs.clone()));
        let blobs = match &cluster {
            Some(cluster) => blobs.with_peers(Arc::new(cluster.media.clone())),
            None => blobs,
        };
        let partials = Partials::of(blobs.clone()).map_err(cannot)?;
        let timeout = config.media.fetch_timeout();
        let fetcher = Fetcher::new(config.media.allowed(), blobs.clone(), timeout);
        let signer = match node {
            Some(_) => Signer::with_key(store.view()?.shared_key("addresses of media")),
            None => Signer::new().map_err(|error| {
                Error::failed(format!("the system gives no random numbers: {error}"))
            })?,
        };
        let url = config.media.url.clone();
        Ok(Self { blobs, partials, signer, url, fetcher, new_media, cluster })
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
        let Self { blobs, partials, fetcher, new_media, .. } = self;
        let completer = Completer { store: store.clone(), blobs: blobs.clone(), fetcher, registry };
        let incoming = IncomingMedia {
            completer: completer.clone(),
            wanted: config.media.wanted(),
            at_once: config.media.fetches,
            new_media,
        };
        let until = stop.clone();
        let fetching = move |until: CancellationToken| {
            let (incoming, end) = (incoming.clone(), until.clone());
            health::supervise("media fetcher", until, move || incoming.clone().run(end.clone()))
        };
        tasks.spawn(while_leading(store.leading(), until, fetching));
        // Each node has files of its own.
        let (store, db, end) = (store.clone(), config.db.clone(), stop.clone());
        let sweep = move || {
            let (store, blobs, partials) = (store.clone(), blobs.clone(), partials.clone());
            sweep::run(store, blobs, partials, db.clone(), end.clone())
        };
        tasks.spawn(health::supervise("media sweep", stop.clone(), sweep));
        completer
    }
}
