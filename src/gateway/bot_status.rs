//! Status of a bot, for people.

use super::bot::{ConfiguredBot, ServedAccount, lock};
use super::settings::{BotConfig, BotKind};
use crate::protocol::bots;
use crate::protocol::platform::{ConnectionCodes, PlatformState};
use crate::store::{BotEvent, EntryContent, Result, View};
use crate::text::without_secrets;
use std::sync::Arc;

/// Entries of the log that are read to count the events that wait.
const MAX_COUNTED: usize = 4_096;

/// Bytes of raw events that are read for it.
const MAX_COUNTED_BYTES: usize = 16 << 20;

impl ConfiguredBot {
    /// The status of the bot.
    pub(super) fn shown(&self) -> bots::Bot {
        let config = self.config.load_full();
        let accounts = self.accounts();
        // Accounts that share a cursor in the log are counted together.
        let of_one_cursor = |one: &Arc<ServedAccount>, other: &Arc<ServedAccount>| {
            Arc::ptr_eq(&one.cursor, &other.cursor)
        };
        let cursors = accounts.chunk_by(of_one_cursor);
        let waiting = cursors.clone().map(|of_cursor| self.waiting(of_cursor)).sum();
        let delivered = cursors.filter_map(<[_]>::first).map(|one| one.cursor.delivered()).sum();
        let status = lock(&self.status);
        let is_quiet = status.state != PlatformState::Connected && status.last_error.is_none();
        let reason = is_quiet.then(|| waits_for(&config, accounts.is_empty()));
        let accounts = accounts.iter().map(|account| bots::BotAccount {
            platform: account.platform.clone(),
            account: account.account.clone(),
            self_id: account.self_id,
        });
        bots::Bot {
            name: config.name.clone(),
            kind: config.kind.as_str().to_owned(),
            state: status.state,
            since: status.since,
            delivered,
            waiting,
            codes: ConnectionCodes::of(reason.as_deref(), status.last_error.as_deref()),
            last_error: status.last_error.clone(),
            reason,
            url: config.url.as_ref().map(|url| without_secrets(&url.to_string())),
            accounts: accounts.collect(),
        }
    }

    /// Number of events that still wait for the bot, for accounts with one cursor, among the next
    /// few thousand entries.
    fn waiting(&self, accounts: &[Arc<ServedAccount>]) -> u64 {
        let seconds = self.config.load().catch_up_seconds;
        let count = || -> Result<usize> {
            let Some(first) = accounts.first() else { return Ok(0) };
            let view = self.shared.core.store.view()?;
            let start = first.cursor.start(&view, seconds, None)?;
            let entries = view.feed(start, MAX_COUNTED, MAX_COUNTED_BYTES)?.unwrap_or_default();
            let is_told =
                |entry: &&BotEvent| accounts.iter().any(|account| is_of(entry, account, &view));
            Ok(entries.iter().filter(is_told).count())
        };
        count().unwrap_or_default() as u64
    }
}

/// The reason why a bot waits that has had no connection and no error yet.
fn waits_for(config: &BotConfig, has_no_account: bool) -> String {
    let BotConfig { name, kind, url, .. } = config;
    match (kind, url) {
        _ if has_no_account => {
            "a platform whose account it can speak for; none is known yet".into()
        }
        (BotKind::OneBot11, Some(_)) => "the framework, to which rechat connects".into(),
        (BotKind::OneBot11, None) => {
            format!("the framework, which has to connect to /bots/{name}/onebot/v11")
        }
        (BotKind::Satori, Some(_)) => "the first event that is posted".into(),
        (BotKind::Satori, None) => {
            format!("the framework, which has to connect to /bots/{name}/satori")
        }
    }
}

/// Whether an entry belongs to an account.
fn is_of(entry: &BotEvent, account: &ServedAccount, view: &View) -> bool {
    let ServedAccount { platform, account, .. } = account;
    if let Some(raw_event) = &entry.raw_event {
        return raw_event.platform == *platform && raw_event.account == *account;
    }
    match &entry.entry {
        Some(EntryContent::Created { seq }) => view
            .readable(*seq)
            .ok()
            .flatten()
            .is_some_and(|message| message.is_told_by(platform, account)),
        Some(EntryContent::Noticed(notice)) => {
            notice.platform == *platform && notice.account == *account
        }
        _ => false,
    }
}
