//! Asking for messages, wherever they are: a server elsewhere, the one on this host, or the store.

mod address;
mod body;
mod connection;
mod export;
pub mod file;
mod follow;
mod followed;
mod forward;
mod history;
mod local;
mod missing;
mod opening;
mod remote;
mod server;
mod session;
mod source;
mod tls;
mod wanted;
pub mod watch;

pub use crate::store::ConversationQuery;
pub use body::FileBody;
pub use history::{HistoryPage, HistoryQuery, Start};
pub use server::Server;

use crate::cli::SourceArgs;
use crate::config;
use crate::error::{Error, Result};
use crate::media::{Hash, Upload};
use crate::model::id_prefix::IdPrefix;
use crate::model::message::{Message, Status};
use crate::protocol::bots::Bot;
use crate::protocol::event::EventKind;
use crate::protocol::http::{
    AdapterStatus, Conversation, Imported, MediaList, MediaRemoved, MessageChange, NewMessage,
    Request, RequestAnswer, SetConversation, Uploaded,
};
use crate::protocol::login::{LoggedOut, LoginStatus};
use crate::protocol::overview::Stats;
use crate::protocol::sign_in::SignInCode;
use crate::search::Conditions;
use crate::store::{Access, MessageFilter, Order, Page};
use bytes::Bytes;
pub use export::Export;
pub use follow::MessageFollower;
pub use followed::{CHANGES, Followed};
use local::Local;
pub use opening::Begin;
use remote::Remote;
pub use source::{StoreHere, store_here};
use source::{config_here, server_named};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The platform of OneBot 11 implementations, which every server lets dial in.
pub const SERVED_PLATFORM: &str = "qq";

/// Where the messages are.
pub enum Client {
    /// A server, over TCP or the Unix socket.
    Remote(Remote),
    /// The store itself, because no server has it open.
    Local(Local),
}

impl Client {
    /// Finds out who answers: `--server`, else the server that has the store open, else the store.
    pub async fn open(
        source: &SourceArgs,
        config_file: Option<PathBuf>,
        access: Access,
    ) -> Result<Self> {
        if let Some((address, token)) = server_named(source)? {
            return Ok(Self::Remote(Remote::connect(address, token).await?));
        }
        let config = config_here(source, config_file)?;
        let socket = config::socket_beside(&config.db);
        if let Some(remote) = Remote::beside(&socket).await? {
            return Ok(Self::Remote(remote));
        }
        match Local::open(&config, access) {
            Ok(local) => Ok(Self::Local(local)),
            // A server that is starting has the store first, and its socket a moment later.
            Err(error) => match Remote::beside(&socket).await? {
                Some(remote) => Ok(Self::Remote(remote)),
                None => Err(error),
            },
        }
    }

    /// Why the server does not work as it should; `None` where it does, and without a server.
    pub async fn fault(&mut self) -> Result<Option<String>> {
        match self {
            Self::Remote(remote) => Ok(remote.health().await?.reason),
            Self::Local(_) => Ok(None),
        }
    }

    /// The server that has a store open, by its socket; `None` where there is none.
    pub async fn beside(socket: &Path) -> Result<Option<Self>> {
        Ok(Remote::beside(socket).await?.map(Self::Remote))
    }

    /// Every adapter, and how it is connected; only a server can tell.
    pub async fn platforms(&mut self) -> Result<Vec<AdapterStatus>> {
        match self {
            Self::Remote(remote) => remote.platforms().await,
            Self::Local(_) => Ok(Vec::new()),
        }
    }

    /// Every bot, and how it is connected; only a server can tell.
    pub async fn bots(&mut self) -> Result<Vec<Bot>> {
        match self {
            Self::Remote(remote) => remote.bots().await,
            Self::Local(_) => Ok(Vec::new()),
        }
    }

    /// The platforms that are configured or were ever seen; with `latest` only those are looked at
    /// that the latest conversations have.
    pub async fn known_platforms(&mut self, latest: Option<usize>) -> Result<BTreeSet<String>> {
        let all = ConversationQuery { limit: latest, ..ConversationQuery::default() };
        let seen =
            self.conversations(&all).await?.into_iter().filter(|known| known.account.is_some());
        let mut platforms: BTreeSet<_> = seen.map(|known| known.platform).collect();
        platforms.insert(SERVED_PLATFORM.to_owned());
        match self {
            Self::Remote(remote) => {
                platforms.extend(remote.platforms().await?.into_iter().map(|one| one.platform));
            }
            Self::Local(local) => platforms.extend(local.configured_platforms().map(str::to_owned)),
        }
        Ok(platforms)
    }

    /// Begins to log in to a platform.
    pub async fn begin_login(&mut self, platform: &str) -> Result<LoginStatus> {
        self.server("log in")?.begin_login(platform).await
    }

    /// How a login goes; `None` where the server does not know it any more.
    pub async fn login(&mut self, platform: &str, id: &str) -> Result<Option<LoginStatus>> {
        self.server("log in")?.login(platform, id).await
    }

    /// Gives the digits that the phone shows.
    pub async fn give_login_digits(
        &mut self,
        platform: &str,
        id: &str,
        digits: String,
    ) -> Result<()> {
        self.server("log in")?.give_login_digits(platform, id, digits).await
    }

    /// Logs an account out, or the only one; `None` where it is not logged in.
    pub async fn log_out(
        &mut self,
        platform: &str,
        account: Option<&str>,
    ) -> Result<Option<LoggedOut>> {
        self.server("log out")?.log_out(platform, account).await
    }

    /// The page's address, and a code that signs it in where the server wants a token.
    pub async fn make_sign_in_code(&mut self) -> Result<SignInCode> {
        self.server("open the page")?.make_sign_in_code().await
    }

    /// Changes the content of a message.
    pub async fn edit(&mut self, id: Uuid, change: &MessageChange) -> Result<Message> {
        self.server("edit")?.change(id, change).await
    }

    /// Takes a sent message back on its platform.
    pub async fn recall(&mut self, id: Uuid) -> Result<Message> {
        self.server("recall")?.recall(id).await
    }

    /// Sets a reaction of ours, or takes it back.
    pub async fn react(&mut self, id: Uuid, emoji: &str, on: bool) -> Result<Message> {
        self.server("react")?.react(id, emoji, on).await
    }

    /// Requests of people, the newest first.
    pub async fn requests(&mut self) -> Result<Vec<Request>> {
        self.server("list requests")?.requests().await
    }

    /// Answers a request; gives it as it then is.
    pub async fn answer_request(&mut self, id: u64, answer: &RequestAnswer) -> Result<Request> {
        self.server("answer requests")?.answer_request(id, answer).await
    }

    /// The server, for what only a server can do.
    fn server(&mut self, what: &str) -> Result<&mut Remote> {
        match self {
            Self::Remote(remote) => Ok(remote),
            Self::Local(_) => Err(Error::failed(format!("cannot {what}: no server runs"))
                .hint("start one with `rechat serve`, or name one with --server")),
        }
    }

    /// Conversations that have messages, the latest first, page after page up to the query's limit.
    pub async fn conversations(&mut self, query: &ConversationQuery) -> Result<Vec<Conversation>> {
        match self {
            Self::Remote(remote) => remote.conversations(query).await,
            Self::Local(local) => local.conversations(query),
        }
    }

    /// The `seq` of the newest message; 0 where there is none.
    pub async fn newest(&mut self) -> Result<u64> {
        let one = ConversationQuery { limit: Some(1), ..ConversationQuery::default() };
        let newest = self.conversations(&one).await?;
        Ok(newest.first().map_or(0, |conversation| conversation.last_seq))
    }

    /// A conversation; `None` where it has no messages.
    pub async fn conversation(
        &mut self,
        platform: &str,
        conversation: &str,
    ) -> Result<Option<Conversation>> {
        match self {
            Self::Remote(remote) => remote.conversation(platform, conversation).await,
            Self::Local(local) => local.conversation(platform, conversation),
        }
    }

    /// Marks a conversation as read, mutes it or pins it, and gives it as it then is; `None` where it
    /// has no messages.
    pub async fn set_conversation(
        &mut self,
        platform: &str,
        conversation: &str,
        set: &SetConversation,
    ) -> Result<Option<Conversation>> {
        match self {
            Self::Remote(remote) => remote.set_conversation(platform, conversation, set).await,
            Self::Local(local) => local.set_conversation(platform, conversation, set).await,
        }
    }

    /// Whether a server answers; without one nothing is sent.
    pub fn is_served(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// Makes a message.
    pub async fn create(&mut self, message: NewMessage, key: Option<&str>) -> Result<Message> {
        match self {
            Self::Remote(remote) => remote.create(&message, key).await,
            Self::Local(local) => local.create(message, key).await,
        }
    }

    /// Messages that match, newest first; `before` is an ID or a `seq`.
    pub async fn list(
        &mut self,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        match self {
            Self::Remote(remote) => remote.list(filter, page, before).await,
            Self::Local(local) => local.list(filter, page, before),
        }
    }

    /// Messages that match and meet conditions, newest first, from the whole history.
    pub async fn search(
        &mut self,
        conditions: &Conditions,
        order: Order,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        match self {
            Self::Remote(remote) => remote.search(conditions, order, filter, page, before).await,
            Self::Local(local) => local.search(conditions, order, filter, page, before),
        }
    }

    /// Messages after a place (an ID or a `seq`) that match, the oldest first; a server gives at most
    /// [`MAX_LIMIT`](crate::protocol::http::MAX_LIMIT).
    pub async fn list_after(
        &mut self,
        filter: &MessageFilter,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Message>> {
        match self {
            Self::Remote(remote) => remote.list_after(filter, after, limit).await,
            Self::Local(local) => local.list_after(filter, after, limit),
        }
    }

    /// A message, or `None` where it was deleted or never was.
    pub async fn find(&mut self, id: Uuid) -> Result<Option<Message>> {
        match self {
            Self::Remote(remote) => remote.find(id).await,
            Self::Local(local) => local.find(id),
        }
    }

    /// One message.
    pub async fn get(&mut self, id: Uuid) -> Result<Message> {
        match self {
            Self::Remote(remote) => remote.get(id).await,
            Self::Local(local) => local.get(id),
        }
    }

    /// Sets a status, and gives the message as it then is.
    pub async fn set_status(&mut self, id: Uuid, status: Status) -> Result<Message> {
        match self {
            Self::Remote(remote) => remote.set_status(id, status).await,
            Self::Local(local) => local.set_status(id, status).await,
        }
    }

    /// Deletes a message.
    pub async fn delete(&mut self, id: Uuid) -> Result<()> {
        match self {
            Self::Remote(remote) => remote.delete(id).await,
            Self::Local(local) => local.delete(id).await,
        }
    }

    /// Messages whose ID begins so, the newest first.
    pub async fn by_prefix(
        &mut self,
        prefix: IdPrefix,
        filter: &MessageFilter,
        limit: usize,
    ) -> Result<Vec<Message>> {
        match self {
            Self::Remote(remote) => remote.by_prefix(prefix, filter, limit).await,
            Self::Local(local) => local.by_prefix(prefix, filter, limit),
        }
    }

    /// Watches for new messages that match and meet conditions, and for what becomes of messages where
    /// `events` name it; only a server can tell them.
    pub async fn follow(
        self,
        filter: &MessageFilter,
        conditions: &Conditions,
        begin: Begin<'_>,
        events: &'static [EventKind],
    ) -> Result<MessageFollower> {
        match self {
            Self::Remote(remote) => {
                MessageFollower::begin(remote, (filter, conditions), begin, events).await
            }
            Self::Local(_) => Err(Error::failed("cannot follow new messages: no server runs")
                .hint("start one with `rechat serve`, or name one with --server")),
        }
    }

    /// Every message that matches, the oldest first, as one commit has them.
    pub async fn export(&mut self, filter: &MessageFilter) -> Result<Export> {
        match self {
            Self::Remote(remote) => remote.export(filter).await,
            Self::Local(local) => Export::of_view(&local.view()?, filter),
        }
    }

    /// Takes in a batch of lines that were exported; all of it is stored, or nothing.
    pub async fn import(&mut self, lines: Vec<u8>) -> Result<Imported> {
        match self {
            Self::Remote(remote) => remote.import(lines).await,
            Self::Local(local) => local.import(&lines).await,
        }
    }

    /// The media that were stored last, and how much there is.
    pub async fn media(&mut self, limit: u64) -> Result<MediaList> {
        match self {
            Self::Remote(remote) => remote.media(limit).await,
            Self::Local(local) => local.media(limit),
        }
    }

    /// Keeps a file, which segments can then name.
    pub async fn upload(&mut self, name: Option<&str>, file: FileBody) -> Result<Uploaded> {
        match self {
            Self::Remote(remote) => remote.upload(name, file).await,
            Self::Local(local) => local.upload(name, file),
        }
    }

    /// Copies a file; false where it is not kept.
    pub async fn download(&mut self, media: Hash, to: &mut Upload) -> Result<bool> {
        match self {
            Self::Remote(remote) => remote.download(media, to).await,
            Self::Local(local) => local.download(media, to),
        }
    }

    /// The bytes of a file; `None` where it is not kept.
    ///
    /// # Errors
    /// It has more than `most` bytes, or cannot be read.
    pub async fn media_bytes(&mut self, media: Hash, most: u64) -> Result<Option<Bytes>> {
        match self {
            Self::Remote(remote) => {
                remote.media_bytes(media, usize::try_from(most).unwrap_or(usize::MAX)).await
            }
            Self::Local(local) => local.media_bytes(media, most),
        }
    }

    /// Removes a file, and takes it out of its messages.
    pub async fn remove_media(&mut self, media: Hash) -> Result<MediaRemoved> {
        match self {
            Self::Remote(remote) => remote.remove_media(media).await,
            Self::Local(local) => local.remove_media(media).await,
        }
    }

    /// Writes a copy of the store into a new file of this host.
    pub async fn backup(&mut self, file: PathBuf) -> Result<()> {
        match self {
            Self::Remote(remote) => remote.backup(file).await,
            Self::Local(local) => local.backup(&file),
        }
    }

    /// Counts the messages of a platform or conversation, or all, in each state; with `since` those
    /// that were said at that time (Unix seconds) or later.
    pub async fn stats(&mut self, filter: &MessageFilter, since: Option<u64>) -> Result<Stats> {
        match self {
            Self::Remote(remote) => remote.stats(filter, since).await,
            Self::Local(local) => local.stats(filter, since),
        }
    }
}
