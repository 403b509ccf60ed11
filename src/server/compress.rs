//! Answers that are large enough are compressed, for clients that can read that.

use super::body::{Body, HttpResponse};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::header::{ACCEPT_ENCODING, ACCEPT_RANGES, HeaderMap, HeaderValue, VARY};
use std::convert::Infallible;
use std::future::ready;
use tower::{Layer, ServiceExt};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Smaller bodies are not compressed.
const COMPRESS_FROM: u64 = 1024;

/// Leaves files uncompressed: most are compressed already, and byte ranges must stay the same.
#[derive(Clone, Copy)]
struct IsNoMedia;

impl Predicate for IsNoMedia {
    fn should_compress<B: hyper::body::Body>(&self, answer: &hyper::Response<B>) -> bool {
        !answer.headers().contains_key(ACCEPT_RANGES)
    }
}

/// The encodings that a request accepts (RFC 9110, section 12.5.3).
pub struct AcceptedEncodings(Vec<HeaderValue>);

impl AcceptedEncodings {
    /// The encodings that the head of a request names.
    pub fn of(headers: &HeaderMap) -> Self {
        Self(headers.get_all(ACCEPT_ENCODING).iter().cloned().collect())
    }

    /// Compresses an answer if it is worth it. Most are small, and are passed on as they are.
    pub async fn compress(self, answer: HttpResponse) -> HttpResponse {
        // With weights a client can refuse answers that are not compressed.
        let has_weights = self.0.iter().any(|value| value.as_bytes().contains(&b';'));
        if !has_weights && !worth_it().should_compress(&answer) {
            return answer;
        }
        if self.0.is_empty() {
            return varied(answer);
        }
        // Boxed, because the future of every request would be larger.
        Box::pin(self.compressed(answer)).await
    }

    async fn compressed(self, answer: HttpResponse) -> HttpResponse {
        let mut request = Request::new(());
        for value in self.0 {
            request.headers_mut().append(ACCEPT_ENCODING, value);
        }
        let mut answer = Some(answer);
        let answered =
            tower::service_fn(|_| ready(Ok::<_, Infallible>(answer.take().unwrap_or_default())));
        let layer = CompressionLayer::new().compress_when(worth_it());
        let Ok(answer) = layer.layer(answered).oneshot(request).await;
        answer.map(|body| Body::Stream(body.boxed_unsync()))
    }
}

/// An answer that is compressed for other clients (RFC 9110, section 12.5.5).
fn varied(mut answer: HttpResponse) -> HttpResponse {
    let vary = HeaderValue::from_static("accept-encoding");
    answer.headers_mut().entry(VARY).or_insert(vary);
    answer
}

/// Answers that become smaller, and that are not streams, whose parts would wait for each other.
fn worth_it() -> impl Predicate {
    SizeAbove::new(COMPRESS_FROM)
        .and(NotForContentType::SSE)
        .and(NotForContentType::const_new("application/x-ndjson"))
        .and(IsNoMedia)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::body::{JSON, whole};
    use hyper::StatusCode;
    use hyper::header::CONTENT_ENCODING;

    async fn compressed(accepted: &str, bytes: usize) -> HttpResponse {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, accepted.parse().unwrap());
        let answer = whole(StatusCode::OK, JSON, vec![b'a'; bytes].into());
        AcceptedEncodings::of(&headers).compress(answer).await
    }

    #[tokio::test]
    async fn large_answers_are_compressed_for_clients_that_can_read_that() {
        let large = compressed("deflate, gzip", 5000).await;
        assert_eq!(large.headers()[CONTENT_ENCODING], "gzip");
        assert!(large.into_body().collect().await.unwrap().to_bytes().len() < 500);
        let asked_nothing = AcceptedEncodings::of(&HeaderMap::new());
        let plain =
            asked_nothing.compress(whole(StatusCode::OK, JSON, vec![b'a'; 5000].into())).await;
        assert_eq!(plain.headers()[VARY], "accept-encoding");
        for (accepted, bytes) in [("gzip", 1000), ("identity", 5000), ("gzip;q=0", 5000)] {
            let plain = compressed(accepted, bytes).await;
            assert_eq!(plain.headers().get(CONTENT_ENCODING), None, "{accepted}");
            assert_eq!(plain.headers().contains_key(VARY), bytes == 5000, "{accepted}");
            assert_eq!(plain.into_body().collect().await.unwrap().to_bytes().len(), bytes);
        }
        let refused = compressed("identity;q=0", 1000).await;
        assert_eq!(refused.status(), StatusCode::NOT_ACCEPTABLE);
    }
}
