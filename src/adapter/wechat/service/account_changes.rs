//! Stores changes of the accounts one after the other, because the disk may be slow.

use super::login_status::tell_failed;
use crate::adapter::api::LoginError;
use crate::adapter::wechat::saved_state::{self, Login};
use crate::model::event::AdapterState;
use crate::protocol::login::LoginStatus;
use std::collections::VecDeque;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::DropGuard;

/// A change of the accounts.
pub(super) enum AccountChange {
    LogIn(PendingLogin),
    LogOut(PendingLogout),
}

/// A login that `WeChat` has confirmed, until its account works.
///
/// The accounts that it replaces work until it is stored. Then they stop, and it is stored again without their
/// data.
pub(super) struct PendingLogin {
    pub(super) login: Login,
    pub(super) status: watch::Sender<LoginStatus>,
    /// The state of accounts that have stopped for it, and of logins whose place it took, to be forgotten.
    pub(super) forgotten: Vec<AdapterState>,
    /// Dropping it cancels the notice that the disk is slow.
    pub(super) slow_notice: DropGuard,
    /// It is on the disk already, and is stored again without the data of the accounts that it replaces.
    pub(super) is_stored: bool,
    /// It was withdrawn while it was being stored.
    pub(super) is_withdrawn: bool,
}

/// A logout whose account has stopped.
pub(super) struct PendingLogout {
    pub(super) account: String,
    /// The state of the account, and of logins that were withdrawn, to be forgotten.
    pub(super) forgotten: Vec<AdapterState>,
    pub(super) answer: oneshot::Sender<Result<String, LoginError>>,
}

/// The changes in their order. While one is being stored, it is the first.
#[derive(Default)]
pub(super) struct AccountChanges {
    changes: VecDeque<AccountChange>,
    saving: JoinSet<bool>,
}

impl AccountChanges {
    pub(super) fn add(&mut self, change: AccountChange) {
        self.changes.push_back(change);
    }

    /// Adds a change that is stored before all others.
    pub(super) fn add_first(&mut self, change: AccountChange) {
        self.changes.push_front(change);
    }

    /// The change to be stored now; `None` while one is being stored.
    pub(super) fn next(&self) -> Option<&AccountChange> {
        self.changes.front().filter(|_| self.saving.is_empty())
    }

    /// Stores the next change; `save` gives whether it is on the disk.
    pub(super) fn save(&mut self, save: impl Future<Output = bool> + Send + 'static) {
        self.saving.spawn(save);
    }

    /// The end of the change that is being stored, and whether it is on the disk; `None` where none is.
    pub(super) async fn next_saved(&mut self) -> Option<(AccountChange, bool)> {
        let is_saved = self.saving.join_next().await?.unwrap_or(false);
        Some((self.changes.pop_front()?, is_saved))
    }

    /// The logins that are to be stored, the oldest first.
    pub(super) fn logins(&self) -> impl Iterator<Item = &Login> {
        self.changes.iter().filter_map(|change| match change {
            AccountChange::LogIn(pending) if !pending.is_withdrawn => Some(&pending.login),
            AccountChange::LogIn(_) | AccountChange::LogOut(_) => None,
        })
    }

    /// Withdraws logins for a reason; gives the state that a later change has to forget in their place.
    pub(super) fn withdraw(
        &mut self,
        platform: &str,
        reason: &str,
        matches: impl Fn(&Login) -> bool,
    ) -> Vec<AdapterState> {
        let (mut is_being_saved, mut forgotten) = (!self.saving.is_empty(), Vec::new());
        self.changes.retain_mut(|change| {
            let is_being_saved = std::mem::take(&mut is_being_saved);
            let AccountChange::LogIn(pending) = change else { return true };
            if pending.is_withdrawn || !matches(&pending.login) {
                return true;
            }
            tell_failed(&pending.status, reason);
            forgotten.append(&mut pending.forgotten);
            if is_being_saved {
                // It comes to the disk all the same.
                forgotten.extend(saved_state::forget(platform, &pending.login.account, []));
            }
            pending.is_withdrawn = true;
            is_being_saved
        });
        forgotten
    }
}
