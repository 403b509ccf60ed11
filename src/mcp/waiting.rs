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
            // What was passed over is not named to those who do not see it.
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
        match timeout_at(deadline, watch.changed()).await {
            Ok(changed) => changed?,
            Err(_) => {
                let messages = Vec::new();
                return Ok(NewMessages { messages, cursor: place, timed_out: true, note });
            }
        }
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
