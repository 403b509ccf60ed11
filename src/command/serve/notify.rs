//! Notices to systemd (`sd_notify(3)`).

use crate::cluster::ClusterState;
use crate::store::Store;
use sd_notify::NotifyState;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Tells systemd that we are ready, that we live (for as long as the store answers), and that we
/// are stopping; does nothing without systemd.
///
/// A server that begins again does not stop: systemd would kill it.
pub(super) async fn notify_systemd(
    store: Arc<Store>,
    cluster: Option<Arc<ClusterState>>,
    stop: CancellationToken,
) {
    notify(NotifyState::Ready);
    let every = sd_notify::watchdog_enabled().map_or(Duration::MAX, |limit| limit / 3);
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        if store.view().is_ok() {
            notify(NotifyState::Watchdog);
        }
    }
    if !cluster.is_some_and(|state| state.is_to_begin_again()) {
        notify(NotifyState::Stopping);
    }
}

/// Sends a state to the socket that `NOTIFY_SOCKET` names; does nothing where it names none.
fn notify(state: NotifyState<'_>) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let sent = match socket.as_encoded_bytes().strip_prefix(b"@") {
        Some(name) => send_to_abstract(name, &state),
        None => sd_notify::notify(&[state]),
    };
    if let Err(error) = sent {
        tracing::warn!("cannot notify systemd: {error}");
    }
}

/// Sends to a socket that has a name and no file (unix(7), abstract).
#[cfg(target_os = "linux")]
fn send_to_abstract(name: &[u8], state: &NotifyState<'_>) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
    let socket = UnixDatagram::unbound()?;
    socket.send_to_addr(format!("{state}\n").as_bytes(), &address).map(drop)
}

#[cfg(not(target_os = "linux"))]
fn send_to_abstract(_: &[u8], _: &NotifyState<'_>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
