//! Links between a node and the NATS servers that can be cut, as a network that goes silent.

use std::net::TcpListener as StdListener;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// The links of a node; cut and healed together.
pub struct Links {
    ports: Vec<u16>,
    cut: watch::Sender<bool>,
    runtime: Option<Runtime>,
}

impl Drop for Links {
    fn drop(&mut self) {
        // A test that is asynchronous may not wait for it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Links {
    /// Links to the servers at these ports.
    pub fn to(servers: &[u16]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let cut = watch::Sender::new(false);
        let listening = servers.iter().map(|&server| {
            let listener = StdListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            let port = listener.local_addr().unwrap().port();
            runtime.spawn(accept(listener, server, cut.subscribe()));
            port
        });
        let ports = listening.collect();
        Self { ports, cut, runtime: Some(runtime) }
    }

    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Nothing comes through any more, and nobody is told.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Everything that was held back comes through.
    pub fn heal(&self) {
        self.cut.send_replace(false);
    }
}

async fn accept(listener: StdListener, server: u16, cut: watch::Receiver<bool>) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(join(client, server, cut.clone()));
    }
}

async fn join(client: TcpStream, server: u16, mut cut: watch::Receiver<bool>) {
    let Ok(_) = cut.wait_for(|is_cut| !is_cut).await else { return };
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Where one side ends, so does the other.
    tokio::select! {
        () = carry(from_client, to_server, cut.clone()) => {}
        () = carry(from_server, to_client, cut) => {}
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut cut: watch::Receiver<bool>) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let Ok(_) = cut.wait_for(|is_cut| !is_cut).await else { return };
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
