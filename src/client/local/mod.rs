//! The store itself, opened for one command.

mod conversations;
mod media;
mod messages;

use crate::adapter::{AdapterConfig, configured_facts};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::media::copy::copy_all;
use crate::media::partial::Partials;
use crate::media::{Blobs, content, folder_beside as media_beside};
use crate::model::message::{Message, Status};
use crate::model::routing::choose_platform;
use crate::outbox::no_platform;
use crate::protocol::http::{Imported, TransferRecord};
use crate::protocol::overview::Stats;
use crate::search::Index;
use crate::store::{
    Access, Answer, Command, MessageFilter, MigrationProgress, Store, StoreError, StoreOptions,
    View,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The store, and the platforms that its server would connect.
pub struct Local {
    store: Arc<Store>,
    /// Opened for the first search.
    index: OnceLock<Index>,
    db: PathBuf,
    default_platform: Option<String>,
    adapters: Vec<AdapterConfig>,
    blobs: Blobs,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::failed(error.to_string())
    }
}

impl Local {
    pub(in crate::client) fn open(
        config: &Config,
        access: Access,
        migration: Option<MigrationProgress>,
    ) -> Result<Self> {
        let options = StoreOptions { migration, ..config.store_options(access) };
        let folder = media_beside(&config.db);
        let cannot = |error| Error::failed(format!("cannot read {}: {error}", folder.display()));
        let blobs = Blobs::open(&folder, config.media.bounds()).map_err(cannot)?;
        let store = Arc::new(Store::open(&options, Box::new(()))?);
        if access == Access::Write {
            // Unfinished uploads of a server stay, because it continues them at its next start.
            Partials::of(blobs.clone()).map_err(cannot)?;
        }
        Ok(Self {
            blobs,
            db: config.db.clone(),
            store,
            index: OnceLock::new(),
            default_platform: config.default_platform.clone(),
            adapters: config.adapter.clone(),
        })
    }

    /// The platforms of the adapters in the configuration.
    pub(in crate::client) fn configured_platforms(&self) -> impl Iterator<Item = &str> {
        self.adapters.iter().map(|adapter| adapter.settings.platform())
    }

    /// Fills in why a message waits, as far as that is known without a server.
    fn set_waiting(&self, message: &mut Message, view: &View) {
        if message.status != Status::Pending {
            return;
        }
        let undecided = message.platform.is_none().then(|| {
            let default_platform = self.default_platform.as_deref();
            let facts = configured_facts(default_platform, &self.adapters);
            let choice = choose_platform(&message.recipient, message.seq, &facts, view).ok()?;
            no_platform(&message.recipient, &choice)
        });
        let no_server = || "no server runs on this store; start one with `rechat serve`".into();
        message.waiting = Some(undecided.flatten().unwrap_or_else(no_server));
    }

    pub(in crate::client) fn view(&self) -> Result<Arc<View>> {
        Ok(self.store.view()?)
    }

    pub(in crate::client) async fn import(&self, lines: &[u8]) -> Result<Imported> {
        let mut messages = Vec::new();
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let record: TransferRecord =
                serde_json::from_slice(line).map_err(|error| Error::failed(error.to_string()))?;
            messages.push(record.into_message().map_err(Error::failed)?);
        }
        for hash in messages.iter().flat_map(|message| content::hashes(&message.content)) {
            self.blobs.hold(hash).map_err(|error| Error::failed(error.to_string()))?;
        }
        match self.store.write(Command::Import { messages }).await? {
            Answer::Imported { new, known } => Ok(Imported { imported: new, known }),
            _ => Err(Error::failed("the store did not take the messages in")),
        }
    }

    pub(in crate::client) fn backup(&self, file: &Path) -> Result<()> {
        self.store.view()?.copy_to(file)?;
        let copied = copy_all(&self.blobs, &media_beside(file));
        copied.map(drop).map_err(|refused| Error::failed(refused.to_string()))
    }

    pub(in crate::client) fn stats(
        &self,
        filter: &MessageFilter,
        since: Option<u64>,
    ) -> Result<Stats> {
        Ok(self.store.view()?.stats_of(filter, since)?)
    }
}

/// The `seq` that a text gives, or that of the message whose ID it gives.
fn position(view: &View, text: Option<&str>) -> Result<Option<u64>> {
    let Some(text) = text else { return Ok(None) };
    if let Ok(seq) = text.parse() {
        return Ok(Some(seq));
    }
    let seq = text.parse().ok().map(|id| view.seq_of(id)).transpose()?.flatten();
    seq.map(Some).ok_or_else(|| Error::failed(format!("there is no message {text}")))
}
