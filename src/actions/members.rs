//! The members of groups, asked for on their platform and kept for a while, because a list may be long and
//! several clients ask for it.

use super::{ActionFailure, Actions, Result};
use crate::protocol::http::GroupMembers;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The time for which a list is given again.
const MAX_AGE: Duration = Duration::from_mins(5);
/// The most lists that are kept.
const MAX_LISTS: usize = 16;

/// A platform and a conversation.
pub(super) type GroupKey = (String, String);

/// The lists that were asked for lately.
#[derive(Clone, Default)]
pub(super) struct RecentMembers(Arc<Mutex<HashMap<GroupKey, (Instant, Arc<GroupMembers>)>>>);

impl RecentMembers {
    fn get(&self, group: &GroupKey) -> Option<Arc<GroupMembers>> {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|_, (at, _)| at.elapsed() < MAX_AGE);
        lists.get(group).map(|(_, members)| Arc::clone(members))
    }

    fn keep(&self, group: GroupKey, members: Arc<GroupMembers>) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while lists.len() >= MAX_LISTS {
            let oldest = lists.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
            oldest.and_then(|key| lists.remove(&key));
        }
        lists.insert(group, (Instant::now(), members));
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn group(number: usize) -> GroupKey {
        ("qq".into(), format!("group_{number}"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_is_kept_for_a_while_and_few_are() {
        let recent = RecentMembers::default();
        for number in 0..2 * MAX_LISTS {
            recent.keep(group(number), Arc::default());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(recent.0.lock().unwrap().len(), MAX_LISTS);
        assert!(recent.get(&group(0)).is_none(), "the oldest made room");
        assert!(recent.get(&group(2 * MAX_LISTS - 1)).is_some());
        tokio::time::advance(MAX_AGE).await;
        assert!(recent.get(&group(2 * MAX_LISTS - 1)).is_none());
        assert!(recent.0.lock().unwrap().is_empty(), "old lists take no memory");
    }
}
