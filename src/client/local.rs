//! The store itself, opened for one command.

use super::missing::no_message;
use crate::clock::now;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::message::{Message, Status};
use crate::protocol::http::{Imported, NewMessage, Record};
use crate::store::{Access, Answer, Command, Filter, Idempotency, Page, Stats, Store, View};
use std::sync::Arc;
use uuid::Uuid;

/// The store, and the platforms that its server would connect.
pub struct Local {
    store: Store,
    configured_platforms: Vec<String>,
}

impl From<crate::store::Error> for Error {
    fn from(error: crate::store::Error) -> Self {
        Self::failed(error.to_string())
    }
}

impl Local {
    pub(super) fn open(config: &Config, access: Access) -> Result<Self> {
        let store = Store::open(&config.store_options(access), Box::new(()))?;
        let platform =
            |adapter: &crate::adapter::AdapterConfig| adapter.settings.platform().to_owned();
        Ok(Self { store, configured_platforms: config.adapter.iter().map(platform).collect() })
    }

    /// The platforms of the adapters in the configuration.
    pub(super) fn configured_platforms(&self) -> &[String] {
        &self.configured_platforms
    }

    pub(super) async fn create(&self, message: NewMessage, key: Option<&str>) -> Result<Message> {
        let draft = message.into_draft().map_err(Error::failed)?;
        let idempotency = key.map(|key| Idempotency::new(key, &draft.fingerprint()));
        match self.store.write(Command::Create { draft, at: now(), idempotency }).await? {
            Answer::Done(message) | Answer::Repeated(message) => Ok(message),
            _ => Err(Error::failed(
                "this idempotency key was used with another message within the last 24 h",
            )
            .hint("take a new one")),
        }
    }

    pub(super) fn list(
        &self,
        filter: &Filter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let view = self.store.view()?;
        let before = before
            .map(|text| match text.parse() {
                Ok(seq) => Ok(seq),
                Err(_) => {
                    match text.parse().ok().map(|id| view.seq_of(id)).transpose()?.flatten() {
                        Some(seq) => Ok(seq),
                        None => Err(Error::failed(format!("--before {text}: no such message"))),
                    }
                }
            })
            .transpose()?;
        Ok(view.list(filter, Page { before, ..page })?)
    }

    pub(super) fn get(&self, id: Uuid) -> Result<Message> {
        self.store.view()?.by_id(id)?.ok_or_else(|| no_message(id))
    }

    pub(super) async fn set_status(&self, id: Uuid, status: Status) -> Result<Message> {
        match self.store.write(Command::SetStatus { id, status, at: now() }).await? {
            Answer::Done(message) => Ok(message),
            _ => Err(no_message(id)),
        }
    }

    pub(super) async fn delete(&self, id: Uuid) -> Result<()> {
        match self.store.write(Command::Delete { id }).await? {
            Answer::Deleted => Ok(()),
            _ => Err(no_message(id)),
        }
    }

    pub(super) fn view(&self) -> Result<Arc<View>> {
        Ok(self.store.view()?)
    }

    pub(super) async fn import(&self, lines: &[u8]) -> Result<Imported> {
        let mut messages = Vec::new();
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let record: Record =
                serde_json::from_slice(line).map_err(|error| Error::failed(error.to_string()))?;
            messages.push(record.into_message().map_err(Error::failed)?);
        }
        match self.store.write(Command::Import { messages }).await? {
            Answer::Imported { new, known } => Ok(Imported { imported: new, known }),
            _ => Err(Error::failed("the store did not take the messages in")),
        }
    }

    pub(super) fn stats(&self) -> Result<Stats> {
        Ok(self.store.view()?.stats())
    }
}
