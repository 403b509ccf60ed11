//! Actions on messages that were sent: recalls, edits, reactions, the opening of forwards; the members of
//! groups; and answers to requests (contract, items 25 to 27).
//!
//! The platform is asked first. If it refuses, nothing changes here; if it agrees, the change is stored,
//! even if the client has disconnected meanwhile.

mod asked_members;
mod keyed_locks;
mod members;
mod merged_forward;
mod recent_members;

use crate::adapter::{AccountHandle, Action, ActionError, Registry};
use crate::clock::now;
use crate::health::{run_to_end, watched};
use crate::model::attempts::AttemptState;
use crate::model::content::Content;
use crate::model::message::{Direction, Message, Status};
use crate::model::notice::ContactRequest;
use crate::model::platform_event::MessageTarget;
use crate::model::reaction::ReactionChange;
use crate::store::{self, Answer, Command, Store};
use asked_members::AskedMembers;
use keyed_locks::KeyedLocks;
use recent_members::RecentMembers;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Read marks that are sent to platforms at once; beyond it, some are left out, because later ones
/// follow.
const MAX_MARKS: usize = 16;

/// Carries out actions of clients.
#[derive(Clone)]
pub struct Actions {
    store: Arc<Store>,
    registry: Registry,
    /// The tasks of actions; the server waits for them when it stops.
    tasks: TaskTracker,
    messages: KeyedLocks<Uuid>,
    requests: KeyedLocks<u64>,
    asked_members: AskedMembers,
    recent_members: RecentMembers,
    marks: Arc<Semaphore>,
}

/// Reason why an action failed; nothing was changed in the store.
#[derive(Debug)]
pub enum ActionFailure {
    /// There is no such message or request, or it was answered already.
    NotFound,
    /// It has no forward that can be opened.
    NoForward,
    /// It was not sent, so it is not on the platform.
    NotSent,
    /// It may have been sent, but the platform's ID of it is unknown.
    InDoubt,
    /// It is being sent.
    InFlight,
    /// The platform changed it, and it was sent again meanwhile.
    SentAgain,
    /// The platform refused, did not answer, or could not be asked.
    Platform(ActionError),
    /// The store cannot be read or written.
    Store(store::StoreError),
}

impl ActionFailure {
    /// The code for programs.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NotFound | Self::Store(_) => None,
            Self::NoForward => Some("no_forward"),
            Self::NotSent | Self::InDoubt => Some("not_sent"),
            Self::InFlight | Self::SentAgain => Some("in_flight"),
            Self::Platform(ActionError::Unsupported) => Some("unsupported"),
            Self::Platform(ActionError::Refused(_)) => Some("refused"),
            Self::Platform(ActionError::NotConnected) => Some("not_connected"),
            Self::Platform(ActionError::Unknown(_)) => Some("unknown"),
        }
    }
}

impl fmt::Display for ActionFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such message or request"),
            Self::NoForward => f.write_str("the message has no forward that could be opened"),
            Self::NotSent => f.write_str("the message was not sent; it can be canceled or deleted"),
            Self::InDoubt => f.write_str(
                "it is not known whether the message was sent, so nothing on the platform can be changed",
            ),
            Self::InFlight => f.write_str(
                "an attempt to send the message is under way or in doubt, or a part of it has gone",
            ),
            Self::SentAgain => f.write_str(
                "the message was sent again meanwhile; the platform changed only the earlier copy",
            ),
            Self::Platform(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl From<store::StoreError> for ActionFailure {
    fn from(error: store::StoreError) -> Self {
        Self::Store(error)
    }
}

type Result<T> = std::result::Result<T, ActionFailure>;

/// A message with its platform ID, and the account that can change it.
struct OnPlatform {
    account: AccountHandle,
    conversation: String,
    external_id: String,
}

impl Actions {
    /// Actions on messages of a store, for the accounts of a registry.
    pub fn new(store: Arc<Store>, registry: Registry, tasks: TaskTracker) -> Self {
        Self {
            store,
            registry,
            tasks,
            messages: KeyedLocks::default(),
            requests: KeyedLocks::default(),
            asked_members: AskedMembers::default(),
            recent_members: RecentMembers::default(),
            marks: Arc::new(Semaphore::new(MAX_MARKS)),
        }
    }

    /// Recalls a message on its platform.
    ///
    /// # Errors
    ///
    /// There is no such message, it was not sent, or its platform did not take it back.
    pub async fn recall(&self, id: Uuid) -> Result<Message> {
        self.to_the_end(|actions| async move {
            let _turn = actions.messages.take(id).await;
            let message = actions.message(id)?;
            if message.recall.is_some() {
                return Ok(message);
            }
            let OnPlatform { account, conversation, external_id } =
                actions.on_platform(&message)?;
            let parts = message.parts;
            let sent_as = external_id.clone();
            act(&account, Action::Recall { conversation, external_id, parts }).await?;
            actions.check_not_sent_again(id, &sent_as)?;
            actions
                .write(Command::Recall { target: MessageTarget::Id(id), by: None, at: now() })
                .await?;
            actions.message(id)
        })
        .await
    }

    /// Replaces the content of an outbound message: here if it was not sent yet, else on its
    /// platform.
    ///
    /// # Errors
    ///
    /// There is no such message, an attempt to send it is under way, or its platform did not edit it.
    pub async fn edit(&self, id: Uuid, content: Content) -> Result<Message> {
        self.to_the_end(move |actions| async move {
            let _turn = actions.messages.take(id).await;
            let message = actions.message(id)?;
            if message.direction == Direction::Inbound {
                return Err(ActionFailure::Platform(ActionError::Unsupported));
            }
            if message.status == Status::Sent {
                let OnPlatform { account, conversation, external_id } =
                    actions.on_platform(&message)?;
                let sent_as = external_id.clone();
                let edit = Action::Edit { conversation, external_id, content: content.clone() };
                act(&account, edit).await?;
                actions.check_not_sent_again(id, &sent_as)?;
                let (target, at) = (MessageTarget::Id(id), now());
                actions.write(Command::Edit { target, content, at, is_repeated: false }).await?;
            } else {
                actions.write(Command::EditWaiting { id, content, at: now() }).await?;
            }
            actions.message(id)
        })
        .await
    }

    /// Adds an own reaction, or removes it.
    ///
    /// # Errors
    ///
    /// There is no such message, it was not sent, or its platform did not set the reaction.
    pub async fn react(&self, id: Uuid, emoji: String, on: bool) -> Result<Message> {
        self.to_the_end(move |actions| async move {
            let _turn = actions.messages.take(id).await;
            let message = actions.message(id)?;
            let OnPlatform { account, conversation, external_id } =
                actions.on_platform(&message)?;
            let user = account.account.clone().unwrap_or_default();
            let sent_as = external_id.clone();
            let action = Action::React { conversation, external_id, emoji: emoji.clone(), on };
            act(&account, action).await?;
            actions.check_not_sent_again(id, &sent_as)?;
            let change = ReactionChange::Set { emoji, user, mine: true, on };
            actions
                .write(Command::React { target: MessageTarget::Id(id), change, at: now() })
                .await?;
            actions.message(id)
        })
        .await
    }

    /// Sends a read mark to the platform, if it has such marks. Nothing waits for it, because the
    /// mark in the store is the one that counts.
    pub fn mark_read(&self, message: &Message) {
        let Ok(OnPlatform { account, conversation, external_id }) = self.on_platform(message)
        else {
            return;
        };
        let Ok(permit) = Arc::clone(&self.marks).try_acquire_owned() else { return };
        self.tasks.spawn(watched("read marks", async move {
            if let Err(error) = account.act(Action::Read { conversation, external_id }).await {
                tracing::debug!("a platform was not told what was read: {error}");
            }
            drop(permit);
        }));
    }

    /// Shows in a conversation that somebody is typing, or ends it.
    ///
    /// # Errors
    ///
    /// No account is connected that knows the conversation, or its platform does not show it.
    pub async fn show_typing(&self, platform: &str, conversation: String, on: bool) -> Result<()> {
        let row = self.store.view()?.conversation(platform, &conversation)?;
        let account = row.ok_or(ActionFailure::NotFound)?.account;
        let account = self.account(platform, account.as_deref())?;
        act(&account, Action::Type { conversation, on }).await
    }

    /// Answers a request of a platform.
    ///
    /// # Errors
    ///
    /// There is no such request, it was answered, or its platform did not take the answer.
    pub async fn answer_request(
        &self,
        id: u64,
        approve: bool,
        reason: String,
    ) -> Result<ContactRequest> {
        self.to_the_end(move |actions| async move {
            let _turn = actions.requests.take(id).await;
            let request = actions.request(id)?;
            if request.answer.is_some() {
                return Err(ActionFailure::NotFound);
            }
            let notice = &request.notice;
            let account = actions.account(&notice.platform, Some(&notice.account))?;
            let (data, said) = (request.data.clone(), reason.clone());
            act(&account, Action::AnswerRequest { request: data, approve, reason: said }).await?;
            actions
                .write(Command::AnswerRequest { id, approved: approve, reason, at: now() })
                .await?;
            actions.request(id)
        })
        .await
    }

    /// Carries out an action in a task of its own, which goes on if the client disconnects.
    async fn to_the_end<T, F>(&self, action: impl FnOnce(Self) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let ended = run_to_end("actions", &self.tasks, action(self.clone())).await;
        let unknown = || ActionError::Unknown("it broke off; the log has the details".into());
        ended.unwrap_or_else(|_| Err(ActionFailure::Platform(unknown())))
    }

    fn message(&self, id: Uuid) -> Result<Message> {
        self.store.view()?.by_id(id)?.ok_or(ActionFailure::NotFound)
    }

    fn request(&self, id: u64) -> Result<ContactRequest> {
        self.store.view()?.request(id)?.ok_or(ActionFailure::NotFound)
    }

    fn on_platform(&self, message: &Message) -> Result<OnPlatform> {
        if message.status != Status::Sent {
            return Err(match AttemptState::of(message) {
                AttemptState::Settled => ActionFailure::NotSent,
                AttemptState::InDoubt => ActionFailure::InDoubt,
                AttemptState::UnderWay | AttemptState::UnderWayAfterDoubt => {
                    ActionFailure::InFlight
                }
            });
        }
        // Without its own ID the platform cannot find the message.
        let external_id = message.external_id.clone();
        let external_id = external_id.ok_or(ActionFailure::Platform(ActionError::Unsupported))?;
        let account = self.account(message.platform_or_local(), message.account.as_deref())?;
        Ok(OnPlatform { account, conversation: message.recipient.clone(), external_id })
    }

    /// Refuses to record what was done at the platform to an earlier copy of a message: somebody may have
    /// had it sent anew meanwhile.
    fn check_not_sent_again(&self, id: Uuid, sent_as: &str) -> Result<()> {
        let message = self.message(id)?;
        let is_sent_again = matches!(message.status, Status::Pending | Status::Sending)
            || message.external_id.as_deref() != Some(sent_as);
        if is_sent_again { Err(ActionFailure::SentAgain) } else { Ok(()) }
    }

    /// The connection of exactly this account, because no other one can use its IDs.
    fn account(&self, platform: &str, account: Option<&str>) -> Result<AccountHandle> {
        let handle = self.registry.handle(platform, account);
        let is_it =
            |handle: &AccountHandle| account.is_none() || handle.account.as_deref() == account;
        handle.filter(is_it).ok_or(ActionFailure::Platform(ActionError::NotConnected))
    }

    async fn write(&self, command: Command) -> Result<()> {
        match self.store.write(command).await? {
            Answer::NotFound => Err(ActionFailure::NotFound),
            Answer::NotWaiting => Err(ActionFailure::InFlight),
            _ => Ok(()),
        }
    }
}

async fn act(account: &AccountHandle, action: Action) -> Result<()> {
    account.act(action).await.map_err(ActionFailure::Platform)
}
