//! The members of groups, asked for on their platform and kept for a while, because a list may be long and
//! several clients ask for it.

use super::{ActionFailure, Actions, Result};
use crate::protocol::http::GroupMembers;
use std::sync::Arc;

impl Actions {
    /// The members of a group, as its platform lists them; at most five minutes old.
    ///
    /// # Errors
    ///
    /// No account is connected that knows the conversation, or its platform lists no members of it.
    pub async fn members(&self, platform: &str, conversation: &str) -> Result<Arc<GroupMembers>> {
        let row = self.store.view()?.conversation(platform, conversation)?;
        let account = row.ok_or(ActionFailure::NotFound)?.account;
        let group = (platform.to_owned(), conversation.to_owned());
        if let Some(known) = self.recent_members.get(&group) {
            return Ok(known);
        }
        let account = self.account(platform, account.as_deref())?;
        let (key, recent) = (group.clone(), self.recent_members.clone());
        let question = async move {
            let members = Arc::new(account.members(key.1.clone()).await?);
            recent.keep(key, Arc::clone(&members));
            Ok(members)
        };
        self.asked_members.ask(group, question).await.map_err(ActionFailure::Platform)
    }
}
