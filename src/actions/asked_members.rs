//! Lists of members that are being asked for: several clients that ask for the same one share the question
//! and its outcome.

use super::recent_members::GroupKey;
use crate::adapter::ActionError;
use crate::protocol::http::GroupMembers;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The outcome of a question.
type Listed = Result<Arc<GroupMembers>, ActionError>;
type MembersQuestion = BoxFuture<'static, Listed>;

/// The questions under way. One that nobody waits for any more is dropped.
#[derive(Clone, Default)]
pub(super) struct AskedMembers(Arc<Mutex<HashMap<GroupKey, WeakShared<MembersQuestion>>>>);

impl AskedMembers {
    /// Asks for the members of a group, unless that is being asked already, and waits for the outcome.
    pub(super) async fn ask(
        &self,
        group: GroupKey,
        question: impl Future<Output = Listed> + Send + 'static,
    ) -> Listed {
        self.shared(group, question).await
    }

    fn shared(
        &self,
        group: GroupKey,
        question: impl Future<Output = Listed> + Send + 'static,
    ) -> Shared<MembersQuestion> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = |known: &Shared<MembersQuestion>| known.peek().is_none();
        asked.retain(|_, known| known.upgrade().as_ref().is_some_and(is_open));
        if let Some(known) = asked.get(&group).and_then(WeakShared::upgrade) {
            return known;
        }
        let new = question.boxed().shared();
        asked.extend(new.downgrade().map(|weak| (group, weak)));
        new
    }
}
