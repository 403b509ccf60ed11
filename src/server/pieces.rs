//! Answers that are read and written a piece at a time, so that large ones do not take up memory for
//! readers who are slow.

use super::body::{Body, Broken, HttpResponse, JSON, whole};
use super::context::ServerContext;
use super::error::Result;
use crate::store;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::header::CONTENT_TYPE;
use hyper::{Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of an answer that go out in one piece.
pub const PIECE_BYTES: usize = 256 << 10;

/// Something that is read bit by bit.
pub trait PieceSource: Send + 'static {
    /// Reads the next bit and appends its JSON to `text`; `false` where that was the last one.
    fn read_into(&mut self, text: &mut Vec<u8>)
    -> impl Future<Output = store::Result<bool>> + Send;
}

/// An answer that is being written.
struct WrittenAnswer<S> {
    context: Arc<ServerContext>,
    source: S,
    has_ended: bool,
}

/// The answer that a source gives; `text` is what it begins with.
pub async fn answer(
    context: &Arc<ServerContext>,
    source: impl PieceSource,
    mut text: Vec<u8>,
) -> Result<HttpResponse> {
    let mut writing = WrittenAnswer { context: context.clone(), source, has_ended: false };
    writing.fill(&mut text).await?;
    if writing.has_ended {
        return Ok(whole(StatusCode::OK, JSON, text.into()));
    }
    let first = context.memory.reserve(text.len())?.hold(text);
    Ok(writing.stream(first))
}

impl<S: PieceSource> WrittenAnswer<S> {
    /// Reads until there is a piece, or the end.
    async fn fill(&mut self, text: &mut Vec<u8>) -> store::Result<()> {
        while !self.has_ended && text.len() < PIECE_BYTES {
            self.has_ended = !self.source.read_into(text).await?;
        }
        Ok(())
    }

    /// The answer whose first piece is there, and whose others are read as they are sent.
    fn stream(self, first: Bytes) -> HttpResponse {
        let first = stream::once(async { Ok(Frame::data(first)) });
        let rest = stream::try_unfold(self, |mut writing| async {
            if writing.has_ended {
                return Ok::<_, Broken>(None);
            }
            let piece = writing.next_piece().await?;
            Ok(Some((Frame::data(piece), writing)))
        });
        let body = StreamBody::new(first.chain(rest)).boxed_unsync();
        let mut answer = Response::new(Body::Stream(body));
        answer.headers_mut().insert(CONTENT_TYPE, JSON);
        answer
    }

    async fn next_piece(&mut self) -> std::result::Result<Bytes, Broken> {
        let mut text = Vec::new();
        self.fill(&mut text).await?;
        let limit = Duration::from_secs(self.context.config.limits.answer_seconds);
        let reservation = self.context.memory.reserve_within(limit, text.len()).await;
        Ok(reservation.ok_or("there is no memory for the rest of the answer")?.hold(text))
    }
}
