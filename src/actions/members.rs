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
        // Others who ask for the same list meanwhile get this answer.
        let _turn = self.groups.take(group.clone()).await;
        if let Some(known) = self.recent_members.get(&group) {
            return Ok(known);
        }
        let account = self.account(platform, account.as_deref())?;
        let members = account.members(group.1.clone()).await.map_err(ActionFailure::Platform)?;
        let members = Arc::new(members);
        self.recent_members.keep(group, Arc::clone(&members));
        Ok(members)
    }
}
