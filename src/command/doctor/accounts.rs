//! The accounts of adapters, and advice for those that are not connected.

use super::findings::{CheckState, Findings};
use crate::adapter::{self, PlatformState, Transport};
use crate::config::Config;
use crate::protocol::http::AdapterStatus;

/// Advice for implementations that connect to a server with tokens.
pub(super) const NEEDS_TOKEN: &str = "the server needs a token, so it has to have one, too";

/// Words that stand for any account elsewhere, and are no IDs.
const NO_IDS: [&str; 3] = ["any", "all", "*"];

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
    let mut advice = advice_for(config, status);
    if is_left {
        advice += "; if this account is gone for good, restart rechat to forget it";
    }
    findings.add("adapters", health, seen, &advice);
}

/// Looks for entries that keep everybody out because of a word in place of an ID.
pub(super) fn look_at_entries(findings: &mut Findings, config: &Config) {
    for settings in config.adapter.iter().map(|entry| &entry.settings) {
        let Some(word) = settings.accounts.iter().find(|id| NO_IDS.contains(&&***id)) else {
            continue;
        };
        let kind = settings.kind.name;
        let seen = format!("`account` of the entry `{kind}` has `{word}`, which is taken as an ID");
        let advice = "leave `account` out if any account may connect";
        findings.add("adapters", CheckState::Doubtful, seen, advice);
    }
}

/// Advice for an account that is not connected.
fn advice_for(config: &Config, status: &AdapterStatus) -> String {
    let codes = &status.codes;
    let code = codes.reason_code.as_ref().or(codes.last_error_code.as_ref());
    if code.is_some_and(|code| code == "wrong_token") {
        return "set `token` of this [[adapter]] entry to the access token of the implementation"
            .into();
    }
    let connects_out = config.adapter.iter().any(|entry| {
        let settings = &entry.settings;
        settings.kind.name == status.kind
            && settings.platform() == status.platform
            && matches!(settings.transport, Transport::Dial(_))
    });
    if connects_out {
        return "start the implementation, and compare `url` of the [[adapter]] entry with its address"
            .into();
    }
    match adapter::kinds().find(|known| known.name == status.kind) {
        Some(kind) if !kind.paths.is_empty() && !config.tokens.is_empty() => {
            format!("{}; {NEEDS_TOKEN}", kind.advice)
        }
        Some(kind) => kind.advice.into(),
        None => "the log of the server has the details".into(),
    }
}
