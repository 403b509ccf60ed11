//! Resources: each conversation that agents see, with its latest messages, and the files of messages.

use super::address::{self, CONVERSATION, MESSAGE, ResourceAddress};
use super::arguments::ListConversations;
use super::audit::{AuditEntry, Audited, AuditedAnswer};
use super::context::AgentContext;
use super::data::{escaped, marked};
use super::source::Source;
use super::{media, reading};
use crate::error::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{
    ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};

/// The most messages of a conversation's resource.
const LATEST: usize = 50;

/// One page of conversations; files are not listed, because their messages name them.
pub(super) async fn list<S: Source>(
    context: &AgentContext<S>,
    cursor: Option<String>,
) -> Result<AuditedAnswer<ListResourcesResult>> {
    let page = reading::list_conversations(context, ListConversations::page(cursor)).await?;
    let resources = page.conversations.iter().map(|known| {
        let name = known.name.clone().unwrap_or_else(|| known.conversation.clone());
        let uri = address::of_conversation(&known.platform, &known.conversation);
        Resource::new(uri, escaped(&name))
            .with_description(format!("{}, {}", escaped(&known.platform), known.kind))
            .with_mime_type("text/plain")
    });
    let mut listed = ListResourcesResult::with_all_items(resources.collect());
    let note = page.note();
    listed.next_cursor = page.next;
    Ok(AuditedAnswer { answer: listed, note })
}

/// The forms of every address.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    let conversation = ResourceTemplate::new(
        format!("{CONVERSATION}{{platform}}/{{conversation}}"),
        "conversation",
    )
    .with_title("Conversation")
    .with_description("The latest messages of a conversation, as data that others wrote")
    .with_mime_type("text/plain");
    let media = ResourceTemplate::new(format!("{MESSAGE}{{id}}/media/{{number}}"), "media")
        .with_title("File of a message")
        .with_description(
            "A picture, made smaller where it is large, or another file of up to 1 MB, as others \
             sent it; `resource` of an attachment is its address",
        );
    vec![conversation, media]
}

/// The contents at an address; `None` if there is no such resource.
pub(super) async fn read<S: Source>(
    context: &AgentContext<S>,
    uri: &str,
) -> Result<Option<AuditedAnswer<ReadResourceResult>>> {
    let (contents, note) = match ResourceAddress::parse(uri) {
        None => return Ok(None),
        Some(ResourceAddress::Conversation { platform, conversation }) => {
            let page = reading::latest(context, &platform, &conversation, LATEST).await?;
            let mut note = page.note();
            note.conversation = Some(format!("{platform}/{conversation}"));
            (ResourceContents::text(marked(&page)?.text, uri).with_mime_type("text/plain"), note)
        }
        Some(ResourceAddress::Media { message, number }) => {
            let (file, message) = media::file(context, message, number).await?;
            let conversation = format!("{}/{}", message.platform_or_local(), message.recipient);
            let result = format!("a file of {} bytes, {}", file.bytes.len(), file.mime);
            let contents =
                match std::str::from_utf8(&file.bytes).ok().filter(|_| file.mime == "text/plain") {
                    Some(text) => ResourceContents::text(marked(&text)?.text, uri),
                    None => ResourceContents::blob(STANDARD.encode(&file.bytes), uri),
                }
                .with_mime_type(file.mime);
            (contents, AuditEntry { conversation: Some(conversation), result })
        }
    };
    Ok(Some(AuditedAnswer { answer: ReadResourceResult::new(vec![contents]), note }))
}

/// The error for an unknown address.
pub(super) fn unknown(uri: &str) -> Error {
    Error::failed(format!("there is no resource {uri}"))
        .hint("resources/list gives the address of each conversation")
}
