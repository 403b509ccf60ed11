//! The accounts of adapters, and advice for those that are not connected.

use super::findings::{CheckState, Findings};
use crate::adapter::{self, PlatformState, Transport};
use crate::config::Config;
use crate::protocol::http::AdapterStatus;

/// Looks at each account.
pub(super) fn look_at_accounts(
    findings: &mut Findings,
    config: &Config,
    accounts: &[AdapterStatus],
) {
    for status in accounts {
        let is_of_its = |other: &&AdapterStatus| other.platform == status.platform;
        let mut others = accounts.iter().filter(is_of_its);
        let has_other = others.any(|other| other.state == PlatformState::Connected);
        look_at_account(findings, config, status, has_other);
    }
}

/// Looks at one account; `has_other` tells whether another one of its platform is connected.
fn look_at_account(
    findings: &mut Findings,
    config: &Config,
    status: &AdapterStatus,
    has_other: bool,
) {
    let AdapterStatus { platform, account, state, reason, last_error, .. } = status;
    let is_left = has_other && account.is_some() && *state == PlatformState::Disconnected;
    let account = account.as_deref().unwrap_or("no account yet");
    let why = reason.as_ref().or(last_error.as_ref());
    let why = why.filter(|_| *state != PlatformState::Connected);
    let why = why.map(|why| format!(", {why}")).unwrap_or_default();
    let seen = format!("{platform} ({account}): {state:?}{why}");
    let health = match state {
        PlatformState::Connected => return findings.well("adapters", seen),
        PlatformState::Disconnected if is_left => CheckState::Doubtful,
        PlatformState::Connecting => CheckState::Doubtful,
        PlatformState::Disconnected | PlatformState::Error => CheckState::Wrong,
    };
    let advice = advice_for(config, status);
    if is_left {
        let advice =
            format!("{advice}; if this account is gone for good, restart rechat to forget it");
        return findings.add("adapters", health, seen, &advice);
    }
    findings.add("adapters", health, seen, advice);
}

/// Advice for an account that is not connected.
fn advice_for(config: &Config, status: &AdapterStatus) -> &'static str {
    let codes = &status.codes;
    let code = codes.reason_code.as_ref().or(codes.last_error_code.as_ref());
    if code.is_some_and(|code| code == "wrong_token") {
        return "set `token` of this [[adapter]] entry to the access token of the implementation";
    }
    let connects_out = config.adapter.iter().any(|entry| {
        let settings = &entry.settings;
        settings.kind.name == status.kind
            && settings.platform() == status.platform
            && matches!(settings.transport, Transport::Dial(_))
    });
    if connects_out {
        return "start the implementation, and compare `url` of the [[adapter]] entry with its address";
    }
    let known = adapter::kinds().find(|known| known.name == status.kind);
    known.map_or("the log of the server has the details", |kind| kind.advice)
}
