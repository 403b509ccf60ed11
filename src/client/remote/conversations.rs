//! Conversations of a server.

use super::query::escaped;
use super::{Remote, repeats};
use crate::error::Result;
use crate::protocol::http::{
    Conversation, Conversations, GroupMembers, MAX_LIMIT, SetConversation,
};
use crate::store::ConversationQuery;
use hyper::Method;

fn page_of(query: &ConversationQuery, limit: usize, before: Option<u64>) -> String {
    let mut page = form_urlencoded::Serializer::new(String::new());
    page.append_pair("limit", &limit.to_string());
    page.extend_pairs(query.platform.iter().map(|name| ("platform", name)));
    page.extend_pairs(query.text.iter().map(|text| ("q", text)));
    page.extend_pairs(before.map(|seq| ("before", seq.to_string())));
    page.extend_pairs(query.is_brief.then_some(("brief", "true")));
    page.finish()
}

/// The path of a conversation.
fn path_of(platform: &str, conversation: &str) -> String {
    format!("/api/conversations/{}/{}", escaped(platform), escaped(conversation))
}

impl Remote {
    /// Requests one page after the other, because a server returns at most [`MAX_LIMIT`] at once.
    pub(in crate::client) async fn conversations(
        &mut self,
        query: &ConversationQuery,
    ) -> Result<Vec<Conversation>> {
        let mut found: Vec<Conversation> = Vec::new();
        let mut before = query.before;
        let all = query.limit.unwrap_or(usize::MAX);
        while found.len() < all {
            let limit = (all - found.len()).min(MAX_LIMIT);
            let path = format!("/api/conversations?{}", page_of(query, limit, before));
            let answer: Conversations = self.0.get(&path).await?;
            let is_last = answer.conversations.len() != limit;
            found.extend(answer.conversations);
            if is_last {
                break;
            }
            let next = found.last().map(|known| known.last_seq);
            if before.is_some() && next >= before {
                return Err(repeats("/api/conversations"));
            }
            before = next;
        }
        Ok(found)
    }

    pub(in crate::client) async fn conversation(
        &mut self,
        platform: &str,
        conversation: &str,
    ) -> Result<Option<Conversation>> {
        let path = path_of(platform, conversation);
        let request = self.0.request(Method::GET, &path, None::<&()>)?;
        self.0.ask(request).await
    }

    pub(in crate::client) async fn members(
        &mut self,
        platform: &str,
        conversation: &str,
    ) -> Result<GroupMembers> {
        self.0.get(&format!("{}/members", path_of(platform, conversation))).await
    }

    pub(in crate::client) async fn set_conversation(
        &mut self,
        platform: &str,
        conversation: &str,
        set: &SetConversation,
    ) -> Result<Option<Conversation>> {
        let path = path_of(platform, conversation);
        let request = self.0.request(Method::PATCH, &path, Some(set))?;
        self.0.ask(request).await
    }
}
