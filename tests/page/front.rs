//! An address that stays the same while the server behind it stops and starts.

use std::sync::{Arc, Mutex};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Passes connections on to the present server.
pub struct Front {
    /// `127.0.0.1:port`
    pub address: String,
    behind: Arc<Mutex<String>>,
}

impl Front {
    pub async fn of(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let behind = Arc::new(Mutex::new(server.to_owned()));
        tokio::spawn(pass_on(listener, behind.clone()));
        Self { address, behind }
    }

    /// Sets the present server.
    pub fn turn_to(&self, server: &str) {
        server.clone_into(&mut self.behind.lock().unwrap());
    }
}

async fn pass_on(listener: TcpListener, behind: Arc<Mutex<String>>) {
    while let Ok((mut from, _)) = listener.accept().await {
        let to = behind.lock().unwrap().clone();
        tokio::spawn(async move {
            if let Ok(mut to) = TcpStream::connect(to).await {
                let _ = copy_bidirectional(&mut from, &mut to).await;
            }
        });
    }
}
