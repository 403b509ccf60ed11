//! Three NATS servers with JetStream, which can be killed and started again one by one.

use crate::server::eventually;
use crate::tools::program;
use rustix::process::{Pid, Signal, kill_process};
use std::fmt::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// NATS servers of a cluster, in a folder of their own.
pub struct Nats {
    folder: TempDir,
    ports: Vec<u16>,
    servers: Vec<Option<Child>>,
}

impl Nats {
    /// Starts three servers that keep everything three times.
    pub fn start() -> Self {
        Self::of(3)
    }

    /// Starts some servers.
    pub fn of(count: usize) -> Self {
        Self::with(count, "")
    }

    /// Starts some servers with more in their configuration.
    pub fn with(count: usize, more: &str) -> Self {
        // Another process may take a port before its server has it.
        for _ in 0..10 {
            let mut nats = Self::configure(count, more);
            (0..count).for_each(|server| nats.begin(server));
            if (0..count).all(|server| nats.listens(server)) {
                return nats;
            }
        }
        panic!("no free ports for NATS");
    }

    fn configure(count: usize, more: &str) -> Self {
        let held: Vec<_> =
            (0..2 * count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<_> = held.iter().map(|one| one.local_addr().unwrap().port()).collect();
        let folder = TempDir::new().unwrap();
        let routes: Vec<_> =
            ports[count..].iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
        for server in 0..count {
            let store = folder.path().join(format!("store-{server}"));
            let mut text = format!(
                "server_name: n{server}\nlisten: \"127.0.0.1:{}\"\n{more}\n\
                 jetstream {{ store_dir: \"{}\", max_memory_store: 64MB, max_file_store: 2GB }}\n",
                ports[server],
                store.display()
            );
            if count > 1 {
                writeln!(
                    text,
                    "cluster {{ name: test, listen: \"127.0.0.1:{}\", no_advertise: true, routes: [{}] }}",
                    ports[count + server],
                    routes.join(", ")
                )
                .unwrap();
            }
            std::fs::write(folder.path().join(format!("{server}.conf")), text).unwrap();
        }
        Self { folder, ports, servers: (0..count).map(|_| None).collect() }
    }

    /// The servers, as the configuration of a node names them.
    pub fn urls(&self) -> String {
        urls(self.client_ports())
    }

    /// The ports for clients.
    pub fn client_ports(&self) -> &[u16] {
        &self.ports[..self.servers.len()]
    }

    /// A connection of somebody who has no node.
    pub async fn stranger(&self) -> async_nats::jetstream::Context {
        let address = format!("nats://127.0.0.1:{}", self.ports[0]);
        async_nats::jetstream::new(async_nats::connect(address).await.unwrap())
    }

    pub fn count(&self) -> usize {
        self.servers.len()
    }

    /// Starts a server that does not run.
    pub fn begin(&mut self, server: usize) {
        let log = std::fs::File::create(self.folder.path().join(format!("{server}.log"))).unwrap();
        let started = Command::new(program("nats-server"))
            .arg("-c")
            .arg(self.folder.path().join(format!("{server}.conf")))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.servers[server] = Some(started.unwrap());
    }

    /// Whether a server listens; `false` where it has ended instead.
    fn listens(&mut self, server: usize) -> bool {
        let port = self.ports[server];
        let process = self.servers[server].as_mut().unwrap();
        eventually("NATS listens", || {
            let is_there = std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
            let has_ended = process.try_wait().unwrap().is_some();
            (is_there || has_ended).then_some(is_there)
        })
    }

    /// Sends a server that runs a signal.
    pub fn signal(&self, server: usize, signal: Signal) {
        let process = self.servers[server].as_ref().unwrap();
        kill_process(Pid::from_child(process), signal).unwrap();
    }

    /// Ends a server as a power cut does.
    pub fn kill(&mut self, server: usize) {
        if let Some(mut process) = self.servers[server].take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Ends all servers.
    pub fn kill_all(&mut self) {
        (0..self.servers.len()).for_each(|server| self.kill(server));
    }

    /// Starts all servers that do not run.
    pub fn begin_all(&mut self) {
        for server in 0..self.servers.len() {
            if self.servers[server].is_none() {
                self.begin(server);
            }
        }
    }

    /// The logs of the servers.
    pub fn logs(&self) -> String {
        let log = |server| {
            std::fs::read_to_string(self.folder.path().join(format!("{server}.log")))
                .unwrap_or_default()
        };
        (0..self.servers.len()).map(log).collect::<Vec<_>>().join("\n---\n")
    }
}

/// Addresses of NATS servers, as the configuration of a node names them.
pub fn urls(ports: &[u16]) -> String {
    let urls: Vec<_> = ports.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
    format!("[{}]", urls.join(", "))
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill_all();
        if std::thread::panicking() {
            eprintln!("--- the logs of NATS\n{}", self.logs());
        }
    }
}
