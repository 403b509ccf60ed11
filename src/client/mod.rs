//! The client: one interface to a remote server, the server of this host, or the store itself.

mod accounts;
mod address;
mod ascending;
mod body;
mod connection;
mod conversations;
mod event_filter;
mod export;
pub mod file;
mod follow;
mod followed;
mod history;
mod local;
mod media;
mod messages;
mod missing;
mod opening;
mod parts;
mod remote;
mod server;
mod session;
mod source;
mod tls;
pub mod watch;

pub use crate::store::ConversationQuery;
pub use accounts::{is_fallback_platform, served_platform};
pub use body::FileBody;
pub use export::Export;
pub use follow::MessageFollower;
pub use followed::{CHANGES, Followed};
pub use history::{HistoryPage, HistoryQuery, PageStart};
pub use opening::{Begin, StreamCursor};
pub use server::Server;
pub use source::{StoreHere, missing_store, store_here};

use crate::cli::SourceArgs;
use crate::config;
use crate::error::{Error, Result};
use crate::protocol::event::EventKind;
use crate::protocol::http::{Imported, QuarantinedEvents, StoredAgain};
use crate::protocol::overview::Stats;
use crate::search::Conditions;
use crate::store::{Access, MessageFilter, MigrationProgress};
use local::Local;
use remote::Remote;
use source::{config_here, server_named};
use std::path::{Path, PathBuf};

/// Where the messages are.
pub enum Client {
    /// A server, over TCP or the Unix socket.
    Remote(Remote),
    /// The store itself, because no server has it open.
    Local(Box<Local>),
}

impl Client {
    /// Finds out who answers: `--server`, else the server that has the store open, else the store.
    /// `migration` gets the progress if the store has an older version.
    ///
    /// # Errors
    ///
    /// Nothing answers there: the server cannot be reached, or the store cannot be opened.
    pub async fn open(
        source: &SourceArgs,
        config_file: Option<PathBuf>,
        access: Access,
        migration: Option<MigrationProgress>,
    ) -> Result<Self> {
        if let Some((address, token)) = server_named(source)? {
            return Ok(Self::Remote(Remote::connect(address, token).await?));
        }
        let config = config_here(source, config_file)?;
        let socket = config::socket_beside(&config.db);
        if let Some(remote) = Remote::at_socket(&socket).await? {
            return Ok(Self::Remote(remote));
        }
        match Local::open(&config, access, migration) {
            Ok(local) => Ok(Self::Local(Box::new(local))),
            // A server that is starting has the store first, and its socket a moment later.
            Err(error) => match Remote::at_socket(&socket).await? {
                Some(remote) => Ok(Self::Remote(remote)),
                None => Err(error),
            },
        }
    }

    /// Why the server does not work as it should; `None` where it does, and without a server.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn fault(&mut self) -> Result<Option<String>> {
        match self {
            Self::Remote(remote) => Ok(remote.health().await?.reason),
            Self::Local(_) => Ok(None),
        }
    }

    /// The server that has a store open, by its socket; `None` where there is none.
    ///
    /// # Errors
    ///
    /// A server listens there, and does not answer.
    pub async fn at_socket(socket: &Path) -> Result<Option<Self>> {
        Ok(Remote::at_socket(socket).await?.map(Self::Remote))
    }

    /// Events of platforms that the server could not store.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn quarantine(&mut self) -> Result<QuarantinedEvents> {
        self.server("ask for what was quarantined")?.quarantine().await
    }

    /// Has the server try again to store them.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn retry_quarantine(&mut self) -> Result<StoredAgain> {
        self.server("store what was quarantined")?.retry_quarantine().await
    }

    /// The server, for what only a server can do.
    fn server(&mut self, what: &str) -> Result<&mut Remote> {
        match self {
            Self::Remote(remote) => Ok(remote),
            Self::Local(_) => Err(Error::failed(format!("cannot {what}: no server runs"))
                .hint("start one with `rechat serve`, or name one with --server")),
        }
    }

    /// Whether a server answers; without one nothing is sent.
    pub fn is_served(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// Watches for new messages that match and meet conditions, and for what becomes of messages where
    /// `events` name it; only a server can tell them.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn follow(
        &self,
        filter: &MessageFilter,
        conditions: &Conditions,
        begin: Begin<'_>,
        events: &'static [EventKind],
    ) -> Result<MessageFollower> {
        match self {
            Self::Remote(remote) => {
                let messages = remote.reconnected().await?;
                MessageFollower::begin(messages, (filter, conditions), begin, events).await
            }
            Self::Local(_) => Err(Error::failed("cannot follow new messages: no server runs")
                .hint("start one with `rechat serve`, or name one with --server")),
        }
    }

    /// Every message that matches, the oldest first, as one commit has them.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn export(&mut self, filter: &MessageFilter) -> Result<Export> {
        match self {
            Self::Remote(remote) => remote.export(filter).await,
            Self::Local(local) => Export::of_view(&local.view()?, filter),
        }
    }

    /// Takes in a batch of lines that were exported; all of it is stored, or nothing.
    ///
    /// # Errors
    ///
    /// The server refuses or cannot be reached; without one, the store or the file cannot be
    /// written.
    pub async fn import(&mut self, lines: Vec<u8>) -> Result<Imported> {
        match self {
            Self::Remote(remote) => remote.import(lines).await,
            Self::Local(local) => local.import(&lines).await,
        }
    }

    /// Writes a copy of the store into a new file of this host.
    ///
    /// # Errors
    ///
    /// The server refuses or cannot be reached; without one, the store or the file cannot be
    /// written.
    pub async fn backup(&mut self, file: PathBuf) -> Result<()> {
        match self {
            Self::Remote(remote) => remote.backup(file).await,
            Self::Local(local) => local.backup(&file),
        }
    }

    /// Counts the messages of a platform or conversation, or all, in each state; with `since` those
    /// that were said at that time (Unix seconds) or later.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn stats(&mut self, filter: &MessageFilter, since: Option<u64>) -> Result<Stats> {
        match self {
            Self::Remote(remote) => remote.stats(filter, since).await,
            Self::Local(local) => local.stats(filter, since),
        }
    }
}
