//! `/api/conversations`: lists, reads and changes conversations.

use super::body::{HttpResponse, json};
use super::context::ServerContext;
use super::error::{ErrorResponse, Result};
use super::messages::write;
use super::operation::Call;
use super::pieces::{self, PIECE_BYTES, PieceSource};
use super::query::{name_of, number, seq_of};
use super::request::read_json;
use super::waiting;
use crate::actions::ActionFailure;
use crate::model::message::{Direction, LOCAL, Message};
use crate::protocol::http::{DEFAULT_CONVERSATIONS, MAX_LIMIT, ReadTo, SetConversation, Typing};
use crate::protocol::json_text::append_json;
use crate::protocol::overview::Conversation;
use crate::store::{self, Command, ConversationQuery, MessageFilter, Page, View};
use hyper::StatusCode;
use percent_encoding::percent_decode_str;
use std::sync::Arc;

/// Conversations that are read first; how large they are tells how many are read next.
const FIRST_READ: usize = 4;

/// The JSON of a list up to its first conversation, and behind its last one.
const BEGINNING: &[u8] = b"{\"conversations\":[";
const END: &[u8] = b"]}";

/// A list that is being written.
struct WrittenList {
    context: Arc<ServerContext>,
    query: ConversationQuery,
    /// Conversations that are still to be read.
    left: usize,
    /// Conversations that are read at a time.
    step: usize,
    has_any: bool,
}

/// `GET /api/conversations`
pub async fn list(call: Call<'_>) -> Result<HttpResponse> {
    let view = call.context.store.view()?;
    let query = query(call.request.uri().query().unwrap_or_default(), &view)?;
    let left = query.limit.unwrap_or(MAX_LIMIT);
    let context = call.context.clone();
    let list = WrittenList { context, query, left, step: FIRST_READ, has_any: false };
    pieces::answer(call.context, list, BEGINNING.to_vec()).await
}

impl PieceSource for WrittenList {
    async fn read_into(&mut self, text: &mut Vec<u8>) -> store::Result<bool> {
        let wanted = self.step.min(self.left);
        let query = ConversationQuery { limit: Some(wanted), ..self.query.clone() };
        let (context, view) = (self.context.clone(), self.context.store.view()?);
        let read = move || {
            let mut found = view.conversations(&query)?;
            waiting::fill_here(&context, last_messages(&mut found), &view);
            Ok(found)
        };
        // A text is compared with all conversations.
        let mut found = super::list::on_a_thread(read).await?;
        waiting::fill_from_leader(&self.context, last_messages(&mut found)).await;
        let before = text.len();
        for conversation in &found {
            if std::mem::replace(&mut self.has_any, true) {
                text.push(b',');
            }
            // Our own types always serialise, and a vector takes everything.
            let _ = append_json(text, conversation);
        }
        self.left -= found.len();
        let is_last = self.left == 0 || found.len() < wanted;
        if let Some(last) = found.last() {
            self.step = (PIECE_BYTES / ((text.len() - before) / found.len()).max(1)).max(1);
            self.query.before = Some(last.last_seq);
        }
        if is_last {
            text.extend_from_slice(END);
        }
        Ok(!is_last)
    }
}

fn last_messages(conversations: &mut [Conversation]) -> impl Iterator<Item = &mut Message> {
    conversations.iter_mut().filter_map(|conversation| conversation.last_message.as_mut())
}

/// `GET /api/conversations/{platform}/{conversation}`
pub async fn read(call: Call<'_>) -> Result<HttpResponse> {
    let (platform, conversation) = names(&call)?;
    answer(call.context, &platform, &conversation).await
}

/// `PATCH /api/conversations/{platform}/{conversation}`
pub async fn set(call: Call<'_>) -> Result<HttpResponse> {
    let (platform, conversation) = names(&call)?;
    let body: SetConversation = read_json(call.context, call.request).await?;
    let SetConversation { read_to, unread_from, muted, pinned } = body;
    if read_to.is_none() && unread_from.is_none() && muted.is_none() && pinned.is_none() {
        let text = "there is nothing to set; give `read_to`, `unread_from`, `muted` or `pinned`";
        return Err(invalid(ErrorResponse::bad_request(text)));
    }
    let view = call.context.store.view()?;
    let place = |field: &str, message: Option<ReadTo>, latest: Option<u64>| {
        let expected = latest.map_or("", |_| ", or `latest`");
        let unknown = || {
            invalid(ErrorResponse::bad_request(format!(
                "`{field}` must be the `seq` or the ID of a message that is known{expected}"
            )))
        };
        match message {
            None => Ok(None),
            Some(ReadTo::Seq(seq)) if seq > view.head() => Err(unknown()),
            Some(ReadTo::Seq(seq)) => Ok(Some(seq)),
            Some(ReadTo::Text(text)) if text == "latest" => latest.map(Some).ok_or_else(unknown),
            Some(ReadTo::Text(text)) => {
                seq_of(field, &text, &view).map(Some).map_err(|_| unknown())
            }
        }
    };
    let read_to = place("read_to", read_to, Some(u64::MAX))?;
    let unread_from = place("unread_from", unread_from, None)?;
    let command = Command::SetConversation {
        platform: store::stored(&platform).to_owned(),
        conversation: conversation.clone(),
        read_to,
        unread_from,
        muted,
        pinned,
    };
    if write(call.context, command).await? == store::Answer::NotFound {
        return Err(not_found(&platform, &conversation));
    }
    if let Some(read_to) = read_to {
        mark_read(call.context, &view, &platform, &conversation, read_to)?;
    }
    answer(call.context, &platform, &conversation).await
}

/// Sends the read mark to the platform, if anything was unread before.
fn mark_read(
    context: &ServerContext,
    before: &View,
    platform: &str,
    conversation: &str,
    read_to: u64,
) -> Result<()> {
    if before.conversation(platform, conversation)?.is_none_or(|known| known.unread == 0) {
        return Ok(());
    }
    let filter = MessageFilter {
        platform: Some(platform.to_owned()),
        conversation: Some(conversation.to_owned()),
        direction: Some(Direction::Inbound),
        ..MessageFilter::default()
    };
    let newest = Page { offset: 0, limit: 1, before: Some(read_to.saturating_add(1)) };
    if let Some(message) = before.list(&filter, newest)?.first() {
        context.actions.mark_read(message);
    }
    Ok(())
}

/// `POST /api/conversations/{platform}/{conversation}/typing`
pub async fn show_typing(call: Call<'_>) -> Result<HttpResponse> {
    let (platform, conversation) = names(&call)?;
    let context = call.context;
    let typing: Typing = read_json(context, call.request).await?;
    match context.actions.show_typing(&platform, conversation.clone(), typing.typing).await {
        Ok(()) => Ok(json(StatusCode::OK, &typing)),
        Err(ActionFailure::NotFound) => Err(not_found(&platform, &conversation)),
        Err(error) => Err(error.into()),
    }
}

/// `GET /api/conversations/{platform}/{conversation}/members`
pub async fn members(call: Call<'_>) -> Result<HttpResponse> {
    let (platform, conversation) = names(&call)?;
    match call.context.actions.members(&platform, &conversation).await {
        Ok(members) => Ok(json(StatusCode::OK, &*members)),
        Err(ActionFailure::NotFound) => Err(not_found(&platform, &conversation)),
        Err(error) => Err(error.into()),
    }
}

/// The present state of a conversation.
async fn answer(
    context: &ServerContext,
    platform: &str,
    conversation: &str,
) -> Result<HttpResponse> {
    let view = context.store.view()?;
    let found = view.conversation(platform, conversation)?;
    let mut found = found.ok_or_else(|| not_found(platform, conversation))?;
    waiting::fill(context, &mut found.last_message, &view).await;
    Ok(json(StatusCode::OK, &found))
}

fn query(query: &str, view: &View) -> Result<ConversationQuery> {
    let mut wanted =
        ConversationQuery { limit: Some(DEFAULT_CONVERSATIONS), ..ConversationQuery::default() };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "platform" => wanted.platform = Some(name_of("platform", &value)?),
            "q" => wanted.text = Some(value.into_owned()).filter(|text| !text.is_empty()),
            "limit" => wanted.limit = Some(number::<usize>("limit", &value)?.min(MAX_LIMIT)),
            "before" => wanted.before = Some(seq_of("before", &value, view)?),
            "brief" => {
                wanted.is_brief = value
                    .parse()
                    .map_err(|_| ErrorResponse::bad_request("`brief` is `true` or `false`"))?;
            }
            _ => {}
        }
    }
    Ok(wanted)
}

/// The platform and the conversation in the path.
fn names(call: &Call<'_>) -> Result<(String, String)> {
    let name = |field| {
        let text = call.parameters.get(field).unwrap_or_default();
        let name = percent_decode_str(text).decode_utf8();
        name_of(
            field,
            &name.map_err(|_| {
                ErrorResponse::bad_request(format!(
                    "`{field}` in the path must be UTF-8, percent-encoded"
                ))
            })?,
        )
    };
    let names = name("platform").and_then(|platform| Ok((platform, name("conversation")?)));
    names.map_err(invalid)
}

fn invalid(error: ErrorResponse) -> ErrorResponse {
    error.named(Some("invalid"))
}

fn not_found(platform: &str, conversation: &str) -> ErrorResponse {
    let place = if platform == LOCAL { "without a platform" } else { platform };
    let text = format!("there are no messages in {conversation} ({place})");
    ErrorResponse::new(StatusCode::NOT_FOUND, text).named(Some("not_found"))
}
