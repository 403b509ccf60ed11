//! `rechat mcp`: an agent on standard input and output.

use super::serve::log;
use crate::cli::{self, GlobalOptions, SourceArgs};
use crate::client::{Begin, Client, MessageFollower};
use crate::config::{self, Sources};
use crate::error::{Error, Result};
use crate::health;
use crate::mcp::{Agent, AgentBounds, AgentContext, Chats, MessageLines, Source, Watch};
use crate::media::Hash;
use crate::model::message::Message;
use crate::protocol::http::{AdapterStatus, Conversation, NewMessage};
use crate::search::Conditions;
use crate::shutdown;
use crate::store::{Access, ConversationQuery, MessageFilter, Order, Page};
use bytes::Bytes;
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use rmcp::transport::io::stdio_pipes;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio::time::sleep;
use uuid::Uuid;

/// Interval at which the store is read for new messages when no server runs.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

pub(super) fn run(mcp: cli::McpArgs, globals: &GlobalOptions) -> Result<()> {
    let sources = Sources::of_process(globals.config.clone())?;
    let config = config::load(&sources)?.config;
    // Standard output is the agent's.
    drop(log::start(&config.log)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Error::failed(format!("cannot start threads: {error}")))?;
    let messages = Messages { source: mcp.source, config: globals.config.clone() };
    let bounds = Arc::new(AgentBounds::new(config.mcp));
    let context = Arc::new(AgentContext::new(messages, bounds.clone(), None));
    let ended = runtime.block_on(async {
        tokio::spawn(health::watched("reload", reload_on(shutdown::hangups()?, sources, bounds)));
        speak(Agent::new(context, cli::VERSION)).await
    });
    // A call that is under way has nobody left to answer.
    runtime.shutdown_background();
    ended
}

/// Reads `[mcp]` again on each SIGHUP; a configuration that cannot be used changes nothing.
async fn reload_on(mut hangups: Signal, sources: Sources, bounds: Arc<AgentBounds>) {
    while hangups.recv().await.is_some() {
        match config::load(&sources) {
            Ok(loaded) => {
                bounds.replace(loaded.config.mcp);
                tracing::info!("the configuration was read again");
            }
            Err(error) => tracing::error!("the configuration stays as it was: {error}"),
        }
    }
}

/// Answers until the input ends.
async fn speak(agent: Agent<Messages>) -> Result<()> {
    let (input, output) = stdio_pipes();
    let failed = |error: &dyn std::fmt::Display| {
        Error::failed(format!("cannot speak with the agent: {error}"))
            .hint("programs with an agent start `rechat mcp`; see docs/agents.md")
    };
    let running = match Box::pin(agent.serve(MessageLines::new(input, output))).await {
        Ok(running) => running,
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(failed(&error)),
    };
    running.waiting().await.map(drop).map_err(|error| failed(&error))
}

/// A server, else the store: found anew for each call, so that a server may come and go, and nobody
/// waits for the store in between.
struct Messages {
    source: SourceArgs,
    config: Option<PathBuf>,
}

impl Source for Messages {
    type Chats = Client;
    type Watch = ChangeWatch;

    async fn open(&self, access: Access) -> Result<Client> {
        Client::open(&self.source, self.config.clone(), access, None).await
    }

    async fn watch(&self, filter: &MessageFilter) -> Result<ChangeWatch> {
        let client = self.open(Access::Read).await?;
        if !client.is_served() {
            return Ok(ChangeWatch::Unserved);
        }
        let following =
            client.follow(filter, &Conditions::default(), Begin::Since(None), &[]).await?;
        Ok(ChangeWatch::Served(Box::new(following)))
    }
}

/// Changes of a server, or of a store that is looked at again.
enum ChangeWatch {
    Served(Box<MessageFollower>),
    Unserved,
}

impl Watch for ChangeWatch {
    async fn changed(&mut self) -> Result<()> {
        match self {
            Self::Served(following) => following.next().await.map(drop),
            Self::Unserved => {
                sleep(POLL_INTERVAL).await;
                Ok(())
            }
        }
    }
}

impl Chats for Client {
    fn is_served(&self) -> bool {
        Self::is_served(self)
    }

    async fn conversations(&mut self, query: &ConversationQuery) -> Result<Vec<Conversation>> {
        Self::conversations(self, query).await
    }

    async fn conversation(
        &mut self,
        platform: &str,
        conversation: &str,
    ) -> Result<Option<Conversation>> {
        Self::conversation(self, platform, conversation).await
    }

    async fn list(
        &mut self,
        filter: &MessageFilter,
        limit: usize,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        Self::list(self, filter, Page { offset: 0, limit, before: None }, before).await
    }

    async fn list_after(
        &mut self,
        filter: &MessageFilter,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Message>> {
        Self::list_after(self, filter, after, limit).await
    }

    async fn search(
        &mut self,
        conditions: &Conditions,
        filter: &MessageFilter,
        limit: usize,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let page = Page { offset: 0, limit, before: None };
        Self::search(self, conditions, Order::Seq, filter, page, before).await
    }

    async fn find(&mut self, id: Uuid) -> Result<Option<Message>> {
        Self::find(self, id).await
    }

    async fn media(&mut self, media: Hash, most: u64) -> Result<Option<Bytes>> {
        Self::media_bytes(self, media, most).await
    }

    async fn platforms(&mut self) -> Result<Vec<AdapterStatus>> {
        Self::platforms(self).await
    }

    async fn create(&mut self, message: NewMessage, key: &str) -> Result<Message> {
        Self::create(self, message, Some(key)).await
    }
}
