//! The store itself, opened for one command.

use super::body::FileBody;
use super::missing::{no_media, no_message};
use crate::adapter::{AdapterConfig, configured_facts};
use crate::clock::now;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::media::copy::{copy_all, copy_blob};
use crate::media::partial::Partials;
use crate::media::sniff::FileType;
use crate::media::sweep::{self, Removal, unsent};
use crate::media::{self, BlobRefused, Blobs, Hash, Stored, Upload, content};
use crate::model::message::{Message, Status};
use crate::model::routing::choose_platform;
use crate::outbox::no_platform;
use crate::protocol::http::{
    Conversation, Imported, MediaList, MediaRemoved, MessageChange, NO_REPLY_TARGET, NewMessage,
    ParsedChange, ReadTo, SetConversation, TransferRecord, Uploaded, other_status,
};
use crate::protocol::overview::Stats;
use crate::search::{Conditions, Index, Search, folder_beside};
use crate::store::{
    Access, Answer, ByPrefix, Command, ConversationQuery, Idempotency, MessageFilter,
    MigrationProgress, Order, Page, Store, StoreOptions, View, stored,
};
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

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

/// Stores a file, and returns its description.
fn copied(
    mut file: FileBody,
    upload: std::result::Result<Upload, BlobRefused>,
) -> std::result::Result<(Stored, FileType), BlobRefused> {
    let mut upload = upload?;
    loop {
        let bytes = file.read()?;
        if bytes.is_empty() {
            break;
        }
        upload.write(&bytes)?;
    }
    let kind = upload.kind();
    Ok((upload.finish()?, kind))
}

impl From<crate::store::StoreError> for Error {
    fn from(error: crate::store::StoreError) -> Self {
        Self::failed(error.to_string())
    }
}

impl Local {
    pub(super) fn open(
        config: &Config,
        access: Access,
        migration: Option<MigrationProgress>,
    ) -> Result<Self> {
        let options = StoreOptions { migration, ..config.store_options(access) };
        let folder = media::folder_beside(&config.db);
        let cannot = |error| Error::failed(format!("cannot read {}: {error}", folder.display()));
        let blobs = Blobs::open(&folder, config.media.bounds()).map_err(cannot)?;
        let store = Arc::new(Store::open(&options, Box::new(()))?);
        if access == Access::Write {
            // The server that they came to goes on with them at its next start.
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
    pub(super) fn configured_platforms(&self) -> impl Iterator<Item = &str> {
        self.adapters.iter().map(|adapter| adapter.settings.platform())
    }

    pub(super) async fn create(&self, message: NewMessage, key: Option<&str>) -> Result<Message> {
        let draft = message.into_draft().map_err(Error::failed)?;
        let idempotency = key.map(|key| Idempotency::new(key, &draft.fingerprint()));
        let kept = content::keep(&self.blobs, draft.content());
        let draft = draft.with_content(kept.map_err(|problem| Error::failed(problem.to_string()))?);
        let default_platform = self.default_platform.as_deref();
        let facts = configured_facts(default_platform, &self.adapters);
        match self.store.write(Command::Create { draft, at: now(), idempotency, facts }).await? {
            Answer::Message(message) | Answer::Repeated(message) => Ok(message),
            Answer::NoReplyTarget => Err(Error::failed(NO_REPLY_TARGET)),
            _ => Err(Error::failed(
                "this idempotency key was used with another message within the last 24 h",
            )
            .hint("use another `idempotency_key`")),
        }
    }

    pub(super) fn list(
        &self,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let view = self.store.view()?;
        let before = position(&view, before)?;
        let mut messages = view.list(filter, Page { before, ..page })?;
        for message in &mut messages {
            self.set_waiting(message, &view);
        }
        Ok(messages)
    }

    /// Messages after a position, the oldest first.
    pub(super) fn list_after(
        &self,
        filter: &MessageFilter,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let view = self.store.view()?;
        let after = position(&view, Some(after))?.unwrap_or_default();
        let mut messages = view.list_after(filter, after, limit)?;
        for message in &mut messages {
            self.set_waiting(message, &view);
        }
        Ok(messages)
    }

    pub(super) fn by_prefix(
        &self,
        filter: &MessageFilter,
        wanted: ByPrefix,
    ) -> Result<Vec<Message>> {
        Ok(self.store.view()?.by_prefix(filter, wanted)?)
    }

    /// Searches with the index that a server left; messages that it does not tell of are read.
    pub(super) fn search(
        &self,
        conditions: &Conditions,
        order: Order,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let view = self.store.view()?;
        let search = Search::of(conditions.clone());
        if search.is_none() && order == Order::Seq {
            return self.list(filter, page, before);
        }
        let open = || Index::open(folder_beside(&self.db), &view);
        let unused = Index::new(folder_beside(&self.db));
        let index = if search.is_some() { self.index.get_or_init(open) } else { &unused };
        let mut before = position(&view, before)?;
        let mut messages = Vec::new();
        let all = page.limit.saturating_add(page.offset as usize);
        while messages.len() < all {
            let rest = Page { offset: 0, limit: all - messages.len(), before };
            let found = match (&search, order) {
                (Some(search), Order::Seq) => index.search(&self.store, filter, search, rest)?,
                (search, _) => index.by_time(&self.store, filter, search.as_ref(), rest)?,
            };
            messages.extend(found.messages);
            if found.searched_to.is_none() {
                break;
            }
            before = found.searched_to;
        }
        messages.drain(..messages.len().min(page.offset as usize));
        for message in &mut messages {
            self.set_waiting(message, &view);
        }
        Ok(messages)
    }

    pub(super) fn conversations(&self, query: &ConversationQuery) -> Result<Vec<Conversation>> {
        let view = self.store.view()?;
        let mut found = view.conversations(query)?;
        for message in found.iter_mut().filter_map(|known| known.last_message.as_mut()) {
            self.set_waiting(message, &view);
        }
        Ok(found)
    }

    pub(super) fn conversation(
        &self,
        platform: &str,
        conversation: &str,
    ) -> Result<Option<Conversation>> {
        let view = self.store.view()?;
        let mut found = view.conversation(platform, conversation)?;
        if let Some(message) = found.as_mut().and_then(|known| known.last_message.as_mut()) {
            self.set_waiting(message, &view);
        }
        Ok(found)
    }

    pub(super) async fn set_conversation(
        &self,
        platform: &str,
        conversation: &str,
        set: &SetConversation,
    ) -> Result<Option<Conversation>> {
        let view = self.store.view()?;
        let seq_of = |message: &Option<ReadTo>| match message {
            None => Ok(None),
            Some(ReadTo::Seq(seq)) => Ok(Some(*seq)),
            Some(ReadTo::Text(text)) if text == "latest" => Ok(Some(u64::MAX)),
            Some(ReadTo::Text(text)) => position(&view, Some(text)),
        };
        let (read_to, unread_from) = (seq_of(&set.read_to)?, seq_of(&set.unread_from)?);
        let command = Command::SetConversation {
            platform: stored(platform).to_owned(),
            conversation: conversation.to_owned(),
            read_to,
            unread_from,
            muted: set.muted,
            pinned: set.pinned,
        };
        self.store.write(command).await?;
        self.conversation(platform, conversation)
    }

    pub(super) fn get(&self, id: Uuid) -> Result<Message> {
        self.find(id)?.ok_or_else(|| no_message(id))
    }

    /// A message, or `None` where it was deleted or never was.
    pub(super) fn find(&self, id: Uuid) -> Result<Option<Message>> {
        let view = self.store.view()?;
        let mut found = view.by_id(id)?;
        if let Some(message) = &mut found {
            self.set_waiting(message, &view);
        }
        Ok(found)
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

    pub(super) async fn set_status(&self, id: Uuid, status: Status) -> Result<Message> {
        match self.store.write(Command::SetStatus { id, status, at: now() }).await? {
            Answer::Message(message) => Ok(message),
            _ => Err(no_message(id)),
        }
    }

    /// Changes the content of a message that waits; `None` where it does not wait any more.
    pub(super) async fn edit_waiting(
        &self,
        id: Uuid,
        change: &MessageChange,
    ) -> Result<Option<Message>> {
        let ParsedChange::Content(content) = change.clone().parse().map_err(Error::failed)? else {
            return Err(Error::failed("an edit needs a content"));
        };
        let kept = content::keep(&self.blobs, &content);
        let content = kept.map_err(|problem| Error::failed(problem.to_string()))?;
        match self.store.write(Command::EditWaiting { id, content, at: now() }).await? {
            Answer::Noted => self.get(id).map(Some),
            Answer::NotWaiting => Ok(None),
            _ => Err(no_message(id)),
        }
    }

    /// Sets the status of a message that is in one of these states.
    pub(super) async fn move_status(
        &self,
        id: Uuid,
        from: &[Status],
        status: Status,
    ) -> Result<Message> {
        let command = Command::SetStatusOf { id, from: from.to_vec(), status, at: now() };
        match self.store.write(command).await? {
            Answer::Message(message) => Ok(message),
            Answer::OtherStatus(is) => Err(Error::failed(other_status(id, is, from))),
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

    pub(super) fn media(&self, limit: u64) -> Result<MediaList> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        media::list::newest(&self.store, &self.blobs, limit)
            .map_err(|error| Error::failed(error.to_string()))
    }

    pub(super) fn upload(&self, name: Option<&str>, file: FileBody) -> Result<Uploaded> {
        let kept = copied(file, Upload::begin(&self.blobs));
        let (stored, kind) = kept.map_err(|refused| Error::failed(refused.to_string()))?;
        let (media, mime) = (stored.hash.to_string(), kind.mime.to_owned());
        Ok(Uploaded { media, name: name.map(str::to_owned), mime, size: stored.size })
    }

    pub(super) fn download(&self, media: Hash, to: &mut Upload) -> Result<bool> {
        match copy_blob(&self.blobs, media, to) {
            Ok(is_there) => Ok(is_there),
            Err(refused) => Err(Error::failed(refused.to_string())),
        }
    }

    pub(super) async fn remove_media(&self, media: Hash) -> Result<MediaRemoved> {
        match sweep::remove(self.store.clone(), self.blobs.clone(), media).await {
            Ok(Removal::Removed { messages }) => {
                Ok(MediaRemoved { deleted: true, messages: messages as u64 })
            }
            Ok(Removal::NotFound) => Err(no_media(media)),
            Ok(Removal::Unsent { messages }) => Err(Error::failed(unsent(messages))),
            Ok(Removal::InUse) => Err(Error::failed("a message was made of it just now")),
            Err(fault) => Err(Error::failed(fault.to_string())),
        }
    }

    /// The bytes of a file; `None` where it is not kept.
    pub(super) fn media_bytes(&self, media: Hash, most: u64) -> Result<Option<Bytes>> {
        let read = self.blobs.read(media, most);
        read.map_err(|error| Error::failed(format!("the file cannot be read: {error}")))
    }

    pub(super) fn backup(&self, file: &Path) -> Result<()> {
        self.store.view()?.copy_to(file)?;
        let copied = copy_all(&self.blobs, &media::folder_beside(file));
        copied.map(drop).map_err(|refused| Error::failed(refused.to_string()))
    }

    pub(super) fn stats(&self, filter: &MessageFilter, since: Option<u64>) -> Result<Stats> {
        Ok(self.store.view()?.stats_of(filter, since)?)
    }
}

/// A position in the journal: a `seq`, or a message's ID.
fn position(view: &View, text: Option<&str>) -> Result<Option<u64>> {
    let Some(text) = text else { return Ok(None) };
    if let Ok(seq) = text.parse() {
        return Ok(Some(seq));
    }
    let seq = text.parse().ok().map(|id| view.seq_of(id)).transpose()?.flatten();
    seq.map(Some).ok_or_else(|| Error::failed(format!("there is no message {text}")))
}
