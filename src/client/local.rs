//! The store itself, opened for one command.

use super::no_message;
use crate::adapter::{Settings, configured_facts};
use crate::clock::now;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::message::{Message, Status};
use crate::model::routing::choose_platform;
use crate::outbox::no_platform;
use crate::protocol::http::{Imported, NewMessage, Record};
use crate::store::{Access, Answer, Command, Filter, Idempotency, Page, Stats, Store, View};
use std::sync::Arc;
use uuid::Uuid;

/// The store, and nobody who watches it.
pub struct Local {
    store: Store,
    default_platform: Option<String>,
    adapters: Vec<Settings>,
}

impl From<crate::store::Error> for Error {
    fn from(error: crate::store::Error) -> Self {
        Self::failed(error.to_string())
    }
}

impl Local {
    pub(super) fn open(config: &Config, access: Access) -> Result<Self> {
        Ok(Self {
            store: Store::open(&config.store_options(access), Box::new(()))?,
            default_platform: config.default_platform.clone(),
            adapters: config.adapter.clone(),
        })
    }

    pub(super) async fn create(&self, message: NewMessage, key: Option<&str>) -> Result<Message> {
        let draft = message.into_draft().map_err(Error::failed)?;
        let idempotency = key.map(|key| Idempotency::new(key, &draft.fingerprint()));
        let default_platform = self.default_platform.as_deref();
        let facts = configured_facts(draft.recipient(), default_platform, &self.adapters);
        match self.store.write(Command::Create { draft, at: now(), idempotency, facts }).await? {
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
        let mut messages = view.list(filter, Page { before, ..page })?;
        messages.iter_mut().for_each(|message| self.say_why(message, &view));
        Ok(messages)
    }

    pub(super) fn get(&self, id: Uuid) -> Result<Message> {
        let view = self.store.view()?;
        let mut message = view.by_id(id)?.ok_or_else(|| no_message(id))?;
        self.say_why(&mut message, &view);
        Ok(message)
    }

    /// Fills in why a message waits, as far as that is known without a server.
    fn say_why(&self, message: &mut Message, view: &View) {
        if message.status != Status::Pending {
            return;
        }
        let undecided = message.platform.is_none().then(|| {
            let default_platform = self.default_platform.as_deref();
            let facts = configured_facts(&message.recipient, default_platform, &self.adapters);
            let choice = choose_platform(&message.recipient, message.seq, &facts, view).ok()?;
            no_platform(&message.recipient, &choice)
        });
        let no_server = || "no server runs on this store; start one with `rechat serve`".to_owned();
        message.waiting = Some(undecided.flatten().unwrap_or_else(no_server));
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
