//! Lists of members that were asked for lately.

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

/// By group, with the time at which each was asked for.
type Lists = HashMap<GroupKey, (Instant, Arc<GroupMembers>)>;

/// The lists that were asked for lately.
#[derive(Clone, Default)]
pub(super) struct RecentMembers(Arc<Mutex<Lists>>);

impl RecentMembers {
    pub(super) fn get(&self, group: &GroupKey) -> Option<Arc<GroupMembers>> {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|_, (at, _)| at.elapsed() < MAX_AGE);
        lists.get(group).map(|(_, members)| Arc::clone(members))
    }

    pub(super) fn keep(&self, group: GroupKey, members: Arc<GroupMembers>) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while lists.len() >= MAX_LISTS {
            let oldest = lists.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
            oldest.and_then(|key| lists.remove(&key));
        }
        lists.insert(group, (Instant::now(), members));
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
