//! The status of a login, as people see it.

use crate::adapter::api::LoginError;
use crate::health::HEALTH;
use crate::protocol::login::{LoginState, LoginStatus};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

/// How long a login may take to be stored before people are told why it is not done.
const QUIET_SAVE: Duration = Duration::from_secs(1);

/// Tells why a login is not done yet that `WeChat` has confirmed, if storing it takes long.
pub(super) async fn tell_if_slow(status: watch::Sender<LoginStatus>) {
    sleep(QUIET_SAVE).await;
    let fault = HEALTH.reason().unwrap_or_else(|| "the disk does not answer".into());
    let reason = format!(
        "WeChat confirmed the login, which is done once it is on the disk; do not stop rechat until then \
         ({fault})"
    );
    let is_told = status.send_if_modified(|status| {
        let is_open = !matches!(status.state, LoginState::Done | LoginState::Failed);
        if is_open {
            status.set(LoginState::Scanned, Some(&reason));
        }
        is_open
    });
    if is_told {
        tracing::error!("{reason}");
    }
}

/// Tells that a login has failed.
pub(super) fn tell_failed(status: &watch::Sender<LoginStatus>, reason: &str) {
    tracing::warn!("a login failed: {reason}");
    status.send_modify(|status| {
        status.set(LoginState::Failed, Some(reason));
        (status.qrcode, status.modules) = (None, Vec::new());
    });
}

/// Tells that a login is done.
pub(super) fn tell_done(status: &watch::Sender<LoginStatus>, account: Option<String>) {
    status.send_modify(|status| {
        (status.state, status.account) = (LoginState::Done, account);
        (status.qrcode, status.modules, status.reason) = (None, Vec::new(), None);
    });
}

/// Words for people about accounts that do not work though `WeChat` says that they are bound here.
pub(super) fn not_connected_reason(platform: &str, offline: &BTreeMap<String, String>) -> String {
    let accounts: Vec<_> =
        offline.iter().map(|(account, reason)| format!("{account} ({reason})")).collect();
    format!(
        "WeChat says that this person's bot is logged in here already, and this does not connect: {}; \
         log it out with `rechat logout {platform} ACCOUNT`, then log in again",
        accounts.join(", ")
    )
}

/// Answers once there is a code, or it is clear that there will be none.
pub(super) async fn answer_with_code(
    mut status: watch::Receiver<LoginStatus>,
    answer: oneshot::Sender<Result<LoginStatus, LoginError>>,
) {
    let is_known = |status: &LoginStatus| {
        status.qrcode.is_some() || matches!(status.state, LoginState::Failed | LoginState::Done)
    };
    let told = status.wait_for(is_known).await.map(|status| status.clone());
    let told = told.map_err(|_| LoginError::Failed("rechat is stopping".into()));
    let _ = answer.send(told.and_then(|status| match (status.state, &status.reason) {
        (LoginState::Failed, Some(reason)) => Err(LoginError::Failed(reason.clone())),
        _ => Ok(status),
    }));
}
