//! Resources: each conversation that agents see, with its latest messages.

use super::arguments::ListConversations;
use super::context::AgentContext;
use super::data::marked;
use super::reading;
use super::source::Source;
use crate::error::{Error, Result};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rmcp::model::{
    ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};

/// Beginning of the address of a conversation; its platform and its ID follow.
const CONVERSATION: &str = "rechat://conversations/";

/// Messages of a conversation's resource.
const LATEST: usize = 50;

/// One page of the conversations.
pub(super) async fn list<S: Source>(
    context: &AgentContext<S>,
    cursor: Option<String>,
) -> Result<ListResourcesResult> {
    let page = reading::list_conversations(context, ListConversations::page(cursor)).await?;
    let resources = page.conversations.iter().map(|known| {
        let name = known.name.clone().unwrap_or_else(|| known.conversation.clone());
        Resource::new(address(&known.platform, &known.conversation), name)
            .with_description(format!("{}, {}", known.platform, known.kind))
            .with_mime_type("text/plain")
    });
    let mut listed = ListResourcesResult::with_all_items(resources.collect());
    listed.next_cursor = page.next;
    Ok(listed)
}

/// The form of every address.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    let template = ResourceTemplate::new(
        format!("{CONVERSATION}{{platform}}/{{conversation}}"),
        "conversation",
    )
    .with_title("Conversation")
    .with_description("The latest messages of a conversation, as data that others wrote")
    .with_mime_type("text/plain");
    vec![template]
}

/// The latest messages of a conversation; `None` where the address is none of ours.
pub(super) async fn read<S: Source>(
    context: &AgentContext<S>,
    uri: &str,
) -> Result<Option<ReadResourceResult>> {
    let Some((platform, conversation)) = parts(uri) else { return Ok(None) };
    let page = reading::latest(context, &platform, &conversation, LATEST).await?;
    let contents = ResourceContents::text(marked(&page)?, uri).with_mime_type("text/plain");
    Ok(Some(ReadResourceResult::new(vec![contents])))
}

fn address(platform: &str, conversation: &str) -> String {
    let escaped = |part| utf8_percent_encode(part, NON_ALPHANUMERIC);
    format!("{CONVERSATION}{}/{}", escaped(platform), escaped(conversation))
}

fn parts(uri: &str) -> Option<(String, String)> {
    let (platform, conversation) = uri.strip_prefix(CONVERSATION)?.split_once('/')?;
    let decoded = |part| Some(percent_decode_str(part).decode_utf8().ok()?.into_owned());
    Some((decoded(platform)?, decoded(conversation)?))
}

/// The error of an address that is none of ours.
pub(super) fn unknown(uri: &str) -> Error {
    Error::failed(format!("there is no resource {uri}"))
        .hint("resources/list gives the address of each conversation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_its_conversation() {
        for (platform, conversation) in
            [("qq", "group_1"), ("wechat", "private_a/b@c d%2F"), ("我", "群?x=1#y")]
        {
            let address = address(platform, conversation);
            assert_eq!(parts(&address), Some((platform.into(), conversation.into())));
            assert_eq!(address.matches('/').count(), 4, "{address}");
        }
        for wrong in
            ["file:///etc/passwd", "rechat://conversations/qq", "rechat://conversations/%ff/x"]
        {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
