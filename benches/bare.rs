//! Bare hyper that answers everything with so many bytes: the limit beside which lists are measured
//! (`benches/table.py --bare`).
//!
//!     cargo bench --bench bare -- PORT BYTES

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let (Some(port), Some(bytes)) = (numbers.next(), numbers.next()) else { return Ok(()) };
    let port: u16 = port;
    let text = Bytes::from("x".repeat(usize::from(bytes)));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let text = text.clone();
        let answer = service_fn(move |_: Request<hyper::body::Incoming>| {
            let mut answer = Response::new(Full::new(text.clone()));
            let json = HeaderValue::from_static("application/json");
            answer.headers_mut().insert(CONTENT_TYPE, json);
            async move { Ok::<_, Infallible>(answer) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer),
        );
    }
}
