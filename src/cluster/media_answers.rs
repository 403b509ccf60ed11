//! The answers to other nodes that lack a file.

use super::media::MediaExchange;
use super::media_wire::{Offer, PIECE_BYTES, PieceRequest, ToAll};
use crate::media::Blobs;
use async_nats::{Message, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};

/// Requests of other nodes that are answered at one time; more wait.
const ANSWERS_AT_ONCE: usize = 16;

impl MediaExchange {
    /// Answers other nodes until the connection ends.
    pub(super) async fn answer(&self) {
        let own = format!("{}.{}", self.subject, self.instance);
        let all = self.client.subscribe(self.subject.clone()).await;
        let (Ok(mut all), Ok(mut own)) = (all, self.client.subscribe(own).await) else {
            tracing::error!("cannot send files to other nodes: NATS accepts no subscription");
            return;
        };
        let (permits, mut tasks) = (Arc::new(Semaphore::new(ANSWERS_AT_ONCE)), JoinSet::new());
        while let Some((message, is_own)) = next(&mut all, &mut own).await {
            while tasks.try_join_next().is_some() {}
            // The semaphore is never closed.
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            let exchange = self.clone();
            tasks.spawn(async move {
                exchange.answer_one(message, is_own).await;
                drop(permit);
            });
        }
    }

    async fn answer_one(&self, message: Message, is_own: bool) {
        let (blobs, instance) = (self.blobs().clone(), self.instance.clone());
        let payload = message.payload;
        let answer = spawn_blocking(move || {
            if is_own { piece_of(&blobs, &payload) } else { offer_of(&blobs, &payload, instance) }
        });
        let answer = match answer.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::warn!("a file for another node cannot be read: {error}");
                None
            }
            Err(error) => {
                tracing::error!("cannot answer a request for a file: {error}");
                None
            }
        };
        // A missing piece has an empty answer; a node without the file does not answer.
        let answer = if is_own { Some(answer.unwrap_or_default()) } else { answer };
        if let (Some(reply), Some(answer)) = (message.reply, answer)
            && let Err(error) = self.client.publish(reply, answer).await
        {
            tracing::warn!("a node that asked for a file is not answered: {error}");
        }
    }
}

/// The next message of either; `None` once one of them has ended.
async fn next(all: &mut Subscriber, own: &mut Subscriber) -> Option<(Message, bool)> {
    tokio::select! {
        message = all.next() => message.map(|message| (message, false)),
        message = own.next() => message.map(|message| (message, true)),
    }
}

/// Answers if this node has a file, or removes the file.
fn offer_of(blobs: &Blobs, payload: &[u8], instance: String) -> io::Result<Option<Bytes>> {
    match serde_json::from_slice(payload) {
        Ok(ToAll::Find(media)) => {
            let Ok(hash) = media.parse() else { return Ok(None) };
            let Some(kept) = blobs.find_kept(hash)? else { return Ok(None) };
            let offer = Offer { instance, size: kept.size };
            Ok(Some(serde_json::to_vec(&offer).unwrap_or_default().into()))
        }
        Ok(ToAll::Forget(media)) => {
            let Ok(hash) = media.parse() else { return Ok(None) };
            blobs.remove(hash)?;
            Ok(None)
        }
        Err(error) => {
            tracing::warn!("a request of another node cannot be read: {error}");
            Ok(None)
        }
    }
}

/// A piece of a file; `None` if it is not here.
fn piece_of(blobs: &Blobs, payload: &[u8]) -> io::Result<Option<Bytes>> {
    let request: PieceRequest = serde_json::from_slice(payload).map_err(io::Error::other)?;
    let Ok(hash) = request.media.parse() else { return Ok(None) };
    let mut file = match blobs.open_kept(hash) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    file.seek(SeekFrom::Start(request.from))?;
    let mut bytes = Vec::new();
    file.take(request.bytes.min(PIECE_BYTES) as u64).read_to_end(&mut bytes)?;
    Ok(Some(bytes.into()))
}
