//! `wait_for_messages`

use super::arguments::{WaitForMessages, cursor};
use super::context::{AgentContext, SeenMessage};
use super::reading::narrowed;
use super::shown::{NewMessages, fitting};
use super::source::{Chats, Source, Watch};
use crate::error::Result;
use crate::model::message::Direction;
use crate::store::{ConversationQuery, MessageFilter};
use tokio::time::{Instant, timeout_at};

/// Messages that are read at a time.
const PAGE: usize = 100;

/// Told where no server runs.
const NO_SERVER: &str = "no server runs, so nothing comes in; start one with `rechat serve`";

/// Place before every message.
const BEGINNING: &str = "0";

/// `wait_for_messages`
pub(super) async fn wait_for_messages<S: Source>(
    context: &AgentContext<S>,
    arguments: WaitForMessages,
) -> Result<NewMessages> {
    let deadline = Instant::now() + arguments.limit();
    let mut filter =
        narrowed(context, arguments.platform.as_deref(), arguments.conversation.as_deref())?;
    filter.direction = (arguments.include_own != Some(true)).then_some(Direction::Inbound);
    let since = arguments.since.as_deref().map(|at| cursor("since", at)).transpose()?;
    // Watched before it is read, so that nothing comes in between.
    let mut watch = context.source.watch(&filter).await?;
    let mut place = match since {
        Some(since) => since.to_owned(),
        None => newest(&mut context.read().await?).await?,
    };
    loop {
        let mut chats = context.read().await?;
        let head = newest(&mut chats).await?;
        let before = place.clone();
        let found = next(context, &mut chats, &filter, &mut place).await?;
        if found.is_empty() && place != before {
            // Events that were passed over are not named to those who do not see them.
            place = head;
        }
        let note = (!chats.is_served()).then_some(NO_SERVER);
        // The store holds up no other call meanwhile.
        drop(chats);
        if !found.is_empty() {
            let (messages, is_all) = fitting(&found, 1);
            if let Some(last) = messages.last().filter(|_| !is_all) {
                place.clone_from(&last.id);
            }
            return Ok(NewMessages { messages, cursor: place, timed_out: false, note });
        }
        let Ok(changed) = timeout_at(deadline, watch.changed()).await else {
            let messages = Vec::new();
            return Ok(NewMessages { messages, cursor: place, timed_out: true, note });
        };
        changed?;
    }
}

/// The place of the newest message there is, as a number.
async fn newest(chats: &mut impl Chats) -> Result<String> {
    let query = ConversationQuery { limit: Some(1), ..ConversationQuery::default() };
    let newest = chats.conversations(&query).await?;
    Ok(newest.first().map_or(BEGINNING.to_owned(), |known| known.last_seq.to_string()))
}

/// The next messages that agents see, and the place behind what was looked at.
async fn next<S: Source>(
    context: &AgentContext<S>,
    chats: &mut S::Chats,
    filter: &MessageFilter,
    place: &mut String,
) -> Result<Vec<SeenMessage>> {
    loop {
        let found = chats.list_after(filter, place, PAGE).await?;
        let Some(last) = found.last() else { return Ok(Vec::new()) };
        *place = last.id.to_string();
        let seen = context.seen(chats, found).await?;
        if !seen.is_empty() {
            return Ok(seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::mcp::bounds::AgentBounds;
    use crate::media::Hash;
    use crate::model::message::Message;
    use crate::protocol::http::{AdapterStatus, Conversation, NewMessage};
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
        let context = AgentContext::new(BrokenWatch, bounds);
        let arguments = serde_json::from_value(serde_json::json!({"seconds": 50})).unwrap();
        let error = wait_for_messages(&context, arguments).await.unwrap_err();
        assert!(error.to_string().contains("the watch broke"), "{error}");
    }
}
