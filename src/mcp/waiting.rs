//! `wait_for_messages`

use super::answers::{NewMessages, fitting};
use super::arguments::WaitForMessages;
use super::context::{AgentContext, SeenMessage};
use super::position::HistoryPosition;
use super::reading::{MAX_PAGES, PAGE, narrowed};
use super::source::{Chats, Source, Watch};
use crate::error::Result;
use crate::model::message::Direction;
use crate::protocol::http::Conversation;
use crate::store::{ConversationQuery, MessageFilter};
use tokio::time::{Instant, timeout_at};

/// Note if no server runs.
const NO_SERVER: &str = "no server runs, so nothing comes in; start one with `rechat serve`";

/// How far an agent has read.
struct AgentProgress {
    /// The last message that the agent got, or the position where it began. The answer names this position.
    told: HistoryPosition,
    /// Everything up to here was read. It may be at a hidden message.
    looked: HistoryPosition,
}

/// `wait_for_messages`
pub(super) async fn wait_for_messages<S: Source>(
    context: &AgentContext<S>,
    arguments: WaitForMessages,
) -> Result<NewMessages> {
    let deadline = Instant::now() + arguments.limit();
    let given = arguments.position()?;
    let mut chats = context.read().await?;
    let (platform, conversation) =
        (arguments.platform.as_deref(), arguments.conversation.as_deref());
    let mut filter = narrowed(context, &mut chats, platform, conversation).await?;
    filter.direction = (arguments.include_own != Some(true)).then_some(Direction::Inbound);
    let mut to = match given {
        Some(given) => {
            let told = given.named.unwrap_or(HistoryPosition::BEGINNING);
            AgentProgress { told, looked: context.position(&mut chats, given).await? }
        }
        None => newest(context, &mut chats).await?,
    };
    drop(chats);
    // The watch begins before the read, so that no message is missed.
    let mut watch = context.source.watch(&filter).await?;
    loop {
        let mut chats = context.read().await?;
        let (found, is_end) = next(context, &mut chats, &filter, &mut to, deadline).await?;
        let note = (!chats.is_served()).then_some(NO_SERVER);
        // The store does not block other calls during the wait.
        drop(chats);
        let (messages, is_all) = fitting(&found, 1);
        if let Some(last) = messages.len().checked_sub(1).and_then(|at| found.get(at)) {
            to.told = HistoryPosition::Message(last.id);
            to.looked = if is_all { to.looked } else { to.told };
        }
        let mut answer = NewMessages { messages, cursor: String::new(), timed_out: false, note };
        if answer.messages.is_empty() {
            // If the time ended before the whole history was read, the call does not wait any more.
            let more = if is_end { timeout_at(deadline, watch.changed()).await.ok() } else { None };
            if let Some(changed) = more {
                changed?;
                continue;
            }
            answer.timed_out = true;
        }
        answer.cursor = context.bounds.seal().seal_behind(to.told, to.looked)?;
        return Ok(answer);
    }
}

/// The end of the history: its newest message, and the newest visible one.
async fn newest<S: Source>(
    context: &AgentContext<S>,
    chats: &mut S::Chats,
) -> Result<AgentProgress> {
    let mut query = ConversationQuery { limit: Some(PAGE), ..ConversationQuery::default() };
    let mut looked = None;
    for _ in 0..MAX_PAGES {
        let page = chats.conversations(&query).await?;
        query.before = page.last().map(|known| known.last_seq);
        looked = looked.or(page.first().map(|known| HistoryPosition::Seq(known.last_seq)));
        let shows =
            |known: &&Conversation| context.bounds.shows(&known.platform, &known.conversation);
        if let Some(known) = page.iter().find(shows) {
            let filter = MessageFilter {
                platform: Some(known.platform.clone()),
                conversation: Some(known.conversation.clone()),
                ..MessageFilter::default()
            };
            let last = chats.list(&filter, 1, None).await?.pop();
            let told =
                last.map_or(HistoryPosition::BEGINNING, |last| HistoryPosition::Message(last.id));
            return Ok(AgentProgress { told, looked: looked.unwrap_or(told) });
        }
        if page.len() < PAGE {
            break;
        }
    }
    Ok(AgentProgress {
        told: HistoryPosition::BEGINNING,
        looked: looked.unwrap_or(HistoryPosition::BEGINNING),
    })
}

/// The next visible messages, and whether the history ends after them. It stops early after very
/// many hidden ones.
async fn next<S: Source>(
    context: &AgentContext<S>,
    chats: &mut S::Chats,
    filter: &MessageFilter,
    to: &mut AgentProgress,
    deadline: Instant,
) -> Result<(Vec<SeenMessage>, bool)> {
    let mut pages = 0;
    while pages < MAX_PAGES || Instant::now() < deadline {
        let found = chats.list_after(filter, &to.looked.to_string(), PAGE).await?;
        let is_end = found.len() < PAGE;
        to.looked = found.last().map_or(to.looked, |last| HistoryPosition::Message(last.id));
        let seen = context.seen(chats, found).await?;
        if is_end || !seen.is_empty() {
            return Ok((seen, is_end));
        }
        pages += 1;
    }
    Ok((Vec::new(), false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::mcp::bounds::AgentBounds;
    use crate::media::Hash;
    use crate::model::message::Message;
    use crate::protocol::http::{AdapterStatus, NewMessage};
    use crate::search::Conditions;
    use crate::store::Access;
    use bytes::Bytes;
    use std::sync::Arc;
    use uuid::Uuid;

    /// A server without messages whose watches fail.
    struct BrokenWatch;

    impl Source for BrokenWatch {
        type Chats = Self;
        type Watch = Self;

        async fn open(&self, _: Access) -> Result<Self> {
            Ok(Self)
        }

        async fn watch(&self, _: &MessageFilter) -> Result<Self> {
            Ok(Self)
        }
    }

    impl Watch for BrokenWatch {
        async fn changed(&mut self) -> Result<()> {
            Err(Error::failed("the watch broke"))
        }
    }

    impl Chats for BrokenWatch {
        fn is_served(&self) -> bool {
            true
        }

        async fn conversations(&mut self, _: &ConversationQuery) -> Result<Vec<Conversation>> {
            Ok(Vec::new())
        }

        async fn conversation(&mut self, _: &str, _: &str) -> Result<Option<Conversation>> {
            Ok(None)
        }

        async fn list(
            &mut self,
            _: &MessageFilter,
            _: usize,
            _: Option<&str>,
        ) -> Result<Vec<Message>> {
            Ok(Vec::new())
        }

        async fn list_after(
            &mut self,
            _: &MessageFilter,
            _: &str,
            _: usize,
        ) -> Result<Vec<Message>> {
            Ok(Vec::new())
        }

        async fn search(
            &mut self,
            _: &Conditions,
            _: &MessageFilter,
            _: usize,
            _: Option<&str>,
        ) -> Result<Vec<Message>> {
            Ok(Vec::new())
        }

        async fn find(&mut self, _: Uuid) -> Result<Option<Message>> {
            Ok(None)
        }

        async fn media(&mut self, _: Hash, _: u64) -> Result<Option<Bytes>> {
            Ok(None)
        }

        async fn platforms(&mut self) -> Result<Vec<AdapterStatus>> {
            Ok(Vec::new())
        }

        async fn create(&mut self, _: NewMessage, _: &str) -> Result<Message> {
            Err(Error::failed("nothing is made here"))
        }
    }

    #[tokio::test]
    async fn a_watch_that_breaks_ends_the_call_and_says_why() {
        let bounds = Arc::new(AgentBounds::new(crate::config::McpSettings::default()));
        let context = AgentContext::new(BrokenWatch, bounds, None);
        let arguments = serde_json::from_value(serde_json::json!({"seconds": 50})).unwrap();
        let error = wait_for_messages(&context, arguments).await.unwrap_err();
        assert!(error.to_string().contains("the watch broke"), "{error}");
    }
}
