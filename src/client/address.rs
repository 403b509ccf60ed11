//! Where a server is, and opening a connection to it.

use crate::error::{Error, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Uri;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_util::either::Either;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// A connection to a server, on which nothing was said yet.
pub(super) type Stream = Either<TcpStream, UnixStream>;

/// A server's address.
#[derive(Clone, Debug)]
pub(super) enum Address {
    Tcp { url: String, authority: String, host: String, port: u16 },
    Unix(PathBuf),
}

impl Address {
    /// Reads `http://host:port`.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let wrong = || {
            Error::usage(format!("{url} is no server's URL")).hint("write it as http://host:8080")
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = match (uri.scheme_str(), uri.authority()) {
            (Some("http"), Some(authority)) => authority,
            (Some("https"), Some(_)) => {
                return Err(Error::usage(format!("{url}: commands speak no HTTPS")).hint(
                    "run them on the server's own host, or through `ssh -L 8080:127.0.0.1:8080`",
                ));
            }
            _ => return Err(wrong()),
        };
        Ok(Self::Tcp {
            url: url.to_owned(),
            authority: authority.to_string(),
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
        })
    }

    /// What people know the server by.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Tcp { url, .. } => url.clone(),
            Self::Unix(socket) => socket.display().to_string(),
        }
    }

    /// The `Host` of requests.
    pub(super) fn host(&self) -> &str {
        match self {
            Self::Tcp { authority, .. } => authority,
            Self::Unix(_) => "localhost",
        }
    }

    /// Connects.
    pub(super) async fn connect(&self) -> io::Result<Stream> {
        let connected = async {
            match self {
                Self::Tcp { host, port, .. } => {
                    let stream = TcpStream::connect((host.as_str(), *port)).await?;
                    stream.set_nodelay(true)?;
                    Ok(Either::Left(stream))
                }
                Self::Unix(socket) => UnixStream::connect(socket).await.map(Either::Right),
            }
        };
        timeout(CONNECT, connected).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Connects, and is ready for requests.
    pub(super) async fn open(&self) -> io::Result<SendRequest<Full<Bytes>>> {
        let stream = self.connect().await?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (requests, connection) = handshake.map_err(io::Error::other)?;
        // Its errors are told by the request that they break.
        tokio::spawn(async move { drop(connection.await) });
        Ok(requests)
    }

    /// What to say where that failed.
    pub(super) fn unreachable(&self, error: &io::Error) -> Error {
        Error::failed(format!("no server answers at {}: {error}", self.name()))
            .hint("start one with `rechat serve`, or leave out --server (and RECHAT_SERVER) to use the local store")
    }
}
