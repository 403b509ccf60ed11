//! Listening and stopping: each connection is a task, which is tracked until its end.

mod connection;
mod cors;

use super::access::network;
use super::assets;
use super::connection_facts::ConnectionFacts;
use super::context::ServerContext;
use super::limit::{AddressLimit, ConnectionPermit, Limit, LimitOf, Permit, may_log};
use super::peer::Peer;
use super::router::Router;
use super::shared_tcp::SharedTcp;
use super::tls::Certificate;
use crate::cluster::PassedConnection;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::health::watched;
use cors::cors;
use std::fs::Permissions;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower_http::cors::CorsLayer;

/// Pause before accepting again, after the system had no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The time that connections have to end after they were aborted.
const CUT_TIMEOUT: Duration = Duration::from_millis(200);

/// The TCP port and the Unix socket.
pub struct Listeners {
    tcp: TcpListener,
    unix: Option<(UnixListener, SocketFile)>,
    certificate: Option<Arc<Certificate>>,
}

/// The socket's file, which is removed when the server ends.
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        if is_socket(&self.0).unwrap_or(false) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

impl Listeners {
    /// Binds both. The store's lock must be held: it proves that a socket found there is stale.
    ///
    /// # Errors
    /// The address cannot be had, the certificate cannot be read, or another file is at the
    /// socket's path.
    pub async fn bind(config: &Config, socket: &Path) -> Result<Self> {
        let certificate = config.tls.clone().map(Certificate::open).transpose()?.map(Arc::new);
        let listen = config.listen;
        let tcp = TcpListener::bind(listen).await.map_err(|error| {
            let advice = match error.kind() {
                io::ErrorKind::AddrNotAvailable => {
                    "this host has no such address; 0.0.0.0 stands for all it has"
                }
                io::ErrorKind::PermissionDenied => "this user may not; choose a port from 1024 on",
                _ => "another program has that port; choose one with --listen 127.0.0.1:PORT",
            };
            Error::failed(format!("cannot listen on {listen}: {error}")).hint(advice)
        })?;
        if is_socket(socket).is_ok_and(|is_socket| !is_socket) {
            let path = socket.display();
            return Err(Error::failed(format!("{path} is in the way: the server's Unix socket belongs there, and this is another file"))
                .hint("move it away, or give the store another name with --db"));
        }
        let unix = match bind_unix(socket) {
            Ok(listener) => Some((listener, SocketFile(socket.to_owned()))),
            Err(error) => {
                tracing::warn!(
                    "no Unix socket at {}: {error}; commands on this host need --server",
                    socket.display()
                );
                None
            }
        };
        Ok(Self { tcp, unix, certificate })
    }

    /// The address that was bound, with the real port if 0 was requested.
    ///
    /// # Errors
    ///
    /// The address cannot be listened at.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Whether the file at a path is a socket; an error if there is no file.
fn is_socket(path: &Path) -> io::Result<bool> {
    Ok(std::fs::symlink_metadata(path)?.file_type().is_socket())
}

/// Connections that other nodes of the cluster took, where this server is a node.
pub type PassedConnections = Option<mpsc::Receiver<PassedConnection>>;

/// Serves until `stop`, then lets running requests end within the configured time.
///
/// # Errors
///
/// The address cannot be listened at.
pub async fn serve(
    context: Arc<ServerContext>,
    listeners: Listeners,
    passed: PassedConnections,
) -> Result<()> {
    let Listeners { tcp, unix, certificate } = listeners;
    let router = Router::new(&context.config.prefix)
        .map_err(|error| Error::failed(format!("the routes do not fit: {error}")))?;
    let server = RunningServer {
        connections: Limit::new("connections", context.config.limits.connections),
        addresses: AddressLimit::new(context.config.limits.connections_per_address),
        cut: CancellationToken::new(),
        certificate,
        cors: cors(&context.config.cors_origins),
        router: Arc::new(router),
        context,
    };
    let tasks = &server.context.tasks;
    // A debug build reads the page anew for each request.
    if !cfg!(debug_assertions) {
        assets::compress_page_ahead();
    }
    let unix = async {
        if let Some((listener, _file)) = unix {
            server.accept_unix(listener).await;
        }
    };
    tokio::join!(server.accept_tcp(tcp), unix, server.accept_passed(passed));
    tasks.close();
    let limit = server.context.config.limits.stop();
    if timeout(limit, tasks.wait()).await.is_err() {
        tracing::warn!(
            left = tasks.len(),
            "some connections or tasks did not end in time and were aborted"
        );
        server.cut.cancel();
        let _ = timeout(CUT_TIMEOUT, tasks.wait()).await;
    }
    Ok(())
}

#[derive(Clone)]
struct RunningServer {
    context: Arc<ServerContext>,
    router: Arc<Router>,
    connections: Limit,
    addresses: AddressLimit,
    /// Aborts the connections that did not end in time.
    cut: CancellationToken,
    certificate: Option<Arc<Certificate>>,
    cors: Option<CorsLayer>,
}

impl RunningServer {
    async fn accept_tcp(&self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.context.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, address)) = accepted else {
                self.pause_after(accepted.err()).await;
                continue;
            };
            let Some(permit) = self.permit(address.ip()) else { continue };
            let _ = stream.set_nodelay(true);
            let peer = Peer::Tcp(address.ip().to_canonical());
            let facts = ConnectionFacts { peer, permit: Some(permit), socket: None };
            match &self.certificate {
                None => {
                    let (stream, socket) = SharedTcp::of(stream);
                    self.spawn(stream, ConnectionFacts { socket: Some(socket), ..facts });
                }
                Some(certificate) => {
                    let handshake = certificate.acceptor().accept(stream);
                    let limit = Duration::from_secs(self.context.config.limits.head_seconds);
                    let server = self.clone();
                    self.context.tasks.spawn(watched("connections", async move {
                        let stop = &server.context.stop;
                        match stop.run_until_cancelled(timeout(limit, handshake)).await {
                            Some(Ok(Ok(stream))) => {
                                server.connection(stream, facts).await;
                            }
                            Some(Ok(Err(error))) => tracing::debug!(%address, "no TLS: {error}"),
                            Some(Err(_)) => tracing::debug!(%address, "no TLS within {limit:?}"),
                            None => {}
                        }
                    }));
                }
            }
        }
    }

    /// A permit for a connection; without one the connection is closed, because nothing was asked
    /// yet.
    fn permit(&self, address: IpAddr) -> Option<Permit> {
        let connection = self.connections.acquire().ok()?;
        if self.context.config.trusted_proxies.contains(&address.to_canonical()) {
            return Some(Arc::new(ConnectionPermit { _connection: connection, _address: None }));
        }
        let permit = self.addresses.acquire(network(address));
        if permit.is_none() {
            let limit = "connections_per_address";
            if may_log(limit, LimitOf::Address) {
                tracing::warn!(limit, %address, "too many connections from one address; one is closed");
            }
        }
        Some(Arc::new(ConnectionPermit { _connection: connection, _address: Some(permit?) }))
    }

    async fn accept_unix(&self, listener: UnixListener) {
        loop {
            let accepted = tokio::select! {
                () = self.context.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.spawn(stream, ConnectionFacts::of_this_host()),
                Err(error) => self.pause_after(Some(error)).await,
            }
        }
    }

    /// Takes connections of other nodes, as if they had come to this one.
    async fn accept_passed(&self, passed: PassedConnections) {
        let Some(mut passed) = passed else { return };
        let stop = &self.context.stop;
        while let Some(Some(PassedConnection { stream, from })) =
            stop.run_until_cancelled(passed.recv()).await
        {
            match from {
                Some(address) => {
                    let Some(permit) = self.permit(address) else { continue };
                    let (peer, permit) = (Peer::Tcp(address), Some(permit));
                    self.spawn(stream, ConnectionFacts { peer, permit, socket: None });
                }
                None => self.spawn(stream, ConnectionFacts::of_this_host()),
            }
        }
    }

    async fn pause_after(&self, error: Option<io::Error>) {
        if let Some(error) = error {
            tracing::warn!("a connection could not be accepted: {error}");
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }

    fn spawn<S>(&self, stream: S, facts: ConnectionFacts)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let serving = self.clone().connection(stream, facts);
        self.context.tasks.spawn(watched("connections", serving));
    }
}
