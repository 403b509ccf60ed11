//! Files of other nodes: a node that lacks a file asks all other nodes, and reads it from the first one
//! that has it, piece by piece. It keeps the file if the SHA-256 is right.

use super::connection::NatsConnection;
use super::media_wire::{Offer, PIECE_BYTES, PieceRequest, ToAll};
use crate::media::{BlobRefused, Blobs, Hash, MediaPeers, Upload};
use async_nats::Client;
use async_nats::client::Request;
use async_nats::connection::State;
use bytes::Bytes;
use futures_util::future::{BoxFuture, Shared};
use futures_util::{FutureExt, StreamExt, stream};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Bytes of a message that are left for its head.
const HEAD_BYTES: usize = 1 << 10;

/// Pieces of one file that are requested at one time.
const PIECES_AT_ONCE: usize = 4;

/// Files that are copied here at one time; more wait.
const FILES_AT_ONCE: usize = 8;

/// How long a node may take to say that it has a file.
const OFFER_TIMEOUT: Duration = Duration::from_secs(1);

/// Time limit of a piece.
const PIECE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a reader waits for a file; the copying continues afterwards.
const READER_TIMEOUT: Duration = Duration::from_secs(30);

/// Readers that wait for files of other nodes at one time, each with a thread. Further readers get no file
/// that is not here.
const MAX_READERS: usize = 64;

/// How long a file that no node has is not requested again, and the number of such files that are remembered.
const MISSING_FOR: Duration = Duration::from_secs(5);
const MAX_MISSING: usize = 1024;

/// Copies files here from other nodes, and sends them files that are here.
#[derive(Clone)]
pub struct MediaExchange {
    pub(super) client: Client,
    pub(super) subject: String,
    pub(super) instance: String,
    blobs: Blobs,
    runtime: Handle,
    files: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    missing: Arc<Mutex<HashMap<Hash, Instant>>>,
    /// Files that are being copied; all readers of a file wait for the same copy.
    coming: Arc<Mutex<HashMap<Hash, Coming>>>,
}

/// A file that is being copied here.
type Coming = Shared<BoxFuture<'static, Result<(), NotBrought>>>;

impl fmt::Debug for MediaExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaExchange").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Why a file could not be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotBrought {
    /// No node that answers has it.
    Nowhere,
    /// There is no space for it here.
    NoRoom(BlobRefused),
    Broken(String),
}

impl fmt::Display for NotBrought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("no node has it"),
            Self::NoRoom(refused) => refused.fmt(f),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

impl From<BlobRefused> for NotBrought {
    fn from(refused: BlobRefused) -> Self {
        Self::NoRoom(refused)
    }
}

impl MediaExchange {
    /// The exchange for the files of `blobs`; `instance` is one start of this node's process.
    pub(super) fn new(connection: &NatsConnection, instance: &str, blobs: Blobs) -> Self {
        Self {
            client: connection.context.client(),
            subject: format!("{}.media", connection.prefix),
            instance: instance.to_owned(),
            blobs,
            runtime: Handle::current(),
            files: Arc::new(Semaphore::new(FILES_AT_ONCE)),
            readers: Arc::new(Semaphore::new(MAX_READERS)),
            missing: Arc::default(),
            coming: Arc::default(),
        }
    }

    /// The files that are kept here.
    pub(super) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Makes every other node remove a file that was removed here. A node that cannot be reached removes it
    /// when it looks for files that no message has.
    pub async fn forget(&self, hash: Hash) {
        if let Err(error) = self.tell_all(&ToAll::Forget(hash.to_string()), None).await {
            tracing::warn!("cannot tell other nodes that {hash} was removed: {error}");
        }
    }

    /// Copies a file here, unless it is here already.
    pub(super) async fn bring_here(&self, hash: Hash) -> Result<(), NotBrought> {
        let coming = self
            .lock_coming()
            .entry(hash)
            .or_insert_with(|| {
                let exchange = self.clone();
                async move { exchange.fetch(hash).await }.boxed().shared()
            })
            .clone();
        let brought = coming.clone().await;
        let mut all = self.lock_coming();
        if all.get(&hash).is_some_and(|one| one.ptr_eq(&coming)) {
            all.remove(&hash);
        }
        brought
    }

    fn lock_coming(&self) -> MutexGuard<'_, HashMap<Hash, Coming>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, hash: Hash) -> Result<(), NotBrought> {
        // The semaphore is never closed.
        let Ok(_permit) = self.files.acquire().await else { return Err(NotBrought::Nowhere) };
        let blobs = self.blobs.clone();
        if on_thread(move || Ok(blobs.is_kept(hash)?)).await? {
            return Ok(());
        }
        if self.client.connection_state() != State::Connected || self.is_missing(hash) {
            return Err(NotBrought::Nowhere);
        }
        let Some(offer) = self.ask(hash).await.map_err(NotBrought::Broken)? else {
            self.note_missing(hash);
            return Err(NotBrought::Nowhere);
        };
        self.read_from(&offer, hash).await
    }

    /// The first node that says it has a file.
    async fn ask(&self, hash: Hash) -> Result<Option<Offer>, String> {
        let inbox = self.client.new_inbox();
        let mut offers =
            self.client.subscribe(inbox.clone()).await.map_err(|error| error.to_string())?;
        self.tell_all(&ToAll::Find(hash.to_string()), Some(inbox)).await?;
        let offer = timeout(OFFER_TIMEOUT, offers.next()).await;
        let offer = offer.ok().flatten();
        Ok(offer.and_then(|offer| serde_json::from_slice(&offer.payload).ok()))
    }

    async fn tell_all(&self, question: &ToAll, reply: Option<String>) -> Result<(), String> {
        let payload = Bytes::from(serde_json::to_vec(question).unwrap_or_default());
        let sent = match reply {
            Some(reply) => {
                self.client.publish_with_reply(self.subject.clone(), reply, payload).await
            }
            None => self.client.publish(self.subject.clone(), payload).await,
        };
        sent.map_err(|error| error.to_string())
    }

    /// Reads a file from another node, and stores it.
    async fn read_from(&self, offer: &Offer, hash: Hash) -> Result<(), NotBrought> {
        let (blobs, size) = (self.blobs.clone(), offer.size);
        let begin = move || {
            blobs.check_quota(size)?;
            let upload = Upload::begin(&blobs)?;
            upload.check_size(size)?;
            Ok(upload)
        };
        let mut upload = on_thread(begin).await?;
        let bytes = PIECE_BYTES.min(self.client.max_payload().saturating_sub(HEAD_BYTES)).max(1);
        let pieces = (0..size).step_by(bytes).map(|from| self.piece(offer, hash, from, bytes));
        let mut pieces = stream::iter(pieces).buffered(PIECES_AT_ONCE);
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(NotBrought::Broken)?;
            upload = on_thread(move || upload.write(&piece).map(|()| upload)).await?;
        }
        if upload.hash() != hash {
            return Err(NotBrought::Broken("a node sent other bytes than it should".into()));
        }
        on_thread(move || upload.finish()).await?;
        tracing::debug!(%hash, size, "a file came from another node");
        Ok(())
    }

    async fn piece(
        &self,
        offer: &Offer,
        hash: Hash,
        from: u64,
        bytes: usize,
    ) -> Result<Bytes, String> {
        let request = PieceRequest { media: hash.to_string(), from, bytes };
        let payload = serde_json::to_vec(&request).unwrap_or_default();
        let request = Request::new().payload(payload.into()).timeout(Some(PIECE_TIMEOUT));
        let subject = format!("{}.{}", self.subject, offer.instance);
        let piece = self.client.send_request(subject, request).await;
        let piece = piece.map_err(|error| format!("the node that has it: {error}"))?.payload;
        let wanted = (offer.size - from).min(bytes as u64);
        if piece.len() as u64 != wanted {
            return Err("the node does not have the file any more".into());
        }
        Ok(piece)
    }

    fn is_missing(&self, hash: Hash) -> bool {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.get(&hash).is_some_and(|since| since.elapsed() < MISSING_FOR)
    }

    fn note_missing(&self, hash: Hash) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if missing.len() >= MAX_MISSING {
            missing.retain(|_, since| since.elapsed() < MISSING_FOR);
        }
        if missing.len() < MAX_MISSING {
            missing.insert(hash, Instant::now());
        }
    }
}

async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobRefused> + Send + 'static,
) -> Result<T, NotBrought> {
    match spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(NotBrought::Broken(error.to_string())),
    }
}

impl MediaPeers for MediaExchange {
    fn bring(&self, hash: Hash) -> bool {
        if self.is_missing(hash) {
            return false;
        }
        let Ok(_reader) = self.readers.try_acquire() else { return false };
        let (exchange, (sender, brought_here)) = (self.clone(), mpsc::channel());
        self.runtime.spawn(async move {
            let brought = exchange.bring_here(hash).await;
            match &brought {
                Ok(()) | Err(NotBrought::Nowhere) => {}
                Err(error) => {
                    tracing::warn!("cannot store the file {hash} of another node: {error}")
                }
            }
            let _ = sender.send(brought.is_ok());
        });
        brought_here.recv_timeout(READER_TIMEOUT).unwrap_or_default()
    }
}
