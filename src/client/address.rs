//! Address of a server, and connecting to it.

use super::body::RequestBody;
use super::tls;
use crate::error::{Error, Result};
use hyper::Uri;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

/// The longest time for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to a server, before the first request.
pub(super) type ServerStream = Either<Either<TcpStream, Box<TlsStream<TcpStream>>>, UnixStream>;

/// A server's address.
#[derive(Clone, Debug)]
pub(super) enum ServerAddress {
    Tcp(Url),
    Unix(PathBuf),
}

/// `http://host:port/prefix`, or the same with HTTPS.
#[derive(Clone, Debug)]
pub(super) struct Url {
    text: String,
    authority: String,
    host: String,
    port: u16,
    /// The path below which a reverse proxy serves rechat; empty, or begins with `/`.
    prefix: String,
    /// For HTTPS: the server's name, and the trusted certificates.
    tls: Option<(ServerName<'static>, Arc<ClientConfig>)>,
}

impl ServerAddress {
    /// Reads `http://host:port` or `https://host:port`, with or without a path; `ca` is a file of
    /// certificates to trust in addition to the system's.
    pub(super) fn parse(url: &str, ca: Option<&Path>) -> Result<Self> {
        let wrong = || {
            Error::usage(format!("{url} is not the URL of a server"))
                .hint("write it as http://host:8080 or https://host:8080")
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority), None) =
            (uri.scheme_str(), uri.authority(), uri.query())
        else {
            return Err(wrong());
        };
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let (tls, port) = match scheme {
            "http" => (None, 80),
            "https" => {
                let name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
                (Some((name, tls::client_config(ca)?)), 443)
            }
            _ => return Err(wrong()),
        };
        Ok(Self::Tcp(Url {
            text: url.trim_end_matches('/').to_owned(),
            authority: authority.to_string(),
            port: authority.port_u16().unwrap_or(port),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            host,
            tls,
        }))
    }

    /// The server's name for people.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Tcp(url) => url.text.clone(),
            Self::Unix(socket) => socket.display().to_string(),
        }
    }

    /// The URL, without a slash at its end; `None` for a Unix socket.
    pub(super) fn url(&self) -> Option<&str> {
        match self {
            Self::Tcp(url) => Some(&url.text),
            Self::Unix(_) => None,
        }
    }

    /// The name of another host; `None` for this one.
    pub(super) fn remote_name(&self) -> Option<&str> {
        match self {
            Self::Tcp(url) => Some(&url.authority),
            Self::Unix(_) => None,
        }
    }

    /// The `Host` of requests.
    pub(super) fn host(&self) -> &str {
        match self {
            Self::Tcp(url) => &url.authority,
            Self::Unix(_) => "localhost",
        }
    }

    /// The prefix of each request's path.
    pub(super) fn prefix(&self) -> &str {
        match self {
            Self::Tcp(url) => &url.prefix,
            Self::Unix(_) => "",
        }
    }

    /// Connects.
    pub(super) async fn connect(&self) -> io::Result<ServerStream> {
        let connected = async {
            match self {
                Self::Tcp(url) => url.connect().await.map(Either::Left),
                Self::Unix(socket) => UnixStream::connect(socket).await.map(Either::Right),
            }
        };
        timeout(CONNECT_TIMEOUT, connected)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Connects, and completes the HTTP handshake.
    pub(super) async fn open(&self) -> io::Result<SendRequest<RequestBody>> {
        let stream = self.connect().await?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (requests, connection) = handshake.map_err(io::Error::other)?;
        // Its errors appear in the requests that fail because of them.
        tokio::spawn(async move { drop(connection.await) });
        Ok(requests)
    }

    /// The error of a connection that failed.
    pub(super) fn away(&self, error: &io::Error) -> Error {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(error) => tls::explain(&self.name(), error),
            None => Error::failed(format!("cannot reach a server at {}: {error}", self.name())),
        }
    }

    /// The error for an answer that cannot be read.
    pub(super) fn broken(&self, error: &hyper::Error) -> Error {
        let broken = Error::failed(format!("{}: {error}", self.name()));
        match self {
            Self::Tcp(Url { tls: None, .. }) if error.is_parse() => {
                broken.hint("the answer is not HTTP; if the server uses HTTPS, write https://")
            }
            _ => broken,
        }
    }
}

impl Url {
    async fn connect(&self) -> io::Result<Either<TcpStream, Box<TlsStream<TcpStream>>>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Either::Left(stream)),
            Some((name, trusted)) => {
                let connector = TlsConnector::from(trusted.clone());
                let stream = connector.connect(name.clone(), stream).await?;
                Ok(Either::Right(Box::new(stream)))
            }
        }
    }
}
