//! Logins (resources/login.md): the accounts of a bot.

use super::{media, methods};
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use serde_json::{Value, json};

/// `LoginStatus` (resources/login.md).
const OFFLINE: u8 = 0;
const ONLINE: u8 = 1;

/// A login in the form of events that are not about logins.
pub(super) fn brief(bot: &ConfiguredBot, account: &ServedAccount) -> Value {
    let ServedAccount { platform, account: id, .. } = account;
    let adapter = adapter(bot, account);
    json!({"sn": number(account), "adapter": adapter, "platform": platform, "user": {"id": id}})
}

/// A login with its state.
pub(super) fn whole(bot: &ConfiguredBot, account: &ServedAccount, is_online: bool) -> Value {
    let mut login = brief(bot, account);
    login["user"]["name"] = json!(account.account);
    login["status"] = json!(if is_online { ONLINE } else { OFFLINE });
    let speaks_onebot11 = bot.shared.speaks_onebot11(&account.platform, &account.account);
    login["features"] = json!(methods::features(speaks_onebot11));
    login
}

/// Whether the account is connected.
pub(super) fn is_online(bot: &ConfiguredBot, account: &ServedAccount) -> bool {
    bot.shared.is_online(&account.platform, &account.account)
}

/// Logins, and prefixes of addresses that rechat fetches (advanced/meta.md).
pub(super) fn meta(logins: &[Value]) -> Value {
    // Some frameworks fetch internal links only if their prefix is in this list.
    json!({"logins": logins, "proxy_urls": [media::SCHEME]})
}

/// The number that distinguishes logins. It is the same after each start, because frameworks use it
/// in names.
fn number(account: &ServedAccount) -> u32 {
    let name = format!("{}/{}", account.platform, account.account);
    crc32fast::hash(name.as_bytes())
}

/// The name of the adapter of the account's platform.
fn adapter(bot: &ConfiguredBot, account: &ServedAccount) -> String {
    let adapters = bot.shared.core.registry.platforms();
    let its = adapters.iter().find(|adapter| adapter.platform == account.platform);
    its.map_or_else(|| "rechat".to_owned(), |adapter| adapter.kind.to_string())
}
